//! Law 7: a secret never shows. A canary for a passphrase and the secret bytes of identities are looked for wherever
//! aosctl writes, prints, or can be looked at from outside while it runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

mod keyring;
mod lab;
mod pty;
mod support;

#[path = "secrets_stay/child.rs"]
mod child;
#[path = "secrets_stay/keys.rs"]
mod keys;
#[path = "secrets_stay/outside.rs"]
mod outside;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use support::{Bench, code, text};

/// Not the passphrase of other tests, and found nowhere by chance.
const CANARY: &str = "canary 7f3ac1 sings at dawn";
const NEXT: &str = "canary e09b52 sings at dusk";
const WRONG: &str = "canary 11d8aa is another bird";

/// What must not show, in every shape in which it might.
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn passphrases() -> Secrets {
        let mut s = Secrets(Vec::new());
        for p in [CANARY, NEXT, WRONG] {
            s.add(p, p.as_bytes());
            // A part of it is too much as well.
            let word = p.split(' ').nth(1).unwrap();
            s.0.push((format!("{p}: {word}"), word.as_bytes().to_vec()));
        }
        s
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        let debug: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for (form, shape) in [
            ("raw", bytes.to_vec()),
            ("hex", HEXLOWER.encode(bytes).into_bytes()),
            ("HEX", HEXUPPER.encode(bytes).into_bytes()),
            ("base64", BASE64_NOPAD.encode(bytes).into_bytes()),
            ("base64, padded", BASE64.encode(bytes).into_bytes()),
            ("base64 before others", inside_base64(bytes, 0)),
            ("base64 after one byte", inside_base64(bytes, 1)),
            ("base64 after two bytes", inside_base64(bytes, 2)),
            ("base64 for URLs", BASE64URL_NOPAD.encode(bytes).into_bytes()),
            ("URL-encoded", url(bytes, HEXUPPER)),
            ("url-encoded", url(bytes, HEXLOWER)),
            ("a list of numbers", debug.join(", ").into_bytes()),
            ("a list of numbers, canonical", debug.join(",").into_bytes()),
        ] {
            self.0.push((format!("{name}, {form}"), shape));
        }
    }

    /// Panics where one of them is.
    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        if let Some(name) = self.find(bytes) {
            panic!("{name} shows in {place}");
        }
    }

    /// The name of one that is there.
    fn find(&self, bytes: &[u8]) -> Option<&str> {
        // A byte a character, so that the search is the standard library's, which is quick in a test build too.
        let wide = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
        let all = wide(bytes);
        let there = |shape: &[u8]| all.contains(&wide(shape));
        self.0.iter().find(|(_, shape)| there(shape)).map(|(name, _)| name.as_str())
    }

    fn assert_absent_in(&self, out: &Output, what: &str) {
        self.assert_absent(&format!("stdout of {what}"), &out.stdout);
        self.assert_absent(&format!("stderr of {what}"), &out.stderr);
        assert!(!text(&out.stderr).contains("panicked"), "{what}");
    }

    /// Looks into every file below a directory, but those.
    fn assert_absent_below(&self, dir: &Path, but: &[PathBuf]) -> usize {
        let mut looked = 0;
        for path in files(dir) {
            if but.contains(&path) {
                continue;
            }
            self.assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
            looked += 1;
        }
        looked
    }
}

/// What base64 makes of bytes that stand behind `before` others: without the digits that hold a part of what is beside.
fn inside_base64(bytes: &[u8], before: usize) -> Vec<u8> {
    let whole = BASE64_NOPAD.encode(&[&vec![0; before][..], bytes].concat()).into_bytes();
    let (skip, end) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
    whole[skip..end].to_vec()
}

fn url(bytes: &[u8], hex: Encoding) -> Vec<u8> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: &u8| if plain(*b) { vec![*b] } else { format!("%{}", hex.encode(&[*b])).into_bytes() };
    bytes.iter().flat_map(one).collect()
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for path in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found
}

