//! `aosctl agent add`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::identity::check_handle;
use crate::workspace::Workspace;

/// Enrol an agent, with an identity of its own.
///
/// The identity is a file of mode 0600, outside the workspace. Whoever can read it can ask as that agent, so run agents
/// as another OS user than yours. An agent can reach nothing before `aosctl connect` opens a door for it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name: lower-case letters, digits, '.', '_' and '-'
    #[arg(value_name = "NAME")]
    name: String,
    /// The operator that it acts for, by id or name [default: you]
    #[arg(long = "for", value_name = "OPERATOR", add = complete::operators())]
    operator: Option<String>,
    /// Where to write its identity [default: the state directory]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An agent that was enrolled, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentAddView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id; absent in a dry run.
    pub agent: Option<Id>,
    /// Its name.
    pub name: String,
    /// Whom it acts for; absent in a dry run that would find out by unlocking.
    pub operator: Option<Id>,
    /// Its identity.
    pub identity: String,
    /// The entry that enrolled it; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for AgentAddView {
    const SCHEMA: &'static str = "aosctl.agent-add/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let id = self.agent.map(|id| format!(" ({id})")).unwrap_or_default();
        field("agent", &format!("{}{id}", self.name));
        field("acts for", &self.operator.map_or("you".into(), |o| o.to_string()));
        field("identity", &self.identity);
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    check_handle(&args.name).map_err(|e| CliError::usage(safe(&e)))?;
    let ws = ctx.open()?;
    let named = args.operator.as_deref().map(|typed| live_operator(&ws, typed)).transpose()?;
    if ws.facts().agent_named(&args.name)?.is_some() {
        return Err(CliError::no("name_used", format!("an agent was enrolled as {} before", args.name))
            .because("a name stands for one agent for good, so that the log can be read later")
            .hint("choose another name"));
    }
    let file = args.out.unwrap_or_else(|| ws.agent_file(&args.name));
    if ws.holds(&file) {
        return Err(CliError::usage("an agent's identity must not lie inside the workspace")
            .because("every copy of the workspace would hold it")
            .hint("leave out --out, or name a file elsewhere"));
    }
    // It is copied into other places' settings, where a relative path would mean something else.
    let shown = std::path::absolute(&file).unwrap_or_else(|_| file.clone()).display().to_string();
    if args.dry_run {
        let view =
            AgentAddView { dry_run: true, agent: None, name: args.name, operator: named, identity: shown, seq: None };
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let operator = named.unwrap_or(me.id);
    let (agent, warning) = ws.enrol_agent(ctx.clock(), &me, &args.name, operator, &file)?;
    let view = AgentAddView {
        dry_run: false,
        agent: Some(agent.id),
        name: args.name.clone(),
        operator: Some(operator),
        identity: shown.clone(),
        seq: Some(agent.seq),
    };
    Ok(Outcome::of(Exit::Done, view)
        .warn_if(warning)
        .note("It presents itself with --identity FILE, or:")
        .note(format!("  AOSCTL_IDENTITY={}", safe(&shown)))
        .note("Whoever can read that file can ask as this agent: run agents as another OS user,")
        .note("and give the file to that user. It can reach nothing yet. Open a door:")
        .note(format!("  aosctl connect INTEGRATION --agent {} --scope SCOPE", args.name)))
}

/// The live operator of that id or name.
pub(in crate::cli::commands) fn live_operator(ws: &Workspace, typed: &str) -> Result<Id, CliError> {
    match ws.find_operator(typed)? {
        Some(o) if o.is_live() => Ok(o.id),
        Some(o) => {
            Err(CliError::no("retired", format!("{} was retired", o.id)).hint("see who decides: aosctl operator list"))
        }
        None => Err(CliError::no("no_such_operator", format!("there is no operator {}", safe(typed)))
            .because("no operator has that id, or not exactly one has that name")
            .hint("see who there is: aosctl operator list")),
    }
}
