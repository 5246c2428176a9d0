//! What leaves the workspace for people who trust nobody: bundles, receipts, and how they are read back.

pub mod archive;
pub mod export;
pub mod pack;
mod readme;
