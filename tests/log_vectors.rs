//! Every vector of `tests/vectors/log-v1`, which an implementation that is not ours made. Where a row says
//! `settled: false`, a disagreement is printed and nothing more.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use aosctl::log::canonical::{self, DOC_LIMIT};
use aosctl::log::checkpoint::{Checkpoint, Note, NoteFault, VerifierKey};
use aosctl::log::envelope::{Envelope, PAYLOAD_TYPE, pae};
use aosctl::log::hash::{Hash, sha256};
use aosctl::log::header::Header;
use aosctl::log::key::PublicKey;
use aosctl::log::origin::origin;
use aosctl::log::payload::{Record, field};
use aosctl::log::receipt::Receipt;
use aosctl::log::sshsig;
use aosctl::log::time::is_time;
use aosctl::log::tree::{self, Frontier, Leaves};
use aosctl::log::verdict::{Check, Report, Status};
use aosctl::log::verify::{
    Bundle, SeenPayload, Trust, Witnesses, check_signature, check_signature_ready, inspect_line,
    verify_bundle,
};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/log-v1")
        .join(name)
}

fn bytes_of_file(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn load(name: &str) -> Value {
    serde_json::from_slice(&bytes_of_file(name)).unwrap()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("{name} in {row}"))
}

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn hash(text: &str) -> Hash {
    Hash::from_hex(text).unwrap()
}

fn key(text: &str) -> PublicKey {
    PublicKey::from_hex(text).unwrap()
}

/// Bytes as `text`, `hex` or `parts`.
fn bytes(value: &Value) -> Vec<u8> {
    if let Some(text) = value["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(hex) = value["hex"].as_str() {
        return unhex(hex);
    }
    let part =
        |part: &Value| unhex(part[0].as_str().unwrap()).repeat(part[1].as_u64().unwrap().try_into().unwrap());
    rows(&value["parts"]).iter().flat_map(part).collect()
}

/// Counts what was accepted and refused, and collects disagreements so that one run shows all of them.
struct Tally {
    what: &'static str,
    accepted: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn new(what: &'static str) -> Tally {
        Tally {
            what,
            accepted: 0,
            refused: 0,
            wrong: Vec::new(),
        }
    }

    /// `expected` and `found` are kinds of fault, none where all is right.
    fn row(&mut self, name: &str, settled: bool, expected: Option<&str>, found: Option<&str>) {
        match found {
            None => self.accepted += 1,
            Some(_) => self.refused += 1,
        }
        if expected != found {
            let line = format!("{name}: expected {expected:?}, found {found:?}");
            if settled {
                self.wrong.push(line)
            } else {
                println!("unsettled: {line}")
            }
        }
    }

    fn require(&mut self, name: &str, holds: bool) {
        if !holds {
            self.wrong.push(name.to_owned());
        }
    }

    fn done(self) {
        println!(
            "{}: {} accepted, {} refused",
            self.what, self.accepted, self.refused
        );
        assert!(self.wrong.is_empty(), "{}:\n{}", self.what, self.wrong.join("\n"));
        assert!(self.accepted > 0, "{}: nothing was accepted", self.what);
    }

    fn done_both(self) {
        assert!(self.refused > 0, "{}: nothing was refused", self.what);
        self.done();
    }
}

fn is_settled(row: &Value) -> bool {
    row["settled"].as_bool().unwrap_or(true)
}

#[test]
fn files_are_those_of_the_index() {
    let mut tally = Tally::new("files");
    for file in rows(&load("index.json")["files"]) {
        let digest = sha256(&bytes_of_file(text(file, "path"))).to_hex();
        tally.row(
            text(file, "path"),
            true,
            None,
            (digest != text(file, "sha256")).then_some("changed"),
        );
    }
    tally.done();
}

