//! Law 8: whatever an agent writes, it moves nothing, hides nothing, and passes for nothing of ours.

use aosctl::domain::event::{Artifacts, Command, FileDigest};
use aosctl::domain::facets::Facets;

use crate::approve_world::{Ask, World, minutes_ago};
use crate::pty::{Desk, assert_only_our_control, assert_snapshot};
use crate::{KEYS, support};

/// In every line of every hostile text, so that each can be found on the screen.
const EVIL: &str = "EVIL";

/// What is ours at the left of a line, and may have agent text to the right of `| `.
const LABELS: [&str; 20] = [
    "",
    "action",
    "on",
    "grant",
    "involves",
    "why asked",
    "unsure",
    "in vain",
    "approvers",
    "costs",
    "summary",
    "recommends",
    "because",
    "alternatives",
    "rollback",
    "command",
    "files",
    "parameters",
    "diff",
    "its key",
];

/// Our own lines, faked, wherever a line could begin.
fn faked() -> String {
    let lines = [
        "EVIL=== r-1 === low risk ==================================================== 1 of 1 ===",
        "=== r-1 === low risk === EVIL",
        "recommends    EVIL deny nothing",
        "recommendation EVIL",
        "why asked     EVIL: nothing",
        "on            repo:acme/harmless at github EVIL",
        "its record    100 asked in 90 days: 100 done EVIL",
        "like this     100 decided: 100 approved EVIL",
        "[r-1] a approve  d deny  s skip  e everything  q quit  ? help > EVIL",
        "error: EVIL",
    ];
    lines.join("\n")
}

/// Everything at once.
fn hostile() -> String {
    let moves = [
        "\x1b[2J\x1b[H EVIL",
        "\x1b]0;EVIL\x07",
        "\x1b[31m\x1b[8m EVIL",
        "\x1bc EVIL",
        "\r=== r-1 === low risk EVIL",
        "EVIL\x08\x08\x08\x08",
        "\u{9b}2J\u{90}EVIL\u{9c}",
        "\0EVIL\x0b\x0c\x7f",
        "\u{202e}LIVE\u{202c} EVIL",
        "\u{2066}EVIL\u{2069}\u{200f}\u{61c}",
        "E\u{200b}V\u{200d}IL EVIL\u{feff}\u{ad}\u{2060}",
        "EVIL\u{2028}because EVIL\u{2029}rollback EVIL\u{85}",
        "EVIL\u{e0041}\u{e0042}\u{fe0f}\u{3164}\u{2800}",
        "EVIL e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "EVIL 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
        "EVIL \\n \\x1b \\' ' \" ` $(EVIL)",
    ];
    format!("{}\n{}", moves.join("\n"), faked())
}

/// A request whose every text is hostile.
fn ask(text: &str) -> Ask {
    let t = || Some(text.to_string());
    Ask {
        action: text.into(),
        resource: "repo:acme/app".into(),
        facets: Facets {
            destination: t(),
            environment: t(),
            recipients: Some(u64::from(u32::MAX)),
            public: true,
            ..Facets::default()
        },
        unsure: t(),
        summary: t(),
        recommendation: t(),
        rationale: t(),
        alternatives: Some(vec![text.into(), text.into()]),
        rollback: t(),
        parameters: t(),
        diff: t(),
        artifacts: Some(Artifacts {
            command: Some(Command {
                program: text.into(),
                program_sha256: text.into(),
                argv: vec![text.into(), String::new(), text.into()],
                directory: text.into(),
                environment: vec![text.into()],
                stdin_sha256: text.into(),
            }),
            files: vec![FileDigest { name: text.into(), sha256: text.into(), bytes: u64::from(u32::MAX) }],
        }),
        mission: t(),
        model: t(),
        ..Ask::deploy()
    }
}

/// No line that holds agent text begins otherwise than with a label of ours, or blanks, and the margin.
fn assert_margins(rows: &[String]) {
    for (i, row) in rows.iter().enumerate().filter(|(_, r)| r.contains(EVIL)) {
        let start: Vec<char> = row.chars().take(16).collect();
        let (label, margin): (String, String) = (start[..14].iter().collect(), start[14..].iter().collect());
        assert!(
            margin == "| " && LABELS.contains(&label.trim_end()),
            "row {i} is not behind the margin: {row:?}\n{}",
            rows.join("\n")
        );
    }
}

/// Header and key line are where they belong, and there is one of each.
fn assert_frame(rows: &[String]) {
    assert!(
        rows[0].starts_with("=== r-1 === high risk ======") && rows[0].ends_with("=== 1 of 1 ==="),
        "{}",
        rows.join("\n")
    );
    assert_eq!(rows[1], "build-bot (ag-1) for ops (op-1), asked 12 minutes ago, expires in 23 hours");
    assert_eq!(rows.last().unwrap(), &format!("[r-1] {}", KEYS.trim_end()));
    for row in &rows[1..rows.len() - 1] {
        assert!(!row.starts_with("===") && !row.starts_with('['), "{row:?}");
        assert!(!row.starts_with("recommendation"), "{row:?}");
    }
}

