//! Doors from outside: connect, grant, revoke, freeze, thaw, through the real binary and real files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

mod support;

#[path = "cli_doors/close.rs"]
mod close;

#[path = "cli_doors/connect.rs"]
mod connect;

#[path = "cli_doors/grant.rs"]
mod grant;

#[path = "cli_doors/refusals.rs"]
mod refusals;

#[path = "cli_doors/terminal.rs"]
mod terminal;

#[path = "cli_doors/transcript.rs"]
mod transcript;

use std::collections::BTreeSet;
use std::process::Output;

use aosctl::domain::authority::rules_digest;
use aosctl::domain::decide::{Proposal, Verdict};
use aosctl::domain::event::*;
use aosctl::domain::facets::Facets;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Actor, Id, IdKind};
use aosctl::domain::request::Standing;
use aosctl::domain::time::Time;
use aosctl::domain::weigh::weigh;
use aosctl::identity::Passphrase;
use aosctl::workspace::{OperatorIdentity, Place, Workspace, WorkspaceError};
use serde_json::Value;
use support::{Bench, PASSPHRASE, code, sql, text};

const DOOR: &[&str] = &[
    "connect",
    "github",
    "--agent",
    "build-bot",
    "--scope",
    "repo:acme/app",
];

/// A workspace with one agent, `build-bot`.
fn bench() -> Bench {
    let b = Bench::new();
    b.add_agent("build-bot");
    b
}

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// Runs as an operator with `--json` and insists on an exit code.
fn run(b: &Bench, args: &[&str], exit: i32) -> Value {
    let out = b.run(&with(args, &["--json"]));
    assert_eq!(
        code(&out),
        exit,
        "{args:?}: {}{}",
        text(&out.stdout),
        text(&out.stderr)
    );
    json(&out)
}

/// Runs as nobody in particular, with `--json`, and insists on an exit code.
fn bare(b: &Bench, args: &[&str], exit: i32) -> Value {
    let out = b.bare().args(args).arg("--json").output().unwrap();
    assert_eq!(
        code(&out),
        exit,
        "{args:?}: {}{}",
        text(&out.stdout),
        text(&out.stderr)
    );
    json(&out)
}

/// Runs as an agent, with `--json`, and insists on an exit code.
fn agent(b: &Bench, name: &str, args: &[&str], exit: i32) -> Value {
    let out = b.agent(name, &with(args, &["--json"])).output().unwrap();
    assert_eq!(
        code(&out),
        exit,
        "{args:?}: {}{}",
        text(&out.stdout),
        text(&out.stderr)
    );
    json(&out)
}

fn open(b: &Bench) -> Workspace {
    Workspace::open(Place {
        dir: b.workspace(),
        state: b.path("state"),
    })
    .unwrap()
}

fn size(b: &Bench) -> u64 {
    open(b).store().head().unwrap().unwrap().size
}

/// The last entries, oldest first: who signed, and what.
fn last(b: &Bench, n: u64) -> Vec<(Actor, Event)> {
    let ws = open(b);
    let size = ws.store().head().unwrap().unwrap().size;
    (size - n..size)
        .map(|seq| ws.event(seq).map(|(e, event)| (e.actor, event)).unwrap())
        .collect()
}

fn id(s: &str) -> Id {
    s.parse().unwrap()
}

fn op() -> Actor {
    Actor::Identity(Id::FIRST_OPERATOR)
}

fn clock() -> Time {
    Time::from(jiff::Timestamp::now())
}

fn operator(ws: &Workspace) -> OperatorIdentity {
    let (path, sealed) = ws.sealed_operator(None).unwrap();
    ws.unlock_operator(&path, &sealed, &Passphrase::given(PASSPHRASE.into()).unwrap())
        .unwrap()
}

