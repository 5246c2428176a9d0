//! AR-03, AR-04, AR-14.

use aosctl::domain::access::Access;
use aosctl::domain::review::{Advice, Narrower};
use aosctl::review::facts::{GrantState, Use, Uses};
use aosctl::review::model::Severity;

use crate::scene::*;

fn writes(g: &mut GrantState) {
    g.grant.access = Access::Write;
}

#[test]
fn ar_03_write_that_only_reads_for_90_days() {
    let mut s = Scene::new();
    let g = s.grant(7, writes);
    let f = s.says(g, "AR-03").unwrap();
    assert_eq!(f.fact, "write, and only read in 90 days: last read on 2026-10-31, nothing written");
    assert_eq!((f.severity, f.window_days, f.covered_days), (Severity::Medium, Some(90), Some(90)));
    assert_eq!(f.narrower, Some(Narrower { access: Some(Access::Read), ..Narrower::default() }));
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-7 --access read"));
    assert_eq!(s.item(g).advice, Advice::Narrow);
    assert_eq!(s.item(g).narrower, f.narrower);
}

#[test]
fn ar_03_not_where_something_was_written_in_the_window() {
    for (days, fires) in [(89, false), (90, true)] {
        let mut s = Scene::new();
        let g = s.grant(1, |g| {
            writes(g);
            g.uses.write = Some(usage(days));
        });
        assert_eq!(s.says(g, "AR-03").is_some(), fires, "written {days} days ago");
    }
    // A read grant, and one that nothing was read through, are other rules' business.
    let mut s = Scene::new();
    let (read, none) = (
        s.grant(1, |_| {}),
        s.grant(2, |g| {
            writes(g);
            g.uses = Uses { write: Some(usage(100)), ..Uses::default() };
        }),
    );
    assert_eq!(s.says(read, "AR-03"), None);
    assert_eq!(s.says(none, "AR-03"), None);
}

#[test]
fn ar_03_short_evidence_is_watched_and_shorter_says_nothing() {
    for (covered, severity) in
        [(89, Some(Severity::Watch)), (20, Some(Severity::Watch)), (14, Some(Severity::Watch)), (13, None)]
    {
        let mut s = Scene::new();
        let g = s.grant(1, |g| {
            writes(g);
            g.grant.issued_at = ago(covered);
        });
        let f = s.says(g, "AR-03");
        assert_eq!(f.as_ref().map(|f| f.severity), severity, "{covered}");
        if let Some(f) = f {
            assert_eq!(f.fact, format!("write, and only read so far; {covered} of 90 days are covered"));
            assert_eq!((f.advice, f.narrower, f.covered_days), (Advice::Keep, None, Some(covered)));
        }
    }
}

#[test]
fn ar_04_an_open_scope_with_one_thing_used() {
    let mut s = Scene::new();
    let open = |things: &'static [&'static str]| {
        move |g: &mut GrantState| {
            g.grant.scope = "repo:acme/*".parse().unwrap();
            g.uses.resources = on(things);
        }
    };
    let one = s.grant(1, open(&["repo:acme/app", "repo:acme/app/pulls/3"]));
    let f = s.says(one, "AR-04").unwrap();
    assert_eq!(
        f.fact,
        "repo:acme/* reaches more than one thing; 2 things of it were used in 90 days, all inside repo:acme/app"
    );
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-1 --scope repo:acme/app"));
    assert_eq!((f.severity, f.advice), (Severity::Medium, Advice::Narrow));
    // Used as widely as it reaches.
    let mut s = Scene::new();
    let two = s.grant(1, open(&["repo:acme/app", "repo:acme/web"]));
    assert_eq!(s.says(two, "AR-04"), None);
    // Only the newest of many uses were looked at: nothing is said that could break work.
    let mut s = Scene::new();
    let many = s.grant(1, |g| {
        open(&["repo:acme/app"])(g);
        g.uses.resources.as_mut().unwrap().bounded = true;
    });
    assert_eq!(s.says(many, "AR-04"), None);
}

