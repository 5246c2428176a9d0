//! What leaves the workspace for people who trust nobody: bundles, receipts, and how they are read back.

pub mod proof;
pub mod receipt;
pub mod witness;
