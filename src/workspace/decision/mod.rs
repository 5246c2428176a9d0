//! Deciding about a request: what waits, what a person is shown, and the entry that says yes or no to exactly that
//! (law 4).
//!
//! The way of a decision: [`Workspace::queue`] finds what waits, [`Workspace::case`] gathers what a person must see of
//! one request, and [`approve`] or [`deny`] signs the [`Shown`] of that case inside a transaction. When the request, the
//! points that fire, the grant or the policy are others by then, nothing is signed.

mod case;
mod record;

pub use case::{Case, MoneySoFar, Open, Party};
pub use record::{History, How, LikeDecision, LikeRecord, Record, WINDOW};

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{OperatorIdentity, Trusted, Tx, Workspace, WorkspaceError, standing};
use crate::domain::authority::Fault;
use crate::domain::decide::Verdict;
use crate::domain::event::{RequestApproved, RequestDenied};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::point::Point;
use crate::domain::request::{Outcome, Request, Standing};
use crate::domain::time::Time;
use crate::store::RequestFilter;

/// What was on the screen, as far as a decision signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Leaf hash (hex) of the request's entry, and with it every parameter, text and digest of the request.
    pub leaf: String,
    /// The points that fired when it was asked, and those that fire now.
    pub points: BTreeSet<Point>,
    /// The grant that it stands on.
    pub grant: Option<Id>,
    /// Digest (hex) of the policy in force.
    pub policy: String,
}

/// What was decided, as it now stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Which request.
    pub request: Id,
    /// The entry; `None` for a dry run.
    pub seq: Option<u64>,
    /// When.
    pub at: Time,
    /// It has to be begun before this moment, which is when the first of its approvals runs out; `None` for a denial.
    pub until: Option<Time>,
    /// Operators who approved so far, this one among them.
    pub approved: usize,
    /// Operators who must approve.
    pub needed: usize,
    /// The operator decides alone about what two would decide if there were two.
    pub self_approved: bool,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It may be done, once.
    Approve,
    /// It may not.
    Deny,
}

fn refuse<T>(kind: &'static str, detail: impl Into<String>) -> Result<T, WorkspaceError> {
    Err(WorkspaceError::Refused(Fault { kind, detail: detail.into() }))
}

impl Workspace {
    /// The requests that wait for an operator: riskiest tier first, then oldest. Each was verified.
    pub fn queue(&self, now: Time) -> Result<Vec<Rc<Request>>, WorkspaceError> {
        let facts = self.facts();
        let mut waiting = Vec::new();
        for row in self.store().requests(RequestFilter::Undecided)? {
            let Some(r) = facts.request(row.id)? else { continue };
            if standing(&facts, &r, now)? == Standing::Pending {
                waiting.push(r);
            }
        }
        waiting.sort_by_key(|r| (std::cmp::Reverse(r.tier), r.at, r.id));
        Ok(waiting)
    }
}

/// May this operator give that answer to what was shown? Both transactions and dry runs ask here. `operator` is `None`
/// where nobody was unlocked: then what depends on who decides is left to the transaction.
///
/// # Errors
/// [`WorkspaceError::Refused`] with a kind of its own for every reason: `no_such_request`, `denied`, `withdrawn`,
/// `claimed`, `finished`, `allowed`, `approved`, `expired`, `own_request`, `approved_twice`, `changed`, `would_not_run`.
pub fn examine(
    facts: &Trusted<'_>,
    id: Id,
    operator: Option<Id>,
    answer: Answer,
    shown: &Shown,
    now: Time,
) -> Result<(Rc<Request>, Open), WorkspaceError> {
    let Some(r) = facts.request(id)? else {
        return refuse("no_such_request", format!("there is no request {id}"));
    };
    if let Some(fault) = closed(&r, now) {
        return Err(WorkspaceError::Refused(fault));
    }
    if operator == Some(r.requester) {
        return refuse(
            "own_request",
            format!("{id} is your own request ({}): another operator has to decide", r.requester),
        );
    }
    if answer == Answer::Approve && r.approvals.iter().any(|a| Some(a.operator) == operator) {
        return refuse("approved_twice", format!("you approved {id} before; another operator has to"));
    }
    let open = case::open(facts, &r, now)?;
    if open.shown != *shown {
        return refuse("changed", format!("{id} changed while you were reading: look again"));
    }
    if answer == Answer::Approve
        && let Some(why) = &open.in_vain
    {
        return refuse("would_not_run", format!("approving {id} would let nothing run: {why}"));
    }
    Ok((r, open))
}

