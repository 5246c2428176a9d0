use super::*;
use crate::keys_world::{add, aged, append, fed, key, size};
use aosctl::domain::event::RotationScheduled;
use aosctl::domain::time::Span;

fn step<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["key", "leaked", "k-1", "--step"], args].concat()
}

#[test]
fn by_flags_from_the_first_to_the_last() {
    let b = bench();
    let before = size(&b);
    // There is nothing to record before it leaked.
    let out = b.run(&step(&["revoke", "--outcome", "done"]));
    assert_eq!((code(&out), size(&b)), (1, before));
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1"])), 0);
    // A step needs an operator.
    let out = bare(&b, &step(&["revoke", "--outcome", "done"]));
    assert_eq!(code(&out), 3, "{}", text(&out.stderr));
    let out = b.agent("bot-a", &step(&["revoke", "--outcome", "done"])).output().unwrap();
    assert_eq!(code(&out), 1);
    for (args, exit, words) in [
        (&["revoke", "--outcome", "failed", "--note", "console is down"][..], 0, "FAILED"),
        (&["revoke", "--outcome", "not_needed"], 2, "needs --note"),
        (&["revoke", "--outcome", "not_proven"], 2, "not_proven is for"),
        (&["revoke", "--outcome", "done"], 0, "next: prove dead"),
        (&["prove_dead", "--outcome", "done"], 2, "what you saw"),
        (&["prove_dead", "--outcome", "not_proven"], 0, "NOT PROVEN"),
        (&["rotate", "--outcome", "done"], 1, "no other secret"),
        (&["sweep", "--outcome", "done"], 1, "still names the old secret"),
        (&["prove_dead", "--outcome", "done", "--note", "HTTP 401"], 0, "next: rotate"),
    ] {
        let out = b.run(&step(args));
        assert_eq!(code(&out), exit, "{args:?}: {}", text(&out.stderr));
        let said = text(&out.stdout) + &text(&out.stderr);
        assert!(said.contains(words), "{args:?}: {said}");
        assert!(key(&b, id("k-1")).leak_is_open());
    }
    let before = size(&b);
    let out = b.run(&[&step(&["test", "--outcome", "done"])[..], &["-n"]].concat());
    assert_eq!((code(&out), size(&b)), (0, before));
    let out = fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), NEW);
    assert_eq!(code(&out), 0);
    assert!(text(&out.stderr).contains("aosctl key leaked k-1"), "{}", text(&out.stderr));
    b.ok(&step(&["rotate", "--outcome", "done"]));
    b.ok(&step(&["test", "--outcome", "done", "--note", "a refund went through"]));
    // Searching: by how it ends, then by itself; what is found keeps it open.
    let place = b.path("notes");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("old.env"), "STRIPE=sk_live_****9f2a\n").unwrap();
    let sweep = |more: &[&str]| {
        [&["key", "leaked", "k-1", "--sweep", place.to_str().unwrap()], more]
            .concat()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let run = |args: Vec<String>, input: &str| {
        fed(
            {
                let mut c = b.cmd(&[]);
                c.args(args);
                c
            },
            input,
        )
    };
    let out = run(sweep(&["--json"]), "");
    assert_eq!(code(&out), 1, "{}", text(&out.stderr));
    let leak = &json(&out)["leaks"][0];
    assert_eq!((leak["open"].as_bool(), leak["steps"][5]["outcome"].as_str()), (Some(true), Some("failed")));
    assert!(
        leak["steps"][5]["detail"][0].as_str().unwrap().ends_with("old.env:1: a word that ends as it does"),
        "{leak:#}"
    );
    // A mask is not the secret; by the secret itself nothing is there, and neither in the log.
    let out = run(sweep(&["--secret-stdin", "-n"]), OLD);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    std::fs::write(place.join("leaked.txt"), format!("a\nb {OLD} c\n")).unwrap();
    std::os::unix::fs::symlink("/dev/null", place.join("link")).unwrap();
    let out = run(sweep(&["--secret-stdin", "--json"]), OLD);
    assert_eq!(code(&out), 1);
    let v = json(&out);
    let detail = v["leaks"][0]["steps"][5]["detail"].as_array().unwrap();
    assert!(detail[0].as_str().unwrap().ends_with("leaked.txt:2: the secret itself"), "{detail:?}");
    assert!(detail[1].as_str().unwrap().starts_with("not searched: "), "{detail:?}");
    shows_nowhere(&b, &[OLD, NEW], &[&out]);
    std::fs::remove_file(place.join("leaked.txt")).unwrap();
    // Not all could be searched: nobody can say that nothing is left.
    let out = run(sweep(&["--secret-stdin", "--json"]), OLD);
    let v = json(&out);
    assert_eq!((code(&out), v["leaks"][0]["steps"][5]["outcome"].as_str()), (0, Some("not_proven")));
    assert!(key(&b, id("k-1")).leak_is_open());
    std::fs::remove_file(place.join("link")).unwrap();
    let out = run(sweep(&["--secret-stdin", "--json"]), OLD);
    let v = json(&out);
    assert_eq!((code(&out), v["leaks"][0]["open"].as_bool()), (0, Some(false)), "{v:#}");
    assert!(text(&out.stderr).contains("--report"), "{}", text(&out.stderr));
    let again = "open again what is needed of g-1, g-2: aosctl connect --again g-1";
    assert!(text(&out.stderr).contains(again), "{}", text(&out.stderr));
    assert!(!key(&b, id("k-1")).leak_is_open());
    assert!(!text(&bare(&b, &["rotation", "check"]).stdout).contains("LEAKED"));
    verified(&b);
    shows_nowhere(&b, &[OLD, NEW], &[&out]);
    // It can leak again: that is another leak, and takes a word of its own. The same line typed twice does nothing.
    for args in [&["key", "leaked", "k-1"][..], &["key", "leaked", "--last4", "77aa"], &["key", "leaked", "k-1", "-n"]]
    {
        let out = bare(&b, args);
        assert_eq!(code(&out), 1, "{args:?}");
        let said = text(&out.stderr);
        assert!(said.contains("that is closed; nothing was done") && said.contains("--again"), "{said}");
        assert!(said.contains("aosctl key leaked k-1 --report"), "{said}");
        assert!(!key(&b, id("k-1")).leak_is_open());
    }
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1", "--again"])), 0);
    assert!(key(&b, id("k-1")).leak_is_open());
    // While it is open, the flag and its absence are the same.
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1", "--again"])), 0);
    verified(&b);
}

