use super::desk::at_terminal;
use super::{Bench, PASSPHRASE, assert_fits, assert_whole, entries, json, run, said};

fn policy_file(b: &Bench) -> std::path::PathBuf {
    b.workspace().join("policy.toml")
}

fn edit(b: &Bench, from: &str, to: &str) {
    let text = std::fs::read_to_string(policy_file(b)).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(policy_file(b), text.replace(from, to)).unwrap();
}

fn value(b: &Bench, key: &str) -> (String, bool) {
    let v = json(b, 0, &["policy", "show"]);
    let v = v["values"].as_array().unwrap().iter().find(|v| v["key"] == key).unwrap().clone();
    (v["value"].as_str().unwrap().into(), v["confirmed"].as_bool().unwrap())
}

#[test]
fn show_gives_the_adopted_text_whatever_the_file_says() {
    let b = Bench::new();
    let (page, _) = run(&b, 0, &["policy", "show"]);
    assert_eq!(page, std::fs::read_to_string(policy_file(&b)).unwrap());
    edit(&b, "1000USD", "9USD");
    let (page, notes) = run(&b, 0, &["policy", "show"]);
    assert!(page.contains("1000USD") && notes.contains("says something else"), "{page}{notes}");
    let (page, notes) = run(&b, 0, &["policy", "show", "--effective"]);
    assert!(page.contains("cap.move                 1000USD   default, never confirmed"), "{page}");
    assert!(notes.contains("aosctl policy set cap.move 1000USD"), "{notes}");
    assert_fits(&page);
}

#[test]
fn set_changes_one_value_in_force_and_in_the_file() {
    let b = Bench::new();
    edit(&b, "# at once", "# what the \"board\" allows, see #7");
    b.ok(&["policy", "adopt"]);
    let before = entries(&b);
    let (page, notes) = run(&b, 0, &["policy", "set", "cap.move", "500USD", "-n"]);
    assert!(
        page.contains("narrower  cap.move: 1,000.00 USD -> 500.00 USD") && notes.contains("nothing was done"),
        "{page}"
    );
    assert_eq!(entries(&b), before);
    b.ok(&["policy", "set", "cap.move", "500USD"]);
    assert_eq!(entries(&b), before + 1);
    let text = std::fs::read_to_string(policy_file(&b)).unwrap();
    assert!(text.contains("move = \"500USD\"  # what the \"board\" allows, see #7"), "{text}");
    assert_eq!(value(&b, "cap.move"), ("500USD".into(), true));
    run(&b, 0, &["policy", "diff"]);
    let (page, _) = run(&b, 0, &["policy", "set", "cap.move", "500USD"]);
    assert!(page.contains("confirmed already"), "{page}");
    assert_eq!(entries(&b), before + 1);
    // Another currency takes both caps at once.
    let (_, e) = run(&b, 2, &["policy", "set", "cap.week", "500EUR"]);
    assert!(e.contains("set both at once with the key cap"), "{e}");
    let v = json(&b, 0, &["policy", "set", "cap", "400EUR,4000EUR"]);
    assert_eq!(v["value"], "400EUR,4000EUR");
    assert_eq!(value(&b, "cap.week"), ("4000EUR".into(), true));
    for (args, why) in [
        (["policy", "set", "cap.mvoe", "1USD"], "there is no value cap.mvoe"),
        (["policy", "set", "approvers.money", "0"], "approvers.money"),
        (["policy", "set", "requests.wait", "1000d"], "requests.wait"),
    ] {
        let (_, e) = run(&b, 2, &args);
        assert!(e.contains(why), "{args:?}: {e}");
    }
    let (_, e) = run(&b, 1, &["policy", "set", "review.owner", "op-7"]);
    assert!(e.contains("is not a live operator"), "{e}");
    assert_whole(&b);
}

#[test]
fn a_default_is_confirmed_by_setting_it() {
    let b = Bench::new();
    assert_eq!(value(&b, "requests.wait"), ("1d".into(), false));
    let (page, _) = run(&b, 0, &["policy", "set", "requests.wait", "24h"]);
    assert!(page.contains("stays 1d, and is confirmed now"), "{page}");
    assert_eq!(value(&b, "requests.wait"), ("1d".into(), true));
    assert_eq!(value(&b, "requests.use_within"), ("1h".into(), false));
}

#[test]
fn set_keeps_edits_that_nobody_adopted() {
    let b = Bench::new();
    edit(&b, "recipients = 500", "recipients = 50 # draft");
    let (_, notes) = run(&b, 0, &["policy", "set", "cap.move", "5USD"]);
    assert!(notes.contains("has edits that nobody adopted"), "{notes}");
    let text = std::fs::read_to_string(policy_file(&b)).unwrap();
    assert!(text.contains("recipients = 50 # draft") && text.contains("move = \"5USD\""), "{text}");
    assert_eq!(value(&b, "mailing.recipients").0, "500");
    std::fs::write(policy_file(&b), "half a thought").unwrap();
    let (_, warnings) = run(&b, 0, &["policy", "set", "cap.move", "6USD"]);
    assert!(warnings.contains("left as it is; set cap.move there too"), "{warnings}");
    assert_eq!(std::fs::read_to_string(policy_file(&b)).unwrap(), "half a thought");
}

