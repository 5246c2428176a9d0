//! While other processes write, nothing is blamed that nobody touched.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::lab::{Lab, MERGE, READ};
use crate::support::{code, text};

#[test]
fn no_false_alarm_while_others_write() {
    let lab = Lab::new();
    let (over, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let looks = 50 * crate::soak();
    std::thread::scope(|scope| {
        let (lab, over, writes) = (&lab, &over, &writes);
        for writer in 0..3 {
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let out = match writer {
                        0 => lab.bot(&[&["request", "new"], READ].concat()),
                        1 => lab.bot(&[&["request", "new"], MERGE].concat()),
                        _ => lab.bench.bare().args(["freeze", "build-bot"]).output().unwrap(),
                    };
                    assert!(out.status.code().is_some_and(|c| [0, 1, 5].contains(&c)), "{}", text(&out.stderr));
                    if writer == 2 {
                        lab.thaw(crate::lab::id("ag-1"));
                    }
                    writes.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut sizes = std::collections::BTreeSet::new();
        for look in 0..looks {
            let out = lab.bench.bare().args(["audit", "verify", "--json"]).output().unwrap();
            let said = text(&out.stdout);
            if code(&out) != 0 {
                over.store(true, Ordering::SeqCst);
                panic!("look {look}: exit {}\n{said}{}", code(&out), text(&out.stderr));
            }
            let v: serde_json::Value = serde_json::from_str(&said).unwrap();
            sizes.insert(v["size"].as_u64().or_else(|| v["entries"].as_u64()).unwrap_or_default());
        }
        over.store(true, Ordering::SeqCst);
        println!("false alarms: 0 in {looks} looks at {} sizes of the log", sizes.len());
    });
    println!("while {} commands wrote", writes.load(Ordering::SeqCst));
    lab.verified();
}
