//! What outside tools can do, as data: scopes, permissions and actions of one kind of integration.
//!
//! The shapes here are both the catalogue's TOML (read by [`crate::policy`]) and the JSON that an adopted policy
//! carries in the log, so an edited file changes no decision until an operator adopts it.

use serde::{Deserialize, Serialize};

use super::access::Access;
use super::facets::DataClass;
use super::point::Point;

/// One kind of integration (`github`, `stripe`): everything aosctl knows about an outside tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The name typed after `connect` and `--kind`: `[a-z][a-z0-9-]*`.
    pub kind: String,
    /// The product's own name, for people.
    pub title: String,
    /// Where the facts below were read (the provider's documentation).
    pub docs: String,
    /// What to do at the provider after a revoke here, in one sentence.
    pub close: String,
    /// Kinds of scope, narrowest first.
    pub scope: Vec<ScopeKind>,
    /// The provider's own permission or token-scope names.
    #[serde(default)]
    pub permission: Vec<Permission>,
    /// What an agent can do there. An action that is not listed is a write that nothing classifies.
    pub action: Vec<Action>,
}

/// One kind of scope of an integration: the `repo` of `repo:acme/app`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeKind {
    /// The word before the colon.
    pub kind: String,
    /// How it is written, for help texts: `repo:OWNER/NAME`.
    pub form: String,
    /// How many segments name one thing; fewer, or a `*`, reach wider and are treated as account-wide.
    pub segments: u8,
    /// The whole account is reached, however it is written.
    #[serde(default)]
    pub account_wide: bool,
    /// What it reaches, in a few words.
    pub about: String,
}

/// A permission as the provider names it (`contents:read`, `chat:write`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The provider's spelling.
    pub name: String,
    /// The access level that needs it.
    pub access: Access,
    /// It cannot be limited to a part of the account.
    #[serde(default)]
    pub account_wide: bool,
}

/// One action of an integration, with what the decision needs to know about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// `noun.verb`, as typed in `--action`.
    pub name: String,
    /// The access level that the action takes.
    pub access: Access,
    /// Approval points that the action always crosses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Point>,
    /// It stays inside the company and crosses no point by itself. A write that has neither `points`, nor facets
    /// below, nor this mark is unclassified, and asks as a production change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internal: bool,
    /// The least data class that it reads or, for a write, carries. A refund names a charge and an amount: no customer data
    /// goes over, although a customer is touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataClass>,
    /// It hands data to the other side (an upload, a message, a model prompt), so the data class matters.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sends: bool,
    /// It is a public claim under the company's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// Where in the parameters the amount stands. Present means: it moves money and needs an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountPath>,
    /// JSON pointer (RFC 6901) to the recipients: a list (counted), a number, or one address. Present means: needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<String>,
    /// JSON pointer to the destination (a bucket, a host, an address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// JSON pointer to the environment (`production`, `staging`). Present means: needed; everything but the names in
    /// [`crate::domain::facets::HARMLESS_ENVIRONMENTS`] is production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Where an amount stands in an action's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountPath {
    /// JSON pointer to an integer of minor units (cents), or to a decimal number or string when `decimal` is set.
    pub value: String,
    /// The value is in major units with up to the currency's fraction digits (`"12.50"`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decimal: bool,
    /// JSON pointer to the ISO 4217 code, in either case.
    pub currency: String,
}

impl Kind {
    /// The action of that name, if the catalogue knows it.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.action.iter().find(|a| a.name == name)
    }

    /// The kind of scope with that word before the colon.
    pub fn scope(&self, word: &str) -> Option<&ScopeKind> {
        self.scope.iter().find(|s| s.kind == word)
    }
}
