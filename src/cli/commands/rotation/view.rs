//! A key and when it is due, as data and as lines.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::commands::grant::view::{Named, Names};
use crate::cli::error::CliError;
use crate::cli::outcome::Screen;
use crate::cli::show;
use crate::cli::text::{safe, truncate, width};
use crate::domain::key::Key;
use crate::domain::rules::RotationTerms;
use crate::domain::time::Time;
use crate::rotation::due::{DueState, commands};
use crate::rotation::{Counts, Listed};

/// A key and when it is to be turned over.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KeyDue {
    /// Which key. Its name is whatever somebody chose.
    pub key: Named,
    /// What sort of credential.
    pub kind: String,
    /// What it opens.
    pub integration: Option<Named>,
    /// Who turns it over: by its schedule, else who answers for it.
    pub owner: Option<Named>,
    /// Its state.
    pub state: DueState,
    /// Somebody has to do something now.
    pub is_due: bool,
    /// By when it is to be turned over: by its schedule or before the provider's end, whichever is first.
    pub due: Time,
    /// When it was last turned over, or made; absent where nobody told.
    pub turned: Option<Time>,
    /// When the provider ends it, where that is known.
    pub expires: Option<Time>,
    /// How often it is to be turned over, as `90d`.
    pub every: String,
    /// How long before that is said.
    pub warn: String,
    /// By a schedule of its own; without, by the policy's.
    pub own_schedule: bool,
    /// The first step of its leak that is not closed.
    pub leak_next: Option<String>,
    /// What to type, the usual line first.
    pub commands: Vec<String>,
}

impl KeyDue {
    /// Of a key in that state.
    pub fn of(l: &Listed, policy: &RotationTerms, names: &mut Names<'_>) -> Result<KeyDue, CliError> {
        let key = &l.key;
        let (every, warn) = key.terms(policy);
        let owner = key.schedule.as_ref().and_then(|s| s.owner).or(key.facts.owner);
        let open = key.leak.as_ref().filter(|_| key.leak_is_open());
        Ok(KeyDue {
            key: named(key),
            kind: key.facts.kind.clone(),
            integration: key.facts.integration.map(|i| names.of(i)).transpose()?,
            owner: owner.map(|o| names.of(o)).transpose()?,
            state: l.standing.state,
            is_due: l.standing.state.is_due(),
            due: l.standing.due,
            turned: key.turned(),
            expires: key.facts.expires,
            every: every.to_string(),
            warn: warn.to_string(),
            own_schedule: key.schedule.is_some(),
            leak_next: open.and_then(|leak| leak.next()).map(|s| s.as_str().to_string()),
            commands: commands(key, l.standing.state),
        })
    }

    /// How it stands, in a few words: `overdue since 2026-08-23`.
    pub fn words(&self) -> String {
        let day = show::day(self.due);
        match self.state {
            DueState::Fine => format!("due {day}"),
            DueState::Soon => format!("due soon, {day}"),
            DueState::Due => format!("due since {day}"),
            DueState::Overdue => format!("overdue since {day}"),
            DueState::UnknownAge => "of unknown age".into(),
            DueState::Expires => format!("ends at the provider {}", show::day(self.expires.unwrap_or(self.due))),
            DueState::Expired => format!("ended at the provider {}", show::day(self.expires.unwrap_or(self.due))),
            DueState::Leaked => match &self.leak_next {
                Some(step) => format!("LEAKED, next {}", step.replace('_', " ")),
                None => "LEAKED".into(),
            },
        }
    }

    /// What has to be done outside before the usual line is typed, as a question; a colon where it can be typed at once.
    fn first(&self) -> &'static str {
        let usual = self.commands.first().map_or("", String::as_str);
        if usual.starts_with("aosctl rotation record") {
            "; rotated?"
        } else if usual.starts_with("aosctl key retire") {
            "; deleted?"
        } else {
            ":"
        }
    }

    /// What to do, in one line whatever happens: `k-3 stripe-live overdue since 2026-08-23; rotated? aosctl ...`. The
    /// name is cut where the line would be wider than the screen.
    pub fn line(&self, screen: &Screen) -> String {
        let told = self.commands.iter().find(|c| c.starts_with("aosctl key set"));
        let usual = self.commands.first().map_or("", String::as_str);
        let (first, command) = match told {
            Some(told) => ("; made when?", told.as_str()),
            None => (self.first(), usual),
        };
        let id = self.key.id.to_string();
        let name = self.key.name.as_deref().map(safe).unwrap_or_default();
        let rest = format!(" {}{first} {command}", self.words());
        let room = screen.width.saturating_sub(width(&rest) + width(&id) + 1).max(8);
        format!("{id} {}{rest}\n", truncate(&name, room))
    }
}

/// How many keys are in each state.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct StateCounts {
    /// Nothing to do.
    pub fine: u64,
    /// Due within their warning time.
    pub soon: u64,
    /// The provider ends them within their warning time.
    pub expires: u64,
    /// Due.
    pub due: u64,
    /// Of unknown age.
    pub unknown_age: u64,
    /// Due for longer than their warning time.
    pub overdue: u64,
    /// Ended by the provider.
    pub expired: u64,
    /// Leaked, and that is open.
    pub leaked: u64,
    /// All of them.
    pub keys: u64,
}

impl From<&Counts> for StateCounts {
    fn from(c: &Counts) -> StateCounts {
        StateCounts {
            fine: c.of(DueState::Fine),
            soon: c.of(DueState::Soon),
            expires: c.of(DueState::Expires),
            due: c.of(DueState::Due),
            unknown_age: c.of(DueState::UnknownAge),
            overdue: c.of(DueState::Overdue),
            expired: c.of(DueState::Expired),
            leaked: c.of(DueState::Leaked),
            keys: c.all(),
        }
    }
}

/// A key's id and name.
pub fn named(key: &Key) -> Named {
    Named { id: key.id, name: Some(key.facts.name.clone()) }
}
