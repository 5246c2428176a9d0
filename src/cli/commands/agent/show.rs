//! `aosctl agent show`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::AgentState;
use super::reach::{Asks, Holder, Reachable, is_account_wide, reach};
use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::{safe, safe_block};
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::identity::Identity;
use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::request::Standing;
use crate::domain::scope::Scope;
use crate::domain::time::{Span, Time};
use crate::log::key::PublicKey;
use crate::store::{GrantFilter, RequestFilter};
use crate::workspace::Workspace;

/// One agent: what it can reach at worst.
///
/// Every open door, what it may do behind each without anybody being asked, what waits, and what it was handed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name or id
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
}

/// One agent, with everything that it can reach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentView {
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
    /// SHA-256 of its public key, hex: how the log names its identity.
    pub key_id: String,
    /// When it was enrolled.
    pub enrolled_at: Time,
    /// When it was retired.
    pub retired_at: Option<Time>,
    /// Its live grants. While it is not live they open nothing.
    pub grants: Vec<Door>,
    /// Requests that wait, may still be begun, or were begun and have no outcome.
    pub open_requests: Vec<OpenRequest>,
    /// Money handed out for its requests in the last 7 days, by currency.
    pub handed_out: Vec<Money>,
    /// The caps, over all agents together.
    pub caps: Option<CapsView>,
    #[serde(skip)]
    now: Time,
}

/// A live grant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Door {
    /// Its id.
    pub grant: Id,
    /// The integration's id.
    pub integration: Id,
    /// The integration's name.
    pub integration_name: String,
    /// The catalogue entry.
    pub kind: String,
    /// The integration is inside the company's boundary.
    pub inside: bool,
    /// Which part.
    #[schemars(with = "String")]
    pub scope: Scope,
    /// The scope reaches the whole account, or more than one thing of it.
    pub account_wide: bool,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// The operator who answers for it.
    pub owner: Id,
    /// What it is for.
    pub mission: Option<String>,
    /// The end; absent for none.
    pub until: Option<Time>,
    /// What it lets the agent do, by the adopted catalogue. Any other action is a write that asks.
    pub actions: Vec<Reachable>,
}

/// A request that is not over.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OpenRequest {
    /// Its id.
    pub request: Id,
    /// `noun.verb`
    pub action: String,
    /// To what.
    #[schemars(with = "String")]
    pub resource: Scope,
    /// Where it stands.
    pub standing: Standing,
    /// When it was made.
    pub at: Time,
}

/// The money caps.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CapsView {
    /// Most at once.
    pub per_move: Money,
    /// Most in any 7 days.
    pub per_week: Money,
}

impl View for AgentView {
    const SCHEMA: &'static str = "aosctl.agent/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        field("agent", &format!("{} ({})", self.name, self.agent));
        let operator = self.operator.map(|o| o.to_string()).unwrap_or_default();
        field("acts for", &self.operator_name.as_ref().map_or(operator.clone(), |n| format!("{operator} ({n})")));
        let state = match (self.state, self.retired_at) {
            (AgentState::Frozen, _) => "frozen: everything is denied until an operator thaws it".into(),
            (AgentState::OperatorRetired, _) => "its operator was retired, so it has no rights".into(),
            (AgentState::Retired, Some(at)) => format!("retired {}", show::minute(at)),
            (state, _) => state.words().to_string(),
        };
        field("state", &state);
        field("enrolled", &show::minute(self.enrolled_at));
        field("identity", &show::fingerprint(&self.key_id));
        let heading = match (self.state, self.grants.is_empty()) {
            (_, true) => "It can reach nothing: it has no live grant.",
            (AgentState::Live, _) => "What it can reach at worst:",
            (AgentState::Frozen, _) => "What it can reach at worst, once it is thawed:",
            _ => "It can reach nothing. Its grants, which open nothing any more:",
        };
        out.push_str(&format!("\n{}\n", screen.style.bold(heading)));
        for door in &self.grants {
            out.push_str(&door.human(screen, self.now));
        }
        if !self.open_requests.is_empty() {
            out.push_str(&format!("\n{}\n", screen.style.bold("Open requests:")));
            let row = |r: &OpenRequest| {
                vec![
                    format!("  {}", r.request),
                    r.standing.as_str().to_string(),
                    safe(&r.action),
                    safe(r.resource.as_str()),
                    show::relative(r.at, self.now),
                ]
            };
            let rows = self.open_requests.iter().map(row).collect();
            out.push_str(&show::table(screen, &["  id", "standing", "action", "on", "made"], rows));
        }
        out.push('\n');
        let handed = match self.handed_out.as_slice() {
            [] => "nothing".to_string(),
            all => all.iter().map(Money::to_string).collect::<Vec<_>>().join(", "),
        };
        let caps = self.caps.as_ref().map(|c| {
            format!(
                "; without a question at most {} at once and {} in 7 days, all agents together",
                c.per_move, c.per_week
            )
        });
        out.push_str(&show::field(
            screen,
            "money",
            &format!("{handed} handed out in 7 days{}", caps.unwrap_or_default()),
        ));
        out
    }
}

