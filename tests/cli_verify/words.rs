//! What happened to a workspace has a word of its own, and the page says what to type next.

use aosctl::domain::event::WorkspaceFrozen;
use aosctl::domain::id::Id;

use crate::bundle::{Files, at, calm, json, on_log, page, stage, text, verdict};
use crate::world::{Stage, World, copy_tree, now};

const PIN: &str = "pin_and_witnesses";

fn said(w: &World) -> (i32, (String, Option<u64>, String), String) {
    let (code, v) = json(&at(w, &["--json"]));
    (code, verdict(&v, PIN), page(&at(w, &[])))
}

fn failed(seq: Option<u64>, reason: &str) -> (String, Option<u64>, String) {
    ("failed".into(), seq, reason.into())
}

#[test]
fn each_loss_has_its_word() {
    let size = Files::base().entries.len() as u64;
    let cast = &stage().cast;
    // Yesterday's database under today's pin.
    let w = stage().copy();
    let yesterday = w.copy();
    w.must(cast, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    std::fs::copy(w.state().join("pin"), yesterday.state().join("pin")).unwrap();
    let (code, v, page) = said(&yesterday);
    assert_eq!((code, v), (4, failed(Some(size), "rolled_back")));
    assert!(page.contains("aosctl workspace accept-rollback"), "{page}");
    // The end was cut off, and the tables know better.
    let w = stage().copy();
    on_log(&w, &format!("DELETE FROM payloads WHERE seq = {0}; DELETE FROM entries WHERE seq = {0}", size - 1));
    let (code, v, page) = said(&w);
    assert_eq!((code, v), (4, failed(Some(size - 1), "tail_cut")));
    assert!(page.contains("aosctl workspace accept-rollback"), "{page}");
    // Another workspace was put in its place.
    let w = stage().copy();
    let other = Stage::new().copy();
    std::fs::remove_dir_all(w.place().dir).unwrap();
    copy_tree(&other.place().dir, &w.place().dir);
    let (code, v, page) = said(&w);
    assert_eq!((code, v), (4, failed(None, "other_log")));
    assert!(page.contains("--workspace"), "{page}");
    // With the key of the right log, whatever this machine knows.
    let (code, v) = json(&at(&other, &["--vkey", &Files::base().vkey(), "--json"]));
    assert_eq!((code, verdict(&v, PIN)), (4, failed(None, "other_log")));
    // No pin.
    let w = stage().copy();
    std::fs::remove_file(w.state().join("pin")).unwrap();
    let (code, v, page) = said(&w);
    assert_eq!((code, v), (4, failed(None, "pin_missing")));
    assert!(page.contains("aosctl audit verify --checkpoint FILE"), "{page}");
    // Another history of the same log.
    let w = stage().copy();
    let other = w.copy();
    w.must(cast, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    other.must(cast, "op-1", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    std::fs::copy(w.state().join("pin"), other.state().join("pin")).unwrap();
    let (code, v, _) = said(&other);
    assert_eq!((code, v), (4, failed(None, "fork")));
}

/// That nobody may look is not the same as that there is none: `init` would be the wrong advice.
#[test]
fn a_place_that_cannot_be_looked_into_is_not_called_empty() {
    let w = stage().copy();
    std::fs::remove_dir_all(w.place().dir).unwrap();
    std::os::unix::fs::symlink(w.place().dir, w.place().dir).unwrap();
    for args in [&[][..], &["--since-pin"]] {
        let out = at(&w, args);
        assert_eq!(out.status.code(), Some(3), "{}", text(&out));
        assert!(text(&out).contains("cannot look at") && !text(&out).contains("aosctl init"), "{}", text(&out));
    }
}

#[test]
fn the_status_line_is_short() {
    let line = text(&at(&stage().copy(), &["--monitor"]));
    assert!(line.starts_with(calm()) && line.contains(" entries") && line.contains(" | failed=0;;0;0"), "{line}");
    assert!(line.trim_end().chars().count() <= 80, "{line}");
}
