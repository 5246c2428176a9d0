//! Sealing something for an identity: X25519 (RFC 7748) with the key pair that signs.
//!
//! The Ed25519 key pair is taken to its form on the Montgomery curve, as age does for `ssh-ed25519` recipients. Using one
//! pair for Ed25519 signatures and an X25519 based KEM is sound in the random oracle model, because the two never hash the
//! same thing (E. Thormarker, "On using the same key pair for Ed25519 and an X25519 based KEM",
//! <https://eprint.iacr.org/2021/509>). It spares operators a second key pair, and a second thing to lose.

use super::Signer;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::VerifyingKey;
use zeroize::Zeroizing;

/// The X25519 public key of an identity. `None` for bytes that are no sound Ed25519 public key.
pub fn agreement_key(public: &[u8; 32]) -> Option<[u8; 32]> {
    let key = VerifyingKey::from_bytes(public).ok().filter(|key| !key.is_weak())?;
    Some(key.to_montgomery().to_bytes())
}

/// What a fresh secret shares with an X25519 public key, and the public half of that secret. `None` where they share
/// nothing that only they know (RFC 7748, section 6.1: an all-zero result is refused).
pub fn agree_with(public: &[u8; 32], fresh: &Zeroizing<[u8; 32]>) -> Option<([u8; 32], Zeroizing<[u8; 32]>)> {
    let half = MontgomeryPoint::mul_base_clamped(**fresh).to_bytes();
    Some((half, contributory(MontgomeryPoint(*public).mul_clamped(**fresh))?))
}

impl Signer {
    /// What this identity shares with an X25519 public key. `None` as in [`agree_with`].
    pub fn agree(&self, public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        let scalar = self.scalar();
        contributory(MontgomeryPoint(*public).mul_clamped(*scalar))
    }
}

fn contributory(shared: MontgomeryPoint) -> Option<Zeroizing<[u8; 32]>> {
    let shared = Zeroizing::new(shared.to_bytes());
    (*shared != [0; 32]).then_some(shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    fn hex(bytes: &[u8]) -> String {
        HEXLOWER.encode(bytes)
    }

    /// The values are those of another implementation (pyca/cryptography 48, X25519 over SHA-512(seed)[..32]).
    #[test]
    fn both_sides_share_what_others_compute() {
        let signer = Signer::from_seed(&[7; 32]);
        let key = agreement_key(&signer.public()).unwrap();
        assert_eq!(hex(&key), "761d88ec830413919dfe9d4d1d56f17e653c8c994082df5b137b90a0ae6edf74");
        let (half, shared) = agree_with(&key, &Zeroizing::new([9; 32])).unwrap();
        assert_eq!(hex(&half), "57db4b359f23ae5e146e4e2512056704722506348c150c14753d0c933d04d421");
        assert_eq!(hex(&*shared), "7ff5e718a2c80002b83ed90f42e2d0ff9418d7ded41b3b4c1dd0d501d3c1ea16");
        assert_eq!(signer.agree(&half).unwrap(), shared);
    }

    #[test]
    fn points_of_small_order_are_refused() {
        // 0, 1 and p - 1 lie in small subgroups of the curve (RFC 7748, section 6.1).
        let mut one = [0; 32];
        one[0] = 1;
        let mut below = [0xff; 32];
        (below[0], below[31]) = (0xec, 0x7f);
        for point in [[0; 32], one, below] {
            assert!(agree_with(&point, &Zeroizing::new([9; 32])).is_none());
            assert!(Signer::from_seed(&[7; 32]).agree(&point).is_none());
        }
        // The identity of Edwards' curve, and bytes that are no point.
        assert!(agreement_key(&one).is_none() && agreement_key(&[2; 32]).is_none());
    }
}
