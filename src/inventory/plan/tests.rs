use super::*;
use crate::domain::id::IdKind;
use crate::domain::key::Sighting;
use crate::inventory::{csv, date};
use proptest::prelude::*;

const ARN: &str = "arn:aws:iam::123456789012:user/ci";

fn at(text: &str) -> Time {
    date::parse(text).unwrap()
}

fn k(n: u64) -> Id {
    Id::new(IdKind::Key, n)
}

fn facts(name: &str) -> KeyFacts {
    KeyFacts::named(name, "token")
}

fn key(n: u64, facts: KeyFacts) -> Key {
    Key {
        id: k(n),
        facts,
        schedule: None,
        added_seq: n,
        added_at: at("2026-01-01"),
        changed_seq: n,
        recorded_seq: None,
        retired_seq: None,
        retired_at: None,
        leak: None,
    }
}

struct Desk {
    keys: Vec<Key>,
    integrations: BTreeMap<String, Id>,
    operators: BTreeMap<String, Id>,
    as_of: Time,
    now: Time,
}

impl Desk {
    fn new(keys: Vec<Key>) -> Desk {
        Desk {
            keys,
            integrations: BTreeMap::from([("github".into(), Id::new(IdKind::Integration, 1))]),
            operators: BTreeMap::from([("ops".into(), Id::FIRST_OPERATOR)]),
            as_of: at("2026-11-21"),
            now: at("2026-11-21T12:00:00Z"),
        }
    }

    fn plan(&self, file: &Inventory) -> Plan {
        plan(
            file,
            &World {
                keys: &self.keys,
                integrations: &self.integrations,
                operators: &self.operators,
                reference: &|text| text.contains(':').then_some(()).ok_or("no reference".into()),
                as_of: self.as_of,
                now: self.now,
                owner: None,
                integration: None,
            },
        )
    }

    /// As the log would have it after the import.
    fn apply(&mut self, plan: &Plan) {
        for change in &plan.changed {
            self.keys.iter_mut().find(|key| key.id == change.key).unwrap().facts = change.facts.clone();
        }
        for added in &plan.added {
            let n = self.keys.len() as u64 + 1;
            self.keys.push(key(n, added.facts.clone()));
        }
    }

    fn import(&mut self, text: &str) -> Plan {
        let plan = self.plan(&csv::read(text.as_bytes(), self.as_of).unwrap());
        self.apply(&plan);
        plan
    }
}

fn counts(plan: &Plan) -> (usize, usize, usize, usize) {
    (plan.added.len(), plan.changed.len(), plan.unchanged.len(), plan.refused.len())
}

fn slot(row: Row) -> Inventory {
    Inventory {
        source: aws::SOURCE,
        rows: vec![Row {
            line: 2,
            name: "ci/access-key-1".into(),
            provider_id: Some(format!("{ARN}#access_key_1")),
            active: Some(true),
            ..row
        }],
        refused: Vec::new(),
        lines: 1,
        accounts: ["123456789012".to_string()].into(),
        mentioned: [ARN.to_string()].into(),
    }
}

fn watched(as_of: &str, last: Option<&str>) -> Option<Sighting> {
    Some(Sighting { feed: aws::SOURCE.into(), as_of: at(as_of), last: last.map(at) })
}

#[test]
fn twice_changes_nothing_and_the_operators_word_stays() {
    let mut mine = facts("github ci");
    mine.provider_id = Some("tok-1".into());
    mine.owner = Some(Id::FIRST_OPERATOR);
    mine.place = Place::Reference("op://a/b/c".into());
    let mut desk = Desk::new(vec![key(1, mine)]);
    let text = "name,provider_id,last4,integration,last_rotated\nci,tok-1,9f2a,github,2026-10-01\nnew,tok-2,,,\n";
    let plan = desk.import(text);
    assert_eq!(counts(&plan), (1, 1, 0, 0));
    let what: Vec<&str> = plan.changed[0].what.iter().map(|d| d.what).collect();
    assert_eq!(what, ["integration", "last4", "rotated"]);
    let f = &desk.keys[0].facts;
    assert_eq!(
        (f.name.as_str(), f.owner, &f.place),
        ("github ci", Some(Id::FIRST_OPERATOR), &Place::Reference("op://a/b/c".into()))
    );
    assert_eq!(f.source, None, "who typed it typed it");
    assert_eq!(counts(&desk.import(text)), (0, 0, 2, 0));
}

