//! The schema, as an append-only list of migrations: one that was released is never edited, the next is added below it.
//! `PRAGMA user_version` counts those applied; `application_id` marks the file as ours.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::StoreError;
use crate::log::hash::sha256;

/// "aosc" in ASCII.
pub const APPLICATION_ID: i64 = 0x616f_7363;

/// Schema versions, oldest first. Applied in one transaction each, after a backup copy of an older workspace.
pub const MIGRATIONS: &[&str] = &[V1, V2, V3];

/// The version that this aosctl writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Hex SHA-256 of what SQLite lists after all migrations; a test keeps it true. A workspace that
/// lists anything else is neither read nor written.
pub const FINGERPRINT: &str = "72f2e3f2d3e73b3aa8b0b2123ad7d86f7b47fe571cd098e6638bdca043115ec8";

/// What SQLite lists of a schema, without the statistics that `ANALYZE` leaves, which are SQLite's own.
pub(super) const LISTED: &str =
    "WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat3', 'sqlite_stat4'))";

/// Hex SHA-256 over type, name, table and text of every table, index, trigger and view.
pub(super) fn fingerprint(conn: &Connection) -> Result<String, StoreError> {
    let sql = format!("SELECT type, name, tbl_name, sql FROM main.sqlite_schema {LISTED} ORDER BY type, name");
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        for i in 0..4 {
            // Lengths keep two texts apart that would read the same put together.
            let text = match row.get_ref(i)? {
                ValueRef::Text(t) | ValueRef::Blob(t) => t,
                _ => &[],
            };
            listed.extend_from_slice(&(text.len() as u64).to_le_bytes());
            listed.extend_from_slice(text);
        }
    }
    Ok(sha256(&listed).to_hex())
}

/// Every table of the projection, with the columns by which a row is named. `audit verify` rebuilds and compares these.
pub const PROJECTION: &[(&str, &str)] = &[
    ("origin", "name"),
    ("identities", "id"),
    ("integrations", "id"),
    ("grants", "id"),
    ("policies", "seq"),
    ("freezes", "target"),
    ("requests", "id"),
    ("approvals", "request"),
    ("spends", "request"),
    ("erasures", "seq"),
    ("invalid", "seq"),
    ("signing_keys", "public_key"),
    ("corrections", "by_seq"),
    ("keys", "id"),
    ("reviews", "id"),
    ("review_items", "item"),
    ("head", "size"),
];

