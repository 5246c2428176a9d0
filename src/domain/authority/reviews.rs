//! Access reviews: decisions about items, and the signature under all of them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Entry, Judged, Refusal, Signer, fault};
use crate::domain::event::{ReviewDecided, ReviewSigned};
use crate::domain::facts::{Change, Facts};
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Decided, Month, ReviewRecord, Signed};

/// What a review has items of.
const ITEMS: [IdKind; 5] = [IdKind::Grant, IdKind::Key, IdKind::Agent, IdKind::Operator, IdKind::Integration];

pub(super) fn decided<F: Facts>(entry: &Entry, b: &ReviewDecided, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let operator = signer.operator()?.id;
    let mut review = unsigned(b.review, facts)?;
    if b.entries > entry.seq || b.as_of > entry.at {
        return fault("as_of", "the page is from the future");
    }
    if b.decisions.is_empty() {
        return fault("nothing_decided", "no item is named");
    }
    for d in &b.decisions {
        if !ITEMS.contains(&d.item.kind) {
            return fault("no_such_item", format!("{} is nothing that a review decides about", d.item));
        }
        if d.carried_out.is_some_and(|seq| seq >= entry.seq) {
            return fault("carried_out", "it was carried out by an entry that does not exist yet");
        }
        let decided = Decided { decision: d.clone(), operator, seq: entry.seq, at: entry.at };
        review.decided.insert(d.item, decided);
    }
    Ok(vec![Change::Review(Box::new(review))])
}

pub(super) fn signed<F: Facts>(entry: &Entry, b: &ReviewSigned, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let operator = signer.operator()?.id;
    let mut review = unsigned(b.review, facts)?;
    if b.entries > entry.seq || b.as_of > entry.at {
        return fault("as_of", "the page is from the future");
    }
    review.signed = Some(Signed {
        operator,
        seq: entry.seq,
        at: entry.at,
        page: b.page.clone(),
        as_of: b.as_of,
        entries: b.entries,
    });
    Ok(vec![Change::Review(Box::new(review))])
}

fn unsigned<F: Facts>(id: Id, facts: &F) -> Result<ReviewRecord, Refusal<F::Error>> {
    if Month::of_id(id).is_none() {
        return fault("no_such_month", format!("{id} is no review of a month"));
    }
    let review = match facts.review(id)? {
        Some(found) => Rc::unwrap_or_clone(found),
        None => ReviewRecord { id, decided: BTreeMap::new(), signed: None },
    };
    if review.signed.is_some() {
        return fault("signed", format!("{id} was signed before"));
    }
    Ok(review)
}