fn secret_file(b: &Bench, name: &str, content: &str) -> PathBuf {
    let path = b.path(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The secret of a sealed identity, opened with other code than aosctl's.
fn seed_of(sealed: &Path, passphrase: &str) -> Vec<u8> {
    use argon2::{Algorithm, Argon2, Block, Params, Version};
    use chacha20poly1305::aead::{Aead, KeyInit, Payload};
    use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
    let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(sealed).unwrap()).unwrap();
    let hex = |v: &serde_json::Value| HEXLOWER.decode(v.as_str().unwrap().as_bytes()).unwrap();
    let secret = hex(&file["sealed"]);
    let nonce: [u8; 24] = hex(&file["nonce"]).try_into().unwrap();
    let salt = hex(&file["kdf"]["salt"]);
    let number = |name: &str| u32::try_from(file["kdf"][name].as_u64().unwrap()).unwrap();
    let params = Params::new(number("m_kib"), number("t"), number("p"), Some(32)).unwrap();
    let mut key = [0; 32];
    let mut memory = vec![Block::default(); params.block_count()];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.as_bytes(), &salt, &mut key, &mut memory)
        .unwrap();
    file.as_object_mut().unwrap().remove("sealed");
    let aad = serde_json::to_vec(&file).unwrap();
    XChaCha20Poly1305::new(&Key::from(key))
        .decrypt(&XNonce::from(nonce), Payload { msg: &secret, aad: &aad })
        .unwrap_or_else(|_| panic!("{} opens otherwise than it says", sealed.display()))
}

/// The secret of an identity that is not sealed.
fn plain_seed(file: &Path) -> Vec<u8> {
    let v: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    HEXLOWER.decode(v["seed"].as_str().unwrap().as_bytes()).unwrap()
}

fn state_dir(b: &Bench) -> PathBuf {
    std::fs::read_dir(b.path("state")).unwrap().next().unwrap().unwrap().path()
}

const READ: [&str; 6] = ["--integration", "github", "--action", "pull_request.read", "--resource", "repo:acme/app"];
const MERGE: [&str; 6] = ["--integration", "github", "--action", "pull_request.merge", "--resource", "repo:acme/app"];

