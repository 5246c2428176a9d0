//! AR-06, AR-10 of grants, AR-11 of grants, AR-13, AR-15, AR-16.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::key::{Leak, LeakStep, StepOutcome, StepTaken};
use aosctl::domain::review::{Advice, Narrower};
use aosctl::review::facts::{Adoption, GrantState, Uses};
use aosctl::review::model::{Rule, Severity};

use crate::scene::*;

#[test]
fn ar_06_the_owner_is_gone() {
    let mut s = Scene::new();
    let (g, mine) = (s.grant(1, |g| g.grant.owner = OP2), s.grant(2, |_| {}));
    let (k, none) = (s.key(1, |k| k.key.facts.owner = Some(OP2)), s.key(2, |k| k.key.facts.owner = None));
    assert_eq!(s.rules(g), Vec::<&str>::new());
    let seq = s.retire(OP2, 3);
    let f = s.says(g, "AR-06").unwrap();
    assert_eq!((f.fact.as_str(), f.severity), ("its owner op-2 was retired", Severity::High));
    assert_eq!((f.advice, f.command.as_deref()), (Advice::Investigate, Some("aosctl grant show g-1")));
    assert_eq!(f.entries.last, seq);
    assert_eq!(s.says(k, "AR-06").unwrap().fact, "its owner op-2 was retired, and may still know it");
    assert_eq!(s.says(none, "AR-06").unwrap().fact, "nobody answers for it: it has no owner");
    assert_eq!(s.says(mine, "AR-06"), None);
    assert_eq!(s.page().population.orphans, 3);
}

#[test]
fn ar_06_the_operator_of_an_agent_is_gone() {
    let mut s = Scene::new();
    let theirs = id("ag-2");
    s.person(theirs, Some(OP2), Some(ago(400)));
    let g = s.grant(1, |g| g.grant.agent = theirs);
    assert_eq!(s.says(theirs, "AR-06"), None);
    s.retire(OP2, 3);
    let f = s.says(theirs, "AR-06").unwrap();
    assert_eq!(f.command.as_deref(), Some("aosctl agent retire ag-2"));
    let f = s.says(g, "AR-06").unwrap();
    assert_eq!(f.fact, "ag-2 cannot use it any more: its operator op-2 was retired");
    assert_eq!(f.command.as_deref(), Some("aosctl revoke g-1"));
    // And the agent itself.
    s.retire(theirs, 2);
    assert_eq!(s.says(g, "AR-06").unwrap().fact, "ag-2 cannot use it any more: it was retired");
}

#[test]
fn ar_06_no_mission() {
    let mut s = Scene::new();
    let (none, blank) = (s.grant(1, |g| g.grant.mission = None), s.grant(2, |g| g.grant.mission = Some(" ".into())));
    for g in [none, blank] {
        assert_eq!(s.says(g, "AR-06").unwrap().fact, "no mission says what it is for");
    }
}

#[test]
fn ar_10_a_grant_ends_by_itself_unless_something_was_begun_on_it() {
    let mut s = Scene::new();
    let over = |unfinished| {
        move |g: &mut GrantState| {
            g.grant.until = Some(ago(2));
            let mut u = usage(3);
            u.unfinished = unfinished;
            g.uses = Uses { write: Some(u), ..Uses::default() };
        }
    };
    let (open, ended) = (s.grant(1, over(true)), s.grant(2, over(false)));
    let f = s.says(open, "AR-10").unwrap();
    assert_eq!(f.fact, "ended on 2026-10-30, and r-1 was begun on it and never reported as over");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Medium, Some("aosctl request show r-1")));
    // It is there, with its mark, and nothing else is said about it.
    assert_eq!(s.rules(ended), Vec::<&str>::new());
    assert_eq!(s.item(ended).marks, ["expired"]);
    let population = s.page().population;
    assert_eq!((population.grants, population.expired), (0, 2));
}

