//! A workspace in which everything has happened once, a cast of signers, and a forger who writes signed entries past every
//! check: entry, payload, head and pin, as somebody can who has the log identity and the sqlite3 shell.
#![allow(dead_code, reason = "each test file uses its part")]

#[path = "events.rs"]
mod events;
pub use crate::support::tree::copy_tree;
pub use events::*;

use std::collections::BTreeSet;

use aosctl::domain::access::Access;
use aosctl::domain::authority::{Entry, again, rules_digest};
use aosctl::domain::decide::{Decision, Proposal};
use aosctl::domain::event::*;
use aosctl::domain::facets::{DataClass, Facets};
use aosctl::domain::facts::{Change, Facts};
use aosctl::domain::id::{Actor, Id, IdKind};
use aosctl::domain::request::{Outcome, Request};
use aosctl::domain::rules::Rules;
use aosctl::domain::time::{Span, Time};
use aosctl::domain::weigh::weigh;
use aosctl::identity::{EnrolmentLine, Passphrase, Signer};
use aosctl::log::checkpoint::Checkpoint;
use aosctl::log::envelope::Envelope;
use aosctl::log::hash::Hash;
use aosctl::log::header::Header;
use aosctl::log::key::PublicKey;
use aosctl::log::payload::Record;
use aosctl::log::tree::Frontier;
use aosctl::policy;
use aosctl::workspace::{
    By, NewWorkspace, Place, Trusted, Tx, Verification, VerifyOptions, Workspace, WorkspaceError, create, verify,
};
use rusqlite::{Connection, params};
use serde_json::{Map, Value};

use crate::support::asked::asked;

pub const PASS: &str = "correct horse battery staple";

pub fn id(s: &str) -> Id {
    s.parse().unwrap()
}

/// When the story of the stage is over: requests made in it are minutes old.
pub fn now() -> Time {
    "2026-11-21T10:00:00.000Z".parse().unwrap()
}

fn begin() -> Time {
    "2026-11-21T09:59:00.000Z".parse().unwrap()
}

/// Who may be told to sign. The name is also the actor, but for `stranger` (never enrolled, says `op-9`), `impostor`
/// (another key, says `op-1`), `paper` (the recovery identity `op-5` of op-1, once somebody enrols it), and `renewed` and
/// `renewed-2` (op-1 and op-2 with the next key, once it is theirs).
pub struct Cast {
    signers: Vec<(&'static str, Signer)>,
    pub log: Signer,
}

pub const NAMES: [&str; 12] =
    ["op-1", "op-2", "op-3", "ag-1", "ag-2", "ag-3", "ag-4", "stranger", "impostor", "paper", "renewed", "renewed-2"];

impl Cast {
    pub fn signer(&self, who: &str) -> &Signer {
        if who == "log" {
            return &self.log;
        }
        &self.signers.iter().find(|(n, _)| *n == who).unwrap_or_else(|| panic!("nobody plays {who}")).1
    }

    pub fn actor(who: &str) -> &str {
        match who {
            "stranger" => "op-9",
            "impostor" | "renewed" => "op-1",
            "renewed-2" => "op-2",
            "paper" => "op-5",
            other => other,
        }
    }
}

/// A directory with a workspace and its state directory; gone when dropped.
pub struct World {
    dir: tempfile::TempDir,
}

/// The world that every test copies, with the cast that signs in it.
pub struct Stage {
    world: World,
    pub cast: Cast,
}

/// What a forger may choose freely.
pub struct Forgery<'a> {
    pub actor: String,
    pub signer: &'a Signer,
    pub kind: String,
    pub subject: String,
    pub body: Map<String, Value>,
    pub at: Time,
}

/// A signed entry, not yet in any log.
pub struct Sealed {
    pub entry: Entry,
    pub header: Header,
    pub envelope: Vec<u8>,
    pub record: Record,
    frontier: Frontier,
}

