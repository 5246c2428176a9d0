//! `approve` and `deny` by name, `queue`, `request show`: scripts, refusals, data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly"
)]

mod approve_world;
mod support;

use aosctl::domain::event::{GrantRevoked, IdentityRetired, WorkspaceFrozen};
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::request::Outcome;
use aosctl::domain::time::Span;
use aosctl::identity::Passphrase;
use aosctl::workspace::WorkspaceError;
use aosctl::workspace::decision::{self, Answer};
use approve_world::{Ask, World, minutes_ago, now};
use serde_json::Value;
use support::{code, text};

fn json(out: &std::process::Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// Exit 1, and both what and what to type next.
fn assert_refused(out: &std::process::Output, what: &str, hint: &str) {
    let err = text(&out.stderr);
    assert_eq!(code(out), 1, "{err}");
    assert!(err.contains(&format!("error: {what}")), "{err}");
    assert!(err.contains(&format!("hint: {hint}")), "{err}");
}

#[test]
fn approve_by_name_shows_signs_and_says_what_happens_now() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let out = w.bench.run(&["approve", "r-1", "--reason", "tests are green"]);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(code(&out), 0, "{stderr}");
    assert!(stderr.starts_with("=== r-1 === high risk ==="), "{stderr}");
    assert!(stderr.contains("recommends    | Deploy now"), "{stderr}");
    assert!(stderr.lines().all(|l| l.chars().count() <= 80) && stderr.lines().count() <= 23, "{stderr}");
    assert!(
        stdout.starts_with("r-1 approved: build-bot may run it once before ")
            && stdout.ends_with("\n  aosctl run r-1 -- CMD...\n"),
        "{stdout}"
    );
    assert_eq!((w.standing(id), w.last_reason(id).as_deref()), ("approved", Some("tests are green")));
}

#[test]
fn quiet_shows_only_data() {
    let w = World::new();
    w.ask(minutes_ago(12), &Ask::deploy());
    let out = w.bench.run(&["approve", "r-1", "--quiet"]);
    assert_eq!((code(&out), text(&out.stderr)), (0, String::new()));
}

#[test]
fn json_of_a_decision() {
    let w = World::new();
    w.ask(minutes_ago(12), &Ask::deploy());
    let out = w.bench.run(&["approve", "r-1", "--json"]);
    let v = json(&out);
    assert_eq!(v["schema"], "aosctl.decisions/v1");
    let d = &v["decisions"][0];
    assert_eq!((d["request"].as_str(), d["answer"].as_str()), (Some("r-1"), Some("approve")));
    assert_eq!(
        (d["approved"].as_u64(), d["needed"].as_u64(), d["self_approved"].as_bool()),
        (Some(1), Some(1), Some(false))
    );
    assert!(d["seq"].is_u64() && d["until"].is_string() && v.get("waiting").is_none());
}

#[test]
fn a_dry_run_asks_for_no_passphrase_and_signs_nothing() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let size = w.size();
    let out = w.bench.bare().args(["approve", "r-1", "-n"]).output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(
        text(&out.stdout).starts_with("r-1 would be approved: build-bot may run it once before "),
        "{}",
        text(&out.stdout)
    );
    assert!(text(&out.stderr).contains("nothing was signed"));
    let out = w.bench.bare().args(["deny", "r-1", "--reason", "no", "--dry-run", "--json"]).output().unwrap();
    let v = json(&out);
    assert_eq!((v["dry_run"].as_bool(), v["decisions"][0]["answer"].as_str()), (Some(true), Some("deny")));
    assert!(v["decisions"][0].get("seq").is_none() && v["decisions"][0].get("until").is_none());
    // It ends as it would.
    w.withdraw(id);
    let out = w.bench.bare().args(["approve", "r-1", "-n"]).output().unwrap();
    assert_refused(&out, "r-1 was withdrawn", "see what became of it: aosctl request show r-1");
    assert_eq!(w.size(), size + 1);
}

