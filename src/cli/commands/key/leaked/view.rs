//! A leak as data and as lines.

use schemars::JsonSchema;
use serde::Serialize;

use super::contain::Contained;
use crate::cli::commands::connect::view::ids;
use crate::cli::commands::grant::view::{GrantRow, Named, Names, SignedBy};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::{safe, safe_block};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::{LeakStep, StepOutcome};
use crate::domain::request::Standing;
use crate::domain::time::Time;
use crate::review::carry::replaced_by;
use crate::rotation::case::{Case, Stale, Use};
use crate::rotation::guide::{Family, Line, lines};
use crate::workspace::Workspace;

/// What was done about leaked keys, and what is left to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyLeakedView {
    /// Nothing was done.
    pub dry_run: bool,
    /// As of which moment.
    pub at: Time,
    /// Each key with its leak.
    pub leaks: Vec<LeakView>,
    /// Grants that this command revoked, or would.
    pub revoked: Vec<Id>,
    /// Agents that this command froze, or would.
    pub frozen: Vec<Id>,
    /// Keys and grants whose entries do not verify; nothing is allowed on them.
    pub damaged: Vec<Id>,
    #[serde(skip)]
    pin: Option<String>,
    #[serde(skip)]
    said: Vec<Id>,
}

/// A leak.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeakView {
    /// The key.
    pub key: Named,
    /// What sort of credential.
    pub kind: String,
    /// What it opens: as told, else where a door that carried it leads.
    pub opens: Option<Named>,
    /// The last four characters of what leaked, where that is known.
    pub last4: Option<String>,
    /// What the provider calls what leaked.
    pub provider_id: Option<String>,
    /// Something is left to do; absent in a dry run of what did not leak before.
    pub open: bool,
    /// The entry that said so; absent in a dry run of what did not leak before.
    pub said: Option<LeakSaid>,
    /// Grants that were revoked for it.
    pub revoked: Vec<GrantRow>,
    /// Agents that were frozen for it.
    pub frozen: Vec<Named>,
    /// What runs with it, or nobody knows how it ended: closing its door does not stop it.
    pub running: Vec<UseView>,
    /// Each step in its order.
    pub steps: Vec<StepView>,
    /// The first step that is not closed, with what to do.
    pub next: Option<NextView>,
    /// What aosctl itself still has that names the old secret.
    pub stale: Vec<StaleView>,
    /// Of the grants that were revoked for it, those that nothing opened again and that could be: not where the key is out
    /// of use.
    #[serde(skip)]
    shut: Vec<Id>,
}

/// The entry that said that a key leaked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeakSaid {
    /// Its place in the log.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who signed.
    pub signed_by: SignedBy,
    /// Where it was seen, as told. Foreign text.
    pub reason: Option<String>,
    /// By this command.
    pub now: bool,
}

/// A use of the secret by `run`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UseView {
    /// The request.
    pub request: Id,
    /// Whose.
    pub agent: Named,
    /// What it was for. Foreign text.
    pub action: String,
    /// On what. Foreign text.
    pub resource: String,
    /// When the program was given the secret.
    pub at: Time,
    /// The entry that says so.
    pub seq: u64,
    /// Where it stands.
    pub standing: Standing,
}

/// A step of what is done about a leak.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StepView {
    /// Which.
    pub step: LeakStep,
    /// Its newest outcome; absent: nobody has done it.
    pub outcome: Option<StepOutcome>,
    /// It is closed.
    pub closed: bool,
    /// The entry that says so.
    pub seq: Option<u64>,
    /// When.
    pub at: Option<Time>,
    /// What shows it, as told. Foreign text.
    pub note: Option<String>,
    /// Place by place, what still named the old one. Foreign text.
    pub detail: Vec<String>,
}

/// What to do next.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NextView {
    /// The step.
    pub step: LeakStep,
    /// What to read and what to type, in its order.
    pub guide: Vec<GuideLine>,
    /// The line that records it.
    pub command: String,
}

/// A line of what to do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GuideLine {
    /// The text.
    pub text: String,
    /// It is to be typed, at the provider or in a shell.
    pub typed: bool,
}

