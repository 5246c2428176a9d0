//! `aosctl approve` as a person sees it: the real binary in a real terminal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly"
)]

mod approve_world;
#[path = "pty_approve/hostile.rs"]
mod hostile;
mod pty;
mod support;

use approve_world::{Ask, World, minutes_ago, now};
use pty::{Desk, assert_only_our_control, assert_snapshot};
use support::PASSPHRASE;

const KEYS: &str = "a approve  d deny  s skip  e everything  q quit  ? help > ";

fn start(w: &World) -> Desk {
    Desk::start(&w.bench, 80, 24, &["approve"], "cat")
}

fn type_passphrase(desk: &mut Desk) {
    desk.at("passphrase of op-1: ", &format!("{PASSPHRASE}\n"));
}

/// Everything that was sent, without styles.
fn text(desk: &Desk) -> String {
    let mut text = String::from_utf8_lossy(&desk.bytes()).replace("\r\n", "\n");
    for style in ["\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"] {
        text = text.replace(style, "");
    }
    text
}

#[test]
fn one_screen_then_approve() {
    let w = World::new();
    w.past();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let mut desk = start(&w);
    desk.wait_for(KEYS);
    assert_snapshot("approve-80x24", &desk.rows());
    assert_eq!(desk.cursor(), (23, 6 + KEYS.len() as u16));
    desk.type_in("a");
    type_passphrase(&mut desk);
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    assert_eq!(w.standing(id), "approved");
    let said = text(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("r-4 approved: build-bot may run it once before "), "{said}");
    assert!(said.contains("aosctl run r-4") && said.contains("nothing waits for a decision"), "{said}");
    assert_only_our_control(&desk.bytes());
    assert!(desk.is_sane());
}

#[test]
fn a_larger_terminal_shows_all_of_it() {
    let w = World::new();
    w.past();
    w.ask(minutes_ago(12), &Ask { unsure: Some("the window overlaps a sale".into()), ..Ask::deploy() });
    let mut desk = Desk::start(&w.bench, 100, 40, &["approve"], "cat");
    desk.at(KEYS, "q");
    assert_eq!(desk.end(), 5);
    let mut desk = Desk::start(&w.bench, 100, 40, &["approve"], "cat");
    desk.wait_for(KEYS);
    assert_snapshot("approve-100x40", &desk.rows());
    desk.type_in("q");
    desk.end();
    assert!(!text(&desk).contains("not shown"));
}

#[test]
fn little_said_is_said_to_be_little() {
    let w = World::new();
    w.ask(minutes_ago(12), &Ask::refund("1250USD"));
    let mut desk = start(&w);
    desk.wait_for(KEYS);
    assert_snapshot("approve-little", &desk.rows());
    desk.type_in("q");
    assert_eq!(desk.end(), 5);
    assert!(text(&desk).contains("1 request waits for a decision: aosctl queue"));
}

#[test]
fn the_order_deny_with_a_reason_skip_and_quit() {
    let w = World::new();
    let old = w.ask(minutes_ago(30), &Ask::refund("1250USD"));
    let unsure = Ask { unsure: Some("is this the one?".into()), facets: Default::default(), ..Ask::refund("1USD") };
    let low = w.ask(minutes_ago(29), &Ask { action: "charge.read".into(), ..unsure });
    let young = w.ask(minutes_ago(10), &Ask::deploy());
    let mut desk = start(&w);
    // Both are of high risk: the older one first, then the younger, then the harmless one that is older still.
    desk.at("1 of 3 ===", "");
    desk.at(&format!("[{old}] {KEYS}"), "d");
    desk.at("why deny? (goes into the log; empty goes back): ", "\n");
    desk.at(&format!("[{old}] {KEYS}"), "d");
    desk.at("why deny? (goes into the log; empty goes back): ", "the customer was paid twice\n");
    type_passphrase(&mut desk);
    desk.wait_for(&format!("{old} denied: build-bot is told no"));
    desk.at("2 of 3 ===", "");
    desk.at(&format!("[{young}] {KEYS}"), "s");
    desk.wait_for("3 of 3 ===");
    desk.wait_for(&format!("[{low}] {KEYS}"));
    assert!(desk.rows()[0].starts_with(&format!("=== {low} === low risk ===")), "{:#?}", desk.rows());
    desk.type_in("q");
    assert_eq!(desk.end(), 5);
    assert_eq!((w.standing(old), w.standing(young), w.standing(low)), ("denied", "pending", "pending"));
    assert_eq!(w.last_reason(old).as_deref(), Some("the customer was paid twice"));
    assert_eq!(text(&desk).matches("passphrase").count(), 1, "unlocked once");
    assert!(text(&desk).contains("2 requests wait for a decision: aosctl queue"));
}

