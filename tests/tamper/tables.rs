//! Every column of every table of the projection, rows taken out, put in and swapped.

use aosctl::store::PROJECTION;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::cases::{Mutation, Named, attacker, base, must_all_be_found, mutation, shell};
use crate::column::{Column, columns, shown as text};

/// Values that somebody would rather see there.
fn others(column: &Column, v: &Value) -> Vec<Value> {
    let words = |s: &str| Value::Text(s.into());
    let mut all = match v {
        Value::Integer(n) => vec![Value::Integer(n + 1), Value::Integer(-n - 1)],
        Value::Text(t) => {
            let wider = match t.as_str() {
                "read" => "write",
                "write" => "admin",
                "internal" => "secret",
                "customer" => "public",
                "ask" | "deny" => "allow",
                "allow" => "deny",
                "ag-1" => "ag-2",
                "op-1" => "op-2",
                "failed" => "succeeded",
                other if other.starts_with("repo:") => "*",
                _ => "x-y",
            };
            vec![words(wider), words(&format!("{t} ")), words("\u{1b}[2J")]
        }
        Value::Blob(b) => {
            let mut flipped = b.clone();
            if let Some(x) = flipped.last_mut() {
                *x ^= 1;
            }
            vec![Value::Blob(flipped), Value::Blob(Vec::new())]
        }
        _ if column.kind == "INTEGER" => vec![Value::Integer(1)],
        _ => vec![words("op-1"), words("")],
    };
    if !column.not_null && *v != Value::Null && column.name != "seq" && column.name != "one" {
        all.push(Value::Null);
    }
    all
}

/// Rows as (rowid, name, values).
fn rows(c: &Connection, table: &str, name: &str) -> Vec<(i64, String, Vec<Value>)> {
    let count = columns(c, table).len();
    let at = columns(c, table).iter().position(|c| c.name == name).unwrap();
    let mut s = c.prepare(&format!("SELECT rowid, * FROM {table} ORDER BY rowid")).unwrap();
    s.query_map([], |r| {
        let values: Vec<Value> = (1..=count).map(|i| r.get(i)).collect::<Result<_, _>>()?;
        Ok((r.get(0)?, text(&values[at]), values))
    })
    .unwrap()
    .map(Result::unwrap)
    .collect()
}

/// First and last.
fn some<T>(all: &[T]) -> Vec<&T> {
    let mut at = vec![0, all.len() - 1];
    at.dedup();
    at.into_iter().map(|i| &all[i]).collect()
}

#[test]
fn every_column_of_every_table() {
    let own = base().copy();
    let c = attacker(&own);
    let mut all: Vec<Mutation> = Vec::new();
    for (table, name) in PROJECTION {
        let rows = rows(&c, table, name);
        assert!(!rows.is_empty(), "the stage leaves {table} empty");
        for (rowid, row, values) in some(&rows) {
            for (column, value) in columns(&c, table).iter().zip(values) {
                for other in others(column, value) {
                    let sql = format!("UPDATE {table} SET {} = ?1 WHERE rowid = {rowid}", column.name);
                    // Uniqueness is the database's own guard: what it does not let in needs no finding.
                    if trial(&c, &sql, &other) {
                        let label = format!("{table} {row}: {} from {} to {}", column.name, text(value), text(&other));
                        let named = Named::Row((*table).into(), row.clone());
                        all.push(mutation(label, named, move |w| attacker(w).execute(&sql, [&other]).map(|_| ())));
                    }
                }
            }
        }
    }
    assert!(all.len() > 250, "{}", all.len());
    must_all_be_found("columns of tables", all);
}

fn trial(c: &Connection, sql: &str, value: &Value) -> bool {
    c.execute_batch("SAVEPOINT trial").unwrap();
    let went = c.execute(sql, [value]).is_ok();
    c.execute_batch("ROLLBACK TO trial; RELEASE trial").unwrap();
    went
}

#[test]
fn rows_taken_out_put_in_and_swapped() {
    let own = base().copy();
    let c = attacker(&own);
    let mut all: Vec<Mutation> = Vec::new();
    for (table, name) in PROJECTION {
        let found = rows(&c, table, name);
        let row = |r: &str| Named::Row((*table).into(), r.into());
        for (rowid, r, _) in &found {
            all.push(shell(
                format!("{table} {r} deleted"),
                row(r),
                format!("DELETE FROM {table} WHERE rowid = {rowid}"),
            ));
        }
        all.push(shell(format!("{table} emptied"), row(&found[0].1), format!("DELETE FROM {table}")));
        // A copy of a row under another name.
        let (_, r, values) = &found[0];
        let mut copy = values.clone();
        for (column, v) in columns(&c, table).iter().zip(&mut copy) {
            match (column.name.as_str(), &v) {
                ("one", _) => *v = Value::Integer(2),
                (n, Value::Integer(x)) if n == *name || n == "n" => *v = Value::Integer(x + 1000),
                (n, Value::Text(t)) if n == *name || n == "handle" || n == "idempotency_key" => {
                    *v = Value::Text(format!("{t}000"))
                }
                ("public_key", _) => *v = Value::Blob(vec![7; 32]),
                _ => {}
            }
        }
        let marks = vec!["?"; copy.len()].join(", ");
        let named = copy[columns(&c, table).iter().position(|c| c.name == *name).unwrap()].clone();
        let sql = format!("INSERT INTO {table} VALUES ({marks})");
        all.push(mutation(format!("{table} {r} copied"), row(&text(&named)), move |w| {
            attacker(w).execute(&sql, params_from_iter(&copy)).map(|_| ())
        }));
        // Two rows trade everything but their names.
        if found.len() > 1 && *table != "policies" {
            let (a, b) = (found[0].clone(), found[1].clone());
            let names: Vec<String> = columns(&c, table).into_iter().map(|c| c.name).collect();
            let (table, name) = (*table, *name);
            all.push(mutation(format!("{table} {} and {} traded places", a.1, b.1), row(&a.1), move |w| {
                let c = attacker(w);
                c.execute(&format!("DELETE FROM {table} WHERE rowid IN (?1, ?2)"), [a.0, b.0])?;
                for (from, to) in [(&a, &b), (&b, &a)] {
                    let mut values = from.2.clone();
                    let at = names.iter().position(|n| n == name).unwrap();
                    values[at] = to.2[at].clone();
                    let marks = vec!["?"; values.len()].join(", ");
                    c.execute(&format!("INSERT OR REPLACE INTO {table} VALUES ({marks})"), params_from_iter(&values))?;
                }
                Ok(())
            }));
        }
    }
    must_all_be_found("rows of tables", all);
}

