use std::path::{Path, PathBuf};

use crate::support::{Bench, PASSPHRASE, code, state_of, text};
use crate::{bench, database, json, put_database};

const CANARY: &str = "sk_live_canary_51H8x";

/// A workspace with a sealed secret, and a backup of it.
fn backed_up() -> (Bench, PathBuf) {
    let b = bench();
    seal(&b, "one", &["key", "add", "one", "--secret-stdin"]);
    let file = b.path("acme.backup");
    b.ok(&["workspace", "backup", "-o", file.to_str().unwrap()]);
    (b, file)
}

fn seal(b: &Bench, name: &str, args: &[&str]) {
    use std::io::Write;
    let mut child =
        b.cmd(args).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(CANARY.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{name}");
}

fn restore(b: &Bench, file: &Path) -> std::process::Output {
    b.run(&["--json", "workspace", "restore", file.to_str().unwrap()])
}

/// Everything below a directory but the passphrase file.
fn left(b: &Bench) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![b.dir.path().to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for e in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap()) {
            if e.file_type().unwrap().is_dir() {
                dirs.push(e.path());
            } else if e.file_name() != "pass" {
                found.push(e.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_backup_is_a_whole_workspace_on_another_machine() {
    let (b, file) = backed_up();
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let new = Bench::empty();
    let out = restore(&new, &file);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let view: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(view["behind"], serde_json::Value::Null);
    assert!(text(&out.stderr).contains("never the original"), "{}", text(&out.stderr));
    // The same log, proven, and everything works: operators, agents, secrets.
    new.ok(&["audit", "verify"]);
    new.ok(&["agent", "add", "other-bot"]);
    assert_eq!(database(&b).is_empty(), database(&new).is_empty());
    let (theirs, ours) = (state_of(&b), state_of(&new));
    assert_eq!(std::fs::read(theirs.join("log.json")).unwrap(), std::fs::read(ours.join("log.json")).unwrap());
    let vault = |b: &Bench| std::fs::read_dir(b.workspace().join("vault")).unwrap().count();
    assert_eq!(vault(&b), vault(&new));
    assert_eq!(json(&new, 0, &["key", "reseal"])["not_resealed"], serde_json::json!([]));
    // The list of what was made stays here.
    let list = std::fs::read_to_string(theirs.join("backups.jsonl")).unwrap();
    assert!(list.contains("acme.backup") && list.lines().count() == 1, "{list}");
    // Nothing is put over anything.
    let again = b.run(&["workspace", "backup", "-o", file.to_str().unwrap()]);
    assert!(code(&again) == 3 && text(&again.stderr).contains("already exists"), "{}", text(&again.stderr));
    let over = restore(&new, &file);
    assert_eq!(code(&over), 1, "{}", text(&over.stderr));
    new.ok(&["audit", "verify"]);
}

#[test]
fn nothing_can_be_read_in_it_and_a_wrong_passphrase_opens_nothing() {
    let (b, file) = backed_up();
    let bytes = std::fs::read(&file).unwrap();
    for word in [CANARY, "ACME", "build-bot", "repo:acme/app", "SQLite format", "operator-identity", PASSPHRASE] {
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
    }
    for name in left(&b) {
        let bytes = std::fs::read(&name).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()), "{name}");
    }
    let new = Bench::empty();
    std::fs::write(new.path("pass"), "another passphrase").unwrap();
    let out = restore(&new, &file);
    assert_eq!(code(&out), 1, "{}", text(&out.stdout));
    assert!(text(&out.stdout).contains("wrong_passphrase"), "{}", text(&out.stdout));
    assert!(!text(&out.stdout).contains("identity file"), "it is a backup: {}", text(&out.stdout));
    let note = new.path("note.txt");
    std::fs::write(&note, "hello\n").unwrap();
    let out = restore(&new, &note);
    assert_eq!(code(&out), 3, "{}", text(&out.stdout));
    assert!(!text(&out.stdout).contains("identity file"), "{}", text(&out.stdout));
    std::fs::remove_file(note).unwrap();
    assert_eq!(left(&new), Vec::<String>::new());
}

/// A note is one paragraph, wrapped once: not lines that were broken before, and broken again.
#[test]
fn what_a_backup_opens_is_said_in_whole_lines() {
    let b = bench();
    let out = b.run(&["workspace", "backup", "-o", "a.backup"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(!text(&out.stderr).contains(" It\n"), "{}", text(&out.stderr));
}

#[test]
fn a_changed_backup_is_refused_whatever_was_changed() {
    let (b, file) = backed_up();
    let bytes = std::fs::read(&file).unwrap();
    let line = bytes.iter().position(|c| *c == b'\n').unwrap();
    let bad = b.path("bad.backup");
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for at in [line / 2, line + 1, line + 70_000, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        all.push((format!("a bit at {at}"), changed));
    }
    for cut in [0, line, line + 1 + 65_552, bytes.len() - 65_552, bytes.len() - 1] {
        all.push((format!("cut at {cut}"), bytes[..cut].to_vec()));
    }
    all.push(("longer".into(), [&bytes[..], b"x"].concat()));
    all.push(("no backup".into(), database(&b)));
    for (what, content) in all {
        std::fs::write(&bad, content).unwrap();
        let new = Bench::empty();
        let out = restore(&new, &bad);
        assert!([1, 3, 4].contains(&code(&out)), "{what}: {}", text(&out.stdout));
        assert_eq!(left(&new), Vec::<String>::new(), "{what}");
    }
    // Whoever cannot be asked for a file is told so.
    assert_eq!(code(&b.run(&["workspace", "backup"])), 2);
    let inside = b.workspace().join("x.backup");
    assert_eq!(code(&b.run(&["workspace", "backup", "-o", inside.to_str().unwrap()])), 2);
    assert_eq!(code(&b.run(&["workspace", "backup", "-n", "-o", b.path("none").to_str().unwrap()])), 0);
    assert!(!b.path("none").exists());
}

#[test]
fn a_backup_is_one_moment_while_eight_write() {
    let b = bench();
    let done = std::sync::atomic::AtomicBool::new(false);
    let read =
        ["request", "new", "--integration", "github", "--action", "contents.read", "--resource", "repo:acme/app"];
    let files: Vec<PathBuf> = (0..2).map(|n| b.path(&format!("{n}.backup"))).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    assert_eq!(code(&b.agent("build-bot", &read).output().unwrap()), 0);
                }
            });
        }
        for file in &files {
            let out = b.run(&["workspace", "backup", "-o", file.to_str().unwrap()]);
            if code(&out) != 0 {
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            assert_eq!(code(&out), 0, "{}", text(&out.stderr));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    for file in &files {
        let new = Bench::empty();
        let out = restore(&new, file);
        assert_eq!(code(&out), 0, "{}", text(&out.stdout));
        new.ok(&["audit", "verify"]);
    }
    b.ok(&["audit", "verify"]);
}

/// The disk with the workspace died, the home directory did not: what it remembers is newer than the backup.
#[test]
fn an_old_backup_under_a_newer_pin_is_a_rollback() {
    let (b, file) = backed_up();
    b.ok(&["revoke", "g-1"]);
    std::fs::remove_dir_all(b.workspace()).unwrap();
    let out = restore(&b, &file);
    assert_eq!(code(&out), 0, "{}", text(&out.stdout));
    let view: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&view["behind"], &view["state_was_there"]), (&"rolled_back".into(), &true.into()));
    assert_eq!(json(&b, 4, &["agent", "add", "other-bot"])["kind"], "rolled_back");
    b.ok(&["workspace", "accept-rollback", "--reason", "the disk died", "--yes"]);
    b.ok(&["revoke", "g-1"]);
    b.ok(&["audit", "verify"]);
}

