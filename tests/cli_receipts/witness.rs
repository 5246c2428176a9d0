//! `audit witness`: what it saw, what it refuses, what it leaves.

use std::os::unix::fs::PermissionsExt;

use crate::*;

/// A log and what its operator hands out.
struct Log {
    b: Bench,
    vkey: String,
}

impl Log {
    fn new() -> Log {
        Log::of(bench())
    }

    fn of(b: Bench) -> Log {
        let vkey = vkey(&b);
        Log { b, vkey }
    }

    /// The witness of that name, on a machine of its own.
    fn witness(&self, name: &str, args: &[&str]) -> Output {
        run(stranger(&self.b, name, &[&["audit", "witness"], args].concat()))
    }

    /// Made, and has seen a checkpoint.
    fn seen(&self, name: &str, file: &Path) {
        let full = format!("{name}.example/ops");
        expect(&self.witness(name, &["init", "--name", &full]), 0, &full);
        let out = self.witness(name, &[file.to_str().unwrap(), "--log", &self.vkey]);
        expect(&out, 0, "first sight: the key of this log is trusted from now on");
    }

    fn key(&self, name: &str) -> String {
        text(&self.witness(name, &["key"]).stdout).trim_end().to_string()
    }
}

#[test]
fn first_sight_then_the_same_then_what_continues_it() {
    let log = Log::new();
    let first = checkpoint_of(&log.b, "first");
    let first = first.to_str().unwrap();
    expect(&log.witness("w", &[first, "--log", &log.vkey]), 2, "no witness identity yet");
    expect(&log.witness("w", &["key"]), 2, "audit witness init");
    expect(&log.witness("w", &[first, "--name", "w.example/ops"]), 2, "has never seen the log");
    // A dry run remembers nothing.
    let out = log.witness("w", &[first, "--log", &log.vkey, "-n"]);
    expect(&out, 0, "sight first sight");
    expect(&log.witness("w", &["last"]), 1, "has seen no log yet");
    let out = log.witness("w", &[first, "--log", &log.vkey, "--json"]);
    let v = json(&out);
    assert_eq!((v["schema"].as_str(), v["sight"].as_str()), (Some("aosctl.audit-witness/v1"), Some("first")));
    let note = v["checkpoint"].as_str().unwrap();
    let line = note.strip_prefix(&read(Path::new(first))).unwrap();
    assert!(line.starts_with("— w.example/ops ") && line.lines().count() == 1, "{line}");
    // Modes: nobody else reads any of it.
    let state = log.b.path("w/state/witness");
    assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    for file in std::fs::read_dir(&state).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }

    // The same again, with the line of before in it: one line, not two.
    std::fs::write(log.b.path("signed"), note).unwrap();
    let again = log.witness("w", &["signed", "--in-place"]);
    expect(&again, 0, "the same as seen before");
    assert_eq!(read(&log.b.path("signed")).matches("— w.example/ops ").count(), 1);

    // What continues it needs a proof; the proof alone is enough, too.
    grow(&log.b, "bot");
    let second = checkpoint_of(&log.b, "second");
    let second = second.to_str().unwrap();
    let out = log.witness("w", &[second]);
    expect(&out, 1, "nothing shows that it continues them");
    expect(&out, 1, "aosctl audit prove --consistency seen.checkpoint -o 2.consistency");
    expect(&log.witness("w", &["last", "-o", "seen", "-q"]), 0, "");
    assert_eq!(read(&log.b.path("seen")), note, "as it came, with the line in it");
    log.b.ok(&["audit", "prove", "--consistency", "seen", "-o", "proof"]);
    let out = log.witness("w", &[second, "--proof", "proof", "-o", "cosigned"]);
    expect(&out, 0, "continues the 2 entries seen before");
    grow(&log.b, "more");
    log.b.ok(&["audit", "prove", "--consistency", "cosigned", "-o", "proof"]);
    let out = log.witness("w", &["proof", "-o", "newest", "--json"]);
    assert_eq!((json(&out)["sight"].as_str(), json(&out)["seen_entries"].as_u64()), (Some("continues"), Some(3)));
    // The line holds for those who know the key, and a log that was given at first sight needs naming no more.
    log.b.ok(&["audit", "prove", "1", "--checkpoint", "newest", "-o", "receipt"]);
    let key = log.key("w");
    let check = |more: &[&str]| {
        run(stranger(&log.b, "x", &[&["audit", "verify", "--proof", "receipt", "--vkey", &log.vkey], more].concat()))
    };
    expect(&check(&["--witness", &key]), 0, "witness w.example/ops, at 20");
    expect(&check(&["--witness", &log.vkey]), 2, "the key of a log, not of a witness");
    expect(&check(&["--witness", "w.example/ops"]), 2, "not a verifier key");
}

