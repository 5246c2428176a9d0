//! Erasing members of a payload: who must agree, the entry that says so, and the bytes (log-format.md, Payload).
//!
//! The way of an erasure: [`target`] reads what an entry holds, [`Workspace::edits`] finds who asked for it and who agreed, and
//! [`carry_out`] takes the next step inside a transaction: it records the request, or erases. The entry that says so, the
//! payload without the members and the mark for [`finish`] are one transaction. [`finish`] then takes the bytes out of
//! the files, and the mark away; a crash in between leaves the mark, and the next writer finishes.

mod edits;
mod finish;
mod going;
mod left;
mod reach;

pub use edits::Edit;
pub use finish::{Finished, finish, is_unfinished};
pub use going::REPEATED;
pub(super) use going::{Going, refuse_body, says};
pub use reach::{HandedOut, repeats, stands_also_in};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ask::{Ask, AskError, Declared, Prepared, record};
use super::{OperatorIdentity, Trusted, Tx, Workspace, WorkspaceError};
use crate::domain::authority::Fault;
use crate::domain::decide::{AUDIT_EDIT, Decision, Proposal, Verdict};
use crate::domain::event::{PayloadErased, RequestWithdrawn};
use crate::domain::facets::Facets;
use crate::domain::id::Id;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::weigh::weigh;
use crate::log::payload::{ERASABLE, Record};
use crate::log::verify::inspect;

/// What an entry holds that may be erased.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which entry.
    pub seq: u64,
    /// Its type.
    pub kind: String,
    /// When it was signed, as written.
    pub at: String,
    /// Who signed.
    pub actor: String,
    /// The members that may be erased, with what stands in them. Foreign text.
    pub members: BTreeMap<String, Value>,
    /// Members that were erased, each with the entry that says so.
    pub erased: BTreeMap<String, u64>,
    record: Record,
}

/// Reads an entry for erasing. `None`: there is no such entry.
///
/// # Errors
/// [`WorkspaceError::Integrity`] where its payload is missing or not the one that was signed for: erasing would hide that.
pub fn target(ws: &Workspace, seq: u64) -> Result<Option<Target>, WorkspaceError> {
    let Some(stored) = ws.store().entry(seq)? else { return Ok(None) };
    let seen = inspect(&stored.envelope, stored.record.as_deref());
    let bad = |what: &str| WorkspaceError::integrity(seq, format!("entry {seq}: {what}"));
    let header = seen.header().filter(|_| seen.form_fault().is_none()).ok_or_else(|| bad("it cannot be read"))?;
    if !seen.commitment_holds() {
        return Err(bad("its payload is missing, or is not the one that was signed for"));
    }
    let record = Record::parse(stored.record.as_deref().unwrap_or_default()).map_err(|e| bad(&e.to_string()))?;
    let members =
        record.body.iter().filter(|(name, _)| ERASABLE.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone()));
    Ok(Some(Target {
        seq,
        kind: header.kind.clone(),
        at: header.at.clone(),
        actor: header.actor.clone(),
        members: members.collect(),
        erased: ws.store().erasures_of(seq)?,
        record,
    }))
}

/// What would happen, or happened, to an erasure that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Operators who must agree.
    pub needed: u8,
    /// Those who do: approvers, and who signs the erasure.
    pub agreed: BTreeSet<Id>,
    /// The request in the queue; `None` where a dry run would make one.
    pub request: Option<Id>,
    /// Who asked.
    pub requester: Option<Id>,
    /// The request was made by this very step.
    pub asked_now: bool,
    /// Entries of the approvals that count.
    pub approvals: BTreeSet<u64>,
    /// The entry that says what was erased; `None`: others have to agree first.
    pub erased_by: Option<u64>,
}

impl Step {
    /// Everybody who must agree does.
    pub fn is_agreed(&self) -> bool {
        self.agreed.len() >= usize::from(self.needed)
    }
}

/// The action of an erasure, as it is decided about.
fn proposal(operator: Id, resource: Scope) -> Proposal {
    Proposal {
        requester: operator,
        action: AUDIT_EDIT.into(),
        resource,
        access: None,
        facets: Facets::default(),
        unsure: false,
    }
}

fn resource(seq: u64) -> Result<Scope, WorkspaceError> {
    format!("entry:{seq}").parse().map_err(WorkspaceError::Unwritable)
}

/// The decision about an erasure by that operator, as things stand.
///
/// # Errors
/// What the facts give.
pub fn decision(facts: &Trusted<'_>, operator: Id, seq: u64, now: Time) -> Result<Decision, WorkspaceError> {
    weigh(facts, &proposal(operator, resource(seq)?), None, now, None)
}

fn refuse<T>(kind: &'static str, detail: impl Into<String>) -> Result<T, WorkspaceError> {
    Err(WorkspaceError::Refused(Fault { kind, detail: detail.into() }))
}

