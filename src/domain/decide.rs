//! The decision: allow, ask or deny, always with the reason (design section 7).
//!
//! A pure function of the proposal and the situation. The numbers in the comments are the rules of that section.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::Access;
use super::catalogue::Action;
use super::facets::{DataClass, Facets};
use super::grant::Grant;
use super::id::{Id, IdKind};
use super::identity::Identity;
use super::integration::Integration;
use super::money::Money;
use super::point::Point;
use super::rules::{Rules, Tier};
use super::scope::Scope;
use super::time::Time;
use std::rc::Rc;

/// Allow, ask or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Not without a wider grant.
    Deny,
    /// A person decides.
    Ask,
    /// Inside the grant, no point crossed.
    Allow,
}

impl Verdict {
    /// The word, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Deny => "deny",
            Verdict::Ask => "ask",
            Verdict::Allow => "allow",
        }
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Who.
    pub requester: Id,
    /// `noun.verb`.
    pub action: String,
    /// To what.
    pub resource: Scope,
    /// Declared; can only raise what the catalogue says.
    pub access: Option<Access>,
    /// Bound from the parameters and raised by what was declared.
    pub facets: Facets,
    /// The requester is not sure: asks in any case.
    pub unsure: bool,
}

/// What is the case.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The adopted policy; without one everything is denied.
    pub rules: Option<&'a Rules>,
    /// The requester, if it was ever enrolled.
    pub agent: Option<&'a Identity>,
    /// The agent's operator is live.
    pub operator_live: bool,
    /// Where, if it is known.
    pub integration: Option<&'a Integration>,
    /// The agent's grants to it, in the order of their ids.
    pub grants: &'a [Rc<Grant>],
    /// Minor units of the caps' currency handed out in the last 7 days, by anyone.
    pub spent: u64,
    /// The whole workspace is frozen.
    pub frozen: bool,
    /// The agent is frozen.
    pub agent_frozen: bool,
    /// Operators who live, or lived within 30 days.
    pub operators: usize,
    /// The moment.
    pub now: Time,
}

/// A point that fired, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Which.
    pub point: Point,
    /// The rule's name, as `money.per-move`.
    pub rule: &'static str,
    /// In words, from our own vocabulary and typed values only.
    pub why: String,
}

/// A decision. Exit code, table and JSON are all drawn from this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Allow, ask or deny.
    pub verdict: Verdict,
    /// The rule that settled it.
    pub rule: &'static str,
    /// Why, in one sentence.
    pub reason: String,
    /// Every point that fired.
    pub fired: Vec<Fired>,
    /// The grant that covers it.
    pub grant: Option<Id>,
    /// The access that it takes.
    pub access: Access,
    /// How many operators must approve; 0 where nobody is asked.
    pub approvers: u8,
    /// How risky it is.
    pub tier: Tier,
    /// For a deny that a grant would change: the narrowest `aosctl connect` line.
    pub fix: Option<String>,
}

impl Decision {
    /// The points, without the reasons.
    pub fn points(&self) -> BTreeSet<Point> {
        self.fired.iter().map(|f| f.point).collect()
    }
}

/// The action of an integration under which an audit edit is asked for; its resource is `entry:SEQ`.
pub const AUDIT_EDIT: &str = "audit.erase";