#[test]
fn two_witnesses_and_a_quorum() {
    let log = Log::new();
    let path = checkpoint_of(&log.b, "c");
    let file = path.to_str().unwrap();
    for (name, full) in [("one", "one.example/ops"), ("two", "two.example/ops"), ("three", "three.example/ops")] {
        expect(&log.witness(name, &["init", "--name", full]), 0, full);
    }
    let keys = ["one", "two", "three"].map(|name| log.key(name));
    for name in ["one", "two"] {
        expect(&log.witness(name, &[file, "--log", &log.vkey, "--in-place", "-q"]), 0, "");
    }
    log.b.ok(&["audit", "prove", "0", "--checkpoint", file, "-o", "r"]);
    let check = |witnesses: &[&str], quorum: Option<&str>| {
        let mut args = vec!["audit", "verify", "--proof", "r", "--vkey", &log.vkey];
        for key in witnesses {
            args.extend(["--witness", key]);
        }
        args.extend(quorum.iter().flat_map(|q| ["--quorum", q]));
        run(stranger(&log.b, "x", &args))
    };
    let [one, two, three] = [&keys[0], &keys[1], &keys[2]].map(String::as_str);
    expect(&check(&[one, two], None), 0, "holds");
    expect(&check(&[one, two, three], None), 4, "2 of the 3 witnesses needed signed");
    expect(&check(&[one, two, three], Some("2")), 0, "holds");
    expect(&check(&[one, three], Some("2")), 4, "1 of the 2 witnesses");
    expect(&check(&[one, one], Some("2")), 2, "given twice");
    expect(&check(&[one], Some("2")), 2, "asks for more than the 1 witnesses");
    // A line of a known witness that does not hold is worse than none.
    let good = read(&log.b.path("r"));
    let at = good.find("— two.example/ops ").unwrap() + "— two.example/ops ".len() + 40;
    let mut bad = good.into_bytes();
    bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
    std::fs::write(log.b.path("r"), bad).unwrap();
    expect(&check(&[one, two, three], Some("1")), 4, "the witness's signature does not hold");
    expect(&check(&[one], None), 0, "holds");
}

#[test]
fn a_smaller_one_is_a_rollback_and_another_of_the_same_size_a_fork() {
    let log = Log::new();
    let before = checkpoint_of(&log.b, "before");
    let other = fork_of(&log.b);
    grow(&log.b, "ours");
    grow(&other, "theirs");
    let (ours, theirs) = (checkpoint_of(&log.b, "ours"), checkpoint_of(&other, "theirs"));
    log.seen("w", &ours);
    let out = log.witness("w", &[before.to_str().unwrap()]);
    expect(&out, 4, "rollback: the checkpoint covers 2 entries, and this witness saw 3");
    assert!(out.stdout.is_empty(), "nothing was signed");

    // Same size, other root.
    let out = log.witness("w", &[theirs.to_str().unwrap(), "-o", "signed"]);
    expect(&out, 4, "FORK: the log signed two trees");
    assert!(!log.b.path("signed").exists());
    let evidence = |log: &Log| -> Vec<PathBuf> {
        let all = std::fs::read_dir(log.b.path("w/state/witness")).unwrap().map(|f| f.unwrap().path());
        all.filter(|p| p.to_str().unwrap().contains(".fork-")).collect()
    };
    let kept = evidence(&log);
    assert_eq!(kept.len(), 1);
    assert_eq!(read(&kept[0]), format!("{}\n{}", read(&ours), read(&theirs)));
    assert!(text(&out.stderr).replace(['\n', ' '], "").contains(kept[0].to_str().unwrap()));

    // A longer one of the other history: no proof leads to it, and a proof from theirs shows the fork.
    grow(&other, "more");
    let longer = checkpoint_of(&other, "longer");
    let longer = longer.to_str().unwrap();
    expect(&log.witness("w", &[longer]), 1, "nothing shows that it continues");
    other.ok(&["audit", "prove", "--consistency", theirs.to_str().unwrap(), "--checkpoint", longer, "-o", "p"]);
    let proof = other.path("p");
    let proof = proof.to_str().unwrap();
    expect(&log.witness("w", &[longer, "--proof", proof]), 4, "FORK");
    expect(&log.witness("w", &[proof]), 4, "FORK");
    // A proof from before the two parted begins elsewhere.
    other.ok(&["audit", "prove", "--consistency", before.to_str().unwrap(), "--checkpoint", longer, "-o", "p"]);
    expect(&log.witness("w", &[longer, "--proof", proof]), 1, "the proof leads from 2 to 4 entries");
    // The whole log shows it as well.
    bundle(&other, &other.path("bundle"));
    let whole = other.path("bundle");
    expect(&log.witness("w", &[longer, "--bundle", whole.to_str().unwrap()]), 4, "FORK");
    // After all that it still signs what it saw.
    expect(&log.witness("w", &[ours.to_str().unwrap()]), 0, "the same as seen before");
}

/// `entries.jsonl` of a log, read from its database.
fn bundle(b: &Bench, dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let place = aosctl::workspace::Place { dir: b.workspace(), state: b.path("state") };
    let ws = aosctl::workspace::Workspace::open(place).unwrap();
    let mut lines = Vec::new();
    for (_, envelope) in ws.store().envelopes(0, 1000).unwrap() {
        lines.extend(envelope);
        lines.push(b'\n');
    }
    std::fs::write(dir.join("entries.jsonl"), lines).unwrap();
}

