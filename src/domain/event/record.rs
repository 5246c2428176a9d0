//! Edits of the record itself: bodies of events about erasures, voided and corrected entries, and rollbacks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

body! {
    /// Members of a payload are gone (log-format.md, Payload).
    PayloadErased {
        /// Of which entry.
        seq: u64,
        /// Which members.
        members: BTreeSet<String>,
        /// The approvals of the audit edit, by entry.
        approvals: BTreeSet<u64>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// An entry that is invalid by authority is listed and no longer fails.
    EntryVoided {
        /// Which.
        seq: u64,
        /// Its leaf hash (hex).
        leaf: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// What an operator has to say about an earlier entry, which stays as it is.
    EntryCorrected {
        /// Which.
        seq: u64,
        /// What is right.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
    }
}

body! {
    /// An operator goes on with a log that is older than its pin.
    RollbackAccepted {
        /// The pin's size.
        pin_size: u64,
        /// The pin's root (hex).
        pin_root: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