#[test]
fn ar_11_the_narrower_of_two_can_go() {
    let wide = |g: &mut GrantState| {
        g.grant.scope = "repo:acme/*".parse().unwrap();
        g.grant.access = Access::Write;
        g.uses =
            Uses { write: Some(usage(1)), resources: on(&["repo:acme/app-2", "repo:acme/web"]), ..Uses::default() };
    };
    let mut s = Scene::new();
    let (a, b) = (s.grant(1, wide), s.grant(2, |_| {}));
    let f = s.says(b, "AR-11").unwrap();
    assert_eq!(f.fact, "g-1 (write repo:acme/*) opens all of it already");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Medium, Some("aosctl revoke g-2")));
    assert_eq!(s.says(a, "AR-11"), None);
    // Where only the narrower one works, the wider one can go.
    let mut s = Scene::new();
    let (a, b) = (
        s.grant(1, |g| {
            wide(g);
            g.uses = Uses::default();
        }),
        s.grant(2, |_| {}),
    );
    assert_eq!(s.says(a, "AR-11").unwrap().fact, "g-2 (read repo:acme/app-2) is inside it and does the work");
    assert_eq!(s.says(b, "AR-11"), None);
}

#[test]
fn ar_11_of_two_that_are_the_same_the_one_that_ends_later_stays() {
    let same = |until| {
        move |g: &mut GrantState| {
            g.grant.scope = "repo:acme/app".parse().unwrap();
            g.grant.until = until;
        }
    };
    let mut s = Scene::new();
    let (a, b) = (s.grant(1, same(Some(ahead(5)))), s.grant(2, same(Some(ahead(6)))));
    assert_eq!(s.says(a, "AR-11").unwrap().fact, "g-2 is the same door; closing one of them leaves the other open");
    assert_eq!(s.says(b, "AR-11"), None);
    let mut s = Scene::new();
    let (a, b) = (s.grant(1, same(Some(ahead(5)))), s.grant(2, same(Some(ahead(5)))));
    assert_eq!((s.says(a, "AR-11").is_some(), s.says(b, "AR-11").is_some()), (false, true), "the older one stays");
}

#[test]
fn ar_11_not_where_they_differ() {
    let mut s = Scene::new();
    let k = s.key(1, |_| {});
    let door = |g: &mut GrantState| g.grant.scope = "repo:acme/app".parse().unwrap();
    let all = [
        s.grant(1, door),
        // More access, but less data.
        s.grant(2, |g| {
            door(g);
            (g.grant.access, g.grant.data) = (Access::Write, DataClass::Public);
            g.uses.write = Some(usage(1));
        }),
        // It carries a key.
        s.grant(3, |g| {
            door(g);
            (g.grant.carries, g.grant.data) = (carries(k), DataClass::Public);
        }),
    ];
    let other = id("ag-2");
    s.person(other, Some(OP), Some(ago(400)));
    let theirs = s.grant(4, |g| {
        door(g);
        g.grant.agent = other;
    });
    for g in all.into_iter().chain([theirs]) {
        assert_eq!(s.says(g, "AR-11"), None, "{g}");
    }
}

#[test]
fn ar_13_every_35_days_where_reviews_are_monthly() {
    for (monthly, days, fires) in [(true, 34, false), (true, 35, true), (false, 89, false), (false, 90, true)] {
        let mut s = Scene::new();
        s.s.monthly = monthly;
        let g = s.grant(1, |_| {});
        s.s.earlier.remove(&g);
        s.decided(g, Advice::Keep, None, days, true);
        assert_eq!(s.says(g, "AR-13").is_some(), fires, "{monthly} {days}");
    }
    // A decision that nobody signed for certifies nothing, and neither does none.
    let mut s = Scene::new();
    let g = s.grant(1, |_| {});
    s.s.earlier.remove(&g);
    let f = s.says(g, "AR-13").unwrap();
    assert_eq!(f.fact, "no signed review decided about it in the 200 days since 2026-04-15");
    assert_eq!((f.severity, f.advice), (Severity::Low, Advice::Keep));
    s.decided(g, Advice::Keep, None, 10, false);
    assert!(s.says(g, "AR-13").is_some());
    assert_eq!(s.item(g).certified.unwrap().at, ago(10));
    assert!(s.page().rest.iter().any(|i| i.id == g), "this review certifies it");
    // What is new was an operator's signature.
    let new = s.grant(2, |g| g.grant.issued_at = ago(34));
    s.s.earlier.remove(&new);
    assert_eq!(s.says(new, "AR-13"), None);
}

