use crate::support::{Bench, code, sql, state_of, text};
use crate::{bench, database, json, put_database};

/// What somebody did to a workspace, and what it is called.
struct Case {
    name: &'static str,
    kind: &'static str,
    /// Doors can still be closed on it.
    narrows: bool,
    status: &'static str,
    /// Entries that are lost for certain.
    lost: Option<u64>,
    make: fn(&Bench),
}

const CASES: &[Case] = &[
    Case {
        name: "yesterday's database",
        kind: "rolled_back",
        narrows: true,
        status: "ROLLED BACK",
        lost: Some(2),
        make: |b| {
            let yesterday = database(b);
            b.ok(&["freeze"]);
            b.ok(&["thaw"]);
            put_database(b, &yesterday);
        },
    },
    Case {
        name: "a tail that was cut off",
        kind: "tail_cut",
        narrows: false,
        status: "CUT OFF",
        lost: Some(1),
        make: |b| {
            b.ok(&["revoke", "g-1"]);
            let cut = "DELETE FROM payloads WHERE seq = (SELECT max(seq) FROM entries);
                       DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries);";
            sql(&b.db(), &format!("{}{cut}", drop_triggers(b)));
        },
    },
    Case {
        name: "another copy of it that went on",
        kind: "fork",
        narrows: true,
        status: "A FORK",
        lost: None,
        make: |b| {
            let pin = state_of(b).join("pin");
            let (log, before) = (database(b), std::fs::read(&pin).unwrap());
            b.ok(&["freeze"]);
            let after = std::fs::read(&pin).unwrap();
            put_database(b, &log);
            std::fs::write(&pin, before).unwrap();
            b.ok(&["revoke", "g-1"]);
            std::fs::write(&pin, after).unwrap();
        },
    },
    Case {
        name: "another workspace in its place",
        kind: "other_log",
        narrows: true,
        status: "ANOTHER LOG",
        lost: None,
        make: |b| {
            let (ws, other) = (b.workspace(), b.path("other"));
            b.ok(&["init", "--workspace", other.to_str().unwrap()]);
            std::fs::rename(&ws, b.path("away")).unwrap();
            std::fs::rename(&other, &ws).unwrap();
        },
    },
    Case {
        name: "no pin",
        kind: "pin_missing",
        narrows: true,
        status: "the pin is missing",
        lost: None,
        make: |b| std::fs::remove_file(state_of(b).join("pin")).unwrap(),
    },
    Case {
        name: "something else in the pin's place",
        kind: "pin_broken",
        narrows: true,
        status: "the pin does not hold",
        lost: None,
        make: |b| std::fs::write(state_of(b).join("pin"), "a pin\n").unwrap(),
    },
];

/// Statements that drop every trigger; `support::sql` puts them back.
fn drop_triggers(b: &Bench) -> String {
    let c = rusqlite::Connection::open(b.db()).unwrap();
    crate::support::triggers(&c).iter().map(|(name, _)| format!("DROP TRIGGER {name};")).collect()
}

#[test]
fn each_case_has_its_own_verdict_and_ends_with_an_operators_acceptance() {
    for case in CASES {
        let b = bench();
        (case.make)(&b);
        let name = case.name;
        assert_eq!(json(&b, 4, &["agent", "add", "other-bot"])["kind"], case.kind, "{name}");
        let status = b.run(&["status"]);
        assert_eq!(code(&status), 4, "{name}");
        let page = format!("{}{}", text(&status.stdout), text(&status.stderr));
        assert!(page.contains(case.status) && page.contains("accept-rollback"), "{name}: {page}");
        let pin = json(&b, 4, &["audit", "verify"])["verdicts"].as_array().unwrap()[7].clone();
        assert_eq!((&pin["check"], &pin["status"]), (&"pin_and_witnesses".into(), &"failed".into()), "{name}");
        let freeze = b.bare().args(["freeze"]).output().unwrap();
        assert_eq!(code(&freeze) == 0, case.narrows, "{name}: {}", text(&freeze.stderr));

        // What it would be, and a question that nobody is there to answer.
        let accept = ["workspace", "accept-rollback", "--reason", "the disk died; this is all that is left"];
        let dry = json(&b, 0, &[&accept[..], &["-n"]].concat());
        assert_eq!((&dry["found"], &dry["seq"]), (&case.kind.into(), &serde_json::Value::Null), "{name}");
        let asked = b.run(&[&accept[..], &["--no-input"]].concat());
        assert!(code(&asked) == 3 && text(&asked.stderr).contains("--yes"), "{name}: {}", text(&asked.stderr));
        // Without the passphrase nobody accepts anything.
        assert_ne!(code(&b.bare().args(accept).args(["--yes", "--no-input"]).output().unwrap()), 0);

        let done = json(&b, 0, &[&accept[..], &["--yes"]].concat());
        if !case.narrows {
            assert_eq!(done["lost"], serde_json::json!(case.lost), "{name}");
        }
        if case.narrows && case.kind != "other_log" {
            b.ok(&["thaw"]);
        }
        b.ok(&["agent", "add", "other-bot"]);
        let verified = b.run(&["audit", "verify"]);
        assert_eq!(code(&verified), 0, "{name}: {}", text(&verified.stdout));
        assert!(b.ok(&["audit", "log"]).contains("rollback.accepted"), "{name}");
        assert_eq!(json(&b, 1, &accept)["kind"], "nothing_to_accept", "{name}");
    }
}

