//! The log's own rows: entries and payloads, appended and streamed.

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::rows::Reader;
use crate::domain::facts::EntryFacts;
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::log::payload::Record;

/// An entry as it lies in the database: bytes, and the columns by which it is found. The columns are a convenience that
/// nobody trusts; the bytes are the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub seq: u64,
    /// The envelope's bytes.
    pub envelope: Vec<u8>,
    /// The payload's bytes; `None` where the row is missing.
    pub record: Option<Vec<u8>>,
    /// The columns `kind`, `actor`, `subject`, `at`, as stored.
    pub columns: (String, String, String, i64),
}

/// Where the log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// The right edge of the Merkle tree, as [`crate::log::tree::Frontier`] writes it.
    pub frontier: Vec<u8>,
    /// Leaf hash of the last entry; zeros for none.
    pub leaf: [u8; 32],
    /// When the last entry was signed.
    pub at: Time,
}

const STORED: &str = "e.seq, e.envelope, p.record, e.kind, e.actor, e.subject, e.at";

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    // Hostile types in a column must reach verification, not stop the reading: bytes are taken as they are.
    let bytes = |i: usize| -> rusqlite::Result<Option<Vec<u8>>> {
        use rusqlite::types::ValueRef;
        Ok(match row.get_ref(i)? {
            ValueRef::Blob(b) | ValueRef::Text(b) => Some(b.to_vec()),
            _ => None,
        })
    };
    let text = |i: usize| -> rusqlite::Result<String> {
        Ok(String::from_utf8_lossy(&bytes(i)?.unwrap_or_default()).into_owned())
    };
    let seq: i64 = row.get(0)?;
    Ok(Stored {
        seq: u64::try_from(seq).unwrap_or(u64::MAX),
        envelope: bytes(1)?.unwrap_or_default(),
        record: bytes(2)?,
        columns: (text(3)?, text(4)?, text(5)?, row.get(6).unwrap_or(i64::MIN)),
    })
}