#[test]
fn diff_marks_what_opens_and_adopt_asks_for_it() {
    let b = Bench::new();
    run(&b, 0, &["policy", "diff"]);
    let (page, _) = run(&b, 0, &["policy", "adopt"]);
    assert!(page.contains("nothing to adopt"), "{page}");
    edit(&b, "1000USD", "2000USD");
    edit(&b, "recipients = 500", "recipients = 100");
    let (page, _) = run(&b, 1, &["policy", "diff"]);
    assert!(page.contains("WIDER     cap.move: 1,000.00 USD -> 2,000.00 USD"), "{page}");
    assert!(page.contains("narrower  mailing.recipients: 500 -> 100"), "{page}");
    let v = json(&b, 1, &["policy", "diff"]);
    assert_eq!(v["changes"][0]["effect"], "wider");
    let before = entries(&b);
    let (_, e) = run(&b, 3, &["policy", "adopt"]);
    assert!(e.contains("--yes"), "{e}");
    let (page, _) = run(&b, 0, &["policy", "adopt", "-n"]);
    assert!(page.contains("would be in force"), "{page}");
    let (code, screen) = at_terminal(&b, &["policy", "adopt"], &[("Type yes to go on: ", "no")]);
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("WIDER") && screen.contains("nothing was adopted"), "{screen}");
    assert_eq!(entries(&b), before);
    let answers = [("Type yes to go on: ", "yes"), ("passphrase of op-1", PASSPHRASE)];
    let (code, screen) = at_terminal(&b, &["policy", "adopt"], &answers);
    assert_eq!(code, 0, "{screen}");
    assert_eq!(entries(&b), before + 1);
    assert_eq!(value(&b, "cap.move"), ("2000USD".into(), true));
    assert_eq!(value(&b, "grants.expires"), ("90d".into(), true), "the text that was signed states it");
    assert_whole(&b);
}

#[test]
fn adopting_another_file_makes_it_the_one_to_edit() {
    let b = Bench::new();
    let other = b.path("strict.toml");
    std::fs::write(&other, "version = 1\n[cap]\nmove = \"10USD\"\n").unwrap();
    run(&b, 1, &["policy", "diff", "strict.toml"]);
    b.ok(&["policy", "adopt", "strict.toml", "--reason", "less"]);
    assert_eq!(std::fs::read(policy_file(&b)).unwrap(), std::fs::read(&other).unwrap());
    run(&b, 0, &["policy", "diff"]);
    // With a draft there, the draft stays.
    edit(&b, "10USD", "11USD");
    std::fs::write(&other, "version = 1\n[cap]\nmove = \"9USD\"\n").unwrap();
    let (_, warnings) = run(&b, 0, &["policy", "adopt", "strict.toml"]);
    assert!(warnings.contains("edits that nobody adopted"), "{warnings}");
    assert!(std::fs::read_to_string(policy_file(&b)).unwrap().contains("11USD"));
    let (_, e) = run(&b, 3, &["policy", "adopt", "missing.toml"]);
    assert!(e.contains("missing.toml"), "{e}");
    std::fs::write(&other, "version = 1\n[review]\nowner = \"op-9\"\n").unwrap();
    let (_, e) = run(&b, 1, &["policy", "adopt", "strict.toml", "--yes"]);
    assert!(e.contains("op-9 is not a live operator"), "{e}");
}

#[test]
fn lint_names_line_and_column() {
    let b = Bench::new();
    let bad = b.path("bad.toml");
    for (text, exit, says) in [
        ("version = 1\n[cap]\nmove = \"1000\"\n", 1, "bad.toml:3:8"),
        ("version = 1\n[cap]\nmvoe = \"1000USD\"\n", 1, "bad.toml:3:1"),
        ("version = 1\n[approvers]\nmoney = 0\n", 1, "bad.toml:3:9"),
        ("version = 1\n[cap\n", 1, "bad.toml:2:"),
        ("version = 1\n[cap]\nmove = \"5000000USD\"\nweek = \"5000000USD\"\n", 1, "warning: cap.move"),
        ("version = 1\n[mailing]\nrecipients = 0\n", 0, "note: mailing.recipients: every mailing will ask"),
        ("version = 1\n", 0, "nothing found"),
    ] {
        std::fs::write(&bad, text).unwrap();
        let (page, _) = run(&b, exit, &["policy", "lint", "bad.toml"]);
        assert!(page.contains(says), "{text}: {page}");
        assert_fits(&page);
    }
    std::fs::write(&bad, "version = 1\n[cap]\nmvoe = 1\n").unwrap();
    let v = json(&b, 1, &["policy", "lint", "bad.toml"]);
    assert_eq!((v["valid"].as_bool(), v["error"]["line"].as_u64()), (Some(false), Some(3)));
    run(&b, 3, &["policy", "lint", "missing.toml"]);
    std::fs::write(&bad, [0xff, 0xfe]).unwrap();
    run(&b, 3, &["policy", "lint", "bad.toml"]);
    // Without a workspace too, for one that is yet to be.
    let empty = Bench::empty();
    std::fs::write(empty.path("p.toml"), "version = 1\n").unwrap();
    run(&empty, 0, &["policy", "lint", "p.toml"]);
    run(&empty, 3, &["policy", "lint"]);
    // What hides in a file stays hidden in no error.
    std::fs::write(&bad, "version = 1\n\"\\u001b[2J\\u202e\" = 1\n").unwrap();
    let (page, _) = run(&b, 1, &["policy", "lint", "bad.toml"]);
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'), "{page:?}");
}