/// An agent asks, as `request new` does.
fn ask(b: &Bench, name: &str, action: &str, resource: &str) -> (Id, Verdict) {
    let ws = open(b);
    let me = ws.agent(&b.identity(name)).unwrap();
    let integration = ws.find_integration("github").unwrap().unwrap().id;
    let p = Proposal {
        requester: me.id,
        action: action.into(),
        resource: resource.parse().unwrap(),
        access: None,
        facets: Facets::default(),
        unsure: false,
    };
    let (done, _) = ws
        .transact(clock(), |tx| {
            let d = weigh(tx.facts(), &p, Some(integration), tx.now(), None)?;
            let policy = tx.facts().policy()?.unwrap();
            let life = if d.verdict == Verdict::Ask {
                policy.rules.requests.wait
            } else {
                policy.rules.requests.use_within
            };
            let request = tx.next_id(IdKind::Request)?;
            tx.append(
                me.by(),
                RequestMade {
                    request,
                    agent: p.requester,
                    integration: Some(integration),
                    action: p.action.clone(),
                    resource: p.resource.clone(),
                    access: d.access,
                    facets: p.facets.clone(),
                    unsure: false,
                    decision: d.verdict,
                    points: d.points(),
                    rule: d.rule.into(),
                    approvers: d.approvers,
                    tier: d.tier,
                    grant: d.grant,
                    policy: policy.digest.clone(),
                    until: tx.now().plus(life),
                    mission: None,
                    model: None,
                    idempotency_key: None,
                    bound_command: false,
                    parameters: None,
                    artifacts: None,
                    diff: None,
                    summary: None,
                    recommendation: None,
                    rationale: None,
                    alternatives: None,
                    rollback: None,
                    detail: None,
                },
            )?;
            Ok::<_, WorkspaceError>((request, d.verdict))
        })
        .unwrap();
    done
}

fn claim(b: &Bench, name: &str, request: Id) {
    let ws = open(b);
    let me = ws.agent(&b.identity(name)).unwrap();
    ws.transact(clock(), |tx| {
        tx.append(
            me.by(),
            RequestClaimed {
                request,
                mode: ClaimMode::Agent,
            },
        )
    })
    .unwrap();
}

fn standing(b: &Bench, request: Id) -> Standing {
    let ws = open(b);
    let r = ws.facts().request(request).unwrap().unwrap();
    ws.standing(&r, clock()).unwrap()
}

/// Adopts a policy without a longest grant, which `policy adopt` allows too.
fn no_longest(b: &Bench) {
    let ws = open(b);
    let by = operator(&ws);
    ws.transact(clock(), |tx| {
        let mut rules = tx.facts().policy()?.unwrap().rules.clone();
        rules.grants.longest = None;
        let digest = rules_digest(&rules).unwrap();
        tx.append(
            by.by(),
            PolicyAdopted {
                digest,
                rules: Box::new(rules),
                source: String::new(),
                confirmed: BTreeSet::new(),
                reason: None,
            },
        )
    })
    .unwrap();
}

