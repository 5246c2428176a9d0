//! Grants as data and as lines, for every command that shows one.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::show;
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::key::{Carries, Place, Recipient};
use crate::domain::time::Time;
use crate::store::StoreError;
use crate::workspace::Workspace;

/// An id with the name that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Named {
    /// `ag-2`, `i-4`, `op-1`.
    pub id: Id,
    /// Its name; absent where it has none, or where it was erased.
    pub name: Option<String>,
}

impl Named {
    /// The name, else the id. Foreign text, as [`Named::long`] is.
    pub fn short(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// `op-1 (ops)`: for operators, who are known by their ids.
    pub fn long(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.id),
            None => self.id.to_string(),
        }
    }
}

/// Who signed an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignedBy {
    /// `op-1`, `ag-2`, or `log` where nobody signed.
    pub actor: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Somebody signed; without, the log did, and nobody can say who it was.
    pub attributed: bool,
}

impl SignedBy {
    /// For a page. Foreign text.
    pub fn long(&self) -> String {
        match &self.name {
            _ if !self.attributed => "nobody (the log signed: unattributed)".into(),
            Some(name) => format!("{} ({name})", self.actor),
            None => self.actor.clone(),
        }
    }
}

/// Whether a door is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Open.
    Live,
    /// Its end has passed; an operator can renew it.
    Expired,
    /// Closed for good.
    Revoked,
}

impl GrantState {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            GrantState::Live => "live",
            GrantState::Expired => "expired",
            GrantState::Revoked => "revoked",
        }
    }
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantRow {
    /// `g-7`.
    pub id: Id,
    /// Who may.
    pub agent: Named,
    /// Where.
    pub integration: Named,
    /// Which part.
    pub scope: String,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// Who answers for it.
    pub owner: Named,
    /// What for. Foreign text.
    pub mission: Option<String>,
    /// When it was issued.
    pub issued: Time,
    /// Live before this moment; absent has no end.
    pub until: Option<Time>,
    /// Whether it is open, as of now.
    pub state: GrantState,
    /// The workspace or its agent is frozen: nothing is allowed on it until an operator thaws.
    pub frozen: bool,
    /// When the newest request on it was made; absent where there is none.
    pub last_use: Option<Time>,
    /// The key that it carries; absent where it carries none.
    pub carries: Option<GrantKey>,
}

/// The key that a grant carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantKey {
    /// Which.
    pub key: Named,
    /// Where its secret is.
    pub secret: SecretPlace,
    /// `run` gives it to nobody: it was retired, or it leaked and that is not closed.
    pub withheld: Option<String>,
    /// How a program gets it: `env:NAME`, `file:NAME`, `fd:NAME` or `stdin`.
    pub delivery: String,
    /// The programs that may have it.
    pub programs: Vec<Recipient>,
}

/// Where the secret of a key is, as far as it matters to who uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// Nobody told.
    Unknown,
    /// With another program, which is asked at the moment of use.
    Elsewhere,
    /// Sealed: an operator unlocks at each use.
    Attended,
    /// Sealed, and opened without anybody.
    Unattended,
}

impl SecretPlace {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            SecretPlace::Unknown => "nobody told where it is",
            SecretPlace::Elsewhere => "fetched when it is used",
            SecretPlace::Attended => "an operator unlocks it each time",
            SecretPlace::Unattended => "opened without anybody",
        }
    }
}

impl GrantKey {
    /// `k-3 (stripe-live) to stripe as env:STRIPE_API_KEY; an operator unlocks it each time`. Foreign text.
    pub fn line(&self) -> String {
        let programs: Vec<&str> = self.programs.iter().map(|p| p.path.as_str()).collect();
        let withheld = self.withheld.as_ref().map(|why| format!("; given to nobody: {why}")).unwrap_or_default();
        format!(
            "{} to {} as {}; {}{withheld}",
            self.key.long(),
            programs.join(", "),
            self.delivery,
            self.secret.words()
        )
    }
}

impl GrantRow {
    /// The end, for a page: `in 30 days`, `3 hours ago`, `never`.
    pub fn ends(&self, now: Time) -> String {
        ends(self.until, now)
    }

