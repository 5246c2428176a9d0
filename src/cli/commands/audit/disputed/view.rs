//! What is disputed, as data and as a page.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::outcome::{Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::facts::InvalidEntry;
use crate::domain::id::Id;

/// Everything that is disputed, and every entry that was invalid.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditDisputedView {
    /// Identities whose entries are disputed: those that were retired so, then those that they enrolled.
    pub identities: Vec<DisputedIdentity>,
    /// Entries without authority that the tables list.
    pub invalid: Vec<InvalidRow>,
}

/// An identity whose entries are disputed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DisputedIdentity {
    /// Which.
    pub id: Id,
    /// Its name. Foreign text.
    pub name: Option<String>,
    /// Its entries from this one on.
    pub from: u64,
    /// It was enrolled by this one, which is disputed; absent where it was retired with --as-of.
    pub through: Option<Id>,
    /// What it signed, oldest first.
    pub entries: Vec<DisputedEntry>,
}

/// A disputed entry, and what depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DisputedEntry {
    /// Its place in the log.
    pub seq: u64,
    /// When it was signed.
    pub at: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What follows from it.
    pub effect: String,
    /// What happened by it, and cannot be revoked.
    pub happened: Vec<String>,
    /// What became of it, where nothing is left to be revoked.
    pub settled: Option<String>,
    /// What revokes it.
    pub line: Option<String>,
}

impl DisputedEntry {
    /// Something is still to be typed.
    pub fn is_open(&self) -> bool {
        self.line.is_some() && self.settled.is_none()
    }
}

/// An entry without authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvalidRow {
    /// Its place in the log.
    pub seq: u64,
    /// Its signer.
    pub actor: String,
    /// What it is about.
    pub subject: Option<Id>,
    /// What was wrong, in a stable word.
    pub fault: String,
    /// It may be voided.
    pub voidable: bool,
    /// The entry that voided it.
    pub voided_by: Option<u64>,
}

impl From<InvalidEntry> for InvalidRow {
    fn from(e: InvalidEntry) -> InvalidRow {
        InvalidRow {
            seq: e.seq,
            actor: e.actor.to_string(),
            subject: e.subject,
            fault: e.fault,
            voidable: e.voidable,
            voided_by: e.voided_seq,
        }
    }
}

/// The list, for a page.
pub fn list(identities: &[DisputedIdentity], screen: &Screen) -> String {
    let mut page = String::new();
    for i in identities {
        let name = i.name.as_ref().map(|n| format!(" ({})", safe(n))).unwrap_or_default();
        let why = i.through.map(|t| format!(", enrolled by {t}")).unwrap_or_default();
        let head = format!("{}{name}{why}: disputed from entry {} on", i.id, i.from);
        page.push_str(&show::field(screen, "identity", &head));
        if i.entries.is_empty() {
            page.push_str(&show::field(screen, "", "it signed nothing from there on"));
        }
        for e in &i.entries {
            let kind = e.kind.split('/').next().unwrap_or_default();
            let what = format!("{kind} {}: {}", e.subject, e.effect);
            page.push_str(&show::field(screen, &format!("  {}", e.seq), &what));
            for h in &e.happened {
                page.push_str(&show::field(screen, "    happened", h));
            }
            match (&e.settled, &e.line) {
                (Some(done), _) => page.push_str(&show::field(screen, "    done", done)),
                (None, Some(line)) => page.push_str(&show::field(screen, "    type", line)),
                (None, None) => {}
            }
        }
    }
    page
}

impl View for AuditDisputedView {
    const SCHEMA: &'static str = "aosctl.audit-disputed/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut page = list(&self.identities, screen);
        if self.identities.is_empty() {
            page.push_str("nothing is disputed\n");
        }
        for e in &self.invalid {
            let about = e.subject.map(|s| format!(" about {s}")).unwrap_or_default();
            let what = match (e.voided_by, e.voidable) {
                (Some(by), _) => format!("voided by entry {by}"),
                (None, true) => format!("type: aosctl audit void {} --reason TEXT", e.seq),
                (None, false) => "can never be voided".into(),
            };
            let text = format!("entry {} by {}{about}: {}; {what}", e.seq, e.actor, safe(&e.fault));
            page.push_str(&show::field(screen, "invalid", &text));
        }
        page
    }
}
