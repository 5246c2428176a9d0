//! The projection as facts, and changes to it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::rows::{self, Reader};
use super::{StoreError, entries};
use crate::domain::event::{Event, PolicyAdopted};
use crate::domain::facts::{Change, EntryFacts, Facts, InvalidEntry, Origin, Policy, Spend};
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::money::{Currency, Money};
use crate::domain::request::Request;
use crate::domain::review::{ReviewRecord, Signed};
use crate::domain::time::Time;
use crate::log::payload::Record;

/// The state that the tables hold. Complete and exact while a log is replayed into them; in a workspace it is what lists
/// and reports are read from, and what `audit verify` proves.
pub struct Tables<'c> {
    conn: &'c Connection,
    /// Where the entries lie: the same database, but for a replay into a scratch one.
    log: &'c Connection,
    /// Small and read for nearly every entry: kept in memory, forgotten on every change.
    memory: RefCell<Memory>,
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
}

/// Grants are remembered for so many agent-and-integration pairs; then memory starts anew.
const MEMORY_LIMIT: usize = 20_000;

impl<'c> Tables<'c> {
    /// The tables of that database.
    pub fn new(conn: &'c Connection) -> Tables<'c> {
        Tables::replaying(conn, conn)
    }

    /// The tables of a scratch database that a log in another one is replayed into.
    pub(super) fn replaying(conn: &'c Connection, log: &'c Connection) -> Tables<'c> {
        Tables { conn, log, memory: RefCell::default() }
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

    /// Writes what an entry changed.
    pub fn apply(&self, change: &Change) -> Result<(), StoreError> {
        let c = self.conn;
        let mut memory = self.memory.borrow_mut();
        match change {
            Change::Origin(o) => {
                memory.origin = None;
                let sql = "INSERT INTO origin (one, name, log_key, company) VALUES (1, ?1, ?2, ?3)";
                c.prepare_cached(sql)?.execute(params![o.name, o.log_key, o.company])?;
            }
            Change::Identity(i) => {
                memory.identities.remove(&i.id);
                memory.operators = None;
                upsert_identity(c, i)?;
            }
            Change::Integration(i) => {
                let sql = "INSERT INTO integrations (id, n, handle, kind, inside, residency, added_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                c.prepare_cached(sql)?.execute(params![
                    i.id.to_string(),
                    i.id.n,
                    i.handle,
                    i.kind,
                    i.inside,
                    i.residency,
                    i.added_seq
                ])?;
            }
            Change::Grant(g) => {
                memory.grants.remove(&(g.agent, g.integration));
                upsert_grant(c, g)?;
            }
            Change::Policy(p) => {
                c.prepare_cached("INSERT INTO policies (seq, digest) VALUES (?1, ?2)")?
                    .execute(params![p.seq, p.digest])?;
                memory.policy = Some(Rc::new((**p).clone()));
            }
            Change::Freeze { target, seq } => {
                memory.freezes.remove(target);
                match seq {
                    Some(seq) => c
                        .prepare_cached("INSERT INTO freezes (target, seq) VALUES (?1, ?2) ON CONFLICT (target) DO UPDATE SET seq = ?2")?
                        .execute(params![target.to_string(), seq])?,
                    None => c.prepare_cached("DELETE FROM freezes WHERE target = ?1")?.execute([target.to_string()])?,
                };
            }
            Change::Request(r) => upsert_request(c, r)?,
            Change::Spend(s) => {
                let sql = "INSERT INTO spends (request, currency, minor, at, seq, released_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                           ON CONFLICT (request) DO UPDATE SET released_seq = ?6";
                c.prepare_cached(sql)?.execute(params![
                    s.request.to_string(),
                    s.money.currency.as_str(),
                    s.money.minor,
                    s.at.millis(),
                    s.seq,
                    s.released_seq
                ])?;
            }
            Change::Erased { seq, members, by } => {
                for m in members {
                    c.prepare_cached("INSERT INTO erasures (seq, member, by_seq) VALUES (?1, ?2, ?3)")?
                        .execute(params![seq, m, by])?;
                }
            }
            Change::Key(k) => upsert_key(c, k)?,
            Change::Review(r) => upsert_review(c, r)?,
            Change::Corrected { seq, by } => {
                c.prepare_cached("INSERT INTO corrections (by_seq, seq) VALUES (?1, ?2)")?.execute([by, seq])?;
            }
            Change::Voided { seq, by } => {
                c.prepare_cached("UPDATE invalid SET voided_seq = ?2 WHERE seq = ?1")?.execute(params![seq, by])?;
            }
        }
        Ok(())
    }

    /// Remembers an entry that replay skipped.
    pub fn note_invalid(&self, e: &InvalidEntry) -> Result<(), StoreError> {
        let sql = "INSERT INTO invalid (seq, leaf, actor, subject, fault, voidable) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let subject = e.subject.map(|s| s.to_string()).unwrap_or_default();
        self.conn.prepare_cached(sql)?.execute(params![
            e.seq,
            e.leaf,
            e.actor.to_string(),
            subject,
            e.fault,
            e.voidable
        ])?;
        Ok(())
    }

    /// The entries that replay skipped.
    pub fn invalid_entries(&self) -> Result<Vec<InvalidEntry>, StoreError> {
        self.many(&format!("SELECT {INVALID} FROM invalid ORDER BY seq"), [], invalid)
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

fn upsert_identity(c: &Connection, i: &Identity) -> Result<(), StoreError> {
    let sql = "INSERT INTO identities (id, n, public_key, operator, handle, enrolled_seq, enrolled_at, retired_seq, retired_at, disputed_from)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (id) DO UPDATE SET public_key = ?3, retired_seq = ?8, retired_at = ?9, disputed_from = ?10";
    c.prepare_cached(sql)?.execute(params![
        i.id.to_string(),
        i.id.n,
        i.public_key,
        i.operator.map(|o| o.to_string()),
        i.handle,
        i.enrolled_seq,
        i.enrolled_at.millis(),
        i.retired_seq,
        i.retired_at.map(Time::millis),
        i.disputed_from
    ])?;
    // Also those that it had before: a key that was ever used is never enrolled again.
    let sql =
        "INSERT INTO signing_keys (public_key, identity, seq) VALUES (?1, ?2, ?3) ON CONFLICT (public_key) DO NOTHING";
    c.prepare_cached(sql)?.execute(params![i.public_key, i.id.to_string(), i.key_seq])?;
    Ok(())
}

fn upsert_grant(c: &Connection, g: &Grant) -> Result<(), StoreError> {
    let sql = "INSERT INTO grants (id, n, agent, integration, scope, access, data, owner, mission, until, issued_seq, issued_at, replaces,
                                   changed_seq, revoked_seq, revoked_at, revoked_by, carries)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
               ON CONFLICT (id) DO UPDATE SET scope = ?5, access = ?6, data = ?7, until = ?10, changed_seq = ?14, revoked_seq = ?15,
                                              revoked_at = ?16, revoked_by = ?17";
    c.prepare_cached(sql)?.execute(params![
        g.id.to_string(),
        g.id.n,
        g.agent.to_string(),
        g.integration.to_string(),
        g.scope.as_str(),
        g.access.as_str(),
        g.data.as_str(),
        g.owner.to_string(),
        g.mission,
        g.until.map(Time::millis),
        g.issued_seq,
        g.issued_at.millis(),
        g.replaces.map(|r| r.to_string()),
        g.changed_seq,
        g.revoked_seq,
        g.revoked_at.map(Time::millis),
        g.revoked_by.map(|a| a.to_string()),
        g.carries.as_ref().map(|c| json("grants", c)).transpose()?
    ])?;
    Ok(())
}

