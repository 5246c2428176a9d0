//! Taking the text of an erased member out of the database's files, and what is asked about entries that were erased,
//! corrected or invalid.
//!
//! SQLite keeps old bytes in four places: cells that were deleted, pages on the free list, room between the cells of a
//! page that was rebuilt, and frames of the write-ahead log. `secure_delete` overwrites the first two. `VACUUM` writes
//! every page anew, which leaves nothing in the third. A checkpoint that truncates empties the fourth, once nobody reads
//! an older snapshot any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::open::BUSY;
use super::{Store, StoreError, Stored, Tables, Write, entries};
use crate::domain::facts::InvalidEntry;
use crate::domain::id::Id;
use crate::domain::request::Request;
use crate::sys::files;

/// Between two tries while somebody reads an older snapshot.
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes of a database up to which `VACUUM` copies it in memory. A larger one it copies through a file without a name, which
/// holds what the database holds by then: nothing that was erased.
const COPIED_IN_MEMORY: i64 = 128 * 1024 * 1024;

/// What became of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrubbed {
    /// Nothing of what was deleted is left in them.
    Clean,
    /// Somebody reads an older snapshot, so the write-ahead log could not be emptied.
    Read,
}

impl Write<'_> {
    /// Puts another record in the place of an entry's payload: the one in which members are erased. The triggers that keep
    /// the log from being changed guard `UPDATE` and `DELETE`; what `REPLACE` takes the place of, they do not see.
    pub fn replace_payload(&self, seq: u64, record: &[u8]) -> Result<(), StoreError> {
        let changed = self
            .conn()
            .prepare_cached("INSERT OR REPLACE INTO payloads (seq, record) VALUES (?1, ?2)")?
            .execute(params![clamp(seq), record])?;
        if changed == 1 {
            Ok(())
        } else {
            Err(StoreError::corrupt("payloads", format!("the payload of entry {seq} was not replaced")))
        }
    }
}

impl Tables<'_> {
    /// Puts an entry into the list of those that replay skips, as a replay just found it: the one repair of a table that
    /// there is. Who voided it stays as it was.
    pub fn mend_invalid(&self, e: &InvalidEntry) -> Result<(), StoreError> {
        let sql = "INSERT INTO invalid (seq, leaf, actor, subject, fault, voidable) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (seq) DO UPDATE SET leaf = ?2, actor = ?3, subject = ?4, fault = ?5, voidable = ?6";
        let subject = e.subject.map(|s| s.to_string()).unwrap_or_default();
        let p = params![clamp(e.seq), e.leaf, e.actor.to_string(), subject, e.fault, e.voidable];
        self.conn().prepare_cached(sql)?.execute(p)?;
        Ok(())
    }
}

impl Store {
    /// Writes every page anew, moves the write-ahead log into the database and empties it. Waits for its turn among the
    /// writers, and so long for those who read an older snapshot. `done` runs before the next writer's turn, and only if
    /// nothing is left.
    ///
    /// # Errors
    /// [`StoreError`]; above all a disk without room for a second copy of the database.
    pub fn scrub(&self, patience: Duration, done: impl FnOnce()) -> Result<Scrubbed, StoreError> {
        let queue = if patience.is_zero() { self.queue_now()? } else { Some(self.queue()?) };
        let Some(_queue) = queue else { return Ok(Scrubbed::Read) };
        let result = self.rewrite(patience);
        self.conn().busy_timeout(BUSY)?;
        let result = result?;
        if result == Scrubbed::Clean {
            done();
        }
        Ok(result)
    }

    fn rewrite(&self, patience: Duration) -> Result<Scrubbed, StoreError> {
        // Before as well: a reader of an older snapshot is then waited for before a second copy is written.
        if !self.empty_wal(patience)? {
            return Ok(Scrubbed::Read);
        }
        self.conn().busy_timeout(patience)?;
        match self.vacuum() {
            Err(StoreError::Busy) => return Ok(Scrubbed::Read),
            other => other?,
        }
        Ok(if self.empty_wal(patience)? { Scrubbed::Clean } else { Scrubbed::Read })
    }

    fn vacuum(&self) -> Result<(), StoreError> {
        let number = |name| self.conn().pragma_query_value(None, name, |r| r.get::<_, i64>(0));
        let bytes = number("page_count")?.saturating_mul(number("page_size")?);
        if bytes > COPIED_IN_MEMORY {
            self.conn().execute_batch("PRAGMA temp_store = FILE")?;
        }
        let done = self.conn().execute_batch("VACUUM").map_err(StoreError::from_sql);
        self.conn().execute_batch("PRAGMA temp_store = MEMORY")?;
        done
    }

