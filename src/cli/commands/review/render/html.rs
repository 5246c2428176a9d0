//! The page as one HTML file: no script, nothing fetched, light and dark, one A4 sheet in print with the annex on sheets of
//! its own.
//!
//! Its Content-Security-Policy lets nothing in but the one style sheet, by its digest. Whatever is shown is escaped, here
//! and nowhere else: [`escape`].

use std::collections::BTreeSet;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::annex::Table;
use super::card::{Card, severity};
use super::order::{Row, Section, Sheet, Tone};
use super::rest::Rest;
use super::words::{Bit, Text, count, grouped};
use crate::cli::show;
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::review::model::Severity;

const STYLE: &str = include_str!("page.css");

/// The page and the annex.
pub fn html(sheet: &Sheet) -> String {
    let anchors = sheet.annex.iter().flat_map(|t| t.rows.iter().filter_map(|(id, _)| *id)).collect();
    let mut p = Page { out: String::new(), anchors };
    p.begin(sheet);
    p.add("<main>\n");
    p.header(sheet);
    p.section(&sheet.head, "", false);
    p.since(sheet);
    p.first(sheet);
    p.rest(&sheet.rest);
    p.add("<div class=\"below\">\n");
    for section in &sheet.below {
        p.section(section, "facts", true);
    }
    p.add("</div>\n");
    p.section(&sheet.signature, "facts", true);
    p.annex(sheet);
    p.add("</main>\n</body>\n</html>\n");
    p.out
}

/// Everything up to the body, which nothing but the one style sheet is let into.
pub fn begin(title: &str) -> String {
    let digest = BASE64.encode(Sha256::digest(STYLE.as_bytes()).as_slice());
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )
}

struct Page {
    out: String,
    /// Items that have a row in the annex.
    anchors: BTreeSet<Id>,
}

impl Page {
    fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn begin(&mut self, sheet: &Sheet) {
        let company = sheet.company.as_deref().map(|c| format!(", {c}")).unwrap_or_default();
        self.add(&begin(&format!("Access review {}{company}", sheet.month_name)));
    }

    fn header(&mut self, sheet: &Sheet) {
        self.add(&format!("<header>\n<h1><span>Access review</span> {}</h1>\n<p>", escape(&sheet.month_name)));
        if let Some(company) = &sheet.company {
            self.add(&format!("<span class=\"company\">{}</span><br>", apart(company)));
        }
        self.add(&format!("as of {}</p>\n</header>\n", minute(sheet.as_of)));
    }

    /// A section as a list of terms; lines without a term go with the one above.
    fn section(&mut self, section: &Section, class: &str, heading: bool) {
        let (id, title) = (section.id, section.title);
        self.add(&format!("<section id=\"{id}\""));
        match heading {
            true => self.add(&format!(" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n")),
            false => self.add(&format!(" aria-label=\"{title}\">\n")),
        }
        self.rows(&section.rows, class);
        self.add("</section>\n");
    }

    fn rows(&mut self, rows: &[Row], class: &str) {
        let mut open = false;
        for row in rows {
            let term = match row.label {
                Some(label) => Text::new().say(label),
                None => row.lead.clone(),
            };
            let text = self.said(row);
            if term.is_empty() && !open {
                self.add(&format!("<p class=\"row{}\">{text}</p>\n", tone(row.tone)));
                continue;
            }
            if !open {
                self.add(&if class.is_empty() { "<dl>\n".to_string() } else { format!("<dl class=\"{class}\">\n") });
                open = true;
            }
            if !term.is_empty() {
                let class = match (row.label, tone(row.tone).trim_start()) {
                    (Some(_), _) => " class=\"label\"".to_string(),
                    (None, "") => String::new(),
                    (None, class) => format!(" class=\"{class}\""),
                };
                let term = self.inline(&term);
                self.add(&format!("<dt{class}>{term}</dt>"));
            }
            self.add(&format!("<dd>{text}</dd>\n"));
        }
        if open {
            self.add("</dl>\n");
        }
    }

    /// What is said in a line, without what it is about.
    fn said(&self, row: &Row) -> String {
        let mut text = self.inline(&row.text);
        if !row.aside.is_empty() {
            text.push_str(&format!(" <span class=\"evidence\">{}</span>", self.inline(&row.aside)));
        }
        if let Some(command) = &row.command {
            text.push_str(&format!(" {}", typed(command)));
        }
        text
    }

