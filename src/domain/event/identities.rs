//! Who may sign: bodies of events about operators and agents.

use serde::{Deserialize, Serialize};

use super::Hex32;
use crate::domain::id::Id;

body! {
    /// Entry 0.
    WorkspaceCreated {
        /// The first operator's public key.
        operator_key: Hex32,
        /// The log identity's public key.
        log_key: Hex32,
        /// What makes the origin unique.
        nonce: Hex32,
        /// The company, as told to `init`.
        #[serde(default, skip_serializing_if = "Option::is_none")] company: Option<String>,
        /// The first operator's name.
        #[serde(default, skip_serializing_if = "Option::is_none")] name: Option<String>,
    }
}

body! {
    /// A human who decides.
    OperatorEnrolled {
        /// `op-2`.
        id: Id,
        /// Ed25519.
        public_key: Hex32,
        /// Proof of possession, hex.
        proof: String,
        /// For people.
        #[serde(default, skip_serializing_if = "Option::is_none")] name: Option<String>,
    }
}

body! {
    /// A program that acts.
    AgentEnrolled {
        /// `ag-2`.
        id: Id,
        /// Its name.
        handle: String,
        /// Whom it acts for.
        operator: Id,
        /// Ed25519.
        public_key: Hex32,
        /// Proof of possession, hex.
        proof: String,
    }
}

body! {
    /// An operator or agent has no rights from the next entry on.
    IdentityRetired {
        /// Who.
        id: Id,
        /// Its entries from this one on are disputed.
        #[serde(default, skip_serializing_if = "Option::is_none")] as_of: Option<u64>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// An operator signs with another key from the next entry on. It stays the same operator: agents, grants and approvals
    /// are its own as before, and it is still one approver.
    OperatorRotated {
        /// Who: the signer, or whom the signing recovery identity is for.
        id: Id,
        /// Ed25519, the new one.
        public_key: Hex32,
        /// Proof of possession, hex.
        proof: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// An identity that is kept on paper. It has one right: to give its operator a new key.
    RecoveryEnrolled {
        /// `op-2`: an id of its own.
        id: Id,
        /// Whom it is for: the signer.
        operator: Id,
        /// Ed25519.
        public_key: Hex32,
        /// Proof of possession, hex.
        proof: String,
    }
}
