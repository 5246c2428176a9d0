//! A TOML text that remembers where things stand, so that every fault has a line and a column.

use serde::de::DeserializeOwned;
use toml::de::{DeArray, DeTable, DeValue};

use super::error::PolicyError;

/// The longest policy or catalogue file, in bytes. The built-in ones have at most 12,000.
pub const MAX_TEXT: usize = 262_144;

/// A fault of meaning: where (names and indices from the root) and what.
#[derive(Debug)]
pub(super) struct Fault {
    path: Vec<String>,
    message: String,
}

impl Fault {
    /// A fault at a dotted path: `cap.move`, `action.2.points.0`.
    pub(super) fn new(path: impl AsRef<str>, message: impl Into<String>) -> Fault {
        Fault { path: path.as_ref().split('.').map(str::to_owned).collect(), message: message.into() }
    }
}

/// A parsed text with its name.
pub(super) struct Source<'t> {
    text: &'t str,
    file: &'t str,
    table: DeTable<'t>,
}

impl<'t> Source<'t> {
    /// Reads the syntax.
    pub(super) fn new(text: &'t str, file: &'t str) -> Result<Source<'t>, PolicyError> {
        if text.len() > MAX_TEXT {
            return Err(PolicyError::TooLong { file: file.into(), bytes: text.len(), limit: MAX_TEXT });
        }
        match DeTable::parse(text) {
            Ok(table) => Ok(Source { text, file, table: table.into_inner() }),
            Err(e) => Err(from_toml(text, file, &e)),
        }
    }

    /// Reads the shape.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, PolicyError> {
        toml::from_str(self.text).map_err(|e| from_toml(self.text, self.file, &e))
    }

    /// Places a fault.
    pub(super) fn fault(&self, fault: Fault) -> PolicyError {
        at(self.text, self.file, self.offset(&fault.path), &fault.message)
    }

    /// Does the text state that member?
    pub(super) fn states(&self, path: &str) -> bool {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        self.find(&path).1
    }

    /// Where a member's value begins; where it is missing, where the innermost table around it begins.
    fn offset(&self, path: &[String]) -> usize {
        self.find(path).0
    }

    fn find(&self, path: &[String]) -> (usize, bool) {
        let mut offset = 0;
        let mut table = Some(&self.table);
        let mut array: Option<&DeArray> = None;
        for step in path {
            let found = match (table, array) {
                (Some(t), _) => t.iter().find(|(k, _)| k.get_ref() == step).map(|(_, v)| v),
                (None, Some(a)) => step.parse::<usize>().ok().and_then(|i| a.get(i)),
                (None, None) => None,
            };
            let Some(found) = found else {
                return (offset, false);
            };
            offset = found.span().start;
            (table, array) = match found.get_ref() {
                DeValue::Table(t) => (Some(t), None),
                DeValue::Array(a) => (None, Some(a)),
                _ => (None, None),
            };
        }
        (offset, true)
    }
}

fn from_toml(text: &str, file: &str, e: &toml::de::Error) -> PolicyError {
    at(text, file, e.span().map_or(0, |s| s.start), &reworded(e.message()))
}

/// The library's words in ours: a TOML table has members, and what was read stands in quotes.
fn reworded(message: &str) -> String {
    for (theirs, ours) in [
        ("unknown field `", "unknown member"),
        ("missing field `", "missing member"),
        ("unknown variant `", "unknown value"),
    ] {
        let Some(rest) = message.strip_prefix(theirs) else {
            continue;
        };
        return match rest.split_once("`, ") {
            Some((name, expected)) => format!("{ours} {name:?} ({})", expected.replace('`', "")),
            None => format!("{ours} {:?}", rest.trim_end_matches('`')),
        };
    }
    message.to_owned()
}

fn at(text: &str, file: &str, offset: usize, message: &str) -> PolicyError {
    // An offset inside a character, which a parser of bytes may name, is moved to the character's start.
    let before = (0..=offset).rev().find_map(|i| text.get(..i)).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let column = before.get(line_start..).map_or(0, |l| l.chars().count()) + 1;
    let message = message.chars().fold(String::new(), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
        out
    });
    PolicyError::At { file: file.into(), line: before.matches('\n').count() + 1, column, message }
}
