//! Checkpoints: C2SP tlog-checkpoints of exactly three lines, as C2SP signed notes, and the cosignatures
//! of witnesses (C2SP tlog-cosignature).

mod note;
mod vkey;

pub use note::{Note, SignatureLine};
pub use vkey::{KeyKind, VerifierKey};

use thiserror::Error;

use super::canonical::MAX_INTEGER;
use super::hash::{Hash, base64_encode, base64_hash};
use super::key::PublicKey;

/// What the log states about itself at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The origin of the log.
    pub origin: String,
    /// How many entries it covers.
    pub size: u64,
    /// Their root.
    pub root: Hash,
}

/// Why a note, a checkpoint, a verifier key or a cosignature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteFault {
    /// Longer than [`super::canonical::DOC_LIMIT`].
    #[error("the note is too large")]
    NoteTooLarge,
    /// Not UTF-8.
    #[error("the note is not UTF-8")]
    NoteUtf8,
    /// A control character other than newline.
    #[error("the note has a control character")]
    NoteControl,
    /// No blank line between text and signatures.
    #[error("the note has no blank line before its signatures")]
    NoteNoBlankLine,
    /// No signature lines, or one that is malformed.
    #[error("the note's signature lines are missing or malformed")]
    NoteSignatures,
    /// No line by the trusted key.
    #[error("the trusted key did not sign the note")]
    NoteUnsigned,
    /// A line by the trusted key that does not verify.
    #[error("a signature of the trusted key on the note does not hold")]
    NoteSignature,
    /// Not exactly three lines.
    #[error("the checkpoint does not have exactly three lines")]
    CheckpointLines,
    /// Another origin.
    #[error("the checkpoint is of another log")]
    CheckpointOrigin,
    /// A size that is not written as a natural number, or is beyond 2^53 - 1.
    #[error("the checkpoint's size is not of the format")]
    CheckpointSize,
    /// A root that is not base64 of 32 bytes.
    #[error("the checkpoint's root is not of the format")]
    CheckpointRoot,
    /// A verifier key without a usable name.
    #[error("the verifier key has no usable name")]
    VkeyName,
    /// A key id that is not eight lowercase hex digits.
    #[error("the verifier key's id is not hex")]
    VkeyHex,
    /// A key that is not base64.
    #[error("the verifier key is not base64")]
    VkeyBase64,
    /// An unknown type, or not 32 bytes of key.
    #[error("the verifier key's type is not known here")]
    VkeyType,
    /// The key id is not that of name and key.
    #[error("the verifier key's id is not that of its name and key")]
    VkeyId,
    /// A key that must not be used.
    #[error("the verifier key is weak")]
    VkeyWeak,
    /// No line by the witness.
    #[error("the witness did not sign")]
    CosignatureMissing,
    /// A line of the witness that does not verify.
    #[error("the witness's signature does not hold")]
    CosignatureSignature,
    /// A time with its top bit set.
    #[error("the cosignature's time is not of the format")]
    CosignatureTime,
    /// Not eight bytes of time and 64 of signature.
    #[error("the cosignature does not have the right length")]
    CosignatureLength,
}

impl NoteFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            NoteFault::NoteTooLarge => "note_too_large",
            NoteFault::NoteUtf8 => "note_utf8",
            NoteFault::NoteControl => "note_control",
            NoteFault::NoteNoBlankLine => "note_no_blank_line",
            NoteFault::NoteSignatures => "note_signatures",
            NoteFault::NoteUnsigned => "note_unsigned",
            NoteFault::NoteSignature => "note_signature",
            NoteFault::CheckpointLines => "checkpoint_lines",
            NoteFault::CheckpointOrigin => "checkpoint_origin",
            NoteFault::CheckpointSize => "checkpoint_size",
            NoteFault::CheckpointRoot => "checkpoint_root",
            NoteFault::VkeyName => "vkey_name",
            NoteFault::VkeyHex => "hex",
            NoteFault::VkeyBase64 => "base64",
            NoteFault::VkeyType => "vkey_type",
            NoteFault::VkeyId => "vkey_id",
            NoteFault::VkeyWeak => "vkey_weak",
            NoteFault::CosignatureMissing => "cosignature_missing",
            NoteFault::CosignatureSignature => "cosignature_signature",
            NoteFault::CosignatureTime => "cosignature_time",
            NoteFault::CosignatureLength => "cosignature_length",
        }
    }

    /// The word for the same fault of a pin.
    #[must_use]
    pub fn of_pin(&self) -> &'static str {
        match self {
            NoteFault::NoteUnsigned => "pin_note_unsigned",
            NoteFault::NoteSignature => "pin_note_signature",
            NoteFault::CheckpointOrigin => "pin_origin",
            _ => "pin_malformed",
        }
    }
}

