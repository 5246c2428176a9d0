//! `aosctl policy explain`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::short;
use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::authority::again;
use crate::domain::decide::{Decision, Verdict};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::request::{Request, Standing};
use crate::domain::rules::Tier;
use crate::domain::scope::Scope;
use crate::domain::time::{Span, Time};
use crate::workspace::{Trusted, Workspace};

/// Why a request was decided as it was: every rule that fired, with its values, then and now.
///
/// Then is as the log stood just before the request. Now is what would be decided if it were made at this moment.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which request
    #[arg(value_name = "REQUEST", add = complete::requests())]
    request: String,
}

/// Why a request was decided as it was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplainView {
    /// Its id.
    pub request: Id,
    /// Who asked.
    pub requester: Id,
    /// The requester's name.
    pub requester_name: Option<String>,
    /// The integration's name.
    pub integration: Option<String>,
    /// `noun.verb`
    pub action: String,
    /// To what.
    #[schemars(with = "String")]
    pub resource: Scope,
    /// When it was made.
    pub at: Time,
    /// Where it stands.
    pub standing: Standing,
    /// What was decided, and why.
    pub then: Ruling,
    /// Deciding again, as the log stood then, gives what was recorded.
    pub replay_agrees: bool,
    /// What would be decided now, and why.
    pub now: Ruling,
}

/// A decision with its reasons.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ruling {
    /// Allow, ask or deny.
    pub decision: Verdict,
    /// The rule that settled it.
    pub rule: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Every rule that fired.
    pub fired: Vec<FiredRule>,
    /// The access that it takes.
    pub access: Access,
    /// How risky it is.
    pub tier: Tier,
    /// How many operators must approve; 0 where nobody is asked.
    pub approvers: u8,
    /// The grant that covers it.
    pub grant: Option<GrantWords>,
    /// For a deny that a grant would change: the narrowest `aosctl connect` line.
    pub fix: Option<String>,
    /// Digest of the policy in force.
    pub policy: Option<String>,
    /// The entry that adopted it.
    pub policy_seq: Option<u64>,
    /// Money handed out in the 7 days before, in the currency of the caps, where it counts.
    pub spent: Option<Money>,
}

/// A rule that fired.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FiredRule {
    /// The approval point.
    pub point: Point,
    /// The rule's name.
    pub rule: String,
    /// Why, with its values.
    pub why: String,
}

/// A grant, in words.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantWords {
    /// Its id.
    pub grant: Id,
    /// What it opens.
    pub opens: String,
}

impl View for ExplainView {
    const SCHEMA: &'static str = "aosctl.policy-explain/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let who =
            self.requester_name.as_ref().map_or(self.requester.to_string(), |n| format!("{n} ({})", self.requester));
        let place = self.integration.as_ref().map(|i| format!(" of {i}")).unwrap_or_default();
        field("request", &format!("{}: {}{place} on {}", self.request, self.action, self.resource));
        field("asked by", &format!("{who}, {}", show::minute(self.at)));
        field("standing", self.standing.as_str());
        out.push_str(&self.then.human(screen, "Then"));
        if !self.replay_agrees {
            out.push_str(&show::field(
                screen,
                "but",
                "deciding again as the log stood then gives something else: aosctl audit verify",
            ));
        }
        out.push_str(&self.now.human(screen, "Now"));
        if self.then.policy == self.now.policy {
            out.push_str(&show::field(screen, "", "the same policy as then"));
        }
        out
    }
}