#[test]
fn deny_needs_a_reason_and_is_final() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    assert_eq!(code(&w.bench.run(&["deny", "r-1"])), 2);
    assert_eq!(code(&w.bench.run(&["deny", "r-1", "--reason", ""])), 2);
    let out = w.bench.run(&["deny", "r-1", "--reason", "not on a Friday"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(text(&out.stdout), "r-1 denied: build-bot is told no, and would have to ask again\n");
    assert_eq!((w.standing(id), w.last_reason(id).as_deref()), ("denied", Some("not on a Friday")));
    let out = w.bench.run(&["approve", "r-1"]);
    assert_refused(&out, "r-1 was denied by an operator", "see what became of it: aosctl request show r-1");
}

#[test]
fn several_are_decided_all_or_none() {
    let w = World::new();
    let ids: Vec<Id> = (0..3).map(|i| w.ask(minutes_ago(12 - i), &Ask::deploy())).collect();
    w.withdraw(ids[2]);
    let size = w.size();
    let out = w.bench.run(&["approve", "r-1", "r-2", "r-3"]);
    assert_refused(&out, "r-3 was withdrawn", "see what became of it: aosctl request show r-3");
    assert_eq!(w.size(), size);
    let out = w.bench.run(&["approve", "r-1", "r-2", "r-1"]);
    assert_eq!(code(&out), 0);
    assert_eq!(text(&out.stdout).matches(" approved: ").count(), 2);
    assert_eq!((w.standing(ids[0]), w.standing(ids[1])), ("approved", "approved"));
}

#[test]
fn an_agent_can_decide_nothing() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    for args in [vec!["approve", "r-1"], vec!["deny", "r-1", "--reason", "x"], vec!["approve"]] {
        let out = w.bench.agent("build-bot", &args).output().unwrap();
        assert_refused(&out, "an agent cannot decide about requests: only an operator can", "decide as an operator");
        assert!(text(&out.stderr).contains("is an agent's identity"));
        let out = w.bench.bare().env("AOSCTL_IDENTITY", w.bench.identity("build-bot")).args(&args).output().unwrap();
        assert_eq!(code(&out), 1);
    }
    assert_eq!(w.standing(id), "pending");
}

#[test]
fn a_retired_operator_can_decide_nothing() {
    let w = World::new();
    let second = w.second_operator();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    w.sign(now(), IdentityRetired { id: Id::new(IdKind::Operator, 2), as_of: None, reason: None });
    let out = w.bench.cmd(&["approve", "r-1"]).arg("--identity").arg(&second).output().unwrap();
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("error: op-2 was retired and can sign nothing"), "{}", text(&out.stderr));
    assert_eq!(w.standing(id), "pending");
}

#[test]
fn a_wrong_passphrase_decides_nothing() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    std::fs::write(w.bench.path("pass"), "something else").unwrap();
    let out = w.bench.run(&["approve", "r-1"]);
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("passphrase"), "{}", text(&out.stderr));
    assert_eq!(w.standing(id), "pending");
}

#[test]
fn an_operators_own_request_needs_another_operator() {
    let w = World::new();
    let second = w.second_operator();
    let id = w.ask_audit_edit(minutes_ago(12));
    let out = w.bench.run(&["approve", "r-1"]);
    assert_refused(
        &out,
        "r-1 is your own request (op-1): another operator has to decide",
        "another operator types: aosctl approve r-1",
    );
    let out = w.bench.bare().args(["approve", "r-1", "-n"]).output().unwrap();
    assert_eq!(code(&out), 1, "the dry run ends as it would");
    // Two must agree. The one who carries it out signs that, and is the second.
    let out = w.bench.cmd(&["approve", "r-1"]).arg("--identity").arg(&second).output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(
        text(&out.stderr).contains("audit-trail edit: the audit trail would be edited (entry:3)"),
        "{}",
        text(&out.stderr)
    );
    assert!(
        text(&out.stdout).starts_with("r-1 approved: ops may make that edit once before "),
        "{}",
        text(&out.stdout)
    );
    assert!(text(&out.stdout).contains("aosctl audit erase 3"), "{}", text(&out.stdout));
    assert_eq!(w.standing(id), "pending");
}

