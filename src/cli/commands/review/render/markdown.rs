//! The page as Markdown: CommonMark with the tables of GFM, nothing that a reader would run or fetch.
//!
//! Every punctuation character that could begin markup is escaped with a backslash or, where a backslash would not do, with
//! a character reference; no text of ours or anybody else's reaches the page unescaped.

use super::annex::Table;
use super::card::{Card, severity};
use super::order::{Row, Section, Sheet};
use super::words::{Bit, Text, grouped};
use crate::cli::show;

/// The page and the annex.
pub fn markdown(sheet: &Sheet) -> String {
    let mut out = format!("# Access review {}", escape(&sheet.month_name));
    if let Some(company) = &sheet.company {
        out.push_str(&format!(": {}", escape(company)));
    }
    out.push_str("\n\n");
    for row in &sheet.head.rows {
        let label = row.label.map(|l| format!("**{l}** ")).unwrap_or_default();
        out.push_str(&format!("- {label}{}\n", line(row)));
    }
    section(&mut out, &sheet.since);
    out.push_str(&format!("\n**Progress:** {}\n", inline(&sheet.progress_text)));
    first(&mut out, sheet);
    rest(&mut out, sheet);
    for below in &sheet.below {
        section(&mut out, below);
    }
    section(&mut out, &sheet.signature);
    out.push_str("\n---\n\n# Annex\n\n");
    out.push_str(&format!("SHA-256 {}\n", inline(&Text::new().code(&sheet.annex_sha256))));
    for t in &sheet.annex {
        table(&mut out, t);
    }
    out
}

fn heading(out: &mut String, title: &str) {
    out.push_str(&format!("\n## {title}\n\n"));
}

fn section(out: &mut String, section: &Section) {
    heading(out, section.title);
    for row in &section.rows {
        let label = row.label.map(|l| format!("**{l}** ")).unwrap_or_default();
        out.push_str(&format!("- {label}{}\n", line(row)));
    }
}

/// What a row says, in one line.
fn line(row: &Row) -> String {
    let mut parts = Vec::new();
    if !row.lead.is_empty() {
        parts.push(format!("**{}**", inline(&row.lead)));
    }
    parts.push(inline(&row.text));
    parts.push(inline(&row.aside));
    parts.extend(row.command.as_deref().map(code));
    parts.retain(|p| !p.is_empty());
    let line = parts.join(" ");
    let line = line.trim_start();
    // What would begin a list or a heading of its own where a line begins: `- `, `1. `, `===`.
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = number.len() < line.len() && [". ", ") "].iter().any(|end| number.starts_with(end));
    match line.chars().next() {
        Some(c) if numbered || matches!(c, '-' | '+' | '=') => {
            format!("&#{};{}", u32::from(c), line.get(1..).unwrap_or_default())
        }
        _ => line.to_string(),
    }
}

fn first(out: &mut String, sheet: &Sheet) {
    heading(out, "Decide first");
    if sheet.first.is_empty() {
        out.push_str("Nothing: no rule speaks against any item.\n");
        return;
    }
    out.push_str("| Item | Why | Evidence | Decision |\n|---|---|---|---|\n");
    for card in &sheet.first {
        out.push_str(&card_row(card));
    }
}

fn card_row(card: &Card) -> String {
    let mut decision = format!("**{}**", card.verdict);
    if !card.change.is_empty() {
        decision.push_str(&format!(" to {}", inline(&card.change)));
    }
    if !card.decided.is_empty() {
        decision.push_str(&format!("; {}", inline(&card.decided)));
    }
    if let Some(command) = &card.command {
        decision.push_str(&format!(": {}", code(command)));
    }
    format!(
        "| **{}** {} | {} {}: {} | {} | {decision} |\n",
        card.id,
        inline(&card.subject),
        card.rule,
        severity(card.severity),
        inline(&card.reason),
        inline(&card.evidence),
    )
}

fn rest(out: &mut String, sheet: &Sheet) {
    let rest = &sheet.rest;
    heading(out, "Everything else");
    let fold = if rest.is_folded() { ", row by row in the annex" } else { "" };
    out.push_str(&format!("{}{fold}\n\n", inline(&rest.summary)));
    for row in rest.singled.iter().chain(&rest.items) {
        out.push_str(&format!("- {}\n", line(row)));
    }
    if !rest.is_folded() {
        return;
    }
    if !rest.singled.is_empty() {
        out.push('\n');
    }
    out.push_str("| Integration | Items | Write | Keys | Used since | Notes |\n|---|---|---|---|---|---|\n");
    for g in &rest.groups {
        let used = g.used_since.map(show::day).unwrap_or_default();
        let cells = [
            escape(&g.title),
            g.items_within(usize::MAX),
            grouped(g.writing),
            g.keys_within(usize::MAX),
            used,
            g.notes().join(", "),
        ];
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

fn table(out: &mut String, table: &Table) {
    heading(out, table.title);
    out.push_str(&format!("| {} |\n", table.head.join(" | ")));
    out.push_str(&format!("|{}\n", "---|".repeat(table.head.len())));
    for (_, cells) in &table.rows {
        let cells: Vec<String> = cells.iter().map(|c| c.iter().map(inline).collect::<Vec<_>>().join("; ")).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

fn inline(text: &Text) -> String {
    text.bits().iter().map(bit).collect()
}

fn bit(bit: &Bit) -> String {
    match bit {
        Bit::Say(words) | Bit::Told(words) => escape(words),
        Bit::Code(words) => code(words),
        Bit::Minute(at) => escape(&show::minute(*at)),
        Bit::Day(at) => escape(&show::day(*at)),
        Bit::Item(id) => id.to_string(),
    }
}

/// Words with everything that could be markup taken literally: besides the punctuation of CommonMark what GFM makes links
/// of by itself, `https://` and `www.` by a character reference in the middle, and `@`, which is looked for only after
/// references are read, as a piece of code. What matters at the beginning of a line is [`line`]'s.
fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("`@`"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.replace("://", ":&#47;/").replace("www.", "www&#46;")
}

/// Words to be copied, between as many backticks as it takes. A `|` would end the cell of a table: it is escaped, which
/// tables take back before they read the code.
fn code(words: &str) -> String {
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    if words.contains('|') || words.is_empty() {
        // Outside of tables the backslash would be seen, so that no code is made of it at all.
        return escape(words);
    }
    format!("{fence}{pad}{words}{pad}{fence}")
}
