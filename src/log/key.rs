//! Public keys and strict Ed25519.
//!
//! Strict: `A` and `R` canonical and not of small order, `S` < L, the equation without the cofactor. The
//! library's `verify_strict` leaves one thing open: it takes a key in a second, non-canonical encoding, so
//! the bytes are compared here.

mod table;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha512};
use table::KeyTable;
use thiserror::Error;

use super::hash::{Hash, bytes_from_hex, hex, sha256};

/// The 32 bytes of an Ed25519 public key. Holding one says nothing about its quality; see
/// [`PublicKey::enrolment_fault`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// Why a public key must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// No point has these bytes.
    #[error("the public key is not a point of the curve")]
    NotAPoint,
    /// The bytes are a second way to write a point.
    #[error("the public key is not in its canonical encoding")]
    NonCanonical,
    /// One of the eight points of small order.
    #[error("the public key is of small order")]
    SmallOrder,
    /// A point outside the prime-order subgroup.
    #[error("the public key has a torsion part")]
    Torsion,
}

impl KeyFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            KeyFault::NotAPoint => "not_a_point",
            KeyFault::NonCanonical => "non_canonical",
            KeyFault::SmallOrder => "small_order",
            KeyFault::Torsion => "torsion",
        }
    }
}

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SigFault {
    /// The header's `key` is not the id of the signer's key.
    #[error("the key is not that of the signer")]
    KeyNotOfActor,
    /// Not 64 bytes.
    #[error("the signature is not 64 bytes")]
    Length,
    /// The key's bytes are no point.
    #[error("the public key is not a point of the curve")]
    KeyNotAPoint,
    /// The key is in a second encoding.
    #[error("the public key is not in its canonical encoding")]
    KeyNonCanonical,
    /// The key is of small order.
    #[error("the public key is of small order")]
    KeySmallOrder,
    /// S is not below the group order.
    #[error("S is not below the group order")]
    SNotCanonical,
    /// R's bytes are no point.
    #[error("R is not a point of the curve")]
    RNotAPoint,
    /// R is in a second encoding.
    #[error("R is not in its canonical encoding")]
    RNonCanonical,
    /// R is of small order.
    #[error("R is of small order")]
    RSmallOrder,
    /// The verification equation does not hold.
    #[error("the signature does not fit key and message")]
    Equation,
}

impl SigFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            SigFault::KeyNotOfActor => "key_not_of_actor",
            SigFault::Length => "signature_length",
            SigFault::KeyNotAPoint => "public_key_not_a_point",
            SigFault::KeyNonCanonical => "public_key_non_canonical",
            SigFault::KeySmallOrder => "public_key_small_order",
            SigFault::SNotCanonical => "s_not_canonical",
            SigFault::RNotAPoint => "r_not_a_point",
            SigFault::RNonCanonical => "r_non_canonical",
            SigFault::RSmallOrder => "r_small_order",
            SigFault::Equation => "equation",
        }
    }

    /// The word under which a verdict on signatures reports it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            SigFault::KeyNotAPoint => "signature_public_key_not_a_point",
            SigFault::KeyNonCanonical => "signature_public_key_non_canonical",
            SigFault::KeySmallOrder => "signature_public_key_small_order",
            SigFault::SNotCanonical => "signature_s_not_canonical",
            SigFault::RNotAPoint => "signature_r_not_a_point",
            SigFault::RNonCanonical => "signature_r_non_canonical",
            SigFault::RSmallOrder => "signature_r_small_order",
            SigFault::Equation => "signature_equation",
            SigFault::KeyNotOfActor | SigFault::Length => self.kind(),
        }
    }
}

impl From<KeyFault> for SigFault {
    fn from(fault: KeyFault) -> SigFault {
        match fault {
            KeyFault::NotAPoint => SigFault::KeyNotAPoint,
            KeyFault::NonCanonical => SigFault::KeyNonCanonical,
            // A torsion part is no fault of a signature; `ready` does not find it.
            KeyFault::SmallOrder | KeyFault::Torsion => SigFault::KeySmallOrder,
        }
    }
}

/// Why a key may not be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnrolmentFault {
    /// The key itself is weak.
    #[error("{0}")]
    WeakKey(KeyFault),
    /// The proof of possession does not hold.
    #[error("the proof of possession does not hold: {0}")]
    ProofOfPossession(SigFault),
}

impl EnrolmentFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            EnrolmentFault::WeakKey(_) => "weak_key",
            EnrolmentFault::ProofOfPossession(_) => "proof_of_possession",
        }
    }
}

