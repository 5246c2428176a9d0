//! Who must agree: the fifth approval point.

use crate::approve_world::{Ask, World, now};
use crate::support::{code, text};
use crate::{asked, erase, found_in, json, verifies, with_canaries};
use aosctl::domain::event::IdentityRetired;

fn as_second(w: &World, second: &std::path::Path, args: &[&str]) -> std::process::Output {
    w.bench.cmd(args).arg("--identity").arg(second).output().unwrap()
}

#[test]
fn one_alone_decides_alone_and_the_log_says_so() {
    let w = World::new();
    let (ask, texts) = with_canaries(20, &[30]);
    let seq = asked(&w, &ask);
    let n = seq.to_string();
    let out = w.bench.bare().args(["audit", "erase", &n, "-n"]).output().unwrap();
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let page = text(&out.stdout);
    assert!(page.contains(&texts[0]) && page.contains("op-1 alone (self-approved)"), "{page}");
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
    let before = w.size();
    let out = w.bench.run(&["audit", "erase", &n, "--reason", "GDPR request 7", "--yes"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stderr).contains("decided alone"), "{}", text(&out.stderr));
    assert!(!text(&out.stdout).contains(&texts[0][..8]));
    // Asked, erased, and the request is over.
    assert_eq!(w.size(), before + 3);
    let shown = text(&w.bench.run(&["audit", "show", &n]).stdout);
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("(erased by entry") && words.contains("self-approved: GDPR request 7"), "{shown}");
    assert!(words.contains("recommendation (erased by entry"), "a long name ran into its value: {shown}");
    let by = (before + 1).to_string();
    let shown = text(&w.bench.run(&["audit", "show", &by]).stdout);
    assert!(shown.contains("self-approved"), "{shown}");
    let queue = text(&w.bench.run(&["queue"]).stdout);
    assert!(!queue.contains("audit.erase"), "{queue}");
    verifies(&w);
}

#[test]
fn two_operators_must_both_agree() {
    let w = World::new();
    let second = w.second_operator();
    let (ask, texts) = with_canaries(21, &[300, 12]);
    let seq = asked(&w, &ask);
    let n = seq.to_string();
    // The first asks. Again: it still waits, and nothing is asked twice.
    let out = erase(&w, seq, &[]);
    assert_eq!(code(&out), 5, "{}{}", text(&out.stdout), text(&out.stderr));
    let v = json(&out);
    assert_eq!(
        (v["state"].as_str(), v["needed"].as_u64(), v["request"].as_str()),
        (Some("waits"), Some(2), Some("r-2"))
    );
    assert!(text(&out.stderr).contains("aosctl approve r-2"), "{}", text(&out.stderr));
    let size = w.size();
    assert_eq!(code(&erase(&w, seq, &[])), 5);
    assert_eq!(w.size(), size);
    // The second cannot carry out what nobody else approved, not by himself either.
    let type_it = ["--json", "audit", "erase", &n, "--reason", "x", "--yes"];
    let out = as_second(&w, &second, &type_it);
    assert_eq!(code(&out), 5, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stderr).contains("You agree with: aosctl approve r-2"), "{}", text(&out.stderr));
    assert_eq!(w.size(), size);
    // The first cannot agree with itself.
    assert_eq!(code(&w.bench.run(&["approve", "r-2"])), 1);
    let out = as_second(&w, &second, &["approve", "r-2"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stdout).contains(&format!("aosctl audit erase {n}")), "{}", text(&out.stdout));
    // Who approved is not two.
    assert_eq!(code(&as_second(&w, &second, &type_it)), 5);
    assert!(!found_in(&w, &texts).is_empty());
    // An approval covers what was shown, and no more.
    let out = w.bench.run(&["--json", "audit", "erase", &n, "--member", "diff", "--reason", "y", "--yes"]);
    assert_eq!(code(&out), 5, "{}{}", text(&out.stdout), text(&out.stderr));
    assert_eq!(json(&out)["request"], "r-3");
    // With two requests it has to be said which; the reason is that of the request.
    let all = ["alternatives", "artifacts", "diff", "parameters", "rationale", "recommendation", "rollback", "summary"];
    let flags: Vec<&str> = all.iter().flat_map(|m| ["--member", m]).collect();
    let out = w.bench.run(&[&["--json", "audit", "erase", &n, "--yes"], flags.as_slice()].concat());
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let v = json(&out);
    assert_eq!(v["self_approved"], false);
    assert_eq!(v["agreed"], serde_json::json!(["op-1", "op-2"]));
    assert_eq!(v["approvals"].as_array().unwrap().len(), 1);
    assert_eq!(found_in(&w, &texts), Vec::<String>::new());
    // Both requests are over: the one was carried out, and of the other nothing is left.
    let queue = text(&w.bench.run(&["queue"]).stdout);
    assert!(!queue.contains("audit.erase"), "{queue}");
    verifies(&w);
}

