//! Where else the text stands: in the reason given for erasing it, in other entries, and in what was handed out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::log::canonical;
use crate::sys::files;
use crate::workspace::{Workspace, WorkspaceError};

/// A shorter text is everywhere.
const SHORT: usize = 8;
/// A shorter text is looked for as a word of its own.
const WORD: usize = 4;
/// The most entries that are named.
const NAMED: usize = 20;
/// The longest list of what was handed out that is read.
const LIST_LIMIT: usize = 16 << 20;

/// Something that left this workspace and holds the payload: no erasure reaches it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct HandedOut {
    /// `export`, `backup`, or `unfinished restore`: what one that was cut off left beside the workspace.
    pub kind: &'static str,
    /// When, as told.
    pub at: String,
    /// Where it was written.
    pub file: String,
    /// It holds the entries before this one; absent where nobody wrote that down.
    pub size: Option<u64>,
}

/// A line of `exports.jsonl` or `backups.jsonl`, as far as it matters here.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    at: String,
    #[serde(default)]
    file: String,
    /// Absent: nobody knows, so it may hold everything.
    size: Option<u64>,
    /// `none`, `all` or `some`.
    payloads: Option<Value>,
    /// The first and the last entry whose payload it holds.
    payload_range: Option<(u64, u64)>,
    /// The types that were chosen; empty for all.
    #[serde(default)]
    types: Vec<String>,
}

impl Line {
    /// May it hold the payload of that entry? Where nobody wrote it down, it may.
    fn may_hold(&self, seq: u64, kind: &str) -> bool {
        self.size.is_none_or(|size| seq < size)
            && !matches!(&self.payloads, Some(Value::String(p)) if p == "none")
            && self.payload_range.is_none_or(|(first, last)| (first..=last).contains(&seq))
            && (self.types.is_empty() || self.types.iter().any(|t| kind == t || kind.split('/').next() == Some(t)))
    }
}

impl Workspace {
    /// What was handed out and holds the payload of an entry, as far as aosctl wrote it down.
    /// A list that cannot be read is itself listed, because it may name anything.
    pub fn handed_out(&self, seq: u64, entry_type: &str) -> Vec<HandedOut> {
        let mut found = self.left_by_restore(seq);
        for (kind, name) in [("export", "exports.jsonl"), ("backup", "backups.jsonl")] {
            let path = self.state_dir().join(name);
            let unreadable =
                |what: &str| HandedOut { kind, at: String::new(), file: format!("{what} {name}"), size: None };
            let bytes = match files::read_limited_kept(&path, LIST_LIMIT) {
                Ok(bytes) => bytes,
                Err(_) if !path.exists() => continue,
                Err(_) => {
                    found.push(unreadable("unknown: nobody can read"));
                    continue;
                }
            };
            let mut lost = false;
            for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice::<Line>(line) {
                    Ok(line) if line.may_hold(seq, entry_type) => {
                        found.push(HandedOut { kind, at: line.at, file: line.file, size: line.size });
                    }
                    Ok(_) => {}
                    Err(_) => lost = true,
                }
            }
            if lost {
                found.push(unreadable("unknown: nobody can read some lines of"));
            }
        }
        found
    }
}

/// Every text in a value; of JSON that is kept as text (a tool's parameters), every text in that, too.
pub(super) fn texts<'v>(value: &'v Value, found: &mut Vec<std::borrow::Cow<'v, str>>) {
    match value {
        Value::String(s) => {
            found.push(s.as_str().into());
            if s.starts_with(['{', '['])
                && let Ok(inner) = serde_json::from_str::<Value>(s)
            {
                let mut within = Vec::new();
                texts(&inner, &mut within);
                found.extend(within.into_iter().map(|t| t.into_owned().into()));
            }
        }
        Value::Array(a) => a.iter().for_each(|v| texts(v, found)),
        Value::Object(o) => o.values().for_each(|v| texts(v, found)),
        _ => {}
    }
}

/// The member whose text a reason repeats, in whatever case. Erasing it there would leave it here.
pub fn repeats<'m>(reason: &str, members: &'m BTreeMap<String, Value>) -> Option<&'m str> {
    let reason = reason.to_lowercase();
    let words: Vec<&str> = reason.split(|c: char| !c.is_alphanumeric()).collect();
    members.iter().find_map(|(name, value)| {
        let mut found = Vec::new();
        texts(value, &mut found);
        let said = |text: &str| {
            let text = text.trim().to_lowercase();
            !text.is_empty()
                && if text.chars().count() < WORD { words.contains(&text.as_str()) } else { reason.contains(&text) }
        };
        found.iter().any(|t| said(t)).then_some(name.as_str())
    })
}

/// Entries that hold the text of a member, too: at most twenty, in order. A short text is not looked for.
///
/// # Errors
/// What reading gives.
pub fn stands_also_in(ws: &Workspace, seq: u64, members: &BTreeMap<String, Value>) -> Result<Vec<u64>, WorkspaceError> {
    let mut found = std::collections::BTreeSet::new();
    for value in members.values() {
        let bytes = canonical::to_vec(value).map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
        // A text may be part of another one, so it is looked for without its quotation marks.
        let bytes = bytes.strip_prefix(b"\"").and_then(|b| b.strip_suffix(b"\"")).unwrap_or(&bytes);
        if bytes.len() >= SHORT {
            found.extend(ws.store().payloads_with(bytes, NAMED + 1)?);
        }
    }
    found.remove(&seq);
    Ok(found.into_iter().take(NAMED).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: Value) -> BTreeMap<String, Value> {
        BTreeMap::from([("reason".to_string(), value)])
    }

    #[test]
    fn a_reason_that_repeats_the_text_is_found() {
        let whole = members(json!("Ana Alvarez, born 1984"));
        assert_eq!(repeats("erase: ANA ALVAREZ, born 1984 asked for it", &whole), Some("reason"));
        assert_eq!(repeats("GDPR request 7", &whole), None);
        let nested = members(json!("{\"to\":[\"ana@example.com\"],\"n\":3}"));
        assert_eq!(repeats("the address ana@example.com must go", &nested), Some("reason"));
        assert_eq!(repeats("an address must go", &nested), None);
        let list = members(json!(["wait", {"x": "Bertha"}]));
        assert_eq!(repeats("about bertha", &list), Some("reason"));
        // A short text is a word, or it could never be erased at all.
        let short = members(json!("no"));
        assert_eq!(repeats("nobody may know", &short), None);
        assert_eq!(repeats("it said: no.", &short), Some("reason"));
        for nothing in [json!(""), json!("  "), json!(7), json!(null)] {
            assert_eq!(repeats("7 anything", &members(nothing)), None);
        }
    }
}