#[test]
fn ar_15_what_was_decided_and_not_done_is_on_top() {
    let mut s = Scene::new();
    let (g, other) = (s.grant(1, |_| {}), s.grant(2, |g| g.grant.mission = None));
    let seq = s.decided(g, Advice::Revoke, None, 18, false);
    let f = s.says(g, "AR-15").unwrap();
    assert_eq!(f.fact, "the review of 2026-09 decided on 2026-10-14 to revoke it, and that was not carried out");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Critical, Some("aosctl revoke g-1")));
    assert_eq!(f.entries.first, seq);
    let page = s.page();
    assert_eq!(page.first.iter().map(|i| i.id).collect::<Vec<_>>(), [g, other]);
    // Carried out; over by itself; taken back by a later one; not taken back by looking.
    s.s.grants.get_mut(&g).unwrap().grant.until = Some(ago(1));
    assert_eq!(s.says(g, "AR-15"), None);
    s.s.grants.get_mut(&g).unwrap().grant.until = Some(ahead(1));
    s.decided(g, Advice::Investigate, None, 10, true);
    assert!(s.says(g, "AR-15").is_some());
    s.decided(g, Advice::Keep, None, 9, true);
    assert_eq!(s.says(g, "AR-15"), None);
}

#[test]
fn ar_15_a_narrowing_is_done_when_the_grant_is_no_wider() {
    let to =
        Narrower { access: Some(Access::Read), scope: Some("repo:acme/app".parse().unwrap()), ..Narrower::default() };
    let mut s = Scene::new();
    let g = s.grant(1, |g| {
        g.grant.access = Access::Write;
        g.grant.scope = "repo:acme/*".parse().unwrap();
        g.uses = Uses { write: Some(usage(1)), resources: on(&["repo:acme/a", "repo:acme/b"]), ..Uses::default() };
    });
    s.decided(g, Advice::Narrow, Some(to.clone()), 18, true);
    let f = s.says(g, "AR-15").unwrap();
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-1 --scope repo:acme/app --access read"));
    assert_eq!(f.narrower, Some(to));
    let grant = &mut s.s.grants.get_mut(&g).unwrap().grant;
    grant.access = Access::Read;
    assert!(s.says(g, "AR-15").is_some(), "half of it is not done");
    s.s.grants.get_mut(&g).unwrap().grant.scope = "repo:acme/app/pulls".parse().unwrap();
    assert_eq!(s.says(g, "AR-15"), None);
}

#[test]
fn ar_15_keys_agents_and_integrations() {
    let mut s = Scene::new();
    let k = s.key(1, |k| k.key.facts.rotated = Some(ago(40)));
    let seq = s.decided(k, Advice::Rotate, None, 18, true);
    assert_eq!(s.says(k, "AR-15").unwrap().command.as_deref(), Some("aosctl rotation record k-1"));
    s.s.keys.get_mut(&k).unwrap().key.recorded_seq = Some(seq + 1);
    assert!(s.says(k, "AR-15").is_some(), "recorded since, and turned over long before");
    s.s.keys.get_mut(&k).unwrap().key.facts.rotated = Some(ago(19));
    assert!(s.says(k, "AR-15").is_some(), "the day before");
    s.s.keys.get_mut(&k).unwrap().key.facts.rotated = Some(ago(18));
    assert_eq!(s.says(k, "AR-15"), None);
    s.s.keys.get_mut(&k).unwrap().key.recorded_seq = Some(seq - 1);
    assert!(s.says(k, "AR-15").is_some(), "turned over before it was decided");
    s.s.keys.get_mut(&k).unwrap().key.facts.rotated = Some(ago(17));
    assert_eq!(s.says(k, "AR-15"), None, "an import saw it");

    // What leaked: the line that every page has, until it is turned over or the leak is closed.
    let taken = |step| StepTaken { step, outcome: StepOutcome::Done, seq: 9_100, at: ago(4) };
    for advice in [Advice::Rotate, Advice::Revoke] {
        let k = s.key(7, |k| {
            k.key.leak = Some(Leak { seq: 9_050, at: ago(5), steps: Vec::new() });
            k.key.facts.rotated = Some(ago(40));
        });
        s.decided(k, advice, None, 18, true);
        assert_eq!(s.says(k, "AR-15").unwrap().command.as_deref(), Some("aosctl key leaked k-7"));
        s.s.keys.get_mut(&k).unwrap().key.recorded_seq = Some(9_060);
        assert_eq!(s.says(k, "AR-15"), None, "turned over since it leaked");
        let key = &mut s.s.keys.get_mut(&k).unwrap().key;
        key.recorded_seq = None;
        key.leak.as_mut().unwrap().steps.extend(LeakStep::ALL.map(taken));
        assert_eq!(s.says(k, "AR-15"), None, "the leak is closed");
        s.s.keys.remove(&k);
        s.s.earlier.remove(&k);
    }
    // Decided by a page that is older than the rotation: done where the decision was about the leak, and else not.
    let k = s.key(8, |k| {
        k.key.leak = Some(Leak { seq: 7_000, at: ago(30), steps: Vec::new() });
        k.key.recorded_seq = Some(7_010);
        k.key.facts.rotated = Some(ago(29));
    });
    s.decided(k, Advice::Rotate, None, 18, true);
    assert!(s.says(k, "AR-15").is_some(), "it was only old");
    s.s.earlier.get_mut(&k).unwrap().last_mut().unwrap().decided.decision.rules = vec!["AR-10".into()];
    assert_eq!(s.says(k, "AR-15"), None);

    let other = id("ag-2");
    s.person(other, Some(OP), Some(ago(400)));
    s.decided(other, Advice::Revoke, None, 18, true);
    assert_eq!(s.says(other, "AR-15").unwrap().command.as_deref(), Some("aosctl agent retire ag-2"));

    s.grant(1, |_| {});
    s.decided(GITHUB, Advice::Revoke, None, 18, true);
    assert_eq!(s.says(GITHUB, "AR-15").unwrap().command.as_deref(), Some("aosctl integration show i-1"));
    s.s.grants.clear();
    assert_eq!(s.says(GITHUB, "AR-15"), None);
}

