//! `aosctl key show`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{KeyRow, LastUse, Rows};
use crate::cli::Context;
use crate::cli::commands::grant::view::{GrantRow, GrantState, Named, Names, SignedBy};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe_block;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::{Key, KeyFacts, StepOutcome};
use crate::domain::time::Time;
use crate::inventory::plan::deltas;
use crate::workspace::{Said, Workspace};

/// One key: all that is known of it, and everything that was said about it. Never its secret.
///
/// Examples:
///
///   aosctl key show k-3
///
///   aosctl key show ci-token --json
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: String,
}

/// One key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyShowView {
    /// The key.
    pub key: KeyRow,
    /// Every grant that carries it, closed ones too.
    pub carried_by: Vec<GrantRow>,
    /// Every entry about it, oldest first.
    pub history: Vec<KeyEvent>,
    /// As of when.
    pub at: Time,
}

/// One entry about a key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyEvent {
    /// Its place in the log.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Its type, as `key.added/1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says, in words. Foreign text.
    pub what: String,
    /// Who signed it.
    pub signed_by: SignedBy,
    /// Why, or what was noted, as told; absent where nothing was, or where it was erased. Foreign text.
    pub note: Option<String>,
    /// It has authority; one without changes nothing.
    pub counts: bool,
}

impl View for KeyShowView {
    const SCHEMA: &'static str = "aosctl.key/v1";

