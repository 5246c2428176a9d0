//! Who may sign: creation, enrolment, retirement.

use super::{Entry, Judged, Refusal, Signer, fault};
use crate::domain::event::{
    AgentEnrolled, Hex32, IdentityRetired, OperatorEnrolled, OperatorRotated, RecoveryEnrolled, WorkspaceCreated,
};
use crate::domain::facts::{Change, Facts, Origin};
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::identity::{Identity, check_handle};
use crate::log::key::PublicKey;
use crate::log::origin::origin;

pub(super) fn created<F: Facts>(entry: &Entry, b: &WorkspaceCreated, facts: &F) -> Judged<F::Error> {
    if entry.seq != 0 || facts.origin()?.is_some() {
        return fault("created_again", "a workspace is created once, by entry 0");
    }
    if entry.actor != Actor::Identity(Id::FIRST_OPERATOR) || entry.subject != Some(Id::FIRST_OPERATOR) {
        return fault("needs_operator", "entry 0 is signed by the operator that it carries, op-1");
    }
    let operator = PublicKey(b.operator_key.0);
    let log = PublicKey(b.log_key.0);
    if operator.enrolment_fault().is_some() || log.enrolment_fault().is_some() {
        return fault("weak_key", "entry 0 carries a key that must not be enrolled");
    }
    if b.operator_key == b.log_key {
        return fault("key_used", "the operator and the log need keys of their own");
    }
    let name = origin(&operator, &log, &b.nonce.0);
    if name != entry.origin {
        return fault("origin", "the keys and the nonce of entry 0 do not give the log's name");
    }
    Ok(vec![
        Change::Origin(Origin { name, log_key: b.log_key.0, company: b.company.clone() }),
        Change::Identity(Identity {
            id: Id::FIRST_OPERATOR,
            public_key: b.operator_key.0,
            key_seq: entry.seq,
            operator: None,
            handle: None,
            enrolled_seq: entry.seq,
            enrolled_at: entry.at,
            retired_seq: None,
            retired_at: None,
            disputed_from: None,
        }),
    ])
}

pub(super) fn operator_enrolled<F: Facts>(
    entry: &Entry,
    b: &OperatorEnrolled,
    signer: &Signer,
    facts: &F,
) -> Judged<F::Error> {
    signer.operator()?;
    new_identity(entry, b.id, IdKind::Operator, b.public_key, &b.proof, facts)?;
    Ok(vec![Change::Identity(identity(entry, b.id, b.public_key, None, None))])
}

pub(super) fn agent_enrolled<F: Facts>(
    entry: &Entry,
    b: &AgentEnrolled,
    signer: &Signer,
    facts: &F,
) -> Judged<F::Error> {
    signer.operator()?;
    new_identity(entry, b.id, IdKind::Agent, b.public_key, &b.proof, facts)?;
    if let Err(why) = check_handle(&b.handle) {
        return fault("handle", why);
    }
    if facts.agent_named(&b.handle)?.is_some() {
        return fault("handle", "an agent of that name was enrolled before");
    }
    if b.operator.kind != IdKind::Operator || !facts.identity(b.operator)?.is_some_and(|o| o.is_live()) {
        return fault("operator_not_live", format!("{} is not a live operator", b.operator));
    }
    Ok(vec![Change::Identity(identity(entry, b.id, b.public_key, Some(b.operator), Some(b.handle.clone())))])
}

fn identity(entry: &Entry, id: Id, key: Hex32, operator: Option<Id>, handle: Option<String>) -> Identity {
    Identity {
        id,
        public_key: key.0,
        key_seq: entry.seq,
        operator,
        handle,
        enrolled_seq: entry.seq,
        enrolled_at: entry.at,
        retired_seq: None,
        retired_at: None,
        disputed_from: None,
    }
}