/// What still names the old secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StaleView {
    /// In words.
    pub what: String,
    /// What to type.
    pub command: Option<String>,
}

impl StaleView {
    fn of(stale: &Stale, key: Id) -> StaleView {
        let of = |what: String, command: String| StaleView { what, command: Some(command) };
        match stale {
            Stale::Inventory => of(
                format!(
                    "the inventory: no other secret of {key} was recorded since; turn it over at its provider, then"
                ),
                format!("aosctl rotation record {key}"),
            ),
            Stale::Grant(g) => of(format!("{g} carries it and is open"), format!("aosctl revoke {g}")),
            Stale::Twin(k) => of(format!("{k} is the same secret"), format!("aosctl key leaked {k}")),
            Stale::SealedFile => StaleView {
                what: format!("the old sealed file of {key} in the vault could not be removed"),
                command: None,
            },
        }
    }
}

/// A use.
pub(super) fn used(u: &Use, names: &mut Names<'_>) -> Result<UseView, CliError> {
    Ok(UseView {
        request: u.request.id,
        agent: names.of(u.request.requester)?,
        action: u.request.action.clone(),
        resource: u.request.resource.to_string(),
        at: u.at,
        seq: u.seq,
        standing: u.standing,
    })
}

/// What is to be done in a step of this case.
pub(super) fn guide(ws: &Workspace, case: &Case, step: LeakStep) -> Result<NextView, CliError> {
    let id = case.key.id;
    // Where nobody said what it opens, the doors that carried it say it.
    let opens = case.was.facts.integration.or_else(|| case.revoked.first().map(|g| g.integration));
    let integration = opens.map(|i| ws.facts().integration(i)).transpose()?.flatten();
    let family = Family::of(&case.was.facts.kind, integration.as_ref().map(|i| i.kind.as_str()));
    let mut all = Vec::new();
    match case.rotated() {
        Some(seq) if step == LeakStep::Rotate => {
            all.push(Line::Say(format!("Another secret was recorded: entry {seq}.")))
        }
        _ => all.extend(lines(family, step, id, case.was.facts.provider_id.as_deref())),
    }
    let guide = all
        .into_iter()
        .map(|line| match line {
            Line::Say(text) => GuideLine { text, typed: false },
            Line::Type(text) => GuideLine { text, typed: true },
        })
        .collect();
    let note = if step == LeakStep::ProveDead { " --note 'WHAT SHOWS IT'" } else { "" };
    let command = if step == LeakStep::Sweep {
        format!("aosctl key leaked {id} --sweep PATH")
    } else {
        format!("aosctl key leaked {id} --step {} --outcome done{note}", step.as_str())
    };
    Ok(NextView { step, guide, command })
}

/// The steps of a case.
pub(super) fn steps(case: &Case) -> Vec<StepView> {
    LeakStep::ALL
        .into_iter()
        .map(|step| {
            let taken = case.leak.steps.iter().rev().find(|s| s.step == step);
            let told = taken.and_then(|t| case.said.iter().find(|s| s.entry.seq == t.seq));
            let (note, detail) = match told.map(|s| &s.event) {
                Some(Event::KeyStep(b)) => (b.note.clone(), b.detail.clone().unwrap_or_default()),
                _ => (None, Vec::new()),
            };
            StepView {
                step,
                outcome: taken.map(|t| t.outcome),
                closed: taken.is_some_and(|t| t.outcome.closes()),
                seq: taken.map(|t| t.seq),
                at: taken.map(|t| t.at),
                note,
                detail,
            }
        })
        .collect()
}

/// How an outcome is said.
pub(super) fn outcome_words(outcome: Option<StepOutcome>) -> &'static str {
    match outcome {
        None => "OPEN",
        Some(StepOutcome::Done) => "done",
        Some(StepOutcome::NotNeeded) => "not needed",
        Some(StepOutcome::NotProven) => "NOT PROVEN",
        Some(StepOutcome::Failed) => "FAILED",
    }
}

