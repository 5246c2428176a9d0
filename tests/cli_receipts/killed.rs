//! A witness that is killed at any moment never cosigns two trees.

use std::time::Duration;

use crate::*;

/// Two histories that a thief of the log's identity could sign: at each try one is offered to a witness that is killed at
/// a random moment, then both again. Whatever was persisted decides, and only one of them is ever cosigned.
#[test]
fn killed_between_remembering_and_signing_it_signs_the_same_or_nothing() {
    let b = bench();
    let vkey = vkey(&b);
    checkpoint_of(&b, "base");
    let other = fork_of(&b);
    grow(&b, "ours");
    grow(&other, "theirs");
    b.ok(&["audit", "prove", "--consistency", "base", "-o", "a", "-q"]);
    let base = b.path("base");
    other.ok(&["audit", "prove", "--consistency", base.to_str().unwrap(), "-o", "b", "-q"]);
    copy(&other.path("b"), &b.path("b"));
    let args = ["audit", "witness", "base", "--name", "w.example", "--log", &vkey];
    expect(&run(stranger(&b, "w", &args)), 0, "first sight");

    // How long one takes here and now, so that most are killed on their way. Nothing that is asserted depends on it.
    copy(&b.path("w"), &b.path("measured"));
    let begun = std::time::Instant::now();
    expect(&run(stranger(&b, "measured", &["audit", "witness", "a", "-q", "-o", "measured.a"])), 0, "");
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap().clamp(1_000, 200_000);

    let mut random = Random(u64::from(std::process::id()) << 20 | 0xA05C);
    println!("seed {}", random.0);
    let (mut remembered, mut lost) = (0, 0);
    for round in 0..20 {
        let home = format!("w{round}");
        copy(&b.path("w"), &b.path(&home));
        let mut child = stranger(&b, &home, &["audit", "witness", "a", "-o", &format!("{home}.a"), "-q"]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random.next() % (whole + whole / 4)));
        child.kill().unwrap();
        child.wait().unwrap();
        let early = b.path(&format!("{home}.a")).exists();

        // The other history is offered first now.
        let theirs = run(stranger(&b, &home, &["audit", "witness", "b", "-o", &format!("{home}.b")]));
        let ours = run(stranger(&b, &home, &["audit", "witness", "a", "-o", &format!("{home}.a")]));
        match code(&theirs) {
            0 => {
                assert!(!early, "round {round}: both histories were cosigned");
                expect(&ours, 4, "FORK");
                lost += 1;
            }
            4 => {
                expect(&theirs, 4, "FORK");
                expect(&ours, 0, "the same as seen before");
                remembered += 1;
            }
            other => panic!("round {round}: exit {other}: {}", text(&theirs.stderr)),
        }
        let signed = [b.path(&format!("{home}.a")), b.path(&format!("{home}.b"))].map(|path| path.exists());
        assert!(signed[0] != signed[1], "round {round}: {signed:?}");
        // No half of a file is left where another run would trip over it.
        expect(&run(stranger(&b, &home, &["audit", "witness", "last"])), 0, "");
    }
    println!("killed after it remembered: {remembered}; before: {lost}");
}

/// Several runs of one witness at once take turns.
#[test]
fn runs_at_the_same_time_take_turns() {
    let b = bench();
    let vkey = vkey(&b);
    checkpoint_of(&b, "base");
    let args = ["audit", "witness", "base", "--name", "w.example", "--log", &vkey];
    let children: Vec<_> = (0..8)
        .map(|n| {
            let mut c = stranger(&b, "w", &args);
            c.arg("-o").arg(format!("signed-{n}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    // One identity was made, and all signed with it: the same key id before the time.
    let ids: std::collections::BTreeSet<Vec<u8>> = (0..8)
        .map(|n| {
            let note = read(&b.path(&format!("signed-{n}")));
            let line = note.lines().last().unwrap().rsplit(' ').next().unwrap();
            data_encoding::BASE64.decode(line.as_bytes()).unwrap()[..4].to_vec()
        })
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

/// Each writes back the file that it read, with its line: none may write over another's.
#[test]
fn witnesses_who_sign_one_file_at_once_all_stand_in_it() {
    let b = bench();
    let vkey = vkey(&b);
    let base = read(&checkpoint_of(&b, "base"));
    let all = ["a.example", "b.example", "c.example"];
    for round in 0..4 {
        std::fs::write(b.path("shared"), &base).unwrap();
        let children: Vec<_> = all
            .iter()
            .map(|name| {
                let args = ["audit", "witness", "shared", "--in-place", "--name", name, "--log", &vkey];
                stranger(&b, name, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let note = read(&b.path("shared"));
        for name in all {
            assert!(note.contains(&format!("\n— {name} ")), "round {round}: {name} said that it signed:\n{note}");
        }
    }
}

/// xorshift64: enough to choose moments.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
