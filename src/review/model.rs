//! The page as data. Terminal, Markdown, HTML, JSON and CSV are drawn from this one value, and its JSON is the published
//! contract `aosctl.review/v1`.
//!
//! What makes it evidence (review-rules.md): the population and its sources, the reviewer, decision, reason and time of
//! each item, the recommendation beside the decision, what was carried out, the signature and whether it was in time, how
//! fast and how uniformly was decided, and where the log stood.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::id::Id;
use crate::domain::review::Month;
use crate::domain::time::Time;

pub use super::item::*;

/// An id with the name that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Who {
    /// `ag-2`.
    pub id: Id,
    /// Its name, where it has one.
    pub name: Option<String>,
}

/// One access review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Review {
    /// Which month.
    pub month: Month,
    /// The company, as told to `init`.
    pub company: Option<String>,
    /// The program that made this page: `aosctl 0.1.0`.
    pub tool: String,
    /// Everything but decisions and signature is as of this moment.
    pub as_of: Time,
    /// Where the log stood at that moment.
    pub log: LogState,
    /// What was reviewed, and what could not be.
    pub population: Population,
    /// Who has to review, and until when.
    pub duty: Duty,
    /// What changed since the last review.
    pub since: Since,
    /// How many items are decided.
    pub progress: Progress,
    /// What has to be decided first, most pressing first. Never cut short.
    pub first: Vec<Item>,
    /// Everything else, by integration and id.
    pub rest: Vec<Item>,
    /// Who holds customer data, and who reaches it.
    pub customer_data: Vec<CustomerData>,
    /// Keys that are due or soon will be, most pressing first.
    pub keys_due: Vec<KeyDue>,
    /// What nobody watches.
    pub not_seen: Vec<NotSeen>,
    /// Who signed; absent while nobody has.
    pub signature: Option<Signature>,
    /// Hex SHA-256 of the annex: the canonical JSON (RFC 8785) of `first` and `rest` put together, without decisions and
    /// without the names of operators, which may be erased.
    pub annex_sha256: String,
}

/// Where the log stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogState {
    /// The name of the log.
    pub origin: String,
    /// How many entries the page rests on: all that were signed before `as_of`.
    pub entries: u64,
    /// Leaf hash of the last of them, hex. Through its `prev` it commits to every entry before it, and it is found without
    /// reading them; a root over a past part of the log would cost a pass over all of it. `aosctl audit verify` proves that
    /// this leaf stands at this place under the signed root of today.
    pub leaf: String,
    /// When entry 0 was signed: nothing is known of the time before.
    pub began: Time,
}

/// How many there are of each, and that all of them were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Population {
    /// Each source, with the question that was asked of it.
    pub sources: Vec<Source>,
    /// Grants that are open.
    pub grants: u64,
    /// Grants that expired and were not revoked.
    pub expired: u64,
    /// Open grants with `write` or `admin`.
    pub writing: u64,
    /// Open grants with `admin`.
    pub admin: u64,
    /// Live agents.
    pub agents: u64,
    /// Live operators: people, and all of them are admins of aosctl.
    pub operators: u64,
    /// Keys that are not retired.
    pub keys: u64,
    /// Of those, ones that the provider has switched off: disabled but present.
    pub inactive_keys: u64,
    /// Integrations.
    pub integrations: u64,
    /// Of those, ones outside the boundary: third parties.
    pub third_parties: u64,
    /// Frozen agents: disabled but present.
    pub frozen: u64,
    /// Items without a live owner, and agents without a grant.
    pub orphans: u64,
}

/// One source of the population.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Source {
    /// `grants`, `keys`, `agents`, `operators`, `integrations`, or a feed such as `aws-credential-report`.
    pub name: String,
    /// What was asked of it, so that it can be asked again.
    pub query: String,
    /// How many are live in it.
    pub live: u64,
    /// How many of those are items of this review. Evidence only where both are the same.
    pub reviewed: u64,
    /// As of when the source speaks: imports are older than the page.
    pub as_of: Option<Time>,
    /// Why it could not be read; absent where it could.
    pub failed: Option<String>,
}

