//! What lies around the database: pin, log identity, old copies. And what must not alarm anybody.

use aosctl::domain::event::{GrantRevoked, WorkspaceFrozen, WorkspaceThawed};
use aosctl::domain::id::Id;
use aosctl::identity::{PlainIdentity, PlainKind, Signer};
use aosctl::log::checkpoint::{Checkpoint, VerifierKey};
use aosctl::log::hash::Hash;
use aosctl::log::key::PublicKey;
use aosctl::log::tree::Frontier;
use aosctl::log::verdict::{Check, Status};
use aosctl::workspace::{VerifyOptions, verify};

use crate::cases::{Mutation, Named, base, must_all_be_found, mutation, size, stage, verified};
use crate::world::{World, copy_tree, id, now};

fn pin(w: &World) -> Vec<u8> {
    std::fs::read(w.state().join("pin")).unwrap()
}

fn put_pin(w: &World, bytes: &[u8]) {
    std::fs::write(w.state().join("pin"), bytes).unwrap();
}

/// The workspace of before, and the state directory of now.
fn roll_back(w: &World, old: &World) {
    std::fs::remove_dir_all(w.place().dir).unwrap();
    copy_tree(&old.place().dir, &w.place().dir);
}

fn freeze_and_thaw(w: &World) {
    let cast = &stage().cast;
    w.must(cast, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    w.must(cast, "op-1", now(), |_| WorkspaceThawed { target: Id::WORKSPACE, reason: None }.into());
}

fn revoke(w: &World) {
    w.must(&stage().cast, "log", now(), |_| GrantRevoked { grant: id("g-1"), reason: None }.into());
}

#[test]
fn pins_and_old_copies() {
    let on_pin = || Named::Verdict(Check::PinAndWitnesses);
    let mut all: Vec<Mutation> = Vec::new();
    all.push(mutation("no pin", on_pin(), |w| {
        std::fs::remove_file(w.state().join("pin")).unwrap();
        Ok(())
    }));
    for (name, bytes) in [("an empty pin", &b""[..]), ("a pin of nothing", b"\n\n\n"), ("a pin of noise", &[0xff; 300])]
    {
        all.push(mutation(name, on_pin(), move |w| {
            put_pin(w, bytes);
            Ok(())
        }));
    }
    let length = pin(base()).len();
    for at in (0..length).step_by(length / 40) {
        all.push(mutation(format!("the pin: a bit at {at}"), on_pin(), move |w| {
            let mut bytes = pin(w);
            bytes[at] ^= 1;
            put_pin(w, &bytes);
            Ok(())
        }));
    }
    for (name, change) in [
        ("the pin says less", (|n| n - 1) as fn(u64) -> u64),
        ("the pin says more", |n| n + 1),
        ("the pin says much more", |n| n + 1_000_000),
    ] {
        all.push(mutation(name, on_pin(), move |w| {
            // As signed by somebody who has the log identity.
            let cast = &stage().cast;
            let ws = w.open();
            let head = ws.store().head().unwrap().unwrap();
            let root = Frontier::from_bytes(&head.frontier).unwrap().root();
            let note = Checkpoint { origin: ws.origin().name.clone(), size: change(head.size), root }
                .sign(|m| cast.log.sign(m), &PublicKey(cast.log.public()));
            put_pin(w, note.as_bytes());
            Ok(())
        }));
    }
    all.push(mutation("the pin has another root", on_pin(), |w| {
        let cast = &stage().cast;
        let ws = w.open();
        let note = Checkpoint { origin: ws.origin().name.clone(), size: size(), root: Hash([9; 32]) }
            .sign(|m| cast.log.sign(m), &PublicKey(cast.log.public()));
        put_pin(w, note.as_bytes());
        Ok(())
    }));
    all.push(mutation("the pin signed by somebody else", on_pin(), |w| {
        let other = Signer::from_seed(&[77; 32]);
        let ws = w.open();
        let head = ws.store().head().unwrap().unwrap();
        let root = Frontier::from_bytes(&head.frontier).unwrap().root();
        let note = Checkpoint { origin: ws.origin().name.clone(), size: head.size, root }
            .sign(|m| other.sign(m), &PublicKey(other.public()));
        put_pin(w, note.as_bytes());
        Ok(())
    }));
    all.push(mutation("one entry later, and the copy of before put back", on_pin(), |w| {
        let old = w.copy();
        revoke(w);
        roll_back(w, &old);
        Ok(())
    }));
    all.push(mutation("two entries later, and the copy of before put back", on_pin(), |w| {
        let old = w.copy();
        freeze_and_thaw(w);
        roll_back(w, &old);
        Ok(())
    }));
    all.push(mutation("another history of the same length", on_pin(), |w| {
        let other = w.copy();
        freeze_and_thaw(w);
        revoke(&other);
        freeze_and_thaw(&other);
        roll_back(w, &other);
        Ok(())
    }));
    all.push(mutation("the log identity of another", Named::Verdict(Check::Authority), |w| {
        let origin = w.open().origin().name.clone();
        let other = PlainIdentity::new(PlainKind::Log, "log", &origin, Signer::from_seed(&[78; 32])).unwrap();
        std::fs::write(w.state().join("log.json"), other.to_json().unwrap()).unwrap();
        Ok(())
    }));
    must_all_be_found("pins, identities and old copies", all);
}

/// The pin and the database rolled back together: nothing on this disk can tell, and the report says that it cannot.
#[test]
fn what_only_an_outside_checkpoint_can_tell_is_said() {
    let w = base().copy();
    let old = w.copy();
    revoke(&w);
    let outside = pin(&w);
    let v = verified(&old).unwrap();
    assert!(!v.report.failed());
    assert_eq!(v.report.status(Check::UnanchoredTail), Status::Reported);
    assert_ne!(outside, pin(&old));
    // An older pin beside a longer log is what a crash between commit and pin leaves, so it is no finding either.
    put_pin(&w, &pin(&old));
    let v = verified(&w).unwrap();
    assert!(!v.report.failed(), "{:#?}", v.report);
    // Without the log identity, the key is the log's own word, and the report says so.
    std::fs::remove_file(w.state().join("log.json")).unwrap();
    let v = verified(&w).unwrap();
    assert!(v.trusted.contains("from the log itself"), "{}", v.trusted);
    // A key known from elsewhere settles it.
    let other = VerifierKey::for_log(&v.origin, &PublicKey(Signer::from_seed(&[79; 32]).public()));
    let options = VerifyOptions { vkey: Some(other), threads: None };
    let v = verify(&w.place(), &options, now(), &mut |_, _| {}).unwrap();
    assert_eq!(v.report.status(Check::Authority), Status::Failed);
}

/// What databases do by themselves, and what somebody may do with them without changing what they say.
#[test]
fn no_false_alarms() {
    let harmless: [(&str, &str); 9] = [
        ("untouched", ""),
        ("VACUUM", "VACUUM"),
        ("a checkpoint", "PRAGMA wal_checkpoint(TRUNCATE)"),
        ("ANALYZE", "ANALYZE"),
        ("PRAGMA optimize", "PRAGMA optimize"),
        ("REINDEX", "REINDEX"),
        ("another journal", "PRAGMA journal_mode = DELETE"),
        ("another page size", "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM"),
        ("all of them", "ANALYZE; REINDEX; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"),
    ];
    let mut alarms = Vec::new();
    let mut looks = 0;
    for (name, sql) in harmless {
        let w = base().copy();
        w.sql().execute_batch(sql).unwrap();
        // And it goes on: what is appended afterwards verifies too, with a reader holding an old view meanwhile.
        // (Without WAL a reader would rightly make the writer wait.)
        let reader = w.sql();
        if !sql.contains("journal") {
            reader.execute_batch("BEGIN; SELECT count(*) FROM entries").unwrap();
        }
        for step in 0..3 {
            match verified(&w) {
                Ok(v) if !v.report.failed() && v.differences.is_empty() => looks += 1,
                other => alarms.push(format!("{name}, step {step}: {other:#?}")),
            }
            if step == 1 && !reader.is_autocommit() {
                reader.execute_batch("COMMIT").unwrap();
            }
            freeze_and_thaw(&w);
        }
    }
    // A copy of the directory, opened elsewhere.
    let (w, copied) = (base().copy(), base().copy().copy());
    assert_eq!(verified(&w).unwrap().root, verified(&copied).unwrap().root);
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
    println!("false alarms: 0 in {looks} looks");
}

/// Everything that the database says, in order.
fn dump(w: &World) -> rusqlite::Result<Vec<String>> {
    let c = w.sql();
    let tables: Vec<String> = c
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let mut said = vec![format!("{tables:?}")];
    for t in tables {
        let mut s = c.prepare(&format!("SELECT * FROM {t} NOT INDEXED"))?;
        let n = s.column_count();
        let mut rows = s.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<rusqlite::types::Value> = (0..n).map(|i| row.get(i)).collect::<Result<_, _>>()?;
            said.push(format!("{values:?}"));
        }
    }
    Ok(said)
}

/// A byte of the file itself turned over, as a bad disk or a hex editor does. Where nothing is found, nothing was said
/// there: the file still says what it said.
#[test]
fn bytes_of_the_file() {
    let truth = dump(&base().copy()).unwrap();
    let length = std::fs::metadata(base().place().database()).unwrap().len() as usize;
    let (mut found, mut unused, mut unreadable) = (0, 0, 0);
    // The first hundred bytes are SQLite's header: with another one it is no workspace of ours, or a newer one.
    for at in (100..length).step_by(length / 150) {
        let w = base().copy();
        let path = w.place().database();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[at] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        match verified(&w) {
            Ok(v) if v.report.failed() => found += 1,
            Ok(_) => {
                assert_eq!(dump(&w).unwrap(), truth, "byte {at}: something else is said, and nothing was found");
                unused += 1;
            }
            Err(e) => {
                assert!(e.integrity, "byte {at}: {}", e.text);
                unreadable += 1;
            }
        }
    }
    println!(
        "bytes of the file: {found} found, {unreadable} unreadable and said so, {unused} where nothing is written"
    );
    assert!(found + unreadable > 40);
}