/// What is no file in the pin's place is said with what to do about it; then it is a pin that is missing.
#[test]
fn a_directory_in_the_pins_place_is_moved_away() {
    let b = bench();
    let pin = state_of(&b).join("pin");
    std::fs::remove_file(&pin).unwrap();
    std::fs::create_dir(&pin).unwrap();
    for args in [&["status"][..], &["agent", "add", "other-bot"], &["audit", "verify"]] {
        let out = b.run(args);
        assert_eq!(code(&out), 3, "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains("hint: move it away"), "{}", text(&out.stderr));
    }
    b.ok(&["revoke", "g-1"]);
    std::fs::rename(&pin, pin.with_extension("away")).unwrap();
    assert_eq!(json(&b, 4, &["agent", "add", "other-bot"])["kind"], "pin_missing");
    b.ok(&["workspace", "accept-rollback", "--reason", "x", "--yes"]);
    b.ok(&["audit", "verify"]);
}

/// The state directory is gone, and the log's identity with it: doors are closed by an operator's signature all the same.
#[test]
fn doors_close_without_the_state_directory() {
    let b = bench();
    std::fs::remove_dir_all(b.path("state")).unwrap();
    let nobody = b.bare().args(["freeze"]).output().unwrap();
    assert_eq!(code(&nobody), 3);
    let said = text(&nobody.stderr);
    assert!(said.contains("the log identity is not there") && said.contains("--passphrase-file"), "{said}");
    b.ok(&["revoke", "g-1"]);
    b.ok(&["freeze"]);
    assert_eq!(json(&b, 4, &["thaw"])["kind"], "pin_missing");
    assert_eq!(json(&b, 4, &["audit", "verify"])["verified"], false);
}

#[test]
fn what_is_lost_is_said_and_the_old_pin_is_kept() {
    let b = bench();
    let yesterday = database(&b);
    b.ok(&["freeze"]);
    b.ok(&["thaw"]);
    let pin = std::fs::read(state_of(&b).join("pin")).unwrap();
    put_database(&b, &yesterday);
    let view = json(&b, 0, &["workspace", "accept-rollback", "--reason", "x", "--yes"]);
    let entries = view["entries"].as_u64().unwrap();
    assert_eq!((view["lost"].as_u64(), view["pinned"].as_u64()), (Some(2), Some(entries + 2)));
    assert_eq!(std::fs::read(state_of(&b).join(format!("pin.before-{}", entries + 2))).unwrap(), pin);
    // The entry names the pin that was given up.
    let shown = b.ok(&["audit", "show", &view["seq"].to_string()]);
    assert!(shown.contains(&format!("{}", entries + 2)), "{shown}");
}

/// The pin is replaced after the entry is on disk. A crash between the two leaves the old one; whoever comes next goes on.
#[test]
fn an_acceptance_that_was_cut_off_is_carried_to_its_end() {
    let b = bench();
    let yesterday = database(&b);
    b.ok(&["freeze"]);
    b.ok(&["thaw"]);
    let pin = state_of(&b).join("pin");
    let old = std::fs::read(&pin).unwrap();
    put_database(&b, &yesterday);
    b.ok(&["workspace", "accept-rollback", "--reason", "x", "--yes"]);
    std::fs::write(&pin, &old).unwrap();
    let read = ["--integration", "github", "--action", "contents.read", "--resource", "repo:acme/app"];
    assert_eq!(code(&b.run(&[&["check", "--agent", "build-bot"][..], &read].concat())), 0);
    b.ok(&["agent", "add", "other-bot"]);
    assert_ne!(std::fs::read(&pin).unwrap(), old);
    b.ok(&["audit", "verify"]);
}

/// A log that does not verify in itself is not one to go on with.
#[test]
fn a_log_that_was_changed_cannot_be_accepted() {
    let b = bench();
    std::fs::remove_file(state_of(&b).join("pin")).unwrap();
    sql(
        &b.db(),
        &format!(
            "{}UPDATE payloads SET record = CAST(replace(CAST(record AS TEXT), 'ACME', 'ACNE') AS BLOB) WHERE seq = 0;",
            drop_triggers(&b)
        ),
    );
    let out = b.run(&["workspace", "accept-rollback", "--reason", "x", "--yes"]);
    assert_eq!(code(&out), 4, "{}", text(&out.stderr));
    assert!(!state_of(&b).join("pin").exists());
}