fn names(v: &Value) -> Vec<String> {
    v["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["name"].as_str().unwrap().to_string())
        .collect()
    v["warnings"].as_array().unwrap().iter().map(|w| w["name"].as_str().unwrap().to_string()).collect()
}

#[test]
fn connect_opens_a_narrow_door_and_adds_the_integration() {
    let b = bench();
    let v = run(&b, &with(DOOR, &["--mission", "ship-1.4"]), 0);
    assert_eq!(v["schema"], "aosctl.connect/v1");
    assert_eq!((&v["opened"], &v["grant"], &v["access"], &v["data"]), (&true.into(), &"g-1".into(), &"read".into(), &"internal".into()));
    assert_eq!((&v["integration"]["id"], &v["integration"]["added"]), (&"i-1".into(), &true.into()));
    assert_eq!(v["owner"]["id"], "op-1");
    assert_eq!(v["preflight"]["close"], "aosctl revoke g-1");
    assert_eq!(v["preflight"]["acts_for"]["name"], "ops");
    assert_eq!(v["preflight"]["asks_about"], serde_json::json!([]), "no read of github crosses a point");

    let entries = last(&b, 2);
    assert!(matches!(&entries[0], (by, Event::IntegrationAdded(i)) if *by == op() && i.handle == "github" && !i.inside));
    let Event::GrantIssued(g) = &entries[1].1 else { panic!("{entries:?}") };
    assert_eq!((g.scope.as_str(), g.mission.as_deref(), g.accepted.len()), ("repo:acme/app", Some("ship-1.4"), 0));
    let days = |g: &GrantIssued| g.until.unwrap().since(clock()).millis() as f64 / 86_400_000.0;
    assert!((89.0..=90.0).contains(&days(g)), "the policy's default is 90 days");

    // The second time it is there.
    let v = run(&b, &["connect", "github", "--agent", "ag-1", "--scope", "repo:acme/site", "--expires", "2027-03-01", "--owner", "ops"], 0);
    assert_eq!((&v["integration"]["added"], &v["until"]), (&false.into(), &"2027-03-01T00:00:00.000Z".into()));
    assert_eq!(size(&b), 6);
}

#[test]
fn the_preflight_is_five_lines_on_stderr_unless_quiet() {
    let b = bench();
    let out = b.run(&with(DOOR, &["--access", "write"]));
    let err = text(&out.stderr);
    for line in ["acts for      build-bot acts for op-1 (ops)", "reaches       github repo:acme/app, write", "asks about    public claim (", "leaves        ", "close it      aosctl revoke g-1"] {
        assert!(err.contains(line), "{line}: {err}");
    }
    assert!(err.contains("whatever the catalogue does not know"), "{err}");
    assert!(text(&out.stdout).starts_with("opened        g-1\n"));
    let out = b.run(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site", "-q"]);
    assert_eq!((code(&out), text(&out.stderr)), (0, String::new()));
}

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
        (&["connect", "github", "--agent", "build-bot", "--scope", "repo:a/b", "--owner", "opps"], 1, "did you mean ops?"),
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
fn an_instance_under_another_name_is_not_doubled() {
    let b = bench();
    let ws = open(&b);
    let by = operator(&ws);
    let i = IntegrationAdded { id: id("i-1"), handle: "github-eu".into(), kind: "github".into(), inside: true, residency: None };
    ws.transact(clock(), |tx| tx.append(by.by(), i)).unwrap();
    let out = b.run(DOOR);
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("aosctl connect github-eu"), "{}", text(&out.stderr));
    // Inside the boundary customer data is no warning.
    run(&b, &["connect", "github-eu", "--agent", "build-bot", "--scope", "repo:acme/app", "--data", "customer"], 0);
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
        (&with(&github("repo:acme/y"), &["--access", "write", "--expires", "never"]), &["write.endless"], "--expires 90d"),
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
    assert!(v["warnings"][0]["instead"].as_str().unwrap().starts_with("aosctl grant renew g-1 --expires "));
    let v = run(&b, &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app/pulls"], 1);
    assert_eq!(names(&v), ["grant.subsumed"]);
    assert_eq!(v["warnings"][0]["instead"], "aosctl grant narrow g-1 --scope repo:acme/app/pulls");
    // Another agent's grant is another door.
    b.add_agent("other-bot");
    run(&b, &["connect", "github", "--agent", "other-bot", "--scope", "repo:acme/app"], 0);
}

#[test]
fn on_a_terminal_it_asks_for_everything_and_shows_the_preflight_before_the_signature() {
    let b = bench();
    let mut t = Terminal::run(&b, &["connect"]);
    t.wait("github (GitHub, would be added)");
    t.wait("which integration [1-");
    let number = t.all.lines().find(|l| l.contains("github (GitHub")).and_then(|l| l.split_whitespace().next()).unwrap().to_string();
    t.answer("]: ", &number);
    t.answer("which agent [1-1]: ", "1");
    t.wait("repo:OWNER/NAME");
    t.answer("scope: ", "rep:acme/app");
    t.answer("did you mean --scope repo:acme/app?", "repo:acme/app");
    t.answer("[read]: ", "wirte");
    t.answer("[read]: ", "");
    t.answer("[internal]: ", "");
    t.answer("mission (Enter for none): ", "ship 1.4");
    t.answer("[90d]: ", "30d");
    for line in ["acts for      build-bot acts for op-1 (ops)", "reaches       github repo:acme/app, read", "asks about    ", "leaves        ", "close it      aosctl revoke g-1"] {
        t.wait(line);
    }
    t.answer("passphrase of op-1: ", PASSPHRASE);
    let (code, screen) = t.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("opened        g-1") && screen.contains("mission       ship 1.4"), "{screen}");
    assert!(!screen.contains(PASSPHRASE), "{screen}");
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantIssued(g) if g.scope.as_str() == "repo:acme/app" && g.mission.as_deref() == Some("ship 1.4")));
}