    fn since(&mut self, sheet: &Sheet) {
        self.add("<section id=\"since\" aria-labelledby=\"since-title\">\n<h2 id=\"since-title\">Since</h2>\n");
        self.rows(&sheet.since.rows, "");
        let (items, decided) = sheet.progress;
        let text = self.inline(&sheet.progress_text);
        self.add(&format!(
            "<p class=\"progress\"><progress max=\"{}\" value=\"{}\" aria-label=\"Progress\"></progress> \
             <span>{text}</span></p>\n</section>\n",
            items.max(1),
            decided.min(items.max(1)),
        ));
    }

    fn first(&mut self, sheet: &Sheet) {
        let n = u64::try_from(sheet.first.len()).unwrap_or(u64::MAX);
        self.add("<section id=\"first\" aria-labelledby=\"first-title\">\n<h2 id=\"first-title\">Decide first");
        if n == 0 {
            self.add("</h2>\n<p class=\"row\">Nothing: no rule speaks against any item.</p>\n</section>\n");
            return;
        }
        self.add(&format!(" <small>{}, gravest first</small></h2>\n", count(n, "item")));
        self.add("<table>\n<thead><tr><th scope=\"col\">Severity</th><th scope=\"col\">Item</th>");
        self.add("<th scope=\"col\">Why</th><th scope=\"col\">Decision</th></tr></thead>\n<tbody>\n");
        for card in &sheet.first {
            self.card(card);
        }
        self.add("</tbody>\n</table>\n</section>\n");
    }

    fn card(&mut self, card: &Card) {
        let class = match card.severity {
            Severity::Critical | Severity::High => "bad",
            Severity::Medium => "warn",
            Severity::Low | Severity::Watch => "quiet",
        };
        let item = self.inline(&Text::new().item(card.id));
        let subject = self.inline(&card.subject);
        let reason = self.inline(&card.reason);
        let evidence = self.inline(&card.evidence);
        self.add(&format!(
            "<tr><td><span class=\"tag {class}\">{}</span></td><th scope=\"row\">{item} \
             <span class=\"subject\">{subject}</span></th>",
            severity(card.severity)
        ));
        self.add(&format!("<td><p><b>{}</b> {reason}</p><p class=\"evidence\">{evidence}</p></td>", escape(card.rule)));
        let class = if card.undecided { "" } else { tone(card.decided_tone) };
        self.add(&format!("<td><p class=\"verdict{class}\">{}</p>", escape(&card.verdict)));
        if !card.change.is_empty() {
            let change = self.inline(&card.change);
            self.add(&format!("<p>to {change}</p>"));
        }
        if !card.decided.is_empty() {
            let decided = self.inline(&card.decided);
            self.add(&format!("<p class=\"evidence\">{decided}</p>"));
        }
        if let Some(command) = &card.command {
            self.add(&format!("<p>{}</p>", typed(command)));
        }
        self.add("</td></tr>\n");
    }

    fn rest(&mut self, rest: &Rest) {
        let summary = self.inline(&rest.summary);
        let annex = if rest.is_folded() { ", row by row in the <a href=\"#annex\">annex</a>" } else { "" };
        self.add("<section id=\"rest\" aria-labelledby=\"rest-title\">\n<h2 id=\"rest-title\">Everything else ");
        self.add(&format!("<small>{summary}{annex}</small></h2>\n"));
        let lists = [&rest.singled, &rest.items];
        if lists.iter().any(|l| !l.is_empty()) {
            self.add("<table>\n<thead><tr><th scope=\"col\">Item</th><th scope=\"col\">What</th>");
            self.add("<th scope=\"col\">Last use</th></tr></thead>\n<tbody>\n");
            for row in lists.into_iter().flatten() {
                let (lead, text, aside) = (self.inline(&row.lead), self.inline(&row.text), self.inline(&row.aside));
                let class = tone(row.tone).trim_start();
                let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
                self.add(&format!("<tr><th scope=\"row\">{lead}</th><td{class}>{text}</td><td>{aside}</td></tr>\n"));
            }
            self.add("</tbody>\n</table>\n");
        }
        if rest.is_folded() {
            self.add("<table>\n<thead><tr><th scope=\"col\">Integration</th><th scope=\"col\">Items</th>");
            self.add("<th scope=\"col\" class=\"number\">Write</th><th scope=\"col\">Keys</th>");
            self.add("<th scope=\"col\">Used since</th><th scope=\"col\">Notes</th></tr></thead>\n<tbody>\n");
            for g in &rest.groups {
                let used = g.used_since.map(day).unwrap_or_default();
                self.add(&format!("<tr><th scope=\"row\">{}</th><td>{}</td>", apart(&g.title), g.items_within(48)));
                self.add(&format!("<td class=\"number\">{}</td><td>{}</td>", grouped(g.writing), g.keys_within(24)));
                self.add(&format!("<td>{used}</td><td>{}</td></tr>\n", escape(&g.notes().join(", "))));
            }
            self.add("</tbody>\n</table>\n");
        }
        self.add("</section>\n");
    }

