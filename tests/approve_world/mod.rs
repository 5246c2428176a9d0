//! A small company whose agent asks, made through the library: requests at chosen moments and with any text, which the
//! command line would refuse to write.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::{Arc, OnceLock};

use aosctl::domain::access::Access;
use aosctl::domain::decide::{AUDIT_EDIT, Proposal};
use aosctl::domain::event::*;
use aosctl::domain::facets::{DataClass, Facets};
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::request::Outcome;
use aosctl::domain::time::{Span, Time};
use aosctl::identity::{EnrolmentLine, Passphrase, PlainIdentity, PlainKind, SealedIdentity, Signer};
use aosctl::policy;
use aosctl::sys::{clock, files};
use aosctl::workspace::{By, NewWorkspace, Place, Workspace, WorkspaceError, create};

use crate::support::asked::asked;
use crate::support::{Bench, PASSPHRASE};

const BOT_SEED: [u8; 32] = [7; 32];

pub const BOT: Id = Id { kind: IdKind::Agent, n: 1 };
pub const GITHUB: Id = Id { kind: IdKind::Integration, n: 1 };
pub const STRIPE: Id = Id { kind: IdKind::Integration, n: 2 };

/// The company.
pub struct World {
    pub bench: Bench,
    pub ws: Workspace,
    pub op: Arc<Signer>,
    pub bot: Signer,
}

/// What the agent asks. The texts are taken as they are.
#[derive(Clone)]
pub struct Ask {
    pub action: String,
    pub integration: Id,
    pub resource: String,
    pub facets: Facets,
    pub unsure: Option<String>,
    pub summary: Option<String>,
    pub recommendation: Option<String>,
    pub rationale: Option<String>,
    pub alternatives: Option<Vec<String>>,
    pub rollback: Option<String>,
    pub parameters: Option<String>,
    pub diff: Option<String>,
    pub artifacts: Option<Artifacts>,
    pub mission: Option<String>,
    pub model: Option<String>,
}

impl Ask {
    /// A deployment with everything that an approval shows.
    pub fn deploy() -> Ask {
        Ask {
            action: "deployment.create".into(),
            integration: GITHUB,
            resource: "repo:acme/app".into(),
            facets: Facets {
                environment: Some("production".into()),
                data: Some(DataClass::Internal),
                ..Facets::default()
            },
            unsure: None,
            summary: Some("Deploy release 1.4 to production".into()),
            recommendation: Some("Deploy now: the window is quiet and on-call is here.".into()),
            rationale: Some("1.4 fixes the login loop that 12 customers reported since Monday.".into()),
            alternatives: Some(vec!["Wait for Monday's window.".into(), "Ship only the hotfix.".into()]),
            rollback: Some("Deploy tag v1.3.9 again; no migration runs.".into()),
            parameters: Some(r#"{"ref":"v1.4.0","environment":"production"}"#.into()),
            diff: Some("-version = \"1.3.9\"\n+version = \"1.4.0\"\n".into()),
            artifacts: Some(Artifacts {
                command: Some(Command {
                    program: "/usr/bin/make".into(),
                    program_sha256: "3fa9c1d2e4b5".repeat(6)[..64].to_string(),
                    argv: vec!["make".into(), "deploy".into(), "NOTE=release 1.4".into()],
                    directory: "/srv/app".into(),
                    environment: vec!["HOME".into(), "PATH".into()],
                    stdin_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
                }),
                files: vec![FileDigest { name: "app-1.4.0.tar.gz".into(), sha256: "ab".repeat(32), bytes: 48_211 }],
            }),
            mission: Some("ship-1.4".into()),
            model: None,
        }
    }

    /// A refund over the cap, with as little said as possible.
    pub fn refund(amount: &str) -> Ask {
        Ask {
            action: "refund.create".into(),
            integration: STRIPE,
            resource: "account:acme".into(),
            facets: Facets {
                amount: Some(amount.parse().unwrap()),
                data: Some(DataClass::Internal),
                ..Facets::default()
            },
            unsure: None,
            summary: None,
            recommendation: None,
            rationale: None,
            alternatives: None,
            rollback: None,
            parameters: None,
            diff: None,
            artifacts: None,
            mission: None,
            model: None,
        }
    }
}

/// Now, by the clock of the machine.
pub fn now() -> Time {
    Time::from(clock::now())
}

/// So many minutes and a half ago: what is shown stays the same for half a minute.
pub fn minutes_ago(n: u32) -> Time {
    now().minus(Span::seconds(n * 60 + 30))
}

impl World {
    /// Ten days old: operator `ops`, agent `build-bot`, github and stripe outside the boundary, a write grant to each.
    /// Argon2 is slow, so it is made once and copied.
    pub fn new() -> World {
        static FIRST: OnceLock<(tempfile::TempDir, Arc<Signer>)> = OnceLock::new();
        let (dir, op) = FIRST.get_or_init(World::first);
        let bench = Bench::empty();
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(dir.path().join("."))
            .arg(bench.dir.path())
            .status()
            .unwrap();
        assert!(copied.success());
        let ws = Workspace::open(Place { dir: bench.workspace(), state: bench.path("state") }).unwrap();
        World { bench, ws, op: op.clone(), bot: Signer::from_seed(&BOT_SEED) }
    }

