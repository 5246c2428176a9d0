//! Writing the canonical form.

use serde_json::Value;

use super::scan::utf16_order;
use super::{JsonFault, MAX_DEPTH, MAX_INTEGER};

/// The canonical form (RFC 8785): members in the order of their names' UTF-16 units, no white space,
/// the shortest escapes.
///
/// # Errors
/// [`JsonFault::NumberNotInteger`] for floats, [`JsonFault::NumberOutOfRange`] beyond ±(2^53 - 1),
/// [`JsonFault::TooDeep`] beyond [`MAX_DEPTH`] levels: what [`super::parse`] would refuse to read back.
pub fn to_vec(value: &Value) -> Result<Vec<u8>, JsonFault> {
    let mut out = Vec::with_capacity(256);
    write_within(&mut out, value, MAX_DEPTH)?;
    Ok(out)
}

/// As [`to_vec`], behind what `out` already holds, with room for `levels` open arrays and objects.
pub(crate) fn write_within(out: &mut Vec<u8>, value: &Value, levels: usize) -> Result<(), JsonFault> {
    let below = || levels.checked_sub(1).ok_or(JsonFault::TooDeep { at: 0 });
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::String(text) => push_string(out, text),
        Value::Number(number) => {
            let integer = match (number.as_i64(), number.is_u64()) {
                (Some(integer), _) => integer,
                (None, true) => return Err(JsonFault::NumberOutOfRange { at: 0 }),
                (None, false) => return Err(JsonFault::NumberNotInteger { at: 0 }),
            };
            if integer.unsigned_abs() > MAX_INTEGER.unsigned_abs() {
                return Err(JsonFault::NumberOutOfRange { at: 0 });
            }
            out.extend_from_slice(integer.to_string().as_bytes());
        }
        Value::Array(items) => {
            let levels = below()?;
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_within(out, item, levels)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let levels = below()?;
            // The map's own order is that of bytes, which differs beyond U+D7FF, and it would be that of
            // insertion if any crate turned serde_json's `preserve_order` on.
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by(|(a, _), (b, _)| utf16_order(a.as_bytes(), b.as_bytes()));
            out.push(b'{');
            for (index, (name, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_string(out, name);
                out.push(b':');
                write_within(out, item, levels)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// Writes `text` as a canonical JSON string, quotes included.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