    /// In a few words: `build-bot, read, github repo:acme/app, data up to internal`.
    pub fn gist(&self) -> String {
        format!(
            "{}, {}, {} {}, data up to {}",
            self.agent.short(),
            self.access,
            self.integration.short(),
            self.scope,
            self.data
        )
    }
}

/// An end, for a page: `in 30 days`, `3 hours ago`, `never`.
pub fn ends(until: Option<Time>, now: Time) -> String {
    until.map_or_else(|| "never".into(), |t| show::relative(t, now))
}

/// An end, whole: `2027-02-19 09:00 UTC (in 90 days)`, `never`.
pub fn ends_whole(until: Option<Time>, now: Time) -> String {
    until.map_or_else(|| "never".into(), |t| format!("{} ({})", show::minute(t), show::relative(t, now)))
}

/// Names, looked up once each.
pub struct Names<'w> {
    ws: &'w Workspace,
    known: HashMap<Id, Option<String>>,
    frozen: Vec<Id>,
}

impl<'w> Names<'w> {
    /// Nothing looked up yet.
    pub fn new(ws: &'w Workspace) -> Result<Names<'w>, StoreError> {
        Ok(Names { ws, known: HashMap::new(), frozen: ws.store().frozen()? })
    }

    /// An id with its name.
    pub fn of(&mut self, id: Id) -> Result<Named, CliError> {
        if let Some(name) = self.known.get(&id) {
            return Ok(Named { id, name: name.clone() });
        }
        let facts = self.ws.facts();
        let name = match id.kind {
            IdKind::Operator => match facts.identity(id)? {
                Some(o) => self.ws.operator_name(&o)?,
                None => None,
            },
            IdKind::Agent => facts.identity(id)?.and_then(|a| a.handle.clone()),
            IdKind::Integration => facts.integration(id)?.map(|i| i.handle.clone()),
            IdKind::Key => facts.key(id)?.map(|k| k.facts.name.clone()),
            _ => None,
        };
        self.known.insert(id, name.clone());
        Ok(Named { id, name })
    }

    /// Who signed.
    pub fn signer(&mut self, actor: Actor) -> Result<SignedBy, CliError> {
        Ok(match actor {
            Actor::Log => SignedBy { actor: "log".into(), name: None, attributed: false },
            Actor::Identity(id) => SignedBy { actor: id.to_string(), name: self.of(id)?.name, attributed: true },
        })
    }

    /// A grant, at a moment.
    pub fn grant(&mut self, g: &Grant, now: Time) -> Result<GrantRow, CliError> {
        let state = if g.revoked_seq.is_some() {
            GrantState::Revoked
        } else if g.is_live(now) {
            GrantState::Live
        } else {
            GrantState::Expired
        };
        Ok(GrantRow {
            id: g.id,
            agent: self.of(g.agent)?,
            integration: self.of(g.integration)?,
            scope: g.scope.to_string(),
            access: g.access,
            data: g.data,
            owner: self.of(g.owner)?,
            mission: g.mission.clone(),
            issued: g.issued_at,
            until: g.until,
            state,
            frozen: self.frozen.contains(&Id::WORKSPACE) || self.frozen.contains(&g.agent),
            last_use: self.ws.store().last_request_on(g.id)?,
            carries: g.carries.as_ref().map(|c| self.carries(c)).transpose()?,
        })
    }

    /// The key that a grant carries.
    pub fn carries(&mut self, c: &Carries) -> Result<GrantKey, CliError> {
        let key = self.ws.facts().key(c.key)?;
        let secret = match key.as_ref().map(|k| &k.facts.place) {
            None | Some(Place::Unknown) => SecretPlace::Unknown,
            Some(Place::Reference(_)) => SecretPlace::Elsewhere,
            Some(Place::Sealed { attended: true, .. }) => SecretPlace::Attended,
            Some(Place::Sealed { attended: false, .. }) => SecretPlace::Unattended,
        };
        let withheld = match &key {
            Some(k) if k.leak_is_open() => Some("it leaked".to_string()),
            Some(k) if k.is_live() => None,
            _ => Some("it was retired".to_string()),
        };
        Ok(GrantKey {
            key: self.of(c.key)?,
            secret,
            withheld,
            delivery: c.delivery.to_string(),
            programs: c.programs.clone(),
        })
    }
}
