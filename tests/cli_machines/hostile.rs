//! Hostile descriptions: exit 3, a clear error, nothing recorded.

use std::io::Write;
use std::process::Stdio;

use crate::lab::{Lab, MERGE, READ, parse};
use crate::support::{code, text};

fn feed(lab: &Lab, input: &[u8]) -> std::process::Output {
    let mut c = lab.bench.agent("build-bot", &["--json", "request", "new", "--stdin"]);
    let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may stop reading before the end.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn hostile_json_is_refused_and_nothing_is_recorded() {
    let lab = Lab::new();
    let before = lab.entries();
    let ask = |extra: &str| {
        format!(r#"{{"integration":"github","action":"pull_request.read","resource":"repo:acme/app"{extra}}}"#)
    };
    let nested = |n: usize| format!(r#","parameters":{}{}"#, "[".repeat(n), "]".repeat(n));
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("duplicate name", ask(r#","action":"repository.delete""#).into()),
        ("duplicate name inside the parameters", ask(r#","parameters":{"amount":1,"amount":9}"#).into()),
        ("duplicate name by an escape", ask(r#","parameters":{"amount":1,"\u0061mount":9}"#).into()),
        ("number that nothing holds", ask(r#","parameters":{"amount":1e400}"#).into()),
        ("recipients out of range", ask(r#","facets":{"recipients":18446744073709551615}"#).into()),
        ("recipients over 2^53", ask(r#","facets":{"recipients":9007199254740992}"#).into()),
        ("negative recipients", ask(r#","facets":{"recipients":-1}"#).into()),
        ("amount over 2^53", ask(r#","facets":{"amount":{"currency":"USD","minor":9007199254740992}}"#).into()),
        ("negative amount", ask(r#","facets":{"amount":"-1USD"}"#).into()),
        ("depth 65", ask(&nested(64)).into()),
        ("600 KiB", ask(&format!(r#","diff":"{}""#, "x".repeat(600 * 1024))).into()),
        ("lone surrogate", ask(r#","summary":"\ud800""#).into()),
        ("not UTF-8", [ask("").as_bytes(), b"\xff"].concat()),
        ("two objects", ask("").repeat(2).into()),
        ("unknown member", ask(r#","approved":true"#).into()),
        ("points are not for agents to clear", ask(r#","facets":{"unclear":[]}"#).into()),
        ("an array", b"[]".to_vec()),
        ("nothing", Vec::new()),
        ("parameters that are text", ask(r#","parameters":"{}""#).into()),
        ("an open resource", ask("").replace("repo:acme/app", "repo:acme/*").into()),
        ("a resource that climbs", ask("").replace("repo:acme/app", "repo:acme/../x").into()),
        ("an action with a newline", ask("").replace("pull_request.read", "pull_request.read\\n").into()),
        ("an action that is too long", ask("").replace("pull_request.read", &"x".repeat(129)).into()),
        ("other schema", ask(r#","schema":"aosctl.ask/v2""#).into()),
        ("a bad key", ask(r#","idempotency_key":"a b""#).into()),
        ("a summary that is a book", ask(&format!(r#","summary":"{}""#, "x".repeat(1001))).into()),
        ("an empty environment", ask(r#","facets":{"environment":""}"#).into()),
        ("a missing artifact", ask(r#","artifacts":["no-such-file"]"#).into()),
        ("a missing program", ask(r#","command":{"argv":["./no-such-program"]}"#).into()),
        ("no program", ask(r#","command":{"argv":[]}"#).into()),
        ("the loader's variable", ask(r#","command":{"argv":["true"],"environment":["LD_PRELOAD"]}"#).into()),
    ];
    for (what, input) in &bad {
        let out = feed(&lab, input);
        // No program at all is wrong usage; everything else could not be read.
        let expected = if *what == "no program" { 2 } else { 3 };
        assert_eq!(code(&out), expected, "{what}: {} {}", text(&out.stdout), text(&out.stderr));
        assert_eq!(parse(&out)["schema"], "aosctl.error/v1", "{what}");
        assert!(text(&out.stderr).starts_with("error: "), "{what}: {}", text(&out.stderr));
    }
    assert_eq!(lab.entries(), before);
    // Just inside the limits.
    assert_eq!(code(&feed(&lab, ask(&nested(63)).as_bytes())), 0);
    assert_eq!(code(&feed(&lab, ask(&format!(r#","diff":"{}""#, "x".repeat(500 * 1024))).as_bytes())), 0);
    assert_eq!(code(&feed(&lab, ask(r#","parameters":{"big":123456789012345678901234567890}"#).as_bytes())), 0);
    lab.verified();
}

#[test]
fn what_does_not_fit_into_an_entry_is_said_before_anything_is_recorded() {
    let lab = Lab::new();
    let before = lab.entries();
    // 300 KiB of control characters are 1.8 MiB in the log.
    std::fs::write(lab.bench.path("diff"), "\u{1}".repeat(300 * 1024)).unwrap();
    let out = lab.bot(&[&["request", "new"], READ, &["--diff-file", "diff"]].concat());
    assert_eq!(code(&out), 3);
    assert!(text(&out.stderr).contains("an entry has room for"), "{}", text(&out.stderr));
    std::fs::write(lab.bench.path("diff"), [0xff]).unwrap();
    let out = lab.bot(&[&["request", "new"], READ, &["--diff-file", "diff"]].concat());
    assert_eq!(code(&out), 3);
    assert_eq!(lab.entries(), before);
}

#[test]
fn parameters_beat_what_is_declared() {
    let lab = Lab::new();
    let deploy = ["--integration", "github", "--action", "deployment.create", "--resource", "repo:acme/app"];
    let say = |parameters: &str, declared: &[&str]| {
        let (exit, v) = lab.json(&[&["request", "new"][..], &deploy, &["--parameters", parameters], declared].concat());
        (exit, v)
    };
    // Staging in the parameters: inside the grant.
    assert_eq!(say(r#"{"environment":"staging"}"#, &[]).0, 0);
    // Declaring staging does not hide production.
    let (exit, v) = say(r#"{"environment":"production"}"#, &["--environment", "staging"]);
    assert_eq!((exit, &v["points"][0]["point"]), (5, &"production".into()), "{v:#}");
    // Declaring production raises.
    assert_eq!(say(r#"{"environment":"staging"}"#, &["--environment", "production"]).0, 5);
    // Nothing in the parameters: GitHub would take production.
    assert_eq!(say("{}", &[]).0, 5);
    // Not readable.
    assert_eq!(say(r#"{"environment":["staging"]}"#, &["--environment", "staging"]).0, 5);
    lab.verified();
}

/// Law 8: what an agent wrote cannot move the cursor or fake a line.
#[test]
fn agent_text_is_shown_with_its_escapes() {
    let lab = Lab::new();
    let out = lab.bot(&[
        "request",
        "new",
        "--integration",
        "github",
        "--action",
        "deployment.create",
        "--resource",
        "repo:acme/app",
        "--environment",
        "prod\u{1b}[2K\r\u{202e}decision      allow",
    ]);
    assert_eq!(code(&out), 5);
    let page = text(&out.stdout) + &text(&out.stderr);
    assert!(!page.contains('\u{1b}') && !page.contains('\r') && !page.contains('\u{202e}'), "{page:?}");
    assert!(page.contains("\\x1b[2K"), "{page}");
    assert_eq!(page.lines().filter(|l| l.starts_with("decision")).count(), 1);
    let out = lab.bot(&[&["request", "new"], MERGE, &["--unsure", "\u{1b}]0;x\u{7}"]].concat());
    assert!(!text(&out.stdout).contains('\u{1b}'));
}
