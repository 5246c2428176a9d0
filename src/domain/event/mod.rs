//! What happens: the events of the log and their bodies (authority table of log-format.md).
//!
//! One struct a type; its members are the members of the payload's body. Members with an erasable name (`reason`,
//! `note`, `parameters`, ...) are optional everywhere, because they may be gone, and no rule reads them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::{Id, IdKind};
use super::money::Money;

/// 32 bytes in lowercase hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hex32(pub [u8; 32]);

impl std::fmt::Display for Hex32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl std::str::FromStr for Hex32 {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bytes = data_encoding::HEXLOWER.decode(s.as_bytes()).map_err(|_| "not lowercase hex".to_string())?;
        Ok(Hex32(bytes.try_into().map_err(|_| "not 32 bytes".to_string())?))
    }
}

impl Serialize for Hex32 {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$fdoc])* pub $field: $ty,)*
        }
    };
}

mod doors;
mod identities;
mod keys;
mod record;
mod requests;
mod reviews;
mod shape;

pub use doors::*;
pub use identities::*;
pub use keys::*;
pub use record::*;
pub use requests::*;
pub use reviews::*;

macro_rules! events {
    ($($variant:ident => $name:literal),* $(,)?) => {
        /// One event, with its body.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is documented at the struct of the same name")]
        #[expect(clippy::large_enum_variant, reason = "one event is in memory at a time, and is matched on by value")]
        pub enum Event { $($variant($variant)),* }

        impl Event {
            /// The header's `type`.
            pub fn name(&self) -> &'static str {
                match self { $(Event::$variant(_) => $name),* }
            }

            /// The body, as JSON.
            pub fn to_body(&self) -> Result<Map<String, Value>, String> {
                let value = match self { $(Event::$variant(b) => serde_json::to_value(b)),* };
                match value {
                    Ok(Value::Object(map)) => Ok(map),
                    Ok(_) => Err("a body is an object".into()),
                    Err(e) => Err(e.to_string()),
                }
            }

            /// Reads a body of that type. `None`: nobody defined the type.
            pub fn parse(name: &str, body: &Map<String, Value>) -> Option<Result<Event, String>> {
                let given = || Value::Object(body.clone());
                let read = match name {
                    $($name => serde_json::from_value(given()).map(Event::$variant).map_err(|e| e.to_string()),)*
                    _ => return None,
                };
                Some(read.and_then(|event| event.require_shape(&given())))
            }
        }

        impl Event {
            /// Reads a body of that type out of its canonical bytes. `None`: nobody defined the type.
            pub fn parse_bytes(name: &str, body: &[u8]) -> Option<Result<Event, String>> {
                let read = match name {
                    $($name => serde_json::from_slice(body).map(Event::$variant).map_err(|e| e.to_string()),)*
                    _ => return None,
                };
                Some(read.and_then(|event| match shape::is_suspect(body) {
                    false => Ok(event),
                    true => event.require_shape(&serde_json::from_slice(body).map_err(|e| e.to_string())?),
                }))
            }

            /// Itself, if no list stood where an object belongs.
            fn require_shape(self, given: &Value) -> Result<Event, String> {
                match shape::is_same(given, &Value::Object(self.to_body()?)) {
                    true => Ok(self),
                    false => Err("a list stands where an object belongs".into()),
                }
            }
        }

        $(impl From<$variant> for Event {
            fn from(b: $variant) -> Event { Event::$variant(b) }
        })*

        /// Every event type.
        pub const TYPES: &[&str] = &[$($name),*];
    };
}

