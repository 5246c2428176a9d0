//! Access reviews: bodies of their events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::id::Id;
use crate::domain::review::ItemDecision;
use crate::domain::time::Time;

body! {
    /// An operator decided about items of an access review.
    ReviewDecided {
        /// `rv-202610`.
        review: Id,
        /// The page was computed as of this moment.
        as_of: Time,
        /// And from so many entries.
        entries: u64,
        /// What was decided, item by item.
        decisions: Vec<ItemDecision>,
        /// Notes, by item.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<BTreeMap<Id, String>>,
    }
}

body! {
    /// An operator stands by an access review.
    ReviewSigned {
        /// `rv-202610`.
        review: Id,
        /// The page was computed as of this moment.
        as_of: Time,
        /// And from so many entries.
        entries: u64,
        /// The root of the log over those (hex).
        root: String,
        /// Hex SHA-256 of the page as JSON, but for its signature.
        page: String,
        /// How many items there were.
        items: u64,
        /// Items whose decision was not carried out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] open: Vec<Id>,
        /// What the reviewer adds.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
    }
}
