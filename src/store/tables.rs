//! The projection as facts, and changes to it.

mod facts;
mod keys;
mod pending;
mod write;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection, Params, Row, params};

use super::StoreError;
use super::rows::{self, Reader};
use crate::domain::facts::{InvalidEntry, Origin, Policy};
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::money::Currency;
use crate::domain::request::Request;
use crate::domain::time::Time;
use pending::Pending;

/// The state that the tables hold. Complete and exact while a log is replayed into them; in a workspace it is what lists
/// and reports are read from, and what `audit verify` proves.
pub struct Tables<'c> {
    conn: &'c Connection,
    /// Where the entries lie: the same database, but for a replay into a scratch one.
    log: &'c Connection,
    /// Small and read for nearly every entry: kept in memory, forgotten on every change.
    memory: RefCell<Memory>,
    /// While a log is replayed.
    pending: Option<RefCell<Pending>>,
}

#[derive(Default)]
struct Memory {
    origin: Option<Rc<Origin>>,
    policy: Option<Rc<Policy>>,
    identities: HashMap<Id, Rc<Identity>>,
    operators: Option<Vec<Rc<Identity>>>,
    integrations: HashMap<Id, Rc<Integration>>,
    freezes: HashMap<Id, Option<u64>>,
    grants: HashMap<(Id, Id), Vec<Rc<Grant>>>,
    grant: HashMap<Id, Rc<Grant>>,
}

impl Memory {
    fn remember_grant(&mut self, g: &Rc<Grant>) {
        if self.grant.len() >= MEMORY_LIMIT {
            self.grant.clear();
        }
        self.grant.insert(g.id, g.clone());
    }
}

/// So many grants, and grants of so many pairs of agent and integration, are remembered; then memory starts anew.
const MEMORY_LIMIT: usize = 20_000;

impl<'c> Tables<'c> {
    /// The tables of that database.
    pub fn new(conn: &'c Connection) -> Tables<'c> {
        Tables { conn, log: conn, memory: RefCell::default(), pending: None }
    }

    /// The tables of a scratch database, empty still, that a log in another one is replayed into. They are complete after
    /// [`Tables::write_out`].
    pub(super) fn replaying(conn: &'c Connection, log: &'c Connection) -> Tables<'c> {
        Tables { conn, log, memory: RefCell::default(), pending: Some(RefCell::default()) }
    }

    /// The connection, for this room.
    pub(super) fn conn(&self) -> &Connection {
        self.conn
    }

    fn one<T>(
        &self,
        sql: &str,
        p: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(p)?;
        match rows.next()? {
            Some(row) => read(row).map(Some),
            None => Ok(None),
        }
    }

