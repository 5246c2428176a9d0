use super::IdentityError;
use crate::sys::random;
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

/// An unlocked signing identity. Its secret is wiped when it is dropped and never shown by `Debug`.
pub struct Signer(SigningKey);

impl Signer {
    /// A new identity.
    ///
    /// # Errors
    /// [`IdentityError::System`] if the system gives no random bytes.
    pub fn generate() -> Result<Self, IdentityError> {
        let seed = Zeroizing::new(random::bytes::<32>()?);
        Ok(Self::from_seed(&seed))
    }

    /// The identity of a seed, the 32 secret bytes of RFC 8032.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The same identity once more, for who has to keep one.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::from_seed(self.seed())
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The Ed25519 signature over `message`, the same each time.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// The scalar of the key pair (the first half of SHA-512 of the seed, RFC 8032 section 5.1.5), for X25519.
    pub(super) fn scalar(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_scalar_bytes())
    }

    /// The secret itself, for sealing and for identity files only.
    pub(super) fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer(public {})", data_encoding::HEXLOWER.encode(&self.public()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn rfc_8032_test_2() {
        let seed = HEXLOWER.decode(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let signer = Signer::from_seed(&seed.try_into().unwrap());
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(HEXLOWER.encode(&signer.public()), public);
        assert_eq!(
            HEXLOWER.encode(&signer.sign(&[0x72])),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        let shown = format!("{signer:?}");
        assert!(shown.contains(public) && !shown.contains("4ccd089b"), "{shown}");
    }

    #[test]
    fn two_new_identities_differ() {
        assert_ne!(Signer::generate().unwrap().public(), Signer::generate().unwrap().public());
    }
}
