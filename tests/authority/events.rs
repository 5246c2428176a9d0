//! Events as an honest aosctl would write them, to be signed by whom and when a test likes.

use super::*;

use aosctl::domain::key::{Carries, Delivery, KeyFacts, Place, Recipient};
use aosctl::domain::review::{Advice, ItemDecision};

pub fn proof(signer: &Signer, origin: &str) -> String {
    data_encoding::HEXLOWER.encode(&EnrolmentLine::create(signer, origin).unwrap().proof)
}

pub fn operator(c: &Cast, who: &str, origin: &str) -> OperatorEnrolled {
    let signer = c.signer(who);
    OperatorEnrolled { id: id(who), public_key: Hex32(signer.public()), proof: proof(signer, origin), name: None }
}

pub fn agent_of(c: &Cast, who: &str, handle: &str, op: &str, origin: &str) -> AgentEnrolled {
    let signer = c.signer(who);
    AgentEnrolled {
        id: id(who),
        handle: handle.into(),
        operator: id(op),
        public_key: Hex32(signer.public()),
        proof: proof(signer, origin),
    }
}

pub fn integration(i: &str, handle: &str, kind: &str, inside: bool) -> IntegrationAdded {
    IntegrationAdded { id: id(i), handle: handle.into(), kind: kind.into(), inside, residency: None }
}

pub fn grant(g: &str, agent: &str, i: &str, scope: &str, access: Access, data: DataClass) -> GrantIssued {
    GrantIssued {
        grant: id(g),
        agent: id(agent),
        integration: id(i),
        scope: scope.parse().unwrap(),
        access,
        data,
        owner: Id::FIRST_OPERATOR,
        mission: None,
        until: Some(now().plus(Span::days(30))),
        replaces: None,
        carries: None,
        again: None,
        accepted: vec![],
        reason: None,
    }
}

pub fn narrowing(g: &str) -> GrantNarrowed {
    GrantNarrowed { grant: id(g), scope: None, access: None, data: None, until: None, reason: None }
}

pub fn finished(r: &str, outcome: Outcome) -> RequestFinished {
    RequestFinished { request: id(r), outcome, status: None, duration_ms: None, detail: None, note: None }
}

pub fn erasure(seq: u64, member: &str, approvals: &[u64]) -> PayloadErased {
    PayloadErased {
        seq,
        members: [member.to_string()].into(),
        approvals: approvals.iter().copied().collect(),
        reason: None,
    }
}

pub fn adoption(rules: Rules, source: &str) -> PolicyAdopted {
    PolicyAdopted {
        digest: rules_digest(&rules).unwrap(),
        rules: std::sync::Arc::new(rules),
        source: source.into(),
        confirmed: BTreeSet::new(),
        reason: None,
    }
}

/// The approval that is right at that moment.
pub fn approval(facts: &Trusted<'_>, r: Id, at: Time) -> RequestApproved {
    let r = facts.request(r).unwrap().unwrap();
    let points = again(&r, at, facts).unwrap().points();
    RequestApproved {
        request: r.id,
        leaf: r.leaf.clone(),
        points: points.union(&r.points).copied().collect(),
        grant: r.grant,
        policy: facts.policy().unwrap().unwrap().digest.clone(),
        until: at.plus(Span::seconds(1800)).min(r.until),
        self_approved: false,
        reason: None,
    }
}

pub fn denial(facts: &Trusted<'_>, r: Id) -> RequestDenied {
    let r: std::rc::Rc<Request> = facts.request(r).unwrap().unwrap();
    RequestDenied {
        request: r.id,
        leaf: r.leaf.clone(),
        points: r.points.clone(),
        grant: r.grant,
        policy: facts.policy().unwrap().unwrap().digest.clone(),
        reason: Some("no".into()),
    }
}

/// What somebody asks for.
#[derive(Clone)]
pub struct Asking {
    pub requester: Id,
    pub integration: Option<Id>,
    pub action: &'static str,
    pub resource: String,
    pub access: Option<Access>,
    pub facets: Facets,
    pub key: Option<String>,
    pub bound: bool,
}

