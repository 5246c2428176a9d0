//! The keys of `policy set`.

use std::collections::BTreeSet;

use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::rules::Caps;
use crate::policy::error::PolicyError;

use super::PolicyFile;
use super::render::amount;
use super::value;

/// A value that can be set by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// `cap.move`
    pub name: &'static str,
    /// What it does and how it is written, in one line.
    pub about: &'static str,
}

const fn key(name: &'static str, about: &'static str) -> Key {
    Key { name, about }
}

/// Every key, in the order of the file. Rules about actions are edited in the file.
pub const KEYS: &[Key] = &[
    key("cap", "both money caps at once, as 500EUR,5000EUR; the way to another currency"),
    key("cap.move", "most money for one move, as 1000USD"),
    key("cap.week", "most money in any 7 days, all agents together, as 10000USD"),
    key("mailing.recipients", "a mailing to more people than this asks"),
    key("boundary.destinations", "destinations inside the company, as app.acme.example,*.acme.example; none clears"),
    key("approvers.money", "operators who must approve money over the cap, 1 to 9"),
    key("approvers.public", "operators who must approve a public claim, 1 to 9"),
    key("approvers.customer_data", "operators who must approve customer data leaving, 1 to 9"),
    key("approvers.production", "operators who must approve a production change, 1 to 9"),
    key("approvers.audit", "operators who must approve an audit edit, 1 to 9; at least 2 where two live"),
    key("requests.wait", "how long a question waits for an answer, 1m to 90d"),
    key("requests.use_within", "how long what was allowed may be begun, 1m to 90d"),
    key("grants.expires", "the end of a grant that names none, as 90d"),
    key("grants.longest", "the longest that may be granted, as 365d, or never"),
    key("rotation.every", "how often keys are turned over, 1d to 3650d"),
    key("rotation.warn", "how long before that it is said, as 14d"),
    key("review.due_day", "day of the month by which last month is reviewed, 1 to 28"),
    key("review.owner", "the operator who reviews, as op-1, or any"),
];

pub(in crate::policy) fn key_names() -> Vec<&'static str> {
    KEYS.iter().map(|k| k.name).collect()
}

/// Sets one value. Nothing is changed where it is refused.
///
/// # Errors
/// An unknown key (the known ones are listed), or a value that the text of a policy would not be allowed either.
pub fn set(file: &mut PolicyFile, key: &str, value: &str) -> Result<(), PolicyError> {
    let refuse = |message: String| PolicyError::Value { key: key.into(), message };
    let mut next = file.clone();
    let known = assign(&mut next, key, value.trim()).map_err(refuse)?;
    if !known {
        return Err(PolicyError::UnknownKey { key: key.into() });
    }
    value::together(&next).map_err(|clash| refuse(clash.message))?;
    *file = next;
    Ok(())
}

/// False where there is no such key.
fn assign(file: &mut PolicyFile, key: &str, text: &str) -> Result<bool, String> {
    match key {
        "cap" => {
            let (m, w) = text.split_once(',').ok_or("two amounts are needed, as 500EUR,5000EUR")?;
            let (m, w) = (value::money(m)?, value::money(w)?);
            if m.currency != w.currency {
                return Err(format!("both caps need one currency, not {} and {}", m.currency, w.currency));
            }
            file.caps = Caps { currency: m.currency, per_move: m.minor, per_week: w.minor };
        }
        "cap.move" => file.caps.per_move = in_currency(&file.caps, text)?.minor,
        "cap.week" => file.caps.per_week = in_currency(&file.caps, text)?.minor,
        "mailing.recipients" => file.recipients = value::recipients(number(text)?)?,
        "boundary.destinations" => file.boundary.destinations = destinations(text)?,
        "requests.wait" => file.requests.wait = value::lifetime(text)?,
        "requests.use_within" => file.requests.use_within = value::lifetime(text)?,
        "grants.expires" => file.grants.expires = value::term(text)?,
        "grants.longest" => file.grants.longest = value::longest(text)?,
        "rotation.every" => file.rotation.every = value::every(text)?,
        "rotation.warn" => file.rotation.warn = value::warn(text)?,
        "review.due_day" => file.review.due_day = value::due_day(number(text)?)?,
        "review.owner" if text == "any" => file.review.owner = None,
        "review.owner" => file.review.owner = Some(value::operator(text).map_err(|e| format!("{e}, or any"))?),
        _ => {
            let Some(point) = key.strip_prefix("approvers.").and_then(|p| p.parse::<Point>().ok()) else {
                return Ok(false);
            };
            file.approvers.insert(point, value::approvers(number(text)?)?);
        }
    }
    Ok(true)
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a whole number"))
}

fn in_currency(caps: &Caps, text: &str) -> Result<Money, String> {
    let money = value::money(text)?;
    if money.currency == caps.currency {
        return Ok(money);
    }
    Err(format!(
        "{money} is in another currency than the other cap ({}); set both at once with the key cap, as 500{c},5000{c}",
        caps.currency,
        c = money.currency
    ))
}

fn destinations(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() || text == "none" {
        return Ok(Vec::new());
    }
    let mut all: Vec<String> = Vec::new();
    for one in text.split(',').map(str::trim) {
        let one = value::destination(one)?;
        if all.iter().any(|d| d.eq_ignore_ascii_case(&one)) {
            return Err(format!("the destination {one:?} stands twice"));
        }
        all.push(one);
    }
    Ok(all)
}

/// The values that no operator was ever asked about or set, as `(key, value)` in the order of the file. `confirmed` is
/// what the adopted policy carries; `cap` there stands for both caps.
pub fn defaults_left(file: &PolicyFile, confirmed: &BTreeSet<String>) -> Vec<(&'static str, String)> {
    let is_confirmed = |key: &str| confirmed.contains(key) || (key.starts_with("cap.") && confirmed.contains("cap"));
    KEYS.iter().filter(|k| !is_confirmed(k.name)).filter_map(|k| Some((k.name, show(file, k.name)?))).collect()
}

/// A value as it would be typed; `None` for a key that only sets others.
fn show(file: &PolicyFile, key: &str) -> Option<String> {
    Some(match key {
        "cap.move" => amount(file.caps.per_move()),
        "cap.week" => amount(file.caps.per_week()),
        "mailing.recipients" => file.recipients.to_string(),
        "boundary.destinations" if file.boundary.destinations.is_empty() => "none".into(),
        "boundary.destinations" => file.boundary.destinations.join(","),
        "requests.wait" => file.requests.wait.to_string(),
        "requests.use_within" => file.requests.use_within.to_string(),
        "grants.expires" => file.grants.expires.to_string(),
        "grants.longest" => file.grants.longest.map_or("never".into(), |s| s.to_string()),
        "rotation.every" => file.rotation.every.to_string(),
        "rotation.warn" => file.rotation.warn.to_string(),
        "review.due_day" => file.review.due_day.to_string(),
        "review.owner" => file.review.owner.map_or("any".into(), |id| id.to_string()),
        _ => {
            let point: Point = key.strip_prefix("approvers.")?.parse().ok()?;
            file.approvers.get(&point).copied().unwrap_or(1).to_string()
        }
    })
}
