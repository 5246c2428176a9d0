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
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Month, Narrower};
use crate::domain::time::Time;

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

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A right.
    Grant,
    /// A credential.
    Key,
    /// A program.
    Agent,
    /// A person.
    Operator,
    /// A tool or a data store.
    Integration,
}

impl ItemKind {
    /// Of an id.
    pub fn of(kind: IdKind) -> Option<ItemKind> {
        Some(match kind {
            IdKind::Grant => ItemKind::Grant,
            IdKind::Key => ItemKind::Key,
            IdKind::Agent => ItemKind::Agent,
            IdKind::Operator => ItemKind::Operator,
            IdKind::Integration => ItemKind::Integration,
            IdKind::Request | IdKind::Review | IdKind::Policy | IdKind::Workspace => return None,
        })
    }
}

/// Something that is reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Item {
    /// `g-7`.
    pub id: Id,
    /// What it is.
    pub kind: ItemKind,
    /// Its name; a grant has none.
    pub name: Option<String>,
    /// Who may: of a grant. Whom it is for: of a key.
    pub agent: Option<Who>,
    /// Where.
    pub integration: Option<Who>,
    /// Which part.
    pub scope: Option<String>,
    /// How much.
    pub access: Option<Access>,
    /// The most delicate data.
    pub data: Option<DataClass>,
    /// Who answers for it.
    pub owner: Option<Who>,
    /// What it is for.
    pub mission: Option<String>,
    /// Issued, added or enrolled at.
    pub since: Time,
    /// Its end, where it has one.
    pub until: Option<Time>,
    /// What is special: `expired`, `frozen`, `inactive`, `leaked`, `unattended`, `inside`, `outside`, `no owner`, `no grant`.
    pub marks: Vec<String>,
    /// When it was used last, and how that is known.
    pub last_use: LastUse,
    /// Every entry about it lies between these.
    pub entries: EntryRange,
    /// What the rules say, gravest first. Empty: nothing speaks against it.
    pub findings: Vec<Finding>,
    /// What is advised, by the gravest finding.
    pub advice: Advice,
    /// The exact narrower grant, where that is advised.
    pub narrower: Option<Narrower>,
    /// The line that carries the advice out; absent where there is nothing to do.
    pub command: Option<String>,
    /// The last review that decided about it, before this one.
    pub certified: Option<Certified>,
    /// What was decided in this review.
    pub decided: Option<DecidedItem>,
}

/// Entries of the log, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntryRange {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// When something was used last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "known", rename_all = "lowercase")]
pub enum LastUse {
    /// It was.
    Used {
        /// When.
        at: Time,
        /// How that is known: `run`, `begun`, `request`, `hook`, or the feed of an import.
        by: String,
        /// The entry that shows it.
        seq: Option<u64>,
    },
    /// Somebody watches, and has not seen it used.
    Never {
        /// Who watches: `requests`, or the feed of an import.
        by: String,
        /// Since when it was watched.
        since: Time,
    },
    /// Nobody watches.
    Unknown {
        /// Why.
        why: String,
    },
    /// Nothing that is used: an operator, an integration.
    None,
}

/// Rules of the review (review-rules.md). AR-12 needs a feed that does not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[allow(missing_docs, reason = "each is explained in review-rules.md and docs/review.md")]
pub enum Rule {
    #[serde(rename = "AR-01")]
    Unused,
    #[serde(rename = "AR-02")]
    NoFeed,
    #[serde(rename = "AR-03")]
    OnlyReads,
    #[serde(rename = "AR-04")]
    Wider,
    #[serde(rename = "AR-05")]
    NeverUsed,
    #[serde(rename = "AR-06")]
    NoOwner,
    #[serde(rename = "AR-07")]
    OldKey,
    #[serde(rename = "AR-08")]
    NeverRotated,
    #[serde(rename = "AR-09")]
    Shared,
    #[serde(rename = "AR-10")]
    Expired,
    #[serde(rename = "AR-11")]
    Duplicate,
    #[serde(rename = "AR-13")]
    NotCertified,
    #[serde(rename = "AR-14")]
    NoEnd,
    #[serde(rename = "AR-15")]
    NotCarriedOut,
    #[serde(rename = "AR-16")]
    Widened,
}

impl Rule {
    /// As it is written: `AR-01`.
    pub fn id(self) -> &'static str {
        match self {
            Rule::Unused => "AR-01",
            Rule::NoFeed => "AR-02",
            Rule::OnlyReads => "AR-03",
            Rule::Wider => "AR-04",
            Rule::NeverUsed => "AR-05",
            Rule::NoOwner => "AR-06",
            Rule::OldKey => "AR-07",
            Rule::NeverRotated => "AR-08",
            Rule::Shared => "AR-09",
            Rule::Expired => "AR-10",
            Rule::Duplicate => "AR-11",
            Rule::NotCertified => "AR-13",
            Rule::NoEnd => "AR-14",
            Rule::NotCarriedOut => "AR-15",
            Rule::Widened => "AR-16",
        }
    }
}

/// How grave a finding is, least first. `watch` and `low` alone put nothing under DECIDE FIRST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It will fire soon, or the log is too young to say.
    Watch,
    /// Worth knowing.
    Low,
    /// To be decided.
    Medium,
    /// To be decided first.
    High,
    /// To be decided before all else.
    Critical,
}

/// What a rule says about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How grave.
    pub severity: Severity,
    /// What is the case, in one sentence of plain words.
    pub fact: String,
    /// Days that the rule looks back; absent where it looks at the present only.
    pub window_days: Option<u32>,
    /// Days of that window that the log, or the feed, covers. Fewer than the window: the fact says so.
    pub covered_days: Option<u32>,
    /// The entries that show it.
    pub entries: EntryRange,
    /// What this rule alone advises.
    pub advice: Advice,
    /// The exact narrower grant, where this rule advises to narrow.
    pub narrower: Option<Narrower>,
    /// The line that carries this advice out, or shows what has to be looked into.
    pub command: Option<String>,
}

/// That an item was decided about before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certified {
    /// In which review.
    pub month: Month,
    /// When.
    pub at: Time,
    /// What was decided.
    pub decision: Advice,
}

/// Whether a decision was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// There was nothing to do.
    Nothing,
    /// An entry shows it, and the state was read again.
    CarriedOut,
    /// Somebody says so; aosctl cannot see it.
    Declared,
    /// Something is left to do.
    Open,
}

/// What was decided about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecidedItem {
    /// What was decided.
    pub decision: Advice,
    /// What was advised at that time.
    pub advice: Advice,
    /// It is not what was advised.
    pub overridden: bool,
    /// Why; absent where nothing was said, or it was erased.
    pub note: Option<String>,
    /// Who.
    pub by: Who,
    /// When.
    pub at: Time,
    /// The entry.
    pub seq: u64,
    /// The one who decided owns the item, or is the item.
    pub self_review: bool,
    /// What became of it, as the log stands now.
    pub remedy: Remedy,
    /// The entry that carried it out.
    pub carried_out: Option<u64>,
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
