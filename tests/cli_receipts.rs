//! Receipts, consistency proofs, checkpoints and witnesses from outside: the real binary, real files.
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

mod approve_world;
mod support;

#[path = "cli_receipts/checkpoint.rs"]
mod checkpoint;
#[path = "cli_receipts/consistency.rs"]
mod consistency;
#[path = "cli_receipts/kept.rs"]
mod kept;
#[path = "cli_receipts/killed.rs"]
mod killed;
#[path = "cli_receipts/receipt.rs"]
mod receipt;
#[path = "cli_receipts/witness.rs"]
mod witness;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use aosctl::domain::event::IntegrationAdded;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::time::Time;
use aosctl::identity::{Passphrase, Signer};
use aosctl::sys::clock;
use aosctl::workspace::{By, Place, Workspace};
use approve_world::{Ask, World, minutes_ago};
use serde_json::Value;
use support::{Bench, PASSPHRASE, code, text};

/// The company of the approval tests, with one approved deployment.
pub fn company() -> World {
    let w = World::new();
    w.ask(minutes_ago(12), &Ask::deploy());
    w.bench.ok(&["approve", "r-1", "--reason", "tests are green"]);
    w
}

/// The first of them, and its operator unlocked: Argon2 is slow.
fn first() -> &'static (Bench, Signer) {
    static FIRST: OnceLock<(Bench, Signer)> = OnceLock::new();
    FIRST.get_or_init(|| {
        let b = Bench::new();
        let (_, sealed) = open(&b).sealed_operator(None).unwrap();
        let signer = sealed.unlock(&Passphrase::chosen(PASSPHRASE.into()).unwrap()).unwrap();
        (b, signer)
    })
}

/// A workspace of two entries, made once and copied: all of these are one log.
pub fn bench() -> Bench {
    fork_of(&first().0)
}

fn open(b: &Bench) -> Workspace {
    Workspace::open(Place { dir: b.workspace(), state: b.path("state") }).unwrap()
}

/// The log's verifier key.
pub fn vkey(b: &Bench) -> String {
    let out = b.run(&["audit", "prove", "0", "-o", "for-the-key"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let err = text(&out.stderr);
    err.split('\'').nth(1).unwrap().to_string()
}

/// Appends an entry to a copy that [`bench`] gave.
pub fn grow(b: &Bench, name: &str) {
    let ws = open(b);
    let appended = ws.transact(Time::from(clock::now()), |tx| {
        let added = IntegrationAdded {
            id: tx.next_id(IdKind::Integration)?,
            handle: name.into(),
            kind: "github".into(),
            inside: false,
            residency: None,
        };
        tx.append(By::identity(Id::FIRST_OPERATOR, &first().1), added).map(drop)
    });
    appended.unwrap();
}

/// The binary on a machine that has no workspace: another home, another state directory.
pub fn stranger(b: &Bench, place: &str, args: &[&str]) -> Command {
    let home = b.path(place);
    std::fs::create_dir_all(&home).unwrap();
    let mut c = Command::new(env!("CARGO_BIN_EXE_aosctl"));
    c.env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &home)
        .env("AOSCTL_STATE_DIR", home.join("state"))
        .current_dir(b.dir.path())
        .stdin(Stdio::null())
        .args(args);
    c
}

/// Runs it.
pub fn run(mut c: Command) -> Output {
    c.output().unwrap()
}

/// What it printed.
pub fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// Exit code, and a part of what was said on stderr or stdout.
#[track_caller]
pub fn expect(out: &Output, exit: i32, said: &str) {
    let all = format!("{}{}", text(&out.stdout), text(&out.stderr));
    assert_eq!(code(out), exit, "{all}");
    let flat = all.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(said), "{said:?} is not in:\n{all}");
}

/// A copy of the workspace and its state directory: what somebody has who can sign for the log twice.
pub fn fork_of(b: &Bench) -> Bench {
    let other = Bench::empty();
    for part in ["ws", "state"] {
        copy(&b.path(part), &other.path(part));
    }
    other
}

/// A file or a tree, as it is.
pub fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

/// Writes the newest checkpoint and gives its path.
pub fn checkpoint_of(b: &Bench, name: &str) -> PathBuf {
    let path = b.path(name);
    b.ok(&["audit", "checkpoint", "-q", "-o", path.to_str().unwrap()]);
    path
}

/// A file's text.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
