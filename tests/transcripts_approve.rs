//! The transcript of asking and deciding, run as it stands: `TRYCMD=overwrite` writes what comes into it anew.
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

#[test]
fn approve() {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&[
        "connect",
        "github",
        "--agent",
        "build-bot",
        "--scope",
        "repo:acme/app",
        "--access",
        "write",
        "--expires",
        "30d",
    ]);
    let wrapper = b.path("aosctl");
    let dir = b.dir.path().display();
    let script = format!(
        "#!/bin/sh\ncd '{dir}' || exit 99\nexec env -i HOME='{dir}' PATH=/usr/bin:/bin AOSCTL_WORKSPACE=ws AOSCTL_STATE_DIR=state \
         '{}' \"$@\" --passphrase-file pass\n",
        env!("CARGO_BIN_EXE_aosctl")
    );
    std::fs::write(&wrapper, script).unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o700)).unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("aosctl", wrapper.as_path());
    cases.case("tests/transcripts/approve.md");
    cases.run();
}
