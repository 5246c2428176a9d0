//! What is in a bundle.

use std::collections::BTreeSet;
use std::process::Command;

use aosctl::domain::time::Time;
use aosctl::log::checkpoint::{Checkpoint, VerifierKey};
use aosctl::log::key::PublicKey;
use aosctl::log::payload::Record;
use aosctl::log::sshsig;
use aosctl::log::tree::{Frontier, leaf_hash};
use aosctl::log::verdict::{Check, Status};
use aosctl::log::verify::{Bundle, Trust, verify_bundle};
use aosctl::workspace::{Place, Workspace};
use serde_json::Value;

use crate::review_world;
use crate::support::{code, text};
use crate::{aosctl, copy, exported, files, has, keep, out, stage, vkey};

const ALWAYS: [&str; 7] =
    ["README.txt", "allowed_signers", "checkpoint", "checkpoint.sig", "entries.jsonl", "log.pem", "log.vkey"];

/// What the format says of a bundle, with every signer's key from the workspace.
fn holds(place: &Place, bundle: &std::path::Path) -> (u64, Status) {
    let files = files(bundle);
    let key: VerifierKey = VerifierKey::parse(&vkey(place)).unwrap();
    let ws = Workspace::open(place.clone()).unwrap();
    let keys = |actor: &str, seq: u64| {
        if actor == "log" {
            return Some(key.key);
        }
        use aosctl::domain::facts::Facts;
        let id = actor.parse().unwrap();
        let found = ws.facts().before(seq.max(1)).identity(id).unwrap();
        found.map(|i| PublicKey(i.public_key))
    };
    let b = Bundle {
        entries: &files["entries.jsonl"],
        payloads: files.get("payloads.jsonl").map(Vec::as_slice),
        checkpoint: files.get("checkpoint").map(Vec::as_slice),
    };
    let report = verify_bundle(&b, &Trust { vkey: &key, pin: None, witnesses: None }, keys);
    for check in [Check::CanonicalForm, Check::Signatures, Check::Chain, Check::TreeRoot] {
        assert_eq!(report.status(check), Status::Ok, "{check:?}: {report:#?}");
    }
    let (checkpoint, _) = Checkpoint::open(&files["checkpoint"], &key).unwrap();
    let mut tree = Frontier::new();
    text(&files["entries.jsonl"]).lines().for_each(|l| tree.push(leaf_hash(l.as_bytes())));
    assert_eq!((checkpoint.size, checkpoint.root), (tree.size(), tree.root()));
    sshsig::verify(&text(&files["checkpoint.sig"]), &files["checkpoint"], &key.key).unwrap();
    assert_eq!(text(&files["log.vkey"]), format!("{key}\n"));
    (checkpoint.size, report.status(Check::Commitments))
}

#[test]
fn a_bundle_holds_everything_and_verifies() {
    let w = copy();
    let place = w.place();
    let dir = exported(&place, "all", &[]);
    let found = files(&dir);
    let names: BTreeSet<&str> = found.keys().map(String::as_str).filter(|n| !n.starts_with("identities/")).collect();
    assert_eq!(names, ALWAYS.into_iter().chain(["payloads.jsonl"]).collect());
    for who in ["op-1", "op-2", "ag-1"] {
        assert!(found.contains_key(&format!("identities/{who}.pem")), "{who}");
    }
    let (size, commitments) = holds(&place, &dir);
    assert_eq!(commitments, Status::Ok);
    assert_eq!(size, w.open().store().last_seq().unwrap().unwrap() + 1);
    // Payload lines are canonical, one an entry; what was erased stays erased.
    let mut erased = 0;
    for (n, line) in text(&found["payloads.jsonl"]).lines().enumerate() {
        let (seq, record) = Record::parse_line(line.as_bytes()).unwrap();
        assert_eq!(seq, n as u64);
        erased += record.erased.len();
    }
    assert!(erased > 0, "nothing was erased in this log");
    assert!(text(&found["README.txt"]).contains(&format!("erased    {erased} member")));
    keep(&place, &dir, "export-all");
}

