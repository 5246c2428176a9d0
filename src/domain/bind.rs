//! Facets out of parameters: what the tool would really be told, read by the catalogue's paths.

use serde_json::Value;

use super::catalogue::{Action, AmountPath};
use super::facets::Facets;
use super::money::{Currency, MAX_MINOR, Money};
use super::point::Point;

/// A longer destination or environment is refused.
pub const MAX_NAME: usize = 500;

/// Reads the facets of an action out of its parameters. What is needed and cannot be read makes its point unclear, and
/// an unclear point fires; nothing here can fail open. Where there are parameters, what is missing in them is missing: a
/// refund without an amount is a refund of all that is left, whatever small amount is declared beside it.
pub fn bind(action: &Action, parameters: Option<&Value>) -> Facets {
    let mut facets = Facets { public: action.public, data: action.data, ..Facets::default() };
    let at = |pointer: &str| parameters.and_then(|p| p.pointer(pointer));
    if let Some(path) = &action.amount {
        match (at(&path.value), at(&path.currency)) {
            (None, None) if parameters.is_none() => {}
            (value, currency) => match amount(path, value, currency) {
                Some(money) => facets.amount = Some(money),
                None => {
                    facets.unclear.insert(Point::Money);
                }
            },
        }
    }
    if action.recipients.is_some() && parameters.is_some() {
        facets.recipients = action.recipients.as_deref().and_then(at).and_then(recipients);
        if facets.recipients.is_none() {
            facets.unclear.insert(Point::Public);
        }
    }
    for (pointer, slot, point) in [
        (&action.destination, &mut facets.destination, Point::CustomerData),
        (&action.environment, &mut facets.environment, Point::Production),
    ] {
        match pointer.as_deref().and_then(at) {
            None => {}
            Some(Value::String(s)) if !s.is_empty() && s.len() <= MAX_NAME => *slot = Some(s.clone()),
            Some(_) => {
                facets.unclear.insert(point);
            }
        }
    }
    if action.environment.is_some() && parameters.is_some() && facets.environment.is_none() {
        facets.unclear.insert(Point::Production);
    }
    facets
}

fn amount(path: &AmountPath, value: Option<&Value>, currency: Option<&Value>) -> Option<Money> {
    let currency: Currency = currency?.as_str()?.to_ascii_uppercase().parse().ok()?;
    let value = value?;
    if path.decimal {
        let text = match value {
            Value::String(s) => s.clone(),
            Value::Number(n) => n.to_string(),
            _ => return None,
        };
        return Money::from_decimal(&text, currency).ok();
    }
    let minor = match value {
        Value::Number(n) => n.as_u64()?,
        Value::String(s) if !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) => s.parse().ok()?,
        _ => return None,
    };
    (minor <= MAX_MINOR).then(|| Money::new(currency, minor))
}

/// A list counts its items; a number is the number; addresses in one string are counted.
fn recipients(value: &Value) -> Option<u64> {
    match value {
        Value::Array(items) => u64::try_from(items.len()).ok(),
        Value::Number(n) => n.as_u64().filter(|n| *n <= MAX_MINOR),
        // Only what reads as addresses can be counted; the id of a list says nothing about its length.
        Value::String(s) => {
            let pieces: Vec<&str> = s.split([',', ';', '\n']).map(str::trim).filter(|a| !a.is_empty()).collect();
            let all_addresses = !pieces.is_empty() && pieces.iter().all(|a| a.contains('@'));
            all_addresses.then(|| u64::try_from(pieces.len()).ok()).flatten()
        }
        _ => None,
    }
}