    fn empty_wal(&self, patience: Duration) -> Result<bool, StoreError> {
        // SQLite's own waiting polls more and more rarely, so it is told not to.
        self.conn().busy_timeout(Duration::ZERO)?;
        let mut tries = patience.as_millis() / PAUSE.as_millis();
        loop {
            let busy: rusqlite::Result<i64> =
                self.conn().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0));
            match busy.map_err(StoreError::from_sql) {
                Ok(0) => return Ok(true),
                Ok(_) | Err(StoreError::Busy) => {}
                Err(e) => return Err(e),
            }
            if tries == 0 {
                return Ok(false);
            }
            tries -= 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// Removes the copies of this database that were made before its schema changed, but those that never held any of
    /// these entries' payloads. Gives the names of what was removed.
    pub fn remove_copies_with(&self, seqs: &[u64]) -> Vec<String> {
        let mut removed = Vec::new();
        for path in self.copies() {
            if may_hold(&path, seqs) {
                files::remove_file(&path);
                if !path.exists() {
                    removed.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
                }
            }
        }
        removed
    }

    /// May that database be a copy of this one, and hold the payload of an entry? One that cannot be read may.
    pub fn may_be_copied_in(&self, path: &Path, seq: u64) -> bool {
        let first = |conn: &Connection| {
            conn.query_row("SELECT envelope FROM entries WHERE seq = 0", [], |r| r.get::<_, Vec<u8>>(0)).ok()
        };
        let theirs = open_still(path).ok().and_then(|conn| first(&conn));
        (theirs.is_none() || theirs == first(self.conn())) && may_hold(path, &[seq])
    }

    /// `aosctl.db.v1-backup` and the like.
    fn copies(&self) -> Vec<PathBuf> {
        let name = self.path().file_name().unwrap_or_default().to_string_lossy().into_owned() + ".v";
        let dir = self.path().parent().unwrap_or(Path::new("."));
        let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
            .into_iter()
            .flatten()
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| {
                let of = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
                of.strip_prefix(&name).is_some_and(|rest| rest.contains("-backup"))
            })
            .collect();
        found.sort();
        found
    }

    /// Corrections of an entry, by the entries that hold them.
    pub fn corrections_of(&self, seq: u64) -> Result<Vec<u64>, StoreError> {
        self.numbers("SELECT by_seq FROM corrections WHERE seq = ?1 ORDER BY by_seq", clamp(seq))
    }

    /// Every entry that was corrected.
    pub fn corrected(&self) -> Result<BTreeSet<u64>, StoreError> {
        Ok(self.numbers("SELECT DISTINCT seq FROM corrections WHERE seq >= ?1", 0)?.into_iter().collect())
    }

    /// The members of an entry that were erased, each with the entry that says so.
    pub fn erasures_of(&self, seq: u64) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut statement = self.conn().prepare_cached("SELECT member, by_seq FROM erasures WHERE seq = ?1")?;
        let rows = statement.query_map([clamp(seq)], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?)))?;
        let mut found = BTreeMap::new();
        for row in rows {
            let (member, by) = row?;
            found.insert(member, u64::try_from(by).unwrap_or(0));
        }
        Ok(found)
    }

    /// Entries whose payload holds these bytes, at most so many.
    pub fn payloads_with(&self, bytes: &[u8], limit: usize) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT seq FROM payloads WHERE instr(record, ?1) ORDER BY seq LIMIT ?2";
        let mut statement = self.conn().prepare(sql)?;
        let rows =
            statement.query_map(params![bytes, i64::try_from(limit).unwrap_or(i64::MAX)], |r| r.get::<_, i64>(0))?;
        rows.map(|n| Ok(u64::try_from(n?).unwrap_or(0))).collect()
    }

    /// Entries that somebody signed, from a place on, oldest first. Reads the whole log from there.
    pub fn signed_by(&self, actor: &str, from: u64) -> Result<Vec<Stored>, StoreError> {
        entries::signed_by(self.conn(), actor, from)
    }

    /// Requests on a grant that were begun from a place in the log on, oldest first.
    pub fn claimed_on(&self, grant: Id, from: u64) -> Result<Vec<Request>, StoreError> {
        let p = params![grant.to_string(), clamp(from)];
        self.tables().requests_where("grant_id = ?1 AND claimed_seq >= ?2 ORDER BY claimed_seq", p)
    }

    fn numbers(&self, sql: &str, p: i64) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.conn().prepare_cached(sql)?;
        let rows = statement.query_map([p], |r| r.get::<_, i64>(0))?;
        rows.map(|n| Ok(u64::try_from(n?).unwrap_or(0))).collect()
    }
}

/// May that copy hold the payload of any of these entries? One that cannot be read may.
fn may_hold(path: &Path, seqs: &[u64]) -> bool {
    let Ok(conn) = open_still(path) else { return true };
    let holds = |seq: &u64| {
        conn.query_row("SELECT count(*) FROM payloads WHERE seq = ?1", [clamp(*seq)], |r| r.get::<_, i64>(0))
            .map_or(true, |n| n > 0)
    };
    seqs.is_empty() || seqs.iter().any(holds)
}

/// Opens a database as a file that nobody changes: no lock, and no write-ahead log is made beside it.
fn open_still(path: &Path) -> rusqlite::Result<Connection> {
    let uri = format!("file:{}?immutable=1", escaped(&path.to_string_lossy()));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags)
}

/// A path as part of a URI.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '%' => out.push_str("%25"),
            '?' => out.push_str("%3f"),
            '#' => out.push_str("%23"),
            c => out.push(c),
        }
    }
    out
}

/// SQLite numbers are signed; a place beyond them is beyond everything.
fn clamp(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
