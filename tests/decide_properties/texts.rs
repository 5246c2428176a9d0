//! Texts and parameters that somebody hostile might write, and changes of rules.

use aosctl::domain::access::Access;
use aosctl::domain::catalogue::Action;
use aosctl::domain::rules::Rules;
use aosctl::policy::PolicyFile;
use aosctl::policy::file::render;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::world::{World, action, policy};

/// Policies of ours, and texts put together from lines that try to switch a point off, many of which are refused.
pub fn text() -> BoxedStrategy<String> {
    prop_oneof![1 => policy().prop_map(|f| render(&f)), 1 => pieced()].boxed()
}

fn pieced() -> BoxedStrategy<String> {
    let head = subsequence(vec!["version = 1", "approvers = {}", "mailing = { recipients = 9007199254740991 }"], 0..=2);
    let cap = subsequence(vec!["move = \"90071992547409.91USD\"", "week = \"90071992547409.91USD\""], 0..=2);
    let boundary = select(vec![
        "",
        "[boundary]\ndestinations = [\"*.acme.example\"]",
        "[boundary]\ndestinations = [\"*.example\", \"evil.example\"]",
        "[boundary]\ndestinations = [\"https://evil.example/?.acme.example\"]",
        "[boundary]\ndestinations = [\"*.com\", \"*.net\", \"*.example\"]",
        "[boundary]\ndestinations = [\"*\"]",
        "[boundary]\ndestinations = [\"*.\"]",
        "[boundary]\ndestinations = [\"\"]",
    ]);
    let approvers = subsequence(vec!["money = 1", "audit = 1", "production = 1", "public = 9", "money = 0"], 0..=2);
    let integration = select(vec!["*", "github", "stripe", "tool", "main", ""]);
    let act = select(vec!["*", "unlisted.*", "refund.create", "tool.a", "deployment.create", "*.*"]);
    let says = subsequence(
        vec![
            "points = []",
            "tier = \"low\"",
            "approvers = 1",
            "internal = true",
            "off = true",
            "access = \"read\"",
            "decision = \"allow\"",
        ],
        0..=3,
    );
    // Most of the time only members that exist.
    let says = prop_oneof![
        3 => subsequence(vec!["points = []", "tier = \"low\"", "approvers = 1"], 1..=3),
        1 => says,
    ];
    let rules = vec((integration, act, says), 0..=2);
    (head, cap, boundary, approvers, rules)
        .prop_map(|(head, cap, boundary, approvers, rules)| {
            let mut t = format!(
                "{}\n[cap]\n{}\n{boundary}\n[approvers]\n{}\n",
                head.join("\n"),
                cap.join("\n"),
                approvers.join("\n")
            );
            if head.contains(&"approvers = {}") {
                t = t.replace("[approvers]\n", "");
            }
            for (integration, act, says) in rules {
                t.push_str(&format!(
                    "[[action]]\nintegration = \"{integration}\"\naction = \"{act}\"\n{}\n",
                    says.join("\n")
                ));
            }
            t
        })
        .boxed()
}

/// Parameters where the made-up kind looks for them and where the real ones do, mostly readable.
pub fn parameters() -> BoxedStrategy<Value> {
    let amount = prop_oneof![
        4 => (0..200_000u64).prop_map(|n| json!(n)),
        2 => (0..2000u64).prop_map(|n| json!(n.to_string())),
        1 => Just(json!("12.5")),
        1 => Just(json!(-5)),
        1 => Just(json!(1e30)),
    ];
    let currency = prop_oneof![5 => Just(json!("usd")), 1 => Just(json!("EUR")), 1 => Just(json!(7))];
    let to = prop_oneof![
        3 => (0..700usize).prop_map(|n| json!(vec!["a@b.example"; n])),
        1 => Just(json!("a@b.example; c@d.example")),
        1 => Just(json!("everyone")),
    ];
    let destination = select(vec![json!("app.acme.example"), json!("evil.example"), json!(5), json!("")]);
    let environment = select(vec![json!("staging"), json!("production"), json!(["staging"])]);
    (
        weighted(0.7, amount),
        weighted(0.7, currency),
        weighted(0.6, to),
        weighted(0.4, destination),
        weighted(0.7, environment),
    )
        .prop_map(|(amount, currency, to, destination, environment)| {
            let mut all = json!({});
            for (name, value) in [
                ("amount", amount),
                ("currency", currency),
                ("to", to),
                ("destination", destination),
                ("environment", environment),
            ] {
                if let Some(value) = value {
                    all[name] = value;
                }
            }
            all
        })
        .boxed()
}