/// Decides. Equal inputs give equal outputs.
pub fn decide(p: &Proposal, s: &Situation<'_>) -> Decision {
    let Some(rules) = s.rules else {
        return deny("policy.none", "no policy was ever adopted".into(), Access::Write, None);
    };
    // 8: an audit edit is asked for by an operator, of the log itself; grants open no door to it.
    if p.requester.kind == IdKind::Operator {
        return decide_audit_edit(p, s, rules);
    }
    // 1: frozen, unknown, retired.
    let action = s.integration.and_then(|i| rules.kind(&i.kind)).and_then(|k| k.action(&p.action));
    let access = action.map_or(Access::Write, |a| a.access).max(p.access.unwrap_or(Access::Read));
    let no = |rule, reason: String| deny(rule, reason, access, None);
    if s.frozen {
        return no(
            "frozen.workspace",
            "the workspace is frozen: everything is denied until an operator thaws it".into(),
        );
    }
    let Some(agent) = s.agent else {
        return no("agent.unknown", format!("{} was never enrolled", p.requester));
    };
    if s.agent_frozen {
        return no("frozen.agent", format!("{} is frozen until an operator thaws it", p.requester));
    }
    if !agent.is_live() {
        return no("agent.retired", format!("{} was retired", p.requester));
    }
    if !s.operator_live {
        return no("agent.operator-retired", format!("the operator that {} acts for was retired", p.requester));
    }
    let Some(integration) = s.integration else {
        return no("integration.unknown", "no integration of that name was ever added".into());
    };
    // 2: no live grant that covers it.
    let class = p.facets.data.max(action.and_then(|a| a.data));
    let Some(grant) = covering(p, s, access, class) else {
        return no_grant(p, s, agent, integration, access, class);
    };
    let fired = crossings(p, s, rules, integration, action, access, class);
    let policy_tier = rules.about(integration, &p.action).filter_map(|r| r.tier).max();
    let tier = fired.iter().map(|f| tier_of(f.point, access)).chain(policy_tier).max().unwrap_or(match access {
        Access::Read => Tier::Low,
        Access::Write => Tier::Medium,
        Access::Admin => Tier::High,
    });
    let base = Decision {
        verdict: Verdict::Allow,
        rule: "grant.covers",
        reason: format!("inside {}, and no approval point is crossed", grant.id),
        fired: Vec::new(),
        grant: Some(grant.id),
        access,
        approvers: 0,
        tier,
        fix: None,
    };
    // 9: inside the grant, nothing crossed.
    let Some(first) = fired.first() else {
        if p.unsure {
            let needed = approvers(p, s, rules, integration, &[]);
            return Decision {
                verdict: Verdict::Ask,
                rule: "unsure",
                reason: "the agent is not sure and asks".into(),
                approvers: needed,
                ..base
            };
        }
        return base;
    };
    let needed = approvers(p, s, rules, integration, &fired);
    Decision { verdict: Verdict::Ask, rule: first.rule, reason: first.why.clone(), approvers: needed, fired, ..base }
}

fn deny(rule: &'static str, reason: String, access: Access, fix: Option<String>) -> Decision {
    Decision {
        verdict: Verdict::Deny,
        rule,
        reason,
        fired: Vec::new(),
        grant: None,
        access,
        approvers: 0,
        tier: Tier::Low,
        fix,
    }
}

fn decide_audit_edit(p: &Proposal, s: &Situation<'_>, rules: &Rules) -> Decision {
    let no = |rule, reason: &str| deny(rule, reason.into(), Access::Admin, None);
    if s.frozen {
        return no("frozen.workspace", "the workspace is frozen: everything is denied until an operator thaws it");
    }
    if !s.agent.is_some_and(Identity::is_live) {
        return no("operator.unknown", "no live operator of that id");
    }
    if p.action != AUDIT_EDIT || p.resource.word() != Some("entry") || s.integration.is_some() {
        return no(
            "operator.not-an-audit-edit",
            "an operator asks only for edits of the audit trail; agents ask for the rest",
        );
    }
    let needed = audit_approvers(s, rules);
    let why = format!("the audit trail would be edited ({})", p.resource);
    Decision {
        verdict: Verdict::Ask,
        rule: "audit.edit",
        reason: why.clone(),
        fired: vec![Fired { point: Point::Audit, rule: "audit.edit", why }],
        grant: None,
        access: Access::Admin,
        approvers: needed,
        tier: Tier::Critical,
        fix: None,
    }
}

/// The live grant with the lowest number that covers scope, access and data class.
fn covering<'a>(p: &Proposal, s: &'a Situation<'_>, access: Access, class: Option<DataClass>) -> Option<&'a Grant> {
    s.grants.iter().map(Rc::as_ref).find(|g| {
        g.is_live(s.now)
            && g.scope.covers(&p.resource)
            && access <= g.access
            && class.unwrap_or(DataClass::Public) <= g.data
    })
}

