//! Grants: the narrow doors.

use super::access::Access;
use super::facets::DataClass;
use super::id::{Actor, Id};
use super::key::Carries;
use super::scope::Scope;
use super::time::Time;

/// The right of one agent to reach one integration at one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `g-7`.
    pub id: Id,
    /// Who may.
    pub agent: Id,
    /// Where.
    pub integration: Id,
    /// Which part.
    pub scope: Scope,
    /// How much.
    pub access: Access,
    /// The most delicate data that may be touched through it.
    pub data: DataClass,
    /// The operator who answers for it.
    pub owner: Id,
    /// What it is for.
    pub mission: Option<String>,
    /// Live before this moment; `None` has no end.
    pub until: Option<Time>,
    /// The entry that issued it.
    pub issued_seq: u64,
    /// When.
    pub issued_at: Time,
    /// The grant whose place it took.
    pub replaces: Option<Id>,
    /// The key that it carries, and who may receive it.
    pub carries: Option<Carries>,
    /// The newest entry about it.
    pub changed_seq: u64,
    /// The entry that revoked it.
    pub revoked_seq: Option<u64>,
    /// When.
    pub revoked_at: Option<Time>,
    /// Who signed the revocation.
    pub revoked_by: Option<Actor>,
}

impl Grant {
    /// Neither revoked nor over at that moment (valid while `at < until`).
    pub fn is_live(&self, at: Time) -> bool {
        self.revoked_seq.is_none() && self.until.is_none_or(|u| at < u)
    }
}