fn upsert_request(c: &Connection, r: &Request) -> Result<(), StoreError> {
    let facets = serde_json::to_string(&r.facets).map_err(|e| StoreError::corrupt("requests", e.to_string()))?;
    let sql = "INSERT INTO requests (id, n, requester, integration, action, resource, access, facets, unsure, decision, points, rule, approvers,
                   tier, grant_id, policy, mission, idempotency_key, bound_command, made_seq, leaf, at, until, denied_seq, withdrawn_seq,
                   claimed_seq, claimed_at, outcome, finished_seq, resolved_seq, claim_mode, key_used)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,
                   ?26, ?27, ?28, ?29, ?30, ?31, ?32)
               ON CONFLICT (id) DO UPDATE SET denied_seq = ?24, withdrawn_seq = ?25, claimed_seq = ?26, claimed_at = ?27, outcome = ?28,
                   finished_seq = ?29, resolved_seq = ?30, claim_mode = ?31, key_used = ?32";
    c.prepare_cached(sql)?.execute(params![
        r.id.to_string(),
        r.id.n,
        r.requester.to_string(),
        r.integration.map(|i| i.to_string()),
        r.action,
        r.resource.as_str(),
        r.access.as_str(),
        facets,
        r.unsure,
        r.decision.as_str(),
        rows::points_text(&r.points),
        r.rule,
        r.approvers,
        r.tier.as_str(),
        r.grant.map(|g| g.to_string()),
        r.policy,
        r.mission,
        r.idempotency_key,
        r.bound_command,
        r.made_seq,
        r.leaf,
        r.at.millis(),
        r.until.millis(),
        r.denied_seq,
        r.withdrawn_seq,
        r.claimed_seq,
        r.claimed_at.map(Time::millis),
        r.outcome.map(|o| o.as_str()),
        r.finished_seq,
        r.resolved_seq,
        r.claim_mode.map(|m| m.as_str()),
        r.key_used.map(|k| k.to_string())
    ])?;
    for a in &r.approvals {
        let sql = "INSERT INTO approvals (request, operator, seq, until, points) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        c.prepare_cached(sql)?.execute(params![
            r.id.to_string(),
            a.operator.to_string(),
            a.seq,
            a.until.millis(),
            rows::points_text(&a.points)
        ])?;
    }
    Ok(())
}

