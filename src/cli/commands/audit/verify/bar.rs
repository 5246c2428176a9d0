//! How far verifying is, on one line of the terminal that comes and goes.

use std::io::Write;
use std::time::Duration;

use crate::sys::clock::Stopwatch;

/// Work that ends sooner is not worth a line.
const PATIENCE: Duration = Duration::from_millis(700);

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(100);

/// Blocks in the bar.
const CELLS: u64 = 24;

/// The line, on stderr.
pub(super) struct Bar {
    on: bool,
    watch: Stopwatch,
    drawn: Option<Duration>,
    /// Where counting began that the rate is taken from.
    first: Option<(u64, Duration)>,
}

impl Bar {
    /// Shown only if `on`: on a terminal, not with `--quiet`.
    pub fn new(on: bool) -> Bar {
        Bar { on, watch: Stopwatch::start(), drawn: None, first: None }
    }

    /// That many of so many are done; 0 of all where nobody knows how many there are.
    pub fn show(&mut self, done: u64, total: u64) {
        let now = self.watch.elapsed();
        if !self.on || now < PATIENCE || self.drawn.is_some_and(|last| now < last + EVERY) {
            return;
        }
        self.drawn = Some(now);
        let (from, began) = *self.first.get_or_insert((0, Duration::ZERO));
        let rate = per_second(done.saturating_sub(from), now.saturating_sub(began));
        let _ = write!(std::io::stderr(), "\r{}\x1b[K", line(done, total, rate));
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn per_second(done: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    done.saturating_mul(1000) / millis
}

/// `verifying [#########---------------]  38 %  380,000 of 1,000,000 entries, 21,000/s, 30 s left`
fn line(done: u64, total: u64, rate: u64) -> String {
    let mut text = "verifying ".to_owned();
    if let Some(percent) = done.min(total).saturating_mul(100).checked_div(total) {
        let full = usize::try_from(percent * CELLS / 100).unwrap_or(0);
        let empty = usize::try_from(CELLS).unwrap_or(0) - full;
        text.push_str(&format!("[{}{}] {percent:>3} %  ", "#".repeat(full), "-".repeat(empty)));
    }
    text.push_str(&format!("{} entries", grouped(done)));
    if rate > 0 {
        text.push_str(&format!(", {}/s", grouped(rate)));
        let left = total.saturating_sub(done) / rate;
        if left > 0 {
            text.push_str(&format!(", {left} s left"));
        }
    }
    text
}

/// `1,000,000`
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line() {
        for (done, total, rate, text) in [
            (
                380_000,
                1_000_000,
                21_000,
                "verifying [#########---------------]  38 %  380,000 entries, 21,000/s, 29 s left",
            ),
            (1_000, 1_000, 10, "verifying [########################] 100 %  1,000 entries, 10/s"),
            (2_000, 1_000, 0, "verifying [########################] 100 %  2,000 entries"),
            (0, 10, 0, "verifying [------------------------]   0 %  0 entries"),
            (999, 0, 12, "verifying 999 entries, 12/s"),
        ] {
            assert_eq!(line(done, total, rate), text);
        }
        assert!(line(999_999_999, 1_000_000_000, 999_999).len() < 90);
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000);
        assert_eq!(per_second(500, Duration::ZERO), 500_000);
    }
}
