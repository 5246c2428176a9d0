//! What `audit prove` says of what it made.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::outcome::{Screen, View};
use crate::cli::show;
use crate::log::envelope::Envelope;

/// A proof that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProveView {
    /// The log's name.
    pub log: String,
    /// How many entries the (newer) checkpoint covers.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// The entry, for a receipt.
    pub entry: Option<ProvedEntry>,
    /// How many entries the older checkpoint covers, for a consistency proof.
    pub older_entries: Option<u64>,
    /// Members of the payload that are opened.
    pub opened: Vec<String>,
    /// Members that stay closed, erased ones among them.
    pub closed: Vec<String>,
    /// The files that were written.
    pub files: Vec<String>,
    /// The proof's text, where no file was named.
    pub proof: Option<String>,
    /// The payload file's text, where no file was named.
    pub payload: Option<String>,
}

/// What the signed header of an entry says.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProvedEntry {
    /// Its place.
    pub seq: u64,
    /// When it was signed, as its signer said.
    pub at: String,
    /// Who signed: an operator, an agent, or `log` where nobody did.
    pub actor: String,
    /// The event's type and version.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// Key id of the signer, hex.
    pub key: String,
    /// Leaf hash, hex.
    pub leaf: String,
}

impl ProvedEntry {
    /// From the signed header.
    pub(super) fn of(envelope: &Envelope) -> ProvedEntry {
        let h = &envelope.header;
        ProvedEntry {
            seq: h.seq,
            at: h.at.clone(),
            actor: h.actor.clone(),
            kind: h.kind.clone(),
            subject: h.subject.clone(),
            key: h.key.to_hex(),
            leaf: envelope.leaf_hash().to_hex(),
        }
    }

    /// Who, what, when: a line each.
    pub(super) fn page(&self, screen: &Screen) -> String {
        let mut page = show::field(screen, "entry", &self.seq.to_string());
        let who = if self.actor == "log" { "log (unattributed: nobody signed)" } else { &self.actor };
        for (name, value) in [("type", self.kind.as_str()), ("about", &self.subject), ("signed by", who)] {
            if !value.is_empty() {
                page.push_str(&show::field(screen, name, value));
            }
        }
        page.push_str(&show::field(screen, "signed at", &self.at));
        page
    }
}

impl View for ProveView {
    const SCHEMA: &'static str = "aosctl.audit-prove/v1";

    fn human(&self, screen: &Screen) -> String {
        if let Some(proof) = &self.proof {
            return proof.clone();
        }
        let mut page = self.entry.as_ref().map(|entry| entry.page(screen)).unwrap_or_default();
        if let Some(older) = self.older_entries {
            page.push_str(&show::field(screen, "from", &format!("a checkpoint of {older} entries")));
        }
        page.push_str(&show::field(screen, "checkpoint", &format!("{} entries", self.entries)));
        for (name, members) in [("opened", &self.opened), ("closed", &self.closed)] {
            if !members.is_empty() {
                page.push_str(&show::field(screen, name, &members.join(", ")));
            }
        }
        for file in &self.files {
            page.push_str(&show::field(screen, "file", file));
        }
        page
    }
}
