//! Law 5 and `audit verify`: a workspace is changed in every way that somebody with the sqlite3 shell, an editor or an old
//! copy can think of, and each time verifying must fail and say where. Untouched, or touched only by what databases do by
//! themselves, it must not.
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

#[path = "tamper/around.rs"]
mod around;
#[path = "tamper/binary.rs"]
mod binary;
#[path = "tamper/cases.rs"]
mod cases;
#[path = "tamper/column.rs"]
mod column;
#[path = "tamper/entries.rs"]
mod entries;
#[path = "tamper/schema.rs"]
mod schema;
#[path = "tamper/tables.rs"]
mod tables;
#[path = "authority/world.rs"]
mod world;
