//! Values of a policy: how each is written and which are refused. A text and `policy set` come through the same doors.

use crate::domain::id::{Id, IdKind};
use crate::domain::money::{MAX_MINOR, Money};
use crate::domain::point::{POINTS, Point};
use crate::domain::time::Span;

use super::PolicyFile;

/// The longest destination, as for a facet.
const MAX_DESTINATION: usize = 500;

/// An amount: `1000USD`.
pub(super) fn money(text: &str) -> Result<Money, String> {
    text.parse()
}

/// A length of time between two others, both allowed.
pub(super) fn span(text: &str, least: Span, most: Span) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if (least..=most).contains(&span) { Ok(span) } else { Err(format!("{text:?} is not between {least} and {most}")) }
}

/// How long a question may wait, and how long an approval may be used.
pub(super) fn lifetime(text: &str) -> Result<Span, String> {
    span(text, Span::seconds(60), Span::days(90))
}

/// How long a grant may last.
pub(super) fn term(text: &str) -> Result<Span, String> {
    span(text, Span::seconds(60), Span::days(36_500))
}

/// The longest that a grant may last; `never` has no end.
pub(super) fn longest(text: &str) -> Result<Option<Span>, String> {
    if text == "never" { Ok(None) } else { term(text).map(Some).map_err(|e| format!("{e} (or \"never\")")) }
}

/// How often a key is turned over.
pub(super) fn every(text: &str) -> Result<Span, String> {
    span(text, Span::DAY, Span::days(3650))
}

/// How long before it is said.
pub(super) fn warn(text: &str) -> Result<Span, String> {
    span(text, Span::from_millis(0), Span::days(3650))
}

/// A whole number between two others, both allowed.
fn number(n: i64, least: i64, most: i64, what: &str) -> Result<i64, String> {
    if (least..=most).contains(&n) { Ok(n) } else { Err(format!("{what} is {least} to {most}, not {n}")) }
}

/// How many operators must approve.
pub(super) fn approvers(n: i64) -> Result<u8, String> {
    u8::try_from(number(n, 1, 9, "the number of approvers")?).map_err(|e| e.to_string())
}

/// To how many a mailing may go without a question.
pub(super) fn recipients(n: i64) -> Result<u64, String> {
    let most = i64::try_from(MAX_MINOR).unwrap_or(i64::MAX);
    u64::try_from(number(n, 0, most, "the number of recipients")?).map_err(|e| e.to_string())
}

/// A day that every month has.
pub(super) fn due_day(n: i64) -> Result<u8, String> {
    u8::try_from(number(n, 1, 28, "the day of the month")?).map_err(|e| e.to_string())
}

/// An operator.
pub(super) fn operator(text: &str) -> Result<Id, String> {
    match text.parse::<Id>() {
        Ok(id) if id.kind == IdKind::Operator => Ok(id),
        _ => Err(format!("{text:?} is not an operator's id such as op-1")),
    }
}

/// One of the five points.
pub(super) fn point(text: &str) -> Result<Point, String> {
    text.parse()
        .map_err(|_| format!("unknown point {text:?} (expected one of {})", POINTS.map(Point::as_str).join(", ")))
}

/// A destination inside: an exact name, or `*.` and a name of at least two labels or one.
pub(super) fn destination(text: &str) -> Result<String, String> {
    let visible = text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    if text.is_empty() || text.len() > MAX_DESTINATION || !visible {
        return Err(format!(
            "{text:?} is not a destination (visible ASCII without ',', at most {MAX_DESTINATION} bytes)"
        ));
    }
    if !text.contains('*') {
        return Ok(text.into());
    }
    let host = |rest: &str| {
        rest.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
    };
    match text.strip_prefix("*.") {
        Some(rest) if host(rest) => Ok(text.into()),
        _ => Err(format!("{text:?}: '*' stands only before a domain, as in *.acme.example")),
    }
}

/// An integration's name, a kind, or `*`.
pub(super) fn integration(text: &str) -> Result<String, String> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let name = text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(letters);
    if text == "*" || name {
        Ok(text.into())
    } else {
        Err(format!("{text:?} is not an integration's name, a kind, or \"*\""))
    }
}

/// An action's name, a prefix such as `deployment.*`, or `*`.
pub(super) fn action(text: &str) -> Result<String, String> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let stem = text.strip_suffix(".*").unwrap_or(text);
    let name = !stem.is_empty() && stem.len() <= 100 && stem.bytes().all(letters);
    if text == "*" || name {
        Ok(text.into())
    } else {
        Err(format!("{text:?} is not an action's name, a prefix such as deployment.*, or \"*\""))
    }
}

/// Two values that do not go together.
pub(super) struct Clash {
    /// Both keys.
    pub(super) keys: [&'static str; 2],
    /// What is wrong.
    pub(super) message: String,
}

/// Do the values go together? (That both caps have one currency is checked where they are read.)
pub(super) fn together(file: &PolicyFile) -> Result<(), Clash> {
    let grants = &file.grants;
    if let Some(longest) = grants.longest.filter(|longest| grants.expires > *longest) {
        let message = format!("grants.expires ({}) is longer than grants.longest ({longest})", grants.expires);
        return Err(Clash { keys: ["grants.expires", "grants.longest"], message });
    }
    let rotation = &file.rotation;
    if rotation.warn > rotation.every {
        let message = format!("rotation.warn ({}) is longer than rotation.every ({})", rotation.warn, rotation.every);
        return Err(Clash { keys: ["rotation.warn", "rotation.every"], message });
    }
    Ok(())
}