fn no_grant(
    p: &Proposal,
    s: &Situation<'_>,
    agent: &Identity,
    integration: &Integration,
    access: Access,
    class: Option<DataClass>,
) -> Decision {
    let class = class.unwrap_or(DataClass::Internal);
    let fix = connect_line(&integration.handle, agent, p, access, class);
    let live: Vec<&Grant> = s.grants.iter().map(Rc::as_ref).filter(|g| g.is_live(s.now)).collect();
    let reason = if live.is_empty() {
        match s.grants.last() {
            Some(g) if g.revoked_seq.is_some() => {
                format!("its grant {} to {} was revoked", g.id, integration.handle)
            }
            Some(g) => format!("its grant {} to {} has expired", g.id, integration.handle),
            None => format!("it has no grant to {}", integration.handle),
        }
    } else if let Some(g) = live.iter().find(|g| g.scope.covers(&p.resource)) {
        if access > g.access {
            format!("{} allows {} there, and this takes {access}", g.id, g.access)
        } else {
            format!("{} allows data up to {}, and this is {class}", g.id, g.data)
        }
    } else {
        format!("none of its {} live grant(s) to {} covers {}", live.len(), integration.handle, p.resource)
    };
    deny("grant.none", reason, access, Some(fix))
}

/// The narrowest line that opens a door to what is proposed. An integration that nobody added is added by it, if it is
/// called like its kind.
pub fn connect_line(integration: &str, agent: &Identity, p: &Proposal, access: Access, class: DataClass) -> String {
    format!(
        "aosctl connect {integration} --agent {} --scope {} --access {access} --data {class}",
        agent.handle.as_deref().unwrap_or(""),
        shell_word(p.resource.as_str())
    )
}

/// Scopes may hold characters that a shell reads; the printed line must be safe to paste.
fn shell_word(s: &str) -> String {
    if s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@+=,%:/".contains(&b)) {
        s.to_string()
    } else {
        format!("'{s}'")
    }
}

/// 3 to 8: every point that is crossed.
fn crossings(
    p: &Proposal,
    s: &Situation<'_>,
    rules: &Rules,
    integration: &Integration,
    action: Option<&Action>,
    access: Access,
    class: Option<DataClass>,
) -> Vec<Fired> {
    let mut fired = Vec::new();
    let mut fire = |point, rule, why: String| fired.push(Fired { point, rule, why });
    let f = &p.facets;
    // 8, and what catalogue and policy say of the action.
    for point in action.map(|a| a.points.as_slice()).unwrap_or_default() {
        fire(*point, "action.catalogue", format!("{} is classified as: {}", p.action, point.title()));
    }
    let mut named_by_policy = false;
    for rule in rules.about(integration, &p.action) {
        named_by_policy |= !rule.points.is_empty();
        for point in &rule.points {
            fire(*point, "action.policy", format!("the policy classifies {} as: {}", p.action, point.title()));
        }
    }
    money(s, rules, f, action, &mut fire);
    // 6: public claims and mailings.
    if f.public || action.is_some_and(|a| a.public) {
        fire(Point::Public, "public.claim", "it speaks in public under the company's name".into());
    }
    match (f.recipients, action.is_some_and(|a| a.recipients.is_some())) {
        (Some(n), _) if n > rules.recipients => {
            fire(
                Point::Public,
                "public.recipients",
                format!("it goes to {n} recipients, and the limit is {}", rules.recipients),
            );
        }
        (None, true) => {
            fire(Point::Public, "public.recipients-unknown", "nobody said how many people receive it".into())
        }
        _ => {}
    }
    // 7: customer data to anything outside the boundary.
    let outside = !integration.inside || f.destination.as_deref().is_some_and(|d| !rules.boundary.holds(d));
    // A write carries what it writes, unless the system it goes to was counted in (`integration add --inside`). A read
    // hands nothing over, unless it sends (an export) or names where the data goes.
    let hands_over = access >= Access::Write || action.is_some_and(|a| a.sends) || f.destination.is_some();
    if outside && hands_over {
        let to = match &f.destination {
            Some(d) if !rules.boundary.holds(d) => format!("a destination outside the boundary ({d})"),
            _ => format!("{}, which is outside the boundary", integration.handle),
        };
        match class {
            Some(c) if c >= DataClass::Customer => {
                fire(Point::CustomerData, "data.leaves", format!("{c} data goes to {to}"))
            }
            None if action.is_some_and(|a| a.sends) => {
                fire(Point::CustomerData, "data.unknown", format!("data goes to {to}, and nobody said of which class"));
            }
            _ => {}
        }
    }
    // 8: production.
    if access >= Access::Write {
        match &f.environment {
            Some(e) if f.touches_production() => {
                fire(Point::Production, "production.environment", format!("it changes {e}"))
            }
            None if action.is_some_and(|a| a.environment.is_some()) => {
                fire(
                    Point::Production,
                    "production.environment-unknown",
                    "nobody said which environment it changes".into(),
                );
            }
            _ => {}
        }
    }
    // 3: a facet that could not be read fires its point.
    for point in &f.unclear {
        fire(
            *point,
            "facet.unclear",
            format!("the facet for {} is missing, unreadable or contradicted", point.title()),
        );
    }
    // 4: a write that nothing classifies.
    if access >= Access::Write && !named_by_policy && !action.is_some_and(classified) {
        fire(
            Point::Production,
            "production.unclassified",
            format!("nothing says what {} does, so it counts as a production change", p.action),
        );
    }
    fired
}