#[test]
fn two_operators_and_never_one_twice() {
    let w = World::with_policy("[approvers]\nproduction = 2\n");
    let second = w.second_operator();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let out = w.bench.run(&["approve", "r-1"]);
    assert!(text(&out.stdout).contains("1 of 2: another operator must approve it before "), "{}", text(&out.stdout));
    assert_eq!(w.standing(id), "pending");
    let out = w.bench.run(&["approve", "r-1"]);
    assert_refused(
        &out,
        "you approved r-1 before; another operator has to",
        "another operator types: aosctl approve r-1",
    );
    let out = w.bench.cmd(&["approve", "r-1"]).arg("--identity").arg(&second).output().unwrap();
    assert_eq!(code(&out), 0);
    assert!(text(&out.stderr).contains("2 operators must approve; approved by ops (op-1)"), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("may run it once"));
    assert_eq!(w.standing(id), "approved");
    assert_refused(&w.bench.run(&["approve", "r-1"]), "r-1 is approved already", "see what became of it");
}

#[test]
fn each_end_has_its_own_message() {
    let w = World::new();
    let expired = w.ask(now().minus(Span::days(2)), &Ask::deploy());
    let unused = w.ask(now().minus(Span::days(2)), &Ask::deploy());
    w.answer(now().minus(Span::days(2)), unused, true, None);
    let allowed = w.ask(minutes_ago(20), &Ask { action: "contents.read".into(), ..Ask::deploy() });
    let by_rule = w.ask(minutes_ago(19), &Ask { resource: "repo:other/app".into(), ..Ask::deploy() });
    let done = w.ask(minutes_ago(18), &Ask::deploy());
    w.answer(minutes_ago(17), done, true, None);
    w.carry_out(minutes_ago(16), done, Outcome::Succeeded);
    let unknown = w.ask(minutes_ago(15), &Ask::deploy());
    w.answer(minutes_ago(14), unknown, true, None);
    w.carry_out(minutes_ago(13), unknown, Outcome::Unknown);
    for (id, what) in [
        (expired, "expired undecided; it has to be asked again"),
        (unused, "was approved, but not begun in time; it has to be asked again"),
        (allowed, "was allowed by the rules and needs no decision"),
        (by_rule, "was denied by the rules when it was asked, and no operator can approve it"),
        (done, "is over: it was done"),
        (unknown, "is over: it was begun, and nobody knows how it ended"),
    ] {
        let id = id.to_string();
        assert_refused(&w.bench.run(&["approve", &id]), &format!("{id} {what}"), "see what became of it");
        assert_refused(&w.bench.run(&["deny", &id, "--reason", "x"]), &format!("{id} {what}"), "see what became of it");
    }
    assert_refused(&w.bench.run(&["approve", "r-99"]), "there is no request r-99", "see what waits: aosctl queue");
    let out = w.bench.run(&["approve", "g-1"]);
    assert_eq!(code(&out), 2);
    assert!(text(&out.stderr).contains("is not the id of a request, such as r-57"));
    assert_eq!(code(&w.bench.run(&["approve", "nonsense"])), 2);
}

#[test]
fn what_would_not_run_is_not_approved_but_can_be_denied() {
    let w = World::new();
    let frozen = w.ask(minutes_ago(12), &Ask::deploy());
    w.sign(now(), WorkspaceFrozen { target: Id::new(IdKind::Agent, 1), reason: None });
    let out = w.bench.run(&["approve", "r-1"]);
    assert_refused(
        &out,
        "approving r-1 would let nothing run: deciding again gives deny",
        "close it: aosctl deny r-1 --reason TEXT",
    );
    assert!(text(&out.stderr).contains("in vain       | approving it would let nothing run"), "{}", text(&out.stderr));
    assert_eq!(code(&w.bench.run(&["deny", "r-1", "--reason", "frozen for good"])), 0);
    assert_eq!(w.standing(frozen), "denied");

    let w = World::new();
    w.ask(minutes_ago(12), &Ask::deploy());
    w.sign(now(), GrantRevoked { grant: Id::new(IdKind::Grant, 1), reason: None });
    assert_refused(
        &w.bench.run(&["approve", "r-1"]),
        "approving r-1 would let nothing run: its grant g-1 is not live any more",
        "close it",
    );
}

