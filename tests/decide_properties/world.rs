//! Arbitrary worlds to decide in: a policy, a catalogue, grants, a proposal.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::LazyLock;

use aosctl::domain::access::Access;
use aosctl::domain::catalogue::{Action, AmountPath, Kind, ScopeKind};
use aosctl::domain::decide::{Decision, Proposal, Situation, decide};
use aosctl::domain::facets::{DataClass, Facets};
use aosctl::domain::grant::Grant;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::identity::Identity;
use aosctl::domain::integration::Integration;
use aosctl::domain::money::{Currency, Money};
use aosctl::domain::point::{POINTS, Point};
use aosctl::domain::rules::{ActionRule, Boundary, Caps, Rules, Tier};
use aosctl::domain::scope::Scope;
use aosctl::domain::time::Time;
use aosctl::policy::catalogue::built_in;
use aosctl::policy::{PolicyFile, file::to_rules};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub const NOW: i64 = 1_800_000_000_000;

pub static REAL: LazyLock<Vec<Kind>> = LazyLock::new(|| built_in().expect("the built-in catalogue parses"));

/// Destinations that agents name, honest and not.
pub const NAMED: [&str; 9] = [
    "app.acme.example",
    "hooks.ACME.example",
    "acme.example",
    "evilacme.example",
    "evil.example",
    "https://evil.example/?.acme.example",
    "https://evil.example/#x.acme.example",
    "evil@x.acme.example",
    "evil.example\n.acme.example",
];

/// Everything that a decision depends on.
#[derive(Clone)]
pub struct World {
    pub rules: Option<Rules>,
    pub agent: Option<Identity>,
    pub operator_live: bool,
    pub integration: Option<Integration>,
    pub grants: Vec<Rc<Grant>>,
    pub spent: u64,
    pub frozen: bool,
    pub agent_frozen: bool,
    pub operators: usize,
    pub proposal: Proposal,
}

/// Without the catalogue, but for the action.
impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rules = self.rules.as_ref().map(PolicyFile::of);
        let live = (self.agent.as_ref().map(Identity::is_live), self.operator_live, self.frozen, self.agent_frozen);
        write!(f, "{:?}\n{:?}\n{rules:?}\n{:?}\n", self.proposal, self.action(), self.integration)?;
        writeln!(
            f,
            "agent live, operator live, frozen, agent frozen: {live:?}; operators {}; spent {}",
            self.operators, self.spent
        )?;
        self.grants.iter().try_for_each(|g| {
            writeln!(f, "{} {} {} until {:?} revoked {:?}", g.scope, g.access, g.data, g.until, g.revoked_seq)
        })
    }
}

impl World {
    pub fn decide(&self) -> Decision {
        self.decide_on(&self.proposal)
    }

    pub fn decide_on(&self, proposal: &Proposal) -> Decision {
        let situation = Situation {
            rules: self.rules.as_ref(),
            agent: self.agent.as_ref(),
            operator_live: self.operator_live,
            integration: self.integration.as_ref(),
            grants: &self.grants,
            spent: self.spent,
            frozen: self.frozen,
            agent_frozen: self.agent_frozen,
            operators: self.operators,
            now: Time::from_millis(NOW),
        };
        decide(proposal, &situation)
    }

    /// What the catalogue says of the action.
    pub fn action(&self) -> Option<&Action> {
        let kind = &self.integration.as_ref()?.kind;
        let kind = self.rules.as_ref()?.kinds.iter().find(|k| &k.kind == kind)?;
        kind.action.iter().find(|a| a.name == self.proposal.action)
    }
}

pub fn identity(kind: IdKind) -> Identity {
    let is_agent = kind == IdKind::Agent;
    Identity {
        id: Id::new(kind, 1),
        public_key: [7; 32],
        key_seq: 0,
        operator: is_agent.then_some(Id::FIRST_OPERATOR),
        handle: is_agent.then(|| "build-bot".to_owned()),
        enrolled_seq: 1,
        enrolled_at: Time::from_millis(0),
        retired_seq: None,
        retired_at: None,
        disputed_from: None,
    }
}

