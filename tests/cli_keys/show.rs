use super::{assert_fits, assert_whole, bench, entries, file, json, names, piped, run};

#[test]
fn the_table_fits_and_says_what_nobody_knows() {
    let b = bench();
    let long = "a name that is much longer than the column that it stands in";
    run(&b, 0, &["key", "add", long, "--no-secret", "--opens", "github", "--created", "2020-01-01"]);
    run(&b, 0, &["key", "add", "gone", "--ref", "aws-sm:prod/key", "--expires", "2021-01-01"]);
    run(&b, 0, &["key", "add", "off", "--no-secret", "--inactive"]);
    let (page, _) = run(&b, 0, &["key", "list"]);
    assert_fits(&page);
    for word in ["ID", "NAME", "OPENS", "AGE", "USED", "WHERE", "STATE", "expired", "inactive", "aws-sm:", "…"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let v = json(&b, 0, &["key", "list"]);
    assert_eq!(names(&v), [long, "gone", "off"]);
    assert_eq!(v["keys"][1]["state"], "expired");
    assert_eq!(v["keys"][2]["turned"], serde_json::Value::Null);
    let (page, _) = run(&b, 0, &["key", "show", "off"]);
    assert_fits(&page);
    for word in ["not told", "unknown: nothing that aosctl knows of watches its use", "nobody knows how old it is"] {
        assert!(page.replace("\n              ", " ").contains(word), "{word}: {page}");
    }
}

#[test]
fn names_are_one_keys_or_say_whose() {
    let b = bench();
    run(&b, 0, &["key", "add", "ci", "--no-secret"]);
    run(&b, 0, &["key", "retire", "ci"]);
    assert_eq!(json(&b, 0, &["key", "show", "ci"])["key"]["id"], "k-1", "the only one of that name");
    run(&b, 0, &["key", "add", "ci", "--no-secret"]);
    assert_eq!(json(&b, 0, &["key", "show", "ci"])["key"]["id"], "k-2", "the live one");
    run(&b, 0, &["key", "retire", "ci"]);
    let (_, stderr) = run(&b, 1, &["key", "show", "ci"]);
    assert!(stderr.contains("k-1, k-2"), "{stderr}");
    let (_, stderr) = run(&b, 1, &["key", "show", "k-9"]);
    assert!(stderr.contains("there is no key k-9"), "{stderr}");
    let (_, stderr) = run(&b, 1, &["key", "set", "ci", "--scope", "x"]);
    assert!(stderr.contains("k-1, k-2"), "{stderr}");
}

#[test]
fn foreign_text_is_made_visible() {
    let b = bench();
    let path = file(&b, "k.csv", "name,scope\n\u{202e}gnp.exe,a\u{200b}b\n");
    run(&b, 0, &["key", "import", "csv", path.to_str().unwrap()]);
    for args in [&["key", "list"][..], &["key", "show", "k-1"]] {
        let (page, stderr) = run(&b, 0, args);
        assert!(page.contains("\\u{202e}"), "{page}");
        assert!(!page.contains('\u{202e}') && !stderr.contains('\u{202e}') && !page.contains('\u{200b}'), "{page}");
    }
}

#[test]
fn what_was_said_stands_in_its_history() {
    let b = bench();
    run(&b, 0, &["key", "add", "ci", "--ref", "op://a/b/c", "--note", "first of all"]);
    run(&b, 0, &["key", "set", "ci", "--scope", "acct", "--opens", "github", "--last4", "9f2a", "--reason", "forgot"]);
    let before = entries(&b);
    let v = json(&b, 0, &["key", "set", "ci", "--scope", "acct"]);
    assert_eq!((v["what"].as_array().unwrap().len(), &v["seq"]), (0, &serde_json::Value::Null));
    assert_eq!(entries(&b), before, "what is known is not said again");
    let v = json(&b, 0, &["key", "show", "ci"]);
    let said: Vec<&str> = v["history"].as_array().unwrap().iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert_eq!(
        said,
        ["added as ci", "changed: integration not told -> i-1; scope not told -> acct; last4 not told -> 9f2a"]
    );
    assert_eq!(
        (v["history"][0]["note"].as_str(), v["history"][1]["note"].as_str()),
        (Some("first of all"), Some("forgot"))
    );
    run(&b, 0, &["key", "set", "ci", "--name", "ci two", "--inactive", "--person"]);
    let v = json(&b, 0, &["key", "show", "ci two"]);
    assert_eq!((v["key"]["state"].as_str(), v["key"]["person"].as_bool()), (Some("inactive"), Some(true)));
    run(&b, 2, &["key", "set", "ci two"]);
    run(&b, 0, &["key", "add", "other", "--no-secret", "--provider-id", "p1"]);
    run(&b, 1, &["key", "set", "ci two", "--name", "other"]);
    run(&b, 1, &["key", "set", "ci two", "--provider-id", "p1"]);
    assert_whole(&b);
}

#[test]
fn a_sealed_secret_leaves_the_vault_with_its_place() {
    let b = bench();
    piped(&b, 0, &["key", "add", "ci", "--secret-stdin"], b"some-secret-value-9f2a");
    let sealed = || {
        let all = std::fs::read_dir(b.workspace().join("vault")).unwrap();
        all.filter(|e| e.as_ref().unwrap().file_name().to_str().unwrap().starts_with("k-1.")).count()
    };
    assert_eq!(sealed(), 1);
    run(&b, 0, &["key", "set", "ci", "--ref", "op://a/b/c", "-n"]);
    assert_eq!(sealed(), 1);
    let (_, stderr) = run(&b, 0, &["key", "set", "ci", "--ref", "op://a/b/c"]);
    assert!(stderr.contains("no longer in the vault"), "{stderr}");
    assert_eq!(sealed(), 0);
    assert_whole(&b);
}

#[test]
fn the_page_about_keys_says_what_there_is() {
    let docs = include_str!("../../docs/keys.md");
    for column in aosctl::inventory::csv::COLUMNS {
        assert!(docs.contains(&format!("| `{column}` |")), "{column}");
    }
    let b = bench();
    let mut commands = 0;
    for line in docs.lines().filter_map(|l| l.split_once("aosctl key ")).map(|(_, rest)| rest) {
        let typed = line.split(" #").next().unwrap().split('`').next().unwrap();
        // Quotes hold the words of a name together.
        let words: Vec<&str> = typed
            .split('"')
            .enumerate()
            .flat_map(|(i, part)| if i % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
            .collect();
        if words.len() > 1 {
            run(&b, 0, &[&["key"], words.as_slice(), &["--help"]].concat());
            commands += 1;
        }
    }
    assert!(commands > 6, "{commands}");
    let csv = docs.split("```csv\n").nth(1).unwrap().split("```").next().unwrap();
    let path = file(&b, "example.csv", csv.replace("2026-", "2024-"));
    assert_eq!(names(&json(&b, 0, &["key", "list"])).len(), 0);
    run(&b, 0, &["key", "import", "csv", path.to_str().unwrap()]);
    assert_eq!(names(&json(&b, 0, &["key", "list"])), ["github ci", "deploy key"]);
}