#[test]
fn ar_04_everything_is_said_at_once() {
    let star = |g: &mut GrantState| {
        g.grant.scope = "*".parse().unwrap();
        g.uses.resources = on(&["repo:acme/app", "repo:acme/web"]);
    };
    // With evidence: the stem that both have in common.
    let mut s = Scene::new();
    let g = s.grant(1, star);
    let f = s.says(g, "AR-04").unwrap();
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-1 --scope 'repo:acme/*'"));
    assert_eq!(f.severity, Severity::Medium);
    // Without: looked into.
    let mut s = Scene::new();
    let g = s.grant(1, |g| {
        star(g);
        g.grant.issued_at = ago(20);
    });
    let f = s.says(g, "AR-04").unwrap();
    assert_eq!(
        f.fact,
        "reaches everything there, also what is added later; 2 things of it were used so far, and 20 of 90 days are covered"
    );
    assert_eq!((f.severity, f.advice, f.covered_days), (Severity::Medium, Advice::Investigate, Some(20)));
    assert_eq!(f.command.as_deref(), Some("aosctl grant show g-1"));
    // Many uses: not narrowed, looked into.
    let mut s = Scene::new();
    let g = s.grant(1, |g| {
        star(g);
        g.uses.resources.as_mut().unwrap().bounded = true;
    });
    let f = s.says(g, "AR-04").unwrap();
    assert_eq!((f.advice, f.narrower), (Advice::Investigate, None));
    // Without a feed there is nothing to compare with.
    let mut s = Scene::new();
    s.s.people.get_mut(&BOT).unwrap().first_request = None;
    let g = s.grant(1, |g| {
        star(g);
        g.uses = Uses::default();
    });
    assert_eq!(s.says(g, "AR-04").unwrap().covered_days, Some(0));
    assert_eq!(s.rules(g), ["AR-02", "AR-04"]);
}

#[test]
fn ar_04_an_account_that_is_used_as_one_is_low() {
    let mut s = Scene::new();
    let g = s.grant(1, |g| {
        g.grant.scope = "org:acme".parse().unwrap();
        g.uses.resources = on(&["org:acme"]);
    });
    let f = s.says(g, "AR-04").unwrap();
    assert_eq!((f.severity, f.advice), (Severity::Low, Advice::Keep));
    assert_eq!(
        f.fact,
        "org:acme is account-wide; one thing of it was used in 90 days, and no narrower scope covers them"
    );
    assert!(s.page().rest.iter().any(|i| i.id == g));
}

#[test]
fn ar_04_admin() {
    let admin = |read: Option<Use>, write: Option<Use>, admin: Option<Use>| {
        move |g: &mut GrantState| {
            g.grant.access = Access::Admin;
            g.uses = Uses { read: read.clone(), write: write.clone(), admin: admin.clone(), resources: None };
        }
    };
    let says = |edit: &dyn Fn(&mut GrantState)| {
        let mut s = Scene::new();
        let g = s.grant(1, edit);
        s.says(g, "AR-04").unwrap()
    };
    let f = says(&admin(Some(usage(2)), Some(usage(3)), None));
    assert_eq!(f.fact, "admin, and nothing that takes admin was done in 90 days");
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-1 --access write"));
    let f = says(&admin(Some(usage(2)), Some(usage(90)), Some(usage(90))));
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-1 --access read"));
    let f = says(&admin(None, None, Some(usage(89))));
    assert_eq!((f.severity, f.advice), (Severity::Low, Advice::Keep));
    let f = says(&|g: &mut GrantState| {
        admin(Some(usage(2)), Some(usage(3)), None)(g);
        g.grant.issued_at = ago(89);
    });
    assert_eq!((f.advice, f.covered_days), (Advice::Investigate, Some(89)));
}

#[test]
fn several_narrowings_make_one_line() {
    let mut s = Scene::new();
    let g = s.grant(9, |g| {
        g.grant.access = Access::Admin;
        g.grant.scope = "repo:acme/*".parse().unwrap();
        g.grant.until = None;
        g.uses.resources = on(&["repo:acme/app"]);
    });
    let item = s.item(g);
    assert_eq!(s.rules(g), ["AR-03", "AR-04", "AR-14"]);
    assert_eq!(
        item.command.as_deref(),
        Some("aosctl grant narrow g-9 --scope repo:acme/app --access read --expires 2027-01-30")
    );
    assert_eq!(item.advice, Advice::Narrow);
}

#[test]
fn ar_14_write_or_admin_without_an_end() {
    let mut s = Scene::new();
    let endless = |access| {
        move |g: &mut GrantState| {
            g.grant.access = access;
            g.grant.until = None;
            g.uses.write = Some(usage(1));
        }
    };
    let (read, write) = (s.grant(1, endless(Access::Read)), s.grant(2, endless(Access::Write)));
    assert_eq!(s.says(read, "AR-14"), None);
    let f = s.says(write, "AR-14").unwrap();
    assert_eq!(f.fact, "write without an end stays open until somebody thinks of it");
    assert_eq!(f.command.as_deref(), Some("aosctl grant narrow g-2 --expires 2027-01-30"));
    assert_eq!((f.severity, f.window_days), (Severity::Medium, None));
    let ends = s.grant(3, |g| {
        endless(Access::Admin)(g);
        g.grant.until = Some(ahead(1000));
    });
    assert_eq!(s.says(ends, "AR-14"), None);
}
