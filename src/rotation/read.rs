//! What is due in a workspace.
//!
//! This is a report, and reads the projection: the columns with dates of every key, and the whole rows of those few about
//! which something is to be said. A row that was changed or deleted by hand is not found here but by `audit verify`; what
//! gives a secret out asks the verified entries instead (law 6).

use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::Key;
use crate::domain::rules::RotationTerms;
use crate::domain::time::Time;
use crate::rotation::due::{Dates, DueState, Standing, state};
use crate::store::KeyDates;
use crate::workspace::{Workspace, WorkspaceError};

/// How many keys are in each state, in the order of [`DueState::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; DueState::ALL.len()]);

impl Counts {
    /// Of that state.
    pub fn of(&self, state: DueState) -> u64 {
        DueState::ALL.iter().zip(self.0).find(|(s, _)| **s == state).map_or(0, |(_, n)| n)
    }

    /// Of all.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// One more.
    fn add(&mut self, state: DueState) {
        for (s, n) in DueState::ALL.iter().zip(&mut self.0) {
            *n += u64::from(*s == state);
        }
    }
}

/// A key with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: Key,
    /// Its state.
    pub standing: Standing,
}

/// The keys that are due or soon, most urgent first, and how many there are of each state.
///
/// # Errors
/// What reading gives.
pub fn due(ws: &Workspace, now: Time) -> Result<(Vec<Listed>, Counts), WorkspaceError> {
    let dates = ws.store().key_dates()?;
    let policy = terms(ws, &dates)?;
    let mut counts = Counts::default();
    let mut found = Vec::new();
    for d in &dates {
        // Whether a leak is open stands in the row.
        let row = if d.leaked { ws.store().key(d.id)? } else { None };
        let open = row.as_ref().is_some_and(Key::leak_is_open);
        let Some(s) = state(&light(d, open), &policy, now) else { continue };
        counts.add(s.state);
        if s.state == DueState::Fine {
            continue;
        }
        let row = match row {
            Some(row) => Some(row),
            None => ws.store().key(d.id)?,
        };
        let standing = Standing { id: d.id, state: s.state, due: s.due };
        found.extend(row.map(|key| Listed { key, standing }));
    }
    found.sort_by_key(|l| (std::cmp::Reverse(l.standing.state), l.standing.due, l.standing.id));
    Ok((found, counts))
}

/// All keys that are live, and those whose leak is open; these first, then next due first.
///
/// # Errors
/// What reading gives.
pub fn listed(ws: &Workspace, now: Time) -> Result<Vec<Listed>, WorkspaceError> {
    let policy = policy(ws)?;
    let mut found = Vec::new();
    for key in ws.store().keys(true)? {
        if let Some(s) = state(&Dates::from(&key), &policy, now) {
            found.push(Listed { standing: Standing { id: key.id, state: s.state, due: s.due }, key });
        }
    }
    found.sort_by_key(|l| (l.standing.state != DueState::Leaked, l.standing.due, l.standing.id));
    Ok(found)
}

/// The policy's terms for keys without a schedule of their own.
///
/// # Errors
/// What reading gives; an integrity failure where no policy was ever adopted.
pub fn policy(ws: &Workspace) -> Result<RotationTerms, WorkspaceError> {
    let none = || WorkspaceError::Integrity { seq: None, detail: "no policy was ever adopted".into() };
    Ok(ws.facts().policy()?.ok_or_else(none)?.rules.rotation.clone())
}

/// As [`policy`], where a key needs them.
fn terms(ws: &Workspace, dates: &[KeyDates]) -> Result<RotationTerms, WorkspaceError> {
    if dates.iter().any(|d| d.schedule.is_none()) {
        return policy(ws);
    }
    Ok(RotationTerms { every: Default::default(), warn: Default::default() })
}

fn light(d: &KeyDates, leaked: bool) -> Dates {
    Dates {
        id: d.id,
        turned: d.turned,
        added: d.added,
        schedule: d.schedule,
        expires: d.expires,
        leaked,
        retired: d.retired,
    }
}

/// The state of one key.
///
/// # Errors
/// What reading the policy gives.
pub fn of(ws: &Workspace, key: &Key, now: Time) -> Result<Option<Standing>, WorkspaceError> {
    let id: Id = key.id;
    Ok(state(&Dates::from(key), &policy(ws)?, now).map(|s| Standing { id, state: s.state, due: s.due }))
}