impl<'a> Forgery<'a> {
    pub fn of(cast: &'a Cast, who: &str, event: &Event, named: Option<Id>, at: Time) -> Forgery<'a> {
        Forgery {
            actor: Cast::actor(who).into(),
            signer: cast.signer(who),
            kind: event.name().into(),
            subject: event.subject(named).map(|s| s.to_string()).unwrap_or_default(),
            body: event.to_body().unwrap(),
            at,
        }
    }

    /// Signs it for the end of that log.
    pub fn seal(self, w: &World) -> Sealed {
        let ws = w.open();
        let head = ws.store().head().unwrap().unwrap();
        let origin = ws.origin().name.clone();
        let mut n = 0u8;
        let record = Record::seal(self.body, || {
            n += 1;
            [n; 32]
        });
        let header = Header {
            log: origin.clone(),
            seq: head.size,
            prev: Hash(head.leaf),
            at: self.at.to_string(),
            actor: self.actor,
            key: PublicKey(self.signer.public()).key_id(),
            kind: self.kind,
            subject: self.subject,
            commit: record.commit().unwrap(),
        };
        let envelope = Envelope::seal(&header, |m| self.signer.sign(m)).unwrap();
        let leaf = envelope.leaf_hash();
        let mut frontier = Frontier::from_bytes(&head.frontier).unwrap();
        frontier.push(leaf);
        let entry = Entry {
            seq: head.size,
            at: self.at,
            actor: header.actor.parse().unwrap_or(Actor::Log),
            subject: header.subject.parse().ok(),
            leaf: leaf.to_hex(),
            origin,
        };
        Sealed { entry, header, envelope: envelope.bytes, record, frontier }
    }
}

impl Sealed {
    /// Puts it at the end of the log, with head and pin as if nothing were wrong.
    pub fn append(&self, w: &World, cast: &Cast) {
        let c = w.sql();
        let seq = i64::try_from(self.entry.seq).unwrap();
        let (h, at) = (&self.header, self.entry.at.millis());
        c.execute(
            "INSERT INTO entries (seq, envelope, kind, actor, subject, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![seq, self.envelope, h.kind, h.actor, h.subject, at],
        )
        .unwrap();
        c.execute("INSERT INTO payloads (seq, record) VALUES (?1, ?2)", params![seq, self.record.to_jcs().unwrap()])
            .unwrap();
        let leaf: Hash = aosctl::log::tree::leaf_hash(&self.envelope);
        c.execute(
            "UPDATE head SET size = ?1, frontier = ?2, leaf = ?3, at = ?4",
            params![seq + 1, self.frontier.to_bytes(), leaf.0, at],
        )
        .unwrap();
        w.pin(cast, &self.entry.origin, &self.frontier);
    }
}

impl World {
    pub fn place(&self) -> Place {
        Place { dir: self.dir.path().join("ws"), state: self.dir.path().join("state") }
    }

    pub fn open(&self) -> Workspace {
        Workspace::open(self.place()).unwrap()
    }

    pub fn copy(&self) -> World {
        let dir = tempfile::tempdir().unwrap();
        copy_tree(&self.dir.path().join("ws"), &dir.path().join("ws"));
        copy_tree(&self.dir.path().join("state"), &dir.path().join("state"));
        World { dir }
    }

    /// The database as an attacker with a shell opens it: no aosctl in between.
    pub fn sql(&self) -> Connection {
        let c = Connection::open(self.place().database()).unwrap();
        c.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        c
    }

    /// The state directory of the log.
    pub fn state(&self) -> std::path::PathBuf {
        std::fs::read_dir(self.place().state).unwrap().next().unwrap().unwrap().path()
    }

    /// Moves the pin to the end of that tree.
    pub fn pin(&self, cast: &Cast, origin: &str, tree: &Frontier) {
        let checkpoint = Checkpoint { origin: origin.into(), size: tree.size(), root: tree.root() };
        let note = checkpoint.sign(|m| cast.log.sign(m), &PublicKey(cast.log.public()));
        std::fs::write(self.state().join("pin"), note).unwrap();
    }

    pub fn verify(&self) -> Verification {
        self.verify_at(now().plus(Span::days(400)))
    }

    pub fn verify_at(&self, clock: Time) -> Verification {
        let options = VerifyOptions { vkey: None, threads: Some(1) };
        verify(&self.place(), &options, clock, &mut |_, _| {}).unwrap()
    }

