//! AR-01, AR-02, AR-05.

use aosctl::domain::access::Access;
use aosctl::domain::review::Advice;
use aosctl::review::model::{LastUse, Severity};

use crate::scene::*;

#[test]
fn nothing_speaks_against_the_clean_ones() {
    let mut s = Scene::new();
    let (g, k) = (s.grant(1, |_| {}), s.key(1, |_| {}));
    for id in [g, k, OP, BOT, GITHUB] {
        assert_eq!(s.rules(id), Vec::<&str>::new(), "{id}");
        assert_eq!(s.item(id).advice, Advice::Keep);
        assert_eq!(s.item(id).command, None);
    }
    assert!(s.page().first.is_empty());
}

#[test]
fn ar_01_a_write_grant_after_45_days() {
    let mut s = Scene::new();
    let write = |days| {
        move |g: &mut aosctl::review::facts::GrantState| {
            g.grant.access = Access::Write;
            g.uses.write = Some(usage(days));
            g.uses.read = None;
        }
    };
    let (fires, watch, fine) = (s.grant(1, write(45)), s.grant(2, write(44)), s.grant(3, write(29)));
    let f = s.says(fires, "AR-01").unwrap();
    assert_eq!(f.fact, "not used for 45 days: last on 2026-09-17 (begun)");
    assert_eq!((f.severity, f.window_days, f.covered_days), (Severity::Medium, Some(45), Some(45)));
    assert_eq!(f.command.as_deref(), Some("aosctl revoke g-1"));
    assert_eq!(s.item(fires).advice, Advice::Revoke);
    assert_eq!(s.item(fires).command.as_deref(), Some("aosctl revoke g-1"));
    assert_eq!(f.entries.last, usage(45).seq);
    let f = s.says(watch, "AR-01").unwrap();
    assert_eq!((f.severity, f.advice), (Severity::Watch, Advice::Keep));
    assert_eq!(f.fact, "not used for 44 days: last on 2026-09-18 (begun); 45 days is the limit");
    assert!(s.page().rest.iter().any(|i| i.id == watch), "watch is not decided first");
    assert_eq!(s.says(fine, "AR-01"), None);
}

#[test]
fn ar_01_a_read_grant_after_90_days_to_the_millisecond() {
    let mut s = Scene::new();
    let read = |t| move |g: &mut aosctl::review::facts::GrantState| g.uses.read = Some(used_at(t));
    let (fires, watch) = (s.grant(1, read(ago(90))), s.grant(2, read(just_after(ago(90)))));
    let (begins, before) = (s.grant(3, read(ago(30))), s.grant(4, read(just_after(ago(30)))));
    assert_eq!(s.says(fires, "AR-01").unwrap().severity, Severity::Medium);
    assert_eq!(s.says(watch, "AR-01").unwrap().severity, Severity::Watch);
    assert_eq!(s.says(begins, "AR-01").unwrap().severity, Severity::Watch);
    assert_eq!(s.says(before, "AR-01"), None);
}

#[test]
fn ar_01_a_read_grant_that_carries_a_key_counts_as_one_that_can_do_more() {
    let mut s = Scene::new();
    let k = s.key(1, |_| {});
    let g = s.grant(1, |g| {
        g.grant.carries = carries(k);
        g.uses.read = Some(usage(50));
    });
    assert_eq!(s.says(g, "AR-01").unwrap().window_days, Some(45));
}

#[test]
fn ar_01_says_when_the_agent_was_silent_altogether() {
    let mut s = Scene::new();
    let g = s.grant(1, |g| g.uses.read = Some(usage(100)));
    s.s.people.get_mut(&BOT).unwrap().last_request = Some((100, ago(60)));
    let fact = s.says(g, "AR-01").unwrap().fact;
    assert!(fact.ends_with("; ag-1 recorded nothing at all since then"), "{fact}");
}

#[test]
fn ar_01_a_key_by_the_report_of_its_provider() {
    let mut s = Scene::new();
    let last =
        |days| move |k: &mut aosctl::review::facts::KeyState| k.key.facts.seen.as_mut().unwrap().last = Some(ago(days));
    let (fires, watch, fine) = (s.key(1, last(45)), s.key(2, last(44)), s.key(3, last(29)));
    let f = s.says(fires, "AR-01").unwrap();
    assert_eq!(f.fact, "not used for 45 days before the report of 2026-11-01: last on 2026-09-17 (csv)");
    assert_eq!(f.command.as_deref(), Some("aosctl key retire k-1"));
    assert_eq!(s.says(watch, "AR-01").unwrap().severity, Severity::Watch);
    assert_eq!(s.says(fine, "AR-01"), None);
    // A report says nothing of the days after it: 60 days since the use, 20 of them before the report.
    let old = s.key(4, |k| {
        let seen = k.key.facts.seen.as_mut().unwrap();
        (seen.last, seen.as_of) = (Some(ago(60)), ago(40));
    });
    assert_eq!(s.says(old, "AR-01"), None);
    // What run handed out since is a use.
    let run = s.key(5, |k| {
        k.key.facts.seen.as_mut().unwrap().last = Some(ago(80));
        k.run = Some(aosctl::review::facts::KeyRun { seq: 9_500, at: ago(2), agent: BOT });
    });
    assert_eq!(s.says(run, "AR-01"), None);
    assert!(matches!(s.item(run).last_use, LastUse::Used { by, seq: Some(9_500), .. } if by == "run"));
}

