//! Ways in which a world gets narrower or a proposal reaches further.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::money::Money;
use aosctl::domain::point::{POINTS, Point};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{World, class, currency, minor};

/// One step. A step that would not raise anything in that world is left out: an amount that becomes known where the
/// action needs one lets go of "nobody said how much", and that is no raise.
#[derive(Debug, Clone)]
pub enum Raise {
    DropGrant(prop::sample::Index),
    MoreMoney(u64),
    OtherCurrency,
    SomeMoney(Money),
    Public,
    MoreRecipients(u64),
    MoreDelicate(DataClass),
    GoesOutside,
    Production,
    Unclear(Point),
    MoreAccess(Access),
    MoreSpent(u64),
    Unsure,
    BoundaryShrinks,
    LeavesTheBoundary,
}

pub const ALL: [&str; 15] = [
    "drop grant",
    "more money",
    "other currency",
    "some money",
    "public",
    "more recipients",
    "more delicate",
    "goes outside",
    "production",
    "unclear",
    "more access",
    "more spent",
    "unsure",
    "boundary shrinks",
    "leaves the boundary",
];

pub fn raise() -> BoxedStrategy<Raise> {
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Raise::DropGrant),
        minor().prop_map(Raise::MoreMoney),
        Just(Raise::OtherCurrency),
        (currency(), minor()).prop_map(|(c, n)| Raise::SomeMoney(Money::new(c, n))),
        Just(Raise::Public),
        (0..1000u64).prop_map(Raise::MoreRecipients),
        class().prop_map(Raise::MoreDelicate),
        Just(Raise::GoesOutside),
        Just(Raise::Production),
        select(POINTS.to_vec()).prop_map(Raise::Unclear),
        select(vec![Access::Write, Access::Admin]).prop_map(Raise::MoreAccess),
        any::<u64>().prop_map(Raise::MoreSpent),
        Just(Raise::Unsure),
        Just(Raise::BoundaryShrinks),
        Just(Raise::LeavesTheBoundary),
    ]
    .boxed()
}

impl Raise {
    pub fn name(&self) -> &'static str {
        match self {
            Raise::DropGrant(_) => "drop grant",
            Raise::MoreMoney(_) => "more money",
            Raise::OtherCurrency => "other currency",
            Raise::SomeMoney(_) => "some money",
            Raise::Public => "public",
            Raise::MoreRecipients(_) => "more recipients",
            Raise::MoreDelicate(_) => "more delicate",
            Raise::GoesOutside => "goes outside",
            Raise::Production => "production",
            Raise::Unclear(_) => "unclear",
            Raise::MoreAccess(_) => "more access",
            Raise::MoreSpent(_) => "more spent",
            Raise::Unsure => "unsure",
            Raise::BoundaryShrinks => "boundary shrinks",
            Raise::LeavesTheBoundary => "leaves the boundary",
        }
    }

    /// Takes the step; false where there was none to take.
    pub fn apply(&self, w: &mut World) -> bool {
        let action = w.action().cloned();
        let f = &mut w.proposal.facets;
        match self {
            Raise::DropGrant(i) => {
                if w.grants.is_empty() {
                    return false;
                }
                w.grants.remove(i.index(w.grants.len()));
            }
            Raise::MoreMoney(n) => match &mut f.amount {
                Some(m) => *m = Money::new(m.currency, m.minor.saturating_add(*n)),
                None => return false,
            },
            Raise::OtherCurrency => match (&mut f.amount, &w.rules) {
                (Some(m), Some(r)) if m.currency == r.caps.currency => {
                    let other = if m.currency.as_str() == "CHF" { "NOK" } else { "CHF" };
                    m.currency = other.parse().expect("a currency");
                }
                _ => return false,
            },
            Raise::SomeMoney(m) => {
                if f.amount.is_some() || action.is_some_and(|a| a.amount.is_some()) {
                    return false;
                }
                f.amount = Some(*m);
            }
            Raise::Public => f.public = true,
            Raise::MoreRecipients(n) => match f.recipients {
                Some(old) => f.recipients = Some(old.saturating_add(*n)),
                None if action.is_some_and(|a| a.recipients.is_some()) => return false,
                None => f.recipients = Some(*n),
            },
            Raise::MoreDelicate(class) => {
                let unknown_and_sent = f.data.is_none() && action.is_some_and(|a| a.sends && a.data.is_none());
                if unknown_and_sent && *class < DataClass::Customer {
                    return false;
                }
                f.data = f.data.max(Some(*class));
            }
            Raise::GoesOutside => f.destination = Some("evil.example.net".into()),
            Raise::Production => f.environment = Some("production".into()),
            Raise::Unclear(point) => {
                f.unclear.insert(*point);
            }
            Raise::MoreAccess(access) => w.proposal.access = w.proposal.access.max(Some(*access)),
            Raise::MoreSpent(n) => w.spent = w.spent.saturating_add(*n),
            Raise::Unsure => w.proposal.unsure = true,
            Raise::BoundaryShrinks => match &mut w.rules {
                Some(r) => return r.boundary.destinations.pop().is_some(),
                None => return false,
            },
            Raise::LeavesTheBoundary => match &mut w.integration {
                Some(i) if i.inside => i.inside = false,
                _ => return false,
            },
        }
        true
    }
}
