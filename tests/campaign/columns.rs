//! Every column of every table: rows by chance, each column by turns. What the log says is untouched and must not be blamed.

use aosctl::log::verdict::Check;
use aosctl::store::PROJECTION;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::base::Base;
use crate::cases::{attacker, on_log};
use crate::column::{Column, columns, shown as show};
use crate::rng::Rng;
use crate::run::{Mutation, Want, mutation};

fn rows(c: &Connection, table: &str) -> Vec<(i64, Vec<Value>)> {
    let count = columns(c, table).len();
    let mut s = c.prepare(&format!("SELECT rowid, * FROM {table} ORDER BY rowid")).unwrap();
    s.query_map([], |r| Ok((r.get(0)?, (1..=count).map(|i| r.get(i)).collect::<Result<_, _>>()?)))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Something else of the kind that the column takes.
fn other(column: &Column, old: &Value, all: &[Value], rng: &mut Rng) -> Value {
    let null = !column.not_null && *old != Value::Null && rng.below(4) == 0;
    // What another row says there is the likeliest lie.
    let borrowed = rng.below(2) == 0;
    if null {
        return Value::Null;
    }
    if borrowed {
        let found: Vec<_> = all.iter().filter(|v| **v != *old).collect();
        if !found.is_empty() {
            return (*rng.of(&found)).clone();
        }
    }
    let n = rng.next();
    match (column.kind.as_str(), old) {
        ("INTEGER", Value::Integer(x)) => match n % 4 {
            0 => Value::Integer(x + 1),
            1 => Value::Integer(x - 1),
            2 => Value::Integer(-x - 1),
            _ => Value::Integer(i64::try_from(n >> 20).unwrap()),
        },
        ("INTEGER", _) => Value::Integer(i64::try_from(n % 5000).unwrap()),
        ("BLOB", Value::Blob(b)) if !b.is_empty() => {
            let mut b = b.clone();
            let at = rng.below(b.len());
            b[at] ^= 1 << (n % 8);
            Value::Blob(b)
        }
        ("BLOB", _) => Value::Blob(vec![7; 32]),
        (_, Value::Text(t)) => match n % 3 {
            0 => Value::Text(format!("{t}0")),
            1 => Value::Text(String::new()),
            _ => Value::Text(format!("x{t}")),
        },
        _ => Value::Text("op-2".into()),
    }
}

pub fn columns_of_tables(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let own = base.copy();
    let c = attacker(&own);
    let mut all = Vec::new();
    for (table, name) in PROJECTION {
        let (columns, rows) = (columns(&c, table), rows(&c, table));
        assert!(!rows.is_empty(), "the workspace leaves {table} empty");
        let named_by = columns.iter().position(|x| x.name == *name).unwrap();
        for (at, column) in columns.iter().enumerate() {
            let values: Vec<Value> = rows.iter().map(|(_, v)| v[at].clone()).collect();
            let mut done = 0;
            // Uniqueness is the database's own guard: what it does not let in needs no finding.
            for _ in 0..60.max(each * 6) {
                let (rowid, row) = rng.of(&rows);
                let value = other(column, &row[at], &values, rng);
                let sql = format!("UPDATE {table} SET {} = ?1 WHERE rowid = {rowid}", column.name);
                if value == row[at] || !trial(&c, &sql, &value) {
                    continue;
                }
                let row_name = show(&row[named_by]);
                let label = format!("{table} {row_name}: {} from {} to {}", column.name, show(&row[at]), show(&value));
                let wants = [
                    vec![Want::Fails(Check::Projections, crate::run::Seq::Any), Want::Row((*table).into(), row_name)],
                    [Check::CanonicalForm, Check::Signatures, Check::Chain, Check::TreeRoot, Check::Commitments]
                        .map(Want::Holds)
                        .into(),
                    [Check::Authority, Check::PinAndWitnesses].map(Want::Holds).into(),
                ]
                .concat();
                all.push(mutation("tables: a column of a row", label, wants, move |w| {
                    attacker(w).execute(&sql, [&value]).map(|_| ())
                }));
                done += 1;
                if done == each {
                    break;
                }
            }
            assert!(done > 0 || column.name == "one", "{table}.{} was never changed", column.name);
        }
    }
    for (column, all_values) in [("kind", 0), ("actor", 1), ("subject", 2), ("at", 3)] {
        let others = ["grant.revoked/1", "op-2", "g-1", ""];
        for _ in 0..each * 3 {
            let row = rng.of(&base.rows);
            let seq = row.seq;
            let h = &row.envelope.header;
            let is = [&h.kind, &h.actor, &h.subject];
            let to = if all_values == 3 {
                "at + 1".to_owned()
            } else {
                let to = rng.of(&others);
                if is[all_values].as_str() == *to { "'x-1'".to_owned() } else { format!("'{to}'") }
            };
            let wants = vec![
                Want::Fails(Check::Projections, crate::run::Seq::Any),
                Want::Row("entries".into(), seq.to_string()),
                Want::Holds(Check::Chain),
                Want::Holds(Check::TreeRoot),
                Want::Holds(Check::CanonicalForm),
            ];
            let label = format!("entries {seq}: {column} to {to}");
            let sql = format!("UPDATE entries SET {column} = {to} WHERE seq = {seq}");
            all.push(mutation("tables: a column beside an envelope", label, wants, move |w| {
                on_log(&attacker(w), |c| c.execute_batch(&sql))
            }));
        }
    }
    all
}

/// Rows deleted, and rows that trade a value.
pub fn rows_of_tables(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let own = base.copy();
    let c = attacker(&own);
    let mut all = Vec::new();
    for (table, name) in PROJECTION {
        let (columns, rows) = (columns(&c, table), rows(&c, table));
        let named_by = columns.iter().position(|x| x.name == *name).unwrap();
        for _ in 0..each.min(rows.len()) {
            let (rowid, row) = rng.of(&rows);
            let row_name = show(&row[named_by]);
            let wants = vec![
                Want::Fails(Check::Projections, crate::run::Seq::Any),
                Want::Row((*table).into(), row_name.clone()),
            ];
            let sql = format!("DELETE FROM {table} WHERE rowid = {rowid}");
            all.push(mutation("tables: a row taken out", format!("{table} {row_name} deleted"), wants, move |w| {
                attacker(w).execute_batch(&sql)
            }));
        }
    }
    // Two identities trade their keys: whoever signs as the one is taken for the other.
    let people = rows(&c, "identities");
    for _ in 0..each * 2 {
        let (a, b) = (rng.of(&people), rng.of(&people));
        if a.0 == b.0 {
            continue;
        }
        let keys = columns(&c, "identities").iter().position(|x| x.name == "public_key").unwrap();
        let (x, y) = (a.1[keys].clone(), b.1[keys].clone());
        let (a_row, b_row) = (a.0, b.0);
        let wants = [&a.1[0], &b.1[0]].map(|v| Want::Row("identities".into(), show(v)));
        let label = format!("identities {} and {} trade keys", show(&a.1[0]), show(&b.1[0]));
        all.push(mutation("identities exchanged", label, wants.into(), move |w| {
            let c = attacker(w);
            let set = "UPDATE identities SET public_key = ?1 WHERE rowid = ?2";
            c.execute(set, rusqlite::params![vec![0u8; 32], a_row])?;
            c.execute(set, rusqlite::params![x, b_row])?;
            c.execute(set, rusqlite::params![y, a_row]).map(|_| ())
        }));
    }
    all
}

fn trial(c: &Connection, sql: &str, value: &Value) -> bool {
    c.execute_batch("SAVEPOINT trial").unwrap();
    let went = c.execute(sql, [value]).is_ok();
    c.execute_batch("ROLLBACK TO trial; RELEASE trial").unwrap();
    went
}
