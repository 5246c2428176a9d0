//! Where entries come from: the workspace's own store, or the files of a bundle.

use crate::store::{Store, Stored};
use crate::workspace::WorkspaceError;

/// An entry as its source gives it, nothing checked.
pub(super) struct Given {
    /// The envelope's bytes.
    pub envelope: Vec<u8>,
    /// The payload's bytes: a stored record, or a payload line, as [`Payloads`] says.
    pub payload: Option<Vec<u8>>,
    /// What stands beside the envelope in a workspace's table: the row, `kind`, `actor`, `subject`, `at`.
    pub row: Option<Row>,
    /// Its line in a file has an end.
    pub ended: bool,
}

/// The row of an entry in a workspace.
pub(super) struct Row {
    /// Its number.
    pub seq: u64,
    /// `kind`, `actor`, `subject`, `at`.
    pub columns: (String, String, String, i64),
}

/// Which payloads a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// All of them, as a workspace stores them.
    Stored,
    /// All of them, as lines with a seq.
    Lines,
    /// Some of them, as lines with a seq.
    Some,
    /// None.
    None,
}

impl Payloads {
    /// Whether every entry must have one.
    pub(super) fn all(self) -> bool {
        matches!(self, Payloads::Stored | Payloads::Lines)
    }

    /// Whether they are lines, which say whose they are.
    pub(super) fn lines(self) -> bool {
        self != Payloads::Stored
    }
}

/// Gives entries in order.
pub(super) trait Source {
    /// The next entries, at most so many; none at the end.
    fn next(&mut self, most: usize) -> Result<Vec<Given>, WorkspaceError>;
}

/// The entries of a workspace.
pub(super) struct Rows<'s> {
    store: &'s Store,
    next: Option<u64>,
}

impl<'s> Rows<'s> {
    /// From a place in the log on.
    pub fn from(store: &'s Store, seq: u64) -> Rows<'s> {
        Rows { store, next: Some(seq) }
    }
}

impl Source for Rows<'_> {
    fn next(&mut self, most: usize) -> Result<Vec<Given>, WorkspaceError> {
        let Some(from) = self.next else { return Ok(Vec::new()) };
        let rows = self.store.range(from, most)?;
        self.next = rows.last().map(|s| s.seq + 1);
        Ok(rows.into_iter().map(Given::from).collect())
    }
}

impl From<Stored> for Given {
    fn from(s: Stored) -> Given {
        Given {
            envelope: s.envelope,
            payload: s.record,
            row: Some(Row { seq: s.seq, columns: s.columns }),
            ended: true,
        }
    }
}