impl Asking {
    pub fn refund(amount: &str) -> Asking {
        Asking {
            requester: id("ag-1"),
            integration: Some(id("i-1")),
            action: "refund.create",
            resource: "account:acct_1".into(),
            access: None,
            facets: Facets { amount: Some(amount.parse().unwrap()), ..Facets::default() },
            key: None,
            bound: false,
        }
    }

    pub fn public() -> Asking {
        Asking {
            integration: Some(id("i-2")),
            action: "pull_request.read",
            resource: "repo:acme/app".into(),
            facets: Facets { public: true, ..Facets::default() },
            ..Asking::refund("1USD")
        }
    }

    pub fn erasure(seq: u64) -> Asking {
        Asking {
            requester: id("op-1"),
            integration: None,
            action: "audit.erase",
            resource: format!("entry:{seq}"),
            facets: Facets::default(),
            ..Asking::refund("1USD")
        }
    }

    fn proposal(&self) -> Proposal {
        Proposal {
            requester: self.requester,
            action: self.action.into(),
            resource: self.resource.parse().unwrap(),
            access: self.access,
            facets: self.facets.clone(),
            unsure: false,
        }
    }

    pub fn decided<F: Facts>(&self, facts: &F, at: Time) -> Decision
    where
        F::Error: std::fmt::Debug,
    {
        weigh(facts, &self.proposal(), self.integration, at, None).unwrap()
    }

    /// The entry that an honest aosctl would write.
    pub fn made(&self, facts: &Trusted<'_>, request: Id, at: Time) -> RequestMade {
        RequestMade {
            idempotency_key: self.key.clone(),
            bound_command: self.bound,
            summary: Some("what it is about".into()),
            ..asked(facts, &self.proposal(), self.integration, request, at).unwrap()
        }
    }
}

pub fn key_facts(name: &str) -> KeyFacts {
    KeyFacts {
        integration: Some(id("i-2")),
        scope: Some("repo:acme/app".into()),
        owner: Some(Id::FIRST_OPERATOR),
        place: Place::Reference("op://vault/ci/token".into()),
        provider_id: Some("tok_1".into()),
        last4: Some("9f2a".into()),
        fingerprint: Some(Hex32([7; 32])),
        created: Some(now().minus(Span::days(80))),
        ..KeyFacts::named(name, "token")
    }
}

pub fn key_added(k: &str) -> KeyAdded {
    KeyAdded { key: id(k), facts: key_facts("CI token"), note: None }
}

pub fn key_changed(k: &str) -> KeyChanged {
    KeyChanged { key: id(k), facts: KeyFacts { active: false, ..key_facts("CI token") }, reason: None }
}

pub fn leaked(k: &str) -> KeyLeaked {
    KeyLeaked { key: id(k), revoked: vec![], frozen: vec![], reason: None }
}

pub fn rotation(k: &str) -> RotationRecorded {
    RotationRecorded {
        key: id(k),
        rotated: now(),
        place: None,
        provider_id: None,
        last4: Some("77aa".into()),
        fingerprint: None,
        expires: None,
        note: None,
    }
}

pub fn review_decided(review: &str) -> ReviewDecided {
    let keep = ItemDecision {
        item: id("g-1"),
        advice: Advice::Narrow,
        decision: Advice::Keep,
        rules: vec!["AR-03".into()],
        narrower: None,
        carried_out: None,
        self_review: true,
        took_ms: Some(4200),
    };
    ReviewDecided {
        review: id(review),
        as_of: now(),
        entries: 3,
        decisions: vec![keep],
        note: Some([(id("g-1"), "writes begin in December".to_string())].into()),
    }
}

pub fn review_signed(review: &str) -> ReviewSigned {
    ReviewSigned {
        review: id(review),
        as_of: now(),
        entries: 3,
        root: "ab".repeat(32),
        page: "cd".repeat(32),
        items: 4,
        open: vec![],
        note: None,
    }
}

pub fn carrying(k: &str) -> Carries {
    let program = Recipient { path: "/usr/bin/true".into(), sha256: "ef".repeat(32) };
    Carries { key: id(k), delivery: Delivery::Env("TOKEN".into()), programs: vec![program] }
}
