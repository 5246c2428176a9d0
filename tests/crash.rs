//! Crashes and broken files: whatever happens, a workspace opens, verifies, and holds every acknowledged entry (law 9); and
//! what cannot be read is said, never panicked about. `AOSCTL_SOAK=N` kills N times as often.
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

#[path = "crash/busy.rs"]
mod busy;
#[path = "crash/crowd.rs"]
mod crowd;
#[path = "crash/damaged.rs"]
mod damaged;
#[path = "crash/full.rs"]
mod full;
#[path = "crash/killed.rs"]
mod killed;
#[path = "crash/torn.rs"]
mod torn;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::tree::copy_tree;
use support::{Bench, code, text};

/// So many times as much as usual.
fn soak() -> u32 {
    std::env::var("AOSCTL_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1).max(1)
}

/// Runs a command that must end by itself, without a panic; an error is said as one.
fn ends(c: &mut Command) -> Output {
    let mut child = c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{c:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let out = child.wait_with_output().unwrap();
    let said = text(&out.stderr);
    assert!(!said.contains("panicked"), "{c:?}\n{said}");
    let exit = out.status.code().unwrap_or_else(|| panic!("{c:?} ended by a signal: {:?}", out.status));
    assert!((0..=5).contains(&exit), "{c:?}: exit {exit}\n{said}");
    if exit == 2 || exit == 3 {
        assert!(said.contains("error: "), "{c:?}: exit {exit}, and no word why\n{}{said}", text(&out.stdout));
    }
    out
}

/// `audit verify` by the real binary: the exit code and what it says.
fn verify(b: &Bench) -> (i32, String) {
    let out = ends(b.bare().args(["audit", "verify"]));
    (code(&out), format!("{}{}", text(&out.stdout), text(&out.stderr)))
}

/// Everything holds.
fn assert_whole(b: &Bench) {
    let (exit, said) = verify(b);
    assert_eq!(exit, 0, "{said}");
}

/// The mount of a small file system, for those who may mount; it goes with this value.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    /// `None` where this user may not mount.
    fn mount(dir: &'a Path, options: &str) -> Option<Small<'a>> {
        std::fs::create_dir_all(dir).unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("{options},mode=700"), "tmpfs"])
            .arg(dir)
            .stderr(Stdio::null())
            .status();
        done.is_ok_and(|s| s.success()).then(|| Small(dir))
    }

    fn remount(&self, options: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}
