//! What `key add` and `key set` are told about a key.

use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::domain::key::{KeyFacts, check_kind, check_last4, check_text};
use crate::domain::time::{Span, Time};
use crate::inventory::{date, guard};
use crate::workspace::Workspace;

/// Dates so far ahead are still taken for now.
const AHEAD: Span = Span::DAY;

/// What is told about a key.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Details {
    /// What sort of credential: token, aws-access-key, password, ssh-key, certificate
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// The integration that it opens
    #[arg(long, value_name = "INTEGRATION", add = complete::integrations())]
    pub opens: Option<String>,
    /// Which part of it, in the provider's words
    #[arg(long, value_name = "TEXT")]
    pub scope: Option<String>,
    /// The operator who answers for it
    #[arg(long, value_name = "OPERATOR", add = complete::operators())]
    pub owner: Option<String>,
    /// What the provider calls it; never the secret itself
    #[arg(long, value_name = "ID")]
    pub provider_id: Option<String>,
    /// The last four characters of its secret
    #[arg(long, value_name = "XXXX")]
    pub last4: Option<String>,
    /// When the provider made it: 2026-11-21, or with a time, 2026-11-21T09:00:00Z
    #[arg(long, value_name = "DATE")]
    pub created: Option<String>,
    /// When the provider ends it: 2027-03-01, or so long from now: 90d
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
}

/// What was told, resolved.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub kind: Option<String>,
    pub integration: Option<Id>,
    pub scope: Option<String>,
    pub owner: Option<Id>,
    pub provider_id: Option<String>,
    pub last4: Option<String>,
    pub created: Option<Time>,
    pub expires: Option<Time>,
}

impl Details {
    /// Checks and resolves what was told.
    pub(super) fn read(&self, ws: &Workspace, now: Time) -> Result<Told, CliError> {
        let checked = |flag: &str, text: &Option<String>, check: fn(&str) -> Result<(), String>| match text {
            None => Ok(None),
            Some(t) => plain(flag, t, check).map(Some),
        };
        Ok(Told {
            kind: checked("--kind", &self.kind, check_kind)?,
            integration: self.opens.as_deref().map(|typed| words::opened(ws, typed)).transpose()?.map(|i| i.id),
            scope: checked("--scope", &self.scope, |t| check_text("it", t))?,
            owner: self.owner.as_deref().map(|typed| words::operator(ws, typed)).transpose()?,
            provider_id: checked("--provider-id", &self.provider_id, |t| check_text("it", t))?,
            last4: checked("--last4", &self.last4, check_last4)?,
            created: self.created.as_deref().map(|t| past("--created", t, now)).transpose()?,
            expires: self.expires.as_deref().map(|t| end("--expires", t, now)).transpose()?,
        })
    }
}

impl Told {
    /// Puts what was told in the place of what was known.
    pub(super) fn over(&self, f: &mut KeyFacts) {
        if let Some(kind) = &self.kind {
            f.kind.clone_from(kind);
        }
        if self.last4.is_some() && self.last4 != f.last4 {
            // It was that of another secret.
            f.fingerprint = None;
        }
        f.integration = self.integration.or(f.integration);
        f.scope = self.scope.clone().or(f.scope.take());
        f.owner = self.owner.or(f.owner);
        f.provider_id = self.provider_id.clone().or(f.provider_id.take());
        f.last4 = self.last4.clone().or(f.last4.take());
        f.created = self.created.or(f.created);
        f.expires = self.expires.or(f.expires);
    }
}

/// A text that may stand in the log: it is what it should be, and no secret. What looks like one is not repeated.
pub(super) fn plain(flag: &str, text: &str, check: fn(&str) -> Result<(), String>) -> Result<String, CliError> {
    let text = text.trim();
    no_secret(flag, text)?;
    check(text).map_err(|why| CliError::usage(format!("{flag}: {}", safe(&why))))?;
    Ok(text.to_string())
}

/// Refuses a text that holds a secret, without repeating it.
pub(in crate::cli::commands) fn no_secret(flag: &str, text: &str) -> Result<(), CliError> {
    if guard::holds_secret(text) {
        return Err(CliError::usage(format!("{flag}: that looks like a secret"))
            .because("what is typed here is recorded as it is, and stands in the log for good")
            .hint("turn that secret over, since it may stand in your shell's history now")
            .hint("a secret goes in by --secret-stdin, or when asked for"));
    }
    Ok(())
}

/// A moment.
pub(super) fn moment(flag: &str, text: &str) -> Result<Time, CliError> {
    date::parse(text).map_err(|why| CliError::usage(format!("{flag}: {}", safe(&why))))
}

/// A moment, or so long from now.
fn end(flag: &str, text: &str, now: Time) -> Result<Time, CliError> {
    match text.parse::<Span>() {
        Ok(span) => Ok(now.plus(span)),
        Err(_) => moment(flag, text),
    }
}

/// A moment that is not ahead.
pub(super) fn past(flag: &str, text: &str, now: Time) -> Result<Time, CliError> {
    let time = moment(flag, text)?;
    match time <= now.plus(AHEAD) {
        true => Ok(time),
        false => Err(CliError::usage(format!("{flag}: {time} is in the future"))),
    }
}
