//! Trees, proofs, and what is signed about the whole log.

use aosctl::log::checkpoint::{Checkpoint, Note, NoteFault, VerifierKey};
use aosctl::log::receipt::Receipt;
use aosctl::log::sshsig;
use aosctl::log::tree::{self, Frontier, Leaves};
use ed25519_dalek::{Signer, SigningKey};

use super::*;

#[test]
fn trees() {
    let vectors = load("tree.json");
    let mut tally = Tally::new("trees");
    let leaves: Vec<Hash> = rows(&vectors["leaf_hashes"]).iter().map(|leaf| hash(leaf.as_str().unwrap())).collect();
    let entries = fs::read_to_string(path(&format!("{}/entries.jsonl", text(&vectors, "log")))).unwrap();
    let found: Vec<Hash> = entries.lines().map(|line| tree::leaf_hash(line.as_bytes())).collect();
    assert_eq!(found, leaves);
    let synthetic: Vec<Hash> = (0..600).map(|index| tree::leaf_hash(format!("leaf {index}").as_bytes())).collect();
    for (leaves, roots) in [(&leaves, &vectors["roots"]), (&synthetic, &vectors["synthetic"]["roots"])] {
        for row in rows(roots) {
            let size = row["size"].as_u64().unwrap();
            let mut frontier = Frontier::new();
            leaves.iter().take(size.try_into().unwrap()).for_each(|leaf| frontier.push(*leaf));
            let root = hash(text(row, "root"));
            tally.row(&size.to_string(), true, None, (frontier.root() != root).then_some("root"));
            tally.require("from subtrees", tree::root_of(size, &Leaves(leaves)) == Ok(root));
        }
    }
    tally.done();
}

#[test]
fn proofs() {
    let vectors = load("proofs.json");
    let hashes = |row: &Value| -> Option<Vec<Hash>> {
        rows(&row["proof"]).iter().map(|hash| Hash::from_hex(hash.as_str().unwrap())).collect()
    };
    let mut tally = Tally::new("inclusion proofs");
    for row in rows(&vectors["inclusion"]) {
        let (index, size) = (row["index"].as_u64().unwrap(), row["size"].as_u64().unwrap());
        let (leaf, root) = (hash(text(row, "leaf")), hash(text(row, "root")));
        let holds = hashes(row).is_some_and(|proof| tree::verify_inclusion(&leaf, index, size, &proof, &root));
        let expected = (row["valid"] == false).then_some("invalid");
        tally.row(&format!("{index} of {size}, {}", row["why"]), true, expected, (!holds).then_some("invalid"));
    }
    tally.done_both();
    let mut tally = Tally::new("consistency proofs");
    for row in rows(&vectors["consistency"]) {
        let (first, second) = (row["first"].as_u64().unwrap(), row["second"].as_u64().unwrap());
        let (first_root, second_root) = (hash(text(row, "first_root")), hash(text(row, "second_root")));
        let holds =
            hashes(row).is_some_and(|proof| tree::verify_consistency(first, second, &first_root, &second_root, &proof));
        let expected = (row["valid"] == false).then_some("invalid");
        tally.row(&format!("{first} to {second}, {}", row["why"]), true, expected, (!holds).then_some("invalid"));
    }
    tally.done_both();

    // What the log makes is what they made.
    let leaves: Vec<Hash> =
        rows(&load("tree.json")["leaf_hashes"]).iter().map(|leaf| hash(leaf.as_str().unwrap())).collect();
    for row in rows(&vectors["inclusion"]).iter().filter(|row| row["valid"] == true) {
        let (index, size) = (row["index"].as_u64().unwrap(), row["size"].as_u64().unwrap());
        if leaves.get(usize::try_from(index).unwrap()) == Hash::from_hex(text(row, "leaf")).as_ref() && size <= 9 {
            assert_eq!(tree::inclusion_proof(index, size, &Leaves(&leaves)), Ok(hashes(row).unwrap()));
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
        tally.row(text(row, "name"), is_settled(row), None, found.as_ref().err().map(|fault| fault.kind()));
        if let Ok((checkpoint, _)) = found {
            tally.require(text(row, "name"), checkpoint.size == row["size"].as_u64().unwrap());
            tally.require(text(row, "name"), checkpoint.root == hash(text(row, "root")));
        }
    }
    for row in rows(&vectors["refused"]) {
        let found = Checkpoint::open(&unhex(text(row, "note_hex")), &vkey).err().map(|fault| fault.kind());
        tally.row(text(row, "what"), is_settled(row), row["kind"].as_str(), found);
    }
    for row in rows(&vectors["vkeys_refused"]) {
        let found = VerifierKey::parse(text(row, "vkey")).err().map(|fault| fault.kind());
        tally.row(text(row, "what"), true, row["kind"].as_str(), found);
    }
    tally.done_both();

    let example = &vectors["example"];
    let seed = rows(&load("keys.json")).iter().find(|row| row["name"] == "log").map(|row| hash(text(row, "seed")));
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
    assert_eq!(checkpoint.cosign_message(time), text(&vectors, "message").as_bytes());
    let seed =
        rows(&load("keys.json")).iter().find(|row| row["name"] == "witness-1").map(|row| hash(text(row, "seed")));
    let sig = SigningKey::from_bytes(&seed.unwrap().0).sign(&checkpoint.cosign_message(time)).to_bytes();
    assert_eq!(witness.cosignature_line(time, &sig).to_string(), text(&vectors, "line").trim_end());
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
        tally.row(text(row, "name"), is_settled(row), row["refused"].as_str(), found.err().map(|fault| fault.kind()));
    }
    tally.done_both();
    let shown = Receipt::parse(&bytes_of_file("entry-5.tlog-proof")).unwrap().verify(&vkey).unwrap();
    assert_eq!((shown.envelope.header.seq, shown.checkpoint.size), (5, 9));
}

#[test]
fn ssh_signatures() {
    let vectors = load("sshsig.json");
    let vkey = VerifierKey::parse(text(&load("checkpoint.json"), "vkey")).unwrap();
    let mut tally = Tally::new("SSH signatures");
    for row in rows(&vectors["signatures"]) {
        let found = sshsig::verify(text(row, "sshsig"), &unhex(text(row, "message_hex")), &vkey.key);
        tally.row(text(row, "name"), is_settled(row), row["refused"].as_str(), found.err().map(|fault| fault.kind()));
    }
    tally.done_both();

    let note = bytes_of_file("checkpoint.note");
    assert_eq!(text(&vectors, "namespace"), sshsig::NAMESPACE);
    assert_eq!(sshsig::to_be_signed(&note), unhex(text(&vectors, "signed_data_hex")));
    assert_eq!(sshsig::allowed_signer(&vkey.name, &vkey.key), text(&vectors, "allowed_signers").trim_end());
    let seed = rows(&load("keys.json")).iter().find(|row| row["name"] == "log").map(|row| hash(text(row, "seed")));
    let secret = SigningKey::from_bytes(&seed.unwrap().0);
    let armored = sshsig::sign(&note, &vkey.key, |data| secret.sign(data).to_bytes());
    assert_eq!(armored.as_bytes(), bytes_of_file("checkpoint.note.sig"));
}
