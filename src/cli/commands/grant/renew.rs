//! `aosctl grant renew`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{GrantRow, Named, Names, ends_whole};
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::advice::{End, endless};
use crate::domain::event::GrantRenewed;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::time::Time;
use crate::workspace::Workspace;

/// Let a grant last longer. Only an operator can; the policy's longest bounds it.
///
/// The new end counts from now. A grant that expired can be renewed; one that was revoked is opened again with
/// `aosctl connect --again`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The grant's id, such as g-7
    #[arg(value_name = "GRANT", add = complete::grants())]
    grant: String,
    /// The new end: 90d, 2027-03-01 (00:00 UTC) or never [default: the policy's]
    #[arg(long, value_name = "WHEN")]
    expires: Option<End>,
    /// Go on although there is a warning
    #[arg(long, requires = "reason")]
    accept_risk: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A grant that was renewed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantRenewView {
    /// Nothing was to be done.
    pub dry_run: bool,
    /// As of which moment this is said.
    pub at: Time,
    /// The grant as it is now; in a dry run, as it would be.
    pub grant: GrantRow,
    /// The end that it had.
    pub before: Option<Time>,
    /// The entry that renewed it.
    pub seq: Option<u64>,
    /// Who signed.
    pub signed_by: Option<Named>,
}

impl View for GrantRenewView {
    const SCHEMA: &'static str = "aosctl.grant-renew/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        field(
            "grant",
            &format!("{}, {}", self.grant.id, if self.seq.is_some() { "renewed" } else { "would be renewed" }),
        );
        field("opens", &self.grant.gist());
        field("ends", &ends_whole(self.grant.until, self.at));
        field("before", &ends_whole(self.before, self.at));
        if let (Some(seq), Some(by)) = (self.seq, &self.signed_by) {
            field("entry", &format!("{seq}, signed by {}", by.long()));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "renew a grant")?;
    let now = ws.now(ctx.clock())?;
    let old = words::grant(&ws, &args.grant)?;
    let until = renewal(&ws, &args, &old, now)?;
    let warning = endless(old.access, until);
    if let Some(text) = warning.as_deref().filter(|_| !args.accept_risk) {
        let instead = format!("aosctl grant renew {} --expires 90d", old.id);
        let prompter = ctx.prompter();
        let prompt = format!("{text}\n  {instead}\nRenew it without an end?");
        let yes = !args.dry_run
            && prompter.can_ask()
            && prompter.confirm_typed(&prompt, "yes", "--accept-risk --reason TEXT")?;
        if !yes {
            return Err(CliError::no("write.endless", text)
                .hint(format!("type instead: {instead}"))
                .hint("or accept it, and say why: --accept-risk --reason TEXT"));
        }
    }
    let renewed = Grant { until, ..(*old).clone() };
    let mut names = Names::new(&ws)?;
    let mut view = GrantRenewView {
        dry_run: args.dry_run,
        at: now,
        grant: names.grant(&renewed, now)?,
        before: old.until,
        seq: None,
        signed_by: None,
    };
    if args.dry_run {
        return Ok(noted(Outcome::of(Exit::Done, view).note("dry run: nothing was done"), &old, until, now, warning));
    }
    let operator = ctx.unlock(&ws)?;
    let ((grant, done), pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let g = words::grant(&ws, &args.grant)?;
        if g.changed_seq != old.changed_seq {
            return Err(CliError::no(
                "changed",
                format!("{} changed while this was being decided; it was not renewed", g.id),
            )
            .hint(format!("see it as it is now: aosctl grant show {}", g.id)));
        }
        let until = renewal(&ws, &args, &g, tx.now())?;
        let done = tx.append(operator.by(), GrantRenewed { grant: g.id, until, reason: reason.clone() })?;
        Ok((Grant { until, ..(*g).clone() }, done))
    })?;
    view.at = done.at;
    view.grant = names.grant(&grant, done.at)?;
    view.seq = Some(done.seq);
    view.signed_by = Some(names.of(operator.id)?);
    Ok(noted(Outcome::of(Exit::Done, view).warn_if(pin), &old, until, now, warning))
}

fn noted(mut out: Outcome, old: &Grant, until: Option<Time>, now: Time, warning: Option<String>) -> Outcome {
    if let Some(text) = warning {
        out = out.warn(format!("{text} [write.endless, accepted]"));
    }
    if until.is_some_and(|new| old.until.is_none_or(|end| new < end)) {
        out = out.warn("it ends earlier than before");
    }
    if !old.is_live(now) {
        out = out.note(format!("{} had expired; the door is open again", old.id));
    }
    out.note(format!("close it at any time: aosctl revoke {}", old.id))
}

/// The new end, checked.
fn renewal(ws: &Workspace, args: &Args, g: &Grant, now: Time) -> Result<Option<Time>, CliError> {
    if g.revoked_seq.is_some() {
        return Err(CliError::no("revoked", format!("{} was revoked, and stays so", g.id))
            .hint(format!("open it again: aosctl connect --again {}", g.id)));
    }
    let facts = ws.facts();
    let policy = facts.policy()?.ok_or_else(|| CliError::no("no_policy", "no policy was ever adopted"))?;
    let terms = &policy.rules.grants;
    let end = args.expires.unwrap_or(End::After(terms.expires));
    words::end_in_bounds(end, now, terms.longest)?;
    let agent = facts.identity(g.agent)?;
    if !agent.as_ref().is_some_and(|a| a.is_live()) {
        let name = agent.and_then(|a| a.handle.clone()).map(|n| format!(" ({})", safe(&n))).unwrap_or_default();
        return Err(CliError::no("agent_not_live", format!("{}{name} was retired", g.agent))
            .hint(format!("give it to another one: aosctl connect --again {} --agent NAME", g.id)));
    }
    Ok(end.until(now))
}
