//! Questions that the access review asks: uses found by index, before a place in the log, and a count beside the log's own.
//! What each costs depends on how much is asked for, not on how long the log is.

use rusqlite::params;

use super::rows::Reader;
use super::{Store, StoreError};
use crate::domain::access::Access;
use crate::domain::event::ClaimMode;
use crate::domain::id::Id;
use crate::domain::scope::Scope;
use crate::domain::time::Time;

/// A request that stands on a grant, as far as a use of the grant follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRow {
    /// Which.
    pub request: Id,
    /// The entry that made it.
    pub made_seq: u64,
    /// When.
    pub at: Time,
    /// The entry that began it, and when.
    pub claimed: Option<(u64, Time)>,
    /// How it was begun.
    pub mode: Option<ClaimMode>,
    /// The entry that told how it ended.
    pub finished_seq: Option<u64>,
}

/// What is live by the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveCounts {
    /// Grants that are neither revoked nor over.
    pub grants: u64,
    /// Keys that are not retired.
    pub keys: u64,
    /// Agents that are not retired.
    pub agents: u64,
    /// Operators that are not retired.
    pub operators: u64,
    /// Integrations.
    pub integrations: u64,
}

impl Store {
    /// The newest request on a grant that took that much access, made before an entry.
    pub fn newest_use(&self, grant: Id, access: Access, before: u64) -> Result<Option<UseRow>, StoreError> {
        let sql = "SELECT id, made_seq, at, claimed_seq, claimed_at, claim_mode, finished_seq FROM requests
             WHERE grant_id = ?1 AND access = ?2 AND made_seq < ?3 ORDER BY made_seq DESC LIMIT 1";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query(params![grant.to_string(), access.as_str(), clamp(before)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut r = Reader::new(row, "requests");
        Ok(Some(UseRow {
            request: r.parsed()?,
            made_seq: r.seq()?,
            at: r.time()?,
            claimed: r.seq_or_null()?.zip(r.time_or_null()?),
            mode: r.parsed_or_null()?,
            finished_seq: r.seq_or_null()?,
        }))
    }

    /// What the newest requests on a grant with that much access were about, made before an entry and not before a moment:
    /// each resource with its entry, newest first, at most so many. Whether there were more is said in the second value.
    pub fn resources_of(
        &self,
        grant: Id,
        access: Access,
        before: u64,
        since: Time,
        limit: usize,
    ) -> Result<(Vec<(Scope, u64)>, bool), StoreError> {
        let sql = "SELECT resource, made_seq, at FROM requests WHERE grant_id = ?1 AND access = ?2 AND made_seq < ?3
             ORDER BY made_seq DESC";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query(params![grant.to_string(), access.as_str(), clamp(before)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut r = Reader::new(row, "requests");
            let (resource, seq, at) = (r.parsed()?, r.seq()?, r.time()?);
            if at < since {
                break;
            }
            if found.len() == limit {
                return Ok((found, true));
            }
            found.push((resource, seq));
        }
        Ok((found, false))
    }

    /// When an agent's first and newest request before a moment were made, each with its entry.
    pub fn requests_span(&self, requester: Id, before: Time) -> Result<Option<[(u64, Time); 2]>, StoreError> {
        let one = |order: &str| -> Result<Option<(u64, Time)>, StoreError> {
            let sql = format!(
                "SELECT made_seq, at FROM requests WHERE requester = ?1 AND at < ?2 ORDER BY at {order} LIMIT 1"
            );
            let mut statement = self.conn().prepare_cached(&sql)?;
            let mut rows = statement.query(params![requester.to_string(), before.millis()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let mut r = Reader::new(row, "requests");
            Ok(Some((r.seq()?, r.time()?)))
        };
        Ok(one("ASC")?.zip(one("DESC")?).map(|(first, newest)| [first, newest]))
    }

    /// The newest claim before an entry for which `run` gave a key's secret out: the entry, when, and to whom.
    pub fn last_run_of(&self, key: Id, before: u64) -> Result<Option<(u64, Time, Id)>, StoreError> {
        let sql = "SELECT claimed_seq, claimed_at, requester FROM requests WHERE key_used = ?1 AND claimed_seq < ?2
             ORDER BY claimed_seq DESC LIMIT 1";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query(params![key.to_string(), clamp(before)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut r = Reader::new(row, "requests");
        Ok(Some((r.seq()?, r.time()?, r.parsed()?)))
    }

    /// What is live at a moment, by the tables as they are now.
    pub fn live_counts(&self, at: Time) -> Result<LiveCounts, StoreError> {
        let sql = "SELECT
             (SELECT count(*) FROM grants WHERE revoked_seq IS NULL AND (until IS NULL OR ?1 < until)),
             (SELECT count(*) FROM keys WHERE retired_seq IS NULL),
             (SELECT count(*) FROM identities WHERE retired_seq IS NULL AND id LIKE 'ag-%'),
             (SELECT count(*) FROM identities WHERE retired_seq IS NULL AND id LIKE 'op-%'),
             (SELECT count(*) FROM integrations)";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query([at.millis()])?;
        let row = rows.next()?.ok_or_else(|| StoreError::corrupt("grants", "nothing was counted"))?;
        let mut r = Reader::new(row, "grants");
        Ok(LiveCounts {
            grants: r.seq()?,
            keys: r.seq()?,
            agents: r.seq()?,
            operators: r.seq()?,
            integrations: r.seq()?,
        })
    }
}

/// SQLite numbers are signed; a place beyond them is beyond everything.
fn clamp(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
