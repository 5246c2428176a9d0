//! What somebody may edit, and nothing opens.

use crate::scene::{Edit, edit, must_open_nothing};

#[test]
fn grants_in_the_tables() {
    must_open_nothing(
        "grants",
        false,
        vec![
            edit("wider scopes", "UPDATE grants SET scope = '*'"),
            edit("admin everywhere", "UPDATE grants SET access = 'admin'"),
            edit("secret data", "UPDATE grants SET data = 'secret'"),
            edit("without end", "UPDATE grants SET until = NULL"),
            edit("far ends", "UPDATE grants SET until = 9999999999999"),
            edit("revived", "UPDATE grants SET revoked_seq = NULL, revoked_at = NULL, revoked_by = NULL"),
            edit(
                "revived, and no later change",
                "UPDATE grants SET revoked_seq = NULL, revoked_at = NULL, revoked_by = NULL, changed_seq = issued_seq",
            ),
            edit(
                "everything at once",
                "UPDATE grants SET scope = '*', access = 'admin', data = 'secret', until = NULL, revoked_seq = NULL, changed_seq = issued_seq",
            ),
            edit("for another agent", "UPDATE grants SET agent = 'ag-1'"),
            edit("for all agents, the gone one too", "UPDATE grants SET agent = 'ag-3'"),
            edit("to another integration", "UPDATE grants SET integration = 'i-1'"),
            edit(
                "a grant from nowhere",
                "INSERT INTO grants SELECT 'g-9', 9, agent, integration, '*', 'admin', 'secret', owner, mission, NULL, issued_seq, issued_at, replaces, issued_seq, NULL, NULL, NULL, NULL FROM grants WHERE id = 'g-1'",
            ),
            edit(
                "grants from nowhere to every door",
                "INSERT INTO grants SELECT 'g-1' || n, n + 100, 'ag-1', integration, '*', 'admin', 'secret', owner, mission, NULL, issued_seq, issued_at, replaces, changed_seq, NULL, NULL, NULL, NULL FROM grants",
            ),
            edit(
                "names traded",
                "UPDATE grants SET id = 'g-x' WHERE id = 'g-1'; UPDATE grants SET id = 'g-1' WHERE id = 'g-5'; UPDATE grants SET id = 'g-5' WHERE id = 'g-x'",
            ),
            edit("numbers turned around", "UPDATE grants SET n = -n"),
            edit("entries traded", "UPDATE grants SET issued_seq = 5, changed_seq = 5"),
            edit("no grants", "DELETE FROM grants"),
        ],
    );
}

#[test]
fn requests_in_the_tables() {
    must_open_nothing(
        "requests",
        false,
        vec![
            edit("allowed", "UPDATE requests SET decision = 'allow', points = '', approvers = 0"),
            edit("no approvers wanted", "UPDATE requests SET approvers = 0"),
            edit(
                "approved",
                "INSERT OR REPLACE INTO approvals SELECT id, 'op-1', made_seq, 9999999999999, 'money,public,customer_data,production,audit' FROM requests",
            ),
            edit(
                "approved, by entries that there are",
                "INSERT OR REPLACE INTO approvals SELECT r.id, 'op-1', a.seq, 9999999999999, a.points FROM requests r, approvals a",
            ),
            edit("approvals for ever", "UPDATE approvals SET until = 9999999999999"),
            edit("not denied", "UPDATE requests SET denied_seq = NULL"),
            edit("not withdrawn", "UPDATE requests SET withdrawn_seq = NULL"),
            edit("not begun", "UPDATE requests SET claimed_seq = NULL, claimed_at = NULL"),
            edit(
                "nothing ever happened",
                "UPDATE requests SET decision = 'allow', denied_seq = NULL, withdrawn_seq = NULL, claimed_seq = NULL, claimed_at = NULL",
            ),
            edit("for ever", "UPDATE requests SET until = 9999999999999"),
            edit("mine", "UPDATE requests SET requester = 'ag-1'"),
            edit("on another grant", "UPDATE requests SET grant_id = 'g-1', integration = 'i-1'"),
            edit("no money", "UPDATE requests SET facets = '{}'"),
            edit("no command bound", "UPDATE requests SET bound_command = 0"),
            edit("another leaf", "UPDATE requests SET leaf = (SELECT leaf FROM requests WHERE id = 'r-1')"),
            edit("another entry", "UPDATE requests SET made_seq = (SELECT made_seq FROM requests WHERE id = 'r-1')"),
            edit("another policy", "UPDATE requests SET policy = (SELECT digest FROM policies ORDER BY seq LIMIT 1)"),
            edit(
                "names traded",
                "UPDATE requests SET id = 'r-x' WHERE id = 'r-1'; UPDATE requests SET id = 'r-1' WHERE id = 'r-2'; UPDATE requests SET id = 'r-2' WHERE id = 'r-x'",
            ),
            edit(
                "a request from nowhere",
                "CREATE TEMP TABLE t AS SELECT * FROM requests WHERE id = 'r-1'; UPDATE t SET id = 'r-99', n = 99; INSERT INTO requests SELECT * FROM t",
            ),
            edit("rowids far ahead", "UPDATE requests SET rowid = rowid + 5000 WHERE id = 'r-2'"),
            edit("no requests", "DELETE FROM requests"),
        ],
    );
}

