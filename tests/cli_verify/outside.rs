//! Checkpoints that were kept elsewhere, and witnesses.

use aosctl::domain::event::{WorkspaceFrozen, WorkspaceThawed};
use aosctl::domain::id::Id;
use aosctl::identity::Signer;
use aosctl::log::checkpoint::{Checkpoint, VerifierKey};
use aosctl::log::hash::Hash;
use aosctl::log::key::PublicKey;

use crate::bundle::{Files, at, calm, json, nowhere, page, stage, status, text, verdict};
use crate::world::{World, now};

/// 2026-11-21T10:00:00Z
const SECONDS: u64 = 1_795_255_200;

struct Witness {
    signer: Signer,
    key: VerifierKey,
}

fn witness(name: &str, seed: u8) -> Witness {
    let signer = Signer::from_seed(&[seed; 32]);
    let key = VerifierKey::for_witness(name, &PublicKey(signer.public()));
    Witness { signer, key }
}

impl Witness {
    /// The note with this witness's line at its end.
    fn sign(&self, note: &[u8], vkey: &VerifierKey) -> Vec<u8> {
        self.sign_at(SECONDS, note, vkey)
    }

    fn sign_at(&self, seconds: u64, note: &[u8], vkey: &VerifierKey) -> Vec<u8> {
        let (checkpoint, _) = Checkpoint::open(note, vkey).unwrap();
        let sig = self.signer.sign(&checkpoint.cosign_message(seconds));
        [note, format!("{}\n", self.key.cosignature_line(seconds, &sig)).as_bytes()].concat()
    }

    fn vkey(&self) -> String {
        self.key.to_string()
    }
}

