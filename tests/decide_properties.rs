//! Properties of the pure decision (design section 7, laws 1 and 3), over arbitrary policies, catalogues, grants and
//! requests. The crossings are stated here once more, from the design and not from the code under test.
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

#[path = "decide_properties/crossings.rs"]
mod crossings;
#[path = "decide_properties/raises.rs"]
mod raises;
#[path = "decide_properties/tally.rs"]
mod tally;
#[path = "decide_properties/texts.rs"]
mod texts;
#[path = "decide_properties/world.rs"]
mod world;

use std::rc::Rc;

use aosctl::domain::bind::bind;
use aosctl::domain::decide::{AUDIT_EDIT, Verdict};
use aosctl::domain::grant::Grant;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::point::Point;
use aosctl::domain::time::Time;
use aosctl::policy::file::{parse, render, to_rules};
use aosctl::policy::{Effect, diff};
use proptest::prelude::*;

use crossings::{crossings, crossings_under_any_policy};
use tally::run;
use world::{NOW, REAL, World, world};

/// (a)
#[test]
fn what_crosses_a_point_is_never_allowed() {
    let tally = run("what crosses is never allowed", world(0.01), |w, tally| {
        let verdict = w.decide().verdict;
        tally.verdict(verdict);
        let crossed = crossings(&w);
        for c in &crossed {
            tally.count(format!("{c} -> {verdict:?}"));
        }
        prop_assert!(crossed.is_empty() || verdict != Verdict::Allow, "allowed although {crossed:?}");
        Ok(())
    });
    tally.each_verdict_occurred();
    for c in crossings::ALL {
        tally.at_least(&format!("{c} -> Ask"), 8);
    }
}

/// The other half of "work inside the boundary needs no one": what crosses nothing is not asked about.
#[test]
fn what_crosses_nothing_is_not_asked() {
    let tally = run("what crosses nothing is not asked", world(0.01), |w, tally| {
        let decision = w.decide();
        tally.verdict(decision.verdict);
        let quiet = crossings(&w).is_empty() && !w.proposal.unsure;
        prop_assert!(!quiet || decision.verdict != Verdict::Ask, "asked without a crossing: {}", decision.reason);
        prop_assert_eq!(decision.verdict == Verdict::Ask, decision.approvers > 0);
        Ok(())
    });
    tally.each_verdict_occurred();
}

/// (b)
#[test]
fn less_right_or_more_reach_never_opens() {
    let tally = run(
        "raising never opens",
        (world(0.005), prop::collection::vec(raises::raise(), 1..4)),
        |(w, raises), tally| {
            let before = w.decide().verdict;
            let mut raised = w.clone();
            for raise in &raises {
                if raise.apply(&mut raised) {
                    tally.count(raise.name());
                }
            }
            let after = raised.decide().verdict;
            tally.verdict(before);
            tally.count(format!("{before:?} -> {after:?}"));
            prop_assert!(after <= before, "{before:?} became {after:?} by {raises:?}");
            Ok(())
        },
    );
    tally.each_verdict_occurred();
    for name in raises::ALL {
        tally.at_least(name, 40);
    }
    for change in ["Allow -> Ask", "Allow -> Deny", "Ask -> Deny"] {
        tally.at_least(change, 40);
    }
}

/// (c)
#[test]
fn equal_inputs_give_equal_outputs() {
    let tally = run("equal inputs, equal outputs", world(0.02), |w, tally| {
        let first = w.decide();
        tally.verdict(first.verdict);
        prop_assert_eq!(&first, &w.decide());
        let copy = World { grants: w.grants.iter().map(|g| Rc::new(Grant::clone(g))).collect(), ..w.clone() };
        prop_assert_eq!(&first, &copy.decide());
        Ok(())
    });
    tally.each_verdict_occurred();
}

