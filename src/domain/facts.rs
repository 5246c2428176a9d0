//! What [`super::authority::judge`] may ask about the log so far, and what an event changes.
//!
//! Three things answer: the tables of a workspace while it is replayed, a memory of verified entries on the hot path
//! (law 6), and a plain map in tests.

use std::rc::Rc;
use std::sync::Arc;

use super::grant::Grant;
use super::id::{Actor, Id};
use super::identity::Identity;
use super::integration::Integration;
use super::key::Key;
use super::money::{Currency, Money};
use super::request::Request;
use super::review::ReviewRecord;
use super::rules::Rules;
use super::time::Time;

/// What entry 0 fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `aosctl/...`, the name of the log.
    pub name: String,
    /// The log identity's public key.
    pub log_key: [u8; 32],
    /// The company, as told to `init`.
    pub company: Option<String>,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Hex SHA-256 of its canonical rules.
    pub digest: String,
    /// The entry that adopted it.
    pub seq: u64,
    /// What decides. Shared with the event that it was read from: it holds the whole catalogue.
    pub rules: Arc<Rules>,
}

/// Money that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// For which request.
    pub request: Id,
    /// How much.
    pub money: Money,
    /// When it was handed out: allowed by rule, or approved by the last operator needed.
    pub at: Time,
    /// The entry.
    pub seq: u64,
    /// An operator said that it was not spent after all; from that entry on it counts no more.
    pub released_seq: Option<u64>,
}

/// An entry that replay skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEntry {
    /// Its place.
    pub seq: u64,
    /// Its leaf hash, hex.
    pub leaf: String,
    /// Its signer.
    pub actor: Actor,
    /// What it was about.
    pub subject: Option<Id>,
    /// The word for what was wrong.
    pub fault: String,
    /// It was readable and rightly signed, so an operator may void it.
    pub voidable: bool,
    /// The entry that voided it.
    pub voided_seq: Option<u64>,
}

/// The state of the log just before an entry.
pub trait Facts {
    /// What can go wrong while looking.
    type Error;

    /// What entry 0 fixed; `None` before it.
    fn origin(&self) -> Result<Option<Rc<Origin>>, Self::Error>;
    /// An operator or agent, live or not.
    fn identity(&self, id: Id) -> Result<Option<Rc<Identity>>, Self::Error>;
    /// Was that public key ever enrolled, by anyone, or is it the log's?
    fn key_was_used(&self, key: &[u8; 32]) -> Result<bool, Self::Error>;
    /// Every operator, live or not, in order; no recovery identities.
    fn operators(&self) -> Result<Vec<Rc<Identity>>, Self::Error>;
    /// The agent of that name.
    fn agent_named(&self, handle: &str) -> Result<Option<Rc<Identity>>, Self::Error>;
    /// An integration.
    fn integration(&self, id: Id) -> Result<Option<Rc<Integration>>, Self::Error>;
    /// The integration of that name.
    fn integration_named(&self, handle: &str) -> Result<Option<Rc<Integration>>, Self::Error>;
    /// A grant, live or not.
    fn grant(&self, id: Id) -> Result<Option<Rc<Grant>>, Self::Error>;
    /// Every grant of an agent to an integration, in the order of their ids.
    fn grants_between(&self, agent: Id, integration: Id) -> Result<Vec<Rc<Grant>>, Self::Error>;
    /// The policy in force.
    fn policy(&self) -> Result<Option<Rc<Policy>>, Self::Error>;
    /// The entry that froze the workspace (`w-1`) or an agent.
    fn frozen(&self, target: Id) -> Result<Option<u64>, Self::Error>;
    /// A request.
    fn request(&self, id: Id) -> Result<Option<Rc<Request>>, Self::Error>;
    /// The request that carried that idempotency key.
    fn request_by_key(&self, requester: Id, key: &str) -> Result<Option<Id>, Self::Error>;
    /// Minor units of a currency handed out after a moment and not released, leaving out one request.
    fn spent_after(&self, after: Time, currency: Currency, but: Option<Id>) -> Result<u64, Self::Error>;
    /// The money of a request.
    fn spend(&self, request: Id) -> Result<Option<Spend>, Self::Error>;
    /// The entry of that number: its type, subject, and the members of its payload.
    fn entry(&self, seq: u64) -> Result<Option<EntryFacts>, Self::Error>;
    /// An entry that replay skipped.
    fn invalid(&self, seq: u64) -> Result<Option<InvalidEntry>, Self::Error>;
    /// Members of that entry's payload that were erased.
    fn erased_members(&self, seq: u64) -> Result<Vec<String>, Self::Error>;
    /// A key, live or not.
    fn key(&self, id: Id) -> Result<Option<Rc<Key>>, Self::Error>;
    /// What was decided and signed in a review; `None` before anything was.
    fn review(&self, id: Id) -> Result<Option<Rc<ReviewRecord>>, Self::Error>;
    /// Is a past decision to be replayed? The hot path does not: what is decided now is decided with today's facts, and
    /// `audit verify` proves the past.
    fn replays_decisions(&self) -> bool;
}

/// What a later entry may need to know of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFacts {
    /// Its `type`.
    pub kind: String,
    /// Its `subject`.
    pub subject: Option<Id>,
    /// Its signer.
    pub actor: Actor,
    /// Names of the members that its payload has or had.
    pub members: Vec<String>,
}

/// What a valid entry changes: whole new rows of the projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Entry 0.
    Origin(Origin),
    /// Enrolled or retired.
    Identity(Identity),
    /// Added.
    Integration(Integration),
    /// Issued, renewed, narrowed or revoked.
    Grant(Grant),
    /// Adopted.
    Policy(Box<Policy>),
    /// Frozen at that entry, or thawed.
    Freeze {
        /// `w-1` or an agent.
        target: Id,
        /// The entry that froze it; `None` thaws.
        seq: Option<u64>,
    },
    /// Made, decided, claimed, finished.
    Request(Box<Request>),
    /// Handed out, or released.
    Spend(Spend),
    /// Members erased.
    Erased {
        /// Of which entry.
        seq: u64,
        /// Which.
        members: Vec<String>,
        /// By which entry.
        by: u64,
    },
    /// Added, changed, scheduled, turned over, leaked or retired.
    Key(Box<Key>),
    /// Decided or signed.
    Review(Box<ReviewRecord>),
    /// An entry is corrected by a later one.
    Corrected {
        /// Which.
        seq: u64,
        /// By which entry.
        by: u64,
    },
    /// An invalid entry is voided.
    Voided {
        /// Which.
        seq: u64,
        /// By which entry.
        by: u64,
    },
}
