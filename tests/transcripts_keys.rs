//! The transcript of keys, run as it stands: `TRYCMD=overwrite` writes what comes into it anew.
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

const CSV: &str = "\
name,kind,integration,reference,last_rotated,last_used
stripe live,token,stripe,op://finance/stripe/key,2024-03-04,2024-10-20
deploy key,ssh-key,github,file:/run/keys/deploy,03/04/2024,
old token,token,github,,2023-01-01,never
";

#[test]
fn keys() {
    let b = Bench::empty();
    b.ok(&["--workspace", b.path("acme").to_str().unwrap(), "init", "--name", "ACME", "--operator", "ops"]);
    for tool in ["github", "stripe"] {
        b.ok(&["--workspace", b.path("acme").to_str().unwrap(), "integration", "add", tool]);
    }
    std::fs::write(b.path("keys.csv"), CSV).unwrap();
    std::fs::write(b.path("better.csv"), CSV.replace("03/04/2024", "2024-04-03")).unwrap();
    let report = include_str!("cli_keys/moto-report.csv").replace("2026-", "2024-");
    std::fs::write(b.path("report.csv"), report).unwrap();
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
    cases.case("tests/transcripts/keys.md");
    cases.run();
}
