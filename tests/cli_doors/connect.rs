//! `aosctl connect` that opens a door.

use super::*;

#[test]
fn connect_opens_a_narrow_door_and_adds_the_integration() {
    let b = bench();
    let v = run(&b, &with(DOOR, &["--mission", "ship-1.4"]), 0);
    assert_eq!(v["schema"], "aosctl.connect/v1");
    assert_eq!(
        (&v["opened"], &v["grant"], &v["access"], &v["data"]),
        (&true.into(), &"g-1".into(), &"read".into(), &"internal".into())
    );
    assert_eq!((&v["integration"]["id"], &v["integration"]["added"]), (&"i-1".into(), &true.into()));
    assert_eq!(v["owner"]["id"], "op-1");
    assert_eq!(v["preflight"]["close"], "aosctl revoke g-1");
    assert_eq!(v["preflight"]["acts_for"]["name"], "ops");
    assert_eq!(v["preflight"]["asks_about"], serde_json::json!([]), "no read of github crosses a point");

    let entries = last(&b, 2);
    assert!(
        matches!(&entries[0], (by, Event::IntegrationAdded(i)) if *by == op() && i.handle == "github" && !i.inside)
    );
    let Event::GrantIssued(g) = &entries[1].1 else { panic!("{entries:?}") };
    assert_eq!((g.scope.as_str(), g.mission.as_deref(), g.accepted.len()), ("repo:acme/app", Some("ship-1.4"), 0));
    let days = |g: &GrantIssued| g.until.unwrap().since(clock()).millis() as f64 / 86_400_000.0;
    assert!((89.0..=90.0).contains(&days(g)), "the policy's default is 90 days");

    // The second time it is there.
    let v = run(
        &b,
        &[
            "connect",
            "github",
            "--agent",
            "ag-1",
            "--scope",
            "repo:acme/site",
            "--expires",
            "2027-03-01",
            "--owner",
            "ops",
        ],
        0,
    );
    assert_eq!((&v["integration"]["added"], &v["until"]), (&false.into(), &"2027-03-01T00:00:00.000Z".into()));
    assert_eq!(size(&b), 6);
}

#[test]
fn the_preflight_is_five_lines_on_stderr_unless_quiet() {
    let b = bench();
    let out = b.run(&with(DOOR, &["--access", "write"]));
    let err = text(&out.stderr);
    for line in [
        "acts for      build-bot acts for op-1 (ops)",
        "reaches       github repo:acme/app, write",
        "asks about    public claim (",
        "leaves        ",
        "close it      aosctl revoke g-1",
    ] {
        assert!(err.contains(line), "{line}: {err}");
    }
    assert!(err.contains("whatever the catalogue does not know"), "{err}");
    assert!(text(&out.stdout).starts_with("opened        g-1\n"));
    let out = b.run(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site", "-q"]);
    assert_eq!((code(&out), text(&out.stderr)), (0, String::new()));
}

#[test]
fn an_instance_under_another_name_is_not_doubled() {
    let b = bench();
    let ws = open(&b);
    let by = operator(&ws);
    let i = IntegrationAdded {
        id: id("i-1"),
        handle: "github-eu".into(),
        kind: "github".into(),
        inside: true,
        residency: None,
    };
    ws.transact(clock(), |tx| tx.append(by.by(), i)).unwrap();
    let out = b.run(DOOR);
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("aosctl connect github-eu"), "{}", text(&out.stderr));
    // Inside the boundary customer data is no warning.
    run(&b, &["connect", "github-eu", "--agent", "build-bot", "--scope", "repo:acme/app", "--data", "customer"], 0);
}

