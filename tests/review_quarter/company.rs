//! The company of the quarter.

#[path = "../support/asked.rs"]
mod asked;

use aosctl::domain::access::Access;
use aosctl::domain::authority::rules_digest;
use aosctl::domain::decide::{Proposal, Verdict};
use aosctl::domain::event::*;
use aosctl::domain::facets::{DataClass, Facets};
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{Carries, Delivery, KeyFacts, Recipient, Sighting};
use aosctl::domain::rules::Rules;
use aosctl::domain::time::{Span, Time};
use aosctl::identity::{EnrolmentLine, Passphrase, Signer};
use aosctl::policy;
use aosctl::workspace::{By, NewWorkspace, Place, Tx, Workspace, WorkspaceError, create};
use asked::asked;

/// `g-7`.
pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

/// `2026-08-03T10:00`, in UTC.
pub fn at(text: &str) -> Time {
    format!("{text}:00.000Z").parse().unwrap()
}

fn day(text: &str) -> Time {
    at(&format!("{text}T09:00"))
}

const GITHUB: Id = Id { kind: IdKind::Integration, n: 1 };

pub struct Company {
    _dir: tempfile::TempDir,
    pub ws: Workspace,
    operator: Signer,
    agents: Vec<Signer>,
    /// Which keys' reports come every month, by what they say.
    keys: Vec<KeyFacts>,
}

