//! Entries that somebody wrote past aosctl.

use aosctl::domain::event::{Event, GrantIssued, GrantRevoked, IdentityRetired};
use aosctl::identity::Signer;
use aosctl::log::envelope::Envelope;
use aosctl::log::hash::Hash;
use aosctl::log::header::Header;
use aosctl::log::key::PublicKey;
use aosctl::log::payload::Record;
use aosctl::log::tree::Frontier;
use rusqlite::params;

use crate::approve_world::{BOT, GITHUB, World, now};
use crate::support::{code, text};
use crate::{as_other, json, must};

/// Signs an event with a plain identity and writes it behind the last entry, as a shell with the sqlite3 program can: entry,
/// payload and the end of the log. Gives its place.
fn forge(w: &World, actor: &str, signer: &Signer, event: &Event, kind: &str) -> u64 {
    let head = w.ws.store().head().unwrap().unwrap();
    let record = Record::seal(event.to_body().unwrap(), || [5; 32]);
    let header = Header {
        log: w.ws.origin().name.clone(),
        seq: head.size,
        prev: Hash(head.leaf),
        at: now().to_string(),
        actor: actor.into(),
        key: PublicKey(signer.public()).key_id(),
        kind: kind.into(),
        subject: event.subject(None).unwrap().to_string(),
        commit: record.commit().unwrap(),
    };
    let envelope = Envelope::seal(&header, |m| signer.sign(m)).unwrap();
    let mut frontier = Frontier::from_bytes(&head.frontier).unwrap();
    frontier.push(envelope.leaf_hash());
    let at: aosctl::domain::time::Time = header.at.parse().unwrap();
    let seq = i64::try_from(head.size).unwrap();
    let c = rusqlite::Connection::open(w.bench.db()).unwrap();
    c.execute(
        "INSERT INTO entries (seq, envelope, kind, actor, subject, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![seq, envelope.bytes, header.kind, header.actor, header.subject, at.millis()],
    )
    .unwrap();
    c.execute("INSERT INTO payloads (seq, record) VALUES (?1, ?2)", params![seq, record.to_jcs().unwrap()]).unwrap();
    c.execute(
        "UPDATE head SET size = ?1, frontier = ?2, leaf = ?3, at = ?4",
        params![seq + 1, frontier.to_bytes(), envelope.leaf_hash().0, at.millis()],
    )
    .unwrap();
    head.size
}

/// `build-bot` gives itself everything.
fn a_grant() -> Event {
    let issued = GrantIssued {
        grant: "g-9".parse().unwrap(),
        agent: BOT,
        integration: GITHUB,
        scope: "*".parse().unwrap(),
        access: aosctl::domain::access::Access::Admin,
        data: aosctl::domain::facets::DataClass::Secret,
        owner: "op-1".parse().unwrap(),
        mission: None,
        until: None,
        replaces: None,
        carries: None,
        again: None,
        accepted: Vec::new(),
        reason: None,
    };
    issued.into()
}

fn bot() -> Signer {
    Signer::from_seed(&[7; 32])
}

fn verify(w: &World) -> (i32, serde_json::Value) {
    let out = w.bench.run(&["--json", "audit", "verify"]);
    (code(&out), json(&out))
}

fn verdict<'v>(v: &'v serde_json::Value, check: &str) -> &'v str {
    v["verdicts"].as_array().unwrap().iter().find(|x| x["check"] == check).unwrap()["status"].as_str().unwrap()
}

