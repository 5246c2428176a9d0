//! Keys that grants carry: who gets a secret, how, and who does not. With the real binary, and with this test program as
//! the child that is given one.
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
mod support;

#[path = "secret_run/connect.rs"]
mod connect;
#[path = "secret_run/operators.rs"]
mod operators;
#[path = "secret_run/refused.rs"]
mod refused;

use keyring::{Keyring, PROBE, USE, look_around};
use lab::{parse, script};
use support::{code, text};

const SECRET: &str = "sk_live_9f31c07_canary";

#[test]
#[ignore = "the child of `run`, started by the tests below"]
fn probe() {
    look_around();
}

/// Which key a claim named.
fn claimed_key(k: &Keyring, request: &str) -> Option<String> {
    let r = k.lab.ws().facts().request(lab::id(request)).unwrap().unwrap();
    r.key_used.map(|k| k.to_string())
}

use aosctl::domain::facts::Facts;

#[test]
fn each_way_of_delivery_reaches_the_child_and_nothing_else() {
    let k = Keyring::new();
    let probe = k.probe();
    let key = k.sealed("stripe-live", false, SECRET);
    for (n, how) in ["env:GIVEN", "file:GIVEN", "fd:GIVEN", "stdin"].into_iter().enumerate() {
        let grant = k.door(key, &probe, how);
        let (seen, out) = k.run_probe(false, &[]);
        assert_eq!(code(&out), 0, "{how}: {}{}", text(&out.stdout), text(&out.stderr));
        assert!(seen.ran());
        let environ = seen.get("environ");
        let in_environ = environ.split('\0').filter(|v| v.contains(SECRET)).count();
        let given = |name: &str| seen.get(name);
        match how {
            "env:GIVEN" => assert!(environ.split('\0').any(|v| v == format!("GIVEN={SECRET}")), "{environ}"),
            "file:GIVEN" => {
                assert_eq!((given("file"), given("file-again")), (SECRET.to_string(), SECRET.to_string()));
                assert_eq!(given("file-mode"), "600");
                assert!(given("file-link").starts_with("/memfd:secret"), "{}", given("file-link"));
                assert_eq!(given("file-writable"), "false");
            }
            "fd:GIVEN" => assert_eq!(given("fd"), SECRET),
            _ => assert_eq!(given("stdin"), SECRET),
        }
        assert_eq!(in_environ, usize::from(how == "env:GIVEN"), "{how}: {environ}");
        if how != "stdin" {
            assert_eq!(given("stdin"), "", "{how}");
        }
        assert!(!given("cmdline").contains(SECRET));
        assert!(!environ.contains("AOSCTL") && !environ.contains("CANARY_OF_THE_CALLER"), "{environ}");
        // Its three streams, what it was given, and the directory that it lists: nothing else was inherited.
        for line in given("fds").lines() {
            let (fd, to) = line.split_once(' ').unwrap();
            let ours = to.contains("memfd:secret") || to.starts_with("pipe:") || to == "/dev/null";
            assert!(ours || to.starts_with("/proc/"), "{how}: {fd} is {to}");
        }
        let inherited = given("fds").lines().filter(|l| l.contains("memfd:")).count();
        assert_eq!(inherited, usize::from(how == "file:GIVEN"), "{}", given("fds"));
        let request = format!("r-{}", n + 1);
        assert_eq!(claimed_key(&k, &request), Some(key.to_string()));
        let said = text(&out.stderr);
        assert!(said.contains(&format!("it was given the secret of {key} (stripe-live) as {how}")), "{said}");
        for bytes in [&out.stdout, &out.stderr] {
            assert!(!text(bytes).contains(SECRET), "{}", text(bytes));
        }
        k.close(&grant);
    }
    k.lab.verified();
}

#[test]
fn an_attended_key_needs_an_operator_each_time() {
    let k = Keyring::new();
    let key = k.sealed("stripe-live", true, SECRET);
    k.door(key, &k.probe(), "stdin");
    // Nobody to ask, and nothing was begun.
    let request = k.lab.ask(USE, 0);
    let entries = k.lab.entries();
    let out = k.run(&request, false, &["-n"], &PROBE);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("k-1 (stripe-live) as stdin; an operator unlocks it"), "{}", text(&out.stdout));
    let out = k.run(&request, false, &[], &PROBE);
    assert_eq!(code(&out), 3, "{}", text(&out.stderr));
    let said = text(&out.stderr);
    assert!(said.contains("passphrase of op-1, for the secret of k-1 (stripe-live)"), "{said}");
    assert!(said.contains("--passphrase-file"), "{said}");
    let wrong = k.lab.bench.path("wrong");
    std::fs::write(&wrong, "not the passphrase").unwrap();
    std::fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut c = k.lab.bench.agent("build-bot", &["--passphrase-file", wrong.to_str().unwrap(), "run", &request, "--"]);
    let out = c.args(PROBE).output().unwrap();
    assert_eq!(code(&out), 1, "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("wrong passphrase"));
    assert_eq!(k.lab.entries(), entries, "something was begun");
    let (seen, out) = k.run_probe(true, &[]);
    assert_eq!((code(&out), seen.get("stdin").as_str()), (0, SECRET), "{}", text(&out.stderr));
    // Another operator's identity file, where there are several.
    let theirs = k.lab.bench.workspace().join("operators/op-1.json");
    let (seen, out) = k.run_probe(true, &["--operator", theirs.to_str().unwrap()]);
    assert_eq!((code(&out), seen.get("stdin").as_str()), (0, SECRET), "{}", text(&out.stderr));
    k.lab.verified();
}

