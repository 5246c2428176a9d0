//! Setting up: init, agents, operators, the policy, integrations, completions.
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
use support::{Bench, code, text};

#[path = "cli_setup/init.rs"]
mod init;

#[path = "cli_setup/agent.rs"]
mod agent;
