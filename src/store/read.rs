//! Questions that lists and reports ask of the projection.

use rusqlite::params;

use super::rows::Reader;
use super::{Store, StoreError};
use crate::domain::event::Hex32;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::money::Money;
use crate::domain::request::Request;
use crate::domain::scope::Scope;
use crate::domain::time::{Span, Time};

/// Which grants.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Of this agent.
    pub agent: Option<Id>,
    /// To this integration.
    pub integration: Option<Id>,
    /// Live at this moment.
    pub live_at: Option<Time>,
}

/// How a grant was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GrantUse {
    /// Requests on it that the rules allowed.
    pub allowed: u64,
    /// Requests on it that were asked about.
    pub asked: u64,
    /// Requests of the same agent about the same part of the same integration, since it was issued, that the rules denied:
    /// they stood on no grant.
    pub denied: u64,
    /// The newest of all these.
    pub last: Option<Time>,
}

/// The dates of a key, without the rest of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDates {
    /// Which.
    pub id: Id,
    /// When it was last turned over, or made.
    pub turned: Option<Time>,
    /// When it was put into the inventory.
    pub added: Time,
    /// How often it is to be turned over, and how long before that is said, by a schedule of its own.
    pub schedule: Option<(Span, Span)>,
    /// When the provider ends it.
    pub expires: Option<Time>,
    /// It leaked; whether that is open stands in its row.
    pub leaked: bool,
    /// It was retired.
    pub retired: bool,
}

