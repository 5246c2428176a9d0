//! The log's own bytes and rows.

use rusqlite::params;

use crate::cases::{Mutation, Named, attacker, must_all_be_found, mutation, on_log, size};
use crate::world::World;
use aosctl::log::verdict::Check;

/// Statements on the log, with its triggers out of the way for a moment.
fn log(name: impl Into<String>, named: Named, sql: impl Into<String>) -> Mutation {
    let sql = sql.into();
    mutation(name, named, move |w: &World| on_log(&attacker(w), |c| c.execute_batch(&sql)))
}

fn flip(table: &'static str, column: &'static str, seq: u64, part: usize, of: usize) -> Mutation {
    mutation(format!("{table} {seq}: a bit at {part}/{of}"), Named::Entry(seq), move |w| {
        on_log(&attacker(w), |c| {
            let seq = i64::try_from(seq).unwrap();
            let mut bytes: Vec<u8> =
                c.query_row(&format!("SELECT {column} FROM {table} WHERE seq = ?1"), [seq], |r| r.get(0))?;
            let at = (bytes.len() - 1) * part / of;
            bytes[at] ^= 1;
            c.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE seq = ?2"), params![bytes, seq]).map(|_| ())
        })
    })
}

#[test]
fn flipped_bits() {
    let mut all = Vec::new();
    for seq in 0..size() {
        for part in [1, 6] {
            all.push(flip("entries", "envelope", seq, part, 9));
        }
        for part in [2, 7] {
            all.push(flip("payloads", "record", seq, part, 9));
        }
    }
    assert!(all.len() >= 200);
    must_all_be_found("flipped bits", all);
}

#[test]
fn columns_beside_the_envelopes() {
    let mut all = Vec::new();
    for seq in (0..size()).step_by(3) {
        let row = || Named::Row("entries".into(), seq.to_string());
        for (column, value) in [
            ("kind", "'grant.narrowed/1'"),
            ("actor", "'op-9'"),
            ("subject", "'g-99'"),
            ("subject", "''"),
            ("at", "at - 1"),
        ] {
            let sql = format!("UPDATE entries SET {column} = {value} WHERE seq = {seq}");
            all.push(log(format!("entry {seq}: {column} to {value}"), row(), sql));
        }
    }
    must_all_be_found("columns of entries", all);
}

#[test]
fn rows_of_the_log() {
    let n = size();
    let last = n - 1;
    let mut all = Vec::new();
    for seq in 0..n {
        let named = if seq == last { Named::Table("head".into()) } else { Named::Entry(seq) };
        let both = format!("DELETE FROM payloads WHERE seq = {seq}; DELETE FROM entries WHERE seq = {seq}");
        all.push(log(format!("entry {seq} taken out"), named, both));
        if seq % 4 == 0 {
            let payload = format!("DELETE FROM payloads WHERE seq = {seq}");
            all.push(log(format!("payload {seq} taken out"), Named::Entry(seq), payload));
            let entry = format!("DELETE FROM entries WHERE seq = {seq}");
            all.push(log(format!("entry {seq} taken out, its payload left"), Named::Entry(seq), entry));
            // Everything from there on moves down.
            let close = format!(
                "DELETE FROM payloads WHERE seq = {seq}; DELETE FROM entries WHERE seq = {seq};
                 UPDATE entries SET seq = -seq WHERE seq > {seq}; UPDATE entries SET seq = -seq - 1 WHERE seq < 0;
                 UPDATE payloads SET seq = -seq WHERE seq > {seq}; UPDATE payloads SET seq = -seq - 1 WHERE seq < 0;
                 UPDATE head SET size = size - 1"
            );
            all.push(log(format!("entry {seq} taken out and the gap closed"), Named::Entry(seq), close));
        }
        if seq % 5 == 0 && seq < last {
            let next = seq + 1;
            let swap = |t: &str| {
                format!(
                    "UPDATE {t} SET seq = 100000 WHERE seq = {seq}; UPDATE {t} SET seq = {seq} WHERE seq = {next};
                     UPDATE {t} SET seq = {next} WHERE seq = 100000;"
                )
            };
            let swapped = swap("entries") + &swap("payloads");
            all.push(log(format!("entries {seq} and {next} swapped"), Named::Entry(seq), swapped));
            all.push(log(format!("payloads {seq} and {next} swapped"), Named::Entry(seq), swap("payloads")));
            let again = format!(
                "INSERT INTO entries SELECT {n}, envelope, kind, actor, subject, at FROM entries WHERE seq = {seq};
                 INSERT INTO payloads SELECT {n}, record FROM payloads WHERE seq = {seq}"
            );
            all.push(log(format!("entry {seq} again at the end"), Named::Entry(n), again));
        }
    }
    let copy = |to: &str| {
        format!(
            "INSERT INTO entries SELECT {to}, envelope, kind, actor, subject, at FROM entries WHERE seq = 5;
             INSERT INTO payloads SELECT {to}, record FROM payloads WHERE seq = 5"
        )
    };
    let anywhere = || Named::Verdict(Check::Chain);
    all.push(log(
        "a revocation moved to another grant's place",
        Named::Entry(5),
        "UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE seq = 6) WHERE seq = 5",
    ));
    all.push(log("an entry before the first", anywhere(), copy("-1")));
    all.push(log("an entry far before the first", anywhere(), copy("-9223372036854775808")));
    all.push(log("an entry far behind the last", Named::Entry(n), copy("9223372036854775807")));
    all.push(log("an entry behind a gap", Named::Entry(n), copy(&(n + 1).to_string())));
    all.push(log(
        "a payload of no entry",
        Named::Verdict(Check::Commitments),
        "INSERT INTO payloads VALUES (500, x'7b7d')",
    ));
    all.push(log(
        "a payload before the first",
        Named::Verdict(Check::Commitments),
        "INSERT INTO payloads VALUES (-1, x'7b7d')",
    ));
    all.push(log(
        "an entry of nothing",
        Named::Entry(n),
        format!("INSERT INTO entries VALUES ({n}, x'', '', '', '', 0)"),
    ));
    all.push(log(
        "the last ten cut off",
        Named::Table("head".into()),
        format!("DELETE FROM payloads WHERE seq > {0}; DELETE FROM entries WHERE seq > {0}", last - 10),
    ));
    all.push(log("no entries", Named::Entry(0), "DELETE FROM payloads; DELETE FROM entries"));
    all.push(log(
        "nothing at all",
        Named::Entry(0),
        "DELETE FROM payloads; DELETE FROM entries; DELETE FROM head; DELETE FROM origin",
    ));
    all.push(log(
        "an envelope with a line end",
        Named::Entry(3),
        "UPDATE entries SET envelope = CAST(envelope || x'0a' AS BLOB) WHERE seq = 3",
    ));
    all.push(log(
        "a payload with a space",
        Named::Entry(3),
        "UPDATE payloads SET record = CAST(record || x'20' AS BLOB) WHERE seq = 3",
    ));
    all.push(log("an empty payload", Named::Entry(3), "UPDATE payloads SET record = x'' WHERE seq = 3"));
    all.push(log(
        "a megabyte of payload",
        Named::Entry(3),
        "UPDATE payloads SET record = zeroblob(1000000) WHERE seq = 3",
    ));
    all.push(log(
        "a megabyte of envelope",
        Named::Entry(3),
        "UPDATE entries SET envelope = zeroblob(1000000) WHERE seq = 3",
    ));
    must_all_be_found("rows of the log", all);
}
