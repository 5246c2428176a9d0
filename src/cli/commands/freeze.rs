//! `aosctl freeze`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::connect::{view::ids, words};
use crate::cli::commands::grant::view::{Named, Names, SignedBy};
use crate::cli::complete;
use crate::cli::context::Whoever;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::event::WorkspaceFrozen;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::request::Request;
use crate::domain::time::Time;
use crate::store::{GrantFilter, RequestFilter};
use crate::workspace::Workspace;

/// Deny everything, or one agent, from this moment.
///
/// Also in every process that already waits.
///
/// No passphrase is asked for: in an emergency nothing may stand in the way. Where nobody signs (an agent's --identity, or
/// --passphrase-file), the log does, and the entry says so: unattributed. An agent that presents its identity can freeze
/// only itself. No grant is lost: `aosctl thaw`, signed by an operator, undoes it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this agent, by name or id [default: everything]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what it would touch, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A freeze.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FreezeView {
    /// Nothing was to be done.
    pub dry_run: bool,
    /// As of which moment this is said.
    pub at: Time,
    /// `w-1` for everything, or an agent.
    pub target: Named,
    /// It is frozen by this command; without, it was frozen already, or this was a dry run.
    pub changed: bool,
    /// Since when it is frozen; absent in a dry run of what is not.
    pub since: Option<FrozenSince>,
    /// What the freeze stops and does not stop.
    pub touches: Touched,
    /// The line that undoes it.
    pub undo: String,
}

/// The entry that froze something.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FrozenSince {
    /// Its place in the log.
    pub seq: u64,
    /// When it was signed.
    pub at: Time,
    /// Who signed.
    pub signed_by: SignedBy,
}

/// What a freeze touches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Touched {
    /// Live grants that open nothing while it lasts.
    pub live_grants: u64,
    /// Requests that wait, and are denied while it lasts.
    pub waiting: Vec<Id>,
    /// Requests that were begun before: a freeze does not stop them.
    pub running: Vec<Id>,
}

/// The id and name of what was typed; everything where nothing was.
pub(super) fn target(ws: &Workspace, typed: Option<&str>) -> Result<Named, CliError> {
    match typed {
        None => Ok(Named { id: Id::WORKSPACE, name: None }),
        Some(typed) => {
            let agent = words::agent(ws, typed)?;
            Ok(Named { id: agent.id, name: agent.handle.clone() })
        }
    }
}

/// What is meant, in words. Foreign text.
pub(super) fn called(target: &Named) -> String {
    if target.id == Id::WORKSPACE { "everything".into() } else { target.short() }
}

/// The line, with the target where there is one.
pub(super) fn line(verb: &str, target: &Named) -> String {
    if target.id == Id::WORKSPACE { format!("aosctl {verb}") } else { format!("aosctl {verb} {}", target.short()) }
}

/// What a freeze of a target touches, leaving out requests by some agents.
pub(super) fn touched(ws: &Workspace, target: Id, but: &[Id], now: Time) -> Result<Touched, CliError> {
    let agent = (target != Id::WORKSPACE).then_some(target);
    let mine = |r: &Request| agent.is_none_or(|a| a == r.requester) && !but.contains(&r.requester);
    let of = |filter| -> Result<Vec<Request>, CliError> {
        Ok(ws.store().requests(filter)?.into_iter().filter(mine).collect())
    };
    let grants = ws.store().grants(&GrantFilter { agent, integration: None, live_at: Some(now) })?;
    Ok(Touched {
        live_grants: u64::try_from(grants.len()).unwrap_or(u64::MAX),
        waiting: ws
            .sort_standing(&of(RequestFilter::Unbegun(now))?, now)?
            .waiting
            .into_iter()
            .map(|(id, _)| id)
            .collect(),
        running: ws.sort_standing(&of(RequestFilter::Unsettled)?, now)?.running,
    })
}

