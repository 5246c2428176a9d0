//! One entry of the log as people and scripts read it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::show;
use crate::cli::text;
use crate::domain::time::Time;
use crate::log::verify::{SeenPayload, inspect};
use crate::store::Stored;

/// The name of what `audit log --json` prints, a line an entry.
pub const ENTRY_SCHEMA: &str = "aosctl.audit-entry/v1";

/// An entry, decoded. Its texts are whatever their author wrote.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EntryView {
    /// Always `aosctl.audit-entry/v1`.
    pub schema: &'static str,
    /// Its place in the log.
    pub seq: u64,
    /// When it was signed.
    pub at: String,
    /// Who signed: an operator, an agent, or `log` where nobody did.
    pub actor: String,
    /// The event's type and version.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// Leaf hash, hex.
    pub leaf: String,
    /// Key id of the signer, hex.
    pub key: String,
    /// The signed header, as stored.
    pub header: Option<Value>,
    /// The payload's body; absent where it cannot be read.
    pub payload: Option<Map<String, Value>>,
    /// Members of the body that were erased.
    pub erased: Vec<String>,
    /// An operator said beside it what is right: aosctl audit show.
    pub corrected: bool,
    /// What is wrong with it, as far as one entry shows by itself. Only `audit verify` proves.
    pub fault: Option<String>,
}

impl EntryView {
    /// Decodes a stored entry. Never fails: what cannot be read is said in `fault`.
    pub fn of(stored: &Stored) -> EntryView {
        let seen = inspect(&stored.envelope, stored.record.as_deref());
        let body = match (&seen.payload, &stored.record) {
            (SeenPayload::Read { body: Some(range), .. }, Some(record)) => {
                record.get(range.clone()).and_then(|b| serde_json::from_slice(b).ok())
            }
            _ => None,
        };
        let fault = match (seen.form_fault(), seen.commitment_holds()) {
            (Some(f), _) => Some(f.to_string()),
            (None, false) => Some("its payload is missing or is not the one that was signed for".into()),
            (None, true) => None,
        };
        let header = seen.header();
        let text = |f: fn(&crate::log::header::Header) -> &str| header.map(f).unwrap_or_default().to_string();
        EntryView {
            schema: ENTRY_SCHEMA,
            seq: stored.seq,
            at: text(|h| &h.at),
            actor: text(|h| &h.actor),
            kind: text(|h| &h.kind),
            subject: text(|h| &h.subject),
            leaf: seen.leaf().to_hex(),
            key: header.map(|h| h.key.to_hex()).unwrap_or_default(),
            header: header.and_then(|h| serde_json::from_slice(&h.to_jcs()).ok()),
            payload: body,
            erased: seen.payload.erased().to_vec(),
            corrected: false,
            fault,
        }
    }

    /// When, for comparing.
    pub fn time(&self) -> Option<Time> {
        self.at.parse().ok()
    }

    /// One line of the list: place, time, signer, type, subject, and what matters of the body.
    pub fn line(&self, width: usize) -> String {
        let at = self.time().map_or_else(|| "unreadable".into(), show::minute);
        let head = format!(
            "{:>6}  {:<20}  {:<6} {:<21} {:<6} ",
            self.seq,
            at.trim_end_matches(" UTC"),
            self.actor,
            self.kind,
            self.subject
        );
        let gist = match &self.fault {
            Some(f) => format!("! {f}"),
            None => self.gist(),
        };
        let mark = if self.corrected { "(corrected) " } else { "" };
        let gist = format!("{mark}{gist}");
        let room = width.saturating_sub(text::width(&head));
        format!("{head}{}", text::truncate(&text::safe(&gist), room)).trim_end().to_string()
    }

    /// The members that say most, in a few words.
    fn gist(&self) -> String {
        let Some(body) = &self.payload else {
            return String::new();
        };
        let of = |name: &str| match body.get(name) {
            Some(Value::String(s)) => Some(s.clone()),
            Some(Value::Array(a)) => Some(a.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
            Some(Value::Number(n)) => Some(n.to_string()),
            _ => None,
        };
        [
            "decision", "outcome", "handle", "access", "scope", "action", "target", "mode", "company", "name",
            "members", "reason",
        ]
        .into_iter()
        .filter_map(of)
        .filter(|s| !s.is_empty())
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
    }
}