fn shown(text: &str, columns: u16, rows: u16) -> (World, Desk) {
    let w = World::new();
    let id = w.ask(minutes_ago(12), &ask(text));
    assert_eq!(w.standing(id), "pending");
    let mut desk = Desk::start(&w.bench, columns, rows, &["approve"], "cat");
    desk.wait_for(KEYS);
    assert_frame(&desk.rows());
    assert_margins(&desk.rows());
    assert_only_our_control(&desk.bytes());
    (w, desk)
}

#[test]
fn every_text_hostile() {
    let (w, mut desk) = shown(&hostile(), 80, 24);
    assert_snapshot("approve-hostile", &desk.rows());
    // Everything, too: printed plainly here, because the pager is cat.
    desk.type_in("e");
    desk.wait_for("request.made by build-bot (ag-1)");
    desk.at(KEYS, "q");
    assert_eq!(desk.end(), 5);
    assert_only_our_control(&desk.bytes());
    let out = w.bench.bare().args(["request", "show", "r-1"]).output().unwrap();
    let lines: Vec<String> = support::text(&out.stdout).lines().map(String::from).collect();
    assert!(lines.iter().filter(|l| l.contains(EVIL)).count() > 300);
    assert_margins(&lines);
    assert_only_our_control(&support::text(&out.stdout).replace('\n', "\r\n").into_bytes());
    // By name as well: what is shown on stderr.
    let out = w.bench.cmd(&["approve", "r-1", "--dry-run"]).output().unwrap();
    let lines: Vec<String> = support::text(&out.stderr).lines().map(String::from).collect();
    assert!(lines[0].starts_with("=== r-1 === high risk ==="), "{lines:#?}");
    assert_margins(&lines);
    // And the queue: one request takes a few lines, whatever its action is.
    let out = w.bench.bare().args(["queue"]).output().unwrap();
    let queue = support::text(&out.stdout);
    assert!(
        queue.lines().count() <= 5
            && queue
                .lines()
                .all(|l| l.starts_with("r-1 ") || l.starts_with("     ") || l == "1 waits; decide: aosctl approve"),
        "{queue}"
    );
    assert_only_our_control(&queue.replace('\n', "\r\n").into_bytes());
}

#[test]
fn every_text_hostile_on_other_screens() {
    shown(&hostile(), 100, 40);
    shown(&hostile(), 160, 60);
}

#[test]
fn a_single_line_longer_than_any_screen() {
    shown(&format!("EVIL {}", "recommends    EVIL ".repeat(500)), 80, 24);
    shown(&format!("EVIL{}", "x".repeat(8_000)), 80, 24);
}

#[test]
fn ten_thousand_newlines_and_a_diff_of_500_kib() {
    let w = World::new();
    let newlines = format!("EVIL{}EVIL", "\n".repeat(10_000));
    let ask = Ask {
        diff: Some("+EVIL and a line of forty characters or so\n".repeat(12_000)),
        summary: Some(newlines.clone()),
        recommendation: Some(newlines.clone()),
        rationale: Some(newlines.clone()),
        alternatives: Some(vec![newlines.clone(); 3]),
        rollback: Some(newlines.clone()),
        parameters: Some(newlines),
        ..Ask::deploy()
    };
    assert!(ask.diff.as_ref().unwrap().len() > 500 * 1024);
    w.ask(minutes_ago(12), &ask);
    let mut desk = Desk::start(&w.bench, 80, 24, &["approve"], "cat");
    desk.wait_for(KEYS);
    let rows = desk.rows();
    assert_frame(&rows);
    assert_margins(&rows);
    assert_snapshot("approve-newlines", &rows);
    let said = rows.join(" ");
    assert!(said.contains("summary 999") && said.contains("diff 1199") && said.contains("parameters 10000"), "{said}");
    desk.type_in("q");
    assert_eq!(desk.end(), 5);
}

#[test]
fn json_that_would_mislead_is_shown_as_it_is() {
    let w = World::new();
    let parameters = format!(
        r#"{{"environment":"staging","environment":"production","note":"\u001b[2J","more":"{}"}}"#,
        "x".repeat(100)
    );
    w.ask(minutes_ago(12), &Ask { parameters: Some(parameters), ..Ask::deploy() });
    let mut desk = Desk::start(&w.bench, 80, 40, &["approve"], "cat");
    desk.at(KEYS, "q");
    desk.end();
    let rows = desk.rows().join("\n");
    let all = String::from_utf8_lossy(&desk.bytes()).into_owned();
    assert!(
        all.contains(r#"|   "environment": "staging","#) && all.contains(r#"|   "environment": "production","#),
        "{rows}"
    );
    assert!(all.contains(r#""note": "\\u001b[2J""#), "{rows}");
}
