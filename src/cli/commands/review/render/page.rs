//! The page on a terminal: eighty columns, one sheet where it fits, calm. Colour repeats what words say.

use super::annex::Table;
use super::card::{Card, severity};
use super::order::{Row, Section, Sheet, Tone};
use super::rest::Group;
use super::words::{Text, count, grouped, joined};
use super::wrap::wrap;
use crate::cli::fold;
use crate::cli::outcome::Screen;
use crate::cli::show;
use crate::cli::style::Style;
use crate::cli::text::{pad, width};
use crate::review::model::Severity;

/// The margin in which sections are named.
const MARGIN: usize = 11;
/// The margin in which severities stand.
const GRAVITY: usize = 9;
/// Wider than this, lines are hard to read.
const WIDEST: usize = 100;
/// Lines of one sheet (review-rules.md).
pub const LINES: usize = 62;

/// The page, and the annex where the sheet has one.
pub fn page(sheet: &Sheet, screen: &Screen) -> String {
    let mut p = Page { lines: Vec::new(), width: screen.width.min(WIDEST), style: screen.style };
    p.title(sheet);
    p.section(&sheet.head);
    p.blank();
    p.section(&sheet.since);
    p.progress(sheet);
    p.blank();
    p.first(sheet);
    p.blank();
    p.rest(sheet);
    p.blank();
    for section in &sheet.below {
        p.section(section);
    }
    p.blank();
    p.section(&sheet.signature);
    for table in &sheet.annex {
        p.blank();
        p.table(table);
    }
    let mut out = p.lines.join("\n");
    out.push('\n');
    out
}

/// How many lines the page has on eighty columns.
pub fn height(sheet: &Sheet) -> usize {
    page(sheet, &Screen { width: 80, style: Style::plain() }).lines().count()
}

struct Page {
    lines: Vec<String>,
    width: usize,
    style: Style,
}

impl Page {
    fn blank(&mut self) {
        self.lines.push(String::new());
    }

