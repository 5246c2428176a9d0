//! The log's own rows, one after another, without a copy of any: for whoever reads all of them.

use std::ops::ControlFlow;

use rusqlite::Row;
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
    /// Its entry's envelope; empty for a payload of no entry.
    pub envelope: &'r [u8],
    /// The type of its entry, by the column beside it; empty for a payload of no entry.
    pub kind: &'r str,
}

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