impl KeyLeakedView {
    pub(super) fn new(at: Time, c: Contained) -> KeyLeakedView {
        KeyLeakedView {
            dry_run: c.dry_run,
            at,
            leaks: Vec::new(),
            revoked: c.revoked,
            frozen: c.frozen,
            damaged: c.damaged,
            pin: c.pin.map(|e| format!("it is on disk, but mind the pin: {e}")),
            said: c.said,
        }
    }

    /// A leak, or a key of which nobody said so before.
    pub(super) fn add(&mut self, ws: &Workspace, id: Id, case: Option<&Case>) -> Result<(), CliError> {
        let mut names = Names::new(ws)?;
        let Some(case) = case else {
            if let Some(key) = ws.facts().key(id)? {
                let f = &key.facts;
                self.leaks.push(LeakView {
                    key: Named { id, name: Some(f.name.clone()) },
                    kind: f.kind.clone(),
                    opens: f.integration.map(|i| names.of(i)).transpose()?,
                    last4: f.last4.clone(),
                    provider_id: f.provider_id.clone(),
                    open: true,
                    said: None,
                    revoked: Vec::new(),
                    frozen: Vec::new(),
                    running: Vec::new(),
                    steps: Vec::new(),
                    next: None,
                    stale: Vec::new(),
                    shut: Vec::new(),
                });
            }
            return Ok(());
        };
        let f = &case.was.facts;
        let (entry, event) = ws.event(case.leak.seq)?;
        let reason = match event {
            Event::KeyLeaked(b) => b.reason,
            _ => None,
        };
        let said = LeakSaid {
            seq: entry.seq,
            at: entry.at,
            signed_by: names.signer(entry.actor)?,
            reason,
            now: self.said.contains(&id),
        };
        let opens = f.integration.or_else(|| case.revoked.first().map(|g| g.integration));
        let (mut revoked, mut shut) = (Vec::new(), Vec::new());
        for g in &case.revoked {
            revoked.push(names.grant(g, self.at)?);
            if case.key.is_live() && replaced_by(&ws.facts(), g)?.is_none() {
                shut.push(g.id);
            }
        }
        let mut running = Vec::new();
        for u in case.running() {
            running.push(used(u, &mut names)?);
        }
        self.leaks.push(LeakView {
            key: Named { id, name: Some(case.key.facts.name.clone()) },
            kind: f.kind.clone(),
            opens: opens.map(|i| names.of(i)).transpose()?,
            last4: f.last4.clone(),
            provider_id: f.provider_id.clone(),
            open: !case.is_closed(),
            said: Some(said),
            revoked,
            frozen: case.frozen.iter().map(|a| names.of(*a)).collect::<Result<_, _>>()?,
            running,
            steps: steps(case),
            next: case.leak.next().map(|step| guide(ws, case, step)).transpose()?,
            stale: case.stale.iter().map(|s| StaleView::of(s, id)).collect(),
            shut,
        });
        Ok(())
    }

    /// With what to type next, on stderr.
    pub(super) fn outcome(self, exit: Exit) -> Outcome {
        let mut notes = Vec::new();
        if !self.dry_run && self.leaks.iter().any(|l| l.said.as_ref().is_some_and(|s| s.now && !s.signed_by.attributed))
        {
            notes.push("unattributed: the log says that it happened, and not who did it".to_string());
        }
        for l in &self.leaks {
            let id = l.key.id;
            match &l.next {
                Some(next) => notes.push(format!(
                    "{id} is OPEN; go on step by step: aosctl key leaked {id}, or record it: {}",
                    next.command
                )),
                None if l.open => {
                    notes.push(format!("{id} is OPEN: something that aosctl has still names the old secret"))
                }
                None => {
                    notes.push(format!("{id} is closed; what happened: aosctl key leaked {id} --report"));
                    if let Some(first) = l.shut.first() {
                        notes.push(format!(
                            "its doors are closed; open again what is needed of {}: aosctl connect --again {first}",
                            ids(&l.shut)
                        ));
                    }
                }
            }
        }
        let warnings: Vec<String> = self
            .damaged
            .iter()
            .map(|id| format!("the entries about {id} do not verify; nothing is allowed on it: aosctl audit verify"))
            .chain(self.pin.clone())
            .collect();
        let mut out = Outcome::of(exit, self);
        out.notes = notes;
        out.warnings = warnings;
        out
    }
}