impl PublicKey {
    /// Reads exactly 64 lowercase hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<PublicKey> {
        bytes_from_hex(text.as_bytes()).map(PublicKey)
    }

    /// 64 lowercase hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// The key id: SHA-256 of the 32 bytes.
    #[must_use]
    pub fn key_id(&self) -> Hash {
        sha256(&self.0)
    }

    /// Why this key must be refused at enrolment, if it must.
    #[must_use]
    pub fn enrolment_fault(&self) -> Option<KeyFault> {
        match self.ready() {
            Err(fault) => Some(fault),
            Ok(ready) if !is_torsion_free(ready.key.to_edwards()) => Some(KeyFault::Torsion),
            Ok(_) => None,
        }
    }

    /// Decompresses and checks the key, once for many signatures. A torsion part is not refused here: that
    /// is a matter of enrolment.
    ///
    /// # Errors
    /// Any [`KeyFault`] but [`KeyFault::Torsion`].
    pub fn ready(&self) -> Result<ReadyKey, KeyFault> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| KeyFault::NotAPoint)?;
        if !is_canonical(&self.0) {
            return Err(KeyFault::NonCanonical);
        }
        if SMALL_ORDER.contains(&&self.0) {
            return Err(KeyFault::SmallOrder);
        }
        Ok(ReadyKey { id: self.key_id(), key, quick: Arc::default() })
    }

    /// Verifies a signature strictly.
    ///
    /// # Errors
    /// The first [`SigFault`].
    pub fn verify_strict(&self, message: &[u8], sig: &[u8]) -> Result<(), SigFault> {
        let sig: &[u8; 64] = sig.try_into().map_err(|_| SigFault::Length)?;
        self.ready().map_err(SigFault::from)?.verify_strict(message, sig)
    }

    /// What the new key signs to prove possession: `aosctl/enrol/v1` ‖ 00 ‖ origin ‖ 00 ‖ its public key.
    #[must_use]
    pub fn enrolment_message(&self, origin: &str) -> Vec<u8> {
        [b"aosctl/enrol/v1\0".as_slice(), origin.as_bytes(), b"\0", &self.0].concat()
    }

    /// Checks the key itself and its proof of possession for this log.
    ///
    /// # Errors
    /// The first [`EnrolmentFault`]. Whether id, key or key id was ever used is for the caller to know.
    pub fn check_enrolment(&self, origin: &str, proof: &[u8]) -> Result<(), EnrolmentFault> {
        if let Some(fault) = self.enrolment_fault() {
            return Err(EnrolmentFault::WeakKey(fault));
        }
        self.verify_strict(&self.enrolment_message(origin), proof).map_err(EnrolmentFault::ProofOfPossession)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_hex())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// A public key, decompressed and checked, with its id: what verifying many signatures of one signer needs. Clones share
/// the table of multiples that is made when the key has verified much.
#[derive(Clone)]
pub struct ReadyKey {
    id: Hash,
    key: VerifyingKey,
    quick: Arc<Quick>,
}

impl fmt::Debug for ReadyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadyKey").field(&self.id).finish()
    }
}

/// How often a key was used, and its table once that was often.
#[derive(Default)]
struct Quick {
    uses: AtomicU32,
    table: OnceLock<Option<KeyTable>>,
}

/// A table costs about as much to make as it saves in ten signatures.
const USES_BEFORE_TABLE: u32 = 24;

/// Most bytes of tables at once, in a process: the first signers who signed much have one, the others do without.
const TABLES_LIMIT: usize = 20 * 1_048_576;

static TABLES: AtomicUsize = AtomicUsize::new(0);

impl Quick {
    /// The table, if there is one or this use makes it worth one.
    fn table(&self, key: &VerifyingKey) -> Option<&KeyTable> {
        if let Some(made) = self.table.get() {
            return made.as_ref();
        }
        if self.uses.fetch_add(1, Ordering::Relaxed) < USES_BEFORE_TABLE {
            return None;
        }
        let make = || {
            let before = TABLES.fetch_add(table::KEY_TABLE_BYTES, Ordering::Relaxed);
            if before + table::KEY_TABLE_BYTES > TABLES_LIMIT {
                TABLES.fetch_sub(table::KEY_TABLE_BYTES, Ordering::Relaxed);
                return None;
            }
            Some(KeyTable::of(&key.to_edwards()))
        };
        self.table.get_or_init(make).as_ref()
    }
}

impl Drop for Quick {
    fn drop(&mut self) {
        if let Some(Some(_)) = self.table.get() {
            TABLES.fetch_sub(table::KEY_TABLE_BYTES, Ordering::Relaxed);
        }
    }
}