/// A grant that was issued since the last review in the place of a narrower one.
fn replaced(s: &mut Scene, days: u32, edit: impl FnOnce(&mut GrantState)) -> aosctl::domain::id::Id {
    let old = s.grant(1, |g| {
        g.grant.scope = "repo:acme/app".parse().unwrap();
        g.grant.revoked_seq = Some(9_400);
    });
    s.grant(2, |g| {
        g.grant.scope = "repo:acme/app".parse().unwrap();
        g.grant.replaces = Some(old);
        g.grant.issued_seq = 9_399;
        g.grant.issued_at = ago(days);
        g.grant.changed_seq = 9_399;
        edit(g);
    })
}

#[test]
fn ar_16_more_access_that_is_not_used_goes_back() {
    let mut s = Scene::new();
    let g = replaced(&mut s, 14, |g| g.grant.access = Access::Write);
    let f = s.says(g, "AR-16").unwrap();
    assert_eq!(f.fact, "wider since the last review than g-1: write instead of read");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::High, Some("aosctl grant narrow g-2 --access read")));
    assert_eq!(s.page().since.widened, [g]);
    // No review was signed yet.
    s.s.since.signed = None;
    let began = s.s.since.from.timestamp().strftime("%Y-%m-%d").to_string();
    let fact = format!("wider since the log began on {began} than g-1: write instead of read");
    assert_eq!(s.says(g, "AR-16").unwrap().fact, fact);
    // Too early to say, and used.
    let mut s = Scene::new();
    let g = replaced(&mut s, 13, |g| g.grant.access = Access::Write);
    assert_eq!(s.says(g, "AR-16").unwrap().advice, Advice::Investigate);
    let mut s = Scene::new();
    let g = replaced(&mut s, 20, |g| {
        g.grant.access = Access::Write;
        g.uses.write = Some(usage(2));
    });
    let f = s.says(g, "AR-16").unwrap();
    assert_eq!((f.severity, f.advice), (Severity::High, Advice::Keep));
    assert_eq!(s.page().first.first().map(|i| (i.id, i.advice)), Some((g, Advice::Keep)));
}

