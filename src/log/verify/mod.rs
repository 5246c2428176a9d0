//! Verifying the format, in steps that a caller drives over any source of entries:
//!
//! 1. [`inspect`]: one entry by itself, on any thread: form, leaf hash, commitment. No signature.
//! 2. [`check_signature`]: its signature, on any thread, once its signer's key is known.
//! 3. [`ChainChecker`]: all entries in order: origin, seq, prev, at, and the tree.
//! 4. [`ErasureLedger`]: what entries say was erased against what is missing.
//! 5. [`check_tree_root`], [`check_pin`], [`check_witnesses`], [`report_tail`]: what is signed about the whole.
//!
//! [`verify_bundle`] puts them together over the files of a bundle. Authority is not judged here: it is the
//! replay's, which also decides which erasures count.

mod anchor;
mod bundle;
mod chain;
mod erasure;
mod inspect;

pub use anchor::{Coverage, Witnesses, check_pin, check_tree_root, check_witnesses, report_tail};
pub use bundle::{Bundle, Trust, look_at_line, verify_bundle};
pub use chain::{ChainChecker, ChainFault};
pub use erasure::{ErasureClaim, ErasureFault, ErasureLedger};
pub use inspect::{
    Inspected, SeenPayload, SignatureFault, check_signature, check_signature_ready, check_signatures, inspect,
    inspect_line,
};
