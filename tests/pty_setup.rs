//! `aosctl init` and `aosctl connect` as a person sees them: the real binary in a real terminal of 80 columns.
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

mod pty;
mod support;

use pty::{Desk, assert_only_our_control};
use support::{Bench, PASSPHRASE, code, text};

/// What `init` asks, in its order, each with an answer.
const INIT: [(&str, &str); 7] = [
    ("the company's name: ", "ACME"),
    ("your name: ", "Ada"),
    ("most money to move at once without a question [1,000.00 USD]: ", "250EUR"),
    ("most money in any 7 days, all agents together [2,500.00 EUR]: ", ""),
    ("a passphrase for your operator identity: ", PASSPHRASE),
    ("the same again: ", PASSPHRASE),
    ("a recovery code for paper? without one a lost passphrase is lost [Y/n]: ", "n"),
];

/// What `connect` asks.
const CONNECT: [(&str, &str); 8] = [
    ("which integration [1-", "1"),
    ("which agent [1-1]: ", "1"),
    ("scope: ", "repo:acme/app"),
    ("[read]: ", ""),
    ("[internal]: ", ""),
    ("mission (Enter for none): ", "ship 1.4"),
    ("[90d]: ", "30d"),
    ("passphrase of op-1: ", PASSPHRASE),
];

fn start(b: &Bench, args: &[&str]) -> Desk {
    Desk::start(b, 80, 24, args, "")
}

/// Everything that was sent, line by line, without styles.
fn sent(desk: &Desk) -> Vec<String> {
    let mut text = String::from_utf8_lossy(&desk.bytes()).into_owned();
    for style in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"] {
        text = text.replace(style, "");
    }
    text.split("\r\n").map(ToString::to_string).collect()
}

/// No line that the terminal would have to break, no secret, no stray control, and the terminal as it was.
fn assert_tidy(desk: &Desk) {
    for line in sent(desk) {
        // A word by itself is there to be copied, and cannot be broken.
        let word = !line.trim().contains(' ');
        let fits = unicode_width::UnicodeWidthStr::width(line.as_str()) <= 80;
        assert!(fits || word, "wider than the screen: {line}");
        assert!(!line.contains(PASSPHRASE), "{line}");
    }
    assert_only_our_control(&desk.bytes());
    assert!(desk.is_sane());
}

/// What lies in the bench besides the passphrase file.
fn left(b: &Bench) -> Vec<String> {
    let names = std::fs::read_dir(b.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|n| n != "pass").collect()
}

fn entries(b: &Bench) -> i64 {
    let c = rusqlite::Connection::open(b.db()).unwrap();
    c.query_row("SELECT count(*) FROM entries", [], |r| r.get(0)).unwrap()
}

#[test]
fn init_asks_for_names_caps_and_a_passphrase_twice() {
    let b = Bench::empty();
    let mut desk = start(&b, &["init"]);
    for (question, answer) in &INIT[..4] {
        desk.at(question, &format!("{answer}\n"));
    }
    // Too short, then not the same again, then right.
    desk.at(INIT[4].0, "1234\n");
    desk.wait_for("has 4 characters");
    desk.at(INIT[4].0, &format!("{PASSPHRASE}\n"));
    desk.at(INIT[5].0, &format!("{PASSPHRASE}x\n"));
    desk.wait_for("the two are not the same");
    desk.at(INIT[4].0, &format!("{PASSPHRASE}\n"));
    desk.at(INIT[5].0, &format!("{PASSPHRASE}\n"));
    desk.at(INIT[6].0, "n\n");
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    assert_tidy(&desk);
    let said = sent(&desk).join("\n");
    assert!(said.contains("250.00 EUR at once or 2,500.00 EUR in 7 days asks"), "{said}");
    for next in [
        "aosctl operator recovery new",
        "aosctl integration add",
        "aosctl agent add",
        "aosctl connect",
        "aosctl freeze",
    ] {
        assert!(said.contains(next), "{next}: {said}");
    }
    assert_eq!(code(&b.bare().args(["audit", "verify"]).output().unwrap()), 0);
    // It is the passphrase that was typed.
    b.ok(&["agent", "add", "build-bot"]);
}

