//! The clock.

use jiff::Timestamp;

/// The present time, cut to whole milliseconds, which is what the log can hold.
pub fn now() -> Timestamp {
    cut(Timestamp::now())
}

/// How long something takes. Not the time of day: setting the clock does not move it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

fn cut(time: Timestamp) -> Timestamp {
    // A number of milliseconds that came from a timestamp always makes a timestamp again.
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_below_a_millisecond_is_left() {
        assert_eq!(now().as_nanosecond() % 1_000_000, 0);
        let time: Timestamp = "2026-03-01T10:00:00.123999999Z".parse().unwrap();
        assert_eq!(cut(time).to_string(), "2026-03-01T10:00:00.123Z");
        assert_eq!(cut(Timestamp::MAX).as_millisecond(), Timestamp::MAX.as_millisecond());
    }
}
