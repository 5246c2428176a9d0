//! What commands that were cut off left: it goes with an erasure, or is named.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aosctl::sys::lock::Lock;
use rusqlite::Connection;

use crate::approve_world::{Ask, World, now};
use crate::support::{Bench, code, state_of, text};
use crate::{asked, erase, found_in, json, verifies, with_canaries};

/// An open copy of the database, as a killed command leaves one.
fn copy(w: &World, dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let to = dir.join("aosctl.db");
    Connection::open(w.bench.db()).unwrap().execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

fn touch(path: &Path, hours_ago: u64) {
    std::fs::write(path, "half").unwrap();
    let at = SystemTime::now() - Duration::from_secs(hours_ago * 3600);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

#[test]
fn an_erasure_clears_what_a_killed_backup_and_a_killed_init_left() {
    let w = World::new();
    let (ask, texts) = with_canaries(80, &[300, 12]);
    let seq = asked(&w, &ask);
    let state = state_of(&w.bench);
    let mut init = w.bench.workspace().into_os_string();
    init.push(".new-0123456789ab");
    let (half, init) = (state.join("backup.tmp"), std::path::PathBuf::from(init));
    copy(&w, &half);
    copy(&w, &init);
    // A directory that only looks like one is somebody's.
    let notes = w.bench.path("ws.new-ideas");
    std::fs::create_dir(&notes).unwrap();
    let v = json(&erase(&w, seq, &[]));
    assert_eq!(v["bytes_gone"], true, "{v:#}");
    assert_eq!(v["removed_copies"], serde_json::json!(["backup.tmp/aosctl.db", "ws.new-0123456789ab"]));
    assert!(!half.exists() && !init.exists() && notes.exists());
    assert_eq!(found_in(&w, &texts), Vec::<String>::new());
    verifies(&w);
}

#[test]
fn any_change_clears_the_open_copy_of_a_backup_that_nobody_makes() {
    let w = World::new();
    let half = state_of(&w.bench).join("backup.tmp");
    copy(&w, &half);
    // Somebody makes one: it stays.
    let held = Lock::try_now(&state_of(&w.bench).join("backup.lock")).unwrap().unwrap();
    w.ask(now(), &Ask::deploy());
    assert!(half.join("aosctl.db").exists());
    let seq = asked(&w, &Ask::deploy());
    let v = json(&erase(&w, seq, &[]));
    assert_eq!((v["bytes_gone"].as_bool(), v["removed_copies"].as_array().map(Vec::len)), (Some(true), Some(0)));
    assert!(half.join("aosctl.db").exists());
    drop(held);
    w.ask(now(), &Ask::deploy());
    assert!(!half.exists());
}

#[test]
fn temporary_files_that_nobody_writes_any_more_go() {
    let w = World::new();
    let (state, ws) = (state_of(&w.bench), w.bench.workspace());
    let dirs = [ws.clone(), ws.join("operators"), ws.join("catalogue"), state.clone(), state.join("agents")];
    for dir in &dirs {
        touch(&dir.join(".aosctl-aaaaaa.tmp"), 2);
        touch(&dir.join(".aosctl-bbbbbb.tmp"), 0);
        touch(&dir.join("mine.tmp"), 2);
    }
    let seq = asked(&w, &Ask::deploy());
    assert_eq!(code(&erase(&w, seq, &[])), 0);
    for dir in &dirs {
        assert!(!dir.join(".aosctl-aaaaaa.tmp").exists(), "{}", dir.display());
        assert!(dir.join(".aosctl-bbbbbb.tmp").exists() && dir.join("mine.tmp").exists(), "{}", dir.display());
    }
}

/// It may be at work still, so it is named and left.
#[test]
fn what_a_killed_restore_left_beside_the_workspace_is_named() {
    let w = World::new();
    let before = w.bench.path(".aosctl-before.tmp");
    copy(&w, &before);
    let (ask, _) = with_canaries(81, &[30]);
    let seq = asked(&w, &ask);
    let (holds, other, half) =
        (w.bench.path(".aosctl-holds.tmp"), w.bench.path(".aosctl-other.tmp"), w.bench.path(".aosctl-half.tmp"));
    copy(&w, &holds);
    // Another log's; and one that was cut off before it could be read.
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(Bench::new().db(), other.join("aosctl.db")).unwrap();
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("aosctl.db"), "SQLite f").unwrap();
    let out = w.bench.run(&["audit", "erase", &seq.to_string(), "-n"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let page = text(&out.stdout).split_whitespace().collect::<String>();
    assert!(page.contains("unfinishedrestore:") && page.contains(".aosctl-holds.tmp"), "{page}");
    let v = json(&erase(&w, seq, &[]));
    let named: Vec<_> = v["beyond_reach"].as_array().unwrap().iter().map(|h| h["file"].as_str().unwrap()).collect();
    let real = |p: &Path| p.canonicalize().unwrap().to_str().unwrap().to_string();
    assert_eq!(named, [real(&half), real(&holds)], "{v:#}");
    assert!(holds.exists() && half.exists() && before.exists());
}