#[test]
fn on_a_terminal_a_warning_wants_a_typed_yes() {
    let b = bench();
    let wide = &["connect", "github", "--agent", "build-bot", "--scope", "org:acme"];
    for (typed, opens) in [("y", false), ("", false), ("yes", true)] {
        let before = size(&b);
        let mut t = Terminal::run(&b, wide);
        t.wait("org:acme is account-wide");
        t.wait("--scope repo:acme/NAME");
        t.answer("Type yes to go on: ", typed);
        if opens {
            t.answer("passphrase of op-1: ", PASSPHRASE);
        }
        let (code, screen) = t.end();
        assert_eq!((code == 0, size(&b) > before), (opens, opens), "{typed:?}: {screen}");
    }
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantIssued(g) if g.accepted == ["scope.account-wide"]));
    // A wrong passphrase opens nothing.
    let before = size(&b);
    let mut t = Terminal::run(&b, DOOR);
    t.answer("passphrase of op-1: ", "wrong horse battery staple");
    let (code, screen) = t.end();
    assert_eq!((code, size(&b)), (1, before), "{screen}");
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
    assert_eq!((&r["grant"], &r["allowed"], &r["asked"], &r["denied"]), (&"g-1".into(), &2.into(), &0.into(), &1.into()));
    assert_eq!(r["cancels"].as_array().unwrap().len(), 2);
    assert_eq!(dry["replaces"][0]["allowed"], r["allowed"]);
    let err = text(&out.stderr);
    assert!(err.contains("since it was issued"), "the window is named: {err}");
    assert!(err.contains("aosctl connect --again g-1"), "{err}");

    let entries = last(&b, 2);
    assert!(matches!(&entries[0].1, Event::GrantIssued(g) if g.replaces == Some(id("g-1"))));
    assert!(matches!(&entries[1].1, Event::GrantRevoked(g) if g.grant == id("g-1") && g.reason.as_deref() == Some("replaced by g-2")));
    assert_eq!(standing(&b, waiting), Standing::Cancelled);
    assert_eq!(ask(&b, "build-bot", "issue.create", "repo:acme/app").1, Verdict::Allow);
}

