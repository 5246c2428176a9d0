//! Every step of a commit, broken: not done and said so, done and denied all the same, a full disk, killed in its place.
//! Whatever happens, the workspace opens, verifies, holds what was acknowledged, and what was not is there whole or not at
//! all (law 9). And a clock that is wrong. Needs a C compiler and x86-64 Linux; elsewhere it says so and passes, unless
//! `AOSCTL_REQUIRE_ALL` is set.
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

#[path = "faults/clock.rs"]
mod clock;
mod lab;
#[path = "faults/steps.rs"]
mod steps;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the C files of this test are compiled to; `None`, with the reason printed, where that cannot be.
fn compiled(source: &str, to: &Path, flags: &[&str]) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(source);
    let done = Command::new("cc").args(["-O1", "-o"]).arg(to).arg(source).args(flags).output();
    match done {
        Ok(out) if out.status.success() => Some(to.to_path_buf()),
        Ok(out) => skip(&format!("cc: {}", String::from_utf8_lossy(&out.stderr))),
        Err(e) => skip(&format!("cc: {e}")),
    }
}

fn skip<T>(why: &str) -> Option<T> {
    assert!(std::env::var_os("AOSCTL_REQUIRE_ALL").is_none(), "cannot be run here, and must: {why}");
    println!("skipped: {why}");
    None
}

/// Many copies: in memory, where there is such a place.
fn in_memory() {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() {
        let _ = tempfile::env::override_temp_dir(shm);
    }
}