fn freeze_and_thaw(w: &World) {
    let cast = &stage().cast;
    w.must(cast, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    w.must(cast, "op-1", now(), |_| WorkspaceThawed { target: Id::WORKSPACE, reason: None }.into());
}

fn pin(w: &World) -> Vec<u8> {
    std::fs::read(w.state().join("pin")).unwrap()
}

/// Files in a directory that goes.
struct Shelf(tempfile::TempDir);

impl Shelf {
    fn new() -> Shelf {
        Shelf(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

const PIN: &str = "pin_and_witnesses";

#[test]
fn a_checkpoint_kept_elsewhere_anchors_what_it_covers() {
    let w = stage().copy();
    let shelf = Shelf::new();
    let size = Files::base().entries.len() as u64;
    let kept = shelf.put("kept", &pin(&w));
    let (code, v) = json(&at(&w, &["--checkpoint", &kept, "--json"]));
    assert_eq!((code, status(&v, "unanchored_tail").as_str()), (0, "ok"));
    assert!(v["unanchored"].is_null());
    assert_eq!(v["checkpoints"][0]["size"], size);
    assert_eq!(v["checkpoints"][0]["holds"], true);
    // Two entries later: they are the tail, since the first of them was signed.
    freeze_and_thaw(&w);
    let (code, v) = json(&at(&w, &["--checkpoint", &kept, "--json"]));
    assert_eq!(code, 0);
    assert_eq!(verdict(&v, "unanchored_tail"), ("reported".into(), Some(size), "unanchored".into()));
    assert_eq!(v["unanchored"]["entries"], 2);
    assert_eq!(v["unanchored"]["from_seq"], size);
    assert_eq!(v["unanchored"]["since"], "2026-11-21T10:00:00.000Z");
    let page = page(&at(&w, &["--checkpoint", &kept]));
    assert!(page.contains("but lies on this disk, so it") && page.contains("holds: "), "{page}");
    // A tail that is longer than allowed is a finding, and no failure.
    for (most, code, level) in
        [("2", 0, calm()), ("1", 1, "AOSCTL AUDIT WARNING - "), ("0", 1, "AOSCTL AUDIT WARNING - ")]
    {
        let args = ["--checkpoint", &kept, "--max-unanchored", most];
        let out = at(&w, &args);
        assert_eq!(out.status.code(), Some(code), "{most}: {}", text(&out));
        let line = text(&at(&w, &[&args[..], &["--monitor"]].concat()));
        assert!(line.starts_with(level), "{line}");
        assert!(line.contains(" unanchored=2;;;0"), "{line}");
    }
    let (_, v) = json(&at(&w, &["--checkpoint", &kept, "--max-unanchored", "1", "--json"]));
    assert_eq!((v["verified"].as_bool(), v["findings"].as_array().unwrap().len()), (Some(true), 1));
    // Without any, all of it is the tail.
    let (_, v) = json(&at(&w, &["--json"]));
    assert_eq!((v["unanchored"]["entries"].as_u64(), v["pinned"].as_u64()), (Some(size + 2), Some(size + 2)));
    assert_eq!(at(&w, &["--max-unanchored", "3"]).status.code(), Some(1));
}

#[test]
fn a_log_that_does_not_continue_it_is_named() {
    let w = stage().copy();
    let old = w.copy();
    let forked = w.copy();
    let shelf = Shelf::new();
    let base = Files::base();
    let size = base.entries.len() as u64;
    freeze_and_thaw(&w);
    let newer = shelf.put("newer", &pin(&w));
    // Both database and pin of yesterday.
    let (code, v) = json(&at(&old, &["--checkpoint", &newer, "--json"]));
    assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), Some(size), "rolled_back".into())));
    assert_eq!(v["checkpoints"][0]["reason"], "rolled_back");
    // Another history of the same length, with a pin of its own.
    let cast = &stage().cast;
    forked.must(cast, "op-1", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    forked.must(cast, "op-1", now(), |_| WorkspaceThawed { target: Id::WORKSPACE, reason: None }.into());
    assert_eq!(at(&forked, &[]).status.code(), Some(0));
    let (code, v) = json(&at(&forked, &["--checkpoint", &newer, "--json"]));
    assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), None, "fork".into())));
    assert!(text(&at(&forked, &["--checkpoint", &newer])).contains("FORK"));
    // Several: the one that fails is found among those that hold.
    let older = shelf.put("older", &base.note(9));
    let (code, v) = json(&at(&forked, &["--checkpoint", &older, "--checkpoint", &newer, "--json"]));
    assert_eq!((code, verdict(&v, PIN).2), (4, "fork".into()));
    assert_eq!((&v["checkpoints"][0]["holds"], &v["checkpoints"][1]["holds"]), (&true.into(), &false.into()));
    assert_eq!(v["unanchored"]["from_seq"], 9);
    // Not the log's, not one at all, of another log.
    let stranger = Signer::from_seed(&[91; 32]);
    let unsigned = Checkpoint { origin: base.vkey.name.clone(), size: 3, root: Hash([1; 32]) }
        .sign(|m| stranger.sign(m), &PublicKey(stranger.public()));
    let other = Checkpoint { origin: "aosctl/00".into(), size: 3, root: Hash([1; 32]) }
        .sign(|m| stranger.sign(m), &PublicKey(stranger.public()));
    for (name, bytes, reason) in [
        ("unsigned", unsigned.as_bytes(), "note_unsigned"),
        ("other", other.as_bytes(), "other_log"),
        ("noise", b"noise", "note_no_blank_line"),
        ("empty", b"", "note_no_blank_line"),
    ] {
        let (code, v) = json(&at(&w, &["--checkpoint", &shelf.put(name, bytes), "--json"]));
        assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), None, reason.into())), "{name}");
    }
    // One that is not there is no verdict: nothing was compared.
    assert_eq!(at(&w, &["--checkpoint", "/nothing"]).status.code(), Some(3));
    assert_eq!(at(&w, &["--checkpoint", &shelf.put("huge", &vec![b'a'; 100_000])]).status.code(), Some(3));
}

