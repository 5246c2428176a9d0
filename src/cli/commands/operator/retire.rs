//! `aosctl operator retire`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::agent::check_as_of;
use crate::cli::commands::audit::disputed::disputed_of;
use crate::cli::commands::audit::disputed::view::{DisputedIdentity, list as disputes};
use crate::cli::commands::connect::view::ids;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::cli::vault::{self, NotResealed};
use crate::domain::event::IdentityRetired;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::store::GrantFilter;

/// Take every right from an operator, for good.
///
/// Their agents have no rights any more either, and the attended secrets of the vault are sealed without them. What they
/// have seen they have seen: the page names the keys to turn over. The last operator cannot be retired: nobody could
/// decide anything again. A recovery identity is retired by its id.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Their name or id
    #[arg(value_name = "NAME", add = complete::operators())]
    name: String,
    /// What they signed from this entry on is disputed: somebody else may have had their identity
    #[arg(long, value_name = "SEQ", value_parser = crate::cli::commands::audit::entry_number)]
    as_of: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An operator who was retired, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorRetireView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Their id.
    pub operator: Id,
    /// Their name.
    pub name: Option<String>,
    /// Agents that acted for them, and have no rights any more.
    pub agents: Vec<String>,
    /// Live grants of those agents: they open nothing any more.
    pub dead_grants: Vec<Id>,
    /// Live grants of other agents that they answer for, and still do on paper.
    pub owned_grants: Vec<Id>,
    /// What they signed from this entry on is disputed.
    pub disputed_from: Option<u64>,
    /// What they signed from there on, what depends on it, and what revokes it.
    pub disputed: Vec<DisputedIdentity>,
    /// The entry that retired them; absent in a dry run.
    pub seq: Option<u64>,
    /// Keys whose attended secrets they could open, and may have copies of.
    pub could_open: Vec<Id>,
    /// Attended secrets that are still sealed for them too, because they could not be opened and sealed again.
    pub not_resealed: Vec<NotResealed>,
}

impl View for OperatorRetireView {
    const SCHEMA: &'static str = "aosctl.operator-retire/v1";

