//! What happens: the events of the log and their bodies (authority table of log-format.md).
//!
//! One struct a type; its members are the members of the payload's body. Members with an erasable name (`reason`,
//! `note`, `parameters`, ...) are optional everywhere, because they may be gone, and no rule reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::access::Access;
use super::decide::Verdict;
use super::facets::{DataClass, Facets};
use super::id::{Id, IdKind};
use super::key::{Carries, KeyFacts, LeakStep, Place, StepOutcome};
use super::money::Money;
use super::point::Point;
use super::request::Outcome;
use super::review::ItemDecision;
use super::rules::{Rules, Tier};
use super::scope::Scope;
use super::time::{Span, Time};

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
body! {
    /// An agent asks. What it wrote itself, from `parameters` on, is shown with care and erasable; `model`,
    /// `idempotency_key` and `bound_command` are not erasable.
    RequestMade {
        /// `r-57`.
        request: Id,
        /// Who asks.
        agent: Id,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")] integration: Option<Id>,
        /// `noun.verb`.
        action: String,
        /// To what.
        resource: Scope,
        /// How much access it takes.
        access: Access,
        /// What the decision looks at.
        facets: Facets,
        /// The requester was not sure, so it asks whatever the rules say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] unsure: bool,
        /// What was decided.
        decision: Verdict,
        /// Which points fired.
        points: BTreeSet<Point>,
        /// Which rule settled it.
        rule: String,
        /// How many operators must approve.
        approvers: u8,
        /// How risky.
        tier: Tier,
        /// On which grant.
        #[serde(default, skip_serializing_if = "Option::is_none")] grant: Option<Id>,
        /// Under which policy.
        policy: String,
        /// The end.
        until: Time,
        /// What it is part of.
        #[serde(default, skip_serializing_if = "Option::is_none")] mission: Option<String>,
        /// Which model, as told.
        #[serde(default, skip_serializing_if = "Option::is_none")] model: Option<String>,
        /// The requester's key against doing things twice.
        #[serde(default, skip_serializing_if = "Option::is_none")] idempotency_key: Option<String>,
        /// A command is bound (in `artifacts`), and only it may run.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] bound_command: bool,
        /// The tool's parameters, the received JSON text.
        #[serde(default, skip_serializing_if = "Option::is_none")] parameters: Option<String>,
        /// Files and the bound command, with digests.
        #[serde(default, skip_serializing_if = "Option::is_none")] artifacts: Option<Artifacts>,
        /// What changes.
        #[serde(default, skip_serializing_if = "Option::is_none")] diff: Option<String>,
        /// In one sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")] summary: Option<String>,
        /// What the agent would do.
        #[serde(default, skip_serializing_if = "Option::is_none")] recommendation: Option<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] rationale: Option<String>,
        /// What else could be done.
        #[serde(default, skip_serializing_if = "Option::is_none")] alternatives: Option<Vec<String>>,
        /// How to undo it.
        #[serde(default, skip_serializing_if = "Option::is_none")] rollback: Option<String>,
        /// Why it was not sure; the integration's name as typed where it was unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")] detail: Option<RequestDetail>,
    }
}
body! {
    /// What else a requester said.
    RequestDetail {
        /// Why it was not sure.
        #[serde(default, skip_serializing_if = "Option::is_none")] unsure: Option<String>,
        /// The integration's name as typed, where it was unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")] integration: Option<String>,
        /// The facets as declared, before the parameters were read.
        #[serde(default, skip_serializing_if = "Option::is_none")] declared: Option<Facets>,
        /// The access as declared, which the catalogue may have raised.
        #[serde(default, skip_serializing_if = "Option::is_none")] access: Option<Access>,
    }
}
body! {
    /// What comes with a request.
    Artifacts {
        /// The very command that may run.
        #[serde(default, skip_serializing_if = "Option::is_none")] command: Option<Command>,
        /// Files, by digest.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] files: Vec<FileDigest>,
    }
}
body! {
    /// A command, bound so tightly that nothing else passes for it.
    Command {
        /// The resolved executable.
        program: String,
        /// Hex SHA-256 of its bytes.
        program_sha256: String,
        /// The arguments, the program's name as typed first.
        argv: Vec<String>,
        /// The directory it runs in.
        directory: String,
        /// Names of the environment variables that it gets, sorted.
        environment: Vec<String>,
        /// Hex SHA-256 of its standard input; of nothing where it gets none.
        stdin_sha256: String,
    }
}
body! {
    /// A file, by name and content.
    FileDigest {
        /// As given.
        name: String,
        /// Hex SHA-256.
        sha256: String,
        /// Its size.
        bytes: u64,
    }
}
body! {
    /// An operator says yes to exactly what was shown.
    RequestApproved {
        /// Which.
        request: Id,
        /// Leaf hash (hex) of its entry.
        leaf: String,
        /// The points that were shown.
        points: BTreeSet<Point>,
        /// The grant it stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")] grant: Option<Id>,
        /// The policy in force.
        policy: String,
        /// Counts before this moment.
        until: Time,
        /// The operator decides alone about what two would decide if there were two.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] self_approved: bool,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
body! {
    /// An operator says no.
    RequestDenied {
        /// Which.
        request: Id,
        /// Leaf hash (hex) of its entry.
        leaf: String,
        /// The points that were shown.
        points: BTreeSet<Point>,
        /// The grant it stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")] grant: Option<Id>,
        /// The policy in force.
        policy: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
body! {
    /// Taken back.
    RequestWithdrawn {
        /// Which.
        request: Id,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
/// How a request is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimMode {
    /// By `aosctl run`, as a child process.
    Run,
    /// By the agent itself, which reports with `request done|fail`.
    Agent,
}

impl ClaimMode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimMode::Run => "run",
            ClaimMode::Agent => "agent",
        }
    }
}

impl std::str::FromStr for ClaimMode {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "run" => Ok(ClaimMode::Run),
            "agent" => Ok(ClaimMode::Agent),
            _ => Err(format!("{s:?} is no way to begin a request")),
        }
    }
}
body! {
    /// Begun, once.
    RequestClaimed {
        /// Which.
        request: Id,
        /// How.
        mode: ClaimMode,
        /// The key whose secret its program was given, as `run` says.
        #[serde(default, skip_serializing_if = "Option::is_none")] key: Option<Id>,
    }
}
body! {
    /// The outcome, as told. A claim about the world, never a fact.
    RequestFinished {
        /// Which.
        request: Id,
        /// How it ended.
        outcome: Outcome,
        /// Exit status of the child.
        #[serde(default, skip_serializing_if = "Option::is_none")] status: Option<i64>,
        /// Milliseconds that it took.
        #[serde(default, skip_serializing_if = "Option::is_none")] duration_ms: Option<u64>,
        /// Hex SHA-256 and size of what it printed, of both streams.
        #[serde(default, skip_serializing_if = "Option::is_none")] detail: Option<OutputDigests>,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
    }
}
body! {
    /// What a child printed, by digest.
    OutputDigests {
        /// Hex SHA-256 of standard output.
        stdout_sha256: String,
        /// Its size.
        stdout_bytes: u64,
        /// Hex SHA-256 of standard error.
        stderr_sha256: String,
        /// Its size.
        stderr_bytes: u64,
    }
}
body! {
    /// An operator settles an outcome that nobody knew.
    RequestResolved {
        /// Which.
        request: Id,
        /// How it ended.
        outcome: Outcome,
        /// The money was not spent after all, and counts no more.
        release: bool,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
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
                let body = || Value::Object(body.clone());
                Some(match name {
                    $($name => serde_json::from_value(body()).map(Event::$variant).map_err(|e| e.to_string()),)*
                    _ => return None,
                })
            }
        }

        impl Event {
            /// Reads a body of that type out of its canonical bytes. `None`: nobody defined the type.
            pub fn parse_bytes(name: &str, body: &[u8]) -> Option<Result<Event, String>> {
                Some(match name {
                    $($name => serde_json::from_slice(body).map(Event::$variant).map_err(|e| e.to_string()),)*
                    _ => return None,
                })
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
    /// entry whose subject is another one is invalid. `entry.voided/1` and `payload.erased/1` carry the subject of the
    /// entry that they name, which is passed in.
    pub fn subject(&self, named: Option<Id>) -> Option<Id> {
        Some(match self {
            Event::WorkspaceCreated(_) => Id::FIRST_OPERATOR,
            Event::OperatorEnrolled(b) => b.id,
            Event::AgentEnrolled(b) => b.id,
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
            Event::PayloadErased(_) | Event::EntryVoided(_) => return named,
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