pub fn access() -> BoxedStrategy<Access> {
    select(vec![Access::Read, Access::Write, Access::Admin]).boxed()
}

pub fn class() -> BoxedStrategy<DataClass> {
    select(vec![DataClass::Public, DataClass::Internal, DataClass::Customer, DataClass::Secret]).boxed()
}

fn points(most: usize) -> BoxedStrategy<Vec<Point>> {
    subsequence(POINTS.to_vec(), 0..=most).boxed()
}

pub fn currency() -> BoxedStrategy<Currency> {
    prop_oneof![6 => Just("USD"), 1 => Just("EUR"), 1 => Just("JPY")].prop_map(|c| c.parse().unwrap()).boxed()
}

/// Mostly near the caps that [`policy`] makes, sometimes at the ends.
pub fn minor() -> BoxedStrategy<u64> {
    prop_oneof![12 => 0..200_000u64, 1 => Just(0), 1 => Just((1 << 53) - 1), 1 => 0..=u64::from(u32::MAX)].boxed()
}

fn rule() -> BoxedStrategy<ActionRule> {
    let tool = select(vec!["*", "github", "stripe", "slack", "tool", "main"]);
    let act = select(vec![
        "*",
        "deploy.*",
        "message.*",
        "refund.create",
        "issue.comment",
        "tool.a",
        "unlisted.*",
        "charge.read",
    ]);
    let tier = weighted(0.3, select(vec![Tier::Low, Tier::Medium, Tier::High, Tier::Critical]));
    (tool, act, points(2), tier, weighted(0.5, 1..=9u8))
        .prop_map(|(integration, action, points, tier, approvers)| ActionRule {
            integration: integration.into(),
            action: action.into(),
            points,
            tier,
            approvers,
        })
        .boxed()
}

/// Any policy: what it may set is set to anything.
pub fn policy() -> BoxedStrategy<PolicyFile> {
    let destinations = subsequence(vec!["*.acme.example", "acme.example", "app.acme.example", "*.example"], 0..=3);
    (
        (currency(), minor(), minor()),
        prop_oneof![4 => 0..1000u64, 1 => Just((1 << 53) - 1)],
        destinations,
        btree_map(select(POINTS.to_vec()), 1..=9u8, 0..=3),
        vec(rule(), 0..=2),
    )
        .prop_map(|((currency, per_move, per_week), recipients, destinations, approvers, mut actions)| {
            actions.dedup_by(|a, b| a.integration == b.integration && a.action == b.action);
            actions.retain(|r| !r.points.is_empty() || r.tier.is_some() || r.approvers.is_some());
            PolicyFile {
                caps: Caps { currency, per_move, per_week },
                recipients,
                boundary: Boundary { destinations: destinations.into_iter().map(str::to_owned).collect() },
                approvers: BTreeMap::from_iter(approvers),
                actions,
                ..PolicyFile::default()
            }
        })
        .boxed()
}

/// An action with any members, contradictions included: the decision must hold for whatever was adopted.
pub fn action(name: &'static str) -> BoxedStrategy<Action> {
    let pointer = |p: &'static str| weighted(0.2, Just(p.to_owned()));
    (
        access(),
        prop_oneof![4 => Just(Vec::new()), 1 => points(2)],
        any::<bool>(),
        weighted(0.5, class()),
        (prop::bool::weighted(0.35), prop::bool::weighted(0.1)),
        weighted(0.2, any::<bool>()),
        (pointer("/to"), pointer("/destination"), pointer("/environment")),
    )
        .prop_map(
            move |(
                access,
                points,
                internal,
                data,
                (sends, public),
                decimal,
                (recipients, destination, environment),
            )| {
                let amount = decimal.map(|decimal| AmountPath {
                    value: "/amount".into(),
                    decimal,
                    currency: "/currency".into(),
                });
                Action {
                    name: name.into(),
                    access,
                    points,
                    internal,
                    data,
                    sends,
                    public,
                    amount,
                    recipients,
                    destination,
                    environment,
                }
            },
        )
        .boxed()
}

