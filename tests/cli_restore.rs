//! A workspace that is not the newest, backups, and putting them back: the real binary on real files.
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

#[path = "cli_restore/backup.rs"]
mod backup;
#[path = "cli_restore/rollback.rs"]
mod rollback;

use serde_json::Value;
use support::{Bench, code, text};

/// Runs with `--json`, insists on that exit code, and parses what comes.
fn json(b: &Bench, exit: i32, args: &[&str]) -> Value {
    let out = b.run(&[&["--json"], args].concat());
    assert_eq!(code(&out), exit, "{args:?}\n{}{}", text(&out.stdout), text(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{args:?}: {e}\n{}", text(&out.stderr)))
}

/// A workspace with a door, an agent and a sealed secret.
fn bench() -> Bench {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--expires", "30d"]);
    b
}

/// The database by itself, everything in one file.
fn database(b: &Bench) -> Vec<u8> {
    support::sql(&b.db(), "PRAGMA wal_checkpoint(TRUNCATE)");
    std::fs::read(b.db()).unwrap()
}

fn put_database(b: &Bench, bytes: &[u8]) {
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", b.db().display()));
    }
    std::fs::write(b.db(), bytes).unwrap();
}
