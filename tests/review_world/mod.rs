//! A company with half a year behind it, made through the library with a clock of its own: grants that are used, unused,
//! only read, and of which nobody knows; keys that are old; a review that was signed the month before. Everything is placed
//! relative to the end of the last month that is over, so the last review is always the one to decide.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::{Arc, OnceLock};

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{KeyFacts, Place as KeyPlace, Sighting};
use aosctl::domain::review::{Advice, ItemDecision, Month};
use aosctl::domain::time::{Span, Time};
use aosctl::identity::{EnrolmentLine, Passphrase, PlainIdentity, PlainKind, SealedIdentity, Signer};
use aosctl::policy;
use aosctl::sys::{clock, files};
use aosctl::workspace::ask::{Ask, Prepared, record};
use aosctl::workspace::{AgentIdentity, By, NewWorkspace, Place, Workspace, WorkspaceError, create};
use serde_json::Value;

use crate::support::{Bench, PASSPHRASE, text};

pub const OP: Id = Id::FIRST_OPERATOR;
pub const CI: Id = Id { kind: IdKind::Agent, n: 1 };
pub const QUIET: Id = Id { kind: IdKind::Agent, n: 2 };
pub const GITHUB: Id = Id { kind: IdKind::Integration, n: 1 };
pub const STRIPE: Id = Id { kind: IdKind::Integration, n: 2 };

/// Used for writing: nothing speaks against it.
pub const USED: &str = "g-1";
/// Not used for a hundred days: revoke.
pub const UNUSED: &str = "g-2";
/// `write`, and only ever read: narrow.
pub const READ_ONLY: &str = "g-3";
/// Its agent never recorded anything: investigate.
pub const UNKNOWN: &str = "g-4";
/// Read, and used: nothing speaks against it.
pub const READ: &str = "g-5";
/// Never turned over: rotate.
pub const OLD_KEY: &str = "k-1";
/// Not used for two months: revoke.
pub const UNUSED_KEY: &str = "k-2";
/// Nothing speaks against it.
pub const KEY: &str = "k-3";

/// What a rule puts under DECIDE FIRST, in the order of the page's lists, with what is advised.
pub const FIRST: &[(&str, &str)] =
    &[(UNUSED, "revoke"), (READ_ONLY, "narrow"), (UNKNOWN, "investigate"), (OLD_KEY, "rotate"), (UNUSED_KEY, "revoke")];

pub struct World {
    pub bench: Bench,
    pub ws: Workspace,
    pub op: Arc<Signer>,
    /// The month to review.
    pub month: Month,
    /// Its end.
    pub end: Time,
    /// The second operator's sealed identity; the passphrase is the same.
    pub second: std::path::PathBuf,
}