    /// Signs as somebody through the front door.
    pub fn sign(
        &self,
        cast: &Cast,
        who: &str,
        at: Time,
        make: impl FnOnce(&Tx<'_>) -> Event,
    ) -> Result<u64, WorkspaceError> {
        let ws = self.open();
        let actor: Actor = Cast::actor(who).parse().unwrap();
        let by = By { actor, signer: cast.signer(who) };
        let ((seq, _), pin) = ws.transact(at, |tx| {
            let event = make(tx);
            tx.append(by, event).map(|a| (a.seq, a.at))
        })?;
        assert!(pin.is_none());
        Ok(seq)
    }

    /// As [`World::sign`], and it must be taken.
    pub fn must(&self, cast: &Cast, who: &str, at: Time, make: impl FnOnce(&Tx<'_>) -> Event) -> u64 {
        self.sign(cast, who, at, make).unwrap_or_else(|e| panic!("{who}: {e}"))
    }

    /// What the hot path believes of everything there is to believe. An entry that does not count must not change it.
    pub fn believed(&self) -> String {
        let ws = self.open();
        let f = ws.facts();
        let mut out = String::new();
        let mut line = |what: String| {
            out.push_str(&what);
            out.push('\n');
        };
        for n in 1..=5 {
            line(format!("{:?}", f.identity(Id::new(IdKind::Operator, n))));
            line(format!("{:?}", f.identity(Id::new(IdKind::Agent, n))));
            line(format!("{:?}", f.frozen(Id::new(IdKind::Agent, n))));
            line(format!("{:?}", f.integration(Id::new(IdKind::Integration, n))));
        }
        for n in 1..=8 {
            line(format!("{:?}", f.grant(Id::new(IdKind::Grant, n))));
        }
        for n in 1..=4 {
            line(format!("{:?}", f.key(Id::new(IdKind::Key, n))));
        }
        for month in ["rv-202609", "rv-202610"] {
            line(format!("{:?}", f.review(id(month))));
        }
        for n in 1..=16 {
            line(format!("{:?}", f.request(Id::new(IdKind::Request, n))));
        }
        line(format!("{:?}", f.frozen(Id::WORKSPACE)));
        line(format!("{:?}", f.policy().map(|p| p.map(|p| (p.digest.clone(), p.seq)))));
        out
    }
}

pub fn signers() -> Vec<(&'static str, Signer)> {
    NAMES.iter().zip(1u8..).map(|(name, n)| (*name, Signer::from_seed(&[n; 32]))).collect()
}

/// The policy of the stage: caps wide enough for the story, two approvers for what is public.
pub fn rules() -> (Rules, String) {
    let file = policy::file::parse("", "policy.toml").unwrap();
    let mut rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
    // Only what the story needs: the test is about authority, and every replay reads the whole catalogue.
    rules.kinds.retain(|k| k.kind == "stripe" || k.kind == "github");
    rules.caps.per_week = 100_000_000;
    rules.approvers.insert(aosctl::domain::point::Point::Public, 2);
    (rules, policy::file::render(&file))
}

impl Stage {
    /// Everything happens once. Requests:
    ///
    /// | id | by | what became of it |
    /// |---|---|---|
    /// | r-1 | ag-1 | allowed, claimed, done |
    /// | r-2 | ag-1 | pending |
    /// | r-3 | ag-1 | approved by op-2 |
    /// | r-4 | ag-1 | approved, claimed |
    /// | r-5 | ag-1 | denied by op-2 |
    /// | r-6 | ag-1 | withdrawn |
    /// | r-7 | ag-1 | approved, claimed, outcome unknown |
    /// | r-8 | ag-1 | allowed, not claimed |
    /// | r-9 | op-1 | audit edit of the entry that made r-2, approved by op-2, two wanted |
    /// | r-10 | ag-1 | public, two wanted, approved by op-2 |
    /// | r-11 | ag-1 | denied by the rules |
    /// | r-12 | ag-2 | pending |
    /// | r-13 | ag-1 | approved, claimed, failed, money released |
    /// | r-14 | ag-1 | allowed, with a bound command and an idempotency key |
    /// | r-15 | op-1 | audit edit of the entry that made r-1, approved by op-2, done: its summary is erased |
    ///
    /// Keys: k-1 is live and carried by g-2, k-2 leaked, k-3 is retired. The review of September 2026 is signed.
    ///
    /// Grants: g-1, g-2 of ag-1, g-3 of ag-2, g-4 of ag-3, g-5 of ag-1 revoked, g-6 of ag-1 narrowed and renewed. op-3
    /// (whose agent is ag-3) and ag-4 are retired; ag-3 is frozen.
    pub fn new() -> Stage {
        let dir = tempfile::tempdir().unwrap();
        let world = World { dir };
        let pass = Passphrase::chosen(PASS.into()).unwrap();
        let (rules, source) = rules();
        let new = NewWorkspace {
            company: Some("ACME".into()),
            operator: Some("ops".into()),
            passphrase: &pass,
            rules,
            source,
            confirmed: BTreeSet::new(),
            now: begin(),
        };
        create(&world.place(), &new).unwrap();
        let ws = world.open();
        let (_, sealed) = ws.sealed_operator(None).unwrap();
        let mut signers = signers();
        signers[0].1 = sealed.unlock(&pass).unwrap();
        let log = ws.log_identity().unwrap().into_signer();
        drop(ws);
        let stage = Stage { world, cast: Cast { signers, log } };
        stage.play();
        stage
    }

    pub fn copy(&self) -> World {
        self.world.copy()
    }

    fn op(&self, make: impl FnOnce(&Tx<'_>) -> Event) -> u64 {
        self.world.must(&self.cast, "op-1", begin(), make)
    }

    fn by(&self, who: &str, event: impl Into<Event>) -> u64 {
        let event = event.into();
        self.world.must(&self.cast, who, begin(), |_| event)
    }

    fn ask(&self, who: &str, ask: &Asking) -> Id {
        let r = std::cell::Cell::new(None);
        self.world.must(&self.cast, who, begin(), |tx| {
            let made = ask.made(tx.facts(), tx.next_id(IdKind::Request).unwrap(), tx.now());
            r.set(Some(made.request));
            made.into()
        });
        r.get().unwrap()
    }

    fn approve(&self, who: &str, r: &str) -> u64 {
        self.world.must(&self.cast, who, begin(), |tx| approval(tx.facts(), id(r), tx.now()).into())
    }

    fn play(&self) {
        let c = &self.cast;
        let origin = self.world.open().origin().name.clone();
        for op in ["op-2", "op-3"] {
            self.by("op-1", operator(c, op, &origin));
        }
        for (agent, handle, op) in [
            ("ag-1", "build-bot", "op-1"),
            ("ag-2", "mail-bot", "op-2"),
            ("ag-3", "lost-bot", "op-3"),
            ("ag-4", "old-bot", "op-1"),
        ] {
            self.by("op-1", agent_of(c, agent, handle, op, &origin));
        }
        for (i, handle, kind, inside) in [("i-1", "payments", "stripe", true), ("i-2", "github", "github", false)] {
            self.by("op-1", integration(i, handle, kind, inside));
        }
        for k in ["k-1", "k-2", "k-3"] {
            self.by("op-1", key_added(k));
        }
        self.by("op-1", grant("g-1", "ag-1", "i-1", "*", Access::Write, DataClass::Customer));
        let carried = carrying("k-1");
        let carrier = grant("g-2", "ag-1", "i-2", "repo:acme/*", Access::Write, DataClass::Internal);
        self.by("op-1", GrantIssued { carries: Some(carried), ..carrier });
        self.by("op-1", grant("g-3", "ag-2", "i-1", "*", Access::Write, DataClass::Customer));
        self.by("op-1", grant("g-4", "ag-3", "i-1", "*", Access::Write, DataClass::Customer));
        self.by("op-1", grant("g-5", "ag-1", "i-2", "repo:acme/old", Access::Write, DataClass::Internal));
        self.by("op-1", grant("g-6", "ag-1", "i-2", "repo:acme/*", Access::Admin, DataClass::Customer));
        self.by(
            "ag-1",
            GrantNarrowed { access: Some(Access::Read), data: Some(DataClass::Internal), ..narrowing("g-6") },
        );
        self.by("op-1", GrantRenewed { grant: id("g-6"), until: Some(now().plus(Span::days(60))), reason: None });
        self.by("log", GrantRevoked { grant: id("g-5"), reason: Some("unused".into()) });
        self.by("log", leaked("k-2"));
        self.by("op-2", KeyRetired { key: id("k-3"), reason: None });
        self.by("op-2", ReviewDecided { as_of: begin(), ..review_decided("rv-202609") });
        self.by("op-2", ReviewSigned { as_of: begin(), ..review_signed("rv-202609") });
        self.by("op-1", IdentityRetired { id: id("op-3"), as_of: None, reason: None });
        self.by("op-1", IdentityRetired { id: id("ag-4"), as_of: Some(5), reason: None });
        self.by("op-2", WorkspaceFrozen { target: id("ag-3"), reason: None });
        self.by("log", WorkspaceFrozen { target: Id::WORKSPACE, reason: None });
        self.by("op-2", WorkspaceThawed { target: Id::WORKSPACE, reason: None });
        self.play_requests();
    }

    fn play_requests(&self) {
        let claim = |r: &str| RequestClaimed { request: id(r), mode: ClaimMode::Agent, key: Some(id("k-1")) };
        let finish = |r: &str, outcome| finished(r, outcome);
        self.ask("ag-1", &Asking::refund("10USD"));
        self.by("ag-1", claim("r-1"));
        self.by("ag-1", finish("r-1", Outcome::Succeeded));
        for _ in 2..=7 {
            self.ask("ag-1", &Asking::refund("5000USD"));
        }
        self.approve("op-2", "r-3");
        self.approve("op-1", "r-4");
        self.by("ag-1", claim("r-4"));
        self.op(|_| denial(&self.world.open().facts(), id("r-5")).into());
        self.by("ag-1", RequestWithdrawn { request: id("r-6"), reason: None });
        self.approve("op-1", "r-7");
        self.by("ag-1", claim("r-7"));
        self.by("ag-1", finish("r-7", Outcome::Unknown));
        self.ask("ag-1", &Asking::refund("20USD"));
        let seq = self.world.open().facts().request(id("r-2")).unwrap().unwrap().made_seq;
        self.ask("op-1", &Asking::erasure(seq));
        self.approve("op-2", "r-9");
        self.ask("ag-1", &Asking::public());
        self.approve("op-2", "r-10");
        self.ask("ag-1", &Asking { access: Some(Access::Admin), ..Asking::refund("1USD") });
        self.ask("ag-2", &Asking { requester: id("ag-2"), ..Asking::refund("3000USD") });
        self.ask("ag-1", &Asking::refund("4000USD"));
        self.approve("op-1", "r-13");
        self.by("ag-1", claim("r-13"));
        self.by("ag-1", finish("r-13", Outcome::Failed));
        self.by("op-2", RequestResolved { request: id("r-13"), outcome: Outcome::Failed, release: true, reason: None });
        self.ask("ag-1", &Asking { key: Some("once".into()), bound: true, ..Asking::refund("30USD") });
        let first = self.world.open().facts().request(id("r-1")).unwrap().unwrap().made_seq;
        self.ask("op-1", &Asking::erasure(first));
        let approval = self.approve("op-2", "r-15");
        self.by("op-1", erasure(first, "summary", &[approval]));
        erase_member(&self.world.sql(), first, "summary");
    }
}

/// Takes a member out of a payload, as `audit erase` will.
pub fn erase_member(c: &Connection, seq: u64, member: &str) {
    let seq = i64::try_from(seq).unwrap();
    let bytes: Vec<u8> = c.query_row("SELECT record FROM payloads WHERE seq = ?1", [seq], |r| r.get(0)).unwrap();
    let mut record = Record::parse(&bytes).unwrap();
    assert!(record.erase(member).unwrap());
    let kept: String =
        c.query_row("SELECT sql FROM sqlite_schema WHERE name = 'payloads_keep_1'", [], |r| r.get(0)).unwrap();
    c.execute_batch("DROP TRIGGER payloads_keep_1").unwrap();
    c.execute("UPDATE payloads SET record = ?1 WHERE seq = ?2", params![record.to_jcs().unwrap(), seq]).unwrap();
    c.execute_batch(&kept).unwrap();
}

/// Writes what a valid entry changes into the tables, so that a forger's rightful entry leaves a whole workspace.
pub fn project(w: &World, changes: &[Change]) {
    let ws = w.open();
    let tables = ws.store().tables();
    for change in changes {
        tables.apply(change).unwrap();
    }
}