/// Why nobody can decide about a request any more; `None` while somebody can.
pub fn closed(r: &Request, now: Time) -> Option<Fault> {
    let id = r.id;
    let fault = |kind, detail: String| Some(Fault { kind, detail });
    if let Some(outcome) = r.outcome {
        let how = match outcome {
            Outcome::Succeeded => "it was done",
            Outcome::Failed => "it failed",
            Outcome::Unknown => "it was begun, and nobody knows how it ended",
        };
        return fault("finished", format!("{id} is over: {how}"));
    }
    if r.claimed_seq.is_some() {
        return fault("claimed", format!("{id} was begun; an approval works once, and is not taken back then"));
    }
    if r.withdrawn_seq.is_some() {
        return fault("withdrawn", format!("{id} was withdrawn"));
    }
    if r.denied_seq.is_some() {
        return fault("denied", format!("{id} was denied by an operator"));
    }
    match r.decision {
        Verdict::Deny => {
            return fault(
                "denied",
                format!("{id} was denied by the rules when it was asked, and no operator can approve it"),
            );
        }
        Verdict::Allow => {
            return fault("allowed", format!("{id} was allowed by the rules and needs no decision"));
        }
        Verdict::Ask => {}
    }
    if r.is_approved() {
        let in_time = r.counting(now).count() >= usize::from(r.approvers.max(1));
        return if in_time {
            fault("approved", format!("{id} is approved already"))
        } else {
            fault("expired", format!("{id} was approved, but not begun in time; it has to be asked again"))
        };
    }
    if now >= r.until {
        return fault("expired", format!("{id} expired undecided; it has to be asked again"));
    }
    None
}

/// Says yes to exactly what was shown. It may be begun once, within the policy's `use_within`.
///
/// # Errors
/// As [`examine`], and what appending gives.
pub fn approve(
    tx: &mut Tx<'_>,
    operator: &OperatorIdentity,
    id: Id,
    shown: &Shown,
    reason: Option<String>,
) -> Result<Decided, WorkspaceError> {
    let now = tx.now();
    let (r, open) = examine(tx.facts(), id, Some(operator.id), Answer::Approve, shown, now)?;
    let mut decided = foresee(&r, &open, Answer::Approve, now);
    let event = RequestApproved {
        request: id,
        leaf: shown.leaf.clone(),
        points: shown.points.clone(),
        grant: shown.grant,
        policy: shown.policy.clone(),
        until: now.plus(open.use_within).min(r.until),
        self_approved: decided.self_approved,
        reason,
    };
    decided.seq = Some(tx.append(operator.by(), event)?.seq);
    Ok(decided)
}

/// Says no. Final: the requester would have to ask again.
///
/// # Errors
/// As [`examine`], and what appending gives.
pub fn deny(
    tx: &mut Tx<'_>,
    operator: &OperatorIdentity,
    id: Id,
    shown: &Shown,
    reason: Option<String>,
) -> Result<Decided, WorkspaceError> {
    let now = tx.now();
    let (r, open) = examine(tx.facts(), id, Some(operator.id), Answer::Deny, shown, now)?;
    let mut decided = foresee(&r, &open, Answer::Deny, now);
    let event = RequestDenied {
        request: id,
        leaf: shown.leaf.clone(),
        points: shown.points.clone(),
        grant: shown.grant,
        policy: shown.policy.clone(),
        reason,
    };
    decided.seq = Some(tx.append(operator.by(), event)?.seq);
    Ok(decided)
}

/// What an answer would come to, before it is signed.
pub fn foresee(r: &Request, open: &Open, answer: Answer, now: Time) -> Decided {
    let yes = answer == Answer::Approve;
    let needed = usize::from(r.approvers.max(1));
    Decided {
        request: r.id,
        seq: None,
        at: now,
        until: yes
            .then(|| r.counting(now).map(|a| a.until).chain([now.plus(open.use_within).min(r.until)]).min())
            .flatten(),
        approved: r.approvals.len() + usize::from(yes),
        needed,
        self_approved: yes && needed == 1 && open.shown.points.contains(&Point::Audit),
    }
}
