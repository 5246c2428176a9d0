//! Everything that need not be decided first: a row an item while there is room, else a row an integration. The annex has
//! every row either way.

use super::card::{decided, decided_tone, subject};
use super::order::{Row, Tone};
use super::words::{Text, count, grouped, joined, name, within};
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::id::Id;
use crate::domain::review::Advice;
use crate::domain::time::Time;
use crate::review::model::{Item, ItemKind, LastUse, Remedy, Review};

/// How much is said of what need not be decided first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// A row an item.
    Items,
    /// At most so many rows: one an integration, one a kind of what is at none, and one for all others.
    Groups(usize),
}

/// Everything that need not be decided first.
#[derive(Debug, Clone)]
pub struct Rest {
    /// How many, and what was decided.
    pub summary: Text,
    /// What is not as usual: decided otherwise than keep, or open.
    pub singled: Vec<Row>,
    /// A row an item.
    pub items: Vec<Row>,
    /// Or a row a group.
    pub groups: Vec<Group>,
}

impl Rest {
    /// The rows are not a row an item.
    pub fn is_folded(&self) -> bool {
        !self.groups.is_empty()
    }
}

/// Everything that need not be decided first.
pub fn rest(review: &Review, fold: Fold) -> Rest {
    let items = &review.rest;
    let (singled, usual): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|i| stands_out(i));
    let kept = items.iter().filter(|i| i.decided.as_ref().is_some_and(|d| d.decision == Advice::Keep)).count();
    let mut summary = Text::new().say(count(number(items.len()), "item"));
    if kept > 0 {
        summary = summary.say(format!(", {} kept", grouped(number(kept))));
    }
    let singled = singled.into_iter().map(row).collect();
    match fold {
        Fold::Items => Rest { summary, singled, items: usual.into_iter().map(row).collect(), groups: Vec::new() },
        Fold::Groups(most) => Rest { summary, singled, items: Vec::new(), groups: at_most(groups(&usual), most) },
    }
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A fold must not hide it.
fn stands_out(item: &Item) -> bool {
    item.decided.as_ref().is_some_and(|d| d.decision != Advice::Keep || d.overridden || d.remedy == Remedy::Open)
}

fn row(item: &Item) -> Row {
    let mut parts = vec![subject(item)];
    parts.extend(item.findings.iter().map(|f| Text::new().say(format!("{} ", f.rule.id())).told(&f.fact)));
    let tone = match &item.decided {
        Some(d) if stands_out(item) => {
            parts.push(Text::new().say(d.decision.as_str().to_uppercase()).say(", ").and(decided(d, false)));
            decided_tone(d)
        }
        _ => Tone::Plain,
    };
    let used = match &item.last_use {
        LastUse::Used { at, .. } => Text::new().say("used ").day(*at),
        LastUse::Never { .. } => Text::new().say("never used"),
        LastUse::Unknown { .. } => Text::new().say("use unknown"),
        LastUse::None => Text::new(),
    };
    Row::says(joined(parts, "; ")).led(Text::new().item(item.id)).beside(used).in_tone(tone)
}

/// What is at one integration, or what is of one kind and at none.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The integration, or the kind.
    pub title: String,
    /// It is made of several, of which the items are only counted.
    pub several: bool,
    /// Grants; of what is at no integration, whatever it is.
    pub items: Vec<Id>,
    /// Keys.
    pub keys: Vec<Id>,
    /// Grants that may write.
    pub writing: u64,
    /// Of those, admin.
    pub admin: u64,
    /// None of it was used last before.
    pub used_since: Option<Time>,
    /// Watched, and never used.
    pub never: u64,
    /// Not watched.
    pub unknown: u64,
    /// What a rule has an eye on.
    pub watch: Vec<Id>,
}

