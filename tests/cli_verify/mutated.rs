//! Bundles that somebody changed. Each gets the verdict that the change deserves, the same as from the verifier of the
//! format, which holds everything in memory.

use std::io::BufReader;

use aosctl::log::key::PublicKey;
use aosctl::log::verdict::{Check, Report};
use aosctl::log::verify::{Bundle, Trust, verify_bundle as verify_format};
use aosctl::workspace::{BundleFiles, BundleOptions, Outside, Verification, verify_bundle};

use crate::bundle::{Files, audit, json, nowhere, stage, status, text, verdict, write_dir};
use crate::world::{Cast, now};

/// Through the library, from memory.
pub fn verified(files: &[(String, Vec<u8>)], f: &Files) -> Verification {
    let get = |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, b)| b.clone());
    let open = |bytes: Vec<u8>| -> Box<dyn std::io::BufRead> { Box::new(BufReader::new(std::io::Cursor::new(bytes))) };
    let some = get("payloads-some.jsonl").is_some();
    let bundle = BundleFiles {
        entries: open(get("entries.jsonl").unwrap()),
        payloads: get("payloads.jsonl").or(get("payloads-some.jsonl")).map(open),
        some,
        checkpoint: get("checkpoint"),
    };
    let options = BundleOptions { vkey: f.vkey.clone(), threads: Some(2), outside: Outside::default() };
    verify_bundle(bundle, &options, now(), &mut |_, _| {}).unwrap()
}

/// By the verifier of the format alone, with everybody's keys.
fn by_format(files: &[(String, Vec<u8>)], f: &Files) -> Report {
    let get = |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, b)| &b[..]);
    let entries = get("entries.jsonl").unwrap();
    let bundle = Bundle { entries, payloads: get("payloads.jsonl"), checkpoint: get("checkpoint") };
    let keys = |actor: &str, _: u64| {
        let known = ["op-1", "op-2", "op-3", "ag-1", "ag-2", "ag-3", "ag-4", "log"];
        let name = known.iter().find(|n| Cast::actor(n) == actor)?;
        Some(PublicKey(stage().cast.signer(name).public()))
    };
    verify_format(&bundle, &Trust { vkey: &f.vkey, pin: None, witnesses: None }, keys)
}

struct Case {
    name: &'static str,
    files: Vec<(String, Vec<u8>)>,
    /// What must fail, with the first bad seq.
    fails: Vec<(Check, Option<u64>)>,
}

fn case(name: &'static str, fails: &[(Check, Option<u64>)], change: impl FnOnce(&mut Files)) -> Case {
    let mut f = Files::base();
    change(&mut f);
    Case { name, files: f.files(), fails: fails.to_vec() }
}

/// As [`case`], where the files themselves are changed.
fn raw(name: &'static str, fails: &[(Check, Option<u64>)], file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Case {
    let mut files = Files::base().files();
    change(&mut files.iter_mut().find(|(n, _)| n == file).unwrap().1);
    Case { name, files, fails: fails.to_vec() }
}

fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    *bytes = text.replacen(from, to, 1).into_bytes();
}

