//! Which row is about which key.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::Id;
use crate::domain::key::{Key, KeyFacts};
use crate::inventory::{Row, aws};

/// What a row is about.
#[derive(Clone, Copy)]
pub(super) enum Found<'k> {
    /// A key that is in use.
    Live(&'k Key),
    /// One that was retired, and no live one is meant.
    Retired(&'k Key),
    /// None that is known.
    Nothing,
}

/// Keys by what rows name them by.
pub(super) struct Index<'k> {
    by_provider: BTreeMap<&'k str, Vec<&'k Key>>,
    by_end: BTreeMap<&'k str, Vec<&'k Key>>,
    by_name: BTreeMap<&'k str, Vec<&'k Key>>,
    retired_by_provider: BTreeMap<&'k str, &'k Key>,
    retired_by_name: BTreeMap<&'k str, &'k Key>,
}

impl<'k> Index<'k> {
    /// Of all keys, in the order of their ids.
    pub(super) fn of(keys: &'k [Key]) -> Index<'k> {
        let mut index = Index {
            by_provider: BTreeMap::new(),
            by_end: BTreeMap::new(),
            by_name: BTreeMap::new(),
            retired_by_provider: BTreeMap::new(),
            retired_by_name: BTreeMap::new(),
        };
        for key in keys {
            let f = &key.facts;
            if !key.is_live() {
                // The newest stays.
                f.provider_id.as_deref().and_then(|id| index.retired_by_provider.insert(id, key));
                index.retired_by_name.insert(&f.name, key);
                continue;
            }
            if let Some(id) = &f.provider_id {
                index.by_provider.entry(id).or_default().push(key);
            }
            if let Some(end) = &f.last4 {
                index.by_end.entry(end).or_default().push(key);
            }
            index.by_name.entry(&f.name).or_default().push(key);
        }
        index
    }

    /// What each row is about: first by provider id, then by name, then by the ends of secret and name. What one row is
    /// about, no other is, and the surer ways go first for all rows; so the order of rows decides nothing, and the same
    /// file finds the same keys again. (By fingerprint nothing is found: a file would have to hold the secret.)
    pub(super) fn matches(&self, rows: &[Row]) -> Vec<Result<Found<'k>, String>> {
        let mut claimed: BTreeSet<Id> = BTreeSet::new();
        let mut found: Vec<Option<Result<Found<'k>, String>>> = rows.iter().map(|_| None).collect();
        let ways: [fn(&Self, &Row) -> Vec<&'k Key>; 3] = [Self::same_provider_id, Self::same_name, Self::same_ends];
        for way in ways {
            for (row, slot) in rows.iter().zip(found.iter_mut()).filter(|(_, slot)| slot.is_none()) {
                let mut keys = way(self, row);
                keys.retain(|key| !claimed.contains(&key.id));
                match keys[..] {
                    [] => {}
                    [key] => {
                        claimed.insert(key.id);
                        *slot = Some(Ok(Found::Live(key)));
                    }
                    [first, second, ..] => *slot = Some(Err(format!("it may be {} or {}", first.id, second.id))),
                }
            }
        }
        let rest = |row: &Row| self.retired(row).map_or(Found::Nothing, Found::Retired);
        rows.iter().zip(found).map(|(row, found)| found.unwrap_or_else(|| Ok(rest(row)))).collect()
    }

    fn same_provider_id(&self, row: &Row) -> Vec<&'k Key> {
        row.provider_id.as_deref().and_then(|id| self.by_provider.get(id)).cloned().unwrap_or_default()
    }

    fn same_name(&self, row: &Row) -> Vec<&'k Key> {
        let keys = self.by_name.get(row.name.as_str()).into_iter().flatten();
        keys.copied().filter(|key| may_be(row, key)).collect()
    }

    fn same_ends(&self, row: &Row) -> Vec<&'k Key> {
        let keys = row.last4.as_deref().and_then(|end| self.by_end.get(end)).into_iter().flatten();
        keys.copied().filter(|key| may_be(row, key) && same_end(&key.facts.name, &row.name)).collect()
    }

    /// The retired key that a row is about, unless what it is about was made after the retirement.
    fn retired(&self, row: &Row) -> Option<&'k Key> {
        let by_id = row.provider_id.as_deref().and_then(|id| self.retired_by_provider.get(id));
        let by_name = || self.retired_by_name.get(row.name.as_str()).filter(|key| may_be(row, key));
        let key = by_id.or_else(by_name)?;
        let newer = row.turned.max(row.created).max(row.rotated) > key.retired_at;
        (!newer).then_some(*key)
    }

    /// Sees to it that the name is one that no live key and no earlier line has. Names that we made up ourselves get the
    /// account behind them.
    pub(super) fn free_name(
        &self,
        row: &Row,
        facts: &mut KeyFacts,
        taken: &BTreeMap<String, u64>,
    ) -> Result<(), String> {
        let used = |name: &str| self.by_name.contains_key(name) || taken.contains_key(name);
        let account = row.provider_id.as_deref().and_then(|id| aws::account_of(aws::arn_of(id)));
        if let Some(account) = account.filter(|_| facts.source.as_deref() == Some(aws::SOURCE))
            && used(&facts.name)
        {
            facts.name = format!("{}@{account}", facts.name);
        }
        if let Some(line) = taken.get(&facts.name) {
            return Err(format!("the same name is on line {line}"));
        }
        if let Some(key) = self.by_name.get(facts.name.as_str()).and_then(|keys| keys.first()) {
            return Err(format!(
                "its name is that of {id}, which has another provider id; if {id} was turned over: aosctl rotation record {id}",
                id = key.id
            ));
        }
        facts.check()
    }
}

/// Two ids of the provider are two credentials, however alike the rest is. What a file says not to exist is found by its
/// id alone.
fn may_be(row: &Row, key: &Key) -> bool {
    !row.absent && (row.provider_id.is_none() || key.facts.provider_id.is_none())
}

/// `ci/token` and `github/ci/token`: one ends as the other, at a boundary.
fn same_end(a: &str, b: &str) -> bool {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    match long.strip_suffix(short) {
        Some("") => true,
        Some(rest) => !short.is_empty() && rest.ends_with(['/', ':', ' ', '.']),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::same_end;

    #[test]
    fn names_that_end_alike() {
        assert!(same_end("github/ci", "ci") && same_end("ci", "github/ci") && same_end("ci", "ci"));
        for (a, b) in [("mci", "ci"), ("ci", "ci2"), ("", "ci"), ("ci/", "ci")] {
            assert!(!same_end(a, b), "{a} {b}");
        }
    }
}