/// Where an erasure stands for that operator, without changing anything.
///
/// # Errors
/// [`WorkspaceError::Refused`] where the rules deny it: `frozen.workspace`, `operator.unknown`.
pub fn examine(
    ws: &Workspace,
    facts: &Trusted<'_>,
    operator: Id,
    seq: u64,
    members: &BTreeSet<String>,
    now: Time,
) -> Result<Step, WorkspaceError> {
    let decided = decision(facts, operator, seq, now)?;
    if decided.verdict == Verdict::Deny {
        return refuse(decided.rule, decided.reason);
    }
    let needed = decided.approvers;
    let edits = ws.edits(facts, seq, now)?;
    let counts = |e: &&Edit| e.members == *members && e.request.approvers >= needed;
    // The one that most have agreed to; of equal ones the oldest.
    let best = edits.iter().filter(counts).max_by_key(|e| (e.approved(now).len(), std::cmp::Reverse(e.request.id)));
    let (mut agreed, mut approvals) = (BTreeSet::from([operator]), BTreeSet::new());
    for a in best.iter().flat_map(|e| e.request.counting(now)) {
        if agreed.insert(a.operator) {
            approvals.insert(a.seq);
        }
    }
    Ok(Step {
        needed,
        agreed,
        approvals,
        request: best.map(|e| e.request.id),
        requester: best.map(|e| e.request.requester),
        asked_now: false,
        erased_by: None,
    })
}

/// Takes the next step: erases if enough operators agree, else asks for it. `reason` goes into the log.
///
/// # Errors
/// As [`examine`]; [`WorkspaceError::Refused`] with `changed` where the entry holds another text by now.
pub fn carry_out(
    ws: &Workspace,
    tx: &mut Tx<'_>,
    operator: &OperatorIdentity,
    shown: &Target,
    members: &BTreeSet<String>,
    reason: &str,
) -> Result<Step, AskError> {
    let (seq, now) = (shown.seq, tx.now());
    let step = examine(ws, tx.facts(), operator.id, seq, members, now)?;
    let unchanged = target(ws, seq)?.filter(|t| t.record == shown.record);
    let Some(Target { mut record, .. }) = unchanged else {
        return Ok(refuse("changed", format!("entry {seq} changed while you were reading: look again"))?);
    };
    let step = match step.request {
        Some(_) => step,
        None => {
            let asked = ask(ws, tx, operator, seq, members, reason)?;
            Step { request: Some(asked), requester: Some(operator.id), asked_now: true, ..step }
        }
    };
    if !step.is_agreed() {
        return Ok(step);
    }
    // Before the entry: what was agreed to is over with it, and an approval of a request that was taken back counts no more.
    let over: Vec<Id> = ws
        .edits(tx.facts(), seq, now)?
        .into_iter()
        .filter(|e| e.members.iter().any(|m| members.contains(m)))
        .map(|e| e.request.id)
        .collect();
    let event = PayloadErased {
        seq,
        members: members.clone(),
        approvals: step.approvals.clone(),
        reason: Some(reason.to_string()),
    };
    let by = tx.append(operator.by(), event)?.seq;
    for name in members {
        let gone = record.erase(name).map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
        if !gone {
            return Ok(refuse("changed", format!("entry {seq} has no member {name}"))?);
        }
    }
    let bytes = record.to_jcs().map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
    tx.write().replace_payload(seq, &bytes).map_err(WorkspaceError::from)?;
    for request in over {
        let reason = Some(format!("carried out by entry {by}"));
        tx.append(operator.by(), RequestWithdrawn { request, reason })?;
    }
    finish::mark(ws, seq)?;
    Ok(Step { erased_by: Some(by), ..step })
}

/// Puts the edit into the queue.
fn ask(
    ws: &Workspace,
    tx: &mut Tx<'_>,
    operator: &OperatorIdentity,
    seq: u64,
    members: &BTreeSet<String>,
    reason: &str,
) -> Result<Id, AskError> {
    let names = members.iter().cloned().collect::<Vec<_>>().join(", ");
    let parameters = serde_json::json!({ "entry": seq, "members": members });
    let ask = Ask {
        schema: None,
        integration: None,
        action: AUDIT_EDIT.into(),
        resource: resource(seq)?,
        access: None,
        facets: Declared::default(),
        parameters: Some(Ask::parameters_from(&parameters.to_string())?),
        diff: None,
        artifacts: Vec::new(),
        command: None,
        summary: Some(format!("Erase {names} of entry {seq}")),
        recommendation: Some(format!(
            "Erase it: the entry stays, signed and in its place, and says what was taken out. To read what would go: \
             aosctl audit show {seq}"
        )),
        rationale: Some(reason.to_string()),
        alternatives: vec![format!(
            "Leave it, and say beside it what is right: aosctl audit correct {seq} --note TEXT"
        )],
        rollback: Some("None: what is erased cannot be brought back.".into()),
        unsure: None,
        mission: None,
        model: None,
        idempotency_key: None,
    };
    let prepared = Prepared::for_record(ask)?;
    Ok(record(ws, tx, operator.by(), operator.id, &prepared)?.request.id)
}