/// Now, by the clock of the machine.
pub fn now() -> Time {
    Time::from(clock::now())
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

impl World {
    /// Argon2 is slow, so it is made once and copied.
    pub fn new() -> World {
        static FIRST: OnceLock<(tempfile::TempDir, Arc<Signer>, Month)> = OnceLock::new();
        let (dir, op, month) = FIRST.get_or_init(World::first);
        let bench = Bench::empty();
        let copied =
            std::process::Command::new("cp").arg("-a").arg(dir.path().join(".")).arg(bench.dir.path()).status();
        assert!(copied.unwrap().success());
        let ws = Workspace::open(Place { dir: bench.workspace(), state: bench.path("state") }).unwrap();
        let second = bench.path("op-2.json");
        World { bench, ws, op: op.clone(), month: *month, end: month.end(), second }
    }

    fn first() -> (tempfile::TempDir, Arc<Signer>, Month) {
        let month = Month::of(now()).before();
        let bench = Bench::empty();
        let place = Place { dir: bench.workspace(), state: bench.path("state") };
        let file = policy::file::parse("", "policy.toml").unwrap();
        let mut rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
        rules.kinds.retain(|k| ["github", "stripe"].contains(&k.kind.as_str()));
        let passphrase = Passphrase::chosen(PASSPHRASE.into()).unwrap();
        let new = NewWorkspace {
            company: Some("ACME".into()),
            operator: Some("ops".into()),
            passphrase: &passphrase,
            rules,
            source: policy::file::render(&file),
            confirmed: Default::default(),
            now: month.end().minus(Span::days(200)),
        };
        create(&place, &new).unwrap();
        let ws = Workspace::open(place).unwrap();
        let (_, sealed) = ws.sealed_operator(None).unwrap();
        let op = Arc::new(sealed.unlock(&passphrase).unwrap());
        let second = bench.path("op-2.json");
        let world = World { bench, ws, op, month, end: month.end(), second };
        world.past(&passphrase);
        (world.bench.dir, world.op, month)
    }

    /// So many days before the end of the month.
    pub fn before(&self, days: u32) -> Time {
        self.end.minus(Span::days(days))
    }

    /// Half a year, in order.
    fn past(&self, passphrase: &Passphrase) {
        let begin = self.before(200);
        self.enrol(begin, CI, "ci-bot");
        self.enrol(begin, QUIET, "quiet-bot");
        for (id, handle, inside) in [(GITHUB, "github", false), (STRIPE, "stripe", true)] {
            let (handle, kind) = (handle.to_string(), handle.to_string());
            self.sign(begin, IntegrationAdded { id, handle, kind, inside, residency: None });
        }
        let created = |name: &str| KeyFacts { created: Some(begin), ..self.key(name) };
        self.add_key(self.before(196), id(OLD_KEY), created("stripe live"), 3);
        self.add_key(
            self.before(196),
            id(UNUSED_KEY),
            KeyFacts { rotated: Some(self.before(60)), ..created("old deploy") },
            60,
        );
        self.grant(self.before(195), id(USED), CI, "repo:acme/app", Access::Write);
        self.grant(self.before(195), id(UNUSED), CI, "repo:acme/old", Access::Write);
        self.grant(self.before(195), id(READ_ONLY), CI, "repo:acme/ops", Access::Write);
        self.grant(self.before(195), id(UNKNOWN), QUIET, "repo:acme/site", Access::Read);
        for days in [190, 150, 100] {
            self.used(self.before(days), "pull_request.review", "repo:acme/old");
            self.used(self.before(days), "contents.read", "repo:acme/ops");
        }
        self.second_operator(self.before(30), passphrase);
        self.review_before(self.before(25));
        self.grant(self.before(20), id(READ), CI, "repo:acme/docs", Access::Read);
        let fresh = KeyFacts { rotated: Some(self.before(10)), ..created("api") };
        self.add_key(self.before(9), id(KEY), fresh, 2);
        self.used(self.before(5), "pull_request.review", "repo:acme/app");
        self.used(self.before(4), "contents.read", "repo:acme/ops");
        self.used(self.before(3), "contents.read", "repo:acme/docs");
    }

    fn enrol(&self, at: Time, id: Id, handle: &str) {
        let signer = Signer::from_seed(&[u8::try_from(id.n).unwrap(); 32]);
        let line = EnrolmentLine::create(&signer, &self.ws.origin().name).unwrap();
        let (public_key, proof) = (Hex32(line.public_key), data_encoding::HEXLOWER.encode(&line.proof));
        self.sign(at, AgentEnrolled { id, handle: handle.into(), operator: OP, public_key, proof });
        let agent = PlainIdentity::new(PlainKind::Agent, &id.to_string(), &self.ws.origin().name, signer).unwrap();
        files::create_private_new(&self.bench.identity(handle), &agent.to_json().unwrap()).unwrap();
    }

    fn second_operator(&self, at: Time, passphrase: &Passphrase) {
        let signer = Signer::generate().unwrap();
        let line = EnrolmentLine::create(&signer, &self.ws.origin().name).unwrap();
        let (public_key, proof) = (Hex32(line.public_key), data_encoding::HEXLOWER.encode(&line.proof));
        self.sign(at, OperatorEnrolled { id: id("op-2"), public_key, proof, name: Some("second".into()) });
        let sealed = SealedIdentity::seal(&signer, passphrase, Some("op-2"), Some(&self.ws.origin().name)).unwrap();
        files::create_private_new(&self.bench.path("op-2.json"), &sealed.to_json().unwrap()).unwrap();
    }

    /// As the first operator.
    pub fn sign(&self, at: Time, event: impl Into<Event>) {
        let event = event.into();
        self.ws
            .transact(at, |tx| tx.append(By::identity(OP, &self.op), event).map(drop))
            .unwrap_or_else(|e: WorkspaceError| panic!("{e}"));
    }

    pub fn grant(&self, at: Time, grant: Id, agent: Id, scope: &str, access: Access) {
        self.sign(at, self.issued(grant, agent, scope, access, at.plus(Span::days(360))));
    }

    pub fn issued(&self, grant: Id, agent: Id, scope: &str, access: Access, until: Time) -> GrantIssued {
        GrantIssued {
            grant,
            agent,
            integration: GITHUB,
            scope: scope.parse().unwrap(),
            access,
            data: DataClass::Internal,
            owner: OP,
            mission: Some("keep the build green".into()),
            until: Some(until),
            replaces: None,
            carries: None,
            again: None,
            accepted: Vec::new(),
            reason: None,
        }
    }

    fn key(&self, name: &str) -> KeyFacts {
        KeyFacts {
            integration: Some(STRIPE),
            scope: Some("charges".into()),
            owner: Some(OP),
            place: KeyPlace::Reference("op://prod/key/token".into()),
            ..KeyFacts::named(name, "token")
        }
    }

    /// Adds a key that a report of the day before the month's end saw used so many days before.
    fn add_key(&self, at: Time, key: Id, facts: KeyFacts, used: u32) {
        let seen = Sighting { feed: "csv".into(), as_of: self.before(1), last: Some(self.before(used)) };
        self.sign(at, KeyAdded { key, facts: KeyFacts { seen: Some(seen), ..facts }, note: None });
    }

    /// The agent records what it does.
    fn used(&self, at: Time, action: &str, resource: &str) {
        let bot: AgentIdentity = self.ws.agent(&self.bench.identity("ci-bot")).unwrap();
        let json = format!(r#"{{"integration":"github","action":"{action}","resource":"{resource}"}}"#);
        let ask: Ask = serde_json::from_str(&json).unwrap();
        let prepared = Prepared::for_record(ask).unwrap();
        self.ws.transact(at, |tx| record(&self.ws, tx, bot.by(), bot.id, &prepared)).unwrap();
    }

    /// The month before was reviewed: everything was kept, and signed.
    fn review_before(&self, at: Time) {
        let (review, as_of) = (self.month.before().id(), self.month.before().end());
        let items = ["g-1", "g-2", "g-3", "g-4", "k-1", "k-2", "ag-1", "ag-2", "op-1", "op-2", "i-1", "i-2"];
        let decisions = items.map(|item| ItemDecision {
            item: id(item),
            advice: Advice::Keep,
            decision: Advice::Keep,
            rules: Vec::new(),
            narrower: None,
            carried_out: None,
            self_review: false,
            took_ms: None,
        });
        self.sign(at, ReviewDecided { review, as_of, entries: 5, decisions: decisions.into(), note: None });
        let page = "0".repeat(64);
        let signed = ReviewSigned {
            review,
            as_of,
            entries: 5,
            root: "0".repeat(64),
            page,
            items: 12,
            open: Vec::new(),
            note: None,
        };
        self.sign(at, signed);
    }

    /// Adopts another policy, now.
    pub fn adopt(&self, text: &str) {
        let file = policy::file::parse(text, "policy.toml").unwrap();
        let rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
        let digest = aosctl::domain::authority::rules_digest(&rules).unwrap();
        let source = policy::file::render(&file);
        self.sign(
            now(),
            PolicyAdopted {
                digest,
                rules: std::sync::Arc::new(rules),
                source,
                confirmed: Default::default(),
                reason: None,
            },
        );
    }

    /// Number of entries in the log.
    pub fn size(&self) -> u64 {
        self.ws.store().head().unwrap().unwrap().size
    }

    /// Names of the entries from a place on.
    pub fn entries_from(&self, from: u64) -> Vec<String> {
        self.ws.store().range(from, 1000).unwrap().into_iter().map(|s| s.columns.0).collect()
    }

    pub fn is_revoked(&self, grant: &str) -> bool {
        self.ws.facts().grant(id(grant)).unwrap().unwrap().revoked_seq.is_some()
    }

    /// What was decided about an item in the review of the month.
    pub fn decided(&self, item: &str) -> Option<ItemDecision> {
        let record = self.ws.facts().review(self.month.id()).unwrap()?;
        record.decided.get(&id(item)).map(|d| d.decision.clone())
    }

    pub fn is_signed(&self) -> bool {
        self.ws.facts().review(self.month.id()).unwrap().is_some_and(|r| r.signed.is_some())
    }

    /// The whole log verifies.
    pub fn assert_whole(&self) {
        let out = self.bench.run(&["audit", "verify"]);
        assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
    }
}

/// What a command printed as JSON.
pub fn json(out: &std::process::Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}