#[test]
fn a_passphrase_that_is_never_repeated_makes_nothing() {
    let b = Bench::empty();
    let mut desk =
        start(&b, &["init", "--name", "ACME", "--operator", "Ada", "--cap-move", "5USD", "--cap-week", "9USD"]);
    for n in 0..3 {
        desk.at(INIT[4].0, &format!("{PASSPHRASE}\n"));
        desk.at(INIT[5].0, &format!("{PASSPHRASE} {n}\n"));
        desk.wait_for("the two are not the same");
    }
    assert_eq!(desk.end(), 3, "{:#?}", desk.rows());
    assert_tidy(&desk);
    assert_eq!(left(&b), Vec::<String>::new());
}

#[test]
fn init_that_is_left_at_any_question_makes_nothing() {
    for (key, name) in [("\x03", "Ctrl-C"), ("\x04", "Ctrl-D")] {
        for stop in 0..INIT.len() {
            let b = Bench::empty();
            let mut desk = start(&b, &["init"]);
            for (question, answer) in &INIT[..stop] {
                desk.at(question, &format!("{answer}\n"));
            }
            desk.at(INIT[stop].0, key);
            assert_ne!(desk.end(), 0, "{name} at {:?}: {:#?}", INIT[stop].0, desk.rows());
            assert_tidy(&desk);
            assert_eq!(left(&b), Vec::<String>::new(), "{name} at {:?}", INIT[stop].0);
        }
    }
}

fn bench() -> Bench {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&["integration", "add", "github", "--kind", "github"]);
    b
}

#[test]
fn connect_asks_from_the_catalogue_and_shows_five_lines_before_the_signature() {
    let b = bench();
    let mut desk = start(&b, &["connect"]);
    for (question, answer) in &CONNECT[..7] {
        desk.at(question, &format!("{answer}\n"));
    }
    desk.wait_for(CONNECT[7].0);
    // As it stands on the screen in that moment: the five lines, whole, above the question.
    let rows = desk.rows();
    let heads = ["acts for", "reaches", "asks about", "leaves", "close it"];
    let at: Vec<usize> = heads
        .iter()
        .map(|h| rows.iter().position(|r| r.starts_with(h)).unwrap_or_else(|| panic!("{h}: {rows:#?}")))
        .collect();
    assert!(at.is_sorted(), "{rows:#?}");
    assert!(rows.iter().rposition(|r| r.starts_with("passphrase of op-1:")).unwrap() > at[4], "{rows:#?}");
    assert_eq!(entries(&b), 4, "nothing is signed yet");
    desk.type_in(&format!("{PASSPHRASE}\n"));
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    assert_tidy(&desk);
    let shown = text(&b.bare().args(["grant", "show", "g-1"]).output().unwrap().stdout);
    assert!(shown.contains("repo:acme/app") && shown.contains("ship 1.4"), "{shown}");
}

#[test]
fn connect_that_is_left_at_any_question_opens_nothing() {
    let b = bench();
    let before = entries(&b);
    for (key, name) in [("\x03", "Ctrl-C"), ("\x04", "Ctrl-D")] {
        for stop in 0..CONNECT.len() {
            let mut desk = start(&b, &["connect"]);
            for (question, answer) in &CONNECT[..stop] {
                desk.at(question, &format!("{answer}\n"));
            }
            desk.at(CONNECT[stop].0, key);
            assert_ne!(desk.end(), 0, "{name} at {:?}: {:#?}", CONNECT[stop].0, desk.rows());
            assert_tidy(&desk);
            assert_eq!(entries(&b), before, "{name} at {:?}", CONNECT[stop].0);
        }
    }
    assert_eq!(code(&b.bare().args(["audit", "verify"]).output().unwrap()), 0);
}

/// The window is closed while a passphrase is being typed.
#[test]
fn a_terminal_that_goes_away_ends_it_and_makes_nothing() {
    let b = Bench::empty();
    let mut desk =
        start(&b, &["init", "--name", "ACME", "--operator", "Ada", "--cap-move", "5USD", "--cap-week", "9USD"]);
    desk.at(INIT[4].0, "correct hor");
    desk.hang_up();
    assert_eq!(left(&b), Vec::<String>::new());
}
