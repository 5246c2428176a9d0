//! What the inventory knows of a key.

use serde::{Deserialize, Serialize};

use super::{Place, Sighting, check_kind, check_last4, check_text};
use crate::domain::event::Hex32;
use crate::domain::id::Id;
use crate::domain::time::Time;

/// What is known of a key, but for its id: the body of `key.added/1` and `key.changed/1`.
///
/// A name and a provider id are handles, as those of agents and integrations are: they are not erasable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFacts {
    /// What people call it. One live key has a name.
    pub name: String,
    /// What sort of credential: `token`, `aws-access-key`, `password`, `ssh-key`, `certificate`.
    pub kind: String,
    /// What it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Id>,
    /// Which part of it, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The operator who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id>,
    /// Where the secret lives.
    pub place: Place,
    /// What the provider calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The last four characters of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// HMAC-SHA-256 of the secret under the workspace's sealed fingerprint key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Hex32>,
    /// When the provider made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// When it was last turned over, as far as anybody told. Making it is not rotating it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<Time>,
    /// When the provider ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// The provider accepts it. An inactive key keeps its dates, and is still there.
    pub active: bool,
    /// A person uses it too, or holds a password beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub person: bool,
    /// Which feed of its use there is. `None`: none, so nothing can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Sighting>,
    /// What it was imported from: `aws-credential-report`, `csv`. `None`: an operator typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl KeyFacts {
    /// A key in use of which nobody knows more than its name and its kind.
    pub fn named(name: impl Into<String>, kind: impl Into<String>) -> KeyFacts {
        KeyFacts {
            name: name.into(),
            kind: kind.into(),
            integration: None,
            scope: None,
            owner: None,
            place: Place::Unknown,
            provider_id: None,
            last4: None,
            fingerprint: None,
            created: None,
            rotated: None,
            expires: None,
            active: true,
            person: false,
            seen: None,
            source: None,
        }
    }

    /// What any entry may carry, whoever signs it.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        check_text("the name", &self.name)?;
        if self.name.parse::<Id>().is_ok() {
            return Err("the name reads as an id".into());
        }
        check_kind(&self.kind)?;
        self.scope.as_deref().map_or(Ok(()), |t| check_text("the scope", t))?;
        self.provider_id.as_deref().map_or(Ok(()), |t| check_text("the provider id", t))?;
        self.source.as_deref().map_or(Ok(()), check_kind)?;
        self.seen.as_ref().map_or(Ok(()), |s| check_kind(&s.feed))?;
        self.last4.as_deref().map_or(Ok(()), check_last4)?;
        if let Place::Reference(text) = &self.place {
            check_text("the reference", text)?;
        }
        Ok(())
    }
}
