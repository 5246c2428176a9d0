//! `aosctl key add` as a person sees it: the real binary in a real terminal of 80 columns.
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

const SECRET: &str = "sk_canary_5f2e1c9d8b7a6453_9f2a";
const ASKED: [(&str, &str); 2] = [("the secret of stripe live: ", SECRET), ("passphrase of op-1: ", PASSPHRASE)];

fn assert_tidy(desk: &Desk) {
    let sent = String::from_utf8_lossy(&desk.bytes()).into_owned();
    assert!(!sent.contains("canary") && !sent.contains(PASSPHRASE), "{sent}");
    for line in sent.split("\r\n") {
        assert!(
            unicode_width::UnicodeWidthStr::width(line) <= 80 || line.contains('\x1b'),
            "wider than the screen: {line}"
        );
    }
    assert_only_our_control(&desk.bytes());
    assert!(desk.is_sane());
}

fn entries(b: &Bench) -> i64 {
    let c = rusqlite::Connection::open(b.db()).unwrap();
    c.query_row("SELECT count(*) FROM entries", [], |r| r.get(0)).unwrap()
}

#[test]
fn a_secret_is_typed_where_nobody_sees_it() {
    let b = Bench::new();
    let mut desk = Desk::start(&b, 80, 24, &["key", "add", "stripe live"], "");
    for (question, answer) in ASKED {
        desk.at(question, &format!("{answer}\n"));
    }
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    assert_tidy(&desk);
    let rows = desk.rows().join("\n");
    assert!(rows.contains("stripe live (k-1), token") && rows.contains("...9f2a"), "{rows}");
    let shown = b.bare().args(["key", "list"]).output().unwrap();
    assert!(text(&shown.stdout).contains("vault "), "{}", text(&shown.stdout));
    assert_eq!(code(&b.bare().args(["audit", "verify"]).output().unwrap()), 0);
}

#[test]
fn whoever_leaves_at_a_question_adds_nothing() {
    let b = Bench::new();
    let before = entries(&b);
    for (key, name) in [("\x03", "Ctrl-C"), ("\x04", "Ctrl-D")] {
        for stop in 0..ASKED.len() {
            let mut desk = Desk::start(&b, 80, 24, &["key", "add", "stripe live"], "");
            for (question, answer) in &ASKED[..stop] {
                desk.at(question, &format!("{answer}\n"));
            }
            desk.at(ASKED[stop].0, key);
            assert_ne!(desk.end(), 0, "{name} at {:?}: {:#?}", ASKED[stop].0, desk.rows());
            assert_tidy(&desk);
            assert_eq!(entries(&b), before, "{name}");
            assert!(!b.workspace().join("vault").exists(), "{name}: nothing is sealed before somebody signs");
        }
    }
}
