use super::desk::at_terminal;
use super::{Bench, PASSPHRASE, assert_fits, assert_whole, entries, json, mode, run, said, secret, text};

#[test]
fn makes_a_private_workspace_and_says_what_is_next() {
    let b = Bench::empty();
    let (page, notes) = run(&b, 0, &["init", "--name", "ACME", "--operator", "ops"]);
    assert!(page.contains("op-1 (ops), sealed in"), "{page}");
    assert!(page.contains("1,000.00 USD at once or 10,000.00 USD in 7 days"), "{page}");
    assert!(page.contains("defaults, not confirmed"), "{page}");
    assert!(page.contains("verifier key. Keep it somewhere else"), "{page}");
    for next in ["integration add", "agent add", "connect github", "aosctl freeze"] {
        assert!(notes.contains(next), "{next}: {notes}");
    }
    assert_eq!(mode(&b.workspace()), 0o700);
    for file in ["aosctl.db", "policy.toml", "operators/op-1.json"] {
        assert_eq!(mode(&b.workspace().join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&b.workspace().join("operators")), 0o700);
    assert_eq!(mode(&b.path("state")), 0o700);
    assert_whole(&b);
}

#[test]
fn as_json_it_gives_what_an_auditor_needs() {
    let b = Bench::empty();
    let v = json(&b, 0, &["init", "--name", "ACME", "--cap-move", "500EUR", "--cap-week", "5000EUR"]);
    assert_eq!(v["schema"], "aosctl.init/v1");
    let origin = v["origin"].as_str().unwrap();
    assert!(v["vkey"].as_str().unwrap().starts_with(&format!("{origin}+")), "{v}");
    assert_eq!(v["caps"]["per_move"], serde_json::json!({"currency": "EUR", "minor": 50000}));
    assert_eq!(v["caps"]["confirmed"], serde_json::json!(["cap.move", "cap.week"]));
    let policy = json(&b, 0, &["policy", "show"]);
    let value = |key: &str| policy["values"].as_array().unwrap().iter().find(|v| v["key"] == key).unwrap().clone();
    assert_eq!(value("cap.move")["confirmed"], true);
    assert_eq!(value("grants.expires")["confirmed"], false);
}

#[test]
fn a_second_one_refuses_and_says_where_the_first_is() {
    let b = Bench::new();
    let before = std::fs::read(b.workspace().join("operators/op-1.json")).unwrap();
    let (_, e) = run(&b, 1, &["init"]);
    assert!(e.contains(&b.workspace().display().to_string()), "{e}");
    assert!(e.contains("for ACME") && e.contains("hint: make another one beside it"), "{e}");
    assert_eq!(std::fs::read(b.workspace().join("operators/op-1.json")).unwrap(), before);
    assert_eq!(entries(&b), 2);
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let b = Bench::empty();
    std::fs::create_dir(b.workspace()).unwrap();
    std::fs::write(b.workspace().join("notes.txt"), "mine").unwrap();
    let (_, e) = run(&b, 3, &["init"]);
    assert!(e.contains("is not an empty directory"), "{e}");
    assert_eq!(std::fs::read(b.workspace().join("notes.txt")).unwrap(), b"mine");

    let b = Bench::empty();
    // Nobody to ask, and no passphrase.
    let (_, e) = said(&b.bare().args(["init"]).output().unwrap(), 3, &["init"]);
    assert!(e.contains("--passphrase-file FILE"), "{e}");
    let short = secret(&b, "short", "1234");
    let out = b.bare().args(["init", "--passphrase-file"]).arg(&short).output().unwrap();
    assert!(text(&out.stderr).contains("has 4 characters"), "{}", text(&out.stderr));
    for (args, why) in [
        (vec!["init", "--cap-move", "5EUR"], "both caps need one currency"),
        (vec!["init", "--cap-move", "5EUR", "--cap-week", "5USD"], "both caps need one currency"),
        (vec!["init", "--cap-move", "much"], "is not an amount"),
    ] {
        let (_, e) = run(&b, 2, &args);
        assert!(e.contains(why), "{args:?}: {e}");
    }
    let (page, notes) = run(&b, 0, &["init", "-n", "--name", "ACME"]);
    assert!(page.contains("ACME") && notes.contains("nothing was created"), "{page}{notes}");
    assert!(!b.workspace().exists());
    assert!(!b.path("state").exists());
}

#[test]
fn at_a_terminal_it_asks() {
    let b = Bench::empty();
    let (code, screen) = at_terminal(
        &b,
        &["init"],
        &[
            ("company's name: ", "ACME"),
            ("your name: ", "Auditor"),
            ("at once without a question [1,000.00 USD]: ", "lots"),
            ("at once without a question [1,000.00 USD]: ", "250EUR"),
            ("all agents together [2,500.00 EUR]: ", ""),
            ("operator identity", PASSPHRASE),
            ("again", PASSPHRASE),
            ("a recovery code for paper?", "n"),
        ],
    );
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("250.00 EUR at once or 2,500.00 EUR in 7 days asks"), "{screen}");
    assert!(!screen.contains(PASSPHRASE) && !screen.contains("not confirmed"), "{screen}");
    let v = json(&b, 0, &["operator", "list"]);
    assert_eq!(v["operators"][0]["name"], "Auditor");
}

#[test]
fn hostile_names_stay_on_their_line() {
    let b = Bench::empty();
    let (page, _) = run(&b, 0, &["init", "--name", "AC\u{1b}[2JME\n\u{202e}x", "--operator", "o\rps"]);
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}') && !page.contains('\r'), "{page:?}");
    let (page, _) = run(&b, 0, &["operator", "list"]);
    assert!(!page.contains('\r'), "{page:?}");
    assert_fits(&page);
}