/// What an attacker would really type.
#[test]
fn the_usual_wishes() {
    let row = |t: &str, r: &str| Named::Row(t.into(), r.into());
    let all = vec![
        shell(
            "a grant revived",
            row("grants", "g-5"),
            "UPDATE grants SET revoked_seq = NULL, revoked_at = NULL, revoked_by = NULL",
        ),
        shell("a grant without end", row("grants", "g-1"), "UPDATE grants SET until = NULL WHERE id = 'g-1'"),
        shell("a grant for another", row("grants", "g-3"), "UPDATE grants SET agent = 'ag-1' WHERE id = 'g-3'"),
        shell(
            "a request allowed",
            row("requests", "r-2"),
            "UPDATE requests SET decision = 'allow', points = '' WHERE id = 'r-2'",
        ),
        shell(
            "a request approved",
            row("approvals", "r-2"),
            "INSERT INTO approvals VALUES ('r-2', 'op-2', 33, 9999999999999, 'money')",
        ),
        shell(
            "a second approval",
            row("approvals", "r-10"),
            "INSERT INTO approvals SELECT request, 'op-1', seq, until, points FROM approvals WHERE request = 'r-10'",
        ),
        shell("a denial forgotten", row("requests", "r-5"), "UPDATE requests SET denied_seq = NULL WHERE id = 'r-5'"),
        shell(
            "a claim forgotten",
            row("requests", "r-4"),
            "UPDATE requests SET claimed_seq = NULL, claimed_at = NULL WHERE id = 'r-4'",
        ),
        shell(
            "an outcome turned",
            row("requests", "r-13"),
            "UPDATE requests SET outcome = 'succeeded' WHERE id = 'r-13'",
        ),
        shell("an amount lowered", row("spends", "r-3"), "UPDATE spends SET minor = 1 WHERE request = 'r-3'"),
        shell("money given back", row("spends", "r-3"), "UPDATE spends SET released_seq = 40 WHERE request = 'r-3'"),
        shell(
            "money moved to last month",
            row("spends", "r-3"),
            "UPDATE spends SET at = at - 2592000000 WHERE request = 'r-3'",
        ),
        shell("no money was ever spent", row("spends", "r-1"), "DELETE FROM spends"),
        shell("a thaw", row("freezes", "ag-3"), "DELETE FROM freezes"),
        shell("a freeze of everything", row("freezes", "w-1"), "INSERT INTO freezes VALUES ('w-1', 3)"),
        shell(
            "a retired operator lives",
            row("identities", "op-3"),
            "UPDATE identities SET retired_seq = NULL, retired_at = NULL",
        ),
        shell(
            "an agent changes its master",
            row("identities", "ag-2"),
            "UPDATE identities SET operator = 'op-1' WHERE id = 'ag-2'",
        ),
        shell(
            "two agents trade names",
            row("identities", "ag-1"),
            "UPDATE identities SET handle = 'x' WHERE id = 'ag-1'; UPDATE identities SET handle = 'build-bot' WHERE id = 'ag-2'",
        ),
        shell(
            "an integration moves inside",
            row("integrations", "i-2"),
            "UPDATE integrations SET inside = 1 WHERE id = 'i-2'",
        ),
        shell("an older policy", row("policies", "1"), "DELETE FROM policies"),
        shell("an erasure forgotten", Named::Table("erasures".into()), "DELETE FROM erasures"),
        shell("the voided entry never was", Named::Table("invalid".into()), "DELETE FROM invalid"),
        shell(
            "the voided entry was not voided",
            Named::Table("invalid".into()),
            "UPDATE invalid SET voided_seq = NULL",
        ),
        shell("a shorter log", Named::Table("head".into()), "UPDATE head SET size = size - 1"),
        shell("the rowids turned around", Named::Table("requests".into()), "UPDATE requests SET rowid = 1000 - rowid"),
        shell(
            "one rowid far ahead",
            Named::Row("requests".into(), "r-1".into()),
            "UPDATE requests SET rowid = 4000 WHERE id = 'r-1'",
        ),
        shell(
            "a grant's rowid far ahead",
            Named::Row("grants".into(), "g-1".into()),
            "UPDATE grants SET rowid = 4000 WHERE id = 'g-1'",
        ),
    ];
    must_all_be_found("wishes", all);
}
