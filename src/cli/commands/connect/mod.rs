//! `aosctl connect`.

mod carry;
mod plan;
mod prompt;
pub(in crate::cli) mod view;
pub(super) mod words;

use std::io::Write;

use self::plan::{Plan, Wanted};
pub use self::view::ConnectView;
use self::view::Replaced;
use crate::cli::Context;
use crate::cli::commands::grant::view::{Names, ends_whole};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::advice::End;
use crate::domain::event::{GrantIssued, GrantRevoked, IntegrationAdded};
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::key::Delivery;
use crate::domain::time::Time;
use crate::workspace::{By, Tx, Workspace};

/// Open a narrow door: issue a grant.
///
/// One agent may reach one integration at one scope, with one access level, until a date. Read is the default; write and
/// admin must be said. What is wider than it need be is warned about, with the narrower line to type instead. A grant
/// that can change things takes the place of one that could only read the same. A grant of the same agent, integration,
/// scope and access takes the place of the one that is open, where the key, its programs, the mission, the data or the
/// owner is another; where only the end is, renew that one.
///
/// With --key the grant carries a key: `aosctl run` then gives its secret to the child it starts, if that is one of the
/// programs named with --to, by path and SHA-256. A program that was changed gets nothing until it is named anew. What may
/// print its secret can: a shell, an interpreter, a script, or a program that hands on what it is given is warned about.
///
/// On a terminal it asks for what is missing, from the catalogue.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// An integration, or a kind of the catalogue, which is then added under that name
    #[arg(value_name = "INTEGRATION", conflicts_with = "again", add = complete::integrations())]
    pub integration: Option<String>,
    /// The agent that may, by name or id
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// Which part of the integration, such as repo:acme/app
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// How much [default: read]
    #[arg(long, value_name = "LEVEL", value_parser = words::access_parser())]
    pub access: Option<Access>,
    /// The most delicate data that may be touched [default: internal]
    #[arg(long, value_name = "CLASS", value_parser = words::data_parser())]
    pub data: Option<DataClass>,
    /// The operator who answers for it, by id or name [default: you]
    #[arg(long, value_name = "OPERATOR", add = complete::operators())]
    pub owner: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub mission: Option<String>,
    /// The end: 90d, 2027-03-01 (00:00 UTC) or never [default: the policy's]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<End>,
    /// A key whose secret `run` gives to the programs named with --to, by name or id
    #[arg(long, value_name = "KEY", add = complete::keys(), conflicts_with = "no_key")]
    pub key: Option<String>,
    /// A program that may have the key's secret, which is this very file from now on (repeatable)
    #[arg(long = "to", value_name = "PROGRAM", value_hint = clap::ValueHint::CommandName)]
    pub to: Vec<String>,
    /// How it gets the secret: env:NAME in a variable, file:NAME in a file in memory that the variable names, fd:NAME on a
    /// descriptor whose number the variable holds, or stdin
    #[arg(long = "as", value_name = "HOW")]
    pub deliver: Option<Delivery>,
    /// With --again: without the key that the other grant carries
    #[arg(long)]
    pub no_key: bool,
    /// Open it although there are warnings; they are recorded with the reason
    #[arg(long, requires = "reason")]
    pub accept_risk: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Open a grant again on the same terms, changed by the flags beside it
    #[arg(long, value_name = "GRANT")]
    pub again: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Lines that can be pasted, in eighty columns.
