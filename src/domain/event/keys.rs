//! Credentials: bodies of events about keys, their rotation and leaks.

use serde::{Deserialize, Serialize};

use super::Hex32;
use crate::domain::id::Id;
use crate::domain::key::KeyFacts;
use crate::domain::key::LeakStep;
use crate::domain::key::Place;
use crate::domain::key::StepOutcome;
use crate::domain::time::Span;
use crate::domain::time::Time;

body! {
    /// A credential is in the inventory from here on.
    KeyAdded {
        /// `k-3`.
        key: Id,
        /// What is known of it.
        facts: KeyFacts,
        /// What an operator wants to remember.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
    }
}

body! {
    /// Something else is known of a key: by an import, by hand, or because its secret was sealed anew.
    KeyChanged {
        /// Which.
        key: Id,
        /// All that is known of it now.
        facts: KeyFacts,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// A key is out of use, and `run` hands it out no more.
    KeyRetired {
        /// Which.
        key: Id,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// A key is exposed: `run` hands it out no more, until it was turned over.
    KeyLeaked {
        /// Which.
        key: Id,
        /// Grants that carried it and were revoked just before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] revoked: Vec<Id>,
        /// Agents that were frozen just before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] frozen: Vec<Id>,
        /// Where it was seen, as told.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// What was done about a leaked key.
    KeyStep {
        /// Which key.
        key: Id,
        /// The entry that said it leaked.
        leak: u64,
        /// Which step.
        step: LeakStep,
        /// How it ended.
        outcome: StepOutcome,
        /// What shows it: a command's answer, a ticket.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
        /// What still named the old one, place by place.
        #[serde(default, skip_serializing_if = "Option::is_none")] detail: Option<Vec<String>>,
    }
}

body! {
    /// How often a key is to be turned over.
    RotationScheduled {
        /// Which.
        key: Id,
        /// So often; absent: no schedule any more.
        #[serde(default, skip_serializing_if = "Option::is_none")] every: Option<Span>,
        /// It is said so long before.
        #[serde(default, skip_serializing_if = "Option::is_none")] warn: Option<Span>,
        /// The operator who does it.
        #[serde(default, skip_serializing_if = "Option::is_none")] owner: Option<Id>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// A key was turned over, as an operator says.
    RotationRecorded {
        /// Which.
        key: Id,
        /// When; not after the entry.
        rotated: Time,
        /// Where the new secret lives, where that changed or it was sealed anew.
        #[serde(default, skip_serializing_if = "Option::is_none")] place: Option<Place>,
        /// What the provider calls the new one.
        #[serde(default, skip_serializing_if = "Option::is_none")] provider_id: Option<String>,
        /// The last four characters of the new secret; absent: nobody knows them.
        #[serde(default, skip_serializing_if = "Option::is_none")] last4: Option<String>,
        /// Keyed fingerprint of the new secret; absent: nobody knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")] fingerprint: Option<Hex32>,
        /// When the provider ends the new one.
        #[serde(default, skip_serializing_if = "Option::is_none")] expires: Option<Time>,
        /// What shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
    }
}