#[test]
fn witnesses_anchor_what_they_signed() {
    let (a, b, c) = (witness("harbour", 92), witness("library", 93), witness("museum", 94));
    let w = stage().copy();
    let base = Files::base();
    let size = base.entries.len() as u64;
    let signed = b.sign(&a.sign(&pin(&w), &base.vkey), &base.vkey);
    std::fs::write(w.state().join("pin"), &signed).unwrap();
    let [va, vb, vc] = [a.vkey(), b.vkey(), c.vkey()];
    // In the pin of a workspace.
    let (code, v) = json(&at(&w, &["--witness", &va, "--witness", &vb, "--json"]));
    assert_eq!((code, status(&v, PIN).as_str(), status(&v, "unanchored_tail").as_str()), (0, "ok", "ok"));
    assert_eq!(v["witnesses"][0]["name"], "harbour");
    assert_eq!(v["witnesses"][0]["size"], size);
    assert_eq!(v["witnesses"][0]["at"], "2026-11-21T10:00:00.000Z");
    assert!(text(&at(&w, &["--witness", &va])).contains("witness harbour signed"));
    // Who did not sign is missing, unless so many are enough.
    let three = ["--witness", &va, "--witness", &vb, "--witness", &vc];
    let (code, v) = json(&at(&w, &[&three[..], &["--json"]].concat()));
    assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), None, "cosignature_missing".into())));
    assert_eq!(at(&w, &[&three[..], &["--quorum", "2"]].concat()).status.code(), Some(0));
    assert_eq!(at(&w, &[&three[..], &["--quorum", "3"]].concat()).status.code(), Some(4));
    // Those that make no sense.
    for args in [
        &[&three[..], &["--quorum", "4"]].concat()[..],
        &["--quorum", "1"],
        &["--witness", &va, "--quorum", "0"],
        &["--witness", &va, "--witness", &va],
        &["--witness", &base.vkey()],
        &["--witness", "noise"],
    ] {
        assert_eq!(at(&w, args).status.code(), Some(2), "{args:?}");
    }
    // In a bundle's checkpoint, and in one from outside while the bundle's has none.
    let shelf = Shelf::new();
    let kept = shelf.put("kept", &a.sign(&base.note(9), &base.vkey));
    let mut f = base.clone();
    let dir = f.write("whole-for-witnesses");
    let place = dir.to_str().unwrap();
    let vkey = f.vkey();
    let of =
        |place: &str, more: &[&str]| json(&nowhere(&[&["--bundle", place, "--vkey", &vkey, "--json"], more].concat()));
    assert_eq!(verdict(&of(place, &["--witness", &va]).1, PIN).2, "cosignature_missing");
    let (code, v) = of(place, &["--witness", &va, "--checkpoint", &kept]);
    assert_eq!((code, v["unanchored"]["from_seq"].as_u64()), (0, Some(9)));
    f.checkpoint = Some(signed.clone());
    let dir = f.write("witnessed");
    let place = dir.to_str().unwrap();
    let (code, v) = of(place, &["--witness", &va, "--witness", &vb]);
    assert_eq!((code, status(&v, PIN).as_str(), status(&v, "unanchored_tail").as_str()), (0, "ok", "ok"));
    // A line of a witness that does not hold is never overlooked, whatever the quorum.
    let text = String::from_utf8(signed).unwrap();
    let at_b = text.rfind(' ').unwrap() + 40;
    let mut bad = text.into_bytes();
    bad[at_b] = if bad[at_b] == b'A' { b'B' } else { b'A' };
    f.checkpoint = Some(bad);
    let dir = f.write("witness-line-broken");
    let (code, v) = of(dir.to_str().unwrap(), &["--witness", &va, "--witness", &vb, "--quorum", "1"]);
    assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), None, "cosignature_signature".into())));
    // Nobody asked for it: then it says nothing.
    assert_eq!(of(dir.to_str().unwrap(), &["--witness", &va]).0, 0);
}

