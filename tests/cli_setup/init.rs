use super::{Bench, code, text};
use std::os::unix::fs::PermissionsExt;

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn makes_a_private_workspace_and_says_what_is_next() {
    let b = Bench::empty();
    let out = b.run(&["init", "--name", "ACME", "--operator", "ops"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let (page, notes) = (text(&out.stdout), text(&out.stderr));
    assert!(page.contains("op-1 (ops), sealed in"), "{page}");
    assert!(page.contains("1,000.00 USD at once or 10,000.00 USD in 7 days"), "{page}");
    assert!(page.contains("defaults, not confirmed"), "{page}");
    assert!(page.contains("verifier key"), "{page}");
    for next in ["integration add", "agent add", "connect github", "aosctl freeze"] {
        assert!(notes.contains(next), "{next}: {notes}");
    }
    assert_eq!(mode(&b.workspace()), 0o700);
    for file in ["aosctl.db", "policy.toml", "operators/op-1.json"] {
        assert_eq!(mode(&b.workspace().join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&b.workspace().join("operators")), 0o700);
}
