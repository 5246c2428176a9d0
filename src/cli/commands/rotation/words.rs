//! What people type for a key, and when it was turned over.

use std::rc::Rc;

use crate::cli::commands::connect::words;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::key::Key;
use crate::domain::time::{Span, Time};
use crate::workspace::Workspace;

/// The key of that id or name; by id a retired one too.
pub fn any_key(ws: &Workspace, typed: &str) -> Result<Rc<Key>, CliError> {
    let mut found = ws.find_keys(typed)?;
    // A name may have been used again after the one that had it was retired.
    if found.len() > 1 {
        let live: Vec<Rc<Key>> = found.iter().filter(|k| k.is_live()).cloned().collect();
        if !live.is_empty() {
            found = live;
        }
    }
    match (found.len(), found.pop()) {
        (1, Some(key)) => Ok(key),
        (n, Some(_)) => Err(CliError::no("ambiguous", format!("{n} keys are called {}", safe(typed)))
            .hint("name it by its id: aosctl rotation list")),
        (_, None) => {
            let all = ws.store().keys(false)?;
            let e = words::unknown("no_such_key", "key", typed, all.iter().map(|k| k.facts.name.as_str()));
            Err(e.hint("see what there is: aosctl rotation list"))
        }
    }
}

/// The live key of that id or name.
pub fn key(ws: &Workspace, typed: &str) -> Result<Rc<Key>, CliError> {
    let key = any_key(ws, typed)?;
    if key.is_live() {
        return Ok(key);
    }
    Err(CliError::no("retired", format!("{} was retired; nothing is turned over any more", key.id))
        .hint("see what is in use: aosctl rotation list"))
}

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