impl Source {
    /// The log itself is this source, and it does not show everything in it: such a page is no evidence. A report of a
    /// provider that is missing or old is named on the page, and can be signed for.
    pub fn hides(&self) -> bool {
        let of_log = ["grants", "keys", "agents", "operators", "integrations"].contains(&self.name.as_str());
        of_log && self.as_of.is_none() && self.failed.is_some()
    }
}

/// Whose review it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Duty {
    /// The operator whom the policy names; absent: any operator.
    pub owner: Option<Who>,
    /// To be signed before this moment.
    pub due: Time,
    /// The one after it is due then.
    pub next_due: Time,
}

/// What changed since the review before, or since the log began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Since {
    /// From this moment on.
    pub from: Time,
    /// The review before was signed then; absent: it was not.
    pub last_signed: Option<Time>,
    /// Grants that were issued.
    pub granted: Vec<Id>,
    /// Grants that were revoked.
    pub revoked: Vec<Id>,
    /// Grants that were narrowed.
    pub narrowed: Vec<Id>,
    /// Grants that became wider: issued in the place of a narrower one, or renewed to a later end.
    pub widened: Vec<Id>,
    /// Agents and operators that were enrolled.
    pub enrolled: Vec<Who>,
    /// Agents and operators that were retired.
    pub retired: Vec<Who>,
    /// Keys that leaked.
    pub leaked: Vec<Who>,
    /// Policies that were adopted, by entry.
    pub policies: Vec<u64>,
}

/// How far the reviewer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Items in all.
    pub items: u64,
    /// Decided.
    pub decided: u64,
    /// Decided, with something left to do.
    pub open: u64,
}

/// A place with customer data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CustomerData {
    /// Who holds it.
    pub integration: Who,
    /// Inside the boundary.
    pub inside: bool,
    /// Where its data lives, as told.
    pub residency: Option<String>,
    /// Who reaches it.
    pub reached_by: Vec<Reach>,
}

/// A grant that reaches customer data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reach {
    /// By which grant.
    pub grant: Id,
    /// Who.
    pub agent: Who,
    /// How much.
    pub access: Access,
    /// Of which class at most.
    pub data: DataClass,
}

/// A key that is due, or soon will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyDue {
    /// Which.
    pub key: Who,
    /// When it was to be turned over; absent: its age is not known.
    pub due: Option<Time>,
    /// Most urgent first: `leaked`, `expired`, `overdue`, `unknown` where nobody knows how old it is, `due`, `expires` and
    /// `soon` where it will be within its warning time.
    pub state: String,
    /// In one sentence.
    pub fact: String,
    /// What to type, or to do.
    pub command: String,
}

/// Something without a feed of its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotSeen {
    /// What.
    pub what: String,
    /// Why it is not seen, and what would show it.
    pub why: String,
    /// Items that this concerns.
    pub items: Vec<Id>,
}

/// Who stands by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Signature {
    /// Who.
    pub by: Who,
    /// When.
    pub at: Time,
    /// The entry.
    pub seq: u64,
    /// Days too late; 0: in time.
    pub late_days: u32,
    /// Items that the signer decided and owns, or is.
    pub self_reviewed: u64,
    /// What compensates for that: a second operator, the signed log.
    pub compensating: Option<String>,
    /// Per mille of the items that were kept as they are.
    pub kept_per_mille: u32,
    /// Median of the seconds that a decision took; absent where a script decided.
    pub median_seconds: Option<u64>,
    /// A reason to look twice at how it was decided, in words; absent: none.
    pub rubber_stamp: Option<String>,
    /// Hex SHA-256 of the page as JSON, as it was signed.
    pub page: String,
    /// The page as computed today, for the same moment, has that digest too.
    pub page_holds: bool,
}