#[test]
fn the_same_state_gives_the_same_bytes_in_any_form() {
    let w = copy();
    let place = w.place();
    let one = files(&exported(&place, "one", &[]));
    assert_eq!(one, files(&exported(&place, "two", &[])));
    exported(&place, "three.tar", &[]);
    exported(&place, "four.tar", &[]);
    let tar = std::fs::read(out(&place, "three.tar")).unwrap();
    assert_eq!(tar, std::fs::read(out(&place, "four.tar")).unwrap());
    let streamed = aosctl(&place, &["audit", "export", "-o", "-"]).output().unwrap();
    assert_eq!(code(&streamed), 0, "{}", text(&streamed.stderr));
    assert_eq!(tar, streamed.stdout);
    std::fs::create_dir(out(&place, "taken")).unwrap();
    let done =
        Command::new("tar").args(["-x", "-C", "taken", "-f", "three.tar"]).current_dir(out(&place, ".")).status();
    assert!(done.unwrap().success());
    assert_eq!(one, files(&out(&place, "taken")));
    // Sorted, from 1970, for everybody to read, of nobody.
    let list = Command::new("tar")
        .args(["--utc", "--numeric-owner", "-tvf", "three.tar"])
        .current_dir(out(&place, "."))
        .output()
        .unwrap();
    let lines = text(&list.stdout);
    let names: Vec<&str> = lines.lines().map(|l| l.rsplit(' ').next().unwrap()).collect();
    assert!(names.is_sorted() && names.len() == one.len(), "{names:?}");
    assert!(lines.lines().all(|l| l.starts_with("-rw-r--r-- 0/0 ") && l.contains(" 1970-01-01 00:00 ")), "{lines}");
    assert_eq!(tar.len() % 512, 0);
    // A later entry changes nothing in what was signed before it.
    let until = w.open().event(20).unwrap().0.at;
    let until = aosctl::domain::time::Time::from_millis(until.millis() + 1).to_string();
    let before = files(&exported(&place, "five", &["--until", &until]));
    w.must(&stage().cast, "log", world_now(), |_| {
        aosctl::domain::event::WorkspaceFrozen { target: aosctl::domain::id::Id::WORKSPACE, reason: None }.into()
    });
    assert_eq!(before, files(&exported(&place, "six", &["--until", &until])));
}

fn world_now() -> Time {
    crate::world::now()
}

#[test]
fn payloads_go_out_as_wanted() {
    let w = copy();
    let place = w.place();
    let none = exported(&place, "none", &["--payloads", "none"]);
    assert!(!files(&none).keys().any(|n| n.starts_with("payloads")));
    assert_eq!(holds(&place, &none).1, Status::NotChecked);
    keep(&place, &none, "export-none");

    let some = exported(&place, "some", &["--payloads", "request.approved,grant"]);
    let found = files(&some);
    assert!(!found.contains_key("payloads.jsonl"));
    let ws = w.open();
    let mut kinds = BTreeSet::new();
    for line in text(&found["payloads-some.jsonl"]).lines() {
        let (seq, _) = Record::parse_line(line.as_bytes()).unwrap();
        kinds.insert(ws.store().entry(seq).unwrap().unwrap().columns.0);
    }
    assert!(kinds.contains("request.approved/1") && kinds.contains("grant.issued/1"), "{kinds:?}");
    assert!(kinds.iter().all(|k| k == "request.approved/1" || k.starts_with("grant.")), "{kinds:?}");
    holds(&place, &some);
    keep(&place, &some, "export-some");

    let whole = text(&files(&exported(&place, "all", &[]))["payloads.jsonl"]);
    let since = ws.event(30).unwrap().0.at.to_string();
    let late = exported(&place, "since", &["--since", &since]);
    let found = files(&late);
    let first =
        ws.store().range(0, 1000).unwrap().into_iter().find(|s| s.columns.3 >= ws.event(30).unwrap().0.at.millis());
    let from = usize::try_from(first.unwrap().seq).unwrap();
    let expected: Vec<&str> = whole.lines().skip(from).collect();
    assert_eq!(text(&found["payloads-some.jsonl"]).lines().collect::<Vec<_>>(), expected);
    assert_eq!(text(&found["entries.jsonl"]).lines().count(), whole.lines().count());
    keep(&place, &late, "export-since");
}

#[test]
fn a_past_moment_has_a_checkpoint_of_its_own() {
    let w = review_world::World::new();
    let place = Place { dir: w.bench.workspace(), state: w.bench.path("state") };
    let until = w.before(20).to_string();
    let dir = exported(&place, "until", &["--until", &until]);
    let (size, commitments) = holds(&place, &dir);
    assert_eq!(commitments, Status::Ok);
    assert!(size < w.size() && size > 10);
    let last = w.ws.event(size - 1).unwrap().0.at;
    assert!(last.to_string() < until && w.ws.event(size).unwrap().0.at.to_string() >= until);
    keep(&place, &dir, "export-until");
    keep(&place, &exported(&place, "lived", &[]), "export-lived");
    let none = crate::export(&place, "never", &["--until", "2001-01-01"]);
    assert_eq!(code(&none), 1, "{}", text(&none.stderr));
    assert!(text(&none.stderr).contains("no entry before 2001-01-01"));
}

