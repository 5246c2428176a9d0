//! Access reviews as they stand in the log: what was decided about each item, and who signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access::Access;
use super::facets::DataClass;
use super::id::{Id, IdKind};
use super::scope::Scope;
use super::time::Time;

/// A calendar month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a moment lies in.
    pub fn of(t: Time) -> Month {
        let date = t.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
        Month { year: date.year().max(1), month: date.month() }
    }

    /// The first moment of it.
    pub fn start(self) -> Time {
        let day = jiff::civil::date(self.year, self.month, 1);
        day.to_zoned(jiff::tz::TimeZone::UTC).map_or(Time::from_millis(0), |z| Time::from(z.timestamp()))
    }

    /// The first moment after it: a review of this month is as of here.
    pub fn end(self) -> Time {
        self.next().start()
    }

    /// The month after; the last one there is has none.
    pub fn next(self) -> Month {
        match (self.year, self.month) {
            (9999, 12) => self,
            (year, 12) => Month { year: year + 1, month: 1 },
            (year, month) => Month { year, month: month + 1 },
        }
    }

    /// The month before; the first one there is has none.
    pub fn before(self) -> Month {
        match (self.year, self.month) {
            (1, 1) => self,
            (year, 1) => Month { year: year - 1, month: 12 },
            (year, month) => Month { year, month: month - 1 },
        }
    }

    /// The subject of its entries: `rv-202610`.
    pub fn id(self) -> Id {
        let n = i64::from(self.year) * 100 + i64::from(self.month);
        Id::new(IdKind::Review, u64::try_from(n).unwrap_or(1))
    }

    /// The month that such an id names.
    pub fn of_id(id: Id) -> Option<Month> {
        let (year, month) = (i16::try_from(id.n / 100).ok()?, i8::try_from(id.n % 100).ok()?);
        let month = Month { year, month };
        let right = id.kind == IdKind::Review && (1..=9999).contains(&year) && (1..=12).contains(&month.month);
        right.then_some(month)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

impl std::str::FromStr for Month {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || format!("{s:?} is not a month such as 2026-10");
        let (year, month) = s.split_once('-').ok_or_else(bad)?;
        let digits = |t: &str, n| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(bad());
        }
        let found = Month { year: year.parse().map_err(|_| bad())?, month: month.parse().map_err(|_| bad())? };
        Month::of_id(found.id()).filter(|m| *m == found).ok_or_else(bad)
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"})
    }
}

/// What is advised or decided about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// Nothing to do.
    Keep,
    /// Make it narrower.
    Narrow,
    /// Close it: revoke the grant, retire the agent, the operator or the key.
    Revoke,
    /// Turn the key over.
    Rotate,
    /// Find out first.
    Investigate,
}

impl Advice {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Advice::Keep => "keep",
            Advice::Narrow => "narrow",
            Advice::Revoke => "revoke",
            Advice::Rotate => "rotate",
            Advice::Investigate => "investigate",
        }
    }

    /// Something has to be done for it, beyond looking.
    pub fn acts(self) -> bool {
        matches!(self, Advice::Narrow | Advice::Revoke | Advice::Rotate)
    }
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Advice {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        [Advice::Keep, Advice::Narrow, Advice::Revoke, Advice::Rotate, Advice::Investigate]
            .into_iter()
            .find(|a| a.as_str() == s)
            .ok_or_else(|| format!("{s:?} is none of keep, narrow, revoke, rotate, investigate"))
    }
}

/// What a grant would be narrowed to: each member that is present is the new, narrower value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Narrower {
    /// Which part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub scope: Option<Scope>,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The most delicate data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataClass>,
    /// The end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

impl Narrower {
    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == Narrower::default()
    }
}

/// What an operator decided about one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemDecision {
    /// A grant, key, agent, operator or integration.
    pub item: Id,
    /// What was advised.
    pub advice: Advice,
    /// What was decided.
    pub decision: Advice,
    /// The rules that spoke, as `AR-01`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// To what, where it was to be narrowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrower: Option<Narrower>,
    /// The entry that carried it out. Absent where there is something to do: not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_out: Option<u64>,
    /// The one who decided owns the item, or is the item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_review: bool,
    /// Milliseconds between the question and the answer; absent where a script decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

/// A decision with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What was decided.
    pub decision: ItemDecision,
    /// Who.
    pub operator: Id,
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Time,
}

/// Who stands by a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub operator: Id,
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Hex SHA-256 of the page as JSON, but for its signature.
    pub page: String,
    /// The page was computed as of this moment.
    pub as_of: Time,
    /// And from so many entries.
    pub entries: u64,
}

/// An access review as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRecord {
    /// `rv-202610`.
    pub id: Id,
    /// What was decided, by item: the newest decision of each.
    pub decided: BTreeMap<Id, Decided>,
    /// Who signed; once.
    pub signed: Option<Signed>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months() {
        let m: Month = "2026-10".parse().unwrap();
        assert_eq!(m.to_string(), "2026-10");
        assert_eq!(m.start().to_string(), "2026-10-01T00:00:00.000Z");
        assert_eq!(m.end().to_string(), "2026-11-01T00:00:00.000Z");
        assert_eq!(m.id().to_string(), "rv-202610");
        assert_eq!(Month::of_id(m.id()), Some(m));
        assert_eq!(Month::of(m.end()), m.next());
        assert_eq!("2026-12".parse::<Month>().unwrap().next().to_string(), "2027-01");
        assert_eq!("2026-01".parse::<Month>().unwrap().before().to_string(), "2025-12");
        for bad in ["", "2026", "2026-13", "2026-00", "0000-01", "26-10", "2026-1", "2026-10-01", "+026-10"] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        assert_eq!(Month::of_id("rv-202613".parse().unwrap()), None);
        assert_eq!(Month::of_id("g-202610".parse().unwrap()), None);
    }
}
