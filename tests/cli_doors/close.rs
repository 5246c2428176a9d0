//! `aosctl revoke`, `freeze` and `thaw`.

use super::*;

#[test]
fn revoking_closes_at_once_and_says_what_it_cancels() {
    let b = bench();
    b.add_agent("other-bot");
    b.ok(&with(DOOR, &["--access", "write"]));
    b.ok(&[
        "connect",
        "github",
        "--agent",
        "build-bot",
        "--scope",
        "repo:acme/app/src",
        "--accept-risk",
        "--reason",
        "x",
    ]);
    b.ok(&["connect", "github", "--agent", "other-bot", "--scope", "repo:acme/app"]);
    b.ok(&["connect", "github", "--agent", "other-bot", "--scope", "repo:acme/site"]);
    let (pending, _) = ask(&b, "build-bot", "pull_request.merge", "repo:acme/app");
    let (allowed, _) = ask(&b, "build-bot", "issue.create", "repo:acme/app");
    let (running, _) = ask(&b, "build-bot", "issue.create", "repo:acme/app");
    claim(&b, "build-bot", running);

    let v = bare(&b, &["revoke", "g-1", "--reason", "leak"], 0);
    let closed = &v["closed"][0];
    let r = |id: Id, s: &str| serde_json::json!({"request": id.to_string(), "standing": s});
    assert_eq!(closed["cancelled"], serde_json::json!([r(pending, "pending"), r(allowed, "allowed")]));
    assert_eq!(closed["running"], serde_json::json!([running.to_string()]));
    assert_eq!(closed["undo"], "aosctl connect --again g-1");
    let open: Vec<_> = v["still_open"].as_array().unwrap().iter().map(|g| g["id"].as_str().unwrap()).collect();
    assert_eq!(open, ["g-2", "g-3"], "the same agent's first, others after, other doors not at all");
    assert!(v["at_provider"][0]["close"].as_str().unwrap().contains("token"));
    assert_eq!(v["signed_by"]["attributed"], false);
    let entries = last(&b, 1);
    assert!(matches!(&entries[0], (Actor::Log, Event::GrantRevoked(g)) if g.reason.as_deref() == Some("leak")));
    assert_eq!((standing(&b, pending), standing(&b, running)), (Standing::Cancelled, Standing::Claimed));

    // Again: it is closed, and that is no error.
    let before = size(&b);
    let v = bare(&b, &["revoke", "g-1"], 0);
    assert_eq!((&v["already"], size(&b)), (&serde_json::json!(["g-1"]), before));
    // An agent and an integration, both at once, each door once; a slip beside them holds nothing up.
    let v = run(&b, &["revoke", "build-bot", "github", "g-3", "nosuch"], 1);
    let closed: Vec<_> = v["closed"].as_array().unwrap().iter().map(|c| c["grant"]["id"].as_str().unwrap()).collect();
    assert_eq!(closed, ["g-2", "g-3", "g-4"]);
    assert_eq!(v["not_closed"][0]["target"], "nosuch");
    assert!(last(&b, 3).iter().all(|(by, e)| *by == op() && matches!(e, Event::GrantRevoked(_))));
    let v = bare(&b, &["disconnect", "build-bot", "github"], 0);
    assert_eq!(v["nothing_open"], serde_json::json!(["build-bot", "github"]));
}

#[test]
fn an_agent_closes_narrows_and_freezes_only_its_own() {
    let b = bench();
    b.add_agent("other-bot");
    b.ok(DOOR);
    b.ok(&["connect", "github", "--agent", "other-bot", "--scope", "repo:acme/app"]);
    let before = size(&b);
    for args in [
        &["revoke", "g-2"][..],
        &["revoke", "github"],
        &["revoke", "g-1", "other-bot"],
        &["grant", "narrow", "g-2", "--data", "public"],
    ] {
        assert_eq!(agent(&b, "build-bot", args, 1)["kind"], "not_the_holder", "{args:?}");
    }
    for args in [&["freeze"][..], &["freeze", "other-bot"]] {
        assert_eq!(agent(&b, "build-bot", args, 1)["kind"], "needs_operator", "{args:?}");
    }
    assert_eq!(size(&b), before, "all or nothing: g-1 is open too");
    let me = Actor::Identity(id("ag-1"));
    agent(&b, "build-bot", &["grant", "narrow", "g-1", "--data", "public"], 0);
    assert_eq!(last(&b, 1)[0].0, me);
    let v = agent(&b, "build-bot", &["revoke", "g-1"], 0);
    assert_eq!((&v["signed_by"]["actor"], last(&b, 1)[0].0), (&"ag-1".into(), me));
    agent(&b, "build-bot", &["freeze", "build-bot"], 0);
    assert!(matches!(&last(&b, 1)[0], (by, Event::WorkspaceFrozen(f)) if *by == me && f.target == id("ag-1")));
}

