//! Text with a little structure, so that every format says the same sentence in its own way.
//!
//! Whatever stands in a [`Text`] is safe to show: our own words as they are, foreign ones through
//! [`crate::cli::text::safe`] (law 8). A format escapes only what its own syntax would take for markup.

use crate::cli::show;
use crate::cli::text::{is_hidden, safe};
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::review::model::{EntryRange, Who};

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bit {
    /// Our own words.
    Say(String),
    /// Somebody else's, safe; they may run from right to left.
    Told(String),
    /// A moment, to the minute.
    Minute(Time),
    /// A day.
    Day(Time),
    /// Something to be copied as it is: a digest, a command.
    Code(String),
    /// An item, which has a row in the annex.
    Item(Id),
}

/// A sentence, or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Vec<Bit>);

impl Text {
    /// Nothing yet.
    pub fn new() -> Text {
        Text::default()
    }

    /// Foreign words, made safe.
    pub fn foreign(text: &str) -> Text {
        Text::new().told(text)
    }

    /// Our own words.
    #[must_use]
    pub fn say(mut self, words: impl Into<String>) -> Text {
        let words = words.into();
        if let Some(Bit::Say(last)) = self.0.last_mut() {
            last.push_str(&words);
        } else if !words.is_empty() {
            self.0.push(Bit::Say(words));
        }
        self
    }

    /// Somebody else's words, made safe.
    #[must_use]
    pub fn told(mut self, words: &str) -> Text {
        if !words.is_empty() {
            self.0.push(Bit::Told(safe(words)));
        }
        self
    }

    /// A moment, to the minute.
    #[must_use]
    pub fn minute(mut self, at: Time) -> Text {
        self.0.push(Bit::Minute(at));
        self
    }

    /// A day.
    #[must_use]
    pub fn day(mut self, at: Time) -> Text {
        self.0.push(Bit::Day(at));
        self
    }

    /// Something to be copied as it is.
    #[must_use]
    pub fn code(mut self, text: &str) -> Text {
        self.0.push(Bit::Code(copyable(text)));
        self
    }

    /// An item.
    #[must_use]
    pub fn item(mut self, id: Id) -> Text {
        self.0.push(Bit::Item(id));
        self
    }

    /// A name, and the id where there is none.
    #[must_use]
    pub fn who(self, who: &Who) -> Text {
        match &who.name {
            Some(name) => self.told(name),
            None => self.say(who.id.to_string()),
        }
    }

    /// A name with its id: `maya (op-1)`.
    #[must_use]
    pub fn who_in_full(self, who: &Who) -> Text {
        match &who.name {
            Some(name) => self.told(name).say(" (").item(who.id).say(")"),
            None => self.item(who.id),
        }
    }

    /// `entry 811`, `entries 811-870`.
    #[must_use]
    pub fn entries(self, range: EntryRange) -> Text {
        if range.first == range.last {
            self.say(format!("entry {}", range.first))
        } else {
            self.say(format!("entries {}-{}", range.first, range.last))
        }
    }

    /// Another text after this one.
    #[must_use]
    pub fn and(mut self, other: Text) -> Text {
        for bit in other.0 {
            match bit {
                Bit::Say(words) => self = self.say(words),
                bit => self.0.push(bit),
            }
        }
        self
    }

    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pieces.
    pub fn bits(&self) -> &[Bit] {
        &self.0
    }

    /// As one plain line.
    pub fn plain(&self) -> String {
        self.0.iter().map(Bit::plain).collect()
    }
}

impl Bit {
    /// As plain words.
    pub fn plain(&self) -> String {
        match self {
            Bit::Say(words) | Bit::Told(words) | Bit::Code(words) => words.clone(),
            Bit::Minute(at) => show::minute(*at),
            Bit::Day(at) => show::day(*at),
            Bit::Item(id) => id.to_string(),
        }
    }
}

/// Texts with something between them; empty ones are left out.
pub fn joined(texts: impl IntoIterator<Item = Text>, between: &str) -> Text {
    texts
        .into_iter()
        .filter(|t| !t.is_empty())
        .fold(Text::new(), |all, text| if all.is_empty() { text } else { all.say(between).and(text) })
}

/// A name, safe, and the id where there is none.
pub fn name(who: &Who) -> String {
    who.name.as_deref().map_or_else(|| who.id.to_string(), safe)
}

