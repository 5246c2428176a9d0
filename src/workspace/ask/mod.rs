//! What an agent wants to do, as it describes it: by flags or as one JSON object ([`Ask`]), the same for `check` and
//! `request new`.
//!
//! The way of a description: [`Ask`] (as told) → [`Prepared`] (its files read, its limits kept, before any lock) →
//! [`bind`] (facets out of the parameters, by the adopted catalogue) → a decision → [`record`].

mod prepare;
mod record;
pub(super) use record::erased_members;

pub use prepare::{ArtifactLimits, Prepared};
pub use record::{Binding, Recorded, bind, is_audit_edit, record};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::WorkspaceError;
use super::command::CommandError;
use crate::domain::access::Access;
use crate::domain::bind::MAX_NAME;
use crate::domain::facets::{DataClass, Facets};
use crate::domain::money::{MAX_MINOR, Money};
use crate::domain::scope::Scope;
use crate::log::canonical::{self, FOREIGN_LIMIT, JsonFault};
use crate::sys::SysError;

/// The name under which the JSON Schema of [`Ask`] is published.
pub const ASK_SCHEMA: &str = "aosctl.ask/v1";

/// Most bytes of a text that is a sentence or a name: summary, mission, model.
pub const MAX_LINE: usize = 1000;
/// Most bytes of every other text but the diff and the parameters.
pub const MAX_TEXT: usize = 65_536;
/// Most alternatives.
pub const MAX_ALTERNATIVES: usize = 20;
/// Most bytes of an action's name.
pub const MAX_ACTION: usize = 128;

/// What an agent wants to do, with everything an operator needs to decide about it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// `aosctl.ask/v1`, if it is there at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The integration, by name or id. Absent only for an edit of the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// The action, as the catalogue names it: `pull_request.merge`. One that the catalogue does not know counts as a write.
    pub action: String,
    /// What it is done to, written as a scope: `repo:acme/app`.
    #[schemars(with = "String")]
    pub resource: Scope,
    /// The access that it takes; can only raise what the catalogue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// What the decision looks at; can only raise what the parameters say.
    #[serde(default, skip_serializing_if = "Declared::is_empty")]
    pub facets: Declared,
    /// The tool's parameters: an object or an array, kept as received. Facets are read out of them by the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub parameters: Option<Box<RawValue>>,
    /// What changes, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Files that belong to it, by path. Name, SHA-256 and size are recorded, not the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// The very command that may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<AskCommand>,
    /// In one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What the agent would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// What else could be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// How to undo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
    /// Why the agent is not sure. Present, it asks in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsure: Option<String>,
    /// What it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<String>,
    /// Which model asks, as told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The agent's own key against asking twice: 1 to 128 of letters, digits and `._:/-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A command that is to be bound to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskCommand {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The directory that it runs in; the present one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Environment variables that it gets beyond the usual ones, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// A file that it gets as standard input; none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin_file: Option<String>,
}

/// Facets as declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Money that moves: `{"currency":"USD","minor":1250}` or `"12.50USD"`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "amount")]
    pub amount: Option<Money>,
    /// A claim under the company's name that strangers can read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// How many people receive it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u64>,
    /// The most delicate data in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataClass>,
    /// Where data goes: a host, a bucket, an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// `production`, `staging`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// An amount as an object or as people type it.
fn amount<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Money>, D::Error> {
    use serde::de::Error;
    match Option::<serde_json::Value>::deserialize(d)? {
        None => Ok(None),
        Some(serde_json::Value::String(typed)) => typed.parse().map(Some).map_err(D::Error::custom),
        Some(value) => Money::deserialize(value).map(Some).map_err(D::Error::custom),
    }
}

impl Declared {
    /// Nothing was declared.
    pub fn is_empty(&self) -> bool {
        *self == Declared::default()
    }

    /// As the decision takes them.
    pub fn facets(&self) -> Facets {
        Facets {
            amount: self.amount,
            public: self.public,
            recipients: self.recipients,
            data: self.data,
            destination: self.destination.clone(),
            environment: self.environment.clone(),
            ..Facets::default()
        }
    }
}

