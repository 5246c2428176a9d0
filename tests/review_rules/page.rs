//! The page: order, population, customer data, digests.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::id::Id;
use aosctl::domain::review::Advice;
use aosctl::review::facts::Counted;
use aosctl::review::{annex_digest, page_digest};

use crate::scene::*;

#[test]
fn what_is_decided_first_comes_in_order() {
    let mut s = Scene::new();
    let unused = s.grant(1, |g| g.uses.read = Some(usage(95)));
    let endless = s.grant(2, |g| {
        (g.grant.access, g.grant.until) = (Access::Write, None);
        g.uses.write = Some(usage(1));
    });
    let nobodys = s.grant(3, |g| g.grant.mission = None);
    let renewed = s.grant(4, |g| {
        g.past = vec![past(&g.grant, 9), past(&g.grant, 9_900)];
        g.past[0].until = Some(ago(1));
    });
    let expired = s.key(1, |k| k.key.facts.expires = Some(ago(1)));
    let undone = s.grant(9, |_| {});
    s.decided(undone, Advice::Revoke, None, 18, true);
    let also = s.grant(8, |_| {});
    s.decided(also, Advice::Revoke, None, 18, true);
    let order: Vec<Id> = s.page().first.iter().map(|i| i.id).collect();
    assert_eq!(order, [also, undone, expired, nobodys, renewed, unused, endless]);
}

#[test]
fn closing_speaks_louder_than_looking() {
    let mut s = Scene::new();
    let g = s.grant(1, |g| {
        g.grant.mission = None;
        g.uses.read = Some(usage(95));
    });
    assert_eq!(s.rules(g), ["AR-06", "AR-01"]);
    assert_eq!(s.item(g).command.as_deref(), Some("aosctl revoke g-1"));
}

#[test]
fn the_population_is_counted_twice() {
    let mut s = Scene::new();
    s.grant(1, |_| {});
    s.grant(2, |g| (g.grant.access, g.uses.admin) = (Access::Admin, Some(usage(1))));
    s.grant(3, |g| g.grant.until = Some(ago(1)));
    s.grant(4, |g| g.grant.revoked_seq = Some(77));
    s.key(1, |k| k.key.facts.active = false);
    s.key(2, |k| k.key.retired_seq = Some(78));
    s.s.frozen.insert(BOT);
    s.person(id("ag-2"), Some(OP), None);
    s.s.counted = Some(Counted { grants: 3, keys: 1, agents: 2, operators: 2, integrations: 2 });
    let page = s.page();
    let p = &page.population;
    assert_eq!((p.grants, p.expired, p.writing, p.admin), (2, 1, 1, 1));
    assert_eq!((p.agents, p.operators, p.keys, p.inactive_keys), (2, 2, 1, 1));
    assert_eq!((p.integrations, p.third_parties, p.frozen, p.orphans), (2, 2, 1, 1));
    let grants = p.sources.iter().find(|s| s.name == "grants").unwrap();
    assert_eq!((grants.live, grants.reviewed), (3, 2), "the tables say something else than the log: it shows");
    assert!(p.sources.iter().filter(|s| s.name != "grants").all(|s| s.live == s.reviewed));
    let items = page.first.len() + page.rest.len();
    assert_eq!(page.progress.items, items as u64);
    assert_eq!(items, 3 + 1 + 2 + 2 + 2);
}

#[test]
fn customer_data_and_who_reaches_it() {
    let mut s = Scene::new();
    let g = s.grant(1, |g| g.grant.data = DataClass::Customer);
    s.grant(2, |_| {});
    s.grant(3, |g| (g.grant.data, g.grant.until) = (DataClass::Secret, Some(ago(1))));
    let page = s.page();
    let github = page.customer_data.iter().find(|c| c.integration.id == GITHUB).unwrap();
    assert_eq!(github.reached_by.iter().map(|r| r.grant).collect::<Vec<_>>(), [g]);
    let stripe = page.customer_data.iter().find(|c| c.integration.id == STRIPE).unwrap();
    assert!(stripe.reached_by.is_empty(), "it holds customer data, whoever reaches it");
}

#[test]
fn duty_by_the_policy() {
    let mut s = Scene::new();
    s.s.rules.review.due_day = 7;
    s.s.rules.review.owner = Some(OP2);
    let duty = s.page().duty;
    assert_eq!(duty.due.to_string(), "2026-11-08T00:00:00.000Z", "the seventh is still in time");
    assert_eq!(duty.next_due.to_string(), "2026-12-08T00:00:00.000Z");
    assert_eq!(duty.owner.unwrap().id, OP2);
}

#[test]
fn what_is_not_seen_is_named() {
    let mut s = Scene::new();
    s.s.log.began = ago(20);
    let page = s.page();
    assert_eq!(page.not_seen.first().unwrap().why, "it began 20 days ago: 20 of 90 days are covered");
    assert!(page.not_seen.iter().any(|n| n.what == "what agents do without asking aosctl"));
}

#[test]
fn a_digest_stands_for_the_page_and_not_for_what_comes_later() {
    let mut s = Scene::new();
    s.grant(1, |g| g.grant.mission = None);
    let page = s.page();
    let (digest, annex) = (page_digest(&page), annex_digest(&page));
    let mut later = s.page();
    later.progress.decided = 1;
    later.tool = "aosctl 9.9.9".into();
    assert_eq!(page_digest(&later), digest);
    // A person's name may be erased; nothing else may change.
    s.s.people.get_mut(&OP).unwrap().name = Some("somebody".into());
    assert_eq!(page_digest(&s.page()), digest);
    assert_eq!(annex_digest(&s.page()), annex);
    s.s.grants.values_mut().for_each(|g| g.grant.mission = Some("ship".into()));
    assert_ne!(page_digest(&s.page()), digest);
    assert_ne!(annex_digest(&s.page()), annex);
}
