//! `audit erase`, `audit correct`: who must agree, what is left of the text (nothing), and what is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly"
)]

mod approve_world;
mod pty;
mod support;

#[path = "cli_erase/agree.rs"]
mod agree;
#[path = "cli_erase/bytes.rs"]
mod bytes;
#[path = "cli_erase/killed.rs"]
mod killed;
#[path = "cli_erase/left.rs"]
mod left;
#[path = "cli_erase/refused.rs"]
mod refused;
#[path = "cli_erase/repeated.rs"]
mod repeated;
#[path = "cli_erase/said.rs"]
mod said;
#[path = "cli_erase/terminal.rs"]
mod terminal;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use approve_world::{Ask, World, now};
use serde_json::Value;
use support::{code, text};

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// A text of that many letters and digits which stands nowhere else.
fn canary(seed: u64, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            char::from(LETTERS[usize::try_from(x % 62).unwrap()])
        })
        .collect()
}

/// Everything asked at once by `build-bot`; gives the entry.
fn asked(w: &World, ask: &Ask) -> u64 {
    let id = w.ask(now(), ask);
    w.ws.store().about(id, u64::MAX).unwrap()[0].seq
}

/// A request with a canary in every text that may be erased, and those canaries.
fn with_canaries(seed: u64, lengths: &[usize]) -> (Ask, Vec<String>) {
    let all: Vec<String> = lengths.iter().zip(seed * 100..).map(|(n, s)| canary(s, *n)).collect();
    let of = |n: usize| all[n % all.len()].clone();
    let ask = Ask {
        summary: Some(of(0)),
        recommendation: Some(format!("\"{}\"\n\té {}", of(1), of(1))),
        rationale: Some(of(2)),
        alternatives: Some(vec![of(3), of(4)]),
        rollback: Some(of(5)),
        parameters: Some(format!("{{\"note\":\"{}\",\"ref\":\"v1\"}}", of(6))),
        diff: Some(of(7)),
        ..Ask::deploy()
    };
    (ask, all)
}

/// Every file below, with its bytes. Read from a copy that another process made: whoever opens and closes a file takes
/// from the whole process the locks that it has on it, and this one has the database open.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let copy = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp").arg("-a").arg(dir).arg(copy.path()).status().unwrap();
    assert!(copied.success());
    let mut found = Vec::new();
    let mut dirs = vec![copy.path().to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { dirs.push(path) } else { found.push((path.clone(), std::fs::read(path).unwrap())) }
        }
    }
    found
}

/// Where any part of these texts of 8 bytes or more stands in a file of workspace or state directory: as it is, or in
/// base64. A long text is looked for by parts that lie 61 bytes apart.
fn found_in(w: &World, texts: &[String]) -> Vec<String> {
    let mut parts: HashSet<[u8; 8]> = HashSet::new();
    for t in texts {
        let mut add = |bytes: &[u8], step: usize| {
            parts.extend(bytes.windows(8).step_by(step).map(|part| <[u8; 8]>::try_from(part).unwrap()));
        };
        add(t.as_bytes(), 61);
        add(&t.as_bytes()[t.len() - 8..], 1);
        for shift in 0..3 {
            let coded = data_encoding::BASE64_NOPAD.encode(&t.as_bytes()[shift..t.len().min(shift + 30)]);
            // The end of what was cut off is coded otherwise where more follows.
            add(&coded.as_bytes()[..coded.len() - 2], 1);
        }
    }
    let mut found = Vec::new();
    for dir in [w.bench.workspace(), w.bench.path("state")] {
        for (path, bytes) in files(&dir) {
            if bytes.windows(8).any(|part| parts.contains(part)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// `audit verify` says that everything holds.
fn verifies(w: &World) {
    let out = w.bench.run(&["audit", "verify", "--threads", "1"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
}

/// `audit erase` with a reason, without a question, as JSON.
fn erase(w: &World, seq: u64, more: &[&str]) -> Output {
    let seq = seq.to_string();
    w.bench.run(&[&["--json", "audit", "erase", &seq, "--reason", "GDPR request 7", "--yes"], more].concat())
}
