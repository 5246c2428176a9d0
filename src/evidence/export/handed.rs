//! The list of what was handed out: `exports.jsonl` in the state directory, an export a line, newest last. It proves
//! nothing and is no part of the log; an erasure reads it to say what is beyond its reach.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::archive::ExportError;
use super::{Export, Payloads, is_of_type};
use crate::domain::time::Time;
use crate::sys::lock::Lock;
use crate::sys::{SysError, files};
use crate::workspace::Workspace;

const FILE: &str = "exports.jsonl";
const LOCK: &str = "exports.lock";
/// Exports that are remembered one by one. Beyond, the oldest become a number.
const MOST: usize = 5_000;
/// No line is longer than some hundred bytes, but for the types that somebody chose.
const MOST_BYTES: usize = 16 * 1_048_576;
/// How long to wait for others that list theirs.
const WAIT: Duration = Duration::from_secs(12);

/// Something that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOut {
    /// When, RFC 3339; empty for what is not known one by one.
    pub at: String,
    /// SHA-256 of its checkpoint file, hex; absent where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The name of the file or directory, without those above it; `-` for a stream.
    pub file: String,
    /// `directory`, `tar` or `zip`; `list` where lines of this list were given up or cannot be read.
    pub form: String,
    /// Payloads in it: `none`, `all`, `some`, or `unknown`.
    pub payloads: String,
    /// How many.
    pub payload_count: u64,
    /// The first and the last entry whose payload it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_range: Option<(u64, u64)>,
    /// The types that were chosen; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Entries in it: from 0 to before this number.
    pub size: u64,
}

impl HandedOut {
    /// What an export is listed as.
    pub(super) fn of(export: &Export<'_>, now: Time, form: &str, path: Option<&Path>) -> HandedOut {
        let survey = export.survey();
        let wanted = export.wanted();
        let (payloads, types) = match &wanted.payloads {
            Payloads::None => ("none", Vec::new()),
            Payloads::All if wanted.since.is_none() => ("all", Vec::new()),
            Payloads::All => ("some", Vec::new()),
            Payloads::Types(types) => ("some", types.iter().cloned().collect()),
        };
        let name = path.and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned()));
        HandedOut {
            at: now.to_string(),
            checkpoint: export.checkpoint().map(str::to_string),
            file: name.unwrap_or_else(|| "-".into()),
            form: form.into(),
            payloads: payloads.into(),
            payload_count: survey.payloads.out,
            payload_range: survey.payloads.range,
            types,
            size: survey.size,
        }
    }

    /// Several that are not known one by one.
    fn unknown(count: u64, size: u64) -> HandedOut {
        HandedOut {
            at: String::new(),
            checkpoint: None,
            file: format!("{count} older or unreadable lines of the list"),
            form: "list".into(),
            payloads: "unknown".into(),
            payload_count: count,
            payload_range: None,
            types: Vec::new(),
            size,
        }
    }

    /// May it hold the payload of that entry? What is not known may.
    pub fn may_hold(&self, seq: u64, kind: &str) -> bool {
        match self.payloads.as_str() {
            "none" => false,
            "unknown" => true,
            _ => {
                self.payload_range.is_some_and(|(first, last)| (first..=last).contains(&seq))
                    && (self.types.is_empty() || self.types.iter().any(|t| is_of_type(kind, t)))
            }
        }
    }
}

/// What was handed out from this state directory, oldest first. What the list does not say any more, or in a form that is
/// not known, is one element that may hold everything; a list that is missing is empty.
pub fn handed_out(workspace: &Workspace) -> Vec<HandedOut> {
    match read(&workspace.state_dir().join(FILE)) {
        Ok(list) => list,
        Err(_) => vec![HandedOut::unknown(1, u64::MAX)],
    }
}

fn read(path: &Path) -> Result<Vec<HandedOut>, SysError> {
    let bytes = match files::read_limited_kept(path, MOST_BYTES) {
        Err(e) if e.is_not_found() => return Ok(Vec::new()),
        read => read?,
    };
    let mut unreadable = 0;
    let mut list = Vec::new();
    for line in bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice::<HandedOut>(line) {
            Ok(h) if h.form == "list" => unreadable += h.payload_count,
            Ok(h) => list.push(h),
            Err(_) => unreadable += 1,
        }
    }
    if unreadable > 0 {
        list.insert(0, HandedOut::unknown(unreadable, u64::MAX));
    }
    Ok(list)
}

/// Adds one to the list. Returns when it is on disk.
pub(super) fn note(workspace: &Workspace, new: &HandedOut) -> Result<(), ExportError> {
    let dir = workspace.state_dir();
    let lock = dir.join(LOCK);
    let Some(_lock) = Lock::wait(&lock, WAIT)? else {
        let source = std::io::Error::from(std::io::ErrorKind::TimedOut);
        return Err(SysError::Io { action: "take the lock", path: lock, source }.into());
    };
    let path = dir.join(FILE);
    let mut list = read(&path)?;
    list.push(new.clone());
    if list.len() > MOST {
        let old: Vec<HandedOut> = list.drain(..list.len() - MOST).collect();
        let count = old.iter().map(|h| if h.form == "list" { h.payload_count } else { 1 }).sum();
        list.insert(0, HandedOut::unknown(count, old.iter().map(|h| h.size).max().unwrap_or(0)));
    }
    let mut text = Vec::new();
    for h in &list {
        serde_json::to_writer(&mut text, h).map_err(|e| ExportError::write(FILE)(e.into()))?;
        text.push(b'\n');
    }
    Ok(files::write_private_atomic(&path, &text)?)
}