fn cases() -> Vec<Case> {
    use Check::*;
    let n = Files::base().entries.len();
    let end = Some(u64::try_from(n).unwrap());
    let last = Some(u64::try_from(n - 1).unwrap());
    let mut all = vec![
        case("entry-dropped", &[(Chain, Some(5)), (TreeRoot, last), (Commitments, Some(5))], |f| {
            drop(f.entries.remove(5))
        }),
        case("entry-twice", &[(Chain, Some(6)), (TreeRoot, None)], |f| f.entries.insert(6, f.entries[5].clone())),
        case("entries-swapped", &[(Chain, Some(5)), (TreeRoot, None)], |f| f.entries.swap(5, 6)),
        case("first-dropped", &[(Chain, Some(0)), (Authority, Some(0))], |f| drop(f.entries.remove(0))),
        case("last-dropped", &[(TreeRoot, last)], |f| drop(f.entries.pop())),
        case(
            "entry-is-noise",
            &[
                (CanonicalForm, Some(4)),
                (Signatures, Some(4)),
                (Chain, Some(4)),
                (Commitments, Some(4)),
                (Authority, Some(4)),
            ],
            |f| f.entries[4] = b"\xff\xfe".to_vec(),
        ),
        case(
            "entry-of-two-megabytes",
            &[
                (CanonicalForm, Some(4)),
                (Signatures, Some(4)),
                (Chain, Some(4)),
                (TreeRoot, None),
                (Commitments, Some(4)),
                (Authority, Some(4)),
            ],
            |f| f.entries[4] = vec![b'a'; 2 << 20],
        ),
        case("entry-is-empty", &[(CanonicalForm, Some(4)), (Authority, Some(4))], |f| f.entries[4].clear()),
        case("entry-with-space", &[(CanonicalForm, Some(7)), (Chain, Some(8)), (TreeRoot, None)], |f| {
            f.entries[7].insert(1, b' ')
        }),
        case("entry-with-a-member-more", &[(CanonicalForm, Some(7))], |f| {
            replace(&mut f.entries[7], "{\"payload\"", "{\"a\":1,\"payload\"")
        }),
        case("entry-with-a-name-twice", &[(CanonicalForm, Some(7))], |f| {
            replace(&mut f.entries[7], "{\"payload\"", "{\"payload\":\"\",\"payload\"")
        }),
        case("signature-flipped", &[(Signatures, Some(3)), (Authority, Some(3)), (Chain, Some(4))], |f| {
            let text = String::from_utf8(f.entries[3].clone()).unwrap();
            let at = text.find("\"sig\":\"").unwrap() + 9;
            f.entries[3][at] = if f.entries[3][at] == b'A' { b'B' } else { b'A' };
        }),
        case("signature-of-another", &[(Signatures, Some(3))], |f| {
            let sig =
                |e: &[u8]| String::from_utf8(e.to_vec()).unwrap().split("\"sig\":\"").nth(1).unwrap()[..88].to_owned();
            let (mine, other) = (sig(&f.entries[3]), sig(&f.entries[2]));
            replace(&mut f.entries[3], &mine, &other);
        }),
        case("no-entries", &[(Authority, Some(0)), (TreeRoot, Some(0)), (Commitments, None)], |f| f.entries.clear()),
        case("no-checkpoint", &[(TreeRoot, None)], |f| f.checkpoint = None),
        case("checkpoint-of-noise", &[(TreeRoot, None)], |f| f.checkpoint = Some(b"x\n\ny\n".to_vec())),
        case("checkpoint-is-empty", &[(TreeRoot, None)], |f| f.checkpoint = Some(Vec::new())),
        case("checkpoint-of-fewer", &[(TreeRoot, Some(9))], |f| f.checkpoint = Some(f.note(9))),
        case("checkpoint-edited", &[(TreeRoot, None)], |f| {
            let (from, to) = (format!("\n{n}\n"), format!("\n{}\n", n - 1));
            replace(f.checkpoint.as_mut().unwrap(), &from, &to);
        }),
        case("checkpoint-is-huge", &[(TreeRoot, None)], |f| f.checkpoint = Some(vec![b'a'; 200_000])),
        case("payload-missing", &[(Commitments, Some(6))], |f| drop(f.payloads.as_mut().unwrap().remove(6))),
        case("payload-twice", &[(Commitments, Some(6))], |f| {
            let p = f.payloads.as_mut().unwrap();
            p.push(p[6].clone());
        }),
        case("payloads-swapped", &[(Commitments, Some(6))], |f| {
            let p = f.payloads.as_mut().unwrap();
            replace(&mut p[6], "\"seq\":6}", "\"seq\":7}");
            replace(&mut p[7], "\"seq\":7}", "\"seq\":6}");
        }),
        case("payload-of-no-entry", &[(Commitments, None)], |f| {
            let p = f.payloads.as_mut().unwrap();
            let mut more = p[6].clone();
            replace(&mut more, "\"seq\":6}", "\"seq\":9007199254740991}");
            p.insert(0, more);
        }),
        case("payload-is-noise", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6] = b"noise".to_vec()
        }),
        case("payload-is-cut-but-has-its-end", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6] = b"{\"body\":{},\"salts\":{,\"seq\":6}".to_vec();
        }),
        case("noise-that-says-6-before-the-true-one", &[(CanonicalForm, None)], |f| {
            f.payloads.as_mut().unwrap().insert(0, b"{\"body\":{},\"salts\":{,\"seq\":6}".to_vec());
        }),
        case("noise-that-says-6-behind-the-true-one", &[(CanonicalForm, None)], |f| {
            f.payloads.as_mut().unwrap().push(b"\xff,\"seq\":6}".to_vec());
        }),
        case("noise-of-no-entry", &[(CanonicalForm, None)], |f| {
            f.payloads.as_mut().unwrap().push(b"noise,\"seq\":999999}".to_vec());
        }),
        case("no-record-but-a-seq", &[(CanonicalForm, Some(6)), (Commitments, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6] = b"{\"seq\":6}".to_vec();
        }),
        case("no-record-of-no-entry", &[(CanonicalForm, None), (Commitments, None)], |f| {
            f.payloads.as_mut().unwrap().push(b"{\"seq\":999999}".to_vec());
        }),
        case("payload-with-space", &[(CanonicalForm, Some(6)), (Authority, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6].insert(1, b' ');
        }),
        case("payload-with-space-before-its-seq", &[(CanonicalForm, Some(6))], |f| {
            replace(&mut f.payloads.as_mut().unwrap()[6], "\"seq\":6}", "\"seq\": 6}");
        }),
        case("payload-with-seq-first", &[(CanonicalForm, Some(6))], |f| {
            let line = &mut f.payloads.as_mut().unwrap()[6];
            replace(line, ",\"seq\":6}", "}");
            replace(line, "{\"body\"", "{\"seq\":6,\"body\"");
        }),
        case("payload-with-seq-twice", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            replace(&mut f.payloads.as_mut().unwrap()[6], ",\"seq\":6}", ",\"seq\":6,\"seq\":6}");
        }),
        case("payload-with-a-seq-of-zeros", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            replace(&mut f.payloads.as_mut().unwrap()[6], ",\"seq\":6}", ",\"seq\":06}");
        }),
        case("payload-with-a-negative-seq", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            replace(&mut f.payloads.as_mut().unwrap()[6], ",\"seq\":6}", ",\"seq\":-6}");
        }),
        case("payload-with-a-seq-too-large", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            replace(&mut f.payloads.as_mut().unwrap()[6], ",\"seq\":6}", ",\"seq\":9007199254740992}");
        }),
        case("payload-without-salts", &[(CanonicalForm, Some(6)), (Commitments, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6] = b"{\"body\":{},\"seq\":6}".to_vec();
        }),
        case("salt-edited", &[(Commitments, Some(6)), (Authority, Some(6))], |f| {
            let line = &mut f.payloads.as_mut().unwrap()[6];
            let at = String::from_utf8(line.clone()).unwrap().find("\"salts\":{").unwrap();
            let at = at + 9 + String::from_utf8(line[at + 9..].to_vec()).unwrap().find(":\"").unwrap() + 2;
            line[at] = if line[at] == b'0' { b'1' } else { b'0' };
        }),
        case("payload-in-nul-bytes", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6] = vec![0; 100];
        }),
        case("payload-of-depth", &[(CanonicalForm, None), (Commitments, Some(6))], |f| {
            f.payloads.as_mut().unwrap()[6] = [b"[".repeat(5_000), b",\"seq\":6}".to_vec()].concat();
        }),
        case("no-payloads-at-all", &[(Commitments, Some(0)), (Authority, Some(0))], |f| f.payloads = Some(Vec::new())),
        raw("entries-without-an-end", &[(CanonicalForm, last)], "entries.jsonl", |b| b.truncate(b.len() - 1)),
        raw(
            "entries-with-an-empty-line",
            &[(CanonicalForm, end), (Chain, end), (TreeRoot, end)],
            "entries.jsonl",
            |b| b.push(b'\n'),
        ),
        raw("entries-with-carriage-returns", &[(CanonicalForm, Some(0)), (Chain, Some(1))], "entries.jsonl", |b| {
            *b = String::from_utf8(b.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        }),
        raw("payloads-without-an-end", &[(CanonicalForm, last)], "payloads.jsonl", |b| b.truncate(b.len() - 1)),
        raw("payloads-with-an-empty-line", &[(CanonicalForm, None)], "payloads.jsonl", |b| b.push(b'\n')),
        raw(
            "payloads-with-a-byte-order-mark",
            &[(CanonicalForm, None), (Commitments, Some(0))],
            "payloads.jsonl",
            |b| {
                b.splice(0..0, *b"\xef\xbb\xbf");
            },
        ),
        raw("payloads-end-in-half-a-line", &[(CanonicalForm, None)], "payloads.jsonl", |b| b.truncate(b.len() - 9)),
    ];
    // Erasures: one more than was told of, one less, and a claim that nobody may make.
    let erased = Files::base()
        .payloads
        .unwrap()
        .iter()
        .position(|l| String::from_utf8_lossy(l).contains("\"erased\":{"))
        .unwrap();
    let seq = Some(u64::try_from(erased).unwrap());
    all.push(case("erased-field-edited", &[(Commitments, seq)], |f| {
        let line = &mut f.payloads.as_mut().unwrap()[erased];
        let at = String::from_utf8(line.clone()).unwrap().find("\"erased\":{\"summary\":\"").unwrap() + 21;
        line[at] = if line[at] == b'0' { b'1' } else { b'0' };
    }));
    all
}