#[test]
fn the_secret_in_the_log_is_found() {
    let b = bench();
    // By a way that refuses no text, as older programs did not.
    append(&b, |tx, op| {
        let (every, reason) = (Some(Span::days(30)), Some(format!("somebody wrote {OLD} into a reason")));
        tx.append(op.by(), RotationScheduled { key: id("k-2"), every, warn: None, owner: None, reason })
    });
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1"])), 0);
    assert_eq!(code(&fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), NEW)), 0);
    let file = b.path("empty");
    std::fs::write(&file, "").unwrap();
    let out = fed(b.cmd(&["key", "leaked", "k-1", "--sweep", file.to_str().unwrap(), "--secret-stdin", "--json"]), OLD);
    assert_eq!(code(&out), 1, "{}", text(&out.stderr));
    let v = json(&out);
    assert!(
        v["leaks"][0]["steps"][5]["detail"][0].as_str().unwrap().contains("of the log: the secret itself"),
        "{v:#}"
    );
}

#[test]
fn what_aosctl_itself_has_keeps_it_open() {
    let b = bench();
    assert_eq!(code(&bare(&b, &["key", "leaked", "k-1"])), 0);
    // Every step was said to be done, in the log, by a way that asks nothing.
    append(&b, |tx, op| {
        let leak = aosctl::domain::facts::Facts::key(tx.facts(), id("k-1"))?.unwrap().leak.clone().unwrap().seq;
        for step in aosctl::domain::key::LeakStep::ALL {
            let outcome = aosctl::domain::key::StepOutcome::Done;
            tx.append(
                op.by(),
                aosctl::domain::event::KeyStep { key: id("k-1"), leak, step, outcome, note: None, detail: None },
            )?;
        }
        Ok(())
    });
    // Nobody made another one: that is not closed for whoever looks here. Looking by name would open another leak.
    let out = bare(&b, &["key", "leaked", "k-1", "--report", "--json"]);
    let v = json(&out);
    assert_eq!(v["leak"]["open"], true);
    assert_eq!(v["leak"]["stale"][0]["command"], "aosctl rotation record k-1");
}

#[test]
fn a_rotation_from_before_is_no_cure() {
    let b = bench();
    let ids = add(&b, vec![aged("elsewhere", 100)]);
    let id = ids[0].to_string();
    assert_eq!(code(&bare(&b, &["key", "leaked", &id])), 0);
    let done = ["key", "leaked", &id, "--step", "rotate", "--outcome", "done"];
    // It is true of the key, and says nothing of another secret.
    for rotated in ["88d", "2d"] {
        b.ok(&["rotation", "record", &id, "--rotated", rotated]);
        let out = b.run(&done);
        let said = text(&out.stderr);
        assert_eq!(code(&out), 1, "{rotated}: {said}");
        assert!(said.contains("no other secret") && said.contains("which was before"), "{said}");
        let v = json(&bare(&b, &["key", "leaked", &id, "--json"]));
        assert_eq!(v["leaks"][0]["stale"][0]["command"], format!("aosctl rotation record {id}"), "{v:#}");
    }
    // A day is what people know: the day of the leak counts.
    b.ok(&["rotation", "record", &id]);
    b.ok(&done);
    verified(&b);
}

