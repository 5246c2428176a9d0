//! Everything that need not be decided first: a row an item while there is room, else a row an integration. The annex has
//! every row either way.

use std::collections::BTreeSet;

use super::card::{decided, decided_tone, last_use, subject};
use super::order::{Row, Tone, few};
use super::words::{Text, count, grouped, joined, name};
use crate::cli::show;
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
    /// A row an integration, and one a kind of what is at none.
    Groups,
    /// So many such rows, and one for all others.
    Few(usize),
}

/// Everything that need not be decided first.
#[derive(Debug, Clone)]
pub struct Rest {
    /// How many, and what was decided.
    pub summary: Text,
    /// What is not as usual: decided otherwise than keep, or open.
    pub singled: Vec<Row>,
    /// The rows.
    pub rows: Vec<Row>,
    /// They are not a row an item.
    pub folded: bool,
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
    let rows: Vec<Row> = match fold {
        Fold::Items => usual.iter().map(|i| row(i)).collect(),
        Fold::Groups => groups(&usual).iter().map(Group::row).collect(),
        Fold::Few(most) => few_groups(&groups(&usual), most),
    };
    Rest { summary, singled: singled.into_iter().map(row).collect(), rows, folded: fold != Fold::Items }
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
    if item.kind != ItemKind::Grant
        && let Some(owner) = &item.owner
    {
        parts.push(Text::new().say("owner ").who(owner));
    }
    parts.push(last_use(&item.last_use));
    if let Some(until) = item.until {
        parts.push(Text::new().say("until ").day(until));
    }
    parts.extend(item.findings.iter().map(|f| Text::new().say(format!("{} ", f.rule.id())).told(&f.fact)));
    let tone = match &item.decided {
        Some(d) if stands_out(item) => {
            parts.push(decided(d));
            decided_tone(d)
        }
        _ => Tone::Plain,
    };
    Row::says(joined(parts, "; ")).led(Text::new().item(item.id)).in_tone(tone)
}

/// What is at one integration, or what is of one kind and at none.
#[derive(Default)]
struct Group {
    title: String,
    grants: Vec<Id>,
    others: Vec<(ItemKind, Id)>,
    writing: usize,
    admin: usize,
    agents: BTreeSet<Id>,
    oldest: Option<Time>,
    never: usize,
    unknown: usize,
    watched: Vec<Id>,
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
        (ItemKind::Integration, Some(id), _) => {
            item.name.as_deref().map_or_else(|| id.to_string(), crate::cli::text::safe)
        }
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
            ItemKind::Grant => self.grants.push(item.id),
            kind => self.others.push((kind, item.id)),
        }
        match item.access {
            Some(Access::Write) => self.writing += 1,
            Some(Access::Admin) => self.admin += 1,
            Some(Access::Read) | None => {}
        }
        if item.kind == ItemKind::Grant {
            self.agents.extend(item.agent.as_ref().map(|w| w.id));
        }
        match &item.last_use {
            LastUse::Used { at, .. } => self.oldest = Some(self.oldest.map_or(*at, |o| o.min(*at))),
            LastUse::Never { .. } => self.never += 1,
            LastUse::Unknown { .. } => self.unknown += 1,
            LastUse::None => {}
        }
        if !item.findings.is_empty() {
            self.watched.push(item.id);
        }
    }

    fn row(&self) -> Row {
        const IDS: usize = 4;
        let mut parts = Vec::new();
        if !self.grants.is_empty() {
            let mut what = format!("{} {}", count(number(self.grants.len()), "grant"), few(&self.grants, IDS));
            what.push_str(&format!(" of {}", count(number(self.agents.len()), "agent")));
            let access = [(self.writing, "write"), (self.admin, "admin")];
            let access: Vec<String> =
                access.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
            if !access.is_empty() {
                what.push_str(&format!(" ({})", access.join(", ")));
            }
            parts.push(what);
        }
        let keys: Vec<Id> = self.others.iter().filter(|(k, _)| *k == ItemKind::Key).map(|(_, id)| *id).collect();
        if !keys.is_empty() {
            parts.push(format!("{} {}", count(number(keys.len()), "key"), few(&keys, IDS)));
        }
        let people: Vec<Id> = self
            .others
            .iter()
            .filter(|(k, _)| matches!(k, ItemKind::Agent | ItemKind::Operator))
            .map(|(_, id)| *id)
            .collect();
        if !people.is_empty() {
            parts.push(few(&people, IDS));
        }
        if parts.is_empty() {
            parts.push("no grant".into());
        }
        if let Some(oldest) = self.oldest {
            let words = if self.never + self.unknown == 0 { "all used since" } else { "used since" };
            parts.push(format!("{words} {}", show::day(oldest)));
        }
        for (n, words) in [(self.never, "never used"), (self.unknown, "use unknown")] {
            if n > 0 {
                parts.push(format!("{n} {words}"));
            }
        }
        if !self.watched.is_empty() {
            parts.push(format!("to watch {}", few(&self.watched, IDS)));
        }
        Row::says(Text::new().say(parts.join("; "))).led(Text::new().say(self.title.clone()))
    }
}

fn few_groups(groups: &[Group], most: usize) -> Vec<Row> {
    let most = most.max(1);
    if groups.len() <= most {
        return groups.iter().map(Group::row).collect();
    }
    let mut rows: Vec<Row> = groups.iter().take(most - 1).map(Group::row).collect();
    let mut all = Group { title: format!("{} more", groups.len() + 1 - most), ..Group::default() };
    for group in groups.iter().skip(most - 1) {
        all.grants.extend(&group.grants);
        all.others.extend(&group.others);
        all.writing += group.writing;
        all.admin += group.admin;
        all.agents.extend(&group.agents);
        all.oldest = match (all.oldest, group.oldest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        all.never += group.never;
        all.unknown += group.unknown;
        all.watched.extend(&group.watched);
    }
    rows.push(all.row());
    rows
}
