//! Many processes at once: the real binary, real files. Nothing is handed out twice, nothing acknowledged is lost, nobody
//! is told "busy". `AOSCTL_SOAK=N` makes everything N times as much.
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

mod lab;
mod support;

#[path = "concurrency/claims.rs"]
mod claims;
#[path = "concurrency/freezes.rs"]
mod freezes;
#[path = "concurrency/money.rs"]
mod money;
#[path = "concurrency/writers.rs"]
mod writers;

use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};

use lab::Lab;
use support::{code, text};

/// One crowd at a time: two would only slow each other down.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many times as much as usual.
fn soak() -> usize {
    std::env::var("AOSCTL_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1).max(1)
}

/// Runs so many commands, `at_once` at a time; gives what each said, in the order of their numbers.
fn crowd(count: usize, at_once: usize, make: impl Fn(usize) -> Command + Sync) -> Vec<Output> {
    let next = AtomicUsize::new(0);
    let out: Mutex<Vec<Option<Output>>> = Mutex::new((0..count).map(|_| None).collect());
    let start = Barrier::new(at_once.min(count));
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(count) {
            scope.spawn(|| {
                start.wait();
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= count {
                        return;
                    }
                    let said = make(n).output().unwrap();
                    out.lock().unwrap()[n] = Some(said);
                }
            });
        }
    });
    out.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
}

/// Starts commands that speak into pipes.
fn start(mut c: Command) -> Child {
    c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a crowd must never hear.
fn assert_calm(out: &Output) {
    let said = text(&out.stderr);
    for word in ["panicked", "busy", "locked", "database", "SQL", "integrity", "ROLLED"] {
        assert!(!said.contains(word), "{word:?}: {:?}\n{}{said}", out.status, text(&out.stdout));
    }
    assert!(out.status.code().is_some(), "ended by a signal: {:?}", out.status);
}

/// `audit verify` by the real binary.
fn assert_whole(lab: &Lab) {
    let out = lab.bench.bare().args(["audit", "verify"]).output().unwrap();
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    lab.verified();
}

/// Every entry of the log, by `audit log --json`.
fn log(lab: &Lab) -> Vec<serde_json::Value> {
    let out = lab.bench.bare().args(["audit", "log", "--json"]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    text(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}
