//! The pages of the review, drawn of generated companies: they fit, they say everything, nothing foreign gets through, and
//! the files in tests/snapshots/review are what would be drawn now (`AOSCTL_UPDATE=1` writes them).
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

#[path = "review_pages/company.rs"]
mod company;
#[path = "review_pages/computed.rs"]
mod computed;
#[path = "review_pages/hostile.rs"]
mod hostile;
#[path = "review_pages/read.rs"]
mod read;
#[path = "review_rules/scene.rs"]
#[allow(dead_code, reason = "the tests of the rules use all of it")]
mod scene;

use std::collections::BTreeSet;
use std::path::Path;

use aosctl::cli::commands::review::render::ReviewView;
use aosctl::cli::global::Format;
use aosctl::cli::outcome::{AnyView, Screen, View};
use aosctl::cli::style::{ColorChoice, Style};
use aosctl::cli::text::{is_hidden, width};
use aosctl::domain::review::Advice;
use aosctl::log::hash::sha256;
use aosctl::review::model::{ItemKind, Remedy, Review};
use aosctl::sys::env::Env;
use company::{Stage, company};
use computed::computed;
use hostile::hostile;

/// Lines of one sheet (review-rules.md).
const LINES: usize = 62;
const SIZES: [usize; 3] = [3, 35, 400];
const STAGES: [(Stage, &str); 2] = [(Stage::Fresh, "fresh"), (Stage::Signed, "signed")];

fn page(review: &Review, width: usize, all: bool) -> String {
    ReviewView::new(review.clone(), all).human(&Screen { width, style: Style::plain() })
}

fn report(review: &Review, format: Format) -> String {
    View::report(&ReviewView::new(review.clone(), false), format).unwrap()
}

fn json(review: &Review) -> String {
    let value = ReviewView::new(review.clone(), false).json().unwrap();
    format!("{}\n", serde_json::to_string_pretty(&value).unwrap())
}

/// One line of words: folds and margins gone.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_format_is_what_it_was() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/review");
    let update = std::env::var_os("AOSCTL_UPDATE").is_some_and(|v| v == "1");
    let mut files = Vec::new();
    for (grants, stage, name) in [
        (3, Stage::Fresh, "3-fresh"),
        (35, Stage::Fresh, "35-fresh"),
        (35, Stage::Signed, "35-signed"),
        (400, Stage::Fresh, "400-fresh"),
    ] {
        let r = company(grants, stage);
        files.push((format!("{name}.txt"), page(&r, 80, false)));
        let mut others = vec![
            (format!("{name}.annex.txt"), page(&r, 80, true)),
            (format!("{name}.md"), report(&r, Format::Markdown)),
            (format!("{name}.html"), report(&r, Format::Html)),
            (format!("{name}.csv"), report(&r, Format::Csv)),
            (format!("{name}.json"), json(&r)),
        ];
        // Megabytes that nobody reads: their digests do.
        if grants > 100 {
            let digests = others.iter().map(|(n, t)| format!("{}  {n}\n", sha256(t.as_bytes()).to_hex())).collect();
            others = vec![(format!("{name}.sha256"), digests)];
        }
        files.extend(others);
    }
    if update {
        std::fs::create_dir_all(&dir).unwrap();
    }
    let mut stale = Vec::new();
    for (name, text) in &files {
        if std::fs::read_to_string(dir.join(name)).ok().as_deref() == Some(text) {
            continue;
        }
        if update {
            std::fs::write(dir.join(name), text).unwrap();
        } else {
            stale.push(name.as_str());
        }
    }
    let wanted: BTreeSet<&str> = files.iter().map(|(n, _)| n.as_str()).collect();
    let there = std::fs::read_dir(&dir).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    stale.extend(there.filter(|n| !wanted.contains(n.as_str())).map(|_| "a file that no test draws"));
    let hint = "AOSCTL_UPDATE=1 cargo test --locked --test review_pages";
    assert!(stale.is_empty(), "\n{}\nwrite them: {hint}\n", stale.join("\n"));
}

/// Where tests/tools/pictures finds pages that are not in the repository.
fn leave(name: &str, text: &str) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("review");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(name), text).unwrap();
}

