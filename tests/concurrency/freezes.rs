//! A freeze in the middle of a crowd.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::lab::{Lab, MERGE, READ, id, parse};
use crate::support::{code, text};
use crate::{alone, assert_calm, assert_whole, log, soak, start};

#[test]
fn nothing_is_allowed_after_a_freeze_and_everybody_who_waits_hears_of_it() {
    let _alone = alone();
    let lab = Lab::new();
    let mut late = 0;
    for round in 0..2 * soak() {
        let waits_on = lab.ask(MERGE, 5);
        let waiters: Vec<_> = (0..16)
            .map(|_| start(lab.bench.agent("build-bot", &["--json", "request", "wait", &waits_on, "--timeout", "50s"])))
            .collect();
        let (acknowledged, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let asked: Vec<(bool, i32, serde_json::Value)> = std::thread::scope(|scope| {
            let askers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let mut said = vec![];
                        while !over.load(Ordering::SeqCst) {
                            let after = acknowledged.load(Ordering::SeqCst);
                            let out = lab.bot(&[&["--json", "request", "new"], READ].concat());
                            assert_calm(&out);
                            said.push((after, code(&out), parse(&out)));
                        }
                        said
                    })
                })
                .collect();
            // In the middle of it.
            while lab.entries() < 60 * (u64::try_from(round).unwrap() + 1) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let out = lab.bench.bare().args(["freeze"]).output().unwrap();
            acknowledged.store(true, Ordering::SeqCst);
            assert_eq!(code(&out), 0, "{}", text(&out.stderr));
            for w in waiters {
                let out = w.wait_with_output().unwrap();
                assert_calm(&out);
                assert_eq!((code(&out), &parse(&out)["standing"]), (1, &"frozen".into()));
            }
            over.store(true, Ordering::SeqCst);
            askers.into_iter().flat_map(|a| a.join().unwrap()).collect()
        });
        for (after, exit, v) in &asked {
            assert!(matches!(exit, 0 | 1), "{v:#}");
            assert!(!after || *exit == 1, "allowed after the freeze was acknowledged: {v:#}");
            late += usize::from(*after);
        }
        let entries = log(&lab);
        let frozen = entries.iter().rposition(|e| e["type"] == "workspace.frozen/1").unwrap();
        let (before, after) = entries.split_at(frozen);
        assert!(before.iter().any(|e| e["payload"]["decision"] == "allow"));
        for e in after.iter().filter(|e| e["type"] == "request.made/1") {
            assert_eq!(e["payload"]["decision"], "deny", "{e:#}");
        }
        lab.thaw(id("w-1"));
    }
    println!("{late} asked after a freeze");
    assert_whole(&lab);
}
