//! A decision as data and as a page: what `check` and `request new` answer.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Screen;
use crate::cli::show;
use crate::domain::access::Access;
use crate::domain::decide::{Decision, Verdict};
use crate::domain::facets::Facets;
use crate::domain::id::Id;
use crate::domain::point::Point;
use crate::domain::request::{Request, Standing};
use crate::domain::rules::Tier;

/// An approval point that fired.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PointView {
    /// Which of the five.
    pub point: Point,
    /// The rule that fired it, as `money.per-move`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why, in one sentence. May quote what the agent wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What was decided, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DecisionView {
    /// `allow`, `ask` or `deny`. Whatever goes wrong on the way to a decision is a deny.
    pub decision: Verdict,
    /// The rule that settled it, as `grant.none`; `error.` and a word where something went wrong.
    pub rule: String,
    /// Why, in one sentence. May quote what the agent wrote.
    pub reason: String,
    /// The points that fired.
    pub points: Vec<PointView>,
    /// The grant that covers it.
    pub grant: Option<Id>,
    /// Hex SHA-256 of the rules of the policy in force.
    pub policy: Option<String>,
    /// How risky it is.
    pub tier: Option<Tier>,
    /// How many operators must approve; 0 where nobody is asked.
    pub approvers: u8,
    /// The access that it takes.
    pub access: Option<Access>,
    /// The facets that were decided about: out of the parameters, raised by what was declared.
    pub facets: Option<Facets>,
    /// For a deny that a grant would change: the narrowest command line for an operator to type.
    pub fix: Option<String>,
}

impl DecisionView {
    /// Of a decision.
    pub fn of(d: &Decision, facets: Option<&Facets>, policy: Option<String>) -> DecisionView {
        let points = d
            .fired
            .iter()
            .map(|f| PointView { point: f.point, rule: Some(f.rule.into()), why: Some(f.why.clone()) })
            .collect();
        DecisionView {
            decision: d.verdict,
            rule: d.rule.into(),
            reason: d.reason.clone(),
            points,
            grant: d.grant,
            policy,
            tier: Some(d.tier),
            approvers: d.approvers,
            access: Some(d.access),
            facets: facets.cloned(),
            fix: d.fix.clone(),
        }
    }

    /// Of a request that was decided before: the log keeps points and rule, not the sentences.
    pub fn recorded(r: &Request) -> DecisionView {
        let point = |p: &Point| PointView { point: *p, rule: None, why: None };
        DecisionView {
            decision: r.decision,
            rule: r.rule.clone(),
            reason: format!("decided at {} under {}", r.at, r.id),
            points: r.points.iter().map(point).collect(),
            grant: r.grant,
            policy: Some(r.policy.clone()),
            tier: Some(r.tier),
            approvers: r.approvers,
            access: Some(r.access),
            facets: Some(r.facets.clone()),
            fix: None,
        }
    }

    /// A deny because of something that is no decision.
    pub fn deny(rule: String, reason: String) -> DecisionView {
        DecisionView {
            decision: Verdict::Deny,
            rule,
            reason,
            points: Vec::new(),
            grant: None,
            policy: None,
            tier: None,
            approvers: 0,
            access: None,
            facets: None,
            fix: None,
        }
    }

    /// A deny because there was no answer.
    pub fn error(e: &CliError) -> DecisionView {
        DecisionView::deny(format!("error.{}", e.kind), e.what.clone())
    }

    /// As a page: the verdict first.
    pub fn page(&self, screen: &Screen) -> String {
        let style = screen.style;
        let word = match self.decision {
            Verdict::Allow => style.green("allow"),
            Verdict::Ask => style.yellow("ask"),
            Verdict::Deny => style.red("deny"),
        };
        let mut out = format!("{:<14}{word}\n", "decision");
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        field("why", &self.reason);
        let titles: BTreeSet<Point> = self.points.iter().map(|p| p.point).collect();
        for point in titles {
            let mut whys = self.points.iter().filter(|p| p.point == point).filter_map(|p| p.why.as_deref());
            let why = whys.next().map_or_else(|| point.title().to_string(), |why| format!("{}: {why}", point.title()));
            field("point", &why);
        }
        field("rule", &self.rule);
        if let Some(grant) = self.grant {
            field("grant", &grant.to_string());
        }
        if self.approvers > 1 {
            field("approvers", &format!("{} operators must agree", self.approvers));
        }
        out
    }
}

/// The exit code of a decision.
pub fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Allow => Exit::Done,
        Verdict::Ask => Exit::Pending,
        Verdict::Deny => Exit::No,
    }
}

/// The exit code of where a request stands, for its requester: 0 it may be begun, 5 somebody decides, 1 it may not.
pub fn exit_of_standing(standing: Standing) -> Exit {
    match standing {
        Standing::Allowed | Standing::Approved => Exit::Done,
        Standing::Pending => Exit::Pending,
        Standing::Denied
        | Standing::Expired
        | Standing::Withdrawn
        | Standing::Cancelled
        | Standing::Frozen
        | Standing::Claimed
        | Standing::Succeeded
        | Standing::Failed
        | Standing::Unknown => Exit::No,
    }
}
