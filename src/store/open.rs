//! Opening: pragmas, migrations, the writers' queue.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::schema::{APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION};
use super::{Head, StoreError, Stored, Tables, entries};
use crate::domain::id::Id;
use crate::sys::files;
use crate::sys::lock::Lock;

/// How long to wait for a program that is not aosctl and holds the database.
const BUSY: Duration = Duration::from_secs(12);

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
        store.migrate_from(0)?;
        Ok(store)
    }

    /// Opens a database that exists. An older schema is migrated after a backup copy; a newer one is refused.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(StoreError::from_sql)?;
        prepare(&conn)?;
        let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0)).map_err(StoreError::from_sql)?;
        let version: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(StoreError::from_sql)?;
        if id != APPLICATION_ID {
            return Err(StoreError::NotOurs);
        }
        if version > SCHEMA_VERSION {
            return Err(StoreError::Newer { found: version, known: SCHEMA_VERSION });
        }
        let store = Store { conn, path: path.to_path_buf() };
        if version < SCHEMA_VERSION {
            store.back_up(version)?;
            store.migrate_from(version)?;
        }
        Ok(store)
    }

    /// Opens a database for a quick look: read-only, without migrating it, without waiting for anybody. `None` where that
    /// is not possible.
    pub fn glimpse(path: &Path) -> Option<Store> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).ok()?;
        conn.busy_timeout(Duration::ZERO).ok()?;
        conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;").ok()?;
        let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0)).ok()?;
        let version: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0)).ok()?;
        (id == APPLICATION_ID && version == SCHEMA_VERSION).then(|| Store { conn, path: path.to_path_buf() })
    }

    /// Copies the database beside itself before its schema changes: `aosctl.db.v1-backup`.
    fn back_up(&self, version: i64) -> Result<(), StoreError> {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".v{version}-backup"));
        let target = self.path.with_file_name(&name);
        if target.exists() {
            return Ok(());
        }
        // Under another name first: what a crash leaves half copied must not pass for a backup.
        name.push(".part");
        let part = self.path.with_file_name(name);
        files::remove_file(&part);
        self.conn.backup("main", &part, None::<fn(rusqlite::backup::Progress)>)?;
        files::move_into_place(&part, &target).map_err(|e| io(&target, std::io::Error::other(e.to_string())))
    }

    fn migrate_from(&self, version: i64) -> Result<(), StoreError> {
        let _queue = self.queue()?;
        let tx = rusqlite::Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)
            .map_err(StoreError::from_sql)?;
        // Another process may have migrated while this one waited.
        let now: i64 = tx.pragma_query_value(None, "user_version", |r| r.get(0))?;
        let from = usize::try_from(now.max(version)).unwrap_or(0);
        for migration in MIGRATIONS.iter().skip(from) {
            tx.execute_batch(migration)?;
        }
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        Ok(())
    }

    /// Waits for its turn among aosctl's own writers. The kernel wakes waiters; nobody polls.
    fn queue(&self) -> Result<Lock, StoreError> {
        let lock = self.path.with_extension("lock");
        Lock::wait(&lock).map_err(|e| io(&lock, std::io::Error::other(e.to_string())))
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

    /// The entries from a place on, at most so many.
    pub fn range(&self, from: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
        entries::range(&self.conn, from, limit)
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
        Ok(())
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
        super::compare(&self.conn, limit)
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
    /// Appends an entry with its payload.
    pub fn append(&self, entry: &Stored) -> Result<(), StoreError> {
        entries::insert(&self.tx, entry)
    }

    /// Moves the end of the log.
    pub fn set_head(&self, head: &Head) -> Result<(), StoreError> {
        entries::set_head(&self.tx, head)
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

/// A database for replaying into, thrown away afterwards: no journal, no syncs.
pub fn scratch(path: &Path) -> Result<Store, StoreError> {
    let conn = Connection::open(path).map_err(StoreError::from_sql)?;
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;")?;
    conn.set_prepared_statement_cache_capacity(128);
    for migration in MIGRATIONS {
        conn.execute_batch(migration)?;
    }
    Ok(Store { conn, path: path.to_path_buf() })
}

fn prepare(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )
    .map_err(StoreError::from_sql)
}

fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.display().to_string(), source }
}
