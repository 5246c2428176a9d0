//! The log's own rows, one after another, without a copy of any: for whoever reads all of them.

use std::ops::ControlFlow;

use rusqlite::Row;
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::types::ValueRef;

use super::{Store, StoreError};

/// An entry's row, as it lies there. Nothing is verified; the columns are a convenience that nobody trusts.
#[derive(Debug, Clone, Copy)]
pub struct RawEntry<'r> {
    /// Its place.
    pub seq: i64,
    /// The envelope's bytes.
    pub envelope: &'r [u8],
    /// When it was signed, by the column beside it, in milliseconds.
    pub at: i64,
}

/// A payload's row, with what lies beside its entry.
#[derive(Debug, Clone, Copy)]
pub struct RawPayload<'r> {
    /// Its entry's place.
    pub seq: i64,
    /// The record's bytes.
    pub record: &'r [u8],
    /// Its entry's envelope; empty for a payload of no entry, and where only records are read.
    pub envelope: &'r [u8],
    /// The type of its entry, by the column beside it; empty as the envelope is.
    pub kind: &'r str,
}

/// What is called with an entry and its payload, or one of them alone.
pub type PairVisit<'v, E> = dyn FnMut(Option<RawEntry<'_>>, Option<RawPayload<'_>>) -> Result<ControlFlow<()>, E> + 'v;

