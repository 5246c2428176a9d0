//! A quarter of a small company, written through the library with its own clock: agents at work every day, and faults planted
//! among what is clean. Three monthly reviews have to name exactly what was planted, month by month, rule by rule, thing by
//! thing: nothing missed, and nothing said against what is clean.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

#[path = "review_quarter/company.rs"]
mod company;

use std::collections::BTreeSet;

use aosctl::domain::event::{GrantRevoked, ReviewDecided, ReviewSigned};
use aosctl::domain::id::Id;
use aosctl::domain::review::{Advice, ItemDecision, Month};
use aosctl::domain::time::Span;
use aosctl::review::model::{Item, Remedy, Review, Rule, Severity};
use aosctl::review::{ReviewError, annex_digest, compute, page_digest};
use aosctl::workspace::{VerifyOptions, verify};
use company::{Company, at, id};

/// What was planted: from which month to which, the thing, the rules that have to name it.
const PLANTED: &[(&str, &str, &[&str])] = &[
    // Used until 10 July. Its revocation was decided in August's review, and nobody carried it out.
    ("2026-08", "g-4", &["AR-01"]),
    ("2026-09", "g-4", &["AR-01", "AR-15"]),
    // Granted and never used; July's review closed it.
    ("2026-07", "g-5", &["AR-05"]),
    // Of an agent that records nothing.
    ("2026-07", "g-6", &["AR-02"]),
    ("2026-08", "g-6", &["AR-02"]),
    ("2026-09", "g-6", &["AR-02"]),
    // Write, and only read: 90 days of evidence are there in September.
    ("2026-09", "g-7", &["AR-03"]),
    // A whole organization, and one repository used.
    ("2026-09", "g-8", &["AR-04"]),
    // Everything.
    ("2026-07", "g-9", &["AR-04"]),
    ("2026-08", "g-9", &["AR-04"]),
    ("2026-09", "g-9", &["AR-04"]),
    // The second operator leaves on 10 September: a grant, an agent with a grant, a key.
    ("2026-09", "g-10", &["AR-06"]),
    ("2026-09", "g-11", &["AR-06"]),
    ("2026-09", "ag-5", &["AR-06"]),
    ("2026-09", "k-8", &["AR-06"]),
    // Inside another grant, and so never used.
    ("2026-08", "g-18", &["AR-05", "AR-11"]),
    ("2026-09", "g-18", &["AR-05", "AR-11"]),
    // Endless.
    ("2026-07", "g-13", &["AR-14"]),
    ("2026-08", "g-13", &["AR-14"]),
    ("2026-09", "g-13", &["AR-14"]),
    // Put in the place of a narrower one on 12 August; renewed on 15 August; and a higher cap on 20 August.
    ("2026-08", "g-20", &["AR-16"]),
    ("2026-08", "g-15", &["AR-16"]),
    ("2026-08", "op-1", &["AR-16"]),
    // Never decided about.
    ("2026-08", "g-16", &["AR-13"]),
    ("2026-09", "g-16", &["AR-13"]),
    // Made on 1 June and never turned over; turned over on 25 June; of unknown age.
    ("2026-08", "k-2", &["AR-07", "AR-08"]),
    ("2026-09", "k-2", &["AR-07", "AR-08"]),
    ("2026-09", "k-3", &["AR-07"]),
    ("2026-07", "k-4", &["AR-08"]),
    ("2026-08", "k-4", &["AR-08"]),
    ("2026-09", "k-4", &["AR-08"]),
    // Carried by two agents since 10 August.
    ("2026-08", "k-5", &["AR-09"]),
    ("2026-09", "k-5", &["AR-09"]),
    // Should have ended on 15 August.
    ("2026-08", "k-6", &["AR-10"]),
    ("2026-09", "k-6", &["AR-10"]),
    // Leaked on 20 September.
    ("2026-09", "k-7", &["AR-10"]),
    // No report tells about it.
    ("2026-07", "k-9", &["AR-02"]),
    ("2026-08", "k-9", &["AR-02"]),
    ("2026-09", "k-9", &["AR-02"]),
    // Not used since 5 July.
    ("2026-08", "k-10", &["AR-01"]),
    ("2026-09", "k-10", &["AR-01"]),
    // The older one of two active keys of one user.
    ("2026-07", "k-11", &["AR-11"]),
    ("2026-08", "k-11", &["AR-11"]),
    ("2026-09", "k-11", &["AR-11"]),
];

