//! `aosctl rotation`: set, list, record, check, and the line for monitoring systems, through the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

mod keys_world;
mod support;

use std::collections::BTreeMap;
use std::process::Output;

use aosctl::domain::event::{KeyLeaked, KeyRetired};
use aosctl::domain::key::{KeyFacts, Place};
use aosctl::domain::time::Span;
use keys_world::{add, add_sealed, aged, append, days_ago, facts, fed, key, now, sealed_secret, size};
use serde_json::Value;
use support::{Bench, code, sql, text};

/// Fine, soon, due, overdue, of unknown age, ending, ended; by the policy's 90 days and 14 days.
fn bench() -> Bench {
    let b = Bench::new();
    let ends = |name: &str, at| KeyFacts { expires: Some(at), ..aged(name, 1) };
    add(
        &b,
        vec![
            aged("fresh", 1),
            aged("soon", 80),
            aged("due", 95),
            aged("overdue", 200),
            facts("ageless"),
            ends("ending", now().plus(Span::days(5))),
            ends("ended", days_ago(2)),
        ],
    );
    b
}

fn bare(b: &Bench, args: &[&str]) -> Output {
    b.bare().args(args).output().unwrap()
}

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&out.stdout), text(&out.stderr)))
}

/// A status line as a monitoring system reads it.
struct Line {
    service: String,
    status: String,
    text: String,
    perf: BTreeMap<String, (f64, [String; 4])>,
}

/// Reads one by the rules of the Monitoring Plugins, and refuses everything else.
fn parse(out: &Output) -> Line {
    let all = text(&out.stdout);
    assert_eq!(all.matches('\n').count(), 1, "one line: {all:?}");
    assert!(out.stderr.is_empty(), "{}", text(&out.stderr));
    let line = all.strip_suffix('\n').unwrap();
    let (head, perf) = line.split_once(" | ").unwrap_or((line, ""));
    let (words, said) = head.split_once(" - ").unwrap();
    let words: Vec<&str> = words.split(' ').collect();
    let ["AOSCTL", service, status] = words[..] else { panic!("{line}") };
    let number = match status {
        "OK" => 0,
        "WARNING" => 1,
        "CRITICAL" => 2,
        "UNKNOWN" => 3,
        other => panic!("{other}"),
    };
    assert_eq!(code(out), number, "{line}");
    let mut found = BTreeMap::new();
    for item in perf.split(' ').filter(|i| !i.is_empty()) {
        let (label, values) = item.split_once('=').unwrap();
        assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{label}");
        let values: Vec<&str> = values.split(';').collect();
        let [value, warn, crit, min] = values[..] else { panic!("{item}") };
        let strings = [warn, crit, min, ""].map(str::to_string);
        assert!(found.insert(label.to_string(), (value.parse().unwrap(), strings)).is_none(), "{label} twice");
    }
    // The thresholds say the same as the status: a range of "0" alerts above 0.
    let over = |i: usize| found.values().any(|(v, t)| t[i].parse::<f64>().is_ok_and(|limit| *v > limit));
    if !found.is_empty() {
        let expected = if over(1) {
            "CRITICAL"
        } else if over(0) {
            "WARNING"
        } else {
            "OK"
        };
        assert_eq!(status, expected, "{line}");
    }
    Line { service: service.into(), status: status.into(), text: said.into(), perf: found }
}

