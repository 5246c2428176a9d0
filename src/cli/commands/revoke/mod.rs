//! `aosctl revoke`.

pub(in crate::cli) mod view;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

pub use self::view::RevokeView;
use self::view::{AtProvider, Closed, NotClosed};
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::commands::grant::view::{GrantRow, Names};
use crate::cli::commands::grant::{StandingRequest, beside};
use crate::cli::complete;
use crate::cli::context::Whoever;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::event::GrantRevoked;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::time::Time;
use crate::workspace::{StandingOn, Workspace, WorkspaceError, same_door};

/// Close a door at once: a grant, an agent's or an integration's.
///
/// An agent's are all that it has open; an integration's are all that lead to it.
///
/// No passphrase is asked for: in an emergency nothing may stand in the way. Where nobody signs (an agent's --identity, or
/// --passphrase-file), the log does, and the entry says so: unattributed. An agent that presents its identity can close
/// only its own doors. What is already closed is no error; of several targets, those that can be closed are closed even if
/// another one cannot.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Grants by id; agents and integrations by name or id
    #[arg(value_name = "TARGET", required = true, add = complete::doors())]
    targets: Vec<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be closed, and close nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// With more doors than these, one line says how to undo it; the JSON has them all.
const MOST_UNDO_LINES: usize = 5;

/// What a target names.
enum Target {
    Grant(Id),
    Agent(Id, String),
    Integration(Id, String),
}

/// What the targets come to at a moment.
#[derive(Default)]
struct Found {
    close: BTreeMap<Id, (Rc<Grant>, StandingOn)>,
    already: Vec<Id>,
    nothing_open: Vec<String>,
    damaged: Vec<Id>,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    let mut targets = Vec::new();
    let mut refused: Vec<(String, CliError)> = Vec::new();
    for typed in &args.targets {
        match target(&ws, typed) {
            Ok(t) => targets.push(t),
            Err(e) => refused.push((typed.clone(), e)),
        }
    }
    // One slip says it in the shape of an error; beside doors that can be closed it must not hold those up.
    if targets.is_empty()
        && refused.len() == 1
        && let Some((_, e)) = refused.pop()
    {
        return Err(e);
    }
    let whoever = ctx.whoever(&ws)?;
    let (found, seqs, at, pin) = if args.dry_run {
        let now = ws.now(ctx.clock())?;
        let found = find(&ws, &targets, now)?;
        own(&whoever, &found)?;
        (found, BTreeMap::new(), now, None)
    } else {
        let ((found, seqs, at), pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
            let found = find(&ws, &targets, tx.now())?;
            own(&whoever, &found)?;
            let mut seqs = BTreeMap::new();
            for id in found.close.keys() {
                let done = tx.append(whoever.by(), GrantRevoked { grant: *id, reason: reason.clone() })?;
                seqs.insert(*id, done.seq);
            }
            Ok((found, seqs, tx.now()))
        })?;
        (found, seqs, at, pin)
    };
    let signer = (!seqs.is_empty()).then(|| whoever.by().actor);
    let told = finish(&ws, args.dry_run, found, refused, &seqs, signer, at);
    let out = told.map_err(|e| if seqs.is_empty() { e } else { words::done_already(e, "the doors are closed") })?;
    let out = if seqs.is_empty() { out } else { out.warn_unsigned(&whoever) };
    Ok(out.warn_if(pin))
}