    fn annex(&mut self, sheet: &Sheet) {
        let company = sheet.company.as_deref().map(|c| format!(", {}", apart(c))).unwrap_or_default();
        self.add("<section class=\"annex\" id=\"annex\" aria-labelledby=\"annex-title\">\n");
        self.add(&format!("<h2 id=\"annex-title\">Annex to the access review {}{company}</h2>\n", sheet.month_name));
        self.add(&format!("<p class=\"quiet\">SHA-256 <code>{}</code></p>\n", escape(&sheet.annex_sha256)));
        for table in &sheet.annex {
            self.table(table);
        }
        self.add("</section>\n");
    }

    fn table(&mut self, table: &Table) {
        self.add(&format!(
            "<h3 id=\"{0}\">{1}</h3>\n<div class=\"wide\">\n<table class=\"{0}\" aria-labelledby=\"{0}\">\n",
            table.id, table.title
        ));
        self.add("<thead><tr>");
        for name in table.head {
            self.add(&format!("<th scope=\"col\">{name}</th>"));
        }
        self.add("</tr></thead>\n<tbody>\n");
        for (id, cells) in &table.rows {
            self.add(&id.map_or_else(|| "<tr>".to_string(), |id| format!("<tr id=\"{id}\">")));
            for (n, cell) in cells.iter().enumerate() {
                let lines: Vec<String> = cell.iter().map(|t| self.inline(t)).collect();
                let text = lines.join("<br>");
                self.add(&match n {
                    0 => format!("<th scope=\"row\">{text}</th>"),
                    _ => format!("<td>{text}</td>"),
                });
            }
            self.add("</tr>\n");
        }
        self.add("</tbody>\n</table>\n</div>\n");
    }

    fn inline(&self, text: &Text) -> String {
        text.bits().iter().map(|bit| self.bit(bit)).collect()
    }

    fn bit(&self, bit: &Bit) -> String {
        match bit {
            Bit::Say(words) => escape(words),
            Bit::Told(words) => apart(words),
            Bit::Code(words) => format!("<code>{}</code>", escape(words)),
            Bit::Minute(at) => minute(*at),
            Bit::Day(at) => day(*at),
            Bit::Item(id) if self.anchors.contains(id) => format!("<a href=\"#{id}\">{id}</a>"),
            Bit::Item(id) => id.to_string(),
        }
    }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => " good",
        Tone::Warn => " warn",
        Tone::Bad => " bad",
        Tone::Quiet => " quiet",
    }
}

fn typed(command: &str) -> String {
    format!("<code class=\"command\">{}</code>", escape(command))
}

pub fn minute(at: Time) -> String {
    format!("<time datetime=\"{at}\">{}</time>", show::minute(at))
}

fn day(at: Time) -> String {
    let day = show::day(at);
    format!("<time datetime=\"{day}\">{day}</time>")
}

/// Somebody else's words. What runs from right to left must not pull our own words round.
pub fn apart(words: &str) -> String {
    if words.is_ascii() { escape(words) } else { format!("<bdi>{}</bdi>", escape(words)) }
}

/// Text as HTML text or as an attribute's value in quotes. What is hidden is visible already
/// ([`crate::cli::text::safe`]).
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
