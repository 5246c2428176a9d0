use super::*;
use crate::keys_world::{add, carry, facts, size};
use aosctl::domain::key::KeyFacts;

#[test]
fn a_report_at_any_time() {
    let b = bench();
    let out = bare(&b, &["key", "leaked", "k-1", "--report"]);
    assert_eq!(code(&out), 1, "it did not leak");
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1", "--reason", "in a public repository"])), 0);
    b.ok(&["key", "leaked", "k-1", "--step", "revoke", "--outcome", "done", "--note", "rolled in the dashboard"]);
    b.ok(&["key", "leaked", "k-1", "--step", "prove_dead", "--outcome", "not_proven"]);
    let before = size(&b);
    let out = bare(&b, &["key", "leaked", "k-1", "--report"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let page = text(&out.stdout);
    // What is not proven comes first.
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(at("State: **OPEN**") < at("## Not proven") && at("## Not proven") < at("## What was exposed"), "{page}");
    for words in [
        "- prove dead: NOT PROVEN",
        "- rotate: OPEN",
        "- last four: ...9f2a",
        "in a public repository",
        "rolled in the dashboard",
        "g-1 (bot-a, read, stripe",
        "nobody \\(the log signed: unattributed\\)",
        "aosctl gave it to no program in that time.",
        "nobody can say anything",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // The same as data, and into a file; the same bytes from the same state.
    let v = json(&bare(&b, &["key", "leaked", "k-1", "--report", "--json"]));
    assert_eq!(v["schema"], "aosctl.key-incident/v1");
    assert_eq!((v["safe_by"].as_str(), v["entries"].as_u64()), (Some("turned over"), Some(before)));
    let seqs: Vec<u64> = v["timeline"].as_array().unwrap().iter().map(|m| m["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted() && seqs.len() >= 5, "{seqs:?}");
    let file = b.path("incident.md");
    let out = bare(&b, &["key", "leaked", "k-1", "--report", "-o", file.to_str().unwrap()]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let written = std::fs::read_to_string(&file).unwrap();
    let dated = |s: &str| s.lines().filter(|l| !l.starts_with("State:")).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(dated(&written), dated(&page));
    assert_eq!(size(&b), before, "it changes nothing");
    shows_nowhere(&b, &[OLD], &[&out]);
    let out = bare(&b, &["key", "leaked", "k-1", "--report", "--since", "2020-01-01", "--json"]);
    assert_eq!(json(&out)["safe_by"], "as told");
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1", "--report", "--since", "2999-01-01"])), 2);
}

#[test]
fn hostile_text_stays_text() {
    let b = Bench::new();
    b.add_agent("bot");
    let tool = crate::keys_world::integrate(&b, "stripe");
    let evil = "![x](https://evil.example/p.png) <script> | \u{202e}*b*";
    let ids = add(&b, vec![KeyFacts { provider_id: Some("$(reboot)`x`".into()), ..facts(evil) }]);
    carry(&b, agent(&b, "bot"), tool, ids[0]);
    let reason = format!("{evil}\n\n# heading\n- [ ] list <img src=x>");
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1", "--reason", &reason])), 0);
    let page = text(&bare(&b, &["key", "leaked", "k-1", "--report"]).stdout);
    for bad in ["<script", "<img", "](http", "https://evil", "\u{202e}", "\n# heading", "\n- [ ]", "$(reboot)`"] {
        assert!(!page.contains(bad), "{bad:?}: {page}");
    }
    assert_eq!(page.lines().filter(|l| l.starts_with("# ")).count(), 1, "{page}");
    // A table row stays one of its table.
    for l in page.lines().filter(|l| l.starts_with('|')) {
        let cells = l.replace("\\|", "").matches('|').count();
        assert!(cells == 6 || cells == 8, "{l}");
    }
    // On the terminal nothing of it is more than text either, and no command line carries it.
    let out = bare(&b, &["key", "leaked", "k-1"]);
    assert!(!text(&out.stdout).contains('\u{202e}'));
    assert!(!text(&out.stdout).lines().any(|l| l.starts_with("    ") && l.contains("reboot")), "{}", text(&out.stdout));
}
