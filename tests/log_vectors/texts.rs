//! Texts, keys and encodings.

use std::collections::BTreeMap;

use aosctl::log::canonical::{self, DOC_LIMIT};
use aosctl::log::checkpoint::VerifierKey;
use aosctl::log::envelope::{Envelope, PAYLOAD_TYPE, pae};
use aosctl::log::hash::sha256;
use aosctl::log::header::Header;
use aosctl::log::origin::origin;
use aosctl::log::time::is_time;
use ed25519_dalek::{Signer, SigningKey};

use super::*;

#[test]
fn files_are_those_of_the_index() {
    let mut tally = Tally::new("files");
    for file in rows(&load("index.json")["files"]) {
        let digest = sha256(&bytes_of_file(text(file, "path"))).to_hex();
        tally.row(text(file, "path"), true, None, (digest != text(file, "sha256")).then_some("changed"));
    }
    tally.done();
}

#[test]
fn canonical_json() {
    let mut tally = Tally::new("canonical JSON");
    for row in rows(&load("canonical_accept.json")) {
        let (name, input, want) = (text(row, "name"), bytes(&row["input"]), bytes(&row["canonical"]));
        let found = canonical::parse(&input, DOC_LIMIT);
        tally.row(name, is_settled(row), None, found.as_ref().err().map(|fault| fault.kind()));
        let Ok(value) = found else { continue };
        tally.require(name, canonical::to_vec(&value).as_deref() == Ok(&want));
        tally.require(name, sha256(&want).to_hex() == text(row, "canonical_sha256"));
        let is_canonical = row["input_is_canonical"].as_bool().unwrap();
        let expected = if is_canonical { Ok(value) } else { Err("not_canonical") };
        tally.require(name, canonical::parse_canonical(&input, DOC_LIMIT).map_err(|fault| fault.kind()) == expected);
        tally.require(name, canonical::check_canonical(&input, DOC_LIMIT).is_ok() == is_canonical);
    }
    for row in rows(&load("canonical_reject.json")) {
        let input = bytes(&row["input"]);
        let kind = |result: Result<(), canonical::JsonFault>| result.err().map(|fault| fault.kind());
        let found = kind(canonical::parse(&input, DOC_LIMIT).map(drop));
        tally.row(text(row, "name"), is_settled(row), row["kind"].as_str(), found);
        tally.require(text(row, "name"), kind(canonical::check_canonical(&input, DOC_LIMIT)) == found);
    }
    tally.done_both();
}

#[test]
fn times_and_foreign_json() {
    let mut tally = Tally::new("times");
    for row in rows(&load("times.json")) {
        let expected = (!row["accept"].as_bool().unwrap()).then_some("no time");
        tally.row(text(row, "time"), is_settled(row), expected, (!is_time(text(row, "time"))).then_some("no time"));
    }
    tally.done_both();
    let mut tally = Tally::new("foreign JSON");
    for row in rows(&load("foreign.json")) {
        let expected = (!row["accept"].as_bool().unwrap()).then_some("refused");
        let found = canonical::check_foreign(text(row, "text")).err().map(|_| "refused");
        tally.row(text(row, "name"), is_settled(row), expected, found);
    }
    tally.done_both();
}

#[test]
fn origins() {
    let mut tally = Tally::new("origins");
    for row in rows(&load("origin.json")) {
        let nonce = hash(text(row, "nonce")).0;
        let found = origin(&key(text(row, "operator_public_key")), &key(text(row, "log_public_key")), &nonce);
        tally.row(&found, true, None, (found != text(row, "origin")).then_some("differs"));
    }
    tally.done();
}

#[test]
fn keys_and_pae() {
    let mut tally = Tally::new("keys");
    let keys = load("keys.json");
    let mut secrets = BTreeMap::new();
    for row in rows(&keys) {
        let name = text(row, "name");
        let secret = SigningKey::from_bytes(&hash(text(row, "seed")).0);
        let public = PublicKey(secret.verifying_key().to_bytes());
        secrets.insert(name.to_owned(), secret);
        tally.require(name, public.to_hex() == text(row, "public_key"));
        tally.require(name, public.key_id().to_hex() == text(row, "key_id"));
        tally.row(name, true, None, public.enrolment_fault().map(|fault| fault.kind()));
        if let Some(vkey) = row["vkey"].as_str() {
            let parsed = VerifierKey::parse(vkey).unwrap();
            let id = data_encoding::HEXLOWER.encode(&parsed.key_id());
            tally.require(name, parsed.to_string() == vkey && parsed.key == public);
            tally.require(name, parsed.name == text(row, "note_name") && id == text(row, "note_key_id"));
        }
    }
    tally.done();

    let mut tally = Tally::new("PAE");
    for row in rows(&load("pae.json")) {
        let (name, body) = (text(row, "name"), unhex(text(row, "body_hex")));
        let found = pae(text(row, "payloadType"), &body);
        tally.row(name, true, None, (found != unhex(text(row, "pae_hex"))).then_some("differs"));
        if let Some(signer) = row["signer"].as_str() {
            let header = Header::parse(&body).unwrap();
            assert_eq!(text(row, "payloadType"), PAYLOAD_TYPE);
            assert_eq!(header.to_jcs(), body);
            let envelope = Envelope::seal(&header, |pae| secrets[signer].sign(pae).to_bytes()).unwrap();
            assert_eq!(envelope.sig.to_vec(), unhex(text(row, "signature_hex")));
            assert_eq!(envelope.bytes, text(row, "envelope").as_bytes());
            assert_eq!(envelope.leaf_hash(), hash(text(row, "leaf_hash")));
            assert_eq!(Envelope::open(&envelope.bytes), Ok(envelope.clone()));
            envelope.verify(&PublicKey(secrets[signer].verifying_key().to_bytes())).unwrap();
        }
    }
    tally.done();
}