pub const TOOL_ACTIONS: [&str; 5] = ["tool.a", "tool.b", "deploy.run", "message.post", "unlisted.not"];

/// A made-up kind.
pub fn tool() -> BoxedStrategy<Kind> {
    let [a, b, c, d, e] = TOOL_ACTIONS.map(action);
    (a, b, c, d, e)
        .prop_map(|(a, b, c, d, e)| Kind {
            kind: "tool".into(),
            title: "Tool".into(),
            docs: "https://tool.example".into(),
            close: "Delete the token.".into(),
            scope: vec![ScopeKind {
                kind: "box".into(),
                form: "box:NAME".into(),
                segments: 1,
                account_wide: false,
                about: "a box".into(),
            }],
            permission: Vec::new(),
            action: vec![a, b, c, d, e],
        })
        .boxed()
}

/// The real catalogue, half of the time with a made-up kind beside it.
pub fn catalogue() -> BoxedStrategy<Vec<Kind>> {
    prop_oneof![
        Just(REAL.clone()),
        tool().prop_map(|t| {
            let mut all = REAL.clone();
            all.push(t);
            all
        })
    ]
    .boxed()
}

pub fn facets() -> BoxedStrategy<Facets> {
    let environments = vec!["staging", "dev", "CI", "Preview", "production", "prod", "staging ", "stagin", "*"];
    (
        weighted(0.35, (currency(), minor())),
        prop::bool::weighted(0.05),
        weighted(0.3, prop_oneof![6 => 0..800u64, 1 => any::<u64>()]),
        weighted(0.5, prop_oneof![4 => Just(DataClass::Public), 4 => Just(DataClass::Internal), 1 => Just(DataClass::Customer), 1 => Just(DataClass::Secret)]),
        weighted(0.25, select(NAMED.to_vec())),
        weighted(0.4, select(environments)),
        prop_oneof![12 => Just(BTreeSet::new()), 1 => btree_set(select(POINTS.to_vec()), 1..3)],
    )
        .prop_map(|(amount, public, recipients, data, destination, environment, unclear)| Facets {
            amount: amount.map(|(c, n)| Money::new(c, n)),
            public,
            recipients,
            data,
            destination: destination.map(str::to_owned),
            environment: environment.map(str::to_owned),
            unclear,
        })
    .boxed()
}

fn grant(n: u64) -> BoxedStrategy<Grant> {
    let scope =
        prop_oneof![4 => Just("box:acme/*"), 3 => Just("box:acme/app"), 3 => Just("*"), 1 => Just("box:acme/ap")];
    let wide_access = prop_oneof![1 => Just(Access::Read), 3 => Just(Access::Write), 5 => Just(Access::Admin)];
    let wide_class = prop_oneof![1 => Just(DataClass::Public), 2 => Just(DataClass::Internal), 3 => Just(DataClass::Customer), 4 => Just(DataClass::Secret)];
    let until = prop_oneof![3 => Just(None), 6 => Just(Some(NOW + 1)), 1 => Just(Some(NOW)), 1 => Just(Some(0))];
    (scope, wide_access, wide_class, until, prop::bool::weighted(0.1))
        .prop_map(move |(scope, access, data, until, revoked)| Grant {
            id: Id::new(IdKind::Grant, n),
            agent: Id::new(IdKind::Agent, 1),
            integration: Id::new(IdKind::Integration, 1),
            scope: scope.parse::<Scope>().unwrap(),
            access,
            data,
            owner: Id::FIRST_OPERATOR,
            mission: None,
            until: until.map(Time::from_millis),
            issued_seq: 5,
            issued_at: Time::from_millis(0),
            replaces: None,
            carries: None,
            changed_seq: 5,
            revoked_seq: revoked.then_some(9),
            revoked_at: revoked.then(|| Time::from_millis(1)),
            revoked_by: None,
        })
        .boxed()
}

