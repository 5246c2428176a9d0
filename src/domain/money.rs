//! Amounts of money: integer minor units of one currency, never negative (design section 7, rule 5).

use serde::{Deserialize, Deserializer, Serialize};

/// The largest amount: what a canonical JSON integer can hold (log-format.md).
pub const MAX_MINOR: u64 = (1 << 53) - 1;

/// A currency: three capital letters of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars, the currency of the default caps.
    pub const USD: Currency = Currency(*b"USD");

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits of a major unit are minor: 2 but for the exceptions of ISO 4217.
    pub fn digits(&self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|x| x.is_ascii_uppercase()) => Ok(Currency([*a, *b, *c])),
            _ => Err(format!("{s:?} is not a currency code such as USD")),
        }
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount. In JSON `{"currency":"USD","minor":100000}`; typed as `1000USD` or `12.50USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// ISO 4217 code.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// Minor units (cents), 0 to 2^53-1.
    #[serde(deserialize_with = "minor_in_range")]
    pub minor: u64,
}

fn minor_in_range<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    let n = u64::deserialize(d)?;
    if n <= MAX_MINOR { Ok(n) } else { Err(serde::de::Error::custom("an amount is at most 2^53-1 minor units")) }
}

impl Money {
    /// An amount of minor units.
    pub fn new(currency: Currency, minor: u64) -> Money {
        Money { currency, minor: minor.min(MAX_MINOR) }
    }

    /// Reads a decimal number of major units (`12.5`) in a currency. Refuses signs, exponents and more fraction digits
    /// than the currency has, so nothing is ever rounded.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Money, String> {
        let bad =
            || format!("{text:?} is not an amount of {currency} with at most {} fraction digits", currency.digits());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let dot_without_digits = text.contains('.') && fraction.is_empty();
        if whole.is_empty()
            || dot_without_digits
            || whole.len() > 16
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return Err(bad());
        }
        let digits = currency.digits() as usize;
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > digits {
            return Err(bad());
        }
        let scaled = format!("{whole}{fraction:0<digits$}");
        let minor: u64 = scaled.parse().map_err(|_| bad())?;
        if minor > MAX_MINOR { Err(bad()) } else { Ok(Money { currency, minor }) }
    }
}

impl std::str::FromStr for Money {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let s = s.trim();
        let split = s.len().checked_sub(3).filter(|i| s.is_char_boundary(*i));
        let Some((number, code)) = split.map(|i| s.split_at(i)) else {
            return Err(format!("{s:?} is not an amount such as 500USD or 12.50EUR"));
        };
        let number = ungrouped(number.trim_end())
            .ok_or_else(|| format!("{s:?} is not an amount such as 1,000USD or 12.50EUR: a comma groups thousands"))?;
        let currency = code
            .to_ascii_uppercase()
            .parse()
            .map_err(|_| format!("{s:?} is not an amount such as 500USD or 12.50EUR"))?;
        Money::from_decimal(&number, currency)
    }
}

/// Takes the thousands separators out, if that is what they are: `12,50` is twelve and a half to some and would be 1,250
/// to others, so it is neither.
fn ungrouped(number: &str) -> Option<String> {
    if !number.contains([',', '_']) {
        return Some(number.to_string());
    }
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    let mut groups = whole.split([',', '_']);
    let first = groups.next()?;
    let in_groups = (1..=3).contains(&first.len()) && groups.all(|g| g.len() == 3);
    if !in_groups || fraction.is_some_and(|f| f.contains([',', '_'])) {
        return None;
    }
    Some(number.replace([',', '_'], ""))
}

impl std::fmt::Display for Money {
    /// `1,000.00 USD`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.currency.digits();
        let unit = 10u64.pow(digits);
        let whole = (self.minor / unit).to_string();
        let mut grouped = String::new();
        for (i, c) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(c);
        }
        let text = if digits == 0 {
            format!("{grouped} {}", self.currency)
        } else {
            format!("{grouped}.{:0>width$} {}", self.minor % unit, self.currency, width = digits as usize)
        };
        f.pad(&text)
    }
}
