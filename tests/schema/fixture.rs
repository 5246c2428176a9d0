//! The workspace that is kept of the newest schema version: small, with a row in every table, and with moments long past,
//! so that no clock is behind it. Its keys are public knowledge.

use std::path::Path;

use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{KeyFacts, Place as KeyPlace};
use aosctl::domain::review::{Advice, ItemDecision};
use aosctl::domain::time::{Span, Time};
use aosctl::domain::{access::Access, request::Outcome};
use aosctl::identity::Passphrase;
use aosctl::log::payload::Record;
use aosctl::policy;
use aosctl::store::SCHEMA_VERSION;
use aosctl::workspace::ask::{Ask, Prepared, record};
use aosctl::workspace::claim::{Begin, claim};
use aosctl::workspace::{AgentIdentity, NewWorkspace, OperatorIdentity, Place, Workspace, WorkspaceError, create};

use crate::support::PASSPHRASE;

/// When everything in it happened.
const THEN: &str = "2025-01-06T09:00:00.000Z";

/// Kinds of its catalogue: two are enough.
const KINDS: [&str; 2] = ["github", "stripe"];

struct Maker {
    ws: Workspace,
    operator: OperatorIdentity,
    now: Time,
}

impl Maker {
    fn sign<T>(&self, make: impl FnOnce(&mut aosctl::workspace::Tx<'_>) -> (T, Event)) -> T {
        let ((value, _), pin) = self
            .ws
            .transact(self.now, |tx| {
                let (value, event) = make(tx);
                let done = tx.append(self.operator.by(), event)?;
                Ok::<_, WorkspaceError>((value, done))
            })
            .unwrap();
        assert!(pin.is_none());
        value
    }

    fn ask(&self, agent: &AgentIdentity, json: &str) -> Id {
        let ask: Ask = serde_json::from_str(json).unwrap();
        let prepared = Prepared::for_record(ask).unwrap();
        self.ws.transact(self.now, |tx| record(&self.ws, tx, agent.by(), agent.id, &prepared)).unwrap().0.request.id
    }

    fn integration(&self, name: &str, inside: bool) -> Id {
        self.sign(|tx| {
            let id = tx.next_id(IdKind::Integration).unwrap();
            let added =
                IntegrationAdded { id, handle: name.into(), kind: name.into(), inside, residency: Some("eu".into()) };
            (id, added.into())
        })
    }

    fn grant(&self, agent: Id, integration: Id, scope: &str, data: DataClass) -> Id {
        self.sign(|tx| {
            let grant = tx.next_id(IdKind::Grant).unwrap();
            let issued = GrantIssued {
                grant,
                agent,
                integration,
                scope: scope.parse().unwrap(),
                access: Access::Write,
                data,
                owner: Id::FIRST_OPERATOR,
                mission: Some("ship 1.4".into()),
                until: Some(self.now.plus(Span::days(30))),
                replaces: None,
                carries: None,
                again: None,
                accepted: Vec::new(),
                reason: None,
            };
            (grant, issued.into())
        })
    }

    /// A key with a schedule that leaked, and a review that is signed.
    fn key_and_review(&self, integration: Id) {
        let key = Id::new(IdKind::Key, 1);
        let facts = KeyFacts {
            integration: Some(integration),
            owner: Some(Id::FIRST_OPERATOR),
            place: KeyPlace::Reference("op://vault/ci/token".into()),
            provider_id: Some("tok_1".into()),
            last4: Some("9f2a".into()),
            fingerprint: Some(Hex32([7; 32])),
            ..KeyFacts::named("ci token", "token")
        };
        self.sign(|_| ((), KeyAdded { key, facts, note: None }.into()));
        let (every, warn) = (Some(Span::days(90)), Some(Span::days(14)));
        self.sign(|_| ((), RotationScheduled { key, every, warn, owner: None, reason: None }.into()));
        self.sign(|_| ((), KeyLeaked { key, revoked: vec![], frozen: vec![], reason: Some("in a log".into()) }.into()));
        let review = "rv-202412".parse().unwrap();
        let as_of = "2025-01-01T00:00:00.000Z".parse().unwrap();
        let kept = ItemDecision {
            item: key,
            advice: Advice::Rotate,
            decision: Advice::Investigate,
            rules: vec!["AR-08".into()],
            narrower: None,
            carried_out: None,
            self_review: true,
            took_ms: None,
        };
        let decisions = vec![kept];
        self.sign(|_| ((), ReviewDecided { review, as_of, entries: 1, decisions, note: None }.into()));
        let (root, page) = ("ab".repeat(32), "cd".repeat(32));
        let signed = ReviewSigned { review, as_of, entries: 1, root, page, items: 1, open: vec![], note: None };
        self.sign(|_| ((), signed.into()));
    }

    fn approve(&self, request: Id) {
        self.sign(|tx| {
            let r = tx.facts().request(request).unwrap().unwrap();
            let approved = RequestApproved {
                request,
                leaf: r.leaf.clone(),
                points: r.points.clone(),
                grant: r.grant,
                policy: tx.facts().policy().unwrap().unwrap().digest.clone(),
                until: self.now.plus(Span::FIVE_MINUTES),
                self_approved: false,
                reason: Some("go ahead".into()),
            };
            ((), approved.into())
        });
    }

    /// Takes a member out of a payload, as its erasure says; the triggers come back afterwards.
    fn erase(&self, request: Id, member: &str) {
        let made = self.ws.facts().request(request).unwrap().unwrap().made_seq;
        let members = [member.to_string()].into();
        self.sign(|_| {
            (
                (),
                PayloadErased { seq: made, members, approvals: Default::default(), reason: Some("asked for".into()) }
                    .into(),
            )
        });
        let c = rusqlite::Connection::open(self.ws.store().path()).unwrap();
        let bytes: Vec<u8> = c.query_row("SELECT record FROM payloads WHERE seq = ?1", [made], |r| r.get(0)).unwrap();
        let mut record = Record::parse(&bytes).unwrap();
        assert!(record.erase(member).unwrap());
        let triggers: Vec<(String, String)> = {
            let mut s = c.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
            s.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap().map(Result::unwrap).collect()
        };
        for (name, _) in &triggers {
            c.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        c.execute("UPDATE payloads SET record = ?1 WHERE seq = ?2", rusqlite::params![record.to_jcs().unwrap(), made])
            .unwrap();
        for (_, sql) in &triggers {
            c.execute_batch(sql).unwrap();
        }
    }
}

fn make(dir: &Path) {
    let place = Place { dir: dir.join("ws"), state: dir.join("state") };
    let file = policy::file::parse("", "policy.toml").unwrap();
    let mut rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
    rules.kinds.retain(|k| KINDS.contains(&k.kind.as_str()));
    let now: Time = THEN.parse().unwrap();
    let passphrase = Passphrase::chosen(PASSPHRASE.into()).unwrap();
    let new = NewWorkspace {
        company: Some("ACME".into()),
        operator: Some("ops".into()),
        passphrase: &passphrase,
        rules,
        source: policy::file::render(&file),
        confirmed: Default::default(),
        now,
    };
    create(&place, &new).unwrap();
    let ws = Workspace::open(place).unwrap();
    let (path, sealed) = ws.sealed_operator(None).unwrap();
    let operator = ws.unlock_operator(&path, &sealed, &passphrase).unwrap();
    let file = ws.agent_file("build-bot");
    ws.enrol_agent(now, &operator, "build-bot", operator.id, &file).unwrap();
    let bot = ws.agent(&file).unwrap();
    let m = Maker { ws, operator, now };
    let (github, stripe) = (m.integration("github", false), m.integration("stripe", true));
    let closed = m.grant(bot.id, github, "repo:acme/old", DataClass::Internal);
    m.grant(bot.id, github, "repo:acme/*", DataClass::Internal);
    m.grant(bot.id, stripe, "account:acct_1", DataClass::Customer);
    m.sign(|_| ((), GrantRevoked { grant: closed, reason: None }.into()));
    // Allowed, with money; begun, done.
    let paid = m.ask(
        &bot,
        r#"{"integration":"stripe","action":"refund.create","resource":"account:acct_1",
            "parameters":{"amount":1250,"currency":"usd"},"summary":"refund for order 1024","idempotency_key":"order:1024"}"#,
    );
    let begin = |id| m.ws.transact(now, |tx| claim(&m.ws, tx, bot.by(), bot.id, id, Begin::ByAgent)).unwrap();
    begin(paid);
    let finished = RequestFinished {
        request: paid,
        outcome: Outcome::Succeeded,
        status: None,
        duration_ms: None,
        detail: None,
        note: Some("refunded".into()),
    };
    m.ws.transact(now, |tx| tx.append(bot.by(), finished)).unwrap();
    // Asked, approved, begun, and never reported.
    let merge =
        r#"{"integration":"github","action":"pull_request.merge","resource":"repo:acme/app","rationale":"tests pass"}"#;
    let merged = m.ask(&bot, merge);
    m.approve(merged);
    begin(merged);
    // Asked and denied.
    let denied = m.ask(&bot, merge);
    m.sign(|tx| {
        let r = tx.facts().request(denied).unwrap().unwrap();
        let policy = tx.facts().policy().unwrap().unwrap().digest.clone();
        let no = RequestDenied {
            request: denied,
            leaf: r.leaf.clone(),
            points: r.points.clone(),
            grant: r.grant,
            policy,
            reason: Some("not today".into()),
        };
        ((), no.into())
    });
    m.erase(paid, "summary");
    m.sign(|_| ((), EntryCorrected { seq: 1, note: Some("the policy is the one of the board".into()) }.into()));
    m.key_and_review(github);
    m.sign(|_| ((), WorkspaceFrozen { target: bot.id, reason: None }.into()));
}

/// Writes the workspace of the newest schema version to `to`, made small.
pub fn write(to: &Path) {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    let db = dir.path().join("ws/aosctl.db");
    let c = rusqlite::Connection::open(&db).unwrap();
    c.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM; PRAGMA journal_mode = WAL;")
        .unwrap();
    let version: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
    assert_eq!(version, SCHEMA_VERSION);
    c.close().unwrap();
    // Where it lay says nothing about it, and is a path of one machine.
    for log in std::fs::read_dir(dir.path().join("state")).unwrap() {
        let _ = std::fs::remove_file(log.unwrap().path().join("place"));
    }
    let _ = std::fs::remove_dir_all(to);
    super::copy_tree(dir.path(), to);
}
