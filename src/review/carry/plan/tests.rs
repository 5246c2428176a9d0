use super::*;
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::review::ItemDecision;
use crate::review::model::{EntryRange, Finding, LastUse, Severity, Who};

fn t(days: i64) -> Time {
    Time::from_millis(1_700_000_000_000 + days * 86_400_000)
}

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn grant() -> Grant {
    Grant {
        id: id("g-1"),
        agent: id("ag-1"),
        integration: id("i-1"),
        scope: "repo:acme/*".parse().unwrap(),
        access: Access::Write,
        data: DataClass::Customer,
        owner: id("op-1"),
        mission: None,
        until: Some(t(100)),
        issued_seq: 5,
        issued_at: t(0),
        replaces: None,
        carries: None,
        changed_seq: 9,
        revoked_seq: None,
        revoked_at: None,
        revoked_by: None,
    }
}

fn now(g: Grant) -> Now {
    Now::Grant(Rc::new(g))
}

fn item(kind: ItemKind, name: &str) -> Item {
    let g = grant();
    Item {
        id: id(name),
        kind,
        name: None,
        agent: None,
        integration: None,
        scope: Some(g.scope.to_string()),
        access: Some(g.access),
        data: Some(g.data),
        owner: Some(Who { id: g.owner, name: None }),
        mission: None,
        since: g.issued_at,
        until: g.until,
        marks: Vec::new(),
        last_use: LastUse::None,
        entries: EntryRange { first: 5, last: 9 },
        findings: Vec::new(),
        advice: Advice::Keep,
        narrower: None,
        command: None,
        certified: None,
        decided: None,
    }
}

fn to(scope: Option<&str>, access: Option<Access>) -> Narrower {
    Narrower { scope: scope.map(|s| s.parse().unwrap()), access, ..Narrower::default() }
}

fn decided(decision: Advice, narrower: Option<Narrower>) -> Decided {
    let decision = ItemDecision {
        item: id("g-1"),
        advice: decision,
        decision,
        rules: Vec::new(),
        narrower,
        carried_out: None,
        self_review: false,
        took_ms: None,
    };
    Decided { decision, operator: id("op-1"), seq: 20, at: t(10) }
}

#[test]
fn what_happened_since() {
    let page = item(ItemKind::Grant, "g-1");
    assert_eq!(meanwhile(&page, 10, &now(grant()), t(10)), Meanwhile::Same);
    let narrower = Grant { access: Access::Read, until: Some(t(50)), changed_seq: 12, ..grant() };
    assert_eq!(meanwhile(&page, 10, &now(narrower), t(10)), Meanwhile::Same, "narrower is no reason to look again");
    let closed = Grant { revoked_seq: Some(12), ..grant() };
    assert_eq!(meanwhile(&page, 10, &now(closed), t(10)), Meanwhile::Closed { seq: 12, by: None });
    assert_eq!(meanwhile(&page, 10, &now(grant()), t(100)), Meanwhile::Ended(t(100)));
    for wider in [
        Grant { until: Some(t(101)), ..grant() },
        Grant { until: None, ..grant() },
        Grant { scope: "repo:*".parse().unwrap(), ..grant() },
        Grant { access: Access::Admin, ..grant() },
        Grant { data: DataClass::Secret, ..grant() },
    ] {
        assert!(matches!(meanwhile(&page, 10, &now(wider), t(10)), Meanwhile::Graver(_)));
    }
    assert!(matches!(meanwhile(&page, 10, &Now::Nothing, t(10)), Meanwhile::Graver(_)));
}

#[test]
fn what_needs_a_note() {
    let plain = item(ItemKind::Grant, "g-1");
    let grew = Meanwhile::Graver("its end moved".into());
    let closed = Meanwhile::Closed { seq: 12, by: None };
    let replaced = Meanwhile::Closed { seq: 12, by: Some(id("g-9")) };
    assert_eq!(needs_note(&plain, &Meanwhile::Same, Advice::Keep), None);
    assert!(needs_note(&plain, &Meanwhile::Same, Advice::Revoke).is_some(), "keep is advised");
    assert!(needs_note(&plain, &grew, Advice::Keep).is_some());
    assert_eq!(needs_note(&plain, &closed, Advice::Revoke), None, "the log says why");
    assert!(needs_note(&plain, &replaced, Advice::Keep).is_some());
    let finding = Finding {
        rule: Rule::NoFeed,
        severity: Severity::Low,
        fact: String::new(),
        window_days: None,
        covered_days: None,
        entries: EntryRange { first: 5, last: 9 },
        advice: Advice::Keep,
        narrower: None,
        command: None,
    };
    let unknown = Item { findings: vec![finding], ..plain };
    assert!(needs_note(&unknown, &Meanwhile::Same, Advice::Keep).is_some(), "even where that is advised");
}

