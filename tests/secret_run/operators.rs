//! Operators come and go: who can open what is attended.

use std::path::PathBuf;

use aosctl::domain::id::Id;
use aosctl::domain::key::Place;
use serde_json::Value;

use super::*;

/// Makes an identity for another operator, and enrols it; gives the page and their identity file.
pub fn enrol(k: &Keyring, name: &str, exit: i32) -> (Value, PathBuf) {
    let file = k.lab.bench.path(&format!("{name}.json"));
    let made = k.lab.bench.ok(&["--json", "operator", "create", name, "--out", file.to_str().unwrap()]);
    let v: Value = serde_json::from_str(&made).unwrap();
    let (line, print) = (v["line"].as_str().unwrap(), v["fingerprint"].as_str().unwrap());
    let out = k.lab.bench.run(&["--json", "operator", "add", name, line, "--fingerprint", print]);
    assert_eq!(code(&out), exit, "{}", text(&out.stderr));
    (parse(&out), file)
}

fn file(k: &Keyring, key: Id) -> PathBuf {
    match k.place(key) {
        Place::Sealed { sha256, .. } => k.vault().path(key, sha256),
        other => panic!("{other:?}"),
    }
}

fn files_of(k: &Keyring, key: Id) -> usize {
    let begin = format!("{key}.");
    let dir = std::fs::read_dir(k.lab.bench.workspace().join("vault")).unwrap();
    dir.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(&begin)).count()
}

/// `key add` with a secret on standard input.
fn add_key(k: &Keyring, name: &str, signer: Option<&PathBuf>) -> String {
    use std::io::Write;
    let mut c = k.lab.bench.bare();
    c.arg("--passphrase-file").arg(k.lab.bench.path("pass"));
    if let Some(file) = signer {
        c.arg("--identity").arg(file);
    }
    c.args(["--json", "key", "add", name, "--kind", "token", "--secret-stdin"]);
    c.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = c.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{SECRET}\n").as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    text(&out.stderr)
}

#[test]
fn whoever_is_enrolled_can_open_everything_and_whoever_leaves_nothing() {
    let k = Keyring::new();
    add_key(&k, "stripe-live", None);
    let (first, night) = (lab::id("k-1"), k.sealed("at-night", false, "unattended"));
    let old = file(&k, first);
    let (v, ada) = enrol(&k, "ada", 0);
    assert_eq!((v["resealed"].to_string(), v["not_resealed"].to_string()), ("[\"k-1\"]".into(), "[]".into()));
    assert!(!old.exists() && file(&k, first).exists() && file(&k, night).exists());
    assert_eq!(files_of(&k, first), 1);
    let grant = k.door(first, &k.probe(), "stdin");
    let (seen, out) = k.run_probe(true, &["--operator", ada.to_str().unwrap()]);
    assert_eq!((code(&out), seen.get("stdin").as_str()), (0, SECRET), "{}", text(&out.stderr));
    // The key of fingerprints too: the new operator adds the same secret, and is told.
    let said = add_key(&k, "stripe-again", Some(&ada));
    assert!(said.contains("k-1"), "{said}");
    let out = k.lab.bench.run(&["--json", "operator", "retire", "ada", "-n"]);
    assert_eq!(parse(&out)["could_open"].as_array().unwrap().len(), 2);
    let out = k.lab.bench.run(&["--json", "operator", "retire", "ada"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("turn those keys over"), "{}", text(&out.stderr));
    for key in [first, lab::id("k-3")] {
        assert_eq!(k.vault().recipients(key, &k.place(key)).unwrap().len(), 1);
        assert_eq!(files_of(&k, key), 1);
    }
    let (seen, out) = k.run_probe(true, &["--operator", ada.to_str().unwrap()]);
    assert!(code(&out) == 1 && !seen.ran() && text(&out.stderr).contains("--operator FILE"), "{}", text(&out.stderr));
    let (seen, out) = k.run_probe(true, &[]);
    assert_eq!((code(&out), seen.get("stdin").as_str()), (0, SECRET), "{}", text(&out.stderr));
    k.close(&grant);
    k.lab.verified();
}

#[test]
fn what_could_not_be_opened_is_said_and_sealed_later() {
    let k = Keyring::new();
    let key = k.sealed("stripe-live", true, SECRET);
    k.door(key, &k.probe(), "stdin");
    let (path, away) = (file(&k, key), k.lab.bench.path("away"));
    std::fs::rename(&path, &away).unwrap();
    let (v, ada) = enrol(&k, "ada", 0);
    assert_eq!((v["operator"].as_str(), v["not_resealed"][0]["key"].as_str()), (Some("op-2"), Some("k-1")), "{v:#}");
    std::fs::rename(&away, &path).unwrap();
    // Ada was not there when it was sealed, and cannot seal it for herself.
    let run = || k.run_probe(true, &["--operator", ada.to_str().unwrap()]);
    let (seen, out) = run();
    let said = text(&out.stderr);
    assert!(code(&out) == 1 && !seen.ran() && said.contains("aosctl key reseal"), "{said}");
    let as_ada = |args: &[&str]| {
        let mut c = k.lab.bench.cmd(args);
        let out = c.arg("--identity").arg(&ada).output().unwrap();
        (code(&out), text(&out.stdout), text(&out.stderr))
    };
    let (exit, _, said) = as_ada(&["key", "reseal"]);
    assert!(exit == 1 && said.contains("not sealed for the operator who unlocked"), "{said}");
    assert!(k.lab.bench.ok(&["key", "reseal", "-n"]).contains("k-1"));
    assert!(k.lab.bench.ok(&["key", "reseal"]).contains("k-1"));
    assert!(k.lab.bench.ok(&["key", "reseal"]).contains("Nothing to do"));
    assert_eq!(files_of(&k, key), 1);
    let (seen, out) = run();
    assert_eq!((code(&out), seen.get("stdin").as_str()), (0, SECRET), "{}", text(&out.stderr));
    k.lab.verified();
}
