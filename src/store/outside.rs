//! Writing to a database from outside: what somebody does who has a shell and the `sqlite3` program.
//!
//! aosctl itself writes by [`super::Store::write`] alone, which keeps log and tables in step. This goes past all of that,
//! on purpose: `aosctl tour` shows with it that such an edit is found. It opens nothing that a shell would not.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// Runs SQL statements on a database that exists, as the `sqlite3` program would: no checks, no log, no keys.
///
/// # Errors
/// [`StoreError::Sql`] where SQLite refuses; [`StoreError::Busy`].
pub fn write_from_outside(database: &Path, statements: &str) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags).map_err(StoreError::from_sql)?;
    conn.execute_batch(statements).map_err(StoreError::from_sql)
}
