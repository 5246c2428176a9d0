//! A workspace with an agent, an integration and a grant, made through the library, for tests of what agents do.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::PathBuf;
use std::process::Output;

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::time::{Span, Time};
use aosctl::identity::Passphrase;
use aosctl::sys::clock;
use aosctl::workspace::{OperatorIdentity, Place, Tx, VerifyOptions, Workspace, verify};
use serde_json::Value;

use crate::support::{Bench, PASSPHRASE, code, text};

pub struct Lab {
    pub bench: Bench,
    operator: OperatorIdentity,
}

pub fn now() -> Time {
    Time::from(clock::now())
}

pub fn id(s: &str) -> Id {
    s.parse().unwrap()
}

impl Lab {
    /// `build-bot` with write grants to all repositories of `github`, which is outside the boundary, and to `payments` (a
    /// Stripe account), which is inside.
    pub fn new() -> Lab {
        Lab::with_caps("1000USD", "10000USD")
    }

    pub fn with_caps(cap_move: &str, cap_week: &str) -> Lab {
        let bench = Bench::empty();
        bench.ok(&["init", "--name", "ACME", "--operator", "ops", "--cap-move", cap_move, "--cap-week", cap_week]);
        bench.add_agent("build-bot");
        let ws = open(&bench);
        let (path, sealed) = ws.sealed_operator(None).unwrap();
        let operator = ws.unlock_operator(&path, &sealed, &Passphrase::given(PASSPHRASE.into()).unwrap()).unwrap();
        let lab = Lab { bench, operator };
        lab.integration("github", "github", false);
        lab.integration("payments", "stripe", true);
        lab.grant("build-bot", "github", "repo:acme/*", Access::Write, DataClass::Internal, None);
        lab.grant("build-bot", "payments", "account:acct_1", Access::Write, DataClass::Customer, None);
        lab
    }

    pub fn ws(&self) -> Workspace {
        open(&self.bench)
    }

    pub fn place(&self) -> Place {
        place(&self.bench)
    }

    /// Signs events as the operator.
    pub fn sign<T>(&self, make: impl FnOnce(&mut Tx<'_>) -> (T, Event)) -> T {
        let ws = self.ws();
        ws.transact(now(), |tx| {
            let (value, event) = make(tx);
            tx.append(self.operator.by(), event)?;
            Ok::<_, aosctl::workspace::WorkspaceError>(value)
        })
        .unwrap()
        .0
    }

    pub fn integration(&self, name: &str, kind: &str, inside: bool) -> Id {
        self.sign(|tx| {
            let id = tx.next_id(IdKind::Integration).unwrap();
            let added = IntegrationAdded { id, handle: name.into(), kind: kind.into(), inside, residency: None };
            (id, added.into())
        })
    }

    pub fn grant(
        &self,
        agent: &str,
        integration: &str,
        scope: &str,
        access: Access,
        data: DataClass,
        until: Option<Time>,
    ) -> Id {
        self.sign(|tx| {
            let grant = tx.next_id(IdKind::Grant).unwrap();
            let issued = GrantIssued {
                grant,
                agent: tx.facts().agent_named(agent).unwrap().unwrap().id,
                integration: tx.facts().integration_named(integration).unwrap().unwrap().id,
                scope: scope.parse().unwrap(),
                access,
                data,
                owner: Id::FIRST_OPERATOR,
                mission: None,
                until: until.or(Some(now().plus(Span::days(10)))),
                replaces: None,
                carries: None,
                again: None,
                accepted: Vec::new(),
                reason: None,
            };
            (grant, issued.into())
        })
    }

    pub fn revoke(&self, grant: Id) {
        self.sign(|_| ((), GrantRevoked { grant, reason: None }.into()));
    }

    pub fn freeze(&self, target: Id) {
        self.sign(|_| ((), WorkspaceFrozen { target, reason: None }.into()));
    }

    pub fn thaw(&self, target: Id) {
        self.sign(|_| ((), WorkspaceThawed { target, reason: None }.into()));
    }

    pub fn approve(&self, request: &str) {
        self.approve_for(request, Span::FIVE_MINUTES);
    }

    pub fn approve_for(&self, request: &str, life: Span) {
        self.sign(|tx| {
            let r = tx.facts().request(id(request)).unwrap().unwrap();
            let policy = tx.facts().policy().unwrap().unwrap();
            let points = aosctl::domain::authority::again(&r, tx.now(), tx.facts()).unwrap().points();
            let approved = RequestApproved {
                request: r.id,
                leaf: r.leaf.clone(),
                points: points.union(&r.points).copied().collect(),
                grant: r.grant,
                policy: policy.digest.clone(),
                until: tx.now().plus(life),
                self_approved: false,
                reason: None,
            };
            ((), approved.into())
        });
    }

    pub fn deny(&self, request: &str) {
        self.sign(|tx| {
            let r = tx.facts().request(id(request)).unwrap().unwrap();
            let policy = tx.facts().policy().unwrap().unwrap();
            let denied = RequestDenied {
                request: r.id,
                leaf: r.leaf.clone(),
                points: r.points.clone(),
                grant: r.grant,
                policy: policy.digest.clone(),
                reason: Some("no".into()),
            };
            ((), denied.into())
        });
    }

    /// As `build-bot`.
    pub fn bot(&self, args: &[&str]) -> Output {
        self.bench.agent("build-bot", args).output().unwrap()
    }

    /// As `build-bot`, with `--json`; gives the exit code and the object.
    pub fn json(&self, args: &[&str]) -> (i32, Value) {
        let out = self.bench.agent("build-bot", &[&["--json"], args].concat()).output().unwrap();
        (code(&out), parse(&out))
    }

    /// Asks with `request new` and gives the id.
    pub fn ask(&self, args: &[&str], exit: i32) -> String {
        let (got, v) = self.json(&[&["request", "new"], args].concat());
        assert_eq!(got, exit, "{v:#}");
        v["id"].as_str().unwrap().to_string()
    }

    /// Number of entries.
    pub fn entries(&self) -> u64 {
        self.ws().store().last_seq().unwrap().unwrap() + 1
    }

    /// Everything verifies: the format, the authority of every entry, the replayed decisions, the tables.
    pub fn verified(&self) {
        let v = verify(&self.place(), &VerifyOptions::default(), now(), &mut |_, _| {}).unwrap();
        assert!(!v.report.failed() && v.differences.is_empty() && v.invalid.is_empty(), "{v:#?}");
    }
}

pub fn place(bench: &Bench) -> Place {
    Place { dir: bench.workspace(), state: bench.path("state") }
}

pub fn open(bench: &Bench) -> Workspace {
    Workspace::open(place(bench)).unwrap()
}

pub fn parse(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {:?}\nstdout {}\nstderr {}", out.status, text(&out.stdout), text(&out.stderr)))
}

/// Inside the grant, and no point is crossed.
pub const READ: &[&str] = &["--integration", "github", "--action", "pull_request.read", "--resource", "repo:acme/app"];
/// A production change.
pub const MERGE: &[&str] =
    &["--integration", "github", "--action", "pull_request.merge", "--resource", "repo:acme/app"];
/// Moves money: give it `--parameters`.
pub const REFUND: &[&str] = &["--integration", "payments", "--action", "refund.create", "--resource", "account:acct_1"];

pub fn script(bench: &Bench, name: &str, body: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = bench.path(name);
    std::fs::write(&path, body).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}
