//! What a grant lets an agent do at worst, found by asking the decision itself.
//!
//! Each action of the catalogue is put to [`decide`] twice: as harmless as an agent could make it look, and as grave as
//! the grant allows. So this page cannot say something else than `check` would.

use std::collections::BTreeSet;
use std::rc::Rc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::access::Access;
use crate::domain::catalogue::{Action, Kind};
use crate::domain::decide::{Proposal, Situation, Verdict, decide};
use crate::domain::facets::{DataClass, Facets};
use crate::domain::grant::Grant;
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::rules::Rules;
use crate::domain::scope::Scope;
use crate::domain::time::Time;

/// Does an action need a person?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Nobody is asked.
    Never,
    /// Nobody is asked within limits: under the caps, to few recipients, outside production.
    OverLimits,
    /// A person decides, always.
    Always,
}

/// One action that a grant reaches.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reachable {
    /// `noun.verb`
    pub action: String,
    /// The access that it takes.
    pub access: Access,
    /// Does it need a person?
    pub asks: Asks,
    /// The approval points that it may cross.
    pub points: BTreeSet<Point>,
}

/// What the decision needs besides the action.
pub(in crate::cli::commands) struct Holder<'a> {
    /// The adopted policy.
    pub rules: &'a Rules,
    /// Who.
    pub agent: &'a Identity,
    /// Where.
    pub integration: &'a Integration,
    /// Through which door.
    pub grant: &'a Grant,
}

/// Every action of the catalogue that the grant reaches, the gravest first.
pub(in crate::cli::commands) fn reach(h: &Holder<'_>, now: Time) -> Vec<Reachable> {
    let Some(kind) = h.rules.kind(&h.integration.kind) else {
        return Vec::new();
    };
    let grants = [Rc::new(h.grant.clone())];
    let ask = |action: &Action, facets: Facets| {
        let proposal = Proposal {
            requester: h.agent.id,
            action: action.name.clone(),
            resource: h.grant.scope.clone(),
            access: None,
            facets,
            unsure: false,
        };
        let situation = Situation {
            rules: Some(h.rules),
            agent: Some(h.agent),
            operator_live: true,
            integration: Some(h.integration),
            grants: &grants,
            spent: 0,
            frozen: false,
            agent_frozen: false,
            operators: 0,
            now,
        };
        decide(&proposal, &situation)
    };
    let mut found: Vec<Reachable> = kind
        .action
        .iter()
        .filter_map(|action| {
            let mild = ask(action, mildest(action));
            let grave = ask(action, gravest(action, h));
            let asks = match (mild.verdict, grave.verdict) {
                // Beyond the grant, however it is put.
                (Verdict::Deny, _) => return None,
                (Verdict::Ask, _) => Asks::Always,
                (Verdict::Allow, Verdict::Ask) => Asks::OverLimits,
                (Verdict::Allow, _) => Asks::Never,
            };
            let points = grave.points().union(&mild.points()).copied().collect();
            Some(Reachable { action: action.name.clone(), access: mild.access, asks, points })
        })
        .collect();
    found.sort_by(|a, b| a.asks.cmp(&b.asks).then(b.access.cmp(&a.access)).then_with(|| a.action.cmp(&b.action)));
    found
}

fn mildest(action: &Action) -> Facets {
    Facets {
        recipients: action.recipients.as_ref().map(|_| 0),
        data: Some(DataClass::Public),
        environment: action.environment.as_ref().map(|_| "test".into()),
        // What moves nothing asks nothing; the caps are said beside it.
        amount: action.amount.as_ref().map(|_| Money::new(crate::domain::money::Currency::USD, 0)),
        ..Facets::default()
    }
}

fn gravest(action: &Action, h: &Holder<'_>) -> Facets {
    let cap = h.rules.caps.per_move();
    Facets {
        recipients: action.recipients.as_ref().map(|_| h.rules.recipients.saturating_add(1)),
        // An agent may say of any write that it carries customer data; here stands what the catalogue knows to carry some.
        data: (action.sends || action.destination.is_some()).then_some(h.grant.data),
        environment: action.environment.as_ref().map(|_| "production".into()),
        amount: action.amount.as_ref().map(|_| Money::new(cap.currency, cap.minor.saturating_add(1))),
        // No name under `.invalid` can be inside anybody's boundary (RFC 2606).
        destination: action.destination.as_ref().map(|_| "elsewhere.invalid".into()),
        ..Facets::default()
    }
}

/// Does a scope reach the whole account, or more than one thing of it?
pub(super) fn is_account_wide(kind: Option<&Kind>, scope: &Scope) -> bool {
    let Some(known) = scope.word().and_then(|word| kind.and_then(|k| k.scope(word))) else {
        return scope.is_open();
    };
    known.account_wide || scope.is_open() || scope.segments().count() < usize::from(known.segments)
}