#[test]
fn the_matrix_names_every_point() {
    let b = Bench::new();
    let (page, _) = run(&b, 0, &["policy", "matrix"]);
    for title in
        ["MONEY OVER THE CAP", "PUBLIC CLAIM", "CUSTOMER DATA LEAVING", "PRODUCTION CHANGE", "AUDIT-TRAIL EDIT"]
    {
        assert!(page.contains(title), "{title}: {page}");
    }
    assert!(page.contains("over 1,000.00 USD at once"), "{page}");
    assert_fits(&page);
    let v = json(&b, 0, &["policy", "matrix", "--point", "audit"]);
    assert!(v["rows"].as_array().unwrap().iter().all(|r| r["point"] == "audit"), "{v}");
}

#[test]
fn explain_says_why_then_and_now() {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&["integration", "add", "stripe"]);
    b.ok(&[
        "connect",
        "stripe",
        "--agent",
        "build-bot",
        "--scope",
        "resource:refunds",
        "--access",
        "write",
        "--accept-risk",
        "--reason",
        "refunds",
        "--data",
        "customer",
    ]);
    let ask = |amount: &str, exit: i32| {
        let args = [
            "request",
            "new",
            "--integration",
            "stripe",
            "--action",
            "refund.create",
            "--resource",
            "resource:refunds",
            "--amount",
            amount,
            "--summary",
            "refund",
        ];
        said(&b.agent("build-bot", &args).output().unwrap(), exit, &args)
    };
    ask("900USD", 0);
    ask("1500USD", 5);
    b.ok(&["policy", "set", "cap.move", "2000USD"]);
    b.ok(&["policy", "set", "cap.week", "1000USD"]);
    let v = json(&b, 0, &["policy", "explain", "r-1"]);
    assert_eq!((&v["then"]["decision"], &v["replay_agrees"]), (&"allow".into(), &true.into()));
    assert_eq!(v["then"]["spent"]["minor"], 0);
    assert_eq!(v["now"]["decision"], "allow", "its own money is left out");
    let v = json(&b, 0, &["policy", "explain", "r-2"]);
    assert_eq!(v["then"]["rule"], "money.per-move");
    assert_eq!(v["then"]["spent"]["minor"], 90_000);
    assert_eq!(v["now"]["rule"], "money.per-week");
    assert_ne!(v["then"]["policy"], v["now"]["policy"]);
    assert_eq!(v["then"]["grant"]["grant"], "g-1");
    let (page, _) = run(&b, 0, &["policy", "explain", "r-2"]);
    assert!(page.contains("1,500.00 USD is over the cap of 1,000.00 USD a move"), "{page}");
    assert!(page.contains("on top of 900.00 USD in 7 days"), "{page}");
    assert_fits(&page);
    b.ok(&["revoke", "g-1"]);
    let v = json(&b, 0, &["policy", "explain", "r-2"]);
    assert_eq!((&v["then"]["decision"], &v["now"]["decision"]), (&"ask".into(), &"deny".into()));
    assert!(v["now"]["fix"].as_str().unwrap().starts_with("aosctl connect stripe --agent build-bot"), "{v}");
    run(&b, 1, &["policy", "explain", "r-9"]);
    run(&b, 2, &["policy", "explain", "g-1"]);
}

#[test]
fn no_policy_switches_a_point_off() {
    // Law 3: every way to write it is refused, or changes nothing.
    let b = Bench::new();
    for text in [
        "version = 1\n[approvers]\nproduction = 0\n",
        "version = 1\n[points]\nproduction = false\n",
        "version = 1\n[[action]]\nintegration = \"github\"\naction = \"deployment.*\"\npoints = []\n",
        "version = 1\n[[action]]\nintegration = \"*\"\naction = \"*\"\nallow = true\n",
    ] {
        std::fs::write(b.path("off.toml"), text).unwrap();
        let (page, _) = run(&b, 1, &["policy", "lint", "off.toml"]);
        assert!(page.contains("error:"), "{text}: {page}");
        run(&b, 3, &["policy", "adopt", "off.toml", "--yes"]);
    }
}
