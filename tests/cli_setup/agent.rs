use super::{Bench, assert_fits, assert_whole, entries, json, mode, run, said, text};

#[test]
fn add_writes_an_identity_of_its_own() {
    let b = Bench::new();
    b.add_agent("build-bot");
    let file = b.identity("build-bot");
    assert_eq!(mode(&file), 0o600);
    let (_, notes) = run(&b, 0, &["agent", "add", "sales-bot"]);
    assert!(notes.contains("AOSCTL_IDENTITY=") && notes.contains("another OS user"), "{notes}");
    let v = json(&b, 0, &["agent", "list"]);
    assert_eq!(v["agents"][0]["agent"], "ag-1");
    assert_eq!(v["agents"][1]["name"], "sales-bot");
    assert_eq!(v["agents"][1]["operator"], "op-1");
    // By default it lies outside the workspace.
    let file = notes.lines().find_map(|l| l.trim().strip_prefix("AOSCTL_IDENTITY=")).unwrap();
    assert!(!file.starts_with(b.workspace().to_str().unwrap()), "{file}");
    assert_eq!(mode(std::path::Path::new(file)), 0o600);
    assert_whole(&b);
}

#[test]
fn add_refuses_what_would_mislead_or_leak() {
    let b = Bench::new();
    b.add_agent("build-bot");
    let before = entries(&b);
    let inside = b.workspace().join("bot.json");
    let taken = b.path("taken");
    std::fs::write(&taken, "mine").unwrap();
    for (exit, args, why) in [
        (1, vec!["agent", "add", "build-bot"], "enrolled as build-bot before"),
        (2, vec!["agent", "add", "Build Bot"], "is not a name"),
        (2, vec!["agent", "add", "ag-7"], "reads as something else"),
        (2, vec!["agent", "add", "x", "--out", inside.to_str().unwrap()], "must not lie inside the workspace"),
        (3, vec!["agent", "add", "x", "--out", taken.to_str().unwrap()], "already exists"),
        (3, vec!["agent", "add", "x", "--out", "/nonexistent/x"], "/nonexistent"),
        (1, vec!["agent", "add", "x", "--for", "op-9"], "there is no operator op-9"),
        (1, vec!["agent", "add", "x", "--for", "nobody"], "there is no operator nobody"),
    ] {
        let (_, e) = run(&b, exit, &args);
        assert!(e.contains(why), "{args:?}: {e}");
    }
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
    assert!(!inside.exists());
    assert_eq!(entries(&b), before);
    let (_, notes) = run(&b, 0, &["agent", "add", "x", "-n"]);
    assert!(notes.contains("nothing was done"));
    assert_eq!(entries(&b), before);
    // No operator, no agent: an agent cannot enrol another.
    let out = b.agent("build-bot", &["agent", "add", "y"]).output().unwrap();
    assert_ne!(out.status.code(), Some(0), "{}", text(&out.stdout));
    assert_eq!(entries(&b), before);
}

#[test]
fn an_enrolment_that_fails_leaves_no_identity_and_one_that_died_is_taken_up() {
    let b = Bench::new();
    // A wrong passphrase: nothing is written.
    let wrong = super::secret(&b, "wrong", "not the passphrase");
    let file = b.path("x.identity");
    let args = ["agent", "add", "x", "--out", file.to_str().unwrap(), "--passphrase-file", wrong.to_str().unwrap()];
    said(&b.bare().args(args).output().unwrap(), 1, &args);
    assert!(!file.exists());
    // An identity that no entry enrolled is what a crash leaves between file and entry.
    run(&b, 0, &["agent", "add", "first", "--out", file.to_str().unwrap()]);
    let enrolled = std::fs::read(&file).unwrap();
    let (_, e) = run(&b, 3, &["agent", "add", "second", "--out", file.to_str().unwrap()]);
    assert!(e.contains("already exists"), "an identity in use is never replaced: {e}");
    assert_eq!(std::fs::read(&file).unwrap(), enrolled);
    let other = Bench::new();
    let stray = other.path("stray");
    let seed = "07".repeat(32);
    let public = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
    let origin = json(&other, 0, &["operator", "create", "probe", "-n"])["origin"].as_str().unwrap().to_string();
    let left_over = format!(
        "{{\"aosctl\":\"agent-identity/v1\",\"id\":\"ag-1\",\"origin\":\"{origin}\",\"public_key\":\"{public}\",\"seed\":\"{seed}\"}}\n"
    );
    super::secret(&other, "stray", &left_over);
    run(&other, 0, &["agent", "add", "x", "--out", stray.to_str().unwrap()]);
    assert!(!std::fs::read_to_string(&stray).unwrap().contains(&seed));
}

