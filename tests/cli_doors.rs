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
use aosctl::identity::Passphrase;
use aosctl::workspace::{OperatorIdentity, Place, Workspace, WorkspaceError};
use serde_json::Value;
use support::asked::asked;
use support::{Bench, PASSPHRASE, code, sql, text};

const DOOR: &[&str] = &["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app"];

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
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// Runs as an operator with `--json` and insists on an exit code.
fn run(b: &Bench, args: &[&str], exit: i32) -> Value {
    let out = b.run(&with(args, &["--json"]));
    assert_eq!(code(&out), exit, "{args:?}: {}{}", text(&out.stdout), text(&out.stderr));
    json(&out)
}

/// Runs as nobody in particular, with `--json`, and insists on an exit code.
fn bare(b: &Bench, args: &[&str], exit: i32) -> Value {
    let out = b.bare().args(args).arg("--json").output().unwrap();
    assert_eq!(code(&out), exit, "{args:?}: {}{}", text(&out.stdout), text(&out.stderr));
    json(&out)
}

/// Runs as an agent, with `--json`, and insists on an exit code.
fn agent(b: &Bench, name: &str, args: &[&str], exit: i32) -> Value {
    let out = b.agent(name, &with(args, &["--json"])).output().unwrap();
    assert_eq!(code(&out), exit, "{args:?}: {}{}", text(&out.stdout), text(&out.stderr));
    json(&out)
}

fn open(b: &Bench) -> Workspace {
    Workspace::open(Place { dir: b.workspace(), state: b.path("state") }).unwrap()
}

fn size(b: &Bench) -> u64 {
    open(b).store().head().unwrap().unwrap().size
}

/// The last entries, oldest first: who signed, and what.
fn last(b: &Bench, n: u64) -> Vec<(Actor, Event)> {
    let ws = open(b);
    let size = ws.store().head().unwrap().unwrap().size;
    (size - n..size).map(|seq| ws.event(seq).map(|(e, event)| (e.actor, event)).unwrap()).collect()
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
    ws.unlock_operator(&path, &sealed, &Passphrase::given(PASSPHRASE.into()).unwrap()).unwrap()
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
            let request = tx.next_id(IdKind::Request)?;
            let made = asked(tx.facts(), &p, Some(integration), request, tx.now())?;
            let verdict = made.decision;
            tx.append(me.by(), made)?;
            Ok::<_, WorkspaceError>((request, verdict))
        })
        .unwrap();
    done
}

fn claim(b: &Bench, name: &str, request: Id) {
    let ws = open(b);
    let me = ws.agent(&b.identity(name)).unwrap();
    ws.transact(clock(), |tx| tx.append(me.by(), RequestClaimed { request, mode: ClaimMode::Agent, key: None }))
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
        let mut rules = (*tx.facts().policy()?.unwrap().rules).clone();
        rules.grants.longest = None;
        let digest = rules_digest(&rules).unwrap();
        tx.append(
            by.by(),
            PolicyAdopted {
                digest,
                rules: std::sync::Arc::new(rules),
                source: String::new(),
                confirmed: BTreeSet::new(),
                reason: None,
            },
        )
    })
    .unwrap();
}

fn names(v: &Value) -> Vec<String> {
    v["warnings"].as_array().unwrap().iter().map(|w| w["name"].as_str().unwrap().to_string()).collect()
}
