//! What the past says about a request: how its requester did, and how like requests were decided.
//!
//! Counts come from the tables, which `audit verify` proves; who decided and why is read from verified entries.

use super::Party;
use crate::domain::decide::Verdict;
use crate::domain::event::Event;
use crate::domain::id::Actor;
use crate::domain::id::Id;
use crate::domain::request::{Request, Standing, Surroundings};
use crate::domain::time::{Span, Time};
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// How many days of its requester's past are counted.
pub const WINDOW: u32 = 90;

/// At most so many like requests are looked at, newest first.
const LIKE_LIMIT: usize = 1000;
/// Of so many the decision is told in full.
const TOLD: usize = 3;

/// What the past says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Of the requester.
    pub requester: Record,
    /// Of like requests.
    pub like: LikeRecord,
}

/// What became of a requester's requests, the one that is asked about left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Counted from here on.
    pub since: Time,
    /// The log is younger than [`WINDOW`] days: everything was counted, and it is less than the window.
    pub whole_log: bool,
    /// All of them.
    pub asked: usize,
    /// Done, as told.
    pub succeeded: usize,
    /// Failed, as told.
    pub failed: usize,
    /// Begun, and no outcome is known.
    pub unknown: usize,
    /// Denied by the rules.
    pub denied_by_rule: usize,
    /// Denied by an operator.
    pub denied: usize,
    /// Expired or withdrawn.
    pub lapsed: usize,
    /// Waiting, or allowed and not begun.
    pub open: usize,
}

/// How like requests (same integration, same action) were decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LikeRecord {
    /// By operators: yes.
    pub approved: usize,
    /// By operators: no.
    pub denied: usize,
    /// By the rules: yes.
    pub allowed: usize,
    /// Of all these, on the same resource.
    pub same_resource: usize,
    /// There are more than were looked at.
    pub more: bool,
    /// The newest few, newest first.
    pub last: Vec<LikeDecision>,
}

/// How one like request was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LikeDecision {
    /// Which.
    pub request: Id,
    /// How.
    pub how: How,
    /// Who; nobody where the rules allowed it.
    pub by: Vec<Party>,
    /// When.
    pub at: Time,
    /// Why. Foreign text.
    pub reason: Option<String>,
    /// On the same resource.
    pub same_resource: bool,
}

/// How a request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// An operator said yes, or as many as were needed.
    Approved,
    /// An operator said no.
    Denied,
    /// The rules said yes.
    Allowed,
}

impl Workspace {
    /// What the past says about a request.
    pub fn history(&self, r: &Request, now: Time) -> Result<History, WorkspaceError> {
        Ok(History { requester: self.requester_record(r, now)?, like: self.like_record(r)? })
    }

    fn requester_record(&self, r: &Request, now: Time) -> Result<Record, WorkspaceError> {
        let begun = self.event(0)?.0.at;
        let window = now.minus(Span::days(WINDOW));
        let since = window.max(begun);
        let mut record = Record {
            since,
            whole_log: begun > window,
            asked: 0,
            succeeded: 0,
            failed: 0,
            unknown: 0,
            denied_by_rule: 0,
            denied: 0,
            lapsed: 0,
            open: 0,
        };
        for past in self.store().requests_since(r.requester, since)? {
            if past.id == r.id {
                continue;
            }
            record.asked += 1;
            // Whether its grant lives does not matter to how it ended.
            let slot = match past.standing(Surroundings { now, alive: true, frozen: false }) {
                Standing::Succeeded => &mut record.succeeded,
                Standing::Failed => &mut record.failed,
                Standing::Unknown | Standing::Claimed => &mut record.unknown,
                Standing::Denied if past.decision == Verdict::Deny => &mut record.denied_by_rule,
                Standing::Denied => &mut record.denied,
                Standing::Expired | Standing::Withdrawn | Standing::Cancelled => &mut record.lapsed,
                Standing::Pending | Standing::Allowed | Standing::Approved | Standing::Frozen => &mut record.open,
            };
            *slot += 1;
        }
        Ok(record)
    }

    fn like_record(&self, r: &Request) -> Result<LikeRecord, WorkspaceError> {
        let mut like = LikeRecord::default();
        let facts = self.facts();
        let found = self.store().requests_like(r.integration, &r.action, r.id, LIKE_LIMIT + 1)?;
        like.more = found.len() > LIKE_LIMIT;
        for past in found.iter().take(LIKE_LIMIT) {
            let how = match past.decision {
                Verdict::Allow => How::Allowed,
                Verdict::Ask if past.denied_seq.is_some() => How::Denied,
                Verdict::Ask if past.is_approved() => How::Approved,
                _ => continue,
            };
            *match how {
                How::Approved => &mut like.approved,
                How::Denied => &mut like.denied,
                How::Allowed => &mut like.allowed,
            } += 1;
            let same_resource = past.resource == r.resource;
            like.same_resource += usize::from(same_resource);
            if like.last.len() < TOLD {
                like.last.push(self.told(&facts, past, how, same_resource)?);
            }
        }
        Ok(like)
    }

    fn told(
        &self,
        facts: &Trusted<'_>,
        past: &Request,
        how: How,
        same_resource: bool,
    ) -> Result<LikeDecision, WorkspaceError> {
        let mut told = LikeDecision { request: past.id, how, by: Vec::new(), at: past.at, reason: None, same_resource };
        let seqs: Vec<u64> = match how {
            How::Allowed => Vec::new(),
            How::Denied => past.denied_seq.into_iter().collect(),
            How::Approved => past.approvals.iter().map(|a| a.seq).collect(),
        };
        for seq in seqs {
            let (entry, event) = self.event(seq)?;
            told.at = entry.at;
            if let Actor::Identity(id) = entry.actor {
                told.by.push(self.party(facts, id)?);
            }
            // The newest reason given: with several approvers the last one settled it.
            told.reason = match event {
                Event::RequestApproved(b) => b.reason,
                Event::RequestDenied(b) => b.reason,
                _ => None,
            }
            .or(told.reason);
        }
        Ok(told)
    }
}
