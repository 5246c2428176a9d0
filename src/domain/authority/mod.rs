//! May this entry be in the log, and what does it change? The authority table of log-format.md, default deny.
//!
//! [`judge`] is called with the state just before the entry: before anything is appended, while a log is replayed, and
//! on the hot path for every entry that a decision rests on. An entry counts only if its signer held the right at that
//! point (law 6).

mod evidence;
mod grants;
mod identities;
mod keys;
mod requests;
mod reviews;

use std::rc::Rc;

use super::event::{Event, can_freeze};
use super::facts::{Change, Facts};
use super::id::{Actor, Id, IdKind};
use super::identity::Identity;
use super::time::Time;

/// What the header says of an entry whose signature, chain and commitment hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub seq: u64,
    /// When it was signed.
    pub at: Time,
    /// Who signed.
    pub actor: Actor,
    /// What it is about.
    pub subject: Option<Id>,
    /// Leaf hash, hex.
    pub leaf: String,
    /// The header's `log`.
    pub origin: String,
}

/// Why an entry has no authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Fault {
    /// A stable word, as `needs_operator`.
    pub kind: &'static str,
    /// For people.
    pub detail: String,
}

/// A fault, or the state could not be read.
#[derive(Debug)]
pub enum Refusal<E> {
    /// The entry has no authority.
    Fault(Fault),
    /// The state could not be read: no answer.
    Facts(E),
}

impl<E> From<E> for Refusal<E> {
    fn from(e: E) -> Self {
        Refusal::Facts(e)
    }
}

/// What a judgement gives.
pub(crate) type Judged<E> = Result<Vec<Change>, Refusal<E>>;

fn fault<T, E>(kind: &'static str, detail: impl Into<String>) -> Result<T, Refusal<E>> {
    Err(Refusal::Fault(Fault { kind, detail: detail.into() }))
}

/// The signer of an entry, as it stood then.
enum Signer {
    Log,
    Operator(Rc<Identity>),
    Agent(Rc<Identity>),
    /// On paper; for one operator, and for one thing only.
    Recovery(Rc<Identity>),
}

impl Signer {
    fn is(&self, id: Id) -> bool {
        match self {
            Signer::Log | Signer::Recovery(_) => false,
            Signer::Operator(i) | Signer::Agent(i) => i.id == id,
        }
    }

    fn operator<E>(&self) -> Result<&Identity, Refusal<E>> {
        match self {
            Signer::Operator(i) => Ok(i),
            _ => fault("needs_operator", "only an operator may sign this"),
        }
    }
}

