//! The projection as facts.

use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, params};

use super::pending::Found;
use super::{INVALID, MEMORY_LIMIT, Tables, invalid};
use crate::domain::event::{Event, PolicyAdopted};
use crate::domain::facts::{EntryFacts, Facts, InvalidEntry, Origin, Policy, Spend};
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::money::{Currency, Money};
use crate::domain::request::Request;
use crate::domain::review::{ReviewRecord, Signed};
use crate::domain::time::Time;
use crate::log::payload::Record;
use crate::store::rows::{self, Reader};
use crate::store::{StoreError, entries};

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
        if let Some(known) = self.memory.borrow().grant.get(&id) {
            return Ok(Some(known.clone()));
        }
        let found = self.grants_where("id = ?1", [id.to_string()])?.pop().map(Rc::new);
        if let Some(g) = &found {
            self.memory.borrow_mut().remember_grant(g);
        }
        Ok(found)
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
        for g in &found {
            memory.remember_grant(g);
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
        match self.pending.as_ref().map(|p| p.borrow().find(id)) {
            Some(Found::Pending(r)) => return Ok(Some(r)),
            Some(Found::Never) => return Ok(None),
            Some(Found::Elsewhere) | None => {}
        }
        Ok(self.requests_where("id = ?1", [id.to_string()])?.pop().map(Rc::new))
    }

    fn request_by_key(&self, requester: Id, key: &str) -> Result<Option<Id>, StoreError> {
        if let Some(id) = self.pending.as_ref().and_then(|p| p.borrow().by_key(requester, key)) {
            return Ok(Some(id));
        }
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
