//! Integrations: outside tools and data stores.

use super::id::Id;

/// An instance of a catalogue entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// `i-4`.
    pub id: Id,
    /// `postgres-main`.
    pub handle: String,
    /// The catalogue's name for it: `postgres`.
    pub kind: String,
    /// Inside the company's boundary.
    pub inside: bool,
    /// Where its data lives: `eu`, `us`, or as told.
    pub residency: Option<String>,
    /// The entry that added it.
    pub added_seq: u64,
}