#[test]
fn what_was_shown_is_what_is_signed() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let shown = w.ws.case(id, now()).unwrap().unwrap().open.unwrap().shown;
    let (path, sealed) = w.ws.sealed_operator(None).unwrap();
    let pass = Passphrase::given(support::PASSPHRASE.into()).unwrap();
    let operator = w.ws.unlock_operator(&path, &sealed, &pass).unwrap();
    w.adopt("[cap]\nmove = \"1USD\"\nweek = \"2USD\"\n");
    for answer in [Answer::Approve, Answer::Deny] {
        let refused = w.ws.transact(now(), |tx| match answer {
            Answer::Approve => decision::approve(tx, &operator, id, &shown, None),
            Answer::Deny => decision::deny(tx, &operator, id, &shown, None),
        });
        match refused {
            Err(WorkspaceError::Refused(f)) => {
                assert_eq!((f.kind, f.detail.as_str()), ("changed", "r-1 changed while you were reading: look again"));
            }
            other => panic!("{other:?}"),
        }
    }
    let again = w.ws.case(id, now()).unwrap().unwrap().open.unwrap().shown;
    assert_ne!(again, shown);
    let (decided, _) = w.ws.transact(now(), |tx| decision::approve(tx, &operator, id, &again, None)).unwrap();
    assert_eq!((decided.approved, decided.needed), (1, 1));
}

#[test]
fn without_a_terminal_the_error_names_what_to_type() {
    let w = World::new();
    let out = w.bench.run(&["approve"]);
    assert_eq!((code(&out), text(&out.stdout).as_str()), (0, "nothing waits for a decision\n"));
    w.ask(minutes_ago(12), &Ask::deploy());
    let out = w.bench.run(&["approve"]);
    assert_eq!(code(&out), 3);
    let err = text(&out.stderr);
    assert!(err.contains("1 request waits for a decision, and there is no terminal to ask at"), "{err}");
    assert!(
        err.contains("hint: see what waits: aosctl queue") && err.contains("hint: decide by name: aosctl approve r-1"),
        "{err}"
    );
    assert_eq!(code(&w.bench.run(&["approve", "-n"])), 2);
}

#[test]
fn the_queue() {
    let w = World::new();
    let out = w.bench.bare().arg("queue").output().unwrap();
    assert_eq!((code(&out), text(&out.stdout).as_str()), (0, "nothing waits for a decision\n"));
    w.past();
    w.ask(
        minutes_ago(30),
        &Ask {
            unsure: Some("?".into()),
            facets: Default::default(),
            action: "charge.read".into(),
            ..Ask::refund("1USD")
        },
    );
    w.ask(minutes_ago(20), &Ask::refund("1250USD"));
    w.ask(minutes_ago(10), &Ask::deploy());
    let out = w.bench.bare().args(["queue"]).output().unwrap();
    assert_eq!(
        text(&out.stdout),
        "\
r-5     high    build-bot (ag-1): refund.create
                stripe account:acme; 1,250.00 USD; money over the cap; asked 20
                minutes ago; expires in 23 hours
r-6     high    build-bot (ag-1): deployment.create
                github repo:acme/app; production change; asked 10 minutes ago;
                expires in 23 hours
r-4     low     build-bot (ag-1): charge.read
                stripe account:acme; read; asked 30 minutes ago; expires in 23
                hours
3 wait; decide: aosctl approve
"
    );
    let v = json(&w.bench.bare().args(["request", "list", "--json"]).output().unwrap());
    assert_eq!((v["schema"].as_str(), v["only_waiting"].as_bool()), (Some("aosctl.request-list/v1"), Some(true)));
    let ids: Vec<&str> = v["requests"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["r-5", "r-6", "r-4"]);
    let first = &v["requests"][0];
    assert_eq!(first["amount"], serde_json::json!({"currency": "USD", "minor": 125_000}));
    assert_eq!(
        (first["standing"].as_str(), first["tier"].as_str(), first["integration"].as_str()),
        (Some("pending"), Some("high"), Some("stripe"))
    );
    assert_eq!(first["points"], serde_json::json!(["money"]));
    assert_eq!(first["requester"], serde_json::json!({"id": "ag-1", "name": "build-bot"}));
}