#[test]
fn the_view_says_what_went_out() {
    let w = copy();
    let place = w.place();
    let said = aosctl(&place, &["--json", "audit", "export", "-o", "b.tar", "-n"]).output().unwrap();
    assert!(!out(&place, "b.tar").exists());
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["schema"], "aosctl.audit-export/v1");
    assert_eq!(said["dry_run"], true);
    let dir = exported(&place, "b", &[]);
    let sizes: Vec<(String, u64)> = files(&dir).into_iter().map(|(n, b)| (n, b.len() as u64)).collect();
    let listed: Vec<(String, u64)> = said["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["name"].as_str().unwrap().to_string(), f["bytes"].as_u64().unwrap()))
        .collect();
    assert_eq!(sizes, listed);
    assert_eq!(said["bytes"].as_u64().unwrap(), sizes.iter().map(|(_, n)| n).sum::<u64>());
    assert_eq!(said["vkey"], vkey(&place));
    let kinds = said["payload_types"].as_array().unwrap();
    assert_eq!(kinds.iter().map(|k| k["count"].as_u64().unwrap()).sum::<u64>(), said["payloads"].as_u64().unwrap());
    let page = crate::export(&place, "c", &[]);
    let (page, notes) = (text(&page.stdout), text(&page.stderr));
    assert!(page.contains("request.approved/1") && page.contains("customer data"), "{page}");
    assert!(notes.contains("aosctl audit verify --bundle c --vkey aosctl/"), "{notes}");
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
}

#[test]
fn what_was_handed_out_is_listed() {
    let w = copy();
    let place = w.place();
    exported(&place, "a", &[]);
    exported(&place, "b.tar", &["--payloads", "grant"]);
    exported(&place, "c", &["--payloads", "none"]);
    let refused = crate::export(&place, "a", &[]);
    assert_eq!(code(&refused), 3);
    let ws = w.open();
    let list = aosctl::evidence::export::handed_out(&ws);
    let short: Vec<(&str, &str, &str)> =
        list.iter().map(|h| (h.file.as_str(), h.form.as_str(), h.payloads.as_str())).collect();
    assert_eq!(short, [("a", "directory", "all"), ("b.tar", "tar", "some"), ("c", "directory", "none")]);
    assert!(list[0].may_hold(3, "request.made/1") && !list[0].may_hold(1_000_000, "request.made/1"));
    let issued = ws.store().range(0, 1000).unwrap().into_iter().find(|s| s.columns.0 == "grant.issued/1").unwrap().seq;
    assert!(list[1].may_hold(issued, "grant.issued/1") && !list[1].may_hold(issued, "request.made/1"));
    assert!(!list[2].may_hold(3, "grant.issued/1"));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(ws.state_dir().join("exports.jsonl")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    // A line that cannot be read is one that may hold everything, and stays counted.
    let path = ws.state_dir().join("exports.jsonl");
    let kept = text(&std::fs::read(&path).unwrap());
    std::fs::write(&path, kept + "not json\n").unwrap();
    exported(&place, "d", &["--payloads", "none"]);
    let list = aosctl::evidence::export::handed_out(&ws);
    assert_eq!(list.len(), 5);
    assert!(list[0].may_hold(3, "request.made/1") && list[0].payloads == "unknown");
}

#[test]
fn openssl_reads_every_key() {
    if !has("openssl") {
        return;
    }
    let w = copy();
    let dir = exported(&w.place(), "keys", &[]);
    let mut read = 0;
    for name in files(&dir).keys().filter(|n| n.ends_with(".pem")) {
        let out = Command::new("openssl")
            .args(["pkey", "-pubin", "-noout", "-text", "-in", name])
            .current_dir(&dir)
            .output()
            .unwrap();
        assert!(text(&out.stdout).contains("ED25519 Public-Key"), "{name}: {}", text(&out.stderr));
        read += 1;
    }
    assert!(read >= 4);
}

#[test]
fn aosctl_itself_verifies_each_form() {
    let w = copy();
    let place = w.place();
    exported(&place, "dir", &[]);
    exported(&place, "file.tar", &[]);
    exported(&place, "none", &["--payloads", "none"]);
    exported(&place, "some", &["--payloads", "grant"]);
    let pack = ["audit", "pack", "--since", "2026-11-21", "--until", "2026-11-21T09:59:30Z", "-o", "p.zip"];
    let done = aosctl(&place, &pack).output().unwrap();
    assert_eq!(code(&done), 0, "{}", text(&done.stderr));
    let key = vkey(&place);
    // Without payloads not everything can be checked.
    for (name, exit) in [("dir", 0), ("file.tar", 0), ("p.zip", 0), ("none", 1), ("some", 1)] {
        let done = aosctl(&place, &["audit", "verify", "--bundle", name, "--vkey", &key]).output().unwrap();
        assert_eq!(code(&done), exit, "{name}: {}{}", text(&done.stdout), text(&done.stderr));
    }
}
