//! Recording what was done about a leak: by flags, or from the walk.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::view::KeyLeakedView;
use super::{case, contain::Contained, open_case};
use crate::cli::commands::connect::words;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::cli::{Context, intake, vault};
use crate::domain::event::KeyStep;
use crate::domain::facts::Facts;
use crate::domain::key::{Key, LeakStep, StepOutcome};
use crate::rotation::case::{Case, Stale};
use crate::rotation::sweep::{Marks, Swept};
use crate::secret::Secret;
use crate::workspace::{OperatorIdentity, Workspace, WorkspaceError};

/// So many places are kept in an entry.
const MOST_DETAIL: usize = 100;
/// Entries of the log that are searched together.
const BATCH: usize = 500;

/// `--step`.
pub(super) fn parser() -> impl TypedValueParser<Value = LeakStep> {
    let by_hand = LeakStep::ALL.into_iter().skip(1);
    PossibleValuesParser::new(by_hand.map(LeakStep::as_str)).try_map(|typed| {
        LeakStep::ALL.into_iter().find(|s| s.as_str() == typed).ok_or_else(|| format!("{typed} is no step"))
    })
}

/// `--outcome`.
pub(super) fn outcome_parser() -> impl TypedValueParser<Value = StepOutcome> {
    PossibleValuesParser::new(["done", "not_needed", "not_proven", "failed"]).try_map(|typed| match typed.as_str() {
        "done" => Ok(StepOutcome::Done),
        "not_needed" => Ok(StepOutcome::NotNeeded),
        "not_proven" => Ok(StepOutcome::NotProven),
        "failed" => Ok(StepOutcome::Failed),
        _ => Err(format!("{typed} is no outcome")),
    })
}

/// What is recorded of a step.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) step: LeakStep,
    pub(super) outcome: StepOutcome,
    pub(super) note: Option<String>,
    pub(super) detail: Option<Vec<String>>,
}

/// `--step S --outcome O`.
pub(super) fn by_script(
    ws: &Workspace,
    ctx: &Context,
    key: &Key,
    step: LeakStep,
    outcome: StepOutcome,
    note: Option<String>,
    dry_run: bool,
) -> Result<Outcome, CliError> {
    words::not_an_agent(ws, ctx.identity_file().as_deref(), "say what was done about a leak")?;
    let taken = Taken { step, outcome, note, detail: None };
    finish(ws, ctx, key, taken, None, dry_run)
}

/// `--sweep PATH ...`.
pub(super) fn sweep_by_script(
    ws: &Workspace,
    ctx: &Context,
    key: &Key,
    paths: &[PathBuf],
    secret_stdin: bool,
    note: Option<String>,
    dry_run: bool,
) -> Result<Outcome, CliError> {
    words::not_an_agent(ws, ctx.identity_file().as_deref(), "say what was done about a leak")?;
    let case = open_case(ws, ctx, key.id)?;
    let secret = if secret_stdin { Some(intake::stdin()?) } else { None };
    // Comparing needs the key of fingerprints, so unlocking comes before searching.
    let operator = secret.as_ref().map(|_| ctx.unlock(ws)).transpose()?;
    let doubt = match (&secret, &operator) {
        (Some(secret), Some(operator)) => is_the_one(ws, operator, &case, secret)?,
        _ => None,
    };
    let taken = sweep(ws, &case, paths, secret.as_ref(), doubt, note)?;
    finish(ws, ctx, key, taken, operator, dry_run)
}

/// Is that the secret that leaked? What says that nobody can tell, or `None` where it is.
///
/// # Errors
/// It is another one: searching for it would show nothing.
pub(super) fn is_the_one(
    ws: &Workspace,
    operator: &OperatorIdentity,
    case: &Case,
    secret: &Secret,
) -> Result<Option<String>, CliError> {
    let id = case.key.id;
    let no = |cause: &str| {
        CliError::no("other_secret", format!("that is not the secret of {id} that leaked; nothing was recorded"))
            .because(cause.to_string())
            .hint(format!("give the one that leaked, or search by how it ends: aosctl key leaked {id} --sweep PATH"))
    };
    let f = &case.was.facts;
    if let Some(known) = f.fingerprint {
        let fingerprints = vault::of(ws).fingerprint_key(operator.signer(), &vault::circle(&ws.facts())?)?;
        // A key of fingerprints that was lost and made anew compares with nothing from before.
        if !fingerprints.is_new {
            return if fingerprints.matches(secret, &known) {
                Ok(None)
            } else {
                Err(no("its fingerprint is another one"))
            };
        }
    }
    match (&f.last4, secret.last4()) {
        (Some(known), Some(end)) if *known != end => Err(no("it ends otherwise")),
        _ => Ok(Some("nobody could check that this is the secret that leaked: its fingerprint is not known".into())),
    }
}

