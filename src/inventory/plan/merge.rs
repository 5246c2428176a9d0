//! What is known of a key after a file spoke of it.

use super::{AHEAD, Delta, World};
use crate::domain::id::{Id, IdKind};
use crate::domain::key::{Key, KeyFacts, Place, Sighting};
use crate::domain::time::{Span, Time};
use crate::inventory::{Row, guard};

/// A feed that says the same a little later is no news. Without this, a file read from a pipe would change every key on
/// every import.
const NO_NEWS: Span = Span::DAY;

/// What is known of `key` after the row.
pub(super) fn into(row: &Row, key: &Key, world: &World<'_>) -> Result<KeyFacts, String> {
    check_times(row, world)?;
    let mut f = key.facts.clone();
    if let Some(kind) = &row.kind {
        f.kind.clone_from(kind);
    }
    f.integration = integration(row, world)?.or(f.integration);
    f.owner = owner(row, world)?.or(f.owner);
    f.scope = row.scope.clone().or(f.scope);
    if let Some(reference) = place(row, world)? {
        match &f.place {
            Place::Sealed { .. } => {
                return Err(format!("the secret of {} is sealed here, and the file has it elsewhere", key.id));
            }
            _ => f.place = Place::Reference(reference),
        }
    }
    f.provider_id = row.provider_id.clone().or(f.provider_id);
    let before = (f.rotated.max(f.created), f.last4.clone());
    f.created = row.created.or(f.created);
    f.rotated = f.rotated.max(row.rotated);
    match row.turned {
        Some(t) if before.0.is_none() => f.created = Some(t),
        Some(t) if Some(t) > before.0 => f.rotated = Some(t),
        _ => {}
    }
    f.expires = row.expires.or(f.expires);
    f.last4 = row.last4.clone().or(f.last4);
    // The old secret's: what nobody tells of the new one is unknown, not unchanged.
    if f.rotated > before.0 && before.0.is_some() {
        f.fingerprint = None;
        f.last4.clone_from(&row.last4);
    }
    if f.last4 != before.1 && before.1.is_some() {
        f.fingerprint = None;
    }
    f.active = row.active.unwrap_or(f.active);
    f.person = row.person.unwrap_or(f.person);
    f.seen = sighting(f.seen, row.seen.as_ref());
    f.check()?;
    Ok(f)
}

/// What is known of the use of a key: the newest use that anybody saw, by the feed that knew last.
fn sighting(known: Option<Sighting>, told: Option<&Sighting>) -> Option<Sighting> {
    let Some(told) = told else { return known };
    let Some(known) = known else { return Some(told.clone()) };
    let last = known.last.max(told.last);
    if known.feed == told.feed && last == known.last && told.as_of < known.as_of.plus(NO_NEWS) {
        return Some(known);
    }
    if told.as_of <= known.as_of {
        return Some(Sighting { last, ..known });
    }
    Some(Sighting { feed: told.feed.clone(), as_of: told.as_of, last })
}

/// What has happened cannot lie ahead, and a file knows of no use after the moment that it tells of.
pub(super) fn check_times(row: &Row, world: &World<'_>) -> Result<(), String> {
    for (what, time) in [("made", row.created), ("turned over", row.rotated), ("turned over", row.turned)] {
        if let Some(t) = time.filter(|t| *t > world.now.plus(AHEAD)) {
            return Err(format!("it was {what} in the future, at {t}"));
        }
    }
    match row.seen.as_ref().and_then(|s| s.last) {
        Some(t) if t > world.now.plus(AHEAD) => Err(format!("it was last used in the future, at {t}")),
        Some(t) if t > world.as_of.plus(AHEAD) => {
            Err(format!("it was last used at {t}, after the moment that the file tells of, {}", world.as_of))
        }
        _ => Ok(()),
    }
}

pub(super) fn integration(row: &Row, world: &World<'_>) -> Result<Option<Id>, String> {
    let Some(typed) = row.integration.as_deref() else { return Ok(None) };
    find(typed, IdKind::Integration, world.integrations).map(Some).ok_or_else(|| match guard::is_name(typed) {
        true => format!("there is no integration {typed}"),
        false => "there is no such integration".into(),
    })
}

pub(super) fn owner(row: &Row, world: &World<'_>) -> Result<Option<Id>, String> {
    let Some(typed) = row.owner.as_deref() else { return Ok(None) };
    find(typed, IdKind::Operator, world.operators).map(Some).ok_or_else(|| "its owner is no live operator".into())
}

fn find(typed: &str, kind: IdKind, by_name: &std::collections::BTreeMap<String, Id>) -> Option<Id> {
    match typed.parse::<Id>() {
        Ok(id) => by_name.values().find(|known| **known == id && id.kind == kind).copied(),
        Err(_) => by_name.get(typed).copied(),
    }
}

pub(super) fn place(row: &Row, world: &World<'_>) -> Result<Option<String>, String> {
    let Some(text) = row.reference.as_deref() else { return Ok(None) };
    if guard::looks_secret(text) {
        return Err("reference holds what looks like a secret; aosctl keeps none".into());
    }
    (world.reference)(text).map_err(|why| format!("reference: {why}"))?;
    Ok(Some(text.to_string()))
}

/// What differs, in the order in which `key show` says it.
pub fn deltas(old: &KeyFacts, new: &KeyFacts) -> Vec<Delta> {
    let mut found = Vec::new();
    let mut compare = |what: &'static str, old: Option<String>, new: Option<String>| {
        if old != new {
            found.push(Delta { what, old, new });
        }
    };
    let time = |t: Option<Time>| t.map(|t| t.to_string());
    let id = |i: Option<Id>| i.map(|i| i.to_string());
    compare("name", Some(old.name.clone()), Some(new.name.clone()));
    compare("kind", Some(old.kind.clone()), Some(new.kind.clone()));
    compare("integration", id(old.integration), id(new.integration));
    compare("scope", old.scope.clone(), new.scope.clone());
    compare("owner", id(old.owner), id(new.owner));
    compare("place", place_text(&old.place), place_text(&new.place));
    compare("provider_id", old.provider_id.clone(), new.provider_id.clone());
    compare("last4", old.last4.clone(), new.last4.clone());
    compare("fingerprint", old.fingerprint.map(|f| f.to_string()), new.fingerprint.map(|f| f.to_string()));
    compare("created", time(old.created), time(new.created));
    compare("rotated", time(old.rotated), time(new.rotated));
    compare("expires", time(old.expires), time(new.expires));
    compare("active", Some(old.active.to_string()), Some(new.active.to_string()));
    compare("person", Some(old.person.to_string()), Some(new.person.to_string()));
    let (was, is) = (old.seen.as_ref(), new.seen.as_ref());
    compare("last_used", time(was.and_then(|s| s.last)), time(is.and_then(|s| s.last)));
    compare("use_as_of", time(was.map(|s| s.as_of)), time(is.map(|s| s.as_of)));
    compare("use_feed", was.map(|s| s.feed.clone()), is.map(|s| s.feed.clone()));
    compare("source", old.source.clone(), new.source.clone());
    found
}

fn place_text(place: &Place) -> Option<String> {
    match place {
        Place::Unknown => None,
        Place::Reference(text) => Some(text.clone()),
        Place::Sealed { attended: true, .. } => Some("sealed".into()),
        Place::Sealed { attended: false, .. } => Some("sealed, unattended".into()),
    }
}
