use super::*;
use curve25519_dalek::constants::EIGHT_TORSION;
use proptest::prelude::*;

#[test]
fn the_points_of_small_order_are_the_librarys() {
    let mut ours: Vec<[u8; 32]> = SMALL_ORDER.iter().map(|p| **p).collect();
    let mut theirs: Vec<[u8; 32]> = EIGHT_TORSION.iter().map(|p| p.compress().to_bytes()).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs);
}

/// The same key, as it is once it has verified much.
fn seasoned(key: &PublicKey) -> ReadyKey {
    let ready = key.ready().unwrap();
    ready.quick.uses.store(USES_BEFORE_TABLE, Ordering::Relaxed);
    assert!(ready.quick.table(&ready.key).is_some(), "tests make few tables");
    ready
}

/// Asks every way, and the library; gives whether the signature holds.
fn all_agree(key: &PublicKey, table: &ReadyKey, message: &[u8], sig: &[u8; 64]) -> bool {
    let fresh = key.ready().unwrap();
    let slow = fresh.verify_strict(message, sig);
    assert!(fresh.quick.table.get().is_none());
    assert_eq!(table.verify_strict(message, sig), slow);
    assert!(table.quick.table.get().is_some());
    // Among others, of which one has no point to encode.
    let other = [0xff; 64];
    let together = [
        Signed { key: table, message: b"other", sig: &other },
        Signed { key: table, message, sig },
        Signed { key: &fresh, message, sig },
        Signed { key: table, message: b"other", sig: &[0; 64] },
    ];
    let together = verify_each(&together);
    assert_eq!(together, [Err(SigFault::SNotCanonical), slow, slow, Err(diagnose(&Signature::from_bytes(&[0; 64])))]);
    let strict = fresh.key.verify_strict(message, &Signature::from_bytes(sig)).is_ok();
    assert_eq!(slow.is_ok(), strict, "the library says something else");
    strict
}

fn challenge(r: &[u8; 32], key: &PublicKey, message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key.0).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn joined(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    let mut sig = [0; 64];
    sig[..32].copy_from_slice(&r);
    sig[32..].copy_from_slice(&s);
    sig
}