    fn first() -> (tempfile::TempDir, Arc<Signer>) {
        let bench = Bench::empty();
        let place = Place { dir: bench.workspace(), state: bench.path("state") };
        let file = policy::file::parse("", "policy.toml").unwrap();
        let rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
        let pass = Passphrase::chosen(PASSPHRASE.into()).unwrap();
        let begin = now().minus(Span::days(10));
        let new = NewWorkspace {
            company: Some("ACME".into()),
            operator: Some("ops".into()),
            passphrase: &pass,
            rules,
            source: policy::file::render(&file),
            confirmed: Default::default(),
            now: begin,
        };
        create(&place, &new).unwrap();
        let ws = Workspace::open(place).unwrap();
        let (_, sealed) = ws.sealed_operator(None).unwrap();
        let op = Arc::new(sealed.unlock(&pass).unwrap());
        let world = World { bench, ws, op, bot: Signer::from_seed(&BOT_SEED) };
        world.enrol(begin);
        (world.bench.dir, world.op)
    }

    /// As [`World::new`], with a policy that was adopted nine days ago.
    pub fn with_policy(text: &str) -> World {
        let world = World::new();
        world.adopt_at(now().minus(Span::days(9)), text);
        world
    }

    fn enrol(&self, at: Time) {
        let line = EnrolmentLine::create(&self.bot, &self.ws.origin().name).unwrap();
        let (public_key, proof) = (Hex32(line.public_key), data_encoding::HEXLOWER.encode(&line.proof));
        self.sign(
            at,
            AgentEnrolled { id: BOT, handle: "build-bot".into(), operator: Id::FIRST_OPERATOR, public_key, proof },
        );
        for (id, kind, n, scope) in [(GITHUB, "github", 1, "repo:acme/*"), (STRIPE, "stripe", 2, "account:acme")] {
            self.sign(
                at,
                IntegrationAdded { id, handle: kind.into(), kind: kind.into(), inside: false, residency: None },
            );
            self.sign(
                at,
                GrantIssued {
                    grant: Id::new(IdKind::Grant, n),
                    agent: BOT,
                    integration: id,
                    scope: scope.parse().unwrap(),
                    access: Access::Write,
                    data: DataClass::Customer,
                    owner: Id::FIRST_OPERATOR,
                    mission: None,
                    until: Some(at.plus(Span::days(90))),
                    replaces: None,
                    carries: None,
                    again: None,
                    accepted: Vec::new(),
                    reason: None,
                },
            );
        }
        let agent =
            PlainIdentity::new(PlainKind::Agent, "ag-1", &self.ws.origin().name, Signer::from_seed(&BOT_SEED)).unwrap();
        files::create_private_new(&self.bench.identity("build-bot"), &agent.to_json().unwrap()).unwrap();
    }

    /// As the first operator.
    pub fn sign(&self, at: Time, event: impl Into<Event>) {
        self.append(at, By::identity(Id::FIRST_OPERATOR, &self.op), event).unwrap();
    }

    /// As anybody.
    pub fn append(&self, at: Time, by: By<'_>, event: impl Into<Event>) -> Result<(), WorkspaceError> {
        self.ws.transact(at, |tx| tx.append(by, event).map(drop)).map(drop)
    }

    /// Adopts another policy.
    pub fn adopt(&self, text: &str) {
        self.adopt_at(now(), text);
    }

    fn adopt_at(&self, at: Time, text: &str) {
        let file = policy::file::parse(text, "policy.toml").unwrap();
        let rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
        let digest = aosctl::domain::authority::rules_digest(&rules).unwrap();
        let source = policy::file::render(&file);
        self.sign(
            at,
            PolicyAdopted {
                digest,
                rules: std::sync::Arc::new(rules),
                source,
                confirmed: Default::default(),
                reason: None,
            },
        );
    }

    /// A second operator, `second`, whose sealed identity lies in the file that is given back; the passphrase is the same.
    pub fn second_operator(&self) -> std::path::PathBuf {
        let signer = Signer::generate().unwrap();
        let line = EnrolmentLine::create(&signer, &self.ws.origin().name).unwrap();
        let id = Id::new(IdKind::Operator, 2);
        let (public_key, proof) = (Hex32(line.public_key), data_encoding::HEXLOWER.encode(&line.proof));
        self.sign(now().minus(Span::days(9)), OperatorEnrolled { id, public_key, proof, name: Some("second".into()) });
        let pass = Passphrase::chosen(PASSPHRASE.into()).unwrap();
        let sealed = SealedIdentity::seal(&signer, &pass, Some("op-2"), Some(&self.ws.origin().name)).unwrap();
        let path = self.bench.path("op-2.json");
        files::create_private_new(&path, &sealed.to_json().unwrap()).unwrap();
        path
    }