/// One entry.
pub(super) fn get(conn: &Connection, seq: u64) -> Result<Option<Stored>, StoreError> {
    let sql = format!("SELECT {STORED} FROM entries e LEFT JOIN payloads p ON p.seq = e.seq WHERE e.seq = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([seq], stored).optional()?)
}

/// The entries about a subject, before a place in the log, oldest first.
pub(super) fn about(conn: &Connection, subject: Id, before: u64) -> Result<Vec<Stored>, StoreError> {
    let sql = format!(
        "SELECT {STORED} FROM entries e LEFT JOIN payloads p ON p.seq = e.seq WHERE e.subject = ?1 AND e.seq < ?2 ORDER BY e.seq"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![subject.to_string(), clamp(before)], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every subject of that kind of id that any entry is about. Found in the log's own index: a row deleted from the
/// projection hides nobody.
pub(super) fn subjects(conn: &Connection, prefix: &str) -> Result<Vec<Id>, StoreError> {
    let sql = "SELECT DISTINCT subject FROM entries WHERE subject >= ?1 || '-' AND subject < ?1 || '.'";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([prefix], |r| r.get::<_, String>(0))?;
    let mut ids = Vec::new();
    for text in rows {
        ids.extend(text?.parse::<Id>());
    }
    ids.sort_unstable();
    Ok(ids)
}

/// The newest entry about a subject before a place in the log.
pub(super) fn newest_about(conn: &Connection, subject: Id, before: u64) -> Result<Option<Stored>, StoreError> {
    let sql = format!(
        "SELECT {STORED} FROM entries e LEFT JOIN payloads p ON p.seq = e.seq WHERE e.subject = ?1 AND e.seq < ?2 ORDER BY e.seq DESC LIMIT 1"
    );
    Ok(conn.prepare_cached(&sql)?.query_row(params![subject.to_string(), clamp(before)], stored).optional()?)
}

/// The bytes of one [`range`]: of usual entries far more than are asked for at once, and of those that carry as much as they
/// may, few enough for memory. The entry that goes beyond them is still given, so that there is always one.
const RANGE_BYTES: usize = 4 * 1_048_576;

/// The entries from a place on, at most so many, and fewer where they are large: only where there is none is the end.
pub(super) fn range(conn: &Connection, from: u64, limit: usize) -> Result<Vec<Stored>, StoreError> {
    // Clamped, it would give the last possible row again and again.
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {STORED} FROM entries e LEFT JOIN payloads p ON p.seq = e.seq WHERE e.seq >= ?1 ORDER BY e.seq LIMIT ?2"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut given = Vec::new();
    let mut bytes = 0;
    for row in statement.query_map(params![from, i64::try_from(limit).unwrap_or(i64::MAX)], stored)? {
        let row = row?;
        bytes += row.envelope.len() + row.record.as_ref().map_or(0, Vec::len);
        given.push(row);
        if bytes >= RANGE_BYTES {
            break;
        }
    }
    Ok(given)
}

/// The entries of a signer from a place on, oldest first.
pub(super) fn signed_by(conn: &Connection, actor: &str, from: u64) -> Result<Vec<Stored>, StoreError> {
    let sql = format!(
        "SELECT {STORED} FROM entries e LEFT JOIN payloads p ON p.seq = e.seq WHERE e.seq >= ?1 AND e.actor = ?2 ORDER BY e.seq"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![clamp(from), actor], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// As [`range`], envelopes alone: what the tree is made of.
pub(super) fn envelopes(conn: &Connection, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let sql = "SELECT seq, envelope FROM entries WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params![from, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        use rusqlite::types::ValueRef;
        let seq: i64 = row.get(0)?;
        let envelope = match row.get_ref(1)? {
            ValueRef::Blob(b) | ValueRef::Text(b) => b.to_vec(),
            _ => Vec::new(),
        };
        Ok((u64::try_from(seq).unwrap_or(u64::MAX), envelope))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Entries before the first place there is: no log has them, and reading from 0 on never meets them.
pub(super) fn before_first(conn: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement = conn.prepare("SELECT seq FROM entries WHERE seq < 0 ORDER BY seq LIMIT 20")?;
    let rows = statement.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Payloads that belong to no entry.
pub(super) fn orphans(conn: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement =
        conn.prepare("SELECT seq FROM payloads WHERE seq NOT IN (SELECT seq FROM entries) ORDER BY seq LIMIT 20")?;
    let rows = statement.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn head(conn: &Connection) -> Result<Option<Head>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT size, frontier, leaf, at FROM head")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut r = Reader::new(row, "head");
    Ok(Some(Head { size: r.seq()?, frontier: r.blob()?.to_vec(), leaf: r.key()?, at: r.time()? }))
}

pub(super) fn set_head(conn: &Connection, h: &Head) -> Result<(), StoreError> {
    let sql = "INSERT INTO head (one, size, frontier, leaf, at) VALUES (1, ?1, ?2, ?3, ?4)
               ON CONFLICT (one) DO UPDATE SET size = ?1, frontier = ?2, leaf = ?3, at = ?4";
    conn.prepare_cached(sql)?.execute(params![clamp(h.size), h.frontier, h.leaf, h.at.millis()])?;
    Ok(())
}

pub(super) fn insert(conn: &Connection, s: &Stored) -> Result<(), StoreError> {
    let (kind, actor, subject, at) = &s.columns;
    let added = conn
        .prepare_cached(
            "INSERT INTO entries (seq, envelope, kind, actor, subject, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![clamp(s.seq), s.envelope, kind, actor, subject, at])?;
    if added != 1 {
        return Err(StoreError::corrupt("entries", format!("entry {} was not taken", s.seq)));
    }
    if let Some(record) = &s.record {
        conn.prepare_cached("INSERT INTO payloads (seq, record) VALUES (?1, ?2)")?
            .execute(params![clamp(s.seq), record])?;
    }
    Ok(())
}

/// Number of entries, counted by the rows themselves.
pub(super) fn last_seq(conn: &Connection) -> Result<Option<u64>, StoreError> {
    let last: Option<i64> = conn.prepare_cached("SELECT max(seq) FROM entries")?.query_row([], |r| r.get(0))?;
    Ok(last.and_then(|n| u64::try_from(n).ok()))
}

pub(super) fn facts(conn: &Connection, seq: u64) -> Result<Option<EntryFacts>, StoreError> {
    let Some(s) = get(conn, seq)? else { return Ok(None) };
    let (kind, actor, subject, _) = s.columns;
    let members = match s.record.as_deref().map(Record::parse) {
        Some(Ok(r)) => r.body.keys().chain(r.erased.keys()).cloned().collect(),
        _ => Vec::new(),
    };
    let actor = actor.parse().map_err(|e| StoreError::corrupt("entries", e))?;
    Ok(Some(EntryFacts { kind, subject: subject.parse().ok(), actor, members }))
}

/// SQLite numbers are signed; a place beyond them is beyond everything.
fn clamp(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