/// Every command that a passphrase or an identity goes into, its outputs, and every file that is left, the WAL too.
#[test]
fn nothing_that_is_written_or_printed_holds_a_secret() {
    let b = Bench::empty();
    let pass = secret_file(&b, "pass", CANARY);
    let next = secret_file(&b, "next", NEXT);
    let wrong = secret_file(&b, "wrong", WRONG);
    let mut secrets = Secrets::passphrases();
    let mut said: Vec<(String, Output)> = Vec::new();
    let mut run = |mut c: Command, exit: i32| {
        let what = format!("{:?}", c.get_args().collect::<Vec<_>>());
        let out = c.output().unwrap();
        assert_eq!(code(&out), exit, "{what}\n{}{}", text(&out.stdout), text(&out.stderr));
        said.push((what, out));
    };
    run(b.cmd(&["init", "--name", "ACME", "--operator", "ops"]), 0);
    // While somebody has it open, nobody empties the WAL: what was written stays there to be looked at.
    let holder = rusqlite::Connection::open(b.db()).unwrap();
    let _: i64 = holder.query_row("SELECT count(*) FROM entries", [], |r| r.get(0)).unwrap();
    let bot = b.identity("build-bot");
    run(b.cmd(&["agent", "add", "build-bot", "--out", bot.to_str().unwrap()]), 0);
    run(b.cmd(&["agent", "add", "kept-bot", "--json"]), 0);
    run(b.cmd(&["integration", "add", "github", "--kind", "github"]), 0);
    let door = ["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--data", "internal"];
    run(b.cmd(&[&door[..], &["--access", "write", "--json"]].concat()), 0);
    run(b.cmd(&["grant", "renew", "g-1", "--expires", "60d"]), 0);
    run(b.cmd(&["policy", "set", "cap.move", "500USD"]), 0);
    for n in 1..=3 {
        run(b.agent("build-bot", &[&["request", "new", "--json"][..], &MERGE].concat()), 5);
        let r = format!("r-{n}");
        match n {
            1 => run(b.cmd(&["approve", &r, "--reason", "fine"]), 0),
            2 => run(b.cmd(&["deny", &r, "--reason", "no"]), 0),
            _ => run(b.agent("build-bot", &["request", "withdraw", &r]), 0),
        }
    }
    run(b.agent("build-bot", &["run", "r-1", "--", "true"]), 0);
    run(b.cmd(&["freeze"]), 0);
    run(b.cmd(&["thaw", "--reason", "over"]), 0);
    run(b.cmd(&["revoke", "g-1"]), 0);
    run(b.cmd(&["agent", "retire", "kept-bot"]), 0);
    let seed = seed_of(&b.workspace().join("operators/op-1.json"), CANARY);
    assert_eq!(seed.len(), 32);
    secrets.add("the operator's key", &seed);
    // A wrong passphrase, and one in the wrong place.
    let with = |file: &Path, args: &[&str]| {
        let mut c = b.bare();
        c.args(args).arg("--passphrase-file").arg(file);
        c
    };
    run(with(&wrong, &["agent", "add", "late-bot"]), 1);
    run(with(&wrong, &["agent", "add", "late-bot", "--json"]), 1);
    let mut c = b.bare();
    c.args(["--identity"]).arg(&pass).args(["request", "new"]).args(READ);
    run(c, 3);
    let mut c = b.bare();
    c.args(["policy", "lint"]).arg(&pass);
    let out = c.output().unwrap();
    // A file that the user names as a policy is quoted to him; nothing else is.
    assert_ne!(code(&out), 0);
    run(with(&pass, &["operator", "passphrase", "--new-passphrase-file", next.to_str().unwrap()]), 0);
    run(with(&next, &["operator", "passphrase", "--new-passphrase-file", pass.to_str().unwrap(), "--json"]), 0);
    run(b.cmd(&["operator", "create", "other", "--out", b.path("other.json").to_str().unwrap()]), 0);
    secrets.add("another operator's key", &seed_of(&b.path("other.json"), CANARY));
    for (name, file) in [("an agent's", bot.clone()), ("the log's", state_dir(&b).join("log.json"))] {
        secrets.add(&format!("{name} key"), &plain_seed(&file));
    }
    for line in [
        &["status", "--json"][..],
        &["audit", "log", "--json"],
        &["audit", "verify", "--json"],
        &["request", "list", "--json"],
        &["request", "show", "r-1", "--json"],
        &["grant", "show", "g-1", "--json"],
        &["agent", "show", "build-bot", "--json"],
        &["operator", "list", "--json"],
        &["policy", "show", "--effective", "--json"],
    ] {
        let mut c = b.bare();
        c.args(line);
        run(c, 0);
    }
    for (what, out) in &said {
        secrets.assert_absent_in(out, what);
    }
    assert!(b.workspace().join("aosctl.db-wal").metadata().unwrap().len() > 0, "the WAL is there to be looked at");
    // The files of the test itself, and those whose very content it is.
    let mut but = vec![pass, next, wrong, bot];
    but.extend(
        files(&state_dir(&b))
            .into_iter()
            .filter(|p| p.ends_with("log.json") || p.parent().unwrap().ends_with("agents")),
    );
    let looked = secrets.assert_absent_below(b.dir.path(), &but);
    assert!(looked >= 7, "{looked} files");
    // In the workspace there is no exception: a copy of it signs nothing.
    secrets.assert_absent_below(&b.workspace(), &[]);
    // The backup before a migration too.
    drop(holder);
    support::sql(&b.db(), "PRAGMA wal_checkpoint(TRUNCATE)");
    secrets.assert_absent_below(&b.workspace(), &[]);
    println!("{} outputs, {looked} files, {} shapes", said.len(), secrets.0.len());
}

#[test]
#[ignore = "the child of `run`, started by the tests in secrets_stay/keys.rs"]
fn probe() {
    keyring::look_around();
}

