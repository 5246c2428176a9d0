//! `aosctl agent retire`.

use schemars::JsonSchema;
use serde::Serialize;

use super::show::{doors, open_requests};
use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::event::IdentityRetired;
use crate::domain::facts::Facts;
use crate::domain::id::Id;

/// Take every right from an agent, for good.
///
/// Its grants open nothing any more, what it asked for is cancelled, and its name is never used again. To stop an agent
/// at once and without a passphrase, freeze it: aosctl freeze NAME.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name or id
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// What it signed from this entry on is disputed: somebody else may have had its identity
    #[arg(long, value_name = "SEQ", value_parser = crate::cli::commands::audit::entry_number)]
    as_of: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An agent that was retired, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentRetireView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id.
    pub agent: Id,
    /// Its name.
    pub name: String,
    /// The live grants that open nothing any more.
    pub dead_grants: Vec<DeadGrant>,
    /// Requests that can no longer be begun, or have no outcome yet.
    pub requests: Vec<Id>,
    /// What it signed from this entry on is disputed.
    pub disputed_from: Option<u64>,
    /// The entry that retired it; absent in a dry run.
    pub seq: Option<u64>,
}

/// A grant that opens nothing any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeadGrant {
    /// Its id.
    pub grant: Id,
    /// What it opened, in words.
    pub opened: String,
}

impl View for AgentRetireView {
    const SCHEMA: &'static str = "aosctl.agent-retire/v1";

    fn human(&self, screen: &Screen) -> String {
        let verb = if self.dry_run { "would be retired" } else { "retired" };
        let mut out = show::field(screen, "agent", &format!("{} ({}) {verb}", self.name, self.agent));
        for (i, g) in self.dead_grants.iter().enumerate() {
            let label = if i == 0 { "dead grants" } else { "" };
            out.push_str(&show::field(screen, label, &format!("{}: {}", g.grant, g.opened)));
        }
        if self.dead_grants.is_empty() {
            out.push_str(&show::field(screen, "dead grants", "none: it held no live grant"));
        }
        if !self.requests.is_empty() {
            let ids = self.requests.iter().map(Id::to_string).collect::<Vec<_>>().join(", ");
            out.push_str(&show::field(screen, "cancels", &ids));
        }
        if let Some(seq) = self.disputed_from {
            out.push_str(&show::field(screen, "disputed", &format!("what it signed from entry {seq} on")));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let agent = super::find(&ws, &args.name)?;
    let name = super::name(&agent);
    let gone = || CliError::no("retired", format!("{} ({}) was retired before", safe(&name), agent.id));
    if !agent.is_live() {
        return Err(gone());
    }
    check_as_of(args.as_of, agent.enrolled_seq, ws.store().last_seq()?)?;
    let dead_grants = doors(&ws, &agent, now)?
        .into_iter()
        .map(|d| DeadGrant { grant: d.grant, opened: format!("{} {} to {}", d.integration_name, d.access, d.scope) })
        .collect();
    let requests = open_requests(&ws, agent.id, now)?.into_iter().map(|r| r.request).collect();
    let mut view = AgentRetireView {
        dry_run: args.dry_run,
        agent: agent.id,
        name: name.clone(),
        dead_grants,
        requests,
        disputed_from: args.as_of,
        seq: None,
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let (appended, warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        if !tx.facts().identity(agent.id)?.is_some_and(|a| a.is_live()) {
            return Err(gone());
        }
        Ok(tx.append(me.by(), IdentityRetired { id: agent.id, as_of: args.as_of, reason: args.reason })?)
    })?;
    view.seq = Some(appended.seq);
    let out = Outcome::of(Exit::Done, view).warn_if(warning);
    let out = if args.as_of.is_some() {
        out.note("See what it did, and what revokes it: aosctl audit disputed")
    } else {
        out
    };
    Ok(out.note(format!(
        "It has no rights from here on, and its name is not used again. Its identity file is of no use any more; delete \
         it where it lies (by default {}).",
        safe(&ws.agent_file(&name).display().to_string())
    )))
}

/// A dispute begins at an entry that exists, and not before the identity did.
pub(in crate::cli::commands) fn check_as_of(
    as_of: Option<u64>,
    enrolled: u64,
    last: Option<u64>,
) -> Result<(), CliError> {
    let last = last.unwrap_or(0);
    match as_of {
        Some(seq) if seq <= enrolled || seq > last => {
            Err(CliError::usage(format!("--as-of {seq}: no entry that it could have signed"))
                .because(format!("it was enrolled by entry {enrolled}, and the last entry is {last}"))
                .hint("find the first entry that is in doubt: aosctl audit log --actor ID"))
        }
        _ => Ok(()),
    }
}
