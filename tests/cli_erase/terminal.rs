//! At the terminal: what goes is shown, safe and short, and a word has to be typed.

use crate::approve_world::{Ask, World};
use crate::pty::{Desk, assert_only_our_control};
use crate::support::PASSPHRASE;
use crate::{asked, canary, found_in, verifies};

#[test]
fn one_operator_sees_what_goes_and_types_a_word() {
    let w = World::new();
    let mark = canary(80, 40);
    let hostile = format!("{mark} \u{1b}[2J\u{202e}all is well\nagreed        op-1, op-2 {}", "x".repeat(9_000));
    let ask = Ask { summary: Some(hostile), ..Ask::deploy() };
    let seq = asked(&w, &ask).to_string();
    let args = ["audit", "erase", &seq, "--member", "summary", "--reason", "GDPR request 7"];
    for (word, exit) in [("yes", 1), ("erase", 0)] {
        let before = w.size();
        let mut desk = Desk::start(&w.bench, 80, 24, &args, "cat");
        desk.at("passphrase of op-1: ", &format!("{PASSPHRASE}\n"));
        desk.at("Type erase to go on: ", &format!("{word}\n"));
        assert_eq!(desk.end(), exit, "{:#?}", desk.rows());
        let sent = String::from_utf8_lossy(&desk.bytes()).into_owned();
        assert!(sent.contains(&mark[..20]) && !sent.contains(&"x".repeat(300)), "{sent}");
        assert!(sent.contains("It cannot be brought back."), "{sent}");
        assert!(!sent.contains("\nagreed        op-1, op-2"), "{sent}");
        assert_only_our_control(&desk.bytes());
        assert!(desk.is_sane());
        assert_eq!(w.size() - before, if exit == 0 { 3 } else { 0 });
    }
    assert_eq!(found_in(&w, &[mark]), Vec::<String>::new());
    verifies(&w);
}