impl Door {
    fn human(&self, screen: &Screen, now: Time) -> String {
        let wide = if self.account_wide { " (account-wide)" } else { "" };
        let mut out = String::new();
        let mut block = |margin: &str, text: &str| {
            for line in safe_block(text, margin, screen.width, usize::MAX).lines {
                out.push_str(line.trim_end());
                out.push('\n');
            }
        };
        block("", &format!("{}  {}: {} to {}{wide}", self.grant, self.integration_name, self.access, self.scope));
        let boundary = if self.inside { "inside" } else { "outside" };
        let end = self
            .until
            .map_or("without an end".into(), |u| format!("until {} ({})", show::day(u), show::relative(u, now)));
        let mission = self.mission.as_ref().map(|m| format!(", for {m}")).unwrap_or_default();
        block(
            "     ",
            &format!("{boundary} the boundary, data up to {}, {end}, owner {}{mission}", self.data, self.owner),
        );
        let mut groups: BTreeMap<(Asks, &BTreeSet<Point>), Vec<&str>> = BTreeMap::new();
        for a in &self.actions {
            groups.entry((a.asks, &a.points)).or_default().push(&a.action);
        }
        for ((asks, points), names) in groups {
            let words = match asks {
                Asks::Never => "nobody is asked",
                Asks::OverLimits => "asks over limits",
                Asks::Always => "always asks",
            };
            let points = points.iter().map(|p| p.title()).collect::<Vec<_>>().join(", ");
            let points = if points.is_empty() { points } else { format!(" ({points})") };
            block("     ", &format!("{words}{points}: {}", names.join(", ")));
        }
        if self.access > Access::Read {
            block("     ", "anything else there asks, as a production change");
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let agent = super::find(&ws, &args.name)?;
    let operator_name = match agent.operator.map(|o| ws.facts().identity(o)).transpose()?.flatten() {
        Some(operator) => ws.operator_name(&operator)?,
        None => None,
    };
    let policy = ws.facts().policy()?;
    let view = AgentView {
        agent: agent.id,
        name: super::name(&agent),
        operator: agent.operator,
        operator_name,
        state: AgentState::of(&ws, &agent)?,
        key_id: PublicKey(agent.public_key).key_id().to_hex(),
        enrolled_at: agent.enrolled_at,
        retired_at: agent.retired_at,
        grants: doors(&ws, &agent, now)?,
        open_requests: open_requests(&ws, agent.id, now)?,
        handed_out: handed_out(&ws, agent.id, now)?,
        caps: policy.map(|p| CapsView { per_move: p.rules.caps.per_move(), per_week: p.rules.caps.per_week() }),
        now,
    };
    let close = (!view.grants.is_empty() && view.state == AgentState::Live).then(|| view.name.clone());
    let out = Outcome::of(Exit::Done, view).paged();
    Ok(match close {
        Some(name) => out.note(format!("Close every door at once: aosctl revoke {name}")),
        None => out,
    })
}

/// The live grants of an agent, each verified.
pub(super) fn doors(ws: &Workspace, agent: &Identity, now: Time) -> Result<Vec<Door>, CliError> {
    let facts = ws.facts();
    let policy = facts.policy()?;
    let mut doors = Vec::new();
    let live = GrantFilter { agent: Some(agent.id), live_at: Some(now), ..GrantFilter::default() };
    for row in ws.store().grants(&live)? {
        let Some(grant) = facts.grant(row.id)?.filter(|g| g.agent == agent.id && g.is_live(now)) else {
            continue;
        };
        let Some(integration) = facts.integration(grant.integration)? else {
            continue;
        };
        let rules = policy.as_ref().map(|p| &p.rules);
        let actions = rules.map(|rules| reach(&Holder { rules, agent, integration: &integration, grant: &grant }, now));
        doors.push(Door {
            grant: grant.id,
            integration: integration.id,
            integration_name: integration.handle.clone(),
            kind: integration.kind.clone(),
            inside: integration.inside,
            account_wide: is_account_wide(rules.and_then(|r| r.kind(&integration.kind)), &grant.scope),
            scope: grant.scope.clone(),
            access: grant.access,
            data: grant.data,
            owner: grant.owner,
            mission: grant.mission.clone(),
            until: grant.until,
            actions: actions.unwrap_or_default(),
        });
    }
    Ok(doors)
}

/// Requests that are not over.
pub(super) fn open_requests(ws: &Workspace, agent: Id, now: Time) -> Result<Vec<OpenRequest>, CliError> {
    let mut open = Vec::new();
    for r in ws.store().requests(RequestFilter::By(agent))? {
        let standing = ws.standing(&r, now)?;
        let counts = matches!(
            standing,
            Standing::Pending
                | Standing::Allowed
                | Standing::Approved
                | Standing::Frozen
                | Standing::Claimed
                | Standing::Unknown
        );
        if counts {
            open.push(OpenRequest { request: r.id, action: r.action, resource: r.resource, standing, at: r.at });
        }
    }
    Ok(open)
}

fn handed_out(ws: &Workspace, agent: Id, now: Time) -> Result<Vec<Money>, CliError> {
    let mut sums: Vec<Money> = Vec::new();
    for money in ws.store().spent_by(agent, now.minus(Span::WEEK))? {
        match sums.iter_mut().find(|s| s.currency == money.currency) {
            Some(sum) => *sum = Money::new(sum.currency, sum.minor.saturating_add(money.minor)),
            None => sums.push(money),
        }
    }
    Ok(sums)
}
