//! Operators and agents, as the log enrolled them.

use super::id::{Id, IdKind};
use super::time::Time;

/// An operator or an agent. Its name is where the log keeps it: an agent's in `handle` (programs have no privacy to
/// lose), an operator's in the erasable member `name` of its enrolment, which no rule reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `op-1` or `ag-2`.
    pub id: Id,
    /// Ed25519 public key, the newest.
    pub public_key: [u8; 32],
    /// The entry that gave it that key.
    pub key_seq: u64,
    /// Whom an agent acts for; whom a recovery identity, which is of the kind of operators, is for.
    pub operator: Option<Id>,
    /// An agent's name.
    pub handle: Option<String>,
    /// The entry that enrolled it.
    pub enrolled_seq: u64,
    /// When.
    pub enrolled_at: Time,
    /// The entry that retired it. It has no rights after that entry.
    pub retired_seq: Option<u64>,
    /// When.
    pub retired_at: Option<Time>,
    /// Entries by it from here on are disputed.
    pub disputed_from: Option<u64>,
}

impl Identity {
    /// Has the rights of an operator or an agent: not retired, and not for recovery only. An agent also needs its operator to
    /// be live, which only [`super::facts::Facts`] can tell.
    pub fn is_live(&self) -> bool {
        self.retired_seq.is_none() && self.recovers().is_none()
    }

    /// Signs with another key than the one that it was enrolled with.
    pub fn has_new_key(&self) -> bool {
        self.key_seq != self.enrolled_seq
    }

    /// The operator whom this recovery identity may give a new key; `None` for every other identity.
    pub fn recovers(&self) -> Option<Id> {
        self.operator.filter(|_| self.id.kind == IdKind::Operator)
    }
}

/// Names of agents and integrations: `[a-z0-9][a-z0-9._-]{0,62}`, and nothing that reads as an id or a keyword.
pub fn check_handle(name: &str) -> Result<(), String> {
    let ok = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if !ok {
        return Err(format!("{name:?} is not a name: lower-case letters, digits, '.', '_' and '-', at most 63"));
    }
    if name.parse::<Id>().is_ok() || ["log", "workspace", "all"].contains(&name) {
        return Err(format!("{name:?} reads as something else; choose another name"));
    }
    Ok(())
}
