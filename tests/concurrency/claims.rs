//! Claims: of those who begin the same request, one wins.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;

use crate::lab::{Lab, READ, parse, script};
use crate::support::code;
use crate::{alone, assert_calm, assert_whole, crowd, log, soak, start};

/// A program that leaves a line in a file each time it runs.
fn counting(lab: &Lab) -> std::path::PathBuf {
    let ran = lab.bench.path("ran");
    script(&lab.bench, "work", &format!("#!/bin/sh\necho ran >> {}\n", ran.display()));
    ran
}

fn lines(file: &std::path::Path) -> usize {
    std::fs::read_to_string(file).unwrap_or_default().lines().count()
}

#[test]
fn of_two_claims_of_one_request_one_wins() {
    let _alone = alone();
    let lab = Lab::new();
    let ran = counting(&lab);
    let (begin, run): (&[&str], &[&str]) = (&["request", "begin"], &["run"]);
    for round in 0..50 * soak() {
        let r = lab.ask(READ, 0);
        let before = lines(&ran);
        let pair = [[begin, run], [run, run], [begin, begin]][round % 3];
        let out = crowd(2, 2, |n| {
            let line = [pair[n], &[&r]].concat();
            let line = if pair[n] == run { [&line[..], &["--", "./work"]].concat() } else { line };
            lab.bench.agent("build-bot", &[&["--json"], &line[..]].concat())
        });
        let won: Vec<usize> = (0..2).filter(|n| code(&out[*n]) == 0).collect();
        assert_eq!(won.len(), 1, "round {round}: {out:#?}");
        let lost = &out[1 - won[0]];
        assert_calm(lost);
        let why = parse(lost)["kind"].as_str().unwrap_or_default().to_string();
        assert!(code(lost) == 1 && ["claimed", "running"].contains(&why.as_str()), "{lost:#?}");
        assert_eq!(lines(&ran) - before, usize::from(pair[won[0]] == run), "round {round}");
    }
    let mut claims = std::collections::BTreeMap::new();
    for e in log(&lab).iter().filter(|e| e["type"] == "request.claimed/1") {
        *claims.entry(e["subject"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(claims.len(), 50 * soak());
    assert!(claims.values().all(|n| *n == 1), "{claims:?}");
    assert_whole(&lab);
}

/// Refused runs come and go while the right one begins and runs: whoever looks must see that it runs.
#[test]
fn refused_runs_do_not_hide_the_one_that_runs() {
    let _alone = alone();
    let lab = Lab::new();
    let gate = lab.bench.path("gate");
    let begun = lab.bench.path("begun");
    script(
        &lab.bench,
        "slow",
        &format!(
            "#!/bin/sh\necho ran >> {}\nwhile [ ! -e {} ]; do sleep 0.01; done\n",
            begun.display(),
            gate.display()
        ),
    );
    script(&lab.bench, "other", "#!/bin/sh\nexit 0\n");
    for round in 0..8 * soak() {
        let _ = std::fs::remove_file(&gate);
        let _ = std::fs::remove_file(&begun);
        let r = lab.ask(&[READ, &["--command", "--", "./slow"]].concat(), 0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..6 {
                        let out = lab.bot(&["--json", "run", &r, "--", "./other"]);
                        assert_eq!(code(&out), 1, "{out:#?}");
                    }
                });
            }
            let right = scope.spawn(|| {
                loop {
                    let out = lab.bot(&["--json", "run", &r, "--", "./slow"]);
                    // Those that are refused hold its lock for a moment too.
                    if code(&out) == 1 && parse(&out)["kind"] == "running" {
                        continue;
                    }
                    return out;
                }
            });
            while !begun.exists() {
                assert!(!right.is_finished(), "it ended without having run");
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            for _ in 0..6 {
                let v = lab.json(&["request", "wait", &r, "--timeout", "0s"]).1;
                assert_eq!(v["standing"], "claimed", "round {round}: it runs");
            }
            std::fs::write(&gate, "").unwrap();
            let out = right.join().unwrap();
            assert_eq!(code(&out), 0, "{out:#?}");
        });
        assert_eq!(lines(&begun), 1);
        assert_eq!(lab.json(&["request", "wait", &r]).1["standing"], "succeeded");
    }
    assert_whole(&lab);
}

#[test]
fn a_revocation_and_a_claim_at_once_leave_no_claim_after_the_revocation() {
    let _alone = alone();
    let lab = Lab::new();
    let mut won = 0;
    let rounds = 20 * soak();
    for round in 0..rounds {
        let name = format!("github-{round}");
        lab.integration(&name, "github", false);
        let g = lab.grant("build-bot", &name, "repo:acme/*", Access::Write, DataClass::Internal, None).to_string();
        let r = lab.ask(&["--integration", &name, "--action", "pull_request.read", "--resource", "repo:acme/app"], 0);
        let revoke = || {
            let mut c = lab.bench.bare();
            c.args(["revoke", &g]);
            c
        };
        let begin = || lab.bench.agent("build-bot", &["--json", "request", "begin", &r]);
        // Who is started first takes turns, so that both orders come.
        let (revoked, begun) = if round % 2 == 0 {
            let first = start(revoke());
            let begun = start(begin()).wait_with_output().unwrap();
            (first.wait_with_output().unwrap(), begun)
        } else {
            let first = start(begin());
            let revoked = start(revoke()).wait_with_output().unwrap();
            (revoked, first.wait_with_output().unwrap())
        };
        assert_calm(&revoked);
        assert_calm(&begun);
        assert_eq!(code(&revoked), 0, "{revoked:#?}");
        let entries = log(&lab);
        let seq = |kind: &str, subject: &str| {
            entries.iter().find(|e| e["type"] == kind && e["subject"] == subject).map(|e| e["seq"].as_u64().unwrap())
        };
        let revoked = seq("grant.revoked/1", &g).unwrap();
        match (code(&begun), seq("request.claimed/1", &r)) {
            (0, Some(claimed)) => {
                assert!(claimed < revoked, "claimed in {claimed}, revoked in {revoked}");
                won += 1;
            }
            (1, None) => {}
            other => panic!("{other:?}: {begun:#?}"),
        }
    }
    println!("of {rounds} claims, {won} came before the revocation");
    assert_whole(&lab);
}
