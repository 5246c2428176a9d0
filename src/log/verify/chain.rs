//! All entries in order.

use std::collections::BTreeMap;

use super::inspect::Inspected;
use crate::log::envelope::SeenHeader;
use crate::log::hash::Hash;
use crate::log::time::is_time;
use crate::log::tree::{Frontier, empty_root};

/// Follows the chain and grows the tree. Fed every entry in order, also those that are bad; an entry's place
/// is how many came before it.
#[derive(Clone, Debug)]
pub struct ChainChecker {
    origin: String,
    last_leaf: Hash,
    last_at: String,
    frontier: Frontier,
    roots: BTreeMap<u64, Option<Hash>>,
}

/// Why an entry does not continue the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Cannot be parsed.
    #[error("the entry cannot be read")]
    Unreadable,
    /// Names another log.
    #[error("the entry is of another log")]
    Log,
    /// Not the next number.
    #[error("the entry does not have the next seq")]
    Seq,
    /// Not the leaf hash of the entry before.
    #[error("the entry does not follow the one before it")]
    Prev,
    /// Earlier than the entry before.
    #[error("the entry is earlier than the one before it")]
    At,
}

impl ChainFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            ChainFault::Unreadable => "unreadable",
            ChainFault::Log => "log",
            ChainFault::Seq => "seq",
            ChainFault::Prev => "prev",
            ChainFault::At => "at",
        }
    }
}

impl ChainChecker {
    /// At the beginning of the log with this origin.
    #[must_use]
    pub fn new(origin: &str) -> ChainChecker {
        ChainChecker::resume(origin, Frontier::new(), Hash::ZERO, "")
    }

    /// Behind entries that were verified before: their tree, the leaf hash and the `at` of the last of them.
    #[must_use]
    pub fn resume(origin: &str, frontier: Frontier, last_leaf: Hash, last_at: &str) -> ChainChecker {
        let roots = BTreeMap::from([(frontier.size(), Some(frontier.root()))]);
        ChainChecker { origin: origin.to_owned(), last_leaf, last_at: last_at.to_owned(), frontier, roots }
    }

    /// Asks for the root at a size that is yet to come, for [`ChainChecker::root_at`].
    pub fn remember(&mut self, size: u64) {
        if size >= self.size() {
            self.roots.entry(size).or_insert(None);
        }
    }

    /// Keeps the root at a size that was passed before, for [`ChainChecker::root_at`].
    pub fn know(&mut self, size: u64, root: Hash) {
        self.roots.insert(size, Some(root));
    }

    /// Takes the next entry and says why it does not continue the chain, if it does not. After a bad entry it
    /// goes on from what that entry is, so one bad entry gives one fault, or two where its bytes were changed.
    pub fn feed(&mut self, entry: &Inspected) -> Option<ChainFault> {
        let fault = self.check(entry);
        self.last_leaf = entry.leaf();
        self.frontier.push(self.last_leaf);
        if let Some(root) = self.roots.get_mut(&self.frontier.size()) {
            *root = Some(self.frontier.root());
        }
        fault
    }

    fn check(&mut self, entry: &Inspected) -> Option<ChainFault> {
        let (log, seq, prev, at) = match entry.seen_header() {
            SeenHeader::Unreadable => return Some(ChainFault::Unreadable),
            SeenHeader::Strict(header) => {
                (Some(header.log.as_str()), Some(header.seq), Some(header.prev), Some(header.at.as_str()))
            }
            SeenHeader::Loose(header) => {
                // A time that is none cannot be put in order; it fails canonical form.
                let at = header.at.as_deref().filter(|at| is_time(at));
                (header.log.as_deref(), header.seq, header.prev, at)
            }
        };
        let earlier = at.is_some_and(|at| at < self.last_at.as_str());
        if let Some(at) = at {
            self.last_at.clear();
            self.last_at.push_str(at);
        }
        if log != Some(self.origin.as_str()) {
            Some(ChainFault::Log)
        } else if seq != Some(self.frontier.size()) {
            Some(ChainFault::Seq)
        } else if prev != Some(self.last_leaf) {
            Some(ChainFault::Prev)
        } else if earlier {
            Some(ChainFault::At)
        } else {
            None
        }
    }

    /// The origin that entries must name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries there are so far; the place of the next one.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all entries so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The root at a size that is the present one, was asked for, or is 0.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(empty_root()),
            size if size == self.size() => Some(self.root()),
            size => self.roots.get(&size).copied().flatten(),
        }
    }

    /// The right edge of the tree, to be kept for [`ChainChecker::resume`].
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The leaf hash of the last entry; zeros if there is none.
    #[must_use]
    pub fn last_leaf(&self) -> Hash {
        self.last_leaf
    }

    /// The `at` of the last entry that had one; empty if none had.
    #[must_use]
    pub fn last_at(&self) -> &str {
        &self.last_at
    }
}
