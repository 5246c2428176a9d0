//! Five commands that write, each of their steps broken in every way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aosctl::domain::event::WorkspaceFrozen;
use aosctl::domain::id::Id;
use aosctl::workspace::{By, Place, VerifyOptions, Workspace, WorkspaceError, verify};

use crate::lab::{Lab, MERGE, READ, now};
use crate::support::tree::copy_tree;
use crate::support::{Bench, text};
use crate::{compiled, in_memory, skip};

/// A workspace in which everything is prepared for the commands below; only copies of it are used.
struct Ready {
    lab: Lab,
    step: PathBuf,
    before: Vec<String>,
}

/// A copy, with the paths that a command needs.
struct Copy {
    dir: tempfile::TempDir,
}

impl Copy {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn place(&self) -> Place {
        Place { dir: self.path("ws"), state: self.path("state") }
    }

    /// The types of its entries, in order.
    fn kinds(&self) -> Vec<String> {
        kinds(&Workspace::open(self.place()).unwrap())
    }

    fn verified(&self) -> Result<(), String> {
        let v = verify(&self.place(), &VerifyOptions::default(), now(), &mut |_, _| {}).map_err(|e| e.to_string())?;
        let whole = !v.report.failed() && v.differences.is_empty() && v.invalid.is_empty();
        if whole { Ok(()) } else { Err(format!("{v:#?}")) }
    }
}

fn kinds(ws: &Workspace) -> Vec<String> {
    ws.store().range(0, usize::MAX).unwrap().into_iter().map(|s| s.columns.0).collect()
}

/// A command by name: its arguments, and whether an agent gives it.
struct Line {
    name: &'static str,
    args: Vec<&'static str>,
    agent: bool,
}

fn lines() -> Vec<Line> {
    let request = [&["request", "new"], READ].concat();
    let connect =
        ["connect", "github", "--agent", "build-bot", "--scope", "repo:other/app", "--data", "internal"].to_vec();
    vec![
        Line { name: "request new", args: request, agent: true },
        Line { name: "revoke", args: vec!["revoke", "g-1"], agent: false },
        Line { name: "approve", args: vec!["approve", "r-1"], agent: false },
        Line { name: "connect", args: connect, agent: false },
        Line { name: "key add", args: vec!["key", "add", "ci", "--ref", "op://ci/github/token"], agent: false },
    ]
}

impl Ready {
    fn new() -> Option<Ready> {
        let lab = Lab::new();
        lab.ask(MERGE, 5);
        let step = compiled("step.c", &lab.bench.path("step"), &[])?;
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&step, std::fs::Permissions::from_mode(0o700)).unwrap();
        let before = kinds(&lab.ws());
        Some(Ready { lab, step, before })
    }

    fn copy(&self) -> Copy {
        let dir = tempfile::tempdir().unwrap();
        for name in ["ws", "state"] {
            copy_tree(&self.lab.bench.path(name), &dir.path().join(name));
        }
        Copy { dir }
    }

    /// Runs it on a copy with that step broken; the second value is what `step.c` reports.
    fn run(&self, copy: &Copy, line: &Line, mode: &str, n: usize) -> (Output, Vec<String>) {
        let report = copy.path("report");
        let mut c = Command::new(&self.step);
        c.env_clear()
            .env("HOME", copy.dir.path())
            .env("AOSCTL_WORKSPACE", copy.path("ws"))
            .env("AOSCTL_STATE_DIR", copy.path("state"))
            .args([mode, &n.to_string()])
            .arg(copy.dir.path())
            .arg(&report)
            .arg(env!("CARGO_BIN_EXE_aosctl"))
            .arg("--json");
        let bench: &Bench = &self.lab.bench;
        match line.agent {
            true => c.arg("--identity").arg(bench.identity("build-bot")),
            false => c.arg("--passphrase-file").arg(bench.path("pass")),
        };
        let out = c.args(&line.args).output().unwrap();
        let steps = std::fs::read_to_string(&report).unwrap_or_default().lines().map(str::to_owned).collect();
        (out, steps)
    }
}

/// Which steps are broken: all, but of a long row of the same (a shared-memory file filled with zeros, locks taken and
/// given back) the first, the one in the middle and the last.
fn chosen(steps: &[String]) -> Vec<usize> {
    let mut all = Vec::new();
    let mut from = 0;
    while from < steps.len() {
        let mut to = from;
        while to + 1 < steps.len() && steps[to + 1] == steps[from] {
            to += 1;
        }
        let mut some = vec![from, (from + to) / 2, to];
        some.dedup();
        all.extend(some.into_iter().map(|i| i + 1));
        from = to + 1;
    }
    all
}

