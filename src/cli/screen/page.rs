//! The pages themselves.

use super::fit::{Wish, fit};
use super::sections::{LABEL, Layout, Section, asked, recorded, sections, who};
use super::shape::flow;
use super::view::{EntryView, RequestView};
use crate::cli::outcome::{Screen, View};
use crate::cli::show::minute;
use crate::cli::text::{safe, safe_block, truncate, width};
use crate::domain::request::Standing;
use crate::domain::rules::Tier;

/// What a screen leaves for the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Rows that the page may take.
    pub rows: usize,
    /// Which of how many, from 1.
    pub position: Option<(usize, usize)>,
    /// The keys of `aosctl approve` work.
    pub keys: bool,
}

/// The line at the top: `=== r-57 === high risk ===...=== 1 of 3 ===`.
fn header(v: &RequestView, screen: &Screen, position: Option<(usize, usize)>) -> String {
    let standing =
        if v.standing == Standing::Pending { String::new() } else { format!(" {} ===", v.standing.as_str()) };
    let start = format!("=== {} === {} risk ==={standing}", v.id, v.tier);
    let end = position.map_or(String::new(), |(n, of)| format!(" {n} of {of} ==="));
    let fill = "=".repeat(screen.width.saturating_sub(width(&start) + width(&end)));
    let line = format!("{start}{fill}{end}");
    let line = truncate(&line, screen.width);
    match v.tier {
        Tier::Critical => screen.style.red(&line).into_owned(),
        Tier::High => screen.style.yellow(&line).into_owned(),
        Tier::Low | Tier::Medium => screen.style.bold(&line).into_owned(),
    }
}

fn second(v: &RequestView, screen: &Screen) -> Vec<String> {
    let words: Vec<String> = asked(v).split(' ').map(String::from).collect();
    let lines = flow(&words, screen.width.saturating_sub(2));
    lines.into_iter().enumerate().map(|(i, l)| if i == 0 { l } else { format!("  {l}") }).collect()
}

/// The first `rows` lines of a section, its label at the left of the first.
fn draw(s: &Section, rows: usize, screen: &Screen, out: &mut Vec<String>) {
    for (i, line) in s.lines.iter().take(rows).enumerate() {
        // Labels are ASCII and shorter than their column; so is what they replace.
        let rest = line.get(LABEL..).unwrap_or_default();
        let label = format!("{:<LABEL$}", if i == 0 { s.label } else { "" });
        let label = if s.loud && i == 0 { screen.style.bold(&label) } else { label.into() };
        out.push(format!("{label}{rest}"));
    }
}

/// A request on one screen: at most `frame.rows` lines, none wider than the screen. What was shortened is said on the
/// last lines, with how to see it.
pub fn one_screen(v: &RequestView, screen: &Screen, frame: &Frame) -> String {
    let layout = Layout { width: screen.width, max_lines: frame.rows, full: false };
    let sections = sections(v, layout);
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|i| sections.get(*i).map_or(u8::MAX, |s| s.rank));
    let top: Vec<String> = [header(v, screen, frame.position)].into_iter().chain(second(v, screen)).collect();
    let mut foot: Vec<String> = Vec::new();
    // What must be said about shortening takes rows itself, and then more is shortened: until it stays the same.
    let given = loop {
        let rows = frame.rows.saturating_sub(top.len() + foot.len());
        let given = share(&sections, &order, rows);
        let said = shortened(v, &sections, &given, screen, frame);
        if said.len() <= foot.len() {
            foot = said;
            break given;
        }
        foot = said;
    };
    let mut lines = top;
    for (s, n) in sections.iter().zip(given) {
        draw(s, n, screen, &mut lines);
    }
    lines.extend(foot);
    lines.truncate(frame.rows);
    lines.iter().map(|l| format!("{l}\n")).collect()
}

/// Rows for each section, in the order in which they are shown.
fn share(sections: &[Section], order: &[usize], rows: usize) -> Vec<usize> {
    let wishes: Vec<Wish> =
        order.iter().filter_map(|i| sections.get(*i)).map(|s| Wish { whole: s.lines.len(), least: s.least }).collect();
    let mut given = vec![0; sections.len()];
    for (i, n) in order.iter().zip(fit(&wishes, rows)) {
        if let Some(slot) = given.get_mut(*i) {
            *slot = n;
        }
    }
    given
}

fn shortened(v: &RequestView, sections: &[Section], given: &[usize], screen: &Screen, frame: &Frame) -> Vec<String> {
    let mut cut: Vec<(&str, usize)> = Vec::new();
    for (s, n) in sections.iter().zip(given) {
        let missing = s.whole - n;
        match cut.last_mut() {
            _ if missing == 0 => {}
            Some((name, more)) if *name == s.name => *more += missing,
            _ => cut.push((s.name, missing)),
        }
    }
    if cut.is_empty() {
        return Vec::new();
    }
    let cut: Vec<String> = cut.into_iter().map(|(name, n)| format!("{name} {n}")).collect();
    let key = if frame.keys { "e, or " } else { "" };
    let text = format!("lines not shown: {}; see {key}aosctl request show {}", cut.join(", "), v.id);
    let words: Vec<String> = text.split(' ').map(String::from).collect();
    flow(&words, screen.width).into_iter().map(|l| screen.style.bold(&l).into_owned()).collect()
}

/// A request unshortened, with every entry about it.
pub fn whole(v: &RequestView, screen: &Screen) -> String {
    let mut lines = vec![header(v, screen, None)];
    lines.extend(second(v, screen));
    for s in sections(v, Layout { width: screen.width, max_lines: usize::MAX, full: true }) {
        draw(&s, usize::MAX, screen, &mut lines);
    }
    if let Some(k) = &v.says.idempotency_key {
        let block = safe_block(k, &format!("{:LABEL$}| ", ""), screen.width, usize::MAX);
        let lines_of = Section {
            label: "its key",
            name: "its key",
            whole: block.lines.len(),
            lines: block.lines,
            least: 1,
            rank: 0,
            loud: false,
        };
        draw(&lines_of, usize::MAX, screen, &mut lines);
    }
    lines.push(String::new());
    let mut text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    for (name, value) in recorded(v) {
        text.push_str(&crate::cli::show::field(screen, name, &value));
    }
    if !v.entries.is_empty() {
        text.push_str("\nentries\n");
        for e in &v.entries {
            text.push_str(&entry(e, screen));
        }
    }
    text
}

fn entry(e: &EntryView, screen: &Screen) -> String {
    let signer = match (e.signer.parse(), &e.name) {
        (Ok(id), name) => who(&super::PartyView { id, name: name.clone() }),
        (Err(_), _) => "nobody (signed by the log)".to_string(),
    };
    let kind = e.kind.split('/').next().unwrap_or(&e.kind);
    let outcome = e.outcome.map_or(String::new(), |o| format!(": {}", o.as_str()));
    let invalid = e.invalid.as_deref().map_or(String::new(), |f| format!(" (counts for nothing: {})", safe(f)));
    let line = format!("  {:>6}  {}  {}{outcome} by {signer}{invalid}", e.seq, minute(e.at), safe(kind));
    let mut text = format!("{}\n", truncate(&line, screen.width));
    if let Some(said) = &e.said {
        for l in safe_block(said, "          | ", screen.width, usize::MAX).lines {
            text.push_str(&l);
            text.push('\n');
        }
    }
    text
}

impl View for RequestView {
    const SCHEMA: &'static str = "aosctl.request/v1";

    fn human(&self, screen: &Screen) -> String {
        whole(self, screen)
    }
}
