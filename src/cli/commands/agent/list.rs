//! `aosctl agent list`.

use schemars::JsonSchema;
use serde::Serialize;

use super::AgentState;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::id::{Id, IdKind};
use crate::domain::time::Time;
use crate::store::GrantFilter;

/// Who acts, for whom, and in what state.
///
/// What each can reach at worst: aosctl agent show NAME.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The retired ones too
    #[arg(short, long)]
    all: bool,
}

/// Every agent, or every one that was not retired.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentListView {
    /// In the order of their ids.
    pub agents: Vec<AgentLine>,
    /// How many were retired and are left out.
    pub left_out: usize,
}

/// One agent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentLine {
    /// Its id.
    pub agent: Id,
    /// Its name.
    pub name: String,
    /// Whom it acts for.
    pub operator: Option<Id>,
    /// That operator's name, as told.
    pub operator_name: Option<String>,
    /// What it can do at this moment.
    pub state: AgentState,
    /// How many grants it holds that are neither revoked nor over.
    pub live_grants: usize,
    /// When it was enrolled.
    pub enrolled_at: Time,
    /// When it was retired.
    pub retired_at: Option<Time>,
}

impl View for AgentListView {
    const SCHEMA: &'static str = "aosctl.agent-list/v1";

    fn human(&self, screen: &Screen) -> String {
        let rows: Vec<Vec<String>> = self
            .agents
            .iter()
            .map(|a| {
                let operator = a.operator.map(|o| o.to_string()).unwrap_or_default();
                let operator = match &a.operator_name {
                    Some(name) => format!("{operator} ({})", safe(name)),
                    None => operator,
                };
                vec![
                    safe(&a.name),
                    a.agent.to_string(),
                    operator,
                    a.state.words().into(),
                    a.live_grants.to_string(),
                    show::day(a.enrolled_at),
                ]
            })
            .collect();
        let mut out = match rows.is_empty() {
            true => "no agents\n".to_string(),
            false => show::table(screen, &["name", "id", "acts for", "state", "grants", "enrolled"], rows),
        };
        if self.left_out > 0 {
            out.push_str(&format!("{} retired, not shown: aosctl agent list --all\n", self.left_out));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let mut view = AgentListView { agents: Vec::new(), left_out: 0 };
    for agent in ws.store().identities(IdKind::Agent)? {
        if !args.all && !agent.is_live() {
            view.left_out += 1;
            continue;
        }
        let operator_name = match agent.operator.map(|o| ws.find_operator(&o.to_string())).transpose()?.flatten() {
            Some(operator) => ws.operator_name(&operator)?,
            None => None,
        };
        let live = GrantFilter { agent: Some(agent.id), live_at: Some(now), ..GrantFilter::default() };
        view.agents.push(AgentLine {
            agent: agent.id,
            name: super::name(&agent),
            operator: agent.operator,
            operator_name,
            state: AgentState::of(&ws, &agent)?,
            live_grants: ws.store().grants(&live)?.len(),
            enrolled_at: agent.enrolled_at,
            retired_at: agent.retired_at,
        });
    }
    let none = view.agents.is_empty() && view.left_out == 0;
    let out = Outcome::of(Exit::Done, view).paged();
    Ok(if none { out.note("Enrol one: aosctl agent add NAME") } else { out })
}