#[test]
fn a_write_grant_shows_how_the_read_grant_was_used_and_replaces_it() {
    let b = bench();
    b.ok(DOOR);
    assert_eq!(ask(&b, "build-bot", "contents.read", "repo:acme/app").1, Verdict::Allow);
    let (waiting, _) = ask(&b, "build-bot", "contents.read", "repo:acme/app/src");
    assert_eq!(ask(&b, "build-bot", "issue.create", "repo:acme/app").1, Verdict::Deny, "read does not write");
    assert_eq!(ask(&b, "build-bot", "issue.create", "repo:acme/other").1, Verdict::Deny, "and this is elsewhere");

    let dry = run(&b, &with(DOOR, &["--access", "write", "-n"]), 0);
    assert_eq!((&dry["opened"], &dry["dry_run"]), (&false.into(), &true.into()));
    let out = b.run(&with(DOOR, &["--access", "write", "--json"]));
    assert_eq!(code(&out), 0);
    let v = json(&out);
    let r = &v["replaces"][0];
    assert_eq!(
        (&r["grant"], &r["allowed"], &r["asked"], &r["denied"]),
        (&"g-1".into(), &2.into(), &0.into(), &1.into())
    );
    assert_eq!(r["cancels"].as_array().unwrap().len(), 2);
    assert_eq!(dry["replaces"][0]["allowed"], r["allowed"]);
    let err = text(&out.stderr);
    assert!(err.contains("since it was issued"), "the window is named: {err}");
    assert!(err.contains("aosctl connect --again g-1"), "{err}");

    let entries = last(&b, 2);
    assert!(matches!(&entries[0].1, Event::GrantIssued(g) if g.replaces == Some(id("g-1"))));
    assert!(
        matches!(&entries[1].1, Event::GrantRevoked(g) if g.grant == id("g-1") && g.reason.as_deref() == Some("replaced by g-2"))
    );
    assert_eq!(standing(&b, waiting), Standing::Cancelled);
    assert_eq!(ask(&b, "build-bot", "issue.create", "repo:acme/app").1, Verdict::Allow);
}

#[test]
fn what_a_wider_read_grant_loses_is_said() {
    let b = bench();
    b.ok(&with(
        &[
            "connect",
            "github",
            "--agent",
            "build-bot",
            "--scope",
            "repo:acme/*",
            "--data",
            "customer",
            "--expires",
            "200d",
        ],
        &["--accept-risk", "--reason", "x"],
    ));
    let v = run(&b, &with(DOOR, &["--access", "write"]), 0);
    let loses = v["replaces"][0]["loses"].as_array().unwrap();
    assert_eq!(loses.len(), 3, "{loses:?}");
    assert_eq!(loses[0], "reading repo:acme/* beyond repo:acme/app");
    // A write grant is not replaced by another one, and a read grant elsewhere stays.
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site"]);
    let v = run(
        &b,
        &[
            "connect",
            "github",
            "--agent",
            "build-bot",
            "--scope",
            "repo:acme/app/src",
            "--access",
            "write",
            "--accept-risk",
            "--reason",
            "x",
        ],
        0,
    );
    assert_eq!((&v["replaces"], &v["beside"]), (&serde_json::json!([]), &serde_json::json!(["g-2"])));
}

