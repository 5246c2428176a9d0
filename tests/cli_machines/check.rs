//! `check` decides about anyone, writes nothing, and answers with a deny whatever goes wrong.

use crate::lab::{Lab, MERGE, READ, id, parse};
use crate::support::{Bench, code, sql, text};

fn check(lab: &Lab, args: &[&str]) -> (i32, serde_json::Value) {
    // No identity and no passphrase.
    let out = lab.bench.bare().args(["--json", "check"]).args(args).output().unwrap();
    (code(&out), parse(&out))
}

#[test]
fn allow_ask_and_deny_with_rule_reason_grant_and_policy() {
    let lab = Lab::new();
    let before = lab.entries();
    let bot = ["--agent", "build-bot"];
    let (exit, v) = check(&lab, &[&bot, READ].concat());
    assert_eq!(exit, 0, "{v:#}");
    assert_eq!(v["schema"], "aosctl.check/v1");
    assert_eq!((&v["decision"], &v["rule"], &v["grant"]), (&"allow".into(), &"grant.covers".into(), &"g-1".into()));
    assert_eq!(v["policy"].as_str().unwrap().len(), 64);
    assert_eq!(v["tier"], "low");

    let (exit, v) = check(&lab, &[&bot, MERGE].concat());
    assert_eq!((exit, &v["decision"], &v["approvers"]), (5, &"ask".into(), &1.into()));
    assert_eq!(v["points"][0]["point"], "production");
    assert!(v["points"][0]["why"].as_str().unwrap().contains("pull_request.merge"));

    let (exit, v) = check(
        &lab,
        &["--agent", "ag-1", "--integration", "github", "--action", "contents.read", "--resource", "repo:other/app"],
    );
    assert_eq!((exit, &v["decision"], &v["rule"]), (1, &"deny".into(), &"grant.none".into()));
    assert_eq!(
        v["fix"],
        "aosctl connect github --agent build-bot --scope repo:other/app --access read --data internal"
    );

    let (exit, v) = check(&lab, &[&bot[..], READ, &["--unsure", "the branch looks odd"]].concat());
    assert_eq!((exit, &v["decision"], &v["rule"]), (5, &"ask".into(), &"unsure".into()));

    // An action that the catalogue does not know is a write that nothing classifies.
    let (exit, v) = check(
        &lab,
        &[
            "--agent",
            "build-bot",
            "--integration",
            "i-1",
            "--action",
            "pull_request.explode",
            "--resource",
            "repo:acme/app",
        ],
    );
    assert_eq!((exit, &v["rule"], &v["access"]), (5, &"production.unclassified".into(), &"write".into()));
    assert_eq!(lab.entries(), before, "check writes nothing");
}

#[test]
fn unknown_names_and_frozen_agents_are_denied() {
    let lab = Lab::new();
    let (exit, v) = check(&lab, &[&["--agent", "nobody"], READ].concat());
    assert_eq!((exit, &v["decision"], &v["rule"]), (1, &"deny".into(), &"agent.unknown".into()));
    let (exit, v) = check(
        &lab,
        &[
            "--agent",
            "build-bot",
            "--integration",
            "gitlab",
            "--action",
            "contents.read",
            "--resource",
            "repo:acme/app",
        ],
    );
    assert_eq!((exit, &v["rule"], &v["fix"]), (1, &"integration.unknown".into(), &serde_json::Value::Null));
    // Nobody added slack, but `connect` would, and the catalogue says how little a message needs.
    let message = ["--integration", "slack", "--action", "channel.history", "--resource", "channel:C1"];
    let (exit, v) = check(&lab, &[&["--agent", "build-bot"], &message[..]].concat());
    assert_eq!((exit, &v["rule"]), (1, &"integration.unknown".into()));
    let fix = v["fix"].as_str().unwrap();
    assert!(
        fix.starts_with("aosctl connect slack --agent build-bot --scope channel:C1 --access read --data "),
        "{fix}"
    );
    let (exit, v) = check(&lab, &[&["--agent", "op-1"], READ].concat());
    assert_eq!((exit, &v["rule"]), (1, &"agent.unknown".into()), "operators are no agents");
    lab.freeze(id("ag-1"));
    let (exit, v) = check(&lab, &[&["--agent", "build-bot"], READ].concat());
    assert_eq!((exit, &v["rule"]), (1, &"frozen.agent".into()));
    lab.freeze(id("w-1"));
    let (exit, v) = check(&lab, &[&["--agent", "build-bot"], READ].concat());
    assert_eq!((exit, &v["rule"]), (1, &"frozen.workspace".into()));
}