/// What there is to say about it, after it is done.
fn finish(
    ws: &Workspace,
    dry_run: bool,
    found: Found,
    refused: Vec<(String, CliError)>,
    seqs: &BTreeMap<Id, u64>,
    signer: Option<Actor>,
    at: Time,
) -> Result<Outcome, CliError> {
    let mut names = Names::new(ws)?;
    let signed_by = signer.map(|s| names.signer(s)).transpose()?;
    let still_open = still_open(ws, &mut names, &found, at)?;
    let at_provider = providers(ws, &found)?;
    let mut closed = Vec::new();
    for (id, (g, on)) in &found.close {
        closed.push(Closed {
            grant: names.grant(g, at)?,
            seq: seqs.get(id).copied(),
            cancelled: on
                .waiting
                .iter()
                .map(|(request, standing)| StandingRequest { request: *request, standing: *standing })
                .collect(),
            running: on.running.clone(),
            undo: format!("aosctl connect --again {id}"),
        });
    }
    let mut not_closed: Vec<NotClosed> =
        refused.into_iter().map(|(target, e)| NotClosed { target, why: e.what, hints: e.hints }).collect();
    for id in &found.damaged {
        not_closed.push(NotClosed {
            target: id.to_string(),
            why: format!("the entries about {id} do not verify; nothing is allowed on it"),
            hints: vec!["see everything that is wrong: aosctl audit verify".into()],
        });
    }
    let exit = match (found.damaged.is_empty(), not_closed.is_empty()) {
        (false, _) => Exit::Integrity,
        (true, false) => Exit::No,
        (true, true) => Exit::Done,
    };
    let unattributed = signed_by.as_ref().is_some_and(|s| !s.attributed);
    let undo: Vec<String> = closed.iter().map(|c: &Closed| c.undo.clone()).collect();
    let mut notes = Vec::new();
    let mut warnings = Vec::new();
    for n in &not_closed {
        warnings.push(format!("not closed: {}", n.why));
        notes.extend(n.hints.iter().cloned());
    }
    if dry_run {
        notes.push("dry run: nothing was done".into());
    } else if undo.len() > MOST_UNDO_LINES {
        notes.push("undo, for each of these: aosctl connect --again GRANT".into());
    } else {
        notes.extend(undo.into_iter().map(|line| format!("undo: {line}")));
    }
    if unattributed {
        notes.push("unattributed: the log says that it happened, and not who did it".into());
    }
    let view = RevokeView {
        dry_run,
        at,
        signed_by,
        closed,
        already: found.already,
        nothing_open: found.nothing_open,
        not_closed,
        still_open,
        at_provider,
    };
    let mut out = Outcome::of(exit, view);
    out.notes = notes;
    out.warnings = warnings;
    Ok(out)
}

/// What a word names.
fn target(ws: &Workspace, typed: &str) -> Result<Target, CliError> {
    if let Ok(id) = typed.parse::<Id>() {
        return match id.kind {
            IdKind::Grant => words::grant(ws, typed).map(|g| Target::Grant(g.id)),
            IdKind::Agent => {
                words::agent(ws, typed).map(|a| Target::Agent(a.id, a.handle.clone().unwrap_or_else(|| typed.into())))
            }
            IdKind::Integration => words::integration(ws, typed).map(|i| Target::Integration(i.id, i.handle.clone())),
            IdKind::Request => Err(CliError::no("not_a_door", format!("{id} is a request, and not a door"))
                .hint(format!("to say no to it: aosctl deny {id} --reason TEXT"))),
            _ => Err(CliError::no("not_a_door", format!("{id} is no grant, agent or integration"))
                .hint("see what is open: aosctl grant list")),
        };
    }
    match (ws.find_agent(typed)?, ws.find_integration(typed)?) {
        (Some(a), None) => Ok(Target::Agent(a.id, typed.into())),
        (None, Some(i)) => Ok(Target::Integration(i.id, typed.into())),
        (Some(a), Some(i)) => Err(CliError::no(
            "ambiguous",
            format!("{} is an agent ({}) and an integration ({})", safe(typed), a.id, i.id),
        )
        .hint(format!("say which: aosctl revoke {}, or aosctl revoke {}", a.id, i.id))),
        (None, None) => {
            let agents = ws.store().identities(IdKind::Agent)?;
            let integrations = ws.store().integrations()?;
            let known =
                agents.iter().filter_map(|a| a.handle.as_deref()).chain(integrations.iter().map(|i| i.handle.as_str()));
            Err(words::unknown("no_such_target", "grant, agent or integration", typed, known)
                .hint("see what is open: aosctl grant list"))
        }
    }
}