impl View for KeyLeakedView {
    const SCHEMA: &'static str = "aosctl.key-leaked/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        for (i, l) in self.leaks.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            leak(&mut out, screen, l);
        }
        if self.dry_run {
            out.push_str(&show::field(screen, "would revoke", &none_or(&self.revoked)));
            out.push_str(&show::field(screen, "would freeze", &none_or(&self.frozen)));
        }
        out
    }
}

fn none_or(list: &[Id]) -> String {
    if list.is_empty() { "nothing".into() } else { ids(list) }
}

fn leak(out: &mut String, screen: &Screen, l: &LeakView) {
    let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
    let opens = l.opens.as_ref().map(|o| format!(", opens {}", o.short())).unwrap_or_default();
    field("key", &format!("{}, {}{opens}", l.key.long(), l.kind));
    let marks = match (&l.last4, &l.provider_id) {
        (Some(last4), Some(id)) => format!("last four ...{last4}, the provider calls it {id}"),
        (Some(last4), None) => format!("last four ...{last4}"),
        (None, Some(id)) => format!("the provider calls it {id}"),
        (None, None) => "nobody told its last four".into(),
    };
    field("what leaked", &marks);
    let Some(said) = &l.said else { return };
    let state = if l.open { "OPEN" } else { "closed" };
    field(
        "leak",
        &format!("{state}; {}, entry {}, signed by {}", show::minute(said.at), said.seq, said.signed_by.long()),
    );
    if let Some(reason) = &said.reason {
        field("seen", reason);
    }
    let revoked: Vec<Id> = l.revoked.iter().map(|g| g.id).collect();
    field("revoked", &if revoked.is_empty() { "no grant carried it".into() } else { ids(&revoked) });
    if !l.frozen.is_empty() {
        let names: Vec<String> = l.frozen.iter().map(Named::short).collect();
        field("frozen", &names.join(", "));
    }
    for u in &l.running {
        let word = if u.standing == Standing::Claimed { "runs" } else { "unknown how it ended" };
        let what = format!(
            "{} of {} has it since {}: {} on {}; {word}, and nothing here stops it",
            u.request,
            u.agent.short(),
            show::minute(u.at),
            u.action,
            u.resource
        );
        field("STILL HELD", &what);
    }
    for s in &l.steps {
        let when = s.at.map(|t| format!(", {}", show::minute(t))).unwrap_or_default();
        let note = s.note.as_deref().map(|n| format!(": {n}")).unwrap_or_default();
        field(s.step.words(), &format!("{}{when}{note}", outcome_words(s.outcome)));
        let shown = 5;
        for place in s.detail.iter().take(shown) {
            field("", &format!("  {place}"));
        }
        if s.detail.len() > shown {
            field("", &format!("  and {} more: aosctl key leaked {} --report", s.detail.len() - shown, l.key.id));
        }
    }
    for s in &l.stale {
        let command = s.command.as_deref().map(|c| format!(": {c}")).unwrap_or_default();
        field("STALE", &format!("{}{command}", s.what));
    }
    if let Some(next) = &l.next {
        out.push('\n');
        out.push_str(&next_lines(screen, next));
    }
}

/// What to do next, for a page.
pub(super) fn next_lines(screen: &Screen, next: &NextView) -> String {
    let mut out = format!("{}\n", screen.style.bold(&format!("next: {}", next.step.words())));
    for line in &next.guide {
        if line.typed {
            // To be copied whole, so it is not folded.
            out.push_str(&format!("    {}\n", own(&safe(&line.text))));
        } else {
            for l in safe_block(&line.text, "  ", screen.width, usize::MAX).lines {
                out.push_str(own(&l).trim_end());
                out.push('\n');
            }
        }
    }
    out
}

/// A guide is our own text, with at most one plain word of somebody else's: a backslash in it is one that is typed, and not
/// the first of an escape.
fn own(shown: &str) -> String {
    shown.replace("\\\\", "\\")
}

#[cfg(test)]
mod tests;