#[test]
fn what_can_be_decided() {
    use Advice::*;
    let all = [Keep, Narrow, Revoke, Rotate, Investigate];
    let narrow = Some(to(None, Some(Access::Read)));
    for (kind, name, can) in [
        (ItemKind::Grant, "g-1", vec![Keep, Narrow, Revoke, Investigate]),
        (ItemKind::Key, "k-1", vec![Keep, Revoke, Rotate, Investigate]),
        (ItemKind::Agent, "ag-1", vec![Keep, Revoke, Investigate]),
        (ItemKind::Operator, "op-1", vec![Keep, Revoke, Investigate]),
        (ItemKind::Integration, "i-1", vec![Keep, Investigate]),
    ] {
        let it = Item { narrower: narrow.clone(), ..item(kind, name) };
        let found: Vec<Advice> = all.into_iter().filter(|d| possible(&it, *d, false).is_ok()).collect();
        assert_eq!(found, can, "{kind:?}");
    }
    assert!(possible(&item(ItemKind::Grant, "g-1"), Narrow, false).is_err(), "nothing narrower is known");
    assert!(possible(&item(ItemKind::Operator, "op-1"), Revoke, true).is_err(), "the last one");
}

#[test]
fn narrowing_goes_only_as_far_as_is_left() {
    let step_of = |g: Grant, n: &Narrower| step(g.id, Advice::Narrow, Some(n), &now(g), id("op-1"), "why");
    let both = to(Some("repo:acme/app"), Some(Access::Read));
    let Step::Append(event) = step_of(grant(), &both) else { panic!("nothing to append") };
    let Event::GrantNarrowed(b) = *event else { panic!("another event") };
    assert_eq!((b.scope, b.access, b.data, b.until), (both.scope.clone(), both.access, None, None));
    // Somebody was quicker with one half.
    let half = Grant { scope: "repo:acme/app".parse().unwrap(), ..grant() };
    let Step::Append(event) = step_of(half, &both) else { panic!("nothing to append") };
    let Event::GrantNarrowed(b) = *event else { panic!("another event") };
    assert_eq!((b.scope, b.access), (None, Some(Access::Read)));
    let already = Grant { scope: "repo:acme/app".parse().unwrap(), access: Access::Read, ..grant() };
    assert_eq!(step_of(already, &both), Step::Already(9));
    let beside = Grant { scope: "repo:acme/other".parse().unwrap(), ..grant() };
    assert_eq!(
        step_of(beside, &both),
        Step::Open("aosctl grant narrow g-1 --scope repo:acme/app --access read".into()),
        "neither lies in the other"
    );
}

#[test]
fn nobody_retires_themselves_and_keys_are_left_to_their_provider() {
    let key = |decision| step(id("k-1"), decision, None, &Now::Nothing, id("op-1"), "");
    assert!(matches!(key(Advice::Revoke), Step::Open(what) if what.contains("aosctl key retire k-1")));
    assert!(matches!(key(Advice::Rotate), Step::Open(what) if what.contains("aosctl rotation record k-1")));
    assert_eq!(key(Advice::Keep), Step::Nothing);
    let me = Identity {
        id: id("op-1"),
        public_key: [0; 32],
        key_seq: 0,
        operator: None,
        handle: None,
        enrolled_seq: 0,
        enrolled_at: t(0),
        retired_seq: None,
        retired_at: None,
        disputed_from: None,
    };
    let revoke = |by: &str| step(id("op-1"), Advice::Revoke, None, &Now::Identity(Rc::new(me.clone())), id(by), "");
    assert!(matches!(revoke("op-1"), Step::Open(_)));
    assert!(matches!(revoke("op-2"), Step::Append(_)));
    let gone = Identity { retired_seq: Some(7), ..me.clone() };
    assert_eq!(step(id("op-1"), Advice::Revoke, None, &Now::Identity(Rc::new(gone)), id("op-1"), ""), Step::Already(7));
}

#[test]
fn what_is_read_again() {
    let revoke = decided(Advice::Revoke, None);
    assert_eq!(remedy(&revoke, &now(grant()), t(20)), (Remedy::Open, None));
    assert_eq!(
        remedy(&revoke, &now(Grant { revoked_seq: Some(19), ..grant() }), t(20)),
        (Remedy::CarriedOut, Some(19))
    );
    assert_eq!(remedy(&revoke, &now(grant()), t(100)), (Remedy::CarriedOut, None), "over by itself");
    let narrow = decided(Advice::Narrow, Some(to(None, Some(Access::Read))));
    assert_eq!(remedy(&narrow, &now(grant()), t(20)), (Remedy::Open, None));
    let narrowed = Grant { access: Access::Read, changed_seq: 19, ..grant() };
    assert_eq!(remedy(&narrow, &now(narrowed), t(20)), (Remedy::CarriedOut, Some(19)));
    assert_eq!(remedy(&decided(Advice::Keep, None), &now(grant()), t(20)), (Remedy::Nothing, None));
    assert_eq!(remedy(&decided(Advice::Investigate, None), &Now::Nothing, t(20)), (Remedy::Nothing, None));
    assert_eq!(remedy(&revoke, &Now::Nothing, t(20)), (Remedy::Open, None), "unknown is never fine");
}
