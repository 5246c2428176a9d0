//! SIGKILL at every stage of every kind of write.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use serde_json::Value;

use crate::lab::{Lab, MERGE, READ, id, script};
use crate::support::{Bench, code, text};
use crate::{assert_whole, ends, soak, verify};

/// The part of a run before whose end most is written.
const LAST: Duration = Duration::from_millis(60);

/// How a command ended that was killed after a while, or was quicker.
pub enum Ended {
    /// It had printed its answer: acknowledged.
    Answered(i32, Value),
    /// It had not.
    Cut,
}

/// Starts a command, kills it after a while, and reads what it had printed by then.
pub fn kill_after(mut c: Command, delay: Duration) -> Ended {
    let mut child = c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(delay);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    // A program that it started may hold stderr; nobody waits for it here.
    if status.code().is_some() {
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(!err.contains("panicked"), "{err}");
    }
    match serde_json::from_str(&out) {
        Ok(v) => Ended::Answered(status.code().unwrap_or(-1), v),
        Err(_) => {
            assert!(status.code().is_none(), "it ended by itself without an answer: {status:?} {out:?} {err}");
            Ended::Cut
        }
    }
}

/// How long a command takes when nobody kills it.
fn duration(mut c: Command) -> Duration {
    let begin = Instant::now();
    let out = c.output().unwrap();
    assert!(matches!(out.status.code(), Some(0 | 5)), "{}{}", text(&out.stdout), text(&out.stderr));
    begin.elapsed()
}

/// Delays in small steps over the last part of a run, and a little beyond its end.
fn delays(whole: Duration, count: u32) -> impl Iterator<Item = Duration> {
    let count = count * soak();
    let (from, to) = (whole.saturating_sub(LAST), whole + whole / 5 + Duration::from_millis(2));
    (0..count).map(move |n| from + (to - from) * n / count)
}

/// Counts for the last line of a test.
#[derive(Default)]
struct Tally {
    answered: u32,
    cut: u32,
}

