//! Erasures: what `payload.erased/1` entries say against what is missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::log::payload::ERASABLE;

/// The event type that tells of an erasure.
pub(super) const ERASED: &str = "payload.erased/1";

/// What one `payload.erased/1` entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureClaim {
    /// The entry whose payload lost members.
    pub seq: u64,
    /// The members.
    pub members: Vec<String>,
    /// The entries that approved it.
    pub approvals: Vec<u64>,
}

/// What is wrong with an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ErasureFault {
    /// The entry's body does not say what was erased.
    #[error("the erasure does not name an entry, members and approvals")]
    Malformed,
    /// It names an entry that does not come before it.
    #[error("the erasure names no earlier entry")]
    NoSuchEntry,
    /// It names a member that may not be erased.
    #[error("the erasure names a member that may not be erased")]
    NotErasable,
    /// It names a member that was erased already.
    #[error("the erasure names a member twice")]
    Twice,
    /// A member is gone that may not be erased.
    #[error("a member is erased that may not be")]
    ErasedNotErasable,
    /// A member is gone, and no entry says so.
    #[error("a member is erased, and no entry says so")]
    ErasedWithoutEntry,
    /// An entry says that a member is gone, and it is not.
    #[error("an entry says that a member is erased, and it is not")]
    ErasedButPresent,
}

impl ErasureFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            ErasureFault::Malformed => "erasure_malformed",
            ErasureFault::NoSuchEntry => "no_such_entry",
            ErasureFault::NotErasable => "not_erasable",
            ErasureFault::Twice => "erased_twice",
            ErasureFault::ErasedNotErasable => "erased_not_erasable",
            ErasureFault::ErasedWithoutEntry => "erased_without_entry",
            ErasureFault::ErasedButPresent => "erased_but_present",
        }
    }
}

impl ErasureClaim {
    /// Reads the body of a `payload.erased/1` entry; members beside the three are its event's matter.
    ///
    /// # Errors
    /// [`ErasureFault::Malformed`].
    pub fn read(body: &Map<String, Value>) -> Result<ErasureClaim, ErasureFault> {
        let list = |name: &str| body.get(name).and_then(Value::as_array).ok_or(ErasureFault::Malformed);
        let members: Option<Vec<String>> =
            list("members")?.iter().map(|member| member.as_str().map(str::to_owned)).collect();
        let approvals: Option<Vec<u64>> = list("approvals")?.iter().map(Value::as_u64).collect();
        match (body.get("seq").and_then(Value::as_u64), members, approvals) {
            (Some(seq), Some(members), Some(approvals)) if !members.is_empty() => {
                Ok(ErasureClaim { seq, members, approvals })
            }
            _ => Err(ErasureFault::Malformed),
        }
    }
}

/// Both sides of the account. An erasure comes after what it erases, so the account is settled at the end.
/// Holds one name for each erased member, nothing for other entries.
#[derive(Clone, Debug, Default)]
pub struct ErasureLedger {
    claimed: BTreeSet<(u64, String)>,
    gone: BTreeMap<u64, BTreeSet<String>>,
}

impl ErasureLedger {
    /// Nothing erased.
    #[must_use]
    pub fn new() -> ErasureLedger {
        ErasureLedger::default()
    }

    /// Enters what the entry at `by` says. A claim with a fault does not count, not even in part: whether that
    /// is a failure of authority or of erasures is the caller's, who also leaves out entries without authority.
    ///
    /// # Errors
    /// [`ErasureFault::NoSuchEntry`], [`ErasureFault::NotErasable`] or [`ErasureFault::Twice`].
    pub fn claim(&mut self, by: u64, claim: &ErasureClaim) -> Result<(), ErasureFault> {
        if claim.seq >= by {
            return Err(ErasureFault::NoSuchEntry);
        }
        if claim.members.iter().any(|name| !ERASABLE.contains(&name.as_str())) {
            return Err(ErasureFault::NotErasable);
        }
        let new: BTreeSet<_> = claim.members.iter().map(|name| (claim.seq, name.clone())).collect();
        if new.len() != claim.members.len() || !new.is_disjoint(&self.claimed) {
            return Err(ErasureFault::Twice);
        }
        self.claimed.extend(new);
        Ok(())
    }

    /// Enters which members the payload of the entry at `seq` has lost.
    pub fn missing(&mut self, seq: u64, erased: &[String]) {
        if !erased.is_empty() {
            self.gone.entry(seq).or_default().extend(erased.iter().cloned());
        }
    }

    /// Settles the account: every fault with the seq of the entry whose payload it is about, in order.
    #[must_use]
    pub fn settle(&self) -> Vec<(u64, ErasureFault)> {
        let mut faults = Vec::new();
        for (&seq, names) in &self.gone {
            for name in names {
                if !ERASABLE.contains(&name.as_str()) {
                    faults.push((seq, ErasureFault::ErasedNotErasable));
                } else if !self.claimed.contains(&(seq, name.clone())) {
                    faults.push((seq, ErasureFault::ErasedWithoutEntry));
                }
            }
        }
        let is_gone = |seq: &u64, name: &String| self.gone.get(seq).is_some_and(|names| names.contains(name));
        for (seq, name) in &self.claimed {
            if !is_gone(seq, name) {
                faults.push((*seq, ErasureFault::ErasedButPresent));
            }
        }
        faults.sort_by_key(|(seq, _)| *seq);
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(body: &Value) -> Result<ErasureClaim, ErasureFault> {
        ErasureClaim::read(body.as_object().unwrap())
    }

    #[test]
    fn claims_are_read_strictly() {
        let good = json!({"approvals": [9], "members": ["note"], "reason": "x", "seq": 5});
        let read = claim(&good).unwrap();
        assert_eq!((read.seq, read.members, read.approvals), (5, vec!["note".to_owned()], vec![9]));
        for (name, value) in [
            ("seq", json!(-1)),
            ("seq", json!("5")),
            ("members", json!([])),
            ("members", json!([1])),
            ("approvals", json!(null)),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert_eq!(claim(&bad), Err(ErasureFault::Malformed), "{bad}");
        }
    }

    #[test]
    fn the_account_is_settled_both_ways() {
        let mut ledger = ErasureLedger::new();
        let of = |seq: u64, members: &[&str]| ErasureClaim {
            seq,
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            approvals: Vec::new(),
        };
        assert_eq!(ledger.claim(9, &of(5, &["note", "detail"])), Ok(()));
        assert_eq!(ledger.claim(10, &of(5, &["reason", "note"])), Err(ErasureFault::Twice));
        assert_eq!(ledger.claim(10, &of(5, &["reason", "reason"])), Err(ErasureFault::Twice));
        assert_eq!(ledger.claim(10, &of(10, &["note"])), Err(ErasureFault::NoSuchEntry));
        assert_eq!(ledger.claim(10, &of(4, &["action"])), Err(ErasureFault::NotErasable));
        ledger.missing(7, &["summary".to_owned()]);
        ledger.missing(6, &["action".to_owned()]);
        ledger.missing(5, &["note".to_owned()]);
        ledger.missing(8, &[]);
        let faults = [
            (5, ErasureFault::ErasedButPresent),
            (6, ErasureFault::ErasedNotErasable),
            (7, ErasureFault::ErasedWithoutEntry),
        ];
        assert_eq!(ledger.settle(), faults);
    }
}
