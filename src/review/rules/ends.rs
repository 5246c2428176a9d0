//! AR-14: no end. AR-10 as far as it is about grants: over, and perhaps not at its end.

use super::{Says, day, day_after, found, show_line};
use crate::domain::access::Access;
use crate::domain::advice::endless;
use crate::domain::review::{Advice, Narrower};
use crate::review::facts::{GrantState, Seen};
use crate::review::model::{Finding, Rule, Severity};

/// AR-14: `write` or `admin` without an end. Medium. The end that is advised is the policy's for new grants.
pub(super) fn no_end(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let fact = endless(g.grant.access, g.grant.until).filter(|_| g.grant.access >= Access::Write)?;
    let to = Narrower { until: Some(day_after(s.as_of(), s.s.rules.grants.expires)), ..Narrower::default() };
    let finding = found(Rule::NoEnd, Severity::Medium, fact, g.grant.issued_seq, g.grant.changed_seq);
    Some(finding.narrow(g.grant.id, to))
}

/// AR-10: the end of a grant needs nobody to carry it out, so only what was begun before it can outlive it. Medium, because
/// nobody knows whether it still runs. Of many uses the newest of each access is looked at.
pub(super) fn still_running(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let end = g.grant.until.filter(|u| *u <= s.as_of())?;
    let uses = [&g.uses.read, &g.uses.write, &g.uses.admin];
    let open = uses.into_iter().flatten().filter(|u| u.unfinished && u.at < end).max_by_key(|u| u.seq)?;
    let fact = format!("ended on {}, and {} was begun on it and never reported as over", day(end), open.request);
    let finding = found(Rule::Expired, Severity::Medium, fact, g.grant.issued_seq, open.seq);
    Some(finding.advise(Advice::Investigate, show_line(open.request)))
}
