//! The access review: one page a month about everything that may reach anything.
//!
//! ```text
//! Workspace --gather--> Snapshot --rules, assemble--> Review <--record-- decisions and signature, as they stand now
//! ```
//!
//! [`model`] is the page as data, the same behind every format; its pages are drawn in `cli`. [`facts`], [`rules`] and
//! [`assemble`] are pure. Everything but decisions, progress and signature follows from the log before a moment, so the same
//! log and the same moment give the same page (law 11).

pub mod assemble;
pub mod carry;
pub mod facts;
pub mod gather;
pub mod item;
pub mod model;
mod record;
pub mod rules;

use serde_json::Value;

use self::model::Review;
use crate::domain::facts::Facts;
use crate::domain::review::Month;
use crate::domain::time::Time;
use crate::log::canonical;
use crate::log::hash::sha256;
use crate::store::StoreError;
use crate::workspace::{Workspace, WorkspaceError};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The workspace, or the log.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Nobody knows yet what will be.
    #[error("{what} lies in the future: it is {now}")]
    Future {
        /// The month or the moment.
        what: String,
        /// Now.
        now: Time,
    },
    /// A moment before the month.
    #[error("{as_of} lies before {month}")]
    BeforeTheMonth {
        /// The moment.
        as_of: Time,
        /// The month.
        month: Month,
    },
    /// Nothing was known then.
    #[error("nothing is known of {as_of}: the log began at {began}")]
    BeforeTheLog {
        /// The moment.
        as_of: Time,
        /// When entry 0 was signed.
        began: Time,
    },
}

impl From<StoreError> for ReviewError {
    fn from(e: StoreError) -> ReviewError {
        ReviewError::Workspace(e.into())
    }
}

/// The review of a month.
///
/// `as_of` is the moment that it is computed for. Without one it is the moment that the review was signed as of; else the end
/// of the month; else, while the month lasts, now.
///
/// # Errors
/// [`ReviewError`]; what does not verify is an integrity failure, because a page that rests on it would be no evidence.
pub fn compute(ws: &Workspace, month: Month, as_of: Option<Time>, clock: Time) -> Result<Review, ReviewError> {
    let _moment = ws.store().snapshot_if_none()?;
    let now = ws.now(clock)?;
    if month.start() > now {
        return Err(ReviewError::Future { what: month.to_string(), now });
    }
    let signed = ws.facts().review(month.id())?.and_then(|r| r.signed.as_ref().map(|s| s.as_of));
    let as_of = as_of.or(signed).unwrap_or_else(|| month.end().min(now));
    if as_of > now {
        return Err(ReviewError::Future { what: as_of.to_string(), now });
    }
    if as_of < month.start() {
        return Err(ReviewError::BeforeTheMonth { as_of, month });
    }
    let mut page = fresh(ws, month, as_of)?;
    record::attach(ws, &mut page, clock)?;
    Ok(page)
}

/// The page of a moment, without decisions and signature.
fn fresh(ws: &Workspace, month: Month, as_of: Time) -> Result<Review, ReviewError> {
    let mut page = assemble::page(&gather::snapshot(ws, month, as_of)?);
    page.annex_sha256 = annex_digest(&page);
    Ok(page)
}

/// How many entries a page of that moment rests on, and its digest.
fn recomputed(ws: &Workspace, month: Month, as_of: Time) -> Result<(u64, String), ReviewError> {
    let page = fresh(ws, month, as_of)?;
    Ok((page.log.entries, page_digest(&page)))
}

/// Hex SHA-256 of what a signature stands under: the page's canonical JSON (RFC 8785) without `signature`, `progress`, `tool`,
/// what was decided about each item, and the names of operators.
///
/// Decisions have entries of their own. The program's version is left out so that a newer one can compute the same page again,
/// and names of operators because they may be erased from the log.
pub fn page_digest(page: &Review) -> String {
    let mut value = serde_json::to_value(page).unwrap_or_default();
    if let Some(top) = value.as_object_mut() {
        for member in ["signature", "progress", "tool"] {
            top.remove(member);
        }
        for list in ["first", "rest"] {
            top.get_mut(list).into_iter().for_each(undecided);
        }
    }
    digest(value)
}

/// Hex SHA-256 of the canonical JSON of all items, `first` and then `rest`, without what was decided and the names of
/// operators.
pub fn annex_digest(page: &Review) -> String {
    let items: Vec<_> = page.first.iter().chain(&page.rest).collect();
    let mut value = serde_json::to_value(items).unwrap_or_default();
    undecided(&mut value);
    digest(value)
}

fn undecided(items: &mut Value) {
    for item in items.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        item.remove("decided");
    }
}

fn digest(mut value: Value) -> String {
    nameless(&mut value);
    // Texts and whole numbers only, so there is always a canonical form; a page that had none would have no digest.
    canonical::to_vec(&value).map_or_else(|_| String::new(), |bytes| sha256(&bytes).to_hex())
}

/// Takes the name from whatever has the id of an operator.
fn nameless(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("id").and_then(Value::as_str).is_some_and(|id| id.starts_with("op-")) {
                map.remove("name");
            }
            map.values_mut().for_each(nameless);
        }
        Value::Array(items) => items.iter_mut().for_each(nameless),
        _ => {}
    }
}