#[test]
fn canonical_json() {
    let mut tally = Tally::new("canonical JSON");
    for row in rows(&load("canonical_accept.json")) {
        let (name, input, want) = (text(row, "name"), bytes(&row["input"]), bytes(&row["canonical"]));
        let found = canonical::parse(&input, DOC_LIMIT);
        tally.row(
            name,
            is_settled(row),
            None,
            found.as_ref().err().map(|fault| fault.kind()),
        );
        let Ok(value) = found else { continue };
        tally.require(name, canonical::to_vec(&value).as_deref() == Ok(&want));
        tally.require(name, sha256(&want).to_hex() == text(row, "canonical_sha256"));
        let is_canonical = row["input_is_canonical"].as_bool().unwrap();
        let expected = if is_canonical {
            Ok(value)
        } else {
            Err("not_canonical")
        };
        tally.require(
            name,
            canonical::parse_canonical(&input, DOC_LIMIT).map_err(|fault| fault.kind()) == expected,
        );
        tally.require(
            name,
            canonical::check_canonical(&input, DOC_LIMIT).is_ok() == is_canonical,
        );
    }
    for row in rows(&load("canonical_reject.json")) {
        let input = bytes(&row["input"]);
        let kind = |result: Result<(), canonical::JsonFault>| result.err().map(|fault| fault.kind());
        let found = kind(canonical::parse(&input, DOC_LIMIT).map(drop));
        tally.row(text(row, "name"), is_settled(row), row["kind"].as_str(), found);
        tally.require(
            text(row, "name"),
            kind(canonical::check_canonical(&input, DOC_LIMIT)) == found,
        );
    }
    tally.done_both();
}

#[test]
fn times_and_foreign_json() {
    let mut tally = Tally::new("times");
    for row in rows(&load("times.json")) {
        let expected = (!row["accept"].as_bool().unwrap()).then_some("no time");
        tally.row(
            text(row, "time"),
            is_settled(row),
            expected,
            (!is_time(text(row, "time"))).then_some("no time"),
        );
    }
    tally.done_both();
    let mut tally = Tally::new("foreign JSON");
    for row in rows(&load("foreign.json")) {
        let expected = (!row["accept"].as_bool().unwrap()).then_some("refused");
        let found = canonical::check_foreign(text(row, "text"))
            .err()
            .map(|_| "refused");
        tally.row(text(row, "name"), is_settled(row), expected, found);
    }
    tally.done_both();
}

#[test]
fn origins() {
    let mut tally = Tally::new("origins");
    for row in rows(&load("origin.json")) {
        let nonce = hash(text(row, "nonce")).0;
        let found = origin(
            &key(text(row, "operator_public_key")),
            &key(text(row, "log_public_key")),
            &nonce,
        );
        tally.row(
            &found,
            true,
            None,
            (found != text(row, "origin")).then_some("differs"),
        );
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
        tally.row(name, true, Some(text(row, "public_key")), Some(&public.to_hex()));
        tally.row(
            name,
            true,
            Some(text(row, "key_id")),
            Some(&public.key_id().to_hex()),
        );
        tally.row(
            name,
            true,
            None,
            public.enrolment_fault().map(|fault| fault.kind()),
        );
        if let Some(vkey) = row["vkey"].as_str() {
            let parsed = VerifierKey::parse(vkey).unwrap();
            let id = data_encoding::HEXLOWER.encode(&parsed.key_id());
            tally.require(name, parsed.to_string() == vkey && parsed.key == public);
            tally.require(
                name,
                parsed.name == text(row, "note_name") && id == text(row, "note_key_id"),
            );
        }
    }
    tally.done();

    let mut tally = Tally::new("PAE");
    for row in rows(&load("pae.json")) {
        let (name, body) = (text(row, "name"), unhex(text(row, "body_hex")));
        let found = pae(text(row, "payloadType"), &body);
        tally.row(
            name,
            true,
            None,
            (found != unhex(text(row, "pae_hex"))).then_some("differs"),
        );
        if let Some(signer) = row["signer"].as_str() {
            let header = Header::parse(&body).unwrap();
            assert_eq!(text(row, "payloadType"), PAYLOAD_TYPE);
            assert_eq!(header.to_jcs(), body);
            let envelope = Envelope::seal(&header, |pae| secrets[signer].sign(pae).to_bytes()).unwrap();
            assert_eq!(envelope.sig.to_vec(), unhex(text(row, "signature_hex")));
            assert_eq!(envelope.bytes, text(row, "envelope").as_bytes());
            assert_eq!(envelope.leaf_hash(), hash(text(row, "leaf_hash")));
            assert_eq!(Envelope::open(&envelope.bytes), Ok(envelope.clone()));
            envelope
                .verify(&PublicKey(secrets[signer].verifying_key().to_bytes()))
                .unwrap();
        }
    }
    tally.done();
}