const EXAMPLES: &str = r"Examples:
  aosctl connect github --agent build-bot --scope repo:acme/app \
    --mission 'answer questions about the code'

  aosctl connect stripe --agent billing-bot --scope resource:refunds \
    --access write --mission 'pay refunds back' \
    --key stripe-live --to stripe --as env:STRIPE_API_KEY

  After an update of that program, name it again:
  aosctl connect --again g-7 --to stripe";

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let mission = args.mission.as_deref().map(|m| words::text("--mission", m)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "open a door")?;
    let now = ws.now(ctx.clock())?;
    let args = Args { mission, ..args };
    let (wanted, asked) = wanted(&args, ctx, &ws, now)?;
    let plan = plan::make(&ws, &wanted, now)?;
    let mut view = describe(&ws, &plan, now)?;
    view.dry_run = args.dry_run;

    let accepted = args.accept_risk || plan.advice.warnings.is_empty() || (!args.dry_run && accept(ctx, &view)?);
    if !accepted {
        return Ok(Outcome::of(Exit::No, view));
    }
    view.accepted = plan.advice.warnings.iter().map(|w| w.name.to_string()).collect();
    show_preflight(ctx, &view);
    if args.dry_run {
        let out = Outcome::of(Exit::Done, view).note("dry run: nothing was done");
        return Ok(warned(out, &plan, &args));
    }
    // Somebody who was asked all this wants to say yes to it; without a passphrase to type, that is the yes.
    if asked
        && ctx.global.passphrase_file.is_some()
        && !ctx.prompter().confirm_typed("Open this door?", "yes", "--agent and --scope")?
    {
        return Err(CliError::no("not_confirmed", "nothing was opened"));
    }
    let operator = ctx.unlock(&ws)?;
    let (issued, pin) = ws.transact(ctx.clock(), |tx| {
        let now = tx.now();
        let fresh = plan::make(&ws, &wanted, now)?;
        if !fresh.shows_the_same_as(&plan) {
            return Err(CliError::no("changed", "something changed while this was being decided; nothing was opened")
                .because("a grant, the agent, the integration or the policy is not as it was shown")
                .hint("type the line again to see it as it is now"));
        }
        issue(tx, operator.by(), operator.id, &fresh, &view.accepted, reason.clone())
    })?;
    let mut names = Names::new(&ws)?;
    view.opened = true;
    view.grant = Some(issued.grant);
    view.seq = Some(issued.seq);
    view.until = issued.until;
    view.at = issued.at;
    view.integration.id = Some(issued.integration);
    view.owner = Some(names.of(plan.owner.unwrap_or(operator.id))?);
    view.signed_by = Some(names.of(operator.id)?);
    view.preflight.close = format!("aosctl revoke {}", issued.grant);
    let mut out = Outcome::of(Exit::Done, view).warn_if(pin);
    out = warned(out, &plan, &args);
    for g in &plan.replaces {
        out = out.note(format!("{} is closed; to have it back: aosctl connect --again {}", g.id, g.id));
    }
    if plan.terms.mission.is_none() && ctx.prompter().can_ask() {
        let line = format!("aosctl connect --again {} --mission TEXT", issued.grant);
        out = out.note(format!("it has no mission, which a review asks about; to say what it is for: {line}"));
    }
    Ok(out.note(format!("close it at any time: aosctl revoke {}", issued.grant)))
}

/// What there is to worry about, besides what was shown before.
fn warned(mut out: Outcome, plan: &Plan, args: &Args) -> Outcome {
    if args.accept_risk {
        for w in &plan.advice.warnings {
            out = out.warn(format!("{} [{}, accepted]", safe(&w.text), w.name));
        }
    }
    if let Some(frozen) = plan.frozen {
        let (what, line) = if frozen == Id::WORKSPACE {
            ("the workspace", "aosctl thaw".into())
        } else {
            ("the agent", format!("aosctl thaw {}", plan.terms.agent))
        };
        out = out.warn(format!("{what} is frozen: this door opens nothing until an operator types {line}"));
    }
    out
}

/// What is wanted, and whether somebody was asked for it.
fn wanted(args: &Args, ctx: &Context, ws: &Workspace, now: Time) -> Result<(Wanted, bool), CliError> {
    if let Some(typed) = &args.again {
        return Ok((again(args, ws, &*words::grant(ws, typed)?, now)?, false));
    }
    if let (Some(integration), Some(agent), Some(scope)) = (&args.integration, &args.agent, &args.scope) {
        let wanted = Wanted {
            integration: integration.clone(),
            agent: agent.clone(),
            scope: scope.clone(),
            access: args.access.unwrap_or(Access::Read),
            data: args.data.unwrap_or(DataClass::Internal),
            owner: args.owner.clone(),
            mission: args.mission.clone(),
            end: args.expires,
            again: None,
            carries: carry::typed(args, None)?,
        };
        return Ok((wanted, false));
    }
    if ctx.prompter().can_ask() {
        return Ok((prompt::ask(args, ctx, ws)?, true));
    }
    let given = [
        ("INTEGRATION", args.integration.is_some()),
        ("--agent", args.agent.is_some()),
        ("--scope", args.scope.is_some()),
    ];
    let missing = given.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    Err(CliError::usage(format!("connect needs {missing}, and there is nobody to ask"))
        .hint("type aosctl connect INTEGRATION --agent NAME --scope SCOPE"))
}

/// The terms of an earlier grant, changed by flags. It ends when that one would have ended, or, where that is past, after
/// the policy's default: never later than somebody decided.
fn again(args: &Args, ws: &Workspace, old: &Grant, now: Time) -> Result<Wanted, CliError> {
    let facts = ws.facts();
    let owner_lives = facts.identity(old.owner)?.is_some_and(|o| o.is_live());
    let end = match old.until {
        None => Some(End::Never),
        Some(t) if t > now => Some(End::At(t)),
        Some(_) => None,
    };
    Ok(Wanted {
        integration: old.integration.to_string(),
        agent: args.agent.clone().unwrap_or_else(|| old.agent.to_string()),
        scope: args.scope.clone().unwrap_or_else(|| old.scope.to_string()),
        access: args.access.unwrap_or(old.access),
        data: args.data.unwrap_or(old.data),
        owner: args.owner.clone().or_else(|| owner_lives.then(|| old.owner.to_string())),
        mission: args.mission.clone().or_else(|| old.mission.clone()),
        end: args.expires.or(end),
        again: Some(old.id),
        carries: carry::typed(args, old.carries.as_ref())?,
    })
}

