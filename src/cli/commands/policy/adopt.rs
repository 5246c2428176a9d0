//! `aosctl policy adopt`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::candidate::{Candidate, of_workspace, policy_error};
use super::diff::{Change, ChangeEffect, compare, lines};
use super::short;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::style::Style;
use crate::domain::authority::rules_digest;
use crate::domain::event::PolicyAdopted;
use crate::domain::facts::Facts;
use crate::policy::file::stated;
use crate::policy::{Level, lint};
use crate::workspace::{Adopted, OperatorIdentity, Workspace, WorkspaceError};

/// Put a policy into force: its text, the catalogue files beside it, and the catalogue of this aosctl.
///
/// It shows what changes first. Where a change opens a door wider it asks for a typed yes, or takes --yes. Every value
/// that the text states counts as confirmed by you from then on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy [default: policy.toml in the workspace]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Yes, even where it opens a door wider
    #[arg(long)]
    yes: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A policy that was adopted, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyAdoptView {
    /// Nothing was done.
    pub dry_run: bool,
    /// There was nothing to adopt.
    pub unchanged: bool,
    /// What was read.
    pub file: String,
    /// Digest of the rules that are in force now, or would be.
    pub digest: String,
    /// Digest of the rules before.
    pub old_digest: String,
    /// Each difference of the rules.
    pub changes: Vec<Change>,
    /// Keys that count as confirmed from here on and did not before.
    pub confirms: BTreeSet<String>,
    /// The entry that adopted it; absent where nothing was adopted.
    pub seq: Option<u64>,
    #[serde(skip)]
    shown_before: bool,
}

impl View for PolicyAdoptView {
    const SCHEMA: &'static str = "aosctl.policy-adopt/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.unchanged {
            return format!("nothing to adopt: {} is in force\n", short(&self.digest));
        }
        let changes = if self.shown_before { String::new() } else { lines(screen, &self.changes) };
        let mut out = changes;
        if self.changes.is_empty() {
            out.push_str("no rule changes\n");
        }
        if !self.confirms.is_empty() {
            let keys = self.confirms.iter().cloned().collect::<Vec<_>>().join(", ");
            out.push_str(&show::field(screen, "confirms", &keys));
        }
        let verb = if self.dry_run { "would be in force" } else { "is in force" };
        let seq = self.seq.map(|s| format!(" (entry {s})")).unwrap_or_default();
        out.push_str(&show::field(screen, "policy", &format!("{} {verb}{seq}", short(&self.digest))));
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let adopted = super::adopted(&ws)?;
    let candidate = of_workspace(&ws, args.file.as_deref())?;
    let diff = compare(&adopted, &candidate)?;
    let mut confirmed = adopted.confirmed.clone();
    if diff.text_changed {
        confirmed.extend(stated(&candidate.text, &candidate.name).map_err(|e| policy_error(&e))?);
    }
    let mut view = PolicyAdoptView {
        dry_run: args.dry_run,
        unchanged: diff.equal && !diff.text_changed,
        file: candidate.name.clone(),
        digest: diff.new_digest.clone(),
        old_digest: diff.old_digest.clone(),
        changes: diff.changes,
        confirms: confirmed.difference(&adopted.confirmed).cloned().collect(),
        seq: None,
        shown_before: false,
    };
    if view.unchanged {
        return Ok(Outcome::of(Exit::Done, view));
    }
    let warnings = worries(&ws, &adopted, &candidate)?;
    let warn = |out: Outcome| warnings.iter().cloned().fold(out, Outcome::warn);
    if args.dry_run {
        return Ok(warn(Outcome::of(Exit::Done, view).note("dry run: nothing was done")));
    }
    let wider = view.changes.iter().filter(|c| c.effect == ChangeEffect::Wider).count();
    if wider > 0 && !args.yes {
        let screen = Screen { style: Style::plain(), ..ctx.screen() };
        let prompt = format!("{}{wider} of these changes open a door wider.", lines(&screen, &view.changes));
        if !ctx.prompter().confirm_typed(&prompt, "yes", "--yes")? {
            return Err(CliError::no("not_confirmed", "nothing was adopted"));
        }
        view.shown_before = true;
    }
    let me = ctx.unlock(&ws)?;
    let new = New { candidate: &candidate, confirmed, reason: args.reason };
    let (seq, warning) = adopt(&ws, ctx, &me, &adopted, new)?;
    view.seq = Some(seq);
    let mut out = warn(Outcome::of(Exit::Done, view).warn_if(warning));
    // The text that is in force is the one to edit next.
    if args.file.is_some() {
        out = keep_text(&ws, &adopted, &candidate.text, out);
    }
    Ok(out)
}

