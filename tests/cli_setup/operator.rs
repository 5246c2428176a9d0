use super::desk::at_terminal;
use super::{Bench, PASSPHRASE, assert_fits, assert_whole, entries, json, mode, run, said, secret, text};
use std::io::Write;
use std::process::Stdio;

/// The line and the fingerprint of a new operator for that workspace, made on a machine of their own.
fn newcomer(b: &Bench, name: &str) -> (String, String, Bench) {
    let theirs = Bench::empty();
    let origin = json(b, 0, &["operator", "create", "probe", "-n"])["origin"].as_str().unwrap().to_string();
    let v = json(&theirs, 0, &["operator", "create", name, "--origin", &origin, "--out", "mine.json"]);
    (v["line"].as_str().unwrap().into(), v["fingerprint"].as_str().unwrap().into(), theirs)
}

#[test]
fn create_prints_one_public_line_and_seals_the_rest() {
    let b = Bench::new();
    let (line, notes) = run(&b, 0, &["operator", "create", "Auditor 2"]);
    assert_eq!(line.lines().count(), 1);
    assert!(line.starts_with("aosctl-operator-v1 "), "{line}");
    assert!(notes.contains("by voice") && notes.contains("operators/auditor-2.json"), "{notes}");
    let file = notes.lines().find(|l| l.ends_with("auditor-2.json")).unwrap().trim();
    assert_eq!(mode(std::path::Path::new(file)), 0o600);
    assert!(
        !file.starts_with(b.workspace().to_str().unwrap()),
        "one's own identity stays the only one in the workspace"
    );
    let (_, e) = run(&b, 3, &["operator", "create", "Auditor 2"]);
    assert!(e.contains("already exists"), "{e}");

    let elsewhere = Bench::empty();
    let (_, e) = run(&elsewhere, 2, &["operator", "create", "auditor"]);
    assert!(e.contains("--origin must say"), "{e}");
    let (_, e) = run(&elsewhere, 2, &["operator", "create", "auditor", "--origin", "acme"]);
    assert!(e.contains("is not the origin of a log"), "{e}");
    let (_, e) = run(&elsewhere, 2, &["operator", "create", "op-2", "--origin", "acme"]);
    assert!(e.contains("reads as an id"), "{e}");
}

#[test]
fn add_enrols_who_was_heard_and_nobody_else() {
    let b = Bench::new();
    let (line, fingerprint, theirs) = newcomer(&b, "auditor");
    let before = entries(&b);
    let broken = line.replace("aosctl-operator-v1 ", "aosctl-operator-v1 A");
    let swapped = {
        let (other, _, _) = newcomer(&b, "second");
        // One's key with the other's proof.
        let (auditor, second): (Vec<&str>, Vec<&str>) = (line.split(' ').collect(), other.split(' ').collect());
        format!("{} {} {} {}", auditor[0], second[1], auditor[2], auditor[3])
    };
    let foreign = {
        let (line, _, _) = newcomer(&Bench::new(), "auditor");
        line
    };
    for (exit, args, why) in [
        (2, vec!["operator", "add", "auditor", &broken], "is not 32 bytes of base64"),
        (2, vec!["operator", "add", "auditor", "hello"], "operator create"),
        (2, vec!["operator", "add", "op-2", &line], "reads as an id"),
        (1, vec!["operator", "add", "auditor", &swapped], "proves nothing"),
        (1, vec!["operator", "add", "auditor", &foreign], "for another workspace"),
        (1, vec!["operator", "add", "ops", &line], "has that name already"),
        (1, vec!["operator", "add", "auditor", &line, "--fingerprint", "0000-0000-0000-0000-0000"], "is another one"),
        (3, vec!["operator", "add", "auditor", &line], "--fingerprint FINGERPRINT"),
    ] {
        let (_, e) = run(&b, exit, &args);
        assert!(e.contains(why), "{args:?}: {e}");
    }
    assert_eq!(entries(&b), before);
    let v = json(&b, 0, &["operator", "add", "auditor", &line, "--fingerprint", &fingerprint]);
    assert_eq!(v["operator"], "op-2");
    let (_, e) = run(&b, 1, &["operator", "add", "ada2", &line, "--fingerprint", &fingerprint]);
    assert!(e.contains("was enrolled before"), "{e}");
    // She can sign here, with her own file.
    let mine = theirs.path("mine.json");
    let args = ["agent", "add", "hers", "--out", "hers.identity", "--identity", mine.to_str().unwrap()];
    run(&b, 0, &args);
    assert_eq!(json(&b, 0, &["agent", "list"])["agents"][0]["operator"], "op-2");
    let (page, _) = run(&b, 0, &["operator", "list"]);
    assert!(page.contains("auditor") && page.contains(&fingerprint), "{page}");
    assert_fits(&page);
    assert_whole(&b);
}

