//! Yesterday's database put back under today's pin: nothing is decided or opened by it, and doors can still be closed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

mod support;

use serde_json::Value;
use support::{Bench, code, sql, text};

const READ: &[&str] = &["--integration", "github", "--action", "contents.read", "--resource", "repo:acme/app"];

/// A workspace with a door, copied, and then a few entries ahead of the copy, with the copy put back.
fn rolled_back(ahead: usize) -> Bench {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--expires", "30d"]);
    sql(&b.db(), "PRAGMA wal_checkpoint(TRUNCATE)");
    let yesterday = std::fs::read(b.db()).unwrap();
    b.ok(&["revoke", "g-1"]);
    for _ in 1..ahead {
        let out = b.agent("build-bot", &[&["request", "new"], READ].concat()).output().unwrap();
        assert_eq!(code(&out), 1, "denied, and recorded");
    }
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", b.db().display()));
    }
    std::fs::write(b.db(), yesterday).unwrap();
    b
}

fn kind(b: &Bench, args: &[&str]) -> (i32, String) {
    let out = b.run(&[&["--json"], args].concat());
    let v: Value =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}\n{}", text(&out.stderr)));
    let kind = v["error"]["kind"].as_str().or(v["kind"].as_str()).unwrap_or_default().to_string();
    (code(&out), kind)
}

#[test]
fn nothing_is_decided_or_opened_by_yesterdays_database() {
    let b = rolled_back(1);
    let refused = (4, "rolled_back".to_string());
    assert_eq!(kind(&b, &[&["check", "--agent", "build-bot"], READ].concat()), refused);
    assert_eq!(
        kind(&b, &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/web", "--expires", "1d"]).0,
        4
    );
    assert_eq!(kind(&b, &["agent", "add", "other-bot", "--out", b.path("o").to_str().unwrap()]), refused);
    assert_eq!(kind(&b, &["policy", "set", "cap.move", "5000USD"]), refused);
    let out = b.agent("build-bot", &[&["--json", "request", "new"], READ].concat()).output().unwrap();
    assert_eq!(code(&out), 4, "{}", text(&out.stdout));
    assert_eq!(code(&b.run(&["audit", "verify"])), 4);
    assert_eq!(code(&b.run(&["status"])), 4);
}

#[test]
fn doors_are_closed_all_the_same_and_the_pin_stays() {
    let b = rolled_back(1);
    for args in [&["revoke", "g-1"][..], &["freeze"]] {
        let out = b.bare().args(args).output().unwrap();
        assert_eq!(code(&out), 0, "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains("warning:"), "{}", text(&out.stderr));
    }
    // Two entries more than the copy had, one more than the pin remembers: size alone would hide the loss by now.
    for args in [&["audit", "verify"][..], &["thaw"], &["agent", "add", "other-bot"]] {
        assert_eq!(code(&b.run(args)), 4, "{args:?}");
    }
}

#[test]
fn the_newest_copy_put_back_heals_it() {
    let b = rolled_back(3);
    assert_eq!(code(&b.bare().args(["freeze"]).output().unwrap()), 0);
    assert_eq!(code(&b.run(&["thaw"])), 4);
    // What the marker says is only believed as long as the log does not hold what the pin remembers.
    let fresh = Bench::new();
    fresh.ok(&["freeze"]);
    let state = support::state_of(&fresh);
    std::fs::write(state.join("behind"), "").unwrap();
    fresh.ok(&["thaw"]);
    assert!(!state.join("behind").exists());
    fresh.ok(&["audit", "verify"]);
}

#[test]
fn without_a_pin_doors_can_only_be_closed() {
    let b = Bench::new();
    let quiet = b.bare().args(["freeze"]).output().unwrap();
    assert!(!text(&quiet.stderr).contains("mind the pin"), "{}", text(&quiet.stderr));
    b.ok(&["thaw"]);
    let state = support::state_of(&b);
    std::fs::remove_file(state.join("pin")).unwrap();
    assert_eq!(code(&b.run(&["audit", "verify"])), 4);
    let refused = (4, "pin_missing".to_string());
    assert_eq!(kind(&b, &["agent", "add", "other-bot"]), refused);
    let out = b.bare().args(["freeze"]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    // Whoever closes a door makes no new pin: it would hide what is gone.
    assert!(!state.join("pin").exists());
    assert_eq!(kind(&b, &["thaw"]), refused);
    b.ok(&["workspace", "accept-rollback", "--reason", "the disk was cleaned", "--yes"]);
    b.ok(&["thaw"]);
    b.ok(&["audit", "verify"]);
}
