//! Keys as data and as lines, for every command that shows one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::commands::grant::view::{Named, Names};
use crate::cli::error::CliError;
use crate::cli::show;
use crate::domain::id::Id;
use crate::domain::key::{Key, LeakStep, Place, Sighting};
use crate::domain::rules::RotationTerms;
use crate::domain::time::{Span, Time};
use crate::workspace::Workspace;

/// What a key is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// In use.
    Live,
    /// The provider does not accept it at present, and keeps it.
    Inactive,
    /// The provider ended it.
    Expired,
    /// It is exposed, and not everything about that is done.
    Leaked,
    /// Out of use for good.
    Retired,
}

impl KeyState {
    /// The gravest that holds.
    pub fn of(key: &Key, now: Time) -> KeyState {
        match key {
            _ if key.leak_is_open() => KeyState::Leaked,
            _ if !key.is_live() => KeyState::Retired,
            _ if key.facts.expires.is_some_and(|t| t <= now) => KeyState::Expired,
            _ if !key.facts.active => KeyState::Inactive,
            _ => KeyState::Live,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Live => "live",
            KeyState::Inactive => "inactive",
            KeyState::Expired => "expired",
            KeyState::Leaked => "leaked",
            KeyState::Retired => "retired",
        }
    }
}

/// Where the secret of a key lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlaceView {
    /// Nobody told.
    Unknown,
    /// Behind a reference.
    Reference {
        /// `op://vault/item/field`. Foreign text.
        reference: String,
    },
    /// Sealed in the embedded vault.
    Sealed {
        /// An operator's passphrase opens it. Otherwise `run` opens it by itself.
        attended: bool,
        /// Hex SHA-256 of the sealed file.
        sha256: String,
    },
}

impl PlaceView {
    /// Of a key.
    pub fn of(place: &Place) -> PlaceView {
        match place {
            Place::Unknown => PlaceView::Unknown,
            Place::Reference(text) => PlaceView::Reference { reference: text.clone() },
            Place::Sealed { attended, sha256 } => PlaceView::Sealed { attended: *attended, sha256: sha256.to_string() },
        }
    }

    /// In one word, for a table: `vault`, `vault!` where it is unattended, `op:` of a reference, `?`. Foreign text.
    pub fn short(&self) -> String {
        match self {
            PlaceView::Unknown => "?".into(),
            PlaceView::Reference { reference } => {
                reference.split_inclusive(':').next().unwrap_or(reference).to_string()
            }
            PlaceView::Sealed { attended: true, .. } => "vault".into(),
            PlaceView::Sealed { attended: false, .. } => "vault!".into(),
        }
    }

    /// In words. Foreign text.
    pub fn long(&self) -> String {
        match self {
            PlaceView::Unknown => "not told".into(),
            PlaceView::Reference { reference } if reference.starts_with("env:") => {
                format!("{reference} (recorded only: the environment of aosctl holds no secret)")
            }
            PlaceView::Reference { reference } => reference.clone(),
            PlaceView::Sealed { attended: true, .. } => "sealed in the vault; a passphrase opens it".into(),
            PlaceView::Sealed { attended: false, .. } => {
                "sealed in the vault, UNATTENDED: run opens it without a passphrase".into()
            }
        }
    }
}

/// What is known of the use of a key, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastUse {
    /// The newest use; absent: who watches has never seen it used.
    pub at: Option<Time>,
    /// Who says so: `run`, or a feed such as `aws-credential-report`.
    pub by: String,
    /// What that feed knew, it knew as of this moment; absent for `run`, which always knows.
    pub as_of: Option<Time>,
}

impl LastUse {
    /// The newest of what `run` did and what a feed told. `None`: nobody watches, so nothing can be said.
    fn newest(run: Option<Time>, seen: Option<&Sighting>) -> Option<LastUse> {
        let told = seen.map(|s| LastUse { at: s.last, by: s.feed.clone(), as_of: Some(s.as_of) });
        match (run, told) {
            (Some(at), Some(told)) if told.at >= Some(at) => Some(told),
            (Some(at), _) => Some(LastUse { at: Some(at), by: "run".into(), as_of: None }),
            (None, told) => told,
        }
    }

    /// In words. Foreign text.
    pub fn long(last: Option<&LastUse>, now: Time) -> String {
        let Some(last) = last else { return "unknown: nothing that aosctl knows of watches its use".into() };
        let as_of = last.as_of.map(|t| format!(" as of {}", show::minute(t))).unwrap_or_default();
        match last.at {
            Some(t) => format!("{} ({}), by {}{as_of}", show::minute(t), show::relative(t, now), last.by),
            None => format!("never seen, by {}{as_of}", last.by),
        }
    }
}

