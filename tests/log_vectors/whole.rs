//! Whole logs, judged as `index.json` says.

use std::collections::BTreeMap;

use aosctl::log::checkpoint::VerifierKey;
use aosctl::log::tree::Frontier;
use aosctl::log::verdict::{Check, Report, Status};
use aosctl::log::verify::{
    Bundle, ChainChecker, Coverage, Trust, Witnesses, check_tree_root, inspect_line, verify_bundle,
};

use super::*;

fn optional(directory: &str, name: &str) -> Option<Vec<u8>> {
    fs::read(path(directory).join(name)).ok()
}

fn verify_log(directory: &str, keys: &BTreeMap<String, PublicKey>) -> Report {
    let entries = optional(directory, "entries.jsonl").unwrap();
    let payloads = optional(directory, "payloads.jsonl");
    let checkpoint = optional(directory, "checkpoint");
    let vkey = optional(directory, "log.vkey").and_then(|bytes| String::from_utf8(bytes).ok()).unwrap();
    let vkey = VerifierKey::parse(vkey.trim_end()).unwrap();
    let pin = optional(directory, "pin");
    let witnesses = optional(directory, "witnesses.json").map(|bytes| {
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let keys = rows(&value["vkeys"]).iter().map(|key| VerifierKey::parse(key.as_str().unwrap()).unwrap());
        Witnesses { keys: keys.collect(), quorum: value["quorum"].as_u64().unwrap().try_into().unwrap() }
    });
    let bundle = Bundle { entries: &entries, payloads: payloads.as_deref(), checkpoint: checkpoint.as_deref() };
    let trust = Trust { vkey: &vkey, pin: pin.as_deref(), witnesses: witnesses.as_ref() };
    verify_bundle(&bundle, &trust, |actor, _| keys.get(actor).copied())
}

#[test]
fn whole_logs() {
    let keys: BTreeMap<String, PublicKey> = rows(&load("keys.json"))
        .iter()
        .map(|row| (text(row, "name").to_owned(), key(text(row, "public_key"))))
        .collect();
    let mut tally = Tally::new("whole logs");
    for row in rows(&load("index.json")["logs"]) {
        let directory = text(row, "path");
        if !directory.starts_with("logs/format/") {
            continue;
        }
        let report = verify_log(directory, &keys);
        let failed = |name: &str| {
            let verdict = report.verdicts().iter().find(|verdict| verdict.check.name() == name).unwrap();
            (verdict.status == Status::Failed).then_some(verdict)
        };
        let mut may_fail: Vec<&str> = Vec::new();
        for want in rows(&row["must_fail"]) {
            let name = text(want, "verdict");
            may_fail.push(name);
            match failed(name) {
                None => tally.wrong.push(format!("{directory}: {name} must fail")),
                Some(verdict) if verdict.first_bad_seq != want["first_bad_seq"].as_u64() => {
                    let line = format!("{directory}: {verdict:?}, want {}", want["first_bad_seq"]);
                    if want["seq_settled"] == true { tally.wrong.push(line) } else { println!("unsettled: {line}") }
                }
                Some(_) => {}
            }
        }
        let names = |list: &str| rows(&row[list]).iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>();
        let one_of = names("one_of");
        if !one_of.is_empty() {
            tally.require(directory, one_of.iter().any(|name| failed(name).is_some()));
        }
        may_fail.extend(one_of);
        may_fail.extend(names("unsettled"));
        for check in Check::ALL {
            let found = failed(check.name());
            if let Some(verdict) = found.filter(|_| !may_fail.contains(&check.name())) {
                tally.wrong.push(format!("{directory}: must not fail: {verdict:?}"));
            }
            let observed = &row["observed"][check.name()];
            let seen = found.map(|verdict| (verdict.first_bad_seq, verdict.reason));
            let theirs = observed.is_object().then(|| (observed["first_bad_seq"].as_u64(), text(observed, "reason")));
            if seen != theirs {
                println!("{directory}: {}: they found {theirs:?}, we {seen:?}", check.name());
            }
        }
        if let Some(tail) = row["unanchored_tail"].as_u64() {
            assert_eq!(tail, 0);
            tally.require(directory, report.status(Check::UnanchoredTail) == Status::Ok);
        }
        match row["good"].as_bool() {
            Some(good) => tally.row(directory, true, (!good).then_some("bad"), report.failed().then_some("bad")),
            None => println!("{directory}: the specification does not say; failed: {}", report.failed()),
        }
    }
    tally.done_both();
}

