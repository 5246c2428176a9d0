//! What the rules of the review look at: the state of everything at one moment, as plain values. Pure.
//!
//! **Feeds** (who would know that something was used):
//!
//! | of | feed | knows |
//! |---|---|---|
//! | a grant | the requests of its agent | the agent records what it does: `request`, then `begun` or `run`; from its first request on |
//! | a key | the provider's own report, imported | the last use, as of the report |
//! | a key | `run` | that it was handed out; not what else happens with the secret |
//!
//! `aosctl check` writes nothing, so an agent that only checks has no feed: of its grants nothing is known.

use std::collections::{BTreeMap, BTreeSet};

use super::model::LogState;
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::review::{Decided, Month};
use crate::domain::rules::Rules;
use crate::domain::scope::Scope;
use crate::domain::time::{Span, Time};

/// The state of everything at a moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Which month is reviewed.
    pub month: Month,
    /// The company, as told to `init`.
    pub company: Option<String>,
    /// The moment.
    pub as_of: Time,
    /// Where the log stood.
    pub log: LogState,
    /// The adopted policy.
    pub rules: Rules,
    /// From where on something is new.
    pub since: Begin,
    /// The reviews of late were signed: things are certified every month.
    pub monthly: bool,
    /// Every grant there ever was.
    pub grants: BTreeMap<Id, GrantState>,
    /// Every key there ever was.
    pub keys: BTreeMap<Id, KeyState>,
    /// Every agent and operator there ever was.
    pub people: BTreeMap<Id, IdentityState>,
    /// Every integration.
    pub integrations: BTreeMap<Id, IntegrationState>,
    /// What earlier reviews decided, by item, oldest first.
    pub earlier: BTreeMap<Id, Vec<Earlier>>,
    /// Frozen: `w-1` for everything, and agents.
    pub frozen: BTreeSet<Id>,
    /// Policies that were adopted since the last review, oldest first.
    pub policies: Vec<Adoption>,
    /// Live grants as the tables count them, where they still stand at that moment: a second count beside the log's.
    pub counted: Option<Counted>,
    /// Kinds of things of which the log's index does not know all, each with a sentence that says so.
    pub gaps: BTreeMap<IdKind, String>,
}

/// From where on something is new: the last signed review, or else the beginning of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// The moment that the last review was as of.
    pub from: Time,
    /// Entries before this place were in it.
    pub entries: u64,
    /// When it was signed; absent: none was.
    pub signed: Option<Time>,
}

/// What the tables count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Live grants.
    pub grants: u64,
    /// Live keys.
    pub keys: u64,
    /// Live agents.
    pub agents: u64,
    /// Live operators.
    pub operators: u64,
    /// Integrations.
    pub integrations: u64,
}

/// A grant with its past and its uses.
#[derive(Debug, Clone)]
pub struct GrantState {
    /// As it is at the moment.
    pub grant: Grant,
    /// As it was after each entry about it, oldest first; never empty.
    pub past: Vec<Past>,
    /// How it was used.
    pub uses: Uses,
}

/// A grant as it was after an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The entry.
    pub seq: u64,
    /// Which part.
    pub scope: Scope,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// The end.
    pub until: Option<Time>,
    /// Closed by this entry.
    pub revoked: bool,
}

/// The newest uses of a grant before the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// The newest read.
    pub read: Option<Use>,
    /// The newest write.
    pub write: Option<Use>,
    /// The newest that took `admin`.
    pub admin: Option<Use>,
    /// What it was used on, where that was looked at.
    pub resources: Option<Resources>,
}

impl Uses {
    /// The newest of all.
    pub fn last(&self) -> Option<&Use> {
        [&self.read, &self.write, &self.admin].into_iter().flatten().max_by_key(|u| u.seq)
    }

    /// The newest that took at least so much access.
    pub fn last_with(&self, access: Access) -> Option<&Use> {
        let admin = self.admin.as_ref();
        let write = self.write.as_ref().filter(|_| access <= Access::Write);
        let read = self.read.as_ref().filter(|_| access == Access::Read);
        [admin, write, read].into_iter().flatten().max_by_key(|u| u.seq)
    }
}