/// Whoever holds the log's identity could sign as such a witness, too.
#[test]
fn a_log_is_no_witness_of_itself() {
    let base = Files::base();
    let log = &stage().cast.log;
    let key = VerifierKey::for_witness("harbour", &PublicKey(log.public()));
    let (checkpoint, _) = Checkpoint::open(base.checkpoint.as_ref().unwrap(), &base.vkey).unwrap();
    let line = key.cosignature_line(SECONDS, &log.sign(&checkpoint.cosign_message(SECONDS)));
    let shelf = Shelf::new();
    let kept = [base.checkpoint.as_ref().unwrap(), format!("{line}\n").as_bytes()].concat();
    let kept = shelf.put("kept", &kept);
    let args = ["--checkpoint", &kept, "--witness", &key.to_string()];
    let dir = base.write("own-witness");
    let out = nowhere(&[&["--bundle", dir.to_str().unwrap(), "--vkey", &base.vkey()], &args[..]].concat());
    assert_eq!(out.status.code(), Some(2), "{}", text(&out));
    // In a workspace, whose key need not be given.
    let (code, v) = json(&at(&stage().copy(), &[&args[..], &["--json"]].concat()));
    assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), None, "cosignature_missing".into())));
    assert_eq!(v["witnesses"][0]["size"], serde_json::Value::Null);
}

#[test]
fn a_witness_whose_clock_stood_wrong_is_not_hidden() {
    let a = witness("harbour", 92);
    let base = Files::base();
    let shelf = Shelf::new();
    let dir = base.write("witnessed-some-day");
    let size = base.entries.len();
    for (seconds, said) in [
        (SECONDS, format!("witness harbour signed {size} entries at 2026-11-21T10:00:00.000Z verified")),
        (
            4_000_000_000,
            format!("witness harbour signed {size} entries at 2096-10-02T07:06:40.000Z, ahead of this machine's clock"),
        ),
        (1 << 62, format!("witness harbour signed {size} entries at a time beyond any date")),
    ] {
        let kept = shelf.put("kept", &a.sign_at(seconds, base.checkpoint.as_ref().unwrap(), &base.vkey));
        let args = ["--bundle", dir.to_str().unwrap(), "--vkey", &base.vkey(), "--witness", &a.vkey()];
        let page = page(&nowhere(&[&args[..], &["--checkpoint", &kept]].concat()));
        assert!(page.contains(&said), "{page}");
    }
}

/// A key as people paste it: with its line's end. The name of its file is no key, and the hint says what to type.
#[test]
fn a_key_may_bring_its_lines_end_along() {
    let base = Files::base();
    let dir = base.write("whole-for-keys");
    let place = dir.to_str().unwrap();
    for vkey in [format!("{}\r\n", base.vkey()), format!(" {} ", base.vkey())] {
        let out = nowhere(&["--bundle", place, "--vkey", &vkey]);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    }
    let file = format!("{place}/log.vkey");
    let out = nowhere(&["--bundle", place, "--vkey", &file]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out).contains("$(cat"), "{}", text(&out));
}

#[test]
fn a_bundle_continues_what_was_kept() {
    let base = Files::base();
    let size = base.entries.len() as u64;
    let shelf = Shelf::new();
    let kept = shelf.put("kept", &base.note(9));
    let all = shelf.put("all", base.checkpoint.as_ref().unwrap());
    let dir = base.write("whole-for-checkpoints");
    let vkey = base.vkey();
    let of = |dir: &str, more: &[&str]| json(&nowhere(&[&["--bundle", dir, "--vkey", &vkey, "--json"], more].concat()));
    let (code, v) = of(dir.to_str().unwrap(), &["--checkpoint", &kept]);
    assert_eq!((code, v["unanchored"]["entries"].as_u64()), (0, Some(size - 9)));
    let (code, v) = of(dir.to_str().unwrap(), &["--checkpoint", &all, "--max-unanchored", "0"]);
    assert_eq!((code, status(&v, PIN).as_str()), (0, "ok"));
    assert_eq!(of(dir.to_str().unwrap(), &["--max-unanchored", "0"]).0, 1);
    // A shorter history, well signed, handed out to hide the end.
    let mut short = base.clone();
    short.entries.truncate(12);
    short.payloads.as_mut().unwrap().truncate(12);
    let dir = short.sealed().write("shorter");
    assert_eq!(of(dir.to_str().unwrap(), &[]).0, 0);
    let (code, v) = of(dir.to_str().unwrap(), &["--checkpoint", &all]);
    assert_eq!((code, verdict(&v, PIN)), (4, ("failed".into(), Some(12), "rolled_back".into())));
}
