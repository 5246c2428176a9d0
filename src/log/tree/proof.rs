//! Inclusion and consistency proofs (RFC 6962 section 2.1.1 and 2.1.2; verification as in RFC 9162
//! sections 2.1.3.2 and 2.1.4.2).

use std::convert::Infallible;

use super::{Hash, empty_root, node_hash};

/// A source of the hashes of complete subtrees.
pub trait Subtrees {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of the complete subtree over leaves `index * 2^level` up to `(index + 1) * 2^level`. Only
    /// asked for where all of these are in the tree.
    ///
    /// # Errors
    /// If the source cannot be read or lacks it.
    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// All leaf hashes in memory: the simple source.
#[derive(Clone, Copy, Debug)]
pub struct Leaves<'a>(pub &'a [Hash]);

impl Subtrees for Leaves<'_> {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        match level.checked_sub(1) {
            None => Ok(usize::try_from(index).ok().and_then(|index| self.0.get(index)).copied().unwrap_or(Hash::ZERO)),
            Some(below) => Ok(node_hash(&self.subtree(below, index * 2)?, &self.subtree(below, index * 2 + 1)?)),
        }
    }
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// The root of leaves `start` up to `end` (at least one), where `start` is a multiple of the range's
/// smallest covering power of two, as it is for every node of a tree.
fn range_root<S: Subtrees>(source: &S, start: u64, end: u64) -> Result<Hash, S::Error> {
    let size = end - start;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return source.subtree(level, start >> level);
    }
    let middle = start + split(size);
    Ok(node_hash(&range_root(source, start, middle)?, &range_root(source, middle, end)?))
}

/// The root of the tree of the first `size` leaves.
///
/// # Errors
/// If the source fails.
pub fn root_of<S: Subtrees>(size: u64, source: &S) -> Result<Hash, S::Error> {
    if size == 0 { Ok(empty_root()) } else { range_root(source, 0, size) }
}

/// The inclusion proof of leaf `index` in the tree of the first `size` leaves; empty where there is no such leaf.
///
/// # Errors
/// If the source fails.
pub fn inclusion_proof<S: Subtrees>(index: u64, size: u64, source: &S) -> Result<Vec<Hash>, S::Error> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_root(source, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(source, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof from the tree of the first `first` leaves to that of the first `second`; empty
/// where none is needed or possible.
///
/// # Errors
/// If the source fails.
pub fn consistency_proof<S: Subtrees>(first: u64, second: u64, source: &S) -> Result<Vec<Hash>, S::Error> {
    let mut proof = Vec::new();
    if first == 0 || first >= second {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, second);
    while end != first {
        let middle = start + split(end - start);
        if first <= middle {
            proof.push(range_root(source, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(source, start, middle)?);
            start = middle;
        }
    }
    // The first tree's own root is known to the verifier and stands in no proof.
    if start > 0 {
        proof.push(range_root(source, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with this root.
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `second` leaves begins with the tree of `first` leaves.
/// The empty tree is the beginning of every tree; its root must be [`empty_root`] and the proof empty.
#[must_use]
pub fn verify_consistency(first: u64, second: u64, first_root: &Hash, second_root: &Hash, proof: &[Hash]) -> bool {
    if first > second {
        return false;
    }
    if first == second {
        return proof.is_empty() && first_root == second_root && (first > 0 || *first_root == empty_root());
    }
    if first == 0 {
        return proof.is_empty() && *first_root == empty_root();
    }
    let mut steps = proof.iter();
    // A first tree that is complete is itself the start of the way up.
    let start = if first.is_power_of_two() { Some(first_root) } else { steps.next() };
    let Some(start) = start else { return false };
    let (mut node, mut last) = (first - 1, second - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut first_hash, mut second_hash) = (*start, *start);
    for step in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            first_hash = node_hash(step, &first_hash);
            second_hash = node_hash(step, &second_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            second_hash = node_hash(&second_hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && first_hash == *first_root && second_hash == *second_root
}