/// When a key is to be turned over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Turning {
    /// When it has to be turned over.
    pub due: Time,
    /// So often.
    #[schemars(with = "String")]
    pub every: Span,
    /// It is said so long before.
    #[schemars(with = "String")]
    pub warn: Span,
    /// Who does it, where that was set.
    pub owner: Option<Named>,
    /// Its own schedule; otherwise the policy's.
    pub own: bool,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyRow {
    /// `k-3`.
    pub id: Id,
    /// What people call it. Foreign text, as every text here.
    pub name: String,
    /// What sort of credential.
    pub kind: String,
    /// What it is, as of now.
    pub state: KeyState,
    /// What it opens.
    pub opens: Option<Named>,
    /// Which part of it.
    pub scope: Option<String>,
    /// Who answers for it.
    pub owner: Option<Named>,
    /// Where its secret lives.
    pub place: PlaceView,
    /// `run` can have its secret without a passphrase.
    pub unattended: bool,
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// The last four characters of its secret.
    pub last4: Option<String>,
    /// Keyed fingerprint of its secret, hex.
    pub fingerprint: Option<String>,
    /// When the provider made it.
    pub created: Option<Time>,
    /// When it was last turned over, as far as anybody told.
    pub rotated: Option<Time>,
    /// From when its age counts: the later of these two; absent: nobody knows.
    pub turned: Option<Time>,
    /// When the provider ends it.
    pub expires: Option<Time>,
    /// The provider accepts it.
    pub active: bool,
    /// A person uses it too, or holds a password beside it.
    pub person: bool,
    /// What is known of its use; absent: nobody watches, so nothing can be said.
    pub last_use: Option<LastUse>,
    /// What it was imported from; absent: an operator typed it.
    pub source: Option<String>,
    /// When it is to be turned over; absent: no policy was ever adopted.
    pub rotation: Option<Turning>,
    /// The next step about its leak; absent: there is no open one.
    pub leak_next: Option<LeakStep>,
    /// Live grants that carry it.
    pub grants: Vec<Id>,
    /// When it was added.
    pub added_at: Time,
    /// When it was retired.
    pub retired_at: Option<Time>,
}

/// What rows are made with.
pub struct Rows<'w> {
    /// The workspace.
    pub ws: &'w Workspace,
    /// Names.
    pub names: Names<'w>,
    /// The policy's terms.
    pub terms: Option<RotationTerms>,
    /// Now.
    pub now: Time,
}

impl Rows<'_> {
    /// A key, with the live grants that carry it.
    pub fn row(&mut self, key: &Key, grants: Vec<Id>) -> Result<KeyRow, CliError> {
        let f = &key.facts;
        let run = self.ws.store().last_run_with(key.id, u64::MAX)?.map(|(_, at)| at);
        let rotation = match &self.terms {
            None => None,
            Some(terms) => {
                let (every, warn) = key.terms(terms);
                let owner = key.schedule.as_ref().and_then(|s| s.owner).map(|o| self.names.of(o)).transpose()?;
                Some(Turning { due: key.due(terms), every, warn, owner, own: key.schedule.is_some() })
            }
        };
        Ok(KeyRow {
            id: key.id,
            name: f.name.clone(),
            kind: f.kind.clone(),
            state: KeyState::of(key, self.now),
            opens: f.integration.map(|i| self.names.of(i)).transpose()?,
            scope: f.scope.clone(),
            owner: f.owner.map(|o| self.names.of(o)).transpose()?,
            place: PlaceView::of(&f.place),
            unattended: f.place.is_unattended(),
            provider_id: f.provider_id.clone(),
            last4: f.last4.clone(),
            fingerprint: f.fingerprint.map(|h| h.to_string()),
            created: f.created,
            rotated: f.rotated,
            turned: key.turned(),
            expires: f.expires,
            active: f.active,
            person: f.person,
            last_use: LastUse::newest(run, f.seen.as_ref()),
            source: f.source.clone(),
            rotation,
            leak_next: key.leak.as_ref().and_then(|l| l.next()),
            grants,
            added_at: key.added_at,
            retired_at: key.retired_at,
        })
    }
}

/// Days for a table: `412d`.
pub fn days(t: Time, now: Time) -> String {
    format!("{}d", now.since(t).millis() / Span::DAY.millis())
}
