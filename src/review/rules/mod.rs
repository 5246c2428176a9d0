//! The rules AR-01 to AR-11 and AR-13 to AR-16, each a small pure function of the snapshot and one thing in it. Their source
//! is review-rules.md, section "Rules": numbers and wording stand there, what was left open is decided at each function.
//!
//! A rule whose window is not covered fires only as `watch`, and says how much of it is covered. AR-12 (reads sensitive
//! data, reads untrusted input, can send) needs a feed that does not exist yet, and is not guessed at.

mod carried;
mod certify;
mod doubles;
mod ends;
mod keys;
mod owner;
mod used;
mod wide;
mod widened;

use super::facts::{GrantState, IdentityState, IntegrationState, KeyState, Seen};
use super::model::{EntryRange, Finding, Rule, Severity};
use crate::domain::access::Access;
use crate::domain::advice::{End, shell_word};
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Narrower};
use crate::domain::time::{Span, Time};

pub use carried::{Done, done, done_grant, done_key};
pub use keys::key_due;
pub use used::{grant_use, identity_use, key_use};
pub use wide::looks_at_resources;
pub use widened::{policy_grown, renewed_later, wider_by};

/// AR-01: unused for so many days, where something can be changed or a key is at stake.
pub const UNUSED_WRITE: u32 = 45;
/// AR-01: unused for so many days, where it can only be read.
pub const UNUSED_READ: u32 = 90;
/// AR-01: said from here on.
pub const UNUSED_WATCH: u32 = 30;
/// AR-03 and AR-04: days of evidence.
pub const EVIDENCE: u32 = 90;
/// AR-05: days of grace. Shorter evidence than this says nothing at all.
pub const GRACE: u32 = 14;
/// AR-08: days after a key was made.
pub const NEVER_ROTATED: u32 = 90;
/// AR-13: where the reviews of late were signed.
pub const CERTIFY_MONTHLY: u32 = 35;
/// AR-13: otherwise.
pub const CERTIFY: u32 = 90;

/// What the rules say about an open grant.
pub fn about_grant(s: &Seen<'_>, g: &GrantState) -> Vec<Finding> {
    if !s.is_live(g) {
        return ended(s, g);
    }
    let found = [
        used::unused(s, g),
        used::no_feed(s, g),
        wide::only_reads(s, g),
        used::never_used(s, g),
        owner::of_grant(s, g),
        doubles::grant(s, g),
        certify::not_certified(s, g.grant.id, g.grant.issued_at, g.grant.changed_seq),
        ends::no_end(s, g),
        carried::not_carried_out(s, g.grant.id),
        widened::grant(s, g),
    ];
    sorted(found.into_iter().flatten().chain(wide::wider(s, g)).collect())
}

/// What the rules say about a grant that is over and was not revoked. Nothing can be begun on it, but it can be renewed.
fn ended(s: &Seen<'_>, g: &GrantState) -> Vec<Finding> {
    sorted(ends::still_running(s, g).into_iter().collect())
}

/// What the rules say about a key.
pub fn about_key(s: &Seen<'_>, k: &KeyState) -> Vec<Finding> {
    let key = &k.key;
    let found = [
        used::key_unused(s, k),
        used::key_no_feed(s, k),
        used::key_never_used(s, k),
        owner::of_key(s, k),
        keys::old(s, k),
        keys::never_rotated(s, k),
        keys::shared(s, k),
        keys::leaked(s, k),
        keys::expired(s, k),
        doubles::key(s, k),
        certify::not_certified(s, key.id, key.added_at, key.changed_seq),
        carried::not_carried_out(s, key.id),
    ];
    sorted(found.into_iter().flatten().collect())
}

/// What the rules say about an agent or an operator.
pub fn about_identity(s: &Seen<'_>, p: &IdentityState) -> Vec<Finding> {
    let id = p.identity.id;
    let found = [
        owner::of_agent(s, p),
        certify::not_certified(s, id, p.identity.enrolled_at, p.identity.enrolled_seq),
        carried::not_carried_out(s, id),
        widened::policy(s, id),
    ];
    sorted(found.into_iter().flatten().collect())
}

/// What the rules say about an integration.
pub fn about_integration(s: &Seen<'_>, i: &IntegrationState) -> Vec<Finding> {
    let id = i.integration.id;
    let found = [certify::not_certified(s, id, i.added_at, i.integration.added_seq), carried::not_carried_out(s, id)];
    sorted(found.into_iter().flatten().collect())
}

/// The gravest first, then in the order of the rules.
fn sorted(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by(|a, b| (b.severity, a.rule).cmp(&(a.severity, b.rule)));
    found
}

/// What is advised in all, by what the rules found.
///
/// The gravest finding decides, but for two things. A finding that advises to keep never speaks for the others. And where
/// one that is at least `medium` advises to revoke, that is advised: what is closed needs no narrower scope and no owner.
/// Of equally grave ones, looking comes before turning and narrowing, because it can still lead to either.
pub fn advice(found: &[Finding]) -> Option<&Finding> {
    let rank = |f: &&Finding| match f.advice {
        Advice::Revoke if f.severity >= Severity::Medium => 5,
        Advice::Revoke => 1,
        Advice::Investigate => 3,
        Advice::Rotate => 2,
        Advice::Narrow => 1,
        Advice::Keep => 0,
    };
    let order = |f: &&Finding| (rank(f) == 5, f.severity, rank(f), std::cmp::Reverse(f.rule));
    found.iter().filter(|f| f.advice != Advice::Keep).max_by_key(order)
}

