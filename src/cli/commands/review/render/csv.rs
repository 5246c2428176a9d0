//! One row an item, RFC 4180: every field in quotes, CR LF at every end, UTF-8 without BOM.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, TAB or CR for a formula; such a cell gets an apostrophe
//! in front (OWASP, CSV Injection), which spreadsheets hide and other readers strip. Hidden characters and line ends are
//! visible escapes, as everywhere ([`crate::cli::text`]), so no cell holds a line end.

use super::card::{kind_word, narrower, remedy, severity};
use super::words::copyable;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::review::model::{Item, LastUse, Review, Who};
use crate::review::rules;

/// What begins a formula; the last four are what East Asian spreadsheets take for the first four.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The columns, in order. New ones are added at the end.
pub const COLUMNS: &[&str] = &[
    "month",
    "as_of",
    "log",
    "log_entries",
    "log_head",
    "part",
    "item",
    "kind",
    "name",
    "agent",
    "agent_name",
    "integration",
    "integration_name",
    "scope",
    "access",
    "data",
    "owner",
    "owner_name",
    "mission",
    "since",
    "until",
    "marks",
    "last_use",
    "last_use_at",
    "last_use_by",
    "last_use_entry",
    "first_entry",
    "last_entry",
    "rule",
    "severity",
    "fact",
    "window_days",
    "covered_days",
    "fact_first_entry",
    "fact_last_entry",
    "all_findings",
    "advice",
    "narrower",
    "command",
    "certified_month",
    "certified_at",
    "certified_decision",
    "decision",
    "decision_advice",
    "overridden",
    "note",
    "decided_by",
    "decided_by_name",
    "decided_at",
    "decided_entry",
    "self_review",
    "remedy",
    "carried_out_entry",
    "signed_by",
    "signed_at",
    "signed_entry",
    "annex_sha256",
];

/// One row an item, what has to be decided first before everything else.
pub fn csv(review: &Review) -> String {
    let mut out = String::new();
    record(&mut out, COLUMNS.iter().map(ToString::to_string));
    for (part, items) in [("first", &review.first), ("rest", &review.rest)] {
        for item in items {
            record(&mut out, fields(review, part, item).into_iter());
        }
    }
    out
}

/// Adds one row. Its fields were made safe to be shown before.
pub fn record(out: &mut String, fields: impl Iterator<Item = String>) {
    for (n, field) in fields.enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push('"');
        if field.starts_with(FORMULA) {
            out.push('\'');
        }
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    }
    out.push_str("\r\n");
}

fn fields(review: &Review, part: &str, i: &Item) -> Vec<String> {
    let text = |t: &Option<String>| t.as_deref().map(safe).unwrap_or_default();
    let who = |w: Option<&Who>| w.map_or([String::new(), String::new()], |w| [w.id.to_string(), text(&w.name)]);
    let time = |t: Option<Time>| t.map(|t| t.to_string()).unwrap_or_default();
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let days = |n: Option<u32>| number(n.map(u64::from));
    let flag = |b: bool| if b { "yes" } else { "no" }.to_string();

    let log = &review.log;
    let mut row = vec![
        review.month.to_string(),
        review.as_of.to_string(),
        safe(&log.origin),
        log.entries.to_string(),
        safe(&log.leaf),
        part.to_string(),
        i.id.to_string(),
        kind_word(i.kind).to_string(),
        text(&i.name),
    ];
    row.extend(who(i.agent.as_ref()));
    row.extend(who(i.integration.as_ref()));
    row.extend([
        text(&i.scope),
        i.access.map(|a| a.to_string()).unwrap_or_default(),
        i.data.map(|d| d.to_string()).unwrap_or_default(),
    ]);
    row.extend(who(i.owner.as_ref()));
    row.extend([
        text(&i.mission),
        i.since.to_string(),
        time(i.until),
        i.marks.iter().map(|m| safe(m)).collect::<Vec<_>>().join(" "),
    ]);
    row.extend(match &i.last_use {
        LastUse::Used { at, by, seq } => ["used".into(), at.to_string(), safe(by), number(*seq)],
        LastUse::Never { by, since } => ["never".into(), since.to_string(), safe(by), String::new()],
        LastUse::Unknown { why } => ["unknown".into(), String::new(), safe(why), String::new()],
        LastUse::None => ["none".into(), String::new(), String::new(), String::new()],
    });
    row.extend([i.entries.first.to_string(), i.entries.last.to_string()]);
    // The reason for what is advised, as on the page.
    let f = rules::advice(&i.findings).or(i.findings.first());
    let all: Vec<&str> = i.findings.iter().map(|f| f.rule.id()).collect();
    row.extend([
        f.map(|f| f.rule.id().to_string()).unwrap_or_default(),
        f.map(|f| severity(f.severity).to_string()).unwrap_or_default(),
        f.map(|f| safe(&f.fact)).unwrap_or_default(),
        days(f.and_then(|f| f.window_days)),
        days(f.and_then(|f| f.covered_days)),
        number(f.map(|f| f.entries.first)),
        number(f.map(|f| f.entries.last)),
        all.join(" "),
        i.advice.to_string(),
        i.narrower.as_ref().map(|n| narrower(n).plain()).unwrap_or_default(),
        i.command.as_deref().map(copyable).unwrap_or_default(),
    ]);
    row.extend(
        i.certified
            .as_ref()
            .map_or_else(Default::default, |c| [c.month.to_string(), c.at.to_string(), c.decision.to_string()]),
    );
    match &i.decided {
        None => row.extend(std::iter::repeat_n(String::new(), 11)),
        Some(d) => {
            row.extend([d.decision.to_string(), d.advice.to_string(), flag(d.overridden), text(&d.note)]);
            row.extend(who(Some(&d.by)));
            row.extend([
                d.at.to_string(),
                d.seq.to_string(),
                flag(d.self_review),
                remedy(d.remedy).to_string(),
                number(d.carried_out),
            ]);
        }
    }
    row.extend(
        review
            .signature
            .as_ref()
            .map_or_else(Default::default, |s| [s.by.id.to_string(), s.at.to_string(), s.seq.to_string()]),
    );
    row.push(safe(&review.annex_sha256));
    row
}