fn upsert_key(c: &Connection, k: &Key) -> Result<(), StoreError> {
    let sql = "INSERT INTO keys (id, n, name, provider_id, last4, fingerprint, integration, turned, facts, every_ms, warn_ms, rotator,
                   scheduled_seq, added_seq, added_at, changed_seq, recorded_seq, retired_seq, retired_at, leak_seq, leak_at, leak_steps)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
               ON CONFLICT (id) DO UPDATE SET name = ?3, provider_id = ?4, last4 = ?5, fingerprint = ?6, integration = ?7, turned = ?8,
                   facts = ?9, every_ms = ?10, warn_ms = ?11, rotator = ?12, scheduled_seq = ?13, changed_seq = ?16, recorded_seq = ?17,
                   retired_seq = ?18, retired_at = ?19, leak_seq = ?20, leak_at = ?21, leak_steps = ?22";
    let (f, schedule, leak) = (&k.facts, k.schedule.as_ref(), k.leak.as_ref());
    c.prepare_cached(sql)?.execute(params![
        k.id.to_string(),
        k.id.n,
        f.name,
        f.provider_id,
        f.last4,
        f.fingerprint.map(|h| h.to_string()),
        f.integration.map(|i| i.to_string()),
        k.turned().map(Time::millis),
        json("keys", f)?,
        schedule.map(|s| s.every.millis()),
        schedule.map(|s| s.warn.millis()),
        schedule.and_then(|s| s.owner).map(|o| o.to_string()),
        schedule.map(|s| s.seq),
        k.added_seq,
        k.added_at.millis(),
        k.changed_seq,
        k.recorded_seq,
        k.retired_seq,
        k.retired_at.map(Time::millis),
        leak.map(|l| l.seq),
        leak.map(|l| l.at.millis()),
        leak.map(|l| json("keys", &l.steps)).transpose()?
    ])?;
    Ok(())
}

/// The review and whatever was decided in it since it was written last.
fn upsert_review(c: &Connection, r: &ReviewRecord) -> Result<(), StoreError> {
    let sql = "INSERT INTO reviews (id, n, signed_by, signed_seq, signed_at, page, as_of, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (id) DO UPDATE SET signed_by = ?3, signed_seq = ?4, signed_at = ?5, page = ?6, as_of = ?7, entries = ?8";
    let s = r.signed.as_ref();
    c.prepare_cached(sql)?.execute(params![
        r.id.to_string(),
        r.id.n,
        s.map(|s| s.operator.to_string()),
        s.map(|s| s.seq),
        s.map(|s| s.at.millis()),
        s.map(|s| s.page.as_str()),
        s.map(|s| s.as_of.millis()),
        s.map(|s| s.entries)
    ])?;
    let newest = r.decided.values().map(|d| d.seq).max();
    for (item, d) in r.decided.iter().filter(|(_, d)| Some(d.seq) == newest && s.is_none()) {
        let sql = "INSERT INTO review_items (review, item, decision, operator, seq, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (review, item) DO UPDATE SET decision = ?3, operator = ?4, seq = ?5, at = ?6";
        c.prepare_cached(sql)?.execute(params![
            r.id.to_string(),
            item.to_string(),
            json("review_items", &d.decision)?,
            d.operator.to_string(),
            d.seq,
            d.at.millis()
        ])?;
    }
    Ok(())
}

fn json(table: &'static str, value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::corrupt(table, e.to_string()))
}

