//! The transcripts in `tests/transcripts/doors*.md`: documentation that is run.

use super::*;

/// Commands that an operator signs ask for a passphrase; here a file answers, so that the transcripts read as typed. The
/// others get none: closing needs nobody's signature.
const WRAPPER: &str = r#"#!/bin/sh
case "$1 $2" in
connect* | thaw* | "grant renew") exec AOSCTL "$@" --passphrase-file PASS ;;
*) exec AOSCTL "$@" ;;
esac
"#;

#[test]
fn the_transcripts_show_what_is_printed() {
    let b = bench();
    let wrapper = b.path("aosctl");
    let script =
        WRAPPER.replace("AOSCTL", env!("CARGO_BIN_EXE_aosctl")).replace("PASS", b.path("pass").to_str().unwrap());
    std::fs::write(&wrapper, script).unwrap();
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    trycmd::TestCases::new()
        .register_bin("aosctl", wrapper.as_path())
        .env("AOSCTL_WORKSPACE", b.workspace().to_str().unwrap())
        .env("AOSCTL_STATE_DIR", b.path("state").to_str().unwrap())
        .case("tests/transcripts/doors.md")
        .run();
}
