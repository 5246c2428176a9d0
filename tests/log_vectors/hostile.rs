//! Damage done to right texts: never a panic, and never taken for right where something is signed.

use aosctl::log::checkpoint::{Checkpoint, VerifierKey};
use aosctl::log::receipt::Receipt;
use aosctl::log::sshsig;
use aosctl::log::tree::Frontier;
use aosctl::log::verify::{Bundle, Trust, verify_bundle};
use proptest::prelude::*;

use super::*;

fn vkey() -> VerifierKey {
    VerifierKey::parse(text(&load("checkpoint.json"), "vkey")).unwrap()
}

/// One byte changed, or the text cut short there; `None` if that changes nothing.
fn damage(file: &[u8], at: prop::sample::Index, byte: u8, cut: bool) -> Option<Vec<u8>> {
    let mut bytes = file.to_vec();
    let at = at.index(bytes.len());
    if cut {
        bytes.truncate(at);
    } else {
        bytes[at] = byte;
    }
    (bytes != file).then_some(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_texts_are_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let vkey = vkey();
        let note = bytes_of_file("checkpoint.note");
        if let Some(bytes) = damage(&note, at, byte, cut) {
            prop_assert!(Checkpoint::open(&bytes, &vkey).is_err());
        }
        if let Some(bytes) = damage(&bytes_of_file("entry-5.tlog-proof"), at, byte, cut) {
            prop_assert!(Receipt::parse(&bytes).and_then(|receipt| receipt.verify(&vkey)).is_err());
        }
        if let Some(bytes) = damage(vkey.to_string().as_bytes(), at, byte, cut) {
            prop_assert!(VerifierKey::parse(&String::from_utf8_lossy(&bytes)).is_err());
        }
        if let Some(bytes) = damage(&bytes_of_file("checkpoint.note.sig"), at, byte, cut) {
            let armored = String::from_utf8_lossy(&bytes);
            let right = String::from_utf8(bytes_of_file("checkpoint.note.sig")).unwrap();
            // Where lines end means nothing in an armor.
            let only_line_ends = armored.split_whitespace().eq(right.split_whitespace());
            prop_assert!(only_line_ends || sshsig::verify(&armored, &note, &vkey.key).is_err());
        }
    }

    #[test]
    fn damaged_bundles_fail(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(), which in 0..3usize,
    ) {
        let file = |name: &str| bytes_of_file(&format!("logs/format/erased/{name}"));
        let mut files = [file("entries.jsonl"), file("payloads.jsonl"), file("checkpoint")];
        let vkey = vkey();
        let keys = load("keys.json");
        let find = |actor: &str, _: u64| {
            rows(&keys).iter().find(|row| row["name"] == actor).map(|row| key(text(row, "public_key")))
        };
        if let Some(bytes) = damage(&files[which], at, byte, cut) {
            files[which] = bytes;
            let bundle = Bundle { entries: &files[0], payloads: Some(&files[1]), checkpoint: Some(&files[2]) };
            let trust = Trust { vkey: &vkey, pin: None, witnesses: None };
            prop_assert!(verify_bundle(&bundle, &trust, find).failed());
        }
    }

    #[test]
    fn hostile_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        lines in "[a-z0-9 +=\n\u{2014}]{0,80}",
    ) {
        for bytes in [bytes.as_slice(), lines.as_bytes()] {
            let _ = Receipt::parse(bytes);
            let _ = VerifierKey::parse(&String::from_utf8_lossy(bytes));
            let _ = sshsig::verify(&String::from_utf8_lossy(bytes), bytes, &vkey().key);
            let _ = Frontier::from_bytes(bytes);
            let bundle = Bundle { entries: bytes, payloads: Some(bytes), checkpoint: Some(bytes) };
            let trust = Trust { vkey: &vkey(), pin: Some(bytes), witnesses: None };
            prop_assert!(verify_bundle(&bundle, &trust, |_, _| None).failed());
        }
    }
}

/// A bundle of no entries is well-formed; that an entry 0 is missing is a failure of authority.
#[test]
fn the_empty_log() {
    let file = |name: &str| bytes_of_file(&format!("logs/authority-example/empty/{name}"));
    let (entries, payloads, checkpoint) = (file("entries.jsonl"), file("payloads.jsonl"), file("checkpoint"));
    let bundle = Bundle { entries: &entries, payloads: Some(&payloads), checkpoint: Some(&checkpoint) };
    let trust = Trust { vkey: &vkey(), pin: None, witnesses: None };
    let report = verify_bundle(&bundle, &trust, |_, _| None);
    assert!(!report.failed(), "{report:?}");
}
