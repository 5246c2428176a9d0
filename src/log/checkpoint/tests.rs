use ed25519_dalek::{Signer, SigningKey};

use super::*;

fn signer(byte: u8) -> (SigningKey, PublicKey) {
    let key = SigningKey::from_bytes(&[byte; 32]);
    let public = PublicKey(key.verifying_key().to_bytes());
    (key, public)
}

#[test]
fn signed_opens_and_carries_cosignatures() {
    let ((log, log_key), (witness, witness_key)) = (signer(1), signer(2));
    let checkpoint = Checkpoint { origin: "aosctl/x".into(), size: 0, root: Hash([9; 32]) };
    let mut note = checkpoint.sign(|text| log.sign(text).to_bytes(), &log_key);
    let vkey = VerifierKey::for_log("aosctl/x", &log_key);
    assert_eq!(VerifierKey::parse(&vkey.to_string()), Ok(vkey.clone()));
    assert_eq!(Checkpoint::open(note.as_bytes(), &vkey), Ok((checkpoint.clone(), Vec::new())));

    let witness_vkey = VerifierKey::for_witness("w.example/1", &witness_key);
    for time in [5, 3] {
        let sig = witness.sign(&checkpoint.cosign_message(time)).to_bytes();
        note.push_str(&format!("{}\n", witness_vkey.cosignature_line(time, &sig)));
    }
    let (opened, lines) = Checkpoint::open(note.as_bytes(), &vkey).unwrap();
    assert_eq!(opened.verify_cosignature(&lines, &witness_vkey), Ok(5));
    assert_eq!(opened.verify_cosignature(&lines, &vkey), Err(NoteFault::VkeyType));
    assert_eq!(Checkpoint::open(note.as_bytes(), &witness_vkey), Err(NoteFault::VkeyType));
    let other = VerifierKey::for_log("aosctl/y", &log_key);
    assert_eq!(Checkpoint::open(note.as_bytes(), &other), Err(NoteFault::NoteUnsigned));
}

#[test]
fn a_note_of_too_many_lines_is_refused() {
    let line = SignatureLine { name: "n".into(), key_id: [0; 4], sig: vec![1] }.to_string();
    let note = |count: usize| format!("text\n\n{}", format!("{line}\n").repeat(count));
    assert_eq!(Note::parse(note(MAX_LINES_FOR_TEST).as_bytes()).unwrap().lines.len(), MAX_LINES_FOR_TEST);
    assert_eq!(Note::parse(note(MAX_LINES_FOR_TEST + 1).as_bytes()), Err(NoteFault::NoteSignatures));
    assert_eq!(Note::parse(&vec![b'a'; 70_000]), Err(NoteFault::NoteTooLarge));
}

const MAX_LINES_FOR_TEST: usize = 100;
