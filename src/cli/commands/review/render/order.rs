//! What stands where: one order and one wording, which the terminal, Markdown and HTML draw each in its own way.
//!
//! The order is that of review-rules.md: head, since last month, progress, decide first, everything else, customer data,
//! keys due, not seen, signature; then the annex with a row an item.

use super::annex::Table;
use super::card::{self, Card};
use super::rest::{self, Fold, Rest};
use super::sections::{customer, head, keys, not_seen, signature, since};
use super::words::{Text, count, grouped};
use crate::cli::text::safe;
use crate::domain::review::Month;
use crate::domain::time::Time;
use crate::review::model::Review;

/// How something is to be looked at. Colour is never the only sign of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As usual.
    #[default]
    Plain,
    /// In order.
    Good,
    /// Due, unknown, to be looked at.
    Warn,
    /// Overdue, failed, open.
    Bad,
    /// May be skipped.
    Quiet,
}

/// A line of a section.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// A word of its own for the margin.
    pub label: Option<&'static str>,
    /// What the line is about, in the tone of the line.
    pub lead: Text,
    /// What is said of it.
    pub text: Text,
    /// What stands at the end of the line.
    pub aside: Text,
    /// What to type.
    pub command: Option<String>,
    /// How it is to be looked at.
    pub tone: Tone,
}

impl Row {
    /// A line that only says something.
    pub fn says(text: Text) -> Row {
        Row { text, ..Row::default() }
    }

    /// With a word in the margin.
    #[must_use]
    pub fn labelled(mut self, label: &'static str) -> Row {
        self.label = Some(label);
        self
    }

    /// With something that it is about.
    #[must_use]
    pub fn led(mut self, lead: Text) -> Row {
        self.lead = lead;
        self
    }

    /// With something at the end of the line.
    #[must_use]
    pub fn beside(mut self, aside: Text) -> Row {
        self.aside = aside;
        self
    }

    /// In a tone.
    #[must_use]
    pub fn in_tone(mut self, tone: Tone) -> Row {
        self.tone = tone;
        self
    }

    /// With a line to type.
    #[must_use]
    pub fn typed(mut self, command: &str) -> Row {
        self.command = Some(super::words::copyable(command)).filter(|c| !c.is_empty());
        self
    }
}

/// A part of the page.
#[derive(Debug, Clone)]
pub struct Section {
    /// A word without spaces, for anchors.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The same for a margin.
    pub short: &'static str,
    /// Its lines.
    pub rows: Vec<Row>,
}

/// The whole page, in order.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// `October 2026`.
    pub month_name: String,
    /// Everything but decisions and signature is as of then.
    pub as_of: Time,
    /// The company, safe.
    pub company: Option<String>,
    /// Log, population, sources, reviewer.
    pub head: Section,
    /// Since the last review.
    pub since: Section,
    /// Items and decided ones.
    pub progress: (u64, u64),
    /// In words.
    pub progress_text: Text,
    /// Decide first.
    pub first: Vec<Card>,
    /// Everything else.
    pub rest: Rest,
    /// Customer data, keys due, not seen.
    pub below: Vec<Section>,
    /// Who stands by it.
    pub signature: Section,
    /// The annex, where it is drawn.
    pub annex: Vec<Table>,
    /// The digest of the annex.
    pub annex_sha256: String,
}

/// How much room there is for what is in the annex in full.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// For everything else.
    pub fold: Fold,
    /// Lines of each section below it.
    pub below: usize,
    /// Facts of keys that are due, owners and names of rules are left to the annex.
    pub brief: bool,
}

/// The page, with as much of what is in the annex as there is room for.
pub fn sheet(review: &Review, room: Room) -> Sheet {
    let most = room.below;
    let p = &review.progress;
    let mut progress = Text::new().say(format!("{} of {} decided", grouped(p.decided), count(p.items, "item")));
    if p.open > 0 {
        progress = progress.say(format!(", {} OPEN", grouped(p.open)));
    }
    Sheet {
        month_name: month_name(review.month),
        as_of: review.as_of,
        company: review.company.as_deref().map(safe),
        head: head(review),
        since: since(&review.since),
        progress: (p.items, p.decided),
        progress_text: progress,
        first: review.first.iter().map(|i| card::card(i, room.brief)).collect(),
        rest: rest::rest(review, room.fold),
        below: vec![
            customer(&review.customer_data, most),
            keys(&review.keys_due, most, !room.brief),
            not_seen(&review.not_seen, most),
        ],
        signature: signature(review),
        annex: Vec::new(),
        annex_sha256: safe(&review.annex_sha256),
    }
}

/// `October 2026`.
pub fn month_name(month: Month) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = month.to_string();
    let (year, number) = text.split_once('-').unwrap_or((&text, ""));
    let name = number.parse::<usize>().ok().and_then(|n| NAMES.get(n.checked_sub(1)?)).copied().unwrap_or(number);
    format!("{name} {year}")
}
