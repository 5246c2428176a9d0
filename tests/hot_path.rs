//! Law 6: `check`, `request begin` and `run` trust no projected status. Somebody with the sqlite3 shell edits the tables,
//! the log's rows, the indexes, the schema; then the real binary must decide as it did before, or not at all (exit 4, in
//! which the decision is deny). Never may it become more permissive, but for what only `audit verify` can prove, which is
//! written down at the end.
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

#[path = "hot_path/edits.rs"]
mod edits;
#[path = "hot_path/limits.rs"]
mod limits;
#[path = "hot_path/scene.rs"]
mod scene;