#[test]
fn identities_policies_and_the_rest() {
    must_open_nothing(
        "the other tables",
        false,
        vec![
            edit("nobody is frozen", "DELETE FROM freezes"),
            edit(
                "nobody is retired",
                "UPDATE identities SET retired_seq = NULL, retired_at = NULL, disputed_from = NULL",
            ),
            edit("another master", "UPDATE identities SET operator = 'op-2' WHERE id LIKE 'ag-%'"),
            edit(
                "another name",
                "UPDATE identities SET handle = 'x' WHERE id = 'ag-1'; UPDATE identities SET handle = 'build-bot' WHERE id = 'ag-3'; UPDATE identities SET handle = 'gone-bot' WHERE id = 'ag-1'",
            ),
            edit(
                "another name for the frozen one",
                "UPDATE identities SET handle = 'x' WHERE id = 'ag-1'; UPDATE identities SET handle = 'build-bot' WHERE id = 'ag-2'; UPDATE identities SET handle = 'other-bot' WHERE id = 'ag-1'",
            ),
            edit("another key", "UPDATE identities SET public_key = zeroblob(32) WHERE id = 'op-1'"),
            edit(
                "traded keys",
                "UPDATE identities SET public_key = zeroblob(32) WHERE id = 'ag-1'; UPDATE identities SET public_key = (SELECT public_key FROM identities WHERE id = 'op-1') || x'' WHERE id = 'ag-2' AND 0",
            ),
            edit("enrolled by another entry", "UPDATE identities SET enrolled_seq = 0"),
            edit(
                "an operator from nowhere",
                "INSERT INTO identities SELECT 'op-2', 2, zeroblob(32), NULL, NULL, enrolled_seq, enrolled_at, NULL, NULL, NULL FROM identities WHERE id = 'op-1'",
            ),
            edit("an agent that is an operator", "UPDATE identities SET handle = 'op-1' WHERE id = 'ag-1'"),
            edit("inside", "UPDATE integrations SET inside = 1"),
            edit("another kind", "UPDATE integrations SET kind = 'stripe'"),
            edit(
                "integrations trade names",
                "UPDATE integrations SET handle = 'x' WHERE id = 'i-1'; UPDATE integrations SET handle = 'github' WHERE id = 'i-2'; UPDATE integrations SET handle = 'payments' WHERE id = 'i-1'",
            ),
            edit("the first policy", "DELETE FROM policies WHERE seq > 1"),
            edit(
                "the first policy's digest",
                "UPDATE policies SET digest = (SELECT digest FROM policies ORDER BY seq LIMIT 1)",
            ),
            edit("a newer policy", "INSERT INTO policies SELECT seq + 100, digest FROM policies WHERE seq = 1"),
            edit("no policies", "DELETE FROM policies"),
            edit(
                "another log's name",
                "UPDATE origin SET name = 'aosctl/00000000000000000000000000000000', log_key = zeroblob(32)",
            ),
            edit("no origin", "DELETE FROM origin"),
            edit("the clock of last year", "UPDATE head SET at = 0"),
            edit("the clock of next week", "UPDATE head SET at = at + 8 * 86400000"),
            edit("the clock of next year", "UPDATE head SET at = at + 400 * 86400000"),
            edit("the clock of in four minutes", "UPDATE head SET at = at + 240000"),
            edit("a shorter log", "UPDATE head SET size = size - 1"),
            edit("a longer log", "UPDATE head SET size = size + 1"),
            edit("another last entry", "UPDATE head SET leaf = zeroblob(32)"),
            edit("no head", "DELETE FROM head"),
            edit(
                "revocations called invalid",
                "INSERT INTO invalid SELECT seq, '', actor, subject, 'x', 1, NULL FROM entries WHERE kind IN ('grant.revoked/1', 'workspace.frozen/1', 'identity.retired/1', 'request.denied/1')",
            ),
            edit(
                "revocations called voided",
                "INSERT INTO invalid SELECT seq, '', actor, subject, 'x', 1, seq FROM entries WHERE kind IN ('grant.revoked/1', 'workspace.frozen/1', 'identity.retired/1', 'request.denied/1')",
            ),
            edit("everything erased", "INSERT INTO erasures SELECT seq, 'parameters', seq FROM entries"),
            edit(
                "hostile texts",
                "UPDATE grants SET mission = char(27) || '[2J'; UPDATE integrations SET residency = char(27) || ']0;x'",
            ),
            edit(
                "numbers that are none",
                "UPDATE grants SET changed_seq = -1; UPDATE requests SET at = -9223372036854775808",
            ),
        ],
    );
}

