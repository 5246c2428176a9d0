//! How many rows each section of a request gets where not all of them fit.

/// What a section asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Rows of its whole text.
    pub whole: usize,
    /// Fewest rows that still say something; 0 may be left out when others need the room.
    pub least: usize,
}

/// Gives each section rows, in order of importance: first everybody's least, then row by row to all that want more.
/// A section gets less than its least only when not even those fit; the last ones go first then. The sum is at most
/// `rows`.
pub fn fit(wishes: &[Wish], rows: usize) -> Vec<usize> {
    let mut left = rows;
    let mut given: Vec<usize> = Vec::with_capacity(wishes.len());
    for w in wishes {
        let n = w.least.min(w.whole).min(left);
        left -= n;
        given.push(n);
    }
    loop {
        let before = left;
        for (n, w) in given.iter_mut().zip(wishes) {
            if left > 0 && *n < w.whole {
                *n += 1;
                left -= 1;
            }
        }
        if left == before {
            return given;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(pairs: &[(usize, usize)]) -> Vec<Wish> {
        pairs.iter().map(|(whole, least)| Wish { whole: *whole, least: *least }).collect()
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(fit(&wishes(&[(3, 1), (2, 1)]), 9), [3, 2]);
        assert_eq!(fit(&[], 9), [0usize; 0]);
    }

    #[test]
    fn a_long_text_takes_no_row_that_another_needs() {
        assert_eq!(fit(&wishes(&[(10_000, 1), (2, 1), (1, 1)]), 8), [5, 2, 1]);
        assert_eq!(fit(&wishes(&[(10_000, 1), (10_000, 1)]), 7), [4, 3]);
        assert_eq!(fit(&wishes(&[(2, 2), (5, 1), (3, 0)]), 4), [2, 2, 0]);
    }

    #[test]
    fn the_least_goes_first_to_the_most_important() {
        assert_eq!(fit(&wishes(&[(4, 2), (4, 2), (4, 2)]), 3), [2, 1, 0]);
        assert_eq!(fit(&wishes(&[(4, 2)]), 0), [0]);
    }
}
