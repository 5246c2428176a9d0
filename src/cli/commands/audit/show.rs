//! `aosctl audit show`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::entry::EntryView;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::workspace::Workspace;

/// One entry, whole: header, payload, signer.
///
/// Says what one entry shows by itself. That nothing is missing, and that its signer had the right, aosctl audit verify
/// proves.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry's number
    #[arg(value_name = "SEQ", value_parser = super::entry_number)]
    seq: u64,
}

/// An entry with the bytes that were signed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    /// The entry, decoded.
    pub entry: EntryView,
    /// The DSSE envelope, exactly as stored.
    pub envelope: String,
    /// Whether form, signature, commitment and the signer's enrolment hold for this entry.
    pub verified: bool,
    /// What does not hold.
    pub problem: Option<String>,
    /// What was erased of it, and what is said of that.
    pub erasures: Vec<ErasureView>,
    /// What operators said beside it, oldest first.
    pub corrections: Vec<CorrectionView>,
    /// The entry that voided it, where it is invalid.
    pub voided_by: Option<u64>,
    /// An erasure that one operator decided alone.
    pub self_approved: bool,
}

/// An erasure of members of the entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErasureView {
    /// The entry that says so.
    pub seq: u64,
    /// When it was signed.
    pub at: String,
    /// Who signed it.
    pub by: String,
    /// What went.
    pub members: Vec<String>,
    /// Entries of the approvals; none where one decided alone.
    pub approvals: Vec<u64>,
    /// Why; absent where that was erased.
    pub reason: Option<String>,
}

/// What an operator said beside an entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CorrectionView {
    /// The entry that says so.
    pub seq: u64,
    /// When it was signed.
    pub at: String,
    /// Who signed it.
    pub by: String,
    /// What is right; absent where that was erased.
    pub note: Option<String>,
}

impl View for Shown {
    const SCHEMA: &'static str = "aosctl.audit-show/v1";

    fn human(&self, screen: &Screen) -> String {
        let e = &self.entry;
        let mut page = String::new();
        let mut field = |name: &str, value: &str| page.push_str(&show::field(screen, name, value));
        field("entry", &e.seq.to_string());
        field("type", &e.kind);
        field("subject", &e.subject);
        field("signed at", &e.at);
        field("signed by", if e.actor == "log" { "log (unattributed: nobody signed)" } else { &e.actor });
        field("key id", &e.key);
        field("leaf hash", &e.leaf);
        match &self.problem {
            None => field("verified", "signature, payload and the signer's enrolment hold"),
            Some(p) => field("NOT VERIFIED", p),
        }
        for (name, value) in e.payload.iter().flatten() {
            let text = match value {
                Value::String(s) => s.clone(),
                other => other.to_string(),
            };
            field(name, &text);
        }
        for name in &e.erased {
            let by = self.erasures.iter().find(|x| x.members.contains(name));
            field(name, &by.map_or_else(|| "(erased)".into(), |x| format!("(erased by entry {})", x.seq)));
        }
        if self.self_approved {
            field("agreed", &format!("{} alone (self-approved)", e.actor));
        }
        for x in &self.erasures {
            let why = x.reason.as_deref().unwrap_or("(erased)");
            let alone = if x.approvals.is_empty() { ", self-approved" } else { "" };
            field("erased", &format!("by entry {}, {}, {}{alone}: {why}", x.seq, x.by, x.at));
        }
        for c in &self.corrections {
            let note = c.note.as_deref().unwrap_or("(erased)");
            field("corrected", &format!("by entry {}, {}, {}: {note}", c.seq, c.by, c.at));
        }
        if let Some(seq) = self.voided_by {
            field("voided", &format!("by entry {seq}: aosctl audit show {seq}"));
        }
        page
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let Some(stored) = ws.store().entry(args.seq)? else {
        return Err(super::no_such_entry(&ws, args.seq));
    };
    let (problem, self_approved) = match ws.event(args.seq) {
        Ok((_, Event::PayloadErased(b))) => (None, b.approvals.is_empty()),
        Ok(_) => (None, false),
        Err(e) => (Some(e.to_string()), false),
    };
    let shown = Shown {
        entry: EntryView::of(&stored),
        envelope: String::from_utf8_lossy(&stored.envelope).into_owned(),
        verified: problem.is_none(),
        problem,
        erasures: erasures(&ws, args.seq)?,
        corrections: corrections(&ws, args.seq)?,
        voided_by: ws.store().tables().invalid(args.seq)?.and_then(|e| e.voided_seq),
        self_approved,
    };
    let exit = if shown.verified { Exit::Done } else { Exit::Integrity };
    Ok(Outcome::of(exit, shown).paged())
}

/// Out of the entries that say so: what the tables name is only where they are looked for.
fn erasures(ws: &Workspace, seq: u64) -> Result<Vec<ErasureView>, CliError> {
    let by: BTreeSet<u64> = ws.store().erasures_of(seq)?.into_values().collect();
    let mut found = Vec::new();
    for by in by {
        if let (entry, Event::PayloadErased(b)) = ws.event(by)?
            && b.seq == seq
        {
            found.push(ErasureView {
                seq: by,
                at: entry.at.to_string(),
                by: entry.actor.to_string(),
                members: b.members.into_iter().collect(),
                approvals: b.approvals.into_iter().collect(),
                reason: b.reason,
            });
        }
    }
    Ok(found)
}

fn corrections(ws: &Workspace, seq: u64) -> Result<Vec<CorrectionView>, CliError> {
    let mut found = Vec::new();
    for by in ws.store().corrections_of(seq)? {
        if let (entry, Event::EntryCorrected(b)) = ws.event(by)?
            && b.seq == seq
        {
            found.push(CorrectionView { seq: by, at: entry.at.to_string(), by: entry.actor.to_string(), note: b.note });
        }
    }
    Ok(found)
}