impl Facts for Tables<'_> {
    type Error = StoreError;

    fn origin(&self) -> Result<Option<Rc<Origin>>, StoreError> {
        if let Some(known) = &self.memory.borrow().origin {
            return Ok(Some(known.clone()));
        }
        let found = self.one("SELECT name, log_key, company FROM origin", [], |row| {
            let mut r = Reader::new(row, "origin");
            Ok(Rc::new(Origin { name: r.parsed()?, log_key: r.key()?, company: r.parsed_or_null()? }))
        })?;
        self.memory.borrow_mut().origin.clone_from(&found);
        Ok(found)
    }

    fn identity(&self, id: Id) -> Result<Option<Rc<Identity>>, StoreError> {
        if let Some(known) = self.memory.borrow().identities.get(&id) {
            return Ok(Some(known.clone()));
        }
        let found = self.identities_where("id = ?1", [id.to_string()])?.pop().map(Rc::new);
        if let Some(i) = &found {
            self.memory.borrow_mut().identities.insert(id, i.clone());
        }
        Ok(found)
    }

    fn key_was_used(&self, key: &[u8; 32]) -> Result<bool, StoreError> {
        let log = self.origin()?.is_some_and(|o| o.log_key == *key);
        Ok(log || self.enrolled_with(key)?.is_some())
    }

    fn operators(&self) -> Result<Vec<Rc<Identity>>, StoreError> {
        if let Some(known) = &self.memory.borrow().operators {
            return Ok(known.clone());
        }
        let found: Vec<_> = self
            .identities_where("id LIKE 'op-%' AND operator IS NULL ORDER BY n", [])?
            .into_iter()
            .map(Rc::new)
            .collect();
        self.memory.borrow_mut().operators = Some(found.clone());
        Ok(found)
    }

    fn agent_named(&self, handle: &str) -> Result<Option<Rc<Identity>>, StoreError> {
        Ok(self.identities_where("handle = ?1", [handle])?.pop().map(Rc::new))
    }

    fn integration(&self, id: Id) -> Result<Option<Rc<Integration>>, StoreError> {
        if let Some(known) = self.memory.borrow().integrations.get(&id) {
            return Ok(Some(known.clone()));
        }
        let found = self.integrations_where("id = ?1", [id.to_string()])?.pop().map(Rc::new);
        if let Some(i) = &found {
            self.memory.borrow_mut().integrations.insert(id, i.clone());
        }
        Ok(found)
    }

    fn integration_named(&self, handle: &str) -> Result<Option<Rc<Integration>>, StoreError> {
        Ok(self.integrations_where("handle = ?1", [handle])?.pop().map(Rc::new))
    }

    fn grant(&self, id: Id) -> Result<Option<Rc<Grant>>, StoreError> {
        Ok(self.grants_where("id = ?1", [id.to_string()])?.pop().map(Rc::new))
    }

    fn grants_between(&self, agent: Id, integration: Id) -> Result<Vec<Rc<Grant>>, StoreError> {
        if let Some(known) = self.memory.borrow().grants.get(&(agent, integration)) {
            return Ok(known.clone());
        }
        let found = self
            .grants_where("agent = ?1 AND integration = ?2 ORDER BY n", [agent.to_string(), integration.to_string()])?;
        let found: Vec<_> = found.into_iter().map(Rc::new).collect();
        let mut memory = self.memory.borrow_mut();
        if memory.grants.len() >= MEMORY_LIMIT {
            memory.grants.clear();
        }
        memory.grants.insert((agent, integration), found.clone());
        Ok(found)
    }

    fn policy(&self) -> Result<Option<Rc<Policy>>, StoreError> {
        if let Some(known) = &self.memory.borrow().policy {
            return Ok(Some(known.clone()));
        }
        let found = self
            .one("SELECT seq FROM policies ORDER BY seq DESC LIMIT 1", [], |row| Reader::new(row, "policies").seq())?;
        let Some(seq) = found else { return Ok(None) };
        let policy = policy_at(self.log, seq)?;
        self.memory.borrow_mut().policy.clone_from(&policy);
        Ok(policy)
    }

    fn frozen(&self, target: Id) -> Result<Option<u64>, StoreError> {
        if let Some(known) = self.memory.borrow().freezes.get(&target) {
            return Ok(*known);
        }
        let sql = "SELECT seq FROM freezes WHERE target = ?1";
        let found = self.one(sql, [target.to_string()], |row| Reader::new(row, "freezes").seq())?;
        self.memory.borrow_mut().freezes.insert(target, found);
        Ok(found)
    }

    fn request(&self, id: Id) -> Result<Option<Rc<Request>>, StoreError> {
        Ok(self.requests_where("id = ?1", [id.to_string()])?.pop().map(Rc::new))
    }

    fn request_by_key(&self, requester: Id, key: &str) -> Result<Option<Id>, StoreError> {
        let sql = "SELECT id FROM requests WHERE requester = ?1 AND idempotency_key = ?2";
        self.one(sql, [requester.to_string().as_str(), key], |row| Reader::new(row, "requests").parsed())
    }

    fn spent_after(&self, after: Time, currency: Currency, but: Option<Id>) -> Result<u64, StoreError> {
        // total() would round and sum() fails on overflow: added up here instead, where too much stays too much.
        let sql = "SELECT minor, request FROM spends WHERE currency = ?1 AND at > ?2 AND released_seq IS NULL";
        let but = but.map(|b| b.to_string());
        let parts = self.many(sql, params![currency.as_str(), after.millis()], |row| {
            let mut r = Reader::new(row, "spends");
            let minor = r.seq()?;
            Ok(if but.as_deref() == Some(r.text()?) { 0 } else { minor })
        })?;
        Ok(parts.into_iter().fold(0u64, u64::saturating_add))
    }

    fn spend(&self, request: Id) -> Result<Option<Spend>, StoreError> {
        let sql = "SELECT currency, minor, at, seq, released_seq FROM spends WHERE request = ?1";
        self.one(sql, [request.to_string()], |row| {
            let mut r = Reader::new(row, "spends");
            let money = Money { currency: r.parsed()?, minor: r.seq()? };
            Ok(Spend { request, money, at: r.time()?, seq: r.seq()?, released_seq: r.seq_or_null()? })
        })
    }

    fn entry(&self, seq: u64) -> Result<Option<EntryFacts>, StoreError> {
        entries::facts(self.log, seq)
    }

    fn invalid(&self, seq: u64) -> Result<Option<InvalidEntry>, StoreError> {
        self.one(&format!("SELECT {INVALID} FROM invalid WHERE seq = ?1"), [seq], invalid)
    }

    fn erased_members(&self, seq: u64) -> Result<Vec<String>, StoreError> {
        self.many("SELECT member FROM erasures WHERE seq = ?1", [seq], |row| {
            Ok(Reader::new(row, "erasures").text()?.to_string())
        })
    }

    fn key(&self, id: Id) -> Result<Option<Rc<Key>>, StoreError> {
        Ok(self.keys_where("id = ?1", [id.to_string()])?.pop().map(Rc::new))
    }

    fn review(&self, id: Id) -> Result<Option<Rc<ReviewRecord>>, StoreError> {
        let sql = "SELECT signed_by, signed_seq, signed_at, page, as_of, entries FROM reviews WHERE id = ?1";
        let signed = self.one(sql, [id.to_string()], |row| {
            let mut r = Reader::new(row, "reviews");
            let Some(operator) = r.parsed_or_null()? else { return Ok(None) };
            Ok(Some(Signed {
                operator,
                seq: r.seq()?,
                at: r.time()?,
                page: r.parsed()?,
                as_of: r.time()?,
                entries: r.seq()?,
            }))
        })?;
        let Some(signed) = signed else { return Ok(None) };
        let sql = format!("SELECT {} FROM review_items WHERE review = ?1", rows::REVIEW_ITEM);
        let decided = self.many(&sql, [id.to_string()], rows::review_item)?;
        let decided = decided.into_iter().map(|d| (d.decision.item, d)).collect();
        Ok(Some(Rc::new(ReviewRecord { id, decided, signed })))
    }

    fn replays_decisions(&self) -> bool {
        true
    }
}

/// The policy that an entry adopted, out of its payload.
fn policy_at(conn: &Connection, seq: u64) -> Result<Option<Rc<Policy>>, StoreError> {
    let record: Option<Vec<u8>> =
        conn.prepare_cached("SELECT record FROM payloads WHERE seq = ?1")?.query_row([seq], |r| r.get(0)).optional()?;
    let bad = |detail: String| StoreError::corrupt("payloads", format!("entry {seq}: {detail}"));
    let Some(record) = record else {
        return Err(bad("the policy's payload is missing".into()));
    };
    let record = Record::parse(&record).map_err(|e| bad(e.to_string()))?;
    match Event::parse("policy.adopted/1", &record.body) {
        Some(Ok(Event::PolicyAdopted(PolicyAdopted { digest, rules, .. }))) => {
            Ok(Some(Rc::new(Policy { digest, seq, rules })))
        }
        Some(Err(e)) => Err(bad(e)),
        _ => Err(bad("not a policy".into())),
    }
}
