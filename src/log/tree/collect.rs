//! Proofs from one pass over the leaves, keeping only the hashes that the proofs need: some 2 log2(size) a proof.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;

use thiserror::Error;

use super::{Frontier, Hash, Subtrees, consistency_proof, inclusion_proof};

/// A hash that was not collected: the leaves ended before the size that the proofs are for, or nobody asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the log ended before the size that the proofs are for")]
pub struct NotCollected;

/// Collects from leaves that go by, in order, what inclusion and consistency proofs in a tree of one size need.
#[derive(Clone, Debug)]
pub struct Collector {
    tree: Frontier,
    nodes: HashMap<(u32, u64), Option<Hash>>,
}

/// A source that only notes what it is asked for.
#[derive(Default)]
struct Asked(RefCell<HashMap<(u32, u64), Option<Hash>>>);

impl Subtrees for Asked {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        self.0.borrow_mut().insert((level, index), None);
        Ok(Hash::ZERO)
    }
}

impl Collector {
    /// For inclusion proofs of these leaves, and consistency proofs from these older sizes, all in the tree of `size`.
    #[must_use]
    pub fn new(size: u64, leaves: &[u64], older: &[u64]) -> Collector {
        let asked = Asked::default();
        for leaf in leaves {
            let Ok(_) = inclusion_proof(*leaf, size, &asked);
        }
        for first in older {
            let Ok(_) = consistency_proof(*first, size, &asked);
        }
        Collector { tree: Frontier::new(), nodes: asked.0.into_inner() }
    }

    /// The next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let nodes = &mut self.nodes;
        self.tree.push_and_report(leaf, |level, index, hash| {
            if let Some(place) = nodes.get_mut(&(level, index)) {
                *place = Some(hash);
            }
        });
    }

    /// The tree of the leaves so far.
    #[must_use]
    pub fn tree(&self) -> &Frontier {
        &self.tree
    }

    #[cfg(test)]
    pub(super) fn nodes_wanted(&self) -> usize {
        self.nodes.len()
    }
}

impl Subtrees for Collector {
    type Error = NotCollected;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, NotCollected> {
        self.nodes.get(&(level, index)).copied().flatten().ok_or(NotCollected)
    }
}