#[test]
fn ar_02_an_agent_that_never_recorded_anything_is_looked_into_and_never_kept() {
    let mut s = Scene::new();
    let silent = id("ag-2");
    s.person(silent, Some(OP), None);
    s.certify(silent);
    let g = s.grant(1, |g| {
        g.grant.agent = silent;
        g.uses = Default::default();
    });
    assert_eq!(s.rules(g), ["AR-02"]);
    let f = s.says(g, "AR-02").unwrap();
    assert_eq!(f.fact, "nobody sees whether it is used: ag-2 never recorded a request or a run");
    assert_eq!((f.severity, f.advice), (Severity::Medium, Advice::Investigate));
    assert_eq!(f.command.as_deref(), Some("aosctl agent show ag-2"));
    assert_eq!(s.item(g).advice, Advice::Investigate);
    assert!(matches!(s.item(g).last_use, LastUse::Unknown { .. }));
    let page = s.page();
    assert!(page.first.iter().any(|i| i.id == g));
    assert!(page.not_seen.iter().any(|n| n.items == [g]));
}

#[test]
fn ar_02_a_key_without_a_report() {
    let mut s = Scene::new();
    let never = s.key(1, |k| k.key.facts.seen = None);
    let run = |days| {
        move |k: &mut aosctl::review::facts::KeyState| {
            k.key.facts.seen = None;
            k.run = Some(aosctl::review::facts::KeyRun { seq: 9_500, at: ago(days), agent: BOT });
        }
    };
    let (late, long) = (s.key(2, run(44)), s.key(3, run(45)));
    let f = s.says(never, "AR-02").unwrap();
    assert_eq!(f.advice, Advice::Investigate);
    assert_eq!(f.command.as_deref(), Some("aosctl key show k-1"));
    assert_eq!(s.says(late, "AR-02"), None);
    assert!(s.says(long, "AR-02").unwrap().fact.starts_with("run handed it out last on 2026-09-17"));
    // Switched off at its provider, nobody can use it.
    let off = s.key(4, |k| (k.key.facts.seen, k.key.facts.active) = (None, false));
    assert_eq!(s.says(off, "AR-02"), None);
}

#[test]
fn ar_05_never_used_after_14_days_of_coverage() {
    let mut s = Scene::new();
    let issued = |t| {
        move |g: &mut aosctl::review::facts::GrantState| {
            g.grant.issued_at = t;
            g.uses = Default::default();
        }
    };
    let (fires, grace) = (s.grant(1, issued(ago(14))), s.grant(2, issued(just_after(ago(14)))));
    let f = s.says(fires, "AR-05").unwrap();
    assert_eq!(f.fact, "never used since it was issued 14 days ago, on 2026-10-18");
    assert_eq!((f.severity, f.window_days, f.covered_days), (Severity::Medium, Some(14), Some(14)));
    assert_eq!(f.command.as_deref(), Some("aosctl revoke g-1"));
    assert_eq!(s.says(grace, "AR-05"), None);
    assert!(matches!(s.item(grace).last_use, LastUse::Never { .. }));
}

#[test]
fn ar_05_is_only_watched_while_the_feed_is_young() {
    for (covered, fires) in [(13, false), (14, true)] {
        let mut s = Scene::new();
        s.s.people.get_mut(&BOT).unwrap().first_request = Some(ago(covered));
        let g = s.grant(1, |g| g.uses = Default::default());
        let f = s.says(g, "AR-05").unwrap();
        assert_eq!(f.severity == Severity::Medium, fires, "{covered}");
        assert_eq!(f.covered_days, Some(covered));
        if fires {
            assert_eq!(f.fact, "no use in the 14 days that are seen, since 2026-10-18; issued on 2026-04-15");
        } else {
            assert_eq!(f.fact, "no use seen yet; 13 of 14 days are covered, since 2026-10-19");
            assert_eq!(f.advice, Advice::Keep);
        }
    }
}

#[test]
fn ar_05_twenty_days_of_log_never_say_ninety() {
    let mut s = Scene::new();
    s.s.log.began = ago(20);
    let g = s.grant(1, |g| g.uses = Default::default());
    let f = s.says(g, "AR-05").unwrap();
    assert!(f.fact.contains("20 days") && !f.fact.contains("90") && !f.fact.contains("200"), "{}", f.fact);
}

#[test]
fn ar_05_a_key_that_its_provider_never_saw() {
    let mut s = Scene::new();
    let k = s.key(1, |k| k.key.facts.seen.as_mut().unwrap().last = None);
    let f = s.says(k, "AR-05").unwrap();
    assert_eq!(f.fact, "never used in the 300 days before the report of 2026-11-01 (csv)");
    let young = s.key(2, |k| {
        k.key.facts.seen.as_mut().unwrap().last = None;
        (k.key.facts.created, k.key.facts.rotated) = (Some(ago(13)), None);
    });
    assert_eq!(s.says(young, "AR-05"), None);
}