/// By what a key is looked for.
#[derive(Debug, Clone, Copy)]
pub enum KeyMatch<'a> {
    /// Its name.
    Name(&'a str),
    /// What the provider calls it.
    ProviderId(&'a str),
    /// The last four characters of its secret.
    Last4(&'a str),
    /// Its keyed fingerprint.
    Fingerprint(Hex32),
}

/// Which requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFilter {
    /// Asked, and neither denied, withdrawn nor claimed: those that may wait for an operator, and those that expired.
    Undecided,
    /// Claimed without a known outcome.
    Unsettled,
    /// Standing on a grant, and neither denied, withdrawn nor with an outcome: those that wait, run, or expired.
    OnGrant(Id),
    /// Allowed or asked, not begun: those that a freeze stops at that moment, and among them asked ones that expired.
    Unbegun(Time),
    /// By a requester.
    By(Id),
    /// All, newest first, at most so many.
    Newest(usize),
}

impl Store {
    /// Grants, in the order of their ids.
    pub fn grants(&self, f: &GrantFilter) -> Result<Vec<Grant>, StoreError> {
        let condition = "(?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR integration = ?2)
             AND (?3 IS NULL OR (revoked_seq IS NULL AND (until IS NULL OR ?3 < until))) ORDER BY n";
        let p =
            params![f.agent.map(|a| a.to_string()), f.integration.map(|i| i.to_string()), f.live_at.map(Time::millis)];
        self.tables().grants_where(condition, p)
    }

    /// Operators, or agents, live or not, in the order of their ids.
    pub fn identities(&self, kind: IdKind) -> Result<Vec<Identity>, StoreError> {
        self.tables().identities_where("id LIKE ?1 ORDER BY n", [format!("{}-%", kind.prefix())])
    }

    /// Integrations, in the order of their ids.
    pub fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        self.tables().integrations_where("1 ORDER BY n", [])
    }

    /// Requests.
    pub fn requests(&self, f: RequestFilter) -> Result<Vec<Request>, StoreError> {
        let t = self.tables();
        match f {
            RequestFilter::Undecided => t.requests_where(
                "decision = 'ask' AND denied_seq IS NULL AND withdrawn_seq IS NULL AND claimed_seq IS NULL ORDER BY n",
                [],
            ),
            RequestFilter::Unsettled => {
                t.requests_where("claimed_seq IS NOT NULL AND (outcome IS NULL OR outcome = 'unknown') ORDER BY n", [])
            }
            RequestFilter::OnGrant(g) => t.requests_where(
                "grant_id = ?1 AND denied_seq IS NULL AND withdrawn_seq IS NULL AND outcome IS NULL ORDER BY n",
                [g.to_string()],
            ),
            RequestFilter::Unbegun(now) => t.requests_where(
                "denied_seq IS NULL AND withdrawn_seq IS NULL AND claimed_seq IS NULL
                 AND (decision = 'ask' OR (decision = 'allow' AND until > ?1)) ORDER BY n",
                [now.millis()],
            ),
            RequestFilter::By(a) => t.requests_where("requester = ?1 ORDER BY n", [a.to_string()]),
            RequestFilter::Newest(limit) => {
                t.requests_where("1 ORDER BY n DESC LIMIT ?1", [i64::try_from(limit).unwrap_or(i64::MAX)])
            }
        }
    }

    /// How a grant was used. Expired and withdrawn requests count: they were made.
    pub fn grant_use(&self, g: &Grant) -> Result<GrantUse, StoreError> {
        let mut used = GrantUse::default();
        let mut statement = self
            .conn()
            .prepare_cached("SELECT decision, count(*), max(at) FROM requests WHERE grant_id = ?1 GROUP BY decision")?;
        let mut rows = statement.query([g.id.to_string()])?;
        while let Some(row) = rows.next()? {
            let mut r = Reader::new(row, "requests");
            let (asked, count, at) = (r.text()? == "ask", r.seq()?, r.time()?);
            *(if asked { &mut used.asked } else { &mut used.allowed }) += count;
            used.last = used.last.max(Some(at));
        }
        let sql = "SELECT resource, at FROM requests
             WHERE grant_id IS NULL AND decision = 'deny' AND requester = ?1 AND integration = ?2 AND at >= ?3";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows =
            statement.query(params![g.agent.to_string(), g.integration.to_string(), g.issued_at.millis()])?;
        while let Some(row) = rows.next()? {
            let mut r = Reader::new(row, "requests");
            let (resource, at): (Scope, Time) = (r.parsed()?, r.time()?);
            if g.scope.covers(&resource) {
                used.denied += 1;
                used.last = used.last.max(Some(at));
            }
        }
        Ok(used)
    }

    /// When the newest request on a grant was made. Costs the same however many there are.
    pub fn last_request_on(&self, grant: Id) -> Result<Option<Time>, StoreError> {
        let sql = "SELECT max(at) FROM (
             SELECT max(made_seq), at FROM requests WHERE grant_id = ?1 AND access = 'read'
             UNION ALL SELECT max(made_seq), at FROM requests WHERE grant_id = ?1 AND access = 'write'
             UNION ALL SELECT max(made_seq), at FROM requests WHERE grant_id = ?1 AND access = 'admin')";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query([grant.to_string()])?;
        match rows.next()? {
            Some(row) => Reader::new(row, "requests").time_or_null(),
            None => Ok(None),
        }
    }

    /// Keys, in the order of their ids; retired ones too if wanted.
    pub fn keys(&self, retired_too: bool) -> Result<Vec<Key>, StoreError> {
        self.tables().keys_where("(?1 OR retired_seq IS NULL) ORDER BY n", [retired_too])
    }

    /// The dates of all keys that are live, or leaked once, in no order.
    pub fn key_dates(&self) -> Result<Vec<KeyDates>, StoreError> {
        let sql = "SELECT n, turned, added_at, every_ms, warn_ms, leak_seq, retired_seq, facts
             FROM keys WHERE retired_seq IS NULL OR leak_seq IS NOT NULL";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut r = Reader::new(row, "keys");
            found.push(KeyDates {
                id: Id::new(IdKind::Key, r.seq()?),
                turned: r.time_or_null()?,
                added: r.time()?,
                schedule: match (r.span_or_null()?, r.span_or_null()?) {
                    (Some(every), warn) => Some((every, warn.unwrap_or_default())),
                    (None, _) => None,
                },
                leaked: r.seq_or_null()?.is_some(),
                retired: r.seq_or_null()?.is_some(),
                expires: end(r.text()?)?,
            });
        }
        Ok(found)
    }

    /// One key, as the tables have it.
    pub fn key(&self, id: Id) -> Result<Option<Key>, StoreError> {
        Ok(self.tables().keys_where("id = ?1", [id.to_string()])?.pop())
    }

    /// Keys that match all of what is given: an exact name, provider id, fingerprint, last four characters.
    pub fn keys_matching(&self, f: &KeyMatch<'_>) -> Result<Vec<Key>, StoreError> {
        let (column, value) = match f {
            KeyMatch::Name(v) => ("name", (*v).to_string()),
            KeyMatch::ProviderId(v) => ("provider_id", (*v).to_string()),
            KeyMatch::Last4(v) => ("last4", (*v).to_string()),
            KeyMatch::Fingerprint(v) => ("fingerprint", v.to_string()),
        };
        self.tables().keys_where(&format!("{column} = ?1 ORDER BY n"), [value])
    }

    /// Grants that carry a key, live or not, in the order of their ids.
    pub fn grants_carrying(&self, key: Id) -> Result<Vec<Grant>, StoreError> {
        self.tables()
            .grants_where("carries IS NOT NULL AND json_extract(carries, '$.key') = ?1 ORDER BY n", [key.to_string()])
    }

    /// The newest time that `run` gave a key's secret out, by claims before an entry.
    pub fn last_run_with(&self, key: Id, before: u64) -> Result<Option<(u64, Time)>, StoreError> {
        let sql = "SELECT claimed_seq, claimed_at FROM requests WHERE key_used = ?1 AND claimed_seq < ?2
             ORDER BY claimed_seq DESC LIMIT 1";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query(params![key.to_string(), i64::try_from(before).unwrap_or(i64::MAX)])?;
        match rows.next()? {
            Some(row) => {
                let mut r = Reader::new(row, "requests");
                Ok(Some((r.seq()?, r.time()?)))
            }
            None => Ok(None),
        }
    }

    /// Requests for which `run` gave a key's secret out, oldest first.
    pub fn runs_with(&self, key: Id) -> Result<Vec<Request>, StoreError> {
        self.tables()
            .requests_where("key_used = ?1 AND claimed_seq IS NOT NULL ORDER BY claimed_seq", [key.to_string()])
    }

    /// What is frozen: `w-1` for everything, and agents.
    pub fn frozen(&self) -> Result<Vec<Id>, StoreError> {
        let mut statement = self.conn().prepare_cached("SELECT target FROM freezes")?;
        let mut rows = statement.query([])?;
        let mut found: Vec<Id> = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Reader::new(row, "freezes").parsed()?);
        }
        found.sort_unstable();
        Ok(found)
    }

    /// What a requester asked since a moment, in the order of their ids.
    pub fn requests_since(&self, requester: Id, since: Time) -> Result<Vec<Request>, StoreError> {
        self.tables()
            .requests_where("requester = ?1 AND at >= ?2 ORDER BY n", params![requester.to_string(), since.millis()])
    }

    /// Requests for that action of that integration but for one, newest first, at most so many.
    pub fn requests_like(
        &self,
        integration: Option<Id>,
        action: &str,
        but: Id,
        limit: usize,
    ) -> Result<Vec<Request>, StoreError> {
        let p = params![
            integration.map(|i| i.to_string()),
            action,
            but.to_string(),
            i64::try_from(limit).unwrap_or(i64::MAX)
        ];
        self.tables().requests_where("integration IS ?1 AND action = ?2 AND id <> ?3 ORDER BY n DESC LIMIT ?4", p)
    }

    /// Money handed out for an agent's requests after a moment and not released, in the order of the entries.
    pub fn spent_by(&self, requester: Id, after: Time) -> Result<Vec<Money>, StoreError> {
        let sql = "SELECT s.currency, s.minor FROM spends s JOIN requests r ON r.id = s.request
             WHERE r.requester = ?1 AND s.at > ?2 AND s.released_seq IS NULL ORDER BY s.seq";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query(params![requester.to_string(), after.millis()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut r = Reader::new(row, "spends");
            found.push(Money { currency: r.parsed()?, minor: r.seq()? });
        }
        Ok(found)
    }

    /// The next unused number for ids of that kind.
    pub fn next_number(&self, kind: IdKind) -> Result<u64, StoreError> {
        let (table, like) = match kind {
            IdKind::Operator | IdKind::Agent => ("identities", format!("{}-%", kind.prefix())),
            IdKind::Grant => ("grants", "%".into()),
            IdKind::Request => ("requests", "%".into()),
            IdKind::Integration => ("integrations", "%".into()),
            IdKind::Key => ("keys", "%".into()),
            IdKind::Review | IdKind::Policy | IdKind::Workspace => return Ok(1),
        };
        // A table without an index on n is small; the others are asked by rowid, which grows as ids do.
        let sql = if matches!(kind, IdKind::Request | IdKind::Grant | IdKind::Key) {
            format!("SELECT n FROM {table} WHERE id LIKE ?1 ORDER BY rowid DESC LIMIT 1")
        } else {
            format!("SELECT coalesce(max(n), 0) FROM {table} WHERE id LIKE ?1")
        };
        let mut statement = self.conn().prepare_cached(&sql)?;
        let mut rows = statement.query([like])?;
        let last: i64 = match rows.next()? {
            Some(row) => row.get(0)?,
            None => 0,
        };
        Ok(u64::try_from(last).unwrap_or(0) + 1)
    }

    /// How many rows a table of ours has.
    pub fn count(&self, table: &'static str) -> Result<u64, StoreError> {
        let n: i64 = self.conn().query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))?;
        Ok(u64::try_from(n).unwrap_or(0))
    }
}

/// When the provider ends a key. That has no column of its own, and few keys have one: most texts are searched and not
/// parsed. A name that reads so stands there with its quotation marks escaped.
fn end(facts: &str) -> Result<Option<Time>, StoreError> {
    #[derive(serde::Deserialize)]
    struct End {
        expires: Option<Time>,
    }
    if !facts.contains("\"expires\":") {
        return Ok(None);
    }
    let end: End = serde_json::from_str(facts).map_err(|e| StoreError::corrupt("keys", e.to_string()))?;
    Ok(end.expires)
}
