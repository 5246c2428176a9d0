//! README.txt: every command in it is run as it stands there, with the bundle as the current directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{code, text};
use crate::{copy, exported, files, has, skip, vkey};

/// The commands of a page: lines that begin with four spaces, in blocks of their own.
pub fn blocks(page: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    let mut before = "";
    for line in page.lines() {
        let begins = before.is_empty() || !blocks.last().unwrap().is_empty();
        before = line;
        match line.strip_prefix("    ").filter(|_| begins) {
            Some(command) => {
                let last = blocks.last_mut().unwrap();
                last.push_str(command);
                last.push('\n');
            }
            None if blocks.last().unwrap().is_empty() => {}
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|b| !b.is_empty());
    blocks
}

fn verify_py() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify/verify.py")
}

/// As somebody types it who was given the key in another way.
pub fn typed(script: &str, dir: &Path, vkey: &str) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_aosctl")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Command::new("sh")
        .args(["-eu", "-c", script])
        .current_dir(dir)
        .env("PATH", path)
        .env("VKEY", vkey)
        .env("VERIFY_PY", verify_py())
        .output()
        .unwrap()
}

/// Whether the second verifier can be run.
pub fn python() -> bool {
    let there = verify_py().exists();
    let able = Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("SKIPPED: there is no docs/verify/verify.py yet");
    } else if !able {
        skip("python3 has no module cryptography");
    }
    there && able
}

#[test]
fn every_command_works_as_it_stands_there() {
    if !["openssl", "ssh-keygen", "sha256sum", "base64"].into_iter().all(has) {
        return;
    }
    let w = copy();
    let place = w.place();
    let dir = exported(&place, "bundle", &[]);
    let (found, key) = (files(&dir), vkey(&place));
    let page = text(&found["README.txt"]);
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
    assert!(page.lines().count() <= 66, "{} lines", page.lines().count());
    let blocks = blocks(&page);
    assert_eq!(blocks.len(), 5, "{blocks:#?}");

    let keys = typed(&blocks[0], &dir, &key);
    assert_eq!(code(&keys), 0, "{}", text(&keys.stderr));
    let lines: Vec<String> = text(&keys.stdout).lines().map(String::from).collect();
    assert_eq!(lines[0], "the same key");
    assert_eq!(lines[1], lines[2], "log.vkey and log.pem are one key");
    // Another key than the one from elsewhere is seen.
    let other = typed(&blocks[0], &dir, &key.replace("aosctl/", "aosctl/0"));
    assert!(text(&other.stdout).starts_with("ANOTHER KEY"));

    let signed = typed(&blocks[1], &dir, &key);
    assert_eq!(code(&signed), 0, "{}", text(&signed.stderr));
    assert!(text(&signed.stdout).starts_with("Good \"aosctl-checkpoint\" signature for aosctl/"));

    let (python_line, aosctl_line) = blocks[2].split_once('\n').unwrap();
    for (line, able) in [(python_line, python()), (aosctl_line, true)] {
        if able {
            let done = typed(line, &dir, &key);
            assert_eq!(code(&done), 0, "{line}: {}{}", text(&done.stdout), text(&done.stderr));
        }
    }

    // Entry 0 as it stands there, and others by another number: of an operator, of an agent, of the log.
    let size = text(&found["entries.jsonl"]).lines().count();
    let ws = w.open();
    let mut seen = std::collections::BTreeSet::new();
    for seq in 0..size as u64 {
        let actor = ws.store().entry(seq).unwrap().unwrap().columns.1;
        if !seen.insert(actor.clone()) {
            continue;
        }
        let script = blocks[3].replace("N=0;", &format!("N={seq};"));
        let out = typed(&script, &dir, &key);
        assert_eq!(code(&out), 0, "{seq}: {}{}", text(&out.stdout), text(&out.stderr));
        assert!(text(&out.stdout).contains("Signature Verified Successfully"), "{seq}");
        let name = text(&out.stdout).lines().next().unwrap().to_string();
        let whose = name.strip_prefix("identities/").unwrap_or(&name).trim_end_matches(".pem").to_string();
        assert_eq!(whose.split('.').next().unwrap(), actor, "{seq}");
    }
    assert!(seen.len() >= 4 && seen.contains("log"), "{seen:?}");
    // The hash of an entry's line is the `prev` of the next one.
    for n in [0, 1, size - 2] {
        let out = typed(&blocks[4].replace("N=0;", &format!("N={n};")), &dir, &key);
        assert_eq!(code(&out), 0, "{}", text(&out.stderr));
        let said = text(&out.stdout);
        let (hash, next) = (said.split(' ').next().unwrap(), said.lines().nth(1).unwrap());
        assert!(next.contains(&format!("\"prev\":\"{hash}\"")), "{said}");
    }
}

#[test]
fn a_forged_bundle_is_refused_by_them() {
    if !["openssl", "ssh-keygen"].into_iter().all(has) {
        return;
    }
    let w = copy();
    let place = w.place();
    let dir = exported(&place, "bundle", &[]);
    let key = vkey(&place);
    let blocks = blocks(&text(&files(&dir)["README.txt"]));
    let note = text(&std::fs::read(dir.join("checkpoint")).unwrap());
    std::fs::write(dir.join("checkpoint"), note.replacen('\n', "\n1", 1)).unwrap();
    assert_ne!(code(&typed(&blocks[1], &dir, &key)), 0, "ssh-keygen took another checkpoint");
    let entries = text(&std::fs::read(dir.join("entries.jsonl")).unwrap());
    let at = entries.find("\"sig\":\"").unwrap() + 9;
    let other = if &entries[at..=at] == "A" { "B" } else { "A" };
    std::fs::write(dir.join("entries.jsonl"), format!("{}{other}{}", &entries[..at], &entries[at + 1..])).unwrap();
    let out = typed(&blocks[3], &dir, &key);
    assert_ne!(code(&out), 0, "openssl took another signature: {}", text(&out.stdout));
}
