//! `request begin|done|fail|withdraw|resolve`: once, by the requester, settled by an operator.

use crate::lab::{Lab, MERGE, READ, id, parse, script};
use crate::support::{code, text};
use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;

fn kind(lab: &Lab, args: &[&str]) -> (i32, String) {
    let (exit, v) = lab.json(args);
    (exit, v["kind"].as_str().unwrap_or_default().to_string())
}

#[test]
fn an_agent_begins_once_and_reports_once() {
    let lab = Lab::new();
    let r = lab.ask(READ, 0);
    assert_eq!(kind(&lab, &["request", "done", &r]), (1, "not_claimed".into()));
    let (exit, v) = lab.json(&["request", "begin", "-n", &r]);
    assert_eq!((exit, &v["standing"], &v["dry_run"]), (0, &"claimed".into(), &true.into()));
    let (exit, v) = lab.json(&["request", "begin", &r]);
    assert_eq!((exit, &v["standing"]), (0, &"claimed".into()));
    assert_eq!(kind(&lab, &["request", "begin", &r]), (1, "claimed".into()));
    assert_eq!(kind(&lab, &["run", &r, "--", "true"]), (1, "claimed".into()));
    assert_eq!(kind(&lab, &["request", "withdraw", &r]), (1, "decided".into()));
    let (exit, v) = lab.json(&["request", "done", &r, "--note", "merged"]);
    assert_eq!((exit, &v["standing"]), (0, &"succeeded".into()));
    assert_eq!(kind(&lab, &["request", "fail", &r]), (1, "finished".into()));
    lab.verified();
}

#[test]
fn nothing_begins_before_it_is_approved_or_after_it_was_denied() {
    let lab = Lab::new();
    let (asked, denied, bound) =
        (lab.ask(MERGE, 5), lab.ask(MERGE, 5), lab.ask(&[MERGE, &["--command", "--", "true"]].concat(), 5));
    assert_eq!(kind(&lab, &["request", "begin", &asked]), (1, "not_allowed".into()));
    lab.deny(&denied);
    assert_eq!(kind(&lab, &["request", "begin", &denied]), (1, "not_allowed".into()));
    lab.approve(&asked);
    assert_eq!(lab.json(&["request", "begin", &asked]).0, 0);
    lab.approve(&bound);
    assert_eq!(kind(&lab, &["request", "begin", &bound]), (1, "bound_command".into()));
    assert_eq!(kind(&lab, &["request", "begin", "r-99"]), (1, "no_such_request".into()));
    assert_eq!(code(&lab.bot(&["request", "begin", "g-1"])), 2);
    lab.verified();
}

#[test]
fn a_revoked_grant_a_freeze_and_an_ended_approval_stop_it() {
    let lab = Lab::new();
    let r = lab.ask(READ, 0);
    lab.freeze(id("ag-1"));
    assert_eq!(kind(&lab, &["request", "begin", &r]), (1, "frozen".into()));
    lab.thaw(id("ag-1"));
    lab.freeze(id("w-1"));
    assert_eq!(kind(&lab, &["request", "begin", &r]), (1, "frozen".into()));
    lab.thaw(id("w-1"));
    lab.revoke(id("g-1"));
    assert_eq!(kind(&lab, &["request", "begin", &r]), (1, "no_live_grant".into()));
    lab.verified();
}

#[test]
fn only_the_requester_acts_for_a_request() {
    let lab = Lab::new();
    let r = lab.ask(READ, 0);
    lab.bench.add_agent("other-bot");
    lab.grant("other-bot", "github", "repo:acme/app", Access::Write, DataClass::Internal, None);
    for verb in [
        &["request", "begin", &r][..],
        &["request", "done", &r],
        &["request", "withdraw", &r],
        &["request", "wait", &r],
        &["run", &r, "--", "true"],
    ] {
        let out = lab.bench.agent("other-bot", &[&["--json"], verb].concat()).output().unwrap();
        assert_eq!((code(&out), &parse(&out)["kind"]), (1, &"not_the_requester".into()), "{verb:?}");
        let out = lab.bench.bare().args(verb).output().unwrap();
        assert_eq!(code(&out), 1, "{verb:?}: {}", text(&out.stderr));
    }
    // An operator may take it back.
    lab.bench.ok(&["request", "withdraw", &r, "--reason", "not today"]);
    assert_eq!(lab.json(&["request", "wait", &r]).1["standing"], "withdrawn");
    lab.verified();
}

#[test]
fn only_an_operator_settles_and_only_what_was_begun() {
    let lab = Lab::new();
    let r = lab.ask(READ, 0);
    let resolve = ["request", "resolve", &r, "--outcome", "failed", "--reason", "looked"];
    let out = lab.bench.run(&[&["--json"], &resolve[..]].concat());
    assert_eq!((code(&out), &parse(&out)["kind"]), (1, &"not_claimed".into()));
    assert_eq!(lab.json(&["request", "begin", &r]).0, 0);
    assert_eq!(lab.json(&["request", "fail", "--unknown", &r]).1["standing"], "unknown");
    // Without a passphrase nobody settles.
    assert_ne!(code(&lab.bench.bare().args(resolve).arg("--no-input").output().unwrap()), 0);
    let out = lab.bench.run(&["request", "resolve", &r, "--outcome", "succeeded", "--release", "--reason", "x"]);
    assert_eq!(code(&out), 2, "money goes back only for what failed");
    let v: serde_json::Value = serde_json::from_str(&lab.bench.ok(&[&["--json"], &resolve[..]].concat())).unwrap();
    assert_eq!((&v["standing"], &v["released"]), (&"failed".into(), &false.into()));
    let out = lab.bench.run(&resolve);
    assert_eq!(code(&out), 1, "settled once");
    lab.verified();
}

#[test]
fn what_run_began_is_reported_by_run() {
    let lab = Lab::new();
    let r = lab.ask(READ, 0);
    let gate = lab.bench.path("gate");
    script(&lab.bench, "slow", &format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.02; done\n", gate.display()));
    let mut child = lab.bench.agent("build-bot", &["run", &r, "--", "./slow"]).spawn().unwrap();
    while lab.json(&["request", "wait", &r, "--timeout", "0s"]).1["standing"] != "claimed" {
        assert!(child.try_wait().unwrap().is_none(), "it runs");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(kind(&lab, &["request", "done", &r]), (1, "begun_by_run".into()));
    let out = lab.bench.run(&["--json", "request", "resolve", &r, "--outcome", "failed", "--reason", "x"]);
    assert_eq!((code(&out), &parse(&out)["kind"]), (1, &"running".into()));
    std::fs::write(gate, "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(lab.json(&["request", "wait", &r]).1["standing"], "succeeded");
    lab.verified();
}
