//! `aosctl audit erase`.

pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use self::view::{AuditEraseView, EraseFinishView, EraseState, MemberView};
use crate::cli::Context;
use crate::cli::FINISH;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::workspace::ask::AskError;
use crate::workspace::erase::{
    Finished, Step, Target, carry_out, examine, finish, is_unfinished, repeats, stands_also_in, target,
};
use crate::workspace::{Workspace, WorkspaceError};

/// How long to wait for those who read an older snapshot.
const PATIENCE: Duration = Duration::from_secs(5);

/// Erase texts of an entry, for good
///
/// Only texts can go: alternatives, artifacts, detail, diff, name, note, parameters, rationale, reason, recommendation,
/// rollback, summary. The entry stays, signed and in its place; another one says what went, when, by whom and why. The
/// bytes go from the database, its write-ahead log and the copies that a migration left. What was handed out is listed:
/// no erasure reaches it.
///
/// Where two operators live, or lived within 30 days, both must agree: the first types this and asks, the other types
/// aosctl approve, and the first types this again. A policy may want more of them. One who is alone decides alone, and
/// that is what the log says.
///
/// Exit 0: erased, and nothing is left. Exit 5: others have to agree first. Exit 1: refused; or erased, and bytes are
/// left because somebody still reads: --finish takes them out later.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry's number
    #[arg(value_name = "SEQ", required_unless_present = "finish", value_parser = super::entry_number)]
    seq: Option<u64>,
    /// Only this member; may be given more than once [default: all that may be erased]
    #[arg(long = "member", value_name = "NAME")]
    members: Vec<String>,
    /// Why; it goes into the log, so it must not repeat what is erased [default: what was said when it was asked for]
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,
    /// Do not ask whether to go on
    #[arg(long)]
    yes: bool,
    /// Say what would go and who must agree; do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Only take out the bytes that an earlier erasure had to leave, or that was cut off
    #[arg(long, conflicts_with_all = ["seq", "members", "reason", "yes", "dry_run"])]
    finish: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let Some(seq) = args.seq else { return only_finish(&ws) };
    super::said(args.reason.as_deref().unwrap_or("not yet"), "--reason")?;
    let now = ws.now(ctx.clock())?;
    let found = target(&ws, seq)?.ok_or_else(|| super::no_such_entry(&ws, seq))?;
    let edits = ws.edits(&ws.facts(), seq, now)?;
    let asked = match edits.as_slice() {
        // Whoever comes back to an erasure need not say again what it was about.
        [only] if args.members.is_empty() && only.members.iter().all(|m| found.members.contains_key(m)) => {
            Some(only.members.clone())
        }
        _ => None,
    };
    let members = match asked {
        Some(members) => members,
        None => wanted(&found, &args.members)?,
    };
    let going: BTreeMap<String, Value> =
        found.members.iter().filter(|(n, _)| members.contains(*n)).map(|(n, v)| (n.clone(), v.clone())).collect();
    let said = match &args.reason {
        Some(reason) => Some(reason.clone()),
        None => said_before(&ws, &edits, &members)?,
    };
    if let Some(reason) = &said
        && let Some(member) = repeats(reason, &going)
    {
        return Err(CliError::usage(format!("the reason repeats what stands in {member}"))
            .because("it goes into the log and stays there, so it would keep what is to be erased")
            .hint("give the reason without it, such as a ticket: --reason \"GDPR request 7\""));
    }
    if let Some(reason) = &said {
        ws.refuse_repeated(&ws.facts(), reason, now)?;
    }
    let mut view = AuditEraseView {
        dry_run: args.dry_run,
        entry: seq,
        kind: found.kind.clone(),
        members: going.iter().map(|(name, value)| MemberView::of(name, value)).collect(),
        state: EraseState::WouldWait,
        request: None,
        requester: None,
        needed: 0,
        agreed: Vec::new(),
        self_approved: false,
        erased_by: None,
        approvals: Vec::new(),
        bytes_gone: None,
        removed_copies: Vec::new(),
        also_in: stands_also_in(&ws, seq, &going)?,
        beyond_reach: ws.handed_out(seq, &found.kind),
    };
    if args.dry_run {
        return dry_run(ctx, &ws, view, &members);
    }
    let Some(reason) = said else {
        return Err(CliError::usage("an erasure needs a reason, and none was given")
            .hint("say why: --reason \"GDPR request 7\""));
    };
    let operator = ctx.unlock(&ws)?;
    let step = examine(&ws, &ws.facts(), operator.id, seq, &members, now).map_err(refusal)?;
    if step.is_agreed() && !args.yes {
        confirm(ctx, &view)?;
    }
    let (step, pin) = ws
        .transact(ctx.clock(), |tx| {
            carry_out(&ws, tx, &operator, &found, &members, &reason).map_err(|e| match e {
                AskError::Workspace(e) => refusal(e),
                e => e.into(),
            })
        })
        .map_err(|e: CliError| e)?;
    view.take(&step);
    if view.erased_by.is_none() {
        let out = Outcome::of(Exit::Pending, view).warn_if(pin);
        return too_few(&ws, &step, waiting(out, &step, operator.id, seq));
    }
    Ok(finished(&ws, view).warn_if(pin))
}