    fn human(&self, screen: &Screen) -> String {
        let verb = if self.dry_run { "would be retired" } else { "retired" };
        let name = self.name.as_ref().map(|n| format!(" ({n})")).unwrap_or_default();
        let list = |ids: &[Id]| match ids {
            [] => "none".to_string(),
            ids => ids.iter().map(Id::to_string).collect::<Vec<_>>().join(", "),
        };
        let mut out = show::field(screen, "operator", &format!("{}{name} {verb}", self.operator));
        let agents = if self.agents.is_empty() { "none".into() } else { self.agents.join(", ") };
        out.push_str(&show::field(screen, "dead agents", &agents));
        out.push_str(&show::field(screen, "dead grants", &list(&self.dead_grants)));
        if !self.owned_grants.is_empty() {
            out.push_str(&show::field(
                screen,
                "no owner",
                &format!("{} have nobody to answer for them", list(&self.owned_grants)),
            ));
        }
        if !self.could_open.is_empty() {
            out.push_str(&show::field(screen, "could open", &ids(&self.could_open)));
        }
        if let Some(seq) = self.disputed_from {
            out.push_str(&show::field(screen, "disputed", &format!("what they signed from entry {seq} on")));
            out.push_str(&disputes(&self.disputed, screen));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let target = ws.find_operator(&args.name)?.ok_or_else(|| {
        CliError::no("no_such_operator", format!("there is no operator {}", safe(&args.name)))
            .because("no operator has that id, or not exactly one has that name")
            .hint("see who there is: aosctl operator list")
    })?;
    let paper = target.recovers();
    if target.retired_seq.is_some() {
        return Err(CliError::no("retired", format!("{} was retired before", target.id))
            .hint(format!("what it signed: aosctl audit log --actor {}", target.id)));
    }
    let last = || {
        CliError::no("last_operator", "the last operator cannot be retired")
            .because("nobody could decide, connect or enrol anything ever again")
            .hint("enrol another one first: aosctl operator add NAME LINE")
            .hint("or stop everything: aosctl freeze")
    };
    if paper.is_none() && ws.facts().operators()?.iter().filter(|o| o.is_live()).count() < 2 {
        return Err(last());
    }
    check_as_of(args.as_of, target.enrolled_seq, ws.store().last_seq()?)?;
    let agents: Vec<_> = ws
        .store()
        .identities(IdKind::Agent)?
        .into_iter()
        .filter(|a| a.is_live() && a.operator == Some(target.id))
        .collect();
    let live = ws.store().grants(&GrantFilter { live_at: Some(now), ..GrantFilter::default() })?;
    let theirs = |agent: Id| agents.iter().any(|a| a.id == agent);
    let mut view = OperatorRetireView {
        dry_run: args.dry_run,
        operator: target.id,
        name: ws.operator_name(&target)?,
        dead_grants: live.iter().filter(|g| theirs(g.agent)).map(|g| g.id).collect(),
        owned_grants: live.iter().filter(|g| g.owner == target.id && !theirs(g.agent)).map(|g| g.id).collect(),
        agents: agents.iter().map(|a| a.handle.clone().unwrap_or_else(|| a.id.to_string())).collect(),
        disputed_from: args.as_of,
        disputed: Vec::new(),
        seq: None,
        could_open: vault::open_to(&ws, &target.public_key)?,
        not_resealed: Vec::new(),
    };
    if args.dry_run {
        if let Some(from) = args.as_of {
            view.disputed = disputed_of(&ws, target.id, from, now)?;
        }
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    if args.as_of.is_some() && me.id == target.id {
        return Err(CliError::no("yourself", "another operator has to say from where on your identity was stolen")
            .because("whoever stole it could say so too, and throw doubt on what you signed yourself")
            .hint(format!("they type: aosctl operator retire {} --as-of SEQ", target.id))
            .hint("stop everything until then: aosctl freeze"));
    }
    let ((appended, resealed), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        // Two who retire each other at once must not both succeed.
        if paper.is_none() && tx.facts().operators()?.iter().filter(|o| o.is_live()).count() < 2 {
            return Err(last());
        }
        let left = vault::circle_but(tx.facts(), Some(target.id))?;
        // Before they are retired, because it may be the one who signs.
        let resealed = vault::reseal(&ws, tx, &me, &left, &format!("not sealed for {} any more", target.id))?;
        let retired = IdentityRetired { id: target.id, as_of: args.as_of, reason: args.reason };
        Ok((tx.append(me.by(), retired)?, resealed))
    })?;
    resealed.clear(&ws);
    view.not_resealed.clone_from(&resealed.not);
    view.seq = Some(appended.seq);
    if let Some(from) = args.as_of {
        view.disputed = disputed_of(&ws, target.id, from, now)?;
    }
    let known = view.could_open.clone();
    let mut out = resealed.tell(Outcome::of(Exit::Done, view).warn_if(warning));
    if let Some(operator) = paper {
        out = out.note(format!(
            "That code recovers nothing any more. Another one for {operator}: aosctl operator recovery new"
        ));
        return Ok(if known.is_empty() {
            out
        } else {
            out.note(format!("Whoever has it may have copies of the secrets of {}.", ids(&known)))
        });
    }
    if !known.is_empty() {
        out = out.note(format!("They may have copies of the secrets of {}: turn those keys over.", ids(&known)));
    }
    let out = if me.id == target.id { out.warn("that was you: your identity signs nothing any more") } else { out };
    let out =
        if args.as_of.is_some() { out.note("See again what is left to revoke: aosctl audit disputed") } else { out };
    Ok(out.note("For 30 days they still count where an edit of the audit trail needs two approvers."))
}
