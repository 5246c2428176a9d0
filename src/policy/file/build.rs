//! From the shape to checked values.

use std::collections::BTreeSet;

use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::rules::{ActionRule, Caps};
use crate::policy::source::Fault;

use super::shape::{Action, Cap, Shape};
use super::value;
use super::{PolicyFile, VERSION};

pub(super) fn build(shape: Shape) -> Result<PolicyFile, Fault> {
    let mut file = PolicyFile::default();
    if let Some(version) = shape.version.filter(|v| *v != VERSION) {
        let message = format!("this aosctl reads version {VERSION} of the policy's format, not {version}");
        return Err(Fault::new("version", message));
    }
    caps(&shape.cap, &mut file.caps)?;
    take("mailing.recipients", shape.mailing.recipients, &mut file.recipients, value::recipients)?;
    file.boundary.destinations = destinations(shape.boundary.destinations.unwrap_or_default())?;
    let approvers = shape.approvers;
    for (point, n) in [
        (Point::Money, approvers.money),
        (Point::Public, approvers.public),
        (Point::CustomerData, approvers.customer_data),
        (Point::Production, approvers.production),
        (Point::Audit, approvers.audit),
    ] {
        if let Some(n) = n {
            let n = value::approvers(n).map_err(|e| Fault::new(format!("approvers.{point}"), e))?;
            file.approvers.insert(point, n);
        }
    }
    file.actions = actions(shape.action)?;
    take("requests.wait", shape.requests.wait.as_deref(), &mut file.requests.wait, value::lifetime)?;
    take("requests.use_within", shape.requests.use_within.as_deref(), &mut file.requests.use_within, value::lifetime)?;
    take("grants.expires", shape.grants.expires.as_deref(), &mut file.grants.expires, value::term)?;
    take("grants.longest", shape.grants.longest.as_deref(), &mut file.grants.longest, value::longest)?;
    take("rotation.every", shape.rotation.every.as_deref(), &mut file.rotation.every, value::every)?;
    take("rotation.warn", shape.rotation.warn.as_deref(), &mut file.rotation.warn, value::warn)?;
    take("review.due_day", shape.review.due_day, &mut file.review.due_day, value::due_day)?;
    take("review.owner", shape.review.owner.as_deref(), &mut file.review.owner, |s| value::operator(s).map(Some))?;
    Ok(file)
}

/// A stated value takes the place of the default.
fn take<S, T>(
    key: &str,
    stated: Option<S>,
    slot: &mut T,
    read: impl FnOnce(S) -> Result<T, String>,
) -> Result<(), Fault> {
    if let Some(stated) = stated {
        *slot = read(stated).map_err(|e| Fault::new(key, e))?;
    }
    Ok(())
}

fn caps(cap: &Cap, caps: &mut Caps) -> Result<(), Fault> {
    let read = |key, text: &Option<String>, default: Money| match text {
        Some(text) => value::money(text).map_err(|e| Fault::new(key, e)),
        None => Ok(default),
    };
    let per_move = read("cap.move", &cap.per_move, caps.per_move())?;
    let per_week = read("cap.week", &cap.week, caps.per_week())?;
    if per_move.currency != per_week.currency {
        let default = |stated: &Option<String>| if stated.is_none() { ", the default" } else { "" };
        let message = format!(
            "both caps need one currency: cap.move is {per_move}{}, cap.week is {per_week}{}",
            default(&cap.per_move),
            default(&cap.week)
        );
        return Err(Fault::new(if cap.week.is_some() { "cap.week" } else { "cap.move" }, message));
    }
    *caps = Caps { currency: per_move.currency, per_move: per_move.minor, per_week: per_week.minor };
    Ok(())
}

fn destinations(stated: Vec<String>) -> Result<Vec<String>, Fault> {
    let mut seen = BTreeSet::new();
    for (i, d) in stated.iter().enumerate() {
        let at = |message: String| Fault::new(format!("boundary.destinations.{i}"), message);
        value::destination(d).map_err(at)?;
        if !seen.insert(d.to_ascii_lowercase()) {
            return Err(at(format!("the destination {d:?} stands twice")));
        }
    }
    Ok(stated)
}

fn actions(stated: Vec<Action>) -> Result<Vec<ActionRule>, Fault> {
    let mut rules: Vec<ActionRule> = Vec::new();
    for (i, a) in stated.into_iter().enumerate() {
        let rule = action(i, a)?;
        if rules.iter().any(|r| r.integration == rule.integration && r.action == rule.action) {
            let message = format!("a rule for {:?} of {:?} stands above already", rule.action, rule.integration);
            return Err(Fault::new(format!("action.{i}.action"), message));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn action(i: usize, a: Action) -> Result<ActionRule, Fault> {
    let at = |member: &str, message: String| Fault::new(format!("action.{i}.{member}"), message);
    let need =
        |member: &str, text: Option<String>| text.ok_or_else(|| at(member, format!("missing member {member:?}")));
    let integration = value::integration(&need("integration", a.integration)?).map_err(|e| at("integration", e))?;
    let action = value::action(&need("action", a.action)?).map_err(|e| at("action", e))?;
    let mut points = Vec::new();
    for (j, text) in a.points.iter().enumerate() {
        let here = |message| at(&format!("points.{j}"), message);
        let point = value::point(text).map_err(here)?;
        if points.contains(&point) {
            return Err(here(format!("the point {text:?} stands twice")));
        }
        points.push(point);
    }
    let tier = a.tier.map(|t| t.parse().map_err(|e| at("tier", e))).transpose()?;
    let approvers = a.approvers.map(|n| value::approvers(n).map_err(|e| at("approvers", e))).transpose()?;
    if points.is_empty() && tier.is_none() && approvers.is_none() {
        return Err(at("action", "the rule says nothing: give it points, a tier or approvers".into()));
    }
    Ok(ActionRule { integration, action, points, tier, approvers })
}