/// (d)
#[test]
fn law_3_no_policy_switches_a_point_off() {
    let tally = run("law 3", (texts::text(), world(0.0)), |(text, w), tally| {
        let Ok(file) = parse(&text, "policy.toml") else {
            tally.count("refused text");
            return Ok(());
        };
        tally.count("accepted text");
        let w = World { rules: w.rules.as_ref().map(|r| to_rules(&file, r.kinds.clone())), ..w };
        let verdict = w.decide().verdict;
        tally.verdict(verdict);
        let always = crossings_under_any_policy(&w);
        if !always.is_empty() {
            tally.count(format!("crossing under any policy -> {verdict:?}"));
        }
        prop_assert!(always.is_empty() || verdict != Verdict::Allow, "this text allows {always:?}:\n{text}");
        let crossed = crossings(&w);
        prop_assert!(crossed.is_empty() || verdict != Verdict::Allow, "this text allows {crossed:?}:\n{text}");
        Ok(())
    });
    tally.each_verdict_occurred();
    tally.at_least("accepted text", 1024);
    tally.at_least("refused text", 100);
    tally.at_least("crossing under any policy -> Ask", 400);
}

/// (d), once more for the texts that `policy set` and `init` write.
#[test]
fn what_is_rendered_says_the_same() {
    run("render and parse", world::policy(), |file, _| {
        let text = render(&file);
        match parse(&text, "policy.toml") {
            Ok(back) => prop_assert_eq!(back, file),
            Err(e) => prop_assert!(false, "{}\n{}", e, text),
        }
        Ok(())
    });
}

/// (e)
#[test]
fn law_1_without_a_right_everything_is_denied() {
    let tally = run("deny by default", (world(0.0), 0..10usize), |(w, which), tally| {
        tally.verdict(w.decide().verdict);
        let mut w = w;
        let grants = |w: &World, change: fn(&mut Grant)| {
            let changed = w.grants.iter().map(|g| {
                let mut g = Grant::clone(g);
                change(&mut g);
                Rc::new(g)
            });
            changed.collect::<Vec<_>>()
        };
        match which {
            0 => w.frozen = true,
            1 => w.agent_frozen = true,
            2 => w.agent = None,
            3 => {
                if let Some(a) = &mut w.agent {
                    a.retired_seq = Some(8);
                }
            }
            4 => w.operator_live = false,
            5 => w.integration = None,
            6 => w.rules = None,
            7 => w.grants = Vec::new(),
            // Valid while at < until: at the very moment it is over.
            8 => w.grants = grants(&w, |g| g.until = Some(Time::from_millis(NOW))),
            _ => w.grants = grants(&w, |g| g.revoked_seq = Some(9)),
        }
        let decision = w.decide();
        prop_assert_eq!(decision.verdict, Verdict::Deny, "condition {}: {}", which, decision.reason);
        prop_assert_eq!((decision.approvers, decision.fired.len(), decision.grant), (0, 0, None));
        Ok(())
    });
    tally.each_verdict_occurred();
}

/// A grant that does not cover scope, access or class opens nothing.
#[test]
fn law_1_a_grant_opens_only_what_it_covers() {
    let tally = run("grants cover", world(0.0), |w, tally| {
        let decision = w.decide();
        tally.verdict(decision.verdict);
        let Some(id) = decision.grant else {
            prop_assert_eq!(decision.verdict, Verdict::Deny);
            return Ok(());
        };
        let g = w.grants.iter().find(|g| g.id == id).expect("a decision names one of the grants");
        let action = w.action();
        let access = action.map_or("write", |a| a.access.as_str());
        let declared = w.proposal.access.map_or("read", |a| a.as_str());
        let rank = |word: &str| ["read", "write", "admin"].iter().position(|w| *w == word);
        prop_assert!(rank(g.access.as_str()) >= rank(access).max(rank(declared)));
        let classes = ["public", "internal", "customer", "secret"];
        let class_rank = |word: &str| classes.iter().position(|c| *c == word);
        for needed in [action.and_then(|a| a.data), w.proposal.facets.data].into_iter().flatten() {
            prop_assert!(class_rank(g.data.as_str()) >= class_rank(needed.as_str()));
        }
        prop_assert!(["box:acme/*", "box:acme/app", "*"].contains(&g.scope.as_str()));
        prop_assert!(g.revoked_seq.is_none() && g.until.is_none_or(|u| u.millis() > NOW));
        Ok(())
    });
    tally.each_verdict_occurred();
}

