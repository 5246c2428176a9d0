use proptest::prelude::*;

use super::*;
use crate::domain::id::IdKind;

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;

fn policy() -> RotationTerms {
    RotationTerms { every: Span::days(90), warn: Span::days(14) }
}

fn now() -> Time {
    Time::from_millis(NOW)
}

/// Turned over so many days ago, by the policy's terms.
fn turned(days: i64) -> Dates {
    Dates {
        id: Id::new(IdKind::Key, 3),
        turned: Some(Time::from_millis(NOW - days * DAY)),
        added: Time::from_millis(NOW - 400 * DAY),
        schedule: None,
        expires: None,
        leaked: false,
        retired: false,
    }
}

fn of(d: &Dates) -> Option<DueState> {
    state(d, &policy(), now()).map(|s| s.state)
}

#[test]
fn the_edges_of_every_state() {
    for (days, expected) in [
        (0, DueState::Fine),
        (75, DueState::Fine),
        (76, DueState::Soon),
        (89, DueState::Soon),
        (90, DueState::Due),
        (104, DueState::Due),
        (105, DueState::Overdue),
    ] {
        assert_eq!(of(&turned(days)), Some(expected), "{days} days");
    }
    let ends = |days: i64| Dates { expires: Some(Time::from_millis(NOW + days * DAY)), ..turned(0) };
    assert_eq!(of(&ends(15)), Some(DueState::Fine));
    assert_eq!(of(&ends(14)), Some(DueState::Expires));
    assert_eq!(of(&ends(0)), Some(DueState::Expired));
    // What the provider ended is no longer merely overdue.
    assert_eq!(of(&Dates { turned: turned(200).turned, ..ends(-1) }), Some(DueState::Expired));
    assert_eq!(of(&Dates { turned: turned(80).turned, ..ends(10) }), Some(DueState::Expires));
}

#[test]
fn an_unknown_age_is_due_at_once_and_then_overdue() {
    let added = |days: i64| Dates { turned: None, added: Time::from_millis(NOW - days * DAY), ..turned(0) };
    assert_eq!(of(&added(0)), Some(DueState::UnknownAge));
    assert_eq!(of(&added(14)), Some(DueState::UnknownAge));
    assert_eq!(of(&added(15)), Some(DueState::Overdue));
}

#[test]
fn a_retired_key_is_nobodys_business_unless_it_leaked() {
    let retired = Dates { retired: true, ..turned(1000) };
    assert_eq!(of(&retired), None);
    assert_eq!(of(&Dates { leaked: true, ..retired }), Some(DueState::Leaked));
}

#[test]
fn its_own_schedule_beats_the_policys() {
    let own = Dates { schedule: Some((Span::days(10), Span::days(2))), ..turned(9) };
    assert_eq!(of(&own), Some(DueState::Soon));
    let none = Dates { schedule: Some((Span::days(10), Span::default())), ..turned(9) };
    assert_eq!(of(&none), Some(DueState::Fine), "no warning time");
    assert_eq!(of(&Dates { turned: turned(10).turned, ..none }), Some(DueState::Due));
    let late = Dates { turned: Some(Time::from_millis(NOW - 10 * DAY - 1)), ..none };
    assert_eq!(of(&late), Some(DueState::Overdue), "no patience either");
}

fn any_time() -> impl Strategy<Value = Time> {
    prop_oneof![any::<i64>(), NOW - 400 * DAY..NOW + 400 * DAY].prop_map(Time::from_millis)
}

fn any_span() -> impl Strategy<Value = Span> {
    prop_oneof![any::<i64>(), 0..400 * DAY].prop_map(Span::from_millis)
}

fn any_dates() -> impl Strategy<Value = Dates> {
    let schedule = proptest::option::of((any_span(), any_span()));
    let times = (proptest::option::of(any_time()), any_time(), proptest::option::of(any_time()));
    (times, schedule, any::<bool>(), any::<bool>()).prop_map(|((turned, added, expires), schedule, leaked, retired)| {
        Dates { id: Id::new(IdKind::Key, 1), turned, added, schedule, expires, leaked, retired }
    })
}

proptest! {
    #[test]
    fn time_only_makes_it_more_urgent(d in any_dates(), a in any_time(), b in any_time()) {
        let (early, late) = (a.min(b), a.max(b));
        let rank = |at| state(&d, &policy(), at).map(|s| s.state);
        prop_assert!(rank(early) <= rank(late), "{:?} then {:?}", rank(early), rank(late));
    }

    #[test]
    fn turning_it_over_never_makes_it_more_urgent(d in any_dates(), at in any_time()) {
        let fresh = Dates { turned: Some(d.turned.map_or(at, |t| t.max(at))), expires: None, ..d };
        let rank = |d: &Dates| state(d, &policy(), at).map(|s| s.state);
        prop_assert!(rank(&fresh) <= rank(&d));
    }

    #[test]
    fn an_open_leak_is_always_said_and_unknown_is_never_fine(d in any_dates(), at in any_time()) {
        let leaked = state(&Dates { leaked: true, ..d }, &policy(), at).map(|s| s.state);
        prop_assert_eq!(leaked, Some(DueState::Leaked));
        let unknown = Dates { turned: None, leaked: false, retired: false, added: d.added.min(at), ..d };
        prop_assert!(state(&unknown, &policy(), at).is_some_and(|s| s.state.is_due()));
    }

    #[test]
    fn what_is_due_is_past_or_has_an_end_near(d in any_dates(), at in any_time()) {
        let live = Dates { leaked: false, retired: false, ..d };
        let (every, warn) = d.schedule.unwrap_or((policy().every, policy().warn));
        let s = state(&live, &policy(), at).unwrap();
        prop_assert!(s.due <= live.turned.map_or(live.added, |t| t.plus(every)));
        match s.state {
            DueState::Fine => prop_assert!(s.due.minus(warn) > at),
            DueState::Soon | DueState::Expires => prop_assert!(s.due.minus(warn) <= at),
            DueState::Due | DueState::Overdue | DueState::Expired => prop_assert!(s.due <= at),
            DueState::UnknownAge | DueState::Leaked => {}
        }
    }

    #[test]
    fn the_words_are_different_and_ordered_as_they_are_written(i in 0..8usize, j in 0..8usize) {
        let (a, b) = (DueState::ALL[i], DueState::ALL[j]);
        prop_assert_eq!(a < b, i < j);
        prop_assert_eq!(a.as_str() == b.as_str(), i == j);
    }
}