/// The example logs are of another schema, whose authority is not ours to judge. Their format is.
#[test]
fn example_logs_are_well_formed() {
    let keys: BTreeMap<String, PublicKey> = rows(&load("keys.json"))
        .iter()
        .map(|row| (text(row, "name").to_owned(), key(text(row, "public_key"))))
        .collect();
    let mut tally = Tally::new("example logs");
    for row in rows(&load("index.json")["logs"]) {
        let directory = text(row, "path");
        if !directory.starts_with("logs/authority-example/") || row["good"] != true {
            continue;
        }
        let report = verify_log(directory, &keys);
        for check in [Check::CanonicalForm, Check::Chain, Check::TreeRoot, Check::Commitments] {
            let verdict = report.get(check).unwrap();
            tally.require(&format!("{directory}: {verdict:?}"), verdict.status == Status::Ok);
        }
        tally.accepted += 1;
    }
    tally.done();
}

/// What was verified before need not be read again: a kept right edge is enough.
#[test]
fn verification_resumes_where_it_stopped() {
    let file = |name: &str| bytes_of_file(&format!("logs/format/base/{name}"));
    let vkey = VerifierKey::parse(String::from_utf8(file("log.vkey")).unwrap().trim_end()).unwrap();
    let entries = String::from_utf8(file("entries.jsonl")).unwrap();
    let entries: Vec<_> = entries.lines().map(|line| inspect_line(line.as_bytes(), None)).collect();
    let checkpoint = file("checkpoint");
    for stop in 0..=entries.len() {
        let mut first = ChainChecker::new(&vkey.name);
        assert!(entries[..stop].iter().all(|entry| first.feed(entry).is_none()));
        let kept = Frontier::from_bytes(&first.frontier().to_bytes()).unwrap();
        let mut second = ChainChecker::resume(&vkey.name, kept, first.last_leaf(), first.last_at());
        second.remember(9);
        assert!(entries[stop..].iter().all(|entry| second.feed(entry).is_none()), "from {stop}");
        assert_eq!(second.root_at(stop.try_into().unwrap()), Some(first.root()));
        assert_eq!(second.root_at(1).is_some(), stop == 1);
        // The log may have grown since the checkpoint; a bundle may not.
        second.feed(&entries[0]);
        let mut report = Report::new();
        check_tree_root(&mut report, &second, Some(&checkpoint), &vkey, Coverage::Beginning);
        assert_eq!(report.status(Check::TreeRoot), Status::Ok);
        check_tree_root(&mut report, &second, Some(&checkpoint), &vkey, Coverage::All);
        assert_eq!(report.get(Check::TreeRoot).map(|verdict| verdict.reason), Some("size"));
    }
}

#[test]
fn what_was_not_given_is_not_checked() {
    let file = |name: &str| bytes_of_file(&format!("logs/format/base/{name}"));
    let vkey = VerifierKey::parse(String::from_utf8(file("log.vkey")).unwrap().trim_end()).unwrap();
    let (entries, checkpoint) = (file("entries.jsonl"), file("checkpoint"));
    let bundle = Bundle { entries: &entries, payloads: None, checkpoint: Some(&checkpoint) };
    let trust = Trust { vkey: &vkey, pin: None, witnesses: None };
    let report = verify_bundle(&bundle, &trust, |_, _| None);
    for check in [Check::Commitments, Check::Authority, Check::Projections, Check::PinAndWitnesses] {
        assert_eq!(report.status(check), Status::NotChecked, "{check:?}");
    }
    assert_eq!(report.get(Check::Signatures).map(|verdict| verdict.reason), Some("unknown_signer"));
    assert_eq!(report.get(Check::UnanchoredTail).map(|verdict| verdict.first_bad_seq), Some(Some(0)));
}
