//! The state of a key at a moment. Pure.
//!
//! | state | when | due |
//! |---|---|---|
//! | `leaked` | a leak is open, whatever else holds, retired or not | yes |
//! | `expired` | the provider's end has passed | yes |
//! | `overdue` | due for longer than its warning time | yes |
//! | `unknown_age` | nobody told when it was made or turned over; not overdue yet, counted from when it was added | yes |
//! | `due` | the time between two rotations is over | yes |
//! | `expires` | the provider ends it within its warning time: after that nothing works that uses it | yes |
//! | `soon` | due within its warning time | no |
//! | `fine` | none of these | no |
//!
//! How often and how long before is the key's own schedule, else the policy's. A key is *due*
//! for as long as it was *soon* before, and then overdue: with a warning time of 14 days there are 14 days of notice, 14
//! days to do it, and then it is late. Without one it is overdue at once.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::id::Id;
use crate::domain::key::Key;
use crate::domain::rules::RotationTerms;
use crate::domain::time::{Span, Time};

/// What a key's state follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// Which key.
    pub id: Id,
    /// When it was last turned over, or made. `None`: nobody told.
    pub turned: Option<Time>,
    /// When it was put into the inventory.
    pub added: Time,
    /// Its own schedule: how often, and how long before that is said.
    pub schedule: Option<(Span, Span)>,
    /// When the provider ends it.
    pub expires: Option<Time>,
    /// A leak is open.
    pub leaked: bool,
    /// Out of use.
    pub retired: bool,
}

impl From<&Key> for Dates {
    fn from(key: &Key) -> Dates {
        Dates {
            id: key.id,
            turned: key.turned(),
            added: key.added_at,
            schedule: key.schedule.as_ref().map(|s| (s.every, s.warn)),
            expires: key.facts.expires,
            leaked: key.leak_is_open(),
            retired: !key.is_live(),
        }
    }
}

/// The states, least urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueState {
    /// Nothing is to be done.
    Fine,
    /// Due within its warning time.
    Soon,
    /// The provider ends it within its warning time.
    Expires,
    /// The time between two rotations is over.
    Due,
    /// Nobody knows how old it is.
    UnknownAge,
    /// Due for longer than its warning time.
    Overdue,
    /// The provider has ended it.
    Expired,
    /// It is exposed, and that is not closed.
    Leaked,
}

impl DueState {
    /// All, least urgent first.
    pub const ALL: [DueState; 8] = [
        DueState::Fine,
        DueState::Soon,
        DueState::Expires,
        DueState::Due,
        DueState::UnknownAge,
        DueState::Overdue,
        DueState::Expired,
        DueState::Leaked,
    ];

    /// Somebody has to do something now. `soon` is only said.
    pub fn is_due(self) -> bool {
        self >= DueState::Expires
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            DueState::Fine => "fine",
            DueState::Soon => "soon",
            DueState::Expires => "expires",
            DueState::Due => "due",
            DueState::UnknownAge => "unknown_age",
            DueState::Overdue => "overdue",
            DueState::Expired => "expired",
            DueState::Leaked => "leaked",
        }
    }
}

/// The state of a key, and the moment that it follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Which.
    pub state: DueState,
    /// By when it is to be turned over: by its schedule or before the provider's end, whichever is first.
    pub due: Time,
}

/// The state of a key at a moment. `None`: it was retired, and nothing about it is open.
pub fn state(d: &Dates, policy: &RotationTerms, now: Time) -> Option<State> {
    let (every, warn) = d.schedule.unwrap_or((policy.every, policy.warn));
    let scheduled = d.turned.map_or(d.added, |t| t.plus(every));
    let due = d.expires.map_or(scheduled, |e| e.min(scheduled));
    let by_schedule = if scheduled.plus(warn) < now {
        DueState::Overdue
    } else if d.turned.is_none() {
        DueState::UnknownAge
    } else if scheduled <= now {
        DueState::Due
    } else if scheduled.minus(warn) <= now {
        DueState::Soon
    } else {
        DueState::Fine
    };
    let by_provider = match d.expires {
        Some(e) if e <= now => DueState::Expired,
        Some(e) if e.minus(warn) <= now => DueState::Expires,
        _ => DueState::Fine,
    };
    let state = match (d.leaked, d.retired) {
        (true, _) => DueState::Leaked,
        (false, true) => return None,
        (false, false) => by_schedule.max(by_provider),
    };
    Some(State { state, due })
}

/// A key with its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which key.
    pub id: Id,
    /// Its state.
    pub state: DueState,
    /// By when it is to be turned over.
    pub due: Time,
}

/// What to type, line by line, the usual one first. Only ids stand in them, so that they can be copied whatever a key is
/// called.
pub fn commands(key: &Key, state: DueState) -> Vec<String> {
    let id = key.id;
    let record = key.turn_line();
    match state {
        DueState::Fine => Vec::new(),
        DueState::Leaked => vec![record],
        _ if !key.facts.active => vec![format!("aosctl key retire {id}"), record],
        // It may be new: then it has only to be said.
        DueState::UnknownAge => vec![
            record,
            format!("aosctl key set {id} --created DATE"),
            format!("aosctl rotation record {id} --rotated DATE"),
        ],
        _ => vec![record],
    }
}

#[cfg(test)]
mod tests;
