use super::{Bench, assert_fits, assert_whole, entries, json, run};

#[test]
fn add_list_and_show() {
    let b = Bench::new();
    let (page, notes) = run(&b, 0, &["integration", "list"]);
    assert!(page.contains("no integrations") && notes.contains("github, hubspot"), "{page}{notes}");
    b.ok(&["integration", "add", "postgres-main", "--kind", "postgres", "--inside", "--residency", "EU"]);
    // Named like its kind, it needs no --kind.
    b.ok(&["integration", "add", "stripe"]);
    let v = json(&b, 0, &["integration", "list"]);
    assert_eq!(v["integrations"][0]["kind"], "postgres");
    assert_eq!(v["integrations"][0]["inside"], true);
    assert_eq!(v["integrations"][0]["residency"], "eu");
    assert_eq!(v["integrations"][1]["name"], "stripe");
    assert_eq!(v["integrations"][1]["inside"], false);
    let (page, _) = run(&b, 0, &["integration", "show", "stripe"]);
    assert!(page.contains("account:ACCOUNT_ID") && page.contains("account-wide"), "{page}");
    assert_fits(&page);
    let v = json(&b, 0, &["integration", "show", "i-2"]);
    let action = |v: &serde_json::Value, name: &str| {
        v["actions"].as_array().unwrap().iter().find(|a| a["name"] == name).unwrap().clone()
    };
    assert_eq!(action(&v, "refund.create")["asks"], "over_limits");
    assert_eq!(action(&v, "refund.create")["points"], serde_json::json!(["money"]));
    assert_eq!(action(&v, "price.create")["asks"], "always");
    // A rule of the policy shows where it bears.
    let policy = b.workspace().join("policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    let rule = "\n[[action]]\nintegration = \"stripe\"\naction = \"refund.*\"\npoints = [\"production\"]\n";
    std::fs::write(&policy, text + rule).unwrap();
    b.ok(&["policy", "adopt"]);
    let v = json(&b, 0, &["integration", "show", "stripe"]);
    assert_eq!(action(&v, "refund.create")["asks"], "always");
    // A kind that was not added yet.
    let (page, notes) = run(&b, 0, &["integration", "show", "github"]);
    assert!(page.contains("(not added)") && notes.contains("aosctl integration add github"), "{page}{notes}");
    assert_whole(&b);
}

#[test]
fn add_refuses_what_it_does_not_know() {
    let b = Bench::new();
    b.ok(&["integration", "add", "github"]);
    let before = entries(&b);
    for (exit, args, why) in [
        (1, vec!["integration", "add", "github"], "is an integration already (i-1)"),
        (2, vec!["integration", "add", "ledger"], "what kind of tool is ledger"),
        (1, vec!["integration", "add", "ledger", "--kind", "ledger"], "catalogue/ledger.toml"),
        (2, vec!["integration", "add", "i-3", "--kind", "github"], "reads as something else"),
        (2, vec!["integration", "add", "Up", "--kind", "github"], "is not a name"),
        (2, vec!["integration", "add", "x", "--kind", "github", "--residency", "some where"], "is not a region"),
        (1, vec!["integration", "show", "nothing"], "there is no integration or kind nothing"),
    ] {
        let (_, e) = run(&b, exit, &args);
        assert!(e.contains(why), "{args:?}: {e}");
    }
    let (_, notes) = run(&b, 0, &["integration", "add", "slack", "-n"]);
    assert!(notes.contains("nothing was done"), "{notes}");
    assert_eq!(entries(&b), before);
}

#[test]
fn a_kind_of_ones_own_counts_once_it_is_adopted() {
    let b = Bench::new();
    let kind = r#"
kind = "ledger"
title = "Ledger"
docs = "https://ledger.example/docs"
close = "Remove the token."

[[scope]]
kind = "book"
form = "book:NAME"
segments = 1
about = "one book"

[[action]]
name = "entry.read"
access = "read"
"#;
    std::fs::write(b.workspace().join("catalogue/ledger.toml"), kind).unwrap();
    let (page, _) = run(&b, 1, &["policy", "diff"]);
    assert!(page.contains("ledger"), "{page}");
    run(&b, 1, &["integration", "add", "ledger", "--kind", "ledger"]);
    let (page, _) = run(&b, 0, &["policy", "adopt", "--yes"]);
    assert!(page.contains("is in force"), "{page}");
    b.ok(&["integration", "add", "ledger"]);
    // A built-in kind cannot be replaced by a file.
    std::fs::write(b.workspace().join("catalogue/github.toml"), kind.replace("ledger", "github")).unwrap();
    let (_, e) = run(&b, 3, &["policy", "adopt"]);
    assert!(e.contains("built-in kind"), "{e}");
    std::fs::remove_file(b.workspace().join("catalogue/github.toml")).unwrap();
    // One that goes takes its classification along, and that is said.
    std::fs::remove_file(b.workspace().join("catalogue/ledger.toml")).unwrap();
    let (_, warnings) = run(&b, 0, &["policy", "adopt", "--yes"]);
    assert!(warnings.contains("the kind of ledger goes"), "{warnings}");
    let (page, _) = run(&b, 0, &["integration", "show", "ledger"]);
    assert!(page.contains("does not know this kind"), "{page}");
    assert_whole(&b);
}
