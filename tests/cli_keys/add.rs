use super::{Bench, assert_fits, assert_whole, bench, code, entries, fed, json, piped, run, text};

const SECRET: &str = "sk_canary_5f2e1c9d8b7a6453_9f2a";

#[test]
fn a_reference_is_recorded_with_everything_that_was_told() {
    let b = bench();
    let v = json(
        &b,
        0,
        &[
            "key",
            "add",
            "github ci",
            "--ref",
            "op://ci/github/token",
            "--opens",
            "github",
            "--scope",
            "repo:acme/app",
            "--kind",
            "token",
            "--provider-id",
            "12345",
            "--last4",
            "9f2a",
            "--created",
            "2024-01-02",
            "--rotated",
            "2024-03-04T05:06:07Z",
            "--expires",
            "2030-01-01",
            "--every",
            "60d",
            "--warn",
            "10d",
            "--person",
            "--note",
            "for CI",
        ],
    );
    assert_eq!(
        (v["key"].as_str(), v["owner"]["id"].as_str()),
        (Some("k-1"), Some("op-1")),
        "the signer answers for it"
    );
    assert_eq!(v["place"]["reference"], "op://ci/github/token");
    let k = &json(&b, 0, &["key", "show", "github ci"])["key"];
    assert_eq!((k["opens"]["name"].as_str(), k["scope"].as_str()), (Some("github"), Some("repo:acme/app")));
    assert_eq!((k["provider_id"].as_str(), k["last4"].as_str()), (Some("12345"), Some("9f2a")));
    assert_eq!(k["turned"], "2024-03-04T05:06:07.000Z");
    assert_eq!(k["rotation"]["every"], "60d");
    assert_eq!(k["rotation"]["due"], "2024-05-03T05:06:07.000Z");
    assert_eq!(
        (k["state"].as_str(), k["person"].as_bool(), k["unattended"].as_bool()),
        (Some("live"), Some(true), Some(false))
    );
    assert_eq!(k["last_use"], serde_json::Value::Null, "nobody watches, so nothing is said");
    assert_whole(&b);
}

#[test]
fn a_secret_is_sealed_and_shows_nowhere() {
    let b = bench();
    for (name, more) in [("attended", &[][..]), ("at night", &["--unattended"][..])] {
        let args = [&["key", "add", name, "--secret-stdin"][..], more].concat();
        let (page, stderr) = piped(&b, 0, &args, format!("{SECRET}\n").as_bytes());
        assert_fits(&page);
        assert!(page.contains("...9f2a"), "{page}");
        assert_eq!(stderr.contains("unattended"), more.len() == 1, "{stderr}");
        assert_eq!(page.contains("UNATTENDED"), more.len() == 1, "{page}");
    }
    let list = json(&b, 0, &["key", "list", "--unattended"]);
    assert_eq!(super::names(&list), ["at night"]);
    let (page, _) = run(&b, 0, &["key", "list"]);
    assert!(page.contains("vault!") && page.contains("without a passphrase (1, unattended)"), "{page}");
    let (one, two) = (json(&b, 0, &["key", "show", "k-1"]), json(&b, 0, &["key", "show", "k-2"]));
    assert_eq!(one["key"]["fingerprint"], two["key"]["fingerprint"]);
    assert_ne!(one["key"]["place"]["sha256"], two["key"]["place"]["sha256"]);
    for dir in [b.workspace(), b.path("state"), b.workspace().join("vault")] {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            let bytes = std::fs::read(entry.path()).unwrap();
            assert!(!bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()), "{}", entry.path().display());
        }
    }
    assert_whole(&b);
}

#[test]
fn a_second_key_with_the_same_secret_is_said() {
    let b = bench();
    piped(&b, 0, &["key", "add", "one", "--secret-stdin"], SECRET.as_bytes());
    let (_, stderr) = piped(&b, 0, &["key", "add", "two", "--secret-stdin"], SECRET.as_bytes());
    assert!(stderr.contains("k-1 has the same secret"), "{stderr}");
}

#[test]
fn what_looks_like_a_secret_is_not_recorded_and_not_repeated() {
    let b = bench();
    let before = entries(&b);
    let secret = "ghp_0123456789abcdefghij0123456789abcdef";
    for args in [
        &["key", "add", secret, "--no-secret"][..],
        &["key", "add", "x", "--no-secret", "--provider-id", secret],
        &["key", "add", "x", "--no-secret", "--scope", secret],
        &["key", "add", "x", "--no-secret", "--note", secret],
        &["key", "add", "x", "--ref", secret],
        &["key", "add", "x", "--no-secret", "--created", secret],
    ] {
        let (stdout, stderr) = run(&b, 2, args);
        assert!(!stdout.contains("ghp_") && !stderr.contains("ghp_"), "{args:?}: {stderr}");
    }
    assert_eq!(entries(&b), before);
}

