//! AR-07 to AR-11 as far as they are about keys, and which keys are due.

use aosctl::domain::key::{Key, Leak, LeakStep, Place, Schedule, Sighting, StepOutcome, StepTaken};
use aosctl::domain::review::Advice;
use aosctl::domain::time::Span;
use aosctl::review::facts::{KeyRun, KeyState};
use aosctl::review::model::Severity;

use crate::scene::*;

#[test]
fn ar_07_older_than_90_days() {
    let mut s = Scene::new();
    let rotated = |t| move |k: &mut KeyState| k.key.facts.rotated = Some(t);
    let (fires, fine) = (s.key(1, rotated(ago(90))), s.key(2, rotated(just_after(ago(90)))));
    let f = s.says(fires, "AR-07").unwrap();
    assert_eq!(f.fact, "90 days old, since 2026-08-03; 90 days is the limit");
    assert_eq!((f.severity, f.advice), (Severity::Medium, Advice::Rotate));
    assert_eq!(f.command.as_deref(), Some("aosctl rotation record k-1"));
    assert_eq!(s.says(fine, "AR-07"), None);
    let twice = s.key(3, rotated(ago(180)));
    assert_eq!(s.says(twice, "AR-07").unwrap().severity, Severity::High);
    let off = s.key(4, |k| {
        rotated(ago(200))(k);
        k.key.facts.active = false;
    });
    let f = s.says(off, "AR-07").unwrap();
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Low, Some("aosctl key retire k-4")));
}

#[test]
fn ar_07_by_its_own_schedule() {
    let mut s = Scene::new();
    let every = |days| {
        move |k: &mut KeyState| {
            k.key.facts.rotated = Some(ago(40));
            k.key.schedule = Some(Schedule { every: Span::days(days), warn: Span::days(5), owner: None, seq: 5 });
        }
    };
    let (fires, fine) = (s.key(1, every(40)), s.key(2, every(41)));
    assert_eq!(s.says(fires, "AR-07").unwrap().window_days, Some(40));
    assert_eq!(s.says(fine, "AR-07"), None);
}

#[test]
fn ar_08_never_rotated_or_no_date() {
    let mut s = Scene::new();
    let made = |t| move |k: &mut KeyState| (k.key.facts.created, k.key.facts.rotated) = (t, None);
    let (fires, fine, unknown) =
        (s.key(1, made(Some(ago(90)))), s.key(2, made(Some(just_after(ago(90))))), s.key(3, made(None)));
    assert_eq!(s.says(fires, "AR-08").unwrap().fact, "never turned over since it was made on 2026-08-03");
    assert_eq!(s.rules(fires), ["AR-07", "AR-08"]);
    assert_eq!(s.says(fine, "AR-08"), None);
    let f = s.says(unknown, "AR-08").unwrap();
    assert_eq!(f.fact, "nobody knows how old it is: no date of its making or of a rotation");
    assert_eq!((f.advice, f.window_days), (Advice::Rotate, None));
    assert_eq!(s.rules(unknown), ["AR-08"]);
    // Rotated once: its age is AR-07's business, whenever it was made.
    let rotated = s.key(4, |k| k.key.facts.rotated = Some(ago(80)));
    assert_eq!(s.says(rotated, "AR-08"), None);
}

#[test]
fn ar_09_one_key_for_two_agents() {
    let mut s = Scene::new();
    let other = id("ag-2");
    s.person(other, Some(OP), Some(ago(400)));
    let (k, alone) = (s.key(1, |_| {}), s.key(2, |_| {}));
    s.grant(1, |g| g.grant.carries = carries(k));
    s.grant(2, |g| (g.grant.carries, g.grant.agent) = (carries(k), other));
    s.grant(3, |g| g.grant.carries = carries(alone));
    s.grant(4, |g| {
        // One that was closed counts no more.
        (g.grant.carries, g.grant.agent) = (carries(alone), other);
        g.grant.revoked_seq = Some(99);
    });
    let f = s.says(k, "AR-09").unwrap();
    assert_eq!(f.fact, "one credential for ag-1 and ag-2: carried by g-1 and g-2");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::High, Some("aosctl key show k-1")));
    assert_eq!(s.says(alone, "AR-09"), None);
}