/// One use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The request that asked for it.
    pub request: Id,
    /// The newest entry that shows it: the claim, or else the request.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// How it is known.
    pub by: UsedBy,
    /// It was begun, and no outcome was recorded.
    pub unfinished: bool,
}

/// How a use is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedBy {
    /// `aosctl run` carried it out.
    Run,
    /// The agent said that it begins.
    Begun,
    /// The agent asked; nobody knows whether it was begun.
    Request,
}

impl UsedBy {
    /// The word on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            UsedBy::Run => "run",
            UsedBy::Begun => "begun",
            UsedBy::Request => "request",
        }
    }
}

/// What a grant was used on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// From this moment on it was looked.
    pub since: Option<Time>,
    /// Distinct resources, with the newest entry of each.
    pub used: BTreeMap<Scope, u64>,
    /// There was more to look at than is looked at: these are not all.
    pub bounded: bool,
}

/// A key and what is known of its use besides the report of its provider.
#[derive(Debug, Clone)]
pub struct KeyState {
    /// The key.
    pub key: Key,
    /// When `run` handed it out last.
    pub run: Option<KeyRun>,
}

/// That `run` handed out a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRun {
    /// The claim.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// For which agent.
    pub agent: Id,
}

/// An agent or operator.
#[derive(Debug, Clone)]
pub struct IdentityState {
    /// Who.
    pub identity: Identity,
    /// The name that people know it by.
    pub name: Option<String>,
    /// The newest entry about it.
    pub last_seq: u64,
    /// When an agent first recorded a request: from here on its use is seen.
    pub first_request: Option<Time>,
    /// The newest request that it recorded, with its entry.
    pub last_request: Option<(u64, Time)>,
}

/// An integration.
#[derive(Debug, Clone)]
pub struct IntegrationState {
    /// Which.
    pub integration: Integration,
    /// When it was added.
    pub added_at: Time,
}

/// A decision of an earlier review.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// Which review.
    pub month: Month,
    /// When that one was signed; absent: it was not.
    pub signed: Option<Time>,
    /// What was decided.
    pub decided: Decided,
}

/// That a policy was adopted.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// The entry.
    pub seq: u64,
    /// Who signed.
    pub by: Option<Id>,
    /// What grew in it, in words.
    pub wider: Vec<String>,
}

/// How much of a window is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// From this moment on it was watched.
    pub begin: Time,
    /// Whole days from there to where the feed ends.
    pub days: u32,
}

/// Whole days from one moment to another.
pub fn days_between(from: Time, to: Time) -> u32 {
    u32::try_from(to.since(from).millis() / Span::DAY.millis()).unwrap_or(u32::MAX)
}

/// The snapshot with what is looked up again and again.
pub struct Seen<'a> {
    /// The snapshot.
    pub s: &'a Snapshot,
    doors: BTreeMap<(Id, Id), Vec<&'a GrantState>>,
    carrying: BTreeMap<Id, Vec<&'a GrantState>>,
    held: BTreeMap<Id, u64>,
    secrets: BTreeMap<[u8; 32], Vec<&'a KeyState>>,
    users: BTreeMap<(&'a str, &'a str), Vec<&'a KeyState>>,
}