#[test]
fn every_change_has_its_verdict() {
    let cases = cases();
    let mut wrong = Vec::new();
    for c in &cases {
        let f = Files::base();
        write_dir(c.name, &c.files, &f.vkey);
        let found = verified(&c.files, &f).report;
        for (check, seq) in &c.fails {
            let v = found.get(*check).unwrap();
            if v.status.words() != "failed" || v.first_bad_seq != *seq {
                wrong.push(format!("{}: {check:?} at {seq:?}, found {v:?}", c.name));
            }
        }
        // Whoever signed the entries is known to the other one; so it sees what it would see in a log of valid entries.
        let format = by_format(&c.files, &f);
        for check in [Check::CanonicalForm, Check::Chain, Check::TreeRoot] {
            let (ours, theirs) = (found.get(check).unwrap(), format.get(check).unwrap());
            if (ours.status, ours.first_bad_seq, ours.reason) != (theirs.status, theirs.first_bad_seq, theirs.reason) {
                wrong.push(format!("{}: {ours:?}, by the format {theirs:?}", c.name));
            }
        }
        for check in [Check::Signatures, Check::Commitments] {
            let (ours, theirs) = (found.get(check).unwrap(), format.get(check).unwrap());
            let before = ours.first_bad_seq.unwrap_or(u64::MAX) <= theirs.first_bad_seq.unwrap_or(u64::MAX);
            if theirs.status.words() == "failed" && (ours.status != theirs.status || !before) {
                wrong.push(format!("{}: {ours:?}, by the format {theirs:?}", c.name));
            }
        }
    }
    assert!(cases.len() >= 50, "{}", cases.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_whole_one_verifies_without_a_workspace() {
    let f = Files::base();
    let dir = f.write("whole");
    let out = nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &f.vkey(), "--json"]);
    let (code, v) = json(&out);
    assert_eq!((code, v["verified"].as_bool()), (0, Some(true)), "{}", text(&out));
    for check in ["canonical_form", "signatures", "chain", "tree_root", "commitments", "authority"] {
        assert_eq!(status(&v, check), "ok", "{check}");
    }
    assert_eq!(status(&v, "projections"), "not checked");
    assert_eq!(verdict(&v, "unanchored_tail"), ("reported".into(), Some(0), "unanchored".into()));
    assert_eq!(v["payloads"], "all");
    assert_eq!(v["entries"].as_u64().unwrap(), u64::try_from(f.entries.len()).unwrap());
    // The same bytes, and the same page, wherever it lies and whichever way its payloads are sorted.
    let mut sorted = f.clone();
    sorted.payloads.as_mut().unwrap().reverse();
    let dir = sorted.write("whole-backwards");
    let again = nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &f.vkey(), "--json"]);
    assert_eq!(out.stdout, again.stdout);
    let page = nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &f.vkey()]);
    let said = String::from_utf8(page.stdout).unwrap();
    assert!(said.lines().all(|l| l.chars().count() <= 80), "{said}");
    assert!(said.contains("\nverified: "), "{said}");
}