fn finish(
    ws: &Workspace,
    ctx: &Context,
    key: &Key,
    taken: Taken,
    operator: Option<OperatorIdentity>,
    dry_run: bool,
) -> Result<Outcome, CliError> {
    check(&open_case(ws, ctx, key.id)?, &taken)?;
    let found = taken.outcome == StepOutcome::Failed && taken.step == LeakStep::Sweep;
    let exit = if found { Exit::No } else { Exit::Done };
    let places = taken.detail.clone().unwrap_or_default();
    if dry_run {
        let out = view(ws, ctx, key, true)?.outcome(exit);
        return Ok(places.into_iter().fold(out, |out, p| out.note(safe(&p))).note("dry run: nothing was done"));
    }
    let operator = operator.map_or_else(|| ctx.unlock(ws), Ok)?;
    let (_, pin) = record(ws, ctx, &operator, key, taken)?;
    let told = view(ws, ctx, key, false).map_err(|e| words::done_already(e, "the step is recorded"))?;
    Ok(told.outcome(exit).warn_if(pin))
}

fn view(ws: &Workspace, ctx: &Context, key: &Key, dry_run: bool) -> Result<KeyLeakedView, CliError> {
    let now = ws.now(ctx.clock())?;
    let mut view = KeyLeakedView::new(now, Contained { dry_run, ..Contained::default() });
    view.add(ws, key.id, case(ws, ctx, key.id)?.as_ref())?;
    Ok(view)
}

/// Appends a step to the newest leak of a key.
pub(super) fn record(
    ws: &Workspace,
    ctx: &Context,
    operator: &OperatorIdentity,
    key: &Key,
    taken: Taken,
) -> Result<(u64, Option<WorkspaceError>), CliError> {
    ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        // Another may have gone on with it meanwhile, or it leaked anew.
        check(&open_case(ws, ctx, key.id)?, &taken)?;
        let leak = tx.facts().key(key.id)?.and_then(|k| k.leak.as_ref().map(|l| l.seq)).unwrap_or_default();
        let Taken { step, outcome, note, detail } = taken;
        Ok(tx.append(operator.by(), KeyStep { key: key.id, leak, step, outcome, note, detail })?.seq)
    })
}

/// May a step end so? What is not shown is not done.
fn check(case: &Case, taken: &Taken) -> Result<(), CliError> {
    let id = case.key.id;
    let (step, outcome) = (taken.step, taken.outcome);
    let note = |what: &str| {
        let e = CliError::usage(format!("--step {} --outcome {} needs --note: {what}", step.as_str(), word(outcome)));
        if taken.note.is_some() { Ok(()) } else { Err(e) }
    };
    match (step, outcome) {
        (LeakStep::Contain, _) => Err(CliError::usage("containing it is done by the command itself")
            .hint(format!("what carries it now is closed by: aosctl key leaked {id}"))),
        (LeakStep::ProveDead, StepOutcome::Done) => note("what you saw the provider answer").map_err(|e| {
            e.because("dead is what was seen to be refused; anything else is not proven")
                .hint(format!("aosctl key leaked {id} --step prove_dead --outcome not_proven"))
        }),
        (_, StepOutcome::NotNeeded) => note("why it does not apply"),
        (LeakStep::ProveDead | LeakStep::Sweep, StepOutcome::NotProven) => Ok(()),
        (_, StepOutcome::NotProven) => Err(CliError::usage(format!(
            "--outcome not_proven is for prove_dead and sweep, and not for {}",
            step.as_str()
        ))
        .hint("say done, not_needed or failed")),
        (LeakStep::Rotate, StepOutcome::Done) if case.rotated().is_none() => {
            let e = CliError::no("not_rotated", format!("no other secret of {id} was recorded since it leaked"));
            let e = match case.key.recorded_seq.zip(case.key.facts.rotated) {
                Some((seq, day)) if seq > case.leak.seq => {
                    e.because(format!("entry {seq} says that it was turned over at {day}, which was before"))
                }
                _ => e,
            };
            Err(e
                .hint(format!("turn it over at its provider, then: aosctl rotation record {id} --secret-stdin"))
                .hint(format!("or, if nothing needs it any more: aosctl key retire {id}, then --outcome not_needed")))
        }
        (LeakStep::Sweep, StepOutcome::Done) if !case.stale.is_empty() => {
            let mut e =
                CliError::no("stale", "something that aosctl has still names the old secret; nothing was recorded");
            for s in &case.stale {
                e = e.hint(stale_hint(s, id));
            }
            Err(e)
        }
        _ => Ok(()),
    }
}

