//! `aosctl review decide` as a person sees it: the real binary in a real terminal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod pty;
mod review_world;
mod support;

use aosctl::domain::access::Access;
use aosctl::domain::event::{GrantRenewed, GrantRevoked};
use aosctl::domain::facts::Facts;
use aosctl::domain::time::Span;
use pty::{Desk, assert_only_our_control, assert_snapshot};
use review_world::{World, id};
use support::PASSPHRASE;

fn start(w: &World) -> Desk {
    let mut desk = Desk::start(&w.bench, 80, 40, &["review", "decide", "--month", &w.month.to_string()], "cat");
    desk.at("any key begins  q leaves > ", " ");
    desk
}

/// Everything that was sent, without styles.
fn said(desk: &Desk) -> String {
    let mut text = String::from_utf8_lossy(&desk.bytes()).replace("\r\n", "\n");
    for style in ["\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"] {
        text = text.replace(style, "");
    }
    text
}

/// Every question of the world, in order.
const SINGLE: [&str; 5] = ["k-1", "g-2", "k-2", "g-4", "g-3"];
const FOLDS: [&str; 5] = ["github", "integrations", "stripe", "agents", "operators"];

fn passphrase(desk: &mut Desk) {
    desk.at("passphrase of op-1: ", &format!("{PASSPHRASE}\n"));
}

/// Takes the advice for all of these.
fn enter(desk: &mut Desk, labels: &[&str]) {
    for label in labels {
        desk.at(&format!("[{label}] > "), "\r");
    }
}

/// The screen, the same in every month.
fn snapshot(w: &World, name: &str, desk: &Desk) {
    let months = [w.month.to_string(), w.month.before().to_string()];
    let rows: Vec<String> = desk
        .rows()
        .iter()
        .map(|r| pty::without_moments(r).replace(&months[0], "MONTH-0").replace(&months[1], "MONTH-1"))
        .collect();
    assert_snapshot(name, &rows);
}

