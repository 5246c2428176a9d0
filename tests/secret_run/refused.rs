//! Who gets no secret: nothing starts, nothing is claimed, and the message says what to do.

use std::path::PathBuf;

use super::*;

/// A program of its own that may have the secret.
fn program(k: &Keyring, name: &str) -> PathBuf {
    let path = k.lab.bench.dir.path().canonicalize().unwrap().join(name);
    std::fs::copy(std::path::Path::new("/bin/true").canonicalize().unwrap(), &path).unwrap();
    path
}

/// Refused with that exit, that kind and those words, and nothing was begun.
fn refused(k: &Keyring, request: &str, flags: &[&str], argv: &[&str], exit: i32, kind: &str, words: &str) {
    let entries = k.lab.entries();
    for dry in [&["-n"][..], &[]] {
        let mut c = k.lab.bench.agent("build-bot", &["--json", "run", request]);
        let out = c.args(flags).args(dry).arg("--").args(argv).output().unwrap();
        let (v, said) = (parse(&out), text(&out.stderr));
        assert_eq!((code(&out), v["kind"].as_str()), (exit, Some(kind)), "{v:#}\n{said}");
        assert!(said.contains(words), "{words:?} is not in {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    assert_eq!(k.lab.entries(), entries, "{kind}: something was recorded");
}

#[test]
fn another_program_and_a_changed_one_get_nothing() {
    let k = Keyring::new();
    let (mine, other) = (program(&k, "mine"), program(&k, "other"));
    let key = k.sealed("stripe-live", false, SECRET);
    k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    refused(&k, &request, &[], &["./other"], 1, "other_program", "the grant names");
    let both = format!("aosctl connect --again g-3 --to {} --to {}\n", mine.display(), other.display());
    let out = k.run(&request, false, &["-n"], &["./other"]);
    assert!(text(&out.stderr).contains(&both), "{}", text(&out.stderr));
    // The same bytes under another name are another program, and a link to it is itself.
    std::os::unix::fs::symlink(&mine, k.lab.bench.path("link")).unwrap();
    let out = k.run(&request, false, &["-n"], &["./link"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    std::fs::write(&mine, [&std::fs::read(&other).unwrap()[..], b"\0"].concat()).unwrap();
    refused(&k, &request, &[], &["./mine"], 1, "other_program", "it was changed since the grant named it");
    let out = k.run(&request, false, &["-n"], &["./mine"]);
    let again = format!("aosctl connect --again g-3 --to {}\n", mine.display());
    assert!(text(&out.stderr).contains(&again), "{}", text(&out.stderr));
    // Without the secret it may run, and the log says so.
    let out = k.run(&request, false, &["--without-key"], &["./other"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(claimed_key(&k, &request), None);
    k.lab.verified();
}

#[test]
fn a_leaked_and_a_retired_key_is_given_to_nobody() {
    let k = Keyring::new();
    let mine = program(&k, "mine");
    let key = k.sealed("stripe-live", false, SECRET);
    k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    k.leak(key);
    refused(&k, &request, &[], &["./mine"], 1, "key_withheld", "it leaked, and that is not closed");
    let list = k.lab.bench.ok(&["grant", "list"]);
    assert!(list.contains("k-1\n") && list.contains("withheld\n"), "{list}");
    let page = k.lab.bench.ok(&["grant", "show", "g-3"]);
    assert!(page.contains("given to nobody: it leaked"), "{page}");
    k.close_leak(key);
    let out = k.run(&request, false, &["-n"], &["./mine"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    k.retire(key);
    refused(&k, &request, &[], &["./mine"], 1, "key_withheld", "it was retired");
    k.lab.verified();
}

#[test]
fn a_revoked_grant_and_a_freeze_stop_it_before_the_secret_is_touched() {
    let k = Keyring::new();
    let mine = program(&k, "mine");
    // Whoever is asked for this one writes it down.
    std::fs::create_dir(k.lab.bench.path("bin")).unwrap();
    script(&k.lab.bench, "bin/op", "#!/bin/sh\ntouch \"$HOME/touched\"\necho x\n");
    let key = k.referenced("from-op", "op://a/b/c");
    let grant = k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    let run = || {
        let mut c = k.lab.bench.agent("build-bot", &["--json", "run", &request, "--", "./mine"]);
        let path = format!("{}:/usr/bin:/bin", k.lab.bench.path("bin").display());
        let out = c.env("PATH", path).output().unwrap();
        (code(&out), parse(&out)["kind"].as_str().unwrap_or_default().to_string())
    };
    k.lab.freeze(lab::id("w-1"));
    assert_eq!(run(), (1, "frozen".into()));
    k.lab.thaw(lab::id("w-1"));
    k.lab.freeze(lab::id("ag-1"));
    assert_eq!(run(), (1, "frozen".into()));
    k.lab.thaw(lab::id("ag-1"));
    k.close(&grant);
    assert_eq!(run(), (1, "no_live_grant".into()));
    assert!(!k.lab.bench.path("touched").exists(), "the secret was fetched for nothing");
    k.lab.verified();
}

#[test]
fn what_cannot_be_handed_over_so_is_said_before_anything_begins() {
    let k = Keyring::new();
    let mine = program(&k, "mine");
    let zero = k.sealed("with-zero", false, "a\0b");
    let grant = k.door(zero, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    let entries = k.lab.entries();
    let out = k.run(&request, false, &[], &["./mine"]);
    assert!(code(&out) == 3 && text(&out.stderr).contains("zero byte"), "{}", text(&out.stderr));
    assert_eq!(k.lab.entries(), entries);
    k.close(&grant);
    let key = k.sealed("stripe-live", false, SECRET);
    let grant = k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    let out = k.run(&request, false, &["--env", "GIVEN"], &["./mine"]);
    assert!(code(&out) == 2 && text(&out.stderr).contains("leave --env GIVEN out"), "{}", text(&out.stderr));
    k.close(&grant);
    k.door(key, &mine, "stdin");
    let request = k.lab.ask(USE, 0);
    let out = k.run(&request, false, &["--stdin", "pass"], &["./mine"]);
    assert!(code(&out) == 2 && text(&out.stderr).contains("leave --stdin out"), "{}", text(&out.stderr));
}

#[test]
fn a_missing_swapped_or_foreign_file_is_said_and_nothing_begins() {
    let k = Keyring::new();
    let mine = program(&k, "mine");
    let key = k.sealed("stripe-live", false, SECRET);
    let other = k.sealed("other", false, "another secret");
    k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    let file = |key| match k.place(key) {
        aosctl::domain::key::Place::Sealed { sha256, .. } => k.vault().path(key, sha256),
        other => panic!("{other:?}"),
    };
    let good = std::fs::read(file(key)).unwrap();
    let run = |exit: i32, words: &str| {
        let entries = k.lab.entries();
        let out = k.run(&request, false, &[], &["./mine"]);
        let said = text(&out.stderr);
        assert!(code(&out) == exit && said.contains(words), "{exit} {words}: {} {said}", code(&out));
        assert_eq!(k.lab.entries(), entries);
    };
    std::fs::copy(file(other), file(key)).unwrap();
    run(4, "is not the file that the log names");
    std::fs::remove_file(file(key)).unwrap();
    run(3, "is missing, in which the secret is sealed");
    std::fs::write(file(key), &good).unwrap();
    let vault_key = k.lab.ws().state_dir().join("vault.key");
    let kept = std::fs::read(&vault_key).unwrap();
    std::fs::write(&vault_key, [1; 32]).unwrap();
    run(3, "was sealed under another vault key");
    std::fs::write(&vault_key, kept).unwrap();
    let out = k.run(&request, false, &[], &["./mine"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
}

/// Whoever can write into a named program, and can make `run` wait after it has looked at that program, gets nothing.
#[test]
fn a_program_that_is_changed_while_run_waits_gets_nothing() {
    let k = Keyring::new();
    let mine = program(&k, "mine");
    let key = k.sealed("stripe-live", false, SECRET);
    k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    let queue = aosctl::sys::lock::Lock::try_now(&k.lab.place().dir.join("aosctl.lock")).unwrap().unwrap();
    let out = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| k.run(&request, false, &[], &["./mine"]));
        // Long enough for the first look at the program; were it too short, the grant would not name it any more.
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let tells = std::path::Path::new("/usr/bin/printenv").canonicalize().unwrap();
        std::fs::write(&mine, std::fs::read(tells).unwrap()).unwrap();
        drop(queue);
        waiting.join().unwrap()
    });
    let said = [text(&out.stdout), text(&out.stderr)].concat();
    assert_eq!(code(&out), 1, "{said}");
    assert!(!said.contains(SECRET), "{said}");
    assert!(said.contains("changed"), "{said}");
    k.lab.verified();
}

/// A variable can make an honest program load other code. Only what an operator saw goes beside a secret.
#[test]
fn variables_that_nobody_saw_do_not_go_beside_a_secret() {
    let k = Keyring::new();
    let mine = program(&k, "mine");
    let key = k.sealed("stripe-live", false, SECRET);
    k.door(key, &mine, "env:GIVEN");
    let request = k.lab.ask(USE, 0);
    let flags = ["--env", "CANARY_OF_THE_CALLER"];
    let entries = k.lab.entries();
    let out = k.run(&request, false, &flags, &["./mine"]);
    let said = text(&out.stderr);
    assert_eq!(code(&out), 1, "{said}");
    assert!(said.contains("CANARY_OF_THE_CALLER") && said.contains("--without-key"), "{said}");
    assert_eq!(k.lab.entries(), entries);
    // Without the secret it is the agent's own affair.
    let without = k.run(&request, false, &[&flags[..], &["--without-key"]].concat(), &["./mine"]);
    assert_eq!(code(&without), 0, "{}", text(&without.stderr));
}
