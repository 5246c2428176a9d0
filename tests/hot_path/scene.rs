//! A workspace where every door has been opened and closed, and the questions that are asked before and after an edit.

use std::sync::OnceLock;

use aosctl::domain::access::Access;
use aosctl::domain::authority::rules_digest;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::time::Span;
use rusqlite::Connection;
use serde_json::Value;

use crate::lab::{Lab, MERGE, READ, REFUND, id, now, place};
use crate::support::tree::copy_tree;
use crate::support::{Bench, code, put_back, text, triggers};

/// A question and what it must be answered by.
pub struct Probe {
    pub args: Vec<String>,
    /// As `build-bot`, whose identity is presented; `check` needs none.
    pub agent: bool,
    pub exit: i32,
}

fn probe(args: &[&[&str]], exit: i32) -> Probe {
    let args: Vec<String> = args.concat().iter().map(ToString::to_string).collect();
    let agent = args[0] != "check";
    Probe { args, agent, exit }
}

/// What decides differently when a door is opened that is closed. Those that change something stand last.
fn probes() -> Vec<Probe> {
    let check = |agent: &'static str| ["check", "--agent", agent];
    let bot = check("build-bot");
    let read =
        |resource: &'static str| ["--integration", "github", "--action", "pull_request.read", "--resource", resource];
    let refund =
        |resource: &'static str| ["--integration", "payments", "--action", "refund.create", "--resource", resource];
    let usd = |amount: &'static str| ["--amount", amount, "--parameters", "{}"];
    let begin = |r: &'static str| ["request", "begin", r];
    vec![
        probe(&[&bot, READ], 0),
        probe(&[&bot, MERGE], 5),
        probe(&[&bot, &read("repo:other/app")], 1),
        probe(&[&bot, &read("repo:old/app")], 1),
        probe(&[&bot, READ, &["--access", "admin"]], 1),
        probe(&[&bot, READ, &["--data", "customer"]], 1),
        // Over the cap for a move; and within it, but over the week's, of which 400 are spent.
        probe(&[&bot, REFUND, &usd("600USD")], 5),
        probe(&[&bot, REFUND, &["--amount", "450USD", "--parameters", r#"{"amount":45000,"currency":"usd"}"#]], 5),
        probe(&[&bot, &refund("account:acct_2"), &usd("5USD")], 1),
        probe(&[&check("other-bot"), READ], 1),
        probe(&[&check("gone-bot"), READ], 1),
        probe(&[&begin("r-2")], 1),
        probe(&[&begin("r-4")], 1),
        probe(&[&begin("r-5")], 1),
        probe(&[&begin("r-6")], 1),
        probe(&[&begin("r-7")], 1),
        probe(&[&begin("r-99")], 1),
        probe(&[&["run", "r-2", "--", "/bin/true"]], 1),
        probe(&[&["request", "new"], &read("repo:other/app")], 1),
        probe(&[&begin("r-3")], 0),
        probe(&[&begin("r-1")], 0),
    ]
}

pub fn copy(from: &Bench) -> Bench {
    let to = Bench::empty();
    copy_tree(from.dir.path(), to.dir.path());
    to
}

/// Two scenes: everything as told below, and the same with everything frozen.
pub fn scene(frozen: bool) -> &'static Bench {
    static SCENES: OnceLock<(Bench, Bench)> = OnceLock::new();
    let (open, closed) = SCENES.get_or_init(|| {
        let lab = play();
        let open = copy(&lab.bench);
        lab.freeze(id("w-1"));
        (open, copy(&lab.bench))
    });
    if frozen { closed } else { open }
}

fn play() -> Lab {
    let lab = Lab::with_caps("1000USD", "800USD");
    let grant =
        |agent: &str, i: &str, scope: &str, access, data, until| lab.grant(agent, i, scope, access, data, until);
    lab.bench.add_agent("other-bot");
    lab.bench.add_agent("gone-bot");
    grant("other-bot", "github", "repo:acme/*", Access::Write, DataClass::Internal, None);
    grant("gone-bot", "github", "repo:acme/*", Access::Write, DataClass::Internal, None);
    let revoked = grant("build-bot", "github", "repo:other/app", Access::Write, DataClass::Customer, None);
    let narrowed = grant("build-bot", "payments", "account:acct_2", Access::Write, DataClass::Customer, None);
    let soon = now().plus(Span::from_millis(900));
    grant("build-bot", "github", "repo:old/app", Access::Write, DataClass::Customer, Some(soon));
    lab.revoke(revoked);
    lab.sign(|_| {
        let b = GrantNarrowed {
            grant: narrowed,
            scope: None,
            access: Some(Access::Read),
            data: None,
            until: None,
            reason: None,
        };
        ((), b.into())
    });
    lab.ask(READ, 0);
    for _ in 2..=4 {
        lab.ask(MERGE, 5);
    }
    lab.approve_for("r-3", Span::seconds(3600));
    lab.deny("r-4");
    lab.ask(READ, 0);
    assert_eq!(code(&lab.bot(&["request", "withdraw", "r-5"])), 0);
    lab.ask(READ, 0);
    assert_eq!(code(&lab.bot(&["request", "begin", "r-6"])), 0);
    let other = lab.bench.agent("other-bot", &[&["request", "new"], READ].concat()).output().unwrap();
    assert_eq!(code(&other), 0);
    lab.ask(&[REFUND, &["--amount", "400USD", "--parameters", r#"{"amount":40000,"currency":"usd"}"#]].concat(), 0);
    lab.ask(&["--integration", "github", "--action", "pull_request.read", "--resource", "repo:other/app"], 1);
    lab.freeze(id("ag-2"));
    lab.sign(|_| ((), IdentityRetired { id: id("ag-3"), as_of: None, reason: None }.into()));
    // The second policy has the lower cap, so the first one would be a wider door.
    lab.sign(|tx| {
        let mut rules = (*tx.facts().policy().unwrap().unwrap().rules).clone();
        rules.caps.per_move = 50_000;
        let digest = rules_digest(&rules).unwrap();
        let source = String::new();
        (
            (),
            PolicyAdopted {
                digest,
                rules: std::sync::Arc::new(rules),
                source,
                confirmed: Default::default(),
                reason: None,
            }
            .into(),
        )
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    lab
}

/// Runs a question; gives the exit code and, for `check`, the decision.
pub fn ask(b: &Bench, p: &Probe) -> (i32, Option<String>) {
    let args: Vec<&str> = p.args.iter().map(String::as_str).collect();
    let out = if p.agent {
        // The identity is named in the environment: after `--` everything is the child's.
        b.bare().env("AOSCTL_IDENTITY", b.identity("build-bot")).args(&args).output().unwrap()
    } else {
        b.bare().arg("--json").args(&args).output().unwrap()
    };
    let decision = (!p.agent).then(|| {
        let v: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out.stderr)));
        v["decision"].as_str().unwrap().to_string()
    });
    (code(&out), decision)
}

/// An edit of the database.
pub struct Edit {
    pub name: String,
    pub sql: String,
}

pub fn edit(name: impl Into<String>, sql: impl Into<String>) -> Edit {
    Edit { name: name.into(), sql: sql.into() }
}

/// As with the sqlite3 shell, every guard switched off, the triggers of the log out of the way for a moment.
pub fn apply(b: &Bench, sql: &str) {
    let c = Connection::open(b.db()).unwrap();
    c.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
    let kept = triggers(&c);
    for (name, _) in &kept {
        c.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    c.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    put_back(&c, &kept);
}

/// Is that answer the one of before, or none at all?
fn complaint(frozen: bool, e: &Edit) -> Vec<String> {
    let b = copy(scene(frozen));
    apply(&b, &e.sql);
    let mut wrong = Vec::new();
    // What was allowed cannot become more so.
    for p in probes().into_iter().filter(|p| frozen || p.exit != 0) {
        let before = if frozen { 1 } else { p.exit };
        let (exit, decision) = ask(&b, &p);
        let closed = (exit == 4 || exit == 3) && decision.as_deref().is_none_or(|d| d == "deny");
        // Fewer doors are no harm either: a deny where there was an allow.
        if exit != before && !closed && exit != 1 {
            wrong.push(format!("{}: {} was {before} and is {exit} {decision:?}", e.name, p.args.join(" ")));
        }
    }
    wrong
}

/// None of the edits opens anything. Gives how many there were.
pub fn must_open_nothing(what: &str, frozen: bool, edits: Vec<Edit>) {
    let count = edits.len();
    scene(frozen);
    let (left, right) = edits.split_at(count / 2);
    let wrong: Vec<String> = std::thread::scope(|s| {
        let work = [left, right]
            .map(|half| s.spawn(move || half.iter().flat_map(|e| complaint(frozen, e)).collect::<Vec<_>>()));
        work.into_iter().flat_map(|w| w.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("edits, {what}: {count}, each with {} questions", probes().len());
}

/// Untouched, the answers are those that the scene is made for.
#[test]
fn the_scene_answers_as_told() {
    let b = copy(scene(false));
    for p in probes() {
        let (exit, _) = ask(&b, &p);
        assert_eq!(exit, p.exit, "{}", p.args.join(" "));
    }
    let b = copy(scene(true));
    for p in probes() {
        assert_eq!(ask(&b, &p).0, 1, "frozen: {}", p.args.join(" "));
    }
    let v = aosctl::workspace::verify(&place(&b), &Default::default(), now(), &mut |_, _| {}).unwrap();
    assert!(!v.report.failed(), "{v:#?}");
}