#[test]
fn check_says_one_line_a_key_with_what_to_type() {
    let b = bench();
    let out = bare(&b, &["rotation", "check"]);
    assert_eq!(code(&out), 1);
    assert!(out.stderr.is_empty(), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(said.lines().all(|l| l.chars().count() <= 80), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    for (line, (id, name, word, command)) in lines.iter().zip([
        ("k-7", "ended", "ended at the provider", "aosctl rotation record k-7"),
        ("k-4", "overdue", "overdue since", "aosctl rotation record k-4"),
        ("k-5", "ageless", "of unknown age", "aosctl key set k-5 --created DATE"),
        ("k-3", "due", "due since", "aosctl rotation record k-3"),
        ("k-6", "ending", "ends at the provider", "aosctl rotation record k-6"),
    ]) {
        assert!(line.starts_with(&format!("{id} {name} {word}")), "{line}");
        let first = if id == "k-5" { "made when?" } else { "rotated?" };
        assert!(line.ends_with(&format!("; {first} {command}")), "{line}");
        // What it says can be typed.
        let typed: Vec<&str> = line.split_once("? aosctl ").unwrap().1.split(' ').take(3).collect();
        if id == "k-5" {
            b.ok(&["rotation", "record", id])
        } else {
            b.ok(&typed)
        };
    }
    let out = bare(&b, &["rotation", "check"]);
    assert_eq!((code(&out), text(&out.stdout), text(&out.stderr)), (0, String::new(), String::new()));
    assert_eq!(code(&b.run(&["audit", "verify"])), 0);
}

#[test]
fn check_as_data_has_what_is_soon_too() {
    let b = bench();
    let out = bare(&b, &["rotation", "check", "--json"]);
    assert_eq!(code(&out), 1);
    let v = json(&out);
    assert_eq!(v["schema"], "aosctl.rotation-check/v1");
    assert_eq!(v["ok"], false);
    let states: Vec<(&str, &str, bool)> = v["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| (k["key"]["id"].as_str().unwrap(), k["state"].as_str().unwrap(), k["is_due"].as_bool().unwrap()))
        .collect();
    let expected = [
        ("k-7", "expired", true),
        ("k-4", "overdue", true),
        ("k-5", "unknown_age", true),
        ("k-3", "due", true),
        ("k-6", "expires", true),
        ("k-2", "soon", false),
    ];
    assert_eq!(states, expected);
    for (state, n) in [("fine", 1), ("soon", 1), ("due", 1), ("leaked", 0), ("keys", 7)] {
        assert_eq!(v["counts"][state], n, "{state}");
    }
    // Nothing due is data too.
    let b = Bench::new();
    add(&b, vec![aged("soon", 80)]);
    let out = bare(&b, &["rotation", "check", "--json", "-q"]);
    assert_eq!((code(&out), json(&out)["ok"].clone()), (0, Value::Bool(true)));
    let out = bare(&b, &["rotation", "check"]);
    assert_eq!((code(&out), text(&out.stdout)), (0, String::new()));
}

#[test]
fn a_monitoring_system_reads_the_same() {
    let b = Bench::new();
    let line = parse(&bare(&b, &["rotation", "check", "--monitor"]));
    assert_eq!((line.service.as_str(), line.status.as_str()), ("ROTATION", "OK"));
    assert_eq!(line.text, "none due of 0 keys");
    add(&b, vec![aged("fresh", 1), aged("soon", 80)]);
    let line = parse(&bare(&b, &["rotation", "check", "--monitor"]));
    assert_eq!((line.status.as_str(), line.text.as_str()), ("WARNING", "1 soon of 2 keys"));
    add(&b, vec![facts("a | b\u{202e}=1;2"), aged("old", 95)]);
    let line = parse(&bare(&b, &["rotation", "check", "--monitor", "--json"]));
    assert_eq!(line.status, "CRITICAL");
    assert_eq!(line.perf["unknown_age"].0, 1.0);
    assert_eq!(line.perf["due"].0, 1.0);
    assert_eq!(line.perf["soon"].0, 1.0);
    assert_eq!(line.perf["keys"].0, 4.0);
    let line = parse(&bare(&b, &["audit", "verify", "--monitor"]));
    assert_eq!((line.service.as_str(), line.status.as_str()), ("AUDIT", "OK"));
    assert_eq!(line.perf["failed"].0, 0.0);
    assert!(line.perf["entries"].0 > 5.0);
}

#[test]
fn whatever_goes_wrong_is_one_line_for_a_monitoring_system() {
    let b = Bench::empty();
    for noun in [["rotation", "check"], ["audit", "verify"]] {
        let with = |more: &[&'static str]| [&noun[..], more].concat();
        let line = parse(&bare(&b, &with(&["--monitor"])));
        assert_eq!(line.status, "UNKNOWN");
        assert!(line.text.contains("there is no workspace"), "{}", line.text);
        for wrong in
            [&["--monitor", "--no-such-flag"][..], &["--monitor", "extra|x=1\n"], &["--color", "x", "--monitor"]]
        {
            let line = parse(&bare(&b, &with(wrong)));
            assert_eq!(line.status, "UNKNOWN", "{wrong:?}");
            assert!(line.text.starts_with("wrong usage: "), "{}", line.text);
        }
        // Without it, usage is 2 and a missing workspace 3, with the error on stderr.
        assert_eq!(code(&bare(&b, &with(&["--no-such-flag"]))), 2);
        let out = bare(&b, &noun);
        assert_eq!((code(&out), out.stdout.len()), (3, 0));
        // Help is help.
        assert_eq!(code(&bare(&b, &with(&["--monitor", "--help"]))), 0);
    }
    let b = Bench::new();
    let full = std::fs::File::create("/dev/full").unwrap();
    let out = b.bare().args(["rotation", "check", "--monitor"]).stdout(full).output().unwrap();
    assert_eq!(code(&out), 3, "nobody got the line");
    std::fs::write(b.db(), b"not a database at all, but long enough to be looked at as one").unwrap();
    let line = parse(&bare(&b, &["rotation", "check", "--monitor"]));
    assert_eq!(line.status, "UNKNOWN");
}

#[test]
fn a_log_that_does_not_verify_is_critical_for_a_monitoring_system() {
    let b = bench();
    sql(&b.db(), "UPDATE keys SET turned = 4000000000000 WHERE id = 'k-4'");
    // The report reads the tables, and says so; that they are right is what verify proves.
    let v = json(&bare(&b, &["rotation", "check", "--json"]));
    assert!(!v["keys"].as_array().unwrap().iter().any(|k| k["key"]["id"] == "k-4"));
    let line = parse(&bare(&b, &["audit", "verify", "--monitor"]));
    assert_eq!(line.status, "CRITICAL");
    assert!(line.text.contains("projections"), "{}", line.text);
    assert_eq!(line.perf["failed"].0, 1.0);
}

#[test]
fn a_schedule_is_set_and_taken_away() {
    let b = bench();
    let v: Value = serde_json::from_str(&b.ok(&["rotation", "set", "fresh", "--every", "8d", "--json"])).unwrap();
    assert_eq!(v["schema"], "aosctl.rotation-set/v1");
    assert_eq!((v["key"]["every"].as_str(), v["key"]["warn"].as_str()), (Some("8d"), Some("2d")));
    assert_eq!(v["key"]["own_schedule"], true);
    let before = size(&b);
    b.ok(&["rotation", "set", "k-1", "--every", "8d"]);
    assert_eq!(size(&b), before, "so it was already");
    b.ok(&["rotation", "set", "k-1", "--every", "8d", "--warn", "3d", "--owner", "ops", "--dry-run"]);
    assert_eq!(size(&b), before, "a dry run");
    b.ok(&["rotation", "set", "k-1", "--every", "8d", "--warn", "3d", "--owner", "ops", "--reason", "paid by it"]);
    let schedule = key(&b, "k-1".parse().unwrap()).schedule.unwrap();
    assert_eq!((schedule.every, schedule.warn), (Span::days(8), Span::days(3)));
    assert!(schedule.owner.is_some());
    let v: Value = serde_json::from_str(&b.ok(&["rotation", "set", "k-2", "--every", "30d", "--json"])).unwrap();
    assert_eq!(v["key"]["warn"].as_str(), Some("7d"), "whole days");
    b.ok(&["rotation", "set", "k-1", "--off"]);
    let v: Value = serde_json::from_str(&b.ok(&["rotation", "list", "--json"])).unwrap();
    let fresh = v["keys"].as_array().unwrap().iter().find(|k| k["key"]["id"] == "k-1").unwrap();
    assert_eq!((fresh["every"].as_str(), fresh["own_schedule"].as_bool()), (v["every"].as_str(), Some(false)));
    assert_eq!(code(&b.run(&["audit", "verify"])), 0);
}

#[test]
fn what_cannot_be_set_says_why_and_changes_nothing() {
    let b = bench();
    append(&b, |tx, op| tx.append(op.by(), KeyRetired { key: "k-2".parse().unwrap(), reason: None }));
    let before = size(&b);
    for (args, exit, words) in [
        (&["set", "k-1"][..], 2, "--every"),
        (&["set", "k-1", "--every", "0d"], 2, "all the time"),
        (&["set", "k-1", "--every", "7d", "--warn", "7d"], 2, "not shorter"),
        (&["set", "k-1", "--every", "soon"], 2, "length of time"),
        (&["set", "k-1", "--every", "7d", "--off"], 2, "cannot be used"),
        (&["set", "k-99", "--every", "7d"], 1, "no key k-99"),
        (&["set", "g-1", "--every", "7d"], 1, "no key g-1"),
        (&["set", "fres", "--every", "7d"], 1, "did you mean fresh?"),
        (&["set", "k-2", "--every", "7d"], 1, "retired"),
        (&["set", "k-1", "--every", "7d", "--owner", "nobody"], 1, "no operator nobody"),
        (&["record", "k-2"], 1, "retired"),
        (&["record", "k-1", "--rotated", "2999-01-01"], 2, "ahead"),
        (&["record", "k-1", "--rotated", "5d"], 1, "later than that"),
        (&["record", "k-1", "--last4", "abc"], 2, "four printable"),
        (&["record", "k-1", "--provider-id", "a\nb"], 2, "control character"),
        (&["record", "k-1", "--expires", "never"], 2, "not a time"),
    ] {
        let out = b.run(&[&["rotation"], args].concat());
        assert_eq!(code(&out), exit, "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains(words), "{args:?}: {}", text(&out.stderr));
    }
    // Nobody is asked for a passphrase without a terminal; an agent may not.
    let out = bare(&b, &["rotation", "set", "k-1", "--every", "7d"]);
    assert!(code(&out) == 3 && text(&out.stderr).contains("--passphrase-file"), "{}", text(&out.stderr));
    b.add_agent("bot");
    let out = b.agent("bot", &["rotation", "record", "k-1"]).output().unwrap();
    assert!(code(&out) == 1 && text(&out.stderr).contains("only an operator"), "{}", text(&out.stderr));
    assert_eq!(size(&b), before + 1, "only the agent was added");
}

#[test]
fn a_rotation_makes_the_old_secrets_marks_unknown() {
    let b = Bench::new();
    let known = KeyFacts {
        last4: Some("9f2a".into()),
        provider_id: Some("AKIA1".into()),
        expires: Some(now().plus(Span::days(3))),
        ..aged("aws", 200)
    };
    add(&b, vec![known]);
    let dry = b.ok(&["rotation", "record", "aws", "-n", "--last4", "77aa"]);
    assert!(dry.contains("77aa"), "{dry}");
    let args =
        ["rotation", "record", "aws", "--rotated", "1h", "--provider-id", "AKIA2", "--note", "by hand", "--json"];
    let v: Value = serde_json::from_str(&b.ok(&args)).unwrap();
    assert_eq!((v["key"]["state"].as_str(), v["last4"].is_null()), (Some("fine"), true));
    let id = "k-1".parse().unwrap();
    let f = key(&b, id).facts;
    assert_eq!((f.last4, f.expires, f.provider_id.as_deref()), (None, None, Some("AKIA2")));
    assert!(f.rotated.unwrap() <= now().minus(Span::seconds(3000)));
    b.ok(&["rotation", "record", "k-1", "--ref", "op://prod/aws/new", "--last4", "77aa", "--expires", "90d"]);
    let f = key(&b, id).facts;
    assert_eq!(f.place, Place::Reference("op://prod/aws/new".into()));
    assert_eq!(f.last4.as_deref(), Some("77aa"));
    assert!(f.expires.unwrap() > now().plus(Span::days(80)));
    assert_eq!(code(&b.run(&["audit", "verify"])), 0);
}

const OLD: &str = "sk_live_old_old_old_9f2a";
const NEW: &str = "sk_live_new_new_new_77aa";

#[test]
fn a_sealed_key_gets_its_new_secret_sealed_the_same_way() {
    for attended in [true, false] {
        let b = Bench::new();
        let id = add_sealed(&b, "stripe-live", OLD, attended);
        let files = || -> Vec<_> {
            let all = std::fs::read_dir(b.workspace().join("vault")).unwrap().map(|e| e.unwrap().file_name());
            all.filter(|n| n.to_str().unwrap().starts_with("k-1.")).collect()
        };
        let before = (files(), size(&b));
        let old = key(&b, id);
        // Without the new secret the vault would go on handing out the old one.
        let out = b.run(&["rotation", "record", "stripe-live"]);
        assert_eq!(code(&out), 3, "{}", text(&out.stderr));
        assert!(text(&out.stderr).contains("--secret-stdin"), "{}", text(&out.stderr));
        // The old secret is no rotation; an empty one is none either.
        for (input, words) in [(OLD, "already has"), ("", "empty"), ("\n", "empty")] {
            let out = fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), input);
            assert_ne!(code(&out), 0, "{input:?}");
            assert!(text(&out.stderr).contains(words), "{input:?}: {}", text(&out.stderr));
        }
        assert_eq!((files(), size(&b)), before);
        let out = fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin", "--json"]), &format!("{NEW}\n"));
        assert_eq!(code(&out), 0, "{}", text(&out.stderr));
        let v = json(&out);
        assert_eq!((v["last4"].as_str(), v["fingerprinted"].as_bool()), (Some("77aa"), Some(true)));
        assert_eq!(v["key"]["state"], "fine");
        let new = key(&b, id);
        assert_eq!(sealed_secret(&b, id), NEW);
        assert_eq!(new.facts.place.is_unattended(), !attended);
        assert_ne!(new.facts.fingerprint, old.facts.fingerprint);
        assert_eq!(files().len(), 1, "the old file is gone");
        assert_ne!(files(), before.0);
        assert_eq!(code(&b.run(&["audit", "verify"])), 0);
        // Moved elsewhere, the vault keeps nothing.
        b.ok(&["rotation", "record", "k-1", "--ref", "op://prod/stripe/key"]);
        assert_eq!(files().len(), 0);
        shows_nowhere(&b, &[OLD, NEW], &[&out]);
    }
}

#[test]
fn a_secret_that_lives_elsewhere_is_marked_and_not_kept() {
    let b = Bench::new();
    add(&b, vec![aged("github", 100)]);
    let out = fed(b.cmd(&["rotation", "record", "github", "--secret-stdin"]), NEW);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let f = key(&b, "k-1".parse().unwrap()).facts;
    assert!(f.fingerprint.is_some() && f.last4.as_deref() == Some("77aa"));
    assert_eq!(f.place, Place::Reference("op://prod/github/token".into()));
    assert!(
        !b.workspace().join("vault").read_dir().unwrap().any(|e| e
            .unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .starts_with("k-"))
    );
    // What looks like a secret where a reference belongs is not repeated.
    let out = b.run(&["rotation", "record", "github", "--ref", "sk_live_typed_by_mistake"]);
    assert_ne!(code(&out), 0);
    shows_nowhere(&b, &[NEW, "sk_live_typed_by_mistake"], &[&out]);
}

/// None of these secrets is in what was printed, nor in any file of the workspace or its state.
fn shows_nowhere(b: &Bench, secrets: &[&str], printed: &[&Output]) {
    let mut all: Vec<Vec<u8>> = printed.iter().flat_map(|o| [o.stdout.clone(), o.stderr.clone()]).collect();
    let mut dirs = vec![b.workspace(), b.path("state")];
    while let Some(dir) = dirs.pop() {
        for e in std::fs::read_dir(dir).unwrap() {
            let e = e.unwrap();
            if e.file_type().unwrap().is_dir() {
                dirs.push(e.path())
            } else {
                all.push(std::fs::read(e.path()).unwrap())
            }
        }
    }
    for secret in secrets {
        for bytes in &all {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}: {}", text(bytes));
        }
    }
}

#[test]
fn an_open_leak_comes_first_even_of_a_retired_key() {
    let b = bench();
    append(&b, |tx, op| {
        let key = "k-1".parse().unwrap();
        tx.append(op.by(), KeyRetired { key, reason: None })?;
        tx.append(op.by(), KeyLeaked { key, revoked: vec![], frozen: vec![], reason: None })
    });
    let said = text(&bare(&b, &["rotation", "check"]).stdout);
    assert!(said.starts_with("k-1 fresh LEAKED, next revoke: aosctl key leaked k-1\n"), "{said}");
    let listed = b.ok(&["rotation", "list"]);
    assert!(listed.lines().nth(1).unwrap().contains("LEAKED"), "{listed}");
    assert!(listed.lines().all(|l| l.chars().count() <= 80), "{listed}");
    let line = parse(&bare(&b, &["rotation", "check", "--monitor"]));
    assert_eq!((line.status.as_str(), line.perf["leaked"].0), ("CRITICAL", 1.0));
}

#[test]
fn names_are_hostile() {
    let b = Bench::new();
    add(
        &b,
        vec![facts("\u{202e}evil\u{200b} \u{feff}name $(reboot) with | pipes and a length that would break the line")],
    );
    let said = text(&bare(&b, &["rotation", "check"]).stdout);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.ends_with("; made when? aosctl key set k-1 --created DATE\n"), "{said}");
    assert!(said.lines().all(|l| l.chars().count() <= 80), "{said}");
    for hidden in ['\u{202e}', '\u{200b}', '\u{feff}'] {
        assert!(!said.contains(hidden), "{said:?}");
        assert!(!b.ok(&["rotation", "list"]).contains(hidden));
    }
}
