//! The whole logs of the vectors, as bundles. Who signed, and with what right, is of another schema there; everything else
//! must come out as it does from the verifier of the format.

use std::path::{Path, PathBuf};

use aosctl::log::checkpoint::VerifierKey;
use aosctl::log::verdict::{Check, Status};
use aosctl::log::verify::{Bundle, Trust, Witnesses, verify_bundle as verify_format};
use aosctl::workspace::{BundleOptions, Kept, Outside, verify_bundle};

use crate::world::now;

#[test]
fn whole_logs_of_the_vectors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/log-v1");
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(root.join("index.json")).unwrap()).unwrap();
    let (mut wrong, mut looked) = (Vec::new(), 0);
    for row in index["logs"].as_array().unwrap() {
        let dir: PathBuf = root.join(row["path"].as_str().unwrap());
        let name = row["path"].as_str().unwrap();
        let read = |file: &str| std::fs::read(dir.join(file)).ok();
        let vkey = String::from_utf8(read("log.vkey").unwrap()).unwrap();
        let vkey = VerifierKey::parse(vkey.trim_end()).unwrap();
        let pin = read("pin");
        let witnesses = read("witnesses.json").map(|bytes| {
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let keys = value["vkeys"].as_array().unwrap().iter();
            Witnesses {
                keys: keys.map(|k| VerifierKey::parse(k.as_str().unwrap()).unwrap()).collect(),
                quorum: value["quorum"].as_u64().unwrap().try_into().unwrap(),
            }
        });
        let files = aosctl::evidence::bundle::open(&dir).unwrap();
        let outside = Outside {
            kept: pin.iter().map(|note| Kept { name: "pin".into(), note: note.clone() }).collect(),
            quorum: witnesses.as_ref().map_or(0, |w| w.quorum),
            witnesses: witnesses.as_ref().map_or(Vec::new(), |w| w.keys.clone()),
        };
        let options = BundleOptions { vkey: vkey.clone(), threads: Some(1), outside };
        let ours = verify_bundle(files, &options, now(), &mut |_, _| {}).unwrap().report;
        let (entries, payloads, checkpoint) =
            (read("entries.jsonl").unwrap(), read("payloads.jsonl"), read("checkpoint"));
        let bundle = Bundle { entries: &entries, payloads: payloads.as_deref(), checkpoint: checkpoint.as_deref() };
        let trust = Trust { vkey: &vkey, pin: pin.as_deref(), witnesses: witnesses.as_ref() };
        let theirs = verify_format(&bundle, &trust, |_, _| None);
        let mut checks =
            vec![Check::CanonicalForm, Check::Chain, Check::TreeRoot, Check::PinAndWitnesses, Check::UnanchoredTail];
        // Which erasures count is a matter of authority.
        if !name.contains("eras") && !name.ends_with("/story") {
            checks.push(Check::Commitments);
        }
        for check in checks {
            let (a, b) = (ours.get(check).unwrap(), theirs.get(check).unwrap());
            // Entry 0 there carries other members, or none; that the name does not follow from it fails the chain.
            let named = check == Check::Chain && a.detail.contains("do not give the log's name");
            if !named && (a.status, a.first_bad_seq) != (b.status, b.first_bad_seq) {
                wrong.push(format!("{name}: {a:?}, by the format {b:?}"));
            }
        }
        for must in row["must_fail"].as_array().unwrap() {
            let check = Check::ALL.into_iter().find(|c| c.name() == must["verdict"]).unwrap();
            if matches!(check, Check::Signatures | Check::Authority | Check::Commitments) {
                continue;
            }
            let v = ours.get(check).unwrap();
            let seq = must["first_bad_seq"].as_u64();
            if v.status != Status::Failed || (must["seq_settled"] == true && v.first_bad_seq != seq) {
                wrong.push(format!("{name}: {v:?} must fail at {seq:?}"));
            }
        }
        looked += 1;
    }
    assert!(looked > 100, "{looked}");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
