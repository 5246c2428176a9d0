//! `audit prove SEQ` and `audit verify --proof`.

use aosctl::evidence::receipt::receipts;
use aosctl::log::checkpoint::VerifierKey;

use crate::*;

#[test]
fn a_receipt_of_an_approval_holds_where_there_is_no_workspace() {
    let w = company();
    let vkey = vkey(&w.bench);
    let out = w.bench.run(&["audit", "prove", "r-1", "--type", "request.approved", "-o", "approval"]);
    expect(&out, 0, "request.approved/1 about r-1 signed by op-1");
    let proof = read(&w.bench.path("approval"));
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{proof}");
    // It shows nothing of the payload: the reason is not in it, in no encoding that the format uses.
    let lines: Vec<&str> = proof.lines().collect();
    let envelope = data_encoding::BASE64.decode(lines[1].strip_prefix("extra ").unwrap().as_bytes()).unwrap();
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    let header = data_encoding::BASE64.decode(envelope["payload"].as_str().unwrap().as_bytes()).unwrap();
    assert!(!text(&header).contains("green") && text(&header).contains("\"subject\":\"r-1\""));

    let check = |more: &[&str]| {
        let args = [&["audit", "verify", "--proof", "approval", "--vkey", &vkey], more].concat();
        run(stranger(&w.bench, "auditor", &args))
    };
    expect(&check(&[]), 0, "not proven that its signer had the right to make it");
    expect(&check(&[]), 0, "holds: the log has this entry at this place");
    let v = json(&check(&["--json"]));
    assert_eq!(v["schema"], "aosctl.audit-proof/v1");
    assert_eq!((&v["verified"], &v["kind"]), (&Value::Bool(true), &Value::from("receipt")));
    assert_eq!(v["entry"]["type"], "request.approved/1");
    assert_eq!((v["entry"]["actor"].as_str(), v["entry"]["subject"].as_str()), (Some("op-1"), Some("r-1")));
    assert!(v["not_proven"].as_array().unwrap().len() == 3);
    // Nothing was made on the stranger's machine.
    assert!(!w.bench.path("auditor/state").exists());
}

#[test]
fn chosen_members_are_opened_and_the_others_stay_closed() {
    let w = company();
    let vkey = vkey(&w.bench);
    let out = w.bench.run(&["audit", "prove", "r-1", "--type", "request.made", "--payload=summary,action", "-o", "r"]);
    expect(&out, 0, "opened action, summary");
    expect(&out, 0, "aosctl audit verify --proof r --payload r.payload.json");
    let payload = read(&w.bench.path("r.payload.json"));
    assert!(payload.contains("Deploy release 1.4") && !payload.contains("login loop"), "{payload}");
    let v: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(v["salts"].as_object().unwrap().keys().collect::<Vec<_>>(), ["action", "summary"]);
    assert!(v["fields"].as_object().unwrap().contains_key("rationale"));

    let check = |proof: &str, payload: &str| {
        run(stranger(&w.bench, "x", &["audit", "verify", "--proof", proof, "--payload", payload, "--vkey", &vkey]))
    };
    expect(&check("r", "r.payload.json"), 0, "summary Deploy release 1.4 to production");
    expect(&check("r", "r.payload.json"), 0, "rationale (closed)");
    // Of another entry.
    w.bench.ok(&["audit", "prove", "0", "-o", "zero", "--payload"]);
    expect(&check("zero", "r.payload.json"), 4, "DOES NOT HOLD: the payload file is of entry ");
    expect(&check("zero", "zero.payload.json"), 0, "company ACME");
    // Another text, another salt, another field.
    for (from, to) in
        [("1.4", "1.5"), ("\"rationale\":\"", "\"rationale\":\"f"), ("\"summary\":\"Dep", "\"summary\":\"dep")]
    {
        let mut bad = payload.replacen(from, to, 1);
        if to.ends_with('f') {
            // As many digits as before.
            bad = payload.replace(&v["fields"]["rationale"].as_str().unwrap()[..8].to_string(), "00000000");
        }
        std::fs::write(w.bench.path("bad"), bad).unwrap();
        expect(&check("r", "bad"), 4, "DOES NOT HOLD: the members and field hashes are not those");
    }
    for bad in ["", "{}", "[]", "\u{1}", &payload.replace(',', ", "), &"[".repeat(100_000)] {
        std::fs::write(w.bench.path("bad"), bad).unwrap();
        expect(&check("r", "bad"), 3, "not a payload file of a receipt");
    }
}