/// Any world. `rare` is how often each of the conditions that deny everything holds.
pub fn world(rare: f64) -> BoxedStrategy<World> {
    (policy(), catalogue())
        .prop_flat_map(move |(file, kinds)| {
            let rules = to_rules(&file, kinds);
            let last = rules.kinds.len() - 1;
            let kind = prop_oneof![3 => 0..=last, 2 => Just(last)];
            let which = prop_oneof![1 => Just("unlisted"), 5 => Just("any"), 10 => Just("quiet")];
            (Just(rules), kind, any::<prop::sample::Index>(), which).prop_flat_map(move |(rules, k, a, which)| {
                let kind = &rules.kinds[k];
                // Most actions of the catalogue always ask; those that may be allowed are tried as often.
                let quiet: Vec<_> = kind.action.iter().filter(|a| a.points.is_empty() && !a.public).collect();
                let action = match which {
                    "unlisted" => "unlisted.thing".to_owned(),
                    "quiet" if !quiet.is_empty() => a.get(&quiet).name.clone(),
                    _ => a.get(&kind.action).name.clone(),
                };
                let quiet = weighted(0.3, select(vec![DataClass::Public, DataClass::Internal]));
                let quiet = quiet.prop_map(|data| Facets { data, ..Facets::default() });
                let proposal =
                    (weighted(0.1, access()), prop_oneof![2 => facets(), 1 => quiet], prop::bool::weighted(0.05))
                        .prop_map(move |(access, facets, unsure)| Proposal {
                            requester: Id::new(IdKind::Agent, 1),
                            action: action.clone(),
                            resource: "box:acme/app".parse().unwrap(),
                            access,
                            facets,
                            unsure,
                        });
                let integration = (prop::bool::weighted(0.6), prop::bool::weighted(0.04)).prop_map({
                    let kind = kind.kind.clone();
                    move |(inside, strange)| Integration {
                        id: Id::new(IdKind::Integration, 1),
                        handle: "main".into(),
                        kind: if strange { "nobody-knows".into() } else { kind.clone() },
                        inside,
                        residency: None,
                        added_seq: 3,
                    }
                });
                let rare = || prop::bool::weighted(rare);
                (
                    (Just(rules), proposal, integration),
                    (grant(1), grant(2), grant(3), prop_oneof![1 => Just(0), 9 => 1..=3usize]),
                    prop_oneof![3 => Just(0), 4 => 0..200_000u64, 1 => any::<u64>()],
                    (rare(), rare(), rare(), rare(), rare(), rare(), rare()),
                    (1..4usize, 0..16u8),
                )
            })
        })
        .prop_map(|((rules, proposal, integration), (g1, g2, g3, n), spent, rare, (operators, edge))| {
            let (frozen, agent_frozen, no_agent, retired, no_operator, no_integration, no_policy) = rare;
            let mut agent = identity(IdKind::Agent);
            agent.retired_seq = retired.then_some(8);
            let mut proposal = proposal;
            at_the_edge(&mut proposal.facets, &rules, spent, edge);
            World {
                rules: (!no_policy).then_some(rules),
                agent: (!no_agent).then_some(agent),
                operator_live: !no_operator,
                integration: (!no_integration).then_some(integration),
                grants: [g1, g2, g3].into_iter().take(n).map(Rc::new).collect(),
                spent,
                frozen,
                agent_frozen,
                operators,
                proposal,
            }
        })
        .boxed()
}

/// Moves a facet that is there to its limit, or one beyond.
fn at_the_edge(f: &mut Facets, rules: &Rules, spent: u64, edge: u8) {
    let beyond = u64::from(edge % 2);
    let caps = &rules.caps;
    match (edge / 2, f.amount, f.recipients) {
        (0, Some(_), _) => f.amount = Some(Money::new(caps.currency, caps.per_move + beyond)),
        (1 | 2, Some(_), _) => f.amount = Some(Money::new(caps.currency, caps.per_week.saturating_sub(spent) + beyond)),
        (3, _, Some(_)) => f.recipients = Some(rules.recipients + beyond),
        _ => {}
    }
}
