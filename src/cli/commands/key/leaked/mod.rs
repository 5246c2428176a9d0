//! `aosctl key leaked`: at two in the morning.

mod again;
mod contain;
mod find;
pub(in crate::cli) mod report;
mod step;
pub(in crate::cli) mod view;
mod walk;

use std::path::PathBuf;

use self::view::KeyLeakedView;
use crate::cli::commands::connect::words;
use crate::cli::commands::key::details::no_secret;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::global::Format;
use crate::cli::outcome::Outcome;
use crate::cli::term::{Stream, is_terminal};
use crate::cli::{Context, complete, vault};
use crate::domain::id::Id;
use crate::domain::key::{LeakStep, StepOutcome};
use crate::inventory::guard;
use crate::rotation::case::Case;
use crate::workspace::Workspace;

/// A key leaked: close what it opens at once, then step by step.
///
/// Before anything else every live grant that carries the key is revoked, and from then on `aosctl run` gives its secret to
/// nobody. With KEY or --last4 that takes no passphrase. Where nobody signs, the log does (unattributed). Then, on a terminal, it goes
/// through the steps: revoke it at the provider, prove it dead, rotate, test, sweep for what still names the old one. Each
/// is an entry that an operator signs, so it can be left and taken up again at any time: `aosctl key leaked KEY`. The leak
/// stays OPEN until every step is closed and nothing that aosctl has names the old secret.
///
/// A key whose newest leak is closed leaks anew only with --again, or where that is confirmed at a terminal; to look at what
/// happened there is --report.
///
/// Without either the leaked secret itself is asked for, without an echo, and looked for by its fingerprint; fingerprints
/// can be compared only with an operator's passphrase, which is asked for first.
///
/// Exit status: 0 it is contained, or the step is recorded, whether or not more is left to do (`aosctl rotation check` and
/// the JSON say that); 1 no key was found, or a sweep found the old secret; 4 an entry that belongs to it does not verify,
/// and everything else is contained.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The key, by id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: Option<String>,
    /// Read the leaked secret from standard input: to find the key (needs a passphrase), and with --sweep to search for it
    #[arg(long)]
    secret_stdin: bool,
    /// Find it by the last four characters of the secret; needs no passphrase
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["key", "secret_stdin"])]
    last4: Option<String>,
    /// Every key that matches, where several do
    #[arg(long)]
    all: bool,
    /// Freeze the agents that could use it, too
    #[arg(long)]
    freeze: bool,
    /// It leaked anew: its newest leak is closed, and what it has now is exposed, too
    #[arg(long, conflicts_with_all = ["step", "sweep", "report"])]
    again: bool,
    /// Where it was seen, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Record how a step ended: revoke, prove_dead, rotate, test, sweep
    #[arg(long, value_name = "STEP", value_parser = step::parser(), requires_all = ["outcome", "key"], conflicts_with_all = ["freeze", "reason", "all", "secret_stdin"])]
    step: Option<LeakStep>,
    /// How the step ended: done, not_needed, not_proven, failed
    #[arg(long, value_name = "OUTCOME", value_parser = step::outcome_parser(), requires = "step")]
    outcome: Option<StepOutcome>,
    /// What shows it: a command's answer, a ticket
    #[arg(long, value_name = "TEXT", requires = "key")]
    note: Option<String>,
    /// Search this file or directory for what names the old secret, and record the step
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath, requires = "key", conflicts_with = "step")]
    sweep: Vec<PathBuf>,
    /// The incident report, as Markdown or JSON; changes nothing
    #[arg(long, requires = "key", conflicts_with_all = ["step", "sweep", "freeze", "reason", "all", "secret_stdin", "dry_run"])]
    report: bool,
    /// The last moment at which it is known to have been safe; the report tells of every use since
    #[arg(long, value_name = "TIME", requires = "report")]
    since: Option<String>,
    /// Say what it would close or record, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