#[test]
fn unlocked_once_and_what_happens_is_said_above_the_next() {
    let w = World::new();
    let first = w.ask(minutes_ago(12), &Ask::deploy());
    let second = w.ask(minutes_ago(11), &Ask::deploy());
    let mut desk = start(&w);
    desk.at(&format!("[{first}] {KEYS}"), "r");
    desk.at("why approve? (goes into the log; empty goes back): ", "on-call agreed\n");
    type_passphrase(&mut desk);
    desk.wait_for(&format!("[{second}] {KEYS}"));
    assert_snapshot("approve-next", &desk.rows());
    desk.type_in("a");
    assert_eq!(desk.end(), 0);
    assert_eq!((w.standing(first), w.standing(second)), ("approved", "approved"));
    assert_eq!(w.last_reason(first).as_deref(), Some("on-call agreed"));
    assert_eq!(w.last_reason(second), None);
}

#[test]
fn everything_help_and_keys_that_do_nothing() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let mut desk = start(&w);
    desk.at(KEYS, "x");
    desk.wait_for("that key does nothing here; ? shows the keys");
    desk.wait_for(KEYS);
    assert_eq!(desk.rows()[0], "that key does nothing here; ? shows the keys");
    assert!(desk.rows()[1].starts_with("=== r-1 ==="), "{:#?}", desk.rows());
    // A paste decides nothing.
    desk.at("", "aaaa");
    desk.wait_for("that key does nothing here");
    desk.at(KEYS, "?");
    desk.wait_for("a  approve: sign exactly what was shown");
    desk.at(KEYS, "e");
    desk.wait_for(&"ab".repeat(20));
    desk.wait_for("request.made by build-bot (ag-1)");
    desk.at(KEYS, "a");
    type_passphrase(&mut desk);
    assert_eq!(desk.end(), 0);
    assert_eq!(w.standing(id), "approved");
}

#[test]
fn a_real_pager_shows_everything() {
    let w = World::new();
    w.ask(minutes_ago(12), &Ask { diff: Some("+ a line\n".repeat(100)), ..Ask::deploy() });
    let mut desk = Desk::start(&w.bench, 80, 24, &["approve"], "less -FRXK");
    desk.at(KEYS, "e");
    desk.at("=== r-1 === high risk ===", "");
    std::thread::sleep(std::time::Duration::from_millis(500));
    desk.type_in("q");
    desk.at(KEYS, "q");
    assert_eq!(desk.end(), 5);
    assert!(desk.is_sane());
}

#[test]
fn a_wrong_passphrase_is_asked_again() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let mut desk = start(&w);
    desk.at(KEYS, "a");
    desk.at("passphrase of op-1: ", "not it\n");
    desk.at("that is not the passphrase of op-1; try again: ", &format!("{PASSPHRASE}\n"));
    assert_eq!(desk.end(), 0);
    assert_eq!(w.standing(id), "approved");
    assert!(!text(&desk).contains("not it"));
}

#[test]
fn three_wrong_passphrases_decide_nothing() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let size = w.size();
    let mut desk = start(&w);
    desk.at(KEYS, "a");
    desk.at("passphrase of op-1: ", "one\n");
    desk.at("try again: ", "\n");
    desk.at("one more try: ", "three\n");
    assert_eq!(desk.end(), 1);
    assert!(
        text(&desk).contains("error: 3 times that was not the passphrase of op-1; nothing was decided"),
        "{}",
        text(&desk)
    );
    assert_eq!((w.standing(id), w.size()), ("pending", size));
    assert!(desk.is_sane());
}