#[test]
fn mistakes_are_refused_before_anything_is_asked() {
    let b = bench();
    run(&b, 0, &["key", "add", "taken", "--no-secret", "--provider-id", "p1"]);
    let before = entries(&b);
    for (exit, args, word) in [
        (1, &["key", "add", "taken", "--no-secret"][..], "is a key already (k-1)"),
        (1, &["key", "add", "x", "--no-secret", "--provider-id", "p1"], "k-1 has that provider id"),
        (2, &["key", "add", "k-7", "--no-secret"], "reads as an id"),
        (2, &["key", "add", "a\u{1b}[2J", "--no-secret"], "control character"),
        (2, &["key", "add", "x", "--no-secret", "--kind", "API Key"], "lower-case"),
        (2, &["key", "add", "x", "--no-secret", "--last4", "9f2"], "four printable"),
        (2, &["key", "add", "x", "--no-secret", "--created", "03/04/2026"], "expected 2026-11-21"),
        (2, &["key", "add", "x", "--no-secret", "--rotated", "2999-01-01"], "in the future"),
        (2, &["key", "add", "x", "--no-secret", "--every", "10d", "--warn", "10d"], "shorter"),
        (2, &["key", "add", "x", "--no-secret", "--warn", "10d"], "--every"),
        (2, &["key", "set", "taken", "--every", "30d"], "aosctl rotation set taken --every 30d"),
        (0, &["key", "add", "x", "--no-secret", "--expires", "90d", "--dry-run"], "nothing was done"),
        (2, &["key", "add", "x", "--ref", "op://only"], "op://vault/item"),
        (2, &["key", "add", "x", "--ref", "op://a/b/c", "--no-secret"], "cannot be used"),
        (1, &["key", "add", "x", "--no-secret", "--opens", "githb"], "did you mean github?"),
        (1, &["key", "add", "x", "--no-secret", "--opens", "stripe"], "hint: add it: aosctl integration add stripe\n"),
        (
            1,
            &["key", "add", "x", "--no-secret", "--opens", "aws-prod"],
            "hint: add it: aosctl integration add aws-prod --kind aws\n",
        ),
        (1, &["key", "add", "x", "--no-secret", "--opens", "x;reboot"], "aosctl integration add NAME --kind KIND"),
        (1, &["key", "add", "x", "--no-secret", "--owner", "nobody"], "no operator nobody"),
        (3, &["key", "add", "x"], "--secret-stdin"),
        (2, &["key", "add", "x", "--secret-stdin"], "empty"),
    ] {
        let (_, stderr) = run(&b, exit, args);
        assert!(stderr.contains(word), "{args:?}: {stderr}");
    }
    assert_eq!(entries(&b), before);
    let out = fed(b.cmd(&["key", "add", "x", "--secret-stdin"]), &vec![b'x'; 70_000]);
    assert_eq!(code(&out), 2, "{}", text(&out.stderr));
    assert_eq!(entries(&b), before);
}

#[test]
fn a_dry_run_changes_nothing_and_reads_no_secret() {
    let b = bench();
    let before = entries(&b);
    let (page, stderr) = run(&b, 0, &["key", "add", "x", "--secret-stdin", "-n"]);
    assert!(page.contains("would be sealed") && stderr.contains("dry run"), "{page}{stderr}");
    assert_eq!(entries(&b), before);
    assert!(!b.workspace().join("vault").exists());
}

#[test]
fn an_agent_may_not() {
    let b = Bench::new();
    b.add_agent("build-bot");
    for args in [&["key", "add", "x", "--no-secret"][..], &["key", "import", "csv", "-"]] {
        let out = b.agent("build-bot", args).output().unwrap();
        assert_eq!(code(&out), 1, "{}", text(&out.stderr));
        assert!(text(&out.stderr).contains("only an operator may"), "{}", text(&out.stderr));
    }
}

#[test]
fn env_is_recorded_and_never_read() {
    let b = bench();
    let (page, stderr) = run(&b, 0, &["key", "add", "x", "--ref", "env:GITHUB_TOKEN"]);
    assert!(page.contains("env:GITHUB_TOKEN") && stderr.contains("never read"), "{page}{stderr}");
}
