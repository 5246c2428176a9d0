//! A bundle made by hand, without `audit export`: what a stranger may have been given.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use aosctl::log::checkpoint::{Checkpoint, VerifierKey};
use aosctl::log::key::PublicKey;
use aosctl::log::tree::{Frontier, leaf_hash};
use serde_json::Value;

use crate::world::{Stage, World};

pub fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(Stage::new)
}

/// The files of a bundle, and the key that is trusted.
#[derive(Clone)]
pub struct Files {
    pub entries: Vec<Vec<u8>>,
    pub payloads: Option<Vec<Vec<u8>>>,
    pub some: bool,
    pub checkpoint: Option<Vec<u8>>,
    pub vkey: VerifierKey,
}

impl Files {
    /// Everything that a workspace holds.
    pub fn of(w: &World) -> Files {
        let w = w.copy();
        let ws = w.open();
        let rows = ws.store().range(0, 10_000).unwrap();
        let line = |seq: u64, record: &[u8]| {
            let mut line = record.strip_suffix(b"}").unwrap().to_vec();
            line.extend_from_slice(format!(",\"seq\":{seq}}}").as_bytes());
            line
        };
        Files {
            entries: rows.iter().map(|s| s.envelope.clone()).collect(),
            payloads: Some(rows.iter().map(|s| line(s.seq, s.record.as_ref().unwrap())).collect()),
            some: false,
            checkpoint: Some(std::fs::read(w.state().join("pin")).unwrap()),
            vkey: VerifierKey::for_log(&ws.origin().name, &PublicKey(ws.origin().log_key)),
        }
    }

    /// The stage's, made once.
    pub fn base() -> Files {
        static BASE: OnceLock<Files> = OnceLock::new();
        BASE.get_or_init(|| Files::of(&stage().copy())).clone()
    }

    /// A checkpoint that the log signs over the entries as they are now.
    pub fn sealed(mut self) -> Files {
        self.checkpoint = Some(self.note(self.entries.len()));
        self
    }

    /// A checkpoint that the log signs over the first entries.
    pub fn note(&self, size: usize) -> Vec<u8> {
        let mut tree = Frontier::new();
        self.entries.iter().take(size).for_each(|e| tree.push(leaf_hash(e)));
        let checkpoint = Checkpoint { origin: self.vkey.name.clone(), size: tree.size(), root: tree.root() };
        let log = &stage().cast.log;
        checkpoint.sign(|m| log.sign(m), &PublicKey(log.public())).into_bytes()
    }

    /// Names and bytes, sorted by name.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let join = |lines: &[Vec<u8>]| lines.iter().flat_map(|l| [&l[..], b"\n"].concat()).collect::<Vec<u8>>();
        let mut files = Vec::new();
        files.extend(self.checkpoint.clone().map(|c| ("checkpoint".to_owned(), c)));
        files.push(("entries.jsonl".to_owned(), join(&self.entries)));
        files.push(("log.vkey".to_owned(), format!("{}\n", self.vkey).into_bytes()));
        let name = if self.some { "payloads-some.jsonl" } else { "payloads.jsonl" };
        files.extend(self.payloads.as_deref().map(|p| (name.to_owned(), join(p))));
        files
    }

    /// As a directory under `target/tmp/bundles`, where the second verifier looks at it too.
    pub fn write(&self, name: &str) -> PathBuf {
        write_dir(name, &self.files(), &self.vkey)
    }

    pub fn vkey(&self) -> String {
        self.vkey.to_string()
    }
}

/// Files as a directory under `target/tmp/bundles`.
pub fn write_dir(name: &str, files: &[(String, Vec<u8>)], vkey: &VerifierKey) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundles").join(format!("verify-{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    std::fs::write(dir.join("trusted.vkey"), format!("{vkey}\n")).unwrap();
    dir
}

/// The binary in a place where there is nothing of aosctl's, and where none may appear.
pub fn nowhere(args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let out = command(dir.path(), &dir.path().join("ws"), &dir.path().join("state"), &[&["verify"], args].concat());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{args:?} wrote something");
    out
}

/// The binary over a world.
pub fn at(w: &World, args: &[&str]) -> Output {
    audit(w, &[&["verify"], args].concat())
}

/// Another verb of `audit` over a world.
pub fn audit(w: &World, args: &[&str]) -> Output {
    let place = w.place();
    command(place.dir.parent().unwrap(), &place.dir, &place.state, args)
}

fn command(home: &Path, ws: &Path, state: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aosctl"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .env("AOSCTL_WORKSPACE", ws)
        .env("AOSCTL_STATE_DIR", state)
        .current_dir(home)
        .arg("audit")
        .args(args)
        .output()
        .unwrap()
}

/// Exit code, and stdout as JSON.
pub fn json(out: &Output) -> (i32, Value) {
    let code = out.status.code().unwrap();
    let v = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(out)));
    (code, v)
}

pub fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// Status, first bad seq and reason of a check.
pub fn verdict(v: &Value, check: &str) -> (String, Option<u64>, String) {
    let all = v["verdicts"].as_array().unwrap_or_else(|| panic!("{v}"));
    let v = all.iter().find(|v| v["check"] == check).unwrap();
    let word = |name: &str| v[name].as_str().unwrap_or_default().to_owned();
    (word("status"), v["first_bad_seq"].as_u64(), word("reason"))
}

/// As [`verdict`], the status alone.
pub fn status(v: &Value, check: &str) -> String {
    verdict(v, check).0
}

/// Changes the log itself, as somebody with the sqlite3 shell would, and leaves its triggers as they were.
pub fn on_log(w: &World, sql: &str) {
    let c = w.sql();
    let kept: Vec<(String, String)> = c
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    kept.iter().for_each(|(name, _)| c.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
    c.execute_batch(sql).unwrap();
    kept.iter().for_each(|(_, sql)| c.execute_batch(sql).unwrap());
}

/// What a monitoring system is told of a whole log. Where the clock is behind the story, its last entry is ahead of it.
pub fn calm() -> &'static str {
    let begin = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_255_200);
    if std::time::SystemTime::now() < begin { "AOSCTL AUDIT WARNING - " } else { "AOSCTL AUDIT OK - " }
}

/// The page, which fits the screen, on one line.
pub fn page(out: &Output) -> String {
    let page = String::from_utf8(out.stdout.clone()).unwrap();
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}