#[test]
fn a_slot_that_moves_was_turned_over_and_never_back() {
    let mut desk = Desk::new(vec![]);
    let first = slot(Row {
        turned: Some(at("2026-01-01T00:00:00Z")),
        seen: watched("2026-11-01", Some("2026-10-31")),
        ..Row::default()
    });
    desk.as_of = at("2026-11-01");
    let plan = desk.plan(&first);
    assert_eq!(plan.added[0].facts.created, Some(at("2026-01-01T00:00:00Z")), "making it is not rotating it");
    assert_eq!(plan.added[0].facts.rotated, None);
    desk.apply(&plan);
    desk.keys[0].facts.last4 = Some("9f2a".into());
    desk.as_of = at("2026-11-20");
    let second =
        slot(Row { turned: Some(at("2026-11-10T00:00:00Z")), seen: watched("2026-11-20", None), ..Row::default() });
    desk.apply(&desk.plan(&second));
    let f = &desk.keys[0].facts;
    assert_eq!(
        (f.rotated, f.last4.as_deref()),
        (Some(at("2026-11-10T00:00:00Z")), None),
        "the end was the old secret's"
    );
    assert_eq!(f.seen.as_ref().unwrap().last, Some(at("2026-10-31")), "what was seen was seen");
    assert_eq!(counts(&desk.plan(&second)), (0, 0, 1, 0));
    desk.as_of = at("2026-11-01");
    let plan = desk.plan(&first);
    assert_eq!(counts(&plan), (0, 0, 1, 0), "an older date is no news: {plan:?}");
    let off = slot(Row { active: Some(false), ..first.rows[0].clone() });
    let mut off = off;
    off.rows[0].active = Some(false);
    let plan = desk.plan(&off);
    assert_eq!(counts(&plan), (0, 0, 0, 1));
    assert!(plan.refused[0].why.contains("an older file changes nothing"), "{plan:?}");
}

#[test]
fn a_feed_that_says_the_same_a_little_later_is_no_news() {
    let mut desk = Desk::new(vec![]);
    let told = |as_of: &str| slot(Row { turned: Some(at("2026-01-01")), seen: watched(as_of, None), ..Row::default() });
    desk.apply(&desk.plan(&told("2026-11-21")));
    desk.as_of = at("2026-11-21T23:00:00Z");
    assert_eq!(counts(&desk.plan(&told("2026-11-21T23:00:00Z"))), (0, 0, 1, 0));
    desk.as_of = at("2026-11-22");
    let plan = desk.plan(&told("2026-11-22"));
    assert_eq!((counts(&plan), plan.changed[0].what[0].what), ((0, 1, 0, 0), "use_as_of"));
}

#[test]
fn an_empty_slot_ends_a_known_key_and_makes_no_new_one() {
    let mut desk = Desk::new(vec![]);
    let empty = slot(Row { absent: true, ..Row::default() });
    let mut empty = empty;
    empty.rows[0].active = Some(false);
    assert_eq!(counts(&desk.plan(&empty)), (0, 0, 0, 0));
    desk.apply(&desk.plan(&slot(Row { turned: Some(at("2026-01-01")), ..Row::default() })));
    let plan = desk.plan(&empty);
    assert_eq!((plan.changed[0].what[0].what, plan.changed[0].facts.active), ("active", false));
}

#[test]
fn who_is_missing_in_a_whole_account_is_named() {
    let mut desk = Desk::new(vec![]);
    desk.apply(&desk.plan(&slot(Row::default())));
    let mut other = slot(Row::default());
    other.mentioned = ["arn:aws:iam::123456789012:user/else".to_string()].into();
    other.rows.clear();
    assert_eq!(desk.plan(&other).missing, [k(1)]);
    other.accounts = ["999999999999".to_string()].into();
    assert_eq!(desk.plan(&other).missing, []);
}

#[test]
fn a_retired_key_that_appears_again_is_not_taken_back_in_silence() {
    let mut gone = facts("ci");
    gone.provider_id = Some("tok-1".into());
    let mut gone = key(1, gone);
    gone.retired_seq = Some(9);
    gone.retired_at = Some(at("2026-06-01"));
    let mut desk = Desk::new(vec![gone]);
    let plan = desk.import("name,provider_id\nother,tok-1\n");
    assert_eq!(counts(&plan), (0, 0, 0, 1));
    assert!(plan.refused[0].why.contains("k-1 was retired"), "{plan:?}");
    assert_eq!(counts(&desk.import("name,provider_id,active\nother,tok-1,false\n")), (0, 0, 1, 0));
    assert_eq!(counts(&desk.import("name\nci\n")), (0, 0, 0, 1), "by name too");
    assert_eq!(counts(&desk.import("name,created\nci,2026-07-01\n")), (1, 0, 0, 0), "made after it: another one");
}

#[test]
fn names_and_ids_that_cross() {
    let mut one = facts("ci");
    one.provider_id = Some("tok-1".into());
    let mut two = facts("deploy/bot");
    two.last4 = Some("9f2a".into());
    let mut desk = Desk::new(vec![key(1, one), key(2, two)]);
    let plan = desk.plan(&csv::read(b"name,provider_id,last4\nci,tok-9,\nbot,,9f2a\n", desk.as_of).unwrap());
    assert_eq!(plan.refused.len(), 1);
    assert!(plan.refused[0].why.contains("aosctl rotation record k-1"), "{plan:?}");
    assert_eq!(plan.unchanged, [k(2)], "by the ends of secret and name");
    desk.keys[0].facts.provider_id = Some("x".into());
    let mut other = facts("else");
    other.provider_id = Some("x".into());
    desk.keys.push(key(3, other));
    assert!(desk.import("name,provider_id\nq,x\n").refused[0].why.contains("k-1 or k-3"));
}

