use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

const ORIGIN: &str = "aosctl/0123456789abcdef0123456789abcdef";
const CHEAP: Cost = Cost { m_kib: 19 * 1024, t: 2, p: 1 };

fn pass(text: &str) -> Passphrase {
    Passphrase::chosen(text.to_owned()).unwrap()
}

fn cheap() -> SealedIdentity {
    let signer = Signer::from_seed(&[7; 32]);
    SealedIdentity::seal_with(CHEAP, &signer, &pass("open sesame"), Some("op-1"), Some(ORIGIN)).unwrap()
}

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| cheap().to_json().unwrap());

fn sample() -> Value {
    serde_json::from_slice(&SAMPLE).unwrap()
}

fn parse(value: &Value) -> Result<SealedIdentity, IdentityError> {
    SealedIdentity::parse(value.to_string().as_bytes())
}

#[test]
fn round_trip_at_the_real_cost() {
    let signer = Signer::generate().unwrap();
    let sealed = SealedIdentity::seal(&signer, &pass("correct horse"), None, None).unwrap();
    assert_eq!(sealed.cost, COST);
    let json = sealed.to_json().unwrap();
    assert!(json.ends_with(b"}\n") && json.len() < MAX_IDENTITY_FILE_BYTES);
    let back = SealedIdentity::parse(&json).unwrap();
    assert_eq!((&back, back.id(), back.origin(), back.public_key()), (&sealed, None, None, signer.public()));
    assert_eq!(back.unlock(&pass("correct horse")).unwrap().sign(b"x"), signer.sign(b"x"));
}

#[test]
fn the_format_is_the_documented_one_and_the_header_is_all_but_sealed() {
    let mut value = sample();
    assert_eq!(value["kdf"]["v"], json!(19));
    let identity = parse(&value).unwrap();
    let members: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["aead", "aosctl", "id", "kdf", "nonce", "origin", "public_key", "sealed"]);
    value.as_object_mut().unwrap().remove("sealed");
    // serde_json's maps are sorted, so this is canonical too.
    assert_eq!(identity.header().unwrap(), value.to_string().into_bytes());
}

#[test]
fn a_wrong_passphrase_is_its_own_error_and_shows_nothing() {
    let error = parse(&sample()).unwrap().unlock(&pass("open sesamE")).unwrap_err();
    assert!(matches!(error, IdentityError::WrongPassphrase));
    assert!(!format!("{error} {error:?}").to_lowercase().contains("sesam"));
}

#[test]
fn resealing_changes_the_passphrase_and_raises_the_cost() {
    let old = cheap();
    let new = old.reseal(&pass("open sesame"), &pass("another one")).unwrap();
    assert_eq!((new.id(), new.origin(), new.cost), (Some("op-1"), Some(ORIGIN), COST));
    assert!(new.salt != old.salt && new.nonce != old.nonce);
    assert_eq!(new.unlock(&pass("another one")).unwrap().public(), old.public_key());
    assert!(matches!(new.unlock(&pass("open sesame")), Err(IdentityError::WrongPassphrase)));
    assert!(matches!(old.reseal(&pass("not this one"), &pass("xxxxxxxx")), Err(IdentityError::WrongPassphrase)));
}

#[test]
fn every_member_is_bound_to_the_secret() {
    let other_key = HEXLOWER.encode(&Signer::from_seed(&[8; 32]).public());
    for (pointer, value) in [
        ("/id", json!("op-2")),
        ("/id", json!(null)),
        ("/origin", json!("aosctl/ffffffffffffffffffffffffffffffff")),
        ("/origin", json!(null)),
        ("/public_key", json!(other_key)),
        ("/kdf/m_kib", json!(19 * 1024 + 8)),
        ("/kdf/t", json!(3)),
        ("/kdf/p", json!(2)),
        ("/kdf/salt", json!("00".repeat(16))),
        ("/nonce", json!("00".repeat(24))),
        ("/sealed", json!("00".repeat(48))),
    ] {
        let mut file = sample();
        *file.pointer_mut(pointer).unwrap() = value;
        let result = parse(&file).unwrap().unlock(&pass("open sesame"));
        assert!(matches!(result, Err(IdentityError::WrongPassphrase)), "{pointer}");
    }
}