/// What the targets come to. What does not verify stays out and is said; nothing is allowed on it anyway.
fn find(ws: &Workspace, targets: &[Target], now: Time) -> Result<Found, CliError> {
    let mut found = Found::default();
    let facts = ws.facts();
    for t in targets {
        let (agent, integration, name) = match t {
            Target::Grant(id) => {
                match facts.grant(*id) {
                    Ok(Some(g)) if g.revoked_seq.is_none() => add(ws, &mut found, g, now)?,
                    Ok(_) if !found.already.contains(id) => found.already.push(*id),
                    Ok(_) => {}
                    Err(WorkspaceError::Integrity { .. }) => found.damaged.push(*id),
                    Err(e) => return Err(e.into()),
                }
                continue;
            }
            Target::Agent(id, name) => (Some(*id), None, name),
            Target::Integration(id, name) => (None, Some(*id), name),
        };
        let doors = ws.open_doors(agent, integration, now)?;
        if doors.grants.is_empty() && doors.damaged.is_empty() {
            found.nothing_open.push(name.clone());
        }
        for g in doors.grants {
            add(ws, &mut found, g, now)?;
        }
        found.damaged.extend(doors.damaged);
    }
    found.damaged.sort_unstable();
    found.damaged.dedup();
    Ok(found)
}

fn add(ws: &Workspace, found: &mut Found, g: Rc<Grant>, now: Time) -> Result<(), CliError> {
    if let Entry::Vacant(place) = found.close.entry(g.id) {
        // What stands on it is only said; a request that cannot be read must not keep the door open.
        let on = match ws.standing_on(g.id, now) {
            Ok(on) => on,
            Err(WorkspaceError::Integrity { .. } | WorkspaceError::Store(_)) => StandingOn::default(),
            Err(e) => return Err(e.into()),
        };
        place.insert((g, on));
    }
    Ok(())
}

/// An agent closes only what is its own.
fn own(whoever: &Whoever, found: &Found) -> Result<(), CliError> {
    let Whoever::Agent(a) = whoever else { return Ok(()) };
    let others: Vec<String> =
        found.close.values().filter(|(g, _)| g.agent != a.id).map(|(g, _)| g.id.to_string()).collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(CliError::no(
        "not_the_holder",
        format!("{} may close only its own doors, and {} is not its own; nothing was closed", a.id, others.join(", ")),
    )
    .because("the identity that was presented (--identity or AOSCTL_IDENTITY) is an agent's")
    .hint(format!("its own: aosctl revoke {}", a.id))
    .hint("as an operator, or as nobody in particular: leave out --identity and AOSCTL_IDENTITY"))
}

/// Other live grants that open one of the doors that were closed; those of the same agents first.
fn still_open(ws: &Workspace, names: &mut Names<'_>, found: &Found, at: Time) -> Result<Vec<GrantRow>, CliError> {
    let mut integrations: Vec<Id> = found.close.values().map(|(g, _)| g.integration).collect();
    integrations.sort_unstable();
    integrations.dedup();
    let mut rows = Vec::new();
    for integration in integrations {
        let same = |o: &Grant| {
            let mut closed = found.close.values().filter(|(g, _)| g.integration == integration);
            !found.close.contains_key(&o.id) && closed.any(|(g, _)| same_door(&g.scope, &o.scope))
        };
        match beside(ws, names, integration, same, at) {
            Ok(found) => rows.extend(found),
            // It is closed; what else is open can be asked again.
            Err(e) if e.exit == Exit::Integrity => {}
            Err(e) => return Err(e),
        }
    }
    let same_agent = |r: &GrantRow| found.close.values().any(|(g, _)| g.agent == r.agent.id);
    rows.sort_by_key(|r| (!same_agent(r), r.id));
    Ok(rows)
}

/// What to do at the providers.
fn providers(ws: &Workspace, found: &Found) -> Result<Vec<AtProvider>, CliError> {
    let facts = ws.facts();
    let mut ids: Vec<Id> = found.close.values().map(|(g, _)| g.integration).collect();
    ids.sort_unstable();
    ids.dedup();
    let policy = facts.policy()?;
    let mut all = Vec::new();
    for id in ids {
        let integration = facts.integration(id)?;
        let kind = integration.as_ref().and_then(|i| policy.as_ref().and_then(|p| p.rules.kind(&i.kind)));
        if let (Some(i), Some(k)) = (&integration, kind) {
            all.push(AtProvider { integration: i.handle.clone(), title: k.title.clone(), close: k.close.clone() });
        }
    }
    Ok(all)
}