#[test]
fn what_a_row_may_not_say() {
    let mut sealed = facts("sealed");
    sealed.place = Place::Sealed { attended: true, sha256: crate::domain::event::Hex32([0; 32]) };
    let mut desk = Desk::new(vec![key(1, sealed)]);
    for (line, word) in [
        ("a,nowhere,,,", "integration"),
        ("a,,nobody,,", "owner"),
        ("a,,op-9,,", "owner"),
        ("a,,,plain text,", "reference"),
        ("a,,,,2027-11-21", "future"),
        ("sealed,,,op://a/b/c,", "sealed here"),
        ("k-7,,,,", "reads as an id"),
    ] {
        let plan = desk.import(&format!("name,integration,owner,reference,last_rotated\n{line}\n"));
        assert_eq!(plan.refused.len(), 1, "{line}: {plan:?}");
        assert!(plan.refused[0].why.contains(word), "{line}: {plan:?}");
    }
    let plan = desk.import("name,integration,owner\na,i-1,op-1\nb,github,ops\n");
    assert_eq!(counts(&plan), (2, 0, 0, 0));
}

/// Cells that collide often.
fn cell(column: &str) -> BoxedStrategy<String> {
    let pick =
        |all: &[&str]| proptest::sample::select(all.iter().map(|s| (*s).to_string()).collect::<Vec<_>>()).boxed();
    match column {
        "name" => pick(&["ci", "a/ci", "b/a/ci", "x", "k-1", "", "deploy bot", "=1+1"]),
        "kind" => pick(&["", "token", "password", "Bad Kind"]),
        "integration" => pick(&["", "github", "i-1", "none"]),
        "owner" => pick(&["", "ops", "op-1", "nobody"]),
        "reference" => pick(&["", "", "op://a/b/c", "plain"]),
        "provider_id" => pick(&["", "", "p1", "p2", "p3"]),
        "last4" => pick(&["", "aaaa", "bbbb", "toolong"]),
        "active" | "person" => pick(&["", "true", "false", "perhaps"]),
        "scope" => pick(&["", "all"]),
        _ => pick(&[
            "",
            "",
            "2026-01-01",
            "2026-05-05T05:05:05+02:00",
            "2026-11-20",
            "2027-12-31",
            "03/04/2026",
            "never",
        ]),
    }
}

fn table() -> impl Strategy<Value = String> {
    let row = csv::COLUMNS.iter().map(|c| cell(c)).collect::<Vec<_>>();
    proptest::collection::vec(row, 0..12).prop_map(|rows| {
        let lines = rows.into_iter().map(|r| r.join(","));
        std::iter::once(csv::COLUMNS.join(",")).chain(lines).collect::<Vec<_>>().join("\n")
    })
}

proptest! {
    #[test]
    fn importing_twice_changes_nothing(before in table(), text in table(), retired in proptest::collection::vec(any::<bool>(), 12)) {
        let mut desk = Desk::new(vec![]);
        if let Ok(file) = csv::read(before.as_bytes(), at("2026-10-01")) {
            desk.as_of = at("2026-10-01");
            desk.apply(&desk.plan(&file));
        }
        for (key, gone) in desk.keys.iter_mut().zip(retired) {
            if gone {
                key.retired_seq = Some(100);
                key.retired_at = Some(at("2026-06-01"));
            }
        }
        desk.as_of = at("2026-11-21");
        let Ok(file) = csv::read(text.as_bytes(), desk.as_of) else { return Ok(()) };
        let first = desk.plan(&file);
        let said = counts(&first);
        prop_assert_eq!(said.0 + said.1 + said.2 + said.3, file.lines, "every line is accounted for");
        desk.apply(&first);
        let second = desk.plan(&file);
        prop_assert_eq!((second.added, second.changed), (vec![], vec![]));
        prop_assert_eq!(second.refused, first.refused);
        let mut names: Vec<&str> = desk.keys.iter().filter(|k| k.is_live()).map(|k| k.facts.name.as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        prop_assert_eq!(names.len(), all, "one live key has a name");
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = csv::read(&bytes, at("2026-11-21"));
        let _ = aws::read(&bytes, at("2026-11-21"));
    }

    #[test]
    fn no_text_like_a_table_panics(text in "(name|user|arn|\"|,|\n|\r|\"\"|x|2026-01-01|é|\u{0}){0,60}") {
        let _ = csv::read(text.as_bytes(), at("2026-11-21"));
        let _ = aws::read(text.as_bytes(), at("2026-11-21"));
    }
}