#[test]
fn fields_and_commitments() {
    let mut tally = Tally::new("payload records");
    for row in rows(&load("fields.json")) {
        let line = text(row, "record");
        let (seq, mut record) = Record::parse_line(line.as_bytes()).unwrap();
        let commit = hash(text(row, "commit"));
        tally.row(
            line,
            true,
            None,
            (record.commit() != Ok(commit)).then_some("differs"),
        );
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
            tally.row(
                line,
                true,
                None,
                (record.commit() != Ok(commit)).then_some("differs"),
            );
        }
    }
    tally.done();
}

/// Compares verdicts of a row that has `must_fail` and `one_of` with what was found.
fn judge(tally: &mut Tally, row: &Value, found: &[(&str, Option<&str>)]) {
    let name = text(row, "name");
    let names = |list: &str| -> Vec<&str> {
        rows(&row[list])
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect()
    };
    let (must_fail, one_of) = (names("must_fail"), names("one_of"));
    let failed: Vec<&str> = found
        .iter()
        .filter(|(_, fault)| fault.is_some())
        .map(|(check, _)| *check)
        .collect();
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
    if failed.is_empty() {
        tally.accepted += 1
    } else {
        tally.refused += 1
    }
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
        judge(
            &mut tally,
            row,
            &[("canonical_form", form), ("signatures", signature)],
        );
        let name = text(row, "name");
        let opened = Envelope::open(&bytes)
            .ok()
            .filter(|envelope| public_key.is_some_and(|key| envelope.verify(&key).is_ok()));
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
            SeenPayload::Read {
                commit: found, fault, ..
            } => (
                fault.map(|fault| fault.kind()),
                (found != commit).then_some("commit"),
            ),
            SeenPayload::Absent => panic!("there is a payload"),
        };
        judge(
            &mut tally,
            row,
            &[("canonical_form", form), ("commitments", commitment)],
        );
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
        tally.row(
            text(row, "name"),
            is_settled(row),
            row["refused"].as_str(),
            found.err().map(|fault| fault.kind()),
        );
    }
    tally.done_both();
}

#[test]
fn enrolment() {
    let mut tally = Tally::new("enrolment");
    for row in rows(&load("enrolment.json")) {
        let (name, key) = (text(row, "name"), key(text(row, "public_key")));
        let found = key.check_enrolment(text(row, "origin"), &unhex(text(row, "proof")));
        tally.row(
            name,
            is_settled(row),
            row["refused"].as_str(),
            found.err().map(|fault| fault.kind()),
        );
        let fault = key.enrolment_fault().map(|fault| fault.kind());
        tally.require(name, fault == row["enrolment_fault"].as_str());
        tally.require(
            name,
            key.enrolment_message(text(row, "origin")) == unhex(text(row, "message_hex")),
        );
    }
    tally.done_both();
}

#[test]
fn trees() {
    let vectors = load("tree.json");
    let mut tally = Tally::new("trees");
    let leaves: Vec<Hash> = rows(&vectors["leaf_hashes"])
        .iter()
        .map(|leaf| hash(leaf.as_str().unwrap()))
        .collect();
    let entries = fs::read_to_string(path(&format!("{}/entries.jsonl", text(&vectors, "log")))).unwrap();
    let found: Vec<Hash> = entries
        .lines()
        .map(|line| tree::leaf_hash(line.as_bytes()))
        .collect();
    assert_eq!(found, leaves);
    let synthetic: Vec<Hash> = (0..600)
        .map(|index| tree::leaf_hash(format!("leaf {index}").as_bytes()))
        .collect();
    for (leaves, roots) in [
        (&leaves, &vectors["roots"]),
        (&synthetic, &vectors["synthetic"]["roots"]),
    ] {
        for row in rows(roots) {
            let size = row["size"].as_u64().unwrap();
            let mut frontier = Frontier::new();
            leaves
                .iter()
                .take(size.try_into().unwrap())
                .for_each(|leaf| frontier.push(*leaf));
            let root = hash(text(row, "root"));
            tally.row(
                &size.to_string(),
                true,
                None,
                (frontier.root() != root).then_some("root"),
            );
            tally.require("from subtrees", tree::root_of(size, &Leaves(leaves)) == Ok(root));
        }
    }
    tally.done();
}

