//! A snapshot made by hand.

use std::collections::{BTreeMap, BTreeSet};

use aosctl::domain::access::Access;
use aosctl::domain::event::Hex32;
use aosctl::domain::facets::DataClass;
use aosctl::domain::grant::Grant;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::identity::Identity;
use aosctl::domain::integration::Integration;
use aosctl::domain::key::{Carries, Delivery, Key, KeyFacts, Sighting};
use aosctl::domain::review::{Advice, Decided, ItemDecision, Narrower};
use aosctl::domain::time::{Span, Time};
use aosctl::policy;
use aosctl::review::assemble;
use aosctl::review::facts::*;
use aosctl::review::model::*;

pub const OP: Id = Id { kind: IdKind::Operator, n: 1 };
pub const OP2: Id = Id { kind: IdKind::Operator, n: 2 };
pub const BOT: Id = Id { kind: IdKind::Agent, n: 1 };
pub const GITHUB: Id = Id { kind: IdKind::Integration, n: 1 };
pub const STRIPE: Id = Id { kind: IdKind::Integration, n: 2 };

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

/// The moment of every page.
pub fn as_of() -> Time {
    "2026-11-01T00:00:00.000Z".parse().unwrap()
}

/// So many days before it.
pub fn ago(days: u32) -> Time {
    as_of().minus(Span::days(days))
}

/// A millisecond later.
pub fn just_after(t: Time) -> Time {
    t.plus(Span::from_millis(1))
}

/// So many days after it.
pub fn ahead(days: u32) -> Time {
    as_of().plus(Span::days(days))
}

pub struct Scene {
    pub s: Snapshot,
    next: u64,
}

impl Scene {
    /// A log of 400 days, operators op-1 and op-2, agent ag-1 that records since then, github and stripe outside.
    pub fn new() -> Scene {
        let file = policy::file::parse("", "policy.toml").unwrap();
        let rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
        let began = ago(400);
        let log = LogState { origin: "aosctl/test".into(), entries: 10_000, leaf: "00".repeat(32), began };
        let mut scene = Scene {
            s: Snapshot {
                month: "2026-10".parse().unwrap(),
                company: Some("ACME".into()),
                as_of: as_of(),
                log,
                rules,
                since: Begin { from: ago(31), entries: 9_000, signed: Some(ago(28)) },
                monthly: true,
                grants: BTreeMap::new(),
                keys: BTreeMap::new(),
                people: BTreeMap::new(),
                integrations: BTreeMap::new(),
                earlier: BTreeMap::new(),
                frozen: BTreeSet::new(),
                policies: Vec::new(),
                counted: None,
                gaps: BTreeMap::new(),
            },
            next: 1,
        };
        scene.person(OP, None, None);
        scene.person(OP2, None, None);
        scene.person(BOT, Some(OP), Some(began));
        for (id, kind) in [(GITHUB, "github"), (STRIPE, "stripe")] {
            let integration = Integration {
                id,
                handle: kind.into(),
                kind: kind.into(),
                inside: false,
                residency: None,
                added_seq: scene.seq(),
            };
            scene.s.integrations.insert(id, IntegrationState { integration, added_at: began });
        }
        for id in [OP, OP2, BOT, GITHUB, STRIPE] {
            scene.certify(id);
        }
        scene
    }

