//! Bundles: over arbitrary bytes nothing but the true log passes under the trusted key. The input is `entries.jsonl`,
//! `payloads.jsonl` and `checkpoint`, with the byte FF between them (it is in no text).
#![no_main]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aosctl::log::checkpoint::VerifierKey;
use aosctl::log::key::PublicKey;
use aosctl::log::verdict::{Check, Status};
use aosctl::log::verify::{Bundle, Trust, verify_bundle};
use libfuzzer_sys::fuzz_target;

const ENTRIES: &[u8] = include_bytes!("../../tests/vectors/log-v1/logs/format/base/entries.jsonl");
const TRUSTED: &str = include_str!("../../tests/vectors/log-v1/logs/format/base/log.vkey");
const KEYS: &str = include_str!("../../tests/vectors/log-v1/keys.json");

fn keys() -> &'static BTreeMap<String, PublicKey> {
    static KEYS_BY_NAME: OnceLock<BTreeMap<String, PublicKey>> = OnceLock::new();
    KEYS_BY_NAME.get_or_init(|| {
        let rows: Vec<serde_json::Value> = serde_json::from_str(KEYS).expect("a vector");
        let of = |row: &serde_json::Value, name: &str| row[name].as_str().expect("a vector").to_owned();
        rows.iter()
            .map(|row| (of(row, "name"), PublicKey::from_hex(&of(row, "public_key")).expect("a vector")))
            .collect()
    })
}

fuzz_target!(|data: &[u8]| {
    let mut files = data.split(|byte| *byte == 0xff);
    let bundle = Bundle { entries: files.next().unwrap_or_default(), payloads: files.next(), checkpoint: files.next() };
    let vkey = VerifierKey::parse(TRUSTED.trim_end()).expect("a vector");
    let trust = Trust { vkey: &vkey, pin: None, witnesses: None };
    let report = verify_bundle(&bundle, &trust, |actor, _| keys().get(actor).copied());
    let ok = |check: Check| report.status(check) == Status::Ok;
    if ok(Check::TreeRoot) {
        assert_eq!(bundle.entries, ENTRIES, "a root that nobody signed");
        assert!(ok(Check::CanonicalForm) || bundle.payloads.is_some());
        assert!(ok(Check::Chain) && ok(Check::Signatures));
    }
    if bundle.checkpoint.is_none() {
        assert_eq!(report.status(Check::TreeRoot), Status::Failed, "what is missing fails");
    }
    if bundle.payloads.is_none() {
        // An entry that cannot be read fails everything that is said of entries.
        let unread = report.status(Check::CanonicalForm) == Status::Failed;
        let commitments = report.status(Check::Commitments);
        assert!(commitments == Status::NotChecked || commitments == Status::Failed && unread);
    }
    // What a member says may be erased with an entry that says so, and the lines may come in any order; nothing else.
    if !report.failed() && let Some(payloads) = bundle.payloads {
        let mut theirs: Vec<&[u8]> = payloads.split_inclusive(|b| *b == b'\n').collect();
        let base = include_bytes!("../../tests/vectors/log-v1/logs/format/base/payloads.jsonl");
        let mut ours: Vec<&[u8]> = base.split_inclusive(|b| *b == b'\n').collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(theirs, ours, "other payloads than those committed to");
    }
});