/// In the order of the items, those at no integration after the others, by kind.
fn groups(items: &[&Item]) -> Vec<Group> {
    let mut at: Vec<(Option<Id>, ItemKind, Group)> = Vec::new();
    for item in items {
        let place = match item.kind {
            ItemKind::Integration => Some(item.id),
            _ => item.integration.as_ref().map(|w| w.id),
        };
        // What is at an integration goes together, whatever it is.
        let kind = if place.is_some() { ItemKind::Integration } else { item.kind };
        let found = at.iter().position(|(p, k, _)| *p == place && *k == kind).unwrap_or_else(|| {
            at.push((place, kind, Group { title: title(item, place), ..Group::default() }));
            at.len() - 1
        });
        if let Some((_, _, group)) = at.get_mut(found) {
            group.add(item);
        }
    }
    let (there, nowhere): (Vec<_>, Vec<_>) = at.into_iter().partition(|(place, _, _)| place.is_some());
    there.into_iter().chain(nowhere).map(|(_, _, group)| group).collect()
}

fn title(item: &Item, place: Option<Id>) -> String {
    match (item.kind, place, &item.integration) {
        (ItemKind::Integration, Some(id), _) => item.name.as_deref().map_or_else(|| id.to_string(), safe),
        (_, Some(_), Some(who)) => name(who),
        (ItemKind::Grant, ..) => "grants".into(),
        (ItemKind::Key, ..) => "keys".into(),
        (ItemKind::Agent, ..) => "agents".into(),
        (ItemKind::Operator, ..) => "operators".into(),
        (ItemKind::Integration, ..) => "integrations".into(),
    }
}

impl Group {
    fn add(&mut self, item: &Item) {
        match item.kind {
            ItemKind::Key => self.keys.push(item.id),
            // Named by the group.
            ItemKind::Integration => {}
            _ => self.items.push(item.id),
        }
        match item.access {
            Some(Access::Write) => self.writing += 1,
            Some(Access::Admin) => {
                self.writing += 1;
                self.admin += 1;
            }
            Some(Access::Read) | None => {}
        }
        match &item.last_use {
            LastUse::Used { at, .. } => self.used_since = Some(self.used_since.map_or(*at, |o| o.min(*at))),
            LastUse::Never { .. } => self.never += 1,
            LastUse::Unknown { .. } => self.unknown += 1,
            LastUse::None => {}
        }
        if !item.findings.is_empty() {
            self.watch.push(item.id);
        }
    }

    fn swallow(&mut self, other: Group) {
        self.items.extend(other.items);
        self.keys.extend(other.keys);
        self.writing += other.writing;
        self.admin += other.admin;
        self.used_since = match (self.used_since, other.used_since) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.never += other.never;
        self.unknown += other.unknown;
        self.watch.extend(other.watch);
    }

    /// Its items, in so many cells.
    pub fn items_within(&self, cells: usize) -> String {
        match (self.several, self.items.len()) {
            // The group is named after the integration, which is an item itself.
            (false, 0) if self.keys.is_empty() => "only itself".into(),
            (_, 0) => "-".into(),
            (true, n) => count(number(n), "item"),
            (false, _) => within(&self.items, cells),
        }
    }

    /// Its keys, in so many cells.
    pub fn keys_within(&self, cells: usize) -> String {
        match (self.several, self.keys.len()) {
            (_, 0) => "-".into(),
            (true, n) => count(number(n), "key"),
            (false, _) => within(&self.keys, cells),
        }
    }

    /// What else there is to say: `1 unknown, watch g-24`.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (n, words) in [(self.admin, "admin"), (self.never, "never"), (self.unknown, "unknown")] {
            if n > 0 {
                notes.push(format!("{} {words}", grouped(n)));
            }
        }
        if !self.watch.is_empty() {
            notes.push(format!("watch {}", within(&self.watch, 14)));
        }
        notes
    }
}

fn at_most(mut groups: Vec<Group>, most: usize) -> Vec<Group> {
    let most = most.max(1);
    if groups.len() <= most {
        return groups;
    }
    let others = groups.split_off(most - 1);
    let mut all = Group { title: format!("{} more rows", others.len()), several: true, ..Group::default() };
    for group in others {
        all.swallow(group);
    }
    groups.push(all);
    groups
}
