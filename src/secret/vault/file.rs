//! The file in which one secret is sealed, and how it is sealed.
//!
//! One JSON object in canonical form (RFC 8785: no spaces, members sorted) and one LF, as identity files are; byte strings
//! in lowercase hex. Attended, sealed for operators:
//! ```json
//! {"aead":"xchacha20poly1305","aosctl":"sealed-secret/v1","item":"k-3","kind":"attended","nonce":"<24 bytes>",
//! "origin":"aosctl/<32 hex>","recipients":[{"ephemeral":"<32 bytes>","public_key":"<32 bytes>","wrapped":"<48 bytes>"}],
//! "sealed":"<padded + 16 bytes>"}
//! ```
//! Unattended, under the key of the state directory: `"kind":"unattended"`, no `recipients`, and `"vault_key":"<8 bytes>"`,
//! which tells the key apart from others. The fingerprint key also has `signer` and `signature`.
//!
//! - The secret is encrypted by XChaCha20-Poly1305 under a random key of this file alone (unattended: under the vault key),
//!   with a random nonce. The associated data is the canonical JSON of the same object without `sealed` and `signature`, so
//!   every other member is bound: nothing can be relabelled, and no recipient be put in or taken out.
//! - The key of the file is wrapped for each operator as age wraps it for an X25519 recipient
//!   (<https://age-encryption.org/v1>): a fresh X25519 pair, HKDF-SHA-256 over what it shares with the recipient, salted with
//!   both public keys, and an AEAD with a nonce of zeros, because that key is used once. The context of HKDF names origin and
//!   item as well. The crate `crypto_box` would do; its only release for this generation of crates pins a pre-release of
//!   `curve25519-dalek`, and would bring a second one into the binary.
//! - Before that the secret is padded to a multiple of 256 bytes, so that the file does not tell the length of a password.

use crate::identity::{Signer, agree_with, agreement_key};
use crate::secret::{MAX_SECRET, Secret, SecretError};
use crate::sys::random;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

const TAG: &str = "sealed-secret/v1";
const AEAD: &str = "xchacha20poly1305";
const ATTENDED: &str = "attended";
const UNATTENDED: &str = "unattended";
const WRAP: &[u8] = b"aosctl/vault/v1/wrap";
const NAME: &[u8] = b"aosctl/vault/v1/name";
const SIGNED: &[u8] = b"aosctl/vault/v1/signed\0";
/// Secrets are padded to a multiple of so many bytes, their length included.
const BLOCK: usize = 256;
const LENGTH: usize = 4;
const MAC: usize = 16;
/// The most operators that one file is sealed for.
const MAX_RECIPIENTS: usize = 1000;
/// The most that a file can hold, in bytes: the longest secret in hex, and that many recipients.
pub(super) const MAX_FILE: usize = 2 * (MAX_SECRET + BLOCK + MAC) + MAX_RECIPIENTS * 320 + 1024;

/// A sealed file, read or just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    // In the order of RFC 8785; the values are ASCII without anything to escape.
    aead: String,
    aosctl: String,
    /// `k-3` or `fingerprint`.
    pub item: String,
    kind: String,
    nonce: String,
    /// Of which log.
    pub origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipients: Option<Vec<Wrap>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vault_key: Option<String>,
}

/// The file's key, for one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrap {
    ephemeral: String,
    public_key: String,
    wrapped: String,
}

/// Why a file does not open; [`super::Vault`] adds which file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closed {
    Malformed(&'static str),
    NotForYou,
    OtherVaultKey,
    Damaged,
    Internal,
}

type Bytes = Zeroizing<Vec<u8>>;

