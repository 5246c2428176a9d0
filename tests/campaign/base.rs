//! Real workspaces to be mutated: a small one, in which every type of event stands at least once, and a large one that grew
//! out of it to 2,000 entries and more. Only copies of them are ever opened.

use std::sync::OnceLock;

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::id::{Actor, Id, IdKind};
use aosctl::domain::key::{LeakStep, StepOutcome};
use aosctl::domain::request::Outcome;
use aosctl::domain::time::Span;
use aosctl::identity::Signer;
use aosctl::log::envelope::Envelope;
use aosctl::workspace::{By, Tx, WorkspaceError};

use crate::cases;
use crate::world::*;

/// One entry as it lies there.
pub struct Row {
    pub seq: u64,
    pub envelope: Envelope,
    pub record: Vec<u8>,
}

pub struct Base {
    world: World,
    pub rows: Vec<Row>,
}

impl Base {
    fn of(world: World) -> Base {
        let copy = world.copy();
        let ws = copy.open();
        let rows = ws.store().range(0, usize::MAX).unwrap();
        let rows = rows
            .into_iter()
            .map(|s| Row { seq: s.seq, envelope: Envelope::open(&s.envelope).unwrap(), record: s.record.unwrap() })
            .collect();
        Base { world, rows }
    }

    pub fn copy(&self) -> World {
        self.world.copy()
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap()
    }

    pub fn last(&self) -> u64 {
        self.size() - 1
    }

    /// Whose payload is not what was committed to where this one is not: itself, or the earlier one whose member is gone
    /// because of it, now without a right that counts (it erased, approved or asked for that).
    pub fn uncommitted(&self, seq: u64) -> u64 {
        let subject_of = |seq: u64| &self.rows[usize::try_from(seq).unwrap()].envelope.header.subject;
        let mut first = seq;
        for row in self.rows.iter().filter(|r| r.envelope.header.kind == "payload.erased/1") {
            let record: serde_json::Value = serde_json::from_slice(&row.record).unwrap();
            let approvals: Vec<u64> =
                record["body"]["approvals"].as_array().unwrap().iter().map(|a| a.as_u64().unwrap()).collect();
            let asked = approvals.iter().any(|a| {
                subject_of(*a) == subject_of(seq)
                    && self.rows[usize::try_from(seq).unwrap()].envelope.header.kind == "request.made/1"
            });
            if row.seq == seq || approvals.contains(&seq) || asked {
                first = first.min(record["body"]["seq"].as_u64().unwrap());
            }
        }
        first
    }

    /// Which entry lacks authority first where this one does not count: itself, or the earlier one that it voided.
    pub fn blamed(&self, seq: u64) -> u64 {
        let row = &self.rows[usize::try_from(seq).unwrap()];
        if row.envelope.header.kind != "entry.voided/1" {
            return seq;
        }
        let record: serde_json::Value = serde_json::from_slice(&row.record).unwrap();
        record["body"]["seq"].as_u64().unwrap()
    }
}

pub fn cast() -> &'static Cast {
    &cases::stage().cast
}

/// Signers that nobody of the cast is: throw-away identities.
fn spare(n: u64) -> Signer {
    let mut seed = [200; 32];
    seed[..8].copy_from_slice(&n.to_le_bytes());
    Signer::from_seed(&seed)
}

struct Round<'a, 's> {
    tx: &'a mut Tx<'s>,
    origin: String,
}

impl Round<'_, '_> {
    fn by(&mut self, who: &str, event: impl Into<Event>) -> u64 {
        let actor: Actor = Cast::actor(who).parse().unwrap();
        self.put(By { actor, signer: cast().signer(who) }, event.into())
    }

    fn put(&mut self, by: By<'_>, event: Event) -> u64 {
        let name = event.name();
        self.tx.append(by, event).unwrap_or_else(|e| panic!("{name}: {e}")).seq
    }

    fn ask(&mut self, who: &str, asking: &Asking) -> (Id, u64) {
        let made = asking.made(self.tx.facts(), self.tx.next_id(IdKind::Request).unwrap(), self.tx.now());
        let id = made.request;
        (id, self.by(who, made))
    }

    fn approve(&mut self, who: &str, r: Id) -> u64 {
        let approved = approval(self.tx.facts(), r, self.tx.now());
        self.by(who, approved)
    }

    fn next(&self, kind: IdKind) -> Id {
        self.tx.next_id(kind).unwrap()
    }

    fn requests(&mut self, n: u64) {
        let who = if n.is_multiple_of(3) { "ag-2" } else { "ag-1" };
        let from = |amount: &str| Asking { requester: id(who), ..Asking::refund(amount) };
        let claim = |r| RequestClaimed { request: r, mode: ClaimMode::Agent, key: None };
        let finish = |r: Id, outcome| finished(&r.to_string(), outcome);
        let (small, _) = self.ask(who, &from("10USD"));
        self.by(who, claim(small));
        self.by(who, finish(small, Outcome::Succeeded));
        let (large, _) = self.ask(who, &from("2000USD"));
        self.approve("op-2", large);
        self.by(who, claim(large));
        self.by(who, finish(large, Outcome::Unknown));
        self.by(
            "op-1",
            RequestResolved { request: large, outcome: Outcome::Failed, release: true, reason: Some("gone".into()) },
        );
        let (denied, _) = self.ask(who, &from("2500USD"));
        let no = denial(self.tx.facts(), denied);
        self.by("op-2", no);
        let (back, _) = self.ask(who, &from("2600USD"));
        self.by(who, RequestWithdrawn { request: back, reason: Some("a mistake".into()) });
    }

