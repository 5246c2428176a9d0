//! Points in time and spans, in milliseconds, as the log writes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970 in UTC. Written as RFC 3339 with three fraction digits and `Z`
/// (log-format.md, Canonical JSON).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// Years 0 to 9999: what four digits can write.
const RANGE: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

impl Time {
    /// From milliseconds since 1970, kept within the years 0 to 9999.
    pub fn from_millis(ms: i64) -> Time {
        Time(ms.clamp(*RANGE.start(), *RANGE.end()))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// So much later, kept within the years 0 to 9999.
    pub fn plus(self, span: Span) -> Time {
        Time::from_millis(self.0.saturating_add(span.0))
    }

    /// So much earlier, kept within the years 0 to 9999.
    pub fn minus(self, span: Span) -> Time {
        Time::from_millis(self.0.saturating_sub(span.0))
    }

    /// How long from `earlier` to here; nothing if it is later.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }

    /// The day it lies in, counted from 1970-01-01, UTC.
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// The same moment for date arithmetic.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<jiff::Timestamp> for Time {
    fn from(t: jiff::Timestamp) -> Time {
        Time::from_millis(t.as_millisecond())
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
    }
}

impl std::str::FromStr for Time {
    type Err = String;
    /// Exactly the form that is written; anything else is refused.
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || format!("{s:?} is not a time such as 2026-11-21T09:00:00.000Z");
        let t: jiff::Timestamp = s.parse().map_err(|_| bad())?;
        let t = Time::from(t);
        if t.to_string() == s { Ok(t) } else { Err(bad()) }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, three fraction digits"})
    }
}

/// A length of time, in milliseconds; at least zero. Typed and written as `90d`, `24h`, `15m`, `30s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    /// One day of 24 hours.
    pub const DAY: Span = Span(86_400_000);
    /// The rolling window of the weekly cap: 7 days.
    pub const WEEK: Span = Span(7 * 86_400_000);

    /// 5 minutes.
    pub const FIVE_MINUTES: Span = Span(300_000);
    /// 30 days.
    pub const MONTH: Span = Span(30 * 86_400_000);

    /// From milliseconds; a negative number is nothing.
    pub fn from_millis(ms: i64) -> Span {
        Span(ms.max(0))
    }

    /// So many days of 24 hours.
    pub fn days(n: u32) -> Span {
        Span(i64::from(n) * Self::DAY.0)
    }

    /// So many seconds.
    pub fn seconds(n: u32) -> Span {
        Span(i64::from(n) * 1000)
    }

    /// Milliseconds.
    pub fn millis(self) -> i64 {
        self.0
    }
}

const UNITS: [(&str, i64); 5] = [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

impl std::fmt::Display for Span {
    /// The largest unit that says it exactly; milliseconds are dropped. Weeks are written in days.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = self.0 - self.0 % 1000;
        let (unit, ms) = UNITS.iter().skip(1).find(|(_, ms)| whole != 0 && whole % ms == 0).unwrap_or(&("s", 1000));
        f.pad(&format!("{}{unit}", whole / ms))
    }
}

impl std::str::FromStr for Span {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || format!("{s:?} is not a length of time such as 90d, 24h, 15m or 30s");
        let (unit, ms) = UNITS.iter().find(|(u, _)| s.ends_with(u)).ok_or_else(bad)?;
        let digits = s.strip_suffix(unit).unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let n: i64 = digits.parse().map_err(|_| bad())?;
        let total = n
            .checked_mul(*ms)
            .filter(|t| *t <= 100 * 366 * Self::DAY.0)
            .ok_or_else(|| format!("{s:?} is more than a hundred years"))?;
        Ok(Span(total))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