#[test]
fn show_says_what_it_can_reach_at_worst() {
    let b = Bench::new();
    b.add_agent("build-bot");
    let (page, _) = run(&b, 0, &["agent", "show", "build-bot"]);
    assert!(page.contains("It can reach nothing"), "{page}");
    b.ok(&["integration", "add", "stripe", "--residency", "us"]);
    b.ok(&[
        "connect",
        "stripe",
        "--agent",
        "build-bot",
        "--scope",
        "resource:refunds",
        "--access",
        "write",
        "--data",
        "customer",
        "--accept-risk",
        "--reason",
        "refunds",
    ]);
    let (page, notes) = run(&b, 0, &["agent", "show", "build-bot"]);
    assert!(page.contains("g-1  stripe: write to resource:refunds"), "{page}");
    assert!(page.contains("asks over limits (money over the cap)"), "{page}");
    assert!(notes.contains("aosctl revoke build-bot"), "{notes}");
    assert_fits(&page);
    let v = json(&b, 0, &["agent", "show", "ag-1"]);
    assert_eq!(v["schema"], "aosctl.agent/v1");
    let actions = v["grants"][0]["actions"].as_array().unwrap();
    let of = |name: &str| actions.iter().find(|a| a["action"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(of("refund.create")["asks"], "over_limits");
    assert_eq!(of("refund.create")["points"], serde_json::json!(["money"]));
    assert_eq!(of("balance.read")["asks"], "never");
    assert!(actions.iter().all(|a| a["action"] != "payout.create"), "admin is beyond a write grant");
    // Money that was handed out, and what is open.
    let ask = [
        "request",
        "new",
        "--integration",
        "stripe",
        "--action",
        "refund.create",
        "--resource",
        "resource:refunds",
        "--amount",
        "12.50USD",
        "--summary",
        "refund",
    ];
    said(&b.agent("build-bot", &ask).output().unwrap(), 0, &ask);
    let v = json(&b, 0, &["agent", "show", "build-bot"]);
    assert_eq!(v["handed_out"], serde_json::json!([{"currency": "USD", "minor": 1250}]));
    assert_eq!(v["open_requests"][0]["request"], "r-1");
    // Frozen: said, and what it would reach once thawed.
    b.ok(&["freeze", "build-bot"]);
    let (page, _) = run(&b, 0, &["agent", "show", "build-bot"]);
    assert!(page.contains("frozen: everything is denied") && page.contains("once it is thawed"), "{page}");
    assert_eq!(json(&b, 0, &["agent", "list"])["agents"][0]["state"], "frozen");
    let (_, e) = run(&b, 1, &["agent", "show", "nobody"]);
    assert!(e.contains("there is no agent nobody"), "{e}");
}

#[test]
fn retire_takes_every_right_for_good() {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&["integration", "add", "github"]);
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app"]);
    let before = entries(&b);
    let (page, _) = run(&b, 0, &["agent", "retire", "build-bot", "-n"]);
    assert!(page.contains("would be retired") && page.contains("g-1: github read to repo:acme/app"), "{page}");
    assert_eq!(entries(&b), before);
    // It needs an operator.
    let out = b.bare().args(["agent", "retire", "build-bot"]).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("--passphrase-file FILE"));
    let (_, e) = run(&b, 2, &["agent", "retire", "build-bot", "--as-of", "1"]);
    assert!(e.contains("no entry that it could have signed"), "{e}");
    let v = json(&b, 0, &["agent", "retire", "build-bot", "--reason", "moved on"]);
    assert_eq!(v["dead_grants"][0]["grant"], "g-1");
    let ask = [
        "check",
        "--agent",
        "build-bot",
        "--integration",
        "github",
        "--action",
        "issue.read",
        "--resource",
        "repo:acme/app",
    ];
    let out = b.bare().args(ask).output().unwrap();
    said(&out, 1, &ask);
    let (_, e) = run(&b, 1, &["agent", "retire", "build-bot"]);
    assert!(e.contains("was retired before"), "{e}");
    let (_, e) = run(&b, 1, &["agent", "add", "build-bot"]);
    assert!(e.contains("before"), "{e}");
    let (page, _) = run(&b, 0, &["agent", "list"]);
    assert!(page.contains("1 retired, not shown"), "{page}");
    assert_eq!(json(&b, 0, &["agent", "list", "--all"])["agents"][0]["state"], "retired");
    assert_whole(&b);
}
