//! C2SP signed notes: a text, an empty line, and signature lines.

use std::fmt;

use super::NoteFault;
use super::vkey::is_name;
use crate::log::canonical::DOC_LIMIT;
use crate::log::hash::{base64_decode, base64_encode};

/// Most signature lines that a note may have; bounds the work that a hostile note can ask for.
const MAX_LINES: usize = 100;

/// A note taken apart, nothing verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// The signed text, with its last line end.
    pub text: &'a str,
    /// The signature lines.
    pub lines: Vec<SignatureLine>,
}

/// One signature line of a note. Shown as the line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The signer's name.
    pub name: String,
    /// The key id, which tells keys of one name apart.
    pub key_id: [u8; 4],
    /// What stands behind the key id: for a plain key the signature, for a witness time and signature.
    pub sig: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Takes a note apart.
    ///
    /// # Errors
    /// One of the `Note` faults, but none that needs a key.
    pub fn parse(bytes: &'a [u8]) -> Result<Note<'a>, NoteFault> {
        if bytes.len() > DOC_LIMIT {
            return Err(NoteFault::NoteTooLarge);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteFault::NoteUtf8)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteFault::NoteControl);
        }
        let blank = note.rfind("\n\n").ok_or(NoteFault::NoteNoBlankLine)?;
        let (text, signatures) = note.split_at_checked(blank + 1).ok_or(NoteFault::NoteNoBlankLine)?;
        let lines = signatures
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteFault::NoteSignatures)?
            .split('\n');
        let lines: Vec<_> = lines
            .take(MAX_LINES + 1)
            .map(|line| SignatureLine::parse(line).ok_or(NoteFault::NoteSignatures))
            .collect::<Result<_, _>>()?;
        if lines.len() > MAX_LINES {
            return Err(NoteFault::NoteSignatures);
        }
        Ok(Note { text, lines })
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<SignatureLine> {
        let (name, sig) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let sig = base64_decode(sig.as_bytes())?;
        let (key_id, sig) = sig.split_first_chunk::<4>()?;
        (is_name(name) && !sig.is_empty()).then(|| SignatureLine {
            name: name.to_owned(),
            key_id: *key_id,
            sig: sig.to_vec(),
        })
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\u{2014} {} {}", self.name, base64_encode(&[self.key_id.as_slice(), &self.sig].concat()))
    }
}
