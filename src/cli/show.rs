//! Small pieces that every page is made of: times, spans, tables, fields.

use comfy_table::{ContentArrangement, Table, presets};

use super::outcome::Screen;
use super::text;
use crate::domain::time::{Span, Time};

/// A moment for people, to the minute, in UTC so that every reader and every run sees the same: `2026-11-21 14:30 UTC`.
pub fn minute(t: Time) -> String {
    t.timestamp().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A day: `2026-11-21`.
pub fn day(t: Time) -> String {
    t.timestamp().strftime("%Y-%m-%d").to_string()
}

/// How far a moment is from now: `in 3 days`, `5 minutes ago`, `now`.
pub fn relative(t: Time, now: Time) -> String {
    if t >= now {
        match length(t.since(now)) {
            s if s == "0 seconds" => "now".into(),
            s => format!("in {s}"),
        }
    } else {
        format!("{} ago", length(now.since(t)))
    }
}

/// A length of time in its largest whole unit: `3 days`, `1 hour`.
pub fn length(span: Span) -> String {
    let seconds = span.millis() / 1000;
    let (n, unit) = match seconds {
        s if s >= 2 * 86_400 => (s / 86_400, "day"),
        s if s >= 2 * 3600 => (s / 3600, "hour"),
        s if s >= 120 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

/// A plain table that fits the screen: no frame, two spaces between columns. Cells must be safe already.
pub fn table(screen: &Screen, head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut t = Table::new();
    t.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    t.set_width(u16::try_from(screen.width).unwrap_or(80));
    t.set_header(head.iter().map(|h| h.to_uppercase()));
    for row in rows {
        t.add_row(row);
    }
    for column in t.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut out = String::new();
    for line in t.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// `name      value`, the value wrapped under itself; foreign text is made safe here.
pub fn field(screen: &Screen, name: &str, value: &str) -> String {
    let margin = format!("{name:<13} ");
    let block = text::safe_block(value, &" ".repeat(margin.chars().count()), screen.width, usize::MAX);
    let mut lines = block.lines.into_iter();
    let first = lines.next().unwrap_or_default();
    let mut out = format!("{margin}{}", first.trim_start()).trim_end().to_string();
    out.push('\n');
    for line in lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The first 20 hex digits (80 bits) of a key id in groups of four, short enough to be read out and compared:
/// `3f2a-91bc-07de-55a0-c1d9`.
pub fn fingerprint(key_id: &str) -> String {
    let digits: Vec<char> = key_id.chars().take(20).collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::style::Style;

    #[test]
    fn a_long_name_does_not_run_into_its_value() {
        let screen = Screen { width: 80, style: Style::plain() };
        assert_eq!(field(&screen, "reason", "a ticket"), "reason        a ticket\n");
        assert_eq!(field(&screen, "recommendation", "erase it"), "recommendation erase it\n");
        let long = field(&screen, "recommendation", &"erase it ".repeat(12));
        assert!(long.lines().all(|l| l.len() <= 80) && long.lines().count() == 2, "{long}");
    }
}