    /// The agent asks at a moment; gives the request's id. Whether the rules ask, allow or deny is theirs.
    pub fn ask(&self, at: Time, ask: &Ask) -> Id {
        let by = By::identity(BOT, &self.bot);
        let made = self.ws.transact(at, |tx| {
            let p = Proposal {
                requester: BOT,
                action: ask.action.clone(),
                resource: ask.resource.parse().unwrap(),
                access: None,
                facets: ask.facets.clone(),
                unsure: ask.unsure.is_some(),
            };
            let request = tx.next_id(IdKind::Request)?;
            let event = RequestMade {
                mission: ask.mission.clone(),
                model: ask.model.clone(),
                bound_command: ask.artifacts.as_ref().is_some_and(|a| a.command.is_some()),
                parameters: ask.parameters.clone(),
                artifacts: ask.artifacts.clone(),
                diff: ask.diff.clone(),
                summary: ask.summary.clone(),
                recommendation: ask.recommendation.clone(),
                rationale: ask.rationale.clone(),
                alternatives: ask.alternatives.clone(),
                rollback: ask.rollback.clone(),
                detail: ask.unsure.clone().map(|u| RequestDetail {
                    unsure: Some(u),
                    integration: None,
                    access: None,
                    declared: None,
                }),
                ..asked(tx.facts(), &p, Some(ask.integration), request, tx.now())?
            };
            tx.append(by, event)?;
            Ok::<_, WorkspaceError>(request)
        });
        made.unwrap().0
    }

    /// The first operator asks for an edit of the audit trail.
    pub fn ask_audit_edit(&self, at: Time) -> Id {
        let by = By::identity(Id::FIRST_OPERATOR, &self.op);
        let made = self.ws.transact(at, |tx| {
            let p = Proposal {
                requester: Id::FIRST_OPERATOR,
                action: AUDIT_EDIT.into(),
                resource: "entry:3".parse().unwrap(),
                access: None,
                facets: Facets::default(),
                unsure: false,
            };
            let request = tx.next_id(IdKind::Request)?;
            let event = asked(tx.facts(), &p, None, request, tx.now())?;
            tx.append(by, event)?;
            Ok::<_, WorkspaceError>(request)
        });
        made.unwrap().0
    }

    /// The operator answers at a moment.
    pub fn answer(&self, at: Time, id: Id, yes: bool, reason: Option<&str>) {
        let facts = self.ws.facts();
        let r = facts.request(id).unwrap().unwrap();
        let (policy, reason) = (facts.policy().unwrap().unwrap(), reason.map(String::from));
        let (request, leaf, points, grant) = (id, r.leaf.clone(), r.points.clone(), r.grant);
        if yes {
            let until = at.plus(policy.rules.requests.use_within);
            let policy = policy.digest.clone();
            self.sign(
                at,
                RequestApproved { request, leaf, points, grant, policy, until, self_approved: false, reason },
            );
        } else {
            let policy = policy.digest.clone();
            self.sign(at, RequestDenied { request, leaf, points, grant, policy, reason });
        }
    }

    /// The agent begins it, and tells how it ended.
    pub fn carry_out(&self, at: Time, id: Id, outcome: Outcome) {
        let by = By::identity(BOT, &self.bot);
        let mode =
            if self.ws.facts().request(id).unwrap().unwrap().bound_command { ClaimMode::Run } else { ClaimMode::Agent };
        self.append(at, by, RequestClaimed { request: id, mode, key: None }).unwrap();
        let finished =
            RequestFinished { request: id, outcome, status: None, duration_ms: None, detail: None, note: None };
        self.append(at, by, finished).unwrap();
    }

    /// The agent takes it back.
    pub fn withdraw(&self, id: Id) {
        self.append(now(), By::identity(BOT, &self.bot), RequestWithdrawn { request: id, reason: None }).unwrap();
    }

    /// The reason in the newest entry about a request.
    pub fn last_reason(&self, id: Id) -> Option<String> {
        let seq = self.ws.store().about(id, u64::MAX).unwrap().last().unwrap().seq;
        match self.ws.event(seq).unwrap().1 {
            Event::RequestApproved(b) => b.reason,
            Event::RequestDenied(b) => b.reason,
            _ => None,
        }
    }

    /// Number of entries in the log.
    pub fn size(&self) -> u64 {
        self.ws.store().head().unwrap().unwrap().size
    }

    /// Where it stands now.
    pub fn standing(&self, id: Id) -> &'static str {
        let r = self.ws.facts().request(id).unwrap().unwrap();
        self.ws.standing(&r, now()).unwrap().as_str()
    }

    /// A past: two like requests, one approved and done, one denied with a reason, and another that failed.
    pub fn past(&self) {
        let day = |n: u32| now().minus(Span::days(n));
        let done = self.ask(day(8), &Ask::deploy());
        self.answer(day(8), done, true, Some("tests are green"));
        self.carry_out(day(8), done, Outcome::Succeeded);
        let denied = self.ask(day(5), &Ask::deploy());
        self.answer(day(5), denied, false, Some("not on a Friday"));
        let failed = self.ask(day(3), &Ask::refund("1200USD"));
        self.answer(day(3), failed, true, None);
        self.carry_out(day(3), failed, Outcome::Failed);
    }
}
