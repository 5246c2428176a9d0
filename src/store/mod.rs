//! The database: the only room that knows rusqlite.
//!
//! One SQLite file holds the log (`entries`, `payloads`: append-only, by triggers too) and its projection (all other
//! tables). A transaction appends entries and updates the projection together, so a crash at any instruction leaves
//! both or neither (laws 5 and 9). `synchronous = FULL` in WAL mode means that COMMIT returns after the disk has it.
//! `secure_delete` overwrites what is deleted. Writers queue on a file lock before they ask SQLite for its own, because
//! SQLite's busy handler polls and is unfair: with a queue nobody starves and nobody sees "busy".

mod compare;
mod entries;
mod erase;
mod evidence;
mod lines;
mod open;
mod outside;
mod read;
mod rows;
mod schema;
mod stream;
mod tables;

pub use compare::{Difference, compare};
pub use entries::{Head, Stored};
pub use erase::Scrubbed;
pub use evidence::{LiveCounts, UseRow};
pub use lines::scratch_lines;
pub use open::{Snapshot, Store, Write, scratch};
pub use outside::write_from_outside;
pub use read::{GrantFilter, GrantUse, KeyDates, KeyMatch, RequestFilter};
pub use schema::{MIGRATIONS, PROJECTION, SCHEMA_VERSION};
pub use stream::{RawEntry, RawPayload};
pub use tables::Tables;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the database: {0}")]
    Sql(#[from] rusqlite::Error),
    /// Another program holds the database.
    #[error("the database is locked by another program")]
    Busy,
    /// The file or its directory.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// What happened.
        source: std::io::Error,
    },
    /// Its file system is mounted read-only.
    #[error("the workspace lies on a file system that is mounted read-only: {path}")]
    ReadOnlyDisk {
        /// The database.
        path: String,
    },
    /// A newer aosctl wrote it.
    #[error("the workspace has schema version {found}, and this aosctl knows versions up to {known}")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// Some other program's database.
    #[error("the file is not an aosctl workspace")]
    NotOurs,
    /// A row that no aosctl wrote.
    #[error("table {table}: {detail}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// What.
        detail: String,
    },
}

/// What SQLite's refusals mean for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlKind {
    /// No space left.
    Full,
    /// The file system or the file cannot be written.
    ReadOnly,
    /// The file is damaged.
    Corrupt,
    /// The system refused to open, read or write a file; SQLite does not say why.
    Refused,
    /// Anything else.
    Other,
}

impl StoreError {
    /// What kind of refusal by SQLite this is.
    pub fn sql_kind(&self) -> SqlKind {
        use rusqlite::ErrorCode;
        match self {
            StoreError::Sql(e) => match e.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => SqlKind::Full,
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => SqlKind::ReadOnly,
                Some(ErrorCode::DatabaseCorrupt) => SqlKind::Corrupt,
                Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => SqlKind::Refused,
                _ => SqlKind::Other,
            },
            _ => SqlKind::Other,
        }
    }

    /// A row that no aosctl wrote.
    pub(crate) fn corrupt(table: &'static str, detail: impl Into<String>) -> StoreError {
        StoreError::Corrupt { table, detail: detail.into() }
    }

    /// Lets "busy" be told apart from the rest.
    pub(crate) fn from_sql(e: rusqlite::Error) -> StoreError {
        match e.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => StoreError::Busy,
            Some(rusqlite::ErrorCode::NotADatabase) => StoreError::NotOurs,
            _ => StoreError::Sql(e),
        }
    }
}
