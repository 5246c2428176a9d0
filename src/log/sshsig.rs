//! SSH signatures (OpenSSH's PROTOCOL.sshsig) over checkpoint files, so that `ssh-keygen -Y verify` can
//! check one where there is no aosctl.

use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;

use super::hash::{base64_decode, base64_encode};
use super::key::PublicKey;

/// The namespace of signatures over checkpoints.
pub const NAMESPACE: &str = "aosctl-checkpoint";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";
const KEY_TYPE: &[u8] = b"ssh-ed25519";
/// As wide as `ssh-keygen` writes it.
const LINE: usize = 70;
/// An Ed25519 signature takes some 320 bytes of armor.
const ARMOR_LIMIT: usize = 4096;

/// Why an SSH signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SshsigFault {
    /// Not an armored SSH signature of version 1.
    #[error("not an armored SSH signature")]
    Armor,
    /// Another namespace.
    #[error("the SSH signature is of another namespace")]
    Namespace,
    /// Another key.
    #[error("the SSH signature is by another key")]
    Key,
    /// An unknown hash.
    #[error("the SSH signature's hash is neither sha512 nor sha256")]
    Hash,
    /// The signature is not Ed25519 or does not hold.
    #[error("the SSH signature does not hold")]
    Signature,
}

impl SshsigFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            SshsigFault::Armor => "sshsig_armor",
            SshsigFault::Namespace => "sshsig_namespace",
            SshsigFault::Key => "sshsig_key",
            SshsigFault::Hash => "sshsig_hash",
            SshsigFault::Signature => "sshsig_signature",
        }
    }
}

/// What is signed: `SSHSIG`, namespace, an empty reserved string, the hash's name, the message's hash.
fn signed_data(namespace: &str, hash: &[u8], digest: &[u8]) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    for part in [namespace.as_bytes(), b"", hash, digest] {
        push_string(&mut data, part);
    }
    data
}

/// The bytes that [`armor`] wants a signature over: those of `message`, hashed with SHA-512, in our namespace.
#[must_use]
pub fn to_be_signed(message: &[u8]) -> Vec<u8> {
    signed_data(NAMESPACE, b"sha512", &Sha512::digest(message))
}

/// Signs a file's bytes. `sign` gets what is to be signed and returns the signature by `key`.
pub fn sign(message: &[u8], key: &PublicKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    armor(key, &sign(&to_be_signed(message)))
}

/// The armored signature file, with its last line end.
#[must_use]
pub fn armor(key: &PublicKey, sig: &[u8; 64]) -> String {
    let mut inner = Vec::new();
    push_string(&mut inner, KEY_TYPE);
    push_string(&mut inner, sig);
    let mut blob = MAGIC.to_vec();
    blob.extend_from_slice(&1u32.to_be_bytes());
    for part in [key_blob(key).as_slice(), NAMESPACE.as_bytes(), b"", b"sha512", &inner] {
        push_string(&mut blob, part);
    }
    let mut text = format!("{BEGIN}\n");
    for (index, digit) in base64_encode(&blob).chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(digit);
    }
    text.push_str(&format!("\n{END}\n"));
    text
}

/// Verifies an armored signature over a file's bytes, by this key and in our namespace.
///
/// # Errors
/// The first [`SshsigFault`].
pub fn verify(armored: &str, message: &[u8], key: &PublicKey) -> Result<(), SshsigFault> {
    let blob = unarmor(armored).ok_or(SshsigFault::Armor)?;
    let parts = Parts::read(&blob).ok_or(SshsigFault::Armor)?;
    if parts.namespace != NAMESPACE.as_bytes() {
        return Err(SshsigFault::Namespace);
    }
    if parts.key != key_blob(key) {
        return Err(SshsigFault::Key);
    }
    let data = match parts.hash {
        b"sha512" => signed_data(NAMESPACE, parts.hash, &Sha512::digest(message)),
        b"sha256" => signed_data(NAMESPACE, parts.hash, &Sha256::digest(message)),
        _ => return Err(SshsigFault::Hash),
    };
    let mut inner = parts.signature;
    let (kind, sig) = (take_string(&mut inner), take_string(&mut inner));
    match (kind, sig) {
        (Some(KEY_TYPE), Some(sig)) if inner.is_empty() => {
            key.verify_strict(&data, sig).map_err(|_| SshsigFault::Signature)
        }
        _ => Err(SshsigFault::Signature),
    }
}

/// The line of an `allowed_signers` file with which `ssh-keygen -Y verify -I ORIGIN -n aosctl-checkpoint`
/// trusts the log's key. Without a line end.
#[must_use]
pub fn allowed_signer(origin: &str, key: &PublicKey) -> String {
    format!("{origin} namespaces=\"{NAMESPACE}\" ssh-ed25519 {}", base64_encode(&key_blob(key)))
}

struct Parts<'a> {
    key: &'a [u8],
    namespace: &'a [u8],
    hash: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(blob: &'a [u8]) -> Option<Parts<'a>> {
        let mut rest = blob.strip_prefix(MAGIC)?.strip_prefix(&1u32.to_be_bytes())?;
        let key = take_string(&mut rest)?;
        let namespace = take_string(&mut rest)?;
        let reserved = take_string(&mut rest)?;
        let hash = take_string(&mut rest)?;
        let signature = take_string(&mut rest)?;
        (reserved.is_empty() && rest.is_empty()).then_some(Parts { key, namespace, hash, signature })
    }
}

fn key_blob(key: &PublicKey) -> Vec<u8> {
    let mut blob = Vec::new();
    push_string(&mut blob, KEY_TYPE);
    push_string(&mut blob, &key.0);
    blob
}

/// An SSH string: four bytes of length and the bytes. All that is written here is far below 2^32.
fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

fn unarmor(armored: &str) -> Option<Vec<u8>> {
    if armored.len() > ARMOR_LIMIT {
        return None;
    }
    let inner = armored.strip_prefix(BEGIN)?.trim_end().strip_suffix(END)?;
    let digits: Vec<u8> = inner.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    base64_decode(&digits)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    #[test]
    fn signed_verifies() {
        let secret = SigningKey::from_bytes(&[5; 32]);
        let key = PublicKey(secret.verifying_key().to_bytes());
        let armored = sign(b"text\n", &key, |data| secret.sign(data).to_bytes());
        assert!(armored.lines().all(|line| line.len() <= LINE));
        assert_eq!(verify(&armored, b"text\n", &key), Ok(()));
        assert_eq!(verify(&armored, b"text", &key), Err(SshsigFault::Signature));
        assert_eq!(verify(&armored, b"text\n", &PublicKey([1; 32])), Err(SshsigFault::Key));
        assert_eq!(verify(&"A".repeat(5000), b"", &key), Err(SshsigFault::Armor));
        for cut in 0..armored.len() - 1 {
            assert!(verify(&armored[..cut], b"text\n", &key).is_err());
        }
    }
}
