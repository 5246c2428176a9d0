//! The whole flow through the library, and `verify` over what it leaves: untouched it holds, touched it does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

#[path = "support/asked.rs"]
mod asked;

use std::collections::BTreeSet;

use aosctl::domain::decide::Verdict;
use aosctl::domain::event::*;
use aosctl::domain::facets::{DataClass, Facets};
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::time::{Span, Time};
use aosctl::domain::{access::Access, decide::Proposal};
use aosctl::identity::{EnrolmentLine, Passphrase, Signer};
use aosctl::log::verdict::{Check, Status};
use aosctl::policy;
use aosctl::workspace::{By, NewWorkspace, Place, VerifyOptions, Workspace, WorkspaceError, create, verify};

use asked::asked;

const PASS: &str = "correct horse battery staple";

struct World {
    _dir: tempfile::TempDir,
    ws: Workspace,
    op: Signer,
    bot: Signer,
    now: Time,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path().join("ws"), state: dir.path().join("state") };
    let file = policy::file::parse("", "policy.toml").unwrap();
    let rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
    let now: Time = "2026-11-21T09:00:00.000Z".parse().unwrap();
    let pass = Passphrase::chosen(PASS.into()).unwrap();
    let new = NewWorkspace {
        company: Some("ACME".into()),
        operator: Some("ops".into()),
        passphrase: &pass,
        rules,
        source: policy::file::render(&file),
        confirmed: BTreeSet::new(),
        now,
    };
    create(&place, &new).unwrap();
    let ws = Workspace::open(place).unwrap();
    let (path, sealed) = ws.sealed_operator(None).unwrap();
    let op = sealed.unlock(&pass).unwrap();
    assert!(ws.unlock_operator(&path, &sealed, &pass).is_ok());
    let bot = Signer::generate().unwrap();
    let line = EnrolmentLine::create(&bot, &ws.origin().name).unwrap();
    let by = By::identity(Id::FIRST_OPERATOR, &op);
    ws.transact(now, |tx| {
        tx.append(
            by,
            AgentEnrolled {
                id: tx.next_id(IdKind::Agent)?,
                handle: "build-bot".into(),
                operator: Id::FIRST_OPERATOR,
                public_key: Hex32(line.public_key),
                proof: data_encoding::HEXLOWER.encode(&line.proof),
            },
        )?;
        let integration = tx.next_id(IdKind::Integration)?;
        tx.append(
            by,
            IntegrationAdded {
                id: integration,
                handle: "stripe".into(),
                kind: "stripe".into(),
                inside: false,
                residency: None,
            },
        )?;
        tx.append(
            by,
            GrantIssued {
                grant: tx.next_id(IdKind::Grant)?,
                agent: Id::new(IdKind::Agent, 1),
                integration,
                scope: "*".parse().unwrap(),
                access: Access::Write,
                data: DataClass::Customer,
                owner: Id::FIRST_OPERATOR,
                mission: None,
                until: Some(tx.now().plus(Span::days(30))),
                replaces: None,
                carries: None,
                again: None,
                accepted: vec![],
                reason: None,
            },
        )?;
        Ok::<_, WorkspaceError>(())
    })
    .unwrap();
    World { _dir: dir, ws, op, bot, now }
}

impl World {
    fn ask(&self, amount: &str, now: Time) -> Result<(Id, Verdict), WorkspaceError> {
        let by = By::identity(Id::new(IdKind::Agent, 1), &self.bot);
        let facets =
            Facets { amount: Some(amount.parse().unwrap()), data: Some(DataClass::Internal), ..Facets::default() };
        let ((id, verdict), pin) = self.ws.transact(now, |tx| {
            let integration = Id::new(IdKind::Integration, 1);
            let p = Proposal {
                requester: Id::new(IdKind::Agent, 1),
                action: "refund.create".into(),
                resource: "account:acme".parse().unwrap(),
                access: None,
                facets: facets.clone(),
                unsure: false,
            };
            let id = tx.next_id(IdKind::Request)?;
            let made = asked(tx.facts(), &p, Some(integration), id, tx.now())?;
            let verdict = made.decision;
            tx.append(by, RequestMade { summary: Some("refund".into()), ..made })?;
            Ok::<_, WorkspaceError>((id, verdict))
        })?;
        assert!(pin.is_none());
        Ok((id, verdict))
    }

    fn approve(&self, id: Id, now: Time) -> Result<(), WorkspaceError> {
        let by = By::identity(Id::FIRST_OPERATOR, &self.op);
        self.ws
            .transact(now, |tx| {
                let r = tx.facts().request(id)?.unwrap();
                tx.append(
                    by,
                    RequestApproved {
                        request: id,
                        leaf: r.leaf.clone(),
                        points: r.points.clone(),
                        grant: r.grant,
                        policy: tx.facts().policy()?.unwrap().digest.clone(),
                        until: tx.now().plus(Span::seconds(3600)),
                        self_approved: false,
                        reason: None,
                    },
                )?;
                Ok::<_, WorkspaceError>(())
            })
            .map(|_| ())
    }

    fn claim(&self, id: Id, now: Time) -> Result<(), WorkspaceError> {
        let by = By::identity(Id::new(IdKind::Agent, 1), &self.bot);
        self.ws
            .transact(now, |tx| {
                tx.append(by, RequestClaimed { request: id, mode: ClaimMode::Agent, key: None })?;
                Ok::<_, WorkspaceError>(())
            })
            .map(|_| ())
    }

