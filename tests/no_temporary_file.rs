//! What is written and erased passes through no file but the database's own: a file without a name would keep it in its
//! blocks. Alone in its process, because it looks at every file that the process has open.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly"
)]

mod approve_world;
mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aosctl::identity::Passphrase;
use aosctl::workspace::ask::AskError;
use aosctl::workspace::erase::{carry_out, finish, target};
use approve_world::{Ask, World, now};
use rusqlite::Connection;
use support::PASSPHRASE;

/// Files without a name that this process has open.
fn nameless() -> BTreeSet<String> {
    let fds = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    links.map(|to| to.to_string_lossy().into_owned()).filter(|to| to.ends_with(" (deleted)")).collect()
}

/// Those that were seen while something was done.
fn nameless_during(work: impl FnOnce()) -> BTreeSet<String> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                seen.extend(nameless());
            }
            seen
        });
        work();
        done.store(true, Ordering::Relaxed);
        seen.join().unwrap()
    })
}

#[test]
fn asking_erasing_and_writing_every_page_anew() {
    let w = World::new();
    let large = |n: usize| Ask { diff: Some(format!("{n} {}", "x".repeat(300_000))), ..Ask::deploy() };
    for n in 0..15 {
        w.ask(now(), &large(n));
    }
    // The look finds what there is: a connection that was not told otherwise.
    let plain = Connection::open(w.bench.db()).unwrap();
    plain.execute_batch("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; BEGIN IMMEDIATE").unwrap();
    plain.execute("INSERT OR REPLACE INTO payloads (seq, record) VALUES (?1, x'00')", [w.size() - 1]).unwrap();
    assert_eq!(nameless().len(), 1, "{:?}", nameless());
    plain.execute_batch("ROLLBACK").unwrap();
    let seen = nameless_during(|| plain.execute_batch("VACUUM").unwrap());
    assert_eq!(seen.len(), 1, "{seen:?}");
    drop(plain);

    assert_eq!(nameless(), BTreeSet::new());
    let seen = nameless_during(|| _ = w.ask(now(), &large(15)));
    assert_eq!(seen, BTreeSet::new());
    let (path, sealed) = w.ws.sealed_operator(None).unwrap();
    let operator = w.ws.unlock_operator(&path, &sealed, &Passphrase::given(PASSPHRASE.into()).unwrap()).unwrap();
    let seq = w.size() - 1;
    let shown = target(&w.ws, seq).unwrap().unwrap();
    let members = BTreeSet::from(["diff".to_string()]);
    let (step, _) =
        w.ws.transact(now(), |tx| {
            let step = carry_out(&w.ws, tx, &operator, &shown, &members, "GDPR request 7")?;
            assert_eq!(nameless(), BTreeSet::new(), "before the commit");
            Ok::<_, AskError>(step)
        })
        .unwrap();
    assert!(step.erased_by.is_some());
    let seen = nameless_during(|| assert!(finish(&w.ws, Duration::from_secs(5)).unwrap().clean));
    assert_eq!(seen, BTreeSet::new());
}
