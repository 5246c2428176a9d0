//! A throwaway workspace and the real binary, for tests from outside.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod asked;
pub mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const PASSPHRASE: &str = "correct horse battery staple";

/// A directory with a workspace, a state directory and a passphrase file; gone when dropped.
pub struct Bench {
    pub dir: tempfile::TempDir,
}

impl Bench {
    /// Directories only.
    pub fn empty() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let pass = dir.path().join("pass");
        std::fs::write(&pass, PASSPHRASE).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&pass, std::fs::Permissions::from_mode(0o600)).unwrap();
        Bench { dir }
    }

    /// With a workspace: `aosctl init`.
    pub fn new() -> Bench {
        let b = Bench::empty();
        b.ok(&["init", "--name", "ACME", "--operator", "ops"]);
        b
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn workspace(&self) -> PathBuf {
        self.path("ws")
    }

    /// The binary, in this place, with an environment that holds nothing else. No passphrase file.
    pub fn bare(&self) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_aosctl"));
        c.env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.dir.path())
            .env("AOSCTL_WORKSPACE", self.workspace())
            .env("AOSCTL_STATE_DIR", self.path("state"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        c
    }

    /// As an operator: the passphrase file is given.
    pub fn cmd(&self, args: &[&str]) -> Command {
        let mut c = self.bare();
        // First, because what follows `--` belongs to somebody else.
        c.arg("--passphrase-file").arg(self.path("pass")).args(args);
        c
    }

    /// As an agent: its identity is presented.
    pub fn agent(&self, name: &str, args: &[&str]) -> Command {
        let mut c = self.bare();
        c.arg("--identity").arg(self.identity(name)).args(args);
        c
    }

    /// Where `agent add NAME` puts the identity when told `--out`.
    pub fn identity(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.identity"))
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.cmd(args).output().unwrap()
    }

    /// Runs as an operator and insists on exit 0; gives stdout.
    pub fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {:?}\n{}{}", out.status, text(&out.stdout), text(&out.stderr));
        text(&out.stdout)
    }

    /// `agent add NAME`, with its identity in [`Bench::identity`].
    pub fn add_agent(&self, name: &str) {
        let file = self.identity(name);
        self.ok(&["agent", "add", name, "--out", file.to_str().unwrap()]);
    }

    pub fn db(&self) -> PathBuf {
        self.workspace().join("aosctl.db")
    }
}

/// The state directory of the only log on this bench.
pub fn state_of(b: &Bench) -> PathBuf {
    let all = std::fs::read_dir(b.path("state")).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> = all.filter(|p| p.join("log.json").exists()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn code(out: &Output) -> i32 {
    out.status.code().unwrap_or(-1)
}

/// Runs SQL on a database as an attacker with the sqlite3 shell would, who puts back the triggers that stood in the way:
/// a workspace with another schema is not even opened.
pub fn sql(db: &Path, statements: &str) {
    let c = rusqlite::Connection::open(db).unwrap();
    let triggers = triggers(&c);
    c.execute_batch(statements).unwrap();
    put_back(&c, &triggers);
}

/// Name and text of every trigger.
pub fn triggers(c: &rusqlite::Connection) -> Vec<(String, String)> {
    let mut s = c.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    s.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// Makes those triggers anew that are gone.
pub fn put_back(c: &rusqlite::Connection, triggers: &[(String, String)]) {
    let left = self::triggers(c);
    for (name, text) in triggers {
        if !left.iter().any(|(n, _)| n == name) {
            c.execute_batch(text).unwrap();
        }
    }
}