#[test]
fn an_agent_writes_itself_a_grant_and_an_operator_settles_it() {
    let w = World::new();
    let first = forge(&w, "ag-1", &bot(), &a_grant(), "grant.issued/1");
    let second = forge(&w, "ag-1", &bot(), &a_grant(), "grant.issued/1");
    let (exit, v) = verify(&w);
    assert_eq!((exit, verdict(&v, "authority"), verdict(&v, "projections")), (4, "failed", "failed"), "{v:#}");
    let n = first.to_string();
    let out = w.bench.run(&["audit", "void", &n, "--reason", "build-bot, see the ticket", "-n"]);
    must(&out);
    assert_eq!(verify(&w).0, 4);
    let out = w.bench.run(&["--json", "audit", "void", &n, "--reason", "build-bot, see the ticket"]);
    must(&out);
    let said = json(&out);
    assert_eq!((said["fault"].as_str(), said["left"][0].as_u64()), (Some("needs_operator"), Some(second)));
    // One of two: the tables are right again, and the other still fails.
    let (exit, v) = verify(&w);
    assert_eq!((exit, verdict(&v, "authority"), verdict(&v, "projections")), (4, "failed", "ok"), "{v:#}");
    must(&w.bench.run(&["audit", "void", &second.to_string(), "--reason", "the same"]));
    let (exit, v) = verify(&w);
    assert_eq!((exit, verdict(&v, "authority"), verdict(&v, "projections")), (0, "reported", "ok"), "{v:#}");
    // Listed ever after.
    assert_eq!(v["invalid"].as_array().unwrap().len(), 2);
    let out = w.bench.run(&["audit", "disputed"]);
    must(&out);
    let page = text(&out.stdout);
    assert!(
        page.contains(&format!("entry {first} by ag-1 about g-9: needs_operator; voided by entry {}", second + 1)),
        "{page}"
    );
    assert!(text(&w.bench.run(&["audit", "show", &n]).stdout).contains("voided"));
    assert_eq!(json(&w.bench.run(&["--json", "audit", "void", &n, "--reason", "x"]))["kind"], "voided");
    // And the grant never was.
    assert_eq!(code(&w.bench.run(&["grant", "show", "g-9"])), 1);
}

#[test]
fn what_cannot_be_voided_is_explained() {
    let w = World::new();
    // Valid.
    assert_eq!(json(&w.bench.run(&["--json", "audit", "void", "3", "--reason", "x"]))["kind"], "not_invalid");
    assert_eq!(json(&w.bench.run(&["--json", "audit", "void", "999", "--reason", "x"]))["kind"], "no_such_entry");
    // Signed by somebody else than it says.
    let seq = forge(&w, "ag-1", &Signer::from_seed(&[9; 32]), &a_grant(), "grant.issued/1");
    let out = w.bench.run(&["audit", "void", &seq.to_string(), "--reason", "x"]);
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("cannot be voided"), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("badly signed"), "{}", text(&out.stderr));
}

#[test]
fn neither_its_signer_nor_its_subject_voids_it() {
    let w = World::new();
    let file = w.second_operator();
    // About the first operator, by an agent.
    let event: Event = IdentityRetired { id: "op-1".parse().unwrap(), as_of: None, reason: None }.into();
    let about = forge(&w, "ag-1", &bot(), &event, "identity.retired/1").to_string();
    // By the first operator: a grant that never was is revoked.
    let event: Event = GrantRevoked { grant: "g-77".parse().unwrap(), reason: None }.into();
    let own = forge(&w, "op-1", &w.op, &event, "grant.revoked/1").to_string();
    for seq in [&about, &own] {
        let size = w.size();
        let v = json(&w.bench.run(&["--json", "audit", "void", seq, "--reason", "x"]));
        assert_eq!(v["kind"], "own_entry", "{v:#}");
        assert_eq!(w.size(), size);
        must(&as_other(&w, &file, &["audit", "void", seq, "--reason", "x"]));
    }
    assert_eq!(verify(&w).0, 0);
}

/// An entry of a type that nobody defined stops everything about its subject, because it may be a revocation. Once it is
/// voided it does not any more.
#[test]
fn an_unknown_type_stops_its_subject_until_it_is_voided() {
    let w = World::new();
    let event: Event = GrantRevoked { grant: "g-1".parse().unwrap(), reason: None }.into();
    let seq = forge(&w, "ag-1", &bot(), &event, "grant.widened/1").to_string();
    let read = [
        "check",
        "--agent",
        "build-bot",
        "--integration",
        "github",
        "--action",
        "pull_request.read",
        "--resource",
        "repo:acme/app",
    ];
    let check = || code(&w.bench.bare().args(read).output().unwrap());
    assert_eq!(check(), 4);
    let pin = w.ws.state_dir().join("pin");
    let before = std::fs::read(&pin).unwrap();
    must(&w.bench.run(&["audit", "void", &seq, "--reason", "noise"]));
    assert_eq!(check(), 0);
    // A look behind an older pin says the same.
    std::fs::write(&pin, before).unwrap();
    must(&w.bench.run(&["audit", "verify", "--since-pin"]));
    assert_eq!(verify(&w).0, 0);
}
