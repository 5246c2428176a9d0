//! Setting up: init, agents, operators, integrations, the policy, completions.
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
use support::{Bench, PASSPHRASE, code, text};

#[path = "cli_setup/agent.rs"]
mod agent;
#[path = "cli_setup/completions.rs"]
mod completions;
#[path = "cli_setup/desk.rs"]
mod desk;
#[path = "cli_setup/init.rs"]
mod init;
#[path = "cli_setup/integration.rs"]
mod integration;
#[path = "cli_setup/operator.rs"]
mod operator;
#[path = "cli_setup/policy.rs"]
mod policy;

use std::path::{Path, PathBuf};
use std::process::Output;

/// A secret file of mode 0600.
fn secret(b: &Bench, name: &str, content: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = b.path(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Runs as an operator and insists on that exit code; gives stdout and stderr.
fn run(b: &Bench, exit: i32, args: &[&str]) -> (String, String) {
    said(&b.run(args), exit, args)
}

/// Insists on an exit code; gives stdout and stderr.
fn said(out: &Output, exit: i32, args: &[&str]) -> (String, String) {
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(code(out), exit, "{args:?}\n{stdout}{stderr}");
    (stdout, stderr)
}

/// Runs with `--json` and parses what comes.
fn json(b: &Bench, exit: i32, args: &[&str]) -> serde_json::Value {
    let mut all = args.to_vec();
    all.push("--json");
    let (stdout, stderr) = run(b, exit, &all);
    serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{args:?}: {e}\n{stdout}{stderr}"))
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

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// No line of a page is wider than the screen.
fn assert_fits(page: &str) {
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}