/// Both copies were used: said from either side, and by a checkpoint of the other one.
#[test]
fn two_copies_that_both_went_on_are_a_fork() {
    let (b, file) = backed_up();
    let new = Bench::empty();
    assert_eq!(code(&restore(&new, &file)), 0);
    let other = new.workspace();
    let compare = |exit: i32, other: &Path| json(&b, exit, &["workspace", "compare", other.to_str().unwrap()]);
    assert_eq!(compare(0, &other)["found"], "same");
    b.ok(&["freeze"]);
    let ahead = compare(0, &other);
    assert_eq!((&ahead["found"], &ahead["by"]), (&"ahead".into(), &1.into()));
    assert_eq!(compare(0, &state_of(&new).join("pin"))["found"], "ahead");
    let first = ahead["other_entries"].clone();
    new.ok(&["revoke", "g-1"]);
    new.ok(&["agent", "add", "other-bot"]);
    let fork = compare(4, &other);
    assert_eq!((&fork["found"], &fork["first_different"]), (&"fork".into(), &first));
    assert_eq!(compare(1, &state_of(&new).join("pin"))["found"], "behind", "a checkpoint alone cannot tell yet");
    let said = b.run(&["workspace", "compare", state_of(&new).join("pin").to_str().unwrap()]);
    assert!(text(&said.stderr).contains("cannot tell a fork"), "{}", text(&said.stderr));
    // A bundle has the entries: it can, longer or not.
    new.ok(&["audit", "export", "-o", "bundle"]);
    for _ in 0..2 {
        let fork = compare(4, &new.path("bundle"));
        assert_eq!((&fork["found"], &fork["first_different"]), (&"fork".into(), &first));
        b.ok(&["thaw"]);
        b.ok(&["freeze"]);
    }
    b.ok(&["thaw"]);
    assert_eq!(compare(4, &state_of(&new).join("pin"))["found"], "fork");
    assert_eq!(compare(4, &Bench::new().workspace())["found"], "other_log");
    assert_eq!(code(&b.run(&["workspace", "compare", b.path("pass").to_str().unwrap()])), 3);
    new.ok(&["audit", "verify"]);
}

/// A backup of what somebody rolled back would look like one of the newest.
#[test]
fn no_backup_is_made_of_a_log_that_is_behind() {
    let b = bench();
    let yesterday = database(&b);
    b.ok(&["freeze"]);
    put_database(&b, &yesterday);
    let file = b.path("x.backup");
    assert_eq!(json(&b, 4, &["workspace", "backup", "-o", file.to_str().unwrap()])["kind"], "rolled_back");
    assert!(!file.exists());
}