#[test]
fn ar_09_one_secret_that_is_listed_twice() {
    let mut s = Scene::new();
    let other = id("ag-2");
    s.person(other, Some(OP), Some(ago(400)));
    let (a, b) = (
        s.key(1, |k| k.key.facts.fingerprint = fingerprint(7)),
        s.key(2, |k| k.key.facts.fingerprint = fingerprint(7)),
    );
    s.grant(1, |g| g.grant.carries = carries(a));
    s.grant(2, |g| (g.grant.carries, g.grant.agent) = (carries(b), other));
    for key in [a, b] {
        assert!(s.says(key, "AR-09").is_some());
    }
}

#[test]
fn ar_09_a_person_and_an_agent() {
    let mut s = Scene::new();
    let person = |k: &mut KeyState| k.key.facts.person = true;
    let (carried, used, own) = (
        s.key(1, person),
        s.key(2, |k| {
            person(k);
            k.run = Some(KeyRun { seq: 9_000, at: ago(3), agent: BOT });
        }),
        s.key(3, person),
    );
    s.grant(1, |g| g.grant.carries = carries(carried));
    assert_eq!(s.says(carried, "AR-09").unwrap().fact, "one credential for a person and for ag-1");
    assert!(s.says(used, "AR-09").is_some());
    assert_eq!(s.says(own, "AR-09"), None);
}

#[test]
fn ar_10_an_end_that_has_passed() {
    let mut s = Scene::new();
    let ends = |t| move |k: &mut KeyState| k.key.facts.expires = Some(t);
    let (fires, fine) = (s.key(1, ends(as_of())), s.key(2, ends(just_after(as_of()))));
    let f = s.says(fires, "AR-10").unwrap();
    assert_eq!(f.fact, "it should have ended on 2026-11-01, and is listed as active");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Critical, Some("aosctl key retire k-1")));
    assert_eq!(s.says(fine, "AR-10"), None);
    let carried = s.key(3, ends(ago(1)));
    s.grant(1, |g| g.grant.carries = carries(carried));
    let f = s.says(carried, "AR-10").unwrap();
    assert!(f.fact.ends_with("g-1 still carry it"), "{}", f.fact);
    assert_eq!(f.command.as_deref(), Some("aosctl rotation record k-3"));
    let off = s.key(4, |k| {
        ends(ago(1))(k);
        k.key.facts.active = false;
    });
    assert_eq!(s.says(off, "AR-10"), None);
}

fn leak(k: &mut Key, closed: &[LeakStep]) {
    let taken = |step| StepTaken { step, outcome: StepOutcome::Done, seq: 9_100, at: ago(4) };
    k.leak = Some(Leak { seq: 9_050, at: ago(5), steps: closed.iter().copied().map(taken).collect() });
}

#[test]
fn ar_10_a_leak_is_critical_until_it_is_closed() {
    let mut s = Scene::new();
    let open = s.key(1, |k| leak(&mut k.key, &[LeakStep::Contain, LeakStep::Revoke]));
    let closed = s.key(2, |k| leak(&mut k.key, &LeakStep::ALL));
    let f = s.says(open, "AR-10").unwrap();
    assert_eq!(f.fact, "it leaked on 2026-10-27; what to do next is to prove it dead");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Critical, Some("aosctl key leaked k-1")));
    assert_eq!(s.says(closed, "AR-10"), None);
    let page = s.page();
    assert_eq!(page.since.leaked.len(), 2, "both leaked since the last review");
    assert_eq!(page.keys_due.first().map(|k| (k.key.id, k.state.as_str())), Some((open, "leaked")));
    assert!(s.item(open).marks.contains(&"leaked".to_string()));
}