/// An id, a public key or a key id that was ever used is refused, and so is a weak key or a wrong proof of possession.
fn new_identity<F: Facts>(
    entry: &Entry,
    id: Id,
    kind: IdKind,
    key: Hex32,
    proof: &str,
    facts: &F,
) -> Result<(), Refusal<F::Error>> {
    if id.kind != kind {
        return fault("id_kind", format!("{id} is not an id for this"));
    }
    if facts.identity(id)?.is_some() {
        return fault("id_used", format!("{id} was used before"));
    }
    new_key(entry, key, proof, facts)
}

/// What every new signing key must be.
fn new_key<F: Facts>(entry: &Entry, key: Hex32, proof: &str, facts: &F) -> Result<(), Refusal<F::Error>> {
    let public = PublicKey(key.0);
    if public.enrolment_fault().is_some() {
        return fault("weak_key", "the public key is not canonical, of small order, or not torsion-free");
    }
    if facts.key_was_used(&key.0)? {
        return fault("key_used", "the public key was used before");
    }
    if !proof_holds(&entry.origin, &public, proof) {
        return fault("proof_of_possession", "the proof of possession does not hold");
    }
    Ok(())
}

/// Whoever could enrol it for another operator, or for an operator who did not ask, could become that operator.
pub(super) fn recovery_enrolled<F: Facts>(
    entry: &Entry,
    b: &RecoveryEnrolled,
    signer: &Signer,
    facts: &F,
) -> Judged<F::Error> {
    if signer.operator()?.id != b.operator {
        return fault("not_own", "an operator enrols a recovery identity for nobody but itself");
    }
    new_identity(entry, b.id, IdKind::Operator, b.public_key, &b.proof, facts)?;
    Ok(vec![Change::Identity(identity(entry, b.id, b.public_key, Some(b.operator), None))])
}

/// The operator itself, or its recovery identity. Another operator may not: with a key of its choice it would be two.
pub(super) fn rotated<F: Facts>(entry: &Entry, b: &OperatorRotated, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let own = match signer {
        Signer::Operator(operator) => operator.id == b.id,
        Signer::Recovery(recovery) => recovery.recovers() == Some(b.id),
        Signer::Log | Signer::Agent(_) => return fault("needs_operator", "only an operator may sign this"),
    };
    if !own {
        return fault("not_own", format!("only {} or its recovery identity gives it a new key", b.id));
    }
    let Some(target) = facts.identity(b.id)?.filter(|t| t.is_live()) else {
        return fault("retired", format!("{} is not a live operator", b.id));
    };
    new_key(entry, b.public_key, &b.proof, facts)?;
    let mut target = (*target).clone();
    target.public_key = b.public_key.0;
    target.key_seq = entry.seq;
    Ok(vec![Change::Identity(target)])
}

pub(super) fn retired<F: Facts>(entry: &Entry, b: &IdentityRetired, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let Some(target) = facts.identity(b.id)? else {
        return fault("no_such_identity", format!("{} was never enrolled", b.id));
    };
    if target.retired_seq.is_some() {
        return fault("retired", format!("{} was retired before", b.id));
    }
    let decides = b.id.kind == IdKind::Operator && target.recovers().is_none();
    if decides && facts.operators()?.iter().filter(|o| o.is_live()).count() < 2 {
        return fault("last_operator", "the last operator cannot be retired");
    }
    if b.as_of.is_some_and(|seq| seq > entry.seq) {
        return fault("as_of", "as_of names an entry that does not exist yet");
    }
    let mut target = (*target).clone();
    target.retired_seq = Some(entry.seq);
    target.retired_at = Some(entry.at);
    target.disputed_from = b.as_of;
    Ok(vec![Change::Identity(target)])
}

fn proof_holds(origin: &str, key: &PublicKey, proof: &str) -> bool {
    data_encoding::HEXLOWER.decode(proof.as_bytes()).is_ok_and(|bytes| key.check_enrolment(origin, &bytes).is_ok())
}