impl<'a> Seen<'a> {
    /// Of a snapshot.
    pub fn new(s: &'a Snapshot) -> Seen<'a> {
        let mut seen = Seen {
            s,
            doors: BTreeMap::new(),
            carrying: BTreeMap::new(),
            held: BTreeMap::new(),
            secrets: BTreeMap::new(),
            users: BTreeMap::new(),
        };
        for g in s.grants.values() {
            seen.doors.entry((g.grant.agent, g.grant.integration)).or_default().push(g);
            if g.grant.is_live(s.as_of) {
                *seen.held.entry(g.grant.agent).or_default() += 1;
                if let Some(c) = &g.grant.carries {
                    seen.carrying.entry(c.key).or_default().push(g);
                }
            }
        }
        for k in s.keys.values().filter(|k| k.key.is_live()) {
            let f = &k.key.facts;
            if let Some(print) = &f.fingerprint {
                seen.secrets.entry(print.0).or_default().push(k);
            }
            if let Some(id) = f.provider_id.as_deref().filter(|_| f.active) {
                seen.users.entry((&f.kind, user_of(id))).or_default().push(k);
            }
        }
        seen
    }

    /// The moment.
    pub fn as_of(&self) -> Time {
        self.s.as_of
    }

    /// The grant is open at the moment.
    pub fn is_live(&self, g: &GrantState) -> bool {
        g.grant.is_live(self.s.as_of)
    }

    /// Every grant of an agent to an integration, in the order of their ids, open or not.
    pub fn door(&self, g: &Grant) -> &[&'a GrantState] {
        self.doors.get(&(g.agent, g.integration)).map_or(&[], Vec::as_slice)
    }

    /// The open grants that carry a key.
    pub fn carrying(&self, key: Id) -> &[&'a GrantState] {
        self.carrying.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The live keys that are this very secret, by their fingerprints; itself among them where it has one.
    pub fn same_secret(&self, key: &Key) -> &[&'a KeyState] {
        let all = key.facts.fingerprint.as_ref().and_then(|print| self.secrets.get(&print.0));
        all.map_or(&[], Vec::as_slice)
    }

    /// The live and active keys of one user at its provider; itself among them where it is one.
    pub fn same_user<'b>(&'b self, key: &'b Key) -> &'b [&'b KeyState] {
        let user = key.facts.provider_id.as_deref().map(user_of);
        let all = user.and_then(|user| self.users.get(&(key.facts.kind.as_str(), user)));
        all.map_or(&[], Vec::as_slice)
    }

    /// How many open grants an agent has.
    pub fn held(&self, agent: Id) -> u64 {
        self.held.get(&agent).copied().unwrap_or_default()
    }

    /// An operator or agent that is not retired.
    pub fn is_enrolled(&self, id: Id) -> bool {
        self.s.people.get(&id).is_some_and(|p| p.identity.is_live())
    }

    /// An agent that may act: it is live, and so is its operator.
    pub fn may_act(&self, agent: Id) -> bool {
        let operator = self.s.people.get(&agent).filter(|p| p.identity.is_live()).and_then(|p| p.identity.operator);
        operator.is_some_and(|o| self.is_enrolled(o))
    }

    /// From when on uses of a grant are seen: the later of the log's beginning, its issue, and the first request that its
    /// agent ever recorded. `None`: its agent never recorded one.
    pub fn coverage(&self, g: &Grant) -> Option<Coverage> {
        let feed = self.s.people.get(&g.agent)?.first_request?;
        let begin = self.s.log.began.max(g.issued_at).max(feed);
        Some(Coverage { begin, days: days_between(begin, self.s.as_of) })
    }

    /// From when to when the provider's report shows the use of a key: from when the provider made it (a provider knows
    /// its keys from then on), or else from when it was added here, to the moment of the report. `None`: no report.
    pub fn key_coverage(&self, k: &Key) -> Option<Coverage> {
        let seen = k.facts.seen.as_ref()?;
        let known = k.facts.created.into_iter().chain(seen.last).min().unwrap_or(k.added_at);
        let end = seen.as_of.min(self.s.as_of);
        Some(Coverage { begin: known.min(end), days: days_between(known, end) })
    }

    /// The newest thing that the earlier reviews decided about an item.
    pub fn certified(&self, item: Id) -> Option<&'a Earlier> {
        self.s.earlier.get(&item)?.iter().max_by_key(|e| e.decided.seq)
    }

    /// The live operators, in the order of their ids.
    pub fn operators(&self) -> impl Iterator<Item = &'a IdentityState> + '_ {
        let all = self.s.people.values();
        all.filter(|p| p.identity.id.kind == IdKind::Operator && p.identity.is_live())
    }
}

/// The user of a provider id. The credential report of AWS has no key ids, so a row is named by the user's ARN and the slot
/// behind it: `arn:aws:iam::123456789012:user/ci#access_key_1`.
fn user_of(provider_id: &str) -> &str {
    if !provider_id.starts_with("arn:") {
        return provider_id;
    }
    provider_id.split_once('#').map_or(provider_id, |(user, _)| user)
}
