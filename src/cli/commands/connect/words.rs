//! What people type for doors: words with their few values, targets, and what is near to a word that is none.

use std::rc::Rc;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::advice::End;
use crate::domain::catalogue::Kind;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::{Identity, check_handle};
use crate::domain::integration::Integration;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::workspace::Workspace;

/// The longest mission or reason, in bytes.
const MAX_TEXT: usize = 4000;

/// `--access`.
pub fn access_parser() -> impl TypedValueParser<Value = Access> {
    PossibleValuesParser::new(["read", "write", "admin"]).try_map(|s| s.parse::<Access>())
}

/// `--data`.
pub fn data_parser() -> impl TypedValueParser<Value = DataClass> {
    PossibleValuesParser::new(["public", "internal", "customer", "secret"]).try_map(|s| s.parse::<DataClass>())
}

/// The known words that are close to what was typed, closest first, at most three.
pub fn near<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .map(|k| {
            let inside = !typed.is_empty() && (k.contains(&typed) || typed.contains(k));
            (if inside { 1 } else { distance(&typed, k) }, k)
        })
        .filter(|(d, k)| *d <= 1 + k.len().min(typed.len()) / 3)
        .collect();
    found.sort_unstable();
    found.dedup();
    let nearest = found.first().map_or(0, |(d, _)| *d);
    found.into_iter().filter(|(d, _)| *d == nearest).take(3).map(|(_, k)| k).collect()
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // A typed word is as long as its author likes; names are not, so nothing near is missed.
    for (i, ca) in a.chars().take(100).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let here = (diagonal + usize::from(ca != *cb)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// An error about a word that names nothing, with what is near and what there is.
pub fn unknown<'a>(kind: &'static str, what: &str, typed: &str, known: impl IntoIterator<Item = &'a str>) -> CliError {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    let close = near(typed, known.iter().copied());
    let e = CliError::no(kind, format!("there is no {what} {}", safe(typed)));
    if !close.is_empty() {
        e.hint(format!("did you mean {}?", close.join(" or ")))
    } else if known.is_empty() {
        e
    } else {
        let more = known.len().saturating_sub(12);
        let shown = known.into_iter().take(12).collect::<Vec<_>>().join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        e.hint(format!("there is {shown}{rest}"))
    }
}

/// The agent of that id or name, live or not.
pub fn agent(ws: &Workspace, typed: &str) -> Result<Rc<Identity>, CliError> {
    if let Some(agent) = ws.find_agent(typed)? {
        return Ok(agent);
    }
    let agents = ws.store().identities(IdKind::Agent)?;
    let names = agents.iter().filter(|a| a.is_live()).filter_map(|a| a.handle.as_deref());
    let e = unknown("no_such_agent", "agent", typed, names);
    Err(if agents.is_empty() {
        e.hint("enrol one: aosctl agent add NAME")
    } else {
        e.hint("see who there is: aosctl agent list")
    })
}

/// The integration of that id or name.
pub fn integration(ws: &Workspace, typed: &str) -> Result<Rc<Integration>, CliError> {
    if let Some(integration) = ws.find_integration(typed)? {
        return Ok(integration);
    }
    let all = ws.store().integrations()?;
    let e = unknown("no_such_integration", "integration", typed, all.iter().map(|i| i.handle.as_str()));
    Err(e.hint("see what there is: aosctl integration list"))
}

/// The integration of that id or name that something opens; where there is none yet, the line that adds it.
pub fn opened(ws: &Workspace, typed: &str) -> Result<Rc<Integration>, CliError> {
    let mut error = match integration(ws, typed) {
        Ok(found) => return Ok(found),
        Err(e) => e,
    };
    // A workspace that cannot be read is no missing name.
    if error.kind != "no_such_integration" {
        return Err(error);
    }
    Err(match to_add(ws, typed)? {
        Some(line) => {
            error.hints.insert(0, format!("add it: {line}"));
            error
        }
        None => error.hint("or add one: aosctl integration add NAME --kind KIND"),
    })
}

/// The line that adds an integration of that name, where the name says what kind it is: `stripe`, or `aws-prod`.
pub fn to_add(ws: &Workspace, typed: &str) -> Result<Option<String>, CliError> {
    let Some(policy) = ws.facts().policy()? else { return Ok(None) };
    if check_handle(typed).is_err() || typed.parse::<Id>().is_ok() {
        return Ok(None);
    }
    let words: Vec<&str> = typed.split(['-', '_', '.']).collect();
    let kind = policy.rules.kind(typed).or_else(|| words.iter().find_map(|w| policy.rules.kind(w)));
    Ok(kind.map(|k| match k.kind == typed {
        true => format!("aosctl integration add {typed}"),
        false => format!("aosctl integration add {typed} --kind {}", k.kind),
    }))
}

