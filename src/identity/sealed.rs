use super::kdf::{COST, Cost, Kdf};
use super::{
    IdentityError, MAX_IDENTITY_FILE_BYTES, Passphrase, Signer, from_hex, is_id, is_origin, malformed,
    require_canonical,
};
use crate::sys::random;
use chacha20poly1305::XNonce;
use chacha20poly1305::aead::{Aead, Payload};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use zeroize::Zeroizing;

const TAG: &str = "operator-identity/v1";
const AEAD: &str = "xchacha20poly1305";
/// An operator's identity, sealed under a passphrase: Argon2id makes a key of the passphrase, and
/// XChaCha20-Poly1305 encrypts the 32-byte seed with it.
///
/// The file is one JSON object in canonical form (RFC 8785, so without spaces, and one LF after it) with exactly
/// these members, all byte strings in lowercase hex:
/// ```json
/// {"aead":"xchacha20poly1305","aosctl":"operator-identity/v1","id":"op-1","kdf":{"m_kib":65536,"name":"argon2id",
/// "p":1,"salt":"<16 bytes>","t":3,"v":19},"nonce":"<24 bytes>","origin":"aosctl/<32 hex>",
/// "public_key":"<32 bytes>","sealed":"<32 + 16 bytes>"}
/// ```
/// `id` and `origin` are null until they are known. The associated data is the canonical JSON (RFC 8785) of the
/// same object without `sealed`, so every other member, `id` and `origin` too, is bound to the ciphertext: a
/// file cannot be relabelled to sign for another operator or log without the passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedIdentity {
    id: Option<String>,
    origin: Option<String>,
    public_key: [u8; 32],
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
    sealed: [u8; 48],
}

// Both structs list their members in the order of RFC 8785, and their values are integers and ASCII without
// anything to escape, so what serde_json writes is canonical.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow)]
    aead: Cow<'a, str>,
    #[serde(borrow)]
    aosctl: Cow<'a, str>,
    id: Option<String>,
    kdf: Kdf<'a>,
    nonce: String,
    origin: Option<String>,
    public_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

impl SealedIdentity {
    /// Seals an identity under a passphrase. Takes about as long and as much memory as unlocking: 64 MiB.
    ///
    /// # Errors
    /// [`IdentityError::BadId`] unless `id` is `op-N`, [`IdentityError::BadOrigin`],
    /// [`IdentityError::OutOfMemory`], [`IdentityError::System`].
    pub fn seal(
        signer: &Signer,
        passphrase: &Passphrase,
        id: Option<&str>,
        origin: Option<&str>,
    ) -> Result<Self, IdentityError> {
        Self::seal_with(COST, signer, passphrase, id, origin)
    }

    fn seal_with(
        cost: Cost,
        signer: &Signer,
        passphrase: &Passphrase,
        id: Option<&str>,
        origin: Option<&str>,
    ) -> Result<Self, IdentityError> {
        let mut identity = Self {
            id: id.map(str::to_owned),
            origin: origin.map(str::to_owned),
            public_key: signer.public(),
            cost: cost.check()?,
            salt: random::bytes()?,
            nonce: random::bytes()?,
            sealed: [0; 48],
        };
        identity.check_names()?;
        let header = identity.header()?;
        let payload = Payload { msg: signer.seed(), aad: &header };
        identity.sealed = identity
            .cost
            .cipher(passphrase, &identity.salt)?
            .encrypt(&XNonce::from(identity.nonce), payload)
            .ok()
            .and_then(|sealed| sealed.try_into().ok())
            .ok_or(IdentityError::Internal("sealing an identity"))?;
        Ok(identity)
    }

