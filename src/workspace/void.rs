//! Voiding an entry that has no authority: verify lists it from then on, and fails for it no more.
//!
//! Whoever writes an entry past aosctl does not list it as invalid, so the table cannot say which entries are. A replay of
//! the whole log can: what it finds goes into the table, which is a repair of the projection from the log, and the
//! voiding entry is judged by it, all in one transaction. Whether an entry has authority depends on what lies before
//! it, so nothing that is appended meanwhile makes the replay out of date.

use super::{Appended, OperatorIdentity, Tx, WorkspaceError};
use crate::domain::authority::Fault;
use crate::domain::event::EntryVoided;
use crate::domain::facts::InvalidEntry;
use crate::domain::id::{Actor, Id};

/// May that operator void it? `None` for the operator: whatever depends on who does it is left out.
///
/// # Errors
/// [`WorkspaceError::Refused`]: `not_invalid`, `voided`, `not_voidable`, `own_entry`.
pub fn may_void(found: &[InvalidEntry], seq: u64, operator: Option<Id>) -> Result<&InvalidEntry, WorkspaceError> {
    let no = |kind, detail: String| Err(WorkspaceError::Refused(Fault { kind, detail }));
    let Some(bad) = found.iter().find(|e| e.seq == seq) else {
        return no("not_invalid", format!("entry {seq} is not invalid: its signer had the right to make it"));
    };
    if let Some(by) = bad.voided_seq {
        return no("voided", format!("entry {seq} was voided by entry {by}"));
    }
    if !bad.voidable {
        return no("not_voidable", format!("entry {seq} cannot be voided: {}", bad.fault));
    }
    if let Some(op) = operator
        && (bad.actor == Actor::Identity(op) || bad.subject == Some(op))
    {
        return no("own_entry", format!("entry {seq} was signed by {op}, or is about {op}: another operator has to"));
    }
    Ok(bad)
}

/// Voids an entry. `found` is what a replay of the log found, all of it.
///
/// # Errors
/// As [`may_void`]; what appending gives.
pub fn void(
    tx: &mut Tx<'_>,
    operator: &OperatorIdentity,
    found: &[InvalidEntry],
    seq: u64,
    reason: Option<String>,
) -> Result<Appended, WorkspaceError> {
    let leaf = may_void(found, seq, Some(operator.id))?.leaf.clone();
    for e in found {
        tx.facts().tables().mend_invalid(e)?;
    }
    tx.append(operator.by(), EntryVoided { seq, leaf, reason })
}
