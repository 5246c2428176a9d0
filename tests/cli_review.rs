//! `aosctl review decide|sign|check|diff` by script, through the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

mod review_world;
mod support;

use std::process::{Output, Stdio};
use std::time::Instant;

use aosctl::domain::access::Access;
use aosctl::domain::event::{Event, GrantNarrowed, GrantRenewed, GrantRevoked, KeyRetired, RotationRecorded};
use aosctl::domain::facts::Facts;
use aosctl::domain::time::Span;
use aosctl::log::tree::{Frontier, leaf_hash};
use review_world::{FIRST, OLD_KEY, READ_ONLY, UNKNOWN, UNUSED, UNUSED_KEY, USED, World, id, json};
use serde_json::{Value, json};
use support::{code, text};

#[test]
fn the_world_is_as_planted() {
    let w = World::new();
    let out = w.bench.run(&["--json", "review"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let v = json(&out);
    let first: Vec<(&str, &str)> = v["first"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (i["id"].as_str().unwrap(), i["advice"].as_str().unwrap()))
        .collect();
    let mut sorted = first.clone();
    sorted.sort_unstable();
    println!("{}", text(&w.bench.run(&["review"]).stdout));
    assert_eq!(sorted, FIRST.to_vec(), "{first:?}");
    assert_eq!(v["rest"].as_array().unwrap().len(), 9);
}

fn run(w: &World, args: &[&str]) -> Output {
    w.bench.run(&[&["review"], args].concat())
}

/// With JSON; gives it and the exit.
fn ask(w: &World, args: &[&str]) -> (i32, Value) {
    let out = w.bench.run(&[&["--json", "review"], args].concat());
    (code(&out), json(&out))
}

fn err(out: &Output) -> String {
    text(&out.stderr)
}

/// A decision in what `review decide --json` gave.
fn made<'a>(v: &'a Value, item: &str) -> &'a Value {
    v["decisions"].as_array().unwrap().iter().find(|d| d["item"] == item).unwrap_or_else(|| panic!("{item}: {v:#}"))
}

