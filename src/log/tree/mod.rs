//! The Merkle tree of RFC 6962 section 2.1, over the leaf hashes of entries.

mod collect;
mod proof;

pub use collect::{Collector, NotCollected};
pub use proof::{Leaves, Subtrees, consistency_proof, inclusion_proof, root_of, verify_consistency, verify_inclusion};

use super::hash::{Hash, sha256, sha256_of};

/// SHA-256( 0x00 ‖ entry )
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256_of(&[&[0], entry])
}

/// SHA-256( 0x01 ‖ left ‖ right )
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the empty tree: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// The right edge of a tree: enough to append to it and to know its root. Holds one hash for each 1-bit of
/// the size, the roots of the complete subtrees from the largest to the smallest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_and_report(leaf, |_, _, _| {});
    }

    /// Appends a leaf and tells `node` every complete subtree that it completes, the leaf itself first:
    /// its level (0 for a leaf), its index on that level, its hash. Stored, they serve [`Subtrees`].
    pub fn push_and_report(&mut self, leaf: Hash, mut node: impl FnMut(u32, u64, Hash)) {
        let mut hash = leaf;
        let mut level = 0;
        node(level, self.size, hash);
        // A 1-bit at `level` is a complete subtree that the new one pairs with.
        while (self.size >> level) & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            level += 1;
            node(level, self.size >> level, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }

    /// Eight bytes of size (big-endian) and 32 bytes for each 1-bit of it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote; `None` if the length does not fit the size.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Frontier> {
        let (size, hashes) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let (hashes, rest) = hashes.as_chunks::<32>();
        let fits = rest.is_empty() && u32::try_from(hashes.len()).is_ok_and(|count| count == size.count_ones());
        // The largest size could not be pushed to.
        (fits && size < u64::MAX).then(|| Frontier { size, peaks: hashes.iter().copied().map(Hash).collect() })
    }
}

#[cfg(test)]
mod tests;