#[test]
fn what_a_wider_read_grant_loses_is_said() {
    let b = bench();
    b.ok(&with(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/*", "--data", "customer", "--expires", "200d"], &["--accept-risk", "--reason", "x"]));
    let v = run(&b, &with(DOOR, &["--access", "write"]), 0);
    let loses = v["replaces"][0]["loses"].as_array().unwrap();
    assert_eq!(loses.len(), 3, "{loses:?}");
    assert_eq!(loses[0], "reading repo:acme/* beyond repo:acme/app");
    // A write grant is not replaced by another one, and a read grant elsewhere stays.
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site"]);
    let v = run(&b, &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app/src", "--access", "write", "--accept-risk", "--reason", "x"], 0);
    assert_eq!((&v["replaces"], &v["beside"]), (&serde_json::json!([]), &serde_json::json!(["g-2"])));
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
    for args in [&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/site"][..], &["grant", "renew", "g-1"], &["thaw"]] {
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
fn grants_are_listed_with_their_end_and_last_use() {
    let b = bench();
    assert!(b.ok(&["grant", "list"]).contains("nothing is open"));
    b.add_agent("other-bot");
    b.ok(DOOR);
    b.ok(&["connect", "stripe", "--agent", "other-bot", "--scope", "resource:refunds"]);
    ask(&b, "build-bot", "contents.read", "repo:acme/app");
    let ids = |v: &Value| v["grants"].as_array().unwrap().iter().map(|g| g["id"].as_str().unwrap().to_string()).collect::<Vec<_>>();
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
    assert!(page.contains("in 89 days") && page.contains("revoked") && page.lines().all(|l| l.chars().count() <= 80), "{page}");
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
    let told: Vec<_> = history.iter().map(|h| (h["type"].as_str().unwrap(), h["signed_by"]["actor"].as_str().unwrap(), h["reason"].as_str())).collect();
    assert_eq!(told, [("grant.issued/1", "op-1", Some("first")), ("grant.narrowed/1", "log", Some("less")), ("grant.renewed/1", "op-1", None)]);
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
    b.ok(&with(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/*", "--access", "write"], &["--data", "customer", "--accept-risk", "--reason", "x"]));
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

    let v = bare(&b, &["grant", "narrow", "g-1", "--scope", "repo:acme/app", "--access", "write", "--data", "internal", "--expires", "10d"], 0);
    assert_eq!((&v["changed"], &v["signed_by"]["attributed"]), (&true.into(), &false.into()));
    assert_eq!(v["no_longer_fit"], serde_json::json!([unfit.to_string()]));
    let entries = last(&b, 1);
    let (by, Event::GrantNarrowed(n)) = &entries[0] else { panic!("{entries:?}") };
    assert_eq!((*by, n.access, n.data.is_some(), n.scope.is_some(), n.until.is_some()), (Actor::Log, None, true, true, true), "what did not change is not said");
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
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantRenewed(r) if r.until.is_none() && r.reason.as_deref() == Some("core")));
    let out = b.run(&["grant", "renew", "g-1", "--expires", "3d"]);
    assert!(text(&out.stderr).contains("earlier than before"));
    b.ok(&["revoke", "g-1"]);
    let v = bare(&b, &["grant", "renew", "g-1"], 1);
    assert!(v["hints"].to_string().contains("aosctl connect --again g-1"), "{v}");

    let b = bench();
    b.ok(DOOR);
    assert_eq!(bare(&b, &["grant", "renew", "g-1", "--expires", "366d"], 1)["kind"], "until");
}

#[test]
fn revoking_closes_at_once_and_says_what_it_cancels() {
    let b = bench();
    b.add_agent("other-bot");
    b.ok(&with(DOOR, &["--access", "write"]));
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app/src", "--accept-risk", "--reason", "x"]);
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
    for args in [&["revoke", "g-2"][..], &["revoke", "github"], &["revoke", "g-1", "other-bot"], &["grant", "narrow", "g-2", "--data", "public"]] {
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
    sql(&b.db(), "DROP TRIGGER payloads_keep_1; UPDATE payloads SET record = CAST(replace(record, 'repo:acme/app', 'repo:acme/abc') AS BLOB) WHERE seq = 4;");
    let v = bare(&b, &["revoke", "build-bot"], 4);
    assert_eq!(v["closed"][0]["grant"]["id"], "g-2");
    assert_eq!(v["not_closed"][0]["target"], "g-1");
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantRevoked(g) if g.grant == id("g-2")));
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
    assert_eq!(v["touches"], serde_json::json!({"live_grants": 1, "waiting": [waiting.to_string()], "running": [running.to_string()]}));
    assert_eq!(v["since"]["signed_by"]["attributed"], false);
    assert!(matches!(&last(&b, 1)[0], (Actor::Log, Event::WorkspaceFrozen(f)) if f.target == Id::WORKSPACE && f.reason.as_deref() == Some("odd")));
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
    assert_eq!((&v["changed"], &v["still_frozen"][0]["name"], &v["waiting"]), (&true.into(), &"build-bot".into(), &serde_json::json!([])));
    assert_eq!(ask(&b, "build-bot", "contents.read", "repo:acme/app").1, Verdict::Deny);
    let v = run(&b, &["thaw", "build-bot", "--reason", "fine"], 0);
    assert_eq!(v["waiting"], serde_json::json!([waiting.to_string()]));
    assert!(matches!(&last(&b, 1)[0], (by, Event::WorkspaceThawed(_)) if *by == op()));
    assert_eq!((standing(&b, waiting), ask(&b, "build-bot", "contents.read", "repo:acme/app").1), (Standing::Pending, Verdict::Allow));
    // Nothing is frozen: done, and nobody is asked for a passphrase.
    assert_eq!(bare(&b, &["thaw"], 0)["changed"], false);
}

#[test]
fn a_door_for_a_frozen_agent_says_that_it_opens_nothing() {
    let b = bench();
    b.ok(&["freeze", "build-bot"]);
    let out = b.run(DOOR);
    assert!(code(&out) == 0 && text(&out.stderr).contains("aosctl thaw build-bot"), "{}", text(&out.stderr));
    assert_eq!(bare(&b, &["grant", "list"], 0)["grants"][0]["frozen"], true);
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
    let all = shown(&b.run(&with(DOOR, &["--mission", hostile, "--access", "admin", "--accept-risk", "--reason", hostile])));
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
