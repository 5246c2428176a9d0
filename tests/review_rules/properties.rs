//! What holds of any snapshot.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::review::Advice;
use aosctl::review::facts::{GrantState, Use, Uses};
use aosctl::review::model::{Item, Review, Rule, Severity};
use aosctl::review::{annex_digest, page_digest};
use proptest::prelude::*;

use crate::scene::*;

/// A grant, drawn.
#[derive(Debug, Clone)]
struct Drawn {
    agent: u64,
    scope: &'static str,
    access: Access,
    data: DataClass,
    issued: u32,
    until: Option<i64>,
    mission: bool,
    uses: [Option<u32>; 3],
    things: Vec<&'static str>,
    bounded: bool,
    decided: Option<Advice>,
}

const SCOPES: [&str; 6] = ["*", "org:acme", "repo:acme", "repo:acme/*", "repo:acme/app", "repo:acme/web"];
const THINGS: [&str; 4] = ["repo:acme/app", "repo:acme/app/pulls", "repo:acme/web", "org:acme"];

fn drawn() -> impl Strategy<Value = Drawn> {
    let access = prop::sample::select(vec![Access::Read, Access::Write, Access::Admin]);
    let data = prop::sample::select(vec![DataClass::Public, DataClass::Internal, DataClass::Customer]);
    let advice = [Advice::Keep, Advice::Narrow, Advice::Revoke, Advice::Investigate];
    (
        1..4u64,
        prop::sample::select(SCOPES.to_vec()),
        access,
        data,
        0..300u32,
        prop::option::of(-30..200i64),
        any::<bool>(),
        prop::array::uniform3(prop::option::of(0..200u32)),
        prop::collection::vec(prop::sample::select(THINGS.to_vec()), 0..4),
        prop::bool::weighted(0.1),
        prop::option::of(prop::sample::select(advice.to_vec())),
    )
        .prop_map(|(agent, scope, access, data, issued, until, mission, uses, things, bounded, decided)| Drawn {
            agent,
            scope,
            access,
            data,
            issued,
            until,
            mission,
            // Nothing is used before it is issued.
            uses: uses.map(|u| u.map(|d| d.min(issued))),
            things,
            bounded,
            decided,
        })
}

/// A company: how long its log is, since when each of its three agents records, and its grants.
fn company() -> impl Strategy<Value = (u32, [Option<u32>; 3], Vec<Drawn>)> {
    (0..300u32, prop::array::uniform3(prop::option::of(0..300u32)), prop::collection::vec(drawn(), 1..7))
}

fn build(began: u32, feeds: &[Option<u32>; 3], grants: &[Drawn]) -> Scene {
    let mut s = Scene::new();
    s.s.log.began = ago(began);
    s.s.people.values_mut().for_each(|p| p.identity.enrolled_at = ago(began));
    s.s.integrations.values_mut().for_each(|i| i.added_at = ago(began));
    for (n, feed) in (1..).zip(feeds) {
        let agent = Id::new(IdKind::Agent, n);
        if n > 1 {
            s.person(agent, Some(OP), None);
        }
        // Whoever used something recorded it then at the latest.
        let used = grants.iter().filter(|g| g.agent == n).flat_map(|g| g.uses.iter().flatten().copied()).max();
        let first = feed.iter().copied().chain(used).max().map(|d| ago(d.min(began)));
        let p = s.s.people.get_mut(&agent).unwrap();
        p.identity.enrolled_at = ago(began);
        (p.first_request, p.last_request) = (first, first.map(|t| (5_000, t)));
    }
    for (n, d) in (1..).zip(grants) {
        let g = s.grant(n, |g| edit(g, d, began));
        if let Some(advice) = d.decided {
            s.decided(g, advice, None, 18, true);
        }
    }
    s
}

fn edit(g: &mut GrantState, d: &Drawn, began: u32) {
    let at = |days: u32| usage(days.min(began));
    g.grant.agent = Id::new(IdKind::Agent, d.agent);
    g.grant.scope = d.scope.parse().unwrap();
    (g.grant.access, g.grant.data) = (d.access, d.data);
    g.grant.issued_at = ago(d.issued.min(began));
    g.grant.until = d.until.map(|days| {
        let days_ahead = u32::try_from(days.max(0)).unwrap();
        if days < 0 { ago(u32::try_from(-days).unwrap()) } else { ahead(days_ahead) }
    });
    g.grant.mission = d.mission.then(|| "ship".into());
    let [read, write, admin] = d.uses;
    g.uses = Uses { read: read.map(at), write: write.map(at), admin: admin.map(at), resources: on(&d.things) };
    g.uses.resources.as_mut().unwrap().bounded = d.bounded;
}

fn items(page: &Review) -> impl Iterator<Item = &Item> {
    page.first.iter().chain(&page.rest)
}

fn gravest(item: &Item) -> Option<Severity> {
    item.findings.iter().map(|f| f.severity).max()
}

