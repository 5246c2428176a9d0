//! Verifier keys of signed notes: `name+hash+base64(type ‖ key)`.

use std::fmt;

use super::{NoteFault, SignatureLine};
use crate::log::hash::{base64_decode, base64_encode, hex, sha256_of};
use crate::log::key::PublicKey;

/// What a verifier key signs: its type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// 0x01, plain Ed25519: a log's signature on its checkpoint.
    Log,
    /// 0x04, `cosignature/v1`: a witness's.
    Cosignature,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            KeyKind::Log => 0x01,
            KeyKind::Cosignature => 0x04,
        }
    }
}

/// A key that notes are verified with. Shown and read in the form of C2SP signed-note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// The name; for a log, its origin.
    pub name: String,
    /// What it signs.
    pub kind: KeyKind,
    /// The Ed25519 key.
    pub key: PublicKey,
}

impl VerifierKey {
    /// The verifier key of a log.
    #[must_use]
    pub fn for_log(origin: &str, key: &PublicKey) -> VerifierKey {
        VerifierKey { name: origin.to_owned(), kind: KeyKind::Log, key: *key }
    }

    /// The verifier key of a witness.
    #[must_use]
    pub fn for_witness(name: &str, key: &PublicKey) -> VerifierKey {
        VerifierKey { name: name.to_owned(), kind: KeyKind::Cosignature, key: *key }
    }

    /// First 4 bytes of SHA-256( name ‖ 0x0A ‖ type ‖ public key ).
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        let hash = sha256_of(&[self.name.as_bytes(), b"\n", &[self.kind.byte()], &self.key.0]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// Reads a verifier key, without a line end.
    ///
    /// # Errors
    /// One of the `Vkey` faults. A weak key is refused.
    pub fn parse(text: &str) -> Result<VerifierKey, NoteFault> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteFault::VkeyName);
        };
        if !is_name(name) {
            return Err(NoteFault::VkeyName);
        }
        if id.len() != 8 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NoteFault::VkeyHex);
        }
        let key = base64_decode(key.as_bytes()).ok_or(NoteFault::VkeyBase64)?;
        let (kind, key) = match key.split_first() {
            Some((0x01, key)) => (KeyKind::Log, key),
            Some((0x04, key)) => (KeyKind::Cosignature, key),
            _ => return Err(NoteFault::VkeyType),
        };
        let key = PublicKey(key.try_into().map_err(|_| NoteFault::VkeyType)?);
        let vkey = VerifierKey { name: name.to_owned(), kind, key };
        if hex(&vkey.key_id()) != id {
            return Err(NoteFault::VkeyId);
        }
        if key.enrolment_fault().is_some() {
            return Err(NoteFault::VkeyWeak);
        }
        Ok(vkey)
    }

    /// The note line of a plain signature by this key.
    pub(super) fn line(&self, sig: Vec<u8>) -> SignatureLine {
        SignatureLine { name: self.name.clone(), key_id: self.key_id(), sig }
    }

    /// The note line of a cosignature that this witness made at `time` over
    /// [`super::Checkpoint::cosign_message`].
    #[must_use]
    pub fn cosignature_line(&self, time: u64, sig: &[u8; 64]) -> SignatureLine {
        self.line([time.to_be_bytes().as_slice(), sig].concat())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], self.key.0.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.key_id()), base64_encode(&key))
    }
}

/// Not empty, no white space, no plus.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|char: char| char.is_whitespace() || char < ' ' || char == '+')
}
