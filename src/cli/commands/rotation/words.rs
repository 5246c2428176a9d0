//! What people type for a key, and when it was turned over.

use std::rc::Rc;

use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::key::Key;
use crate::domain::time::{Span, Time};

/// The same key, as it is inside a change.
pub fn again(facts: &impl Facts<Error = crate::workspace::WorkspaceError>, key: &Key) -> Result<Rc<Key>, CliError> {
    facts
        .key(key.id)?
        .filter(|k| k.is_live() || k.retired_seq == key.retired_seq)
        .ok_or_else(|| CliError::no("retired", format!("{} was retired meanwhile; nothing was changed", key.id)))
}

/// A length of time: `90d`.
pub fn span(typed: &str) -> Result<Span, String> {
    typed.parse()
}

/// A moment that has passed: a day, a time with a zone, or how long ago.
pub fn past(flag: &str, typed: &str, now: Time) -> Result<Time, CliError> {
    let at = crate::cli::commands::audit::log::time(typed, now)?;
    if at > now {
        return Err(CliError::usage(format!("{flag} {} is ahead", safe(typed))));
    }
    Ok(at)
}

/// A moment to come or past: a day (00:00 UTC), a time with a zone, or so long from now.
pub fn moment(flag: &str, typed: &str, now: Time) -> Result<Time, CliError> {
    match typed.parse::<crate::domain::advice::End>().map(|end| end.until(now)) {
        Ok(Some(at)) => Ok(at),
        _ => Err(CliError::usage(format!("{flag}: {} is not a time", safe(typed)))
            .hint("write 2027-03-01, 2027-03-01T09:00:00Z, or how long from now: 90d")),
    }
}