/// What is printed for debugging names no secret either.
#[test]
fn debug_prints_hide_what_they_hold() {
    use aosctl::identity::{Passphrase, PlainIdentity, PlainKind, SealedIdentity, Signer};
    let mut secrets = Secrets::passphrases();
    let seed = [0x5a_u8, 0xc3, 0x17, 0x99].repeat(8);
    secrets.add("a key", &seed);
    let signer = || Signer::from_seed(&seed.clone().try_into().unwrap());
    let passphrase = Passphrase::given(CANARY.into()).unwrap();
    let origin = format!("aosctl/{}", "0".repeat(32));
    let plain = PlainIdentity::new(PlainKind::Agent, "ag-1", &origin, signer()).unwrap();
    let sealed = SealedIdentity::seal(&signer(), &passphrase, Some("op-1"), Some(&origin)).unwrap();
    for shown in [
        format!("{passphrase:?} {passphrase:#?}"),
        format!("{:?} {plain:?} {plain:#?}", signer()),
        format!("{sealed:?}"),
        format!("{:?}", sealed.unlock(&Passphrase::given(WRONG.into()).unwrap()).unwrap_err()),
        format!("{:?}", Passphrase::chosen("canary".into()).map(|_| ()).unwrap_err()),
        format!("{:?}", SealedIdentity::parse(CANARY.as_bytes()).unwrap_err()),
        format!("{}", PlainIdentity::parse(PlainKind::Agent, CANARY.as_bytes()).map(|_| ()).unwrap_err()),
    ] {
        secrets.assert_absent("a debug print", shown.as_bytes());
    }
}

/// Whatever the umask is, what aosctl makes is the user's alone.
#[test]
fn files_are_private_under_any_umask() {
    for umask in ["000", "777", "022"] {
        let b = Bench::empty();
        let under = |c: Command| {
            let mut sh = Command::new("/bin/sh");
            sh.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]).arg(c.get_program()).args(c.get_args());
            sh.env_clear().envs(c.get_envs().filter_map(|(k, v)| Some((k, v?))));
            sh.current_dir(b.dir.path()).stdin(Stdio::null());
            let out = sh.output().unwrap();
            assert!([0, 5].contains(&code(&out)), "{:?}: {}{}", c.get_args(), text(&out.stdout), text(&out.stderr));
        };
        let pass = files(b.dir.path());
        under(b.cmd(&["init", "--name", "ACME"]));
        let holder = rusqlite::Connection::open(b.db()).unwrap();
        let _: i64 = holder.query_row("SELECT count(*) FROM entries", [], |r| r.get(0)).unwrap();
        under(b.cmd(&["agent", "add", "build-bot", "--out", b.identity("build-bot").to_str().unwrap()]));
        under(b.cmd(&["agent", "add", "other-bot"]));
        under(b.cmd(&["operator", "create", "other", "--out", b.path("other.json").to_str().unwrap()]));
        let door = ["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--data", "internal"];
        under(b.cmd(&[&door[..], &["--access", "write"]].concat()));
        under(b.agent("build-bot", &[&["request", "new"][..], &READ].concat()));
        under(b.agent("build-bot", &["run", "r-1", "--", "true"]));
        under(b.cmd(&["policy", "set", "cap.move", "500USD"]));
        let mut modes = BTreeMap::new();
        let mut open = vec![b.workspace(), b.path("state")];
        while let Some(dir) = open.pop() {
            let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode(&dir), 0o700, "umask {umask}: {}", dir.display());
            for path in std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()) {
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    assert_eq!(mode(&path), 0o600, "umask {umask}: {}", path.display());
                    modes.insert(name, ());
                }
            }
        }
        for path in files(b.dir.path()).iter().filter(|p| !pass.contains(p)) {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{}", path.display());
        }
        for name in ["aosctl.db", "aosctl.lock", "policy.toml", "op-1.json", "log.json", "pin", "other-bot.json"] {
            assert!(modes.contains_key(name), "{name} was not looked at: {modes:?}");
        }
    }
}