#[test]
fn what_cannot_be_proven_is_refused_with_what_to_type() {
    let w = company();
    let prove = |args: &[&str]| w.bench.run(&[&["audit", "prove"], args].concat());
    expect(&prove(&["r-1"]), 2, "2 entries are about r-1: name the one you mean");
    expect(&prove(&["r-1"]), 2, "request.approved/1: aosctl audit prove ");
    expect(&prove(&["r-1", "--type", "request.den"]), 1, "no such entry is about r-1");
    expect(&prove(&["g-99"]), 1, "no such entry is about g-99");
    expect(&prove(&["1000"]), 1, "there is no entry 1000");
    expect(&prove(&["99999999999999999999999"]), 1, "there is no entry 999");
    expect(&prove(&["-1"]), 2, "unexpected argument");
    expect(&prove(&["deploy it"]), 2, "neither the number of an entry nor an id");
    expect(&prove(&[]), 2, "required");
    expect(&prove(&["0", "--payload"]), 2, "name the receipt's file");
    expect(&prove(&["0", "--payload=summary", "-o", "x"]), 2, "it has these: company, ");
    expect(&prove(&["0", "-o", "ws/receipt"]), 2, "--output lies inside the workspace");
    expect(&prove(&["0", "-o", "state/receipt"]), 2, "--output lies inside the state directory");
    expect(&prove(&["0", "--consistency", "x"]), 2, "cannot be used with");
    assert!(!w.bench.path("x").exists());
    // The one entry about an id, and data on stdout alone.
    let out = prove(&["g-1", "--quiet"]);
    assert_eq!((code(&out), text(&out.stderr)), (0, String::new()));
    assert!(text(&out.stdout).starts_with("c2sp.org/tlog-proof@v1\n"));
    let both = json(&prove(&["g-1", "--payload=access", "--json"]));
    assert!(both["proof"].as_str().unwrap().contains("\nindex "));
    assert!(both["payload"].as_str().unwrap().starts_with("{\"body\":{\"access\":\"write\"}"));
    assert_eq!(both["opened"], serde_json::json!(["access"]));
}

#[test]
fn every_changed_byte_of_a_receipt_is_found() {
    let w = company();
    let vkey_text = vkey(&w.bench);
    let vkey = VerifierKey::parse(&vkey_text).unwrap();
    w.bench.ok(&["audit", "prove", "r-1", "--type", "request.approved", "-o", "r"]);
    let good = read(&w.bench.path("r")).into_bytes();
    let holds =
        |bytes: &[u8]| aosctl::log::receipt::Receipt::parse(bytes).is_ok_and(|receipt| receipt.verify(&vkey).is_ok());
    assert!(holds(&good));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(!holds(&bad), "byte {at}");
        assert!(!holds(&good[..at]), "cut at {at}");
    }
    // The same through the binary, one of each part: 3 where it is not the format, 4 where it does not hold.
    let line = |n: usize| good.split(|b| *b == b'\n').take(n).map(|l| l.len() + 1).sum::<usize>();
    for (at, exit) in [(0, 3), (line(1) + 40, 4), (line(2) + 6, 4), (line(3) + 4, 4), (good.len() - 20, 4)] {
        let mut bad = good.clone();
        bad[at] = if bad[at] == b'1' { b'2' } else { b'1' };
        std::fs::write(w.bench.path("bad"), &bad).unwrap();
        let out = run(stranger(&w.bench, "x", &["audit", "verify", "--proof", "bad", "--vkey", &vkey_text]));
        assert_eq!(code(&out), exit, "byte {at}: {}{}", text(&out.stdout), text(&out.stderr));
    }
}

