//! Writers and readers at once: none lost, nobody told "busy".

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aosctl::workspace::PinState;

use crate::lab::{Lab, MERGE, READ, id, parse};
use crate::support::{Bench, code, text};
use crate::{alone, assert_calm, assert_whole, crowd, log, soak};

#[test]
fn sixty_four_writers_lose_nothing_and_readers_never_fail() {
    let _alone = alone();
    let lab = Lab::new();
    let (over, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let before = lab.entries();
    let count = 64 * 3 * soak();
    let written = std::thread::scope(|scope| {
        let check = [&["check", "--agent", "build-bot"], READ].concat();
        let readers: [&[&str]; 6] =
            [&check, &["audit", "verify"], &["status"], &["request", "list"], &["grant", "list"], &["audit", "log"]];
        let readers = readers.map(<[&str]>::to_vec);
        for line in readers {
            let (lab, over, reads) = (&lab, &over, &reads);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let out = lab.bench.bare().args(&line).output().unwrap();
                    assert_calm(&out);
                    assert_eq!(code(&out), 0, "{line:?}\n{}{}", text(&out.stdout), text(&out.stderr));
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let written = crowd(count, 64, |n| {
            let ask = if n % 3 == 0 { MERGE } else { READ };
            let summary = format!("number {n}");
            lab.bench.agent("build-bot", &[&["--json", "request", "new"], ask, &["--summary", &summary]].concat())
        });
        over.store(true, Ordering::SeqCst);
        written
    });
    println!("{} reads during {count} writes", reads.load(Ordering::SeqCst));
    let mut ids = BTreeSet::new();
    for (n, out) in written.iter().enumerate() {
        assert_calm(out);
        assert_eq!(code(out), if n % 3 == 0 { 5 } else { 0 }, "{}", text(&out.stderr));
        assert!(!text(&out.stderr).contains("warning:"), "{}", text(&out.stderr));
        assert!(ids.insert(parse(out)["id"].as_str().unwrap().to_string()));
    }
    let logged: Vec<_> = log(&lab).into_iter().filter(|e| e["type"] == "request.made/1").collect();
    let subjects: BTreeSet<_> = logged.iter().map(|e| e["subject"].as_str().unwrap().to_string()).collect();
    assert_eq!((logged.len(), subjects), (count, ids), "an acknowledged request is missing");
    assert_eq!(lab.entries(), before + u64::try_from(count).unwrap());
    assert_whole(&lab);
    // The pin is where the log ends: nobody overtook it.
    let end = lab.entries();
    assert!(matches!(lab.ws().pin_state().unwrap(), PinState::Covers { size, .. } if size == end));
}

#[test]
fn one_key_asked_for_by_sixteen_is_one_request() {
    let _alone = alone();
    let lab = Lab::new();
    for round in 0..5 * soak() {
        let key = format!("deploy:{round}");
        let out = crowd(16, 16, |_| {
            lab.bench.agent("build-bot", &[&["--json", "request", "new"], MERGE, &["--idempotency-key", &key]].concat())
        });
        let said: Vec<_> = out.iter().map(parse).collect();
        out.iter().for_each(assert_calm);
        assert!(out.iter().all(|o| code(o) == 5), "{said:#?}");
        let ids: BTreeSet<_> = said.iter().map(|v| v["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(said.iter().filter(|v| v["again"] == false).count(), 1);
    }
    let made = log(&lab).iter().filter(|e| e["type"] == "request.made/1").count();
    assert_eq!(made, 5 * soak());
    assert_whole(&lab);
}

#[test]
fn of_those_who_create_one_workspace_one_wins() {
    let _alone = alone();
    for round in 0..6 * soak() {
        let b = Bench::empty();
        let out = crowd(3, 3, |n| b.cmd(&["init", "--name", &format!("ACME {n}")]));
        let won = out.iter().filter(|o| code(o) == 0).count();
        assert_eq!(won, 1, "round {round}: {out:#?}");
        for lost in out.iter().filter(|o| code(o) != 0) {
            assert_calm(lost);
            assert_eq!(code(lost), 1, "{}", text(&lost.stderr));
            assert!(text(&lost.stderr).contains("there is a workspace in"), "{}", text(&lost.stderr));
        }
        let names = |dir: std::path::PathBuf| std::fs::read_dir(dir).unwrap().count();
        assert_eq!(names(b.path("state")), 1, "a log identity of nobody is left");
        assert_eq!(names(b.path("")), 3, "pass, state and ws");
        let out = b.bare().args(["audit", "verify"]).output().unwrap();
        assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    }
}

/// `status` of a long log compares it with its pin: while others write, that must never look like a roll-back.
#[test]
fn the_pin_never_seems_ahead_while_others_write() {
    let _alone = alone();
    let lab = Lab::new();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let ws = lab.ws();
                while !over.load(Ordering::SeqCst) {
                    let state = ws.pin_state().unwrap();
                    assert!(matches!(state, PinState::Covers { .. }), "{state:?}");
                }
            });
        }
        for _ in 0..80 * soak() {
            lab.freeze(id("ag-1"));
            lab.thaw(id("ag-1"));
        }
        over.store(true, Ordering::SeqCst);
    });
    assert_whole(&lab);
}

/// The identity that is left must be the one that was enrolled.
#[test]
fn of_those_who_enrol_one_name_one_wins_and_can_ask() {
    let _alone = alone();
    let lab = Lab::new();
    for round in 0..2 * soak() {
        let name = format!("bot-{round}");
        let file = lab.bench.identity(&name);
        let out = crowd(5, 5, |_| lab.bench.cmd(&["agent", "add", &name, "--out", file.to_str().unwrap()]));
        out.iter().for_each(assert_calm);
        assert_eq!(out.iter().filter(|o| code(o) == 0).count(), 1, "{out:#?}");
        let out = lab.bench.agent(&name, &[&["--json", "request", "new"], READ].concat()).output().unwrap();
        assert_eq!((code(&out), &parse(&out)["rule"]), (1, &"grant.none".into()), "{}", text(&out.stderr));
    }
    let enrolled = log(&lab).iter().filter(|e| e["type"] == "agent.enrolled/1").count();
    assert_eq!(enrolled, 1 + 2 * soak());
    assert_whole(&lab);
}
