//! Law 6, the table of authority: who may sign what, and when. Every situation is judged three times: by
//! `authority::judge` as the hot path calls it, by `audit verify` over a log into which the signed entry was really written
//! past all checks, and by the hot path afterwards, which must believe what it believed before.
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

#[path = "authority/doors.rs"]
mod doors;
#[path = "authority/judged.rs"]
mod judged;
#[path = "authority/keys.rs"]
mod keys;
#[path = "authority/matrix.rs"]
mod matrix;
#[path = "authority/record.rs"]
mod record;
#[path = "authority/recovery.rs"]
mod recovery;
#[path = "authority/requests.rs"]
mod requests;
#[path = "authority/signers.rs"]
mod signers;
#[path = "authority/world.rs"]
mod world;
