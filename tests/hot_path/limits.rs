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
    // 400 USD of 1,000 a week are spent, so 450 are within both caps, and after 400 more they are not.
    assert_eq!(exit_of(&b, &refund("450USD")), 0);
    let spend = "INSERT INTO spends SELECT 'r-2', currency, 30000, at, seq, NULL FROM spends";
    apply(&b, spend);
    assert_eq!(exit_of(&b, &refund("450USD")), 5);
    must_name(&b, "table spends, row r-2");
    for lower in [
        "DELETE FROM spends",
        "UPDATE spends SET minor = 0",
        "UPDATE spends SET at = 0",
        "UPDATE spends SET released_seq = 1",
    ] {
        let b = copy(scene(false));
        apply(&b, lower);
        // The cap for one move does not rest on any total.
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
    // Without a pin nothing here can tell; verifying fails for want of it.
    let state = std::fs::read_dir(b.path("state")).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(state.join("pin")).unwrap();
    assert_eq!(exit_of(&b, OTHER), 1);
    must_name(&b, "pin");
}
