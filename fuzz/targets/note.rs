//! Notes, checkpoints and verifier keys: what is taken apart puts together to the same bytes, and nothing opens under the
//! trusted key but what that key signed.
#![no_main]

use aosctl::log::checkpoint::{Checkpoint, Note, VerifierKey};
use libfuzzer_sys::fuzz_target;

const SIGNED: &str = include_str!("../../tests/vectors/log-v1/checkpoint.note");
const TRUSTED: &str = include_str!("../../tests/vectors/log-v1/log.vkey");

fuzz_target!(|data: &[u8]| {
    if let Ok(note) = Note::parse(data) {
        let lines: String = note.lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(format!("{}\n{lines}", note.text).as_bytes(), data, "another spelling of the same note");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(checkpoint) = Checkpoint::from_text(text) {
            assert_eq!(checkpoint.text(), text, "another spelling of the same checkpoint");
        }
        if let Ok(key) = VerifierKey::parse(text) {
            assert_eq!(key.to_string(), text, "another spelling of the same key");
            assert!(key.key.ready().is_ok());
        }
    }
    let trusted = VerifierKey::parse(TRUSTED.trim_end()).expect("a vector");
    if let Ok((checkpoint, lines)) = Checkpoint::open(data, &trusted) {
        let (signed, _) = SIGNED.split_once("\n\n").expect("a vector");
        assert_eq!(checkpoint.text(), format!("{signed}\n"), "opened, and nobody signed it");
        assert!(lines.iter().all(|line| line.name != trusted.name || line.key_id != trusted.key_id()));
    }
});