impl File {
    /// Seals for operators, by their identities' public keys. With a signer it also signs the whole file.
    pub fn attended(
        origin: &str,
        item: &str,
        secret: &Secret,
        recipients: &[[u8; 32]],
        signer: Option<&Signer>,
    ) -> Result<File, SecretError> {
        if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
            return Err(SecretError::NoRecipient);
        }
        let key = Zeroizing::new(random::bytes::<32>()?);
        let wrap = |public: &[u8; 32]| -> Result<Wrap, SecretError> {
            let fresh = Zeroizing::new(random::bytes::<32>()?);
            // Every key in the log was checked when it was enrolled.
            let theirs = agreement_key(public).ok_or(SecretError::Internal("an operator's public key"))?;
            let (half, shared) = agree_with(&theirs, &fresh).ok_or(SecretError::Internal("X25519"))?;
            let wrapping = wrapping_key(&shared, &half, &theirs, origin, item);
            let wrapped = cipher(&wrapping).encrypt(&XNonce::from([0; 24]), key.as_slice());
            Ok(Wrap {
                ephemeral: HEXLOWER.encode(&half),
                public_key: HEXLOWER.encode(public),
                wrapped: HEXLOWER.encode(&wrapped.map_err(|_| SecretError::Internal("wrapping"))?),
            })
        };
        let mut file = File::empty(origin, item, ATTENDED)?;
        file.recipients = Some(recipients.iter().map(wrap).collect::<Result<_, _>>()?);
        file.signer = signer.map(|s| HEXLOWER.encode(&s.public()));
        file.seal(&key, secret)?;
        if let Some(signer) = signer {
            file.signature = Some(HEXLOWER.encode(&signer.sign(&file.signed()?)));
        }
        Ok(file)
    }

    /// Seals under the vault key.
    pub fn unattended(
        origin: &str,
        item: &str,
        secret: &Secret,
        vault_key: &Zeroizing<[u8; 32]>,
    ) -> Result<File, SecretError> {
        let mut file = File::empty(origin, item, UNATTENDED)?;
        file.vault_key = Some(HEXLOWER.encode(&name_of(vault_key)));
        file.seal(vault_key, secret)?;
        Ok(file)
    }

    fn empty(origin: &str, item: &str, kind: &str) -> Result<File, SecretError> {
        Ok(File {
            aead: AEAD.into(),
            aosctl: TAG.into(),
            item: item.into(),
            kind: kind.into(),
            nonce: HEXLOWER.encode(&random::bytes::<24>()?),
            origin: origin.into(),
            recipients: None,
            sealed: None,
            signature: None,
            signer: None,
            vault_key: None,
        })
    }

    fn seal(&mut self, key: &Zeroizing<[u8; 32]>, secret: &Secret) -> Result<(), SecretError> {
        let header = self.header().map_err(|_| SecretError::Internal("writing JSON"))?;
        let nonce = decode::<24>(&self.nonce).map_err(|_| SecretError::Internal("a nonce"))?;
        let padded = pad(secret.expose());
        let payload = Payload { msg: &padded, aad: &header };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
        self.sealed = Some(HEXLOWER.encode(&sealed.map_err(|_| SecretError::Internal("sealing"))?));
        Ok(())
    }

    /// Reads the exact form that aosctl writes, and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<File, Closed> {
        use Closed::Malformed;
        if bytes.len() > MAX_FILE {
            return Err(Malformed("it is too large"));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|_| Malformed("it is not JSON with its members"))?;
        if file.aosctl != TAG || file.aead != AEAD {
            return Err(Malformed("it is not of the kind `sealed-secret/v1`"));
        }
        let right = match file.kind.as_str() {
            ATTENDED => {
                file.vault_key.is_none()
                    && file.recipients.as_ref().is_some_and(|r| (1..=MAX_RECIPIENTS).contains(&r.len()))
                    && file.signer.is_some() == file.signature.is_some()
            }
            UNATTENDED => file.vault_key.is_some() && file.recipients.is_none() && file.signer.is_none(),
            _ => false,
        };
        if !right || (file.signer.is_none() && file.signature.is_some()) {
            return Err(Malformed("its members do not belong together"));
        }
        // One form only: no spaces, no escapes, no second order of members.
        let mut written = file.json()?;
        written.push(b'\n');
        if written != bytes {
            return Err(Malformed("it is not canonical JSON"));
        }
        Ok(file)
    }

    /// The content of the file, one line.
    pub fn to_json(&self) -> Result<Vec<u8>, SecretError> {
        let mut bytes = self.json().map_err(|_| SecretError::Internal("writing JSON"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn json(&self) -> Result<Vec<u8>, Closed> {
        serde_json::to_vec(self).map_err(|_| Closed::Internal)
    }

    /// The associated data.
    fn header(&self) -> Result<Vec<u8>, Closed> {
        File { sealed: None, signature: None, ..self.clone() }.json()
    }

    /// What is signed.
    fn signed(&self) -> Result<Vec<u8>, SecretError> {
        let json =
            File { signature: None, ..self.clone() }.json().map_err(|_| SecretError::Internal("writing JSON"))?;
        Ok([SIGNED, &json].concat())
    }

    /// Sealed for operators, not under the vault key.
    pub fn is_attended(&self) -> bool {
        self.kind == ATTENDED
    }

    /// Did one of these sign the whole file?
    pub fn is_signed_by(&self, operators: &[[u8; 32]]) -> bool {
        let (Some(signer), Some(signature)) = (&self.signer, &self.signature) else { return false };
        let (Ok(signer), Ok(signature)) = (decode::<32>(signer), decode::<64>(signature)) else { return false };
        let Ok(message) = self.signed() else { return false };
        operators.contains(&signer) && crate::log::key::PublicKey(signer).verify_strict(&message, &signature).is_ok()
    }

    /// The public keys of those who can open it.
    pub fn recipients(&self) -> Vec<[u8; 32]> {
        self.recipients.iter().flatten().filter_map(|w| decode(&w.public_key).ok()).collect()
    }

    /// Opens what was sealed for operators.
    pub fn open_as(&self, signer: &Signer) -> Result<Secret, Closed> {
        let public = HEXLOWER.encode(&signer.public());
        let wrap = self.recipients.iter().flatten().find(|w| w.public_key == public).ok_or(Closed::NotForYou)?;
        let ours = agreement_key(&signer.public()).ok_or(Closed::Internal)?;
        let half = decode::<32>(&wrap.ephemeral)?;
        let shared = signer.agree(&half).ok_or(Closed::Damaged)?;
        let wrapping = wrapping_key(&shared, &half, &ours, &self.origin, &self.item);
        let wrapped = decode::<48>(&wrap.wrapped)?;
        let key = cipher(&wrapping).decrypt(&XNonce::from([0; 24]), wrapped.as_slice());
        let key = Bytes::new(key.map_err(|_| Closed::Damaged)?);
        let key = Zeroizing::new(<[u8; 32]>::try_from(key.as_slice()).map_err(|_| Closed::Damaged)?);
        self.open(&key)
    }

    /// Opens what was sealed under the vault key.
    pub fn open_under(&self, vault_key: &Zeroizing<[u8; 32]>) -> Result<Secret, Closed> {
        match self.vault_key.as_deref().map(decode::<8>) {
            Some(Ok(name)) if name == name_of(vault_key) => self.open(vault_key),
            Some(Ok(_)) => Err(Closed::OtherVaultKey),
            _ => Err(Closed::Malformed("`vault_key` is not 8 bytes of lowercase hex")),
        }
    }

    fn open(&self, key: &Zeroizing<[u8; 32]>) -> Result<Secret, Closed> {
        let sealed = self.sealed.as_ref().and_then(|s| HEXLOWER.decode(s.as_bytes()).ok());
        let sealed = sealed.ok_or(Closed::Malformed("`sealed` is not lowercase hex"))?;
        let nonce = decode::<24>(&self.nonce)?;
        let payload = Payload { msg: &sealed, aad: &self.header()? };
        let padded = cipher(key).decrypt(&XNonce::from(nonce), payload).map_err(|_| Closed::Damaged)?;
        Secret::new(unpad(Bytes::new(padded)).ok_or(Closed::Damaged)?).map_err(|_| Closed::Damaged)
    }
}

/// HKDF-SHA-256 of what two keys share.
fn wrapping_key(
    shared: &Zeroizing<[u8; 32]>,
    half: &[u8; 32],
    theirs: &[u8; 32],
    origin: &str,
    item: &str,
) -> Zeroizing<[u8; 32]> {
    let kdf = Hkdf::<Sha256>::new(Some(&[half.as_slice(), theirs].concat()), shared.as_slice());
    let mut key = Zeroizing::new([0; 32]);
    let context = [WRAP, b"\0", origin.as_bytes(), b"\0", item.as_bytes()];
    // 32 bytes are one block, which HKDF always has.
    let filled = kdf.expand_multi_info(&context, key.as_mut_slice());
    debug_assert!(filled.is_ok());
    key
}

/// What tells a vault key apart from others, and nothing of it.
fn name_of(vault_key: &Zeroizing<[u8; 32]>) -> [u8; 8] {
    let mut name = [0; 8];
    let filled = Hkdf::<Sha256>::new(None, vault_key.as_slice()).expand(NAME, &mut name);
    debug_assert!(filled.is_ok());
    name
}

fn cipher(key: &Zeroizing<[u8; 32]>) -> XChaCha20Poly1305 {
    let mut key = Key::from(**key);
    let cipher = XChaCha20Poly1305::new(&key);
    key.as_mut_slice().zeroize();
    cipher
}

/// Four bytes of length (big endian), the secret, zeros up to a whole number of blocks.
fn pad(secret: &[u8]) -> Bytes {
    let whole = (LENGTH + secret.len()).div_ceil(BLOCK) * BLOCK;
    let mut padded = Bytes::new(Vec::with_capacity(whole));
    padded.extend_from_slice(&u32::try_from(secret.len()).unwrap_or(u32::MAX).to_be_bytes());
    padded.extend_from_slice(secret);
    padded.resize(whole, 0);
    padded
}

fn unpad(padded: Bytes) -> Option<Bytes> {
    let (length, rest) = padded.split_first_chunk::<LENGTH>()?;
    let (secret, zeros) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let right = padded.len().is_multiple_of(BLOCK) && zeros.len() < BLOCK && zeros.iter().all(|b| *b == 0);
    right.then(|| Bytes::new(secret.to_vec()))
}

fn decode<const N: usize>(hex: &str) -> Result<[u8; N], Closed> {
    let wrong = Closed::Malformed("a member is not of its length in lowercase hex");
    if hex.len() != 2 * N {
        return Err(wrong);
    }
    HEXLOWER.decode(hex.as_bytes()).ok().and_then(|b| b.try_into().ok()).ok_or(wrong)
}

#[cfg(test)]
mod tests;