/// Takes the bytes out, and says what became of them.
fn finished(ws: &Workspace, mut view: AuditEraseView) -> Outcome {
    let (done, error) = match finish(ws, PATIENCE) {
        Ok(done) => (done, None),
        Err(e) => (Finished { clean: false, removed: Vec::new() }, Some(e)),
    };
    view.bytes_gone = Some(done.clean);
    view.removed_copies = done.removed;
    let alone = view.self_approved;
    let out = Outcome::of(if done.clean { Exit::Done } else { Exit::No }, view);
    let out = if done.clean { out } else { out.warn(left(error.as_ref())) };
    if alone { out.note("Recorded as decided alone: there is no second operator.") } else { out }
}

/// What to say where bytes are left.
fn left(error: Option<&WorkspaceError>) -> String {
    let why = match error {
        Some(e) => safe(&e.to_string()),
        None => "another program still reads an older state of the database".into(),
    };
    format!(
        "it is erased in the log, but its bytes still lie in the workspace's files: {why}. They go with the next change \
         of the workspace, or with: {FINISH}"
    )
}

fn only_finish(ws: &Workspace) -> Result<Outcome, CliError> {
    if !is_unfinished(ws.place()) {
        let view = EraseFinishView { unfinished: false, bytes_gone: true, removed_copies: Vec::new() };
        return Ok(Outcome::of(Exit::Done, view));
    }
    let done = finish(ws, PATIENCE)?;
    let view = EraseFinishView { unfinished: true, bytes_gone: done.clean, removed_copies: done.removed };
    let out = Outcome::of(if done.clean { Exit::Done } else { Exit::No }, view);
    Ok(if done.clean {
        out
    } else {
        out.warn(format!("another program still reads an older state of the database, so the bytes are still there. End what reads it, then type again: {FINISH}"))
    })
}

/// What would happen, without a passphrase: for the operator whose sealed identity would be asked for.
fn dry_run(
    ctx: &Context,
    ws: &Workspace,
    mut view: AuditEraseView,
    members: &BTreeSet<String>,
) -> Result<Outcome, CliError> {
    let likely = ws.sealed_operator(ctx.identity_file().as_deref()).ok().and_then(|(_, s)| s.id()?.parse::<Id>().ok());
    let facts = ws.facts();
    let known = match likely {
        Some(id) => facts.identity(id)?.filter(|i| i.is_live()).map(|i| i.id),
        None => None,
    };
    let any = facts.operators()?.iter().find(|o| o.is_live()).map(|o| o.id);
    let operator = known.or(any).unwrap_or(Id::FIRST_OPERATOR);
    let step = examine(ws, &facts, operator, view.entry, members, ws.now(ctx.clock())?).map_err(refusal)?;
    view.take(&step);
    let exit = if step.is_agreed() { Exit::Done } else { Exit::Pending };
    too_few(ws, &step, Outcome::of(exit, view).note("dry run: nothing was done"))
}