    /// The signing identity, if the passphrase is the right one. Takes about a quarter of a second: do it
    /// before taking any lock.
    ///
    /// # Errors
    /// [`IdentityError::WrongPassphrase`] (also for a changed file, which nobody without the passphrase can
    /// tell apart), [`IdentityError::KeyMismatch`], [`IdentityError::OutOfMemory`].
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Signer, IdentityError> {
        let header = self.header()?;
        let payload = Payload { msg: &self.sealed, aad: &header };
        let seed = self
            .cost
            .cipher(passphrase, &self.salt)?
            .decrypt(&XNonce::from(self.nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| IdentityError::WrongPassphrase)?;
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| IdentityError::KeyMismatch)?;
        let signer = Signer::from_seed(seed);
        // Whoever knows the passphrase can seal anything; a signature must not come from another key than the
        // one that the file shows.
        if signer.public() != self.public_key {
            return Err(IdentityError::KeyMismatch);
        }
        Ok(signer)
    }

    /// The same identity under a new passphrase, with the present cost, a new salt and a new nonce.
    /// Old copies of the file still open with the old passphrase.
    ///
    /// # Errors
    /// As [`SealedIdentity::unlock`] and [`SealedIdentity::seal`].
    pub fn reseal(&self, old: &Passphrase, new: &Passphrase) -> Result<Self, IdentityError> {
        Self::seal(&self.unlock(old)?, new, self.id(), self.origin())
    }

    /// Reads the content of a file. Nothing is decrypted; the cost that the file asks for is checked.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for anything but the exact format, [`IdentityError::KdfOutOfRange`],
    /// [`IdentityError::BadId`], [`IdentityError::BadOrigin`].
    pub fn parse(bytes: &[u8]) -> Result<Self, IdentityError> {
        let malformed_text = |what: &str| IdentityError::Malformed(what.to_owned());
        if bytes.len() > MAX_IDENTITY_FILE_BYTES {
            return Err(malformed_text("it is too large"));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if file.aosctl != TAG {
            return Err(malformed_text("it is not of the kind `operator-identity/v1`"));
        }
        if file.aead != AEAD {
            return Err(malformed_text("it names another cipher than aosctl knows"));
        }
        let (cost, salt) = file.kdf.read()?;
        let sealed = file.sealed.ok_or_else(|| malformed_text("`sealed` is missing"))?;
        let identity = Self {
            id: file.id,
            origin: file.origin,
            public_key: from_hex("public_key", &file.public_key)?,
            cost,
            salt,
            nonce: from_hex("nonce", &file.nonce)?,
            sealed: from_hex("sealed", &sealed)?,
        };
        identity.check_names()?;
        require_canonical(bytes, &identity.to_json()?)?;
        Ok(identity)
    }

    /// The content of the file, one line.
    ///
    /// # Errors
    /// [`IdentityError::Internal`], which cannot happen.
    pub fn to_json(&self) -> Result<Vec<u8>, IdentityError> {
        let mut bytes = self.json(Some(HEXLOWER.encode(&self.sealed)))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The operator's id, once it is known.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The origin of the log that it belongs to, once it is known.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The public key as the file shows it; unlocking proves that it is the right one.
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    fn check_names(&self) -> Result<(), IdentityError> {
        if let Some(id) = self.id.as_deref().filter(|id| !is_id(id, "op")) {
            return Err(IdentityError::BadId(id.to_owned()));
        }
        match self.origin.as_deref().filter(|origin| !is_origin(origin)) {
            Some(origin) => Err(IdentityError::BadOrigin(origin.to_owned())),
            None => Ok(()),
        }
    }

    /// The associated data.
    fn header(&self) -> Result<Vec<u8>, IdentityError> {
        self.json(None)
    }

    fn json(&self, sealed: Option<String>) -> Result<Vec<u8>, IdentityError> {
        let file = File {
            aead: AEAD.into(),
            aosctl: TAG.into(),
            id: self.id.clone(),
            kdf: Kdf::of(self.cost, &self.salt),
            nonce: HEXLOWER.encode(&self.nonce),
            origin: self.origin.clone(),
            public_key: HEXLOWER.encode(&self.public_key),
            sealed,
        };
        serde_json::to_vec(&file).map_err(|_| IdentityError::Internal("writing JSON"))
    }
}

#[cfg(test)]
mod tests;