#[test]
fn a_damaged_grant_holds_up_no_other() {
    let b = bench();
    b.ok(DOOR);
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site"]);
    sql(
        &b.db(),
        "DROP TRIGGER payloads_keep_1; UPDATE payloads SET record = CAST(replace(record, 'repo:acme/app', 'repo:acme/abc') AS BLOB) WHERE seq = 4;",
    );
    let v = bare(&b, &["revoke", "build-bot"], 4);
    assert_eq!(v["closed"][0]["grant"]["id"], "g-2");
    assert_eq!(v["not_closed"][0]["target"], "g-1");
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantRevoked(g) if g.grant == id("g-2")));
    // A damaged policy does not hold a freeze up either.
    let damage = "DROP TRIGGER payloads_keep_1; UPDATE payloads SET record = CAST(replace(record, 'production', 'productiom') AS BLOB) WHERE seq = 1;";
    sql(&b.db(), damage);
    let v = bare(&b, &["freeze"], 0);
    assert_eq!(v["changed"], true);
}

#[test]
fn a_freeze_stops_everything_until_an_operator_thaws() {
    let b = bench();
    b.ok(&with(DOOR, &["--access", "write"]));
    let (waiting, _) = ask(&b, "build-bot", "pull_request.merge", "repo:acme/app");
    let (running, _) = ask(&b, "build-bot", "issue.create", "repo:acme/app");
    claim(&b, "build-bot", running);

    let v = bare(&b, &["freeze", "--reason", "odd"], 0);
    assert_eq!((&v["changed"], &v["target"]["id"], &v["undo"]), (&true.into(), &"w-1".into(), &"aosctl thaw".into()));
    assert_eq!(
        v["touches"],
        serde_json::json!({"live_grants": 1, "waiting": [waiting.to_string()], "running": [running.to_string()]})
    );
    assert_eq!(v["since"]["signed_by"]["attributed"], false);
    assert!(
        matches!(&last(&b, 1)[0], (Actor::Log, Event::WorkspaceFrozen(f)) if f.target == Id::WORKSPACE && f.reason.as_deref() == Some("odd"))
    );
    assert_eq!(standing(&b, waiting), Standing::Frozen);
    assert_eq!(ask(&b, "build-bot", "contents.read", "repo:acme/app").1, Verdict::Deny);

    // Twice is no error and no entry.
    let before = size(&b);
    let v = bare(&b, &["freeze"], 0);
    assert_eq!((&v["changed"], size(&b)), (&false.into(), before));
    // The agent's own freeze is another one, and outlives the big one.
    let v = run(&b, &["freeze", "build-bot"], 0);
    assert_eq!((&v["changed"], &v["since"]["signed_by"]["actor"]), (&true.into(), &"op-1".into()));
    let v = run(&b, &["thaw"], 0);
    assert_eq!(
        (&v["changed"], &v["still_frozen"][0]["name"], &v["waiting"]),
        (&true.into(), &"build-bot".into(), &serde_json::json!([]))
    );
    assert_eq!(ask(&b, "build-bot", "contents.read", "repo:acme/app").1, Verdict::Deny);
    let v = run(&b, &["thaw", "build-bot", "--reason", "fine"], 0);
    assert_eq!(v["waiting"], serde_json::json!([waiting.to_string()]));
    assert!(matches!(&last(&b, 1)[0], (by, Event::WorkspaceThawed(_)) if *by == op()));
    assert_eq!(
        (standing(&b, waiting), ask(&b, "build-bot", "contents.read", "repo:acme/app").1),
        (Standing::Pending, Verdict::Allow)
    );
    // Nothing is frozen: done, and nobody is asked for a passphrase.
    assert_eq!(bare(&b, &["thaw"], 0)["changed"], false);
}

/// Nothing stands in the way of closing a door, and nobody may believe that he signed it who did not.
#[test]
fn a_passphrase_that_opens_nothing_is_said_beside_what_the_log_signed() {
    let b = bench();
    b.ok(&with(DOOR, &["--access", "write"]));
    let wrong = b.path("wrong");
    std::fs::write(&wrong, "another passphrase").unwrap();
    std::fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for line in [&["grant", "narrow", "g-1", "--access", "read"][..], &["freeze", "build-bot"], &["revoke", "g-1"]] {
        let out = b.bare().args(line).arg("--passphrase-file").arg(&wrong).output().unwrap();
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(0), "{said}");
        assert!(said.contains("no operator signed, the log did"), "{line:?}: {said}");
        assert!(matches!(last(&b, 1)[..], [(Actor::Log, _)]), "{line:?}");
        // What is done already is signed by nobody, and nothing is to be said of it.
        let out = b.bare().args(line).arg("--passphrase-file").arg(&wrong).output().unwrap();
        assert!(!text(&out.stderr).contains("no operator signed"), "{line:?}: {}", text(&out.stderr));
    }
}