#[test]
fn a_bundle_takes_the_place_of_a_proof() {
    let log = Log::new();
    let first = checkpoint_of(&log.b, "first");
    log.seen("w", &first);
    grow(&log.b, "bot");
    let second = checkpoint_of(&log.b, "second");
    let second = second.to_str().unwrap();
    let dir = log.b.path("bundle");
    bundle(&log.b, &dir);
    let good = read(&dir.join("entries.jsonl"));
    let witness = |more: &[&str]| log.witness("w", &[&[second, "--bundle", "bundle"], more].concat());
    // Cut, changed, without its last line end.
    for bad in [&good[..good.len() - 1], &good[1..], "", &good.replacen("payload", "pavload", 1)] {
        std::fs::write(dir.join("entries.jsonl"), bad).unwrap();
        expect(&witness(&[]), 4, "the bundle does not have the 3 entries of the checkpoint");
    }
    std::fs::write(dir.join("entries.jsonl"), "x".repeat(1_000_000)).unwrap();
    expect(&witness(&[]), 4, "the bundle does not have");
    std::fs::write(dir.join("entries.jsonl"), &good).unwrap();
    expect(&witness(&["-n"]), 0, "continues the 2 entries");
    expect(&witness(&[]), 0, "continues the 2 entries");
    // At first sight it counts as well.
    std::fs::write(dir.join("entries.jsonl"), &good[1..]).unwrap();
    let out = log.witness("v", &[second, "--bundle", "bundle", "--name", "v.example/ops", "--log", &log.vkey]);
    expect(&out, 4, "the bundle does not have");
    expect(&log.witness("v", &["last"]), 1, "has seen no log yet");
    expect(&witness(&["--proof", "x"]), 2, "cannot be used with");
    expect(&log.witness("w", &[second, "--bundle", "nowhere"]), 3, "cannot open");
}

#[test]
fn keys_names_and_files_that_are_not_the_right_ones() {
    let log = Log::new();
    let file = checkpoint_of(&log.b, "c");
    let file = file.to_str().unwrap();
    log.seen("w", Path::new(file));
    let stranger = Log::of(Bench::new());
    expect(&log.witness("w", &[file, "--log", &stranger.vkey]), 4, "the key given is another log's");
    // Another key under the same name.
    let name = log.vkey.split('+').next().unwrap();
    let key = aosctl::log::checkpoint::VerifierKey::parse(&stranger.vkey).unwrap().key;
    let other = aosctl::log::checkpoint::VerifierKey::for_log(name, &key).to_string();
    expect(&log.witness("w", &[file, "--log", &other]), 4, "knows the log");
    expect(&log.witness("w", &[file, "--log", "x"]), 2, "--log is not a verifier key");
    expect(&log.witness("w", &[file, "--name", "other.example"]), 1, "this machine's witness is called w.example/ops");
    for name in ["no space", "", "a+b", "\u{1b}[1m", &"w".repeat(201)] {
        let out = log.witness("v", &["init", "--name", name]);
        expect(&out, 2, "error: a witness cannot be called `");
        assert!(text(&out.stderr).lines().all(|l| l.chars().count() <= 80), "{}", text(&out.stderr));
        expect(&log.witness("v", &[file, "--log", &log.vkey, "--name", name]), 2, "a witness cannot be called");
    }
    expect(&log.witness("w", &[file, "--log", &format!("{}\n", log.vkey)]), 0, "the same as seen before");
    expect(&log.witness("v", &["init", "--name", "v.example", "-n"]), 0, "would make");
    assert!(!log.b.path("v/state").exists());
    expect(&log.witness("w", &["init", "--name", "w.example/ops"]), 0, "was there already");
    expect(&log.witness("w", &["last", "--log", &stranger.vkey]), 1, "has never seen the log");
    expect(&log.witness("w", &["-"]), 3, "no blank line");
    expect(&log.witness("w", &["-", "--in-place"]), 2, "needs a file");
    for (bad, exit) in [("", 3), ("\n\n", 3), ("x\n1\nAAAA\n\n— x AAAA\n", 3)] {
        std::fs::write(log.b.path("bad"), bad).unwrap();
        let out = log.witness("w", &["bad"]);
        assert_eq!(code(&out), exit, "{bad:?}: {}", text(&out.stderr));
    }
    let note = read(Path::new(file));
    std::fs::write(log.b.path("bad"), note.replacen("\n2\n", "\n3\n", 1)).unwrap();
    expect(&log.witness("w", &["bad"]), 4, "does not hold");
    std::fs::write(log.b.path("bad"), note.replacen("— aosctl", "— bosctl", 1)).unwrap();
    expect(&log.witness("w", &["bad"]), 4, "the trusted key did not sign the note");
    // A second log beside the first.
    let second = checkpoint_of(&stranger.b, "c");
    expect(&log.witness("w", &[second.to_str().unwrap(), "--log", &stranger.vkey]), 0, "first sight");
    let out = log.witness("w", &["last"]);
    expect(&out, 2, "has seen 2 logs: name the one you mean");
    assert_eq!(text(&log.witness("w", &["last", "--log", name]).stdout), note);
}
