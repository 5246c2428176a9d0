//! Rows against what is known: what would be added, changed, left as it is, and refused.
//!
//! A file speaks only of what it knows. What an operator said and the file is silent about stays: the name, the owner, the
//! place of the secret, the integration, the schedule. Dates never move back, and a file that is older than the one before
//! it changes nothing. Planning the same file twice gives no change the second time.

mod matching;
mod merge;

use std::collections::BTreeMap;

use super::{Inventory, Refused, Row, aws};
use matching::{Found, Index};
pub use merge::deltas;

use crate::domain::id::Id;
use crate::domain::key::{Key, KeyFacts, Place};
use crate::domain::time::{Span, Time};

/// Dates so far ahead are still taken for now: clocks differ, and a plain day may begin earlier elsewhere.
const AHEAD: Span = Span::DAY;

/// What the plan needs besides the file.
pub struct World<'a> {
    /// Every key, retired ones too.
    pub keys: &'a [Key],
    /// Integrations by their names.
    pub integrations: &'a BTreeMap<String, Id>,
    /// Live operators by their names, where exactly one has it.
    pub operators: &'a BTreeMap<String, Id>,
    /// Is that a reference to a secret? The answer is what is wrong with it.
    pub reference: &'a dyn Fn(&str) -> Result<(), String>,
    /// The file tells the state of this moment.
    pub as_of: Time,
    /// Now.
    pub now: Time,
    /// Who answers for keys that are new and whose owner the file does not tell.
    pub owner: Option<Id>,
    /// What keys open that are new and of which the file does not tell.
    pub integration: Option<Id>,
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Keys to add, in the order of the lines.
    pub added: Vec<Addition>,
    /// Keys of which something else is known now.
    pub changed: Vec<Alteration>,
    /// Keys of which the file says what is known.
    pub unchanged: Vec<Id>,
    /// What is not used, in the order of the lines.
    pub refused: Vec<Refused>,
    /// Live keys that an earlier file of this kind had, whose owner this one, which claims to be complete, does not mention.
    pub missing: Vec<Id>,
}

/// A key to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The line.
    pub line: u64,
    /// What is known of it.
    pub facts: KeyFacts,
}

/// A key to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// The line.
    pub line: u64,
    /// Which.
    pub key: Id,
    /// All that is known of it then.
    pub facts: KeyFacts,
    /// What differs.
    pub what: Vec<Delta>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// What: `active`, `rotated`.
    pub what: &'static str,
    /// As it was known. Foreign text.
    pub old: Option<String>,
    /// As it is told. Foreign text.
    pub new: Option<String>,
}

impl Delta {
    /// `active true -> false`. Foreign text.
    pub fn words(&self) -> String {
        let word = |t: &Option<String>| t.clone().unwrap_or_else(|| "not told".into());
        format!("{} {} -> {}", self.what, word(&self.old), word(&self.new))
    }
}

/// Compares a file with what is known.
pub fn plan(file: &Inventory, world: &World<'_>) -> Plan {
    let index = Index::of(world.keys);
    let mut plan = Plan { refused: file.refused.clone(), ..Plan::default() };
    // Which line took a name.
    let mut taken: BTreeMap<String, u64> = BTreeMap::new();
    let newest = newest_before(file, world.keys);
    for (row, found) in file.rows.iter().zip(index.matches(&file.rows)) {
        let step = match found {
            Err(why) => Err(why),
            Ok(Found::Nothing) if row.absent => continue,
            Ok(Found::Nothing) if newest.is_some_and(|n| world.as_of < n) => Err(stale(world.as_of, newest)),
            Ok(Found::Nothing) => fresh(file.source, row, world).and_then(|mut facts| {
                index.free_name(row, &mut facts, &taken)?;
                Ok(Step::Add(facts))
            }),
            Ok(Found::Retired(key)) => retired(row, key),
            Ok(Found::Live(key)) => known(file.source, row, key, world, newest),
        };
        match step {
            Err(why) => plan.refused.push(Refused { line: row.line, why }),
            Ok(Step::Leave(id)) => plan.unchanged.push(id),
            Ok(Step::Change(key, facts, what)) => {
                plan.changed.push(Alteration { line: row.line, key, facts: *facts, what });
            }
            Ok(Step::Add(facts)) => {
                taken.insert(facts.name.clone(), row.line);
                plan.added.push(Addition { line: row.line, facts: *facts });
            }
        }
    }
    plan.missing = missing(file, world.keys);
    plan.refused.sort();
    plan
}