/// Judges an entry. `Ok` says what it changes.
pub fn judge<F: Facts>(entry: &Entry, event: &Event, facts: &F) -> Judged<F::Error> {
    if let Event::WorkspaceCreated(body) = event {
        return identities::created(entry, body, facts);
    }
    if facts.origin()?.is_none() {
        return fault("entry_0_missing", "the log does not begin with workspace.created/1");
    }
    let signer = signer(entry, facts)?;
    let named = match event {
        Event::PayloadErased(b) => facts.entry(b.seq)?.and_then(|e| e.subject),
        Event::EntryVoided(b) => facts.invalid(b.seq)?.and_then(|e| e.subject),
        Event::EntryCorrected(b) => facts.entry(b.seq)?.and_then(|e| e.subject),
        _ => None,
    };
    if entry.subject != event.subject(named) {
        return fault("subject", format!("the subject is not what {} is about", event.name()));
    }
    match event {
        Event::WorkspaceCreated(_) => fault("created_again", "a workspace is created once"),
        Event::OperatorEnrolled(b) => identities::operator_enrolled(entry, b, &signer, facts),
        Event::AgentEnrolled(b) => identities::agent_enrolled(entry, b, &signer, facts),
        Event::RecoveryEnrolled(b) => identities::recovery_enrolled(entry, b, &signer, facts),
        Event::OperatorRotated(b) => identities::rotated(entry, b, &signer, facts),
        Event::IdentityRetired(b) => identities::retired(entry, b, &signer, facts),
        Event::PolicyAdopted(b) => evidence::policy_adopted(entry, b, &signer, facts),
        Event::IntegrationAdded(b) => grants::integration_added(entry, b, &signer, facts),
        Event::GrantIssued(b) => grants::issued(entry, b, &signer, facts),
        Event::GrantRenewed(b) => grants::renewed(entry, b, &signer, facts),
        Event::GrantNarrowed(b) => grants::narrowed(entry, b, &signer, facts),
        Event::GrantRevoked(b) => grants::revoked(entry, b, &signer, facts),
        Event::WorkspaceFrozen(b) => {
            let may = match &signer {
                Signer::Log | Signer::Operator(_) => true,
                Signer::Agent(a) => a.id == b.target,
                Signer::Recovery(_) => false,
            };
            if !may {
                return fault("needs_operator", "an agent may freeze only itself");
            }
            freezable(b.target, facts)?;
            Ok(vec![Change::Freeze { target: b.target, seq: Some(entry.seq) }])
        }
        Event::WorkspaceThawed(b) => {
            signer.operator()?;
            freezable(b.target, facts)?;
            if facts.frozen(b.target)?.is_none() {
                return fault("not_frozen", format!("{} is not frozen", b.target));
            }
            Ok(vec![Change::Freeze { target: b.target, seq: None }])
        }
        Event::RequestMade(b) => requests::made(entry, b, &signer, facts),
        Event::RequestApproved(b) => requests::approved(entry, b, &signer, facts),
        Event::RequestDenied(b) => requests::denied(entry, b, &signer, facts),
        Event::RequestWithdrawn(b) => requests::withdrawn(entry, b, &signer, facts),
        Event::RequestClaimed(b) => requests::claimed(entry, b, &signer, facts),
        Event::RequestFinished(b) => requests::finished(entry, b, &signer, facts),
        Event::RequestResolved(b) => requests::resolved(entry, b, &signer, facts),
        Event::PayloadErased(b) => evidence::erased(entry, b, &signer, facts),
        Event::EntryVoided(b) => evidence::voided(entry, b, &signer, facts),
        Event::EntryCorrected(b) => evidence::corrected(entry, b, &signer, facts),
        Event::RollbackAccepted(_) => {
            signer.operator()?;
            Ok(Vec::new())
        }
        Event::KeyAdded(b) => keys::added(entry, b, &signer, facts),
        Event::KeyChanged(b) => keys::changed(entry, b, &signer, facts),
        Event::KeyRetired(b) => keys::retired(entry, b, &signer, facts),
        Event::KeyLeaked(b) => keys::leaked(entry, b, &signer, facts),
        Event::KeyStep(b) => keys::step(entry, b, &signer, facts),
        Event::RotationScheduled(b) => keys::scheduled(entry, b, &signer, facts),
        Event::RotationRecorded(b) => keys::recorded(entry, b, &signer, facts),
        Event::ReviewDecided(b) => reviews::decided(entry, b, &signer, facts),
        Event::ReviewSigned(b) => reviews::signed(entry, b, &signer, facts),
    }
}

/// The signer, live at that point. A retired operator's agents have no rights either.
fn signer<F: Facts>(entry: &Entry, facts: &F) -> Result<Signer, Refusal<F::Error>> {
    let Actor::Identity(id) = entry.actor else {
        return Ok(Signer::Log);
    };
    let Some(identity) = facts.identity(id)? else {
        return fault("unknown_signer", format!("{id} was not enrolled"));
    };
    if identity.retired_seq.is_some() {
        return fault("signer_not_live", format!("{id} was retired"));
    }
    if identity.recovers().is_some() {
        return Ok(Signer::Recovery(identity));
    }
    if id.kind == IdKind::Operator {
        return Ok(Signer::Operator(identity));
    }
    let operator_live = match identity.operator {
        Some(op) => facts.identity(op)?.is_some_and(|o| o.is_live()),
        None => false,
    };
    if !operator_live {
        return fault("signer_not_live", format!("the operator that {id} acts for was retired"));
    }
    Ok(Signer::Agent(identity))
}

fn freezable<F: Facts>(target: Id, facts: &F) -> Result<(), Refusal<F::Error>> {
    if !can_freeze(target) || (target != Id::WORKSPACE && facts.identity(target)?.is_none()) {
        return fault("no_such_target", format!("{target} cannot be frozen"));
    }
    Ok(())
}

pub use evidence::rules_digest;
pub use requests::again;
