//! What is reviewed, item by item: what it is, when it was used, what the rules say, what was decided.

use schemars::JsonSchema;
use serde::Serialize;

use super::model::Who;
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Month, Narrower};
use crate::domain::time::Time;

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
    /// Its window is one of days in which uses were looked for. The others count how old something is: nobody has to have
    /// seen those days.
    pub fn looks_at_uses(self) -> bool {
        !matches!(self, Rule::OldKey | Rule::NeverRotated | Rule::NotCertified)
    }

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
