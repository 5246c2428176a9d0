//! Proofs of the Merkle tree, computed in one pass over the stored envelopes: no hash that lies in the database is
//! believed, and memory grows with the number of proofs, not with the log.

use super::{Pinned, Workspace, WorkspaceError, pin};
use crate::log::checkpoint::Checkpoint;
use crate::log::hash::Hash;
use crate::log::key::PublicKey;
use crate::log::tree::{Collector, Frontier, consistency_proof, inclusion_proof, leaf_hash};

/// Entries that are read together.
const BATCH: usize = 1_000;

/// One entry and its way up to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Its place.
    pub seq: u64,
    /// Its envelope, as stored.
    pub envelope: Vec<u8>,
    /// The hashes from its leaf to the root.
    pub proof: Vec<Hash>,
}

/// An older beginning of the log and its way up to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continued {
    /// How many entries it has.
    pub size: u64,
    /// Its root, as the entries make it now.
    pub root: Hash,
    /// The hashes that lead from it to the new root.
    pub proof: Vec<Hash>,
}

/// What one pass over the log gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// What the proofs lead to.
    pub checkpoint: Checkpoint,
    /// In the order in which they were asked for.
    pub included: Vec<Included>,
    /// In the order in which they were asked for.
    pub continued: Vec<Continued>,
}

impl Workspace {
    /// Proofs in the tree of the first `size` entries (all of them where `None`): that the entries `seqs` are in it, and
    /// that it continues the trees of the sizes `older`. One pass over the whole log, which must be the one that the pin
    /// remembers: on a log that was rolled back or changed nothing is proven.
    ///
    /// # Errors
    /// [`WorkspaceError::RolledBack`], [`WorkspaceError::Integrity`] where the log is not what its pin and its tables say,
    /// or has no such entry.
    pub fn prove(&self, size: Option<u64>, seqs: &[u64], older: &[u64]) -> Result<Proven, WorkspaceError> {
        // Before the snapshot: a writer in between moves the log past the pin, never behind it.
        let pinned = self.pinned()?;
        self.prove_pinned(pinned, size, seqs, older)
    }

    /// As [`Workspace::prove`], for who has a snapshot open: with the pin that was read before it.
    ///
    /// # Errors
    /// As [`Workspace::prove`].
    pub fn prove_pinned(
        &self,
        Pinned(pin): Pinned,
        size: Option<u64>,
        seqs: &[u64],
        older: &[u64],
    ) -> Result<Proven, WorkspaceError> {
        let _snapshot = self.store.snapshot_if_none()?;
        let head = self.store.head()?;
        let pinned = match &pin {
            pin::Pin::Found { checkpoint, .. } => checkpoint.clone(),
            pin::Pin::Missing => {
                return Err(WorkspaceError::integrity(None, "the pin outside the workspace is missing"));
            }
            pin::Pin::Broken(why) => {
                return Err(WorkspaceError::integrity(None, format!("the pin does not hold: {why}")));
            }
        };
        pin.refuse_rollback(head.as_ref())?;
        let edge = head.as_ref().and_then(|h| Frontier::from_bytes(&h.frontier));
        let total = edge.as_ref().map_or(0, Frontier::size);
        let size = size.unwrap_or(total);
        let missing = |n: u64| WorkspaceError::integrity(n, format!("there is no entry {n}: the log has {total}"));
        if let Some(beyond) = seqs.iter().find(|seq| **seq >= size) {
            return Err(missing(*beyond));
        }
        if let Some(beyond) = older.iter().chain([&size]).find(|n| **n > total) {
            return Err(missing(beyond.saturating_sub(1)));
        }

        let mut pass = Pass::new(size, seqs, older, pinned.size);
        let mut next = 0;
        loop {
            let batch = self.store.envelopes(next, BATCH)?;
            if batch.is_empty() {
                break;
            }
            for (seq, envelope) in batch {
                if seq != next {
                    return Err(WorkspaceError::integrity(next, format!("entry {next} is missing")));
                }
                pass.take(seq, envelope);
                next += 1;
            }
        }
        if pass.root(pinned.size) != Some(pinned.root) {
            let what = format!("the pin remembers another log of {} entries", pinned.size);
            return Err(WorkspaceError::integrity(None, what));
        }
        if edge.as_ref() != Some(pass.collector.tree()) {
            return Err(WorkspaceError::integrity(None, "table head: the tree's edge is not that of the entries"));
        }
        pass.proven(&self.origin.name)
    }

    /// The checkpoint as a signed note, by the log identity. Sign only what [`Workspace::prove`] or a verification gave.
    ///
    /// # Errors
    /// If the log identity is missing or is another log's.
    pub fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Result<String, WorkspaceError> {
        let log = self.log_identity()?;
        Ok(checkpoint.sign(|message| log.signer().sign(message), &PublicKey(self.origin.log_key)))
    }
}

/// The state of a pass.
struct Pass {
    size: u64,
    collector: Collector,
    /// Entries whose envelopes are wanted, each with its places in the answer.
    wanted: std::collections::BTreeMap<u64, Option<Vec<u8>>>,
    seqs: Vec<u64>,
    older: Vec<u64>,
    /// Roots by size.
    roots: std::collections::BTreeMap<u64, Option<Hash>>,
}

impl Pass {
    fn new(size: u64, seqs: &[u64], older: &[u64], pinned: u64) -> Pass {
        let mut roots: std::collections::BTreeMap<_, _> = older.iter().map(|n| (*n, None)).collect();
        roots.insert(size, None);
        roots.insert(pinned, None);
        let collector = Collector::new(size, seqs, older);
        if let Some(root) = roots.get_mut(&0) {
            *root = Some(collector.tree().root());
        }
        let wanted = seqs.iter().map(|seq| (*seq, None)).collect();
        Pass { size, collector, wanted, seqs: seqs.to_vec(), older: older.to_vec(), roots }
    }

    fn take(&mut self, seq: u64, envelope: Vec<u8>) {
        self.collector.push(leaf_hash(&envelope));
        if let Some(root) = self.roots.get_mut(&(seq + 1)) {
            *root = Some(self.collector.tree().root());
        }
        if let Some(place) = self.wanted.get_mut(&seq) {
            *place = Some(envelope);
        }
    }

    fn root(&self, size: u64) -> Option<Hash> {
        self.roots.get(&size).copied().flatten()
    }

    fn proven(self, origin: &str) -> Result<Proven, WorkspaceError> {
        let short = |_| WorkspaceError::integrity(None, "the log ended before the size that is to be proven");
        let root_at = |n: u64| self.root(n).ok_or_else(|| short(()));
        let included = self
            .seqs
            .iter()
            .map(|&seq| {
                let proof = inclusion_proof(seq, self.size, &self.collector).map_err(|_| short(()))?;
                let envelope = self.wanted.get(&seq).cloned().flatten().ok_or_else(|| short(()))?;
                Ok(Included { seq, envelope, proof })
            })
            .collect::<Result<_, WorkspaceError>>()?;
        let continued = self
            .older
            .iter()
            .map(|&size| {
                // A size beyond the one proven has a root, but no proof leads backwards.
                let proof = consistency_proof(size, self.size, &self.collector).map_err(|_| short(()))?;
                Ok(Continued { size, root: root_at(size)?, proof })
            })
            .collect::<Result<_, WorkspaceError>>()?;
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: self.size, root: root_at(self.size)? };
        Ok(Proven { checkpoint, included, continued })
    }
}