/// More must agree than there are.
fn too_few(ws: &Workspace, step: &Step, out: Outcome) -> Result<Outcome, CliError> {
    let live = ws.facts().operators()?.iter().filter(|o| o.is_live()).count();
    if usize::from(step.needed) <= live {
        return Ok(out);
    }
    Ok(out
        .warn(format!(
            "{} operators must agree, and {live} {}: as things stand this cannot be carried out",
            step.needed,
            if live == 1 { "lives" } else { "live" }
        ))
        .note("One who was retired counts for 30 days. Enrol another: aosctl operator add NAME LINE"))
}

/// Who has to do what, while others have to agree.
fn waiting(out: Outcome, step: &Step, me: Id, seq: u64) -> Outcome {
    let (Some(request), Some(requester)) = (step.request, step.requester) else { return out };
    let again = format!("aosctl audit erase {seq}");
    if requester == me {
        return out
            .note(format!("Another operator agrees with: aosctl approve {request}"))
            .note(format!("Then you carry it out with: {again}"));
    }
    if step.approvals.is_empty() {
        return out
            .note(format!("{requester} asked for it in {request}. You agree with: aosctl approve {request}"))
            .note(format!("Then {requester} carries it out with: {again}"));
    }
    out.note(format!("{requester} asked for it in {request}, and more have to agree: aosctl approve {request}"))
}

/// The members to erase: those that were named, or all that may go.
fn wanted(found: &Target, named: &[String]) -> Result<BTreeSet<String>, CliError> {
    let seq = found.seq;
    let may: Vec<&str> = found.members.keys().map(String::as_str).collect();
    if named.is_empty() {
        if !may.is_empty() {
            return Ok(found.members.keys().cloned().collect());
        }
        let gone: Vec<&str> = found.erased.keys().map(String::as_str).collect();
        return Err(match gone.as_slice() {
            [] => CliError::no("nothing_to_erase", format!("entry {seq} holds nothing that may be erased"))
                .because("rules read everything that stands in it"),
            gone => {
                CliError::no("erased", format!("all of entry {seq} that may be erased is gone: {}", gone.join(", ")))
            }
        }
        .hint(format!("look at it: aosctl audit show {seq}")));
    }
    for name in named {
        if found.members.contains_key(name) {
            continue;
        }
        if let Some(by) = found.erased.get(name) {
            return Err(CliError::no("erased", format!("{name} of entry {seq} was erased by entry {by}"))
                .hint(format!("see when, by whom and why: aosctl audit show {by}")));
        }
        let list = if may.is_empty() { "nothing".to_string() } else { may.join(", ") };
        return Err(CliError::usage(format!("entry {seq} has no member {} that may be erased", safe(name)))
            .because(format!("what may be erased in it: {list}")));
    }
    Ok(named.iter().cloned().collect())
}

/// Why it was asked for, where it was.
fn said_before(
    ws: &Workspace,
    edits: &[crate::workspace::erase::Edit],
    members: &BTreeSet<String>,
) -> Result<Option<String>, CliError> {
    for edit in edits.iter().filter(|e| e.members == *members) {
        if let Event::RequestMade(made) = ws.event(edit.request.made_seq)?.1
            && made.rationale.is_some()
        {
            return Ok(made.rationale);
        }
    }
    Ok(None)
}

/// Shows what goes and asks.
fn confirm(ctx: &Context, view: &AuditEraseView) -> Result<(), CliError> {
    let prompter = ctx.prompter();
    let page = view.before(&ctx.screen());
    if !prompter.can_ask() {
        // The refusal below says which flag answers; what it was about is said here.
        let _ = std::io::stderr().lock().write_all(page.as_bytes());
    }
    if prompter.confirm_typed(&format!("{page}It cannot be brought back."), "erase", "--yes")? {
        return Ok(());
    }
    Err(CliError::no("not_confirmed", "nothing was erased"))
}

fn refusal(e: WorkspaceError) -> CliError {
    let kind = match &e {
        WorkspaceError::Refused(fault) => fault.kind,
        _ => "",
    };
    let error = CliError::from(e);
    match kind {
        "frozen.workspace" => error.hint("lift it first: aosctl thaw"),
        "changed" => error.hint("look again, and type it again"),
        _ => error,
    }
}
