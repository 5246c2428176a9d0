//! Somebody else holds the database.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::lab::{Lab, READ};
use crate::support::{code, text};
use crate::{assert_whole, ends};

#[test]
fn a_held_database_is_waited_for_then_said_and_readers_go_on() {
    let lab = Lab::new();
    let holder = Connection::open(lab.bench.db()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE; UPDATE head SET at = at").unwrap();
    let before = lab.entries();
    std::thread::scope(|scope| {
        // Both queue behind the holder, the second behind the first too.
        let writers: Vec<_> = [lab.bench.agent("build-bot", &[&["request", "new"], READ].concat()), {
            let mut c = lab.bench.bare();
            c.args(["freeze"]);
            c
        }]
        .into_iter()
        .map(|mut c| scope.spawn(move || ends(&mut c)))
        .collect();
        for line in [
            &[&["check", "--agent", "build-bot"], READ].concat()[..],
            &["status"],
            &["audit", "verify"],
            &["request", "list"],
        ] {
            let begin = Instant::now();
            let out = ends(lab.bench.bare().args(line));
            assert_eq!(code(&out), 0, "{line:?}: {}", text(&out.stderr));
            assert!(begin.elapsed() < Duration::from_secs(8), "{line:?} waited: {:?}", begin.elapsed());
        }
        for w in writers {
            let out = w.join().unwrap();
            let said = text(&out.stderr);
            assert_eq!(code(&out), 3, "{said}");
            assert!(said.contains("locked by another program") && said.contains("nothing was changed"), "{said}");
        }
    });
    drop(holder);
    assert_eq!(lab.entries(), before);
    lab.ask(READ, 0);
    assert_whole(&lab.bench);
}

#[test]
fn who_lets_go_in_time_is_only_waited_for() {
    let lab = Lab::new();
    for queue in [false, true] {
        let lock = std::fs::File::open(lab.bench.workspace().join("aosctl.lock")).unwrap();
        let holder = Connection::open(lab.bench.db()).unwrap();
        if queue {
            // A writer of aosctl's own that was stopped in the middle.
            lock.lock().unwrap();
        } else {
            holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| lab.bot(&[&["request", "new"], READ].concat()));
            std::thread::sleep(Duration::from_millis(700));
            assert!(!writer.is_finished());
            drop((holder, lock));
            let out = writer.join().unwrap();
            assert_eq!(code(&out), 0, "{}", text(&out.stderr));
        });
    }
    assert_whole(&lab.bench);
}

/// A pin that cannot be moved undoes nothing.
#[test]
fn a_pin_that_cannot_be_moved_is_a_warning() {
    let lab = Lab::new();
    let state = lab.ws().state_dir();
    std::fs::remove_file(state.join("pin.lock")).unwrap();
    std::fs::create_dir(state.join("pin.lock")).unwrap();
    let before = lab.entries();
    let out = ends(&mut lab.bench.agent("build-bot", &[&["request", "new"], READ].concat()));
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("warning: it is on disk, but mind the pin: "), "{}", text(&out.stderr));
    assert_eq!(lab.entries(), before + 1);
    assert_whole(&lab.bench);
    std::fs::remove_dir(state.join("pin.lock")).unwrap();
    lab.ask(READ, 0);
    assert_whole(&lab.bench);
}
