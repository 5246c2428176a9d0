//! `audit pack`: the zip, its page, its samples and its receipts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use aosctl::domain::event::*;
use aosctl::domain::id::Id;
use aosctl::domain::time::Span;
use aosctl::log::checkpoint::VerifierKey;
use aosctl::log::receipt::Receipt;
use aosctl::workspace::Place;
use serde_json::Value;

use crate::review_world::{self, id};
use crate::support::{code, text};
use crate::{aosctl, copy, exported, files, has, keep, out, vkey};

fn packed(place: &Place, name: &str, since: &str, until: &str, exit: i32) -> (PathBuf, Value) {
    let done =
        aosctl(place, &["--json", "audit", "pack", "--since", since, "--until", until, "-o", name]).output().unwrap();
    assert_eq!(code(&done), exit, "{}{}", text(&done.stdout), text(&done.stderr));
    (out(place, name), serde_json::from_slice(&done.stdout).unwrap())
}

/// Taken out by another program.
fn unzipped(place: &Place, zip: &Path, to: &str) -> Option<PathBuf> {
    if !has("unzip") {
        return None;
    }
    let to = out(place, to);
    let test = Command::new("unzip").arg("-tq").arg(zip).output().unwrap();
    assert!(test.status.success(), "{}{}", text(&test.stdout), text(&test.stderr));
    let done = Command::new("unzip").arg("-q").arg(zip).arg("-d").arg(&to).status().unwrap();
    assert!(done.success());
    Some(to)
}

/// A CSV as a spreadsheet reads it.
fn rows(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv);
    let head = reader.headers().unwrap().clone();
    reader.records().map(|r| head.iter().map(String::from).zip(r.unwrap().iter().map(String::from)).collect()).collect()
}

/// A company with half a year behind it, in which hostile things were written.
fn lived() -> review_world::World {
    let w = review_world::World::new();
    let hostile = "=cmd|'/c calc'!A1 <script>alert(1)</script> \u{202e}gnp";
    w.sign(w.before(2), GrantRevoked { grant: id(review_world::UNUSED), reason: Some(hostile.into()) });
    let key = id(review_world::OLD_KEY);
    let rotated = w.before(2);
    w.sign(
        w.before(2),
        RotationRecorded {
            key,
            rotated,
            place: None,
            provider_id: None,
            last4: None,
            fingerprint: None,
            expires: None,
            note: Some("-1+1".into()),
        },
    );
    let key = id(review_world::KEY);
    w.sign(w.before(1), KeyLeaked { key, revoked: vec![], frozen: vec![], reason: Some("a gist".into()) });
    w.sign(w.before(1), EntryCorrected { seq: 3, note: Some("typed wrong".into()) });
    w.sign(w.before(1), WorkspaceFrozen { target: Id::WORKSPACE, reason: None });
    w.sign(w.before(1), WorkspaceThawed { target: Id::WORKSPACE, reason: None });
    w
}

fn place(w: &review_world::World) -> Place {
    Place { dir: w.bench.workspace(), state: w.bench.path("state") }
}