#[test]
fn what_differs_in_more_than_the_end_takes_the_place_of_the_open_door() {
    let b = bench();
    b.ok(DOOR);
    let first = run(&b, &["grant", "show", "g-1"], 0);
    let (waiting, _) = ask(&b, "build-bot", "contents.read", "repo:acme/app/src");
    let out = b.run(&["connect", "--again", "g-1", "--mission", "ship 1.4"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let page = text(&out.stdout);
    assert!(page.contains("replaced      g-1 (read, repo:acme/app), closed in the same step"), "{page}");
    assert!(text(&out.stderr).contains("replaces      g-1 (read, repo:acme/app): in the"), "{}", text(&out.stderr));
    let entries = last(&b, 3);
    let issued = entries.iter().find_map(|(by, e)| match e {
        Event::GrantIssued(g) => Some((by, g)),
        _ => None,
    });
    let (by, issued) = issued.unwrap();
    assert_eq!((*by, issued.replaces, issued.again), (op(), Some(id("g-1")), Some(id("g-1"))));
    assert_eq!(
        issued.until.unwrap().to_string(),
        first["grant"]["until"].as_str().unwrap(),
        "it ends when that one would"
    );
    assert!(entries.iter().any(|(by, e)| matches!(e, Event::GrantRevoked(g)
        if *by == op() && g.grant == id("g-1") && g.reason.as_deref() == Some("replaced by g-2"))));
    assert_eq!(standing(&b, waiting), Standing::Cancelled);
    assert_eq!(bare(&b, &["grant", "list"], 0)["grants"].as_array().unwrap().len(), 1);

    // Other data, and a line of its own that names no mission: that ends, and is said.
    let v = run(&b, &with(DOOR, &["--data", "public"]), 0);
    let r = &v["replaces"][0];
    assert_eq!((&r["grant"], &r["access"]), (&"g-2".into(), &"read".into()));
    assert_eq!(r["loses"], serde_json::json!(["data up to internal", "its mission, ship 1.4"]));
    // A write grant takes the place of one of the same scope too, and of no other.
    run(&b, &with(DOOR, &["--access", "write"]), 0);
    let v = run(&b, &with(DOOR, &["--access", "write", "--mission", "ship 1.5"]), 0);
    assert_eq!((&v["replaces"][0]["grant"], &v["replaces"][0]["access"]), (&"g-4".into(), &"write".into()));
    let below = with(&DOOR[..4], &["--scope", "repo:acme/app/src", "--access", "write", "--mission", "x"]);
    assert_eq!(names(&run(&b, &below, 1)), ["grant.subsumed"]);
}

#[test]
fn what_differs_in_the_end_alone_is_a_duplicate_and_says_how_to_renew() {
    let b = bench();
    let door = with(DOOR, &["--mission", "ship 1.4"]);
    b.ok(&door);
    let before = size(&b);
    for (more, line) in [
        (&["--expires", "120d"][..], "aosctl grant renew g-1 --expires 120d"),
        (&[], "aosctl grant renew g-1 --expires 90d"),
        (&["--expires", "2027-10-01"], "aosctl grant renew g-1 --expires 2027-10-01"),
        (&["--expires", "3d", "--owner", "ops"], "aosctl grant narrow g-1 --expires 3d"),
    ] {
        let out = b.run(&with(&door, more));
        let page = text(&out.stdout);
        assert_eq!(code(&out), 1, "{page}");
        assert!(page.starts_with("Nothing was opened: this door is open already."), "{page}");
        assert!(page.contains(&format!("\n  {line}\n")) && !page.contains("wider"), "{page}");
    }
    let out = b.run(&["connect", "--again", "g-1"]);
    assert!(text(&out.stdout).contains("\n  aosctl grant show g-1\n"), "{}", text(&out.stdout));
    // Both, where it is too wide as well.
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "org:acme", "--accept-risk", "--reason", "x"]);
    let out = b.run(&["connect", "github", "--agent", "build-bot", "--scope", "org:acme"]);
    assert!(text(&out.stdout).contains("open already, and wider than it need be"), "{}", text(&out.stdout));
    assert_eq!(size(&b), before + 1);
    b.ok(&["grant", "renew", "g-1", "--expires", "120d"]);
}

#[test]
fn a_closed_door_can_be_opened_again_on_the_same_terms() {
    let b = bench();
    b.ok(&with(DOOR, &["--access", "write", "--mission", "ship", "--expires", "30d"]));
    let first = run(&b, &["grant", "show", "g-1"], 0);
    b.ok(&["revoke", "g-1"]);
    let v = run(&b, &["connect", "--again", "g-1"], 0);
    for member in ["scope", "access", "data", "mission", "until"] {
        assert_eq!(v[member], first["grant"][member], "{member}");
    }
    assert_eq!((&v["grant"], &v["again"]), (&"g-2".into(), &"g-1".into()));
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantIssued(g) if g.again == Some(id("g-1"))));
    // With changes, and after its end.
    b.ok(&["revoke", "g-2"]);
    let v = run(&b, &["connect", "--again", "g-2", "--access", "read", "--expires", "1s", "--mission", "less"], 0);
    assert_eq!((&v["access"], &v["mission"]), (&"read".into(), &"less".into()));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let v = run(&b, &["connect", "--again", "g-3"], 0);
    let until: Time = v["until"].as_str().unwrap().parse().unwrap();
    assert!(until.since(clock()).millis() > 89 * 86_400_000, "an end that is past gives way to the policy's");
    // While it is open it is a duplicate.
    assert_eq!(names(&run(&b, &["connect", "--again", "g-4", "--expires", "3d"], 1)), ["grant.duplicate"]);
}

#[test]
fn a_door_for_a_frozen_agent_says_that_it_opens_nothing() {
    let b = bench();
    b.ok(&["freeze", "build-bot"]);
    let out = b.run(DOOR);
    assert!(code(&out) == 0 && text(&out.stderr).contains("aosctl thaw build-bot"), "{}", text(&out.stderr));
    assert_eq!(bare(&b, &["grant", "list"], 0)["grants"][0]["frozen"], true);
}