#[test]
fn ar_11_two_active_keys_of_one_user() {
    let mut s = Scene::new();
    let slot = |n, days| {
        move |k: &mut KeyState| {
            k.key.facts.kind = "aws-access-key".into();
            k.key.facts.provider_id = Some(format!("arn:aws:iam::123456789012:user/ci#access_key_{n}"));
            k.key.facts.rotated = Some(ago(days));
        }
    };
    let (older, newer) = (s.key(1, slot(1, 50)), s.key(2, slot(2, 5)));
    let f = s.says(older, "AR-11").unwrap();
    assert_eq!(f.fact, "k-2 is a newer active key of the same user");
    assert_eq!((f.severity, f.command.as_deref()), (Severity::Medium, Some("aosctl key retire k-1")));
    assert_eq!(s.says(newer, "AR-11"), None);
    s.s.keys.get_mut(&newer).unwrap().key.facts.active = false;
    assert_eq!(s.says(older, "AR-11"), None);
}

#[test]
fn ar_11_never_ends_a_used_key_for_one_that_was_never_used() {
    let two = |older_used: Option<u32>, newer: Option<Option<u32>>, age: u32| {
        let mut s = Scene::new();
        let seen = |last: Option<u32>| Some(Sighting { feed: "csv".into(), as_of: ago(0), last: last.map(ago) });
        let slot = |n, days| {
            move |k: &mut KeyState| {
                k.key.facts.kind = "aws-access-key".into();
                k.key.facts.provider_id = Some(format!("arn:aws:iam::123456789012:user/ci#access_key_{n}"));
                k.key.facts.rotated = Some(ago(days));
            }
        };
        let (a, b) = (s.key(1, slot(1, 200)), s.key(2, slot(2, age)));
        s.s.keys.get_mut(&a).unwrap().key.facts.seen = seen(older_used);
        s.s.keys.get_mut(&b).unwrap().key.facts.seen = newer.and_then(seen);
        let said = |id| s.says(id, "AR-11").map(|f| (f.fact, f.advice.to_string()));
        (said(a), said(b))
    };
    let newer = || "k-2 is a newer active key of the same user".to_string();
    let older = || "k-1 is an older active key of the same user and is in use; this one was never used".to_string();
    // The older one is used, the newer one never was.
    assert_eq!(two(Some(2), Some(None), 50), (None, Some((older(), "revoke".into()))));
    assert_eq!(two(Some(2), Some(None), 3), (None, Some((older(), "investigate".into()))), "just made");
    // Both are used, or neither.
    assert_eq!(two(Some(2), Some(Some(1)), 50), (Some((newer(), "revoke".into())), None));
    assert_eq!(two(None, Some(None), 50), (Some((newer(), "revoke".into())), None));
    // Nobody watches the newer one.
    let unsure = format!("{}; this one is in use, and nobody sees whether k-2 is", newer());
    assert_eq!(two(Some(2), None, 50), (Some((unsure, "investigate".into())), None));
}

#[test]
fn the_password_of_the_root_user_is_never_to_be_ended() {
    let mut s = Scene::new();
    let password = |user: &'static str| {
        move |k: &mut KeyState| {
            k.key.facts.kind = "password".into();
            k.key.facts.provider_id = Some(format!("arn:aws:iam::123456789012:{user}#password"));
            k.key.facts.created = Some(ago(40));
            k.key.facts.seen = Some(Sighting { feed: "csv".into(), as_of: ago(0), last: None });
        }
    };
    let (root, person) = (s.key(1, password("root")), s.key(2, password("user/ada")));
    assert_eq!(s.says(person, "AR-05").unwrap().advice.to_string(), "revoke");
    let f = s.says(root, "AR-05").unwrap();
    assert_eq!((f.severity, f.advice.to_string(), f.command), (Severity::Low, "keep".into(), None));
    assert!(
        f.fact.ends_with("the root user cannot be without a password: keep it locked away, with MFA"),
        "{}",
        f.fact
    );
    // Used long ago.
    s.s.keys.get_mut(&root).unwrap().key.facts.seen.as_mut().unwrap().last = Some(ago(60));
    let f = s.says(root, "AR-01").unwrap();
    assert_eq!((f.severity, f.advice.to_string(), f.command), (Severity::Low, "keep".into(), None));
}