/// Later entries about a subject are what narrows. Whoever hides one from the log's index alone is found by the tables,
/// and whoever edits the tables alone is not believed.
#[test]
fn rows_of_the_log() {
    let mut all = Vec::new();
    for kind in [
        "grant.revoked/1",
        "grant.narrowed/1",
        "request.denied/1",
        "request.withdrawn/1",
        "request.claimed/1",
        "identity.retired/1",
        "workspace.frozen/1",
    ] {
        let of = format!("(SELECT max(seq) FROM entries WHERE kind = '{kind}')");
        let many = if kind == "grant.revoked/1" { usize::MAX } else { SOME };
        all.extend(hidden(kind, &of).into_iter().take(many));
    }
    all.extend(
        hidden("the second policy", "(SELECT max(seq) FROM entries WHERE kind = 'policy.adopted/1')")
            .into_iter()
            .take(SOME),
    );
    all.extend(hidden("the last entry", "(SELECT max(seq) FROM entries)").into_iter().take(SOME));
    all.push(edit("all denials, revocations and freezes gone", "CREATE TEMP TABLE gone AS SELECT seq FROM entries WHERE kind IN ('grant.revoked/1', 'workspace.frozen/1', 'identity.retired/1', 'request.denied/1'); DELETE FROM payloads WHERE seq IN (SELECT seq FROM gone); DELETE FROM entries WHERE seq IN (SELECT seq FROM gone)"));
    must_open_nothing("rows of the log", false, all);
}

/// So many ways to hide an entry are tried on every kind of it; all of them on a revocation and on a freeze.
const SOME: usize = 5;

fn hidden(what: &str, of: &str) -> Vec<Edit> {
    let set = |column: &str, value: &str| {
        edit(format!("{what}: {column} to {value}"), format!("UPDATE entries SET {column} = {value} WHERE seq = {of}"))
    };
    vec![
        edit(
            format!("{what}: gone"),
            format!(
                "CREATE TEMP TABLE gone AS SELECT {of} AS seq; DELETE FROM payloads WHERE seq = (SELECT seq FROM gone); DELETE FROM entries WHERE seq = (SELECT seq FROM gone)"
            ),
        ),
        edit(format!("{what}: without its payload"), format!("DELETE FROM payloads WHERE seq = {of}")),
        edit(
            format!("{what}: another payload"),
            format!("UPDATE payloads SET record = (SELECT record FROM payloads WHERE seq = 4) WHERE seq = {of}"),
        ),
        edit(
            format!("{what}: another envelope"),
            format!("UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE seq = 4) WHERE seq = {of}"),
        ),
        set("subject", "'g-99'"),
        edit(format!("{what}: an empty envelope"), format!("UPDATE entries SET envelope = x'' WHERE seq = {of}")),
        edit(
            format!("{what}: a payload cut off"),
            format!("UPDATE payloads SET record = CAST(substr(record, 1, 20) AS BLOB) WHERE seq = {of}"),
        ),
        edit(
            format!("{what}: an envelope with a byte less"),
            format!(
                "UPDATE entries SET envelope = CAST(substr(envelope, 1, length(envelope) - 1) AS BLOB) WHERE seq = {of}"
            ),
        ),
        set("subject", "''"),
        set("subject", "'r-99'"),
        set("kind", "'rollback.accepted/1'"),
        set("actor", "'op-9'"),
        edit(
            format!("{what}: moved far behind"),
            format!(
                "UPDATE payloads SET seq = 100000 WHERE seq = {of}; UPDATE entries SET seq = 100000 WHERE seq = {of}"
            ),
        ),
        edit(
            format!("{what}: moved before the first"),
            format!("UPDATE payloads SET seq = -5 WHERE seq = {of}; UPDATE entries SET seq = -5 WHERE seq = {of}"),
        ),
    ]
}

