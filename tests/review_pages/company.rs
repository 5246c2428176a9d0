//! Generated companies: deterministic, seeded, no clock. Every point of evidence is planted in each of them.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::review::{Advice, Month, Narrower};
use aosctl::domain::time::{Span, Time};
use aosctl::review::model::*;

/// How far the reviewer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing decided.
    Fresh,
    /// Decided, carried out where it could be, signed.
    Signed,
}

/// SplitMix64: the same numbers everywhere.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    pub fn digest(&mut self) -> String {
        (0..4).map(|_| format!("{:016x}", self.roll())).collect()
    }
}

const TOOLS: &[(&str, &str, DataClass, bool)] = &[
    ("github", "repo:acme/app", DataClass::Internal, false),
    ("stripe", "account:live", DataClass::Customer, false),
    ("postgres-main", "db:main/orders", DataClass::Customer, true),
    ("hubspot", "crm:contacts", DataClass::Customer, false),
    ("slack", "channel:ops", DataClass::Internal, false),
    ("aws-prod", "account:prod/eu-central-1", DataClass::Secret, false),
    ("zendesk", "queue:support", DataClass::Customer, false),
    ("linear", "team:platform", DataClass::Internal, false),
    ("warehouse", "dataset:finance", DataClass::Customer, true),
    ("sentry", "project:app", DataClass::Internal, false),
    ("mailgun", "domain:mail.example", DataClass::Customer, false),
    ("vercel", "project:site", DataClass::Public, false),
    ("notion", "space:handbook", DataClass::Internal, false),
    ("intercom", "inbox:sales", DataClass::Customer, false),
];
const AGENTS: &[&str] = &["build", "support", "sales", "billing", "report", "ops", "research", "triage", "content"];
const OWNERS: &[&str] = &["platform", "finance", "security"];
const MISSIONS: &[&str] = &["ship-1.4", "answer tickets", "weekly revenue report", "quarter close", "lead routing"];

pub fn id(kind: IdKind, n: usize) -> Id {
    Id::new(kind, n as u64)
}

pub fn who(kind: IdKind, n: usize, name: &str) -> Who {
    Who { id: id(kind, n), name: Some(name.to_string()) }
}

pub fn moment(text: &str) -> Time {
    text.parse().unwrap()
}

pub fn as_of() -> Time {
    moment("2026-11-01T00:00:00.000Z")
}

fn ago(days: u64) -> Time {
    as_of().minus(Span::days(u32::try_from(days).unwrap()))
}

fn agent(n: usize) -> Who {
    let name = AGENTS[n % AGENTS.len()];
    let name = if n < AGENTS.len() { format!("{name}-bot") } else { format!("{name}-bot-{}", n / AGENTS.len() + 1) };
    who(IdKind::Agent, n + 1, &name)
}

fn tool(n: usize) -> Who {
    let (name, ..) = TOOLS[n % TOOLS.len()];
    let name = if n < TOOLS.len() { name.to_string() } else { format!("{name}-{}", n / TOOLS.len() + 1) };
    who(IdKind::Integration, n + 1, &name)
}

fn owner(n: usize) -> Who {
    who(IdKind::Operator, n % OWNERS.len() + 1, OWNERS[n % OWNERS.len()])
}

/// An item against which nothing speaks.
fn item(kind: ItemKind, id: Id, dice: &mut Dice) -> Item {
    let first = 20 + dice.below(900);
    Item {
        id,
        kind,
        name: None,
        agent: None,
        integration: None,
        scope: None,
        access: None,
        data: None,
        owner: Some(owner(dice.below(2) as usize)),
        mission: None,
        since: ago(40 + dice.below(110)),
        until: None,
        marks: Vec::new(),
        last_use: LastUse::None,
        entries: EntryRange { first, last: first + dice.below(300) },
        findings: Vec::new(),
        advice: Advice::Keep,
        narrower: None,
        command: None,
        certified: Some(Certified {
            month: "2026-09".parse().unwrap(),
            at: moment("2026-10-02T09:12:00.000Z"),
            decision: Advice::Keep,
        }),
        decided: None,
    }
}