#[test]
fn a_period_is_told_with_the_entry_of_each_line() {
    let w = lived();
    let place = place(&w);
    let (since, until) = (w.before(70).to_string(), w.end.to_string());
    let (zip, said) = packed(&place, "h1.zip", &since, &until, 0);
    assert_eq!(said["schema"], "aosctl.audit-pack/v1");
    assert_eq!(said["verified"], true, "{said:#}");
    let lines: BTreeMap<&str, u64> = said["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["kind"].as_str().unwrap(), l["lines"].as_u64().unwrap()))
        .collect();
    assert_eq!((lines["leaks"], lines["rotations"], lines["freezes"], lines["record"]), (1, 1, 2, 1), "{lines:?}");
    assert!(lines["review-decisions"] == 12 && lines["grants"] >= 2, "{lines:?}");
    // Last month's review was signed on the fifth day; this month's is not due yet; the one before both is missing.
    let review = |month: &str| {
        let all = said["reviews"].as_array().unwrap();
        all.iter().find(|r| r["month"] == month).unwrap_or_else(|| panic!("no {month}: {said:#}"))["state"].clone()
    };
    assert_eq!(review(&w.month.to_string()), "not_due");
    assert!(["in_time", "late"].contains(&review(&w.month.before().to_string()).as_str().unwrap()));
    assert_eq!(review(&w.month.before().before().to_string()), "missing");

    let Some(dir) = unzipped(&place, &zip, "h1") else { return };
    let found = files(&dir);
    let names: Vec<&String> = found.keys().collect();
    for name in ["README.txt", "index.html", "bundle/entries.jsonl", "bundle/payloads.jsonl", "samples/grants.csv"] {
        assert!(found.contains_key(name), "{names:?}");
    }
    // Each line's receipt proves its entry, under the bundle's own checkpoint.
    let key = VerifierKey::parse(&vkey(&place)).unwrap();
    let mut checked = 0;
    for (name, csv) in found.iter().filter(|(n, _)| n.starts_with("samples/")) {
        for row in rows(csv) {
            let receipt = Receipt::parse(&found[&row["receipt"]]).unwrap();
            let shown = receipt.verify(&key).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(shown.envelope.header.seq.to_string(), row["seq"]);
            assert_eq!(shown.envelope.leaf_hash().to_hex(), row["leaf"]);
            assert_eq!(shown.envelope.header.at, row["signed_at"]);
            assert_eq!(receipt.checkpoint.as_bytes(), found["bundle/checkpoint"]);
            checked += 1;
        }
    }
    let receipts = names.iter().filter(|n| n.starts_with("receipts/")).count() as u64;
    assert_eq!(receipts, said["receipts"].as_u64().unwrap());
    assert!(checked >= 20, "{checked}");
    // The bundle in it is the bundle of that moment.
    let bundle = exported(&place, "bundle", &["--until", &until]);
    for (name, bytes) in files(&bundle) {
        assert_eq!(found[&format!("bundle/{name}")], bytes, "{name}");
    }
    keep(&place, &dir.join("bundle"), "pack-bundle");
}

#[test]
fn every_command_of_its_readme_works() {
    use crate::readme::{blocks, python, typed};
    let w = lived();
    let place = place(&w);
    let (zip, _) = packed(&place, "r.zip", &w.before(30).to_string(), &w.end.to_string(), 0);
    let Some(dir) = unzipped(&place, &zip, "r") else { return };
    let page = text(&files(&dir)["README.txt"]);
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
    let blocks = blocks(&page);
    assert_eq!(blocks.len(), 3, "{blocks:#?}");
    for line in blocks[0].lines() {
        if line.starts_with("aosctl") || python() {
            let done = typed(line, &dir, &vkey(&place));
            assert_eq!(code(&done), 0, "{line}: {}{}", text(&done.stdout), text(&done.stderr));
        }
    }
    let done = typed(&format!("{}{}", blocks[1], blocks[2]), &dir, &vkey(&place));
    assert_eq!(code(&done), 0, "{}{}", text(&done.stdout), text(&done.stderr));
    assert!(text(&done.stdout).ends_with("in\n"), "{}", text(&done.stdout));
}

#[test]
fn hostile_words_stay_words() {
    let w = lived();
    let place = place(&w);
    let (zip, _) = packed(&place, "h.zip", &w.before(30).to_string(), &w.end.to_string(), 0);
    let Some(dir) = unzipped(&place, &zip, "h") else { return };
    let found = files(&dir);
    let page = text(&found["index.html"]);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "a script");
    assert!(!page.contains('\u{202e}'));
    assert!(page.contains("OPEN: next is ") && page.contains("days late"), "{page}");
    assert!(page.contains("default-src 'none'"));
    let grants = rows(&found["samples/grants.csv"]);
    let revoked = grants.iter().find(|r| r["change"] == "revoked").unwrap();
    assert!(revoked["reason"].starts_with("'=cmd"), "{revoked:?}");
    let rotations = rows(&found["samples/rotations.csv"]);
    assert_eq!(rotations[0]["note"], "'-1+1");
    assert!(rotations[0]["days_late"].parse::<u64>().unwrap() > 0, "{rotations:?}");
}

