//! `audit prove --consistency` and its check.

use crate::*;

#[test]
fn the_log_of_today_continues_that_of_then() {
    let b = bench();
    let vkey = vkey(&b);
    let mut old = Vec::new();
    for n in 0..6 {
        old.push(checkpoint_of(&b, &format!("c{n}")));
        grow(&b, &format!("bot-{n}"));
    }
    for path in &old {
        b.ok(&["audit", "prove", "--consistency", path.to_str().unwrap(), "-o", "proof"]);
        let out = run(stranger(&b, "x", &["audit", "verify", "--proof", "proof", "--vkey", &vkey, "--json"]));
        let v = json(&out);
        assert_eq!((&v["verified"], &v["kind"]), (&Value::Bool(true), &Value::from("consistency")));
        assert_eq!(v["entries"].as_u64(), Some(8));
    }
    // To one that was given, with whatever lines it has.
    b.ok(&["audit", "prove", "--consistency", "c1", "--checkpoint", "c4", "-o", "proof"]);
    let proof = read(&b.path("proof"));
    assert!(proof.starts_with("aosctl/consistency-proof@v1\nold 3\nnew 6\n"), "{proof}");
    assert!(proof.ends_with(&format!("\n\n{}\n{}", read(&old[1]), read(&old[4]))), "{proof}");
    let check = || run(stranger(&b, "x", &["audit", "verify", "--proof", "proof", "--vkey", &vkey]));
    expect(&check(), 0, "holds: the newer checkpoint continues the older one");
    expect(&b.run(&["audit", "prove", "--consistency", "c4", "--checkpoint", "c1"]), 2, "a proof leads forward");
    // A payload goes with a receipt.
    let out = run(stranger(&b, "x", &["audit", "verify", "--proof", "proof", "--payload", "c1", "--vkey", &vkey]));
    expect(&out, 2, "--payload goes with a receipt");
    // Every hash, both notes and both sizes count.
    for (from, to, exit) in [("old 3", "old 2", 4), ("new 6", "new 7", 4), ("@v1", "@v2", 3), ("old 3", "old x", 3)] {
        std::fs::write(b.path("proof"), proof.replacen(from, to, 1)).unwrap();
        assert_eq!(code(&check()), exit, "{from} {to}");
    }
    let lines: Vec<&str> = proof.split_inclusive('\n').collect();
    for drop in 0..lines.len() {
        let cut: String = lines.iter().enumerate().filter(|(n, _)| *n != drop).map(|(_, line)| *line).collect();
        std::fs::write(b.path("proof"), cut).unwrap();
        let out = check();
        assert!([3, 4].contains(&code(&out)), "without line {drop}: {}", text(&out.stdout));
    }
}

#[test]
fn a_receipt_under_a_given_checkpoint_carries_its_lines() {
    let b = bench();
    checkpoint_of(&b, "c");
    grow(&b, "bot");
    b.ok(&["audit", "prove", "1", "--checkpoint", "c", "-o", "r"]);
    assert!(read(&b.path("r")).ends_with(&format!("\n\n{}", read(&b.path("c")))));
    expect(&b.run(&["audit", "prove", "2", "--checkpoint", "c"]), 1, "c covers entries 0 to 1");
}

#[test]
fn another_history_is_a_fork_and_a_shorter_one_was_rolled_back() {
    let b = bench();
    let other = fork_of(&b);
    let before = checkpoint_of(&b, "before");
    grow(&b, "ours");
    grow(&other, "theirs");
    let theirs = checkpoint_of(&other, "theirs");
    let theirs = theirs.to_str().unwrap();
    // Before the two parted they agree.
    b.ok(&["audit", "prove", "--consistency", before.to_str().unwrap()]);
    let out = b.run(&["audit", "prove", "--consistency", theirs]);
    expect(&out, 4, "FORK: the first 3 entries of this log are not those that it signed in ");
    assert!(out.stdout.is_empty());
    expect(&b.run(&["audit", "prove", "1", "--checkpoint", theirs]), 4, "FORK");
    grow(&b, "more");
    expect(&b.run(&["audit", "prove", "--consistency", theirs]), 4, "FORK");
    let longer = checkpoint_of(&b, "longer");
    expect(&other.run(&["audit", "prove", "--consistency", longer.to_str().unwrap()]), 4, "the log has 3");
    // What is no checkpoint of this log.
    let stranger = Bench::new();
    let foreign = checkpoint_of(&stranger, "foreign");
    expect(&b.run(&["audit", "prove", "--consistency", foreign.to_str().unwrap()]), 4, "did not sign");
    let forged = read(Path::new(theirs)).replacen("\n3\n", "\n2\n", 1);
    std::fs::write(b.path("forged"), forged).unwrap();
    expect(&b.run(&["audit", "prove", "--consistency", "forged"]), 4, "does not hold");
    std::fs::write(b.path("forged"), "no note").unwrap();
    expect(&b.run(&["audit", "prove", "--consistency", "forged"]), 3, "no blank line");
    expect(&b.run(&["audit", "prove", "--consistency", "missing"]), 3, "cannot open");
}