impl Ruling {
    fn human(&self, screen: &Screen, when: &str) -> String {
        let verdict = match self.decision {
            Verdict::Allow => screen.style.green("allow"),
            Verdict::Ask => screen.style.yellow("ask"),
            Verdict::Deny => screen.style.red("deny"),
        };
        let mut out = format!("\n{} {verdict}\n", screen.style.bold(&format!("{when}:")));
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        field("because", &format!("{} ({})", self.reason, self.rule));
        for f in &self.fired {
            field(f.point.as_str(), &format!("{} ({})", f.why, f.rule));
        }
        if let Some(spent) = self.spent {
            field("spent", &format!("{spent} in the 7 days before"));
        }
        if self.approvers > 0 {
            field("approvers", &self.approvers.to_string());
        }
        field("takes", &format!("{} access, tier {}", self.access, self.tier));
        if let Some(g) = &self.grant {
            field("grant", &format!("{}: {}", g.grant, g.opens));
        }
        if let Some(fix) = &self.fix {
            field("opens it", fix);
        }
        if let (Some(policy), Some(seq)) = (&self.policy, self.policy_seq) {
            field("policy", &format!("{} (entry {seq})", short(policy)));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let r = find(&ws, &args.request)?;
    let facts = ws.facts();
    let before = ws.facts_before(r.made_seq);
    let replayed = again(&r, r.at, &before)?;
    let recorded_points: BTreeSet<Point> = r.points.clone();
    let replay_agrees = replayed.verdict == r.decision
        && replayed.rule == r.rule
        && replayed.points() == recorded_points
        && replayed.grant == r.grant
        && replayed.approvers == r.approvers;
    let view = ExplainView {
        request: r.id,
        requester: r.requester,
        requester_name: facts.identity(r.requester)?.and_then(|i| i.handle.clone()),
        integration: r.integration.map(|i| facts.integration(i)).transpose()?.flatten().map(|i| i.handle.clone()),
        action: r.action.clone(),
        resource: r.resource.clone(),
        at: r.at,
        standing: ws.standing(&r, now)?,
        then: ruling(&ws, &before, &r, replayed, r.at)?,
        replay_agrees,
        now: ruling(&ws, &facts, &r, again(&r, now, &facts)?, now)?,
    };
    let out = Outcome::of(Exit::Done, view).paged();
    Ok(out.note("Operators decide after the rules have: what they did is in aosctl request show."))
}

fn find(ws: &Workspace, typed: &str) -> Result<std::rc::Rc<Request>, CliError> {
    let id: Id =
        typed.parse().map_err(|_| CliError::usage(format!("{} is not a request such as r-57", safe(typed))))?;
    if id.kind != IdKind::Request {
        return Err(CliError::usage(format!("{id} is not a request such as r-57")));
    }
    ws.facts().request(id)?.ok_or_else(|| {
        CliError::no("no_such_request", format!("there is no request {id}"))
            .hint("see which there are: aosctl request list --all")
    })
}

fn ruling(ws: &Workspace, facts: &Trusted<'_>, r: &Request, d: Decision, at: Time) -> Result<Ruling, CliError> {
    let policy = facts.policy()?;
    let currency = policy.as_ref().map(|p| p.rules.caps.currency);
    let spent = match (currency, r.facets.amount) {
        (Some(c), Some(_)) => Some(Money::new(c, facts.spent_after(at.minus(Span::WEEK), c, Some(r.id))?)),
        _ => None,
    };
    let grant = match d.grant {
        Some(id) => facts.grant(id)?.map(|g| {
            let integration = ws.facts().integration(g.integration).ok().flatten();
            let name = integration.map_or_else(|| g.integration.to_string(), |i| i.handle.clone());
            let end = g.until.map_or("without an end".into(), |u| format!("until {}", show::day(u)));
            GrantWords {
                grant: g.id,
                opens: format!("{name} {} to {}, data up to {}, {end}", g.access, g.scope, g.data),
            }
        }),
        None => None,
    };
    Ok(Ruling {
        decision: d.verdict,
        rule: d.rule.to_string(),
        reason: d.reason,
        fired: d
            .fired
            .into_iter()
            .map(|f| FiredRule { point: f.point, rule: f.rule.to_string(), why: f.why })
            .collect(),
        access: d.access,
        tier: d.tier,
        approvers: d.approvers,
        grant,
        fix: d.fix,
        policy: policy.as_ref().map(|p| p.digest.clone()),
        policy_seq: policy.map(|p| p.seq),
        spent,
    })
}