#[test]
fn granting_entries() {
    let mut all = Vec::new();
    for (what, of) in [
        ("the first grant", "(SELECT seq FROM entries WHERE subject = 'g-1')"),
        ("the agent's enrolment", "(SELECT min(seq) FROM entries WHERE subject = 'ag-1')"),
        ("the operator's enrolment", "0"),
        ("the request", "(SELECT min(seq) FROM entries WHERE subject = 'r-2')"),
        ("the approval", "(SELECT max(seq) FROM entries WHERE kind = 'request.approved/1')"),
    ] {
        let widened = [("\"write\"", "\"admin\""), ("\"ask\"", "\"allow\"")];
        for (from, to) in widened {
            all.push(edit(format!("{what}: {from} becomes {to}"), format!("UPDATE payloads SET record = CAST(replace(CAST(record AS TEXT), '{from}', '{to}') AS BLOB) WHERE seq = {of}")));
        }
        all.push(edit(format!("{what}: no payload"), format!("DELETE FROM payloads WHERE seq = {of}")));
        all.push(edit(
            format!("{what}: gone"),
            format!("DELETE FROM payloads WHERE seq = {of}; DELETE FROM entries WHERE seq = {of}"),
        ));
    }
    all.push(edit(
        "the approval becomes one of another request",
        "UPDATE entries SET subject = 'r-2' WHERE kind = 'request.approved/1'",
    ));
    all.push(edit("the first grant's entry about another", "UPDATE entries SET subject = 'g-5' WHERE subject = 'g-1'"));
    must_open_nothing("granting entries", false, all);
}

/// What SQLite itself can be made to do.
#[test]
fn schema_and_indexes() {
    let lying = |index: &str, kept: &str, text: &str| {
        format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{text} WHERE {kept}' WHERE name = '{index}';
             PRAGMA writable_schema = RESET; REINDEX {index}; PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = '{text}' WHERE name = '{index}'; PRAGMA writable_schema = RESET"
        )
    };
    let by_subject = "CREATE INDEX entries_by_subject ON entries (subject, seq)";
    let narrowing = "kind NOT IN (''grant.revoked/1'', ''grant.narrowed/1'', ''workspace.frozen/1'', ''identity.retired/1'', ''request.denied/1'')";
    must_open_nothing(
        "schema and indexes",
        false,
        vec![
            edit("an index that leaves revocations out", lying("entries_by_subject", narrowing, by_subject)),
            edit(
                "an index that leaves the second policy out",
                lying("entries_by_subject", "kind <> ''policy.adopted/1'' OR seq < 3", by_subject),
            ),
            edit(
                "a view in the place of the log",
                "DROP INDEX entries_by_subject; PRAGMA legacy_alter_table = ON; ALTER TABLE entries RENAME TO e; CREATE VIEW entries AS SELECT * FROM e WHERE kind NOT IN ('grant.revoked/1', 'workspace.frozen/1'); CREATE TRIGGER entries_keep_1 INSTEAD OF UPDATE ON entries BEGIN SELECT 1; END; CREATE TRIGGER entries_keep_2 INSTEAD OF DELETE ON entries BEGIN SELECT 1; END",
            ),
            edit(
                "a trigger that drops what is appended",
                "CREATE TRIGGER t BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END",
            ),
            edit(
                "a trigger that approves",
                "CREATE TRIGGER t AFTER INSERT ON requests BEGIN UPDATE requests SET decision = 'allow'; END",
            ),
            edit("no index by subject", "DROP INDEX entries_by_subject"),
            edit("another schema version", "PRAGMA user_version = 2"),
            edit("another program's mark", "PRAGMA application_id = 7"),
        ],
    );
}

#[test]
fn a_frozen_workspace_stays_frozen() {
    let frozen = "(SELECT max(seq) FROM entries WHERE subject = 'w-1')";
    let mut all = hidden("the freeze", frozen);
    all.push(edit("no freezes", "DELETE FROM freezes"));
    all.push(edit("an older freeze", "UPDATE freezes SET seq = 1"));
    all.push(edit("frozen is another", "UPDATE freezes SET target = 'w-2' WHERE target = 'w-1'"));
    all.push(edit(
        "no freezes, everything allowed",
        "DELETE FROM freezes; UPDATE requests SET decision = 'allow'; UPDATE grants SET access = 'admin', scope = '*'",
    ));
    must_open_nothing("a frozen workspace", true, all);
}
