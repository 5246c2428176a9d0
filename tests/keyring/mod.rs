//! Keys with secrets, doors that carry them, and a program that tells what it was given.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::Output;

use aosctl::domain::event::*;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{KeyFacts, LeakStep, Place, StepOutcome};
use aosctl::secret::{Circle, Secret, Vault};
use zeroize::Zeroizing;

use crate::lab::{Lab, parse};
use crate::support::{code, text};

/// Asks for something on the integration `tool`, which the doors below lead to.
pub const USE: &[&str] = &["--integration", "tool", "--action", "pull_request.read", "--resource", "repo:acme/app"];

pub struct Keyring {
    pub lab: Lab,
}

impl Keyring {
    pub fn new() -> Keyring {
        let lab = Lab::new();
        lab.integration("tool", "github", false);
        Keyring { lab }
    }

    pub fn vault(&self) -> Vault {
        let ws = self.lab.ws();
        Vault::new(&ws.place().dir, &ws.state_dir(), &ws.origin().name)
    }

    /// A key with its secret somewhere.
    pub fn key(&self, name: &str, place: impl FnOnce(Id, &Circle) -> Place) -> Id {
        self.lab.sign(|tx| {
            let key = tx.next_id(IdKind::Key).unwrap();
            let circle = Circle::of(&tx.facts().operators().unwrap());
            let facts = KeyFacts { place: place(key, &circle), ..facts(name) };
            (key, KeyAdded { key, facts, note: None }.into())
        })
    }

    pub fn sealed(&self, name: &str, attended: bool, secret: &str) -> Id {
        let vault = self.vault();
        let secret = Secret::new(Zeroizing::new(secret.as_bytes().to_vec())).unwrap();
        self.key(name, |key, circle| vault.seal(key, attended, &secret, circle).unwrap().place())
    }

    pub fn referenced(&self, name: &str, reference: &str) -> Id {
        self.key(name, |_, _| Place::Reference(reference.into()))
    }

    pub fn place(&self, key: Id) -> Place {
        self.lab.ws().facts().key(key).unwrap().unwrap().facts.place.clone()
    }

    pub fn retire(&self, key: Id) {
        self.lab.sign(|_| ((), KeyRetired { key, reason: None }.into()));
    }

    pub fn leak(&self, key: Id) {
        self.lab.sign(|_| ((), KeyLeaked { key, revoked: Vec::new(), frozen: Vec::new(), reason: None }.into()));
    }

    /// Every step of the leak is done.
    pub fn close_leak(&self, key: Id) {
        let leak = self.lab.ws().facts().key(key).unwrap().unwrap().leak.clone().unwrap().seq;
        for step in LeakStep::ALL {
            let outcome = StepOutcome::Done;
            self.lab.sign(|_| ((), KeyStep { key, leak, step, outcome, note: None, detail: None }.into()));
        }
    }

    /// `connect tool`, with these flags too.
    pub fn connect(&self, flags: &[&str]) -> Output {
        let door = ["--json", "connect", "tool", "--agent", "build-bot", "--scope", "repo:acme/app"];
        self.lab.bench.cmd(&[&door[..], flags].concat()).output().unwrap()
    }

    /// A door that gives a key to a program; gives the grant.
    pub fn door(&self, key: Id, to: &Path, how: &str) -> String {
        let out = self.connect(&["--key", &key.to_string(), "--to", to.to_str().unwrap(), "--as", how]);
        assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
        parse(&out)["grant"].as_str().unwrap().to_string()
    }

    /// Only one door is open at a time, so that nobody has to think which one a request stands on.
    pub fn close(&self, grant: &str) {
        self.lab.bench.ok(&["revoke", grant]);
    }

    /// This very test program under another name: a binary that no list knows, and that runs the test `probe` alone.
    pub fn probe(&self) -> PathBuf {
        let path = self.lab.bench.dir.path().canonicalize().unwrap().join("probe");
        if !path.exists() {
            std::fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        }
        path
    }

    /// `run`s the probe for a new request; gives what the child wrote down, and what aosctl said.
    pub fn run_probe(&self, operator: bool, flags: &[&str]) -> (Seen, Output) {
        let request = self.lab.ask(USE, 0);
        let seen = self.lab.bench.path("seen");
        let _ = std::fs::remove_dir_all(&seen);
        std::fs::create_dir(&seen).unwrap();
        let out = self.run(&request, operator, flags, &PROBE);
        (Seen(seen), out)
    }

    /// `run REQUEST` as the agent; with the operator's passphrase file or without.
    pub fn run(&self, request: &str, operator: bool, flags: &[&str], argv: &[&str]) -> Output {
        let mut c = self.lab.bench.bare();
        c.arg("--identity").arg(self.lab.bench.identity("build-bot"));
        if operator {
            c.arg("--passphrase-file").arg(self.lab.bench.path("pass"));
        }
        c.arg("run").arg(request).args(flags).arg("--").args(argv);
        c.env("CANARY_OF_THE_CALLER", "x").output().unwrap()
    }
}

/// The command of the probe, from the bench's directory.
pub const PROBE: [&str; 5] = ["./probe", "--ignored", "--exact", "probe", "--nocapture"];

/// What the probe wrote down.
pub struct Seen(PathBuf);

impl Seen {
    pub fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }

    pub fn ran(&self) -> bool {
        self.0.join("environ").exists()
    }
}

/// The body of the test `probe`: writes down everything that it was given.
pub fn look_around() {
    use std::io::Read;
    let seen = Path::new("seen");
    let write = |name: &str, text: &[u8]| std::fs::write(seen.join(name), text).unwrap();
    let mut stdin = Vec::new();
    std::io::stdin().read_to_end(&mut stdin).unwrap();
    write("stdin", &stdin);
    let variable = std::env::var("GIVEN").unwrap_or_default();
    if let Ok(fd) = variable.parse::<i32>() {
        // Through /proc, because this is no place for unsafe code.
        write("fd", &std::fs::read(format!("/proc/self/fd/{fd}")).unwrap());
    } else if variable.starts_with('/') {
        use std::os::unix::fs::MetadataExt;
        write("file", &std::fs::read(&variable).unwrap());
        write("file-again", &std::fs::read(&variable).unwrap());
        let metadata = std::fs::metadata(&variable).unwrap();
        write("file-mode", format!("{:o}", metadata.mode() & 0o7777).as_bytes());
        let link = std::fs::read_link(&variable).unwrap_or_default();
        write("file-link", link.to_string_lossy().as_bytes());
        let changed = std::fs::OpenOptions::new().write(true).open(&variable);
        let changed = changed.and_then(|mut f| std::io::Write::write_all(&mut f, b"x"));
        write("file-writable", changed.is_ok().to_string().as_bytes());
    }
    let fds: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|e| {
            let path = e.ok()?.path();
            Some(format!("{} {}", path.file_name()?.to_str()?, std::fs::read_link(&path).ok()?.display()))
        })
        .collect();
    write("fds", fds.join("\n").as_bytes());
    write("cmdline", &std::fs::read("/proc/self/cmdline").unwrap());
    // Last: it says that the probe ran to its end.
    write("environ", &std::fs::read("/proc/self/environ").unwrap());
}

fn facts(name: &str) -> KeyFacts {
    KeyFacts::named(name, "token")
}
