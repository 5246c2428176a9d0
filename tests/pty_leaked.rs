//! `aosctl key leaked` as a person at a terminal sees it, at two in the morning: 80 columns, one question after the other.
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

mod keys_world;
mod pty;
mod support;

use aosctl::domain::id::Id;
use aosctl::domain::key::{KeyFacts, LeakStep, StepOutcome};
use keys_world::{add, add_sealed, aged, agent, carry, entries_from, fed, integrate, key, size};
use pty::{Desk, assert_only_our_control};
use support::{Bench, PASSPHRASE, code, text};

const OLD: &str = "sk_live_old_old_old_9f2a";
const NEW: &str = "sk_live_new_new_new_77aa";

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn bench() -> Bench {
    let b = Bench::new();
    b.add_agent("bot");
    let tool = integrate(&b, "stripe");
    let leaked = add_sealed(&b, "stripe-live", OLD, false);
    carry(&b, agent(&b, "bot"), tool, leaked);
    b
}

fn leaked(b: &Bench, args: &[&str]) -> Desk {
    Desk::start(b, 80, 24, &[&["key", "leaked"], args].concat(), "")
}

fn outcome(b: &Bench, step: LeakStep) -> Option<StepOutcome> {
    key(b, id("k-1")).leak.unwrap().outcome(step)
}

/// No line that the terminal would have to break but for what is to be copied, no secret, and the terminal as it was.
fn assert_tidy(desk: &Desk) {
    let mut text = String::from_utf8_lossy(&desk.bytes()).into_owned();
    for style in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"] {
        text = text.replace(style, "");
    }
    for line in text.split("\r\n") {
        let typed = line.starts_with("    ");
        assert!(typed || unicode_width::UnicodeWidthStr::width(line) <= 80, "wider than the screen: {line}");
        for secret in [PASSPHRASE, OLD, NEW] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    assert_only_our_control(&desk.bytes());
    assert!(desk.is_sane());
}

#[test]
fn through_all_the_steps() {
    let b = bench();
    let before = size(&b);
    let mut d = leaked(&b, &["stripe-live"]);
    // It was closed before anything was asked.
    d.wait_for("OPEN");
    d.wait_for("next: revoke");
    d.wait_for("revoke: d done   n not needed   f failed   s later   q quit");
    assert_eq!(entries_from(&b, before), ["grant.revoked/1", "key.leaked/1"]);
    d.type_in("d");
    d.at("what shows it (Enter for nothing): ", "rolled in the dashboard\r");
    d.at("passphrase of op-1: ", &format!("{PASSPHRASE}\r"));
    d.wait_for("recorded: entry");
    d.wait_for("next: prove dead");
    d.at("prove dead: ", "d");
    // What nobody saw is not proven: an empty answer is not taken.
    d.at("what did the provider answer: ", "\r");
    d.wait_for("needs --note");
    d.at("prove dead: ", "d");
    d.at("what did the provider answer: ", "HTTP 401\r");
    d.wait_for("next: rotate");
    d.wait_for("r look again");
    // Meanwhile, in another terminal.
    let out = fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), NEW);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    d.type_in("r");
    d.wait_for("Another secret was recorded");
    d.at("rotate: d done", "d");
    d.at("what shows it (Enter for nothing): ", "\r");
    d.wait_for("next: test");
    d.at("test: d done", "d");
    d.at("what shows it (Enter for nothing): ", "\r");
    d.wait_for("next: sweep");
    d.at("sweep: w search", "w");
    let file = b.path("old.env");
    std::fs::write(&file, format!("A=1\nB={OLD}\n")).unwrap();
    d.at("a file or directory to search (Enter when that is all): ", "old.env\r");
    d.at("a file or directory to search (Enter when that is all): ", "\r");
    d.at("y/n ", "y");
    d.at("the old secret: ", &format!("{OLD}\r"));
    d.wait_for("old.env:2: the secret itself");
    d.wait_for("still named");
    assert_eq!(d.end(), 0);
    assert_eq!(outcome(&b, LeakStep::Sweep), Some(StepOutcome::Failed));
    assert!(key(&b, id("k-1")).leak_is_open());
    assert_tidy(&d);
    // Taken up again, it goes on where it was.
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "A=1\n").unwrap();
    let entries = size(&b);
    let mut d = leaked(&b, &["k-1"]);
    d.wait_for("FAILED");
    d.at("sweep: w search", "w");
    d.at("(Enter when that is all): ", "old.env\r");
    d.at("(Enter when that is all): ", "\r");
    d.at("y/n ", "n");
    d.at("passphrase of op-1: ", &format!("{PASSPHRASE}\r"));
    d.wait_for("k-1 is closed");
    assert_eq!(d.end(), 0);
    assert_eq!(entries_from(&b, entries), ["key.step/1"]);
    assert!(!key(&b, id("k-1")).leak_is_open());
    assert_tidy(&d);
    // The same line once more: it is asked whether it leaked anew, and only yes is a yes.
    let entries = size(&b);
    let mut d = leaked(&b, &["k-1"]);
    d.wait_for("and that is closed");
    d.at("Type yes to go on: ", "y\r");
    d.wait_for("aosctl key leaked k-1 --again");
    assert_eq!(d.end(), 1);
    assert_eq!(entries_from(&b, entries), Vec::<String>::new());
    assert_tidy(&d);
    let mut d = leaked(&b, &["k-1"]);
    d.at("Type yes to go on: ", "yes\r");
    d.at("revoke: d done", "q");
    assert_eq!(d.end(), 0);
    assert_eq!(entries_from(&b, entries), ["key.leaked/1"]);
    assert_tidy(&d);
    assert_eq!(code(&b.run(&["audit", "verify"])), 0);
}

