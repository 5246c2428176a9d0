//! `aosctl agent`: programs that act.

pub(in crate::cli) mod add;
pub(in crate::cli) mod list;
pub(in crate::cli::commands) mod reach;
pub(in crate::cli) mod retire;
pub(in crate::cli) mod show;

pub(in crate::cli::commands) use retire::check_as_of;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::identity::Identity;
use crate::workspace::{Workspace, WorkspaceError};

/// Agents: programs that act, each for one operator.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `agent`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Add(add::Args),
    List(list::Args),
    Show(show::Args),
    Retire(retire::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Add(a) => add::run(a, ctx),
        Verb::List(a) => list::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Retire(a) => retire::run(a, ctx),
    }
}

/// What an agent can do at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// It may ask and act, inside its grants.
    Live,
    /// Denied everything until an operator thaws it, or the whole workspace.
    Frozen,
    /// The operator that it acts for was retired; it has no rights.
    OperatorRetired,
    /// Retired for good.
    Retired,
}

impl AgentState {
    fn of(ws: &Workspace, agent: &Identity) -> Result<AgentState, WorkspaceError> {
        let facts = ws.facts();
        if !agent.is_live() {
            return Ok(AgentState::Retired);
        }
        let operator = agent.operator.map(|o| facts.identity(o)).transpose()?.flatten();
        if !operator.is_some_and(|o| o.is_live()) {
            return Ok(AgentState::OperatorRetired);
        }
        let frozen = facts.frozen(Id::WORKSPACE)?.is_some() || facts.frozen(agent.id)?.is_some();
        Ok(if frozen { AgentState::Frozen } else { AgentState::Live })
    }

    fn words(self) -> &'static str {
        match self {
            AgentState::Live => "live",
            AgentState::Frozen => "frozen",
            AgentState::OperatorRetired => "operator retired",
            AgentState::Retired => "retired",
        }
    }
}

/// The agent of that id or name.
fn find(ws: &Workspace, typed: &str) -> Result<std::rc::Rc<Identity>, CliError> {
    ws.find_agent(typed)?.ok_or_else(|| {
        CliError::no("no_such_agent", format!("there is no agent {}", safe(typed)))
            .hint("see who there is: aosctl agent list --all")
            .hint(format!("or enrol it: aosctl agent add {}", safe(typed)))
    })
}

/// `build-bot`, or its id where it has no name.
fn name(agent: &Identity) -> String {
    agent.handle.clone().unwrap_or_else(|| agent.id.to_string())
}
