//! The origin: the name of one log, bound to the keys that it began with.

use super::hash::{hex, sha256_of};
use super::key::PublicKey;

/// `aosctl/` and the hex of the first 16 bytes of
/// SHA-256( `aosctl/origin/v1` ‖ 00 ‖ operator public key ‖ log public key ‖ nonce ).
#[must_use]
pub fn origin(operator: &PublicKey, log: &PublicKey, nonce: &[u8; 32]) -> String {
    let hash = sha256_of(&[b"aosctl/origin/v1\0", &operator.0, &log.0, nonce]);
    let (half, _) = hash.as_bytes().split_at(16);
    format!("aosctl/{}", hex(half))
}
