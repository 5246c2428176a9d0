//! `audit disputed` and `audit void`: what a stolen identity did, and entries that nobody had the right to make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly"
)]

mod approve_world;
mod support;

#[path = "cli_dispute/stolen.rs"]
mod stolen;
#[path = "cli_dispute/void.rs"]
mod void;

use std::path::Path;
use std::process::Output;

use approve_world::World;
use serde_json::Value;
use support::{code, text};

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// As the operator of that file.
fn as_other(w: &World, file: &Path, args: &[&str]) -> Output {
    w.bench.cmd(args).arg("--identity").arg(file).output().unwrap()
}

fn must(out: &Output) {
    assert_eq!(code(out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
}
