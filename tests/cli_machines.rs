//! What agents and scripts do: `check`, `request new|wait|begin|done|fail|withdraw|resolve`.
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

#[path = "cli_machines/check.rs"]
mod check;
#[path = "cli_machines/hostile.rs"]
mod hostile;
#[path = "cli_machines/money.rs"]
mod money;
#[path = "cli_machines/report.rs"]
mod report;
#[path = "cli_machines/request.rs"]
mod request;
#[path = "cli_machines/wait.rs"]
mod wait;
