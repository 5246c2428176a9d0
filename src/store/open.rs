//! Opening: pragmas, migrations, the writers' queue.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::schema::{APPLICATION_ID, FINGERPRINT, MIGRATIONS, SCHEMA_VERSION, fingerprint};
use super::{Head, StoreError, Stored, Tables, entries};
use crate::domain::id::Id;
use crate::sys::lock::Lock;
use crate::sys::{SysError, files};

/// How long to wait for a program that is not aosctl and holds the database.
pub(super) const BUSY: Duration = Duration::from_secs(12);

/// How long to wait for one's turn among aosctl's own writers. Each takes milliseconds, so hundreds may be before this one;
/// longer means that one of them was stopped or hangs.
const QUEUE: Duration = Duration::from_secs(60);

/// Pages that a scratch database keeps in memory, as SQLite counts them: kibibytes, with a minus. What a replay reads and
/// changes is what it wrote last, so more does not help much.
const SCRATCH_CACHE: i64 = -6_000;

/// An open workspace database.
pub struct Store {
    conn: Connection,
    path: PathBuf,
}

impl Store {
    /// Makes a new, empty database. Refuses to touch a file that exists.
    pub fn create(path: &Path) -> Result<Store, StoreError> {
        if path.exists() {
            return Err(io(path, std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
        }
        let conn = Connection::open(path).map_err(StoreError::from_sql)?;
        prepare(&conn)?;
        let store = Store { conn, path: path.to_path_buf() };
        store.conn.pragma_update(None, "application_id", APPLICATION_ID)?;
        store.migrate(MIGRATIONS, Backup::NothingToKeep)?;
        Ok(store)
    }

    /// Opens a database that exists. An older schema is migrated after a backup copy; a newer one is refused.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        Store::open_at(path, MIGRATIONS)
    }

    /// As [`Store::open`], by an aosctl that knows these schema versions.
    fn open_at(path: &Path, migrations: &[&str]) -> Result<Store, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(StoreError::from_sql)?;
        conn.busy_timeout(BUSY)?;
        // Before anything is set: setting the journal mode would already write into another program's file.
        let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0)).map_err(|e| {
            if files::is_on_read_only(path) {
                return StoreError::ReadOnlyDisk { path: path.display().to_string() };
            }
            StoreError::from_sql(e)
        })?;
        let found = version(&conn)?;
        let known = known(migrations);
        if id != APPLICATION_ID {
            return Err(StoreError::NotOurs);
        }
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        prepare(&conn)?;
        let store = Store { conn, path: path.to_path_buf() };
        if found < known {
            store.migrate(migrations, Backup::First)?;
        }
        Ok(store)
    }

    /// Opens a database for a quick look: read-only, without migrating it, without waiting for anybody. `None` where that
    /// is not possible.
    pub fn glimpse(path: &Path) -> Option<Store> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).ok()?;
        conn.busy_timeout(Duration::ZERO).ok()?;
        conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;").ok()?;
        let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0)).ok()?;
        let version: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0)).ok()?;
        (id == APPLICATION_ID && version == SCHEMA_VERSION).then(|| Store { conn, path: path.to_path_buf() })
    }

    /// Are tables, indexes and triggers those that the migrations made, and nothing besides?
    pub fn has_our_schema(&self) -> Result<bool, StoreError> {
        Ok(fingerprint(&self.conn)? == FINGERPRINT)
    }

    /// Copies the database beside itself before its schema changes: `aosctl.db.v1-backup`. The copy takes its name when it
    /// is whole and on disk, so that one that was cut off is never taken for one.
    fn back_up(&self, version: i64) -> Result<(), StoreError> {
        let named = |end: String| {
            let mut name = self.path.file_name().unwrap_or_default().to_os_string();
            name.push(end);
            self.path.with_file_name(name)
        };
        let target = named(format!(".v{version}-backup"));
        if target.exists() {
            return Ok(());
        }
        let half = named(format!(".v{version}-backup.new"));
        files::remove_file(&half);
        let sys = |e: SysError| io(&half, std::io::Error::other(e.to_string()));
        self.copy_into(&half)?;
        files::move_into_place(&half, &target).map_err(sys)
    }

    /// Copies the database, as this connection sees it, into a new private file. Inside a snapshot that is what the
    /// snapshot shows, whatever others write meanwhile. Returns when it is on disk.
    pub fn copy_into(&self, target: &Path) -> Result<(), StoreError> {
        let sys = |e: SysError| io(target, std::io::Error::other(e.to_string()));
        // Made private before SQLite writes into it.
        files::create_private_new(target, b"").map_err(sys)?;
        self.conn.backup("main", target, None::<fn(rusqlite::backup::Progress)>).map_err(StoreError::from_sql)?;
        files::sync(target).map_err(sys)
    }

    /// Brings the schema up to the newest of these versions, in one transaction.
    fn migrate(&self, migrations: &[&str], backup: Backup) -> Result<(), StoreError> {
        // One at a time: the backup too must be of a database that nobody is changing.
        let _queue = self.queue()?;
        let found = version(&self.conn)?;
        let known = known(migrations);
        // Another process may have migrated while this one waited, even one that knows more versions.
        if found >= known {
            return if found > known { Err(StoreError::Newer { found, known }) } else { Ok(()) };
        }
        if backup == Backup::First {
            self.back_up(found)?;
        }
        let tx = rusqlite::Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)
            .map_err(StoreError::from_sql)?;
        for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
            tx.execute_batch(migration)?;
        }
        tx.pragma_update(None, "user_version", known)?;
        tx.commit().map_err(StoreError::from_sql)
    }

    /// Waits for its turn among aosctl's own writers. The kernel wakes waiters; nobody polls.
    pub(super) fn queue(&self) -> Result<Lock, StoreError> {
        let lock = self.path.with_extension("lock");
        match Lock::wait(&lock, QUEUE) {
            Ok(Some(turn)) => Ok(turn),
            Ok(None) => Err(StoreError::Busy),
            Err(e) => Err(io(&lock, std::io::Error::other(e.to_string()))),
        }
    }

    /// Its turn, if nobody else writes now.
    pub(super) fn queue_now(&self) -> Result<Option<Lock>, StoreError> {
        let lock = self.path.with_extension("lock");
        Lock::try_now(&lock).map_err(|e| io(&lock, std::io::Error::other(e.to_string())))
    }

    /// Begins to write: from here to [`Write::commit`] no other process writes.
    pub fn write(&self) -> Result<Write<'_>, StoreError> {
        let queue = self.queue()?;
        let tx = rusqlite::Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)
            .map_err(StoreError::from_sql)?;
        Ok(Write { tx, _queue: queue })
    }

    /// Begins to read one consistent moment, without a write lock. Ends when the guard is dropped.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        let tx = rusqlite::Transaction::new_unchecked(&self.conn, TransactionBehavior::Deferred)
            .map_err(StoreError::from_sql)?;
        Ok(Snapshot { _tx: tx })
    }

    /// As [`Store::snapshot`], for who may be asked while a transaction is open already: then that one is the moment.
    pub fn snapshot_if_none(&self) -> Result<Option<Snapshot<'_>>, StoreError> {
        if self.conn.is_autocommit() { self.snapshot().map(Some) } else { Ok(None) }
    }

    /// The projection.
    pub fn tables(&self) -> Tables<'_> {
        Tables::new(&self.conn)
    }

    /// Where the log ends.
    pub fn head(&self) -> Result<Option<Head>, StoreError> {
        entries::head(&self.conn)
    }

    /// One entry.
    pub fn entry(&self, seq: u64) -> Result<Option<Stored>, StoreError> {
        entries::get(&self.conn, seq)
    }

    /// The entries about a subject before a place in the log, oldest first.
    pub fn about(&self, subject: Id, before: u64) -> Result<Vec<Stored>, StoreError> {
        entries::about(&self.conn, subject, before)
    }

    /// The newest entry about a subject before a place in the log.
    pub fn newest_about(&self, subject: Id, before: u64) -> Result<Option<Stored>, StoreError> {
        entries::newest_about(&self.conn, subject, before)
    }

    /// Every id of that kind that any entry is about, in order.
    pub fn subjects(&self, kind: crate::domain::id::IdKind) -> Result<Vec<Id>, StoreError> {
        entries::subjects(&self.conn, kind.prefix())
    }

    /// The entries from a place on, at most so many, and fewer where they are large: only where there is none is the end.
    pub fn range(&self, from: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        entries::range(&self.conn, from, limit)
    }

    /// As [`Store::range`], each entry's place and envelope alone.
    pub fn envelopes(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        entries::envelopes(&self.conn, from, limit)
    }

    /// The number of the last entry.
    pub fn last_seq(&self) -> Result<Option<u64>, StoreError> {
        entries::last_seq(&self.conn)
    }

    /// Entries with a negative number.
    pub fn entries_before_first(&self) -> Result<Vec<i64>, StoreError> {
        entries::before_first(&self.conn)
    }

    /// Payloads that belong to no entry.
    pub fn orphan_payloads(&self) -> Result<Vec<i64>, StoreError> {
        entries::orphans(&self.conn)
    }

    /// A number that changes whenever another process commits: a cheap way to learn that something happened.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.conn.pragma_query_value(None, "data_version", |r| r.get(0))?)
    }

    /// Where the database lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Attaches a scratch database, as `replayed`, for [`super::compare`].
    pub fn attach_scratch(&self, scratch: &Path) -> Result<(), StoreError> {
        self.conn.execute("ATTACH DATABASE ?1 AS replayed", [scratch.to_string_lossy()])?;
        // Tables that are compared may have to be sorted, and are larger than memory should be. No text is in them.
        Ok(self.conn.execute_batch("PRAGMA temp_store = FILE")?)
    }

    /// The projection of this scratch database, replayed from the log in another one.
    pub fn tables_replaying<'a>(&'a self, log: &'a Store) -> Tables<'a> {
        Tables::replaying(&self.conn, &log.conn)
    }

    /// Begins one large write into a scratch database.
    pub fn begin_replay(&self) -> Result<(), StoreError> {
        Ok(self.conn.execute_batch("BEGIN")?)
    }

    /// Ends it, so that the attached view sees it.
    pub fn end_replay(&self) -> Result<(), StoreError> {
        Ok(self.conn.execute_batch("COMMIT")?)
    }

    /// Where the replayed log ended.
    pub fn set_replayed_head(&self, head: &Head) -> Result<(), StoreError> {
        entries::set_head(&self.conn, head)
    }

    /// A connection that was made ready, for this room.
    pub(super) fn of(conn: Connection, path: &Path) -> Store {
        Store { conn, path: path.to_path_buf() }
    }

    /// The connection, for this room.
    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Compares the schema with that of the attached scratch database.
    pub fn compare_schema(&self, limit: usize) -> Result<Vec<super::Difference>, StoreError> {
        super::compare::compare_schema(&self.conn, limit)
    }

    /// Compares the projection with the attached scratch database.
    pub fn compare(&self, limit: usize) -> Result<Vec<super::Difference>, StoreError> {
        super::compare(&self.conn, &self.path, limit)
    }
}

