//! Keys and reviews, written.

use rusqlite::{Connection, params};

use super::write::json;
use crate::domain::key::Key;
use crate::domain::review::ReviewRecord;
use crate::domain::time::Time;
use crate::store::StoreError;

pub(super) fn upsert_key(c: &Connection, k: &Key) -> Result<(), StoreError> {
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
pub(super) fn upsert_review(c: &Connection, r: &ReviewRecord) -> Result<(), StoreError> {
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
