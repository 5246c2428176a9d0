//! Decisions in a file: `aosctl.review-decisions/v1`.
//!
//! Either one JSON object, or JSON lines: a first line that names the month, then an object a line. Read strictly, because
//! it revokes: unknown and repeated members, and anything that is no decision, are errors that name the line.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::desk::{Desk, said};
use super::script::Wanted;
use crate::cli::commands::connect::words;
use crate::cli::commands::review::page;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::domain::review::{Advice, Month};
use crate::review::carry::needs_note;
use crate::sys::files;

/// The schema's name.
pub const SCHEMA: &str = "aosctl.review-decisions/v1";
/// The largest file, in bytes: a hundred thousand items with short notes.
const MAX_FILE: usize = 16 * 1_048_576;

/// Decisions about the items of one review: what `review decide --from` reads and `--template` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewDecisionsView {
    /// Which review.
    pub month: Month,
    /// Each decision.
    pub decisions: Vec<Row>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// About what: g-1.
    pub item: Id,
    /// What is decided.
    pub decision: Advice,
    /// Why; required where it is not what is advised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What was advised when the file was made. If the page advises something else by now, the file is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// For whoever edits the file; not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// The first line of JSON lines.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
    month: Month,
}

/// The whole file as one object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<'a> {
    schema: String,
    month: Month,
    #[serde(borrow)]
    decisions: Vec<&'a RawValue>,
}

/// What a file says, each decision with the place that it stands at.
#[derive(Debug)]
pub struct FromFile {
    /// The month that it names.
    pub month: Option<Month>,
    /// Its decisions.
    pub wanted: Vec<Wanted>,
}

fn bad(line: usize, what: impl std::fmt::Display) -> CliError {
    CliError::could_not("bad_decisions", format!("line {line}: {}", safe(&what.to_string())))
        .because("nothing was decided")
        .hint("a file to edit: aosctl review decide --template")
}

/// Without serde's own count of lines, which is of the piece that was read.
fn plain(e: &serde_json::Error) -> String {
    let text = e.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or_default().to_string(),
        None => text,
    }
}

/// Reads a file of decisions, or standard input for `-`.
pub fn read(path: &Path) -> Result<FromFile, CliError> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
        std::io::stdin()
            .lock()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|e| CliError::could_not("io", format!("standard input cannot be read: {e}")))?;
        bytes
    } else {
        files::read_limited(path, MAX_FILE)?
    };
    if bytes.len() > MAX_FILE {
        return Err(CliError::could_not("bad_decisions", format!("the decisions are more than {MAX_FILE} bytes"))
            .because("nothing was decided"));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let before = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        bad(line_at(before), "not UTF-8")
    })?;
    parse(&text)
}

/// The number of the line that begins or goes on after these bytes.
fn line_at(before: &[u8]) -> usize {
    before.iter().filter(|b| **b == b'\n').count() + 1
}

/// Reads decisions.
pub fn parse(text: &str) -> Result<FromFile, CliError> {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    #[derive(Deserialize)]
    struct Probe {
        decisions: Option<serde::de::IgnoredAny>,
    }
    match serde_json::from_str::<Probe>(first) {
        Ok(Probe { decisions: None }) => lines(text),
        _ if first.trim_start().starts_with('{') => whole(text),
        _ if first.is_empty() => Err(bad(1, "there is no decision")),
        _ => Err(bad(1, "this is no JSON object")),
    }
}

fn lines(text: &str) -> Result<FromFile, CliError> {
    let mut month = None;
    let mut wanted = Vec::new();
    let mut begun = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if !begun {
            begun = true;
            #[derive(Deserialize)]
            struct Probe {
                schema: Option<serde::de::IgnoredAny>,
            }
            if serde_json::from_str::<Probe>(line).is_ok_and(|p| p.schema.is_some()) {
                let head: Head = serde_json::from_str(line).map_err(|e| bad(number, plain(&e)))?;
                known(&head.schema, number)?;
                month = Some(head.month);
                continue;
            }
        }
        wanted.push(row(line, number)?);
    }
    Ok(FromFile { month, wanted })
}

fn whole(text: &str) -> Result<FromFile, CliError> {
    let read: Whole<'_> = serde_json::from_str(text).map_err(|e| bad(e.line(), plain(&e)))?;
    known(&read.schema, 1)?;
    let begin = text.as_ptr() as usize;
    let mut wanted = Vec::new();
    for raw in read.decisions {
        let at = (raw.get().as_ptr() as usize).saturating_sub(begin);
        wanted.push(row(raw.get(), line_at(text.as_bytes().get(..at).unwrap_or_default()))?);
    }
    Ok(FromFile { month: Some(read.month), wanted })
}

fn known(schema: &str, line: usize) -> Result<(), CliError> {
    if schema == SCHEMA { Ok(()) } else { Err(bad(line, format!("the schema is {schema:?}, and not {SCHEMA}"))) }
}

fn row(text: &str, line: usize) -> Result<Wanted, CliError> {
    let row: Row = serde_json::from_str(text).map_err(|e| {
        #[derive(Deserialize)]
        struct Named {
            item: Option<String>,
        }
        let named = serde_json::from_str::<Named>(text).ok().and_then(|n| n.item);
        bad(line, format!("{}{}", named.map(|n| format!("{n}: ")).unwrap_or_default(), plain(&e)))
    })?;
    let note = match row.note.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(note) => Some(words::text("note", note).map_err(|e| bad(line, format!("{}: {}", row.item, e.what)))?),
    };
    Ok(Wanted { item: row.item, decision: row.decision, note, advice: row.advice, place: format!("line {line}: ") })
}

impl View for ReviewDecisionsView {
    const SCHEMA: &'static str = SCHEMA;

    /// JSON lines: one line an item is edited, compared and cut most easily.
    fn human(&self, _: &Screen) -> String {
        let head = Head { schema: SCHEMA.into(), month: self.month };
        let mut out = serde_json::to_string(&head).unwrap_or_default();
        out.push('\n');
        for row in &self.decisions {
            out.push_str(&serde_json::to_string(row).unwrap_or_default());
            out.push('\n');
        }
        out
    }
}

/// A file to edit.
pub fn template(desk: &Desk<'_>) -> Result<Outcome, CliError> {
    let facts = desk.facts()?;
    let mut decisions = Vec::new();
    let mut notes = 0usize;
    for id in desk.undecided(&BTreeSet::new()) {
        let Some(item) = desk.item(id) else { continue };
        let meanwhile = desk.meanwhile(item, &facts)?;
        let decision = desk.advised(item, &meanwhile);
        let needs = needs_note(item, &meanwhile, decision).is_some();
        notes += usize::from(needs);
        let found = item.findings.iter().map(|f| format!("{}: {}", f.rule.id(), f.fact));
        let about: Vec<String> =
            std::iter::once(page::about(item)).chain(found).chain(said(&meanwhile)).map(|t| safe(&t)).collect();
        decisions.push(Row {
            item: id,
            decision,
            note: needs.then(String::new),
            advice: Some(item.advice),
            about: Some(about.join("; ")),
        });
    }
    let month = desk.review.month;
    let none = decisions.is_empty();
    let out = Outcome::of(Exit::Done, ReviewDecisionsView { month, decisions });
    let out = if none { out.note(format!("everything in the review of {month} is decided")) } else { out };
    Ok(if notes > 0 {
        out.note(format!("a note is missing in {notes} of them: write it, or leave the line out"))
    } else {
        out
    })
}