/// Every number of days in a text.
fn days_in(text: &str) -> Vec<u32> {
    let words: Vec<&str> = text.split([' ', ',', ';', ':']).collect();
    let pairs = words.windows(2).filter(|w| w[1] == "days" || w[1] == "day");
    pairs.filter_map(|w| w[0].parse().ok()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_rule_says_more_days_than_are_covered((began, feeds, grants) in company()) {
        let s = build(began, &feeds, &grants);
        for item in items(&s.page()) {
            let since_issue = u32::try_from(as_of().since(item.since).millis() / 86_400_000).unwrap();
            for f in &item.findings {
                prop_assert!(f.covered_days <= f.window_days, "{f:?}");
                // AR-13 speaks of what operators signed, which the log always covers.
                let (Some(window), Some(covered)) = (f.window_days, f.covered_days) else { continue };
                if covered < window {
                    let at_once = f.rule == Rule::Wider && f.advice == Advice::Investigate;
                    prop_assert!(f.severity == Severity::Watch || f.severity == Severity::Low || at_once, "{f:?}");
                    prop_assert!(f.narrower.is_none(), "{f:?}");
                    let said = f.fact.contains(&format!("{covered} of {window} days"));
                    let unused = f.rule == Rule::Unused;
                    prop_assert!(said || unused || covered == 0 || f.severity == Severity::Low, "{f:?}");
                }
                for said in days_in(&f.fact) {
                    let named = said == window || said == covered;
                    prop_assert!(named || said <= since_issue.min(began), "{said} days: {f:?}");
                }
            }
        }
    }

    #[test]
    fn another_use_never_makes_an_item_worse(
        (began, feeds, grants) in company(),
        which in any::<prop::sample::Index>(),
        access in 0..3usize,
        days in 0..60u32,
    ) {
        let n = which.index(grants.len());
        let before = build(began, &feeds, &grants);
        let id = Id::new(IdKind::Grant, n as u64 + 1);
        let state = &before.s.grants[&id];
        let power = [Access::Read, Access::Write, Access::Admin];
        // A use that is seen: not before the feed of its agent begins, and not of more than the grant gives.
        let begin = before.s.people[&state.grant.agent].first_request;
        let at = ago(days.min(began));
        prop_assume!(power[access] <= state.grant.access);
        prop_assume!(begin.is_some_and(|b| b <= at) && state.grant.issued_at <= at);
        let mut after = build(began, &feeds, &grants);
        let uses = &mut after.s.grants.get_mut(&id).unwrap().uses;
        let slot: &mut Option<Use> = [&mut uses.read, &mut uses.write, &mut uses.admin].into_iter().nth(access).unwrap();
        if slot.as_ref().is_none_or(|u| u.at < at) {
            *slot = Some(used_at(at));
        }
        prop_assert!(gravest(&after.item(id)) <= gravest(&before.item(id)), "{:?}\n{:?}", before.item(id), after.item(id));
    }

    #[test]
    fn the_same_snapshot_gives_the_same_page((began, feeds, grants) in company()) {
        let (a, b) = (build(began, &feeds, &grants).page(), build(began, &feeds, &grants).page());
        prop_assert_eq!(serde_json::to_vec(&a).unwrap(), serde_json::to_vec(&b).unwrap());
        prop_assert_eq!((page_digest(&a), annex_digest(&a)), (page_digest(&b), annex_digest(&b)));
    }

    /// Which order things are told in changes nothing: the maps are in the order of the ids, and nothing else is.
    #[test]
    fn the_order_of_decisions_and_things_does_not_matter((began, feeds, grants) in company()) {
        let (a, mut b) = (build(began, &feeds, &grants), build(began, &feeds, &grants));
        for all in b.s.earlier.values_mut() {
            all.reverse();
        }
        b.s.grants = b.s.grants.into_iter().rev().collect();
        prop_assert_eq!(page_digest(&a.page()), page_digest(&b.page()));
    }

    #[test]
    fn the_page_holds_together((began, feeds, grants) in company()) {
        let page = build(began, &feeds, &grants).page();
        for item in items(&page) {
            let first = page.first.iter().any(|i| i.id == item.id);
            prop_assert_eq!(first, gravest(item) >= Some(Severity::Medium));
            // Never kept where nobody sees whether it is used.
            let blind = item.findings.iter().any(|f| f.rule == Rule::NoFeed);
            prop_assert!(!blind || item.advice != Advice::Keep);
            prop_assert_eq!(item.narrower.is_some(), item.advice == Advice::Narrow);
            prop_assert_eq!(item.command.is_some(), item.advice != Advice::Keep);
            // What is advised is inside what there is.
            if let Some(scope) = item.narrower.as_ref().and_then(|n| n.scope.as_ref()) {
                let present = item.scope.as_deref().unwrap().parse::<aosctl::domain::scope::Scope>().unwrap();
                prop_assert!(present.covers(scope) && present != *scope, "{item:?}");
            }
            if let Some(access) = item.narrower.as_ref().and_then(|n| n.access) {
                prop_assert!(Some(access) < item.access, "{item:?}");
            }
        }
        let mut ids: Vec<Id> = items(&page).map(|i| i.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len() as u64, page.progress.items, "nothing is there twice, nothing is missing");
        // What was not carried out comes before everything else.
        let undone: Vec<bool> =
            page.first.iter().map(|i| i.findings.iter().any(|f| f.rule == Rule::NotCarriedOut)).collect();
        prop_assert!(undone.windows(2).all(|w| w[0] >= w[1]));
    }

    /// A narrower scope that is advised covers everything that was used.
    #[test]
    fn a_narrower_scope_breaks_no_work((began, feeds, grants) in company()) {
        let s = build(began, &feeds, &grants);
        for (id, state) in &s.s.grants {
            let item = s.item(*id);
            let wide = item.findings.iter().find(|f| f.rule == Rule::Wider).and_then(|f| f.narrower.as_ref()?.scope.clone());
            let Some(to) = wide else { continue };
            let used = &state.uses.resources.as_ref().unwrap().used;
            prop_assert!(used.keys().filter(|r| state.grant.scope.covers(r)).all(|r| to.covers(r)), "{to}: {used:?}");
        }
    }
}