/// The entry that froze something.
pub(super) fn since(ws: &Workspace, names: &mut Names<'_>, seq: u64) -> Result<FrozenSince, CliError> {
    let (entry, _) = ws.event(seq)?;
    Ok(FrozenSince { seq, at: entry.at, signed_by: names.signer(entry.actor)? })
}

impl View for FreezeView {
    const SCHEMA: &'static str = "aosctl.freeze/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let name = match (self.changed, &self.since) {
            (true, _) => "frozen",
            (false, Some(_)) => "already",
            (false, None) => "would freeze",
        };
        field(name, &called(&self.target));
        if let Some(s) = &self.since {
            field("since", &format!("{}, entry {}, signed by {}", show::minute(s.at), s.seq, s.signed_by.long()));
        }
        let t = &self.touches;
        let grants = match t.live_grants {
            0 => "none live".into(),
            1 => "1 live, and it opens nothing while it lasts".into(),
            n => format!("{n} live, and they open nothing while it lasts"),
        };
        field("grants", &grants);
        field(
            "waiting",
            &if t.waiting.is_empty() { "none".into() } else { format!("{}: denied while it lasts", ids(&t.waiting)) },
        );
        let running = if t.running.is_empty() {
            "none".into()
        } else {
            format!("{}: begun before, and not stopped by this", ids(&t.running))
        };
        field("running", &running);
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    let target = target(&ws, args.agent.as_deref())?;
    let whoever = ctx.whoever(&ws)?;
    own(&whoever, &target)?;
    let (changed, seq, pin) = if args.dry_run {
        (false, ws.facts().frozen(target.id)?, None)
    } else {
        let ((changed, seq), pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
            if let Some(seq) = tx.facts().frozen(target.id)? {
                return Ok((false, seq));
            }
            let done = tx.append(whoever.by(), WorkspaceFrozen { target: target.id, reason: reason.clone() })?;
            Ok((true, done.seq))
        })?;
        (changed, Some(seq), pin)
    };
    let told = tell(&ws, ctx, &args, &target, changed, seq);
    let out = told.map_err(|e| if changed { words::done_already(e, "it is frozen") } else { e })?;
    let out = if changed { out.warn_unsigned(&whoever) } else { out };
    Ok(out.warn_if(pin))
}

/// What there is to say about it. Counting comes last: it must not hold the freeze up.
fn tell(
    ws: &Workspace,
    ctx: &Context,
    args: &Args,
    target: &Named,
    changed: bool,
    seq: Option<u64>,
) -> Result<Outcome, CliError> {
    let now = ws.now(ctx.clock())?;
    let mut names = Names::new(ws)?;
    let since = seq.map(|s| since(ws, &mut names, s)).transpose()?;
    let undo = line("thaw", target);
    let unattributed = changed && since.as_ref().is_some_and(|s| !s.signed_by.attributed);
    let view = FreezeView {
        dry_run: args.dry_run,
        at: now,
        touches: touched(ws, target.id, &[], now)?,
        target: target.clone(),
        changed,
        since,
        undo: undo.clone(),
    };
    let mut out = Outcome::of(Exit::Done, view);
    if args.dry_run {
        out = out.note("dry run: nothing was done");
    }
    out = out.note(format!("undo, as an operator: {undo}"));
    Ok(if unattributed { out.note("unattributed: the log says that it happened, and not who did it") } else { out })
}

/// An agent freezes only itself.
fn own(whoever: &Whoever, target: &Named) -> Result<(), CliError> {
    match whoever {
        Whoever::Agent(a) if a.id != target.id => {
            Err(CliError::no("needs_operator", format!("{} may freeze only itself; nothing was frozen", a.id))
                .because("the identity that was presented (--identity or AOSCTL_IDENTITY) is an agent's")
                .hint(format!("itself: aosctl freeze {}", a.id))
                .hint("as an operator, or as nobody in particular: leave out --identity and AOSCTL_IDENTITY"))
        }
        _ => Ok(()),
    }
}