#[test]
fn killed_in_between_it_goes_on() {
    let b = bench();
    let mut d = leaked(&b, &["k-1"]);
    d.at("revoke: d done", "d");
    d.at("what shows it", "\r");
    d.at("passphrase of op-1: ", &format!("{PASSPHRASE}\r"));
    d.wait_for("recorded: entry");
    d.wait_for("prove dead: ");
    std::process::Command::new("kill").args(["-9", &d.pid().to_string()]).status().unwrap();
    d.end();
    assert_eq!(outcome(&b, LeakStep::Revoke), Some(StepOutcome::Done));
    let mut d = leaked(&b, &["k-1"]);
    d.at("prove dead: d dead, I saw it   p not proven", "p");
    d.at("what happened (Enter for nothing): ", "\r");
    d.at("passphrase of op-1: ", &format!("{PASSPHRASE}\r"));
    // Not proven is not done: it is left for later, and the walk goes on.
    d.at("rotate: r look again   n not needed", "q");
    assert_eq!(d.end(), 0);
    assert_eq!(outcome(&b, LeakStep::ProveDead), Some(StepOutcome::NotProven));
    assert_tidy(&d);
    assert_eq!(code(&b.run(&["audit", "verify"])), 0);
}

#[test]
fn the_secret_is_asked_for_without_an_echo() {
    let b = bench();
    let mut d = leaked(&b, &[]);
    d.at("the secret that leaked: ", &format!("{OLD}\r"));
    d.at("passphrase of op-1: ", &format!("{PASSPHRASE}\r"));
    d.wait_for("stripe-live");
    d.at("revoke: d done", "q");
    assert_eq!(d.end(), 0);
    assert!(key(&b, id("k-1")).leak_is_open());
    assert_tidy(&d);
}

#[test]
fn several_that_end_so_are_asked_about() {
    let b = bench();
    add(&b, vec![KeyFacts { last4: Some("9f2a".into()), ..aged("twin\u{202e}x", 1) }]);
    let before = size(&b);
    let mut d = leaked(&b, &["--last4", "9f2a"]);
    d.wait_for("3  all of them");
    d.at("which one leaked [1-3]: ", "1\r");
    d.at("revoke: d done", "s");
    d.at("prove dead: ", "\x03");
    assert_eq!(d.end(), 0);
    assert_eq!(entries_from(&b, before), ["grant.revoked/1", "key.leaked/1"]);
    assert_tidy(&d);
    // Ctrl-C at the question, nothing was done; with --no-input nobody is asked.
    let before = size(&b);
    let mut d = leaked(&b, &["--last4", "9f2a"]);
    d.at("which one leaked [1-3]: ", "\x03");
    d.end();
    assert_eq!(size(&b), before);
    let mut d = leaked(&b, &["k-1", "--no-input"]);
    d.wait_for("go on step by step");
    assert_eq!(d.end(), 0);
    assert_eq!(size(&b), before);
}