#[test]
fn proofs() {
    let vectors = load("proofs.json");
    let hashes = |row: &Value| -> Option<Vec<Hash>> {
        rows(&row["proof"])
            .iter()
            .map(|hash| Hash::from_hex(hash.as_str().unwrap()))
            .collect()
    };
    let mut tally = Tally::new("inclusion proofs");
    for row in rows(&vectors["inclusion"]) {
        let (index, size) = (row["index"].as_u64().unwrap(), row["size"].as_u64().unwrap());
        let (leaf, root) = (hash(text(row, "leaf")), hash(text(row, "root")));
        let holds =
            hashes(row).is_some_and(|proof| tree::verify_inclusion(&leaf, index, size, &proof, &root));
        let expected = (row["valid"] == false).then_some("invalid");
        tally.row(
            &format!("{index} of {size}, {}", row["why"]),
            true,
            expected,
            (!holds).then_some("invalid"),
        );
    }
    tally.done_both();
    let mut tally = Tally::new("consistency proofs");
    for row in rows(&vectors["consistency"]) {
        let (first, second) = (row["first"].as_u64().unwrap(), row["second"].as_u64().unwrap());
        let (first_root, second_root) = (hash(text(row, "first_root")), hash(text(row, "second_root")));
        let holds = hashes(row)
            .is_some_and(|proof| tree::verify_consistency(first, second, &first_root, &second_root, &proof));
        let expected = (row["valid"] == false).then_some("invalid");
        tally.row(
            &format!("{first} to {second}, {}", row["why"]),
            true,
            expected,
            (!holds).then_some("invalid"),
        );
    }
    tally.done_both();

    // What the log makes is what they made.
    let leaves: Vec<Hash> = rows(&load("tree.json")["leaf_hashes"])
        .iter()
        .map(|leaf| hash(leaf.as_str().unwrap()))
        .collect();
    for row in rows(&vectors["inclusion"])
        .iter()
        .filter(|row| row["valid"] == true)
    {
        let (index, size) = (row["index"].as_u64().unwrap(), row["size"].as_u64().unwrap());
        if leaves.get(usize::try_from(index).unwrap()) == Hash::from_hex(text(row, "leaf")).as_ref()
            && size <= 9
        {
            assert_eq!(
                tree::inclusion_proof(index, size, &Leaves(&leaves)),
                Ok(hashes(row).unwrap())
            );
        }
    }
}

#[test]
fn checkpoints() {
    let vectors = load("checkpoint.json");
    let vkey = VerifierKey::parse(text(&vectors, "vkey")).unwrap();
    let mut tally = Tally::new("checkpoints");
    for row in rows(&vectors["accepted"]) {
        let found = Checkpoint::open(text(row, "note").as_bytes(), &vkey);
        tally.row(
            text(row, "name"),
            is_settled(row),
            None,
            found.as_ref().err().map(|fault| fault.kind()),
        );
        if let Ok((checkpoint, _)) = found {
            tally.require(
                text(row, "name"),
                checkpoint.size == row["size"].as_u64().unwrap(),
            );
            tally.require(text(row, "name"), checkpoint.root == hash(text(row, "root")));
        }
    }
    for row in rows(&vectors["refused"]) {
        let found = Checkpoint::open(&unhex(text(row, "note_hex")), &vkey)
            .err()
            .map(|fault| fault.kind());
        tally.row(text(row, "what"), is_settled(row), row["kind"].as_str(), found);
    }
    for row in rows(&vectors["vkeys_refused"]) {
        let found = VerifierKey::parse(text(row, "vkey"))
            .err()
            .map(|fault| fault.kind());
        tally.row(text(row, "what"), true, row["kind"].as_str(), found);
    }
    tally.done_both();

    let example = &vectors["example"];
    let seed = rows(&load("keys.json"))
        .iter()
        .find(|row| row["name"] == "log")
        .map(|row| hash(text(row, "seed")));
    let secret = SigningKey::from_bytes(&seed.unwrap().0);
    let checkpoint = Checkpoint {
        origin: text(example, "origin").to_owned(),
        size: example["size"].as_u64().unwrap(),
        root: hash(text(example, "root")),
    };
    assert_eq!(checkpoint.text(), text(example, "text"));
    let note = checkpoint.sign(|text| secret.sign(text).to_bytes(), &vkey.key);
    assert_eq!(note, text(example, "note"));
    assert_eq!(note.as_bytes(), bytes_of_file("checkpoint.note"));
    assert_eq!(
        bytes_of_file("log.vkey"),
        format!("{}\n", VerifierKey::for_log(&checkpoint.origin, &vkey.key)).as_bytes()
    );
}

