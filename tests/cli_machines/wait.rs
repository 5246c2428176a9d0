//! `request wait`: distinct answers, at once, without asking all the time.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::time::Span;

use crate::lab::{Lab, MERGE, READ, id, now};

fn waiting(lab: &Lab, args: &[&str]) -> Child {
    let mut c = lab.bench.agent("build-bot", &[&["--json", "request", "wait"], args].concat());
    c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts waiting, lets it settle, does something, and gives the answer and how long it took to come.
fn answer(lab: &Lab, request: &str, act: impl FnOnce()) -> (i32, String, Duration) {
    let mut child = waiting(lab, &[request, "--timeout", "20s"]);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    act();
    let start = Instant::now();
    let out = child.wait_with_output().unwrap();
    let v: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    (out.status.code().unwrap(), v["standing"].as_str().unwrap().into(), start.elapsed())
}

#[test]
fn every_answer_is_its_own_and_comes_at_once() {
    let lab = Lab::new();
    let r: Vec<String> = (0..6).map(|_| lab.ask(MERGE, 5)).collect();
    let mut slowest = Duration::ZERO;
    let mut expect = |request: &str, exit: i32, standing: &str, act: &dyn Fn()| {
        let (got, what, took) = answer(&lab, request, act);
        assert_eq!((got, what.as_str()), (exit, standing));
        slowest = slowest.max(took);
    };
    expect(&r[0], 0, "approved", &|| lab.approve(&r[0]));
    expect(&r[1], 1, "denied", &|| lab.deny(&r[1]));
    expect(&r[2], 1, "withdrawn", &|| assert!(lab.bot(&["request", "withdraw", &r[2]]).status.success()));
    expect(&r[3], 1, "frozen", &|| lab.freeze(id("w-1")));
    lab.thaw(id("w-1"));
    expect(&r[3], 1, "frozen", &|| lab.freeze(id("ag-1")));
    lab.thaw(id("ag-1"));
    // Something else happening is no answer.
    let (exit, standing, _) = answer(&lab, &r[3], || {
        lab.ask(READ, 0);
        lab.approve(&r[3]);
    });
    assert_eq!((exit, standing.as_str()), (0, "approved"));
    expect(&r[4], 1, "cancelled", &|| lab.revoke(id("g-1")));
    // Only looking every five seconds, which is what is left where nothing tells, would be slower.
    assert!(slowest < Duration::from_secs(4), "{slowest:?}");
    lab.verified();
}

#[test]
fn allowed_is_an_answer_too_and_a_timeout_is_none() {
    let lab = Lab::new();
    let (allowed, asked) = (lab.ask(READ, 0), lab.ask(MERGE, 5));
    let (exit, v) = lab.json(&["request", "wait", &allowed]);
    assert_eq!((exit, &v["standing"], &v["schema"]), (0, &"allowed".into(), &"aosctl.request-wait/v1".into()));
    let start = Instant::now();
    let (exit, v) = lab.json(&["request", "wait", &asked, "--timeout", "1s"]);
    assert_eq!((exit, &v["standing"]), (5, &"pending".into()));
    assert!(start.elapsed() >= Duration::from_secs(1) && start.elapsed() < Duration::from_secs(5));
    assert!(v["waited_ms"].as_u64().unwrap() >= 1000);
    let (exit, _) = lab.json(&["request", "wait", &asked, "--timeout", "0s"]);
    assert_eq!(exit, 5);
}

/// Nothing is written when a grant or an approval ends.
#[test]
fn ends_are_noticed_without_an_entry() {
    let lab = Lab::new();
    lab.integration("github-eu", "github", false);
    let soon = now().plus(Span::seconds(3));
    lab.grant("build-bot", "github-eu", "repo:acme/*", Access::Write, DataClass::Internal, Some(soon));
    let r =
        lab.ask(&["--integration", "github-eu", "--action", "pull_request.merge", "--resource", "repo:acme/app"], 5);
    let (exit, v) = lab.json(&["request", "wait", &r, "--timeout", "15s"]);
    assert_eq!((exit, &v["standing"]), (1, &"cancelled".into()));
    assert!(now() >= soon && now() < soon.plus(Span::seconds(4)), "noticed when it ended");
    let r = lab.ask(MERGE, 5);
    lab.approve_for(&r, Span::seconds(1));
    std::thread::sleep(Duration::from_millis(1100));
    let (exit, v) = lab.json(&["request", "wait", &r]);
    assert_eq!((exit, &v["standing"]), (1, &"expired".into()));
    assert_eq!(lab.json(&["request", "begin", &r]).1["kind"], "expired");
}

/// A laptop must not feel it: half a second of waiting costs no more processor time than a few looks.
#[cfg(target_os = "linux")]
#[test]
fn waiting_costs_next_to_nothing() {
    let lab = Lab::new();
    let r = lab.ask(MERGE, 5);
    let mut child = waiting(&lab, &[&r, "--timeout", "30s"]);
    std::thread::sleep(Duration::from_millis(700));
    let ticks = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = ticks(child.id());
    std::thread::sleep(Duration::from_secs(3));
    let used = ticks(child.id()) - before;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(used <= 3, "{used} ticks of a hundredth of a second in three seconds");
}
