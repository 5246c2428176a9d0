//! One request as data: the JSON contract of `request show`, and what every screen is drawn from.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::access::Access;
use crate::domain::decide::Verdict;
use crate::domain::facets::{DataClass, Facets};
use crate::domain::id::Id;
use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::request::{Outcome, Standing};
use crate::domain::rules::Tier;
use crate::domain::time::Time;
use crate::workspace::decision::{How, Party};

/// One request, whole. Texts that an agent wrote are data here, exactly as they were signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestView {
    /// `r-57`.
    pub id: Id,
    /// Where it stands.
    pub standing: Standing,
    /// The moment that this was read for.
    pub as_of: Time,
    /// How risky.
    pub tier: Tier,
    /// Who asks.
    pub requester: PartyView,
    /// Whom it acts for; absent for an operator's own request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<PartyView>,
    /// When it was asked.
    pub at: Time,
    /// Undecided, or allowed and not begun, from here on, it has expired.
    pub until: Time,
    /// `noun.verb`. Agent text.
    pub action: String,
    /// To what.
    pub resource: String,
    /// How much access it takes.
    pub access: Access,
    /// Where; absent for an edit of the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationView>,
    /// The integration's name as typed, where it was unknown. Agent text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_typed: Option<String>,
    /// The grant that it stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantView>,
    /// What the decision looked at. Destination and environment are agent text.
    pub facets: Facets,
    /// The facets as declared, before the parameters were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Facets>,
    /// What the rules said when it was asked.
    pub decision: Verdict,
    /// The rule that settled it.
    pub rule: String,
    /// The points that fired when it was asked.
    pub points: Vec<Point>,
    /// Operators who must approve.
    pub approvers: u8,
    /// What deciding again gives now, while somebody can still decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<AgainView>,
    /// What it costs, where money is at stake and somebody can still decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyView>,
    /// What the agent says.
    pub says: TextsView,
    /// Members that were erased from the log since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<String>,
    /// Approvals so far.
    pub approvals: Vec<ApprovalView>,
    /// How it ended, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What became of its requester's other requests.
    pub record: RecordView,
    /// How like requests (same integration, same action) were decided.
    pub like: LikeView,
    /// The entry that asked.
    pub seq: u64,
    /// Leaf hash (hex) of that entry: what an approval signs.
    pub leaf: String,
    /// Digest (hex) of the policy that it was asked under.
    pub policy: String,
    /// Every entry about it, oldest first; only in `request show`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<EntryView>,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartyView {
    /// `ag-2` or `op-1`.
    pub id: Id,
    /// The name, where one was given and not erased. Foreign text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl From<&Party> for PartyView {
    fn from(p: &Party) -> PartyView {
        PartyView { id: p.id, name: p.name.clone() }
    }
}

/// An outside tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IntegrationView {
    /// `i-4`.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The catalogue entry.
    pub kind: String,
    /// Inside the boundary.
    pub inside: bool,
}

/// A grant, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantView {
    /// `g-7`.
    pub id: Id,
    /// Which part.
    pub scope: String,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// Its end; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Live now.
    pub live: bool,
    /// The key whose secret `aosctl run` gives to a program that the grant names; absent where it carries none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Id>,
}

/// What deciding again gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgainView {
    /// Allow, ask or deny.
    pub decision: Verdict,
    /// Why, in one sentence; may quote agent text.
    pub reason: String,
    /// Every point that fires, with why.
    pub fired: Vec<FiredView>,
    /// Every point that a decision signs: those that fired when it was asked, and those that fire now.
    pub points: Vec<Point>,
    /// Digest (hex) of the policy in force.
    pub policy: String,
    /// Why an approval would let nothing run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_vain: Option<String>,
}

/// A point that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FiredView {
    /// Which.
    pub point: Point,
    /// The rule's name, as `money.per-move`.
    pub rule: String,
    /// Why; may quote agent text.
    pub why: String,
}

/// What it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MoneyView {
    /// What it asks for; absent where nobody said how much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Handed out in the last 7 days by all agents, this request left out.
    pub spent_in_7_days: Money,
    /// The cap for a move.
    pub cap_move: Money,
    /// The cap for any 7 days.
    pub cap_week: Money,
}

/// What the agent says: all of it agent text, absent where it said nothing or it was erased.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct TextsView {
    /// In one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// What else could be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// How to undo it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
    /// It was not sure, and asks whatever the rules say.
    pub unsure: bool,
    /// Why it was not sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsure_why: Option<String>,
    /// What it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mission: Option<String>,
    /// Which model, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its key against doing things twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The tool's parameters, the JSON text as it was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// What changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Only a bound command may run.
    pub bound_command: bool,
    /// The very command that may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
    /// Files, by digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileView>,
}

/// The very command that may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CommandView {
    /// The resolved executable.
    pub program: String,
    /// Hex SHA-256 of its bytes.
    pub program_sha256: String,
    /// The arguments, the program's name as typed first.
    pub argv: Vec<String>,
    /// The directory that it runs in.
    pub directory: String,
    /// Names of the environment variables that it gets.
    pub environment: Vec<String>,
    /// Hex SHA-256 of its standard input; of nothing where it gets none.
    pub stdin_sha256: String,
}

/// A file, by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileView {
    /// As given.
    pub name: String,
    /// Hex SHA-256.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApprovalView {
    /// Who.
    pub operator: PartyView,
    /// The entry.
    pub seq: u64,
    /// Counts before this moment.
    pub until: Time,
    /// The points that were shown.
    pub points: Vec<Point>,
}

/// What became of a requester's other requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordView {
    /// Counted from here on.
    pub since: Time,
    /// The log is younger than the usual 90 days: this is everything there is.
    pub whole_log: bool,
    /// All of them.
    pub asked: usize,
    /// Done, as told.
    pub succeeded: usize,
    /// Failed, as told.
    pub failed: usize,
    /// Begun, and no outcome is known.
    pub unknown: usize,
    /// Denied by an operator.
    pub denied: usize,
    /// Denied by the rules.
    pub denied_by_rule: usize,
    /// Expired or withdrawn.
    pub lapsed: usize,
    /// Waiting, or allowed and not begun.
    pub open: usize,
}

/// How like requests were decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LikeView {
    /// By operators: yes.
    pub approved: usize,
    /// By operators: no.
    pub denied: usize,
    /// By the rules: yes.
    pub allowed: usize,
    /// Of all these, on the same resource.
    pub same_resource: usize,
    /// Only the newest thousand were counted.
    pub more: bool,
    /// The newest three, newest first.
    pub last: Vec<LikeDecisionView>,
}

/// How one like request was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LikeDecisionView {
    /// Which.
    pub request: Id,
    /// How.
    pub how: How,
    /// Who.
    pub by: Vec<PartyView>,
    /// When.
    pub at: Time,
    /// Why. Foreign text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// On the same resource.
    pub same_resource: bool,
}

/// One entry about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntryView {
    /// Its place in the log.
    pub seq: u64,
    /// Its type, as `request.approved/1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was signed.
    pub at: Time,
    /// Who signed: an id, or `log` where nobody did.
    pub signer: String,
    /// The signer's name. Foreign text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was said with it: a reason or a note. Foreign text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// How it ended, where the entry tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// It had no authority and counts for nothing; the word for why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
}