#[test]
fn a_secret_that_is_not_the_public_keys_is_refused() {
    let mut identity = cheap();
    identity.public_key = Signer::from_seed(&[8; 32]).public();
    let header = identity.header().unwrap();
    let payload = Payload { msg: &[7; 32], aad: &header };
    let cipher = identity.cost.cipher(&pass("open sesame"), &identity.salt).unwrap();
    let sealed = cipher.encrypt(&XNonce::from(identity.nonce), payload);
    identity.sealed = sealed.unwrap().try_into().unwrap();
    assert!(matches!(identity.unlock(&pass("open sesame")), Err(IdentityError::KeyMismatch)));
}

#[test]
fn a_hostile_cost_is_refused_before_it_is_paid() {
    for (member, value) in [
        ("m_kib", 19 * 1024 - 1),
        ("m_kib", 1024 * 1024 + 1),
        ("m_kib", u32::MAX),
        ("t", 1),
        ("t", 21),
        ("p", 0),
        ("p", 17),
    ] {
        let mut file = sample();
        file["kdf"][member] = json!(value);
        let error = parse(&file).unwrap_err();
        assert!(matches!(error, IdentityError::KdfOutOfRange { .. }), "{member}={value}");
        assert!(error.to_string().contains(&format!("{member}={value}")), "{error}");
    }
    for (member, value) in [("m_kib", 19 * 1024), ("m_kib", 1024 * 1024), ("t", 2), ("t", 20), ("p", 16)] {
        let mut file = sample();
        file["kdf"][member] = json!(value);
        parse(&file).unwrap();
    }
}

#[test]
fn anything_else_is_refused() {
    for (pointer, value) in [
        ("/aosctl", json!("operator-identity/v2")),
        ("/aosctl", json!("agent-identity/v1")),
        ("/aead", json!("none")),
        ("/kdf/name", json!("argon2i")),
        ("/kdf/v", json!(16)),
        ("/kdf/t", json!(2.0)),
        ("/kdf/t", json!("2")),
        ("/kdf/t", json!(-2)),
        ("/kdf/t", json!(4294967298u64)),
        ("/kdf/salt", json!("00".repeat(15))),
        ("/nonce", json!("00".repeat(25))),
        ("/nonce", json!("0".repeat(47))),
        ("/public_key", json!("AB".repeat(32))),
        ("/sealed", json!("")),
        ("/sealed", json!(null)),
        ("/id", json!("ag-1")),
        ("/id", json!("op-01")),
        ("/id", json!(1)),
        ("/origin", json!("aosctl")),
        ("/kdf", json!(null)),
        ("/kdf", json!([19456, "argon2id", 1, "00".repeat(16), 2, 19])),
    ] {
        let mut file = sample();
        *file.pointer_mut(pointer).unwrap() = value.clone();
        assert!(parse(&file).is_err(), "{pointer} = {value}");
    }
    for member in ["aead", "aosctl", "id", "kdf", "nonce", "origin", "public_key", "sealed"] {
        let mut file = sample();
        file.as_object_mut().unwrap().remove(member);
        assert!(parse(&file).is_err(), "without {member}");
    }
    let mut file = sample();
    file["comment"] = json!("x");
    parse(&file).unwrap_err();
    let mut file = sample();
    file["kdf"]["comment"] = json!("x");
    parse(&file).unwrap_err();
    let doubled = String::from_utf8(SAMPLE.clone()).unwrap().replacen('{', "{\"id\":\"op-1\",", 1);
    SealedIdentity::parse(doubled.as_bytes()).unwrap_err();
    let padded = [SAMPLE.as_slice(), &[b' '; MAX_IDENTITY_FILE_BYTES]].concat();
    SealedIdentity::parse(&padded).unwrap_err();
    for cut in 0..SAMPLE.len() - 1 {
        SealedIdentity::parse(&SAMPLE[..cut]).unwrap_err();
    }
}

#[test]
fn bad_names_are_refused_when_sealing() {
    let (signer, passphrase) = (Signer::from_seed(&[7; 32]), pass("open sesame"));
    let seal = |id, origin| SealedIdentity::seal_with(CHEAP, &signer, &passphrase, id, origin);
    assert!(matches!(seal(Some("ag-1"), None), Err(IdentityError::BadId(_))));
    assert!(matches!(seal(None, Some("elsewhere")), Err(IdentityError::BadOrigin(_))));
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes: Vec<u8>, at: prop::sample::Index, byte: u8) {
        let _ = SealedIdentity::parse(&bytes);
        let mut file = SAMPLE.clone();
        let at = at.index(file.len());
        file[at] = byte;
        // What still parses is written in the same bytes again.
        if let Ok(identity) = SealedIdentity::parse(&file) {
            prop_assert_eq!(identity.to_json().unwrap(), file);
        }
    }
}
