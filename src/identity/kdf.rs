//! From a passphrase to a key: Argon2id (RFC 9106), and what it may cost.

use super::{IdentityError, Passphrase, from_hex};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::KeyInit;
use chacha20poly1305::{Key, XChaCha20Poly1305};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use zeroize::{Zeroize, Zeroizing};

const KDF: &str = "argon2id";
/// Argon2 version 1.3 (RFC 9106) as its number.
const KDF_VERSION: u32 = 0x13;

/// What is sealed now: RFC 9106 section 4, second recommended option (64 MiB, 3 passes), with one lane because ours runs
/// in one thread.
pub(super) const COST: Cost = Cost { m_kib: 64 * 1024, t: 3, p: 1 };

// What is accepted on opening. The floor is OWASP's minimum for Argon2id, so that nobody weakens a file
// unnoticed; the ceiling keeps a hostile file from exhausting the machine.
const M_KIB: RangeInclusive<u32> = 19 * 1024..=1024 * 1024;
const T: RangeInclusive<u32> = 2..=20;
const P: RangeInclusive<u32> = 1..=16;

/// What a run of Argon2id costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) m_kib: u32,
    pub(super) t: u32,
    pub(super) p: u32,
}

/// The same as a file says it, in the order of RFC 8785.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kdf<'a> {
    m_kib: u32,
    #[serde(borrow)]
    name: Cow<'a, str>,
    p: u32,
    salt: String,
    t: u32,
    v: u32,
}

impl Kdf<'_> {
    pub(super) fn of(cost: Cost, salt: &[u8; 16]) -> Kdf<'static> {
        let (m_kib, p, t) = (cost.m_kib, cost.p, cost.t);
        Kdf { m_kib, name: KDF.into(), p, salt: HEXLOWER.encode(salt), t, v: KDF_VERSION }
    }

    /// Cost and salt, if both are such as aosctl accepts.
    pub(super) fn read(&self) -> Result<(Cost, [u8; 16]), IdentityError> {
        if self.name != KDF || self.v != KDF_VERSION {
            return Err(IdentityError::Malformed("it names another key derivation than aosctl knows".to_owned()));
        }
        Ok((Cost { m_kib: self.m_kib, t: self.t, p: self.p }.check()?, from_hex("salt", &self.salt)?))
    }
}

impl Cost {
    pub(super) fn check(self) -> Result<Self, IdentityError> {
        for (name, value, range) in [("m_kib", self.m_kib, M_KIB), ("t", self.t, T), ("p", self.p, P)] {
            if !range.contains(&value) {
                return Err(IdentityError::KdfOutOfRange {
                    what: format!("{name}={value}"),
                    low: *range.start(),
                    high: *range.end(),
                });
            }
        }
        Ok(self)
    }

    /// The cipher under the key that Argon2id makes of the passphrase.
    pub(super) fn cipher(self, passphrase: &Passphrase, salt: &[u8; 16]) -> Result<XChaCha20Poly1305, IdentityError> {
        let Cost { m_kib, t, p } = self;
        let params = Params::new(m_kib, t, p, Some(32)).map_err(|_| IdentityError::Internal("Argon2id"))?;
        let mut memory: Vec<Block> = Vec::new();
        let blocks = params.block_count();
        memory.try_reserve_exact(blocks).map_err(|_| IdentityError::OutOfMemory { m_kib })?;
        memory.resize(blocks, Block::new());
        let mut key = Zeroizing::new([0; 32]);
        let result = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
            passphrase.bytes(),
            salt,
            &mut *key,
            &mut memory,
        );
        // The first blocks depend on the passphrase alone; leave none of them for whoever gets the memory next.
        for block in &mut memory {
            let words: &mut [u64] = block.as_mut();
            words.zeroize();
        }
        result.map_err(|_| IdentityError::Internal("Argon2id"))?;
        let mut aead_key = Key::from(*key);
        let cipher = XChaCha20Poly1305::new(&aead_key);
        aead_key.as_mut_slice().zeroize();
        Ok(cipher)
    }
}