#[test]
fn the_same_value_gives_the_same_bytes() {
    for (stage, _) in STAGES {
        let (a, b) = (company(35, stage), company(35, stage));
        for format in [Format::Markdown, Format::Html, Format::Csv] {
            assert_eq!(report(&a, format), report(&b, format));
        }
        assert_eq!(page(&a, 80, true), page(&b, 80, true));
    }
}

#[test]
fn one_sheet_of_eighty_columns() {
    for grants in SIZES {
        for (stage, name) in STAGES {
            let r = company(grants, stage);
            let text = page(&r, 80, false);
            let wide: Vec<&str> = text.lines().filter(|l| width(l) > 80).collect();
            assert!(wide.is_empty(), "{grants} {name}: {wide:#?}");
            if grants <= 35 {
                assert!(text.lines().count() <= LINES, "{grants} {name}: {} lines", text.lines().count());
            }
            for line in text.lines() {
                assert_eq!(line, line.trim_end(), "nothing at the end of a line");
            }
        }
    }
}

#[test]
fn narrow_and_wide_screens_lose_nothing() {
    let r = company(35, Stage::Signed);
    for columns in [40, 50, 59, 60, 79, 80, 100, 200] {
        let text = page(&r, columns, true);
        for line in text.lines() {
            assert!(width(line) <= columns, "{columns}: {line}");
        }
        // Whatever the width, the same words in each card's reason.
        for item in &r.first {
            for word in item.findings[0].fact.split(' ') {
                assert!(text.contains(word), "{columns}: {word}");
            }
        }
    }
}

#[test]
fn wide_characters_keep_the_columns() {
    let mut r = company(35, Stage::Fresh);
    r.company = Some("株式会社アクメ".into());
    for i in r.first.iter_mut().chain(&mut r.rest) {
        if let Some(w) = &mut i.integration {
            w.name = Some(format!("倉庫{}", w.id.n));
        }
        if i.kind == ItemKind::Integration {
            i.name = Some(format!("倉庫{}", i.id.n));
        }
    }
    let text = page(&r, 80, false);
    assert!(text.lines().all(|l| width(l) <= 80));
    assert_eq!(width(text.lines().next().unwrap()), 80, "the company ends where the page ends");
    // Columns begin in the same cell, whatever stands before them.
    let at: BTreeSet<usize> =
        text.lines().filter(|l| l.starts_with("倉庫")).map(|l| width(l.split_once("2026-").unwrap().0)).collect();
    assert_eq!(at.len(), 1, "{text}");
    for verdict in ["REVOKE", "NARROW", "INVESTIGATE"] {
        assert!(text.lines().filter(|l| l.ends_with(verdict)).all(|l| width(l) == 80));
    }
}

#[test]
fn colour_says_nothing_that_words_do_not() {
    let colour = Style::decide(ColorChoice::Always, &Env::default(), true);
    for grants in [3, 35] {
        for (stage, _) in STAGES {
            let r = company(grants, stage);
            let mut text = ReviewView::new(r.clone(), true).human(&Screen { width: 80, style: colour });
            assert!(text.contains("\x1b[31m") && text.contains("\x1b[1m"));
            for code in ["0", "1", "2", "31", "32", "33"] {
                text = text.replace(&format!("\x1b[{code}m"), "");
            }
            let plain: Vec<String> = page(&r, 80, true).lines().map(str::to_string).collect();
            let stripped: Vec<String> = text.lines().map(|l| l.trim_end().to_string()).collect();
            assert_eq!(stripped, plain);
        }
    }
}

