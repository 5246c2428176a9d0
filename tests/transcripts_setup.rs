//! The transcripts of setting up, run as they stand: `TRYCMD=overwrite` writes what comes into them anew.
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
use support::Bench;

use std::os::unix::fs::PermissionsExt;

/// Runs one transcript in a workspace of its own. Operators sign with the passphrase file that every command gets.
fn transcript(name: &str) {
    let b = Bench::empty();
    let wrapper = b.path("aosctl");
    let dir = b.dir.path().display();
    let script = format!(
        "#!/bin/sh\ncd '{dir}' || exit 99\nexec env -i HOME='{dir}' PATH=/usr/bin:/bin AOSCTL_WORKSPACE=acme AOSCTL_STATE_DIR=state \
         '{}' \"$@\" --passphrase-file pass\n",
        env!("CARGO_BIN_EXE_aosctl")
    );
    std::fs::write(&wrapper, script).unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o700)).unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("aosctl", wrapper.as_path());
    cases.case(format!("tests/transcripts/{name}.md"));
    cases.run();
}

#[test]
fn setup() {
    transcript("setup");
}

#[test]
fn setup_policy() {
    transcript("setup-policy");
}