/// The canonical encodings of the eight points of small order. Written down, because compressing them anew costs every
/// process as much as a signature; a test holds them against the library's points.
const SMALL_ORDER: [&[u8; 32]; 8] = [
    &[
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ],
    &[
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    &[
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,
    ],
    &[
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    &[
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    &[
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x85,
    ],
    &[
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ],
    &[
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0xfa,
    ],
];

impl ReadyKey {
    /// The key id.
    #[must_use]
    pub fn key_id(&self) -> Hash {
        self.id
    }

    /// Verifies a signature strictly.
    ///
    /// R's bytes are compared with the encoding of the point that the equation gives, as the library's plain `verify` does,
    /// so an R that passes is canonical and a point. What strictness adds for R is then one comparison with the
    /// eight canonical encodings of small order, which spares decompressing R (a tenth of the work). Tests
    /// hold this, with and without a table of multiples, against the library's `verify_strict`.
    ///
    /// # Errors
    /// The first [`SigFault`]; never one about the key.
    pub fn verify_strict(&self, message: &[u8], sig: &[u8; 64]) -> Result<(), SigFault> {
        let expected = self.expected_r(message, sig).map(|point| point.compress());
        judge(expected, sig)
    }

    /// The R that a signature by this key over this message must have: `[S]B - [k]A`. `None` where S is not below the
    /// group order.
    fn expected_r(&self, message: &[u8], sig: &[u8; 64]) -> Option<EdwardsPoint> {
        let sig = Signature::from_bytes(sig);
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*sig.s_bytes()))?;
        let hash = Sha512::new().chain_update(sig.r_bytes()).chain_update(self.key.as_bytes()).chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let quickly = self.quick.table(&self.key).and_then(|table| table.combine(&s, &k));
        Some(
            quickly
                .unwrap_or_else(|| EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-self.key.to_edwards(), &s)),
        )
    }
}

/// Are these bytes of a point the ones that encoding it gives (RFC 8032, section 5.1.2)? They are if y, the 255 bits, is
/// below p = 2^255 - 19, and no sign is given to an x that is 0, which it is where y is 1 or p - 1. Read off the bytes,
/// because encoding a point costs an inversion.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    let (sign, top) = (last & 0x80 != 0, last & 0x7f);
    let below_p = !(top == 0x7f && middle.iter().all(|b| *b == 0xff) && *first >= 0xed);
    let one = top == 0 && middle.iter().all(|b| *b == 0) && *first == 1;
    let minus_one = top == 0x7f && middle.iter().all(|b| *b == 0xff) && *first == 0xec;
    below_p && !(sign && (one || minus_one))
}

/// Does the point lie in the subgroup of prime order L? It does if L times it is nothing, that is, if L - 1 times it is its
/// negative. A public key is no secret, so the multiplication may take a time that depends on it: a sixth of the
/// library's, which does not.
fn is_torsion_free(point: EdwardsPoint) -> bool {
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, &point, &Scalar::ZERO) == -point
}

/// One signature of several that are verified together, by [`verify_each`].
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The signer's key.
    pub key: &'a ReadyKey,
    /// What was signed.
    pub message: &'a [u8],
    /// The signature.
    pub sig: &'a [u8; 64],
}

/// Verifies signatures strictly, each by itself and with the same verdict as [`ReadyKey::verify_strict`], but together:
/// the points are encoded with one inversion for all, and that is all that they share. Not a batch verification in the
/// usual sense, which would accept what the strict equation refuses.
#[must_use]
pub fn verify_each(signed: &[Signed<'_>]) -> Vec<Result<(), SigFault>> {
    let points: Vec<Option<EdwardsPoint>> = signed.iter().map(|s| s.key.expected_r(s.message, s.sig)).collect();
    let there: Vec<EdwardsPoint> = points.iter().flatten().copied().collect();
    let mut encoded = EdwardsPoint::compress_batch_alloc(&there).into_iter();
    signed.iter().zip(points).map(|(s, point)| judge(point.and_then(|_| encoded.next()), s.sig)).collect()
}

/// Compares R with what it must be.
fn judge(expected: Option<CompressedEdwardsY>, sig: &[u8; 64]) -> Result<(), SigFault> {
    let sig = Signature::from_bytes(sig);
    let holds = expected.is_some_and(|r| r.as_bytes() == sig.r_bytes()) && !SMALL_ORDER.contains(&sig.r_bytes());
    if holds { Ok(()) } else { Err(diagnose(&sig)) }
}

/// Names what is wrong with a signature that was refused.
fn diagnose(sig: &Signature) -> SigFault {
    if bool::from(Scalar::from_canonical_bytes(*sig.s_bytes()).is_none()) {
        return SigFault::SNotCanonical;
    }
    match CompressedEdwardsY(*sig.r_bytes()).decompress() {
        None => SigFault::RNotAPoint,
        Some(point) if point.compress().to_bytes() != *sig.r_bytes() => SigFault::RNonCanonical,
        Some(point) if point.is_small_order() => SigFault::RSmallOrder,
        Some(_) => SigFault::Equation,
    }
}

#[cfg(test)]
mod tests;