#[test]
fn lists_by_agent_standing_and_number() {
    let w = World::new();
    w.past();
    w.ask(minutes_ago(10), &Ask::deploy());
    let ids = |args: &[&str]| -> Vec<String> {
        let out = w.bench.bare().args(["request", "list", "--json"]).args(args).output().unwrap();
        json(&out)["requests"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(ids(&["--all"]), ["r-4", "r-3", "r-2", "r-1"]);
    assert_eq!(ids(&["--all", "--limit", "2"]), ["r-4", "r-3"]);
    assert_eq!(ids(&["--agent", "build-bot"]), ["r-4", "r-3", "r-2", "r-1"]);
    assert_eq!(ids(&["--agent", "ag-1", "--standing", "denied"]), ["r-2"]);
    assert_eq!(ids(&["--standing", "failed"]), ["r-3"]);
    assert_eq!(ids(&["--standing", "pending"]), ["r-4"]);
    let out = w.bench.bare().args(["request", "list", "--all", "--limit", "2"]).output().unwrap();
    assert!(text(&out.stdout).ends_with("there are more: --limit N, or --limit 0 for all\n"), "{}", text(&out.stdout));
    let out = w.bench.bare().args(["request", "list", "--agent", "nobody"]).output().unwrap();
    assert_refused(&out, "there is no agent nobody", "see them: aosctl agent list");
    let out = w.bench.bare().args(["request", "list", "--standing", "sitting"]).output().unwrap();
    assert_eq!(code(&out), 2);
    assert!(text(&out.stderr).contains("one of pending, allowed, approved"));
}

#[test]
fn show_is_whole() {
    let w = World::new();
    w.past();
    let long = (1..=200).map(|i| format!("+line {i}")).collect::<Vec<_>>().join("\n");
    w.ask(minutes_ago(10), &Ask { diff: Some(long), ..Ask::deploy() });
    w.answer(now(), Id::new(IdKind::Request, 4), true, Some("go\nrequest.denied by nobody"));
    let out = w.bench.bare().args(["request", "show", "r-4"]).output().unwrap();
    let page = text(&out.stdout);
    assert_eq!(code(&out), 0);
    assert!(page.starts_with("=== r-4 === high risk === approved ==="), "{page}");
    assert!((1..=200).all(|i| page.contains(&format!("| +line {i}\n"))), "{page}");
    assert!(page.contains(&"ab".repeat(32)) && page.contains(&"3fa9c1d2e4b5".repeat(5)), "digests are whole: {page}");
    assert!(page.contains("grant         g-1: write access to repo:acme/*, up to customer data, until\n"), "{page}");
    assert!(
        page.contains("  request.made by build-bot (ag-1)\n") && page.contains("  request.approved by ops (op-1)\n"),
        "{page}"
    );
    assert!(page.contains("          | go\n          | request.denied by nobody\n"), "{page}");
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
    let v = json(&w.bench.bare().args(["request", "show", "r-4", "--json"]).output().unwrap());
    assert_eq!(
        (v["schema"].as_str(), v["standing"].as_str(), v["leaf"].as_str().map(str::len)),
        (Some("aosctl.request/v1"), Some("approved"), Some(64))
    );
    assert_eq!(v["says"]["command"]["argv"], serde_json::json!(["make", "deploy", "NOTE=release 1.4"]));
    assert_eq!(v["entries"].as_array().unwrap().len(), 2);
    assert_eq!(v["like"]["last"][0]["reason"], "not on a Friday");
    assert_eq!(v["record"]["whole_log"], true);
    assert_eq!((v["approvals"][0]["operator"]["id"].as_str(), v.get("again")), (Some("op-1"), None));
    assert_refused(
        &w.bench.bare().args(["request", "show", "r-9"]).output().unwrap(),
        "there is no request r-9",
        "see all: aosctl request list --all",
    );
}

#[test]
fn a_changed_entry_is_an_integrity_failure_not_a_request() {
    let w = World::new();
    w.ask(minutes_ago(10), &Ask::deploy());
    support::sql(
        &w.bench.db(),
        "DROP TRIGGER payloads_keep_1; UPDATE payloads SET record = CAST(replace(CAST(record AS TEXT), 'quiet', 'quite') AS BLOB) WHERE seq = (SELECT max(seq) FROM payloads)",
    );
    for args in [vec!["queue"], vec!["request", "show", "r-1"], vec!["approve", "r-1"]] {
        assert_eq!(code(&w.bench.run(&args)), 4, "{args:?}");
    }
}
