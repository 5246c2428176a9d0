//! Completions that know live ids. They only read: a shell that completes must never hold a lock, change a schema, print
//! an error or make anybody wait.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap_complete::{ArgValueCandidates, CompletionCandidate};

use crate::policy::file::KEYS;
use crate::sys::env::Env;
use crate::workspace::{Glimpse, Place};

/// The variable that makes aosctl answer a shell instead of running. Not clap's `COMPLETE`, which other programs use too.
pub(super) const VARIABLE: &str = "AOSCTL_COMPLETE";

/// Answers the shell's question, if this start is one, and gives the exit code; else nothing.
pub(super) fn answer_shell() -> Option<u8> {
    let here = std::env::current_dir().ok();
    let answered = clap_complete::CompleteEnv::with_factory(super::command)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), here.as_deref());
    match answered {
        Ok(false) => None,
        // A shell shows nothing where there is nothing; an error in the middle of a line helps nobody.
        Ok(true) => Some(0),
        Err(_) => Some(1),
    }
}

/// Names and ids of agents that were not retired.
pub(super) fn agents() -> ArgValueCandidates {
    candidates(Glimpse::agents)
}

/// Ids of keys.
pub(super) fn keys() -> ArgValueCandidates {
    candidates(Glimpse::keys)
}

/// Names of integrations.
pub(super) fn integrations() -> ArgValueCandidates {
    candidates(Glimpse::integrations)
}

/// Ids of live operators.
pub(super) fn operators() -> ArgValueCandidates {
    candidates(Glimpse::operators)
}

/// Live grants, each with what it opens.
pub(super) fn grants() -> ArgValueCandidates {
    candidates(Glimpse::grants)
}

/// Requests that are not over, each with what it is about.
pub(super) fn requests() -> ArgValueCandidates {
    candidates(Glimpse::requests)
}

/// Live grants, agents and integrations: what `revoke` takes.
pub(super) fn doors() -> ArgValueCandidates {
    candidates(|g| [g.grants(), g.agents(), g.integrations()].concat())
}

/// Kinds of the adopted catalogue.
pub(super) fn kinds() -> ArgValueCandidates {
    candidates(Glimpse::kinds)
}

/// Keys of `policy set`.
pub(super) fn policy_keys() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        KEYS.iter().map(|k| CompletionCandidate::new(k.name).help(Some(k.about.into()))).collect()
    })
}

/// Whatever a glimpse at the workspace shows; nothing where there is none, or where it cannot be read at once.
fn candidates(look: fn(&Glimpse) -> Vec<(String, String)>) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        let words: Vec<OsString> = std::env::args_os().collect();
        let named = named_workspace(&words);
        let Some(place) = Place::find(named.as_deref(), &Env::capture()) else {
            return Vec::new();
        };
        let now = crate::domain::time::Time::from(crate::sys::clock::now());
        let Some(glimpse) = Glimpse::at(&place, now) else {
            return Vec::new();
        };
        look(&glimpse)
            .into_iter()
            .map(|(value, about)| {
                let help = (!about.is_empty()).then(|| super::text::safe(&about).into());
                CompletionCandidate::new(super::text::safe(&value)).help(help)
            })
            .collect()
    })
}

/// The `--workspace` of the line that is being typed.
fn named_workspace(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--workspace" {
            return words.next().map(PathBuf::from);
        }
        if let Some(dir) = word.to_str().and_then(|w| w.strip_prefix("--workspace=")) {
            return Some(PathBuf::from(OsStr::new(dir)));
        }
    }
    None
}
