//! `connect --key`: what a grant says of a key, and what is warned about.

use super::*;
use serde_json::Value;

fn warned(v: &Value) -> Vec<&str> {
    v["warnings"].as_array().unwrap().iter().map(|w| w["name"].as_str().unwrap()).collect()
}

#[test]
fn the_page_and_the_lists_say_who_gets_it_and_how() {
    let k = Keyring::new();
    let key = k.sealed("stripe-live", true, SECRET);
    let probe = k.probe();
    let out = k.connect(&["--key", "stripe-live", "--to", probe.to_str().unwrap(), "--as", "env:STRIPE_KEY", "-n"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let said = text(&out.stderr);
    assert!(said.contains("gives") && said.contains("an operator unlocks it each time"), "{said}");
    let grant = k.door(key, &probe, "env:STRIPE_KEY");
    let line = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = line(&k.lab.bench.ok(&["grant", "show", &grant]));
    assert!(page.contains("key k-1 (stripe-live) to"), "{page}");
    assert!(page.contains("as env:STRIPE_KEY; an operator unlocks it each time"), "{page}");
    let v: Value = serde_json::from_str(&k.lab.bench.ok(&["--json", "grant", "show", &grant])).unwrap();
    let c = &v["grant"]["carries"];
    assert_eq!((c["key"]["id"].as_str(), c["delivery"].as_str()), (Some("k-1"), Some("env:STRIPE_KEY")), "{v:#}");
    assert_eq!(c["programs"][0]["path"].as_str(), probe.to_str());
    assert_eq!(c["programs"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(c["secret"], "attended");
    // Whoever decides about a request sees it too.
    let request = k.lab.ask(USE, 0);
    let page = line(&k.lab.bench.ok(&["request", "show", &request]));
    assert!(page.contains("run gives the secret of k-1 to its command"), "{page}");
    let list = k.lab.bench.ok(&["grant", "list"]);
    assert!(list.lines().next().unwrap().ends_with("KEY") && list.contains("k-1"), "{list}");
    k.close(&grant);
    assert!(!k.lab.bench.ok(&["grant", "list"]).contains("KEY"));
    k.lab.verified();
}

#[test]
fn what_runs_anything_or_prints_it_has_to_be_accepted() {
    let k = Keyring::new();
    let key = k.sealed("stripe-live", false, SECRET).to_string();
    script(&k.lab.bench, "deploy", "#!/bin/sh\n");
    for (to, name) in [
        ("sh", "secret.interpreter"),
        ("bash", "secret.interpreter"),
        ("env", "secret.interpreter"),
        ("xargs", "secret.interpreter"),
        ("cat", "secret.prints"),
        ("./deploy", "secret.script"),
    ] {
        let flags = ["--key", &key, "--to", to, "--as", "stdin"];
        let out = k.connect(&flags);
        assert_eq!(code(&out), 1, "{to}: {}", text(&out.stderr));
        let v = parse(&out);
        assert_eq!((warned(&v), v["opened"].as_bool()), (vec![name], Some(false)), "{to}");
        let instead = v["warnings"][0]["instead"].as_str().unwrap();
        assert!(instead.contains("--key k-1 --to PROGRAM --as stdin"), "{instead}");
        let out = k.connect(&[&flags[..], &["--accept-risk", "--reason", "known"]].concat());
        assert_eq!(code(&out), 0, "{to}: {}", text(&out.stderr));
        let v = parse(&out);
        assert_eq!(v["accepted"][0], name);
        let grant = v["grant"].as_str().unwrap();
        assert!(k.lab.bench.ok(&["grant", "show", grant]).contains(name));
        k.close(grant);
    }
    // Other warnings keep the key in the line to type instead.
    let probe = k.probe();
    let out = k.connect(&["--key", &key, "--to", probe.to_str().unwrap(), "--as", "stdin", "--data", "customer"]);
    let v = parse(&out);
    assert_eq!(warned(&v), ["data.outside"]);
    assert!(v["warnings"][0]["instead"].as_str().unwrap().contains("--key k-1 --to /"), "{v:#}");
}

#[test]
fn a_key_that_cannot_be_given_is_refused() {
    let k = Keyring::new();
    let probe = k.probe();
    let probe = probe.to_str().unwrap();
    let try_key = |key: &str| {
        let out = k.connect(&["--key", key, "--to", probe, "--as", "stdin"]);
        (code(&out), parse(&out)["kind"].as_str().unwrap_or_default().to_string())
    };
    assert_eq!(try_key("nothing"), (1, "no_such_key".into()));
    let unknown = k.key("nowhere", |_, _| aosctl::domain::key::Place::Unknown);
    assert_eq!(try_key(&unknown.to_string()), (1, "no_place".into()));
    let env = k.referenced("in-env", "env:STRIPE_KEY");
    assert_eq!(try_key(&env.to_string()), (3, "secret_in_environment".into()));
    let leaked = k.sealed("leaked", false, SECRET);
    k.leak(leaked);
    assert_eq!(try_key("leaked"), (1, "leaked".into()));
    let out = k.connect(&["--key", "leaked", "--to", probe, "--as", "stdin"]);
    let line = format!("aosctl key leaked {leaked}\n");
    assert!(text(&out.stderr).contains(&line), "{}", text(&out.stderr));
    let retired = k.sealed("retired", false, SECRET);
    k.retire(retired);
    assert_eq!(try_key(&retired.to_string()), (1, "retired".into()));
    // A key that opens something else is said.
    let github = k.lab.ws().find_integration("github").unwrap().unwrap().id;
    let other = k.key("other", |_, _| aosctl::domain::key::Place::Reference("pass:x".into()));
    k.lab.sign(|tx| {
        let facts = tx.facts().key(other).unwrap().unwrap().facts.clone();
        let facts = aosctl::domain::key::KeyFacts { integration: Some(github), ..facts };
        ((), aosctl::domain::event::KeyChanged { key: other, facts, reason: None }.into())
    });
    let out = k.connect(&["--key", "other", "--to", probe, "--as", "stdin"]);
    assert_eq!(warned(&parse(&out)), ["secret.elsewhere"]);
}

#[test]
fn half_a_line_and_bad_names_are_usage_errors() {
    let k = Keyring::new();
    k.sealed("stripe-live", false, SECRET);
    let probe = k.probe();
    let probe = probe.to_str().unwrap();
    for (flags, words) in [
        (&["--key", "k-1"][..], "--as"),
        (&["--key", "k-1", "--as", "stdin"], "--to"),
        (&["--to", probe], "no key is named"),
        (&["--as", "stdin"], "no key is named"),
        (&["--key", "k-1", "--to", probe, "--as", "env:PATH"], "every child gets PATH"),
        (&["--key", "k-1", "--to", probe, "--as", "env:LD_PRELOAD"], "LD_PRELOAD"),
        (&["--key", "k-1", "--to", probe, "--as", "env:AOSCTL_X"], "AOSCTL_X"),
        (&["--key", "k-1", "--to", probe, "--as", "argv:X"], "env:NAME"),
        (&["--key", "k-1", "--to", probe, "--as", "env:"], "env:NAME"),
        (&["--no-key"], "--again"),
    ] {
        let out = k.connect(flags);
        assert!(code(&out) == 2 && text(&out.stderr).contains(words), "{flags:?}: {}", text(&out.stderr));
    }
    let out = k.connect(&["--key", "k-1", "--to", "./none", "--as", "stdin"]);
    assert_eq!(code(&out), 3, "{}", text(&out.stderr));
}

#[test]
fn opening_again_keeps_the_key_as_it_was_or_changes_it_by_flags() {
    let k = Keyring::new();
    let key = k.sealed("stripe-live", false, SECRET);
    let path = k.lab.bench.dir.path().canonicalize().unwrap().join("mine");
    let truth = std::fs::read(std::path::Path::new("/bin/true").canonicalize().unwrap()).unwrap();
    std::fs::write(&path, &truth).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let grant = k.door(key, &path, "env:GIVEN");
    k.close(&grant);
    let again = |flags: &[&str]| {
        let out = k.lab.bench.cmd(&[&["--json", "connect", "--again", &grant][..], flags].concat()).output().unwrap();
        (code(&out), parse(&out))
    };
    let (exit, v) = again(&["-n"]);
    assert_eq!((exit, v["carries"]["delivery"].as_str()), (0, Some("env:GIVEN")), "{v:#}");
    let (exit, v) = again(&["-n", "--as", "stdin"]);
    assert_eq!((exit, v["carries"]["delivery"].as_str()), (0, Some("stdin")));
    let (exit, v) = again(&["-n", "--no-key"]);
    assert_eq!((exit, v["carries"].is_null()), (0, true));
    std::fs::write(&path, [&truth[..], b"\0"].concat()).unwrap();
    let (exit, v) = again(&["-n"]);
    assert_eq!((exit, v["kind"].as_str()), (1, Some("program_changed")), "{v:#}");
    let (exit, v) = again(&["--to", path.to_str().unwrap()]);
    assert_eq!((exit, v["opened"].as_bool()), (0, Some(true)), "{v:#}");
    // A grant that takes its place says that the key ends with it.
    let out = k.connect(&["--access", "write", "-n"]);
    let v = parse(&out);
    let loses = v["replaces"][0]["loses"].to_string();
    assert!(loses.contains("the key k-1 that it carried"), "{v:#}");
    k.lab.verified();
}

#[test]
fn a_door_with_another_key_program_delivery_or_owner_takes_the_place_of_the_open_one() {
    let k = Keyring::new();
    let (first, second) = (k.sealed("stripe-live", false, SECRET), k.sealed("stripe-new", false, "another"));
    let path = k.lab.bench.dir.path().canonicalize().unwrap().join("mine");
    let truth = std::fs::read(std::path::Path::new("/bin/true").canonicalize().unwrap()).unwrap();
    std::fs::write(&path, &truth).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let to = path.to_str().unwrap();
    let bare = parse(&k.connect(&[]))["grant"].as_str().unwrap().to_string();
    // As README does: first the door, then the key.
    let with_key = k.connect(&["--key", &first.to_string(), "--to", to, "--as", "env:GIVEN"]);
    let mut open = replaced(&with_key, &bare, &[]);
    let again = |grant: &str, flags: &[&str]| {
        k.lab.bench.cmd(&[&["--json", "connect", "--again", grant][..], flags].concat()).output().unwrap()
    };
    // The same once more is a duplicate.
    let out = again(&open, &[]);
    assert_eq!((code(&out), warned(&parse(&out))), (1, vec!["grant.duplicate"]));
    // The program was updated.
    std::fs::write(&path, [&truth[..], b"\0"].concat()).unwrap();
    open = replaced(&again(&open, &["--to", to]), &open, &[]);
    open = replaced(&again(&open, &["--as", "stdin"]), &open, &[]);
    let lost = format!("the key {first} that it carried");
    open = replaced(&again(&open, &["--key", &second.to_string()]), &open, &[&lost]);
    let probe = k.probe();
    let lost = format!("giving the secret of {second} to {to}");
    open = replaced(&again(&open, &["--to", probe.to_str().unwrap()]), &open, &[&lost]);
    let (_, ada) = operators::enrol(&k, "ada", 0);
    assert!(ada.exists());
    open = replaced(&again(&open, &["--owner", "ada"]), &open, &["op-1 as its owner"]);
    let lost = format!("the key {second} that it carried");
    replaced(&again(&open, &["--no-key"]), &open, &[&lost]);
    k.lab.verified();
}

/// It took that one's place, which had so much more; gives the new grant.
fn replaced(out: &std::process::Output, old: &str, loses: &[&str]) -> String {
    assert_eq!(code(out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let v = parse(out);
    let all: Vec<&str> = v["replaces"].as_array().unwrap().iter().map(|r| r["grant"].as_str().unwrap()).collect();
    assert_eq!(all, [old], "{v:#}");
    assert_eq!(v["replaces"][0]["loses"], serde_json::json!(loses), "{v:#}");
    v["grant"].as_str().unwrap().to_string()
}
