//! The facets of a request: what a decision looks at, besides who and what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::point::Point;

/// How delicate data is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DataClass {
    /// Anyone may have it.
    Public,
    /// The company's own.
    Internal,
    /// About or from customers.
    Customer,
    /// Credentials and the like.
    Secret,
}

impl DataClass {
    /// The word, as typed and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            DataClass::Public => "public",
            DataClass::Internal => "internal",
            DataClass::Customer => "customer",
            DataClass::Secret => "secret",
        }
    }
}

impl std::fmt::Display for DataClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for DataClass {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        [DataClass::Public, DataClass::Internal, DataClass::Customer, DataClass::Secret]
            .into_iter()
            .find(|c| c.as_str() == s)
            .ok_or_else(|| format!("a data class is public, internal, customer or secret, not {s:?}"))
    }
}

/// Environments that are not production. Every other name is production: a typo must not open a door.
pub const HARMLESS_ENVIRONMENTS: [&str; 8] =
    ["dev", "development", "local", "test", "testing", "ci", "staging", "preview"];

/// What a request carries for the decision. Bound from the parameters by the catalogue; what the requester declares can
/// only raise (see [`Facets::raise`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facets {
    /// Money that moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// A claim under the company's name that strangers can read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// How many people receive it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u64>,
    /// The most delicate data in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataClass>,
    /// Where data goes (a host, a bucket, an address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// `production`, `staging`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Points whose facet is needed and lacking, unreadable, or contradicted by the parameters. They fire.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unclear: BTreeSet<Point>,
}

impl Facets {
    /// Adds what was declared; nothing here can become less than it was. Where two values cannot be compared (two
    /// currencies, two destinations, two environments) the point that they concern becomes unclear.
    pub fn raise(mut self, declared: &Facets) -> Facets {
        match (self.amount, declared.amount) {
            (Some(a), Some(b)) if a.currency == b.currency => {
                self.amount = Some(Money::new(a.currency, a.minor.max(b.minor)));
            }
            (Some(_), Some(_)) => {
                self.unclear.insert(Point::Money);
            }
            (None, Some(b)) => self.amount = Some(b),
            (_, None) => {}
        }
        self.public |= declared.public;
        self.recipients = self.recipients.max(declared.recipients);
        self.data = self.data.max(declared.data);
        match (&self.destination, &declared.destination) {
            (Some(a), Some(b)) if a != b => {
                self.unclear.insert(Point::CustomerData);
            }
            (None, Some(b)) => self.destination = Some(b.clone()),
            _ => {}
        }
        match (&self.environment, &declared.environment) {
            (Some(a), Some(b)) if a != b => {
                self.unclear.insert(Point::Production);
            }
            (None, Some(b)) => self.environment = Some(b.clone()),
            _ => {}
        }
        self.unclear.extend(&declared.unclear);
        self
    }

    /// Does the environment name production? Any name that is not known to be harmless does.
    pub fn touches_production(&self) -> bool {
        self.environment.as_deref().is_some_and(|e| !HARMLESS_ENVIRONMENTS.contains(&e.to_ascii_lowercase().as_str()))
    }
}
