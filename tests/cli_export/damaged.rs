//! A log that is not sound: its bytes go out as they are, and no fresh signature makes them good.

use std::path::Path;

use aosctl::domain::event::{Event, WorkspaceThawed};
use aosctl::domain::id::Id;
use aosctl::log::checkpoint::{Checkpoint, VerifierKey};

use crate::support::{code, text};
use crate::world::Forgery;
use crate::{aosctl, copy, export, exported, files, keep, out, stage, vkey};

/// What somebody with a shell does: the triggers go and come back.
fn attack(db: &Path, statements: &str) {
    let triggers = "DROP TRIGGER entries_keep_1; DROP TRIGGER entries_keep_2; DROP TRIGGER payloads_keep_1;
         DROP TRIGGER payloads_keep_2; ";
    crate::support::sql(db, &format!("PRAGMA foreign_keys = OFF; {triggers}{statements}"));
}

#[test]
fn bytes_go_out_as_they_are_and_unsigned() {
    let w = copy();
    let place = w.place();
    let pin = std::fs::read(w.state().join("pin")).unwrap();
    let whole = files(&exported(&place, "before", &[]));
    attack(
        &place.database(),
        "UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE seq = 6) WHERE seq = 5;
         UPDATE payloads SET record = CAST(record || x'20' AS BLOB) WHERE seq = 7;
         DELETE FROM payloads WHERE seq = 9",
    );
    let done = export(&place, "after", &[]);
    assert_eq!(code(&done), 4, "{}", text(&done.stderr));
    let said = text(&done.stderr);
    assert!(said.contains("not sound") && text(&done.stdout).contains("NOT SIGNED"), "{said}");
    let found = files(&out(&place, "after"));
    // The pin went out: the log identity's last word, which these entries do not fit.
    assert_eq!(found["checkpoint"], pin);
    let lines = |f: &[u8]| text(f).lines().map(String::from).collect::<Vec<_>>();
    let (before, after) = (lines(&whole["entries.jsonl"]), lines(&found["entries.jsonl"]));
    assert_eq!(after[5], before[6]);
    assert_eq!((&after[..5], &after[6..]), (&before[..5], &before[6..]));
    let (before, after) = (lines(&whole["payloads.jsonl"]), lines(&found["payloads.jsonl"]));
    assert_eq!(after.len() + 1, before.len());
    assert!(after[7].ends_with("} ") && !after[7].contains("\"seq\""), "it was put right: {}", after[7]);
    keep(&place, &out(&place, "after"), "export-damaged");
}

#[test]
fn a_cut_or_rolled_back_log_is_not_signed() {
    for (name, statements) in [
        ("the end cut", "DELETE FROM payloads WHERE seq > 40; DELETE FROM entries WHERE seq > 40"),
        ("a gap", "DELETE FROM payloads WHERE seq = 12; DELETE FROM entries WHERE seq = 12"),
        ("no head", "DELETE FROM head"),
        ("an entry far behind", "INSERT INTO entries VALUES (9223372036854775807, x'7b7d', 'x', 'x', 'x', 1)"),
    ] {
        let w = copy();
        let place = w.place();
        attack(&place.database(), statements);
        let done = export(&place, "b", &[]);
        assert_eq!(code(&done), 4, "{name}: {}", text(&done.stderr));
        let found = files(&out(&place, "b"));
        let key = VerifierKey::parse(&vkey(&place)).unwrap();
        let (checkpoint, _) = Checkpoint::open(&found["checkpoint"], &key).unwrap();
        let pin = std::fs::read(w.state().join("pin")).unwrap();
        assert_eq!(Checkpoint::open(&pin, &key).unwrap().0, checkpoint, "{name}: signed anew");
    }
}

#[test]
fn pins() {
    let w = copy();
    let place = w.place();
    std::fs::remove_file(w.state().join("pin")).unwrap();
    let done = export(&place, "missing", &[]);
    assert_eq!(code(&done), 0, "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("there is no pin"), "{}", text(&done.stderr));
    assert!(files(&out(&place, "missing")).contains_key("checkpoint"));
    std::fs::write(w.state().join("pin"), "noise").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(w.state().join("pin"), private).unwrap();
    let done = export(&place, "broken", &[]);
    assert_eq!(code(&done), 4, "{}", text(&done.stderr));
    let found = files(&out(&place, "broken"));
    assert_eq!(found["checkpoint"], b"noise");
    assert!(!found.contains_key("checkpoint.sig"), "noise was signed");
    // A link to the state directory of nobody.
    let elsewhere = out(&place, "elsewhere");
    let done = aosctl(&place, &["audit", "export", "-o", "x"]).env("AOSCTL_STATE_DIR", &elsewhere).output().unwrap();
    assert_eq!(code(&done), 3, "{}", text(&done.stderr));
}

#[test]
fn an_entry_without_authority_goes_out_with_the_rest() {
    let w = copy();
    let place = w.place();
    let event: Event = WorkspaceThawed { target: Id::WORKSPACE, reason: None }.into();
    let sealed = Forgery::of(&stage().cast, "ag-2", &event, None, crate::world::now()).seal(&w);
    sealed.append(&w, &stage().cast);
    let dir = exported(&place, "invalid", &[]);
    assert_eq!(text(&files(&dir)["entries.jsonl"]).lines().last().unwrap().as_bytes(), sealed.envelope);
    keep(&place, &dir, "export-invalid");
}
