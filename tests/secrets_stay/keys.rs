//! Secrets of keys: canaries in the vault, in a file and with another program, looked for everywhere but in the one child.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::{Secrets, files, secret_file, state_dir};
use crate::keyring::{Keyring, PROBE, USE};
use crate::lab::script;
use crate::pty::Desk;
use crate::support::{code, text};

/// With characters that each encoding writes otherwise.
const ATTENDED: &str = "canary-attended/8f1c+7a?&=\u{e9}";
const UNATTENDED: &str = "canary-unattended/51be+09?&=#";
const ROTATED: &str = "canary-rotated/c77d+31?&=%";
const IN_FILE: &str = "canary-file/e24a+60?&=~";
const IN_OP: &str = "canary-op/93d0+f8?&=!";
const TYPED: &str = "canary-typed/2b6e+d4?&=;";
const ALL: [&str; 6] = [ATTENDED, UNATTENDED, ROTATED, IN_FILE, IN_OP, TYPED];

fn canaries() -> Secrets {
    let mut secrets = Secrets(Vec::new());
    for c in ALL {
        secrets.add(c, c.as_bytes());
        // A part of it is too much as well; the last four characters may be shown.
        secrets.0.push((format!("the beginning of {c}"), c.as_bytes()[..12].to_vec()));
    }
    secrets
}

/// Everything that was run, with what it printed and with what others saw of it meanwhile.
struct Watcher<'a> {
    k: &'a Keyring,
    secrets: &'a Secrets,
    said: usize,
    looks: usize,
}

fn drain(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        from.read_to_end(&mut all).unwrap();
        all
    })
}

impl Watcher<'_> {
    /// Runs it, looking at its command line and environment all the time; nothing of a canary shows.
    fn run(&mut self, mut c: Command, stdin: Option<&str>, exit: &[i32]) -> Output {
        let what = format!("{:?}", c.get_args().collect::<Vec<_>>());
        c.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(text) = stdin {
            child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        }
        // Read meanwhile, because a full pipe holds it up.
        let (stdout, stderr) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            for name in ["cmdline", "environ"] {
                let bytes = std::fs::read(format!("/proc/{}/{name}", child.id())).unwrap_or_default();
                self.secrets.assert_absent(&format!("/proc/PID/{name} of {what}"), &bytes);
            }
            self.looks += 1;
            std::thread::sleep(Duration::from_millis(2));
        };
        let out = Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() };
        assert!(exit.contains(&code(&out)), "{what}: {}\n{}{}", code(&out), text(&out.stdout), text(&out.stderr));
        self.secrets.assert_absent_in(&out, &what);
        self.said += 1;
        out
    }

    fn operator(&mut self, args: &[&str], exit: i32) -> Output {
        let c = self.k.lab.bench.cmd(args);
        self.run(c, None, &[exit])
    }

    fn with_secret(&mut self, args: &[&str], secret: &str, exit: i32) -> Output {
        let c = self.k.lab.bench.cmd(args);
        self.run(c, Some(&format!("{secret}\n")), &[exit])
    }

    /// `run` of a new request, with the fake `op` on PATH.
    fn give(&mut self, flags: &[&str], argv: &[&str], exit: i32) -> Output {
        let request = self.k.lab.ask(USE, 0);
        let b = &self.k.lab.bench;
        let _ = std::fs::remove_dir_all(b.path("seen"));
        std::fs::create_dir(b.path("seen")).unwrap();
        let mut c = b.bare();
        c.arg("--identity").arg(b.identity("build-bot")).arg("--passphrase-file").arg(b.path("pass"));
        c.args(flags).arg("run").arg(&request).arg("--").args(argv);
        c.env("PATH", format!("{}:/usr/bin:/bin", b.path("bin").display()));
        self.run(c, None, &[exit])
    }
}