/// The line of docs/erasure.md by which an auditor compares what was erased with what was agreed to.
#[test]
fn what_was_agreed_to_can_be_compared_by_hand() {
    let w = World::new();
    let second = w.second_operator();
    let (ask, _) = with_canaries(24, &[30]);
    let seq = asked(&w, &ask);
    let members = ["--member", "diff", "--member", "summary"];
    assert_eq!(code(&erase(&w, seq, &members)), 5);
    assert_eq!(code(&as_second(&w, &second, &["approve", "r-2"])), 0);
    let (approval, erasure) = (w.size() - 1, w.size());
    assert_eq!(code(&erase(&w, seq, &members)), 0);
    // By the program itself.
    let shown = |args: &[&str]| text(&w.bench.run(args).stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown(&["audit", "log", "--type", "payload.erased"]).contains(&format!("{erasure} ")));
    let entry = shown(&["audit", "show", &erasure.to_string()]);
    assert!(entry.contains(&format!("approvals [{approval}]")) && entry.contains(r#"members ["diff","summary"]"#));
    assert!(shown(&["audit", "show", &approval.to_string()]).contains("request r-2"));
    let parameters = format!(r#"{{"entry":{seq},"members":["diff","summary"]}}"#);
    assert!(shown(&["request", "show", "r-2"]).replace("| ", "").contains(&parameters));
    // And from a bundle.
    let page = include_str!("../../docs/erasure.md");
    let from = page.find("    jq -rs").unwrap();
    let line: Vec<&str> = page[from..].lines().take_while(|l| l.starts_with("    ")).map(|l| &l[4..]).collect();
    w.bench.ok(&["audit", "export", "-o", w.bench.path("bundle").to_str().unwrap()]);
    let sh = |script: &str| {
        std::process::Command::new("sh").args(["-c", script]).current_dir(w.bench.path("bundle")).output().unwrap()
    };
    if !sh("command -v jq").status.success() {
        println!("skipped: there is no jq");
        return;
    }
    let told = text(&sh(&line.join("\n")).stdout);
    let wanted =
        format!("entry {erasure} erased diff, summary of entry {seq}\n  approval {approval}, r-2: {parameters}\n");
    assert_eq!(told, wanted);
}

#[test]
fn who_was_retired_counts_for_thirty_days() {
    let w = World::new();
    w.second_operator();
    let (ask, _) = with_canaries(22, &[30]);
    let seq = asked(&w, &ask);
    w.sign(now(), IdentityRetired { id: "op-2".parse().unwrap(), as_of: None, reason: None });
    let out = erase(&w, seq, &["-n"]);
    assert_eq!(code(&out), 5);
    assert!(text(&out.stderr).contains("2 operators must agree, and 1 lives"), "{}", text(&out.stderr));
}

#[test]
fn a_policy_may_want_more() {
    let w = World::with_policy("[approvers]\naudit = 3\n");
    let second = w.second_operator();
    let (ask, _) = with_canaries(23, &[30]);
    let seq = asked(&w, &ask);
    let out = erase(&w, seq, &[]);
    assert_eq!(code(&out), 5);
    assert!(text(&out.stderr).contains("3 operators must agree, and 2 live"), "{}", text(&out.stderr));
    let out = as_second(&w, &second, &["approve", "r-2"]);
    assert!(text(&out.stdout).contains("2 of 3: another operator must approve it"), "{}", text(&out.stdout));
    assert_eq!(code(&erase(&w, seq, &[])), 5);
    verifies(&w);
}

#[test]
fn what_was_taken_back_or_denied_is_asked_for_anew() {
    let w = World::new();
    let second = w.second_operator();
    let seq = asked(&w, &Ask::deploy());
    assert_eq!(code(&erase(&w, seq, &[])), 5);
    assert_eq!(code(&as_second(&w, &second, &["approve", "r-2"])), 0);
    // Taken back, it counts no more.
    assert_eq!(code(&w.bench.run(&["request", "withdraw", "r-2"])), 0);
    let out = erase(&w, seq, &[]);
    assert_eq!((code(&out), json(&out)["request"].as_str().map(str::to_string)), (5, Some("r-3".into())));
    // Denied: asked for anew.
    assert_eq!(code(&as_second(&w, &second, &["deny", "r-3", "--reason", "no"])), 0);
    assert_eq!(json(&erase(&w, seq, &[]))["request"], "r-4");
    verifies(&w);
}