/// What only may be watched, because the log is too young.
const WATCHED: &[(&str, &str, &str, &str)] = &[
    ("2026-07", "g-7", "AR-03", "write, and only read so far; 30 of 90 days are covered"),
    ("2026-08", "g-7", "AR-03", "write, and only read so far; 61 of 90 days are covered"),
    ("2026-08", "g-20", "AR-03", "write, and only read so far; 19 of 90 days are covered"),
    ("2026-09", "g-20", "AR-03", "write, and only read so far; 49 of 90 days are covered"),
];

type Named = BTreeSet<(String, Id, &'static str)>;

fn items(page: &Review) -> impl Iterator<Item = &Item> {
    page.first.iter().chain(&page.rest)
}

/// What a page says against things, but for what it only watches.
fn named(page: &Review) -> Named {
    let all = items(page).flat_map(|i| i.findings.iter().map(move |f| (i, f)));
    all.filter(|(_, f)| f.severity > Severity::Watch)
        .map(|(i, f)| (page.month.to_string(), i.id, f.rule.id()))
        .collect()
}

fn planted() -> Named {
    let one = |(month, item, rules): &(&str, &str, &'static [&'static str])| {
        let (month, item) = (month.to_string(), id(item));
        rules.iter().map(move |r| (month.clone(), item, *r)).collect::<Vec<_>>()
    };
    PLANTED.iter().flat_map(one).collect()
}

/// The reviewer keeps everything but what the script closes, and leaves out what nobody ever looks at; then signs.
fn review(c: &Company, month: &str, on: &str) -> Review {
    let month: Month = month.parse().unwrap();
    let page = compute(&c.ws, month, None, at(on)).unwrap();
    assert_eq!(page.as_of, month.end());
    assert!(page.signature.is_none());
    let carried_out =
        (month.to_string() == "2026-07").then(|| c.sign(at(on), GrantRevoked { grant: id("g-5"), reason: None }));
    let decisions: Vec<ItemDecision> = items(&page)
        .filter(|i| i.id != id("g-16"))
        .map(|i| {
            let revoke = (month.to_string() == "2026-07" && i.id == id("g-5"))
                || (month.to_string() == "2026-08" && i.id == id("g-4"));
            ItemDecision {
                item: i.id,
                advice: i.advice,
                decision: if revoke { Advice::Revoke } else { Advice::Keep },
                rules: i.findings.iter().map(|f| f.rule.id().to_string()).collect(),
                narrower: None,
                carried_out: carried_out.filter(|_| revoke),
                self_review: i.owner.as_ref().is_some_and(|o| o.id == Id::FIRST_OPERATOR),
                took_ms: Some(9_000),
            }
        })
        .collect();
    let (as_of, entries) = (page.as_of, page.log.entries);
    let note = [(id("g-6"), "asked the vendor".to_string())].into();
    c.sign(at(on), ReviewDecided { review: month.id(), as_of, entries, decisions, note: Some(note) });
    let decided = compute(&c.ws, month, None, at(on)).unwrap();
    assert_eq!(decided.progress.decided, decided.progress.items - 1, "all but the one that nobody looks at");
    assert_eq!(page_digest(&decided), page_digest(&page), "deciding does not change the page");
    c.sign(
        at(on),
        ReviewSigned {
            review: month.id(),
            as_of,
            entries,
            root: page.log.leaf.clone(),
            page: page_digest(&page),
            items: page.progress.items,
            open: Vec::new(),
            note: None,
        },
    );
    page
}

