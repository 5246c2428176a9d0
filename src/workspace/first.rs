//! Entry 0: what it fixed, and that it holds.

use std::rc::Rc;

use super::WorkspaceError;
use super::trusted::Trusted;
use crate::domain::authority::{Refusal, judge};
use crate::domain::facts::{Change, Origin};
use crate::log::verify::inspect;
use crate::store::Store;

/// Verifies entry 0 and gives what it fixed.
pub(super) fn origin(store: &Store) -> Result<Origin, WorkspaceError> {
    let missing = || WorkspaceError::integrity(0, "entry 0 is missing");
    let stored = store.entry(0)?.ok_or_else(missing)?;
    let seen = inspect(&stored.envelope, None);
    let name =
        seen.header().map(|h| h.log.clone()).ok_or_else(|| WorkspaceError::integrity(0, "entry 0 cannot be read"))?;
    // The name is taken from the entry and then has to follow from the keys and the nonce that it carries.
    let nothing = Rc::new(Origin { name, log_key: [0; 32], company: None });
    let start = Trusted::new(store, nothing).before(0);
    let (entry, event) = start.verified(&stored)?;
    match judge(&entry, &event, &start) {
        Ok(changes) => changes
            .into_iter()
            .find_map(|c| match c {
                Change::Origin(o) => Some(o),
                _ => None,
            })
            .ok_or_else(missing),
        Err(Refusal::Fault(f)) => Err(WorkspaceError::integrity(0, format!("entry 0: {}", f.detail))),
        Err(Refusal::Facts(e)) => Err(e),
    }
}
