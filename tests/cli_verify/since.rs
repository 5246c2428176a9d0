//! `--since-pin`: what lies behind the pin, and nothing else.

use aosctl::domain::event::{GrantRevoked, WorkspaceFrozen, WorkspaceThawed};
use aosctl::domain::id::Id;

use crate::bundle::{Files, at, calm, json, nowhere, page, stage, status, text, verdict};
use crate::world::{Forgery, World, id, now};

fn pin(w: &World) -> Vec<u8> {
    std::fs::read(w.state().join("pin")).unwrap()
}

fn put_pin(w: &World, bytes: &[u8]) {
    std::fs::write(w.state().join("pin"), bytes).unwrap();
}

/// Two entries more than its pin covers, as a crash between commit and pin leaves it.
fn behind() -> (World, u64) {
    let w = stage().copy();
    let before = pin(&w);
    let cast = &stage().cast;
    w.must(cast, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    w.must(cast, "op-1", now(), |_| WorkspaceThawed { target: Id::WORKSPACE, reason: None }.into());
    put_pin(&w, &before);
    (w, Files::base().entries.len() as u64)
}

fn since(w: &World) -> (i32, serde_json::Value) {
    json(&at(w, &["--since-pin", "--json"]))
}

#[test]
fn nothing_new_is_quickly_said() {
    let w = stage().copy();
    let size = Files::base().entries.len() as u64;
    let (code, v) = since(&w);
    assert_eq!((code, v["verified"].as_bool(), v["verified_from"].as_u64()), (0, Some(true), Some(size)));
    assert_eq!((v["entries"].as_u64(), v["pinned"].as_u64()), (Some(size), Some(size)));
    assert_eq!(status(&v, "projections"), "not checked");
    let page = page(&at(&w, &["--since-pin"]));
    assert!(page.contains(&format!("entries 0 to {} were taken for verified", size - 1)), "{page}");
    assert!(page.contains(&format!("verified since the pin: 0 of {size} entries")), "{page}");
    let line = text(&at(&w, &["--since-pin", "--monitor"]));
    assert!(line.starts_with(calm()), "{line}");
    // The same root as everything proves.
    let (_, all) = json(&at(&w, &["--json"]));
    assert_eq!((&v["root"], &v["log"]), (&all["root"], &all["log"]));
    // What lies before the pin is not looked at, and that is what the page says.
    w.sql().execute_batch("UPDATE requests SET mission = 'x'").unwrap();
    assert_eq!(since(&w).0, 0);
    assert_eq!(at(&w, &[]).status.code(), Some(4));
}

#[test]
fn a_tail_is_verified_and_the_pin_stays() {
    let (w, size) = behind();
    let before = pin(&w);
    let (code, v) = since(&w);
    assert_eq!((code, v["verified_from"].as_u64(), v["entries"].as_u64()), (0, Some(size), Some(size + 2)), "{v}");
    for check in ["canonical_form", "signatures", "chain", "tree_root", "commitments", "authority", "pin_and_witnesses"]
    {
        assert_eq!(status(&v, check), "ok", "{check}");
    }
    assert_eq!(pin(&w), before);
    assert_eq!(v["root"], json(&at(&w, &["--json"])).1["root"]);
    // A checkpoint from outside is compared, too.
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kept");
    std::fs::write(&kept, Files::base().note(9)).unwrap();
    let (code, v) = json(&at(&w, &["--since-pin", "--checkpoint", kept.to_str().unwrap(), "--json"]));
    assert_eq!((code, v["unanchored"]["from_seq"].as_u64()), (0, Some(9)), "{v}");
    assert_eq!(
        v["unanchored"]["since"],
        json(&at(&w, &["--checkpoint", kept.to_str().unwrap(), "--json"])).1["unanchored"]["since"]
    );
}

#[test]
fn what_is_wrong_behind_the_pin_is_found() {
    let cast = &stage().cast;
    // An entry by an agent that has no right to it, and one whose signature is another's.
    let (w, size) = behind();
    let before = pin(&w);
    let event = GrantRevoked { grant: id("g-1"), reason: None }.into();
    Forgery::of(cast, "ag-2", &event, None, now()).seal(&w).append(&w, cast);
    put_pin(&w, &before);
    let (code, v) = since(&w);
    assert_eq!((code, verdict(&v, "authority")), (4, ("failed".into(), Some(size + 2), "no_authority".into())), "{v}");
    let (w, _) = behind();
    Forgery::of(cast, "impostor", &event, None, now()).seal(&w).append(&w, cast);
    put_pin(&w, &before);
    let (code, v) = since(&w);
    assert_eq!(
        (code, verdict(&v, "signatures").1, verdict(&v, "authority").1),
        (4, Some(size + 2), Some(size + 2)),
        "{v}"
    );
    // The payload of an entry behind the pin, and the entry itself.
    let (w, _) = behind();
    crate::bundle::on_log(&w, &format!("UPDATE payloads SET record = x'7b7d' WHERE seq = {size}"));
    let (code, v) = since(&w);
    assert_eq!((code, verdict(&v, "commitments").1), (4, Some(size)), "{v}");
    let (w, _) = behind();
    crate::bundle::on_log(
        &w,
        &format!("UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE seq = 3) WHERE seq = {size}"),
    );
    let (code, v) = since(&w);
    assert_eq!((code, verdict(&v, "chain").1), (4, Some(size)), "{v}");
    // An entry that the pin covers is not looked at by itself, but its hash is what the pin's root stands on.
    let (w, _) = behind();
    crate::bundle::on_log(
        &w,
        "UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE seq = 4) WHERE seq = 3",
    );
    let (code, v) = since(&w);
    assert_eq!((code, verdict(&v, "pin_and_witnesses").2), (4, "fork".into()), "{v}");
}

/// Without a pin that holds nothing vouches for the entries before it: nobody looked at them, and nothing says ok.
fn nothing_was_taken_for_verified(w: &World, v: &serde_json::Value) {
    assert_eq!(v["verified_from"].as_u64(), Some(0), "{v}");
    for check in ["canonical_form", "signatures", "chain", "commitments", "authority"] {
        assert_eq!(status(v, check), "not checked", "{check}: {v}");
    }
    assert_eq!(status(v, "tree_root"), "failed", "{v}");
    let page = page(&at(w, &["--since-pin"]));
    assert!(!page.contains("taken for verified, because the pin covers them"), "{page}");
}

#[test]
fn the_end_must_be_what_was_pinned() {
    let size = Files::base().entries.len() as u64;
    // The last entry is gone, with and without the table that counts it.
    let w = stage().copy();
    crate::bundle::on_log(
        &w,
        &format!("DELETE FROM payloads WHERE seq = {0}; DELETE FROM entries WHERE seq = {0}", size - 1),
    );
    assert_eq!(since(&w).0, 4);
    let w = stage().copy();
    w.sql().execute_batch("UPDATE head SET frontier = x'00'").unwrap();
    assert_eq!(since(&w).0, 4);
    let w = stage().copy();
    w.sql().execute_batch("UPDATE head SET leaf = zeroblob(32)").unwrap();
    assert_eq!(since(&w).0, 4);
    // No pin, a pin of noise, an older copy under a newer pin.
    let w = stage().copy();
    std::fs::remove_file(w.state().join("pin")).unwrap();
    let (code, v) = since(&w);
    assert_eq!((code, verdict(&v, "pin_and_witnesses").2), (4, "pin_missing".into()));
    nothing_was_taken_for_verified(&w, &v);
    let w = stage().copy();
    put_pin(&w, b"noise");
    let (code, v) = since(&w);
    assert_eq!(code, 4);
    nothing_was_taken_for_verified(&w, &v);
    let old = stage().copy();
    let (newer, _) = behind();
    newer.must(&stage().cast, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    put_pin(&old, &pin(&newer));
    let (code, v) = since(&old);
    assert_eq!((code, verdict(&v, "pin_and_witnesses")), (4, ("failed".into(), Some(size), "rolled_back".into())));
    nothing_was_taken_for_verified(&old, &v);
    // A bundle has no pin.
    assert_eq!(nowhere(&["--since-pin", "--bundle", "x", "--vkey", &Files::base().vkey()]).status.code(), Some(2));
}