#[test]
fn three_reviews_name_exactly_what_was_planted() {
    let mut c = Company::found();
    let mut pages = Vec::new();
    c.july();
    pages.push(review(&c, "2026-07", "2026-08-03T10:00"));
    c.august();
    pages.push(review(&c, "2026-08", "2026-09-03T10:00"));
    c.september();
    pages.push(review(&c, "2026-09", "2026-10-03T10:00"));

    let (planted, found): (Named, Named) = (planted(), pages.iter().flat_map(named).collect());
    let hit = planted.intersection(&found).count();
    let (precision, recall) = (hit as f64 / found.len() as f64, hit as f64 / planted.len() as f64);
    println!(
        "{} planted, {} named, {hit} of them planted: precision {precision:.3}, recall {recall:.3}",
        planted.len(),
        found.len()
    );
    let missed: Vec<_> = planted.difference(&found).collect();
    let false_alarms: Vec<_> = found.difference(&planted).collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
    assert!(false_alarms.is_empty(), "said against what is clean: {false_alarms:?}");

    for (month, item, rule, fact) in WATCHED {
        let page = pages.iter().find(|p| p.month.to_string() == *month).unwrap();
        let item = items(page).find(|i| i.id == id(item)).unwrap();
        let f = item.findings.iter().find(|f| f.rule.id() == *rule).unwrap();
        assert_eq!((f.fact.as_str(), f.severity), (*fact, Severity::Watch));
    }
    what_is_advised(&pages);
    what_changed(&pages);
    the_past_stays(&c, &pages);
    the_undone_one(&c);
    let options = VerifyOptions { vkey: None, threads: Some(2) };
    let verified = verify(c.ws.place(), &options, at("2026-10-07T10:00"), &mut |_, _| {}).unwrap();
    assert!(!verified.report.failed(), "{:?}", verified.report);
}

/// The exact lines.
fn what_is_advised(pages: &[Review]) {
    let line = |month: usize, item: &str| {
        let item = items(&pages[month]).find(|i| i.id == id(item)).unwrap();
        (item.advice, item.command.clone().unwrap_or_default())
    };
    for (month, item, advice, command) in [
        (0, "g-5", Advice::Revoke, "aosctl revoke g-5"),
        (0, "g-6", Advice::Investigate, "aosctl agent show ag-4"),
        (0, "g-9", Advice::Investigate, "aosctl grant show g-9"),
        (0, "g-13", Advice::Narrow, "aosctl grant narrow g-13 --expires 2026-10-30"),
        (1, "g-4", Advice::Revoke, "aosctl revoke g-4"),
        (1, "g-20", Advice::Narrow, "aosctl grant narrow g-20 --scope repo:acme/help/issues --access read"),
        (1, "g-15", Advice::Keep, ""),
        (1, "k-2", Advice::Rotate, "aosctl rotation record k-2"),
        (2, "g-7", Advice::Narrow, "aosctl grant narrow g-7 --access read"),
        (2, "g-8", Advice::Narrow, "aosctl grant narrow g-8 --scope repo:acme-labs/one"),
        (2, "g-9", Advice::Narrow, "aosctl grant narrow g-9 --scope 'repo:*'"),
        (2, "g-11", Advice::Revoke, "aosctl revoke g-11"),
        (2, "ag-5", Advice::Revoke, "aosctl agent retire ag-5"),
        (2, "k-7", Advice::Rotate, "aosctl key leaked k-7"),
        (2, "k-11", Advice::Revoke, "aosctl key retire k-11"),
    ] {
        assert_eq!(line(month, item), (advice, command.to_string()), "{item}");
    }
    let first = pages[2].first.first().unwrap();
    assert_eq!((first.id, first.findings[0].rule), (id("g-4"), Rule::NotCarriedOut), "what was not done is on top");
}