#[test]
fn a_sweep_for_another_secret_shows_nothing() {
    let b = bench();
    let ids = add(&b, vec![aosctl::domain::key::KeyFacts { last4: Some("9f2a".into()), ..aged("elsewhere", 100) }]);
    let loose = ids[0].to_string();
    for key in ["k-1", &loose] {
        assert_eq!(code(&bare(&b, &["key", "leaked", key])), 0);
        b.ok(&["key", "leaked", key, "--step", "revoke", "--outcome", "done"]);
    }
    assert_eq!(code(&fed(b.cmd(&["rotation", "record", "k-1", "--secret-stdin"]), NEW)), 0);
    b.ok(&["rotation", "record", &loose]);
    let place = b.path("empty");
    std::fs::create_dir(&place).unwrap();
    let sweep = |key: &str, input: &str, more: &[&str]| {
        let args = ["key", "leaked", key, "--sweep", place.to_str().unwrap(), "--secret-stdin"];
        fed(b.cmd(&[&args[..], more].concat()), input)
    };
    let before = size(&b);
    // Another one, the one it has now, and one that ends the same.
    for wrong in ["WRONG", NEW, "sk_live_other_other_9f2a"] {
        for more in [&[][..], &["-n"]] {
            let out = sweep("k-1", wrong, more);
            assert_eq!((code(&out), size(&b)), (1, before), "{wrong}: {}", text(&out.stderr));
            assert!(text(&out.stderr).contains("not the secret of k-1 that leaked"), "{}", text(&out.stderr));
            shows_nowhere(&b, &[NEW, "WRONG", "sk_live_other_other_9f2a"], &[&out]);
        }
    }
    let out = sweep("k-1", OLD, &["--json"]);
    assert_eq!((code(&out), json(&out)["leaks"][0]["steps"][5]["outcome"].as_str()), (0, Some("done")));
    // Where nobody told its fingerprint, how it ends can refuse and not prove.
    let before = size(&b);
    let out = sweep(&loose, "sk_live_other_other_0000", &[]);
    assert_eq!((code(&out), size(&b)), (1, before), "{}", text(&out.stderr));
    let out = sweep(&loose, OLD, &["--json"]);
    let step = &json(&out)["leaks"][0]["steps"][5];
    assert_eq!((code(&out), step["outcome"].as_str(), step["closed"].as_bool()), (0, Some("not_proven"), Some(false)));
    assert!(step["detail"][0].as_str().unwrap().contains("nobody could check"), "{step:#}");
    verified(&b);
}

#[test]
fn what_leaked_once_is_never_taken_in_again() {
    let b = bench();
    let fed_in = |args: &[&str], input: &str| fed(b.cmd(args), input);
    let record = ["rotation", "record", "k-1", "--secret-stdin"];
    // The one of a key that is sealed nowhere and whose fingerprint nobody knew when it leaked.
    let ids = add(&b, vec![aged("elsewhere", 100)]);
    let loose = ids[0].to_string();
    for key in ["k-1", &loose] {
        assert_eq!(code(&bare(&b, &["key", "leaked", key])), 0);
    }
    assert_eq!(code(&fed_in(&record, NEW)), 0);
    let before = size(&b);
    let refused = || {
        let before = size(&b);
        // Back to the old one, under a new name, and as another key's.
        for args in [
            &record[..],
            &["key", "add", "again", "--secret-stdin"],
            &["rotation", "record", "k-2", "--secret-stdin"],
            &["rotation", "record", &loose, "--secret-stdin"],
        ] {
            let out = fed_in(args, OLD);
            assert_eq!((code(&out), size(&b)), (1, before), "{args:?}: {}", text(&out.stderr));
            assert!(text(&out.stderr).contains("that secret leaked"), "{args:?}: {}", text(&out.stderr));
            shows_nowhere(&b, &[OLD], &[&out]);
        }
    };
    refused();
    let out = fed_in(&["key", "seal", &loose, "--secret-stdin"], "sk_live_of_the_loose_one_0002");
    assert_eq!((code(&out), size(&b)), (1, before), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("rotation record"), "{}", text(&out.stderr));
    // Nor when the leak is closed.
    for step in ["revoke", "prove_dead", "rotate", "test", "sweep"] {
        b.ok(&["key", "leaked", "k-1", "--step", step, "--outcome", "done", "--note", "seen"]);
    }
    assert!(!key(&b, id("k-1")).leak_is_open());
    refused();
    // What never leaked comes in.
    let fresh = "sk_live_of_the_loose_one_0003";
    assert_eq!(code(&fed_in(&["rotation", "record", &loose, "--secret-stdin"], fresh)), 0);
    assert_eq!(code(&fed_in(&["key", "seal", &loose, "--secret-stdin"], fresh)), 0);
    verified(&b);
}