/// What is wrong after a broken step; `None` if nothing is.
fn complaint(ready: &Ready, line: &Line, whole: &[String], mode: &str, n: usize, seen: &Seen) -> Option<String> {
    let copy = ready.copy();
    let (out, steps) = ready.run(&copy, line, mode, n);
    let broken = steps.iter().find_map(|s| s.strip_prefix('=')).unwrap_or("nothing");
    let context = format!("{}, step {n} ({broken}), {mode}", line.name);
    let (code, said) = (out.status.code().unwrap_or(-1), text(&out.stderr));
    let bad = |what: &str| Some(format!("{context}: {what}\nexit {code}\n{}{said}", text(&out.stdout)));
    if said.contains("panicked") {
        return bad("a panic");
    }
    let killed = code == 128 + 9;
    if !killed && !(0..=5).contains(&code) {
        return bad("an exit code that is none of ours");
    }
    if !killed && code > 1 && code < 5 && !said.contains("error: ") {
        return bad("no word why");
    }
    let kinds = copy.kinds();
    let acknowledged = code == 0;
    if kinds != ready.before && kinds != whole {
        return bad(&format!("half of it is there: {:?}", &kinds[ready.before.len().min(kinds.len())..]));
    }
    if acknowledged && kinds != whole {
        return bad("it was acknowledged, and is not there");
    }
    if said.contains("nothing was changed") && kinds != ready.before {
        return bad("it says that nothing was changed, and it was");
    }
    if let Err(why) = copy.verified() {
        return bad(&format!("it does not verify: {why}"));
    }
    seen.count(mode, acknowledged, kinds == whole);
    // And it goes on.
    if n.is_multiple_of(4) {
        let ws = Workspace::open(copy.place()).unwrap();
        let log = ws.log_identity().unwrap();
        let frozen = WorkspaceFrozen { target: Id::WORKSPACE, reason: None };
        let went = ws.transact(now(), |tx| tx.append(By::log(log.signer()), frozen).map(drop));
        if !matches!(went, Ok(((), None))) {
            return bad(&format!("it does not go on: {:?}", went.map(|_: ((), Option<WorkspaceError>)| ())));
        }
        drop(ws);
        if let Err(why) = copy.verified() {
            return bad(&format!("it does not verify when it goes on: {why}"));
        }
    }
    None
}

/// How it ended, by mode: answered, there without an answer, gone.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<String, [usize; 3]>>);

impl Seen {
    fn count(&self, mode: &str, acknowledged: bool, there: bool) {
        let which = if acknowledged {
            0
        } else if there {
            1
        } else {
            2
        };
        self.0.lock().unwrap().entry(mode.to_owned()).or_default()[which] += 1;
    }
}

#[test]
fn every_step_of_a_commit_is_broken() {
    in_memory();
    let Some(ready) = Ready::new() else { return };
    let mut work: Vec<(usize, usize, &str)> = Vec::new();
    let lines = lines();
    let mut whole = Vec::new();
    for (which, line) in lines.iter().enumerate() {
        let copy = ready.copy();
        let (out, steps) = ready.run(&copy, line, "fail-io", 0);
        if out.status.code() == Some(125) {
            skip::<()>("this system has no ptrace for tests");
            return;
        }
        assert!(out.status.success(), "{}: {:?} {}{}", line.name, out.status, text(&out.stdout), text(&out.stderr));
        copy.verified().unwrap();
        whole.push(copy.kinds());
        let some = chosen(&steps);
        println!("{}: {} steps, {} of them broken", line.name, steps.len(), some.len());
        assert!(some.len() > 20, "{steps:?}");
        for n in some {
            let lock = steps[n - 1].starts_with("lock");
            // A lock that is refused is one thing; one that is taken and denied is the same to whoever asked.
            let modes: &[&str] = match lock {
                true => &["fail-io", "kill"],
                false => &["fail-io", "fail-full", "late-io", "kill", "killed-after"],
            };
            // What a signature by an operator costs is paid once a step, in turns: the commit is the same.
            let modes = if line.agent || which == 1 { modes.to_vec() } else { vec![modes[n % modes.len()]] };
            work.extend(modes.into_iter().map(|mode| (which, n, mode)));
        }
    }
    let (next, seen, complaints) = (AtomicUsize::new(0), Seen::default(), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((which, n, mode)) = work.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let said = complaint(&ready, &lines[*which], &whole[*which], mode, *n, &seen);
                    complaints.lock().unwrap().extend(said);
                }
            });
        }
    });
    for (mode, [answered, there, gone]) in seen.0.into_inner().unwrap() {
        println!("{mode}: {answered} answered and there, {there} there without an answer, {gone} not there");
    }
    let complaints = complaints.into_inner().unwrap();
    println!("{} broken steps, {} complaints", work.len(), complaints.len());
    let shown: Vec<&str> = complaints.iter().take(12).map(String::as_str).collect();
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), work.len(), shown.join("\n"));
}
