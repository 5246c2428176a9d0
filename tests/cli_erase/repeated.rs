//! While somebody asks for an erasure, no operator's reason or note keeps what is to go.

use aosctl::domain::event::EntryCorrected;
use aosctl::domain::id::Id;
use aosctl::workspace::{By, WorkspaceError};

use crate::approve_world::{Ask, World, now};
use crate::support::{code, text};
use crate::{asked, erase, found_in, json, verifies};

const WHO: &str = "ana.alvarez@example.com";

/// Two operators, and the first asked to erase the parameters of an entry, in which that address stands.
fn waiting() -> (World, std::path::PathBuf, u64) {
    let w = World::new();
    let second = w.second_operator();
    let seq = asked(&w, &Ask { parameters: Some(format!("{{\"to\":\"{WHO}\"}}")), ..Ask::deploy() });
    let out = erase(&w, seq, &["--member", "parameters"]);
    assert_eq!((code(&out), json(&out)["request"].as_str().map(str::to_string)), (5, Some("r-2".into())));
    (w, second, seq)
}

#[test]
fn a_decision_about_it_must_not_repeat_it() {
    let (w, second, seq) = waiting();
    let n = seq.to_string();
    let size = w.size();
    let reason = format!("{} ASKED for it", WHO.to_uppercase());
    for args in [
        &["approve", "r-2", "--reason", &reason][..],
        &["approve", "r-2", "--reason", &reason, "-n"],
        &["deny", "r-2", "--reason", &reason],
        &["audit", "correct", &n, "--note", &reason],
        &["audit", "erase", &n, "--member", "diff", "--reason", &reason, "--yes"],
        &["operator", "retire", "op-1", "--reason", &reason],
    ] {
        let out = w.bench.cmd(args).arg("--identity").arg(&second).output().unwrap();
        let said = text(&out.stderr);
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code(&out), 1, "{args:?}: {said}");
        let where_it_stands = format!("repeats what stands in parameters of entry {seq}, which r-2 asks to erase");
        assert!(words.contains(&where_it_stands), "{args:?}: {said}");
        assert!(words.contains("cause: it would go into the log and stay there"), "{args:?}: {said}");
        assert!(words.contains("hint: say it without that text"), "{args:?}: {said}");
        // The page of the request that is decided does not show it either: it says which entry, and which members.
        let all = (said + &text(&out.stdout)).to_lowercase();
        assert!(!all.contains(WHO), "{args:?}: {all}");
        assert_eq!(w.size(), size, "{args:?}");
    }
    // Said without it, everything goes on, and nothing of it is left.
    let approve = ["approve", "r-2", "--reason", "GDPR request 7"];
    let out = w.bench.cmd(&approve).arg("--identity").arg(&second).output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let out = erase(&w, seq, &["--member", "parameters"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert_eq!(found_in(&w, &[WHO.to_string()]), Vec::<String>::new());
    verifies(&w);
    // Nothing is to be erased any more, so anything may be said.
    w.bench.ok(&["audit", "correct", &n, "--note", &reason]);
}

/// Whoever appends: the check is where entries are made, and not only in the commands.
#[test]
fn no_writer_passes_it_by() {
    let (w, _, seq) = waiting();
    let note = |note: &str| EntryCorrected { seq: 0, note: Some(note.into()) };
    let by = By::identity(Id::FIRST_OPERATOR, &w.op);
    let size = w.size();
    match w.append(now(), by, note(&format!("see {WHO}"))) {
        Err(WorkspaceError::Refused(fault)) => {
            assert_eq!(fault.kind, "repeats_erased");
            let said = format!("the note repeats what stands in parameters of entry {seq}, which r-2 asks to erase");
            assert_eq!(fault.detail, said);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(w.size(), size);
    // Of a member that stays it may speak.
    w.append(now(), by, note("Deploy release 1.4 to production")).unwrap();
    verifies(&w);
}

/// Nothing stands in the way of taking rights away (law 2), nor of taking the request itself back.
#[test]
fn closing_a_door_is_never_refused_for_its_reason() {
    let (w, _, _) = waiting();
    w.bench.ok(&["freeze", "--reason", WHO]);
    w.bench.ok(&["revoke", "g-1", "--reason", WHO]);
    w.bench.ok(&["request", "withdraw", "r-2", "--reason", WHO]);
    verifies(&w);
}
