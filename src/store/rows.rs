//! Rows of the projection to and from the values of the domain.

use std::collections::BTreeSet;
use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::StoreError;
use crate::domain::decide::Verdict;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::{Key, Leak, Schedule};
use crate::domain::point::Point;
use crate::domain::request::{Approval, Outcome, Request};
use crate::domain::review::Decided;
use crate::domain::time::{Span, Time};

/// A row that is read column by column, in the order of its SELECT.
pub(super) struct Reader<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    next: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Reader { row, table, next: 0 }
    }

    fn value(&mut self) -> Result<ValueRef<'r>, StoreError> {
        let v = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(v)
    }

    fn bad(&self, what: &str) -> StoreError {
        StoreError::corrupt(self.table, format!("column {} holds {what}", self.next))
    }

    pub(super) fn text_or_null(&mut self) -> Result<Option<&'r str>, StoreError> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(t) => std::str::from_utf8(t).map(Some).map_err(|_| self.bad("text that is not UTF-8")),
            _ => Err(self.bad("something else than text")),
        }
    }

    pub(super) fn text(&mut self) -> Result<&'r str, StoreError> {
        self.text_or_null()?.ok_or_else(|| self.bad("nothing"))
    }

    pub(super) fn parsed<T: FromStr>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|_| self.bad(&format!("{text:?}")))
    }

    pub(super) fn parsed_or_null<T: FromStr>(&mut self) -> Result<Option<T>, StoreError> {
        match self.text_or_null()? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.bad(&format!("{text:?}"))),
        }
    }

    pub(super) fn int_or_null(&mut self) -> Result<Option<i64>, StoreError> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(n) => Ok(Some(n)),
            _ => Err(self.bad("something else than a number")),
        }
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.int_or_null()?.ok_or_else(|| self.bad("nothing"))
    }

    pub(super) fn seq(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.int()?).map_err(|_| self.bad("a negative number"))
    }

    pub(super) fn seq_or_null(&mut self) -> Result<Option<u64>, StoreError> {
        match self.int_or_null()? {
            None => Ok(None),
            Some(n) => u64::try_from(n).map(Some).map_err(|_| self.bad("a negative number")),
        }
    }

    pub(super) fn time(&mut self) -> Result<Time, StoreError> {
        Ok(Time::from_millis(self.int()?))
    }

    pub(super) fn time_or_null(&mut self) -> Result<Option<Time>, StoreError> {
        Ok(self.int_or_null()?.map(Time::from_millis))
    }

    pub(super) fn span_or_null(&mut self) -> Result<Option<Span>, StoreError> {
        Ok(self.int_or_null()?.map(Span::from_millis))
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.bad("neither 0 nor 1")),
        }
    }

    pub(super) fn blob(&mut self) -> Result<&'r [u8], StoreError> {
        match self.value()? {
            ValueRef::Blob(b) => Ok(b),
            _ => Err(self.bad("something else than bytes")),
        }
    }

    pub(super) fn key(&mut self) -> Result<[u8; 32], StoreError> {
        self.blob()?.try_into().map_err(|_| self.bad("not 32 bytes"))
    }
}

pub(super) const IDENTITY: &str =
    "id, public_key, (SELECT seq FROM signing_keys k WHERE k.public_key = identities.public_key), operator, handle,
     enrolled_seq, enrolled_at, retired_seq, retired_at, disputed_from";

pub(super) fn identity(row: &Row<'_>) -> Result<Identity, StoreError> {
    let mut r = Reader::new(row, "identities");
    Ok(Identity {
        id: r.parsed()?,
        public_key: r.key()?,
        key_seq: r.seq()?,
        operator: r.parsed_or_null()?,
        handle: r.parsed_or_null()?,
        enrolled_seq: r.seq()?,
        enrolled_at: r.time()?,
        retired_seq: r.seq_or_null()?,
        retired_at: r.time_or_null()?,
        disputed_from: r.seq_or_null()?,
    })
}

pub(super) const INTEGRATION: &str = "id, handle, kind, inside, residency, added_seq";

pub(super) fn integration(row: &Row<'_>) -> Result<Integration, StoreError> {
    let mut r = Reader::new(row, "integrations");
    Ok(Integration {
        id: r.parsed()?,
        handle: r.parsed()?,
        kind: r.parsed()?,
        inside: r.flag()?,
        residency: r.parsed_or_null()?,
        added_seq: r.seq()?,
    })
}

pub(super) const GRANT: &str = "id, agent, integration, scope, access, data, owner, mission, until, issued_seq, issued_at, replaces, \
     carries, changed_seq, revoked_seq, revoked_at, revoked_by";

pub(super) fn grant(row: &Row<'_>) -> Result<Grant, StoreError> {
    let mut r = Reader::new(row, "grants");
    Ok(Grant {
        id: r.parsed()?,
        agent: r.parsed()?,
        integration: r.parsed()?,
        scope: r.parsed()?,
        access: r.parsed()?,
        data: r.parsed()?,
        owner: r.parsed()?,
        mission: r.parsed_or_null()?,
        until: r.time_or_null()?,
        issued_seq: r.seq()?,
        issued_at: r.time()?,
        replaces: r.parsed_or_null()?,
        carries: json_or_null(&mut r, "grants")?,
        changed_seq: r.seq()?,
        revoked_seq: r.seq_or_null()?,
        revoked_at: r.time_or_null()?,
        revoked_by: r.parsed_or_null()?,
    })
}