fn grant(n: usize, tools: usize, agents: usize, dice: &mut Dice) -> Item {
    let place = (n + dice.below(3) as usize) % tools;
    let (_, scope, data, _) = TOOLS[place % TOOLS.len()];
    let seen = ago(1 + dice.below(25));
    let entry = 900 + dice.below(300);
    Item {
        agent: Some(agent((n * 7 + dice.below(2) as usize) % agents)),
        integration: Some(tool(place)),
        scope: Some(scope.to_string()),
        access: Some(*dice.pick(&[Access::Read, Access::Read, Access::Read, Access::Write])),
        data: Some(data),
        mission: Some((*dice.pick(MISSIONS)).to_string()),
        until: Some(as_of().plus(Span::days(20 + dice.below(70) as u32))),
        last_use: LastUse::Used { at: seen, by: (*dice.pick(&["run", "request", "hook"])).into(), seq: Some(entry) },
        ..item(ItemKind::Grant, id(IdKind::Grant, n + 1), dice)
    }
}

fn key(n: usize, tools: usize, agents: usize, dice: &mut Dice) -> Item {
    let place = tool(n * 3 % tools);
    let name = format!("{}-{}", place.name.clone().unwrap(), ["live", "deploy", "reader"][n % 3]);
    Item {
        name: Some(name),
        agent: Some(agent(n % agents)),
        integration: Some(place),
        marks: if n % 5 == 4 { vec!["inactive".into()] } else { Vec::new() },
        last_use: if n % 4 == 3 {
            LastUse::Unknown { why: "no feed names this key".into() }
        } else {
            LastUse::Used { at: ago(1 + dice.below(20)), by: "aws-credential-report".into(), seq: None }
        },
        ..item(ItemKind::Key, id(IdKind::Key, n + 1), dice)
    }
}

/// What a rule may find, planted in turn.
fn plant(n: usize, i: &mut Item, dice: &mut Dice) {
    let first = 700 + dice.below(300);
    let entries = EntryRange { first, last: first + 1 + dice.below(80) };
    let revoke = Some(format!("aosctl revoke {}", i.id));
    let (rule, severity, fact, window, covered, advice) = match n % 8 {
        0 => (
            Rule::NotCarriedOut,
            Severity::Critical,
            "In September its revocation was decided, and it is still open.".to_string(),
            None,
            None,
            Advice::Revoke,
        ),
        1 => (
            Rule::Widened,
            Severity::High,
            "On 14 October read became admin, and the scope the whole account.".to_string(),
            None,
            None,
            Advice::Narrow,
        ),
        2 => (
            Rule::NeverUsed,
            Severity::High,
            "Nothing was done through it since it was granted 61 days ago.".to_string(),
            Some(90),
            Some(61),
            Advice::Revoke,
        ),
        3 => (
            Rule::NoOwner,
            Severity::High,
            "Its owner was retired on 3 October, and nobody took it over.".to_string(),
            None,
            None,
            Advice::Investigate,
        ),
        4 => (
            Rule::OnlyReads,
            Severity::Medium,
            "118 reads and no write in the 90 days.".to_string(),
            Some(90),
            Some(90),
            Advice::Narrow,
        ),
        5 => (
            Rule::NoFeed,
            Severity::Medium,
            "Nobody reports what is done with it: no hook, no run, no import.".to_string(),
            Some(90),
            None,
            Advice::Investigate,
        ),
        6 => {
            (Rule::NoEnd, Severity::Medium, "It may write and has no end date.".to_string(), None, None, Advice::Narrow)
        }
        _ => (
            Rule::Unused,
            Severity::Medium,
            "Last used 52 days ago; the rule is 45 days for what may write.".to_string(),
            Some(45),
            Some(45),
            Advice::Revoke,
        ),
    };
    i.advice = advice;
    i.command = match (advice, n % 8) {
        (Advice::Revoke, _) => revoke,
        (Advice::Narrow, 1) => {
            i.access = Some(Access::Admin);
            let scope = format!("{}/invoices", i.scope.clone().unwrap());
            i.narrower = Some(Narrower {
                scope: Some(scope.parse().unwrap()),
                access: Some(Access::Read),
                ..Narrower::default()
            });
            Some(format!("aosctl grant narrow {} --scope {scope} --access read", i.id))
        }
        (Advice::Narrow, 4) => {
            i.access = Some(Access::Write);
            i.narrower = Some(Narrower { access: Some(Access::Read), ..Narrower::default() });
            Some(format!("aosctl grant narrow {} --access read", i.id))
        }
        (Advice::Narrow, _) => {
            i.until = None;
            i.narrower = Some(Narrower { until: Some(as_of().plus(Span::days(90))), ..Narrower::default() });
            Some(format!("aosctl grant narrow {} --expires 90d", i.id))
        }
        _ => Some(format!("aosctl grant show {}", i.id)),
    };
    if n % 8 == 3 {
        i.owner = None;
    }
    i.findings = vec![Finding {
        rule,
        severity,
        fact,
        window_days: window,
        covered_days: covered,
        entries,
        advice,
        narrower: i.narrower.clone(),
        command: i.command.clone(),
    }];
    if n % 3 == 1 {
        i.findings.push(Finding {
            rule: Rule::NoEnd,
            severity: Severity::Medium,
            fact: "It may write and has no end date.".into(),
            window_days: None,
            covered_days: None,
            entries,
            advice: Advice::Narrow,
            narrower: None,
            command: Some(format!("aosctl grant narrow {} --expires 90d", i.id)),
        });
    }
}