    fn push(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_string());
    }

    fn tone(&self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Plain => text.to_string(),
            Tone::Good => self.style.green(text).into_owned(),
            Tone::Warn => self.style.yellow(text).into_owned(),
            Tone::Bad => self.style.red(text).into_owned(),
            Tone::Quiet => self.style.dim(text).into_owned(),
        }
    }

    /// Too narrow for a margin of that width: text goes below its label.
    fn margin(&self, wanted: usize) -> usize {
        if self.width < 60 { 2 } else { wanted }
    }

    /// Two texts at both ends of a line, or below each other.
    fn ends(&mut self, left: (&str, String), right: (&str, String)) {
        let gap = self.width.saturating_sub(width(left.0) + width(right.0));
        if width(left.0) > self.width {
            for line in wrap(left.0, self.width) {
                let line = self.style.bold(&line).into_owned();
                self.push(&line);
            }
            for line in wrap(right.0, self.width.saturating_sub(2)) {
                self.push(&format!("  {line}"));
            }
        } else if gap >= 2 || width(right.0) == 0 {
            self.push(&format!("{}{}{}", left.1, " ".repeat(gap), right.1));
        } else {
            self.push(&left.1);
            for line in wrap(right.0, self.width.saturating_sub(2)) {
                self.push(&format!("  {line}"));
            }
        }
    }

    fn title(&mut self, sheet: &Sheet) {
        let (month, as_of) = (format!("ACCESS REVIEW  {}", sheet.month_name), show::minute(sheet.as_of));
        let left = format!("{month}  as of {as_of}");
        let styled = format!("{}  as of {as_of}", self.style.bold(&month));
        let company = sheet.company.clone().unwrap_or_default();
        let right = self.style.bold(&company).into_owned();
        self.ends((&left, styled), (&company, right));
    }

    fn section(&mut self, section: &Section) {
        let short = section.short.to_uppercase();
        // Two words that are wider than the margin stand below each other, where there is a second line.
        let parted = short.split_once(' ').filter(|_| width(&short) + 1 > self.margin(MARGIN) && self.width >= 60);
        for (n, row) in section.rows.iter().enumerate() {
            let label = match (row.label, parted) {
                (Some(label), _) => label.to_string(),
                (None, Some((word, _))) if n == 0 => word.to_string(),
                (None, Some((_, word))) if n == 1 => word.to_string(),
                (None, None) if n == 0 => short.clone(),
                (None, _) => String::new(),
            };
            let heads = row.label.is_none();
            self.row(&label, heads, row);
        }
    }

    /// A line of a section: its label in the margin, then what it is about, then what is said of it.
    fn row(&mut self, label: &str, heads: bool, row: &Row) {
        let margin = self.margin(MARGIN);
        let styled = if heads { self.style.bold(label).into_owned() } else { self.style.dim(label).into_owned() };
        let mut head = format!("{styled}{}", " ".repeat(margin.saturating_sub(width(label))));
        if width(label) + 1 > margin {
            self.push(&styled);
            head = " ".repeat(margin);
        }
        let room = self.width.saturating_sub(margin);
        let lead = row.lead.plain();
        let text = row.text.plain();
        let between = if lead.is_empty() || text.is_empty() { "" } else { ": " };
        let command = row.command.as_deref().unwrap_or_default();
        let lines = wrap(&format!("{lead}{between}{text}"), room);
        let last = lines.len().saturating_sub(1);
        let mut typed = command.is_empty();
        for (n, line) in lines.iter().enumerate() {
            let begin = if n == 0 { head.clone() } else { " ".repeat(margin) };
            let mut shown = match line.strip_prefix(&lead) {
                Some(rest) if n == 0 && !lead.is_empty() => format!("{}{rest}", self.tone(row.tone, &lead)),
                // A lead that is wider than the line has the tone of the line.
                _ if lead.is_empty() || n == 0 => self.tone(row.tone, line),
                _ => line.clone(),
            };
            // The command at the end of the last line, where there is room.
            if !typed && n == last && width(line) + 3 + width(command) <= room {
                let gap = room - width(line) - width(command);
                shown = format!("{shown}{}{}", " ".repeat(gap), self.style.bold(command));
                typed = true;
            }
            self.push(&format!("{begin}{shown}"));
        }
        if !typed {
            self.command(command, margin);
        }
    }

    fn command(&mut self, command: &str, margin: usize) {
        for line in fold::command(command, &" ".repeat(margin), self.width).lines() {
            let line = self.style.bold(line).into_owned();
            self.push(&line);
        }
    }

    fn progress(&mut self, sheet: &Sheet) {
        const CELLS: u64 = 20;
        let (items, decided) = sheet.progress;
        let full = decided.min(items).saturating_mul(CELLS).checked_div(items).unwrap_or(0);
        let full = usize::try_from(full).unwrap_or(0);
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(20 - full.min(20)));
        let margin = self.margin(MARGIN);
        let label = "PROGRESS";
        let text = sheet.progress_text.plain();
        if margin <= width(label) || margin + bar.chars().count() + 2 + width(&text) > self.width {
            let line = self.style.bold(label).into_owned();
            self.push(&line);
            self.indented(&text, 2, Tone::Plain);
        } else {
            self.push(&format!("{}{bar}  {text}", self.style.bold(&pad(label, margin))));
        }
    }

    fn heading(&mut self, title: &str, about: &str) {
        let left = self.style.bold(title).into_owned();
        let right = self.style.dim(about).into_owned();
        self.ends((title, left), (about, right));
    }

    fn first(&mut self, sheet: &Sheet) {
        if sheet.first.is_empty() {
            let line = format!("{}  nothing: no rule speaks against any item", self.style.bold("DECIDE FIRST"));
            self.push(&line);
            return;
        }
        let n = sheet.first.len();
        let about = if n == 1 { "1 item".to_string() } else { format!("{n} items, gravest first") };
        self.heading("DECIDE FIRST", &about);
        for card in &sheet.first {
            self.card(card);
        }
    }

    fn card(&mut self, card: &Card) {
        let margin = self.margin(GRAVITY);
        let room = self.width.saturating_sub(margin);
        let word = severity(card.severity);
        let tone = match card.severity {
            Severity::Critical | Severity::High => Tone::Bad,
            Severity::Medium => Tone::Warn,
            _ => Tone::Quiet,
        };
        // The advice stands out at the end of the first line.
        let verdict = card.verdict.clone();
        let subject = format!("{} {}", card.id, card.subject.plain());
        let lines = wrap(&subject, room.saturating_sub(width(&verdict) + 2));
        let mut gravity = format!("{}{}", self.tone(tone, word), " ".repeat(margin.saturating_sub(width(word))));
        if margin < width(word) + 1 {
            let line = self.tone(tone, word);
            self.push(&line);
            gravity = " ".repeat(margin);
        }
        for (n, line) in lines.iter().enumerate() {
            if n == 0 {
                let gap = room.saturating_sub(width(line) + width(&verdict));
                let verdict = if card.undecided {
                    self.style.bold(&verdict).into_owned()
                } else {
                    self.tone(card.decided_tone, &verdict)
                };
                let line = format!("{gravity}{}{}{verdict}", self.style.bold(line), " ".repeat(gap));
                self.push(&line);
            } else {
                let line = format!("{}{}", " ".repeat(margin), self.style.bold(line));
                self.push(&line);
            }
        }
        self.indented(&format!("{} {}", card.rule, card.reason.plain()), margin, Tone::Plain);
        let command = card.command.as_deref().unwrap_or_default();
        let rest = width(command) + 3;
        let mut evidence = wrap(&joined([card.evidence.clone(), card.decided.clone()], "; ").plain(), room);
        // The command says to what it is narrowed.
        if !card.change.is_empty() && card.undecided && command.is_empty() {
            self.indented(&format!("narrow to {}", card.change.plain()), margin, Tone::Plain);
        }
        let beside = evidence.last().is_some_and(|last| !command.is_empty() && width(last) + rest <= room);
        let last = evidence.pop().unwrap_or_default();
        for line in evidence {
            let line = format!("{}{}", " ".repeat(margin), self.style.dim(&line));
            self.push(&line);
        }
        let mut line = format!("{}{}", " ".repeat(margin), self.style.dim(&last));
        if beside {
            let gap = room.saturating_sub(width(&last) + width(command));
            line.push_str(&format!("{}{}", " ".repeat(gap), self.style.bold(command)));
        }
        self.push(&line);
        if !beside && !command.is_empty() {
            self.command(command, margin);
        }
    }

    fn indented(&mut self, text: &str, margin: usize, tone: Tone) {
        for line in wrap(text.trim(), self.width.saturating_sub(margin)) {
            let line = format!("{}{}", " ".repeat(margin), self.tone(tone, &line));
            self.push(&line);
        }
    }

    fn rest(&mut self, sheet: &Sheet) {
        let rest = &sheet.rest;
        let mut about = rest.summary.plain();
        if rest.is_folded() {
            about.push_str(", row by row in the annex (--all)");
        }
        self.heading("EVERYTHING ELSE", &about);
        for row in rest.singled.iter().chain(&rest.items) {
            self.listed(row);
        }
        if self.width < 80 {
            for group in &rest.groups {
                self.group_in_words(group);
            }
        } else if rest.is_folded() {
            self.groups(&rest.groups);
        }
    }

    /// An item: its id, what it is, and at the end of the line when it was used.
    fn listed(&mut self, row: &Row) {
        let lead = row.lead.plain();
        let column = if self.width < 60 { 2 } else { 8.max(width(&lead) + 1) };
        let room = self.width.saturating_sub(column);
        let mut begin = pad(&lead, column);
        if width(&lead) + 1 > column {
            self.push(&lead);
            begin = " ".repeat(column);
        }
        let aside = row.aside.plain();
        let lines = wrap(&row.text.plain(), room.saturating_sub(width(&aside) + 2));
        for (n, line) in lines.iter().enumerate() {
            let mut shown = format!("{begin}{}", self.tone(row.tone, line));
            if n == 0 {
                let gap = room.saturating_sub(width(line) + width(&aside));
                shown.push_str(&format!("{}{}", " ".repeat(gap), self.style.dim(&aside)));
            }
            self.push(&shown);
            begin = " ".repeat(column);
        }
    }

    /// Groups in columns: name, items, how many may write, keys, used since, notes.
    fn groups(&mut self, groups: &[Group]) {
        const NAME: usize = 15;
        const ITEMS: usize = 24;
        const KEYS: usize = 11;
        const COLUMNS: [usize; 5] = [NAME, ITEMS, 7, KEYS, 12];
        const HEAD: [&str; 6] = ["where", "items", "write", "keys", "used since", ""];
        let line = |cells: [&str; 6]| {
            let mut line = String::new();
            for (cell, wide) in cells.iter().zip(COLUMNS.iter().chain([&0])) {
                line.push_str(&pad(cell, *wide));
            }
            line
        };
        let head = self.style.dim(&line(HEAD)).into_owned();
        self.push(&head);
        let notes_at: usize = COLUMNS.iter().sum();
        for group in groups {
            let mut title = group.title.clone();
            if width(&title) + 1 > NAME {
                for part in wrap(&title, self.width) {
                    self.push(&part);
                }
                title = String::new();
            }
            let writing = if group.writing > 0 { grouped(group.writing) } else { "-".into() };
            let used = group.used_since.map_or_else(|| "-".into(), show::day);
            let mut notes = group.notes();
            let first = if notes.is_empty() { String::new() } else { notes.remove(0) };
            let (items, keys) = (group.items_within(ITEMS - 2), group.keys_within(KEYS - 2));
            let row = line([&title, &items, &writing, &keys, &used, ""]);
            if width(&row) + width(&first) <= self.width {
                let row = format!("{row}{}", self.style.yellow(&first));
                self.push(&row);
            } else {
                self.push(&row);
                notes.insert(0, first);
            }
            // What has no room at the end of the line stands below.
            if !notes.is_empty() {
                let notes = notes.join(", ");
                let at = notes_at.min(self.width.saturating_sub(width(&notes)));
                let row = format!("{}{}", " ".repeat(at), self.style.yellow(&notes));
                self.push(&row);
            }
        }
    }

    fn group_in_words(&mut self, group: &Group) {
        let mut parts = vec![group.items_within(self.width), group.keys_within(self.width)];
        if group.writing > 0 {
            parts.push(format!("{} write", grouped(group.writing)));
        }
        parts.extend(group.used_since.map(|t| format!("used since {}", show::day(t))));
        parts.extend(group.notes());
        parts.retain(|p| p != "-");
        for line in wrap(&group.title, self.width) {
            self.push(&line);
        }
        self.indented(&parts.join(", "), 2, Tone::Plain);
    }

    /// A table of the annex: a paragraph a row, because no screen is wide enough.
    fn table(&mut self, table: &Table) {
        let about = count(u64::try_from(table.rows.len()).unwrap_or(u64::MAX), "row");
        self.heading(&format!("ANNEX: {}", table.title.to_uppercase()), &about);
        for (_, cells) in &table.rows {
            for (n, (cell, name)) in cells.iter().zip(table.head).enumerate() {
                let said = cell.iter().map(Text::plain);
                match *name {
                    // What a column holds, where the text does not say it itself.
                    "Findings" => said.for_each(|text| self.indented(&text, 2, Tone::Plain)),
                    _ if cell.is_empty() => {}
                    _ if n == 0 => {
                        for line in wrap(&said.collect::<Vec<_>>().join("; "), self.width) {
                            let line = self.style.bold(&line).into_owned();
                            self.push(&line);
                        }
                    }
                    _ => {
                        let word = named(name);
                        self.indented(&format!("{word}{}", said.collect::<Vec<_>>().join("; ")), 2, Tone::Plain);
                    }
                }
            }
        }
    }
}

/// What stands before a cell, where all columns are below each other.
fn named(column: &str) -> &'static str {
    match column {
        "Owner and mission" => "owner ",
        "From, until" => "from ",
        "Advice" => "advice ",
        "Decision" => "decision ",
        "Live" => "live ",
        "Reviewed" => "reviewed ",
        "As of" => "as of ",
        "Query" => "asked ",
        _ => "",
    }
}
