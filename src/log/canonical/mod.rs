//! Canonical JSON: RFC 8785 (JCS) restricted to integers, and the strict parser in front of it.
//!
//! Three ways in: [`parse`] takes any JSON of the format's rules, [`parse_canonical`] only the canonical
//! bytes, [`check_foreign`] any JSON that others wrote and that is kept as a string. One way out: [`to_vec`].
//! Verifying reads canonical bytes with the scanner of `scan`, which allocates nothing.

mod emit;
mod parse;
pub(crate) mod scan;

pub use emit::to_vec;
pub(crate) use emit::{push_string, write_within};

use serde_json::Value;
use thiserror::Error;

/// Most bytes of a document that has no limit of its own.
pub const DOC_LIMIT: usize = 65_536;
/// Most bytes of a payload's `body`.
pub const BODY_LIMIT: usize = 1_048_576;
/// Most bytes of an envelope.
pub const ENVELOPE_LIMIT: usize = 65_535;
/// Most bytes of foreign JSON that is kept as a string.
pub const FOREIGN_LIMIT: usize = 524_288;
/// Most open arrays and objects at once.
pub const MAX_DEPTH: usize = 64;
/// The largest integer; the smallest is its negative. 2^53 - 1.
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// Why bytes are not JSON of the format. `at` counts bytes from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JsonFault {
    /// Longer than its limit.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 at byte {at}")]
    InvalidUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Not JSON.
    #[error("not JSON at byte {at}")]
    Syntax {
        /// Offset of the first byte that fits nothing.
        at: usize,
    },
    /// A member name stands twice in one object.
    #[error("a member name stands twice, at byte {at}")]
    DuplicateName {
        /// Offset just behind the second name.
        at: usize,
    },
    /// A number with a fraction or an exponent.
    #[error("a number that is not written as an integer, at byte {at}")]
    NumberNotInteger {
        /// Offset of the number; 0 where a value and not a text is refused.
        at: usize,
    },
    /// `-0`.
    #[error("minus zero at byte {at}")]
    NumberNegativeZero {
        /// Offset of the number.
        at: usize,
    },
    /// An integer beyond ±(2^53 - 1).
    #[error("a number beyond 2^53 - 1, at byte {at}")]
    NumberOutOfRange {
        /// Offset of the number; 0 where a value and not a text is refused.
        at: usize,
    },
    /// Half a surrogate pair, escaped.
    #[error("half a surrogate pair at byte {at}")]
    LoneSurrogate {
        /// Offset of the escape.
        at: usize,
    },
    /// More open arrays and objects than [`MAX_DEPTH`].
    #[error("deeper than 64 levels at byte {at}")]
    TooDeep {
        /// Offset of the bracket; 0 where a value and not a text is refused.
        at: usize,
    },
    /// JSON of the format, but not the canonical bytes of what it says.
    #[error("not in canonical form")]
    NotCanonical,
}

impl JsonFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            JsonFault::TooLarge { .. } => "too_large",
            JsonFault::InvalidUtf8 { .. } => "invalid_utf8",
            JsonFault::Syntax { .. } => "syntax",
            JsonFault::DuplicateName { .. } => "duplicate_name",
            JsonFault::NumberNotInteger { .. } => "number_not_integer",
            JsonFault::NumberNegativeZero { .. } => "number_negative_zero",
            JsonFault::NumberOutOfRange { .. } => "number_out_of_range",
            JsonFault::LoneSurrogate { .. } => "lone_surrogate",
            JsonFault::TooDeep { .. } => "too_deep",
            JsonFault::NotCanonical => "not_canonical",
        }
    }
}

/// Parses JSON by the format's rules: no duplicate names, integers within ±(2^53 - 1) and no `-0`, at most
/// [`MAX_DEPTH`] levels and `limit` bytes, UTF-8 without lone surrogates. White space and order are free.
///
/// # Errors
/// The first [`JsonFault`]; never [`JsonFault::NotCanonical`].
pub fn parse(bytes: &[u8], limit: usize) -> Result<Value, JsonFault> {
    parse::parse(bytes, limit, MAX_DEPTH, parse::Numbers::Integers)
}

/// Like [`parse`] with room for `extra` more levels, for a document that wraps a limited one.
pub(crate) fn parse_wrapped(bytes: &[u8], limit: usize, extra: usize) -> Result<Value, JsonFault> {
    parse::parse(bytes, limit, MAX_DEPTH + extra, parse::Numbers::Integers)
}

/// Parses like [`parse`] and requires the bytes to be the canonical form of what they say.
///
/// # Errors
/// The first [`JsonFault`]; [`JsonFault::NotCanonical`] only if there is no other.
pub fn parse_canonical(bytes: &[u8], limit: usize) -> Result<Value, JsonFault> {
    let value = parse(bytes, limit)?;
    if scan::is_canonical(bytes, MAX_DEPTH) { Ok(value) } else { Err(JsonFault::NotCanonical) }
}

/// Checks what [`parse_canonical`] checks without building the value: about ten times as quick.
///
/// # Errors
/// As [`parse_canonical`].
pub fn check_canonical(bytes: &[u8], limit: usize) -> Result<(), JsonFault> {
    if bytes.len() <= limit && std::str::from_utf8(bytes).is_ok() && scan::is_canonical(bytes, MAX_DEPTH) {
        return Ok(());
    }
    parse_canonical(bytes, limit).map(drop)
}

/// Checks foreign JSON (a tool's parameters), which is kept as the received text: at most
/// [`FOREIGN_LIMIT`] bytes and [`MAX_DEPTH`] levels, any numbers, no duplicate names, no lone surrogates.
///
/// # Errors
/// The first [`JsonFault`].
pub fn check_foreign(text: &str) -> Result<(), JsonFault> {
    parse::parse(text.as_bytes(), FOREIGN_LIMIT, MAX_DEPTH, parse::Numbers::Any).map(drop)
}

#[cfg(test)]
mod tests;