/// As many approvers as policy and law 3 want, for every point and every rule.
#[test]
fn enough_approvers_are_asked_for() {
    let tally = run("approvers", world(0.005), |w, tally| {
        let decision = w.decide();
        tally.verdict(decision.verdict);
        if decision.verdict != Verdict::Ask {
            return Ok(());
        }
        let (Some(rules), Some(i)) = (&w.rules, &w.integration) else {
            return Err(TestCaseError::fail("asked without a policy or an integration"));
        };
        for fired in &decision.fired {
            prop_assert!(decision.approvers >= rules.approvers.get(&fired.point).copied().unwrap_or(1));
            if fired.point == Point::Audit && w.operators >= 2 {
                tally.count("audit with two operators");
                prop_assert!(decision.approvers >= 2);
            }
        }
        for rule in rules.actions.iter().filter(|r| crossings::speaks_of(r, i, &w.proposal.action)) {
            tally.count("a rule of the policy");
            prop_assert!(
                decision.approvers >= rule.approvers.unwrap_or(1),
                "{:?} wants more than {}",
                rule,
                decision.approvers
            );
            prop_assert!(rule.tier.is_none_or(|t| decision.tier >= t));
        }
        Ok(())
    });
    tally.at_least("audit with two operators", 20);
    tally.at_least("a rule of the policy", 100);
}

/// An operator asks only for edits of the audit trail, and is never simply allowed.
#[test]
fn an_audit_edit_always_asks() {
    let edits = (world(0.02), prop::bool::weighted(0.8), prop::bool::weighted(0.8), prop::bool::weighted(0.8));
    let tally = run("audit edits", edits, |(w, right_action, right_resource, right_place), tally| {
        let mut w = w;
        w.proposal.requester = Id::FIRST_OPERATOR;
        w.agent = w.agent.map(|a| {
            let mut operator = world::identity(IdKind::Operator);
            operator.retired_seq = a.retired_seq;
            operator
        });
        if right_action {
            w.proposal.action = AUDIT_EDIT.into();
        }
        if right_resource {
            w.proposal.resource = "entry:42".parse().expect("a scope");
        }
        if right_place {
            w.integration = None;
        }
        let decision = w.decide();
        tally.verdict(decision.verdict);
        let is_one = right_action && right_resource && w.integration.is_none();
        let may = w.rules.is_some() && !w.frozen && w.agent.as_ref().is_some_and(|a| a.retired_seq.is_none());
        prop_assert_eq!(decision.verdict, if is_one && may { Verdict::Ask } else { Verdict::Deny });
        if decision.verdict == Verdict::Ask {
            prop_assert!(w.operators < 2 || decision.approvers >= 2);
        }
        Ok(())
    });
    tally.at_least("ask", 1024);
    tally.at_least("deny", 512);
}