    fn doors(&mut self, n: u64) {
        let g = self.next(IdKind::Grant);
        let scope = format!("repo:acme/app-{n}");
        self.by("op-1", grant(&g.to_string(), "ag-1", "i-2", &scope, Access::Admin, DataClass::Internal));
        self.by("ag-1", GrantNarrowed { access: Some(Access::Write), ..narrowing(&g.to_string()) });
        self.by("op-2", GrantRenewed { grant: g, until: Some(now().plus(Span::days(60))), reason: None });
        self.by("log", GrantRevoked { grant: g, reason: Some("over".into()) });
        self.by("log", WorkspaceFrozen { target: id("ag-2"), reason: None });
        self.by("op-2", WorkspaceThawed { target: id("ag-2"), reason: Some("all is well".into()) });
    }

    fn keys(&mut self) {
        let k = self.next(IdKind::Key);
        let text = k.to_string();
        self.by("op-1", key_added(&text));
        self.by("op-2", key_changed(&text));
        let schedule = RotationScheduled {
            key: k,
            every: Some(Span::days(90)),
            warn: Some(Span::days(14)),
            owner: Some(Id::FIRST_OPERATOR),
            reason: None,
        };
        self.by("op-1", schedule);
        self.by("op-1", rotation(&text));
        let leak = self.by("log", leaked(&text));
        let step = KeyStep {
            key: k,
            leak,
            step: LeakStep::Revoke,
            outcome: StepOutcome::Done,
            note: Some("ticket".into()),
            detail: None,
        };
        self.by("op-2", step);
        self.by("op-2", KeyRetired { key: k, reason: None });
    }

    /// What happens seldom. Gives the entry whose summary is to be erased.
    fn seldom(&mut self, n: u64) -> u64 {
        let origin = self.origin.clone();
        let (agent, op) = (self.next(IdKind::Agent), self.next(IdKind::Operator));
        let (a, o, o2) = (spare(n * 10), spare(n * 10 + 1), spare(n * 10 + 2));
        let enrolled = AgentEnrolled {
            id: agent,
            handle: format!("bot-{n}"),
            operator: id("op-1"),
            public_key: Hex32(a.public()),
            proof: proof(&a, &origin),
        };
        self.by("op-1", enrolled);
        let enrolled = OperatorEnrolled {
            id: op,
            public_key: Hex32(o.public()),
            proof: proof(&o, &origin),
            name: Some("x".into()),
        };
        self.by("op-2", enrolled);
        let paper = Id::new(IdKind::Operator, op.n + 1);
        let p = spare(n * 10 + 3);
        let recovery =
            RecoveryEnrolled { id: paper, operator: op, public_key: Hex32(p.public()), proof: proof(&p, &origin) };
        self.put(By::identity(op, &o), recovery.into());
        let next = OperatorRotated { id: op, public_key: Hex32(o2.public()), proof: proof(&o2, &origin), reason: None };
        self.put(By::identity(paper, &p), next.into());
        let i = self.next(IdKind::Integration).to_string();
        self.put(By::identity(op, &o2), integration(&i, &format!("hub-{n}"), "github", true).into());
        self.by("op-1", IdentityRetired { id: agent, as_of: None, reason: None });
        self.by("op-1", IdentityRetired { id: op, as_of: Some(3), reason: Some("left".into()) });
        let (rules, source) = rules();
        self.by("op-2", adoption(rules, &source));
        let (_, made) = self.ask("ag-1", &Asking::refund("11USD"));
        let (edit, _) = self.ask("op-1", &Asking::erasure(made));
        let yes = self.approve("op-2", edit);
        self.by("op-1", erasure(made, "summary", &[yes]));
        self.by("op-2", EntryCorrected { seq: made, note: Some("it was another account".into()) });
        self.by("op-1", RollbackAccepted { pin_size: 3, pin_root: "00".repeat(32), reason: Some("restored".into()) });
        let review = format!("rv-{}", 202_001 + n / 12 * 100 + n % 12);
        self.by("op-1", ReviewDecided { as_of: now(), ..review_decided(&review) });
        self.by("op-1", ReviewSigned { as_of: now(), ..review_signed(&review) });
        made
    }
}

fn round(w: &World, n: u64) {
    let ws = w.open();
    let origin = ws.origin().name.clone();
    let (erased, _) = ws
        .transact(now(), |tx| {
            let mut r = Round { tx, origin };
            r.requests(n);
            r.doors(n);
            r.keys();
            Ok::<_, WorkspaceError>(if n.is_multiple_of(8) { Some(r.seldom(n)) } else { None })
        })
        .unwrap();
    drop(ws);
    if let Some(seq) = erased {
        erase_member(&w.sql(), seq, "summary");
    }
}

/// Every type of event, some 110 entries.
pub fn small() -> &'static Base {
    static SMALL: OnceLock<Base> = OnceLock::new();
    SMALL.get_or_init(|| {
        let w = cases::base().copy();
        round(&w, 0);
        let base = Base::of(w);
        for kind in TYPES {
            assert!(base.rows.iter().any(|r| r.envelope.header.kind == *kind), "{kind} is missing in the workspace");
        }
        base
    })
}

/// As [`small`], of 2,000 entries or more.
pub fn large() -> &'static Base {
    static LARGE: OnceLock<Base> = OnceLock::new();
    LARGE.get_or_init(|| {
        let w = small().copy();
        for n in 1.. {
            round(&w, n);
            if w.copy().open().store().last_seq().unwrap().unwrap() >= 2_050 {
                break;
            }
        }
        Base::of(w)
    })
}
