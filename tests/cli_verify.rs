//! `audit verify` beyond the workspace: bundles of every kind, whole, mutated and hostile; checkpoints and witnesses from
//! outside; the look behind the pin; and what each verdict is called.
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

#[path = "cli_verify/archives.rs"]
mod archives;
#[path = "cli_verify/bundle.rs"]
mod bundle;
#[path = "cli_verify/mutated.rs"]
mod mutated;
#[path = "cli_verify/outside.rs"]
mod outside;
#[path = "cli_verify/since.rs"]
mod since;
#[path = "cli_verify/vectors.rs"]
mod vectors;
#[path = "cli_verify/words.rs"]
mod words;
#[path = "authority/world.rs"]
mod world;