/// What `audit export` writes, as it comes.
#[test]
fn what_was_exported_verifies() {
    let w = stage().copy();
    let vkey = Files::base().vkey();
    let dir = tempfile::tempdir().unwrap();
    for (name, more, code, payloads) in [
        ("exported", &[][..], 0, "all"),
        ("exported.tar", &[], 0, "all"),
        ("exported-none.tar", &["--payloads", "none"], 1, "none"),
        ("exported-some.tar", &["--payloads", "policy.adopted,grant"], 1, "some"),
    ] {
        let path = dir.path().join(name);
        let out = audit(&w, &[&["export", "-o", path.to_str().unwrap()], more].concat());
        assert!(out.status.success(), "{name}: {}", text(&out));
        let (found, v) = json(&nowhere(&["--bundle", path.to_str().unwrap(), "--vkey", &vkey, "--json"]));
        assert_eq!(
            (found, v["payloads"].as_str(), v["verified"].as_bool()),
            (code, Some(payloads), Some(code == 0)),
            "{name}"
        );
        assert_eq!(status(&v, "tree_root"), "ok", "{name}");
    }
}

#[test]
fn without_payloads_what_is_left_is_checked() {
    let mut f = Files::base();
    f.payloads = None;
    let dir = f.write("no-payloads");
    let (code, v) = json(&nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &f.vkey(), "--json"]));
    assert_eq!((code, v["payloads"].as_str()), (1, Some("none")));
    for check in ["signatures", "commitments", "authority", "projections"] {
        assert_eq!(status(&v, check), "not checked", "{check}");
    }
    for check in ["canonical_form", "chain", "tree_root"] {
        assert_eq!(status(&v, check), "ok", "{check}");
    }
    // What the log itself signed can be verified all the same.
    let by_log = f.entries.iter().position(|e| {
        let outer: serde_json::Value = serde_json::from_slice(e).unwrap();
        let inner = data_encoding::BASE64.decode(outer["payload"].as_str().unwrap().as_bytes()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&inner).unwrap()["actor"] == "log"
    });
    if let Some(place) = by_log {
        let text = String::from_utf8(f.entries[place].clone()).unwrap();
        let at = text.find("\"sig\":\"").unwrap() + 9;
        f.entries[place][at] = if f.entries[place][at] == b'A' { b'B' } else { b'A' };
        let v = verified(&f.clone().sealed().files(), &f);
        let place = u64::try_from(place).unwrap();
        assert_eq!(v.report.get(Check::Signatures).unwrap().first_bad_seq, Some(place));
    }
    // An entry that cannot be read commits to nothing and has no authority, payloads or not.
    let mut f = Files::base();
    f.payloads = None;
    f.entries[4] = b"{}".to_vec();
    let dir = f.write("no-payloads-and-noise");
    let (code, v) = json(&nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &f.vkey(), "--json"]));
    assert_eq!(code, 4);
    for check in ["canonical_form", "signatures", "chain", "commitments", "authority"] {
        assert_eq!(verdict(&v, check).1, Some(4), "{check}");
    }
}

