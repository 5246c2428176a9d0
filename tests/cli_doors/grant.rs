//! `aosctl grant`.

use super::*;

#[test]
fn grants_are_listed_with_their_end_and_last_use() {
    let b = bench();
    assert!(b.ok(&["grant", "list"]).contains("nothing is open"));
    b.add_agent("other-bot");
    b.ok(DOOR);
    b.ok(&["connect", "stripe", "--agent", "other-bot", "--scope", "resource:refunds"]);
    ask(&b, "build-bot", "contents.read", "repo:acme/app");
    let ids = |v: &Value| {
        v["grants"].as_array().unwrap().iter().map(|g| g["id"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let v = bare(&b, &["grant", "list"], 0);
    assert_eq!((&v["schema"], ids(&v)), (&"aosctl.grant-list/v1".into(), vec!["g-1".into(), "g-2".into()]));
    assert!(v["grants"][0]["last_use"].is_string());
    assert!(v["grants"][1]["last_use"].is_null());
    assert_eq!(ids(&bare(&b, &["grant", "list", "--agent", "other-bot"], 0)), ["g-2"]);
    assert_eq!(ids(&bare(&b, &["grant", "list", "--integration", "github"], 0)), ["g-1"]);
    b.ok(&["revoke", "g-1"]);
    assert_eq!(ids(&bare(&b, &["grant"], 0)), ["g-2"], "without a verb it lists");
    let v = bare(&b, &["grant", "list", "--all"], 0);
    assert_eq!((ids(&v).len(), &v["grants"][0]["state"]), (2, &"revoked".into()));
    let page = b.ok(&["grant", "list", "--all"]);
    assert!(
        page.contains("in 89 days") && page.contains("revoked") && page.lines().all(|l| l.chars().count() <= 80),
        "{page}"
    );
}

#[test]
fn a_grant_is_shown_with_its_history_and_what_stands_on_it() {
    let b = bench();
    b.add_agent("other-bot");
    b.ok(&with(DOOR, &["--access", "write", "--reason", "first"]));
    b.ok(&["connect", "github", "--agent", "other-bot", "--scope", "repo:acme/app/src"]);
    let (pending, verdict) = ask(&b, "build-bot", "pull_request.merge", "repo:acme/app");
    assert_eq!(verdict, Verdict::Ask);
    let (running, _) = ask(&b, "build-bot", "issue.create", "repo:acme/app");
    claim(&b, "build-bot", running);
    bare(&b, &["grant", "narrow", "g-1", "--scope", "repo:acme/app/src", "--reason", "less"], 0);
    b.ok(&["grant", "renew", "g-1", "--expires", "100d"]);

    let v = bare(&b, &["grant", "show", "g-1"], 0);
    let history = v["history"].as_array().unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|h| (h["type"].as_str().unwrap(), h["signed_by"]["actor"].as_str().unwrap(), h["reason"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("grant.issued/1", "op-1", Some("first")),
            ("grant.narrowed/1", "log", Some("less")),
            ("grant.renewed/1", "op-1", None)
        ]
    );
    assert!(history.iter().all(|h| h["counts"] == true && h["seq"].is_u64() && h["at"].is_string()));
    assert_eq!(v["waiting"], serde_json::json!([{"request": pending.to_string(), "standing": "pending"}]));
    assert_eq!(v["running"], serde_json::json!([running.to_string()]));
    assert_eq!(v["same_door"][0]["id"], "g-2");
    assert_eq!((&v["used"]["allowed"], &v["used"]["asked"]), (&1.into(), &1.into()));
    let page = text(&b.bare().args(["grant", "show", "g-1"]).output().unwrap().stdout);
    assert!(page.lines().all(|l| l.chars().count() <= 80) && page.contains("unattributed"), "{page}");
}

#[test]
fn narrowing_needs_no_passphrase_and_never_widens() {
    let b = bench();
    b.ok(&with(
        &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/*", "--access", "write"],
        &["--data", "customer", "--accept-risk", "--reason", "x"],
    ));
    let (unfit, _) = ask(&b, "build-bot", "pull_request.merge", "repo:acme/other");
    let before = size(&b);
    for (args, says) in [
        (&["--scope", "org:acme"][..], "aosctl connect --again g-1 --scope org:acme"),
        (&["--scope", "repo:*"], "aosctl connect --again g-1 --scope 'repo:*'"),
        (&["--access", "admin"], "aosctl connect --again g-1 --access admin"),
        (&["--data", "secret"], "aosctl connect --again g-1 --data secret"),
        (&["--expires", "91d"], "aosctl grant renew g-1 --expires 91d"),
        (&["--expires", "never"], "aosctl grant renew g-1 --expires never"),
        (&["--expires", "2020-01-01"], "aosctl revoke g-1"),
        (&["--data", "public", "--access", "admin"], "--access admin"),
    ] {
        let v = bare(&b, &with(&["grant", "narrow", "g-1"], args), 1);
        assert!(v["hints"].to_string().contains(says), "{args:?}: {v}");
    }
    bare(&b, &["grant", "narrow", "g-1"], 2);
    assert_eq!(size(&b), before);

    let v = bare(
        &b,
        &[
            "grant",
            "narrow",
            "g-1",
            "--scope",
            "repo:acme/app",
            "--access",
            "write",
            "--data",
            "internal",
            "--expires",
            "10d",
        ],
        0,
    );
    assert_eq!((&v["changed"], &v["signed_by"]["attributed"]), (&true.into(), &false.into()));
    assert_eq!(v["no_longer_fit"], serde_json::json!([unfit.to_string()]));
    let entries = last(&b, 1);
    let (by, Event::GrantNarrowed(n)) = &entries[0] else { panic!("{entries:?}") };
    assert_eq!(
        (*by, n.access, n.data.is_some(), n.scope.is_some(), n.until.is_some()),
        (Actor::Log, None, true, true, true),
        "what did not change is not said"
    );
    // The same again changes nothing.
    let v = bare(&b, &["grant", "narrow", "g-1", "--scope", "repo:acme/app", "--data", "internal"], 0);
    assert_eq!((&v["changed"], size(&b)), (&false.into(), before + 1));
    // An operator who presents a passphrase signs.
    let v = run(&b, &["grant", "narrow", "g-1", "--access", "read"], 0);
    assert_eq!((&v["signed_by"]["actor"], last(&b, 1)[0].0), (&"op-1".into(), op()));
    b.ok(&["revoke", "g-1"]);
    assert_eq!(bare(&b, &["grant", "narrow", "g-1", "--data", "public"], 1)["kind"], "revoked");
}

#[test]
fn renewing_is_bounded_and_signed() {
    let b = bench();
    no_longest(&b);
    b.ok(&with(DOOR, &["--access", "write", "--expires", "1s"]));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(bare(&b, &["grant", "list", "--all"], 0)["grants"][0]["state"], "expired");
    let v = run(&b, &["grant", "renew", "g-1"], 0);
    assert_eq!((&v["grant"]["state"], &v["signed_by"]["id"]), (&"live".into(), &"op-1".into()));
    assert!(matches!(&last(&b, 1)[0], (by, Event::GrantRenewed(r)) if *by == op() && r.until.is_some()));
    assert_eq!(bare(&b, &["grant", "renew", "g-1", "--expires", "never"], 1)["kind"], "write.endless");
    run(&b, &["grant", "renew", "g-1", "--expires", "never", "--accept-risk", "--reason", "core"], 0);
    assert!(
        matches!(&last(&b, 1)[0].1, Event::GrantRenewed(r) if r.until.is_none() && r.reason.as_deref() == Some("core"))
    );
    let out = b.run(&["grant", "renew", "g-1", "--expires", "3d"]);
    assert!(text(&out.stderr).contains("earlier than before"));
    b.ok(&["revoke", "g-1"]);
    let v = bare(&b, &["grant", "renew", "g-1"], 1);
    assert!(v["hints"].to_string().contains("aosctl connect --again g-1"), "{v}");

    let b = bench();
    b.ok(DOOR);
    assert_eq!(bare(&b, &["grant", "renew", "g-1", "--expires", "366d"], 1)["kind"], "until");
}
