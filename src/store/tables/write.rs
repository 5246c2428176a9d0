//! Changes, written.

use std::rc::Rc;

use rusqlite::{Connection, params};

use super::Tables;
use super::keys::{upsert_key, upsert_review};
use super::pending::Found;
use crate::domain::facts::{Change, InvalidEntry};
use crate::domain::grant::Grant;
use crate::domain::identity::Identity;
use crate::domain::request::Request;
use crate::domain::time::Time;
use crate::store::{StoreError, rows};

impl Tables<'_> {
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
                memory.grant.remove(&g.id);
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
            Change::Request(r) => self.write_request(r)?,
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

    fn write_request(&self, r: &Request) -> Result<(), StoreError> {
        insert_approvals(self.conn, r)?;
        let Some(pending) = &self.pending else {
            return upsert_request(self.conn, r, None);
        };
        let found = pending.borrow().find(r.id);
        let in_table = matches!(found, Found::Elsewhere)
            && self.one("SELECT 1 FROM requests WHERE id = ?1", [r.id.to_string()], |_| Ok(()))?.is_some();
        match pending.borrow_mut().keep(r, in_table) {
            Some((row, r)) => upsert_request(self.conn, &r, row),
            None => Ok(()),
        }
    }

    /// Writes the requests that a replay still keeps: after its last entry, and before the tables are read.
    pub fn write_out(&self) -> Result<(), StoreError> {
        let Some(pending) = &self.pending else { return Ok(()) };
        while let Some((row, r)) = pending.borrow_mut().oldest() {
            upsert_request(self.conn, &r, row)?;
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

/// `row` is where a new one belongs; without it, at the end.
fn upsert_request(c: &Connection, r: &Request, row: Option<i64>) -> Result<(), StoreError> {
    let facets = serde_json::to_string(&r.facets).map_err(|e| StoreError::corrupt("requests", e.to_string()))?;
    let sql = "INSERT INTO requests (id, n, requester, integration, action, resource, access, facets, unsure, decision, points, rule, approvers,
                   tier, grant_id, policy, mission, idempotency_key, bound_command, made_seq, leaf, at, until, denied_seq, withdrawn_seq,
                   claimed_seq, claimed_at, outcome, finished_seq, resolved_seq, claim_mode, key_used, rowid)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,
                   ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33)
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
        r.key_used.map(|k| k.to_string()),
        row
    ])?;
    Ok(())
}

fn insert_approvals(c: &Connection, r: &Request) -> Result<(), StoreError> {
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

pub(super) fn json(table: &'static str, value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::corrupt(table, e.to_string()))
}
