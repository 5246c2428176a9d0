//! The payload lines of a bundle, kept by their seq while it is verified, and what its entries are found by: thrown away
//! afterwards. Facts about entries are read from it as from a workspace.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};
use crate::domain::identity::Identity;
use crate::domain::time::Time;

/// The view gives a line in the form in which a workspace stores it: `,"seq":N}` at its end becomes `}`. Whoever reads a
/// record there has verified the line before; of another line it gives bytes that are no record.
const SCHEMA: &str = r#"
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE lines (seq INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;
CREATE TABLE entries (
    seq      INTEGER PRIMARY KEY,
    envelope BLOB NOT NULL DEFAULT x'',
    kind     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE VIEW payloads AS
    SELECT seq, CAST(substr(line, 1, length(line) - length(CAST(seq AS TEXT)) - 8) || '}' AS BLOB) AS record FROM lines;
BEGIN;
"#;

/// A database for the lines of a bundle, thrown away afterwards: no journal, no syncs, one transaction that never ends.
pub fn scratch_lines(path: &Path) -> Result<Store, StoreError> {
    let conn = Connection::open(path).map_err(StoreError::from_sql)?;
    conn.execute_batch(SCHEMA)?;
    Ok(Store::of(conn, path))
}

impl Store {
    /// Keeps a payload line under a seq. False where there is one already, which stays.
    pub fn put_line(&self, seq: u64, line: &[u8]) -> Result<bool, StoreError> {
        let sql = "INSERT INTO lines (seq, line) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        Ok(self.conn().prepare_cached(sql)?.execute(params![seq, line])? == 1)
    }

    /// Keeps another line under that seq.
    pub fn replace_line(&self, seq: u64, line: &[u8]) -> Result<(), StoreError> {
        self.conn().prepare_cached("UPDATE lines SET line = ?2 WHERE seq = ?1")?.execute(params![seq, line])?;
        Ok(())
    }

    /// The line under a seq.
    pub fn line(&self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.conn().prepare_cached("SELECT line FROM lines WHERE seq = ?1")?;
        Ok(statement.query_row([seq], |r| r.get(0)).optional()?)
    }

    /// The first line from a seq on, with its seq.
    pub fn line_from(&self, seq: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let mut statement =
            self.conn().prepare_cached("SELECT seq, line FROM lines WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
        Ok(statement.query_row([seq], |r| Ok((r.get(0)?, r.get(1)?))).optional()?)
    }

    /// Keeps what an entry of a bundle is found by.
    pub fn note_entry(&self, seq: u64, kind: &str, actor: &str, subject: &str, at: Time) -> Result<(), StoreError> {
        let sql = "INSERT INTO entries (seq, kind, actor, subject, at) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.conn().prepare_cached(sql)?.execute(params![seq, kind, actor, subject, at.millis()])?;
        Ok(())
    }

    /// Identities that were retired as of an earlier entry.
    pub fn disputed_identities(&self) -> Result<Vec<Identity>, StoreError> {
        self.tables().identities_where("disputed_from IS NOT NULL ORDER BY id", [])
    }

    /// How many entries that actor signed, from a place in the log on. Reads the log from there to its end.
    pub fn entries_by(&self, actor: &str, from: u64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM entries NOT INDEXED WHERE seq >= ?1 AND actor = ?2";
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        Ok(self.conn().prepare_cached(sql)?.query_row(params![from, actor], |r| r.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;

    #[test]
    fn a_line_is_found_as_a_record() {
        let dir = tempfile::tempdir().unwrap();
        let lines = scratch_lines(&dir.path().join("lines.db")).unwrap();
        let salt = "00".repeat(32);
        let line = format!(r#"{{"body":{{"note":"\u0000é"}},"salts":{{"note":"{salt}"}},"seq":1234}}"#);
        assert!(lines.put_line(1234, line.as_bytes()).unwrap());
        assert!(!lines.put_line(1234, b"{}").unwrap());
        assert_eq!(lines.line(1234).unwrap().as_deref(), Some(line.as_bytes()));
        assert_eq!(lines.line_from(7).unwrap(), Some((1234, line.into_bytes())));
        let at = Time::from_millis(0);
        lines.note_entry(1234, "policy.adopted/1", "op-1", "p-1", at).unwrap();
        lines.note_entry(1235, "policy.adopted/1", "op-1", "p-1", at).unwrap();
        let found = lines.tables().entry(1234).unwrap().unwrap();
        assert_eq!((found.kind.as_str(), &found.members[..]), ("policy.adopted/1", &["note".to_owned()][..]));
        assert_eq!(lines.tables().entry(1235).unwrap().unwrap().members, Vec::<String>::new());
        assert_eq!(lines.entries_by("op-1", 1235).unwrap(), 1);
        // Each record is found by its number, not by reading all of them.
        let sql =
            "EXPLAIN QUERY PLAN SELECT p.record FROM entries e LEFT JOIN payloads p ON p.seq = e.seq WHERE e.seq = 5";
        let mut statement = lines.conn().prepare(sql).unwrap();
        let plan: Vec<String> = statement.query_map([], |r| r.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(plan.iter().all(|step| step.contains("PRIMARY KEY")), "{plan:?}");
    }
}