/// The plan as data, with how the grants that it replaces were used.
fn describe(ws: &Workspace, plan: &Plan, now: Time) -> Result<ConnectView, CliError> {
    let mut names = Names::new(ws)?;
    let mut replaces = Vec::new();
    for g in &plan.replaces {
        let used = ws.store().grant_use(g)?;
        let on = ws.standing_on(g.id, now)?;
        replaces.push(Replaced {
            grant: g.id,
            scope: g.scope.to_string(),
            access: g.access,
            data: g.data,
            until: g.until,
            since: g.issued_at,
            allowed: used.allowed,
            asked: used.asked,
            denied: used.denied,
            last_use: used.last,
            cancels: on.waiting.iter().map(|(id, _)| *id).collect(),
            loses: loses(g, plan, now),
        });
    }
    let owner = plan.owner.map(|o| names.of(o)).transpose()?;
    let mut view = ConnectView::of(plan, names.of(plan.acts_for)?, owner, replaces, now);
    view.carries = plan.carried.as_ref().map(|c| names.carries(&c.carries)).transpose()?;
    Ok(view)
}

/// What a grant had that the one that takes its place has not.
fn loses(old: &Grant, plan: &Plan, now: Time) -> Vec<String> {
    let mut lost = Vec::new();
    if !plan.terms.scope.covers(&old.scope) {
        lost.push(format!("reading {} beyond {}", old.scope, plan.terms.scope));
    }
    if old.data > plan.terms.data {
        lost.push(format!("data up to {}", old.data));
    }
    if let Some(c) = &old.carries {
        match plan.carried.as_ref().map(|new| &new.carries).filter(|new| new.key == c.key) {
            None => lost.push(format!("the key {} that it carried", c.key)),
            Some(new) => {
                let gone = c.programs.iter().filter(|old| !new.programs.iter().any(|p| p.path == old.path));
                lost.extend(gone.map(|p| format!("giving the secret of {} to {}", c.key, p.path)));
            }
        }
    }
    if let Some(mission) = old.mission.as_ref().filter(|_| plan.terms.mission.is_none()) {
        lost.push(format!("its mission, {mission}"));
    }
    if plan.owner.is_some_and(|new| new != old.owner) {
        lost.push(format!("{} as its owner", old.owner));
    }
    if plan.until.is_some_and(|new| old.until.is_none_or(|end| end > new)) {
        lost.push(format!("its later end, {}", ends_whole(old.until, now)));
    }
    lost
}

/// Shows the warnings on the terminal and asks for a typed yes; without a terminal the answer is no.
fn accept(ctx: &Context, view: &ConnectView) -> Result<bool, CliError> {
    let prompter = ctx.prompter();
    if !prompter.can_ask() {
        return Ok(false);
    }
    let text = view::warnings(&ctx.screen(), &view.warnings, view.narrower.as_deref());
    let wrong = view::wrong(&view.warnings);
    let prompt = format!("This door is {wrong}. What to type instead:\n{text}\nOpen it as it is?");
    Ok(prompter.confirm_typed(&prompt, "yes", "--accept-risk --reason TEXT")?)
}

/// The preflight goes to stderr before anybody is asked to sign.
fn show_preflight(ctx: &Context, view: &ConnectView) {
    if ctx.global.quiet {
        return;
    }
    let screen = ctx.screen();
    let mut text = view::preflight(&screen, view);
    for r in &view.replaces {
        text.push_str(&view::used(&screen, r, view.at));
    }
    // What cannot be shown to a closed stream stops nothing: the outcome says it all again.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

struct Issued {
    grant: Id,
    integration: Id,
    seq: u64,
    until: Option<Time>,
    at: Time,
}

/// Appends what a plan comes to: the integration where it is new, the grant, the end of those that it replaces.
fn issue(
    tx: &mut Tx<'_>,
    by: By<'_>,
    signer: Id,
    plan: &Plan,
    accepted: &[String],
    reason: Option<String>,
) -> Result<Issued, CliError> {
    let integration = if plan.adds {
        let i = &plan.integration;
        let id = tx.next_id(IdKind::Integration)?;
        tx.append(
            by,
            IntegrationAdded { id, handle: i.handle.clone(), kind: i.kind.clone(), inside: i.inside, residency: None },
        )?;
        id
    } else {
        plan.integration.id
    };
    let grant = tx.next_id(IdKind::Grant)?;
    let t = &plan.terms;
    let event = GrantIssued {
        grant,
        agent: plan.agent.id,
        integration,
        scope: t.scope.clone(),
        access: t.access,
        data: t.data,
        owner: plan.owner.unwrap_or(signer),
        mission: t.mission.clone(),
        until: plan.until,
        replaces: plan.replaces.first().map(|g| g.id),
        carries: plan.carried.as_ref().map(|c| c.carries.clone()),
        again: plan.again,
        accepted: accepted.to_vec(),
        reason,
    };
    let done = tx.append(by, event)?;
    for g in &plan.replaces {
        tx.append(by, GrantRevoked { grant: g.id, reason: Some(format!("replaced by {grant}")) })?;
    }
    Ok(Issued { grant, integration, seq: done.seq, until: plan.until, at: done.at })
}
