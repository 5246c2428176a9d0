//! Every event type by every kind of signer, against the table of log-format.md.

use std::collections::BTreeSet;

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::Id;
use aosctl::domain::request::Outcome;
use aosctl::domain::time::Span;
use aosctl::identity::Signer;
use aosctl::workspace::Trusted;

use crate::judged::{Situation, Want, run_all, says};
use crate::keys::{leak_step, schedule};
use crate::record::with_an_invalid_entry;
use crate::world::*;

const Y: &str = "counts";
const OP: &str = "needs_operator";
const WHO: &str = "not_the_requester";

/// A row: the type, what is signed, and the word for op-1, op-2, ag-1 (whom it is about, or who asked), ag-2 and log.
struct Row {
    kind: &'static str,
    make: fn(&Trusted<'_>) -> Event,
    words: [&'static str; 5],
}

fn row(kind: &'static str, words: [&'static str; 5], make: fn(&Trusted<'_>) -> Event) -> Row {
    Row { kind, make, words }
}

pub fn new_key() -> Signer {
    Signer::from_seed(&[50; 32])
}

fn origin_of(f: &Trusted<'_>) -> String {
    f.origin().unwrap().unwrap().name.clone()
}

pub fn made_seq(f: &Trusted<'_>, r: &str) -> u64 {
    f.request(id(r)).unwrap().unwrap().made_seq
}

pub fn approval_seq(f: &Trusted<'_>, r: &str) -> u64 {
    f.request(id(r)).unwrap().unwrap().approvals[0].seq
}

pub fn new_operator(f: &Trusted<'_>) -> OperatorEnrolled {
    let key = new_key();
    OperatorEnrolled {
        id: id("op-4"),
        public_key: Hex32(key.public()),
        proof: proof(&key, &origin_of(f)),
        name: Some("new".into()),
    }
}

pub fn new_recovery(f: &Trusted<'_>) -> RecoveryEnrolled {
    let key = new_key();
    RecoveryEnrolled {
        id: id("op-4"),
        operator: id("op-1"),
        public_key: Hex32(key.public()),
        proof: proof(&key, &origin_of(f)),
    }
}

pub fn new_key_of(operator: &str, f: &Trusted<'_>) -> OperatorRotated {
    let key = Signer::from_seed(&[52; 32]);
    OperatorRotated {
        id: id(operator),
        public_key: Hex32(key.public()),
        proof: proof(&key, &origin_of(f)),
        reason: None,
    }
}

pub fn new_agent(f: &Trusted<'_>) -> AgentEnrolled {
    let key = new_key();
    AgentEnrolled {
        id: id("ag-5"),
        handle: "new-bot".into(),
        operator: id("op-1"),
        public_key: Hex32(key.public()),
        proof: proof(&key, &origin_of(f)),
    }
}

pub fn new_grant() -> GrantIssued {
    grant("g-7", "ag-1", "i-2", "repo:acme/*", Access::Admin, DataClass::Secret)
}

fn rows() -> Vec<Row> {
    vec![
        row("workspace.created/1", ["created_again"; 5], |_| {
            WorkspaceCreated {
                operator_key: Hex32(new_key().public()),
                log_key: Hex32(Signer::from_seed(&[51; 32]).public()),
                nonce: Hex32([1; 32]),
                company: None,
                name: None,
            }
            .into()
        }),
        row("operator.enrolled/1", [Y, Y, OP, OP, OP], |f| new_operator(f).into()),
        row("agent.enrolled/1", [Y, Y, OP, OP, OP], |f| new_agent(f).into()),
        row("recovery.enrolled/1", [Y, "not_own", OP, OP, OP], |f| new_recovery(f).into()),
        row("operator.rotated/1", [Y, "not_own", OP, OP, OP], |f| new_key_of("op-1", f).into()),
        row("identity.retired/1", [Y, Y, OP, OP, OP], |_| {
            IdentityRetired { id: id("ag-1"), as_of: None, reason: None }.into()
        }),
        row("identity.retired/1", [Y, Y, OP, OP, OP], |_| {
            IdentityRetired { id: id("op-2"), as_of: Some(1), reason: None }.into()
        }),
        row("policy.adopted/1", [Y, Y, OP, OP, OP], |_| adoption(rules().0, "x").into()),
        row("integration.added/1", [Y, Y, OP, OP, OP], |_| integration("i-3", "hub", "github", true).into()),
        row("grant.issued/1", [Y, Y, OP, OP, OP], |_| new_grant().into()),
        row("grant.renewed/1", [Y, Y, OP, OP, OP], |_| {
            GrantRenewed { grant: id("g-1"), until: Some(now().plus(Span::days(300))), reason: None }.into()
        }),
        row("grant.narrowed/1", [Y, Y, Y, "not_the_holder", Y], |_| {
            GrantNarrowed { access: Some(Access::Read), ..narrowing("g-1") }.into()
        }),
        row("grant.revoked/1", [Y, Y, Y, "not_the_holder", Y], |_| {
            GrantRevoked { grant: id("g-1"), reason: None }.into()
        }),
        row("workspace.frozen/1", [Y, Y, Y, OP, Y], |_| WorkspaceFrozen { target: id("ag-1"), reason: None }.into()),
        row("workspace.frozen/1", [Y, Y, OP, OP, Y], |_| {
            WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into()
        }),
        row("workspace.thawed/1", [Y, Y, OP, OP, OP], |_| WorkspaceThawed { target: id("ag-3"), reason: None }.into()),
        row("request.made/1", [WHO, WHO, Y, WHO, "needs_agent"], |f| {
            Asking::refund("10USD").made(f, id("r-16"), now()).into()
        }),
        row("request.approved/1", [Y, Y, OP, OP, OP], |f| approval(f, id("r-2"), now()).into()),
        row("request.denied/1", [Y, Y, OP, OP, OP], |f| denial(f, id("r-2")).into()),
        row("request.withdrawn/1", [Y, Y, Y, WHO, WHO], |_| {
            RequestWithdrawn { request: id("r-2"), reason: None }.into()
        }),
        row("request.claimed/1", [WHO, WHO, Y, WHO, WHO], |_| {
            RequestClaimed { request: id("r-3"), mode: ClaimMode::Agent, key: None }.into()
        }),
        row("request.finished/1", [Y, Y, Y, WHO, WHO], |_| finished("r-4", Outcome::Succeeded).into()),
        row("request.resolved/1", [Y, Y, OP, OP, OP], |_| {
            RequestResolved { request: id("r-7"), outcome: Outcome::Failed, release: true, reason: None }.into()
        }),
        // op-2 approved, so op-2 alone is one operator twice.
        row("payload.erased/1", [Y, "too_few_approvers", OP, OP, OP], |f| {
            erasure(made_seq(f, "r-2"), "summary", &[approval_seq(f, "r-9")]).into()
        }),
        row("entry.corrected/1", [Y, Y, OP, OP, OP], |_| EntryCorrected { seq: 3, note: Some("x".into()) }.into()),
        row("rollback.accepted/1", [Y, Y, OP, OP, OP], |_| {
            RollbackAccepted { pin_size: 3, pin_root: "00".repeat(32), reason: None }.into()
        }),
        row("key.added/1", [Y, Y, OP, OP, OP], |_| key_added("k-4").into()),
        row("key.changed/1", [Y, Y, OP, OP, OP], |_| key_changed("k-1").into()),
        row("key.retired/1", [Y, Y, OP, OP, OP], |_| KeyRetired { key: id("k-1"), reason: None }.into()),
        row("key.leaked/1", [Y, Y, OP, OP, Y], |_| leaked("k-1").into()),
        row("key.step/1", [Y, Y, OP, OP, OP], |f| leak_step(f, "k-2").into()),
        row("rotation.scheduled/1", [Y, Y, OP, OP, OP], |_| schedule("k-1").into()),
        row("rotation.recorded/1", [Y, Y, OP, OP, OP], |_| rotation("k-1").into()),
        row("review.decided/1", [Y, Y, OP, OP, OP], |_| review_decided("rv-202610").into()),
        row("review.signed/1", [Y, Y, OP, OP, OP], |_| review_signed("rv-202610").into()),
    ]
}

fn want(word: &'static str) -> Want {
    if word == Y { Want::Counts } else { Want::Fault(word) }
}

/// Those who may sign nothing, whatever it is.
fn nobodies(kind: &'static str, make: fn(&Trusted<'_>) -> Event) -> Vec<Situation> {
    let gone = if kind == "workspace.created/1" { "created_again" } else { "signer_not_live" };
    let mut all: Vec<Situation> = ["op-3", "ag-3", "ag-4"].map(|who| says(kind, who, Want::Fault(gone), make)).into();
    all.extend(["stranger", "impostor"].map(|who| says(kind, who, Want::BadSignature, make)));
    all
}

#[test]
fn every_event_by_every_kind_of_signer() {
    let mut all = Vec::new();
    let mut kinds = BTreeSet::new();
    for Row { kind, make, words } in rows() {
        kinds.insert(kind);
        for (who, word) in ["op-1", "op-2", "ag-1", "ag-2", "log"].into_iter().zip(words) {
            all.push(says(kind, who, want(word), make));
        }
        all.extend(nobodies(kind, make));
    }
    let void: fn(&Trusted<'_>) -> Event = |f| crate::record::voiding(f).into();
    kinds.insert("entry.voided/1");
    for (who, word) in
        [("ag-1", OP), ("ag-2", OP), ("log", OP), ("op-3", "signer_not_live"), ("ag-3", "signer_not_live")]
    {
        all.push(says("entry.voided/1", who, Want::Fault(word), void).after(with_an_invalid_entry));
    }
    for kind in TYPES {
        assert!(kinds.contains(kind), "{kind} is missing in this table");
    }
    println!("situations, types by signers: {}", run_all(all));
}
