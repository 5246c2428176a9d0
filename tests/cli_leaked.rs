//! `aosctl key leaked` from outside: found, contained, walked by flags, reported.
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

mod keys_world;
mod support;

#[path = "cli_leaked/at_once.rs"]
mod at_once;
#[path = "cli_leaked/contain.rs"]
mod contain;
#[path = "cli_leaked/find.rs"]
mod find;
#[path = "cli_leaked/report.rs"]
mod report;
#[path = "cli_leaked/steps.rs"]
mod steps;

use std::process::Output;

use aosctl::domain::id::Id;
use keys_world::{add_sealed, agent, carry, integrate};
use serde_json::Value;
use support::{Bench, code, text};

const OLD: &str = "sk_live_old_old_old_9f2a";
const NEW: &str = "sk_live_new_new_new_77aa";

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn bare(b: &Bench, args: &[&str]) -> Output {
    b.bare().args(args).output().unwrap()
}

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

fn verified(b: &Bench) {
    let out = bare(b, &["audit", "verify"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
}

/// k-1 `stripe-live`, sealed, carried by g-1 of bot-a and g-2 of bot-b; k-2 `other`, carried by g-3 of bot-b.
fn bench() -> Bench {
    let b = Bench::new();
    b.add_agent("bot-a");
    b.add_agent("bot-b");
    let tool = integrate(&b, "stripe");
    let leaked = add_sealed(&b, "stripe-live", OLD, false);
    let other = add_sealed(&b, "other", "another_secret_of_another_1111", false);
    carry(&b, agent(&b, "bot-a"), tool, leaked);
    carry(&b, agent(&b, "bot-b"), tool, leaked);
    carry(&b, agent(&b, "bot-b"), tool, other);
    b
}

/// None of these secrets is in what was printed, nor in any file of the workspace or its state.
fn shows_nowhere(b: &Bench, secrets: &[&str], printed: &[&Output]) {
    let mut all: Vec<Vec<u8>> = printed.iter().flat_map(|o| [o.stdout.clone(), o.stderr.clone()]).collect();
    let mut dirs = vec![b.workspace(), b.path("state")];
    while let Some(dir) = dirs.pop() {
        for e in std::fs::read_dir(dir).unwrap() {
            let e = e.unwrap();
            match e.file_type().unwrap().is_dir() {
                true => dirs.push(e.path()),
                false => all.push(std::fs::read(e.path()).unwrap()),
            }
        }
    }
    for secret in secrets {
        for bytes in &all {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}: {}", text(bytes));
        }
    }
}
