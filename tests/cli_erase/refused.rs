//! What is refused, and what stays as it is.

use crate::approve_world::{Ask, World, minutes_ago, now};
use crate::support::{code, text};
use crate::{asked, erase, json, verifies, with_canaries};
use aosctl::domain::event::WorkspaceFrozen;
use aosctl::domain::id::Id;

#[test]
fn only_what_may_be_erased_and_is_there() {
    let w = World::new();
    let seq = asked(&w, &Ask::deploy());
    let size = w.size();
    for member in ["action", "facets", "note", "nothing", "\u{1b}[31m"] {
        let out = erase(&w, seq, &["--member", member]);
        assert_eq!(code(&out), 2, "{member}");
        assert!(
            text(&out.stderr).contains("what may be erased in it: alternatives, artifacts, diff"),
            "{}",
            text(&out.stderr)
        );
        assert!(!text(&out.stderr).contains('\u{1b}'));
    }
    let out = erase(&w, 9_999, &[]);
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("there is no entry 9999"));
    // A grant without a reason holds none of these names.
    let grant = w.ws.facts().grant_entry();
    let out = erase(&w, grant, &[]);
    assert_eq!((code(&out), json(&out)["kind"].as_str().map(str::to_string)), (1, Some("nothing_to_erase".into())));
    let out = erase(&w, grant, &["--member", "reason"]);
    assert_eq!(code(&out), 2);
    assert!(text(&out.stderr).contains("what may be erased in it: nothing"), "{}", text(&out.stderr));
    assert_eq!(w.size(), size);
    // Twice is once.
    assert_eq!(code(&erase(&w, seq, &["--member", "diff"])), 0);
    let out = erase(&w, seq, &["--member", "diff"]);
    assert_eq!((code(&out), json(&out)["kind"].as_str().map(str::to_string)), (1, Some("erased".into())));
    // The rest may go later.
    assert_eq!(code(&erase(&w, seq, &[])), 0);
    assert_eq!(json(&erase(&w, seq, &[]))["kind"], "erased");
    verifies(&w);
}

trait GrantEntry {
    fn grant_entry(&self) -> u64;
}

impl GrantEntry for aosctl::workspace::Trusted<'_> {
    fn grant_entry(&self) -> u64 {
        use aosctl::domain::facts::Facts;
        self.grant("g-1".parse().unwrap()).unwrap().unwrap().issued_seq
    }
}

#[test]
fn the_reason_must_not_repeat_what_goes() {
    let w = World::new();
    let ask = Ask { parameters: Some("{\"to\":\"ana@example.com\"}".into()), ..Ask::deploy() };
    let seq = asked(&w, &ask).to_string();
    for reason in ["forget Ana@Example.com", "it said: Deploy release 1.4 to production"] {
        let out = w.bench.run(&["audit", "erase", &seq, "--reason", reason, "--yes"]);
        assert_eq!(code(&out), 2, "{reason}");
        assert!(text(&out.stderr).contains("the reason repeats what stands in"), "{}", text(&out.stderr));
    }
    // Of a member that stays it may speak.
    let out = w.bench.run(&["audit", "erase", &seq, "--member", "diff", "--reason", "ana@example.com", "--yes"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    // And without a reason, or somebody to ask, nothing goes.
    assert_eq!(code(&w.bench.run(&["audit", "erase", &seq, "--yes"])), 2);
    let out = w.bench.run(&["--no-input", "audit", "erase", &seq, "--reason", "x"]);
    assert_eq!(code(&out), 3);
    assert!(text(&out.stderr).contains("--yes"), "{}", text(&out.stderr));
    assert_eq!(code(&w.bench.run(&["audit", "erase"])), 2);
    assert_eq!(code(&w.bench.run(&["audit", "erase", &seq, "--finish"])), 2);
}

/// Its parameters are gone, so nobody can tell whether they say more than was approved.
#[test]
fn what_was_approved_cannot_be_begun_without_its_parameters() {
    let w = World::new();
    let ask = Ask { artifacts: None, ..Ask::deploy() };
    let id = w.ask(minutes_ago(12), &ask);
    w.answer(minutes_ago(11), id, true, None);
    let seq = w.ws.store().about(id, u64::MAX).unwrap()[0].seq;
    assert_eq!(code(&erase(&w, seq, &["--member", "parameters"])), 0);
    let out = w.bench.agent("build-bot", &["request", "begin", &id.to_string()]).output().unwrap();
    assert_eq!(code(&out), 1, "{}{}", text(&out.stdout), text(&out.stderr));
    let said = format!("what {id} would do was erased (parameters), so it can no longer be begun");
    assert!(text(&out.stderr).contains(&said), "{}", text(&out.stderr));
    verifies(&w);
}

/// Why it was asked may go: what it would do is still what was approved.
#[test]
fn what_was_approved_can_be_begun_without_its_texts() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask { artifacts: None, ..Ask::deploy() });
    w.answer(minutes_ago(11), id, true, None);
    let seq = w.ws.store().about(id, u64::MAX).unwrap()[0].seq;
    assert_eq!(code(&erase(&w, seq, &["--member", "rationale", "--member", "summary"])), 0);
    let out = w.bench.agent("build-bot", &["request", "begin", &id.to_string()]).output().unwrap();
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    verifies(&w);
}

#[test]
fn mistakes_are_named() {
    let w = World::new();
    let seq = asked(&w, &Ask::deploy()).to_string();
    let size = w.size();
    let said = |args: &[&str], exit: i32, what: &str| {
        let out = w.bench.run(args);
        assert_eq!(code(&out), exit, "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains(what), "{args:?}: {}", text(&out.stderr));
    };
    // What stays in the log for good says something.
    said(&["audit", "erase", &seq, "--reason", " \t ", "--yes"], 2, "--reason: the text is empty");
    said(&["audit", "correct", &seq, "--note", " "], 2, "--note: the text is empty");
    said(&["audit", "void", &seq, "--reason", "\n"], 2, "--reason: the text is empty");
    for typed in ["r-1", "99999999999999999999999"] {
        for verb in ["erase", "correct", "void", "show"] {
            said(&["audit", verb, typed], 2, "no entry's number\n\nfind it: aosctl audit log");
        }
    }
    // An agent's identity is no damaged file.
    for args in [&["audit", "erase", &seq, "--reason", "x"][..], &["audit", "correct", &seq, "--note", "x"]] {
        let out = w.bench.agent("build-bot", args).output().unwrap();
        assert_eq!(code(&out), 1, "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains("is an agent, and only an operator may do this"), "{}", text(&out.stderr));
    }
    assert_eq!(w.size(), size);
}

#[test]
fn frozen_means_that_nothing_is_erased() {
    let w = World::new();
    let seq = asked(&w, &Ask::deploy());
    w.sign(now(), WorkspaceFrozen { target: Id::WORKSPACE, reason: None });
    let size = w.size();
    let out = erase(&w, seq, &[]);
    assert_eq!(code(&out), 1, "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("aosctl thaw"), "{}", text(&out.stderr));
    assert_eq!(w.size(), size);
}

/// What was erased behind our back is not covered up.
#[test]
fn a_damaged_payload_is_not_erased() {
    let w = World::new();
    let (ask, _) = with_canaries(31, &[30]);
    let seq = asked(&w, &ask);
    crate::support::sql(
        &w.bench.db(),
        &format!(
            "DROP TRIGGER payloads_keep_1; UPDATE payloads SET record = CAST(replace(CAST(record AS TEXT), 'v1', 'v2') AS BLOB) WHERE seq = {seq};"
        ),
    );
    assert_eq!(code(&erase(&w, seq, &[])), 4);
}
