use super::{Bench, code, run, text};
use std::time::{Duration, Instant};

/// What a bash that completes the last of these words is offered.
fn offered(b: &Bench, words: &[&str]) -> Vec<String> {
    let out = b
        .bare()
        .env("AOSCTL_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_IFS", "\n")
        .args(["--", "aosctl"])
        .args(words)
        .output()
        .unwrap();
    assert_eq!(text(&out.stderr), "", "a completing shell prints no errors");
    assert_eq!(code(&out), 0);
    text(&out.stdout).lines().filter(|l| !l.starts_with("--")).map(str::to_string).collect()
}

#[test]
fn live_names_are_offered_even_while_somebody_writes() {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.add_agent("old-bot");
    b.ok(&["agent", "retire", "old-bot"]);
    b.ok(&["integration", "add", "github"]);
    // Somebody holds both the queue and SQLite's own write lock.
    let lock = b.workspace().join("aosctl.lock");
    let queue = std::fs::File::open(&lock).unwrap();
    queue.lock().unwrap();
    let writer = rusqlite::Connection::open(b.db()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM freezes").unwrap();
    let start = Instant::now();
    assert_eq!(offered(&b, &["agent", "show", ""]), ["build-bot"]);
    assert_eq!(offered(&b, &["integration", "show", "g"]), ["github"]);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    drop(writer);
    queue.unlock().unwrap();
    assert_eq!(offered(&b, &["operator", "retire", ""]), ["op-1"]);
    assert_eq!(offered(&b, &["policy", "set", "cap."]), ["cap.move", "cap.week"]);
    assert!(offered(&b, &["integration", "add", "x", "--kind", ""]).contains(&"stripe".to_string()));
}

#[test]
fn nothing_is_offered_made_or_changed_where_there_is_no_workspace_or_another_one() {
    let b = Bench::empty();
    assert_eq!(offered(&b, &["agent", "show", ""]), Vec::<String>::new());
    assert!(!b.workspace().exists() && !b.path("state").exists());
    let b = Bench::new();
    b.add_agent("build-bot");
    super::support::sql(&b.db(), "PRAGMA user_version = 9999");
    assert_eq!(offered(&b, &["agent", "show", ""]), Vec::<String>::new());
    super::support::sql(&b.db(), "PRAGMA user_version = 0");
    assert_eq!(offered(&b, &["agent", "show", ""]), Vec::<String>::new(), "an older one is not migrated by a shell");
    assert!(!b.workspace().join("aosctl.db.v0-backup").exists());
    std::fs::write(b.db(), "not a database").unwrap();
    assert_eq!(offered(&b, &["agent", "show", ""]), Vec::<String>::new());
}

#[test]
fn the_workspace_of_the_line_counts() {
    let (here, there) = (Bench::new(), Bench::new());
    there.add_agent("over-there");
    let dir = there.workspace();
    assert_eq!(offered(&here, &["--workspace", dir.to_str().unwrap(), "agent", "show", ""]), ["over-there"]);
    assert_eq!(offered(&here, &[&format!("--workspace={}", dir.display()), "agent", "show", ""]), ["over-there"]);
}

#[test]
fn scripts_for_three_shells() {
    let b = Bench::empty();
    for (shell, sign) in [("bash", "complete -o"), ("zsh", "#compdef aosctl"), ("fish", "complete --keep-order")] {
        let (script, _) = run(&b, 0, &["completions", shell]);
        assert!(script.contains(sign) && script.contains("AOSCTL_COMPLETE"), "{script}");
        assert!(!script.contains(env!("CARGO_MANIFEST_DIR")), "no path of this machine: {script}");
    }
    run(&b, 2, &["completions", "tcsh"]);
    // Bash reads the script, and it defines the completion.
    let (script, _) = run(&b, 0, &["completions", "bash"]);
    let file = b.path("completions.bash");
    std::fs::write(&file, script).unwrap();
    let out = std::process::Command::new("bash")
        .arg("-c")
        .arg(format!("source {} && complete -p aosctl", file.display()))
        .output();
    if let Ok(out) = out {
        assert!(out.status.success() && text(&out.stdout).contains("_clap_complete_aosctl"), "{}", text(&out.stderr));
    }
}
