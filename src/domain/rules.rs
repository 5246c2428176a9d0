//! The rules of a decision: what an adopted policy says, together with the catalogue that was adopted with it.
//!
//! These structs are what the log carries in `policy.adopted/1`, so a newer aosctl or an edited file changes no
//! decision until an operator adopts it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalogue::Kind;
use super::id::Id;
use super::integration::Integration;
use super::money::{Currency, Money};
use super::point::Point;
use super::time::Span;

/// The version of the decision rules in [`crate::domain::decide`]. Adopted with the policy; another version is refused,
/// so that no build decides by rules that nobody adopted.
pub const RULES_VERSION: u32 = 1;

/// Everything that a decision takes from the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// [`RULES_VERSION`] when it was adopted.
    pub version: u32,
    /// Money caps.
    pub caps: Caps,
    /// A mailing to more than so many recipients asks.
    pub recipients: u64,
    /// What lies inside the boundary besides the integrations marked so.
    pub boundary: Boundary,
    /// Which actions belong to which point, beyond the catalogue.
    pub actions: Vec<ActionRule>,
    /// How many operators must approve, by point; 1 where absent.
    pub approvers: BTreeMap<Point, u8>,
    /// How long requests live.
    pub requests: Lifetimes,
    /// Ends of grants.
    pub grants: Terms,
    /// Defaults for keys.
    pub rotation: RotationTerms,
    /// Defaults for the access review.
    pub review: ReviewTerms,
    /// The whole effective catalogue.
    pub kinds: Vec<Kind>,
}

/// Money caps, over all agents together (design section 7, rule 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// The currency of both caps. Any other currency asks.
    pub currency: Currency,
    /// Most for one move, in minor units.
    pub per_move: u64,
    /// Most in any 7 days, in minor units.
    pub per_week: u64,
}

impl Caps {
    /// The cap for one move.
    pub fn per_move(&self) -> Money {
        Money::new(self.currency, self.per_move)
    }

    /// The cap for a rolling week.
    pub fn per_week(&self) -> Money {
        Money::new(self.currency, self.per_week)
    }
}

/// Destinations inside the company.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// Exact names, or a name with one leading `*.` (`*.acme.example`) that covers its subdomains.
    pub destinations: Vec<String>,
}

impl Boundary {
    /// Is that destination inside? Compared without regard to ASCII case. Only a plain host name can be a subdomain: in
    /// `https://evil.example/?.acme.example` or `me@x.acme.example` the end says nothing about where data goes.
    pub fn holds(&self, destination: &str) -> bool {
        let d = destination.to_ascii_lowercase();
        let host = d.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        self.destinations.iter().any(|known| {
            let known = known.to_ascii_lowercase();
            match known.strip_prefix("*.") {
                Some(domain) => host && d.strip_suffix(domain).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.')),
                None => d == known,
            }
        })
    }
}

/// A rule of the policy about actions. It can add points, raise the tier and ask for more approvers; nothing here can
/// take a point away (law 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRule {
    /// An integration's name, a kind, or `*`.
    pub integration: String,
    /// An action's name, a prefix such as `deploy.*`, or `*`.
    pub action: String,
    /// Points that the action crosses.
    #[serde(default)]
    pub points: Vec<Point>,
    /// How risky it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// How many operators must approve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<u8>,
}

impl ActionRule {
    /// Does it speak of that action of that integration?
    pub fn matches(&self, integration: &Integration, action: &str) -> bool {
        let tool =
            self.integration == "*" || self.integration == integration.handle || self.integration == integration.kind;
        tool && self.matches_action(action)
    }

    /// Does it speak of an action of that name, wherever?
    pub fn matches_action(&self, action: &str) -> bool {
        self.action == "*"
            || self.action == action
            || self
                .action
                .strip_suffix(".*")
                .is_some_and(|p| action.strip_prefix(p).is_some_and(|r| r.starts_with('.')))
    }
}

/// How risky a request is, least first. Orders the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Reads.
    Low,
    /// Writes inside.
    Medium,
    /// A point is crossed.
    High,
    /// Hard to undo or wide.
    Critical,
}

impl Tier {
    /// The word, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Low => "low",
            Tier::Medium => "medium",
            Tier::High => "high",
            Tier::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Tier {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        [Tier::Low, Tier::Medium, Tier::High, Tier::Critical]
            .into_iter()
            .find(|t| t.as_str() == s)
            .ok_or_else(|| format!("a tier is low, medium, high or critical, not {s:?}"))
    }
}

/// How long requests live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// A question waits so long for an answer.
    pub wait: Span,
    /// What was allowed or approved may be begun for so long.
    pub use_within: Span,
}

/// Ends of grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The end of a grant that names none.
    pub expires: Span,
    /// No grant may last longer; absent means that even an endless one may be issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Span>,
}

/// Defaults for keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationTerms {
    /// A key is turned over at least so often.
    pub every: Span,
    /// It is said so long before.
    pub warn: Span,
}

/// Defaults for the access review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewTerms {
    /// Day of the month (1 to 28) by which last month is reviewed.
    pub due_day: u8,
    /// Who reviews; any operator where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id>,
}

impl Rules {
    /// The catalogue's facts about a kind.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|k| k.kind == name)
    }

    /// The rules of the policy that speak of an action.
    pub fn about<'a>(&'a self, integration: &'a Integration, action: &'a str) -> impl Iterator<Item = &'a ActionRule> {
        self.actions.iter().filter(move |r| r.matches(integration, action))
    }
}