#[test]
fn the_same_state_gives_the_same_zip_and_nothing_is_replaced() {
    let w = copy();
    let place = w.place();
    let (since, until) = ("2026-11-21", "2026-11-21T09:59:30Z");
    let (one, said) = packed(&place, "one.zip", since, until, 0);
    let (two, _) = packed(&place, "two.zip", since, until, 0);
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let approvals = said["lines"].as_array().unwrap().iter().find(|l| l["kind"] == "approvals").unwrap();
    assert!(approvals["lines"].as_u64().unwrap() >= 5, "{said:#}");
    let again =
        aosctl(&place, &["audit", "pack", "--since", since, "--until", until, "-o", "one.zip"]).output().unwrap();
    assert_eq!(code(&again), 3);
    assert!(text(&again.stderr).contains("already exists"), "{}", text(&again.stderr));
    let page =
        aosctl(&place, &["audit", "pack", "--since", since, "--until", until, "-o", "x.zip", "-n"]).output().unwrap();
    assert!(!out(&place, "x.zip").exists() && text(&page.stdout).contains("would write"));
    assert!(text(&page.stdout).lines().all(|l| l.chars().count() <= 80), "{}", text(&page.stdout));
    let listed = aosctl::evidence::export::handed_out(&w.open());
    assert_eq!(listed.iter().filter(|h| h.form == "zip" && h.payloads == "all").count(), 2);
    if has("python3") {
        // Stored, sorted, from 1980, for everybody to read; and every sum is right.
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
i = z.infolist(); n = [x.filename for x in i]; assert n == sorted(n), n
assert all(x.compress_type == 0 and x.date_time == (1980, 1, 1, 0, 0, 0) and x.external_attr >> 16 == 0o100644 for x in i)";
        let done = Command::new("python3").args(["-c", script]).arg(&one).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    for (args, exit, what) in [
        (&["--since", "2026-11-01", "--until", "2026-12-31", "-o", "y.zip"][..], 1, "lies in the future"),
        (&["--since", "2026-11-01", "--until", "2026-11-02"], 2, "say where the zip goes"),
        (&["--since", "2026-11-01", "--until", "2026-11-02", "-o", "y.tar"], 2, "say where the zip goes"),
        (&["--since", "2026-11-03", "--until", "2026-11-02", "-o", "y.zip"], 2, "lies at or after"),
        (&["--since", "2026-11-01", "--until", "2026-11-02", "-o", "y.zip"], 1, "no entry before"),
    ] {
        let done = aosctl(&place, &[&["audit", "pack"], args].concat()).output().unwrap();
        assert_eq!(code(&done), exit, "{args:?}: {}", text(&done.stderr));
        assert!(text(&done.stderr).contains(what), "{args:?}: {}", text(&done.stderr));
    }
}

#[test]
fn what_does_not_verify_is_said_on_the_page() {
    let w = lived();
    let place = place(&w);
    let seq = w.size() - 3;
    crate::support::sql(
        &place.database(),
        &format!(
            "DROP TRIGGER payloads_keep_1;
             UPDATE payloads SET record = CAST(replace(record, 'typed', 'tiped') AS BLOB) WHERE seq = {seq}"
        ),
    );
    let (zip, said) = packed(&place, "bad.zip", &w.before(30).to_string(), &w.end.to_string(), 4);
    assert_eq!(said["verified"], false);
    let problems = said["problems"].to_string();
    assert!(problems.contains(&format!("commitments: failed, first bad entry {seq}")), "{problems}");
    let Some(dir) = unzipped(&place, &zip, "bad") else { return };
    let page = text(&files(&dir)["index.html"]);
    assert!(page.contains("entry.corrected/1: payload_missing; it does not count"), "{page}");
    assert!(!page.contains("tiped"), "a line rests on what does not verify");
}

#[test]
fn a_period_before_a_span_is_read_as_elsewhere() {
    let w = lived();
    let place = place(&w);
    // `90d` is so long ago, as everywhere.
    let until = review_world::now().minus(Span::days(40)).to_string();
    let done = aosctl(&place, &["--json", "audit", "pack", "--since", "90d", "--until", &until, "-o", "z.zip", "-n"]);
    let done = { done }.output().unwrap();
    assert_eq!(code(&done), 0, "{}", text(&done.stderr));
}
