//! The log, byte for byte: canonical form, entries, signatures, Merkle tree, checkpoints, proofs, verifying.
//!
//! PURE over bytes. No files, no clock, no database, and no secret key: whoever signs passes a closure.
//! The rules are those of the log format, version 1; every file names the part that it states.

pub mod canonical;
pub mod checkpoint;
pub mod envelope;
pub mod hash;
pub mod header;
pub mod key;
pub mod origin;
pub mod payload;
pub mod receipt;
pub mod sshsig;
pub mod time;
pub mod tree;
pub mod verdict;
pub mod verify;