#[test]
fn decide_first_is_never_cut_short() {
    for grants in SIZES {
        for (stage, name) in STAGES {
            let r = company(grants, stage);
            assert!(!r.first.is_empty());
            let text = page(&r, 80, false);
            let all = text.split_once("DECIDE FIRST").unwrap().1.split_once("\nEVERYTHING ELSE").unwrap().0;
            let html = read::seen(&report(&r, Format::Html));
            let html = html.split_once("Everything else").unwrap().0;
            let shown = [("terminal", words(&all.replace(" \\\n", " "))), ("HTML", words(html))];
            for item in &r.first {
                let f = aosctl::review::rules::advice(&item.findings).unwrap_or(&item.findings[0]);
                let verdict = item.decided.as_ref().map_or(item.advice, |d| d.decision);
                for (format, text) in &shown {
                    let about = format!("{grants} {name} {format} {}", item.id);
                    assert!(text.contains(&format!("{} ", item.id)), "{about}");
                    assert!(text.contains(f.rule.id()) && text.contains(&words(&f.fact)), "{about}: the reason");
                    let entries = format!("{}-{}", f.entries.first, f.entries.last);
                    assert!(text.contains(&entries), "{about}: the entries");
                    if let (Some(window), Some(seen), true) = (f.window_days, f.covered_days, f.rule.looks_at_uses()) {
                        let all = format!("all {window} days seen");
                        let some = format!("{seen} of {window} days seen");
                        assert!(text.contains(if seen >= window { &all } else { &some }), "{about}: the coverage");
                    }
                    assert!(text.to_lowercase().contains(verdict.as_str()), "{about}: the advice or the decision");
                    for other in &item.findings {
                        assert!(text.contains(other.rule.id()), "{about}: what else speaks");
                    }
                    let open = item.decided.as_ref().is_none_or(|d| d.remedy == Remedy::Open);
                    let command = item.command.as_ref().unwrap();
                    assert_eq!(text.contains(command.as_str()), open, "{about}: {command}");
                }
            }
        }
    }
}

/// The ten points of review-rules.md, on the page or in its annex, in the terminal, in Markdown and in HTML.
#[test]
fn the_page_is_evidence() {
    for grants in SIZES {
        let r = company(grants, Stage::Signed);
        let plain = |md: String| md.replace('\\', "").replace("&lt;", "<").replace("&gt;", ">").replace('`', "");
        for (format, text) in [
            ("terminal", words(&page(&r, 80, true))),
            ("Markdown", words(&plain(report(&r, Format::Markdown)))),
            ("HTML", words(&read::seen(&report(&r, Format::Html)))),
        ] {
            let has = |point: u8, what: &str| {
                assert!(text.contains(&words(what)), "{grants} {format}: point {point}: {what:?} is missing");
            };
            // 1. Population: reviewed of live by source, the question, the version, sources that failed.
            for s in &r.population.sources {
                match &s.failed {
                    Some(why) => {
                        has(1, &format!("{} NOT READ", s.name));
                        has(1, why);
                    }
                    None => has(1, &format!("{}/{} {}", s.reviewed, s.live, s.name)),
                }
                has(1, &s.query);
            }
            has(1, &r.tool);
            // 2. Agents, people, keys, third parties, admins, disabled but present, orphans.
            let p = &r.population;
            has(2, &format!("{} grants ({} write, {} admin)", p.grants, p.writing - p.admin, p.admin));
            has(2, &format!("{} expired", p.expired));
            has(2, &format!("({} inactive)", p.inactive_keys));
            has(2, &format!("{} agents ({} frozen)", p.agents, p.frozen));
            has(2, &format!("{} operator", p.operators));
            has(2, &format!("{} integrations ({} outside)", p.integrations, p.third_parties));
            has(2, &format!("{} orphan", p.orphans));
            // 3. Who reviewed; each self-review flagged, with what compensates.
            let s = r.signature.as_ref().unwrap();
            has(3, &format!("signed by {} ({})", s.by.name.as_ref().unwrap(), s.by.id));
            has(3, &format!("{} self-reviewed", s.self_reviewed));
            has(3, s.compensating.as_ref().unwrap());
            let flagged = text.matches("SELF-REVIEW").count();
            let selves = r.first.iter().chain(&r.rest).filter(|i| i.decided.as_ref().unwrap().self_review).count();
            assert!(flagged >= selves && selves > 0, "{grants} {format}: {flagged} of {selves} flagged");
            // 4. and 5. Each item: decision, reason, time, entry; the recommendation beside it, a note where overridden.
            for i in r.first.iter().chain(&r.rest) {
                let d = i.decided.as_ref().unwrap();
                has(4, &format!("{}", i.id));
                has(4, &format!("decided by {} 2026-11-03, entry {}", d.by.name.as_ref().unwrap(), d.seq));
                for f in &i.findings {
                    has(4, &f.fact);
                    has(4, &format!("; {})", f.advice));
                }
                if d.overridden {
                    has(5, &format!("{} was advised", d.advice));
                    has(5, d.note.as_ref().unwrap());
                }
                // 6. What was done, when it was seen, what is only declared, what is open.
                match d.remedy {
                    Remedy::CarriedOut => has(6, &format!("done in {}", d.carried_out.unwrap())),
                    Remedy::Declared => has(6, "declared done"),
                    Remedy::Open => has(6, "OPEN: not carried out"),
                    Remedy::Nothing => assert!(matches!(d.decision, Advice::Keep | Advice::Investigate)),
                }
            }
            // 7. Sign-off. 8. In time, and the next one.
            has(7, &format!("2026-11-03 10:12 UTC, entry {}", s.seq));
            has(8, "in time");
            has(8, "next review due 2026-12-08");
            // 9. Share kept, median, the signal.
            has(9, &format!("{}.{} % kept, median 4 s a decision", s.kept_per_mille / 10, s.kept_per_mille % 10));
            has(9, s.rubber_stamp.as_ref().unwrap());
            // 10. Digests and the head of the log.
            has(10, &r.annex_sha256);
            has(10, &s.page);
            has(10, &r.log.leaf);
            has(10, &format!("{}, 1,204 entries", r.log.origin));
        }
    }
}