/// A review of a company with so many grants.
pub fn company(grants: usize, stage: Stage) -> Review {
    let mut dice = Dice(grants as u64);
    let dice = &mut dice;
    let agents = (grants / 4).max(2);
    let tools = (grants / 5).clamp(2, 40);
    let keys = (grants / 3).max(1);
    let operators = if grants < 10 { 1 } else { 3 };
    let faults = match grants {
        0..10 => 1,
        10..100 => 6,
        _ => grants / 16,
    };

    let mut first = Vec::new();
    let mut rest = Vec::new();
    for n in 0..grants {
        let mut i = grant(n, tools, agents, dice);
        if first.len() < faults && n % (grants / faults) == 1 {
            plant(first.len() + usize::from(grants < 10), &mut i, dice);
            first.push(i);
        } else {
            if n % 9 == 5 {
                let entries = i.entries;
                i.findings.push(Finding {
                    rule: Rule::Unused,
                    severity: Severity::Watch,
                    fact: "Last used 31 days ago; at 45 days it is called unused.".into(),
                    window_days: Some(45),
                    covered_days: Some(45),
                    entries,
                    advice: Advice::Keep,
                    narrower: None,
                    command: None,
                });
            }
            rest.push(i);
        }
    }
    first.sort_by(|a, b| b.findings[0].severity.cmp(&a.findings[0].severity).then(a.id.cmp(&b.id)));
    rest.extend((0..keys).map(|n| key(n, tools, agents, dice)));
    for n in 0..tools {
        let (_, _, data, inside) = TOOLS[n % TOOLS.len()];
        rest.push(Item {
            name: tool(n).name,
            integration: Some(tool(n)),
            data: Some(data),
            marks: vec![if inside { "inside" } else { "outside" }.into()],
            ..item(ItemKind::Integration, id(IdKind::Integration, n + 1), dice)
        });
    }
    rest.sort_by(|a, b| {
        let place = |i: &Item| i.integration.as_ref().map(|w| w.name.clone());
        place(a).cmp(&place(b)).then(a.id.cmp(&b.id))
    });
    for n in 0..agents {
        rest.push(Item {
            name: agent(n).name,
            last_use: LastUse::Used { at: ago(1 + dice.below(9)), by: "request".into(), seq: Some(1100) },
            marks: if n == 1 { vec!["frozen".into()] } else { Vec::new() },
            ..item(ItemKind::Agent, id(IdKind::Agent, n + 1), dice)
        });
    }
    for n in 0..operators {
        rest.push(Item {
            name: owner(n).name,
            owner: None,
            ..item(ItemKind::Operator, id(IdKind::Operator, n + 1), dice)
        });
    }

    let all: Vec<&Item> = first.iter().chain(&rest).collect();
    let count = |f: &dyn Fn(&Item) -> bool| all.iter().filter(|i| f(i)).count() as u64;
    let kinds = [
        ("grants", ItemKind::Grant, "status=open"),
        ("keys", ItemKind::Key, "status=live"),
        ("agents", ItemKind::Agent, "enrolled, not retired"),
        ("operators", ItemKind::Operator, "enrolled, not retired"),
        ("integrations", ItemKind::Integration, "registered, not retired"),
    ];
    let mut sources: Vec<Source> = kinds
        .iter()
        .map(|(name, kind, query)| Source {
            name: (*name).into(),
            query: format!("{name}: {query}"),
            live: count(&|i| i.kind == *kind),
            reviewed: count(&|i| i.kind == *kind),
            as_of: None,
            failed: None,
        })
        .collect();
    sources.push(Source {
        name: "aws-credential-report".into(),
        query: "key import aws-credential-report, SHA-256 of the file in entry 412".into(),
        live: 4,
        reviewed: 4,
        as_of: Some(moment("2026-10-28T06:30:00.000Z")),
        failed: None,
    });
    if grants > 3 {
        sources.push(Source {
            name: "csv".into(),
            query: "key import csv".into(),
            live: 0,
            reviewed: 0,
            as_of: None,
            failed: Some("line 3 of the last file has 7 columns, not 9".into()),
        });
    }
    let population = Population {
        sources,
        grants: grants as u64,
        expired: u64::from(grants > 10) * 2,
        writing: count(&|i| matches!(i.access, Some(Access::Write | Access::Admin))),
        admin: count(&|i| i.access == Some(Access::Admin)),
        agents: agents as u64,
        operators: operators as u64,
        keys: keys as u64,
        inactive_keys: count(&|i| i.marks.contains(&"inactive".to_string())),
        integrations: tools as u64,
        third_parties: count(&|i| i.kind == ItemKind::Integration && i.marks.contains(&"outside".to_string())),
        frozen: 1,
        orphans: count(&|i| i.owner.is_none() && i.kind != ItemKind::Operator),
    };

    let mut customer_data: Vec<CustomerData> = Vec::new();
    for n in 0..tools {
        let (_, _, data, inside) = TOOLS[n % TOOLS.len()];
        if data < DataClass::Customer {
            continue;
        }
        let reached_by = all
            .iter()
            .filter(|i| i.kind == ItemKind::Grant && i.integration.as_ref().is_some_and(|w| w.id.n == n as u64 + 1))
            .map(|i| Reach {
                grant: i.id,
                agent: i.agent.clone().unwrap(),
                access: i.access.unwrap(),
                data: i.data.unwrap(),
            })
            .collect();
        let residency = (n % 2 == 1).then(|| "US".to_string());
        customer_data.push(CustomerData { integration: tool(n), inside, residency, reached_by });
    }
    let keys_due = rest
        .iter()
        .filter(|i| i.kind == ItemKind::Key)
        .take((keys / 4).max(1))
        .enumerate()
        .map(|(n, i)| KeyDue {
            key: Who { id: i.id, name: i.name.clone() },
            due: (n != 2).then(|| ago(12 - (n as u64).min(11))),
            state: ["overdue", "due", "unknown"][n % 3].into(),
            fact: [
                "last rotated 102 days ago, every 90 days",
                "rotated 80 days ago, every 90 days",
                "nobody knows how old it is",
            ][n % 3]
                .into(),
            command: format!("aosctl rotation record {}", i.id),
        })
        .collect();
    let unknown: Vec<Id> = all.iter().filter(|i| matches!(i.last_use, LastUse::Unknown { .. })).map(|i| i.id).collect();
    let mut not_seen = vec![NotSeen {
        what: "before 2 June".into(),
        why: "the log began then; nothing is known of earlier use".into(),
        items: Vec::new(),
    }];
    if !unknown.is_empty() {
        not_seen.push(NotSeen {
            what: "keys in use elsewhere".into(),
            why: "no import names them; aosctl key import would show it".into(),
            items: unknown,
        });
    }
    let items = all.len() as u64;
    drop(all);

    let mut review = Review {
        month: "2026-10".parse::<Month>().unwrap(),
        company: Some("ACME".into()),
        tool: "aosctl 0.1.0".into(),
        as_of: as_of(),
        log: LogState {
            origin: "acme-7f3a9c".into(),
            entries: 1204,
            leaf: dice.digest(),
            began: moment("2026-06-02T08:00:00.000Z"),
        },
        population,
        duty: Duty {
            owner: Some(owner(2)),
            due: moment("2026-11-08T00:00:00.000Z"),
            next_due: moment("2026-12-08T00:00:00.000Z"),
        },
        since: Since {
            from: moment("2026-10-01T00:00:00.000Z"),
            last_signed: Some(moment("2026-10-02T09:30:00.000Z")),
            granted: (grants.saturating_sub(4)..grants).map(|n| id(IdKind::Grant, n + 1)).collect(),
            revoked: vec![id(IdKind::Grant, grants + 3)],
            narrowed: Vec::new(),
            widened: first.iter().filter(|i| i.findings[0].rule == Rule::Widened).map(|i| i.id).collect(),
            enrolled: vec![agent(agents - 1)],
            retired: vec![who(IdKind::Operator, 9, "growth")],
            leaked: Vec::new(),
            policies: vec![812],
        },
        progress: Progress { items, decided: 0, open: 0 },
        first,
        rest,
        customer_data,
        keys_due,
        not_seen,
        signature: None,
        annex_sha256: String::new(),
    };
    review.annex_sha256 = aosctl::review::annex_digest(&review);
    if stage == Stage::Signed {
        sign(&mut review, dice);
    }
    review
}

