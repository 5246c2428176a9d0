//! Nothing of the text is left in any file.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;

use crate::approve_world::{Ask, World, now};
use crate::support::{code, sql, text};
use crate::{asked, canary, erase, files, found_in, json, verifies, with_canaries};

const LENGTHS: [usize; 8] = [8, 31, 900, 4_096, 5_000, 9, 70_000, 300_000];

#[test]
fn texts_of_every_length_are_gone() {
    let w = World::new();
    let mut all = Vec::new();
    let mut seqs = Vec::new();
    for n in 1..=3 {
        let (ask, texts) = with_canaries(n, &LENGTHS);
        seqs.push(asked(&w, &ask));
        all.push(texts);
    }
    assert!(!found_in(&w, &all[1]).is_empty(), "the search finds what is there");
    let out = erase(&w, seqs[1], &[]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let v = json(&out);
    assert_eq!((v["state"].as_str(), v["bytes_gone"].as_bool()), (Some("erased"), Some(true)), "{v:#}");
    assert_eq!(v["self_approved"], true);
    // This process has the database open all the while.
    assert_eq!(found_in(&w, &all[1]), Vec::<String>::new());
    assert!(!found_in(&w, &all[0]).is_empty() && !found_in(&w, &all[2]).is_empty(), "and nothing else went");
    verifies(&w);
    // What moves between pages leaves nothing behind either.
    for n in [2, 0] {
        assert_eq!(code(&erase(&w, seqs[n], &[])), 0);
        assert_eq!(found_in(&w, &all[n]), Vec::<String>::new());
    }
    verifies(&w);
}

#[test]
fn text_that_lies_in_free_pages_goes_too() {
    let w = World::new();
    let (ask, texts) = with_canaries(7, &[5_000, 40]);
    let seq = asked(&w, &ask);
    // Somebody with a shell copied it about, without secure_delete, and deleted that again.
    let c = Connection::open(w.bench.db()).unwrap();
    c.execute_batch(&format!(
        "PRAGMA secure_delete = OFF; PRAGMA foreign_keys = OFF;
         INSERT INTO payloads SELECT 900000, record FROM payloads WHERE seq = {seq};"
    ))
    .unwrap();
    sql(
        &w.bench.db(),
        "DROP TRIGGER payloads_keep_2; PRAGMA secure_delete = OFF; DELETE FROM payloads WHERE seq = 900000;",
    );
    drop(c);
    assert_eq!(code(&erase(&w, seq, &[])), 0);
    assert_eq!(found_in(&w, &texts), Vec::<String>::new());
    verifies(&w);
}

#[test]
fn copies_from_before_a_migration_lose_it() {
    let w = World::new();
    let older = w.bench.workspace().join("aosctl.db.v1-backup");
    let newer = w.bench.workspace().join("aosctl.db.v2-backup");
    let copy = |to: &std::path::Path| {
        Connection::open(w.bench.db()).unwrap().execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
    };
    copy(&older);
    let (ask, texts) = with_canaries(8, &[60]);
    let seq = asked(&w, &ask);
    copy(&newer);
    std::fs::write(w.bench.workspace().join("aosctl.db.v2-backup.new"), texts[0].as_bytes()).unwrap();
    let v = json(&erase(&w, seq, &[]));
    let removed: Vec<_> = v["removed_copies"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(removed, ["aosctl.db.v2-backup", "aosctl.db.v2-backup.new"]);
    assert!(older.exists() && !newer.exists());
    assert_eq!(found_in(&w, &texts), Vec::<String>::new());
}

/// A reader of an older snapshot keeps the bytes. That is said, and the next ones finish.
#[test]
fn a_reader_of_an_older_snapshot_is_waited_for_and_then_named() {
    let w = World::new();
    let (ask, texts) = with_canaries(9, &[3_000, 20]);
    let seq = asked(&w, &ask);
    let reader = Connection::open(w.bench.db()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM payloads;").unwrap();
    let out = erase(&w, seq, &[]);
    assert_eq!(code(&out), 1, "{}{}", text(&out.stdout), text(&out.stderr));
    assert_eq!(json(&out)["bytes_gone"], false);
    assert!(text(&out.stderr).contains("aosctl audit erase --finish"), "{}", text(&out.stderr));
    verifies(&w);
    // Whatever is typed meanwhile says so; nobody waits for it.
    let out = w.bench.run(&["status"]);
    assert!(text(&out.stderr).contains("bytes of something that was erased"), "{}", text(&out.stderr));
    reader.execute_batch("COMMIT").unwrap();
    let out = w.bench.run(&["audit", "erase", "--finish"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert_eq!(found_in(&w, &texts), Vec::<String>::new());
    assert_eq!(text(&w.bench.run(&["audit", "erase", "--finish"]).stdout), "nothing is left to finish\n");
    let out = w.bench.run(&["status"]);
    assert!(!text(&out.stderr).contains("bytes of something"), "{}", text(&out.stderr));
    verifies(&w);
}

/// A reader that goes away in time is only waited for; and a writer finishes what was left.
#[test]
fn readers_that_end_in_time_cost_nothing() {
    let w = World::new();
    let (ask, texts) = with_canaries(10, &[3_000, 20]);
    let seq = asked(&w, &ask);
    let db = w.bench.db();
    let (tell, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let reader = Connection::open(db).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM payloads;").unwrap();
        tell.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(700));
        reader.execute_batch("COMMIT").unwrap();
    });
    told.recv().unwrap();
    let out = erase(&w, seq, &[]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    reader.join().unwrap();
    assert_eq!(found_in(&w, &texts), Vec::<String>::new());
    // As if it had been cut off: the next writer finishes.
    std::fs::write(w.bench.workspace().join("erasing"), b"{\"entries\":[1]}").unwrap();
    w.ask(now(), &Ask::deploy());
    assert!(!w.bench.workspace().join("erasing").exists());
    // And one that cannot be read is finished, too.
    std::fs::write(w.bench.workspace().join("erasing"), b"\xff").unwrap();
    assert_eq!(code(&w.bench.run(&["audit", "erase", "--finish"])), 0);
    assert!(!w.bench.workspace().join("erasing").exists());
}

/// Whatever the texts are and whichever of them go, the log verifies and they are gone.
#[test]
fn any_texts_and_any_of_them() {
    let w = World::new();
    let text = "\\PC{0,40}";
    let all = (
        prop::option::of(text),
        prop::option::of(text),
        prop::option::of(prop::collection::vec(text, 0..3)),
        prop::option::of(text),
        any::<u8>(),
        0_usize..9_000,
    );
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let cases = std::cell::Cell::new(500);
    runner
        .run(&all, |(summary, rationale, alternatives, diff, choice, length)| {
            cases.set(cases.get() + 1);
            let case = cases.get();
            let marks = [canary(case, 12), canary(case + 100, 12)];
            let long = canary(case + 200, length + 8);
            let ask = Ask {
                summary: summary.map(|s| s + &marks[0]),
                rationale: rationale.map(|s| marks[1].clone() + &s),
                alternatives,
                diff: diff.map(|s| s + &long),
                rollback: None,
                recommendation: None,
                ..Ask::deploy()
            };
            let seq = asked(&w, &ask);
            let there: Vec<(&str, &str)> = [
                (ask.summary.is_some(), "summary", marks[0].as_str()),
                (ask.rationale.is_some(), "rationale", marks[1].as_str()),
                (ask.diff.is_some(), "diff", long.as_str()),
                (ask.alternatives.is_some(), "alternatives", ""),
                (true, "parameters", ""),
                (true, "artifacts", ""),
            ]
            .into_iter()
            .filter(|(there, ..)| *there)
            .map(|(_, name, mark)| (name, mark))
            .collect();
            let chosen: Vec<_> =
                there.iter().enumerate().filter(|(n, _)| choice >> n & 1 == 1).map(|(_, m)| *m).collect();
            if chosen.is_empty() {
                return Ok(());
            }
            let flags: Vec<&str> = chosen.iter().flat_map(|(name, _)| ["--member", name]).collect();
            let out = erase(&w, seq, &flags);
            prop_assert_eq!(code(&out), 0, "{}{}", crate::text(&out.stdout), crate::text(&out.stderr));
            let gone: Vec<String> =
                chosen.iter().filter(|(_, mark)| !mark.is_empty()).map(|(_, mark)| (*mark).to_string()).collect();
            prop_assert_eq!(found_in(&w, &gone), Vec::<String>::new());
            for (name, mark) in there.iter().filter(|m| !chosen.contains(m) && !m.1.is_empty()) {
                prop_assert!(!found_in(&w, &[(*mark).to_string()]).is_empty(), "{} went, too", name);
            }
            Ok(())
        })
        .unwrap();
    verifies(&w);
    assert!(files(&w.bench.workspace()).iter().all(|(path, _)| !path.ends_with("erasing")));
}
