//! The rules of the access review, each by itself: it fires, it just does not, its evidence is too short, and the line that
//! it advises, to the letter. The snapshots are made by hand: a company of one operator, one agent and one clean grant.
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

#[path = "review_rules/keys.rs"]
mod keys;
#[path = "review_rules/page.rs"]
mod page;
#[path = "review_rules/past.rs"]
mod past;
#[path = "review_rules/properties.rs"]
mod properties;
#[path = "review_rules/scene.rs"]
mod scene;
#[path = "review_rules/used.rs"]
mod used;
#[path = "review_rules/wide.rs"]
mod wide;