#[test]
fn secrets_of_keys_reach_the_one_child_and_nothing_else() {
    let k = Keyring::new();
    let b = &k.lab.bench;
    let secrets = canaries();
    let token = secret_file(b, "token", IN_FILE);
    std::fs::create_dir(b.path("bin")).unwrap();
    script(b, "bin/op", &format!("#!/bin/sh\necho '{IN_OP}'\necho '{IN_OP}' >&2\n"));
    let mut w = Watcher { k: &k, secrets: &secrets, said: 0, looks: 0 };
    // While somebody has it open, nobody empties the WAL: what was written stays there to be looked at.
    let holder = rusqlite::Connection::open(b.db()).unwrap();
    let _: i64 = holder.query_row("SELECT count(*) FROM entries", [], |r| r.get(0)).unwrap();

    w.with_secret(&["key", "add", "attended", "--kind", "token", "--secret-stdin", "--json"], ATTENDED, 0);
    w.with_secret(&["key", "add", "unattended", "--kind", "token", "--secret-stdin", "--unattended"], UNATTENDED, 0);
    let file = format!("file:{}", token.canonicalize().unwrap().display());
    w.operator(&["key", "add", "in-file", "--kind", "token", "--ref", &file], 0);
    w.operator(&["key", "add", "in-op", "--kind", "token", "--ref", "op://Private/Stripe/credential"], 0);
    w.operator(&["key", "add", "imported", "--kind", "token", "--no-secret"], 0);
    w.with_secret(&["key", "seal", "imported", "--secret-stdin", "--json"], ROTATED, 0);
    w.with_secret(&["key", "seal", "imported", "--secret-stdin"], TYPED, 1);
    // Typed at a terminal.
    let pass = b.path("pass");
    let line = ["--passphrase-file", pass.to_str().unwrap(), "key", "add", "typed", "--kind", "token"];
    let mut desk = Desk::start(b, 80, 24, &line, "");
    desk.wait_for("the secret of typed: ");
    for (name, bytes) in super::outside::seen(desk.pid()) {
        secrets.assert_absent(&format!("/proc/PID/{name}"), &bytes);
    }
    desk.type_in(&format!("{TYPED}\n"));
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    secrets.assert_absent("the terminal", &desk.bytes());

    let probe = k.probe();
    let ways = ["env:GIVEN", "file:GIVEN", "fd:GIVEN", "stdin"];
    let keys = [("k-1", ATTENDED), ("k-2", UNATTENDED), ("k-3", IN_FILE), ("k-4", IN_OP)];
    for (n, (key, canary)) in keys.into_iter().enumerate() {
        let how = ways[n];
        let grant = k.door(crate::lab::id(key), &probe, how);
        for flags in [&[][..], &["--json"]] {
            w.give(flags, &PROBE, 0);
            // The child has it, by its own way and by no other.
            let mut had = Vec::new();
            for name in ["environ", "file", "fd", "stdin", "cmdline", "fds"] {
                let got = std::fs::read_to_string(b.path("seen").join(name)).unwrap_or_default();
                had.extend(got.contains(canary).then_some(name));
                let others = ALL.iter().filter(|c| **c != canary);
                assert!(others.clone().all(|c| !got.contains(c)), "{key}: another secret in {name}");
            }
            assert_eq!(had, [["environ", "file", "fd", "stdin"][n]], "{key} as {how}");
        }
        // A child of the same environment that may not have it, and one that fails.
        w.give(&[], &["true"], 1);
        k.close(&grant);
    }
    // Failures on the way, with everything that might be said about them.
    let grant = k.door(crate::lab::id("k-4"), &probe, "env:GIVEN");
    for bad in ["exit 3", "kill -9 $$", "head -c 70000 /dev/zero"] {
        script(b, "bin/op", &format!("#!/bin/sh\necho '{IN_OP}'\necho '{IN_OP}' >&2\n{bad}\n"));
        w.give(&["--json"], &PROBE, 3);
    }
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    k.close(&grant);
    let grant = k.door(crate::lab::id("k-3"), &probe, "env:GIVEN");
    w.give(&[], &PROBE, 3);
    k.close(&grant);
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // A secret where a reference was meant is the one thing that is on the command line, because somebody typed it there.
    let out = b.run(&["key", "add", "mistake", "--kind", "token", "--ref", ATTENDED]);
    assert_eq!(code(&out), 2);
    secrets.assert_absent_in(&out, "a secret as a reference");
    let long = format!("{UNATTENDED}{}", "x".repeat(70_000));
    w.with_secret(&["key", "add", "long", "--kind", "token", "--secret-stdin", "--json"], &long, 2);
    w.with_secret(&["rotation", "record", "k-2", "--secret-stdin", "--json"], UNATTENDED, 1);
    w.with_secret(&["rotation", "record", "k-2", "--secret-stdin", "--json"], &format!("{ROTATED}2"), 0);
    w.operator(&["key", "reseal", "--json"], 0);

    for line in [
        &["status", "--json"][..],
        &["key", "list"],
        &["key", "list", "--json"],
        &["key", "show", "k-1"],
        &["key", "show", "k-1", "--json"],
        &["rotation", "list", "--json"],
        &["grant", "list", "--all", "--json"],
        &["grant", "show", "g-3", "--json"],
        &["request", "list", "--json"],
        &["request", "show", "r-1", "--json"],
        &["audit", "log", "--json"],
        &["audit", "verify", "--json"],
    ] {
        w.operator(line, 0);
    }
    // What is due or found is another exit, and no less to be looked at.
    for line in [&["rotation", "check", "--json"][..], &["review"], &["review", "--json"]] {
        let c = b.cmd(line);
        w.run(c, None, &[0, 1, 3, 5]);
    }
    let payloads: Vec<Vec<u8>> = {
        let mut s = holder.prepare("SELECT record FROM payloads").unwrap();
        let rows =
            s.query_map([], |r| r.get::<_, Vec<u8>>(0).or_else(|_| r.get::<_, String>(0).map(String::into_bytes)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    assert!(payloads.len() > 20);
    payloads.iter().for_each(|p| secrets.assert_absent("the log", p));
    assert!(b.workspace().join("aosctl.db-wal").metadata().unwrap().len() > 0, "the WAL is there to be looked at");
    let mut but = vec![token, b.path("bin/op"), probe];
    but.extend(files(&b.path("seen")));
    let looked = secrets.assert_absent_below(b.dir.path(), &but);
    let sealed = files(&b.workspace().join("vault")).len();
    assert!(sealed >= 5, "{sealed} sealed files");
    drop(holder);
    crate::support::sql(&b.db(), "PRAGMA wal_checkpoint(TRUNCATE)");
    secrets.assert_absent_below(&b.workspace(), &[]);
    // The keys under which they are sealed lie where they must, and nowhere else.
    let mut keys = Secrets(Vec::new());
    keys.add("the vault key", &std::fs::read(state_dir(b).join("vault.key")).unwrap());
    keys.assert_absent_below(&b.workspace(), &[]);
    assert!(w.looks > 200, "{} looks", w.looks);
    println!("{} outputs, {} looks, {looked} files, {sealed} sealed, {} shapes", w.said, w.looks, secrets.0.len());
    k.lab.verified();
}

/// The search itself finds every shape that it claims to look for.
#[test]
fn the_search_finds_each_shape() {
    use data_encoding::{BASE64, BASE64URL, HEXLOWER};
    let secrets = canaries();
    let found = |bytes: &[u8]| secrets.find(bytes).is_some();
    for canary in ALL {
        let c = canary.as_bytes();
        for before in 0..7 {
            for after in 0..4 {
                let around = [&vec![b'x'; before][..], c, &vec![b'y'; after]].concat();
                assert!(found(&around) && found(HEXLOWER.encode(&around).as_bytes()), "{canary} {before} {after}");
                assert!(found(BASE64.encode(&around).as_bytes()), "base64: {canary} {before} {after}");
            }
        }
        assert!(found(BASE64URL.encode(c).as_bytes()) && found(&super::url(c, HEXLOWER)));
        assert!(!found(&c[..6]));
    }
}

#[test]
fn debug_prints_of_secrets_hide_them() {
    use aosctl::secret::{Circle, Reference, Secret, SecretError, Vault};
    use zeroize::Zeroizing;
    let secrets = canaries();
    let secret = Secret::new(Zeroizing::new(ATTENDED.as_bytes().to_vec())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(&dir.path().join("ws"), &dir.path().join("state"), &format!("aosctl/{}", "0".repeat(32)));
    let signer = aosctl::identity::Signer::from_seed(&[7; 32]);
    let circle = Circle { live: vec![signer.public()], ever: vec![signer.public()] };
    let key = crate::lab::id("k-1");
    let sealed = vault.seal(key, true, &secret, &circle).unwrap();
    let panicked = std::panic::catch_unwind(|| {
        let secret = Secret::new(Zeroizing::new(ATTENDED.as_bytes().to_vec())).unwrap();
        panic!("{secret:?}");
    });
    let panicked = panicked.unwrap_err().downcast_ref::<String>().cloned().unwrap();
    let errors: Vec<SecretError> =
        vec![Reference::parse(ATTENDED).unwrap_err(), vault.open(key, &sealed.place(), None).unwrap_err()];
    for shown in [
        panicked,
        format!("{secret:?} {secret:#?}"),
        format!("{sealed:?} {vault:?} {circle:?}"),
        format!("{:?}", vault.open(key, &sealed.place(), Some(&signer)).unwrap()),
        format!("{:?}", vault.fingerprint_key(&signer, &circle).unwrap()),
        format!("{errors:?} {}", errors[0]),
    ] {
        secrets.assert_absent("a debug print", shown.as_bytes());
    }
}