#[test]
fn a_line_may_come_in_words_or_by_stdin() {
    let b = Bench::new();
    let (line, fingerprint, _theirs) = newcomer(&b, "auditor");
    let mut args = vec!["operator", "add", "auditor"];
    args.extend(line.split(' '));
    args.extend(["--fingerprint", &fingerprint, "-n"]);
    let (page, _) = run(&b, 0, &args);
    assert!(page.contains("would be enrolled"), "{page}");
    let mut child = b
        .cmd(&["operator", "add", "auditor", "-", "--fingerprint", &fingerprint])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    said(&child.wait_with_output().unwrap(), 0, &["operator", "add", "-"]);
}

#[test]
fn at_a_terminal_the_fingerprint_is_shown_and_a_yes_typed() {
    let b = Bench::new();
    let (line, fingerprint, _theirs) = newcomer(&b, "auditor");
    let (code, screen) = at_terminal(&b, &["operator", "add", "auditor", &line], &[("Type yes to go on: ", "y")]);
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains(&fingerprint) && screen.contains("nobody was enrolled"), "{screen}");
    let answers = [("Type yes to go on: ", "yes"), ("passphrase of op-1", PASSPHRASE)];
    let (code, screen) = at_terminal(&b, &["operator", "add", "auditor", &line], &answers);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("op-2"), "{screen}");
}

#[test]
fn the_last_one_stays_and_a_retired_one_is_gone_with_its_agents() {
    let b = Bench::new();
    let (_, e) = run(&b, 1, &["operator", "retire", "ops"]);
    assert!(e.contains("the last operator cannot be retired"), "{e}");
    let (line, fingerprint, theirs) = newcomer(&b, "auditor");
    b.ok(&["operator", "add", "auditor", &line, "--fingerprint", &fingerprint]);
    b.ok(&["agent", "add", "hers", "--for", "auditor", "--out", "hers.identity"]);
    b.ok(&["integration", "add", "github"]);
    b.ok(&["connect", "github", "--agent", "hers", "--scope", "repo:acme/app"]);
    let (page, _) = run(&b, 0, &["operator", "retire", "auditor", "-n"]);
    assert!(page.contains("would be retired") && page.contains("hers") && page.contains("g-1"), "{page}");
    let v = json(&b, 0, &["operator", "retire", "auditor", "--as-of", "3", "--reason", "laptop stolen"]);
    assert_eq!(v["agents"], serde_json::json!(["hers"]));
    assert_eq!(v["disputed_from"], 3);
    assert_eq!(json(&b, 0, &["agent", "list"])["agents"][0]["state"], "operator_retired");
    let mine = theirs.path("mine.json");
    let (_, e) = run(&b, 1, &["agent", "add", "more", "--identity", mine.to_str().unwrap()]);
    assert!(e.contains("was retired"), "{e}");
    let (_, e) = run(&b, 1, &["operator", "retire", "auditor"]);
    assert!(e.contains("retired before"), "{e}");
    let (_, e) = run(&b, 1, &["operator", "retire", "op-1"]);
    assert!(e.contains("last operator"), "{e}");
    let (_, e) = run(&b, 1, &["agent", "add", "more", "--for", "op-2"]);
    assert!(e.contains("op-2 was retired"), "{e}");
    let (page, _) = run(&b, 0, &["operator", "list"]);
    assert!(page.contains("disputed from entry 3"), "{page}");
    assert_whole(&b);
}

#[test]
fn a_new_passphrase_opens_and_the_old_one_does_not() {
    let b = Bench::new();
    let new = secret(&b, "new", "another good passphrase\n");
    let before = entries(&b);
    let wrong = secret(&b, "wrong", "not the passphrase");
    let args = ["operator", "passphrase", "--new-passphrase-file", "new", "--passphrase-file", "wrong"];
    let (_, e) = said(&b.bare().args(args).output().unwrap(), 1, &args);
    assert!(e.contains("passphrase"), "{e}");
    drop(wrong);
    let (_, e) = run(&b, 1, &["operator", "passphrase", "--new-passphrase-file", "pass"]);
    assert!(e.contains("is the old one"), "{e}");
    let (_, e) = run(&b, 3, &["operator", "passphrase"]);
    assert!(e.contains("--new-passphrase-file FILE"), "{e}");
    let (_, notes) = run(&b, 0, &["operator", "passphrase", "--new-passphrase-file", "new"]);
    assert!(notes.contains("no entry of it") && notes.contains("backups"), "{notes}");
    assert_eq!(entries(&b), before);
    let sealed = b.workspace().join("operators/op-1.json");
    assert_eq!(mode(&sealed), 0o600);
    run(&b, 1, &["integration", "add", "github"]);
    let args = ["integration", "add", "github", "--passphrase-file", new.to_str().unwrap()];
    said(&b.bare().args(args).output().unwrap(), 0, &args);
    // On a machine without the workspace, by the file alone.
    let elsewhere = Bench::empty();
    std::fs::copy(&sealed, elsewhere.path("op.json")).unwrap();
    secret(&elsewhere, "old", "another good passphrase");
    let args = [
        "operator",
        "passphrase",
        "--identity",
        "op.json",
        "--passphrase-file",
        "old",
        "--new-passphrase-file",
        "pass",
    ];
    let out = elsewhere.bare().args(args).output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
}
