//! The five approval points: the only crossings at which a person decides (design section 7).

use serde::{Deserialize, Serialize};

/// One of the five approval points. No policy can switch one off (law 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Money over a cap, or in another currency than the caps.
    Money,
    /// A public claim under the company's name, or a mailing over the recipient limit.
    Public,
    /// Customer data to anything outside the boundary.
    CustomerData,
    /// A change that touches production; also what nothing classifies.
    Production,
    /// An edit of an audit trail.
    Audit,
}

/// All five, in the order of this page.
pub const POINTS: [Point; 5] = [Point::Money, Point::Public, Point::CustomerData, Point::Production, Point::Audit];

impl Point {
    /// The word, as stored and typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Point::Money => "money",
            Point::Public => "public",
            Point::CustomerData => "customer_data",
            Point::Production => "production",
            Point::Audit => "audit",
        }
    }

    /// What crosses, in words for a screen.
    pub fn title(self) -> &'static str {
        match self {
            Point::Money => "money over the cap",
            Point::Public => "public claim",
            Point::CustomerData => "customer data leaving",
            Point::Production => "production change",
            Point::Audit => "audit-trail edit",
        }
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Point {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        POINTS
            .into_iter()
            .find(|p| p.as_str() == s)
            .ok_or_else(|| format!("an approval point is money, public, customer_data, production or audit, not {s:?}"))
    }
}
