//! What stops a door from being opened, and what is the same for every command about doors.

use super::*;

#[test]
fn what_is_unknown_is_said_with_what_is_near() {
    let b = bench();
    b.ok(DOOR);
    let before = size(&b);
    for (args, exit, says) in [
        (&["connect", "githb", "--agent", "build-bot", "--scope", "repo:a/b"][..], 1, "did you mean github?"),
        (&["connect", "nosuch", "--agent", "build-bot", "--scope", "repo:a/b"], 1, "integration add NAME --kind KIND"),
        (&["connect", "github", "--agent", "buildbot", "--scope", "repo:a/b"], 1, "did you mean build-bot?"),
        (&["connect", "github", "--agent", "ag-9", "--scope", "repo:a/b"], 1, "there is no agent ag-9"),
        (&["connect", "github", "--agent", "build-bot", "--scope", "rep:a/b"], 1, "did you mean --scope repo:a/b?"),
        (&["connect", "github", "--agent", "build-bot", "--scope", "a b"], 2, "repo:OWNER/NAME"),
        (
            &["connect", "github", "--agent", "build-bot", "--scope", "repo:a/b", "--owner", "opps"],
            1,
            "did you mean ops?",
        ),
        (&["connect", "github", "--agent", "build-bot", "--scope", "repo:a/b", "--access", "wirte"], 2, "write"),
        (&["connect", "github", "--agent", "build-bot", "--scope", "repo:a/b", "--expires", "soon"], 2, "90d"),
        (&["connect", "github", "--agent", "build-bot", "--scope", "repo:a/b", "--mission", " "], 2, "empty"),
        (&["connect", "github"], 2, "--agent, --scope"),
        (&["connect", "github", "--again", "g-1"], 2, "cannot be used with"),
        (&["connect", "--again", "g-9"], 1, "there is no grant g-9"),
        (&["connect", "--again", "build-bot"], 2, "not a grant's id"),
        (&["revoke", "githu"], 1, "did you mean github?"),
        (&["revoke", "r-1"], 1, "aosctl deny r-1"),
        (&["revoke", "op-1"], 1, "no grant, agent or integration"),
        (&["revoke", "g-9"], 1, "there is no grant g-9"),
        (&["revoke"], 2, "TARGET"),
        (&["freeze", "buildbot"], 1, "did you mean build-bot?"),
        (&["thaw", "buildbot"], 1, "did you mean build-bot?"),
        (&["grant", "show", "g-9"], 1, "there is no grant g-9"),
        (&["grant", "list", "--agent", "buildbot"], 1, "did you mean build-bot?"),
        (&["grant", "list", "--integration", "gihub"], 1, "did you mean github?"),
    ] {
        // Without a passphrase file: none of this may get as far as asking for one.
        let out = b.bare().args(args).output().unwrap();
        assert_eq!(code(&out), exit, "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains(says), "{args:?}: {}", text(&out.stderr));
    }
    assert_eq!(size(&b), before);
}

#[test]
fn longer_than_the_policy_allows_is_refused_before_any_passphrase() {
    let b = bench();
    for end in ["366d", "2099-01-01", "never", "0d", "2020-01-01"] {
        let v = bare(&b, &with(DOOR, &["--expires", end]), 1);
        assert_eq!(v["kind"], "until", "{end}");
    }
    run(&b, &with(DOOR, &["--expires", "365d"]), 0);
}

#[test]
fn every_warning_stops_it_until_somebody_accepts_the_risk() {
    let b = bench();
    no_longest(&b);
    b.ok(DOOR);
    b.ok(&["connect", "openai", "--agent", "build-bot", "--scope", "project:P1"]);
    let github = |scope: &'static str| ["connect", "github", "--agent", "build-bot", "--scope", scope];
    for (args, warnings, narrower) in [
        (&github("*")[..], &["scope.everything"][..], "--scope repo:OWNER/NAME"),
        (&github("org:acme"), &["scope.account-wide"], "--scope repo:acme/NAME"),
        (&github("repo:acme/*"), &["scope.open"], "--scope repo:acme/NAME"),
        (&github("repo:acme"), &["scope.short"], "--scope repo:acme/NAME"),
        (&with(&github("repo:acme/x"), &["--access", "admin"]), &["access.admin"], "--access write"),
        (
            &with(&github("repo:acme/y"), &["--access", "write", "--expires", "never"]),
            &["write.endless"],
            "--expires 90d",
        ),
        (&with(&github("repo:acme/z"), &["--data", "customer"]), &["data.outside"], "--data internal"),
        (&with(&github("repo:acme/w"), &["--data", "secret"]), &["data.outside"], "--data internal"),
        (
            &["connect", "openai", "--agent", "build-bot", "--scope", "project:P1", "--access", "admin"],
            &["access.admin", "provider.unlimited"],
            "--access write",
        ),
    ] {
        let before = size(&b);
        let v = run(&b, args, 1);
        assert_eq!(names(&v), warnings, "{args:?}");
        assert_eq!((&v["opened"], size(&b)), (&false.into(), before), "nothing was written");
        let line = v["narrower"].as_str().unwrap_or_else(|| v["warnings"][0]["instead"].as_str().unwrap());
        assert!(line.starts_with("aosctl connect ") && line.contains(narrower), "{line}");
        let out = b.run(args);
        assert!(text(&out.stdout).contains(narrower) && text(&out.stdout).contains("--accept-risk --reason TEXT"));

        let v = run(&b, &with(args, &["--accept-risk", "--reason", "agreed"]), 0);
        assert_eq!(v["accepted"], serde_json::json!(warnings));
        // The grant may be followed by the end of a read grant that it replaces.
        let issued = last(&b, 2).into_iter().rev().find_map(|(_, e)| match e {
            Event::GrantIssued(g) => Some(g),
            _ => None,
        });
        let issued = issued.unwrap();
        assert_eq!(issued.accepted, warnings, "recorded in the grant");
        assert_eq!(issued.reason.as_deref(), Some("agreed"));
        b.ok(&["revoke", v["grant"].as_str().unwrap()]);
    }
}

#[test]
fn a_door_that_is_open_already_is_a_warning() {
    let b = bench();
    b.ok(DOOR);
    let v = run(&b, DOOR, 1);
    assert_eq!(names(&v), ["grant.duplicate"]);
    assert_eq!(v["warnings"][0]["instead"], "aosctl grant renew g-1 --expires 90d");
    let v = run(&b, &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app/pulls"], 1);
    assert_eq!(names(&v), ["grant.subsumed"]);
    assert_eq!(v["warnings"][0]["instead"], "aosctl grant narrow g-1 --scope repo:acme/app/pulls");
    // Another agent's grant is another door.
    b.add_agent("other-bot");
    run(&b, &["connect", "github", "--agent", "other-bot", "--scope", "repo:acme/app"], 0);
}

#[test]
fn accepting_a_risk_needs_a_reason() {
    let b = bench();
    let out = b.run(&with(DOOR, &["--accept-risk"]));
    assert_eq!(code(&out), 2);
    let out = b.run(&with(DOOR, &["--accept-risk", "--reason", "  "]));
    assert_eq!((code(&out), size(&b)), (2, 3));
}

#[test]
fn only_an_operator_opens_renews_or_thaws() {
    let b = bench();
    b.ok(DOOR);
    b.ok(&["freeze"]);
    let before = size(&b);
    for args in [DOOR, &["connect", "--again", "g-1"], &["grant", "renew", "g-1"], &["thaw"]] {
        let v = agent(&b, "build-bot", args, 1);
        assert_eq!(v["kind"], "needs_operator", "{args:?}");
    }
    // Without a passphrase nothing of this happens either.
    for args in [
        &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site"][..],
        &["grant", "renew", "g-1"],
        &["thaw"],
    ] {
        let v = bare(&b, args, 3);
        assert!(v["error"].as_str().unwrap().contains("--passphrase-file"), "{v}");
    }
    assert_eq!(size(&b), before);
}

#[test]
fn dry_runs_write_nothing_and_end_as_the_real_thing_would() {
    let b = bench();
    b.ok(DOOR);
    b.ok(&["freeze", "build-bot"]);
    let before = size(&b);
    for (args, exit) in [
        (&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site"][..], 0),
        (&["connect", "stripe", "--agent", "build-bot", "--scope", "resource:refunds"], 0),
        (&["connect", "github", "--agent", "build-bot", "--scope", "org:acme"], 1),
        (&["grant", "narrow", "g-1", "--data", "public"], 0),
        (&["grant", "narrow", "g-1", "--data", "secret"], 1),
        (&["grant", "renew", "g-1"], 0),
        (&["grant", "renew", "g-1", "--expires", "999d"], 1),
        (&["revoke", "g-1"], 0),
        (&["revoke", "build-bot", "nosuch"], 1),
        (&["freeze"], 0),
        (&["thaw", "build-bot"], 0),
    ] {
        let v = bare(&b, &with(args, &["-n"]), exit);
        assert!(exit == 1 || v["dry_run"] == true, "{args:?}: {v}");
    }
    assert_eq!(size(&b), before);
}

#[test]
fn hostile_text_moves_nothing_on_a_page() {
    let b = bench();
    let hostile = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}gnp\u{200b}\r\nfake          granted\u{9b}1A";
    let shown = |out: &Output| {
        let all = text(&out.stdout) + &text(&out.stderr);
        assert!(!all.chars().any(|c| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c)), "{all:?}");
        assert!(!all.lines().any(|l| l.starts_with("fake")), "{all}");
        all
    };
    let all =
        shown(&b.run(&with(DOOR, &["--mission", hostile, "--access", "admin", "--accept-risk", "--reason", hostile])));
    assert!(all.contains(r"\x1b[2J") && all.contains(r"\u{202e}"), "{all}");
    let all = shown(&b.run(&with(DOOR, &["--mission", hostile, "--access", "admin"])));
    assert!(all.contains("grant.duplicate"), "{all}");
    shown(&b.bare().args(["grant", "narrow", "g-1", "--data", "public", "--reason", hostile]).output().unwrap());
    shown(&b.bare().args(["revoke", "g-1", hostile, "--reason", hostile]).output().unwrap());
    shown(&b.bare().args(["freeze", hostile]).output().unwrap());
    let all = shown(&b.bare().args(["grant", "show", "g-1"]).output().unwrap());
    assert!(all.contains(r"reason: \x1b[2J"), "{all}");
    // JSON carries it as it is, escaped by JSON itself.
    let v = bare(&b, &["grant", "show", "g-1"], 0);
    assert_eq!(v["grant"]["mission"], hostile);
}