#[test]
fn hostile_files_cannot_be_read_and_harm_nothing() {
    let w = company();
    let vkey = vkey(&w.bench);
    std::fs::write(w.bench.path("huge"), vec![b'A'; 3_000_000]).unwrap();
    std::fs::write(w.bench.path("empty"), "").unwrap();
    std::fs::write(w.bench.path("binary"), [0xff, 0, 1, 2]).unwrap();
    std::fs::write(w.bench.path("head"), "c2sp.org/tlog-proof@v1\nextra \u{1b}[31m\n").unwrap();
    for file in ["huge", "empty", "binary", "head", "missing", "ws", "/dev/zero"] {
        let out = run(stranger(&w.bench, "x", &["audit", "verify", "--proof", file, "--vkey", &vkey]));
        assert_eq!(code(&out), 3, "{file}: {}", text(&out.stderr));
        assert!(out.stdout.is_empty() && !text(&out.stderr).contains('\u{1b}'), "{file}");
    }
    w.bench.ok(&["audit", "prove", "0", "-o", "r"]);
    let check = |more: &[&str]| run(stranger(&w.bench, "x", &[&["audit", "verify", "--proof", "r"], more].concat()));
    expect(&check(&[]), 2, "--vkey");
    expect(&check(&["--vkey", "nonsense"]), 2, "not a verifier key");
    // The key of another log, which is a key all the same.
    let other = Bench::new();
    expect(&check(&["--vkey", &crate::vkey(&other)]), 4, "the trusted key did not sign the note");
}

#[test]
fn nothing_is_proven_on_a_log_that_was_changed_or_rolled_back() {
    let b = bench();
    let (ws, state) = (b.path("old-ws"), b.path("old-state"));
    copy(&b.workspace(), &ws);
    copy(&b.path("state"), &state);
    grow(&b, "late");
    // Yesterday's database under today's pin.
    let today = b.path("today");
    std::fs::rename(b.workspace(), &today).unwrap();
    copy(&ws, &b.workspace());
    for args in [&["audit", "prove", "0"][..], &["audit", "checkpoint"]] {
        let out = b.run(args);
        assert_eq!(code(&out), 4, "{args:?}: {}", text(&out.stderr));
        assert!(out.stdout.is_empty(), "{args:?}");
    }
    std::fs::remove_dir_all(b.workspace()).unwrap();
    std::fs::rename(&today, b.workspace()).unwrap();
    b.ok(&["audit", "prove", "0"]);
    // Another entry in the middle: the last one and the tables' edge are still those of before.
    support::sql(
        &b.db(),
        "DROP TRIGGER entries_keep_1; UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE seq = 0) WHERE seq = 1",
    );
    for args in [&["audit", "prove", "0"][..], &["audit", "prove", "2"], &["audit", "checkpoint"]] {
        let out = b.run(args);
        assert_eq!(code(&out), 4, "{args:?}: {}", text(&out.stderr));
        assert!(out.stdout.is_empty(), "{args:?}");
    }
    // Without a pin nothing can be compared.
    let b = bench();
    let pin = std::fs::read_dir(b.path("state")).unwrap().next().unwrap().unwrap().path().join("pin");
    std::fs::remove_file(pin).unwrap();
    for args in [&["audit", "prove", "0"][..], &["audit", "checkpoint"]] {
        expect(
            &b.run(args),
            4,
            if args[1] == "prove" { "the pin outside the workspace is missing" } else { "failed:" },
        );
    }
}

#[test]
fn receipts_of_all_entries_in_one_pass_hold_at_every_size() {
    let w = company();
    let vkey = VerifierKey::parse(&vkey(&w.bench)).unwrap();
    let total = w.ws.store().last_seq().unwrap().unwrap() + 1;
    assert!(total >= 9);
    for size in 1..=total {
        let seqs: Vec<u64> = (0..size).rev().collect();
        let made = receipts(&w.ws, size, &seqs).unwrap();
        assert_eq!(made.len(), seqs.len());
        for (receipt, seq) in made.iter().zip(&seqs) {
            let shown = receipt.verify(&vkey).unwrap();
            assert_eq!((shown.envelope.header.seq, shown.checkpoint.size), (*seq, size));
        }
    }
    assert!(receipts(&w.ws, total, &[total]).is_err() && receipts(&w.ws, total + 1, &[0]).is_err());
    assert!(receipts(&w.ws, 2, &[2]).is_err(), "beyond the size");
    assert_eq!(receipts(&w.ws, total, &[]).unwrap(), []);
}