fn file(w: &World, text: &str) -> String {
    let path = w.bench.path("decisions");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

fn head(w: &World) -> String {
    format!(r#"{{"schema":"aosctl.review-decisions/v1","month":"{}"}}"#, w.month)
}

#[test]
fn the_advice_is_carried_out_read_again_and_what_is_left_is_open() {
    let w = World::new();
    let before = w.size();
    let (exit, v) = ask(&w, &["decide", "--recommended"]);
    assert_eq!(exit, 1, "keys are OPEN");
    assert_eq!(v["schema"], "aosctl.review-decided/v1");
    assert_eq!((&v["undecided"], &v["undecided_first"], &v["signed"]), (&json!([]), &json!([]), &Value::Null));
    assert_eq!(v["decisions"].as_array().unwrap().len(), 14);
    let (g2, g3, k1, k2) = (made(&v, UNUSED), made(&v, READ_ONLY), made(&v, OLD_KEY), made(&v, UNUSED_KEY));
    assert_eq!((&g2["remedy"], &g2["carried_out"]), (&json!("carried_out"), &json!(before)));
    assert_eq!((&g3["remedy"], &g3["carried_out"]), (&json!("carried_out"), &json!(before + 1)));
    assert_eq!((&k1["remedy"], &k1["carried_out"]), (&json!("open"), &Value::Null));
    assert_eq!(k1["left"], "turn it over at its provider, then: aosctl rotation record k-1");
    assert_eq!(k2["left"], "delete it at its provider, then: aosctl key retire k-2");
    assert_eq!(made(&v, UNKNOWN)["remedy"], "nothing");
    assert_eq!(made(&v, USED)["self_review"], true, "op-1 owns it");
    assert_eq!(made(&v, "i-1")["self_review"], false);
    assert_eq!(v["by"], json!({"id": "op-1", "name": "ops"}));
    assert_eq!(v["seqs"], json!([before + 2]));
    assert_eq!(w.entries_from(before), ["grant.revoked/1", "grant.narrowed/1", "review.decided/1"]);
    // By the operator, and not by the log.
    let revoked = w.ws.event(before).unwrap();
    assert_eq!(revoked.0.actor.to_string(), "op-1");
    assert!(w.decided(USED).unwrap().took_ms.is_none(), "a script takes no time");
    // What is decided is not decided once more.
    let (exit, v) = ask(&w, &["decide", "--recommended"]);
    assert_eq!((exit, &v["decisions"], &v["by"]), (1, &json!([]), &Value::Null), "still OPEN");
    assert_eq!(v["open"], json!(["k-1", "k-2"]));
    assert_eq!(w.size(), before + 3);
    w.assert_whole();
}

#[test]
fn exit_0_1_and_5() {
    let w = World::new();
    let out = run(&w, &["decide", "--keep", "g-1,g-5", "--revoke", UNUSED]);
    assert_eq!(code(&out), 5, "{}", err(&out));
    assert!(text(&out.stdout).contains("of these 11 must be decided before"), "{}", text(&out.stdout));
    let keys = [
        "decide",
        "--investigate",
        "k-1",
        "--investigate",
        "k-2",
        "--note",
        "k-1=who has it?",
        "--note",
        "k-2=and this",
    ];
    assert_eq!(code(&run(&w, &keys)), 5);
    let out = run(&w, &["decide", "--recommended"]);
    assert_eq!(code(&out), 0, "{}", err(&out));
    assert!(err(&out).contains(&format!("everything is decided; sign it: aosctl review sign --month {}", w.month)));
    // Before the signature what was decided can be decided otherwise; the newest counts.
    let out = run(&w, &["decide", "--rotate", "k-1"]);
    assert_eq!(code(&out), 1, "OPEN: {}", err(&out));
    assert_eq!(w.decided("k-1").unwrap().decision.as_str(), "rotate");
    w.assert_whole();
}

#[test]
fn names_work_and_unknown_ones_are_named() {
    let w = World::new();
    let (exit, v) = ask(&w, &["decide", "--keep", "ci-bot,stripe live", "--note", "stripe live=HSM"]);
    assert_eq!(exit, 5);
    assert_eq!((made(&v, "ag-1")["decision"].as_str(), made(&v, "k-1")["note"].as_str()), (Some("keep"), Some("HSM")));
    for (args, said) in [
        (vec!["--keep", "nobody"], "--keep: nobody is no item"),
        (vec!["--keep", "g-99"], "--keep g-99 is no item"),
        (vec!["--keep", "r-1"], "--keep r-1 is no item"),
        (vec!["--keep", "g-1", "--revoke", "g-1"], "--revoke g-1 is decided about twice, at --keep too"),
        (vec!["--narrow", "g-1"], "--narrow g-1: the review knows nothing narrower for g-1"),
        (vec!["--rotate", "g-1"], "--rotate g-1: g-1 is no key"),
        (vec!["--revoke", "i-1"], "an integration is not revoked, its doors are: aosctl revoke github"),
        (vec!["--narrow", "k-2"], "k-2 is no grant"),
        (vec!["--revoke", "g-1"], "--revoke g-1: to revoke it needs a note: keep is advised"),
        (vec!["--keep", "g-5", "--note", "g-1=why"], "--note g-1: nothing is decided about g-1"),
        (vec!["--keep", "g-5", "--note", "g-5"], "say it as ITEM=TEXT"),
        (vec!["--keep", "g-5", "--note", "g-5= "], "the text is empty"),
        (vec!["--keep", "g-5", "--note", "g-5=a", "--note", "g-5=b"], "two notes"),
    ] {
        let before = w.size();
        let out = run(&w, &[&["decide"], &args[..]].concat());
        assert!(matches!(code(&out), 1 | 2), "{args:?}: {}", err(&out));
        assert!(err(&out).contains(said), "{args:?}: {}", err(&out));
        assert_eq!(w.size(), before, "{args:?}");
    }
}

#[test]
fn a_dry_run_says_the_same_and_does_nothing() {
    let w = World::new();
    let before = w.size();
    let mut dry = w.bench.bare();
    let out = dry.args(["--json", "review", "decide", "--recommended", "-n"]).output().unwrap();
    let v = json(&out);
    assert_eq!((code(&out), &v["dry_run"], w.size()), (1, &json!(true), before), "no passphrase is asked for");
    let (_, real) = ask(&w, &["decide", "--recommended"]);
    for d in v["decisions"].as_array().unwrap() {
        let item = d["item"].as_str().unwrap();
        let r = made(&real, item);
        assert_eq!((&d["decision"], &d["remedy"], &d["left"]), (&r["decision"], &r["remedy"], &r["left"]), "{item}");
    }
    let out = w.bench.bare().args(["--json", "review", "sign", "-n"]).output().unwrap();
    let v = json(&out);
    assert_eq!((code(&out), &v["dry_run"], &v["by"]), (0, &json!(true), &Value::Null));
    assert!(!w.is_signed());
}

#[test]
fn the_template_is_a_file_that_can_be_read() {
    let w = World::new();
    let out = run(&w, &["decide", "--template"]);
    assert_eq!(code(&out), 0);
    let lines = text(&out.stdout);
    assert_eq!(lines.lines().count(), 15);
    assert_eq!(lines.lines().next().unwrap(), head(&w));
    // The same as one object.
    let (exit, v) = ask(&w, &["decide", "--template"]);
    assert_eq!((exit, &v["schema"]), (0, &json!("aosctl.review-decisions/v1")));
    let rows: Vec<Value> = lines.lines().skip(1).map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(v["decisions"], Value::Array(rows));
    let edited = lines
        .replace(r#""item":"g-2","decision":"revoke""#, r#""item":"g-2","decision":"keep","note":"until March""#)
        .replace(r#""item":"k-1","decision":"rotate""#, r#""item":"k-1","decision":"investigate","note":"whose?""#);
    let path = file(&w, &edited);
    let (exit, v) = ask(&w, &["decide", "--from", &path]);
    assert_eq!(exit, 1, "{v:#}");
    assert_eq!(
        (made(&v, "g-2")["overridden"].as_bool(), made(&v, "g-2")["note"].as_str()),
        (Some(true), Some("until March"))
    );
    assert_eq!(v["undecided"], json!([]));
    assert!(!w.is_revoked(UNUSED));
    let out = run(&w, &["decide", "--template"]);
    assert_eq!(text(&out.stdout).lines().count(), 1, "nothing is left");
    w.assert_whole();
    // As one object, and from standard input.
    let w = World::new();
    let (_, v) = ask(&w, &["decide", "--template"]);
    let path = file(&w, &serde_json::to_string_pretty(&v).unwrap());
    let mut c = w.bench.cmd(&["review", "decide", "--from", "-"]);
    let out = c.stdin(std::fs::File::open(path).unwrap()).output().unwrap();
    assert_eq!(code(&out), 1, "{}", err(&out));
    assert!(w.is_revoked(UNUSED));
}

#[test]
fn hostile_files_name_line_and_item_and_change_nothing() {
    let w = World::new();
    let before = w.size();
    let h = head(&w);
    let lines = |rows: &str| format!("{h}\n{rows}\n");
    let g1 = r#"{"item":"g-1","decision":"keep"}"#;
    let long = "x".repeat(5000);
    let cases: Vec<(String, i32, &str)> = vec![
        (String::new(), 3, "line 1: there is no decision"),
        ("[]".into(), 3, "line 1: this is no JSON object"),
        ("keep g-1\n".into(), 3, "line 1: this is no JSON object"),
        (g1.into(), 3, "does not say of which month it is"),
        (h.replace("v1", "v2"), 3, "line 1: the schema is \"aosctl.review-decisions/v2\""),
        (h.replace(&w.month.to_string(), "2020-01"), 3, "nothing is known of 2020-02-01"),
        (h.replace(&w.month.to_string(), "2999-01"), 1, "2999-01 is not over yet"),
        (h.replace(&w.month.to_string(), "2026-13"), 3, "line 1: \"2026-13\" is not a month"),
        (lines(&format!("{g1}\n\n{g1}")), 1, "line 4: g-1 is decided about twice, at line 2 too"),
        (lines(r#"{"item":"g-9","decision":"keep"}"#), 1, "line 2: g-9 is no item of the review"),
        (lines(r#"{"item":"r-1","decision":"keep"}"#), 1, "line 2: r-1 is no item"),
        (lines(r#"{"item":"g1","decision":"keep"}"#), 3, "line 2: g1: \"g1\" is not an id"),
        (lines(r#"{"item":7,"decision":"keep"}"#), 3, "line 2: invalid type: integer"),
        (lines(r#"{"item":"g-1"}"#), 3, "line 2: g-1: missing field `decision`"),
        (lines(r#"{"item":"g-1","decision":"delete"}"#), 3, "line 2: g-1: unknown variant `delete`"),
        (
            lines(r#"{"item":"g-1","decision":"keep","decision":"revoke"}"#),
            3,
            "line 2: g-1: duplicate field `decision`",
        ),
        (lines(r#"{"item":"g-1","item":"g-2","decision":"keep"}"#), 3, "line 2: duplicate field `item`"),
        (lines(r#"{"item":"g-1","decision":"keep","force":true}"#), 3, "line 2: g-1: unknown field `force`"),
        (lines("{\"item\":\"g-1\",\"decision\":\"keep\",\"\u{202e}\":1}"), 3, "unknown field `\\u{202e}`"),
        (lines(r#"{"item":"g-1","decision":["keep"]}"#), 3, "line 2: g-1: "),
        (lines(&format!("{g1}\n{{\"item\":\"g-2\"")), 3, "line 3: EOF while parsing"),
        (lines(&format!("{g1} {g1}")), 3, "line 2: "),
        (
            lines(&format!(r#"{{"item":"g-1","decision":"keep","note":"{long}"}}"#)),
            3,
            "line 2: g-1: note: a text has at most 4000 bytes",
        ),
        (lines(r#"{"item":"g-2","decision":"keep"}"#), 1, "line 2: g-2: to keep it needs a note: revoke is advised"),
        (lines(r#"{"item":"g-2","decision":"keep","note":"  "}"#), 1, "line 2: g-2: to keep it needs a note"),
        (
            lines(r#"{"item":"g-4","decision":"keep"}"#),
            1,
            "line 2: g-4: to keep it needs a note: nobody knows whether it is used (AR-02)",
        ),
        (
            lines(r#"{"item":"g-1","decision":"narrow","note":"x"}"#),
            1,
            "line 2: g-1: the review knows nothing narrower",
        ),
        (
            lines(r#"{"item":"g-2","decision":"revoke","advice":"keep"}"#),
            1,
            "line 2: g-2: the file was made when something else was advised",
        ),
        (format!("{h}\n{h}\n"), 3, "line 2: unknown field `schema`"),
        (
            format!(
                "{{\"schema\":\"aosctl.review-decisions/v1\",\"month\":\"{0}\",\"month\":\"{0}\",\"decisions\":[]}}",
                w.month
            ),
            3,
            "line 1: duplicate field `month`",
        ),
        (
            format!(
                "{{\n\"schema\":\"aosctl.review-decisions/v1\",\n\"month\":\"{}\",\n\"decisions\":[\n{g1},\n{{\"item\":\"g-77\",\"decision\":\"keep\"}}]}}",
                w.month
            ),
            1,
            "line 6: g-77 is no item",
        ),
        (
            format!(
                "{{\n\"schema\":\"aosctl.review-decisions/v1\",\n\"month\":\"{}\",\n\"decisions\":[\n{g1},\n",
                w.month
            ),
            3,
            "line 6: EOF while parsing",
        ),
        (format!("{{\"a\":{}", "[".repeat(100_000)), 3, "line 1: "),
    ];
    for (content, exit, said) in cases {
        let path = file(&w, &content);
        let shown: String = content.chars().take(200).collect();
        let out = run(&w, &["decide", "--from", &path]);
        assert_eq!(code(&out), exit, "{shown}: {}", err(&out));
        assert!(err(&out).contains(said), "{shown}:\nwanted {said}\n{}", err(&out));
        assert!(!err(&out).contains("panicked") && !err(&out).contains('\u{202e}'), "{}", err(&out));
        assert_eq!(w.size(), before, "{shown}");
    }
    // No text, too large, none, and another month than the flag's.
    let path = w.bench.path("bad");
    std::fs::write(&path, [head(&w).as_bytes(), b"\n{\"item\":\"g-1\xff"].concat()).unwrap();
    let out = run(&w, &["decide", "--from", path.to_str().unwrap()]);
    assert!(code(&out) == 3 && err(&out).contains("line 2: not UTF-8"), "{}", err(&out));
    std::fs::write(&path, vec![b' '; 17 << 20]).unwrap();
    let out = run(&w, &["decide", "--from", path.to_str().unwrap()]);
    assert_eq!(code(&out), 3, "{}", err(&out));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code(&run(&w, &["decide", "--from", path.to_str().unwrap()])), 3);
    let path = file(&w, &lines(g1));
    let out = run(&w, &["decide", "--from", &path, "--month", &w.month.before().to_string()]);
    assert!(code(&out) == 3 && err(&out).contains("and not of"), "{}", err(&out));
    assert_eq!(w.size(), before);
    // Without a first line, the flag says the month.
    let path = file(&w, g1);
    assert_eq!(code(&run(&w, &["decide", "--from", &path, "--month", &w.month.to_string()])), 5);
    assert_eq!(w.size(), before + 1);
}

#[test]
fn hostile_notes_are_kept_as_they_are_and_shown_with_care() {
    let w = World::new();
    let note = "\u{202e}ylno\u{1b}[2J\r\nOPEN: aosctl thaw\t\u{200b}";
    let row = json!({"item": "g-2", "decision": "keep", "note": note});
    let path = file(&w, &format!("{}\n{row}\n", head(&w)));
    let out = run(&w, &["decide", "--from", &path]);
    assert_eq!(code(&out), 5, "{}", err(&out));
    let shown = text(&out.stdout);
    assert!(!shown.contains(['\u{202e}', '\u{1b}', '\u{200b}', '\r', '\t']), "{shown}");
    assert!(
        shown.contains("revoke was advised: \\u{202e}ylno\\x1b[2J\\r\\nOPEN: aosctl\n"),
        "not as a line of ours: {shown}"
    );
    let (_, v) = ask(&w, &["--month", &w.month.to_string()]);
    let g2 = v["first"].as_array().unwrap().iter().find(|i| i["id"] == "g-2").unwrap();
    assert_eq!(g2["decided"]["note"], note, "JSON carries it as it is");
    w.assert_whole();
}

#[test]
fn signing_needs_what_comes_first_and_binds_the_page() {
    let w = World::new();
    let before = w.size();
    let out = run(&w, &["sign"]);
    assert_eq!(code(&out), 5);
    for (item, _) in FIRST {
        assert!(err(&out).contains(item), "{item}: {}", err(&out));
    }
    assert_eq!(code(&run(&w, &["decide", "--recommended", "--sign", "-n"])), 1, "it could be signed");
    let out = run(&w, &["decide", "--keep", "g-1", "--sign"]);
    assert_eq!((code(&out), w.size()), (5, before), "nothing is decided either: {}", err(&out));
    let (exit, v) = ask(&w, &["decide", "--recommended", "--sign"]);
    assert_eq!(exit, 1);
    let s = &v["signed"];
    assert_eq!((&s["by"]["id"], &s["seq"], &s["undecided"]), (&json!("op-1"), &json!(before + 3), &json!([])));
    assert_eq!(s["self_reviewed"].as_array().unwrap().len(), 11, "{s:#}");
    assert!(s["compensating"].as_str().unwrap().contains("op-2"), "{s:#}");
    let open: Vec<&str> = s["open"].as_array().unwrap().iter().map(|o| o["item"].as_str().unwrap()).collect();
    assert_eq!(open, ["k-1", "k-2"]);
    let Event::ReviewSigned(b) = w.ws.event(before + 3).unwrap().1 else { panic!("no signature") };
    assert_eq!((b.items, b.entries, Some(b.page.as_str())), (14, before, s["page"].as_str()));
    assert_eq!(b.open, [id("k-1"), id("k-2")]);
    // The root is that of the entries that the page rests on.
    let mut tree = Frontier::new();
    for stored in w.ws.store().range(0, usize::try_from(before).unwrap()).unwrap() {
        tree.push(leaf_hash(&stored.envelope));
    }
    assert_eq!(b.root, tree.root().to_hex());
    let (_, page) = ask(&w, &["--month", &w.month.to_string()]);
    assert_eq!(page["signature"]["page_holds"], true);
    // Once, and nothing after it.
    let out = run(&w, &["sign"]);
    assert!(code(&out) == 1 && err(&out).contains("signed before"), "{}", err(&out));
    let out = run(&w, &["decide", "--keep", "g-1"]);
    assert!(code(&out) == 1 && err(&out).contains("nothing can be decided in it any more"), "{}", err(&out));
    assert_eq!(w.size(), before + 4);
    w.assert_whole();
}

#[test]
fn a_signature_under_undecided_rest_says_so() {
    let w = World::new();
    let path = file(
        &w,
        &format!(
            "{}\n{}\n",
            head(&w),
            FIRST
                .iter()
                .map(|(item, decision)| json!({"item": item, "decision": decision}).to_string())
                .collect::<Vec<_>>()
                .join("\n")
        ),
    );
    assert_eq!(code(&run(&w, &["decide", "--from", &path])), 5);
    let (exit, v) = ask(&w, &["sign", "--note", "the rest next week"]);
    assert_eq!(exit, 0);
    assert_eq!((v["undecided"].as_array().unwrap().len(), &v["decided"], &v["items"]), (9, &json!(5), &json!(14)));
    w.assert_whole();
}

#[test]
fn what_happened_since_the_page_is_said_and_nothing_is_done_twice() {
    let w = World::new();
    let at = w.end.plus(Span::seconds(60));
    for g in ["g-2", "g-5"] {
        w.sign(at, GrantRevoked { grant: id(g), reason: None });
    }
    w.sign(
        at,
        GrantNarrowed {
            grant: id("g-3"),
            scope: None,
            access: Some(Access::Read),
            data: None,
            until: None,
            reason: None,
        },
    );
    w.sign(at, GrantRenewed { grant: id("g-1"), until: Some(at.plus(Span::days(364))), reason: None });
    w.sign(at, KeyRetired { key: id("k-2"), reason: None });
    let before = w.size();
    // What grew is not kept silently, by nobody.
    let out = run(&w, &["decide", "--keep", "g-1"]);
    assert!(code(&out) == 1 && err(&out).contains("since the page was made: its end was"), "{}", err(&out));
    let (exit, v) = ask(&w, &["decide", "--recommended"]);
    assert_eq!((exit, &v["undecided"]), (5, &json!(["g-1"])), "{v:#}");
    let (g2, g3, g5, k2) = (made(&v, "g-2"), made(&v, "g-3"), made(&v, "g-5"), made(&v, "k-2"));
    assert_eq!((&g2["remedy"], &g2["carried_out"]), (&json!("carried_out"), &json!(before - 5)));
    assert!(g2["meanwhile"].as_str().unwrap().contains("closed meanwhile"), "{g2:#}");
    assert_eq!((&g3["remedy"], &g3["carried_out"]), (&json!("carried_out"), &json!(before - 3)));
    assert_eq!(
        (&g5["decision"], &g5["advice"], &g5["remedy"]),
        (&json!("revoke"), &json!("keep"), &json!("carried_out"))
    );
    assert_eq!((&k2["remedy"], &k2["carried_out"]), (&json!("declared"), &json!(before - 1)));
    assert_eq!(w.entries_from(before), ["review.decided/1"]);
    assert_eq!(code(&run(&w, &["decide", "--keep", "g-1", "--note", "g-1=agreed in the planning"])), 1);
    w.assert_whole();
    // A keep of what is closed opens nothing, and is said.
    let w = World::new();
    w.sign(at, GrantRevoked { grant: id("g-1"), reason: None });
    let (_, v) = ask(&w, &["decide", "--keep", "g-1"]);
    assert!(made(&v, "g-1")["meanwhile"].as_str().unwrap().contains("closed meanwhile"));
    assert!(w.is_revoked("g-1"));
}

#[test]
fn agents_and_operators_are_retired_and_nobody_retires_themselves() {
    let w = World::new();
    let args = [
        "decide",
        "--revoke",
        "quiet-bot,second,op-1",
        "--note",
        "ag-2=gone",
        "--note",
        "op-2=left",
        "--note",
        "op-1=me",
    ];
    let (exit, v) = ask(&w, &args);
    assert_eq!(exit, 5);
    assert_eq!(made(&v, "ag-2")["remedy"], "carried_out");
    assert_eq!(made(&v, "op-2")["remedy"], "carried_out");
    let me = made(&v, "op-1");
    assert_eq!(
        (&me["remedy"], &me["left"]),
        (&json!("open"), &json!("another operator types: aosctl operator retire op-1"))
    );
    assert!(!w.ws.facts().identity(id("op-2")).unwrap().unwrap().is_live());
    assert!(w.ws.facts().identity(id("op-1")).unwrap().unwrap().is_live());
    // Now the last one, who cannot be retired at all.
    let out = run(&w, &["decide", "--revoke", "op-1", "--note", "op-1=again"]);
    assert!(code(&out) == 1 && err(&out).contains("op-1 is the last operator"), "{}", err(&out));
    w.assert_whole();
}

#[test]
fn only_an_operator_decides_and_signs() {
    let w = World::new();
    let before = w.size();
    for args in [["review", "decide", "--recommended"].as_slice(), &["review", "sign"]] {
        let out = w.bench.agent("ci-bot", args).output().unwrap();
        assert_eq!(code(&out), 1, "{}", err(&out));
        assert!(err(&out).contains("ag-1 is an agent, and only an operator may"), "{}", err(&out));
    }
    let out = w.bench.bare().args(["--no-input", "review", "decide", "--recommended"]).output().unwrap();
    assert!(code(&out) == 3 && err(&out).contains("--passphrase-file"), "{}", err(&out));
    let out = w.bench.bare().args(["review", "decide"]).output().unwrap();
    assert!(code(&out) == 3 && err(&out).contains("--template"), "{}", err(&out));
    std::fs::write(w.bench.path("pass"), "another passphrase it is").unwrap();
    let out = run(&w, &["decide", "--recommended"]);
    assert_eq!(code(&out), 1, "{}", err(&out));
    assert_eq!(w.size(), before);
}

#[test]
fn two_operators_at_once() {
    for _ in 0..3 {
        let w = World::new();
        let before = w.size();
        let second = w.second.to_str().unwrap().to_string();
        let mut a = w.bench.cmd(&["--json", "review", "decide", "--revoke", "g-2", "--keep", "g-1"]);
        let mut b = w.bench.cmd(&[
            "--json",
            "--identity",
            &second,
            "review",
            "decide",
            "--keep",
            "g-2",
            "--note",
            "g-2=needed",
        ]);
        let (a, b) = (spawn(&mut a), spawn(&mut b));
        let (a, b) = (a.wait_with_output().unwrap(), b.wait_with_output().unwrap());
        let d = w.decided("g-2").unwrap();
        match (code(&a), code(&b)) {
            // Both at once: the slower one is told, and all of what it wanted is left out.
            (5, 1) => {
                assert_eq!(json(&b)["kind"], "decided_meanwhile");
                assert_eq!((d.decision.as_str(), w.is_revoked("g-2")), ("revoke", true));
                assert_eq!(w.size(), before + 2);
            }
            (1, 5) => {
                assert_eq!(json(&a)["kind"], "decided_meanwhile");
                assert_eq!((d.decision.as_str(), w.is_revoked("g-2")), ("keep", false));
                assert_eq!(w.size(), before + 1);
                assert_eq!(w.decided("g-1"), None);
            }
            // One after the other: the later one saw what the first decided, and decided anew.
            (5, 5) => assert!(w.size() >= before + 2),
            other => panic!("{other:?}: {}{}", err(&a), err(&b)),
        }
        w.assert_whole();
    }
}

fn spawn(c: &mut std::process::Command) -> std::process::Child {
    c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn killed_at_any_moment_all_is_recorded_or_nothing() {
    let w = World::new();
    let db = w.bench.dir.path().to_path_buf();
    let whole = {
        let w = World::new();
        let begin = Instant::now();
        assert_eq!(code(&run(&w, &["decide", "--recommended"])), 1);
        begin.elapsed()
    };
    drop((w, db));
    let (mut cut, mut answered) = (0, 0);
    for n in 0..16u32 {
        let w = World::new();
        let before = w.size();
        let mut c = w.bench.cmd(&["--json", "review", "decide", "--recommended"]);
        let mut child = spawn(&mut c);
        // Most of it is Argon2; what is written comes at the end.
        std::thread::sleep(whole * (14 + n) / 28);
        child.kill().unwrap();
        let out = child.wait_with_output().unwrap();
        let said = serde_json::from_slice::<Value>(&out.stdout).is_ok();
        let written = w.size() - before;
        assert!(written == 0 || written == 3, "{written} of 3 entries");
        assert_eq!((w.is_revoked("g-2"), w.decided("g-2").is_some()), (written == 3, written == 3));
        assert!(!said || written == 3, "what was acknowledged is on disk");
        if said {
            answered += 1
        } else {
            cut += 1
        }
        w.assert_whole();
        // And it goes on.
        let out = run(&w, &["decide", "--recommended"]);
        assert!(matches!(code(&out), 0 | 1), "{}", err(&out));
        assert!(w.is_revoked("g-2"));
    }
    println!("{cut} killed before they answered, {answered} after");
    assert!(cut > 0);
}

#[test]
fn check_for_cron_and_for_a_monitor() {
    let w = World::new();
    // Due by the first of the month, so at least due today.
    w.adopt("[review]\ndue_day = 1\nowner = \"op-2\"\n");
    let out = w.bench.bare().args(["review", "check"]).output().unwrap();
    assert_eq!(code(&out), 1, "{}", err(&out));
    let said = text(&out.stdout);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains(
            "second (op-2) decides about 5 that come first and 9 others, and signs: aosctl review decide --month"
        ),
        "{flat}"
    );
    let (exit, v) = ask(&w, &["check"]);
    assert_eq!((exit, &v["ok"], &v["owner"]["id"]), (1, &json!(false), &json!("op-2")));
    assert!(["due", "overdue"].contains(&v["state"].as_str().unwrap()), "{v:#}");
    assert_eq!(v["to_decide"], json!({"first": 5, "others": 9, "items": 14}));
    let out = w.bench.bare().args(["review", "check", "--monitor"]).output().unwrap();
    let line = text(&out.stdout);
    assert!(
        (code(&out) == 2 && line.starts_with("AOSCTL REVIEW CRITICAL - review of "))
            || (code(&out) == 1 && line.starts_with("AOSCTL REVIEW WARNING - ")),
        "{line}"
    );
    assert!(line.contains(" | overdue=") && line.ends_with("undecided=14;;;0\n"), "{line}");
    assert_eq!((line.lines().count(), err(&out).as_str()), (1, ""));
    // The one screen says it, too.
    let status = text(&w.bench.bare().args(["status"]).output().unwrap().stdout);
    let line = status.lines().find(|l| l.starts_with(&format!("review of {} ", w.month))).unwrap_or_default();
    assert!(line.contains(v["state"].as_str().unwrap()), "{status}");
    assert!(line.ends_with(": aosctl review decide") && line.len() <= 80, "{status}");
    let status = json(&w.bench.bare().args(["status", "--json"]).output().unwrap());
    assert_eq!((&status["review"]["month"], &status["review"]["state"]), (&v["month"], &v["state"]));
    assert_eq!(status["review"]["command"], json!("aosctl review decide"));
    // Decided and not signed is still due; signed leaves what is OPEN.
    assert_eq!(code(&run(&w, &["decide", "--recommended"])), 1);
    let out = run(&w, &["check"]);
    assert!(
        text(&out.stdout)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("signs; everything is decided: aosctl review sign"),
        "{}",
        text(&out.stdout)
    );
    assert_eq!(code(&run(&w, &["sign"])), 0);
    let status = json(&w.bench.bare().args(["status", "--json"]).output().unwrap());
    assert_eq!(status["review"], json!(null), "signed");
    let out = run(&w, &["check"]);
    assert_eq!(code(&out), 1);
    let said = text(&out.stdout);
    assert!(said.contains("aosctl rotation record k-1") && said.contains("aosctl key retire k-2"), "{said}");
    assert!(said.lines().count() == 2 && said.lines().all(|l| l.starts_with("OPEN ")), "one line an item: {said}");
    let out = run(&w, &["check", "--monitor"]);
    assert_eq!((code(&out), text(&out.stdout).contains("signed, 2 OPEN")), (1, true), "{}", text(&out.stdout));
    // Done elsewhere, and recorded: silence.
    let now = review_world::now();
    w.sign(now, KeyRetired { key: id("k-2"), reason: None });
    let rotated = RotationRecorded {
        key: id("k-1"),
        rotated: now,
        place: None,
        provider_id: None,
        last4: None,
        fingerprint: None,
        expires: None,
        note: None,
    };
    w.sign(now, rotated);
    let out = run(&w, &["check"]);
    assert_eq!((code(&out), text(&out.stdout).as_str(), err(&out).as_str()), (0, "", ""));
    let out = run(&w, &["check", "--monitor"]);
    assert_eq!((code(&out), text(&out.stdout).starts_with("AOSCTL REVIEW OK - review of ")), (0, true));
    let (_, v) = ask(&w, &["check"]);
    assert_eq!((&v["state"], &v["open"], &v["to_decide"]), (&json!("signed"), &json!([]), &Value::Null));
    // Wrong usage and no workspace are UNKNOWN for a monitor.
    assert_eq!(code(&run(&w, &["check", "--monitor", "--no-such-flag"])), 3);
    assert_eq!(
        code(&w.bench.bare().args(["--workspace", "nowhere", "review", "check", "--monitor"]).output().unwrap()),
        3
    );
}

#[test]
fn a_workspace_of_this_month_has_nothing_to_review() {
    let b = support::Bench::new();
    let out = b.run(&["review", "check"]);
    assert_eq!((code(&out), text(&out.stdout).as_str()), (0, ""), "{}", err(&out));
    let v = json(&b.run(&["--json", "review", "check"]));
    assert_eq!((&v["state"], &v["ok"]), (&json!("nothing"), &json!(true)));
    let now = aosctl::domain::review::Month::of(review_world::now());
    let first = format!("the first review is of {now}, from {}-01 on", now.next());
    let (earlier, running, later) = (now.before().to_string(), now.to_string(), now.next().to_string());
    for args in [
        ["review", "decide", "--recommended"].as_slice(),
        &["review", "decide", "--recommended", "--month", &earlier],
        &["review", "decide", "--recommended", "--month", &running],
        &["review", "decide", "--recommended", "--month", &later],
        &["review", "sign"],
        &["review", "diff"],
    ] {
        let out = b.run(args);
        assert_eq!(code(&out), 1, "{args:?}: {}", err(&out));
        assert!(err(&out).contains(&first), "{args:?}: {}", err(&out));
        assert!(!err(&out).contains(&format!("--month {earlier}")), "{args:?}: {}", err(&out));
    }
    // Nobody can sign a month that lasts: its page does not say so, and says from when on.
    let page = text(&b.run(&["review"]).stdout);
    assert!(page.contains(&format!("NOT SIGNED: from {}-01 on, due ", now.next())), "{page}");
    assert!(!page.contains("aosctl review sign"), "{page}");
}

#[test]
fn what_changed_between_two_reviews() {
    let w = World::new();
    let m = [w.month.before().to_string(), w.month.to_string()];
    assert_eq!(code(&run(&w, &["decide", "--recommended"])), 1);
    let (exit, v) = ask(&w, &["diff"]);
    assert_eq!(exit, 0);
    assert_eq!((&v["from"]["month"], &v["to"]["month"]), (&json!(m[0]), &json!(m[1])));
    let items = |member: &str| -> Vec<String> {
        v[member].as_array().unwrap().iter().map(|i| i["item"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(items("granted"), ["op-2", "g-5", "k-3"]);
    assert_eq!((items("revoked"), items("widened"), items("narrowed")), (vec![], vec![], vec![]));
    let found = v["findings_new"].as_array().unwrap();
    assert!(found.iter().any(|f| f["rule"] == "AR-01" && f["item"] == "k-2"), "{found:#?}");
    let revoked = v["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["item"] == "g-2" && d["month"] == m[1].as_str())
        .unwrap()
        .clone();
    assert_eq!((&revoked["decision"], &revoked["remedy"]), (&json!("revoke"), &json!("carried_out")));
    // One month alone is the later one; two are from and to; the wrong way round is refused.
    assert_eq!(ask(&w, &["diff", &m[1]]).1, v);
    assert_eq!(ask(&w, &["diff", &m[0], &m[1]]).1, v);
    let out = run(&w, &["diff", &m[1], &m[0]]);
    assert!(code(&out) == 2 && err(&out).contains("is not before"), "{}", err(&out));
    // The same from the same log; the page has it too.
    let page = text(&run(&w, &["diff"]).stdout);
    assert_eq!(page, text(&run(&w, &["diff"]).stdout));
    assert!(page.contains("revoke g-2; carried out, entry"), "{page}");
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");
}

#[test]
fn what_was_widened_and_narrowed_and_revoked_is_in_the_difference() {
    let w = World::new();
    // All of this happened in the month itself: compare with the month before.
    let at = w.end.minus(Span::seconds(10));
    w.sign(at, GrantRevoked { grant: id("g-2"), reason: None });
    w.sign(
        at,
        GrantNarrowed {
            grant: id("g-3"),
            scope: None,
            access: Some(Access::Read),
            data: None,
            until: None,
            reason: None,
        },
    );
    w.sign(at, GrantRenewed { grant: id("g-1"), until: Some(at.plus(Span::days(364))), reason: None });
    let mut wide = w.issued(id("g-6"), review_world::QUIET, "repo:acme/*", Access::Write, at.plus(Span::days(300)));
    wide.replaces = Some(id("g-4"));
    w.sign(at, wide);
    w.sign(at, GrantRevoked { grant: id("g-4"), reason: None });
    let (_, v) = ask(&w, &["diff"]);
    let of = |member: &str| {
        v[member]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| (i["item"].as_str().unwrap(), i["what"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("revoked"), [("g-2", "revoked"), ("g-4", "revoked")]);
    assert_eq!(of("narrowed"), [("g-3", "access write to read")]);
    assert!(of("widened").iter().any(|(i, what)| *i == "g-1" && what.starts_with("end ")), "{v:#}");
    let g6 = of("granted").into_iter().find(|(i, _)| *i == "g-6").unwrap();
    assert!(
        g6.1.contains("in the place of g-4; wider: scope repo:acme/site to repo:acme/*, access read to write"),
        "{g6:?}"
    );
}

#[test]
fn a_grant_that_the_index_hides_leaves_a_gap_and_nothing_is_signed() {
    let w = World::new();
    run(&w, &["decide", "--recommended"]);
    assert_eq!(code(&run(&w, &["sign", "--dry-run"])), 0);
    let size = w.size();
    // As somebody with the sqlite3 shell: out of the tables, and out of the column by which entries are found.
    support::sql(
        &w.bench.db(),
        "PRAGMA foreign_keys = OFF; DROP TRIGGER entries_keep_1;
         UPDATE entries SET subject = 'x' WHERE subject = 'g-1'; DELETE FROM grants WHERE id = 'g-1'",
    );
    let (exit, page) = ask(&w, &[]);
    assert_eq!(exit, 0, "the page is shown, and says what it is: {page:#}");
    let sources = page["population"]["sources"].as_array().unwrap();
    let broken: Vec<&Value> = sources.iter().filter(|s| !s["failed"].is_null()).collect();
    assert_eq!(broken.len(), 1, "{sources:#?}");
    assert_eq!((&broken[0]["name"], &broken[0]["live"]), (&json!("grants"), &broken[0]["reviewed"]), "1/1, and yet");
    assert!(broken[0]["failed"].as_str().unwrap().contains("the log's index hides g-1"), "{}", broken[0]);
    assert!(text(&run(&w, &[]).stdout).contains("grants INCOMPLETE"));
    for args in [&["sign"][..], &["sign", "--dry-run"], &["sign", "--month", &w.month.to_string()]] {
        let out = run(&w, args);
        assert_eq!(code(&out), 4, "{args:?}: {}", err(&out));
        assert!(err(&out).contains("does not show all grants") && err(&out).contains("aosctl audit verify"));
    }
    assert_eq!(w.size(), size, "nothing was signed");
    assert_eq!(code(&w.bench.run(&["audit", "verify"])), 4);
}

#[test]
fn a_moment_without_a_month_means_the_month_that_it_closes() {
    let w = World::new();
    let next = w.month.next();
    let moment = format!("{next}-01T06:00:00Z");
    let (exit, v) = ask(&w, &["--as-of", &moment]);
    assert_eq!((exit, v["month"].as_str()), (0, Some(w.month.to_string().as_str())), "{v:#}");
    let out = run(&w, &["--as-of", "now"]);
    assert_eq!(code(&out), 2);
    assert!(err(&out).contains("it is a day or a time") && !err(&out).contains("never"), "{}", err(&out));
    // A monitor gets its one line, even where a value stands behind the flag.
    for (noun, service) in [("rotation", "ROTATION"), ("review", "REVIEW")] {
        let out = w.bench.run(&[noun, "check", "--monitor=yes"]);
        let line = text(&out.stdout);
        assert_eq!((code(&out), line.lines().count(), err(&out).as_str()), (3, 1, ""), "{line}");
        assert!(line.starts_with(&format!("AOSCTL {service} UNKNOWN - wrong usage: ")), "{line}");
    }
}