#[test]
fn late_unsigned_and_broken_pages_say_so() {
    let mut r = company(3, Stage::Fresh);
    for text in [page(&r, 80, false), read::seen(&report(&r, Format::Html)), report(&r, Format::Markdown)] {
        assert!(text.contains("NOT SIGNED") && text.contains("2026-12-08"), "{text}");
        assert!(text.contains("aosctl review sign --month 2026-10"), "{text}");
    }
    r = company(3, Stage::Signed);
    let s = r.signature.as_mut().unwrap();
    (s.late_days, s.page_holds, s.median_seconds, s.compensating) = (3, false, None, None);
    for text in [page(&r, 80, false), read::seen(&report(&r, Format::Html)), report(&r, Format::Markdown)] {
        let text = words(&text);
        for said in ["3 days LATE", "DOES NOT HOLD", "decided by a script", "nothing compensates for it"] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
    let mut empty = company(3, Stage::Fresh);
    (empty.first, empty.rest, empty.customer_data) = (Vec::new(), Vec::new(), Vec::new());
    (empty.keys_due, empty.not_seen) = (Vec::new(), Vec::new());
    empty.progress.items = 0;
    let text = page(&empty, 80, true);
    assert!(text.contains("nothing: no rule speaks against any item"), "{text}");
    read::html(&report(&empty, Format::Html));
}

#[test]
fn csv_reads_back_as_one_row_an_item() {
    for (grants, stage) in [(3, Stage::Fresh), (35, Stage::Signed), (400, Stage::Signed)] {
        let r = company(grants, stage);
        let text = report(&r, Format::Csv);
        assert!(!text.starts_with('\u{feff}'), "no byte order mark");
        let records = read::csv(&text);
        let head = &records[0];
        let rows = &records[1..];
        assert_eq!(head.iter().collect::<BTreeSet<_>>().len(), head.len(), "no column stands twice");
        let items: Vec<_> = r.first.iter().chain(&r.rest).collect();
        assert_eq!(rows.len(), items.len());
        let column = |name: &str| head.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"));
        for (row, item) in rows.iter().zip(&items) {
            assert_eq!(row.len(), head.len());
            let cell = |name: &str| row[column(name)].as_str();
            assert_eq!(cell("item"), item.id.to_string());
            assert_eq!(cell("advice"), item.advice.as_str());
            assert_eq!(cell("first_entry"), item.entries.first.to_string());
            assert_eq!(cell("log_head"), r.log.leaf);
            assert_eq!(cell("fact"), item.findings.first().map_or("", |f| f.fact.as_str()));
            let d = item.decided.as_ref();
            assert_eq!(cell("decision"), d.map_or("", |d| d.decision.as_str()));
            assert_eq!(cell("decided_entry"), d.map_or(String::new(), |d| d.seq.to_string()));
            assert_eq!(cell("decided_at"), d.map_or(String::new(), |d| d.at.to_string()));
            assert_eq!(cell("self_review"), d.map_or("", |d| if d.self_review { "yes" } else { "no" }));
            assert_eq!(cell("note"), d.and_then(|d| d.note.as_deref()).unwrap_or_default());
        }
    }
}

#[test]
fn html_is_one_file_that_fetches_and_runs_nothing() {
    for grants in SIZES {
        for (stage, name) in STAGES {
            let text = report(&company(grants, stage), Format::Html);
            hold_to_our_tags(&text, &format!("{grants} {name}"));
            leave(&format!("{grants}-{name}.html"), &text);
            assert!(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
            assert!(text.contains("default-src 'none'; style-src 'sha256-"));
            assert!(
                !text.contains("@import") && !text.contains("url(") && !text.contains("http:"),
                "nothing from outside"
            );
        }
    }
}

/// Our own tags and attributes only, links only within the page and to something, no id twice.
fn hold_to_our_tags(text: &str, about: &str) {
    const TAGS: &[&str] = &[
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "h3",
        "p", "span", "small", "b", "br", "a", "code", "time", "dl", "dt", "dd", "div", "table", "thead", "tbody", "tr",
        "th", "td", "progress", "bdi",
    ];
    let tags = read::html(text);
    let mut ids = BTreeSet::new();
    let mut links = BTreeSet::new();
    for tag in tags.iter().filter(|t| !t.closes) {
        assert!(TAGS.contains(&tag.name.as_str()), "{about}: <{}>", tag.name);
        assert!(tag.name != "th" || tag.attributes.iter().any(|(k, _)| k == "scope"), "{about}: <th> without scope");
        for (key, value) in &tag.attributes {
            match key.as_str() {
                "id" => assert!(ids.insert(value.clone()), "{about}: {value} stands twice"),
                "href" => {
                    links.insert(value.strip_prefix('#').expect(about).to_string());
                }
                "aria-labelledby" => {
                    links.insert(value.clone());
                }
                "class" | "scope" | "lang" | "charset" | "name" | "content" | "http-equiv" | "datetime" | "max"
                | "value" | "aria-label" => {}
                _ => panic!("{about}: {key} of <{}>", tag.name),
            }
        }
    }
    assert!(links.is_subset(&ids), "{about}: links into nothing: {:?}", links.difference(&ids).collect::<Vec<_>>());
}

#[test]
fn no_attack_survives_in_any_format() {
    for grants in [3, 35] {
        let r = hostile(grants);
        for columns in [40, 80] {
            let text = page(&r, columns, true);
            assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)), "something hidden on the terminal");
            // A command is never broken in the middle of a word, because it is to be pasted.
            for line in text.lines().filter(|l| width(l) > columns) {
                assert!(line.starts_with(' ') && line.contains(r"\x1b[31mred"), "{columns}: {line}");
            }
        }
        for (format, name) in [(Format::Markdown, "Markdown"), (Format::Html, "HTML"), (Format::Csv, "CSV")] {
            let text = report(&r, format);
            let ours = |c: char| c == '\n' || (format == Format::Csv && c == '\r');
            let hidden: BTreeSet<char> = text.chars().filter(|c| !ours(*c) && is_hidden(*c)).collect();
            assert!(hidden.is_empty(), "hidden in {name}: {hidden:?}");
        }
        hold_to_our_tags(&report(&r, Format::Html), "hostile");
        leave(&format!("{grants}-hostile.html"), &report(&r, Format::Html));
        assert!(read::seen(&report(&r, Format::Html)).contains("<script>alert(1)</script>"), "shown, not run");

        let markdown = report(&r, Format::Markdown);
        for line in markdown.lines() {
            let bare = line.replace(r"\\", "").replace(r"\]", "").replace(r"\!", "").replace(r"\[", "");
            assert!(!bare.contains(['[', ']', '!']), "{line}");
            assert!(!line.contains("<script") && !line.contains("<!--"), "{line}");
            assert!(!line.contains("://evil") && !line.contains("www.evil"), "links itself: {line}");
            let begins = ["# Access", "# Annex", "## ", "- ", "| ", "|--", "**Progress", "---", "SHA-256 "];
            let ours =
                line.is_empty() || begins.iter().any(|b| line.starts_with(b)) || line.starts_with(char::is_numeric);
            assert!(ours, "a line of its own: {line}");
            assert!(!line.starts_with("- - ") && !line.starts_with("- #") && !line.starts_with("-     "), "{line}");
        }
        // Every row of a table has the cells of its head.
        let mut columns = 0;
        for line in markdown.lines() {
            let bars = line.replace(r"\\", "").replace(r"\|", "").matches('|').count();
            match line.starts_with('|') {
                true if columns == 0 => columns = bars,
                true => assert_eq!(bars, columns, "{line}"),
                false => columns = 0,
            }
        }

        for record in read::csv(&report(&r, Format::Csv)).iter().skip(1) {
            for cell in record {
                let first = cell.chars().next();
                let formula = first.is_some_and(|c| "=+-@\t\r＝＋－＠".contains(c));
                assert!(!formula, "a formula: {cell}");
            }
        }
        // JSON is data: whoever shows it escapes it. It must come back as it went in.
        let value: serde_json::Value = serde_json::from_str(&json(&r)).unwrap();
        assert_eq!(value["company"].as_str(), r.company.as_deref());
        assert!(!json(&r).contains('\u{1b}'), "controls are escaped in JSON");
    }
}