impl Args {
    /// The formats that it has.
    pub(super) fn formats(&self) -> &'static [Format] {
        if self.report { &[Format::Human, Format::Json, Format::Markdown] } else { Format::EVERY }
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    // Nothing stands in the way of closing it, and no secret gets into the log: the text goes, and the rest is done.
    let (reason, dropped) = match reason {
        Some(r) if guard::holds_secret(&r) => (None, true),
        other => (other, false),
    };
    args.note.as_deref().map_or(Ok(()), |text| no_secret("--note", text))?;
    let note = args.note.as_deref().map(|r| words::text("--note", r)).transpose()?;
    let ws = ctx.open()?;
    if args.report {
        return report::run(&ws, ctx, args.key.as_deref().unwrap_or_default(), args.since.as_deref());
    }
    if let (Some(step), Some(outcome), Some(key)) = (args.step, args.outcome, args.key.as_deref()) {
        let key = super::find(&ws, key)?;
        return step::by_script(&ws, ctx, &key, step, outcome, note, args.dry_run);
    }
    if let (false, Some(key)) = (args.sweep.is_empty(), args.key.as_deref()) {
        let key = super::find(&ws, key)?;
        return step::sweep_by_script(&ws, ctx, &key, &args.sweep, args.secret_stdin, note, args.dry_run);
    }
    if args.secret_stdin && args.key.is_some() {
        return Err(CliError::usage("the secret finds the key, and the key is named already")
            .hint("leave out one of them; with --sweep PATH both are of use"));
    }
    let found = find::keys(&ws, ctx, &args)?;
    let again::Meant { keys, again, left_out } = again::meant(&ws, ctx, &args, found)?;
    let contained = contain::contain(&ws, ctx, &keys, again, args.freeze, reason.as_deref(), args.dry_run)?;
    let exit = if contained.damaged.is_empty() { Exit::Done } else { Exit::Integrity };
    let (all, beside, unsigned) = (contained.keys.clone(), contained.beside(), contained.unsigned.clone());
    let say = |out: Outcome| {
        let out = unsigned.iter().fold(out, |out, line| out.warn(line.clone()));
        let out = beside.iter().fold(out, |out, line| out.note(line.clone()));
        let out = left_out.iter().fold(out, |out, id| out.note(again::left_out(*id)));
        match dropped {
            true => {
                out.warn("--reason looks like a secret and is not recorded; it may stand in your shell's history now")
            }
            false => out,
        }
    };
    let told = told(&ws, ctx, &all, contained);
    if args.dry_run {
        return Ok(say(Outcome::of(exit, told?)).note("dry run: nothing was done"));
    }
    let view = told.map_err(|e| words::done_already(e, "it is contained"))?;
    let ask = !ctx.json() && ctx.prompter().can_ask() && is_terminal(Stream::Stdout) && exit == Exit::Done;
    if ask && let [key] = keys[..] {
        return walk::walk(&ws, ctx, key, view).map(say);
    }
    Ok(say(view.outcome(exit)))
}

/// How the leaks of these keys stand.
fn told(ws: &Workspace, ctx: &Context, keys: &[Id], contained: contain::Contained) -> Result<KeyLeakedView, CliError> {
    let now = ws.now(ctx.clock())?;
    let mut view = KeyLeakedView::new(now, contained);
    for id in keys {
        view.add(ws, *id, case(ws, ctx, *id)?.as_ref())?;
    }
    Ok(view)
}

/// The newest leak of a key.
fn case(ws: &Workspace, ctx: &Context, id: Id) -> Result<Option<Case>, CliError> {
    Ok(Case::read(ws, &vault::of(ws), id, ws.now(ctx.clock())?)?)
}

/// As [`case`], where there must be one.
fn open_case(ws: &Workspace, ctx: &Context, id: Id) -> Result<Case, CliError> {
    case(ws, ctx, id)?.ok_or_else(|| {
        CliError::no("no_leak", format!("nobody said that {id} leaked"))
            .hint(format!("say so, which closes what it opens: aosctl key leaked {id}"))
    })
}