/// A line that is to be pasted. A backslash in it is the shell's and stays; what is hidden becomes visible.
pub fn copyable(command: &str) -> String {
    let mut out = String::with_capacity(command.len());
    for part in command.split_inclusive('\\') {
        let (text, slash) = part.strip_suffix('\\').map_or((part, ""), |text| (text, "\\"));
        out.push_str(&safe(text));
        out.push_str(slash);
    }
    debug_assert!(!out.chars().any(is_hidden));
    out
}

/// `1 grant`, `3 grants`.
pub fn count(n: u64, what: &str) -> String {
    match (n, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{} {stem}ies", grouped(n)),
        _ => format!("{} {what}s", grouped(n)),
    }
}

/// A number with its thousands apart: `12,044`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Ids in the order of their numbers, runs of three and more joined, each with how many it stands for: `g-1`, `g-4..g-9`.
pub fn runs(list: &[Id]) -> Vec<(String, usize)> {
    let mut list = list.to_vec();
    list.sort();
    list.dedup();
    let mut runs: Vec<(Id, Id)> = Vec::new();
    for id in list {
        match runs.last_mut() {
            Some((_, last)) if last.kind == id.kind && last.n + 1 == id.n => *last = id,
            _ => runs.push((id, id)),
        }
    }
    let mut out = Vec::new();
    for (first, last) in runs {
        match last.n - first.n {
            0 => out.push((first.to_string(), 1)),
            1 => out.extend([(first.to_string(), 1), (last.to_string(), 1)]),
            more => {
                out.push((format!("{first}..{last}"), usize::try_from(more).unwrap_or(usize::MAX).saturating_add(1)))
            }
        }
    }
    out
}

/// The first ids, and how many more there are: `g-1 g-4..g-9 and 3 more`.
pub fn few(list: &[Id], most: usize) -> String {
    let runs = runs(list);
    let shown: Vec<&str> = runs.iter().take(most).map(|(run, _)| run.as_str()).collect();
    match runs.iter().skip(most).map(|(_, n)| n).sum::<usize>() {
        0 => shown.join(" "),
        more => format!("{} and {} more", shown.join(" "), grouped(u64::try_from(more).unwrap_or(u64::MAX))),
    }
}

/// As many ids as fit into so many cells, and how many more there are: `g-4 g-6..g-9 +3`; where not even one fits, how many
/// there are.
pub fn within(list: &[Id], cells: usize) -> String {
    let runs = runs(list);
    let mut left: usize = runs.iter().map(|(_, n)| n).sum();
    let mut best = left.to_string();
    let mut shown = String::new();
    for (run, n) in &runs {
        shown.push_str(if shown.is_empty() { "" } else { " " });
        shown.push_str(run);
        left = left.saturating_sub(*n);
        let now = if left == 0 { shown.clone() } else { format!("{shown} +{left}") };
        if now.len() <= cells {
            best = now;
        }
        if shown.len() > cells {
            break;
        }
    }
    if runs.is_empty() { String::new() } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_runs_of_ids() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "entry"), "1 entry");
        assert_eq!(count(2, "entry"), "2 entries");
        assert_eq!(count(0, "day"), "0 days");
        let list = ["g-9", "g-1", "g-3", "g-4", "g-5", "g-8", "g-1", "k-2"].map(|s| s.parse::<Id>().unwrap());
        assert_eq!(few(&list, 9), "g-1 g-3..g-5 g-8 g-9 k-2");
        assert_eq!(few(&list, 2), "g-1 g-3..g-5 and 3 more");
        assert_eq!(within(&list, 99), "g-1 g-3..g-5 g-8 g-9 k-2");
        assert_eq!(within(&list, 16), "g-1 g-3..g-5 +3");
        assert_eq!(within(&list, 6), "g-1 +6");
        assert_eq!(within(&list, 2), "7");
        assert_eq!(within(&[], 9), "");
    }

    #[test]
    fn a_command_keeps_the_shells_backslash_and_shows_what_hides() {
        assert_eq!(copyable(r"aosctl revoke 'it'\''s'"), r"aosctl revoke 'it'\''s'");
        assert_eq!(copyable("a\u{202e}b\u{1b}[31m\n"), r"a\u{202e}b\x1b[31m\n");
    }
}
