//! Requests that a replay has not written yet.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::domain::decide::Verdict;
use crate::domain::id::Id;
use crate::domain::request::Request;

/// Most requests that are kept; beyond them the oldest is written as it stands. About a kilobyte each.
const LIMIT: usize = 2_000;

/// Nearly every request is claimed and finished soon after it was made. So while a log is replayed, a request is kept here
/// until nothing more can be expected of it, and written once, not once for each of its entries. Its approvals are written
/// at once. A workspace's own tables never wait: there every entry is written with its transaction.
#[derive(Default)]
pub(super) struct Pending {
    requests: BTreeMap<i64, Rc<Request>>,
    rows: HashMap<Id, i64>,
    by_key: HashMap<(Id, String), Id>,
    /// Rows given out. A request takes its place in the table when it is made, as it does in a workspace.
    made: i64,
    /// The greatest number that any request had.
    newest: u64,
}

/// Where a request is.
pub(super) enum Found {
    /// Here.
    Pending(Rc<Request>),
    /// In the table, or nowhere.
    Elsewhere,
    /// Nowhere.
    Never,
}

/// A request to be written: at that row if it is new, over its own if not.
pub(super) type Due = (Option<i64>, Rc<Request>);

impl Pending {
    pub(super) fn find(&self, id: Id) -> Found {
        match self.rows.get(&id).and_then(|row| self.requests.get(row)) {
            Some(r) => Found::Pending(r.clone()),
            None if id.n > self.newest => Found::Never,
            None => Found::Elsewhere,
        }
    }

    pub(super) fn by_key(&self, requester: Id, key: &str) -> Option<Id> {
        // Not looked up in vain for the many requests without a key.
        if self.by_key.is_empty() { None } else { self.by_key.get(&(requester, key.to_string())).copied() }
    }

    /// Takes a request as an entry left it; gives what is to be written now. `in_table`: it was made before, and is not here.
    pub(super) fn keep(&mut self, r: &Request, in_table: bool) -> Option<Due> {
        let r = Rc::new(r.clone());
        if in_table {
            return Some((None, r));
        }
        let row = *self.rows.entry(r.id).or_insert_with(|| {
            self.made += 1;
            self.made
        });
        self.newest = self.newest.max(r.id.n);
        if is_settled(&r) {
            self.forget(row, &r);
            return Some((Some(row), r));
        }
        if let Some(key) = &r.idempotency_key {
            self.by_key.insert((r.requester, key.clone()), r.id);
        }
        self.requests.insert(row, r);
        if self.requests.len() > LIMIT { self.oldest() } else { None }
    }

    /// Gives the oldest, to be written.
    pub(super) fn oldest(&mut self) -> Option<Due> {
        let (row, r) = self.requests.pop_first()?;
        self.forget(row, &r);
        Some((Some(row), r))
    }

    fn forget(&mut self, row: i64, r: &Request) {
        self.requests.remove(&row);
        self.rows.remove(&r.id);
        if let Some(key) = &r.idempotency_key {
            self.by_key.remove(&(r.requester, key.clone()));
        }
    }
}

/// Is nothing more expected of it? Where something comes all the same, as `request.resolved/1`, its row is written again.
fn is_settled(r: &Request) -> bool {
    r.outcome.is_some() || r.denied_seq.is_some() || r.withdrawn_seq.is_some() || r.decision == Verdict::Deny
}