/// A consistent view; nothing is locked against writers.
pub struct Snapshot<'s> {
    _tx: rusqlite::Transaction<'s>,
}

/// A write in progress. Dropped without [`Write::commit`], it leaves nothing.
pub struct Write<'s> {
    tx: rusqlite::Transaction<'s>,
    // Declared after `tx`, so that it is released after the transaction ended.
    _queue: Lock,
}

impl Write<'_> {
    /// The connection, for this room.
    pub(super) fn conn(&self) -> &Connection {
        &self.tx
    }

    /// Appends an entry with its payload.
    pub fn append(&self, entry: &Stored) -> Result<(), StoreError> {
        entries::insert(&self.tx, entry)
    }

    /// Moves the end of the log.
    pub fn set_head(&self, head: &Head) -> Result<(), StoreError> {
        entries::set_head(&self.tx, head)
    }

    /// Empties every table of the projection, for making them anew from the log.
    pub fn clear_tables(&self) -> Result<(), StoreError> {
        // Until the commit they may refer to what is not there yet.
        self.tx.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        for (table, _) in super::schema::PROJECTION {
            self.tx.execute(&format!("DELETE FROM {table}"), [])?;
        }
        Ok(())
    }

    /// The projection, as this transaction sees it.
    pub fn tables(&self) -> Tables<'_> {
        Tables::new(&self.tx)
    }

    /// Makes it durable: when this returns, the disk has it.
    pub fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().map_err(StoreError::from_sql)
    }
}

