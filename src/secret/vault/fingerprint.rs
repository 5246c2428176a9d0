use super::{Circle, File, Vault, malformed, read_file};
use crate::domain::event::Hex32;
use crate::identity::Signer;
use crate::secret::{Secret, SecretError};
use crate::sys::{SysError, files, random};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const ITEM: &str = "fingerprint";

/// The key of fingerprints: with it, and only with it, a secret can be recognised by its fingerprint in the log. Without
/// it a short secret cannot be guessed from there.
pub struct FingerprintKey {
    key: Secret,
    /// It was made just now: no fingerprint of before can be compared.
    pub is_new: bool,
}

impl FingerprintKey {
    /// HMAC-SHA-256 (RFC 2104) of the secret's bytes under this key.
    ///
    /// # Errors
    /// [`SecretError::Internal`], which cannot happen.
    pub fn fingerprint(&self, secret: &Secret) -> Result<Hex32, SecretError> {
        Ok(Hex32(self.mac(secret)?.finalize().into_bytes().into()))
    }

    /// Is that the secret's fingerprint? Compared in constant time.
    pub fn matches(&self, secret: &Secret, fingerprint: &Hex32) -> bool {
        self.mac(secret).is_ok_and(|mac| mac.verify_slice(&fingerprint.0).is_ok())
    }

    fn mac(&self, secret: &Secret) -> Result<Hmac<Sha256>, SecretError> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.expose()).map_err(|_| SecretError::Internal("HMAC-SHA-256"))?;
        mac.update(secret.expose());
        Ok(mac)
    }
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FingerprintKey(hidden, new: {})", self.is_new)
    }
}

impl Vault {
    /// The key of fingerprints, opened by an unlocked operator. Made at its first use, once: whoever comes second takes
    /// what the first one made.
    ///
    /// # Errors
    /// [`SecretError::Unsigned`] where no operator made the file; else as [`Vault::open`].
    pub fn fingerprint_key(&self, signer: &Signer, operators: &Circle) -> Result<FingerprintKey, SecretError> {
        let path = self.fingerprint_path();
        let mut is_new = false;
        self.take_coming(operators)?;
        if path.symlink_metadata().is_err() {
            let fresh = Zeroizing::new(random::bytes::<32>()?);
            let key = Secret::new(Zeroizing::new(fresh.to_vec()))?;
            let file = File::attended(&self.origin, ITEM, &key, &operators.live, Some(signer))?;
            files::create_private_dir(&self.dir)?;
            match files::create_private_new(&path, &file.to_json()?) {
                Ok(()) => is_new = true,
                Err(SysError::Exists { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        let file = self.read_signed(&path, operators)?;
        let key = file.open_as(signer).map_err(|why| self.closed(path.clone(), &file, why))?;
        if key.expose().len() != 32 {
            return Err(SecretError::Damaged { path });
        }
        Ok(FingerprintKey { key, is_new })
    }

    /// Seals the key of fingerprints again, for the operators there are now. Nothing where there is none yet.
    ///
    /// Call it inside a transaction, before the entry that enrols or retires somebody is appended.
    ///
    /// # Errors
    /// As [`Vault::fingerprint_key`]; the file is then as it was.
    pub fn reseal_fingerprint_key(&self, signer: &Signer, operators: &Circle) -> Result<(), SecretError> {
        self.reseal_fingerprint_key_by(signer, signer, operators)
    }

    /// As [`Vault::reseal_fingerprint_key`], opened by one identity and signed by another: an operator's, whose key is new.
    ///
    /// # Errors
    /// As there.
    pub fn reseal_fingerprint_key_by(
        &self,
        opener: &Signer,
        signer: &Signer,
        operators: &Circle,
    ) -> Result<(), SecretError> {
        let path = self.fingerprint_path();
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let key = self.fingerprint_key(opener, operators)?.key;
        let file = File::attended(&self.origin, ITEM, &key, &operators.live, Some(signer))?;
        files::write_private_atomic(&path, &file.to_json()?)?;
        files::remove_file(&self.coming_path());
        Ok(())
    }

    /// Seals the key of fingerprints for operators of whom one is about to get its key, and signs with that one: beside the
    /// file that counts, whose place it takes when somebody asks for the key and the log has made the signer's key count.
    /// Nothing where there is no such key yet.
    ///
    /// # Errors
    /// As [`Vault::reseal_fingerprint_key`].
    pub fn seal_coming_fingerprint_key(
        &self,
        opener: &Signer,
        signer: &Signer,
        operators: &Circle,
    ) -> Result<(), SecretError> {
        if self.fingerprint_path().symlink_metadata().is_err() {
            return Ok(());
        }
        let key = self.fingerprint_key(opener, operators)?.key;
        let file = File::attended(&self.origin, ITEM, &key, &operators.live, Some(signer))?;
        Ok(files::write_private_atomic(&self.coming_path(), &file.to_json()?)?)
    }

    /// Finishes what a crash cut off after [`Vault::seal_coming_fingerprint_key`]. One that no operator signed stays: its
    /// signer may be about to become one.
    fn take_coming(&self, operators: &Circle) -> Result<(), SecretError> {
        let coming = self.coming_path();
        if coming.symlink_metadata().is_err() {
            return Ok(());
        }
        match self.read_signed(&coming, operators) {
            Ok(_) => match files::move_into_place(&coming, &self.fingerprint_path()) {
                // Somebody else was quicker.
                Err(e) if e.is_not_found() => Ok(()),
                other => Ok(other?),
            },
            Err(_) => Ok(()),
        }
    }

    fn fingerprint_path(&self) -> PathBuf {
        self.dir.join("fingerprint.sealed")
    }

    fn coming_path(&self) -> PathBuf {
        self.dir.join("fingerprint.sealed.new")
    }

    fn read_signed(&self, path: &Path, operators: &Circle) -> Result<File, SecretError> {
        let path = path.to_path_buf();
        let file = File::parse(&read_file(&path)?).map_err(|why| malformed(&path, &why))?;
        if file.origin != self.origin || file.item != ITEM || !file.is_attended() {
            return Err(SecretError::Foreign { path, what: "it is not the fingerprint key of this workspace".into() });
        }
        if !file.is_signed_by(&operators.ever) {
            return Err(SecretError::Unsigned { path });
        }
        Ok(file)
    }
}