/// (f) What was declared cannot make less of what the parameters say.
#[test]
fn declared_facets_only_raise() {
    let tally = run(
        "declaring only raises",
        (world(0.0), texts::parameters(), world::facets()),
        |(w, parameters, declared), tally| {
            let Some(action) = w.action().cloned() else {
                return Ok(());
            };
            let bound = bind(&action, Some(&parameters));
            let raised = bound.clone().raise(&declared);
            if let Some(m) = bound.amount {
                prop_assert!(raised.amount.is_some_and(|r| r.currency == m.currency && r.minor >= m.minor));
            }
            prop_assert!(
                raised.public >= bound.public && raised.recipients >= bound.recipients && raised.data >= bound.data
            );
            prop_assert!(bound.destination.is_none() || raised.destination == bound.destination);
            prop_assert!(bound.environment.is_none() || raised.environment == bound.environment);
            prop_assert!(raised.unclear.is_superset(&bound.unclear) && raised.unclear.is_superset(&declared.unclear));
            // No path leads to a data class, so only the declaration can say that what is sent is harmless.
            if action.sends && bound.data.is_none() {
                return Ok(());
            }
            let decide = |facets| {
                let mut p = w.proposal.clone();
                p.facets = facets;
                w.decide_on(&p).verdict
            };
            let (before, after) = (decide(bound), decide(raised));
            tally.verdict(before);
            tally.count(format!("{before:?} -> {after:?}"));
            prop_assert!(after <= before, "{before:?} became {after:?} by declaring");
            Ok(())
        },
    );
    tally.each_verdict_occurred();
    tally.at_least("Allow -> Ask", 40);
}

/// (f) Whatever stands in the parameters, and without any.
#[test]
fn hostile_parameters_never_panic_and_never_pass_for_less() {
    let pick = any::<prop::sample::Index>();
    let tally = run("hostile parameters", (pick, texts::hostile()), |(pick, parameters), tally| {
        let all: Vec<_> = REAL.iter().flat_map(|k| &k.action).collect();
        let action = pick.get(&all);
        for parameters in [None, Some(&parameters)] {
            let facets = bind(action, parameters);
            prop_assert_eq!(facets.public, action.public);
            prop_assert!(facets.data >= action.data);
            // A needed facet is read, or its point is unclear, or it is missing and fires in the decision.
            if let (Some(_), Some(p)) = (&action.amount, parameters) {
                tally.count(if facets.amount.is_some() { "amount read" } else { "amount not read" });
                prop_assert!(facets.amount.is_some() || facets.unclear.contains(&Point::Money), "{}", p);
            }
            if let (Some(_), Some(p)) = (&action.recipients, parameters) {
                tally.count(if facets.recipients.is_some() { "recipients read" } else { "recipients not read" });
                prop_assert!(facets.recipients.is_some() || facets.unclear.contains(&Point::Public), "{}", p);
            }
            if let (Some(_), Some(p)) = (&action.environment, parameters) {
                prop_assert!(facets.environment.is_some() || facets.unclear.contains(&Point::Production), "{}", p);
            }
            let _ = facets.clone().raise(&facets);
        }
        Ok(())
    });
    tally.at_least("amount not read", 10);
}

/// What `policy diff` does not mark as wider, or as untellable, opens nothing.
#[test]
fn a_difference_that_only_narrows_never_opens() {
    let worlds = (world(0.0), texts::change(), texts::parameters(), world::facets());
    let tally = run("narrower", worlds, |(w, change, parameters, declared), tally| {
        let Some(old) = w.rules.clone() else { return Ok(()) };
        let mut new = old.clone();
        change.apply(&mut new, &w);
        let lines = diff(&old, &new);
        prop_assert_eq!(lines.is_empty(), old == new, "{:?}", lines);
        let decide = |rules| {
            let mut w = World { rules: Some(rules), ..w.clone() };
            let bound = w.action().map(|a| bind(a, Some(&parameters))).unwrap_or_default();
            w.proposal.facets = bound.raise(&declared);
            w.decide().verdict
        };
        let (before, after) = (decide(old), decide(new));
        let marked = lines.iter().any(|l| l.effect != Effect::Narrower);
        tally.verdict(before);
        tally.count(if marked { "marked" } else { "only narrower" });
        if after > before {
            tally.count("opened");
        }
        prop_assert!(marked || after <= before, "{before:?} became {after:?}, and nothing says wider: {lines:?}");
        Ok(())
    });
    tally.each_verdict_occurred();
    tally.at_least("only narrower", 400);
    tally.at_least("opened", 40);
}