/// Why a description cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not JSON that can be kept.
    #[error("{what}: {fault}")]
    Json {
        /// Which text: `the description`, `the parameters`.
        what: &'static str,
        /// What is wrong with it.
        fault: JsonFault,
    },
    /// JSON, but not a description.
    #[error("the description: {0}")]
    Shape(String),
    /// A member that must not be as it is.
    #[error("{member}: {why}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// All of it together does not fit into an entry.
    #[error("the texts take {bytes} bytes in the log, and an entry has room for {limit}")]
    TooLarge {
        /// How many bytes they take.
        bytes: usize,
        /// How many they may take.
        limit: usize,
    },
    /// The idempotency key was used for something else.
    #[error("the idempotency key {key:?} was used by {request}, for something else")]
    IdempotencyConflict {
        /// The key.
        key: String,
        /// The request that carries it.
        request: crate::domain::id::Id,
        /// Parts of that request were erased, so nobody can tell whether it was the same.
        erased: bool,
    },
    /// A file that belongs to it.
    #[error(transparent)]
    File(#[from] SysError),
    /// The command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl Ask {
    /// Reads a description, at most [`FOREIGN_LIMIT`] bytes. Unknown members, duplicate names, and anything deeper than
    /// the log's own limit are refused: what cannot be read in one way only is not decided about.
    ///
    /// # Errors
    /// [`AskError::Json`], [`AskError::Shape`].
    pub fn from_json(text: &str) -> Result<Ask, AskError> {
        canonical::check_foreign(text).map_err(|fault| AskError::Json { what: "the description", fault })?;
        let ask: Ask = serde_json::from_str(text).map_err(|e| AskError::Shape(e.to_string()))?;
        match ask.schema.as_deref() {
            None | Some(ASK_SCHEMA) => Ok(ask),
            Some(other) => Err(AskError::Shape(format!("schema {other:?} is not {ASK_SCHEMA}"))),
        }
    }

    /// Parameters as received: JSON text, white space around it apart.
    ///
    /// # Errors
    /// [`AskError::Json`].
    pub fn parameters_from(text: &str) -> Result<Box<RawValue>, AskError> {
        let what = "the parameters";
        canonical::check_foreign(text).map_err(|fault| AskError::Json { what, fault })?;
        RawValue::from_string(text.trim().to_string())
            .map_err(|e| AskError::Member { member: "parameters", why: e.to_string() })
    }

    /// Checks every member against its limits.
    ///
    /// # Errors
    /// [`AskError::Member`] names the first one that is wrong.
    pub fn check(&self) -> Result<(), AskError> {
        let bad = |member, why: String| Err(AskError::Member { member, why });
        let action_ok = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
        if self.action.is_empty() || self.action.len() > MAX_ACTION || !self.action.bytes().all(action_ok) {
            return bad(
                "action",
                format!("1 to {MAX_ACTION} letters, digits and ._:/- are wanted, as in pull_request.merge"),
            );
        }
        if let Some(key) = &self.idempotency_key
            && (key.is_empty() || key.len() > 128 || !key.bytes().all(action_ok))
        {
            return bad("idempotency_key", "1 to 128 letters, digits and ._:/- are wanted".into());
        }
        if self.resource.is_open() {
            return bad("resource", "it names one thing; `*` is for scopes of grants".into());
        }
        if let Some(name) = &self.integration
            && (name.is_empty() || name.len() > 63)
        {
            return bad("integration", "a name has 1 to 63 letters".into());
        }
        if self.facets.recipients.is_some_and(|n| n > MAX_MINOR) {
            return bad("recipients", "at most 2^53-1".into());
        }
        for (member, text) in [("destination", &self.facets.destination), ("environment", &self.facets.environment)] {
            if text.as_ref().is_some_and(|t| t.is_empty() || t.len() > MAX_NAME) {
                return bad(member, format!("1 to {MAX_NAME} bytes are wanted"));
            }
        }
        for (member, text, most) in [
            ("summary", &self.summary, MAX_LINE),
            ("mission", &self.mission, MAX_LINE),
            ("model", &self.model, MAX_LINE),
            ("recommendation", &self.recommendation, MAX_TEXT),
            ("rationale", &self.rationale, MAX_TEXT),
            ("rollback", &self.rollback, MAX_TEXT),
            ("unsure", &self.unsure, MAX_TEXT),
            ("diff", &self.diff, FOREIGN_LIMIT),
        ] {
            if let Some(t) = text
                && t.len() > most
            {
                return bad(member, format!("it has {} bytes, and {most} are the most", t.len()));
            }
        }
        if self.alternatives.len() > MAX_ALTERNATIVES {
            return bad("alternatives", format!("{MAX_ALTERNATIVES} are the most"));
        }
        if let Some(long) = self.alternatives.iter().find(|a| a.len() > MAX_TEXT) {
            return bad("alternatives", format!("one has {} bytes, and {MAX_TEXT} are the most", long.len()));
        }
        Ok(())
    }
}
