//! Differences between two catalogues.

use crate::domain::access::Access;
use crate::domain::catalogue::{Action, Kind};
use crate::domain::decide::classified;
use crate::domain::facets::DataClass;
use crate::domain::point::Point;

use super::{Effect, Lines};

pub(super) fn kinds(old: &[Kind], new: &[Kind], out: &mut Lines) {
    for was in old {
        match new.iter().find(|k| k.kind == was.kind) {
            // Its actions become unlisted, as if each were removed.
            None => {
                let effect = worst(was.action.iter().map(|a| effect(a, &unlisted(&a.name))));
                out.changed(&format!("catalogue.{}", was.kind), Some(&summary(was)), None, effect);
            }
            Some(is) => kind(was, is, out),
        }
    }
    for is in new.iter().filter(|k| !old.iter().any(|was| was.kind == k.kind)) {
        let effect = worst(is.action.iter().map(|a| effect(&unlisted(&a.name), a)));
        out.changed(&format!("catalogue.{}", is.kind), None, Some(&summary(is)), effect);
    }
}

fn summary(k: &Kind) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    [count(k.action.len(), "action"), count(k.scope.len(), "scope"), count(k.permission.len(), "permission")].join(", ")
}

fn kind(old: &Kind, new: &Kind, out: &mut Lines) {
    let name = &old.kind;
    for (member, a, b) in
        [("title", &old.title, &new.title), ("docs", &old.docs, &new.docs), ("close", &old.close, &new.close)]
    {
        out.other(&format!("catalogue.{name}.{member}"), a, b);
    }
    let scopes = |k: &Kind| {
        let text = |s: &crate::domain::catalogue::ScopeKind| {
            let wide = if s.account_wide { ", account-wide" } else { "" };
            (s.kind.clone(), format!("{} ({} segments{wide}): {}", s.form, s.segments, s.about))
        };
        k.scope.iter().map(text).collect::<Vec<_>>()
    };
    named(&format!("catalogue.{name}.scope"), &scopes(old), &scopes(new), out);
    let permissions = |k: &Kind| {
        let text = |p: &crate::domain::catalogue::Permission| {
            (p.name.clone(), format!("{}{}", p.access, if p.account_wide { ", account-wide" } else { "" }))
        };
        k.permission.iter().map(text).collect::<Vec<_>>()
    };
    named(&format!("catalogue.{name}.permission"), &permissions(old), &permissions(new), out);
    for was in &old.action {
        let key = format!("catalogue.{name}.{}", was.name);
        match new.action(&was.name) {
            None => out.changed(&key, Some(&text(was)), None, effect(was, &unlisted(&was.name))),
            Some(is) if is == was => {}
            Some(is) => out.changed(&key, Some(&text(was)), Some(&text(is)), effect(was, is)),
        }
    }
    for is in new.action.iter().filter(|a| old.action(&a.name).is_none()) {
        let key = format!("catalogue.{name}.{}", is.name);
        out.changed(&key, None, Some(&text(is)), effect(&unlisted(&is.name), is));
    }
}

/// Things that only people read or that only warn: neither wider nor narrower.
fn named(key: &str, old: &[(String, String)], new: &[(String, String)], out: &mut Lines) {
    let of = |all: &[(String, String)], name: &str| all.iter().find(|(n, _)| n == name).map(|(_, t)| t.clone());
    for (name, was) in old {
        let is = of(new, name);
        if is.as_ref() != Some(was) {
            out.changed(&format!("{key}.{name}"), Some(was), is.as_ref(), Effect::Other);
        }
    }
    for (name, is) in new.iter().filter(|(n, _)| of(old, n).is_none()) {
        out.changed(&format!("{key}.{name}"), None, Some(is), Effect::Other);
    }
}

/// What an action is that the catalogue does not list: a write that asks as a production change.
fn unlisted(name: &str) -> Action {
    Action {
        name: name.into(),
        access: Access::Write,
        points: vec![Point::Production],
        internal: false,
        data: None,
        sends: false,
        public: false,
        amount: None,
        recipients: None,
        destination: None,
        environment: None,
    }
}

/// Whatever is lost opens; whatever is only gained closes.
fn effect(old: &Action, new: &Action) -> Effect {
    let marks = |a: &Action| {
        let path = |p: Option<String>| p.is_some();
        [
            a.sends,
            a.public,
            a.amount.is_some(),
            path(a.recipients.clone()),
            path(a.destination.clone()),
            path(a.environment.clone()),
            !a.internal,
        ]
    };
    let pairs = || marks(old).into_iter().zip(marks(new));
    let lost = old.points.iter().any(|p| !new.points.contains(p))
        || new.access < old.access
        || new.data < old.data
        || pairs().any(|(was, is)| was && !is)
        // A write that nothing classified asked every time.
        || (!classified(old) && classified(new) && new.points.is_empty())
        // So did sending what nobody said the class of.
        || (old.sends && old.data.is_none() && new.data.is_some_and(|d| d < DataClass::Customer));
    let gained = new.points.iter().any(|p| !old.points.contains(p))
        || new.access > old.access
        || new.data > old.data
        || pairs().any(|(was, is)| !was && is);
    // A pointer that points elsewhere may read something smaller.
    let moved = [
        (old.amount.is_some() && new.amount.is_some(), old.amount != new.amount),
        (old.recipients.is_some() && new.recipients.is_some(), old.recipients != new.recipients),
        (old.destination.is_some() && new.destination.is_some(), old.destination != new.destination),
        (old.environment.is_some() && new.environment.is_some(), old.environment != new.environment),
    ];
    if lost {
        Effect::Wider
    } else if gained && !moved.contains(&(true, true)) {
        Effect::Narrower
    } else {
        Effect::Other
    }
}

/// The effect of many changes shown as one line.
fn worst(effects: impl Iterator<Item = Effect>) -> Effect {
    effects.min().unwrap_or(Effect::Other)
}

fn text(a: &Action) -> String {
    let mut parts = vec![a.access.to_string()];
    if !a.points.is_empty() {
        parts.push(format!("points {}", a.points.iter().map(|p| p.as_str()).collect::<Vec<_>>().join("+")));
    }
    for (word, there) in [("internal", a.internal), ("sends", a.sends), ("public", a.public)] {
        if there {
            parts.push(word.into());
        }
    }
    parts.extend(a.data.map(|d| format!("data {d}")));
    parts.extend(
        a.amount
            .as_ref()
            .map(|m| format!("amount {} {}{}", m.value, m.currency, if m.decimal { " decimal" } else { "" })),
    );
    for (word, pointer) in
        [("recipients", &a.recipients), ("destination", &a.destination), ("environment", &a.environment)]
    {
        parts.extend(pointer.as_ref().map(|p| format!("{word} {p}")));
    }
    parts.join(", ")
}
