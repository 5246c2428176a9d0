//! `audit verify`: everything, from the bytes up, believing nothing that is said about it.
//!
//! [`Run`](run::Run) walks over a source of entries: the workspace's store, or the files of a bundle. It streams the log
//! once: form, commitment and signature of each entry on all cores; chain, tree and authority in order, on one; every
//! valid entry is replayed into a scratch database. In a workspace the tables of both are compared at the end, row by
//! row, under a snapshot that keeps the view still while others write. What was kept elsewhere, checkpoints and witnesses,
//! is compared with the tree. [`verify_since_pin`] takes for verified what the pin covers, and looks only behind it.

mod anchors;
mod bundle;
mod check;
mod run;
mod since;
mod source;
mod whole;

pub use anchors::{Kept, KeptSeen, Outside, Unanchored, WitnessSeen};
pub(super) use bundle::read_line;
pub use bundle::{BundleFiles, BundleOptions, verify_bundle};
pub use since::verify_since_pin;
pub use source::Payloads;
pub use whole::{verify, verify_against};

use crate::domain::facts::InvalidEntry;
use crate::domain::time::Time;
use crate::log::checkpoint::VerifierKey;
use crate::log::verdict::Report;
use crate::store::Difference;

/// Rows named at most.
pub const MAX_DIFFERENCES: usize = 50;

/// Entries without authority that are listed at most.
const MAX_INVALID: usize = 1_000;

/// What the verifier brings.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// The log's key, known from elsewhere. Without it the one in the state directory is trusted.
    pub vkey: Option<VerifierKey>,
    /// Threads for signatures; all cores where absent.
    pub threads: Option<usize>,
}

impl VerifyOptions {
    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// A verdict for each thing that is checked.
    pub report: Report,
    /// The log's name.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Merkle root, hex.
    pub root: String,
    /// Rows that are not what the log says.
    pub differences: Vec<Difference>,
    /// Entries without authority, with what became of them: the first thousand.
    pub invalid: Vec<InvalidEntry>,
    /// Where the trusted key came from.
    pub trusted: &'static str,
    /// The last entry lies ahead of this machine's clock.
    pub ahead_of_clock: Option<Time>,
    /// Which payloads there were.
    pub payloads: Payloads,
    /// The entries that nothing from outside covers; `None` if there are none.
    pub unanchored: Option<Unanchored>,
    /// What became of the checkpoints that were kept elsewhere.
    pub kept: Vec<KeptSeen>,
    /// What became of the witnesses that were asked for.
    pub witnesses: Vec<WitnessSeen>,
    /// How many entries the pin on this disk covers, where it holds.
    pub pinned: Option<u64>,
    /// Entries before this place were taken for verified, because the pin covers them.
    pub since: Option<u64>,
    /// Entries of identities that were retired as of an earlier entry.
    pub disputed: u64,
}
