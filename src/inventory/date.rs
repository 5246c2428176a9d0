//! Dates in files: RFC 3339, and plain days. Everything else is refused, because 03/04/2026 is two days.

use super::guard::quotable;
use crate::domain::time::Time;

/// What is expected, for errors.
pub const EXPECTED: &str = "expected 2026-11-21 or 2026-11-21T09:00:00Z";

/// Before this a date is a program's word for "none" (0001, 1601, 1900, 1970): 1980-01-01.
const FIRST: i64 = 315_532_800_000;

/// Reads `2026-11-21` (midnight UTC, the earliest moment that it can mean there) or RFC 3339 with an offset, to the
/// millisecond.
///
/// # Errors
/// What is wrong and what was expected. The text is quoted only where it is made of what dates are made of.
pub fn parse(text: &str) -> Result<Time, String> {
    let shown = || {
        if quotable(text) {
            format!("{text:?} is not a date that means one day everywhere")
        } else {
            "not a date".into()
        }
    };
    let bad = || format!("{}: {EXPECTED}", shown());
    let full = match text.len() {
        10 if is_shape(text, DAY) => format!("{text}T00:00:00Z"),
        _ if is_moment(text) => text.to_string(),
        _ => return Err(bad()),
    };
    let time: jiff::Timestamp = full.parse().map_err(|_| bad())?;
    let time = Time::from(time);
    match time.millis() >= FIRST {
        true => Ok(time),
        false => Err(format!("{text:?} is before 1980, which programs write for \"none\"; leave it empty")),
    }
}

const DAY: &[u8] = b"0000-00-00";
const SECOND: &[u8] = b"0000-00-00T00:00:00";

/// Digits where the pattern has `0`, itself elsewhere; the text may go on.
fn is_shape(text: &str, pattern: &[u8]) -> bool {
    let fits = |(b, p): (&u8, &u8)| if *p == b'0' { b.is_ascii_digit() } else { b == p };
    text.len() >= pattern.len() && text.as_bytes().iter().zip(pattern).all(fits)
}

/// RFC 3339, section 5.6, with capital letters.
fn is_moment(text: &str) -> bool {
    if !is_shape(text, SECOND) || !text.is_ascii() {
        return false;
    }
    let rest = text.get(SECOND.len()..).unwrap_or_default();
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    zone == "Z" || (zone.len() == 6 && (is_shape(zone, b"+00:00") || is_shape(zone, b"-00:00")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_one_moment_everywhere() {
        for (text, want) in [
            ("2026-11-21", "2026-11-21T00:00:00.000Z"),
            ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00.000Z"),
            ("2026-11-21T09:00:00+00:00", "2026-11-21T09:00:00.000Z"),
            ("2026-11-21T09:00:00-05:30", "2026-11-21T14:30:00.000Z"),
            ("2026-11-21T09:00:00.123456789Z", "2026-11-21T09:00:00.123Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000Z"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), want, "{text}");
        }
    }

    #[test]
    fn every_other_dialect_is_refused_and_says_what_is_expected() {
        for text in [
            "03/04/2026",
            "1.2.2026",
            "2026/11/21",
            "21-11-2026",
            "20261121",
            "45982",
            "45982.5",
            "1795251600",
            "1795251600000",
            "2026-11-21 09:00:00",
            "2026-11-21T09:00:00",
            "2026-11-21T09:00Z",
            "2026-11-21t09:00:00z",
            "2026-11-21T09:00:00+0000",
            "2026-13-01",
            "2026-02-30",
            "2026-11-21T25:00:00Z",
            "2026-W47-6",
            "2026-325",
            "Nov 21 2026",
            "21 November 2026",
            "yesterday",
            "never",
            "N/A",
            "-",
            "",
            "+02026-11-21",
            "２０２６-11-21",
            "2026-11-21T09:00:00.Z",
            "2026-11-21T09:00:00.1234567890Z",
            "2026-11-21T09:00:00ZZ",
            "2026-11-21é",
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(EXPECTED), "{text}: {why}");
        }
        for text in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1900-01-01", "1899-12-30"] {
            assert!(parse(text).unwrap_err().contains("leave it empty"), "{text}");
        }
    }

    #[test]
    fn a_secret_in_the_wrong_column_is_not_shown() {
        assert!(!parse("hunter2-hunter2").unwrap_err().contains("hunter"));
        assert!(parse("03/04/2026").unwrap_err().contains("03/04/2026"));
    }
}
