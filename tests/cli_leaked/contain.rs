use aosctl::domain::event::Event;
use aosctl::domain::facts::Facts;

use super::*;
use crate::keys_world::{append, entries_from, facts, key, open, size};

fn live(b: &Bench, grant: &str) -> bool {
    open(b).facts().grant(id(grant)).unwrap().unwrap().revoked_seq.is_none()
}

#[test]
fn what_it_opens_is_closed_first_and_without_a_passphrase() {
    let b = bench();
    let before = size(&b);
    let out = bare(&b, &["key", "leaked", "stripe-live", "--reason", "pasted into a ticket", "--json"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(entries_from(&b, before), ["grant.revoked/1", "grant.revoked/1", "key.leaked/1"]);
    assert!(!live(&b, "g-1") && !live(&b, "g-2") && live(&b, "g-3"), "what carries another key stays open");
    let v = json(&out);
    assert_eq!(v["schema"], "aosctl.key-leaked/v1");
    let leak = &v["leaks"][0];
    assert_eq!((leak["key"]["id"].as_str(), leak["open"].as_bool()), (Some("k-1"), Some(true)));
    assert_eq!(leak["last4"], "9f2a");
    assert_eq!(leak["said"]["signed_by"]["attributed"], false);
    assert_eq!(leak["said"]["reason"], "pasted into a ticket");
    assert_eq!(v["revoked"], serde_json::json!(["g-1", "g-2"]));
    assert_eq!(leak["steps"][0]["step"], "contain");
    assert_eq!(leak["steps"][0]["closed"], true);
    assert_eq!(leak["next"]["step"], "revoke");
    assert!(leak["next"]["guide"].as_array().unwrap().iter().any(|l| l["text"].as_str().unwrap().contains("Roll key")));
    assert_eq!(leak["stale"][0]["command"], "aosctl rotation record k-1");
    // Everybody says so from here on.
    assert_eq!(code(&bare(&b, &["rotation", "check"])), 1);
    assert!(text(&bare(&b, &["rotation", "check"]).stdout).starts_with("k-1 stripe-live LEAKED, next revoke"));
    let status = json(&bare(&b, &["status", "--json"]));
    assert_eq!(
        (status["due"][0]["id"].as_str(), status["due"][0]["command"].as_str()),
        (Some("k-1"), Some("aosctl key leaked k-1"))
    );
    assert!(text(&bare(&b, &["key", "list"]).stdout).contains("leaked"));
    // Again is to go on: nothing new is said.
    let after = size(&b);
    let out = bare(&b, &["key", "leaked", "k-1"]);
    assert_eq!((code(&out), size(&b)), (0, after));
    assert!(text(&out.stdout).contains("OPEN") && text(&out.stdout).contains("next: revoke"), "{}", text(&out.stdout));
    assert!(text(&out.stderr).contains("aosctl key leaked k-1 --step revoke --outcome done"), "{}", text(&out.stderr));
    verified(&b);
    shows_nowhere(&b, &[OLD], &[&out]);
}

#[test]
fn an_operator_who_is_there_signs() {
    let b = bench();
    let out = b.run(&["key", "leaked", "k-1", "--json"]);
    assert_eq!(json(&out)["leaks"][0]["said"]["signed_by"]["actor"], "op-1");
    assert!(!text(&out.stderr).contains("unattributed"));
    let (entry, event) = open(&b).event(size(&b) - 1).unwrap();
    assert_eq!(entry.actor.to_string(), "op-1");
    assert!(matches!(event, Event::KeyLeaked(l) if l.revoked.len() == 2));
}

#[test]
fn agents_are_frozen_where_asked() {
    let b = bench();
    let out = bare(&b, &["key", "leaked", "k-1", "--freeze", "--json"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(json(&out)["frozen"].as_array().unwrap().len(), 2);
    for name in ["bot-a", "bot-b"] {
        let agent = agent(&b, name);
        assert!(open(&b).facts().frozen(agent).unwrap().is_some(), "{name}");
    }
    verified(&b);
}

#[test]
fn an_agent_may_not_say_so_and_a_dry_run_does_nothing() {
    let b = bench();
    let before = size(&b);
    let out = b.agent("bot-a", &["key", "leaked", "k-1"]).output().unwrap();
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("leave out --identity"), "{}", text(&out.stderr));
    let out = bare(&b, &["key", "leaked", "k-1", "-n", "--freeze"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("g-1, g-2"), "{}", text(&out.stdout));
    assert_eq!(size(&b), before);
    for args in [&["key", "leaked", "k-99"][..], &["key", "leaked", "nobody"]] {
        assert_eq!(code(&bare(&b, args)), 1, "{args:?}");
    }
    for args in [
        &["key", "leaked", "k-1", "--secret-stdin"][..],
        &["key", "leaked", "--step", "revoke", "--outcome", "done"],
        &["key", "leaked", "k-1", "--step", "contain", "--outcome", "done"],
        &["key", "leaked", "k-1", "--step", "revoke"],
        &["key", "leaked", "k-1", "--last4", "9f2a"],
        &["key", "leaked", "k-1", "-o", "x"],
        &["key", "leaked", "--last4", "abcde"],
    ] {
        assert_eq!(code(&bare(&b, args)), 2, "{args:?}");
    }
    // Nobody to ask for the secret.
    assert_eq!(code(&bare(&b, &["key", "leaked"])), 3);
    assert_eq!(size(&b), before);
}

#[test]
fn a_retired_key_and_one_that_nothing_carries_can_leak() {
    let b = bench();
    let ids = crate::keys_world::add(&b, vec![facts("loose")]);
    append(&b, |tx, op| tx.append(op.by(), aosctl::domain::event::KeyRetired { key: ids[0], reason: None }));
    let out = bare(&b, &["key", "leaked", "loose"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("no grant carried it"), "{}", text(&out.stdout));
    assert!(key(&b, ids[0]).leak_is_open());
    assert!(text(&bare(&b, &["rotation", "check"]).stdout).contains("loose LEAKED"));
    verified(&b);
}

#[test]
fn a_log_behind_its_pin_can_still_be_closed() {
    let b = bench();
    let old = b.path("old.db");
    rusqlite::Connection::open(b.db()).unwrap().execute("VACUUM INTO ?1", [old.to_str().unwrap()]).unwrap();
    b.ok(&["rotation", "set", "k-2", "--every", "30d"]);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", b.db().display()));
    }
    std::fs::copy(&old, b.db()).unwrap();
    assert_eq!(code(&b.run(&["rotation", "set", "k-2", "--every", "40d"])), 4, "nothing else is done on it");
    let out = bare(&b, &["key", "leaked", "k-1"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(!live(&b, "g-1") && !live(&b, "g-2"));
    assert!(text(&out.stderr).contains("mind the pin"), "{}", text(&out.stderr));
}

#[test]
fn what_does_not_verify_does_not_keep_the_rest_open() {
    let b = bench();
    let seq = open(&b).facts().grant(id("g-1")).unwrap().unwrap().issued_seq;
    crate::support::sql(
        &b.db(),
        &format!(
            "DROP TRIGGER entries_keep_1; UPDATE entries SET envelope = CAST(substr(envelope, 1, 40) || X'00' || substr(envelope, 42) AS BLOB) WHERE seq = {seq};"
        ),
    );
    let out = bare(&b, &["key", "leaked", "k-1", "--json"]);
    assert_eq!(code(&out), 4, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(!live(&b, "g-2"));
    assert!(key(&b, id("k-1")).leak_is_open());
}

#[test]
fn a_secret_in_a_text_gets_neither_into_the_log_nor_onto_the_screen() {
    const S: &str = "ghp_0123456789abcdefghij0123456789abcdef";
    let b = bench();
    let (before, note) = (size(&b), format!("seen as {S} in a ticket"));
    let (reference, url) = (format!("file:/{S}"), format!("https://x:{S}@host/"));
    let mut said = Vec::new();
    let connect =
        ["connect", "github", "--agent", "bot-a", "--scope", "repo:acme/app", "--as", "stdin", "--to", "/bin/true"];
    for (args, exit) in [
        // Notes, ids and references: refused before anything is asked.
        (&["rotation", "record", "k-1", "--note", &note][..], 2),
        (&["rotation", "record", "k-1", "--provider-id", S], 2),
        (&["rotation", "record", "k-1", "--ref", &reference], 2),
        (&["rotation", "record", "k-1", "--ref", S], 2),
        (&["key", "add", "new", "--no-secret", "--note", &note], 2),
        (&["key", "add", "new", "--ref", &reference], 2),
        (&["key", "set", "k-1", "--reason", &url], 2),
        (&["key", "leaked", "k-1", "--step", "revoke", "--outcome", "done", "--note", &note], 2),
        // What names nothing.
        (&["key", "leaked", S], 1),
        (&["key", "show", S], 1),
        (&["rotation", "record", S], 1),
        (&[&connect[..], &["--key", S]].concat(), 1),
        (&["--json", "key", "show", S], 1),
        (&["revoke", S], 1),
        // What clap does not know, and one status line.
        (&["key", "add", "x", S], 2),
        (&["rotation", "check", "--monitor", S], 3),
    ] {
        let out = b.run(args);
        assert_eq!(code(&out), exit, "{args:?}: {}{}", text(&out.stdout), text(&out.stderr));
        said.push(out);
    }
    assert!(text(&said[8].stderr).contains("there is no key ghp_[hidden]"), "{}", text(&said[8].stderr));
    assert_eq!(size(&b), before, "nothing was recorded");
    // Containing comes first: the text is dropped, and nothing else.
    let dry = bare(&b, &["key", "leaked", "k-1", "--reason", &note, "-n"]);
    let out = bare(&b, &["key", "leaked", "k-1", "--reason", &note]);
    assert_eq!((code(&dry), code(&out)), (0, 0), "{}", text(&out.stderr));
    for out in [&dry, &out] {
        assert!(text(&out.stderr).contains("warning: --reason looks like a secret and is not recorded"));
    }
    assert_eq!(entries_from(&b, before), ["grant.revoked/1", "grant.revoked/1", "key.leaked/1"]);
    said.extend([dry, out]);
    shows_nowhere(&b, &[S], &said.iter().collect::<Vec<_>>());
    verified(&b);
}
