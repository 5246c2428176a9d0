use super::*;
use crate::secret::MAX_SECRET;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;

const ORIGIN: &str = "aosctl/0123456789abcdef0123456789abcdef";

struct World {
    dir: tempfile::TempDir,
    vault: Vault,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(&dir.path().join("ws"), &dir.path().join("state"), ORIGIN);
    World { dir, vault }
}

fn key(n: u64) -> Id {
    Id::new(IdKind::Key, n)
}

fn signer(n: u8) -> Signer {
    Signer::from_seed(&[n; 32])
}

fn circle(operators: &[u8]) -> Circle {
    let keys: Vec<[u8; 32]> = operators.iter().map(|n| signer(*n).public()).collect();
    Circle { live: keys.clone(), ever: keys }
}

fn secret(text: &str) -> Secret {
    Secret::from_text(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

fn text(secret: &Secret) -> String {
    String::from_utf8(secret.expose().to_vec()).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// The place of a file with other content under the name that its digest gives it.
fn planted(w: &World, key: Id, attended: bool, bytes: &[u8]) -> Place {
    let sha256 = digest(bytes);
    std::fs::write(w.vault.path(key, sha256), bytes).unwrap();
    Place::Sealed { attended, sha256 }
}

#[test]
fn every_operator_opens_what_is_attended_and_nobody_else() {
    let w = world();
    let sealed = w.vault.seal(key(3), true, &secret("sk_live_canary\n"), &circle(&[1, 2])).unwrap();
    let place = sealed.place();
    for n in [1, 2] {
        assert_eq!(text(&w.vault.open(key(3), &place, Some(&signer(n))).unwrap()), "sk_live_canary");
    }
    assert!(matches!(w.vault.open(key(3), &place, None), Err(SecretError::NeedsOperator)));
    match w.vault.open(key(3), &place, Some(&signer(3))) {
        Err(SecretError::NotForYou { recipients, .. }) => assert_eq!(recipients, circle(&[1, 2]).live),
        other => panic!("{other:?}"),
    }
    assert_eq!(w.vault.recipients(key(3), &place).unwrap(), circle(&[1, 2]).live);
    let path = w.vault.path(key(3), sealed.sha256);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("k-3.{}.sealed", &sealed.sha256.to_string()[..16]));
    assert!(!w.dir.path().join("state/vault.key").exists(), "attended secrets need none");
    w.vault.remove(key(3), &place);
    assert!(matches!(w.vault.open(key(3), &place, Some(&signer(1))), Err(SecretError::Missing { .. })));
}

#[test]
fn what_is_unattended_needs_the_state_directory_and_no_operator() {
    let w = world();
    let place = w.vault.seal(key(4), false, &secret("tok"), &circle(&[1])).unwrap().place();
    assert_eq!(text(&w.vault.open(key(4), &place, None).unwrap()), "tok");
    let vault_key = w.dir.path().join("state/vault.key");
    assert_eq!((mode(&vault_key), vault_key.metadata().unwrap().len()), (0o600, 32));
    // The same key for the next one; another key is told apart, not taken for damage.
    w.vault.seal(key(5), false, &secret("tok"), &circle(&[])).unwrap();
    assert_eq!(text(&w.vault.open(key(4), &place, None).unwrap()), "tok");
    std::fs::write(&vault_key, [9; 32]).unwrap();
    assert!(matches!(w.vault.open(key(4), &place, None), Err(SecretError::OtherVaultKey { .. })));
    std::fs::write(&vault_key, [9; 31]).unwrap();
    assert!(matches!(w.vault.open(key(4), &place, None), Err(SecretError::Malformed { .. })));
    std::fs::set_permissions(&vault_key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(w.vault.open(key(4), &place, None).unwrap_err().to_string().contains("chmod 600"));
    std::fs::remove_file(&vault_key).unwrap();
    match w.vault.open(key(4), &place, None) {
        Err(SecretError::Missing { path }) => assert_eq!(path, vault_key),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_file_stands_in_for_another() {
    let w = world();
    let a = w.vault.seal(key(1), true, &secret("a"), &circle(&[1])).unwrap();
    let b = w.vault.seal(key(2), true, &secret("b"), &circle(&[1])).unwrap();
    let open = |k: u64, place: &Place| w.vault.open(key(k), place, Some(&signer(1)));
    // Another file under the right name.
    std::fs::copy(w.vault.path(key(2), b.sha256), w.vault.path(key(1), a.sha256)).unwrap();
    assert!(matches!(open(1, &a.place()), Err(SecretError::Swapped { .. })));
    // Another key's file, by an entry that names it.
    std::fs::copy(w.vault.path(key(2), b.sha256), w.vault.path(key(1), b.sha256)).unwrap();
    assert!(matches!(open(1, &b.place()), Err(SecretError::Foreign { .. })));
    // Another log's file, and one whose entry says that nobody has to unlock.
    let other = Vault::new(&w.dir.path().join("ws"), &w.dir.path().join("state"), &ORIGIN.replace('0', "f"));
    assert!(matches!(other.open(key(2), &b.place(), Some(&signer(1))), Err(SecretError::Foreign { .. })));
    let place = Place::Sealed { attended: false, sha256: b.sha256 };
    assert!(matches!(open(2, &place), Err(SecretError::Foreign { .. })));
    for (place, kind) in [(Place::Unknown, "NoPlace"), (Place::Reference("pass:x".into()), "NotSealed")] {
        assert_eq!(format!("{:?}", open(2, &place).unwrap_err()), kind);
    }
    assert!(matches!(
        w.vault.seal(Id::new(IdKind::Grant, 1), true, &secret("x"), &circle(&[1])),
        Err(SecretError::Internal(_))
    ));
    assert!(matches!(w.vault.seal(key(1), true, &secret("x"), &circle(&[])), Err(SecretError::NoRecipient)));
}

/// Every byte of either kind of file, changed in each of three ways, and named by its new digest: refused, never opened.
#[test]
fn no_changed_byte_is_accepted_even_where_the_digest_fits() {
    let w = world();
    for attended in [true, false] {
        let sealed = w.vault.seal(key(1), attended, &secret("secret"), &circle(&[1, 2])).unwrap();
        let good = std::fs::read(w.vault.path(key(1), sealed.sha256)).unwrap();
        for at in 0..good.len() {
            for change in [1u8, 0x20, 0x80] {
                let mut bytes = good.clone();
                bytes[at] ^= change;
                let place = planted(&w, key(1), attended, &bytes);
                let opened = w.vault.open(key(1), &place, Some(&signer(1)));
                assert!(opened.is_err(), "byte {at} ^ {change:#x}: {}", String::from_utf8_lossy(&bytes));
                w.vault.remove(key(1), &place);
            }
        }
        for cut in (0..good.len()).step_by(7) {
            let place = planted(&w, key(1), attended, &good[..cut]);
            assert!(w.vault.open(key(1), &place, Some(&signer(1))).is_err());
        }
    }
}

/// Every member, replaced by another good one: bound as associated data.
#[test]
fn every_member_is_bound() {
    let w = world();
    let sealed = w.vault.seal(key(1), true, &secret("secret"), &circle(&[1, 2])).unwrap();
    let good: serde_json::Value =
        serde_json::from_slice(&std::fs::read(w.vault.path(key(1), sealed.sha256)).unwrap()).unwrap();
    let members: Vec<&String> = good.as_object().unwrap().keys().collect();
    assert_eq!(members, ["aead", "aosctl", "item", "kind", "nonce", "origin", "recipients", "sealed"]);
    let other = w.vault.seal(key(1), true, &secret("other"), &circle(&[1, 3])).unwrap();
    let other: serde_json::Value =
        serde_json::from_slice(&std::fs::read(w.vault.path(key(1), other.sha256)).unwrap()).unwrap();
    let mut changed = Vec::new();
    for member in ["nonce", "recipients", "sealed"] {
        let mut v = good.clone();
        v[member] = other[member].clone();
        changed.push((member, v));
    }
    // A recipient put in, taken out, moved, or given another's wrap.
    let edit = |f: &dyn Fn(&mut Vec<serde_json::Value>)| {
        let mut v = good.clone();
        f(v["recipients"].as_array_mut().unwrap());
        v
    };
    changed.push(("added", edit(&|r| r.push(other["recipients"][1].clone()))));
    changed.push(("removed", edit(&|r| drop(r.pop()))));
    changed.push(("moved", edit(&|r| r.reverse())));
    changed.push((
        "exchanged",
        edit(&|r| {
            let theirs = r[1]["wrapped"].clone();
            r[0]["wrapped"] = theirs;
        }),
    ));
    for (what, v) in changed {
        let mut bytes = serde_json::to_vec(&v).unwrap();
        bytes.push(b'\n');
        let place = planted(&w, key(1), true, &bytes);
        let error = w.vault.open(key(1), &place, Some(&signer(1))).expect_err(what);
        assert!(matches!(error, SecretError::Damaged { .. }), "{what}: {error}");
    }
}

#[test]
fn the_length_of_a_password_does_not_show() {
    let w = world();
    let size = |text: &str| {
        let sealed = w.vault.seal(key(1), true, &secret(text), &circle(&[1])).unwrap();
        w.vault.path(key(1), sealed.sha256).metadata().unwrap().len()
    };
    assert_eq!(size("a"), size(&"a".repeat(250)));
    assert!(size(&"a".repeat(253)) > size("a"));
}

#[test]
fn the_longest_secret_fits() {
    let w = world();
    let long = Secret::new(Zeroizing::new(vec![7; MAX_SECRET])).unwrap();
    let many: Vec<u8> = (1..=200).collect();
    let place = w.vault.seal(key(1), true, &long, &circle(&many)).unwrap().place();
    assert_eq!(w.vault.open(key(1), &place, Some(&signer(200))).unwrap().expose(), long.expose());
}

#[test]
fn a_new_operator_gets_in_by_one_who_is_in() {
    let w = world();
    let first = w.vault.seal(key(1), true, &secret("secret"), &circle(&[1])).unwrap();
    let next = w.vault.reseal(key(1), &first.place(), &signer(1), &circle(&[1, 2])).unwrap();
    assert_ne!(first.sha256, next.sha256);
    assert_eq!(text(&w.vault.open(key(1), &next.place(), Some(&signer(2))).unwrap()), "secret");
    // Until the entry is on disk, the file that the last entry names is there.
    assert_eq!(text(&w.vault.open(key(1), &first.place(), Some(&signer(1))).unwrap()), "secret");
    assert!(w.vault.reseal(key(1), &next.place(), &signer(3), &circle(&[3])).is_err());
    let left = circle(&[1, 2]).without(&signer(1).public());
    let last = w.vault.reseal(key(1), &next.place(), &signer(2), &left).unwrap();
    assert!(matches!(w.vault.open(key(1), &last.place(), Some(&signer(1))), Err(SecretError::NotForYou { .. })));
}

#[test]
fn fingerprints_tell_secrets_apart_and_only_operators_make_their_key() {
    let w = world();
    let made = w.vault.fingerprint_key(&signer(1), &circle(&[1])).unwrap();
    assert!(made.is_new && !format!("{made:?}").contains('['));
    let again = w.vault.fingerprint_key(&signer(1), &circle(&[1])).unwrap();
    assert!(!again.is_new);
    let print = made.fingerprint(&secret("a")).unwrap();
    assert_eq!(print, again.fingerprint(&secret("a")).unwrap());
    assert_ne!(print, again.fingerprint(&secret("b")).unwrap());
    assert!(again.matches(&secret("a"), &print) && !again.matches(&secret("b"), &print));
    // For the next operator, who cannot open it before.
    assert!(matches!(w.vault.fingerprint_key(&signer(2), &circle(&[1, 2])), Err(SecretError::NotForYou { .. })));
    w.vault.reseal_fingerprint_key(&signer(1), &circle(&[1]).with(signer(2).public())).unwrap();
    assert_eq!(
        w.vault.fingerprint_key(&signer(2), &circle(&[1, 2])).unwrap().fingerprint(&secret("a")).unwrap(),
        print
    );
    // One who left made it: what was signed still counts.
    let left = circle(&[1, 2]).without(&signer(1).public());
    w.vault.fingerprint_key(&signer(2), &left).unwrap();
    // Somebody else's, sealed for the operators.
    let theirs =
        File::attended(ORIGIN, "fingerprint", &secret(&"x".repeat(32)), &circle(&[1, 2]).live, Some(&signer(9)));
    let path = w.dir.path().join("ws/vault/fingerprint.sealed");
    std::fs::write(&path, theirs.unwrap().to_json().unwrap()).unwrap();
    assert!(matches!(w.vault.fingerprint_key(&signer(1), &circle(&[1, 2])), Err(SecretError::Unsigned { .. })));
    assert!(w.vault.reseal_fingerprint_key(&signer(1), &circle(&[1, 2])).is_err());
    let unsigned = File::attended(ORIGIN, "fingerprint", &secret(&"x".repeat(32)), &circle(&[1]).live, None).unwrap();
    std::fs::write(&path, unsigned.to_json().unwrap()).unwrap();
    assert!(matches!(w.vault.fingerprint_key(&signer(1), &circle(&[1])), Err(SecretError::Unsigned { .. })));
}

#[test]
fn no_changed_byte_of_the_fingerprint_key_is_accepted() {
    let w = world();
    w.vault.fingerprint_key(&signer(1), &circle(&[1])).unwrap();
    let path = w.dir.path().join("ws/vault/fingerprint.sealed");
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(w.vault.fingerprint_key(&signer(1), &circle(&[1])).is_err(), "byte {at}");
    }
}

/// Many at once for the first time: all end with the same key.
#[test]
fn there_is_one_fingerprint_key_and_one_vault_key_whoever_is_first() {
    let w = world();
    let results: Vec<(String, bool)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|n| {
                let vault = w.vault.clone();
                scope.spawn(move || {
                    let k = vault.fingerprint_key(&signer(1), &circle(&[1])).unwrap();
                    let place = vault.seal(key(n + 1), false, &secret("s"), &circle(&[1])).unwrap().place();
                    vault.open(key(n + 1), &place, None).unwrap();
                    (k.fingerprint(&secret("a")).unwrap().to_string(), k.is_new)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(results.iter().all(|(print, _)| *print == results[0].0));
    assert_eq!(results.iter().filter(|(_, new)| *new).count(), 1);
}

proptest! {
    #[test]
    fn what_was_sealed_comes_back(
        bytes in prop::collection::vec(any::<u8>(), 1..2000),
        operators in prop::collection::btree_set(1u8..250, 1..5),
        attended: bool,
    ) {
        let w = world();
        let given = Secret::new(Zeroizing::new(bytes.clone())).unwrap();
        let operators: Vec<u8> = operators.into_iter().collect();
        let place = w.vault.seal(key(7), attended, &given, &circle(&operators)).unwrap().place();
        for n in operators {
            let opened = w.vault.open(key(7), &place, Some(&signer(n))).unwrap();
            prop_assert_eq!(opened.expose(), bytes.as_slice());
        }
        let file = std::fs::read_dir(w.dir.path().join("ws/vault")).unwrap().next().unwrap().unwrap().path();
        let file = std::fs::read(file).unwrap();
        if bytes.len() >= 4 {
            let hex = data_encoding::HEXLOWER.encode(&bytes);
            prop_assert!(!file.windows(bytes.len()).any(|w| w == bytes));
            prop_assert!(!file.windows(hex.len()).any(|w| w == hex.as_bytes()));
        }
    }

    #[test]
    fn garbage_never_panics(bytes: Vec<u8>, json in "[{}\\[\\]\":,a-z0-9]{0,60}") {
        for bytes in [bytes, json.into_bytes()] {
            let w = world();
            w.vault.seal(key(1), true, &secret("x"), &circle(&[1])).unwrap();
            let place = planted(&w, key(1), true, &bytes);
            prop_assert!(w.vault.open(key(1), &place, Some(&signer(1))).is_err());
        }
    }
}