#[test]
fn ar_16_a_wider_scope_more_data_or_a_key() {
    let mut s = Scene::new();
    let g = replaced(&mut s, 20, |g| {
        g.grant.scope = "repo:acme/*".parse().unwrap();
        g.uses.resources = on(&["repo:acme/app"]);
    });
    let f = s.says(g, "AR-16").unwrap();
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-2 --scope repo:acme/app"));
    let mut s = Scene::new();
    let g = replaced(&mut s, 20, |g| {
        g.grant.scope = "repo:acme/*".parse().unwrap();
        g.uses.resources = on(&["repo:acme/app", "repo:acme/web"]);
    });
    assert_eq!(s.says(g, "AR-16").unwrap().advice, Advice::Keep, "the wider part is used");
    let mut s = Scene::new();
    let k = s.key(5, |_| {});
    let g = replaced(&mut s, 20, |g| {
        g.grant.data = DataClass::Customer;
        g.grant.carries = carries(k);
    });
    let f = s.says(g, "AR-16").unwrap();
    assert_eq!(f.fact, "wider since the last review than g-1: data up to customer instead of internal, it carries k-5");
    assert_eq!(f.advice, Advice::Investigate, "nobody sees which data and which key were needed");
}

#[test]
fn ar_16_not_before_the_last_review_and_not_where_nothing_grew() {
    let mut s = Scene::new();
    let g = replaced(&mut s, 40, |g| {
        g.grant.access = Access::Write;
        g.grant.issued_seq = 8_999;
    });
    assert_eq!(s.says(g, "AR-16"), None);
    let mut s = Scene::new();
    let g = replaced(&mut s, 20, |g| g.grant.data = DataClass::Public);
    assert_eq!(s.says(g, "AR-16"), None);
    assert_eq!(s.page().since.granted, [g]);
}

#[test]
fn ar_16_a_wider_one_beside_an_older_one() {
    let mut s = Scene::new();
    s.grant(1, |g| g.grant.scope = "repo:acme/app".parse().unwrap());
    let new = |scope: &'static str| {
        move |g: &mut GrantState| {
            g.grant.scope = scope.parse().unwrap();
            (g.grant.issued_seq, g.grant.issued_at, g.grant.changed_seq) = (9_500, ago(20), 9_500);
            g.uses.resources = on(&["repo:acme/app", "repo:acme/web"]);
        }
    };
    let (wider, elsewhere) = (s.grant(2, new("repo:acme/*")), s.grant(3, new("repo:other/web")));
    assert!(s.says(wider, "AR-16").is_some());
    assert_eq!(s.says(elsewhere, "AR-16"), None);
}

#[test]
fn ar_16_a_later_end() {
    let mut s = Scene::new();
    let renewed = |seq, before, after| {
        move |g: &mut GrantState| {
            g.grant.until = before;
            let mut all = vec![past(&g.grant, g.grant.issued_seq)];
            g.grant.until = after;
            all.push(past(&g.grant, seq));
            (g.past, g.grant.changed_seq) = (all, seq);
        }
    };
    let later = s.grant(1, renewed(9_600, Some(ago(5)), Some(ahead(85))));
    let f = s.says(later, "AR-16").unwrap();
    assert_eq!(f.fact, "renewed since the last review: 2027-01-25 instead of 2026-10-27");
    assert_eq!((f.severity, f.advice, f.entries.last), (Severity::High, Advice::Keep, 9_600));
    let endless = s.grant(2, renewed(9_601, Some(ago(5)), None));
    assert!(s.says(endless, "AR-16").unwrap().fact.contains("no end instead of"));
    let sooner = s.grant(3, renewed(9_602, Some(ahead(9)), Some(ahead(3))));
    assert_eq!(s.says(sooner, "AR-16"), None);
    assert_eq!(s.page().since.narrowed, [sooner]);
    let long_ago = s.grant(4, renewed(8_999, Some(ahead(3)), Some(ahead(9))));
    assert_eq!(s.says(long_ago, "AR-16"), None);
}

#[test]
fn ar_16_a_wider_policy_stands_at_who_signed_it() {
    let mut s = Scene::new();
    s.s.policies.push(Adoption { seq: 9_700, by: Some(OP2), wider: vec!["1 more inside the boundary".into()] });
    s.s.policies.push(Adoption { seq: 9_701, by: Some(OP), wider: Vec::new() });
    let f = s.says(OP2, "AR-16").unwrap();
    assert_eq!(f.fact, "signed a wider policy since the last review: 1 more inside the boundary");
    assert_eq!((f.rule, f.command.as_deref()), (Rule::Widened, Some("aosctl audit show 9700")));
    assert_eq!(s.says(OP, "AR-16"), None);
    assert_eq!(s.page().since.policies, [9_700, 9_701]);
}
