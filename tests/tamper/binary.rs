//! A few through the real binary: exit 4, and the table and the row stand on the page and in the JSON.

use std::process::{Command, Output};

use serde_json::Value;

use crate::cases::{attacker, base, on_log};
use crate::world::World;

fn aosctl(w: &World, args: &[&str]) -> Output {
    let place = w.place();
    Command::new(env!("CARGO_BIN_EXE_aosctl"))
        .env_clear()
        .env("HOME", &place.state)
        .env("AOSCTL_WORKSPACE", &place.dir)
        .env("AOSCTL_STATE_DIR", &place.state)
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn exit_4_with_table_and_row() {
    let w = base().copy();
    let out = aosctl(&w, &["audit", "verify"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stdout));
    for (sql, table, row) in [
        ("UPDATE grants SET access = 'admin' WHERE id = 'g-1'", "grants", "g-1"),
        ("UPDATE requests SET decision = 'allow' WHERE id = 'r-2'", "requests", "r-2"),
        ("UPDATE spends SET minor = 0 WHERE request = 'r-3'", "spends", "r-3"),
        ("DELETE FROM freezes", "freezes", "ag-3"),
        ("INSERT INTO approvals VALUES ('r-2', 'op-2', 33, 9999999999999, 'money')", "approvals", "r-2"),
        ("UPDATE entries SET subject = 'g-9' WHERE seq = 20", "entries", "20"),
        (
            "INSERT INTO entries SELECT -1, envelope, kind, actor, subject, at FROM entries WHERE seq = 3",
            "entries",
            "-1",
        ),
        ("DROP INDEX entries_by_subject", "sqlite_schema", "entries_by_subject"),
        ("CREATE TRIGGER quiet BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END", "sqlite_schema", "quiet"),
        ("DROP TABLE payloads", "sqlite_schema", "payloads"),
    ] {
        let w = base().copy();
        if table == "entries" {
            on_log(&attacker(&w), |c| c.execute_batch(sql)).unwrap();
        } else {
            attacker(&w).execute_batch(sql).unwrap();
        }
        let out = aosctl(&w, &["audit", "verify"]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(4), "{sql}: {said}");
        assert!(said.contains(table) && said.contains(&format!("row {row}")), "{sql}: {said}");
        let out = aosctl(&w, &["audit", "verify", "--monitor"]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.code() == Some(2) && said.starts_with("AOSCTL AUDIT CRITICAL"), "{sql}: {said}");
        let out = aosctl(&w, &["audit", "verify", "--json"]);
        assert_eq!(out.status.code(), Some(4), "{sql}");
        if let Ok(v) = serde_json::from_slice::<Value>(&out.stdout)
            && let Some(found) = v["differences"].as_array()
        {
            assert!(found.iter().any(|d| d["table"] == table && d["row"] == row), "{sql}: {v:#}");
        }
    }
}
