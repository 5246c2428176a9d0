//! What leaves the workspace for people who trust nobody: bundles, receipts, and how they are read back.

pub mod archive;
pub mod bundle;
mod bundle_crc;
mod bundle_tar;
mod bundle_zip;
pub mod export;
pub mod pack;
pub mod proof;
mod readme;
pub mod receipt;
pub mod witness;
