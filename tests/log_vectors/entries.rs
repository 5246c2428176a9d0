//! Single entries, payloads, signatures and enrolments.

use aosctl::log::envelope::Envelope;
use aosctl::log::payload::{Record, field};
use aosctl::log::verify::{SeenPayload, check_signature, check_signature_ready, inspect_line};
use ed25519_dalek::{Signature, VerifyingKey};

use super::*;

#[test]
fn fields_and_commitments() {
    let mut tally = Tally::new("payload records");
    for row in rows(&load("fields.json")) {
        let line = text(row, "record");
        let (seq, mut record) = Record::parse_line(line.as_bytes()).unwrap();
        let commit = hash(text(row, "commit"));
        tally.row(line, true, None, (record.commit() != Ok(commit)).then_some("differs"));
        assert_eq!(record.to_line(seq).unwrap(), line.as_bytes());
        let stored = record.to_jcs().unwrap();
        assert_eq!(Record::parse(&stored), Ok(record.clone()));
        for row in rows(&row["fields"]) {
            let name = text(row, "name");
            let found = field(name, &record.salts[name], &record.body[name]).unwrap();
            assert_eq!(record.salts[name], hash(text(row, "salt")).0);
            assert_eq!(found, hash(text(row, "field")));
        }
        if let Some(erased) = row["erased_members"].as_array() {
            for name in erased {
                assert_eq!(record.erase(name.as_str().unwrap()), Ok(true));
            }
            let line = text(row, "erased_record");
            assert_eq!(record.to_line(seq).unwrap(), line.as_bytes());
            tally.row(line, true, None, (record.commit() != Ok(commit)).then_some("differs"));
        }
    }
    tally.done();
}

/// Compares verdicts of a row that has `must_fail` and `one_of` with what was found.
fn judge(tally: &mut Tally, row: &Value, found: &[(&str, Option<&str>)]) {
    let name = text(row, "name");
    let names = |list: &str| -> Vec<&str> { rows(&row[list]).iter().map(|name| name.as_str().unwrap()).collect() };
    let (must_fail, one_of) = (names("must_fail"), names("one_of"));
    let failed: Vec<&str> = found.iter().filter(|(_, fault)| fault.is_some()).map(|(check, _)| *check).collect();
    for check in &must_fail {
        tally.require(&format!("{name}: {check} must fail"), failed.contains(check));
    }
    if !one_of.is_empty() {
        tally.require(
            &format!("{name}: one of {one_of:?} must fail"),
            one_of.iter().any(|check| failed.contains(check)),
        );
    }
    if must_fail.is_empty() && one_of.is_empty() {
        tally.require(&format!("{name}: {found:?} must not fail"), failed.is_empty());
    }
    for (check, fault) in found {
        let observed = row["observed"][check].as_str();
        if observed != *fault {
            println!("{name}: {check}: they found {observed:?}, we {fault:?}");
        }
    }
    if failed.is_empty() { tally.accepted += 1 } else { tally.refused += 1 }
}

#[test]
fn envelopes() {
    let mut tally = Tally::new("envelopes");
    for row in rows(&load("envelopes.json")) {
        let bytes = bytes(&row["envelope"]);
        let entry = inspect_line(&bytes, None);
        let public_key = row["public_key"].as_str().map(key);
        let signature = match public_key {
            Some(key) => check_signature(&entry, &key),
            None => check_signature_ready(&entry, None),
        };
        let form = entry.form_fault().map(|fault| fault.kind());
        let signature = signature.err().map(|fault| fault.reason());
        judge(&mut tally, row, &[("canonical_form", form), ("signatures", signature)]);
        let name = text(row, "name");
        let opened =
            Envelope::open(&bytes).ok().filter(|envelope| public_key.is_some_and(|key| envelope.verify(&key).is_ok()));
        tally.require(name, opened.is_some() == (form.is_none() && signature.is_none()));
    }
    tally.done_both();
}

#[test]
fn payload_lines() {
    let mut tally = Tally::new("payload lines");
    let base = fs::read_to_string(path("logs/format/base/entries.jsonl")).unwrap();
    let envelope = base.lines().next().unwrap();
    for row in rows(&load("payload_lines.json")) {
        let bytes = bytes(&row["line"]);
        let commit = hash(text(row, "commit"));
        let (form, commitment) = match inspect_line(envelope.as_bytes(), Some(&bytes)).payload {
            SeenPayload::Unreadable(fault) => (Some(fault.kind()), None),
            SeenPayload::Read { commit: found, fault, .. } => {
                (fault.map(|fault| fault.kind()), (found != commit).then_some("commit"))
            }
            SeenPayload::Absent => panic!("there is a payload"),
        };
        judge(&mut tally, row, &[("canonical_form", form), ("commitments", commitment)]);
        let parsed = Record::parse_line(&bytes).and_then(|(_, record)| record.commit());
        let right = form.is_none() && commitment.is_none();
        tally.require(text(row, "name"), (parsed == Ok(commit)) == right);
    }
    tally.done_both();
}

#[test]
fn strict_ed25519() {
    let mut tally = Tally::new("strict Ed25519");
    for row in rows(&load("ed25519_strict.json")) {
        let found = key(text(row, "public_key"))
            .verify_strict(&unhex(text(row, "message_hex")), &unhex(text(row, "signature")));
        tally.row(text(row, "name"), is_settled(row), row["refused"].as_str(), found.err().map(|fault| fault.kind()));
    }
    tally.done_both();
}

/// We leave one step of the library's strict verification out, because another makes it needless: wherever
/// the key is one that we take, the two must agree.
#[test]
fn strict_ed25519_agrees_with_the_library() {
    let mut tally = Tally::new("strict Ed25519 by the library");
    let agree = |tally: &mut Tally, name: &str, public: &PublicKey, message: &[u8], sig: &[u8; 64]| {
        let Ok(ready) = public.ready() else { return };
        let library = VerifyingKey::from_bytes(&public.0).unwrap();
        let theirs = library.verify_strict(message, &Signature::from_bytes(sig));
        let ours = ready.verify_strict(message, sig);
        tally.row(name, true, theirs.err().map(|_| "refused"), ours.err().map(|_| "refused"));
    };
    for row in rows(&load("ed25519_strict.json")) {
        let Ok(sig) = <[u8; 64]>::try_from(unhex(text(row, "signature"))) else {
            continue;
        };
        let (public, message) = (key(text(row, "public_key")), unhex(text(row, "message_hex")));
        agree(&mut tally, text(row, "name"), &public, &message, &sig);
        for bit in 0..512 {
            let mut flipped = sig;
            flipped[bit / 8] ^= 1 << (bit % 8);
            agree(&mut tally, text(row, "name"), &public, &message, &flipped);
        }
    }
    tally.done_both();
}

#[test]
fn enrolment() {
    let mut tally = Tally::new("enrolment");
    for row in rows(&load("enrolment.json")) {
        let (name, key) = (text(row, "name"), key(text(row, "public_key")));
        let found = key.check_enrolment(text(row, "origin"), &unhex(text(row, "proof")));
        tally.row(name, is_settled(row), row["refused"].as_str(), found.err().map(|fault| fault.kind()));
        let fault = key.enrolment_fault().map(|fault| fault.kind());
        tally.require(name, fault == row["enrolment_fault"].as_str());
        tally.require(name, key.enrolment_message(text(row, "origin")) == unhex(text(row, "message_hex")));
    }
    tally.done_both();
}