/// Indexes that replaying reads through. The others would only cost time: nobody looks for anything in a scratch database.
const INDEXES_OF_REPLAY: &str = "'entries_by_subject', 'grants_by_door', 'requests_by_key', 'spends_counting'";

/// A database for replaying into, thrown away afterwards: no journal, no syncs, few indexes. `schema_made` lists the schema
/// as the migrations made it.
pub fn scratch(path: &Path) -> Result<Store, StoreError> {
    let conn = Connection::open(path).map_err(StoreError::from_sql)?;
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;")?;
    conn.pragma_update(None, "cache_size", SCRATCH_CACHE)?;
    // A statement is planned once, whatever is bound to it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(128);
    for migration in MIGRATIONS {
        conn.execute_batch(migration)?;
    }
    conn.execute_batch(
        "CREATE TABLE schema_made (type TEXT, name TEXT, tbl_name TEXT, sql TEXT);
         INSERT INTO schema_made SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'schema_made'",
    )?;
    let unused: Vec<String> = conn
        .prepare(&format!(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND name NOT IN ({INDEXES_OF_REPLAY})"
        ))?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for index in unused {
        conn.execute_batch(&format!("DROP INDEX {index}"))?;
    }
    Ok(Store { conn, path: path.to_path_buf() })
}

/// What is kept of a database before its schema changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backup {
    /// A copy of it.
    First,
    /// It is new and holds nothing.
    NothingToKeep,
}

fn version(conn: &Connection) -> Result<i64, StoreError> {
    conn.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(StoreError::from_sql)
}

/// The newest of these schema versions.
fn known(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// What every connection to a workspace is set to. `temp_store`: what a statement changes is kept for taking it back, beyond
/// 64 KiB in a file that has no name, and what was erased would lie in that file's blocks for as long as the disk likes.
fn prepare(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(128);
    // A plan does not depend on the values that are bound: else SQLite plans some statements anew for each of them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(StoreError::from_sql)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )
    .map_err(StoreError::from_sql)
}

fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests;
