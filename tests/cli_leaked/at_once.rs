//! Several at once, and one that runs with the key meanwhile.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::keys_world::{entries_from, key, open, size};

#[test]
fn said_by_many_at_once_it_leaked_once() {
    let b = bench();
    let before = size(&b);
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut c = b.bare();
            c.args(["key", "leaked", "k-1", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut said = 0;
    for c in children {
        let out = c.wait_with_output().unwrap();
        assert_eq!(code(&out), 0, "{}", text(&out.stderr));
        said += usize::from(json(&out)["leaks"][0]["said"]["now"] == true);
    }
    assert_eq!(said, 1);
    assert_eq!(entries_from(&b, before), ["grant.revoked/1", "grant.revoked/1", "key.leaked/1"]);
    verified(&b);
}

/// A program of its own name, because a shell is given no secret.
fn napper(b: &Bench) -> std::path::PathBuf {
    let path = b.dir.path().canonicalize().unwrap().join("napper");
    std::fs::copy("/usr/bin/sleep", &path).unwrap();
    path
}

#[test]
fn what_runs_with_it_is_named_and_nothing_new_begins() {
    let b = Bench::new();
    b.add_agent("bot");
    b.ok(&["integration", "add", "github", "--kind", "github"]);
    let id = add_sealed(&b, "gh", OLD, false);
    let napper = napper(&b);
    let door =
        ["connect", "github", "--agent", "bot", "--scope", "repo:acme/app", "--key", "k-1", "--as", "stdin", "--to"];
    b.ok(&[&door[..], &[napper.to_str().unwrap()]].concat());
    let ask = || {
        let new = [
            "request",
            "new",
            "--integration",
            "github",
            "--action",
            "pull_request.read",
            "--resource",
            "repo:acme/app",
            "--json",
        ];
        json(&b.agent("bot", &new).output().unwrap())["id"].as_str().unwrap().to_string()
    };
    let (first, second) = (ask(), ask());
    let run = |request: &str| {
        let mut c = b.agent("bot", &["run", request, "--"]);
        c.arg(&napper).arg("60");
        c
    };
    let mut child = run(&first).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while open(&b).store().runs_with(id).unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    let out = bare(&b, &["key", "leaked", "k-1", "--json"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let v = json(&out);
    let running = &v["leaks"][0]["running"][0];
    assert_eq!((running["request"].as_str(), running["agent"]["name"].as_str()), (Some(first.as_str()), Some("bot")));
    assert_eq!(running["standing"], "claimed");
    let page = text(&bare(&b, &["key", "leaked", "k-1"]).stdout);
    assert!(page.contains(&format!("STILL HELD    {first} of bot")), "{page}");
    // Nothing begins with it any more, whatever was allowed before.
    let refused = run(&second).output().unwrap();
    assert_eq!(code(&refused), 1, "{}", text(&refused.stderr));
    assert_eq!(open(&b).store().runs_with(id).unwrap().len(), 1);
    // Killed, nobody knows how it ended: that is said too, and the report has it among its uses.
    Command::new("kill").args(["-9", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap();
    let v = json(&bare(&b, &["key", "leaked", "k-1", "--report", "--json"]));
    assert_eq!(v["uses"].as_array().unwrap().len(), 1, "{v:#}");
    assert_eq!(v["leak"]["running"][0]["standing"], "unknown");
    assert!(v["not_proven"].as_array().unwrap().iter().any(|t| t.as_str().unwrap().contains(&first)), "{v:#}");
    verified(&b);
    assert!(key(&b, id).leak_is_open());
    shows_nowhere(&b, &[OLD], &[&out, &refused]);
}

#[test]
fn killed_at_any_moment_it_goes_on() {
    let b = bench();
    let before = size(&b);
    // Killed while it works, at a moment that nobody chose: all of it or nothing is in the log.
    for wait in [0, 2, 5, 9, 14, 20, 30, 45] {
        let mut child =
            b.bare().args(["key", "leaked", "k-1"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = entries_from(&b, before);
        assert!(said.is_empty() || said == ["grant.revoked/1", "grant.revoked/1", "key.leaked/1"], "{said:?}");
        verified(&b);
    }
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1"])), 0);
    assert!(key(&b, id("k-1")).leak_is_open());
    // Killed while it records a step, it is recorded or not, and the next call goes on from there.
    for wait in [100, 400, 700, 1000] {
        let mut c = b.cmd(&["key", "leaked", "k-1", "--step", "revoke", "--outcome", "done"]);
        let mut child = c.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        child.wait().unwrap();
        verified(&b);
    }
    b.ok(&["key", "leaked", "k-1", "--step", "revoke", "--outcome", "done"]);
    let v = json(&bare(&b, &["key", "leaked", "k-1", "--json"]));
    assert_eq!(v["leaks"][0]["next"]["step"], "prove_dead");
}
