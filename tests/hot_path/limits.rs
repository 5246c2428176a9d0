//! What the hot path cannot see, by law 6: that something was removed from the log *and* from the tables, and that totals
//! are right. Each is shown to be found by `audit verify`, by name; so a change here is a change of what is promised.

use crate::scene::{apply, copy, scene};
use crate::support::{Bench, code, text};

fn exit_of(b: &Bench, args: &[&str]) -> i32 {
    code(&b.bare().args(args).output().unwrap())
}

const OTHER: &[&str] = &[
    "check",
    "--agent",
    "build-bot",
    "--integration",
    "github",
    "--action",
    "pull_request.read",
    "--resource",
    "repo:other/app",
];

fn refund(amount: &str) -> Vec<&str> {
    vec![
        "check",
        "--agent",
        "build-bot",
        "--integration",
        "payments",
        "--action",
        "refund.create",
        "--resource",
        "account:acct_1",
        "--amount",
        amount,
        "--parameters",
        r#"{"amount":100,"currency":"usd"}"#,
    ]
}

/// `audit verify` fails with exit 4, and says that.
fn must_name(b: &Bench, what: &str) {
    let out = b.bare().args(["audit", "verify"]).output().unwrap();
    let said = text(&out.stdout);
    assert_eq!(code(&out), 4, "{said}{}", text(&out.stderr));
    assert!(said.contains(what), "{what:?} is not in\n{said}");
}

#[test]
fn money_so_far_is_a_total() {
    let b = copy(scene(false));
    // 400 USD of 800 a week are spent, so 350 are within both caps, and after 300 more they are not.
    assert_eq!(exit_of(&b, &refund("350USD")), 0);
    assert_eq!(exit_of(&b, &refund("450USD")), 5);
    let spend = "INSERT INTO spends SELECT 'r-2', currency, 30000, at, seq, NULL FROM spends";
    apply(&b, spend);
    assert_eq!(exit_of(&b, &refund("350USD")), 5);
    must_name(&b, "table spends, row r-2");
    for lower in [
        "DELETE FROM spends",
        "UPDATE spends SET minor = 0",
        "UPDATE spends SET at = 0",
        "UPDATE spends SET released_seq = 1",
    ] {
        let b = copy(scene(false));
        apply(&b, lower);
        // Believed: the week's cap rests on a total. The cap for one move does not.
        assert_eq!(exit_of(&b, &refund("450USD")), 0, "{lower}");
        assert_eq!(exit_of(&b, &refund("501USD")), 5, "{lower}");
        must_name(&b, "table spends, row r-8");
    }
}

#[test]
fn a_revocation_taken_out_of_the_log_and_the_tables() {
    let b = copy(scene(false));
    assert_eq!(exit_of(&b, OTHER), 1);
    let of = "(SELECT seq FROM entries WHERE kind = 'grant.revoked/1')";
    apply(
        &b,
        &format!(
            "UPDATE grants SET revoked_seq = NULL, revoked_at = NULL, revoked_by = NULL, changed_seq = issued_seq WHERE revoked_seq = {of};
             CREATE TEMP TABLE gone AS SELECT {of} AS seq;
             DELETE FROM payloads WHERE seq = (SELECT seq FROM gone); DELETE FROM entries WHERE seq = (SELECT seq FROM gone)"
        ),
    );
    // Nothing on the way to this decision is wrong: that something is missing is for the chain to say.
    assert_eq!(exit_of(&b, OTHER), 0);
    must_name(&b, "chain");
}

/// The end cut off, tables and all, is a roll-back: the pin knows, and whoever decides asks it.
#[test]
fn the_end_cut_off() {
    let b = copy(scene(false));
    let old = copy(&b);
    assert_eq!(code(&b.bare().args(["freeze"]).output().unwrap()), 0);
    std::fs::copy(old.db(), b.db()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(b.workspace().join(format!("aosctl.db{suffix}")));
    }
    assert_eq!(exit_of(&b, OTHER), 4, "check");
    let begin =
        b.bare().env("AOSCTL_IDENTITY", b.identity("build-bot")).args(["request", "begin", "r-1"]).output().unwrap();
    assert_eq!(code(&begin), 4, "claim");
    must_name(&b, "pin");
    // Without a pin nobody can tell, so nothing is decided either.
    let state = std::fs::read_dir(b.path("state")).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(state.join("pin")).unwrap();
    assert_eq!(exit_of(&b, OTHER), 4);
    must_name(&b, "pin");
}

/// Failing closed must not mean failing for nothing: while others write, whoever decides sees a moment that holds.
#[test]
fn no_false_alarm_while_others_write() {
    use crate::lab::{Lab, id, now, place};
    use aosctl::domain::facts::Facts;
    use aosctl::domain::id::Id;
    use aosctl::workspace::Workspace;
    use std::sync::atomic::{AtomicBool, Ordering};

    let lab = Lab::new();
    let at = place(&lab.bench);
    let over = AtomicBool::new(false);
    let looks = std::thread::scope(|s| {
        let reader = s.spawn(|| {
            let mut looks = 0u32;
            while !over.load(Ordering::Relaxed) {
                let ws = Workspace::open(at.clone()).unwrap();
                for _ in 0..20 {
                    let pinned = ws.pinned().unwrap();
                    let _moment = ws.store().snapshot().unwrap();
                    ws.moment(pinned, now()).unwrap();
                    let facts = ws.facts();
                    facts.frozen(Id::WORKSPACE).unwrap();
                    facts.grant(id("g-1")).unwrap();
                    looks += 1;
                }
                // And without one moment for all of it, as lists read.
                let facts = ws.facts();
                facts.frozen(Id::WORKSPACE).unwrap();
                facts.policy().unwrap();
                facts.grant(id("g-1")).unwrap();
            }
            looks
        });
        for _ in 0..60 {
            lab.freeze(Id::WORKSPACE);
            lab.thaw(Id::WORKSPACE);
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("false alarms: 0 in {looks} looks beside 120 writes");
    lab.verified();
}
