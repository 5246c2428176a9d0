//! Keys, their rotation, and reviews: what each entry needs beyond an operator's signature.

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::Id;
use aosctl::domain::key::{LeakStep, Place, StepOutcome};
use aosctl::domain::review::{Advice, ItemDecision};
use aosctl::domain::time::Span;
use aosctl::workspace::Trusted;

use crate::judged::Want::{Counts, Fault};
use crate::judged::{Situation, Want, run_all, says};
use crate::world::*;

fn adds(name: &str, want: Want, change: impl Fn(&mut KeyAdded) + 'static) -> Situation {
    says(name, "op-1", want, move |_| {
        let mut b = key_added("k-4");
        change(&mut b);
        b.into()
    })
}

fn schedules(name: &str, want: Want, change: impl Fn(&mut RotationScheduled) + 'static) -> Situation {
    says(name, "op-1", want, move |_| {
        let mut b = schedule("k-1");
        change(&mut b);
        b.into()
    })
}

fn records(name: &str, want: Want, change: impl Fn(&mut RotationRecorded) + 'static) -> Situation {
    says(name, "op-1", want, move |_| {
        let mut b = rotation("k-1");
        change(&mut b);
        b.into()
    })
}

fn steps(name: &str, want: Want, change: impl Fn(&mut KeyStep, &Trusted<'_>) + 'static) -> Situation {
    says(name, "op-1", want, move |f| {
        let mut b = leak_step(f, "k-2");
        change(&mut b, f);
        b.into()
    })
}

fn decides(name: &str, want: Want, change: impl Fn(&mut ReviewDecided) + 'static) -> Situation {
    says(name, "op-1", want, move |_| {
        let mut b = review_decided("rv-202610");
        change(&mut b);
        b.into()
    })
}

fn signs(name: &str, want: Want, change: impl Fn(&mut ReviewSigned) + 'static) -> Situation {
    says(name, "op-1", want, move |_| {
        let mut b = review_signed("rv-202610");
        change(&mut b);
        b.into()
    })
}

#[test]
fn keys_and_rotation() {
    let all = vec![
        adds("an id again", Fault("id_used"), |b| b.key = id("k-1")),
        adds("a retired key's id again", Fault("id_used"), |b| b.key = id("k-3")),
        adds("another kind's id", Fault("id_used"), |b| b.key = id("g-9")),
        adds("a name with a line end", Fault("key_facts"), |b| b.facts.name = "a\nb".into()),
        adds("a name that reads as an id", Fault("key_facts"), |b| b.facts.name = "k-1".into()),
        adds("the whole secret as its end", Fault("key_facts"), |b| b.facts.last4 = Some("sk_live_123456".into())),
        adds("a kind that is none", Fault("key_facts"), |b| b.facts.kind = "API Key".into()),
        adds("an empty reference", Fault("key_facts"), |b| b.facts.place = Place::Reference(String::new())),
        adds("for an integration that there is not", Fault("no_such_integration"), |b| {
            b.facts.integration = Some(id("i-9"));
        }),
        adds("owned by nobody", Fault("no_such_owner"), |b| b.facts.owner = Some(id("op-7"))),
        adds("owned by an agent", Fault("no_such_owner"), |b| b.facts.owner = Some(id("ag-1"))),
        // A report may well name somebody who left: that is what a review is for.
        adds("owned by who retired", Counts, |b| b.facts.owner = Some(id("op-3"))),
        says("change what there is not", "op-1", Fault("no_such_key"), |_| key_changed("k-9").into()),
        says("change what was retired", "op-1", Fault("retired"), |_| key_changed("k-3").into()),
        says("change what leaked", "op-1", Counts, |_| key_changed("k-2").into()),
        says("retire twice", "op-1", Fault("retired"), |_| KeyRetired { key: id("k-3"), reason: None }.into()),
        says("a leak of what leaked", "log", Fault("leaked"), |_| leaked("k-2").into()),
        says("a leak of what was retired", "log", Counts, |_| leaked("k-3").into()),
        says("a leak of nothing", "log", Fault("no_such_key"), |_| leaked("k-9").into()),
        steps("a step", Counts, |_, _| {}),
        steps("a step of no leak", Fault("no_such_leak"), |b, _| b.leak = 1),
        steps("a step of another key's leak", Fault("no_such_leak"), |b, _| b.key = id("k-1")),
        schedules("warned of as early as it is due", Fault("schedule"), |b| b.warn = b.every),
        schedules("never, that is: all the time", Fault("schedule"), |b| b.every = Some(Span::days(0))),
        schedules("without a warning", Counts, |b| b.warn = None),
        schedules("no schedule any more", Counts, |b| (b.every, b.warn, b.owner) = (None, None, None)),
        schedules("done by who retired", Fault("owner_not_live"), |b| b.owner = Some(id("op-3"))),
        schedules("done by an agent", Fault("owner_not_live"), |b| b.owner = Some(id("ag-1"))),
        schedules("of a retired key", Fault("retired"), |b| b.key = id("k-3")),
        records("turned over tomorrow", Fault("rotated"), |b| b.rotated = now().plus(Span::DAY)),
        records("of a retired key", Fault("retired"), |b| b.key = id("k-3")),
        records("with an end that is none", Fault("key_facts"), |b| b.last4 = Some("é".into())),
    ];
    println!("situations, keys: {}", run_all(all));
}

#[test]
fn reviews() {
    let item = |i: &str| ItemDecision {
        item: id(i),
        advice: Advice::Keep,
        decision: Advice::Keep,
        rules: vec![],
        narrower: None,
        carried_out: None,
        self_review: false,
        took_ms: None,
    };
    let all = vec![
        decides("of no month", Fault("no_such_month"), |b| b.review = id("rv-202613")),
        decides("of what is no review", Fault("no_such_month"), |b| b.review = id("g-1")),
        decides("as of tomorrow", Fault("as_of"), |b| b.as_of = now().plus(Span::DAY)),
        decides("of entries to come", Fault("as_of"), |b| b.entries = 1_000_000),
        decides("nothing", Fault("nothing_decided"), |b| b.decisions.clear()),
        decides("about a request", Fault("no_such_item"), move |b| b.decisions = vec![item("r-1")]),
        decides("carried out by what is to come", Fault("carried_out"), |b| {
            b.decisions[0].carried_out = Some(1_000_000);
        }),
        decides("after it was signed", Fault("signed"), |b| b.review = id("rv-202609")),
        signs("twice", Fault("signed"), |b| b.review = id("rv-202609")),
        signs("as of tomorrow", Fault("as_of"), |b| b.as_of = now().plus(Span::DAY)),
        signs("with nothing decided", Counts, |_| {}),
    ];
    println!("situations, reviews: {}", run_all(all));
}

/// What nobody knows of a new secret is unknown, and not what was known of the old one.
#[test]
fn turning_over_forgets_the_old_secret() {
    let stage = crate::judged::stage();
    let w = stage.copy();
    let c = &stage.cast;
    w.must(c, "op-1", now(), |_| RotationRecorded { last4: None, ..rotation("k-1") }.into());
    let ws = w.open();
    let key = ws.facts().key(id("k-1")).unwrap().unwrap();
    assert_eq!((key.facts.last4.as_deref(), key.facts.fingerprint, key.facts.rotated), (None, None, Some(now())));
    assert_eq!(key.turned(), Some(now()));
    assert_eq!(key.facts.name, "CI token");
}

/// A leak is told in an emergency: it is appended by whoever is there, also behind a pin.
#[test]
fn a_leak_only_narrows() {
    assert!(Event::from(leaked("k-1")).narrows());
    let carrying: Event = grant("g-9", "ag-1", "i-1", "*", Access::Read, DataClass::Public).into();
    for event in [carrying, key_added("k-4").into(), rotation("k-1").into()] {
        assert!(!event.narrows(), "{}", event.name());
    }
}

/// Makes a step of the open leak of a key.
pub fn leak_step(f: &Trusted<'_>, key: &str) -> KeyStep {
    KeyStep {
        key: id(key),
        leak: f.key(id(key)).unwrap().unwrap().leak.as_ref().unwrap().seq,
        step: LeakStep::Revoke,
        outcome: StepOutcome::Done,
        note: Some("ticket 12".into()),
        detail: None,
    }
}

pub fn schedule(key: &str) -> RotationScheduled {
    RotationScheduled {
        key: id(key),
        every: Some(Span::days(90)),
        warn: Some(Span::days(14)),
        owner: Some(Id::FIRST_OPERATOR),
        reason: None,
    }
}