impl Checkpoint {
    /// The signed text: `origin LF size LF base64(root) LF`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64_encode(self.root.as_bytes()))
    }

    /// Reads exactly the text of a checkpoint, signed or not.
    ///
    /// # Errors
    /// [`NoteFault::CheckpointLines`], [`NoteFault::CheckpointSize`] or [`NoteFault::CheckpointRoot`].
    pub fn from_text(text: &str) -> Result<Checkpoint, NoteFault> {
        let mut lines = text.strip_suffix('\n').ok_or(NoteFault::CheckpointLines)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteFault::CheckpointLines);
        };
        if origin.is_empty() {
            return Err(NoteFault::CheckpointLines);
        }
        let size = natural(size).ok_or(NoteFault::CheckpointSize)?;
        let root = base64_hash(root.as_bytes()).ok_or(NoteFault::CheckpointRoot)?;
        Ok(Checkpoint { origin: origin.to_owned(), size, root })
    }

    /// The signed note. `sign` gets the text's bytes and returns the log identity's signature; `key` is the
    /// log's public key.
    pub fn sign(&self, sign: impl FnOnce(&[u8]) -> [u8; 64], key: &PublicKey) -> String {
        let text = self.text();
        let line = VerifierKey::for_log(&self.origin, key).line(sign(text.as_bytes()).to_vec());
        format!("{text}\n{line}\n")
    }

    /// Opens a signed checkpoint of the log that `vkey` names: at least one line by it, and every such line
    /// verifies. Returns the other lines, of witnesses and of strangers, unverified.
    ///
    /// # Errors
    /// The first [`NoteFault`]: of the note, of its signatures, of the checkpoint.
    pub fn open(note: &[u8], vkey: &VerifierKey) -> Result<(Checkpoint, Vec<SignatureLine>), NoteFault> {
        if vkey.kind != KeyKind::Log {
            return Err(NoteFault::VkeyType);
        }
        let note = Note::parse(note)?;
        let key_id = vkey.key_id();
        let is_ours = |line: &SignatureLine| line.name == vkey.name && line.key_id == key_id;
        let (ours, others): (Vec<_>, Vec<_>) = note.lines.into_iter().partition(is_ours);
        if ours.is_empty() {
            return Err(NoteFault::NoteUnsigned);
        }
        for line in ours {
            vkey.key.verify_strict(note.text.as_bytes(), &line.sig).map_err(|_| NoteFault::NoteSignature)?;
        }
        let checkpoint = Checkpoint::from_text(note.text)?;
        if checkpoint.origin != vkey.name {
            return Err(NoteFault::CheckpointOrigin);
        }
        Ok((checkpoint, others))
    }

    /// What a witness signs at `time` (seconds since 1970).
    #[must_use]
    pub fn cosign_message(&self, time: u64) -> Vec<u8> {
        format!("cosignature/v1\ntime {time}\n{}", self.text()).into_bytes()
    }

    /// Verifies the lines of one witness on this checkpoint and returns the latest time that it states.
    ///
    /// # Errors
    /// [`NoteFault::CosignatureMissing`] if there is no line by it, otherwise the first fault of one that is.
    pub fn verify_cosignature(&self, lines: &[SignatureLine], witness: &VerifierKey) -> Result<u64, NoteFault> {
        if witness.kind != KeyKind::Cosignature {
            return Err(NoteFault::VkeyType);
        }
        let key_id = witness.key_id();
        let mut latest = None;
        for line in lines.iter().filter(|line| line.name == witness.name && line.key_id == key_id) {
            let (time, sig) = line.sig.split_first_chunk::<8>().ok_or(NoteFault::CosignatureLength)?;
            if sig.len() != 64 {
                return Err(NoteFault::CosignatureLength);
            }
            let time = u64::from_be_bytes(*time);
            if i64::try_from(time).is_err() {
                return Err(NoteFault::CosignatureTime);
            }
            let message = self.cosign_message(time);
            witness.key.verify_strict(&message, sig).map_err(|_| NoteFault::CosignatureSignature)?;
            latest = latest.max(Some(time));
        }
        latest.ok_or(NoteFault::CosignatureMissing)
    }
}

/// A natural number up to 2^53 - 1, written in one way only.
pub(crate) fn natural(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|&number: &u64| plain && number <= MAX_INTEGER.unsigned_abs())
}

#[cfg(test)]
mod tests;
