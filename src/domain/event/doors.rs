//! What is open: bodies of events about policy, integrations, grants and freezes.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::id::Id;
use crate::domain::key::Carries;
use crate::domain::rules::Rules;
use crate::domain::scope::Scope;
use crate::domain::time::Time;

body! {
    /// The policy in force from the next entry on.
    PolicyAdopted {
        /// Hex SHA-256 of the canonical `rules`.
        digest: String,
        /// What decides.
        rules: Arc<Rules>,
        /// The text that it was read from.
        source: String,
        /// Values that an operator was asked about or set, as `cap.move`; the rest are defaults.
        confirmed: BTreeSet<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// An instance of a catalogue entry.
    IntegrationAdded {
        /// `i-4`.
        id: Id,
        /// Its name.
        handle: String,
        /// The catalogue entry.
        kind: String,
        /// Inside the boundary.
        inside: bool,
        /// Where its data lives.
        #[serde(default, skip_serializing_if = "Option::is_none")] residency: Option<String>,
    }
}

body! {
    /// A door is opened.
    GrantIssued {
        /// `g-7`.
        grant: Id,
        /// Who may.
        agent: Id,
        /// Where.
        integration: Id,
        /// Which part.
        scope: Scope,
        /// How much.
        access: Access,
        /// The most delicate data.
        data: DataClass,
        /// Who answers for it.
        owner: Id,
        /// What for.
        #[serde(default, skip_serializing_if = "Option::is_none")] mission: Option<String>,
        /// The end.
        #[serde(default, skip_serializing_if = "Option::is_none")] until: Option<Time>,
        /// The grant whose place it takes; an entry of its own revokes that one.
        #[serde(default, skip_serializing_if = "Option::is_none")] replaces: Option<Id>,
        /// The grant that is opened again.
        #[serde(default, skip_serializing_if = "Option::is_none")] again: Option<Id>,
        /// The key that it carries, and who may receive it.
        #[serde(default, skip_serializing_if = "Option::is_none")] carries: Option<Carries>,
        /// Warnings that were accepted, by their names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] accepted: Vec<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// A door stays open longer.
    GrantRenewed {
        /// Which.
        grant: Id,
        /// The new end.
        #[serde(default, skip_serializing_if = "Option::is_none")] until: Option<Time>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// A door becomes narrower: each member that is present is the new, narrower value.
    GrantNarrowed {
        /// Which.
        grant: Id,
        /// Which part.
        #[serde(default, skip_serializing_if = "Option::is_none")] scope: Option<Scope>,
        /// How much.
        #[serde(default, skip_serializing_if = "Option::is_none")] access: Option<Access>,
        /// The most delicate data.
        #[serde(default, skip_serializing_if = "Option::is_none")] data: Option<DataClass>,
        /// The end.
        #[serde(default, skip_serializing_if = "Option::is_none")] until: Option<Time>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// A door is closed.
    GrantRevoked {
        /// Which.
        grant: Id,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// Everything, or one agent, is denied from here on.
    WorkspaceFrozen {
        /// `w-1` for everything, or an agent.
        target: Id,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// The end of a freeze.
    WorkspaceThawed {
        /// `w-1` for everything, or an agent.
        target: Id,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
