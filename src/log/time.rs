//! Times of the format: RFC 3339 UTC with exactly three fraction digits and `Z`.
//! Such texts order as the times they name do, so the log compares them as text.

/// Whether `text` is `YYYY-MM-DDTHH:MM:SS.mmmZ` and names a real calendar date, without a second 60.
#[must_use]
pub fn is_time(text: &str) -> bool {
    read(text.as_bytes()).is_some()
}

fn read(text: &[u8]) -> Option<()> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        mo0,
        mo1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        m0,
        m1,
        b':',
        s0,
        s1,
        b'.',
        f0,
        f1,
        f2,
        b'Z',
    ] = text
    else {
        return None;
    };
    let year = number(&[y0, y1, y2, y3])?;
    let month = number(&[mo0, mo1])?;
    let day = number(&[d0, d1])?;
    number(&[f0, f1, f2])?;
    let real = (1..=days_of(year, month)).contains(&day)
        && number(&[h0, h1])? < 24
        && number(&[m0, m1])? < 60
        && number(&[s0, s1])? < 60;
    real.then_some(())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

/// Days of a month of the proleptic Gregorian calendar; 0 where there is no such month.
fn days_of(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}
