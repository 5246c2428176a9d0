//! SHA-256 values: their type, their lowercase hex, and the strict base64 that the format uses around them.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

/// A SHA-256 value: a leaf hash, a root, a key id, a commitment. Shown and read as 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// 32 zero bytes: `prev` of entry 0.
    pub const ZERO: Hash = Hash([0; 32]);

    /// Reads exactly 64 lowercase hex digits; anything else, upper case included, is `None`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Hash> {
        bytes_from_hex(text.as_bytes()).map(Hash)
    }

    /// 64 lowercase hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// SHA-256 of one run of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// SHA-256 of several runs of bytes joined.
#[must_use]
pub fn sha256_of(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// What a lowercase hex digit stands for; 0xff for any other byte.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const DIGIT: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// 32 bytes from exactly 64 lowercase hex digits. Every payload has a salt a member, so this is by hand.
pub(crate) fn bytes_from_hex(text: &[u8]) -> Option<[u8; 32]> {
    let pairs: &[[u8; 2]; 32] = text.as_chunks::<2>().0.try_into().ok()?;
    let digit = |byte: u8| DIGIT.get(usize::from(byte)).copied().unwrap_or(0xff);
    let mut seen = 0;
    let bytes = pairs.map(|[high, low]| {
        let (high, low) = (digit(high), digit(low));
        seen |= high | low;
        high << 4 | low
    });
    (text.len() == 64 && seen < 16).then_some(bytes)
}

/// The 64 lowercase hex digits of 32 bytes.
pub(crate) fn hex_of(bytes: &[u8; 32]) -> [u8; 64] {
    let digit = |value: u8| b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or(b'0');
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    text
}

/// Lowercase hex of any bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Base64 as the format wants it: standard alphabet, padded, zero trailing bits, one run.
/// `data_encoding` would also take several padded runs joined, so padding is looked for before the end.
pub(crate) fn base64_decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let quantum = text.len().saturating_sub(4);
    if text.get(..quantum)?.contains(&b'=') {
        return None;
    }
    BASE64.decode(text).ok()
}

/// The 32 bytes of a padded base64 text of 44 characters.
pub(crate) fn base64_hash(text: &[u8]) -> Option<Hash> {
    base64_decode(text)?.try_into().ok().map(Hash)
}

/// Standard padded base64.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_strict() {
        let hash = sha256(b"");
        assert_eq!(Hash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(Hash::from_hex(&hash.to_hex().to_uppercase()), None);
        assert_eq!(Hash::from_hex(&hash.to_hex()[..63]), None);
        assert_eq!(format!("{hash:?}"), hash.to_string());
        assert_eq!(hex_of(&hash.0), *hash.to_hex().as_bytes());
        // Every byte at either place of a pair.
        for byte in 0..=255u8 {
            for at in [0, 63] {
                let mut text = [b'0'; 64];
                text[at] = byte;
                let ours = bytes_from_hex(&text);
                assert_eq!(ours.map(|b| b.to_vec()), HEXLOWER.decode(&text).ok(), "{byte}");
            }
        }
    }

    #[test]
    fn base64_is_strict() {
        assert_eq!(base64_decode(b"Zg=="), Some(b"f".to_vec()));
        assert_eq!(base64_decode(b""), Some(Vec::new()));
        for bad in ["Zg", "Zg=", "Zh==", "Zg==Zg==", "Z===", "Zg==\n", "Z_==", "===="] {
            assert_eq!(base64_decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