impl Store {
    /// Gives every entry from place 0 on, in order, until `visit` breaks.
    pub fn each_entry<E: From<StoreError>>(
        &self,
        visit: &mut dyn FnMut(RawEntry<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let sql = "SELECT seq, envelope, at FROM entries WHERE seq >= 0 ORDER BY seq";
        self.each(sql, &mut |row| {
            let entry = RawEntry {
                seq: row.get(0).map_err(StoreError::from)?,
                envelope: bytes(row, 1)?,
                at: row.get(2).map_err(StoreError::from)?,
            };
            visit(entry)
        })
    }

    /// Gives every payload and its entry, or an entry or a payload that is alone, from place 0 on, in order, until `visit`
    /// breaks. Both tables are read once, side by side: a join would read the entries anew.
    pub fn each_pair<E: From<StoreError>>(&self, visit: &mut PairVisit<'_, E>) -> Result<(), E> {
        let entries = "SELECT seq, envelope, at, kind FROM entries WHERE seq >= 0 ORDER BY seq";
        let payloads = "SELECT seq, record FROM payloads WHERE seq >= 0 ORDER BY seq";
        let mut entries = self.conn().prepare(entries).map_err(StoreError::from)?;
        let mut payloads = self.conn().prepare(payloads).map_err(StoreError::from)?;
        let mut entries = entries.query([]).map_err(StoreError::from)?;
        let mut payloads = payloads.query([]).map_err(StoreError::from)?;
        entries.advance().map_err(StoreError::from)?;
        payloads.advance().map_err(StoreError::from)?;
        loop {
            let (mut entry, mut kind): (Option<RawEntry<'_>>, &str) = (None, "");
            if let Some(row) = entries.get() {
                let seq = row.get(0).map_err(StoreError::from)?;
                entry = Some(RawEntry { seq, envelope: bytes(row, 1)?, at: row.get(2).map_err(StoreError::from)? });
                kind = std::str::from_utf8(bytes(row, 3)?).unwrap_or_default();
            }
            let mut payload = None;
            if let Some(row) = payloads.get() {
                let seq: i64 = row.get(0).map_err(StoreError::from)?;
                // The one that is first waits for nobody.
                let own = entry.filter(|e| e.seq == seq);
                entry = entry.filter(|e| e.seq <= seq);
                if entry.is_none() || own.is_some() {
                    let (envelope, kind) = own.map_or((&[] as &[u8], ""), |e| (e.envelope, kind));
                    payload = Some(RawPayload { seq, record: bytes(row, 1)?, envelope, kind });
                }
            }
            let (of_entry, of_payload) = (entry.is_some(), payload.is_some());
            if !(of_entry || of_payload) || visit(entry, payload)?.is_break() {
                return Ok(());
            }
            if of_entry {
                entries.advance().map_err(StoreError::from)?;
            }
            if of_payload {
                payloads.advance().map_err(StoreError::from)?;
            }
        }
    }

    /// Gives the bytes of every payload from place 0 on, in order, until `visit` breaks.
    pub fn each_record<E: From<StoreError>>(
        &self,
        visit: &mut dyn FnMut(RawPayload<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.each("SELECT seq, record FROM payloads WHERE seq >= 0 ORDER BY seq", &mut |row| {
            let seq = row.get(0).map_err(StoreError::from)?;
            visit(RawPayload { seq, record: bytes(row, 1)?, envelope: &[], kind: "" })
        })
    }

    /// Gives every payload from place 0 on, in order, until `visit` breaks; those of no entry too.
    pub fn each_payload<E: From<StoreError>>(
        &self,
        visit: &mut dyn FnMut(RawPayload<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let sql = "SELECT p.seq, p.record, e.envelope, e.kind FROM payloads p LEFT JOIN entries e ON e.seq = p.seq
             WHERE p.seq >= 0 ORDER BY p.seq";
        self.each(sql, &mut |row| {
            let payload = RawPayload {
                seq: row.get(0).map_err(StoreError::from)?,
                record: bytes(row, 1)?,
                envelope: bytes(row, 2)?,
                kind: std::str::from_utf8(bytes(row, 3)?).unwrap_or_default(),
            };
            visit(payload)
        })
    }

    fn each<E: From<StoreError>>(
        &self,
        sql: &str,
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut statement = self.conn().prepare(sql).map_err(StoreError::from)?;
        let mut rows = statement.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            if visit(row)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Bytes as they are, whatever their type; nothing where there is nothing.
fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StoreError> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(b) | ValueRef::Text(b) => b,
        _ => &[],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries and payloads of these numbers, and what is given of them: with a letter for each that is there.
    fn pairs(entries: &[i64], payloads: &[i64]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let store = super::super::scratch(&dir.path().join("db")).unwrap();
        for seq in entries {
            let sql =
                "INSERT INTO entries (seq, envelope, kind, actor, subject, at) VALUES (?1, x'0e', 'k', '', '', 7)";
            store.conn().execute(sql, [seq]).unwrap();
        }
        for seq in payloads {
            store.conn().execute("INSERT INTO payloads (seq, record) VALUES (?1, x'0c')", [seq]).unwrap();
        }
        let mut given = Vec::new();
        store
            .each_pair::<StoreError>(&mut |entry, payload| {
                let (mut line, mut seqs) = (String::new(), Vec::new());
                if let Some(e) = entry {
                    assert_eq!((e.envelope, e.at), (&[0x0e][..], 7));
                    line.push('e');
                    seqs.push(e.seq);
                }
                if let Some(p) = payload {
                    assert_eq!(p.record, [0x0c]);
                    assert_eq!((p.envelope.len(), p.kind), if entry.is_some() { (1, "k") } else { (0, "") });
                    line.push('p');
                    seqs.push(p.seq);
                }
                seqs.dedup();
                assert_eq!(seqs.len(), 1);
                given.push(format!("{line}{}", seqs[0]));
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        given
    }

    #[test]
    fn pairs_are_given_in_order_and_what_is_alone_alone() {
        assert_eq!(pairs(&[0, 1, 2], &[0, 1, 2]), ["ep0", "ep1", "ep2"]);
        assert_eq!(pairs(&[0, 1, 4], &[0, 2, 3, 4, 9, 11]), ["ep0", "e1", "p2", "p3", "ep4", "p9", "p11"]);
        assert_eq!(pairs(&[3, 5], &[]), ["e3", "e5"]);
        assert_eq!(pairs(&[], &[1]), ["p1"]);
        assert_eq!(pairs(&[], &[]), [""; 0]);
    }
}