    fn human(&self, screen: &Screen) -> String {
        let k = &self.key;
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let dated = |t: Time| format!("{} ({})", show::minute(t), show::relative(t, self.at));
        let maybe = |t: Option<Time>, none: &str| t.map_or_else(|| none.to_string(), dated);
        field("key", &format!("{} ({}), {}", k.name, k.id, k.kind));
        let state = match (k.leak_next, k.retired_at) {
            (Some(step), _) => format!("LEAKED and open; next: {} (aosctl key leaked {})", step.as_str(), k.id),
            (None, Some(at)) => format!("retired {}", dated(at)),
            _ if !k.active => format!("{}: the provider does not accept it", k.state.as_str()),
            _ => k.state.as_str().into(),
        };
        field("state", &state);
        let scope = k.scope.as_ref().map(|s| format!(", {s}")).unwrap_or_default();
        let opens = k.opens.as_ref().map_or_else(|| "not told".into(), |o| format!("{} ({})", o.short(), o.id));
        field("opens", &format!("{opens}{scope}"));
        field("owner", &k.owner.as_ref().map_or_else(|| "nobody answers for it".into(), Named::long));
        field("secret", &k.place.long());
        field("provider id", k.provider_id.as_deref().unwrap_or("not told"));
        let end = k.last4.as_ref().map_or_else(|| "not told".into(), |l| format!("...{l}"));
        let print = k.fingerprint.as_deref().map(|f| format!(", fingerprint {}", show::fingerprint(f)));
        field("last four", &format!("{end}{}", print.unwrap_or_default()));
        field("made", &maybe(k.created, "not told"));
        field("turned over", &maybe(k.rotated, "never, as far as anybody told"));
        field("last used", &LastUse::long(k.last_use.as_ref(), self.at));
        field("ends", &maybe(k.expires, "the provider sets no end, as far as anybody told"));
        if k.person {
            field("person", "a person uses it too, or holds a password beside it");
        }
        if let Some(r) = k.rotation.as_ref().filter(|_| k.retired_at.is_none()) {
            let whose = if r.own { "its own schedule" } else { "the policy's schedule" };
            let by = r.owner.as_ref().map(|o| format!(", by {}", o.long())).unwrap_or_default();
            let unknown = if k.turned.is_none() { ": nobody knows how old it is" } else { "" };
            field("due", &format!("{}{unknown}; every {} ({whose}){by}", dated(r.due), r.every));
        }
        let source = k.source.as_ref().map_or_else(|| "typed".into(), |s| format!("from {s}"));
        field("added", &format!("{}, {source}", show::minute(k.added_at)));
        for (i, g) in self.carried_by.iter().enumerate() {
            field(if i == 0 { "carried by" } else { "" }, &format!("{} ({}): {}", g.id, g.state.as_str(), g.gist()));
        }
        out.push_str(&format!("\n{}\n", screen.style.bold("What was said about it:")));
        for e in &self.history {
            let note = e.note.as_ref().map(|n| format!(": {n}")).unwrap_or_default();
            let void = if e.counts { "" } else { " (without authority: it changes nothing)" };
            let text = format!("{} {}; by {}{note}{void}", e.seq, e.what, e.signed_by.long());
            let margin = format!("  {}  ", show::minute(e.at));
            let block = safe_block(&text, &" ".repeat(margin.len()), screen.width, usize::MAX);
            for (i, line) in block.lines.iter().enumerate() {
                let line = if i == 0 { format!("{margin}{}", line.trim_start()) } else { line.clone() };
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let key = super::find(&ws, &args.key)?;
    let terms = ws.facts().policy()?.map(|p| p.rules.rotation.clone());
    let mut rows = Rows { ws: &ws, names: Names::new(&ws)?, terms, now };
    let mut carried_by = Vec::new();
    for grant in carrying(&ws, key.id)? {
        carried_by.push(rows.names.grant(&grant, now)?);
    }
    let live = carried_by.iter().filter(|g| g.state == GrantState::Live).map(|g| g.id).collect();
    let row = rows.row(&key, live)?;
    let mut history = Vec::new();
    let mut before: Option<KeyFacts> = None;
    for said in ws.said_about(key.id)? {
        history.push(entry(&said, &mut before, &mut rows.names)?);
    }
    let hint = row.leak_next.is_none() && row.retired_at.is_none();
    let turn = format!("After turning it over by hand: aosctl rotation record {}", row.id);
    let out = Outcome::of(Exit::Done, KeyShowView { key: row, carried_by, history, at: now }).paged();
    Ok(if hint { out.note(turn) } else { out })
}

/// The grants that carry a key, each verified.
pub(super) fn carrying(ws: &Workspace, key: Id) -> Result<Vec<std::rc::Rc<crate::domain::grant::Grant>>, CliError> {
    let facts = ws.facts();
    let mut found = Vec::new();
    for row in ws.store().grants_carrying(key)? {
        found.extend(facts.grant(row.id)?.filter(|g| g.carries.as_ref().is_some_and(|c| c.key == key)));
    }
    Ok(found)
}

/// Those of them that are live.
pub(super) fn live_carrying(
    ws: &Workspace,
    key: &Key,
    now: Time,
) -> Result<Vec<std::rc::Rc<crate::domain::grant::Grant>>, CliError> {
    Ok(carrying(ws, key.id)?.into_iter().filter(|g| g.is_live(now)).collect())
}

pub(super) fn entry(said: &Said, before: &mut Option<KeyFacts>, names: &mut Names<'_>) -> Result<KeyEvent, CliError> {
    let (what, note) = match &said.event {
        Event::KeyAdded(b) => {
            *before = Some(b.facts.clone());
            (format!("added as {}", b.facts.name), b.note.clone())
        }
        Event::KeyChanged(b) => {
            let changes = before.as_ref().map(|old| deltas(old, &b.facts)).unwrap_or_default();
            let words = changes.iter().map(|d| d.words()).collect::<Vec<_>>().join("; ");
            *before = Some(b.facts.clone());
            (format!("changed: {}", if words.is_empty() { "nothing" } else { &words }), b.reason.clone())
        }
        Event::KeyRetired(b) => ("retired".into(), b.reason.clone()),
        Event::KeyLeaked(b) => ("leaked".into(), b.reason.clone()),
        Event::KeyStep(b) => {
            let outcome = match b.outcome {
                StepOutcome::Done => "done",
                StepOutcome::NotNeeded => "not needed",
                StepOutcome::NotProven => "NOT PROVEN",
                StepOutcome::Failed => "FAILED",
            };
            (format!("leak, {}: {outcome}", b.step.as_str()), b.note.clone())
        }
        Event::RotationScheduled(b) => {
            let every =
                b.every.map_or_else(|| "no schedule any more".into(), |e| format!("to be turned over every {e}"));
            (every, b.reason.clone())
        }
        Event::RotationRecorded(b) => {
            if let Some(f) = before.as_mut() {
                // As the judge does (domain::authority::keys).
                f.rotated = Some(b.rotated);
                f.last4.clone_from(&b.last4);
                f.fingerprint = b.fingerprint;
                f.expires = b.expires;
                f.place = b.place.clone().unwrap_or_else(|| f.place.clone());
                f.provider_id = b.provider_id.clone().or(f.provider_id.take());
                f.active = true;
            }
            (format!("turned over {}", show::minute(b.rotated)), b.note.clone())
        }
        Event::PayloadErased(b) => {
            let members = b.members.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            (format!("{members} of entry {} erased", b.seq), b.reason.clone())
        }
        Event::EntryCorrected(b) => (format!("entry {} corrected", b.seq), b.note.clone()),
        Event::EntryVoided(b) => (format!("entry {} voided", b.seq), b.reason.clone()),
        other => (other.name().to_string(), None),
    };
    Ok(KeyEvent {
        seq: said.entry.seq,
        at: said.entry.at,
        kind: said.event.name().into(),
        what,
        signed_by: names.signer(said.entry.actor)?,
        note,
        counts: said.counts,
    })
}