events! {
    WorkspaceCreated => "workspace.created/1",
    OperatorEnrolled => "operator.enrolled/1",
    AgentEnrolled => "agent.enrolled/1",
    RecoveryEnrolled => "recovery.enrolled/1",
    OperatorRotated => "operator.rotated/1",
    IdentityRetired => "identity.retired/1",
    PolicyAdopted => "policy.adopted/1",
    IntegrationAdded => "integration.added/1",
    GrantIssued => "grant.issued/1",
    GrantRenewed => "grant.renewed/1",
    GrantNarrowed => "grant.narrowed/1",
    GrantRevoked => "grant.revoked/1",
    WorkspaceFrozen => "workspace.frozen/1",
    WorkspaceThawed => "workspace.thawed/1",
    RequestMade => "request.made/1",
    RequestApproved => "request.approved/1",
    RequestDenied => "request.denied/1",
    RequestWithdrawn => "request.withdrawn/1",
    RequestClaimed => "request.claimed/1",
    RequestFinished => "request.finished/1",
    RequestResolved => "request.resolved/1",
    PayloadErased => "payload.erased/1",
    EntryVoided => "entry.voided/1",
    EntryCorrected => "entry.corrected/1",
    RollbackAccepted => "rollback.accepted/1",
    KeyAdded => "key.added/1",
    KeyChanged => "key.changed/1",
    KeyRetired => "key.retired/1",
    KeyLeaked => "key.leaked/1",
    KeyStep => "key.step/1",
    RotationScheduled => "rotation.scheduled/1",
    RotationRecorded => "rotation.recorded/1",
    ReviewDecided => "review.decided/1",
    ReviewSigned => "review.signed/1",
}

impl Event {
    /// It only takes rights away: nothing may stand in its way (law 2).
    pub fn narrows(&self) -> bool {
        use Event::*;
        matches!(self, GrantRevoked(_) | GrantNarrowed(_) | WorkspaceFrozen(_) | RequestWithdrawn(_) | KeyLeaked(_))
    }

    /// The header's `subject`: what the event is about. The hot path finds every event on a subject by this alone, so an
    /// entry whose subject is another one is invalid. `entry.voided/1`, `entry.corrected/1` and `payload.erased/1` carry the
    /// subject of the entry that they name, which is passed in.
    pub fn subject(&self, named: Option<Id>) -> Option<Id> {
        Some(match self {
            Event::WorkspaceCreated(_) => Id::FIRST_OPERATOR,
            Event::OperatorEnrolled(b) => b.id,
            Event::AgentEnrolled(b) => b.id,
            Event::RecoveryEnrolled(b) => b.id,
            Event::OperatorRotated(b) => b.id,
            Event::IdentityRetired(b) => b.id,
            Event::PolicyAdopted(_) => Id::POLICY,
            Event::IntegrationAdded(b) => b.id,
            Event::GrantIssued(b) => b.grant,
            Event::GrantRenewed(b) => b.grant,
            Event::GrantNarrowed(b) => b.grant,
            Event::GrantRevoked(b) => b.grant,
            Event::WorkspaceFrozen(b) => b.target,
            Event::WorkspaceThawed(b) => b.target,
            Event::RequestMade(b) => b.request,
            Event::RequestApproved(b) => b.request,
            Event::RequestDenied(b) => b.request,
            Event::RequestWithdrawn(b) => b.request,
            Event::RequestClaimed(b) => b.request,
            Event::RequestFinished(b) => b.request,
            Event::RequestResolved(b) => b.request,
            Event::PayloadErased(_) | Event::EntryVoided(_) | Event::EntryCorrected(_) => return named,
            Event::RollbackAccepted(_) => Id::WORKSPACE,
            Event::KeyAdded(b) => b.key,
            Event::KeyChanged(b) => b.key,
            Event::KeyRetired(b) => b.key,
            Event::KeyLeaked(b) => b.key,
            Event::KeyStep(b) => b.key,
            Event::RotationScheduled(b) => b.key,
            Event::RotationRecorded(b) => b.key,
            Event::ReviewDecided(b) => b.review,
            Event::ReviewSigned(b) => b.review,
        })
    }
}

impl RequestMade {
    /// Money that an automatic `allow` hands out.
    pub fn amount(&self) -> Option<Money> {
        self.facets.amount
    }
}

/// Can that id be frozen: the workspace or an agent.
pub fn can_freeze(id: Id) -> bool {
    id == Id::WORKSPACE || id.kind == IdKind::Agent
}