    fn many<T>(
        &self,
        sql: &str,
        p: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(p)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(read(row)?);
        }
        Ok(out)
    }

    fn approvals_of(&self, id: Id) -> Result<Vec<crate::domain::request::Approval>, StoreError> {
        let sql = format!("SELECT {} FROM approvals WHERE request = ?1 ORDER BY seq", rows::APPROVAL);
        self.many(&sql, [id.to_string()], rows::approval)
    }

    /// Requests that match a condition of our own making.
    pub(super) fn requests_where(&self, condition: &str, p: impl Params) -> Result<Vec<Request>, StoreError> {
        let sql = format!("SELECT {} FROM requests WHERE {condition}", rows::REQUEST);
        let mut found = self.many(&sql, p, rows::request)?;
        for r in &mut found {
            r.approvals = self.approvals_of(r.id)?;
        }
        Ok(found)
    }

    /// Grants that match a condition of our own making.
    pub(super) fn grants_where(&self, condition: &str, p: impl Params) -> Result<Vec<Grant>, StoreError> {
        self.many(&format!("SELECT {} FROM grants WHERE {condition}", rows::GRANT), p, rows::grant)
    }

    /// Identities that match a condition of our own making.
    pub(super) fn identities_where(&self, condition: &str, p: impl Params) -> Result<Vec<Identity>, StoreError> {
        self.many(&format!("SELECT {} FROM identities WHERE {condition}", rows::IDENTITY), p, rows::identity)
    }

    /// Integrations that match a condition of our own making.
    pub(super) fn integrations_where(&self, condition: &str, p: impl Params) -> Result<Vec<Integration>, StoreError> {
        self.many(&format!("SELECT {} FROM integrations WHERE {condition}", rows::INTEGRATION), p, rows::integration)
    }

    /// Keys that match a condition of our own making.
    pub(super) fn keys_where(&self, condition: &str, p: impl Params) -> Result<Vec<Key>, StoreError> {
        self.many(&format!("SELECT {} FROM keys WHERE {condition}", rows::KEY), p, rows::key)
    }

    /// Entries by which these tables hold a subject to have been narrowed: changed, revoked, retired, frozen, denied,
    /// withdrawn, used up, replaced. A log in which one of them is not found has lost it.
    pub fn narrowed_by(&self, subject: Id) -> Result<Vec<u64>, StoreError> {
        let sql = match subject.kind {
            IdKind::Grant => {
                "SELECT changed_seq FROM grants WHERE id = ?1 UNION ALL SELECT revoked_seq FROM grants WHERE id = ?1"
            }
            IdKind::Operator | IdKind::Agent => {
                "SELECT retired_seq FROM identities WHERE id = ?1 UNION ALL SELECT seq FROM freezes WHERE target = ?1
                 UNION ALL SELECT seq FROM signing_keys WHERE identity = ?1"
            }
            IdKind::Request => {
                "SELECT denied_seq FROM requests WHERE id = ?1 UNION ALL SELECT withdrawn_seq FROM requests WHERE id = ?1
                 UNION ALL SELECT claimed_seq FROM requests WHERE id = ?1"
            }
            IdKind::Workspace => "SELECT seq FROM freezes WHERE target = ?1",
            IdKind::Policy => "SELECT max(seq) FROM policies WHERE ?1 = 'p-1'",
            IdKind::Key => {
                "SELECT retired_seq FROM keys WHERE id = ?1 UNION ALL SELECT leak_seq FROM keys WHERE id = ?1"
            }
            IdKind::Review | IdKind::Integration => return Ok(Vec::new()),
        };
        let found = self.many(sql, [subject.to_string()], |row| Reader::new(row, "narrowed_by").seq_or_null())?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The entry that enrolled a public key.
    pub fn enrolled_with(&self, key: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        self.one("SELECT seq FROM signing_keys WHERE public_key = ?1", [key], |row| {
            Reader::new(row, "signing_keys").seq()
        })
    }

    /// As [`Facts::spent_after`], as it was just before an entry.
    pub fn spent_before(&self, seq: u64, after: Time, currency: Currency, but: Option<Id>) -> Result<u64, StoreError> {
        let sql = "SELECT minor, request FROM spends
             WHERE currency = ?1 AND at > ?2 AND seq < ?3 AND (released_seq IS NULL OR released_seq >= ?3)";
        let but = but.map(|b| b.to_string());
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        let parts = self.many(sql, params![currency.as_str(), after.millis(), seq], |row| {
            let mut r = Reader::new(row, "spends");
            let minor = r.seq()?;
            Ok(if but.as_deref() == Some(r.text()?) { 0 } else { minor })
        })?;
        Ok(parts.into_iter().fold(0u64, u64::saturating_add))
    }

    /// The entries that replay skipped.
    pub fn invalid_entries(&self) -> Result<Vec<InvalidEntry>, StoreError> {
        self.many(&format!("SELECT {INVALID} FROM invalid ORDER BY seq"), [], invalid)
    }

    /// As [`Tables::invalid_entries`], the first ones, and the first that nobody voided wherever it is: a hostile log may
    /// hold nothing else.
    pub fn first_invalid_entries(&self, most: usize) -> Result<Vec<InvalidEntry>, StoreError> {
        let mut found = self.many(&format!("SELECT {INVALID} FROM invalid ORDER BY seq LIMIT {most}"), [], invalid)?;
        if found.len() == most && found.iter().all(|e| e.voided_seq.is_some()) {
            let sql = format!("SELECT {INVALID} FROM invalid WHERE voided_seq IS NULL ORDER BY seq LIMIT 1");
            found.extend(self.one(&sql, [], invalid)?);
        }
        Ok(found)
    }
}

const INVALID: &str = "seq, leaf, actor, subject, fault, voidable, voided_seq";

fn invalid(row: &Row<'_>) -> Result<InvalidEntry, StoreError> {
    let mut r = Reader::new(row, "invalid");
    Ok(InvalidEntry {
        seq: r.seq()?,
        leaf: r.parsed()?,
        actor: r.parsed()?,
        subject: r.text()?.parse().ok(),
        fault: r.parsed()?,
        voidable: r.flag()?,
        voided_seq: r.seq_or_null()?,
    })
}