/// Any JSON, with the names that the catalogue looks for.
pub fn hostile() -> BoxedStrategy<Value> {
    let names = vec![
        "amount",
        "currency",
        "to",
        "message",
        "recipients",
        "environment",
        "inputs",
        "url",
        "channel",
        "0",
        "",
        "emails",
        "Bucket",
        "Destination",
        "ToAddresses",
        "properties",
        "deal_currency_code",
        "contactIds",
        "include",
        "LimitPrice",
        "Amount",
        "CurrencyCode",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|b| json!(b)),
        any::<u64>().prop_map(|n| json!(n)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        ".*".prop_map(|s| json!(s)),
        select(vec![
            "usd",
            "USD",
            "éé",
            "u\u{0}d",
            "1e9",
            "-0",
            "0.000000001",
            "99999999999999999999",
            " 5",
            "+5",
            "５",
            "a@b,c@d",
            "\u{202e}",
            "NaN",
            "production\n",
            "staging",
            ".",
        ])
        .prop_map(|s| json!(s)),
        (490..510usize).prop_map(|n| json!("x".repeat(n))),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::Array),
            vec((select(names.clone()), inner), 0..8)
                .prop_map(|all| Value::Object(all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
    .boxed()
}

/// A change from one set of rules to the next: of the policy, of the catalogue, or both.
#[derive(Debug, Clone)]
pub struct Change {
    policy: Option<PolicyFile>,
    narrower: bool,
    action: Option<(Action, u8)>,
    drop: bool,
}

pub fn change() -> BoxedStrategy<Change> {
    (
        weighted(0.6, policy()),
        prop::bool::weighted(0.6),
        weighted(0.6, (action("any"), any::<u8>())),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(policy, narrower, action, drop)| Change { policy, narrower, action, drop })
        .boxed()
}

impl Change {
    pub fn apply(&self, rules: &mut Rules, w: &World) {
        if let Some(p) = &self.policy {
            if self.narrower {
                rules.caps.per_move = rules.caps.per_move.min(p.caps.per_move);
                rules.caps.per_week = rules.caps.per_week.min(p.caps.per_week);
                rules.recipients = rules.recipients.min(p.recipients);
                rules.boundary.destinations.retain(|d| p.boundary.destinations.contains(d));
                let known = rules.actions.clone();
                let is_new = |r: &&_| !known.iter().any(|k| same(k, r));
                rules.actions.extend(p.actions.iter().filter(is_new).cloned());
            } else {
                rules.caps = p.caps.clone();
                rules.recipients = p.recipients;
                rules.boundary = p.boundary.clone();
                rules.approvers = p.approvers.clone();
                rules.actions = p.actions.clone();
            }
        }
        let Some(kind) = w.integration.as_ref().map(|i| i.kind.clone()) else {
            return;
        };
        let Some(kind) = rules.kinds.iter_mut().find(|k| k.kind == kind) else {
            return;
        };
        let Some(at) = kind.action.iter().position(|a| a.name == w.proposal.action) else {
            // An action that was not listed is listed now.
            if let Some((a, _)) = &self.action {
                kind.action.push(Action { name: w.proposal.action.clone(), ..a.clone() });
            }
            return;
        };
        if self.drop {
            kind.action.remove(at);
        } else if let Some((a, which)) = &self.action {
            mutate(&mut kind.action[at], a, *which);
        }
    }
}

fn same(a: &aosctl::domain::rules::ActionRule, b: &aosctl::domain::rules::ActionRule) -> bool {
    a.integration == b.integration && a.action == b.action
}

/// One member from the other action, or all.
fn mutate(old: &mut Action, new: &Action, which: u8) {
    match which % 16 {
        0 => old.points.clone_from(&new.points),
        1 => old.internal = new.internal,
        2 => old.data = new.data,
        3 => old.sends = new.sends,
        4 => old.public = new.public,
        5 => old.amount.clone_from(&new.amount),
        6 => old.recipients.clone_from(&new.recipients),
        7 => old.destination.clone_from(&new.destination),
        8 => old.environment.clone_from(&new.environment),
        9 => old.access = old.access.max(new.access),
        10 => old.access = Access::Read,
        _ => *old = Action { name: old.name.clone(), ..new.clone() },
    }
}