impl Tally {
    fn of(&mut self, ended: &Ended) {
        match ended {
            Ended::Answered(..) => self.answered += 1,
            Ended::Cut => self.cut += 1,
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        println!("{} killed before they answered, {} after", self.cut, self.answered);
    }
}

#[test]
fn asking() {
    let lab = Lab::new();
    let ask = || lab.bench.agent("build-bot", &[&["--json", "request", "new"], MERGE].concat());
    let whole = duration(ask());
    let mut tally = Tally::default();
    for (n, delay) in delays(whole, 90).enumerate() {
        let before = lab.entries();
        let ended = kill_after(ask(), delay);
        tally.of(&ended);
        let now = lab.entries();
        match ended {
            Ended::Answered(exit, v) => {
                assert!(exit == 5 || exit == -1, "{v:#}");
                let r = id(v["id"].as_str().unwrap());
                assert!(lab.ws().facts().request(r).unwrap().is_some(), "{r} was acknowledged and is gone");
                assert_eq!(now, before + 1);
            }
            // Committed or not, but never half.
            Ended::Cut => assert!(now == before || now == before + 1),
        }
        if n % 15 == 0 {
            assert_whole(&lab.bench);
        }
    }
    // And it goes on.
    lab.ask(READ, 0);
    assert_whole(&lab.bench);
}

#[test]
fn opening_and_closing_doors() {
    let lab = Lab::new();
    let connect = |n: u32| {
        let scope = format!("repo:other/app-{n}");
        lab.bench.cmd(&["--json", "connect", "github", "--agent", "build-bot", "--scope", &scope, "--data", "internal"])
    };
    let whole = duration(connect(0));
    let mut tally = Tally::default();
    for (n, delay) in (1..).zip(delays(whole, 20)) {
        let ended = kill_after(connect(n), delay);
        tally.of(&ended);
        if let Ended::Answered(_, v) = ended {
            let g = id(v["grant"].as_str().unwrap_or_else(|| panic!("{v:#}")));
            let found = lab.ws().facts().grant(g).unwrap().expect("an acknowledged grant is gone");
            assert_eq!(found.scope.as_str(), format!("repo:other/app-{n}"));
        }
        lab.entries();
    }
    assert_whole(&lab.bench);
    let grants: Vec<_> = (0..40 * soak())
        .map(|n| {
            let scope = format!("repo:acme/closed-{n}");
            lab.grant("build-bot", "github", &scope, Access::Read, DataClass::Internal, None)
        })
        .collect();
    let revoke = |g: &str| {
        let mut c = lab.bench.bare();
        c.args(["--json", "revoke", g]);
        c
    };
    let whole = duration(revoke(&grants[0].to_string()));
    for (g, delay) in grants.iter().skip(1).zip(delays(whole, 39)) {
        let ended = kill_after(revoke(&g.to_string()), delay);
        tally.of(&ended);
        let revoked = lab.ws().facts().grant(*g).unwrap().unwrap().revoked_seq.is_some();
        assert!(revoked || matches!(ended, Ended::Cut), "{g} was acknowledged as revoked, and is live");
    }
    assert_whole(&lab.bench);
}

#[test]
fn approving_and_setting_the_policy() {
    let lab = Lab::new();
    let approve = |r: &str| lab.bench.cmd(&["--json", "approve", r]);
    let whole = duration(approve(&lab.ask(MERGE, 5)));
    let mut tally = Tally::default();
    for delay in delays(whole, 15) {
        let r = lab.ask(MERGE, 5);
        let ended = kill_after(approve(&r), delay);
        tally.of(&ended);
        let standing = lab.json(&["request", "wait", &r, "--timeout", "0s"]).1["standing"].clone();
        assert!(standing == "approved" || matches!(ended, Ended::Cut), "{r} was approved, and is {standing}");
    }
    let set = |n: u32| lab.bench.cmd(&["--json", "policy", "set", "cap.move", &format!("{}USD", 100 + n)]);
    let whole = duration(set(0));
    for (n, delay) in (1..).zip(delays(whole, 15)) {
        let ended = kill_after(set(n), delay);
        tally.of(&ended);
        let cap = lab.ws().adopted().unwrap().unwrap().rules.caps.per_move().minor;
        assert!(cap == u64::from(100 + n) * 100 || matches!(ended, Ended::Cut), "{cap} in force, {n} acknowledged");
    }
    assert_whole(&lab.bench);
    // What a kill between the adoption and the text beside it leaves is said, and can be set again.
    lab.bench.ok(&["policy", "set", "cap.move", "77USD"]);
    assert_eq!(lab.ws().adopted().unwrap().unwrap().rules.caps.per_move().minor, 7700);
    assert_whole(&lab.bench);
}

#[test]
fn creating_a_workspace() {
    let init = |b: &Bench| b.cmd(&["--json", "init", "--name", "ACME"]);
    let whole = duration(init(&Bench::empty()));
    let mut tally = Tally::default();
    for delay in delays(whole, 20) {
        let b = Bench::empty();
        let ended = kill_after(init(&b), delay);
        tally.of(&ended);
        if b.workspace().exists() {
            // Whole, or not at all.
            assert_whole(&b);
        } else {
            assert!(matches!(ended, Ended::Cut), "an acknowledged workspace is gone");
            assert_eq!(verify(&b).0, 3);
            // What was being built stands in nobody's way.
            let out = ends(&mut init(&b));
            assert_eq!(code(&out), 0, "{}", text(&out.stderr));
            assert_whole(&b);
        }
        b.ok(&["agent", "add", "build-bot"]);
        assert_whole(&b);
    }
}

/// Many at once, every other one killed somewhere: the others notice nothing, and what was answered is there.
#[test]
fn in_the_middle_of_a_crowd() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let lab = Lab::new();
    let ask = || lab.bench.agent("build-bot", &[&["--json", "request", "new"], READ].concat());
    let before = lab.entries();
    let (next, count) = (AtomicU32::new(0), 160 * soak());
    let answered = std::sync::Mutex::new(Vec::new());
    let cut = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= count {
                        return;
                    }
                    let ended = if n % 2 == 0 {
                        // In a crowd each takes many times as long as alone.
                        kill_after(ask(), Duration::from_millis(u64::from(n * 7 % 160)))
                    } else {
                        let out = ends(&mut ask());
                        assert_eq!(code(&out), 0, "{}", text(&out.stderr));
                        Ended::Answered(0, serde_json::from_slice(&out.stdout).unwrap())
                    };
                    match ended {
                        Ended::Answered(_, v) => answered.lock().unwrap().push(id(v["id"].as_str().unwrap())),
                        Ended::Cut => drop(cut.fetch_add(1, Ordering::SeqCst)),
                    }
                }
            });
        }
    });
    let answered = answered.into_inner().unwrap();
    let ws = lab.ws();
    for r in &answered {
        assert!(ws.facts().request(*r).unwrap().is_some(), "{r} was acknowledged and is gone");
    }
    let cut = u64::from(cut.into_inner());
    let written = lab.entries() - before;
    let distinct: std::collections::BTreeSet<_> = answered.iter().collect();
    assert_eq!(distinct.len(), answered.len(), "an id was given out twice");
    let told = u64::try_from(answered.len()).unwrap();
    println!("{cut} killed before they answered, {told} answered, {written} written");
    assert!(written >= told && written <= told + cut);
    assert_whole(&lab.bench);
}