/// The live operator of that id or name.
pub fn operator(ws: &Workspace, typed: &str) -> Result<Id, CliError> {
    match ws.find_operator(typed)? {
        Some(o) if o.is_live() => Ok(o.id),
        Some(o) if o.recovers().is_some() => {
            Err(CliError::no("no_such_operator", format!("{} is a recovery identity, and no operator", o.id))
                .hint("see who decides: aosctl operator list"))
        }
        Some(o) => Err(CliError::no("retired", format!("{} was retired and can own nothing", o.id))
            .hint("see who decides: aosctl operator list")),
        None => {
            let mut names = Vec::new();
            for o in ws.facts().operators()?.iter().filter(|o| o.is_live()) {
                names.push(ws.operator_name(o)?.map_or_else(|| o.id.to_string(), |n| safe(&n)));
            }
            Err(unknown("no_such_operator", "operator", typed, names.iter().map(String::as_str))
                .hint("see who decides: aosctl operator list"))
        }
    }
}

/// A text that stands in the log for good: not empty, and not longer than a page.
pub fn text(flag: &str, typed: &str) -> Result<String, CliError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(CliError::usage(format!("{flag}: the text is empty")));
    }
    if typed.len() > MAX_TEXT {
        return Err(CliError::usage(format!(
            "{flag}: a text has at most {MAX_TEXT} bytes, and this one has {}",
            typed.len()
        )));
    }
    Ok(typed.to_string())
}

/// The grant of that id.
pub fn grant(ws: &Workspace, typed: &str) -> Result<Rc<Grant>, CliError> {
    let id = match typed.parse::<Id>() {
        Ok(id) if id.kind == IdKind::Grant => id,
        _ => {
            return Err(CliError::new(
                Exit::Usage,
                "usage",
                format!("{} is not a grant's id, such as g-7", safe(typed)),
            )
            .hint("see the ids: aosctl grant list --all"));
        }
    };
    ws.facts().grant(id)?.ok_or_else(|| {
        CliError::no("no_such_grant", format!("there is no grant {id}")).hint("see the ids: aosctl grant list --all")
    })
}

/// A scope that the catalogue knows.
pub fn scope(typed: &str, kind: &Kind) -> Result<Scope, CliError> {
    let forms = || kind.scope.iter().map(|s| s.form.as_str()).collect::<Vec<_>>().join(", ");
    let scope: Scope = typed.parse().map_err(|e: String| {
        CliError::usage(format!("--scope: {}", safe(&e))).hint(format!("scopes of {} are {}", kind.kind, forms()))
    })?;
    match scope.word() {
        Some(word) if kind.scope(word).is_none() => {
            let close = near(word, kind.scope.iter().map(|s| s.kind.as_str()));
            let e = CliError::no("no_such_scope", format!("{} has no scope {word}:", kind.title))
                .because("the adopted catalogue does not know it, so nobody could say how far it reaches");
            let rest = scope.as_str().get(word.len()..).unwrap_or_default();
            Err(match close.first() {
                Some(meant) => e.hint(format!("did you mean --scope {meant}{rest}?")),
                None => e,
            }
            .hint(format!("scopes of {} are {}", kind.kind, forms())))
        }
        _ => Ok(scope),
    }
}

/// Refuses an end that is past or later than the policy's longest, before anybody is asked for a passphrase. `end` is
/// what the flag says, for the message.
pub fn end_in_bounds(end: End, now: Time, longest: Option<crate::domain::time::Span>) -> Result<(), CliError> {
    let until = end.until(now);
    if until.is_some_and(|u| u <= now) {
        return Err(CliError::no("until", format!("--expires {end} is not ahead"))
            .hint("name a later end, such as --expires 90d"));
    }
    let Some(longest) = longest else { return Ok(()) };
    if until.is_none_or(|u| u > now.plus(longest)) {
        return Err(CliError::no("until", format!("--expires {end} is longer than the policy allows"))
            .because(format!("the policy's longest grant (grants.longest) is {longest}"))
            .hint(format!("type --expires {longest} or less")));
    }
    Ok(())
}

/// Something went wrong in telling about a change that is on disk: the error must not read as if nothing was done.
pub fn done_already(e: CliError, what: &str) -> CliError {
    let why = e.cause.as_deref().map(|c| format!(" ({c})")).unwrap_or_default();
    let what_failed = format!("{}{why}", e.what);
    CliError { what: format!("{what}, and that is on disk; but telling about it failed"), ..e }.because(what_failed)
}

/// Refuses an agent's identity where only an operator may sign, before anybody is asked for a passphrase.
pub fn not_an_agent(ws: &Workspace, identity: Option<&std::path::Path>, what: &str) -> Result<(), CliError> {
    let agent = identity.and_then(|path| ws.agent(path).ok());
    match agent {
        None => Ok(()),
        Some(a) => {
            Err(CliError::no("needs_operator", format!("{} is an agent, and only an operator may {what}", a.id))
                .because("the identity that was presented (--identity or AOSCTL_IDENTITY) is an agent's"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["github", "gitlab", "stripe", "postgres-main"];
        assert_eq!(near("githb", known), ["github"]);
        assert_eq!(near("GitHub", known), ["github"]);
        assert_eq!(near("postgres", known), ["postgres-main"]);
        assert_eq!(near("gitlub", known), ["github", "gitlab"]);
        assert_eq!(near("openai", known), Vec::<&str>::new());
        assert_eq!(near("", known), Vec::<&str>::new());
        assert_eq!(near(&"x".repeat(100_000), known), Vec::<&str>::new());
    }

    #[test]
    fn distances() {
        for (a, b, d) in [("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("repo", "repos", 1)] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }
}