fn what_changed(pages: &[Review]) {
    let [july, august, september] = pages else { panic!() };
    assert_eq!((july.since.last_signed, july.since.from), (None, july.log.began));
    assert_eq!(july.since.granted.len(), 17);
    assert_eq!(august.since.from, july.as_of);
    assert_eq!(august.since.last_signed, Some(at("2026-08-03T10:00")));
    assert_eq!(august.since.granted, [id("g-18"), id("g-19"), id("g-20")]);
    assert_eq!(august.since.revoked, [id("g-5"), id("g-14")]);
    assert_eq!(august.since.widened, [id("g-15"), id("g-20")]);
    assert_eq!(august.since.policies.len(), 1);
    assert_eq!(september.since.retired.iter().map(|w| w.id).collect::<Vec<_>>(), [id("op-2")]);
    assert_eq!(september.since.leaked.iter().map(|w| w.id).collect::<Vec<_>>(), [id("k-7")]);
    for page in pages {
        for source in &page.population.sources {
            assert_eq!(source.live, source.reviewed, "{}", source.name);
        }
        assert!(page.not_seen.iter().any(|n| n.items == [id("g-6")]));
        assert_eq!(page.population.orphans, if page.month.to_string() == "2026-09" { 3 } else { 0 });
    }
    assert_eq!(july.not_seen[0].why, "it began 31 days ago: 31 of 90 days are covered");
    assert!(september.keys_due.iter().any(|k| k.key.id == id("k-7") && k.state == "leaked"));
}

/// Two months later each month is what it was, and the signatures hold.
fn the_past_stays(c: &Company, pages: &[Review]) {
    let now = at("2026-10-05T10:00");
    for page in pages {
        let again = compute(&c.ws, page.month, None, now).unwrap();
        assert_eq!(page_digest(&again), page_digest(page), "{}", page.month);
        assert_eq!(annex_digest(&again), page.annex_sha256);
        assert_eq!(again.log, page.log);
        let signature = again.signature.as_ref().unwrap();
        assert!(signature.page_holds);
        assert_eq!((signature.late_days, signature.median_seconds), (0, Some(9)));
        assert!(signature.self_reviewed > 0 && signature.compensating.is_some());
        // Twice the same bytes.
        let twice = compute(&c.ws, page.month, None, now).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), serde_json::to_vec(&twice).unwrap());
    }
    let july: Month = "2026-07".parse().unwrap();
    // Another moment is another page; the signature is still told to hold for the one that was signed.
    let earlier = compute(&c.ws, july, Some(at("2026-07-20T00:00")), now).unwrap();
    assert_ne!(page_digest(&earlier), page_digest(&pages[0]));
    assert!(earlier.signature.unwrap().page_holds);
    assert_eq!((earlier.population.grants, earlier.population.expired), (16, 1));
    let october: Month = "2026-10".parse().unwrap();
    assert_eq!(compute(&c.ws, october, None, now).unwrap().as_of, now, "while a month lasts, it is as of now");
    assert!(matches!(compute(&c.ws, october.next(), None, now), Err(ReviewError::Future { .. })));
    assert!(matches!(compute(&c.ws, october, Some(now.plus(Span::DAY)), now), Err(ReviewError::Future { .. })));
    assert!(matches!(
        compute(&c.ws, october, Some(at("2026-09-01T00:00")), now),
        Err(ReviewError::BeforeTheMonth { .. })
    ));
    let june: Month = "2026-06".parse().unwrap();
    assert!(matches!(compute(&c.ws, june, None, now), Err(ReviewError::BeforeTheLog { .. })));
}

/// What was decided in August and not done is open on that page until it is done.
fn the_undone_one(c: &Company) {
    let august: Month = "2026-08".parse().unwrap();
    let decided = |page: &Review, item: &str| items(page).find(|i| i.id == id(item)).unwrap().decided.clone().unwrap();
    let now = at("2026-10-06T10:00");
    let page = compute(&c.ws, august, None, now).unwrap();
    assert_eq!((decided(&page, "g-4").remedy, page.progress.open), (Remedy::Open, 1));
    assert_eq!(decided(&page, "g-6").note.as_deref(), Some("asked the vendor"));
    assert!(decided(&page, "g-6").overridden);
    let july = compute(&c.ws, "2026-07".parse().unwrap(), None, now).unwrap();
    assert_eq!(decided(&july, "g-5").remedy, Remedy::CarriedOut);
    let seq = c.sign(now, GrantRevoked { grant: id("g-4"), reason: None });
    let page = compute(&c.ws, august, None, now.plus(Span::seconds(1))).unwrap();
    assert_eq!((decided(&page, "g-4").remedy, decided(&page, "g-4").carried_out), (Remedy::CarriedOut, Some(seq)));
    assert_eq!(page.progress.open, 0);
    assert!(page.signature.unwrap().page_holds, "carrying out later changes nothing that was signed");
}
