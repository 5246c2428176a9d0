use super::{Bench, code, text};
use std::os::unix::fs::PermissionsExt;

#[test]
fn add_writes_an_identity_of_its_own() {
    let b = Bench::new();
    b.add_agent("build-bot");
    let file = b.identity("build-bot");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let out = b.run(&["agent", "add", "build-bot"]);
    assert_eq!(code(&out), 1, "{}", text(&out.stdout));
    assert!(text(&out.stderr).contains("enrolled as build-bot before"));
}