pub(super) const REQUEST: &str = "id, requester, integration, action, resource, access, facets, unsure, decision, points, rule, approvers, \
     tier, grant_id, policy, mission, idempotency_key, bound_command, made_seq, leaf, at, until, denied_seq, withdrawn_seq, claimed_seq, \
     claimed_at, claim_mode, key_used, outcome, finished_seq, resolved_seq";

/// Without its approvals, which stand in a table of their own.
pub(super) fn request(row: &Row<'_>) -> Result<Request, StoreError> {
    let mut r = Reader::new(row, "requests");
    Ok(Request {
        id: r.parsed()?,
        requester: r.parsed()?,
        integration: r.parsed_or_null()?,
        action: r.parsed()?,
        resource: r.parsed()?,
        access: r.parsed()?,
        facets: serde_json::from_str(r.text()?).map_err(|e| StoreError::corrupt("requests", e.to_string()))?,
        unsure: r.flag()?,
        decision: verdict(r.text()?)?,
        points: points(r.text()?)?,
        rule: r.parsed()?,
        approvers: u8::try_from(r.int()?).map_err(|_| StoreError::corrupt("requests", "approvers"))?,
        tier: r.parsed()?,
        grant: r.parsed_or_null()?,
        policy: r.parsed()?,
        mission: r.parsed_or_null()?,
        idempotency_key: r.parsed_or_null()?,
        bound_command: r.flag()?,
        made_seq: r.seq()?,
        leaf: r.parsed()?,
        at: r.time()?,
        until: r.time()?,
        approvals: Vec::new(),
        denied_seq: r.seq_or_null()?,
        withdrawn_seq: r.seq_or_null()?,
        claimed_seq: r.seq_or_null()?,
        claimed_at: r.time_or_null()?,
        claim_mode: r.parsed_or_null()?,
        key_used: r.parsed_or_null()?,
        outcome: r.parsed_or_null::<Outcome>()?,
        finished_seq: r.seq_or_null()?,
        resolved_seq: r.seq_or_null()?,
    })
}

pub(super) const KEY: &str = "id, facts, every_ms, warn_ms, rotator, scheduled_seq, added_seq, added_at, changed_seq, recorded_seq, \
     retired_seq, retired_at, leak_seq, leak_at, leak_steps";

pub(super) fn key(row: &Row<'_>) -> Result<Key, StoreError> {
    let mut r = Reader::new(row, "keys");
    let id = r.parsed()?;
    let facts = json_or_null(&mut r, "keys")?.ok_or_else(|| StoreError::corrupt("keys", "no facts"))?;
    let (every, warn) = (r.span_or_null()?, r.span_or_null()?.unwrap_or_default());
    let (owner, seq) = (r.parsed_or_null()?, r.seq_or_null()?.unwrap_or_default());
    Ok(Key {
        id,
        facts,
        schedule: every.map(|every| Schedule { every, warn, owner, seq }),
        added_seq: r.seq()?,
        added_at: r.time()?,
        changed_seq: r.seq()?,
        recorded_seq: r.seq_or_null()?,
        retired_seq: r.seq_or_null()?,
        retired_at: r.time_or_null()?,
        leak: match (r.seq_or_null()?, r.time_or_null()?, json_or_null(&mut r, "keys")?) {
            (Some(seq), Some(at), Some(steps)) => Some(Leak { seq, at, steps }),
            _ => None,
        },
    })
}

pub(super) const REVIEW_ITEM: &str = "item, decision, operator, seq, at";

pub(super) fn review_item(row: &Row<'_>) -> Result<Decided, StoreError> {
    let mut r = Reader::new(row, "review_items");
    let _: Id = r.parsed()?;
    let bad = || StoreError::corrupt("review_items", "no decision");
    Ok(Decided {
        decision: json_or_null(&mut r, "review_items")?.ok_or_else(bad)?,
        operator: r.parsed()?,
        seq: r.seq()?,
        at: r.time()?,
    })
}

/// A value that is stored as JSON text.
fn json_or_null<T: serde::de::DeserializeOwned>(
    r: &mut Reader<'_>,
    table: &'static str,
) -> Result<Option<T>, StoreError> {
    let read = |text| serde_json::from_str(text).map_err(|e| StoreError::corrupt(table, e.to_string()));
    r.text_or_null()?.map(read).transpose()
}

pub(super) const APPROVAL: &str = "operator, seq, until, points";

pub(super) fn approval(row: &Row<'_>) -> Result<Approval, StoreError> {
    let mut r = Reader::new(row, "approvals");
    Ok(Approval { operator: r.parsed::<Id>()?, seq: r.seq()?, until: r.time()?, points: points(r.text()?)? })
}

fn verdict(s: &str) -> Result<Verdict, StoreError> {
    [Verdict::Allow, Verdict::Ask, Verdict::Deny]
        .into_iter()
        .find(|v| v.as_str() == s)
        .ok_or_else(|| StoreError::corrupt("requests", format!("decision {s:?}")))
}

/// Points are stored as words divided by commas.
pub(super) fn points_text(points: &BTreeSet<Point>) -> String {
    points.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(",")
}

fn points(s: &str) -> Result<BTreeSet<Point>, StoreError> {
    s.split(',')
        .filter(|p| !p.is_empty())
        .map(|p| p.parse().map_err(|e: String| StoreError::corrupt("requests", e)))
        .collect()
}
