//! AR-13: nobody looked at it for too long.

use super::{CERTIFY, CERTIFY_MONTHLY, Says, day, days, found};
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::review::facts::{Seen, days_between};
use crate::review::model::{Finding, Rule, Severity};

/// AR-13: not decided about in a signed review for 35 days where the reviews of late were signed, 90 otherwise. Issuing and
/// adding it was an operator's signature too, so it counts from there. Low: deciding about it now is what it asks for.
pub(super) fn not_certified(s: &Seen<'_>, id: Id, since: Time, seq: u64) -> Option<Finding> {
    let limit = if s.s.monthly { CERTIFY_MONTHLY } else { CERTIFY };
    let signed = s.s.earlier.get(&id).into_iter().flatten().filter(|e| e.signed.is_some());
    let last = signed.max_by_key(|e| e.decided.seq);
    let at = last.map_or(since, |e| e.decided.at.max(since));
    let age = days_between(at, s.as_of());
    if age < limit {
        return None;
    }
    let fact = match last {
        None => format!("no signed review decided about it in the {} since {}", days(age), day(at)),
        Some(e) => format!("last decided about {} ago, in the review of {}", days(age), e.month),
    };
    let from = last.map_or(seq, |e| e.decided.seq);
    Some(found(Rule::NotCertified, Severity::Low, fact, from, from).over(limit, limit))
}