#[test]
fn a_secret_that_lives_elsewhere_is_fetched_when_it_is_used() {
    let k = Keyring::new();
    let bin = k.lab.bench.path("bin");
    std::fs::create_dir(&bin).unwrap();
    script(&k.lab.bench, "bin/op", &format!("#!/bin/sh\necho \"$@\" >> \"$HOME/asked\"\necho {SECRET}\n"));
    let file = k.lab.bench.dir.path().canonicalize().unwrap().join("token");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let run = |request: &str| {
        let mut c = k.lab.bench.agent("build-bot", &["--json", "run", request, "--"]);
        c.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).args(PROBE).output().unwrap()
    };
    std::fs::create_dir(k.lab.bench.path("seen")).unwrap();
    let stdin = || std::fs::read_to_string(k.lab.bench.path("seen/stdin")).unwrap();
    let key = k.referenced("from-op", "op://Private/Stripe/credential");
    let grant = k.door(key, &k.probe(), "stdin");
    let out = run(&k.lab.ask(USE, 0));
    assert_eq!((code(&out), stdin().as_str()), (0, SECRET), "{}", text(&out.stderr));
    let v = parse(&out);
    assert_eq!((v["key"]["id"].as_str(), v["key"]["attended"].as_bool()), (Some("k-1"), Some(false)), "{v:#}");
    assert_eq!(std::fs::read_to_string(k.lab.bench.path("asked")).unwrap(), "read op://Private/Stripe/credential\n");
    // Where it fails nothing is claimed, and what it said is not shown.
    script(&k.lab.bench, "bin/op", &format!("#!/bin/sh\necho {SECRET} >&2\nexit 4\n"));
    let request = k.lab.ask(USE, 0);
    let entries = k.lab.entries();
    let out = run(&request);
    assert_eq!(code(&out), 3);
    let (said, v) = (text(&out.stderr), parse(&out));
    assert!(said.contains("op ended with exit status 4") && !said.contains(SECRET), "{said}");
    assert_eq!(v["kind"], "resolver");
    assert_eq!((k.lab.entries(), claimed_key(&k, &request)), (entries, None));
    std::fs::remove_file(bin.join("op")).unwrap();
    let out = run(&request);
    assert!(code(&out) == 3 && text(&out.stderr).contains("op that fetches the secret is not on PATH"));
    k.close(&grant);
    let key = k.referenced("from-file", &format!("file:{}", file.display()));
    k.door(key, &k.probe(), "stdin");
    let out = run(&k.lab.ask(USE, 0));
    assert_eq!((code(&out), stdin().as_str()), (0, SECRET), "{}", text(&out.stderr));
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let out = run(&k.lab.ask(USE, 0));
    assert!(code(&out) == 3 && text(&out.stderr).contains("chmod 600"), "{}", text(&out.stderr));
    k.lab.verified();
}

/// A secret as long as secrets may be, by every way that can carry it, to a child that may read it or not.
#[test]
fn the_longest_secret_arrives_whole() {
    let k = Keyring::new();
    let long = "x".repeat(65_536);
    let key = k.sealed("long", false, &long);
    for how in ["env:GIVEN", "file:GIVEN", "fd:GIVEN", "stdin"] {
        let grant = k.door(key, &k.probe(), how);
        let (seen, out) = k.run_probe(false, &[]);
        assert_eq!(code(&out), 0, "{how}: {}", text(&out.stderr));
        let got = match how {
            "env:GIVEN" => seen.get("environ"),
            "file:GIVEN" => seen.get("file"),
            "fd:GIVEN" => seen.get("fd"),
            _ => seen.get("stdin"),
        };
        assert!(got.contains(&long), "{how}: {} bytes", got.len());
        k.close(&grant);
    }
    let truth = std::path::Path::new("/bin/true").canonicalize().unwrap();
    for how in ["fd:GIVEN", "stdin"] {
        let grant = k.door(key, &truth, how);
        let out = k.run(&k.lab.ask(USE, 0), false, &[], &["true"]);
        assert_eq!(code(&out), 0, "{how}: {}", text(&out.stderr));
        k.close(&grant);
    }
}
