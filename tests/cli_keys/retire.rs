use super::{assert_whole, bench, code, entries, json, run, text};
use crate::support::{Bench, PASSPHRASE};
use aosctl::domain::event::GrantIssued;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{Carries, Delivery, Recipient};
use aosctl::domain::time::Time;
use aosctl::identity::Passphrase;
use aosctl::workspace::{Place, Workspace, WorkspaceError};

/// A grant of `build-bot` that carries a key.
fn carry(b: &Bench, key: &str) -> Id {
    let ws = Workspace::open(Place { dir: b.workspace(), state: b.path("state") }).unwrap();
    let (path, sealed) = ws.sealed_operator(None).unwrap();
    let me = ws.unlock_operator(&path, &sealed, &Passphrase::given(PASSPHRASE.into()).unwrap()).unwrap();
    let agent = ws.find_agent("build-bot").unwrap().unwrap().id;
    let integration = ws.find_integration("github").unwrap().unwrap().id;
    let now = Time::from(jiff::Timestamp::now());
    let program = Recipient { path: "/usr/bin/true".into(), sha256: "0".repeat(64) };
    ws.transact(now, |tx| {
        let grant = tx.next_id(IdKind::Grant)?;
        let event = GrantIssued {
            grant,
            agent,
            integration,
            scope: "repo:acme/app".parse().unwrap(),
            access: "read".parse().unwrap(),
            data: "internal".parse().unwrap(),
            owner: me.id,
            mission: None,
            until: Some(tx.now().plus("30d".parse().unwrap())),
            replaces: None,
            again: None,
            carries: Some(Carries {
                key: key.parse().unwrap(),
                delivery: Delivery::Env("GITHUB_TOKEN".into()),
                programs: vec![program.clone()],
            }),
            accepted: Vec::new(),
            reason: None,
        };
        tx.append(me.by(), event)?;
        Ok::<_, WorkspaceError>(grant)
    })
    .unwrap()
    .0
}

#[test]
fn a_key_that_is_carried_is_not_taken_away_in_silence() {
    let b = bench();
    b.add_agent("build-bot");
    run(&b, 0, &["key", "add", "ci", "--ref", "op://a/b/c", "--opens", "github"]);
    let grant = carry(&b, "k-1");
    let v = json(&b, 0, &["key", "list"]);
    assert_eq!(v["keys"][0]["grants"][0], grant.to_string());
    let (page, _) = run(&b, 0, &["key", "show", "ci"]);
    assert!(page.contains("carried by") && page.contains("build-bot, read, github repo:acme/app"), "{page}");
    let before = entries(&b);
    for more in [&[][..], &["-n"]] {
        let (_, stderr) = run(&b, 1, &[&["key", "retire", "ci"], more].concat());
        assert!(stderr.contains("is carried by g-1") && stderr.contains("--revoke-grants"), "{stderr}");
    }
    assert_eq!(entries(&b), before);
    let v = json(&b, 0, &["key", "retire", "ci", "--revoke-grants", "--reason", "moved", "-n"]);
    assert_eq!((v["revoked"][0]["id"].as_str(), v["revoked"][0]["state"].as_str()), (Some("g-1"), Some("live")));
    assert_eq!(entries(&b), before);
    let v = json(&b, 0, &["key", "retire", "ci", "--revoke-grants", "--reason", "moved"]);
    assert_eq!(v["revoked"][0]["state"], "revoked");
    assert_eq!(entries(&b), before + 2);
    assert_eq!(json(&b, 0, &["key", "show", "ci"])["key"]["state"], "retired");
    assert_whole(&b);
}

#[test]
fn retired_is_for_good_and_hidden() {
    let b = bench();
    run(&b, 0, &["key", "add", "ci", "--no-secret"]);
    let (_, stderr) = run(&b, 0, &["key", "retire", "ci"]);
    assert!(stderr.contains("Its provider still accepts it"), "{stderr}");
    let (_, stderr) = run(&b, 1, &["key", "retire", "k-1"]);
    assert!(stderr.contains("was retired on"), "{stderr}");
    run(&b, 1, &["key", "set", "k-1", "--scope", "x"]);
    let (page, _) = run(&b, 0, &["key", "list"]);
    assert_eq!(page, "no keys\n1 retired, not shown: aosctl key list --all\n");
    assert_eq!(json(&b, 0, &["key", "list", "--all"])["keys"][0]["state"], "retired");
    let out = b.bare().args(["key", "retire", "k-1"]).output().unwrap();
    assert_eq!(code(&out), 1, "{}", text(&out.stderr));
}