#[test]
fn cosignatures() {
    let vectors = load("cosignature.json");
    let witness = VerifierKey::parse(text(&vectors, "vkey")).unwrap();
    let verify = |note: &str| -> Result<u64, NoteFault> {
        let note = Note::parse(note.as_bytes())?;
        Checkpoint::from_text(note.text)?.verify_cosignature(&note.lines, &witness)
    };
    let mut tally = Tally::new("cosignatures");
    let time = vectors["timestamp"].as_u64().unwrap();
    let found = verify(text(&vectors, "note"));
    tally.row("right", true, None, found.err().map(|fault| fault.kind()));
    assert_eq!(found, Ok(time));
    for row in rows(&vectors["refused"]) {
        let found = verify(text(row, "note")).err().map(|fault| fault.kind());
        tally.row(text(row, "what"), is_settled(row), row["kind"].as_str(), found);
    }
    tally.done_both();

    let checkpoint = Checkpoint::from_text(text(&vectors, "text")).unwrap();
    assert_eq!(
        checkpoint.cosign_message(time),
        text(&vectors, "message").as_bytes()
    );
    let seed = rows(&load("keys.json"))
        .iter()
        .find(|row| row["name"] == "witness-1")
        .map(|row| hash(text(row, "seed")));
    let sig = SigningKey::from_bytes(&seed.unwrap().0)
        .sign(&checkpoint.cosign_message(time))
        .to_bytes();
    assert_eq!(
        witness.cosignature_line(time, &sig).to_string(),
        text(&vectors, "line").trim_end()
    );
}

#[test]
fn receipts() {
    let vectors = load("receipts.json");
    let vkey = VerifierKey::parse(text(&vectors, "vkey")).unwrap();
    let mut tally = Tally::new("receipts");
    for row in rows(&vectors["receipts"]) {
        let receipt = text(row, "receipt");
        let found = Receipt::parse(receipt.as_bytes()).and_then(|parsed| {
            assert_eq!(parsed.to_text(), receipt);
            parsed.verify(&vkey)
        });
        tally.row(
            text(row, "name"),
            is_settled(row),
            row["refused"].as_str(),
            found.err().map(|fault| fault.kind()),
        );
    }
    tally.done_both();
    let shown = Receipt::parse(&bytes_of_file("entry-5.tlog-proof"))
        .unwrap()
        .verify(&vkey)
        .unwrap();
    assert_eq!((shown.envelope.header.seq, shown.checkpoint.size), (5, 9));
}

#[test]
fn ssh_signatures() {
    let vectors = load("sshsig.json");
    let vkey = VerifierKey::parse(text(&load("checkpoint.json"), "vkey")).unwrap();
    let mut tally = Tally::new("SSH signatures");
    for row in rows(&vectors["signatures"]) {
        let found = sshsig::verify(text(row, "sshsig"), &unhex(text(row, "message_hex")), &vkey.key);
        tally.row(
            text(row, "name"),
            is_settled(row),
            row["refused"].as_str(),
            found.err().map(|fault| fault.kind()),
        );
    }
    tally.done_both();

    let note = bytes_of_file("checkpoint.note");
    assert_eq!(text(&vectors, "namespace"), sshsig::NAMESPACE);
    assert_eq!(
        sshsig::to_be_signed(&note),
        unhex(text(&vectors, "signed_data_hex"))
    );
    assert_eq!(
        sshsig::allowed_signer(&vkey.name, &vkey.key),
        text(&vectors, "allowed_signers").trim_end()
    );
    let seed = rows(&load("keys.json"))
        .iter()
        .find(|row| row["name"] == "log")
        .map(|row| hash(text(row, "seed")));
    let secret = SigningKey::from_bytes(&seed.unwrap().0);
    let armored = sshsig::sign(&note, &vkey.key, |data| secret.sign(data).to_bytes());
    assert_eq!(armored.as_bytes(), bytes_of_file("checkpoint.note.sig"));
}