const V1: &str = r"
CREATE TABLE entries (
    seq      INTEGER PRIMARY KEY,
    envelope BLOB NOT NULL,
    kind     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_subject ON entries (subject, seq);
CREATE TABLE payloads (
    seq    INTEGER PRIMARY KEY REFERENCES entries (seq),
    record BLOB NOT NULL
) STRICT;
CREATE TRIGGER entries_keep_1 BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER entries_keep_2 BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER payloads_keep_1 BEFORE UPDATE ON payloads BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER payloads_keep_2 BEFORE DELETE ON payloads BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    size     INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    leaf     BLOB NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE TABLE origin (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    name    TEXT NOT NULL,
    log_key BLOB NOT NULL,
    company TEXT
) STRICT;
CREATE TABLE identities (
    id            TEXT PRIMARY KEY,
    n             INTEGER NOT NULL,
    public_key    BLOB NOT NULL UNIQUE,
    operator      TEXT,
    handle        TEXT UNIQUE,
    enrolled_seq  INTEGER NOT NULL,
    enrolled_at   INTEGER NOT NULL,
    retired_seq   INTEGER,
    retired_at    INTEGER,
    disputed_from INTEGER
) STRICT;
CREATE TABLE integrations (
    id        TEXT PRIMARY KEY,
    n         INTEGER NOT NULL,
    handle    TEXT NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    inside    INTEGER NOT NULL,
    residency TEXT,
    added_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE grants (
    id          TEXT PRIMARY KEY,
    n           INTEGER NOT NULL,
    agent       TEXT NOT NULL REFERENCES identities (id),
    integration TEXT NOT NULL REFERENCES integrations (id),
    scope       TEXT NOT NULL,
    access      TEXT NOT NULL,
    data        TEXT NOT NULL,
    owner       TEXT NOT NULL REFERENCES identities (id),
    mission     TEXT,
    until       INTEGER,
    issued_seq  INTEGER NOT NULL,
    issued_at   INTEGER NOT NULL,
    replaces    TEXT,
    changed_seq INTEGER NOT NULL,
    revoked_seq INTEGER,
    revoked_at  INTEGER,
    revoked_by  TEXT
) STRICT;
CREATE INDEX grants_by_door ON grants (agent, integration, n);
CREATE INDEX grants_by_integration ON grants (integration, n);
CREATE TABLE policies (
    seq    INTEGER PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE freezes (
    target TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL
) STRICT;
CREATE TABLE requests (
    id              TEXT PRIMARY KEY,
    n               INTEGER NOT NULL,
    requester       TEXT NOT NULL REFERENCES identities (id),
    integration     TEXT REFERENCES integrations (id),
    action          TEXT NOT NULL,
    resource        TEXT NOT NULL,
    access          TEXT NOT NULL,
    facets          TEXT NOT NULL,
    unsure          INTEGER NOT NULL,
    decision        TEXT NOT NULL,
    points          TEXT NOT NULL,
    rule            TEXT NOT NULL,
    approvers       INTEGER NOT NULL,
    tier            TEXT NOT NULL,
    grant_id        TEXT REFERENCES grants (id),
    policy          TEXT NOT NULL,
    mission         TEXT,
    idempotency_key TEXT,
    bound_command   INTEGER NOT NULL,
    made_seq        INTEGER NOT NULL,
    leaf            TEXT NOT NULL,
    at              INTEGER NOT NULL,
    until           INTEGER NOT NULL,
    denied_seq      INTEGER,
    withdrawn_seq   INTEGER,
    claimed_seq     INTEGER,
    claimed_at      INTEGER,
    outcome         TEXT,
    finished_seq    INTEGER,
    resolved_seq    INTEGER
) STRICT;
CREATE UNIQUE INDEX requests_by_key ON requests (requester, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX requests_waiting ON requests (n)
    WHERE decision = 'ask' AND denied_seq IS NULL AND withdrawn_seq IS NULL AND claimed_seq IS NULL;
CREATE INDEX requests_unsettled ON requests (n) WHERE claimed_seq IS NOT NULL AND (outcome IS NULL OR outcome = 'unknown');
CREATE INDEX requests_by_grant ON requests (grant_id, n);
CREATE INDEX requests_by_requester ON requests (requester, at);
CREATE INDEX requests_alike ON requests (integration, action, n);
CREATE TABLE approvals (
    request  TEXT NOT NULL REFERENCES requests (id),
    operator TEXT NOT NULL REFERENCES identities (id),
    seq      INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    points   TEXT NOT NULL,
    PRIMARY KEY (request, operator)
) STRICT;
CREATE TABLE spends (
    request      TEXT PRIMARY KEY REFERENCES requests (id),
    currency     TEXT NOT NULL,
    minor        INTEGER NOT NULL CHECK (minor >= 0),
    at           INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    released_seq INTEGER
) STRICT;
CREATE INDEX spends_counting ON spends (currency, at, minor) WHERE released_seq IS NULL;
CREATE TABLE erasures (
    seq    INTEGER NOT NULL REFERENCES entries (seq),
    member TEXT NOT NULL,
    by_seq INTEGER NOT NULL,
    PRIMARY KEY (seq, member)
) STRICT;
CREATE TABLE invalid (
    seq        INTEGER PRIMARY KEY,
    leaf       TEXT NOT NULL,
    actor      TEXT NOT NULL,
    subject    TEXT NOT NULL,
    fault      TEXT NOT NULL,
    voidable   INTEGER NOT NULL,
    voided_seq INTEGER
) STRICT;
";

/// Keys and reviews; what a claim gave out; and uses of a grant found by access, for the review.
const V2: &str = r"
CREATE TABLE keys (
    id            TEXT PRIMARY KEY,
    n             INTEGER NOT NULL,
    name          TEXT NOT NULL,
    provider_id   TEXT,
    last4         TEXT,
    fingerprint   TEXT,
    integration   TEXT REFERENCES integrations (id),
    turned        INTEGER,
    facts         TEXT NOT NULL,
    every_ms      INTEGER,
    warn_ms       INTEGER,
    rotator       TEXT REFERENCES identities (id),
    scheduled_seq INTEGER,
    added_seq     INTEGER NOT NULL,
    added_at      INTEGER NOT NULL,
    changed_seq   INTEGER NOT NULL,
    recorded_seq  INTEGER,
    retired_seq   INTEGER,
    retired_at    INTEGER,
    leak_seq      INTEGER,
    leak_at       INTEGER,
    leak_steps    TEXT
) STRICT;
CREATE INDEX keys_by_name ON keys (name);
CREATE INDEX keys_by_provider ON keys (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX keys_by_end ON keys (last4) WHERE last4 IS NOT NULL;
CREATE INDEX keys_by_fingerprint ON keys (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE TABLE reviews (
    id         TEXT PRIMARY KEY,
    n          INTEGER NOT NULL,
    signed_by  TEXT REFERENCES identities (id),
    signed_seq INTEGER,
    signed_at  INTEGER,
    page       TEXT,
    as_of      INTEGER,
    entries    INTEGER
) STRICT;
CREATE TABLE review_items (
    review   TEXT NOT NULL REFERENCES reviews (id),
    item     TEXT NOT NULL,
    decision TEXT NOT NULL,
    operator TEXT NOT NULL REFERENCES identities (id),
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (review, item)
) STRICT;
CREATE INDEX review_items_by_item ON review_items (item, seq);

ALTER TABLE grants ADD COLUMN carries TEXT;
CREATE INDEX grants_by_key ON grants (json_extract(carries, '$.key')) WHERE carries IS NOT NULL;
ALTER TABLE requests ADD COLUMN claim_mode TEXT;
ALTER TABLE requests ADD COLUMN key_used TEXT;
UPDATE requests SET claim_mode =
    (SELECT json_extract(CAST(record AS TEXT), '$.body.mode') FROM payloads WHERE seq = claimed_seq)
    WHERE claimed_seq IS NOT NULL;
CREATE INDEX requests_by_key_used ON requests (key_used, claimed_seq) WHERE key_used IS NOT NULL;
DROP INDEX requests_by_grant;
CREATE INDEX requests_by_grant ON requests (grant_id, access, made_seq);
";

/// Every signing key there ever was, because an operator may have had several; and corrections of entries.
const V3: &str = r"
CREATE TABLE signing_keys (
    public_key BLOB PRIMARY KEY,
    identity   TEXT NOT NULL REFERENCES identities (id),
    seq        INTEGER NOT NULL
) STRICT;
CREATE INDEX signing_keys_by_identity ON signing_keys (identity);
INSERT INTO signing_keys (public_key, identity, seq) SELECT public_key, id, enrolled_seq FROM identities;
CREATE TABLE corrections (
    by_seq INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL REFERENCES entries (seq)
) STRICT;
CREATE INDEX corrections_by_entry ON corrections (seq);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_that_of_the_migrations() {
        let conn = Connection::open_in_memory().unwrap();
        for migration in MIGRATIONS {
            conn.execute_batch(migration).unwrap();
        }
        assert_eq!(fingerprint(&conn).unwrap(), FINGERPRINT, "a migration was added: write its fingerprint here");
        conn.execute_batch("ANALYZE").unwrap();
        assert_eq!(fingerprint(&conn).unwrap(), FINGERPRINT);
        conn.execute_batch("CREATE VIEW v AS SELECT 1").unwrap();
        assert_ne!(fingerprint(&conn).unwrap(), FINGERPRINT);
    }
}
