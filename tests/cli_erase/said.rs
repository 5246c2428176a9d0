//! What is said of it: beyond reach, elsewhere, and corrections.

use crate::approve_world::{Ask, World};
use crate::support::{code, text};
use crate::{asked, canary, erase, json, verifies};

#[test]
fn what_was_handed_out_and_what_stands_elsewhere_is_listed() {
    let w = World::new();
    let same = canary(40, 30);
    let first = asked(&w, &Ask { summary: Some(same.clone()), ..Ask::deploy() });
    let second = asked(&w, &Ask { mission: Some(format!("about {same}")), ..Ask::deploy() });
    let line = |file: &str, size: u64, payloads: &str| {
        format!(
            "{{\"at\":\"2026-11-01T00:00:00.000Z\",\"file\":\"{file}\",\"size\":{size},\"payloads\":\"{payloads}\"}}\n"
        )
    };
    let of_types =
        |types: &str| line("/mnt/types.tar", first + 1, "some").replace("}", &format!(",\"types\":[\"{types}\"]}}"));
    let before = line("/mnt/range.tar", first + 9, "some").replace("}", ",\"payload_range\":[0,1]}");
    let exports = [
        line("/mnt/all.tar", first + 1, "all"),
        of_types("grant.issued/1"),
        of_types("request.made/1"),
        before,
        line("/mnt/none.tar", first + 1, "none"),
        line("/mnt/before.tar", first, "all"),
        "no JSON\n".into(),
    ];
    std::fs::write(w.ws.state_dir().join("exports.jsonl"), exports.concat()).unwrap();
    let backup = format!(
        "{{\"at\":\"2026-11-02T00:00:00.000Z\",\"file\":\"/mnt/b\\u001b[31m.sealed\",\"size\":{}}}\n",
        first + 9
    );
    std::fs::write(w.ws.state_dir().join("backups.jsonl"), backup).unwrap();
    let out = w.bench.run(&["audit", "erase", &first.to_string(), "-n", "--member", "summary"]);
    let page = text(&out.stdout);
    assert!(page.contains("beyond reach") && !page.contains('\u{1b}') && !page.contains("none.tar"), "{page}");
    let v = json(&erase(&w, first, &["--member", "summary"]));
    let reach: Vec<_> = v["beyond_reach"].as_array().unwrap().iter().map(|h| h["file"].as_str().unwrap()).collect();
    let lost = "unknown: nobody can read some lines of exports.jsonl";
    assert_eq!(reach, ["/mnt/all.tar", "/mnt/types.tar", lost, "/mnt/b\u{1b}[31m.sealed"]);
    assert_eq!(v["also_in"], serde_json::json!([second]));
}

#[test]
fn a_correction_stands_beside_the_entry() {
    let w = World::new();
    let seq = asked(&w, &Ask::deploy());
    let n = seq.to_string();
    let note = "It was release 1.5.\nSee the ticket.";
    let out = w.bench.run(&["audit", "correct", &n, "--note", note, "-n"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let before = w.size();
    let shown_before = text(&w.bench.run(&["audit", "show", &n]).stdout);
    let out = w.bench.run(&["--json", "audit", "correct", &n, "--note", note]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert_eq!(json(&out)["seq"], before);
    assert_eq!(w.size(), before + 1);
    let page = text(&w.bench.run(&["audit", "show", &n]).stdout);
    assert!(page.starts_with(&shown_before), "the entry is shown as before:\n{page}");
    assert!(page.contains("corrected") && page.contains("It was release 1.5.") && page.contains("op-1"), "{page}");
    let v = json(&w.bench.run(&["--json", "audit", "show", &n]));
    assert_eq!(v["corrections"][0]["seq"], before, "{v:#}");
    assert_eq!(v["corrections"][0]["note"], note);
    let log = text(&w.bench.run(&["audit", "log"]).stdout);
    let line = log.lines().find(|l| l.trim_start().starts_with(&format!("{n} "))).unwrap();
    assert!(line.contains("corrected"), "{line}");
    assert!(log.lines().filter(|l| l.contains("(corrected)")).count() == 1, "{log}");
    // A correction may be erased, and corrected.
    assert_eq!(code(&erase(&w, before, &["--member", "note"])), 0);
    let page = text(&w.bench.run(&["audit", "show", &n]).stdout);
    assert!(!page.contains("release 1.5") && page.contains("(erased)"), "{page}");
    assert_eq!(code(&w.bench.run(&["audit", "correct", "99999", "--note", "x"])), 1);
    assert_eq!(code(&w.bench.run(&["audit", "correct", &n])), 2);
    verifies(&w);
}

/// A look behind an older pin finds the erasure, and nothing wrong with it.
#[test]
fn an_erasure_behind_the_pin_is_no_alarm() {
    let w = World::new();
    let seq = asked(&w, &Ask::deploy());
    let pin = w.ws.state_dir().join("pin");
    let before = std::fs::read(&pin).unwrap();
    assert_eq!(code(&erase(&w, seq, &["--member", "diff"])), 0);
    assert_eq!(code(&erase(&w, seq, &["--member", "summary"])), 0);
    std::fs::write(&pin, before).unwrap();
    let out = w.bench.run(&["audit", "verify", "--since-pin"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    verifies(&w);
}