/// What an agent does: which, on what, with how much access, every so many days, and from when to when.
struct Work(u64, &'static str, Access, u32, &'static str, &'static str);

const QUARTER: (&str, &str) = ("2026-07-01", "2026-10-01");

const WORK: &[Work] = &[
    Work(1, "repo:acme/app", Access::Write, 1, QUARTER.0, QUARTER.1),
    Work(1, "repo:acme/app/pulls", Access::Read, 3, QUARTER.0, QUARTER.1),
    Work(2, "repo:acme/site", Access::Read, 1, QUARTER.0, QUARTER.1),
    Work(3, "repo:acme/billing", Access::Read, 10, QUARTER.0, QUARTER.1),
    Work(1, "repo:acme/old", Access::Write, 1, QUARTER.0, "2026-07-11"),
    Work(3, "repo:acme/ledger", Access::Read, 2, QUARTER.0, QUARTER.1),
    Work(1, "repo:acme-labs/one", Access::Read, 2, QUARTER.0, QUARTER.1),
    Work(6, "repo:acme/one", Access::Read, 4, QUARTER.0, QUARTER.1),
    Work(6, "repo:other/two", Access::Read, 4, QUARTER.0, QUARTER.1),
    Work(1, "repo:acme/tools", Access::Read, 3, QUARTER.0, QUARTER.1),
    Work(5, "repo:acme/intern", Access::Read, 1, QUARTER.0, "2026-09-10"),
    Work(1, "repo:acme/ci", Access::Read, 7, QUARTER.0, QUARTER.1),
    Work(2, "repo:acme/cd", Access::Read, 7, "2026-08-11", QUARTER.1),
    Work(3, "repo:acme/reports", Access::Write, 1, QUARTER.0, QUARTER.1),
    Work(2, "repo:acme/help/issues", Access::Read, 1, QUARTER.0, QUARTER.1),
    Work(1, "repo:acme/docs", Access::Read, 5, QUARTER.0, QUARTER.1),
    Work(3, "repo:acme/forgotten", Access::Read, 6, QUARTER.0, QUARTER.1),
];

impl Company {
    /// On 1 July: two operators, six agents, a tool, seventeen grants, twelve keys.
    pub fn found() -> Company {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir: dir.path().join("ws"), state: dir.path().join("state") };
        let (rules, source) = rules(1000);
        let pass = Passphrase::chosen("correct horse battery staple".into()).unwrap();
        let now = at("2026-07-01T00:00");
        let new = NewWorkspace {
            company: Some("ACME".into()),
            operator: Some("founder".into()),
            passphrase: &pass,
            rules,
            source,
            confirmed: Default::default(),
            now,
        };
        create(&place, &new).unwrap();
        let ws = Workspace::open(place).unwrap();
        let operator = ws.sealed_operator(None).unwrap().1.unlock(&pass).unwrap();
        let agents = (1..=6).map(|n| Signer::from_seed(&[n; 32])).collect();
        let c = Company { _dir: dir, ws, operator, agents, keys: Vec::new() };
        c.enrol(now);
        c.open_doors(now);
        Company { keys: c.add_keys(now), ..c }
    }

    /// As the first operator; gives the entry.
    pub fn sign(&self, t: Time, event: impl Into<Event>) -> u64 {
        let by = By::identity(Id::FIRST_OPERATOR, &self.operator);
        self.ws.transact(t, |tx| tx.append(by, event).map(|a| a.seq)).unwrap().0
    }

    fn enrol(&self, now: Time) {
        let line = |s: &Signer| {
            let line = EnrolmentLine::create(s, &self.ws.origin().name).unwrap();
            (Hex32(line.public_key), data_encoding::HEXLOWER.encode(&line.proof))
        };
        let (public_key, proof) = line(&Signer::from_seed(&[99; 32]));
        self.sign(now, OperatorEnrolled { id: id("op-2"), public_key, proof, name: Some("second".into()) });
        for (n, signer) in (1..).zip(&self.agents) {
            let (public_key, proof) = line(signer);
            let operator = if n == 5 { id("op-2") } else { Id::FIRST_OPERATOR };
            let handle = format!("bot-{n}");
            self.sign(now, AgentEnrolled { id: Id::new(IdKind::Agent, n), handle, operator, public_key, proof });
        }
        let kind = "github".to_string();
        self.sign(now, IntegrationAdded { id: GITHUB, handle: kind.clone(), kind, inside: false, residency: None });
    }

    fn issue(&self, t: Time, n: u64, agent: u64, scope: &str, access: Access, edit: impl FnOnce(&mut GrantIssued)) {
        let mut event = GrantIssued {
            grant: Id::new(IdKind::Grant, n),
            agent: Id::new(IdKind::Agent, agent),
            integration: GITHUB,
            scope: scope.parse().unwrap(),
            access,
            data: DataClass::Internal,
            owner: Id::FIRST_OPERATOR,
            mission: Some("work".into()),
            until: Some(at("2026-12-31T00:00")),
            replaces: None,
            carries: None,
            again: None,
            accepted: Vec::new(),
            reason: None,
        };
        edit(&mut event);
        self.sign(t, event);
    }

    fn open_doors(&self, t: Time) {
        use Access::{Read, Write};
        let plain = |_: &mut GrantIssued| {};
        self.issue(t, 1, 1, "repo:acme/app", Write, plain);
        self.issue(t, 2, 2, "repo:acme/site", Read, plain);
        self.issue(t, 3, 3, "repo:acme/billing", Read, plain);
        self.issue(t, 4, 1, "repo:acme/old", Write, plain);
        self.issue(t, 5, 2, "repo:acme/wiki", Write, plain);
        self.issue(t, 6, 4, "repo:acme/data", Read, plain);
        self.issue(t, 7, 3, "repo:acme/ledger", Write, plain);
        self.issue(t, 8, 1, "repo:acme-labs/*", Read, plain);
        self.issue(t, 9, 6, "*", Read, plain);
        self.issue(t, 10, 1, "repo:acme/tools", Read, |g| g.owner = id("op-2"));
        self.issue(t, 11, 5, "repo:acme/intern", Read, plain);
        self.issue(t, 12, 1, "repo:acme/ci", Read, |g| g.carries = carries("k-5"));
        self.issue(t, 13, 3, "repo:acme/reports", Write, |g| g.until = None);
        self.issue(t, 14, 2, "repo:acme/help/issues", Read, plain);
        self.issue(t, 15, 1, "repo:acme/docs", Read, |g| g.until = Some(at("2026-08-20T00:00")));
        self.issue(t, 16, 3, "repo:acme/forgotten", Read, plain);
        self.issue(t, 17, 2, "repo:acme/closed", Read, |g| g.until = Some(at("2026-07-08T00:00")));
    }

    fn add_keys(&self, now: Time) -> Vec<KeyFacts> {
        let clean = |n: u64| KeyFacts {
            integration: Some(GITHUB),
            owner: Some(Id::FIRST_OPERATOR),
            created: Some(at("2026-06-01T00:00")),
            rotated: Some(now),
            source: Some("csv".into()),
            ..KeyFacts::named(format!("key {n}"), "token")
        };
        let mut keys: Vec<KeyFacts> = (1..=12).map(clean).collect();
        keys[1].rotated = None;
        keys[2].rotated = Some(at("2026-06-25T00:00"));
        (keys[3].created, keys[3].rotated) = (None, None);
        keys[5].expires = Some(at("2026-08-15T00:00"));
        keys[7].owner = Some(id("op-2"));
        for (n, key) in (1..).zip(&mut keys[10..]) {
            key.kind = "aws-access-key".into();
            key.provider_id = Some(format!("arn:aws:iam::123456789012:user/ci#access_key_{n}"));
        }
        // The older one of two.
        keys[10].rotated = Some(at("2026-06-30T00:00"));
        for (n, facts) in (1..).zip(&keys) {
            self.sign(now, KeyAdded { key: Id::new(IdKind::Key, n), facts: facts.clone(), note: None });
        }
        keys
    }

    /// What the provider's report says on a day. From 20 September on the clean ones were turned over.
    fn report(&mut self, t: Time) {
        let turned = at("2026-09-20T00:00");
        for (n, facts) in (1..).zip(&mut self.keys) {
            let last = if n == 10 { at("2026-07-05T00:00") } else { t.minus(Span::DAY) };
            facts.seen = (n != 9).then(|| Sighting { feed: "csv".into(), as_of: t, last: Some(last) });
            // Some stay as they are: that is what is wrong with them.
            if t > turned && ![2, 3, 4].contains(&n) {
                facts.rotated = Some(turned.plus(Span::seconds(n)));
            }
        }
        for (n, facts) in (1..).zip(&self.keys) {
            self.sign(t, KeyChanged { key: Id::new(IdKind::Key, n), facts: facts.clone(), reason: None });
        }
    }

    /// Everything that agents do on the days from one to before another.
    fn work(&self, from: &str, to: &str) {
        let (mut now, end, began) = (day(from), day(to), day(QUARTER.0));
        while now < end {
            let since = u32::try_from(now.since(began).millis() / Span::DAY.millis()).unwrap();
            let today = WORK.iter().filter(|w| since % w.3 == 0 && day(w.4) <= now && now < day(w.5));
            let done = self.ws.transact(now, |tx| {
                for w in today {
                    self.act(tx, w)?;
                }
                Ok::<_, WorkspaceError>(())
            });
            done.unwrap();
            now = now.plus(Span::DAY);
        }
    }

    fn act(&self, tx: &mut Tx<'_>, w: &Work) -> Result<(), WorkspaceError> {
        let agent = Id::new(IdKind::Agent, w.0);
        let by = By::identity(agent, &self.agents[usize::try_from(w.0 - 1).unwrap()]);
        let p = Proposal {
            requester: agent,
            action: if w.2 == Access::Write { "issue.create" } else { "contents.read" }.into(),
            resource: w.1.parse().unwrap(),
            access: None,
            facets: Facets { data: Some(DataClass::Internal), ..Facets::default() },
            unsure: false,
        };
        let request = tx.next_id(IdKind::Request)?;
        let made = asked(tx.facts(), &p, Some(GITHUB), request, tx.now())?;
        assert_eq!(made.decision, Verdict::Allow, "{agent} {}: {}", w.1, made.rule);
        tx.append(by, RequestMade { until: tx.now().plus(Span::seconds(3600)), ..made })?;
        tx.append(by, RequestClaimed { request, mode: ClaimMode::Agent, key: None })?;
        Ok(())
    }

    pub fn july(&mut self) {
        self.work("2026-07-01", "2026-07-31");
        self.report(at("2026-07-31T12:00"));
        self.work("2026-08-01", "2026-08-03");
    }

    pub fn august(&mut self) {
        self.work("2026-08-04", "2026-08-05");
        self.issue(day("2026-08-05"), 18, 2, "repo:acme/site/issues", Access::Read, |_| {});
        self.work("2026-08-05", "2026-08-10");
        self.issue(day("2026-08-10"), 19, 2, "repo:acme/cd", Access::Read, |g| g.carries = carries("k-5"));
        self.work("2026-08-10", "2026-08-12");
        let t = at("2026-08-12T08:00");
        self.issue(t, 20, 2, "repo:acme/help", Access::Write, |g| g.replaces = Some(id("g-14")));
        self.sign(t, GrantRevoked { grant: id("g-14"), reason: None });
        self.work("2026-08-12", "2026-08-15");
        self.sign(
            day("2026-08-15"),
            GrantRenewed { grant: id("g-15"), until: Some(at("2026-12-31T00:00")), reason: None },
        );
        self.work("2026-08-15", "2026-08-20");
        self.raise_a_cap(at("2026-08-20T08:00"));
        self.work("2026-08-20", "2026-08-31");
        self.report(at("2026-08-31T12:00"));
        self.work("2026-09-01", "2026-09-03");
    }

    pub fn september(&mut self) {
        self.work("2026-09-04", "2026-09-10");
        let t = at("2026-09-10T08:00");
        self.sign(t, IdentityRetired { id: id("op-2"), as_of: None, reason: None });
        self.work("2026-09-10", "2026-09-20");
        let t = at("2026-09-20T08:00");
        self.sign(t, KeyLeaked { key: id("k-7"), revoked: Vec::new(), frozen: Vec::new(), reason: None });
        self.work("2026-09-20", "2026-09-30");
        self.report(at("2026-09-30T12:00"));
    }

    fn raise_a_cap(&self, t: Time) {
        let (rules, source) = rules(2000);
        let digest = rules_digest(&rules).unwrap();
        let confirmed = Default::default();
        self.sign(t, PolicyAdopted { digest, rules: std::sync::Arc::new(rules), source, confirmed, reason: None });
    }
}

/// The defaults, but that a grant may be endless, with that cap in dollars.
fn rules(cap: u64) -> (Rules, String) {
    let file = policy::file::parse("", "policy.toml").unwrap();
    let mut rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
    rules.grants.longest = None;
    rules.caps.per_move = cap * 100;
    (rules, policy::file::render(&file))
}

fn carries(key: &str) -> Option<Carries> {
    let program = Recipient { path: "/usr/bin/true".into(), sha256: "00".repeat(32) };
    Some(Carries { key: id(key), delivery: Delivery::Stdin, programs: vec![program] })
}