/// The 32 bytes of a number and the group order added, where that fits.
fn plus_order(s: &[u8; 32]) -> [u8; 32] {
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0u16;
    let mut out = [0; 32];
    for ((o, a), b) in out.iter_mut().zip(s).zip(L) {
        let sum = u16::from(*a) + u16::from(b) + carry;
        *o = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    out
}

/// Every encoding of a y that is not below p, with both signs: those that are points are so a second time.
fn second_encodings() -> Vec<[u8; 32]> {
    let mut found = Vec::new();
    for low in 0xed..=0xffu8 {
        for sign in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            bytes[0] = low;
            bytes[31] = sign;
            found.push(bytes);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Signatures made with and without torsion parts in key and R, and each of them spoilt in many ways.
    #[test]
    fn with_a_table_and_without_agree(
        secret in any::<[u8; 32]>(),
        nonce in any::<[u8; 32]>(),
        message in proptest::collection::vec(any::<u8>(), 0..200),
        in_key in 0usize..8,
        in_r in 0usize..8,
        flip in 0usize..512,
    ) {
        let secret = Scalar::from_bytes_mod_order(secret);
        let nonce = Scalar::from_bytes_mod_order(nonce);
        let point = EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[in_key];
        let key = PublicKey(point.compress().to_bytes());
        prop_assume!(key.ready().is_ok());
        let table = seasoned(&key);
        let sign = |message: &[u8], torsion: usize| {
            let r = (EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[torsion]).compress().to_bytes();
            joined(r, (nonce + challenge(&r, &key, message) * secret).to_bytes())
        };
        let sig = sign(&message, in_r);
        let holds = all_agree(&key, &table, &message, &sig);
        if in_key == 0 {
            prop_assert_eq!(holds, in_r == 0);
        }
        // A key with a torsion part has signatures that hold without the cofactor, too: an R with the fitting part. All
        // ways must take just those.
        for torsion in 0..8 {
            all_agree(&key, &table, &message, &sign(&message, torsion));
        }
        let mut flipped = sig;
        flipped[flip / 8] ^= 1 << (flip % 8);
        let wrong = all_agree(&key, &table, &message, &flipped);
        prop_assert!(!wrong);
        let (r, s) = (<[u8; 32]>::try_from(&sig[..32]).unwrap(), <[u8; 32]>::try_from(&sig[32..]).unwrap());
        for bad in [joined(r, plus_order(&s)), joined(r, [0xff; 32]), joined(r, plus_order(&[0; 32])), joined(s, r)] {
            let wrong = all_agree(&key, &table, &message, &bad);
            prop_assert!(!wrong);
        }
        // R of small order, in one encoding and the other: with S = k·a the equation holds where the torsion parts fit,
        // and strictness refuses it all the same.
        for r in SMALL_ORDER.iter().map(|r| **r).chain(second_encodings()) {
            let wrong = all_agree(&key, &table, &message, &joined(r, (challenge(&r, &key, &message) * secret).to_bytes()));
            prop_assert!(!wrong);
            let fault = table.verify_strict(&message, &joined(r, s)).unwrap_err();
            prop_assert!(matches!(fault, SigFault::RSmallOrder | SigFault::RNonCanonical | SigFault::RNotAPoint | SigFault::Equation));
        }
    }
}

#[test]
fn a_key_with_a_torsion_part_has_signatures_that_hold() {
    let secret = Scalar::from(7u8);
    let mut held = 0;
    for (i, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        let key = PublicKey((EdwardsPoint::mul_base(&secret) + torsion).compress().to_bytes());
        assert_eq!(key.enrolment_fault(), Some(KeyFault::Torsion));
        let table = seasoned(&key);
        for nonce in 1..40u8 {
            let r = EdwardsPoint::mul_base(&Scalar::from(nonce)).compress().to_bytes();
            let s = Scalar::from(nonce) + challenge(&r, &key, b"m") * secret;
            held += usize::from(all_agree(&key, &table, b"m", &joined(r, s.to_bytes())));
        }
        assert!(held > i / 2, "k is a multiple of the torsion's order now and then");
    }
}

#[test]
fn second_encodings_of_keys_are_refused_before_any_table() {
    for bytes in second_encodings() {
        assert!(matches!(PublicKey(bytes).ready(), Err(KeyFault::NotAPoint | KeyFault::NonCanonical)));
    }
    for bytes in SMALL_ORDER {
        assert!(matches!(PublicKey(*bytes).ready(), Err(KeyFault::SmallOrder)));
    }
}

#[test]
fn a_table_is_made_late_and_given_back() {
    let key = PublicKey(EdwardsPoint::mul_base(&Scalar::from(3u8)).compress().to_bytes());
    let ready = key.ready().unwrap();
    for _ in 0..USES_BEFORE_TABLE {
        assert!(ready.verify_strict(b"", &[0; 64]).is_err());
        assert!(ready.quick.table.get().is_none());
    }
    assert!(ready.clone().verify_strict(b"", &[0; 64]).is_err());
    assert!(ready.quick.table.get().is_some());
}

/// What two files of published vectors say of a key, a message and a signature: whether it is refused.
fn published() -> Vec<(PublicKey, Vec<u8>, Vec<u8>, bool)> {
    let unhex = |text: &serde_json::Value| data_encoding::HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap();
    let key = |text: &serde_json::Value| PublicKey::from_hex(text.as_str().unwrap()).unwrap();
    const REFUSED: [&str; 5] =
        ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
    let cctv = include_str!("../../../tests/vectors/cctv-ed25519/vectors.jsonl").lines().map(|line| {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut flags = v["flags"].as_array().into_iter().flatten();
        let refused = flags.any(|flag| REFUSED.contains(&flag.as_str().unwrap()));
        (key(&v["key"]), v["msg"].as_str().unwrap().as_bytes().to_vec(), unhex(&v["sig"]), refused)
    });
    let strict = include_str!("../../../tests/vectors/log-v1/ed25519_strict.json");
    let strict: Vec<serde_json::Value> = serde_json::from_str(strict).unwrap();
    let strict = strict
        .iter()
        .map(|v| (key(&v["public_key"]), unhex(&v["message_hex"]), unhex(&v["signature"]), !v["refused"].is_null()));
    cctv.chain(strict).collect()
}

#[test]
fn published_vectors_have_the_same_verdict_by_a_table_of_multiples() {
    let (mut by_table, mut held) = (0, 0);
    for (key, message, sig, refused) in published() {
        let Ok(sig) = <[u8; 64]>::try_from(sig) else {
            assert!(refused, "a signature of another length");
            continue;
        };
        if key.ready().is_err() {
            assert!(refused, "{key}");
            continue;
        }
        assert_eq!(all_agree(&key, &seasoned(&key), &message, &sig), !refused, "{key}");
        by_table += 1;
        held += usize::from(!refused);
    }
    assert_eq!((by_table, held), (402, 46), "by a table, and those of them that hold");
}

proptest! {
    /// Encoding the point again is the definition.
    #[test]
    fn canonical_is_what_encoding_gives(
        mut bytes in any::<[u8; 32]>(),
        low in prop_oneof![Just(0u8), Just(1), Just(2), Just(0xeb), Just(0xec), Just(0xed), Just(0xee), Just(0xff)],
        middle in prop_oneof![Just(None), Just(Some(0u8)), Just(Some(0xff))],
        high in prop_oneof![Just(0u8), Just(0x80), Just(0x7f), Just(0xff), Just(0x7e)],
    ) {
        if let Some(b) = middle {
            bytes = [b; 32];
            (bytes[0], bytes[31]) = (low, high);
        }
        if let Some(point) = CompressedEdwardsY(bytes).decompress() {
            prop_assert_eq!(is_canonical(&bytes), point.compress().to_bytes() == bytes);
        }
    }

    #[test]
    fn the_quick_test_for_torsion_is_the_librarys(n in any::<[u8; 32]>(), eighth in 0..8usize) {
        let point = EdwardsPoint::mul_base(&Scalar::from_bytes_mod_order(n)) + EIGHT_TORSION[eighth];
        prop_assert_eq!(is_torsion_free(point), point.is_torsion_free());
        prop_assert_eq!(is_torsion_free(point), eighth == 0);
    }
}