/// The scratch database of `audit verify` has no name while it is used, so nothing of it outlives a kill.
#[cfg(target_os = "linux")]
#[test]
fn verifying_leaves_nothing_behind() {
    use aosctl::workspace::{VerifyOptions, verify};
    let lab = Lab::new();
    lab.ask(READ, 0);
    let mut looked = 0;
    let mut look = |_: u64, _: u64| {
        let open: Vec<String> = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|e| std::fs::read_link(e.unwrap().path()).ok())
            .map(|to| to.to_string_lossy().into_owned())
            .filter(|to| to.contains("replay.db"))
            .collect();
        assert!(!open.is_empty(), "the scratch database has another name now");
        // Other tests verify at the same time.
        assert!(open.iter().any(|to| to.ends_with("(deleted)")), "{open:?}");
        looked += 1;
    };
    let v = verify(&crate::lab::place(&lab.bench), &VerifyOptions::default(), crate::lab::now(), &mut look).unwrap();
    assert!(!v.report.failed() && looked > 0);
}

fn lines(lab: &Lab, r: &str) -> usize {
    std::fs::read_to_string(lab.bench.path(&format!("ran-{r}"))).unwrap_or_default().lines().count()
}

/// Killed anywhere between reading and recording: what was begun is `unknown`, and never begun again.
#[test]
fn running() {
    let lab = Lab::new();
    script(&lab.bench, "work", "#!/bin/sh\necho ran >> \"ran-$1\"\n");
    let run = |r: &str| lab.bench.agent("build-bot", &["--json", "run", r, "--", "./work", r]);
    let whole = duration(run(&lab.ask(READ, 0)));
    let mut tally = Tally::default();
    let mut seen = std::collections::BTreeMap::new();
    let mut asked = vec![];
    for delay in delays(whole, 60) {
        let r = lab.ask(READ, 0);
        let ended = kill_after(run(&r), delay);
        tally.of(&ended);
        let standing =
            lab.json(&["request", "wait", &r, "--timeout", "0s"]).1["standing"].as_str().unwrap().to_string();
        let again = ends(&mut run(&r));
        match (standing.as_str(), &ended) {
            // Nothing was begun, so it is begun now.
            ("allowed", Ended::Cut) => assert_eq!(code(&again), 0, "{}", text(&again.stderr)),
            ("unknown", Ended::Cut) => {
                assert_eq!(code(&again), 1, "it ran again: {}", text(&again.stderr));
                let resolve = ["request", "resolve", &r, "--outcome", "failed", "--reason", "killed on purpose"];
                lab.bench.ok(&resolve);
                assert_eq!(lab.json(&["request", "wait", &r]).1["standing"], "failed");
            }
            ("succeeded", _) => assert_eq!(code(&again), 1, "it ran again: {}", text(&again.stderr)),
            _ => panic!("{r} is {standing}"),
        }
        *seen.entry(standing.clone()).or_insert(0) += 1;
        asked.push((r, standing));
    }
    println!("{seen:?}");
    for (r, standing) in asked {
        let ran = lines(&lab, &r);
        assert!(ran == 1 || (ran == 0 && standing == "unknown"), "{r}, {standing}, ran {ran} times");
    }
    assert_whole(&lab.bench);
}

/// The same in slow motion: killed while the command runs.
#[test]
fn killed_while_the_command_runs() {
    let lab = Lab::new();
    let gate = lab.bench.path("gate");
    let slow = format!("#!/bin/sh\necho ran >> \"ran-$1\"\nwhile [ ! -e {} ]; do sleep 0.01; done\n", gate.display());
    script(&lab.bench, "slow", &slow);
    let r = lab.ask(&[READ, &["--command", "--", "./slow", "bound"]].concat(), 0);
    let line = ["--json", "run", &r, "--", "./slow", "bound"];
    let mut child = lab.bench.agent("build-bot", &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while lines(&lab, "bound") == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it runs");
        std::thread::sleep(Duration::from_millis(5));
    }
    let standing = || lab.json(&["request", "wait", &r, "--timeout", "0s"]).1["standing"].clone();
    assert_eq!(standing(), "claimed");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it started still runs; whoever asks is told that nobody knows.
    assert_eq!(standing(), "unknown");
    for verb in [&line[..], &["--json", "request", "begin", &r], &["--json", "request", "done", &r]] {
        let out = ends(&mut lab.bench.agent("build-bot", verb));
        assert_eq!(code(&out), 1, "{verb:?}: {}", text(&out.stdout));
    }
    std::fs::write(&gate, "").unwrap();
    assert_eq!(standing(), "unknown", "nobody but an operator knows better");
    let out = ends(lab.bench.bare().args(["--json", "request", "show", &r]));
    assert!(text(&out.stdout).contains("\"unknown\""), "{}", text(&out.stdout));
    lab.bench.ok(&["request", "resolve", &r, "--outcome", "succeeded", "--reason", "seen at the provider"]);
    assert_eq!(standing(), "succeeded");
    assert_eq!(code(&ends(&mut lab.bench.agent("build-bot", &line))), 1);
    assert_eq!(lines(&lab, "bound"), 1);
    assert_whole(&lab.bench);
}
