//! `aosctl request list`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::screen::{PartyView, who};
use crate::cli::show::relative;
use crate::cli::text::{pad, safe, truncate};
use crate::domain::access::Access;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::request::{Request, Standing};
use crate::domain::rules::Tier;
use crate::domain::time::Time;
use crate::store::RequestFilter;
use crate::workspace::{Trusted, Workspace, claim, standing};

/// What waits, or all
///
/// Without options: the requests that wait for an operator, riskiest and oldest first. With --all, --agent or
/// --standing: the newest first.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Not only what waits
    #[arg(long)]
    all: bool,
    /// Only requests of this agent (name or id), whatever became of them
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
    /// Only requests that stand so
    #[arg(long, value_name = "STANDING", value_parser = parse_standing)]
    standing: Option<Standing>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Every standing, in the order of a request's life.
const STANDINGS: [Standing; 12] = [
    Standing::Pending,
    Standing::Allowed,
    Standing::Approved,
    Standing::Denied,
    Standing::Expired,
    Standing::Withdrawn,
    Standing::Cancelled,
    Standing::Frozen,
    Standing::Claimed,
    Standing::Succeeded,
    Standing::Failed,
    Standing::Unknown,
];

fn parse_standing(typed: &str) -> Result<Standing, String> {
    STANDINGS.into_iter().find(|s| s.as_str() == typed).ok_or_else(|| {
        let known: Vec<&str> = STANDINGS.iter().map(|s| s.as_str()).collect();
        format!("one of {}", known.join(", "))
    })
}

/// Requests, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestListView {
    /// The moment that this was read for.
    pub as_of: Time,
    /// In the order shown.
    pub requests: Vec<RequestRow>,
    /// There are more than were asked for.
    pub more: bool,
    /// Only what waits was asked for.
    pub only_waiting: bool,
}

/// One request in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestRow {
    /// `r-57`.
    pub id: Id,
    /// Where it stands.
    pub standing: Standing,
    /// How risky.
    pub tier: Tier,
    /// Who asks.
    pub requester: PartyView,
    /// `noun.verb`. Agent text.
    pub action: String,
    /// To what.
    pub resource: String,
    /// How much access it takes.
    pub access: Access,
    /// The integration's name; absent for an edit of the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// Money that moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The points that fired when it was asked.
    pub points: Vec<Point>,
    /// Operators who must approve.
    pub approvers: u8,
    /// Operators who approved so far.
    pub approved: usize,
    /// When it was asked.
    pub at: Time,
    /// Undecided, or allowed and not begun, from here on, it has expired.
    pub until: Time,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let facts = ws.facts();
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let only_waiting = !args.all && args.agent.is_none() && args.standing.is_none_or(|s| s == Standing::Pending);
    let mut requests = Vec::new();
    let mut more = false;
    if only_waiting {
        let queue = ws.queue(now)?;
        more = queue.len() > limit;
        for r in queue.iter().take(limit) {
            requests.push(row(&ws, &facts, r, Standing::Pending)?);
        }
    } else {
        for r in candidates(&ws, &args)? {
            let stands = match standing(&facts, &r, now)? {
                // A run that was cut off is unknown; only the file system tells.
                Standing::Claimed => claim::standing(&ws, &r, now)?,
                other => other,
            };
            if args.standing.is_some_and(|s| s != stands) {
                continue;
            }
            if requests.len() == limit {
                more = true;
                break;
            }
            requests.push(row(&ws, &facts, &r, stands)?);
        }
    }
    let view = RequestListView { as_of: now, requests, more, only_waiting };
    Ok(Outcome::of(Exit::Done, view).paged())
}

/// Newest first. A list is read from the tables, which `audit verify` proves.
fn candidates(ws: &Workspace, args: &Args) -> Result<Vec<Request>, CliError> {
    let Some(typed) = &args.agent else {
        // One more than asked for tells whether there are more; with a standing, all have to be looked at.
        let many = if args.standing.is_some() || args.limit == 0 { usize::MAX } else { args.limit.saturating_add(1) };
        return ws.store().requests(RequestFilter::Newest(many)).map_err(CliError::from);
    };
    let Some(agent) = ws.find_agent(typed)? else {
        return Err(CliError::no("no_such_agent", format!("there is no agent {}", safe(typed)))
            .hint("see them: aosctl agent list"));
    };
    let mut found = ws.store().requests(RequestFilter::By(agent.id)).map_err(CliError::from)?;
    found.reverse();
    Ok(found)
}

fn row(ws: &Workspace, facts: &Trusted<'_>, r: &Request, standing: Standing) -> Result<RequestRow, CliError> {
    let integration = match r.integration {
        Some(i) => facts.integration(i)?.map(|i| i.handle.clone()),
        None => None,
    };
    Ok(RequestRow {
        id: r.id,
        standing,
        tier: r.tier,
        requester: (&ws.party(facts, r.requester)?).into(),
        action: r.action.clone(),
        resource: r.resource.to_string(),
        access: r.access,
        integration,
        amount: r.facets.amount,
        points: r.points.iter().copied().collect(),
        approvers: r.approvers,
        approved: r.approvals.len(),
        at: r.at,
        until: r.until,
    })
}

impl View for RequestListView {
    const SCHEMA: &'static str = "aosctl.request-list/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.requests.is_empty() {
            return if self.only_waiting {
                "nothing waits for a decision\n".into()
            } else {
                "no such request\n".into()
            };
        }
        let mut text = String::new();
        for r in &self.requests {
            text.push_str(&r.lines(self.as_of, screen));
        }
        if self.more {
            text.push_str("there are more: --limit N, or --limit 0 for all\n");
        }
        if self.only_waiting {
            let n = self.requests.len();
            text.push_str(&format!("{n} wait{}; decide: aosctl approve\n", if n == 1 { "s" } else { "" }));
        }
        text
    }
}

impl RequestRow {
    /// What, then the circumstances. Agent text ends a line, so that it can push nothing of ours aside.
    fn lines(&self, now: Time, screen: &Screen) -> String {
        let tier = pad(self.tier.as_str(), 8);
        let tier = match self.tier {
            Tier::Critical | Tier::High => screen.style.yellow(&tier),
            Tier::Low | Tier::Medium => tier.as_str().into(),
        };
        let id = pad(&self.id.to_string(), 6);
        let place = self.integration.as_deref().unwrap_or("the audit trail");
        let room = screen.width.saturating_sub(16);
        let what = format!("{}: {}", who(&self.requester), safe(&self.action));
        let mut about: Vec<String> = vec![format!("{} {}", safe(place), self.resource)];
        if self.standing != Standing::Pending {
            about.push(self.standing.as_str().to_string());
        }
        about.extend(self.amount.map(|a| a.to_string()));
        about.push(match self.points.is_empty() {
            true => self.access.to_string(),
            false => self.points.iter().map(|p| p.title()).collect::<Vec<_>>().join(", "),
        });
        if self.approvers > 1 {
            about.push(format!("{} of {} approved", self.approved, self.approvers));
        }
        about.push(format!("asked {}", relative(self.at, now)));
        if self.standing == Standing::Pending {
            about.push(format!("expires {}", relative(self.until, now)));
        }
        let mut text = format!("{id}  {tier}{}\n", truncate(&what, room));
        let words: Vec<String> = about.join("; ").split(' ').map(String::from).collect();
        for line in crate::cli::screen::flow(&words, room) {
            text.push_str(&format!("{:16}{line}\n", ""));
        }
        text
    }
}