#[test]
fn every_error_is_a_deny_in_one_object() {
    let lab = Lab::new();
    let args = [&["--agent", "build-bot"], READ].concat();

    // The grant's own entry was changed: integrity.
    let db = lab.bench.db();
    let seq: i64 = {
        let c = rusqlite::Connection::open(&db).unwrap();
        c.query_row("SELECT seq FROM entries WHERE subject = 'g-1'", [], |r| r.get(0)).unwrap()
    };
    sql(
        &db,
        &format!(
            "DROP TRIGGER payloads_keep_1;
             UPDATE payloads SET record = CAST(replace(CAST(record AS TEXT), '\"write\"', '\"admin\"') AS BLOB) WHERE seq = {seq}"
        ),
    );
    let (exit, v) = check(&lab, &args);
    assert_eq!((exit, &v["decision"], &v["error"]["kind"]), (4, &"deny".into(), &"integrity".into()), "{v:#}");

    // The database is no database.
    std::fs::write(&db, "not a database at all, but long enough to be read as one").unwrap();
    let (exit, v) = check(&lab, &args);
    assert!(exit == 3 || exit == 4, "{exit}");
    assert_eq!(v["decision"], "deny");

    // No workspace.
    let empty = Bench::empty();
    let out = empty.bare().args(["--json", "check"]).args(&args).output().unwrap();
    let v = parse(&out);
    assert_eq!((code(&out), &v["decision"], &v["error"]["kind"]), (3, &"deny".into(), &"no_workspace".into()));
    assert!(text(&out.stderr).starts_with("error: "), "{}", text(&out.stderr));

    // Wrong usage that clap cannot see.
    let (exit, v) = check(&lab, &["--agent", "build-bot", "--action", "contents.read"]);
    assert_eq!((exit, &v["decision"], &v["error"]["kind"]), (2, &"deny".into(), &"usage".into()));
}

#[test]
fn the_page_says_the_same() {
    let lab = Lab::new();
    let out = lab.bench.bare().args(["check", "--agent", "build-bot"]).args(MERGE).output().unwrap();
    assert_eq!(code(&out), 5);
    let page = text(&out.stdout);
    assert!(page.starts_with("decision      ask\n"), "{page}");
    assert!(page.contains("point         production change: "), "{page}");
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
    let denied = [
        "check",
        "--agent",
        "build-bot",
        "--integration",
        "github",
        "--action",
        "contents.read",
        "--resource",
        "org:acme",
    ];
    let out = lab.bench.bare().args(denied).output().unwrap();
    assert_eq!(code(&out), 1);
    assert!(
        text(&out.stderr).contains("aosctl connect github --agent build-bot --scope org:acme"),
        "{}",
        text(&out.stderr)
    );
}

/// The decision is the projection's business nowhere: a grant that was widened with the sqlite3 shell opens nothing.
#[test]
fn a_widened_row_opens_nothing() {
    let lab = Lab::new();
    sql(&lab.bench.db(), "UPDATE grants SET scope = '*', access = 'admin', until = NULL");
    let (exit, v) = check(
        &lab,
        &[
            "--agent",
            "build-bot",
            "--integration",
            "github",
            "--action",
            "contents.read",
            "--resource",
            "repo:other/app",
        ],
    );
    assert_eq!((exit, &v["decision"]), (1, &"deny".into()), "{v:#}");
}
