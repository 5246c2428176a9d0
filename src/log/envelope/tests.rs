use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

use super::*;

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn header() -> Header {
    Header {
        log: "aosctl/042f77f43f2f771ded5eb7577ceedeed".into(),
        seq: 7,
        prev: Hash([1; 32]),
        at: "2026-11-21T09:00:00.000Z".into(),
        actor: "op-1".into(),
        key: PublicKey(secret().verifying_key().to_bytes()).key_id(),
        kind: "request.made/1".into(),
        subject: "r-1".into(),
        commit: Hash([2; 32]),
    }
}

fn sealed() -> Envelope {
    Envelope::seal(&header(), |pae| secret().sign(pae).to_bytes()).unwrap()
}

/// The quick reading and the careful one must say the same wherever the quick one says anything.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let careful = Reading::careful(bytes);
    if let Some(quick) = Reading::quick(bytes) {
        prop_assert_eq!(quick.leaf, careful.leaf);
        prop_assert_eq!(quick.form, careful.form);
        prop_assert_eq!(quick.sig, careful.sig);
        prop_assert_eq!(quick.header, careful.header);
        prop_assert_eq!(quick.pae, careful.pae);
    } else {
        prop_assert!(careful.form.is_some() || careful.sig.is_err());
    }
    Ok(())
}

#[test]
fn sealed_opens_and_verifies() {
    let envelope = sealed();
    assert_eq!(Envelope::open(&envelope.bytes), Ok(envelope.clone()));
    let key = PublicKey(secret().verifying_key().to_bytes());
    assert_eq!(envelope.verify(&key), Ok(()));
    assert_eq!(envelope.verify(&PublicKey([0; 32])), Err(SigFault::KeyNotOfActor));
    agree(&envelope.bytes).unwrap();
}

#[test]
fn what_is_not_of_the_format_is_not_sealed() {
    let sign = |_: &[u8]| -> [u8; 64] { panic!("must not be asked for a signature") };
    let bad = Header { actor: "somebody".into(), ..header() };
    assert_eq!(Envelope::seal(&bad, sign).unwrap_err().kind(), "header_actor");
    let long = Header { kind: format!("a.{}/1", "b".repeat(60_000)), ..header() };
    assert_eq!(Envelope::seal(&long, |_| [0; 64]).err().map(|fault| fault.kind()), Some("too_large"));
}

proptest! {
    #[test]
    fn readings_agree_on_damage(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = sealed().bytes;
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        agree(&bytes)?;
    }

    #[test]
    fn readings_agree_on_damaged_headers(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let envelope = sealed();
        let mut body = envelope.body.clone();
        let at = at.index(body.len());
        body[at] = byte;
        let text = String::from_utf8(envelope.bytes).unwrap();
        let text = text.replace(&base64_encode(&envelope.body), &base64_encode(&body));
        agree(text.as_bytes())?;
        let opened = Envelope::open(text.as_bytes());
        prop_assert_eq!(opened.is_ok(), Header::parse(&body).is_ok_and(|header| header.key == envelope.header.key));
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Reading::of(&bytes).form.is_some());
    }
}
