//! Requests, as the log records them, and what they come to.

use std::collections::BTreeSet;

use super::access::Access;
use super::decide::Verdict;
use super::event::ClaimMode;
use super::facets::Facets;
use super::id::Id;
use super::point::Point;
use super::rules::Tier;
use super::scope::Scope;
use super::time::Time;

/// What an agent wants to do, without the texts (which stay in the payload and may be erased).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `r-57`.
    pub id: Id,
    /// Who asks.
    pub requester: Id,
    /// Where; `None` for an edit of the audit trail, and where the name was unknown.
    pub integration: Option<Id>,
    /// `noun.verb`.
    pub action: String,
    /// What it is done to.
    pub resource: Scope,
    /// How much access it takes.
    pub access: Access,
    /// What the decision looked at.
    pub facets: Facets,
    /// The requester was not sure.
    pub unsure: bool,
    /// What was decided by the rules.
    pub decision: Verdict,
    /// Points that fired.
    pub points: BTreeSet<Point>,
    /// The rule that settled it.
    pub rule: String,
    /// How many operators must approve.
    pub approvers: u8,
    /// How risky it is.
    pub tier: Tier,
    /// The grant it stands on.
    pub grant: Option<Id>,
    /// Digest (hex) of the policy in force.
    pub policy: String,
    /// What it is part of.
    pub mission: Option<String>,
    /// The requester's own key against doing things twice.
    pub idempotency_key: Option<String>,
    /// A command is bound to it: only [`run`](super::event::ClaimMode::Run) may claim it.
    pub bound_command: bool,
    /// The entry.
    pub made_seq: u64,
    /// Leaf hash (hex) of that entry: what an approval names.
    pub leaf: String,
    /// When.
    pub at: Time,
    /// Undecided or unused from here on, it has expired.
    pub until: Time,
    /// Approvals so far, in order.
    pub approvals: Vec<Approval>,
    /// The entry that denied it.
    pub denied_seq: Option<u64>,
    /// The entry that withdrew it.
    pub withdrawn_seq: Option<u64>,
    /// The entry that claimed it.
    pub claimed_seq: Option<u64>,
    /// When.
    pub claimed_at: Option<Time>,
    /// How it was begun.
    pub claim_mode: Option<ClaimMode>,
    /// The key whose secret `run` says it gave to the program.
    pub key_used: Option<Id>,
    /// How it ended, as told.
    pub outcome: Option<Outcome>,
    /// The entry that told it.
    pub finished_seq: Option<u64>,
    /// The entry with which an operator settled an unknown outcome.
    pub resolved_seq: Option<u64>,
}

/// One approval of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub operator: Id,
    /// The entry.
    pub seq: u64,
    /// Counts before this moment.
    pub until: Time,
    /// The points that were shown.
    pub points: BTreeSet<Point>,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// It was not.
    Failed,
    /// Nobody knows; never retried by itself.
    Unknown,
}

impl Outcome {
    /// The word, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        [Outcome::Succeeded, Outcome::Failed, Outcome::Unknown]
            .into_iter()
            .find(|o| o.as_str() == s)
            .ok_or_else(|| format!("an outcome is succeeded, failed or unknown, not {s:?}"))
    }
}

/// Where a request stands at a moment. Computed, never stored: expiry, revocation and freezing need no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Waits for an operator.
    Pending,
    /// Allowed by rule, not begun.
    Allowed,
    /// Approved, not begun.
    Approved,
    /// The rules said no, or an operator did.
    Denied,
    /// Not decided, or not begun, in time.
    Expired,
    /// Taken back.
    Withdrawn,
    /// Its grant, agent or operator is gone.
    Cancelled,
    /// The workspace or the agent is frozen; thawing brings it back.
    Frozen,
    /// Begun; no outcome yet.
    Claimed,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Begun, and nobody knows how it ended.
    Unknown,
}

impl Standing {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Pending => "pending",
            Standing::Allowed => "allowed",
            Standing::Approved => "approved",
            Standing::Denied => "denied",
            Standing::Expired => "expired",
            Standing::Withdrawn => "withdrawn",
            Standing::Cancelled => "cancelled",
            Standing::Frozen => "frozen",
            Standing::Claimed => "claimed",
            Standing::Succeeded => "succeeded",
            Standing::Failed => "failed",
            Standing::Unknown => "unknown",
        }
    }
}

/// What a standing depends on besides the request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// The moment asked about.
    pub now: Time,
    /// Grant, agent and operator are live.
    pub alive: bool,
    /// The workspace or the agent is frozen.
    pub frozen: bool,
}

impl Request {
    /// Approvals that still count at a moment, by distinct operators (keys are never shared: authority refuses a public
    /// key that was ever used).
    pub fn counting(&self, at: Time) -> impl Iterator<Item = &Approval> {
        self.approvals.iter().filter(move |a| at < a.until)
    }

    /// Enough operators approved, ever.
    pub fn is_approved(&self) -> bool {
        self.decision == Verdict::Ask && self.approvals.len() >= usize::from(self.approvers.max(1))
    }

    /// Where it stands.
    pub fn standing(&self, s: Surroundings) -> Standing {
        if let Some(outcome) = self.outcome {
            return match outcome {
                Outcome::Succeeded => Standing::Succeeded,
                Outcome::Failed => Standing::Failed,
                Outcome::Unknown => Standing::Unknown,
            };
        }
        if self.claimed_seq.is_some() {
            return Standing::Claimed;
        }
        if self.withdrawn_seq.is_some() {
            return Standing::Withdrawn;
        }
        if self.denied_seq.is_some() || self.decision == Verdict::Deny {
            return Standing::Denied;
        }
        let approved = self.is_approved();
        let enough = !approved || self.counting(s.now).count() >= usize::from(self.approvers.max(1));
        let in_time = s.now < self.until && enough;
        if !in_time {
            return Standing::Expired;
        }
        if !s.alive {
            return Standing::Cancelled;
        }
        if s.frozen {
            return Standing::Frozen;
        }
        match (self.decision, approved) {
            (Verdict::Allow, _) => Standing::Allowed,
            (_, true) => Standing::Approved,
            _ => Standing::Pending,
        }
    }
}
