//! The schema itself: triggers, indexes, tables, views, and what SQLite believes of them.

use rusqlite::Connection;

use crate::cases::{Mutation, Named, attacker, base, must_all_be_found, mutation, shell};

fn named(name: &str) -> Named {
    Named::Row("sqlite_schema".into(), name.into())
}

fn objects(c: &Connection, kind: &str) -> Vec<(String, String)> {
    c.prepare("SELECT name, sql FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL")
        .unwrap()
        .query_map([kind], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Changes the text of the schema without touching what it describes.
fn rewrite(name: &str, from: &str, to: &str) -> String {
    format!(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') WHERE name = '{name}';
         PRAGMA writable_schema = RESET;"
    )
}

#[test]
fn triggers_indexes_and_tables() {
    let own = base().copy();
    let c = attacker(&own);
    let mut all: Vec<Mutation> = Vec::new();
    for (name, sql) in objects(&c, "trigger") {
        all.push(shell(format!("trigger {name} dropped"), named(&name), format!("DROP TRIGGER {name}")));
        let tamed = sql.replace("RAISE(ABORT, 'the log is append-only')", "1");
        assert_ne!(tamed, sql);
        all.push(shell(format!("trigger {name} tamed"), named(&name), format!("DROP TRIGGER {name}; {tamed}")));
        all.push(shell(format!("trigger {name} made nonsense"), named(&name), rewrite(&name, "RAISE", "RISE(")));
        all.push(shell(format!("trigger {name} rewritten"), named(&name), rewrite(&name, "RAISE(ABORT", "RAISE(FAIL")));
    }
    for (name, sql) in objects(&c, "index") {
        all.push(shell(format!("index {name} dropped"), named(&name), format!("DROP INDEX {name}")));
        let other = sql.replace("INDEX", "INDEX IF NOT EXISTS");
        // The last column of an index, or the call that is its only one.
        let reversed =
            if other.contains("))") { other.replacen("))", ") DESC)", 1) } else { other.replacen(')', " DESC)", 1) };
        all.push(shell(format!("index {name} made anew"), named(&name), format!("DROP INDEX {name}; {reversed}")));
    }
    for (name, _) in objects(&c, "table") {
        all.push(shell(
            format!("table {name} renamed"),
            named(&name),
            format!("PRAGMA legacy_alter_table = ON; ALTER TABLE {name} RENAME TO other"),
        ));
        all.push(shell(
            format!("table {name} with a column more"),
            named(&name),
            format!("ALTER TABLE {name} ADD COLUMN more TEXT"),
        ));
        if name != "entries" {
            all.push(shell(format!("table {name} dropped"), named(&name), format!("DROP TABLE {name}")));
        }
        all.push(shell(format!("table {name} no longer strict"), named(&name), rewrite(&name, "STRICT", "")));
    }
    for (what, name, sql) in [
        (
            "a trigger that drops revocations",
            "quiet",
            "CREATE TRIGGER quiet BEFORE INSERT ON entries WHEN new.kind = 'grant.revoked/1' BEGIN SELECT RAISE(IGNORE); END",
        ),
        (
            "a trigger that forgets freezes",
            "warm",
            "CREATE TRIGGER warm AFTER INSERT ON freezes BEGIN DELETE FROM freezes; END",
        ),
        ("a view", "grants_seen", "CREATE VIEW grants_seen AS SELECT * FROM grants"),
        ("a table", "notes", "CREATE TABLE notes (x)"),
        ("an index", "more", "CREATE INDEX more ON grants (owner)"),
        ("a unique index that refuses", "one_only", "CREATE UNIQUE INDEX one_only ON entries (kind, seq)"),
    ] {
        all.push(shell(what, named(name), sql));
    }
    all.push(shell(
        "a view in the place of the log",
        named("entries"),
        "PRAGMA legacy_alter_table = ON; DROP TRIGGER entries_keep_1; DROP TRIGGER entries_keep_2; DROP INDEX entries_by_subject;
         ALTER TABLE entries RENAME TO all_entries;
         CREATE VIEW entries AS SELECT * FROM all_entries WHERE kind <> 'grant.revoked/1'",
    ));
    must_all_be_found("schema", all);
}

/// An index that does not hold what its table holds hides rows from whoever looks through it, and only from him.
#[test]
fn indexes_that_lie() {
    let own = base().copy();
    let c = attacker(&own);
    let mut all: Vec<Mutation> = Vec::new();
    for (name, sql) in objects(&c, "index") {
        // Rebuilt as a partial index that leaves rows out; then the schema says again what it said.
        let partial = match sql.split_once(" WHERE ") {
            None => format!("{sql} WHERE rowid < 0"),
            Some((head, condition)) => format!("{head} WHERE rowid < 0 AND ({condition})"),
        };
        let whole: String = sql.clone();
        let index = name.clone();
        all.push(mutation(format!("index {name} leaves rows out"), named(&name), move |w| {
            let c = attacker(w);
            c.execute_batch("PRAGMA writable_schema = ON")?;
            c.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = ?2", [&partial, &index])?;
            c.execute_batch("PRAGMA writable_schema = RESET")?;
            drop(c);
            let c = attacker(w);
            c.execute_batch(&format!("REINDEX {index}; PRAGMA writable_schema = ON"))?;
            c.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = ?2", [&whole, &index])?;
            c.execute_batch("PRAGMA writable_schema = RESET")
        }));
    }
    assert!(all.len() >= 8);
    must_all_be_found("indexes that lie", all);
}