fn optional(directory: &str, name: &str) -> Option<Vec<u8>> {
    fs::read(path(directory).join(name)).ok()
}

fn verify_log(directory: &str, keys: &BTreeMap<String, PublicKey>) -> Report {
    let entries = optional(directory, "entries.jsonl").unwrap();
    let payloads = optional(directory, "payloads.jsonl");
    let checkpoint = optional(directory, "checkpoint");
    let vkey = optional(directory, "log.vkey")
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap();
    let vkey = VerifierKey::parse(vkey.trim_end()).unwrap();
    let pin = optional(directory, "pin");
    let witnesses = optional(directory, "witnesses.json").map(|bytes| {
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let keys = rows(&value["vkeys"])
            .iter()
            .map(|key| VerifierKey::parse(key.as_str().unwrap()).unwrap());
        Witnesses {
            keys: keys.collect(),
            quorum: value["quorum"].as_u64().unwrap().try_into().unwrap(),
        }
    });
    let bundle = Bundle {
        entries: &entries,
        payloads: payloads.as_deref(),
        checkpoint: checkpoint.as_deref(),
    };
    let trust = Trust {
        vkey: &vkey,
        pin: pin.as_deref(),
        witnesses: witnesses.as_ref(),
    };
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
            let verdict = report
                .verdicts()
                .iter()
                .find(|verdict| verdict.check.name() == name)
                .unwrap();
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
                    if want["seq_settled"] == true {
                        tally.wrong.push(line)
                    } else {
                        println!("unsettled: {line}")
                    }
                }
                Some(_) => {}
            }
        }
        let names = |list: &str| {
            rows(&row[list])
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect::<Vec<_>>()
        };
        let one_of = names("one_of");
        if !one_of.is_empty() {
            tally.require(directory, one_of.iter().any(|name| failed(name).is_some()));
        }
        may_fail.extend(one_of);
        may_fail.extend(names("unsettled"));
        for check in Check::ALL {
            let found = failed(check.name());
            if let Some(verdict) = found.filter(|_| !may_fail.contains(&check.name())) {
                tally
                    .wrong
                    .push(format!("{directory}: must not fail: {verdict:?}"));
            }
            let observed = &row["observed"][check.name()];
            let seen = found.map(|verdict| (verdict.first_bad_seq, verdict.reason));
            let theirs = observed
                .is_object()
                .then(|| (observed["first_bad_seq"].as_u64(), text(observed, "reason")));
            if seen != theirs {
                println!(
                    "{directory}: {}: they found {theirs:?}, we {seen:?}",
                    check.name()
                );
            }
        }
        if let Some(tail) = row["unanchored_tail"].as_u64() {
            assert_eq!(tail, 0);
            tally.require(directory, report.status(Check::UnanchoredTail) == Status::Ok);
        }
        match row["good"].as_bool() {
            Some(good) => tally.row(
                directory,
                true,
                (!good).then_some("bad"),
                report.failed().then_some("bad"),
            ),
            None => println!(
                "{directory}: the specification does not say; failed: {}",
                report.failed()
            ),
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
        for check in [
            Check::CanonicalForm,
            Check::Chain,
            Check::TreeRoot,
            Check::Commitments,
        ] {
            let verdict = report.get(check).unwrap();
            tally.row(
                &format!("{directory}: {verdict:?}"),
                true,
                Some("ok"),
                Some(verdict.status.words()),
            );
        }
        tally.accepted += 1;
    }
    tally.done();
}