/// Decides everything: some of it otherwise than advised, some of it open.
fn sign(review: &mut Review, dice: &mut Dice) {
    let by = owner(2);
    let mut seq = 1205;
    let mut open = 0;
    let mut kept = 0;
    for (n, i) in review.first.iter_mut().chain(&mut review.rest).enumerate() {
        let overridden = n == 2 && i.advice != Advice::Keep;
        let decision = if overridden { Advice::Keep } else { i.advice };
        let remedy = match (decision, n) {
            (Advice::Keep | Advice::Investigate, _) => Remedy::Nothing,
            (_, 1) => Remedy::Open,
            (_, 4) => Remedy::Declared,
            _ => Remedy::CarriedOut,
        };
        open += u64::from(remedy == Remedy::Open);
        kept += u64::from(decision == Advice::Keep);
        i.decided = Some(DecidedItem {
            decision,
            advice: i.advice,
            overridden,
            note: overridden.then(|| "needed for the quarter close".to_string()),
            by: by.clone(),
            at: moment("2026-11-03T10:02:00.000Z"),
            seq,
            self_review: n % 40 == 0,
            remedy,
            carried_out: (remedy == Remedy::CarriedOut).then_some(seq + 1),
        });
        seq += 2;
    }
    review.progress.decided = review.progress.items;
    review.progress.open = open;
    review.signature = Some(Signature {
        by,
        at: moment("2026-11-03T10:12:00.000Z"),
        seq,
        late_days: 0,
        self_reviewed: review.progress.items.div_ceil(40),
        compensating: Some("a second operator, in entry 1334".into()),
        kept_per_mille: u32::try_from(kept * 1000 / review.progress.items).unwrap(),
        median_seconds: Some(4),
        rubber_stamp: Some("the last 40 decisions took 3 seconds together".into()),
        page: dice.digest(),
        page_holds: true,
    });
}