enum Step {
    Add(Box<KeyFacts>),
    Change(Id, Box<KeyFacts>, Vec<Delta>),
    Leave(Id),
}

/// A file that tells of all accounts as of one moment is judged by the newest one before it.
fn newest_before(file: &Inventory, keys: &[Key]) -> Option<Time> {
    let of_these = |key: &&Key| {
        let account = key.facts.provider_id.as_deref().and_then(|id| aws::account_of(aws::arn_of(id)));
        account.is_some_and(|a| file.accounts.contains(a))
    };
    let seen = |key: &Key| key.facts.seen.as_ref().filter(|s| s.feed == file.source).map(|s| s.as_of);
    keys.iter().filter(of_these).filter_map(seen).max()
}

fn stale(as_of: Time, newest: Option<Time>) -> String {
    let newest = newest.map(|t| t.to_string()).unwrap_or_default();
    format!("the file tells of {as_of}, and what was imported before of {newest}: an older file changes nothing")
}

fn missing(file: &Inventory, keys: &[Key]) -> Vec<Id> {
    let gone = |key: &&Key| {
        let Some(id) = key.facts.provider_id.as_deref().filter(|_| key.is_live()) else { return false };
        let arn = aws::arn_of(id);
        // Whoever typed it by hand under such an id is told too.
        aws::account_of(arn).is_some_and(|a| file.accounts.contains(a)) && !file.mentioned.contains(arn) && id != arn
    };
    keys.iter().filter(gone).map(|k| k.id).collect()
}

fn retired(row: &Row, key: &Key) -> Result<Step, String> {
    match row.absent || row.active == Some(false) {
        true => Ok(Step::Leave(key.id)),
        false => {
            let at = key.retired_at.map(|t| t.to_string()).unwrap_or_default();
            Err(format!(
                "{} was retired at {at}, and the file still has it as usable: delete it at its provider; or, if it is in use \
                 again, add it: aosctl key add NAME",
                key.id
            ))
        }
    }
}

/// What a row makes of a live key.
fn known(source: &str, row: &Row, key: &Key, world: &World<'_>, newest: Option<Time>) -> Result<Step, String> {
    let facts = merge::into(row, key, world)?;
    let what = merge::deltas(&key.facts, &facts);
    let seen = key.facts.seen.as_ref().filter(|s| s.feed == source).map(|s| s.as_of);
    let newest = newest.max(seen);
    match what.is_empty() {
        true => Ok(Step::Leave(key.id)),
        false if newest.is_some_and(|n| world.as_of < n) => Err(stale(world.as_of, newest)),
        false => Ok(Step::Change(key.id, Box::new(facts), what)),
    }
}

/// What is known of something new.
fn fresh(source: &'static str, row: &Row, world: &World<'_>) -> Result<Box<KeyFacts>, String> {
    merge::check_times(row, world)?;
    let facts = KeyFacts {
        name: row.name.clone(),
        kind: row.kind.clone().unwrap_or_else(|| "token".into()),
        integration: merge::integration(row, world)?.or(world.integration),
        scope: row.scope.clone(),
        owner: merge::owner(row, world)?.or(world.owner),
        place: merge::place(row, world)?.map_or(Place::Unknown, Place::Reference),
        provider_id: row.provider_id.clone(),
        last4: row.last4.clone(),
        fingerprint: None,
        // Of a slot nobody knows whether its first key was ever turned over: making it is not rotating it.
        created: row.created.or(row.turned),
        rotated: row.rotated,
        expires: row.expires,
        active: row.active.unwrap_or(true),
        person: row.person.unwrap_or(false),
        seen: row.seen.clone(),
        source: Some(source.into()),
    };
    facts.check()?;
    Ok(Box::new(facts))
}

#[cfg(test)]
mod tests;