#[test]
fn the_json_holds_to_its_schema() {
    let schemas = aosctl::cli::generate::schemas();
    let (_, schema) = schemas.iter().find(|(name, _)| name == "aosctl.review/v1").expect("a published schema");
    let validator = jsonschema::validator_for(schema).unwrap();
    for grants in SIZES {
        for (stage, _) in STAGES {
            let value: serde_json::Value = serde_json::from_str(&json(&company(grants, stage))).unwrap();
            let faults: Vec<String> =
                validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(faults.is_empty(), "{faults:?}");
        }
    }
}

#[test]
fn what_the_rules_compute_fits_as_well() {
    for grants in [3, 35, 400] {
        let r = computed(grants);
        let text = page(&r, 80, false);
        println!("{text}");
        assert!(text.lines().all(|l| width(l) <= 80), "{text}");
        if grants <= 35 {
            assert!(text.lines().count() <= LINES, "{} lines, {} first", text.lines().count(), r.first.len());
        }
        for item in &r.first {
            assert!(words(&text).contains(&words(&item.findings[0].fact)), "{}: {text}", item.id);
        }
        hold_to_our_tags(&report(&r, Format::Html), "computed");
        leave(&format!("{grants}-computed.html"), &report(&r, Format::Html));
        assert_eq!(read::csv(&report(&r, Format::Csv)).len(), r.first.len() + r.rest.len() + 1);
    }
}

/// WCAG 2.2, 1.4.3: 4.5 to 1 for every colour of text on every ground it stands on, light and dark.
#[test]
fn every_text_can_be_read() {
    let html = report(&company(3, Stage::Fresh), Format::Html);
    let palettes: Vec<&str> = html.split(":root {").skip(1).map(|p| p.split_once('}').unwrap().0).collect();
    assert_eq!(palettes.len(), 2, "light and dark");
    for palette in palettes {
        let colour = |name: &str| {
            let hex = palette.split_once(&format!("--{name}: #")).expect(name).1;
            let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
            0.2126 * linear(part(0)) + 0.7152 * linear(part(2)) + 0.0722 * linear(part(4))
        };
        for (text, grounds) in [
            ("ink", ["paper", "wash", "warn-wash"].as_slice()),
            ("soft", &["paper", "wash"]),
            ("bad", &["paper", "wash", "bad-wash"]),
            ("warn", &["paper", "wash", "warn-wash"]),
            ("good", &["paper", "wash"]),
            ("link", &["paper", "wash", "warn-wash"]),
        ] {
            for ground in grounds {
                let (a, b) = (colour(text), colour(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
            }
        }
    }
}