fn stale_hint(stale: &Stale, id: crate::domain::id::Id) -> String {
    match stale {
        Stale::Inventory => {
            format!("no other secret was recorded; turn it over at its provider, then: aosctl rotation record {id}")
        }
        Stale::Grant(g) => format!("{g} carries it: aosctl revoke {g}"),
        Stale::Twin(k) => format!("{k} is the same secret: aosctl key leaked {k}"),
        Stale::SealedFile => format!("the old sealed file of {id} lies in the vault"),
    }
}

fn word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "done",
        StepOutcome::NotNeeded => "not_needed",
        StepOutcome::NotProven => "not_proven",
        StepOutcome::Failed => "failed",
    }
}

/// Searches, and says how it ended: done only where everything could be searched, nothing was found, and there is no doubt
/// that it was searched for the right secret.
pub(super) fn sweep(
    ws: &Workspace,
    case: &Case,
    paths: &[PathBuf],
    secret: Option<&Secret>,
    doubt: Option<String>,
    note: Option<String>,
) -> Result<Taken, CliError> {
    let f = &case.was.facts;
    // What the provider calls it may be kept when the secret is another one; then it is no sign of the old one.
    let kept = case.rotated().is_some() && case.key.facts.provider_id == f.provider_id;
    let provider_id = f.provider_id.as_deref().filter(|_| !kept);
    let marks = Marks { secret, last4: f.last4.as_deref(), provider_id };
    if !marks.any() {
        return Err(CliError::no(
            "nothing_to_search_for",
            format!("nobody told how the old secret of {} ends", case.key.id),
        )
        .hint("give the secret itself: --secret-stdin"));
    }
    let mut swept = marks.sweep(paths);
    let in_log = secret.map_or(Ok(Vec::new()), |s| search_log(ws, s))?;
    let mut detail: Vec<String> = case.stale.iter().map(|s| stale_hint(s, case.key.id)).collect();
    detail.extend(in_log);
    detail.extend(swept.found.iter().map(|p| format!("{}:{}: {}", p.path.display(), p.line, p.what.words())));
    let mut outcome = outcome(&detail, &swept);
    if doubt.is_some() && outcome == StepOutcome::Done {
        outcome = StepOutcome::NotProven;
    }
    detail.extend(doubt);
    detail.extend(std::mem::take(&mut swept.left_out).into_iter().map(|l| format!("not searched: {l}")));
    let more = u64::try_from(detail.len().saturating_sub(MOST_DETAIL)).unwrap_or(u64::MAX) + swept.more;
    detail.truncate(MOST_DETAIL);
    if more > 0 {
        detail.push(format!("and {more} more"));
    }
    let by = match (secret, &f.last4, provider_id) {
        (Some(_), ..) => "by the secret itself",
        (None, Some(_), Some(_)) => "by how it ends and what the provider calls it",
        (None, Some(_), None) => "by how it ends",
        (None, None, _) => "by what the provider calls it",
    };
    let named: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    let mut told = format!("{} files searched {by}: {}", swept.files, named.join(", "));
    if let Some(note) = note {
        told = format!("{told}. {note}");
    }
    let end = told.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|i| *i <= 4000).last().unwrap_or(0);
    told.truncate(end);
    let detail = (!detail.is_empty()).then_some(detail);
    Ok(Taken { step: LeakStep::Sweep, outcome, note: Some(told), detail })
}

fn outcome(found: &[String], swept: &Swept) -> StepOutcome {
    if !found.is_empty() {
        StepOutcome::Failed
    } else if !swept.left_out.is_empty() {
        StepOutcome::NotProven
    } else {
        StepOutcome::Done
    }
}

/// Entries of the log whose payload has the secret in it.
fn search_log(ws: &Workspace, secret: &Secret) -> Result<Vec<String>, CliError> {
    let marks = Marks { secret: Some(secret), ..Marks::default() };
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let batch = ws.store().range(from, BATCH)?;
        let Some(last) = batch.last() else { return Ok(found) };
        from = last.seq + 1;
        for stored in &batch {
            let record = stored.record.as_deref().unwrap_or_default();
            if !marks.search(record).is_empty() {
                found.push(format!("entry {} of the log: the secret itself", stored.seq));
            }
        }
    }
}
