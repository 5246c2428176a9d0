use super::*;
use crate::keys_world::{add, aged, append, fed, key, open, size};
use aosctl::domain::key::KeyFacts;

#[test]
fn by_the_last_four_without_a_passphrase() {
    let b = bench();
    let before = size(&b);
    let out = bare(&b, &["key", "leaked", "--last4", "0000"]);
    assert_eq!((code(&out), size(&b)), (1, before));
    assert!(text(&out.stderr).contains("no key has the last four ...0000"), "{}", text(&out.stderr));
    add(&b, vec![KeyFacts { last4: Some("9f2a".into()), ..aged("twin", 1) }]);
    let before = size(&b);
    let out = bare(&b, &["key", "leaked", "--last4", "9f2a"]);
    assert_eq!((code(&out), size(&b)), (1, before));
    let said = text(&out.stderr);
    for hint in ["aosctl key leaked k-1", "aosctl key leaked k-3", "--last4 9f2a --all"] {
        assert!(said.contains(hint), "{said}");
    }
    let out = bare(&b, &["key", "leaked", "--last4", "9f2a", "--all", "--json"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(json(&out)["leaks"].as_array().unwrap().len(), 2);
    assert!(key(&b, id("k-1")).leak_is_open() && key(&b, id("k-3")).leak_is_open());
    verified(&b);
}

#[test]
fn by_the_secret_itself() {
    let b = bench();
    let leaked = ["key", "leaked", "--secret-stdin", "--json"];
    // Without a passphrase nobody can compare; how it ends is a way that needs none.
    let out = fed(
        {
            let mut c = b.bare();
            c.args(leaked);
            c
        },
        OLD,
    );
    assert_eq!(code(&out), 3);
    assert!(text(&out.stderr).contains("aosctl key leaked --last4 9f2a"), "{}", text(&out.stderr));
    let unknown = "sk_live_never_seen_here_0001";
    let out = fed(b.cmd(&leaked), unknown);
    assert_eq!((code(&out), json(&out)["kind"].as_str().map(str::to_string)), (1, Some("not_in_the_inventory".into())));
    shows_nowhere(&b, &[unknown], &[&out]);
    // One that ends the same and was never told is named, and not taken for it.
    add(&b, vec![KeyFacts { last4: Some("0001".into()), ..aged("maybe", 1) }]);
    let before = size(&b);
    let out = fed(b.cmd(&leaked), unknown);
    assert_eq!((code(&out), size(&b)), (1, before));
    assert!(text(&out.stderr).contains("aosctl key leaked k-3"), "{}", text(&out.stderr));
    let out = fed(b.cmd(&leaked), &format!("{OLD}\n"));
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(json(&out)["leaks"][0]["key"]["id"], "k-1");
    assert!(key(&b, id("k-1")).leak_is_open());
    shows_nowhere(&b, &[OLD, unknown], &[&out]);
    verified(&b);
}

#[test]
fn a_secret_that_was_turned_over_before_is_known() {
    let b = bench();
    let out = fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), NEW);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    b.ok(&["rotation", "set", "k-1", "--every", "30d"]);
    let before = size(&b);
    let out = fed(b.cmd(&["key", "leaked", "--secret-stdin"]), OLD);
    assert_eq!((code(&out), size(&b)), (1, before));
    let said = text(&out.stderr);
    assert!(said.contains("it was the secret of k-1 until entry") && said.contains("nobody has shown"), "{said}");
    let out = fed(b.cmd(&["key", "leaked", "--secret-stdin"]), NEW);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    shows_nowhere(&b, &[OLD, NEW], &[&out]);
}

#[test]
fn several_keys_of_one_secret_are_all_found() {
    let b = bench();
    let fingerprint = key(&b, id("k-1")).facts.fingerprint;
    add(&b, vec![KeyFacts { fingerprint, ..aged("copy", 1) }]);
    let out = fed(b.cmd(&["key", "leaked", "--secret-stdin", "--json"]), OLD);
    assert_eq!(json(&out)["leaks"].as_array().unwrap().len(), 2, "{}", text(&out.stderr));
    // Retired since, it is still found.
    let b = bench();
    append(&b, |tx, op| tx.append(op.by(), aosctl::domain::event::KeyRetired { key: id("k-1"), reason: None }));
    let out = fed(b.cmd(&["key", "leaked", "--secret-stdin", "--json"]), OLD);
    assert_eq!((code(&out), json(&out)["leaks"][0]["key"]["id"].as_str()), (0, Some("k-1")));
}

#[test]
fn the_same_secret_under_another_name_is_closed_with_it() {
    let b = bench();
    let fingerprint = key(&b, id("k-1")).facts.fingerprint;
    let last4 = Some("9f2a".to_string());
    let copy = add(&b, vec![KeyFacts { fingerprint, last4: last4.clone(), ..aged("copy", 1) }])[0];
    let grant = carry(&b, agent(&b, "bot-a"), id("i-1"), copy);
    let live = |g| aosctl::domain::facts::Facts::grant(&open(&b).facts(), g).unwrap().unwrap().revoked_seq.is_none();
    let before = size(&b);
    // Said first, then done; how it ends is no question where both are one secret.
    for args in [&["key", "leaked", "k-1", "-n"][..], &["key", "leaked", "--last4", "9f2a", "-n"]] {
        let out = bare(&b, args);
        assert_eq!((code(&out), size(&b)), (0, before), "{}", text(&out.stderr));
        assert!(text(&out.stdout).contains(&format!("g-1, g-2, {grant}")), "{}", text(&out.stdout));
    }
    let out = bare(&b, &["key", "leaked", "k-1", "--reason", "in a ticket", "--json"]);
    let (v, said) = (json(&out), text(&out.stderr));
    assert_eq!(code(&out), 0, "{said}");
    assert_eq!(v["revoked"], serde_json::json!(["g-1", "g-2", grant.to_string()]));
    assert_eq!(v["leaks"][1]["said"]["reason"], "the same secret as k-1: in a ticket");
    assert!(said.contains(&format!("{copy} is the same secret as k-1")), "{said}");
    assert!(key(&b, copy).leak_is_open() && !live(grant) && live(id("g-3")));
    // Turned over, one is another secret: what has the new one stays as it is.
    assert_eq!(code(&fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), NEW)), 0);
    let new = key(&b, id("k-1")).facts.fingerprint;
    let other = add(&b, vec![KeyFacts { fingerprint: new, last4: last4.clone(), ..aged("new too", 1) }])[0];
    let before = size(&b);
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1"])), 0);
    assert_eq!(size(&b), before);
    assert!(key(&b, other).leak.is_none());
    // Two secrets that end the same: which is a question, and what each would close is said.
    let loose = carry(&b, agent(&b, "bot-b"), id("i-1"), other);
    let out = bare(&b, &["key", "leaked", "--last4", "9f2a", "-n"]);
    let said = text(&out.stderr);
    assert_eq!(code(&out), 1, "{said}");
    assert!(said.contains(&format!("{loose} ({other})")) && said.contains("--last4 9f2a --all"), "{said}");
    verified(&b);
}
