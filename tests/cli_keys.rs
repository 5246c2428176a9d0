//! Keys from outside: add, list, show, set, retire and import, through the real binary and real files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test fails by panicking, may print, and has files, a clock, an environment and a loopback of its own"
)]

mod support;

#[path = "cli_keys/add.rs"]
mod add;
#[path = "cli_keys/aws.rs"]
mod aws;
#[path = "cli_keys/hostile.rs"]
mod hostile;
#[path = "cli_keys/import.rs"]
mod import;
#[path = "cli_keys/retire.rs"]
mod retire;
#[path = "cli_keys/show.rs"]
mod show;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::{Bench, code, text};

/// A workspace with the integration `github`.
fn bench() -> Bench {
    let b = Bench::new();
    b.ok(&["integration", "add", "github"]);
    b
}

/// Runs as an operator and insists on an exit code; gives stdout and stderr.
fn run(b: &Bench, exit: i32, args: &[&str]) -> (String, String) {
    said(&b.run(args), exit, args)
}

fn said(out: &Output, exit: i32, args: &[&str]) -> (String, String) {
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(code(out), exit, "{args:?}\n{stdout}{stderr}");
    assert!(!stderr.contains("panicked"), "{args:?}\n{stderr}");
    (stdout, stderr)
}

/// Runs with `--json` and parses what comes.
fn json(b: &Bench, exit: i32, args: &[&str]) -> Value {
    let (stdout, stderr) = run(b, exit, &[args, &["--json"]].concat());
    serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{args:?}: {e}\n{stdout}{stderr}"))
}

/// As [`run`], with something on standard input.
fn piped(b: &Bench, exit: i32, args: &[&str], input: &[u8]) -> (String, String) {
    said(&fed(b.cmd(args), input), exit, args)
}

fn fed(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Beside the reading, because neither side may wait for the other; who is refused early reads no end.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    out
}

/// A file in the bench.
fn file(b: &Bench, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = b.path(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// How many entries the log has.
fn entries(b: &Bench) -> i64 {
    let c = rusqlite::Connection::open(b.db()).unwrap();
    c.query_row("SELECT count(*) FROM entries", [], |r| r.get(0)).unwrap()
}

/// Whether the whole log and its tables verify.
fn assert_whole(b: &Bench) {
    run(b, 0, &["audit", "verify"]);
}

/// No line of a page is wider than the screen.
fn assert_fits(page: &str) {
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

/// The names of the keys in a list.
fn names(v: &Value) -> Vec<&str> {
    v["keys"].as_array().unwrap().iter().map(|k| k["name"].as_str().unwrap()).collect()
}