/// Does the catalogue say what a writing action does? Where it does not, the write asks as a production change.
pub fn classified(a: &Action) -> bool {
    a.internal
        || !a.points.is_empty()
        || a.public
        || a.sends
        || a.amount.is_some()
        || a.recipients.is_some()
        || a.environment.is_some()
}

/// 5: caps per move and per rolling 7 days.
fn money(
    s: &Situation<'_>,
    rules: &Rules,
    f: &Facets,
    action: Option<&Action>,
    fire: &mut impl FnMut(Point, &'static str, String),
) {
    let Some(amount) = f.amount else {
        if action.is_some_and(|a| a.amount.is_some()) {
            fire(Point::Money, "money.unknown", "it moves money, and nobody said how much".into());
        }
        return;
    };
    if amount.minor == 0 {
        return;
    }
    let caps = &rules.caps;
    if amount.currency != caps.currency {
        fire(
            Point::Money,
            "money.currency",
            format!("{amount} is in another currency than the caps ({})", caps.currency),
        );
        return;
    }
    if amount.minor > caps.per_move {
        fire(Point::Money, "money.per-move", format!("{amount} is over the cap of {} a move", caps.per_move()));
    }
    // Saturating is right here: a sum that cannot be written is over every cap.
    if s.spent.saturating_add(amount.minor) > caps.per_week {
        let spent = Money::new(caps.currency, s.spent);
        fire(
            Point::Money,
            "money.per-week",
            format!("{amount} on top of {spent} in 7 days is over the cap of {} a week", caps.per_week()),
        );
    }
}

fn tier_of(point: Point, access: Access) -> Tier {
    match point {
        Point::Audit => Tier::Critical,
        _ if access == Access::Admin => Tier::Critical,
        _ => Tier::High,
    }
}

fn approvers(p: &Proposal, s: &Situation<'_>, rules: &Rules, integration: &Integration, fired: &[Fired]) -> u8 {
    let by_point = fired.iter().map(|f| match f.point {
        Point::Audit => audit_approvers(s, rules),
        point => rules.approvers.get(&point).copied().unwrap_or(1),
    });
    let by_action = rules.about(integration, &p.action).filter_map(|r| r.approvers);
    by_point.chain(by_action).max().unwrap_or(1).max(1)
}

/// 8: two approvers where two operators live or lived within 30 days. A policy can ask for more, never for fewer.
fn audit_approvers(s: &Situation<'_>, rules: &Rules) -> u8 {
    let least = if s.operators >= 2 { 2 } else { 1 };
    rules.approvers.get(&Point::Audit).copied().unwrap_or(1).max(least)
}