/// A finding that advises nothing yet.
fn found(rule: Rule, severity: Severity, fact: String, first: u64, last: u64) -> Finding {
    Finding {
        rule,
        severity,
        fact,
        window_days: None,
        covered_days: None,
        entries: EntryRange { first: first.min(last), last: last.max(first) },
        advice: Advice::Keep,
        narrower: None,
        command: None,
    }
}

trait Says {
    /// It looked back over a window, of which so many days are covered.
    fn over(self, window: u32, covered: u32) -> Self;
    /// It advises that, and this line does it.
    fn advise(self, advice: Advice, command: String) -> Self;
    /// It advises to narrow a grant to that.
    fn narrow(self, grant: Id, to: Narrower) -> Self;
}

impl Says for Finding {
    fn over(mut self, window: u32, covered: u32) -> Finding {
        self.window_days = Some(window);
        self.covered_days = Some(covered.min(window));
        self
    }

    fn advise(mut self, advice: Advice, command: String) -> Finding {
        self.advice = advice;
        self.command = Some(command);
        self
    }

    fn narrow(mut self, grant: Id, to: Narrower) -> Finding {
        self.advice = Advice::Narrow;
        self.command = Some(narrow_line(grant, &to));
        self.narrower = Some(to);
        self
    }
}

/// The line that revokes a grant.
fn revoke_line(grant: Id) -> String {
    format!("aosctl revoke {grant}")
}

/// The line that shows a thing, to look into.
fn show_line(id: Id) -> String {
    let noun = match id.kind {
        IdKind::Grant => "grant",
        IdKind::Key => "key",
        IdKind::Agent => "agent",
        IdKind::Operator => return "aosctl operator list".into(),
        IdKind::Integration => "integration",
        IdKind::Request => "request",
        IdKind::Review | IdKind::Policy | IdKind::Workspace => return "aosctl audit log".into(),
    };
    format!("aosctl {noun} show {id}")
}

/// The line that narrows a grant to that.
pub fn narrow_line(grant: Id, to: &Narrower) -> String {
    let mut line = format!("aosctl grant narrow {grant}");
    let flags = [
        to.scope.as_ref().map(|s| format!(" --scope {}", shell_word(s.as_str()))),
        to.access.map(|a| format!(" --access {a}")),
        to.data.map(|d| format!(" --data {d}")),
        to.until.map(|u| format!(" --expires {}", End::At(u))),
    ];
    flags.into_iter().flatten().for_each(|f| line.push_str(&f));
    line
}

/// The line that closes a thing for good, or turns it over.
fn carry_line(id: Id, advice: Advice, narrower: Option<&Narrower>) -> String {
    match (id.kind, advice) {
        (IdKind::Grant, Advice::Narrow) => narrow_line(id, narrower.unwrap_or(&Narrower::default())),
        (IdKind::Grant, Advice::Revoke) => revoke_line(id),
        (IdKind::Key, Advice::Revoke) => format!("aosctl key retire {id}"),
        (IdKind::Key, Advice::Rotate) => rotate_line(id),
        (IdKind::Agent, Advice::Revoke) => format!("aosctl agent retire {id}"),
        (IdKind::Operator, Advice::Revoke) => format!("aosctl operator retire {id}"),
        _ => show_line(id),
    }
}

/// The line that records that a key was turned over.
fn rotate_line(key: Id) -> String {
    format!("aosctl rotation record {key}")
}

/// What is narrower in both.
pub fn narrowest(a: Narrower, b: &Narrower) -> Narrower {
    let scope = match (a.scope, &b.scope) {
        (Some(x), Some(y)) if x.covers(y) => Some(y.clone()),
        (Some(x), _) => Some(x),
        (None, y) => y.clone(),
    };
    let least = |x: Option<Access>, y: Option<Access>| x.into_iter().chain(y).min();
    Narrower {
        scope,
        access: least(a.access, b.access),
        data: a.data.into_iter().chain(b.data).min(),
        until: a.until.into_iter().chain(b.until).min(),
    }
}

/// `1 day`, `52 days`.
fn days(n: u32) -> String {
    if n == 1 { "1 day".into() } else { format!("{n} days") }
}

/// `2026-10-31`, in UTC.
fn day(t: Time) -> String {
    t.timestamp().strftime("%Y-%m-%d").to_string()
}

/// The beginning of the UTC day that lies so far after a moment.
fn day_after(t: Time, span: Span) -> Time {
    let later = t.plus(span).millis();
    Time::from_millis(later - later.rem_euclid(Span::DAY.millis()))
}

/// Something is to be decided about a grant for which it matters more: it can change things, or carries a key.
fn is_powerful(g: &Grant) -> bool {
    g.access >= Access::Write || g.carries.is_some()
}

/// `g-1 and g-2`.
fn listed(ids: impl IntoIterator<Item = Id>) -> String {
    let words: Vec<String> = ids.into_iter().map(|i| i.to_string()).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