/// Words without line breaks: what was said, however it was folded.
fn words(desk: &Desk) -> String {
    said(desk).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_whole_session_with_enter_one_passphrase_and_the_signature() {
    let w = World::new();
    let before = w.size();
    let mut desk = start(&w);
    desk.wait_for("[k-1] > ");
    let page = words(&desk);
    for part in [
        "ACCESS REVIEW",
        "ACME",
        "DECIDE FIRST",
        "EVERYTHING ELSE",
        "CUSTOMER DATA",
        "KEYS DUE",
        "NOT SEEN",
        "SIGNATURE",
        "5 that come first, 9 others",
    ] {
        assert!(page.to_uppercase().contains(&part.to_uppercase()), "{part}: {page}");
    }
    snapshot(&w, "review-decide-item", &desk);
    desk.type_in("\r");
    enter(&mut desk, &SINGLE[1..]);
    desk.wait_for("[github] > ");
    snapshot(&w, "review-decide-fold", &desk);
    desk.type_in("\r");
    enter(&mut desk, &FOLDS[1..]);
    desk.wait_for("[decided] > ");
    snapshot(&w, "review-decide-end", &desk);
    assert_eq!(w.size(), before, "nothing is recorded before the end");
    desk.type_in("c");
    passphrase(&mut desk);
    desk.wait_for("sign the review of");
    desk.at("n not yet > ", "y");
    assert_eq!(desk.end(), 1, "keys are OPEN: {}", said(&desk));
    assert_only_our_control(&desk.bytes());
    assert!(desk.is_sane());
    assert_eq!(said(&desk).matches("passphrase of").count(), 1, "one passphrase for all of it");
    assert!(w.is_signed() && w.is_revoked("g-2"));
    let narrowed = w.ws.facts().grant(id("g-3")).unwrap().unwrap();
    assert_eq!(narrowed.access.to_string(), "read");
    assert_eq!(w.entries_from(before), ["grant.revoked/1", "grant.narrowed/1", "review.decided/1", "review.signed/1"]);
    let d = w.decided("g-2").unwrap();
    assert_eq!((d.carried_out, d.self_review), (Some(before), true));
    assert!(d.took_ms.is_some_and(|ms| ms < 60_000), "{d:?}");
    assert_eq!(d.rules, ["AR-01"]);
    w.assert_whole();
}

#[test]
fn overriding_asks_for_a_note_and_undo_takes_it_back() {
    let w = World::new();
    let mut desk = start(&w);
    enter(&mut desk, &["k-1"]);
    // Empty goes back; a note is required.
    desk.at("[g-2] > ", "k");
    desk.at("revoke is advised", "");
    desk.at("why keep? (goes into the log; empty goes back): ", "\n");
    desk.at("[g-2] > ", "k");
    desk.at("empty goes back): ", "moved to Q1, see ticket 12\n");
    // Taken back, and decided otherwise.
    desk.at("[k-2] > ", "u");
    desk.wait_for("taken back");
    desk.at("[g-2] > ", "i");
    desk.at("empty goes back): ", "ask the release team\n");
    enter(&mut desk, &["k-2"]);
    // Nobody knows whether it is used: not kept without a word.
    desk.at("[g-4] > ", "k");
    desk.at("(AR-02)", "");
    desk.at("empty goes back): ", "reads the status page by hand\n");
    desk.at("[g-3] > ", "n");
    desk.at("[github] > ", "q");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    desk.at("n not yet > ", "n");
    assert_eq!(desk.end(), 5, "the rest is not decided");
    assert!(!w.is_revoked("g-2") && !w.is_signed());
    let d = w.decided("g-2").unwrap();
    assert_eq!(d.decision.as_str(), "investigate");
    let out = w.bench.run(&["--json", "review", "--month", &w.month.to_string()]);
    let v = review_world::json(&out);
    let note = |item: &str| {
        let all = v["first"].as_array().unwrap();
        all.iter().find(|i| i["id"] == item).unwrap()["decided"]["note"].clone()
    };
    assert_eq!(note("g-2"), "ask the release team");
    assert_eq!(note("g-4"), "reads the status page by hand");
    assert_eq!(w.decided("g-1"), None);
    w.assert_whole();
}

#[test]
fn quitting_loses_nothing_and_it_goes_on_where_it_was_left() {
    let w = World::new();
    let before = w.size();
    let mut desk = start(&w);
    enter(&mut desk, &["k-1", "g-2"]);
    desk.at("[k-2] > ", "s");
    desk.at("[g-4] > ", "\x03");
    desk.wait_for("2 items are decided");
    desk.at("[decided] > ", "b");
    desk.at("[g-4] > ", "q");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    assert_eq!(desk.end(), 5);
    assert!(!said(&desk).contains("sign the review"), "something that comes first is not decided");
    assert!(w.is_revoked("g-2"));
    assert_eq!(w.entries_from(before), ["grant.revoked/1", "review.decided/1"]);
    // Again: what is decided is not asked for any more.
    let mut desk = start(&w);
    enter(&mut desk, &["k-2", "g-4", "g-3"]);
    enter(&mut desk, &FOLDS);
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    desk.at("n not yet > ", "y");
    assert_eq!(desk.end(), 1);
    assert!(w.is_signed());
    // And there is nothing left.
    let mut desk = Desk::start(&w.bench, 80, 40, &["review", "decide", "--month", &w.month.to_string()], "cat");
    assert_eq!(desk.end(), 1);
    assert!(words(&desk).contains("was signed by ops (op-1)"));
    w.assert_whole();
}

#[test]
fn dropping_is_asked_twice_and_records_nothing() {
    let w = World::new();
    let before = w.size();
    let mut desk = start(&w);
    enter(&mut desk, &["k-1", "g-2"]);
    desk.at("[k-2] > ", "q");
    desk.at("[decided] > ", "d");
    desk.at("drop your 2 decisions? nothing is recorded then (y drops) > ", "n");
    desk.at("[decided] > ", "d");
    desk.at("(y drops) > ", "y");
    assert_eq!(desk.end(), 5);
    assert_eq!(w.size(), before);
    assert!(desk.is_sane());
}

#[test]
fn a_wrong_passphrase_loses_nothing() {
    let w = World::new();
    let mut desk = start(&w);
    enter(&mut desk, &["k-1", "g-2"]);
    desk.at("[k-2] > ", "q");
    desk.at("[decided] > ", "c");
    desk.at("passphrase of op-1: ", "not it\n");
    desk.at("that is not the passphrase of op-1; try again: ", "\n");
    desk.at("try again: ", "nor this\n");
    desk.wait_for("nothing is lost");
    desk.at("[decided] > ", "c");
    desk.at("passphrase of op-1: ", "\x03");
    desk.wait_for("nothing is recorded yet");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    assert_eq!(desk.end(), 5);
    assert!(w.is_revoked("g-2"));
    assert!(!said(&desk).contains("not it"));
    assert!(desk.is_sane());
}

#[test]
fn keeps_can_be_taken_apart() {
    let w = World::new();
    let mut desk = start(&w);
    enter(&mut desk, &SINGLE);
    desk.at("[github] > ", "o");
    desk.at("[g-1] > ", "\r");
    desk.at("[g-5] > ", "r");
    desk.at("why revoke?", "the docs moved\n");
    desk.at("[integrations] > ", "r");
    desk.wait_for("that key does nothing here");
    desk.at("[integrations] > ", "q");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    desk.at("n not yet > ", "n");
    assert_eq!(desk.end(), 5);
    assert!(w.is_revoked("g-5") && !w.is_revoked("g-1"));
}

#[test]
fn what_cannot_be_is_said_and_asked_again() {
    let w = World::new();
    let mut desk = start(&w);
    desk.at("[k-1] > ", "n");
    desk.wait_for("k-1 is no grant, and only a grant is narrowed");
    desk.at("[k-1] > ", "x");
    desk.wait_for("that key does nothing here; ? shows the keys");
    // A paste decides nothing.
    desk.at("[k-1] > ", "kkkk");
    desk.wait_for("that key does nothing here");
    desk.at("[k-1] > ", "?");
    desk.wait_for("have the key turned over");
    desk.at("[k-1] > ", "u");
    desk.wait_for("there is nothing to take back");
    desk.at("[k-1] > ", "q");
    assert_eq!(desk.end(), 5);
}

#[test]
fn what_happened_meanwhile_is_said_and_nothing_that_grew_is_kept_silently() {
    let w = World::new();
    // After the end of the month: one door closed, one renewed, one replaced by a wider one.
    let at = w.end.plus(Span::seconds(60));
    w.sign(at, GrantRevoked { grant: id("g-2"), reason: None });
    w.sign(at, GrantRenewed { grant: id("g-3"), until: Some(at.plus(Span::days(364))), reason: None });
    let mut wide = w.issued(id("g-6"), review_world::CI, "repo:acme/*", Access::Write, at.plus(Span::days(300)));
    wide.replaces = Some(id("g-5"));
    w.sign(at, wide);
    w.sign(at, GrantRevoked { grant: id("g-5"), reason: None });
    let before = w.size();
    let mut desk = start(&w);
    enter(&mut desk, &["k-1"]);
    desk.wait_for("it was closed meanwhile, by entry");
    desk.at("[g-2] > ", "\r");
    enter(&mut desk, &["k-2", "g-4"]);
    desk.wait_for("meanwhile its end was");
    desk.at("[g-3] > ", "k");
    desk.at("since the page was made: its end was", "");
    desk.at("empty goes back): ", "renewed on purpose\n");
    // Nothing spoke against it, but it was replaced: asked by itself.
    desk.wait_for("g-6 took its place");
    desk.at("[g-5] > ", "\r");
    desk.at("[github] > ", "q");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    desk.at("n not yet > ", "n");
    assert_eq!(desk.end(), 5);
    assert_eq!(w.entries_from(before), ["review.decided/1"], "nothing is closed twice");
    let d = w.decided("g-2").unwrap();
    assert_eq!((d.decision.as_str(), d.carried_out), ("revoke", Some(before - 4)));
    assert_eq!(w.decided("g-3").unwrap().decision.as_str(), "keep");
    w.assert_whole();
}

#[test]
fn what_grows_while_it_is_decided_is_asked_again() {
    let w = World::new();
    let mut desk = start(&w);
    enter(&mut desk, &SINGLE);
    desk.at("[github] > ", "\r");
    desk.wait_for("[integrations] > ");
    let now = review_world::now();
    w.sign(now, GrantRenewed { grant: id("g-1"), until: Some(now.plus(Span::days(364))), reason: None });
    let before = w.size();
    desk.type_in("q");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    desk.wait_for("g-1 changed while you were deciding: its end was");
    assert_eq!(w.size(), before, "nothing is recorded");
    enter(&mut desk, &FOLDS[1..]);
    desk.at("[g-1] > ", "k");
    desk.at("empty goes back): ", "the release was moved\n");
    desk.at("[decided] > ", "c");
    desk.at("n not yet > ", "y");
    assert_eq!(desk.end(), 1);
    assert!(w.is_signed());
    assert_eq!(said(&desk).matches("passphrase of").count(), 1);
    w.assert_whole();
}

#[test]
fn another_operator_is_quicker() {
    let w = World::new();
    let mut desk = start(&w);
    enter(&mut desk, &["k-1", "g-2"]);
    desk.wait_for("[k-2] > ");
    let second = w.second.to_str().unwrap().to_string();
    let out = w.bench.run(&["--identity", &second, "review", "decide", "--investigate", "g-2", "--note", "g-2=mine"]);
    assert_eq!(support::code(&out), 5, "{}", support::text(&out.stderr));
    desk.type_in("q");
    desk.at("[decided] > ", "c");
    passphrase(&mut desk);
    desk.wait_for("op-2 decided meanwhile to investigate g-2: yours is left out");
    desk.at("[decided] > ", "c");
    assert_eq!(desk.end(), 5);
    assert!(!w.is_revoked("g-2"));
    assert_eq!(w.decided("k-1").unwrap().decision.as_str(), "rotate");
    assert_eq!(w.decided("g-2").unwrap().decision.as_str(), "investigate");
    w.assert_whole();
}

#[test]
fn hostile_names_and_missions_move_nothing() {
    let w = World::new();
    let now = w.before(1);
    let mut bad = w.issued(id("g-6"), review_world::QUIET, "repo:acme/x", Access::Write, now.plus(Span::days(300)));
    bad.mission = Some("\u{1b}[2J\u{202e}keep me\r\nEnter keep\u{7}".into());
    w.sign(w.end.minus(Span::seconds(1)), bad);
    let mut desk = start(&w);
    enter(&mut desk, &["k-1", "g-2", "k-2", "g-4"]);
    desk.wait_for("[g-6] > ");
    assert!(said(&desk).contains("\\x1b[2J\\u{202e}keep me\\r"), "{}", said(&desk));
    desk.type_in("q");
    desk.at("[decided] > ", "d");
    desk.at("(y drops) > ", "y");
    desk.end();
    assert_only_our_control(&desk.bytes());
}