    pub fn seq(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn person(&mut self, id: Id, operator: Option<Id>, first: Option<Time>) {
        let identity = Identity {
            id,
            public_key: [u8::try_from(id.n).unwrap(); 32],
            key_seq: 0,
            operator,
            handle: operator.map(|_| format!("bot-{}", id.n)),
            enrolled_seq: self.seq(),
            enrolled_at: ago(400),
            retired_seq: None,
            retired_at: None,
            disputed_from: None,
        };
        let name = identity.handle.clone();
        let last_seq = identity.enrolled_seq;
        let last_request = first.map(|_| (9_900, ago(1)));
        self.s.people.insert(id, IdentityState { identity, name, last_seq, first_request: first, last_request });
    }

    /// It was retired, so many days ago.
    pub fn retire(&mut self, id: Id, days: u32) -> u64 {
        let seq = self.seq();
        let p = self.s.people.get_mut(&id).unwrap();
        p.identity.retired_seq = Some(seq);
        p.identity.retired_at = Some(ago(days));
        p.last_seq = seq;
        seq
    }

    /// A grant that nothing speaks against: read of one repository, read yesterday, to end in 60 days, certified. Edited by
    /// `edit`.
    pub fn grant(&mut self, n: u64, edit: impl FnOnce(&mut GrantState)) -> Id {
        let (id, seq) = (Id::new(IdKind::Grant, n), self.seq());
        let grant = Grant {
            id,
            agent: BOT,
            integration: GITHUB,
            scope: format!("repo:acme/app-{n}").parse().unwrap(),
            access: Access::Read,
            data: DataClass::Internal,
            owner: OP,
            mission: Some("ship".into()),
            until: Some(ahead(60)),
            issued_seq: seq,
            issued_at: ago(200),
            replaces: None,
            carries: None,
            changed_seq: seq,
            revoked_seq: None,
            revoked_at: None,
            revoked_by: None,
        };
        let uses = Uses { read: Some(usage(1)), ..Uses::default() };
        let mut state = GrantState { grant, past: Vec::new(), uses };
        edit(&mut state);
        if state.past.is_empty() {
            state.past.push(past(&state.grant, state.grant.issued_seq));
        }
        self.s.grants.insert(id, state);
        self.certify(id);
        id
    }

    /// A key that nothing speaks against: turned over ten days ago, used yesterday by the report of today, certified.
    pub fn key(&mut self, n: u64, edit: impl FnOnce(&mut KeyState)) -> Id {
        let (id, seq) = (Id::new(IdKind::Key, n), self.seq());
        let facts = KeyFacts {
            integration: Some(GITHUB),
            owner: Some(OP),
            created: Some(ago(300)),
            rotated: Some(ago(10)),
            seen: Some(Sighting { feed: "csv".into(), as_of: as_of(), last: Some(ago(1)) }),
            ..KeyFacts::named(format!("key {n}"), "token")
        };
        let key = Key {
            id,
            facts,
            schedule: None,
            added_seq: seq,
            added_at: ago(200),
            changed_seq: seq,
            recorded_seq: None,
            retired_seq: None,
            retired_at: None,
            leak: None,
        };
        let mut state = KeyState { key, run: None };
        edit(&mut state);
        self.s.keys.insert(id, state);
        self.certify(id);
        id
    }

    /// A signed review decided twenty days ago to keep it.
    pub fn certify(&mut self, id: Id) {
        self.decided(id, Advice::Keep, None, 20, true);
    }

    /// An earlier review decided something about it.
    pub fn decided(&mut self, item: Id, decision: Advice, narrower: Option<Narrower>, days: u32, signed: bool) -> u64 {
        let seq = 8_000 - u64::from(days);
        let what = ItemDecision {
            item,
            advice: decision,
            decision,
            rules: Vec::new(),
            narrower,
            carried_out: None,
            self_review: false,
            took_ms: None,
        };
        let decided = Decided { decision: what, operator: OP, seq, at: ago(days) };
        let month = "2026-09".parse().unwrap();
        let earlier = Earlier { month, signed: signed.then(|| ago(days)), decided };
        self.s.earlier.entry(item).or_default().push(earlier);
        seq
    }

    pub fn page(&self) -> Review {
        assemble::page(&self.s)
    }

    pub fn item(&self, id: Id) -> Item {
        let page = self.page();
        page.first
            .into_iter()
            .chain(page.rest)
            .find(|i| i.id == id)
            .unwrap_or_else(|| panic!("{id} is not on the page"))
    }

    /// What one rule says about one item.
    pub fn says(&self, id: Id, rule: &str) -> Option<Finding> {
        self.item(id).findings.into_iter().find(|f| f.rule.id() == rule)
    }

    /// Every rule that fires at an item.
    pub fn rules(&self, id: Id) -> Vec<&'static str> {
        self.item(id).findings.iter().map(|f| f.rule.id()).collect()
    }
}

/// A use so many days ago, as the agent began it.
pub fn usage(days: u32) -> Use {
    used_at(ago(days))
}

pub fn used_at(at: Time) -> Use {
    let seq = 7_000 + u64::try_from(at.since(ago(400)).millis() / 10_000_000).unwrap();
    Use { request: id("r-1"), seq, at, by: UsedBy::Begun, unfinished: false }
}

pub fn past(g: &Grant, seq: u64) -> Past {
    Past { seq, scope: g.scope.clone(), access: g.access, data: g.data, until: g.until, revoked: false }
}

pub fn carries(key: Id) -> Option<Carries> {
    let program = aosctl::domain::key::Recipient { path: "/usr/bin/true".into(), sha256: "00".repeat(32) };
    Some(Carries { key, delivery: Delivery::Stdin, programs: vec![program] })
}

pub fn fingerprint(byte: u8) -> Option<Hex32> {
    Some(Hex32([byte; 32]))
}

/// Used on these things, all looked at.
pub fn on(things: &[&str]) -> Option<Resources> {
    let used = things.iter().map(|t| (t.parse().unwrap(), 9_000)).collect();
    Some(Resources { since: Some(ago(90)), used, bounded: false })
}
