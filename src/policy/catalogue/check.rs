//! What a kind must fulfil beyond its shape.

use std::collections::BTreeSet;

use crate::domain::catalogue::{Action, Kind};
use crate::policy::source::Fault;

/// The longest text for people, and the longest name.
const MAX_LINE: usize = 1000;
const MAX_NAME: usize = 100;

pub(super) fn kind(kind: &Kind, stem: &str) -> Result<(), Fault> {
    if !word(&kind.kind, b"-") {
        let why = "is not a kind's name (a lower-case letter, then lower-case letters, digits and '-')";
        return Err(Fault::new("kind", format!("{:?} {why}", kind.kind)));
    }
    if kind.kind != stem {
        return Err(Fault::new("kind", format!("the kind {:?} must stand in a file {}.toml", kind.kind, kind.kind)));
    }
    for (member, text) in [("title", &kind.title), ("docs", &kind.docs), ("close", &kind.close)] {
        line(member, text)?;
    }
    scopes(kind)?;
    permissions(kind)?;
    actions(kind)
}

fn scopes(kind: &Kind) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (i, s) in kind.scope.iter().enumerate() {
        let at = |member: &str| format!("scope.{i}.{member}");
        if !word(&s.kind, b"-_") {
            let why = "is not a word for a scope (a lower-case letter, then lower-case letters, digits, '-' and '_')";
            return Err(Fault::new(at("kind"), format!("{:?} {why}", s.kind)));
        }
        once(&mut seen, &s.kind, at("kind"), "scope")?;
        if s.segments == 0 {
            return Err(Fault::new(at("segments"), "a scope names at least 1 segment"));
        }
        line(&at("form"), &s.form)?;
        line(&at("about"), &s.about)?;
    }
    Ok(())
}

fn permissions(kind: &Kind) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (i, p) in kind.permission.iter().enumerate() {
        let at = format!("permission.{i}.name");
        line(&at, &p.name)?;
        once(&mut seen, &p.name, at, "permission")?;
    }
    Ok(())
}

fn actions(kind: &Kind) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (i, a) in kind.action.iter().enumerate() {
        let at = |member: &str| format!("action.{i}.{member}");
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if a.name.is_empty() || a.name.len() > MAX_NAME || !a.name.bytes().all(letters) {
            let why = "is not an action's name (lower-case letters, digits, '.', '_' and '-'; at most 100)";
            return Err(Fault::new(at("name"), format!("{:?} {why}", a.name)));
        }
        once(&mut seen, &a.name, at("name"), "action")?;
        let mut points = BTreeSet::new();
        for (j, p) in a.points.iter().enumerate() {
            once(&mut points, p.as_str(), at(&format!("points.{j}")), "point")?;
        }
        if let Some(member) = contradiction(a) {
            let message =
                format!("{:?} cannot be internal and have {member:?}: internal says that no point is crossed", a.name);
            return Err(Fault::new(at("internal"), message));
        }
        for (member, pointer) in pointers(a) {
            self::pointer(pointer).map_err(|why| Fault::new(at(member), format!("{pointer:?} {why}")))?;
        }
    }
    Ok(())
}

/// The member that cannot stand beside `internal`.
fn contradiction(a: &Action) -> Option<&'static str> {
    let members = [
        ("points", !a.points.is_empty()),
        ("sends", a.sends),
        ("public", a.public),
        ("amount", a.amount.is_some()),
        ("recipients", a.recipients.is_some()),
        ("destination", a.destination.is_some()),
        ("environment", a.environment.is_some()),
    ];
    members.into_iter().find(|(_, there)| a.internal && *there).map(|(member, _)| member)
}

fn pointers(a: &Action) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("amount.value", a.amount.as_ref().map(|m| m.value.as_str())),
        ("amount.currency", a.amount.as_ref().map(|m| m.currency.as_str())),
        ("recipients", a.recipients.as_deref()),
        ("destination", a.destination.as_deref()),
        ("environment", a.environment.as_deref()),
    ]
    .into_iter()
    .filter_map(|(member, p)| Some((member, p?)))
}

/// RFC 6901, section 3. The empty pointer, which is the whole document, is refused: no facet is all the parameters.
fn pointer(p: &str) -> Result<(), &'static str> {
    if !p.starts_with('/') {
        return Err("is not a JSON pointer: it begins with '/' (RFC 6901)");
    }
    if p.len() > MAX_LINE {
        return Err("is longer than 1000 bytes");
    }
    // What follows each tilde.
    let escapes_are_whole = p.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if escapes_are_whole {
        Ok(())
    } else {
        Err("is not a JSON pointer: '~' is written '~0' and '/' in a name '~1' (RFC 6901)")
    }
}

fn word(s: &str, more: &[u8]) -> bool {
    s.len() <= MAX_NAME
        && s.starts_with(|c: char| c.is_ascii_lowercase())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b))
}

fn once<'a>(seen: &mut BTreeSet<&'a str>, name: &'a str, at: String, what: &str) -> Result<(), Fault> {
    if seen.insert(name) { Ok(()) } else { Err(Fault::new(at, format!("the {what} {name:?} stands twice"))) }
}

/// A text for people: one line that is not empty.
fn line(at: &str, text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() || text.len() > MAX_LINE || text.chars().any(char::is_control) {
        return Err(Fault::new(at, "one line of at most 1000 bytes is expected here"));
    }
    Ok(())
}
