//! `aosctl check`.

use schemars::JsonSchema;
use serde::Serialize;

use super::request::describe::Describe;
use super::request::verdict::{DecisionView, exit_of};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::workspace::ask::{Prepared, bind};

/// Would it be allowed? Writes nothing, decides about any agent.
///
/// Needs no identity.
///
/// The exit code answers: 0 allow, 1 deny, 5 ask. Whatever goes wrong on the way is a deny too, with the code of what went
/// wrong (3 could not run, 4 integrity failure); with --json there is one object on stdout in every case, with
/// "decision":"deny" in it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent, by name or id
    #[arg(long, value_name = "NAME")]
    agent: String,
    #[command(flatten)]
    describe: Describe,
}

/// What would be decided.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckView {
    /// The agent that was asked about, as typed.
    pub agent: String,
    /// What was decided, and why.
    #[serde(flatten)]
    pub decision: DecisionView,
    /// Why there is no answer. Present, the decision is deny.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CheckError>,
}

/// Why there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckError {
    /// A stable word, as `no_workspace`.
    pub kind: String,
    /// What happened.
    pub error: String,
    /// Why.
    pub cause: Option<String>,
    /// What to type next.
    pub hints: Vec<String>,
}

impl View for CheckView {
    const SCHEMA: &'static str = "aosctl.check/v1";

    fn human(&self, screen: &Screen) -> String {
        self.decision.page(screen)
    }
}

/// Runs it. Gives an outcome in every case: an error is a deny.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let agent = args.agent;
    match decide(&agent, args.describe, ctx) {
        Ok(decision) => {
            let fix = decision.fix.clone();
            let outcome = Outcome::of(exit_of(decision.decision), CheckView { agent, decision, error: None });
            Ok(match fix {
                Some(line) => outcome.note(format!("an operator can open the door: {}", safe(&line))),
                None => outcome,
            })
        }
        Err(e) => {
            let error = CheckError {
                kind: e.kind.into(),
                error: e.what.clone(),
                cause: e.cause.clone(),
                hints: e.hints.clone(),
            };
            let view = CheckView { agent, decision: DecisionView::error(&e), error: Some(error) };
            Ok(Outcome::of(e.exit, view).failed(e))
        }
    }
}

/// One snapshot, one set of facts: what is verified once is not verified again.
fn decide(agent: &str, describe: Describe, ctx: &Context) -> Result<DecisionView, CliError> {
    let prepared = Prepared::for_decision(describe.ask()?)?;
    let ws = ctx.open()?;
    let pinned = ws.pinned()?;
    let _moment = ws.store().snapshot()?;
    let now = ws.moment(pinned, ctx.clock())?;
    let facts = ws.facts();
    let policy = facts.policy()?.map(|p| p.digest.clone());
    let found = match agent.parse::<Id>() {
        Ok(id) if id.kind == IdKind::Agent => facts.identity(id)?,
        Ok(_) => None,
        Err(_) => facts.agent_named(agent)?,
    };
    let Some(found) = found else {
        let reason = "no agent of that name was ever enrolled".to_string();
        return Ok(DecisionView { policy, ..DecisionView::deny("agent.unknown".into(), reason) });
    };
    let binding = bind(&facts, &prepared, found.id)?;
    let decision = binding.weigh(&facts, now)?;
    Ok(DecisionView::of(&decision, Some(&binding.proposal.facets), policy))
}