    fn verify(&self) -> aosctl::workspace::Verification {
        verify(self.ws.place(), &VerifyOptions::default(), self.now.plus(Span::days(400)), &mut |_, _| {}).unwrap()
    }

    fn sql(&self, text: &str) {
        rusqlite::Connection::open(self.ws.place().database()).unwrap().execute_batch(text).unwrap();
    }
}

fn refused(r: Result<(), WorkspaceError>) -> &'static str {
    match r {
        Err(WorkspaceError::Refused(f)) => f.kind,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn ask_approve_claim_once_and_verify() {
    let w = world();
    let (small, v) = w.ask("10USD", w.now).unwrap();
    assert_eq!(v, Verdict::Allow, "under both caps, inside the grant");
    let (id, v) = w.ask("5000USD", w.now).unwrap();
    assert_eq!(v, Verdict::Ask);
    assert_eq!(refused(w.claim(id, w.now)), "not_allowed");
    w.approve(id, w.now).unwrap();
    assert_eq!(refused(w.approve(id, w.now)), "decided");
    w.claim(id, w.now).unwrap();
    assert_eq!(refused(w.claim(id, w.now)), "claimed");
    assert_eq!(refused(w.claim(small, w.now.plus(Span::seconds(3600)))), "expired");
    let v = w.verify();
    for verdict in v.report.verdicts() {
        let want = if verdict.check == Check::UnanchoredTail { Status::Reported } else { Status::Ok };
        assert_eq!(verdict.status, want, "{verdict:?} {:?}", v.differences);
    }
    assert!(v.size >= 9);
}

#[test]
fn what_a_sqlite_shell_can_do_is_found_by_table_and_id() {
    for (text, table, row) in [
        ("UPDATE grants SET access = 'admin'", "grants", "g-1"),
        ("UPDATE grants SET until = NULL", "grants", "g-1"),
        ("UPDATE requests SET decision = 'allow'", "requests", "r-1"),
        ("UPDATE requests SET facets = '{}'", "requests", "r-1"),
        ("DELETE FROM identities WHERE id = 'ag-1'", "identities", "ag-1"),
        ("INSERT INTO freezes VALUES ('w-1', 3)", "freezes", "w-1"),
        ("UPDATE origin SET company = 'other'", "origin", ""),
        ("UPDATE head SET at = 5", "head", ""),
        ("DROP TRIGGER entries_keep_1; UPDATE entries SET subject = 'g-9' WHERE subject = 'g-1'", "entries", "4"),
    ] {
        let w = world();
        w.ask("5000USD", w.now).unwrap();
        assert!(!w.verify().report.failed());
        w.sql(&format!("PRAGMA foreign_keys = OFF; {text}"));
        let v = w.verify();
        assert_eq!(v.report.status(Check::Projections), Status::Failed, "{text}");
        let d =
            v.differences.iter().find(|d| d.table == table).unwrap_or_else(|| panic!("{text}: {:?}", v.differences));
        if !row.is_empty() {
            assert_eq!(d.row, row, "{text}");
        }
    }
}

#[test]
fn a_widened_projection_changes_no_decision() {
    let w = world();
    // Narrow the grant by its own log, then widen the table with the sqlite3 shell.
    let log = w.ws.log_identity().unwrap();
    w.ws.transact(w.now, |tx| {
        tx.append(By::log(log.signer()), GrantRevoked { grant: Id::new(IdKind::Grant, 1), reason: None })?;
        Ok::<_, WorkspaceError>(())
    })
    .unwrap();
    w.sql("UPDATE grants SET revoked_seq = NULL, revoked_at = NULL, revoked_by = NULL");
    let (_, v) = w.ask("10USD", w.now).unwrap();
    assert_eq!(v, Verdict::Deny, "the hot path reads the log, not the table");
}

/// Entries are found by an index. One that leaves out a revocation hides it from the hot path, and verify finds that.
#[test]
fn an_index_that_hides_an_entry_is_found() {
    let w = world();
    let log = w.ws.log_identity().unwrap();
    w.ws.transact(w.now, |tx| {
        tx.append(By::log(log.signer()), GrantRevoked { grant: Id::new(IdKind::Grant, 1), reason: None })?;
        Ok::<_, WorkspaceError>(())
    })
    .unwrap();
    let define = |wanted: &str| {
        format!(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE INDEX entries_by_subject ON entries (subject, seq){wanted}'
             WHERE name = 'entries_by_subject';
             PRAGMA writable_schema = RESET;"
        )
    };
    w.sql("CREATE TABLE more (x)");
    assert_eq!(w.verify().report.status(Check::Projections), Status::Failed, "a table that no version has");
    w.sql("DROP TABLE more; DROP TRIGGER payloads_keep_1");
    assert_eq!(w.verify().report.status(Check::Projections), Status::Failed, "a trigger is missing");
    w.sql(
        "CREATE TRIGGER payloads_keep_1 BEFORE UPDATE ON payloads BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    );
    assert!(!w.verify().report.failed());
    w.sql(&format!("{} REINDEX entries_by_subject", define(" WHERE kind <> ''grant.revoked/1''")));
    w.sql(&define(""));
    let v = w.verify();
    assert_eq!(v.report.status(Check::Projections), Status::Failed, "{:?}", v.report);
    assert!(v.differences.iter().all(|d| d.table == "sqlite_schema"), "no other row differs: {:?}", v.differences);
}