/// What is to be adopted.
pub(super) struct New<'a> {
    /// Text and rules.
    pub candidate: &'a Candidate,
    /// Keys that count as confirmed.
    pub confirmed: BTreeSet<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Adopts, if what was compared is still in force.
pub(super) fn adopt(
    ws: &Workspace,
    ctx: &Context,
    me: &OperatorIdentity,
    old: &Adopted,
    new: New<'_>,
) -> Result<(u64, Option<WorkspaceError>), CliError> {
    let digest = rules_digest(&new.candidate.rules).map_err(|e| CliError::could_not("unwritable", e))?;
    let event = PolicyAdopted {
        digest,
        rules: Arc::new(new.candidate.rules.clone()),
        source: new.candidate.text.clone(),
        confirmed: new.confirmed,
        reason: new.reason,
    };
    ws.transact(ctx.clock(), |tx| -> Result<u64, CliError> {
        if tx.facts().policy()?.is_none_or(|p| p.seq != old.seq) {
            return Err(CliError::no(
                "changed_meanwhile",
                "somebody adopted another policy meanwhile; nothing was adopted",
            )
            .hint("see what it would change now: aosctl policy diff"));
        }
        Ok(tx.append(me.by(), event)?.seq)
    })
}

/// Writes the text that was adopted to `policy.toml`. Edits there that nobody adopted are not lost.
fn keep_text(ws: &Workspace, old: &Adopted, text: &str, out: Outcome) -> Outcome {
    let drafted = match ws.place().policy_text() {
        Ok(Some(there)) => there != old.source && there != text,
        Ok(None) => false,
        Err(_) => true,
    };
    if drafted {
        return out.warn("policy.toml in the workspace has edits that nobody adopted; it was left as it is");
    }
    match ws.write_policy_text(text) {
        Ok(()) => out,
        Err(e) => out.warn(format!(
            "it is in force, but policy.toml could not be written: {}",
            crate::cli::text::safe(&e.to_string())
        )),
    }
}

/// What is legal and should worry.
fn worries(ws: &Workspace, old: &Adopted, candidate: &Candidate) -> Result<Vec<String>, CliError> {
    let facts = ws.facts();
    let operators = facts.operators()?;
    if let Some(owner) = candidate.rules.review.owner
        && !operators.iter().any(|o| o.id == owner && o.is_live())
    {
        return Err(CliError::no("no_such_operator", format!("review.owner: {owner} is not a live operator"))
            .hint("see who there is: aosctl operator list"));
    }
    let live = operators.iter().filter(|o| o.is_live()).count();
    let mut found: Vec<String> = lint(&candidate.file, &candidate.rules, live)
        .into_iter()
        .filter(|l| l.level == Level::Warning)
        .map(|l| crate::cli::text::safe(&format!("{}: {}", l.key, l.message)))
        .collect();
    for i in ws.store().integrations()? {
        if candidate.rules.kind(&i.kind).is_none() && old.rules.kind(&i.kind).is_some() {
            found.push(format!(
                "the kind of {} goes: everything there becomes a write that asks",
                crate::cli::text::safe(&i.handle)
            ));
        }
    }
    Ok(found)
}