#[test]
fn keys_due_by_state() {
    let mut s = Scene::new();
    let rotated = |days| move |k: &mut KeyState| k.key.facts.rotated = Some(ago(days));
    // The policy: every 90 days, said 14 days before.
    s.key(1, rotated(105));
    s.key(2, rotated(104));
    s.key(3, rotated(90));
    s.key(4, rotated(76));
    s.key(5, rotated(75));
    s.key(6, |k| (k.key.facts.created, k.key.facts.rotated) = (None, None));
    s.key(7, |k| k.key.facts.expires = Some(ahead(14)));
    s.key(8, |k| k.key.facts.expires = Some(ago(1)));
    s.key(9, |k| {
        leak(&mut k.key, &[]);
        k.key.retired_seq = Some(9_200);
    });
    let due = s.page().keys_due;
    let states: Vec<(String, &str)> = due.iter().map(|k| (k.key.id.to_string(), k.state.as_str())).collect();
    let wanted = [
        ("k-9", "leaked"),
        ("k-8", "expired"),
        ("k-1", "overdue"),
        ("k-6", "unknown"),
        ("k-2", "due"),
        ("k-3", "due"),
        ("k-7", "expires"),
        ("k-4", "soon"),
    ];
    assert_eq!(states, wanted.map(|(k, s)| (k.to_string(), s)));
    assert_eq!(due.iter().find(|k| k.state == "unknown").unwrap().due, None);
}

#[test]
fn keys_due_says_the_same_line_as_the_item() {
    let mut s = Scene::new();
    // Never used, and overdue: it is to be ended.
    let unused = s.key(1, |k| {
        k.key.facts.rotated = Some(ago(105));
        k.key.facts.seen = Some(Sighting { feed: "csv".into(), as_of: ago(0), last: None });
    });
    let sealed = s.key(2, |k| {
        k.key.facts.rotated = Some(ago(105));
        k.key.facts.seen = Some(Sighting { feed: "csv".into(), as_of: ago(0), last: Some(ago(1)) });
        k.key.facts.place = Place::Sealed { sha256: fingerprint(7).unwrap(), attended: true };
    });
    let page = s.page();
    for (id, line) in [(unused, "aosctl key retire k-1"), (sealed, "aosctl rotation record k-2 --secret-stdin")] {
        let due = page.keys_due.iter().find(|k| k.key.id == id).unwrap();
        let item = page.first.iter().find(|i| i.id == id).unwrap();
        assert_eq!((due.command.as_str(), item.command.as_deref()), (line, Some(line)));
    }
}

#[test]
fn a_report_that_is_old_is_a_failed_source() {
    let report = |days: u32| {
        let mut s = Scene::new();
        s.key(1, |k| k.key.facts.seen = Some(Sighting { feed: "csv".into(), as_of: ago(days), last: Some(ago(days)) }));
        s.page()
    };
    let page = report(35);
    let source = page.population.sources.iter().find(|s| s.name == "csv").unwrap();
    assert_eq!((source.live, source.reviewed, source.as_of, source.failed.as_deref()), (1, 1, Some(ago(35)), None));
    let page = report(36);
    let source = page.population.sources.iter().find(|s| s.name == "csv").unwrap();
    assert_eq!(source.failed.as_deref(), Some("the last report is 36 days old, and says nothing of the days since"));
    assert!(page.not_seen.iter().any(|n| n.what == "what csv would tell"));
}
