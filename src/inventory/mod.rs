//! Inventories of other programs: a file becomes rows, and rows against what is known become a plan.
//!
//! PURE: bytes and facts in, values out. Nothing here reads a file, the clock or the database, and nothing here holds a
//! secret: a file that seems to hold any is refused as a whole, and what a cell says is quoted in an error only where it
//! can be nothing but a date.
//!
//! The formats and their traps are described in `docs/keys.md`.

pub mod aws;
pub mod csv;
pub mod date;
pub mod guard;
pub mod plan;
pub mod table;

use std::collections::BTreeSet;

use crate::domain::key::Sighting;
use crate::domain::time::Time;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// The longest record, line ends inside quotes included, in bytes.
pub const MAX_RECORD: usize = 1024 * 1024;
/// The most rows of a file, its header not counted.
pub const MAX_ROWS: usize = 100_000;
/// The most columns of a file.
pub const MAX_COLUMNS: usize = 200;

/// Why a file as a whole is refused. Nothing of it was used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// No bytes, or only line ends.
    #[error("it is empty")]
    Empty,
    /// A header and nothing below it.
    #[error("it has a header and no rows")]
    NoRows,
    /// More than [`MAX_FILE`].
    #[error("it is larger than {MAX_FILE} bytes")]
    TooLarge,
    /// More than [`MAX_ROWS`].
    #[error("it has more than {MAX_ROWS} rows")]
    TooManyRows,
    /// The header cannot be read.
    #[error("its header cannot be read: {0}")]
    Header(String),
    /// A column that is needed is not there.
    #[error("it has no column {0}")]
    MissingColumn(&'static str),
    /// A column that nobody defined: what it says would be lost in silence.
    #[error("column {at} is not one of ours")]
    UnknownColumn {
        /// Its place, from 1.
        at: usize,
        /// Its name. Foreign text.
        name: String,
    },
    /// A column that seems to hold secrets.
    #[error("column {at} seems to hold secrets; aosctl keeps none")]
    Secrets {
        /// Its place, from 1.
        at: usize,
    },
    /// A quote that is never closed: nobody can say what belongs to which row.
    #[error("a quote that opens on line {line} is never closed, so nobody can tell its rows apart")]
    OpenQuote {
        /// Where the record begins.
        line: u64,
    },
}

/// A row, or a part of one, that is not used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why. What a cell says is in it only where [`guard::quotable`] allows that, or where it is a name ([`guard::is_name`]).
    pub why: String,
}

/// One credential as a file tells it. `None`: the file says nothing about that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// What it is called.
    pub name: String,
    /// What sort of credential.
    pub kind: Option<String>,
    /// What it opens, as written.
    pub integration: Option<String>,
    /// Which part of it.
    pub scope: Option<String>,
    /// Who answers for it, as written.
    pub owner: Option<String>,
    /// Where its secret lives.
    pub reference: Option<String>,
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// The last four characters of its secret.
    pub last4: Option<String>,
    /// When it was made.
    pub created: Option<Time>,
    /// When it was turned over.
    pub rotated: Option<Time>,
    /// When it was made or turned over: the file does not say which of the two.
    pub turned: Option<Time>,
    /// When the provider ends it.
    pub expires: Option<Time>,
    /// What the file knows of its use. `None`: it does not watch this one.
    pub seen: Option<Sighting>,
    /// The provider accepts it.
    pub active: Option<bool>,
    /// A person uses it too. `Some(false)` only where the file says so.
    pub person: Option<bool>,
    /// The file says that there is no such credential: it tells something only of one that is known.
    pub absent: bool,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// `aws-credential-report` or `csv`.
    pub source: &'static str,
    /// What could be read, in the order of the lines.
    pub rows: Vec<Row>,
    /// What could not, in the order of the lines.
    pub refused: Vec<Refused>,
    /// How many rows the file has.
    pub lines: usize,
    /// The accounts that the file lists in full, by their provider's id: who is missing in it is gone there. Empty where a
    /// file claims no such thing.
    pub accounts: BTreeSet<String>,
    /// Whom it mentions at all, readable or not, by the provider's id.
    pub mentioned: BTreeSet<String>,
}