#[test]
fn ctrl_c_decides_nothing_and_leaves_the_terminal_in_order() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let size = w.size();
    let mut desk = start(&w);
    desk.at(KEYS, "\x03");
    assert_eq!(desk.end(), 5);
    assert!(desk.is_sane());
    let mut desk = start(&w);
    desk.at(KEYS, "a");
    desk.at("passphrase of op-1: ", "correct\x03");
    assert_eq!(desk.end(), 5);
    assert!(desk.is_sane());
    let mut desk = start(&w);
    desk.at(KEYS, "d");
    desk.at("empty goes back): ", "because\x03");
    assert_ne!(desk.end(), 0);
    assert!(desk.is_sane());
    assert_eq!((w.standing(id), w.size()), ("pending", size));
}

#[test]
fn what_others_do_meanwhile_is_noticed() {
    let w = World::new();
    let ids: Vec<_> = (0..3).map(|i| w.ask(minutes_ago(15 - i), &Ask::deploy())).collect();
    let mut desk = start(&w);
    desk.wait_for(&format!("[{}] {KEYS}", ids[0]));
    w.answer(now(), ids[0], false, None);
    w.withdraw(ids[1]);
    let late = w.ask(now(), &Ask::refund("5000USD"));
    desk.type_in("a");
    type_passphrase(&mut desk);
    desk.wait_for(&format!("[{}] {KEYS}", ids[2]));
    let rows = desk.rows();
    for said in [
        "r-1 was denied by an operator",
        "r-4 arrived meanwhile",
        "r-1 does not wait any more",
        "r-2 does not wait any more",
    ] {
        assert!(rows.iter().any(|r| r == said), "{said}: {rows:#?}");
    }
    desk.type_in("s");
    desk.at(&format!("[{late}] {KEYS}"), "a");
    assert_eq!(desk.end(), 5, "one was skipped");
    assert_eq!(w.standing(ids[0]), "denied");
    assert_eq!(w.standing(late), "approved");
}

#[test]
fn what_changed_while_it_was_read_is_shown_again() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let mut desk = start(&w);
    desk.wait_for(KEYS);
    w.adopt("[cap]\nmove = \"1USD\"\nweek = \"2USD\"\n");
    desk.type_in("a");
    type_passphrase(&mut desk);
    desk.wait_for("r-1 changed while you were reading: look again");
    desk.at(KEYS, "a");
    assert_eq!(desk.end(), 0);
    assert_eq!(w.standing(id), "approved");
}

#[test]
fn two_operators() {
    let w = World::with_policy("[approvers]\nproduction = 2\n");
    let second = w.second_operator();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    let mut desk = start(&w);
    desk.at("2 operators must approve; nobody did so far", "");
    desk.at(KEYS, "a");
    type_passphrase(&mut desk);
    assert_eq!(desk.end(), 5);
    let said = text(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("r-1 approved: 1 of 2: another operator must approve it before "), "{said}");
    assert_eq!(w.standing(id), "pending");
    // The same operator once more: it learns at its passphrase that it is not the one who is waited for.
    let mut desk = start(&w);
    desk.at("approved by ops (op-1)", "");
    desk.at(KEYS, "a");
    type_passphrase(&mut desk);
    assert_eq!(desk.end(), 5);
    assert!(text(&desk).contains("you approved r-1 before; another operator has to"), "{}", text(&desk));
    let mut desk = Desk::start(&w.bench, 80, 24, &["approve", "--identity", second.to_str().unwrap()], "cat");
    desk.at(KEYS, "a");
    desk.at("passphrase of op-2: ", &format!("{PASSPHRASE}\n"));
    assert_eq!(desk.end(), 0);
    assert_eq!(w.standing(id), "approved");
}

#[test]
fn approving_in_vain_is_refused_and_said() {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &Ask::deploy());
    w.adopt("[approvers]\nproduction = 2\n");
    let mut desk = start(&w);
    desk.at("approving it would let nothing run: 2 operators must", "");
    desk.at(KEYS, "a");
    type_passphrase(&mut desk);
    desk.wait_for("approving r-1 would let nothing run");
    desk.at(KEYS, "d");
    desk.at("empty goes back): ", "ask again\n");
    assert_eq!(desk.end(), 0);
    assert_eq!(w.standing(id), "denied");
}

#[test]
fn nothing_waits() {
    let w = World::new();
    let mut desk = start(&w);
    assert_eq!(desk.end(), 0);
    assert_eq!(text(&desk), "nothing waits for a decision\n");
}
