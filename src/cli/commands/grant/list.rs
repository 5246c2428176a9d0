//! `aosctl grant list`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{GrantRow, GrantState, Names};
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::store::GrantFilter;

/// List what is open: live grants, in the order of their ids.
///
/// Examples:
///
///   aosctl grant list --agent build-bot
///
///   aosctl grant list --json
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Only those of this agent, by name or id
    #[arg(long, value_name = "NAME", add = complete::agents())]
    agent: Option<String>,
    /// Only those to this integration, by name or id
    #[arg(long, value_name = "NAME", add = complete::integrations())]
    integration: Option<String>,
    /// Expired and revoked ones too
    #[arg(long)]
    all: bool,
}

/// Grants.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantListView {
    /// As of which moment.
    pub at: Time,
    /// Expired and revoked ones are listed too.
    pub all: bool,
    /// The grants, in the order of their ids.
    pub grants: Vec<GrantRow>,
}

impl View for GrantListView {
    const SCHEMA: &'static str = "aosctl.grant-list/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.grants.is_empty() {
            return "No grant: nothing is open.\n".into();
        }
        let ends = |g: &GrantRow| match g.state {
            GrantState::Live if g.frozen => format!("{}, frozen", g.ends(self.at)),
            GrantState::Live => g.ends(self.at),
            GrantState::Expired => format!("expired {}", g.ends(self.at)),
            GrantState::Revoked => "revoked".into(),
        };
        // A column of its own only where there is one to show.
        let keys = self.grants.iter().any(|g| g.carries.is_some());
        let key = |g: &GrantRow| match &g.carries {
            None => String::new(),
            Some(c) if c.withheld.is_some() => format!("{}\nwithheld", c.key.id),
            Some(c) => c.key.id.to_string(),
        };
        let row = |g: &GrantRow| {
            let mut row = vec![
                g.id.to_string(),
                safe(&g.agent.short()),
                format!("{} {}", safe(&g.integration.short()), safe(&g.scope)),
                g.access.to_string(),
                g.data.to_string(),
                ends(g),
                g.last_use.map_or_else(|| "never".into(), |t| show::relative(t, self.at)),
            ];
            if keys {
                row.push(key(g));
            }
            row
        };
        let mut head = vec!["id", "agent", "door", "access", "data", "ends", "last use"];
        head.extend(keys.then_some("key"));
        show::table(screen, &head, self.grants.iter().map(row).collect())
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let agent = args.agent.as_deref().map(|a| words::agent(&ws, a)).transpose()?.map(|a| a.id);
    let integration = args.integration.as_deref().map(|i| words::integration(&ws, i)).transpose()?.map(|i| i.id);
    let filter = GrantFilter { agent, integration, live_at: (!args.all).then_some(now) };
    let mut names = Names::new(&ws)?;
    let found = ws.store().grants(&filter)?;
    let grants = found.iter().map(|g| names.grant(g, now)).collect::<Result<Vec<_>, CliError>>()?;
    let empty = grants.is_empty();
    let out = Outcome::of(Exit::Done, GrantListView { at: now, all: args.all, grants }).paged();
    Ok(if empty { out.note("open a door: aosctl connect INTEGRATION --agent NAME --scope SCOPE") } else { out })
}