#[test]
fn some_payloads_must_be_what_was_committed_to() {
    let mut f = Files::base();
    f.some = true;
    let all = f.payloads.take().unwrap();
    f.payloads = Some(vec![all[9].clone(), all[3].clone()]);
    let dir = f.write("some-payloads");
    let (code, v) = json(&nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &f.vkey(), "--json"]));
    assert_eq!((code, v["payloads"].as_str()), (1, Some("some")));
    for check in ["signatures", "commitments", "authority"] {
        assert_eq!(status(&v, check), "not checked", "{check}");
    }
    let mut other = all[3].clone();
    replace(&mut other, "\"seq\":3}", "\"seq\":9}");
    for (name, lines, check, seq) in [
        ("some-other", vec![other], Check::Commitments, Some(9)),
        ("some-twice", vec![all[3].clone(), all[3].clone()], Check::Commitments, Some(3)),
        ("some-noise", vec![b"noise".to_vec()], Check::CanonicalForm, None),
    ] {
        f.payloads = Some(lines);
        f.write(name);
        let v = verified(&f.files(), &f);
        let found = v.report.get(check).unwrap();
        assert_eq!((found.status.words(), found.first_bad_seq), ("failed", seq), "{name}");
    }
}

#[test]
fn the_trusted_key_decides() {
    use aosctl::identity::Signer;
    use aosctl::log::checkpoint::VerifierKey;
    let f = Files::base();
    let dir = f.write("whole-for-keys");
    let stranger = PublicKey(Signer::from_seed(&[90; 32]).public());
    // The right name with another key, and the key of another log.
    for (vkey, chain) in [
        (VerifierKey::for_log(&f.vkey.name, &stranger), "ok"),
        (VerifierKey::for_log("aosctl/00000000000000000000000000000000", &stranger), "failed"),
    ] {
        let (code, v) = json(&nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &vkey.to_string(), "--json"]));
        assert_eq!(code, 4);
        assert_eq!((verdict(&v, "authority").0, verdict(&v, "authority").1), ("failed".into(), Some(0)));
        assert_eq!(status(&v, "tree_root"), "failed");
        assert_eq!(status(&v, "chain"), chain);
    }
    // No key, the key of a witness, no key at all in the text.
    let witness = VerifierKey::for_witness("w", &stranger).to_string();
    for args in [vec![], vec!["--vkey", witness.as_str()], vec!["--vkey", "aosctl"]] {
        let out = nowhere(&[&["--bundle", dir.to_str().unwrap()], &args[..]].concat());
        assert_eq!(out.status.code(), Some(2), "{args:?}: {}", text(&out));
    }
}
