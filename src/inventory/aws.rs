//! The credential report of AWS IAM: one line a user, up to five credentials each.
//!
//! Source of the columns and of what their words mean: the IAM User Guide, "Generate credential reports for your AWS
//! account". Columns are found by name, so newer reports with more of them, and others in another order, are read too.
//!
//! - The report carries no key ids, so a credential is known by its user's ARN and the slot it sits in:
//!   `arn:aws:iam::123456789012:user/ci#access_key_1`. What sits in a slot can be another key next month; then the date of
//!   the slot moves, and that is a rotation.
//! - `N/A` in a date of a slot: nothing is there. In a last use: AWS watches the key and has not seen it used (since
//!   2015-04-22, when it began). `no_information`: AWS cannot tell whether it was used. `not_supported`: the root user, of
//!   whom AWS does not tell that. None of them is a date, and none of them means "never".
//! - `access_key_1_last_rotated` is when the key was made or last changed; AWS does not say which.
//! - An inactive key keeps its dates. Slot 2 may be the older one.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{self, Record, Table};
use super::{Inventory, InventoryError, Refused, Row, date, guard};
use crate::domain::key::Sighting;
use crate::domain::time::Time;

/// The name of this source, and of its feed of last uses.
pub const SOURCE: &str = "aws-credential-report";

/// What `aws iam get-credential-report` prints: the report in base64, and when AWS made it.
#[derive(serde::Deserialize)]
struct Delivery {
    #[serde(rename = "Content")]
    content: String,
    #[serde(default, rename = "GeneratedTime")]
    generated: Option<String>,
}

/// A report, taken out of what it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The table.
    pub table: Vec<u8>,
    /// When AWS made it.
    pub generated: Option<Time>,
}

/// Takes a report out of the JSON that AWS delivers it in, with the moment whose state it tells. `None`: it is in no
/// JSON.
///
/// # Errors
/// [`InventoryError::Header`]: it is JSON, and no report.
pub fn delivered(bytes: &[u8]) -> Result<Option<Delivered>, InventoryError> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Ok(None);
    }
    let bad = || InventoryError::Header("it is JSON, and not what aws iam get-credential-report prints".into());
    if bytes.len() > super::MAX_FILE {
        return Err(InventoryError::TooLarge);
    }
    let delivery: Delivery = serde_json::from_slice(bytes).map_err(|_| bad())?;
    let content = data_encoding::BASE64.decode(delivery.content.as_bytes()).map_err(|_| bad())?;
    let generated = delivery.generated.as_deref().map(date::parse).transpose().map_err(|_| bad())?;
    Ok(Some(Delivered { table: content, generated }))
}

/// Reads a report. `as_of` is the moment whose state it tells.
///
/// # Errors
/// [`InventoryError`] where nothing of it can be used: a column that is needed is missing, say.
pub fn read(bytes: &[u8], as_of: Time) -> Result<Inventory, InventoryError> {
    let table = table::read(bytes)?;
    let columns = Columns::find(&table)?;
    let mut out = Inventory {
        source: SOURCE,
        rows: Vec::new(),
        lines: table.records.len() + table.refused.len(),
        refused: table.refused,
        accounts: BTreeSet::new(),
        mentioned: BTreeSet::new(),
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for record in &table.records {
        let (user, arn) = (record.cell(columns.user), record.cell(columns.arn));
        let account = match account_of(arn) {
            Some(account) if !user.is_empty() && !guard::looks_secret(user) => account,
            _ => {
                out.refused.push(Refused { line: record.line, why: "user and arn do not name an IAM user".into() });
                continue;
            }
        };
        out.mentioned.insert(arn.to_string());
        if let Some(first) = seen.get(arn) {
            out.refused.push(Refused { line: record.line, why: format!("the same arn is on line {first}") });
            continue;
        }
        seen.insert(arn.to_string(), record.line);
        out.accounts.insert(account.to_string());
        let line = Line { record, user, arn, as_of };
        for found in columns.credentials(&line) {
            match found {
                Ok(row) => out.rows.push(row),
                Err(why) => out.refused.push(Refused { line: record.line, why }),
            }
        }
    }
    out.refused.sort();
    Ok(out)
}

/// `arn:aws:iam::123456789012:user/ci` is in account `123456789012`; of `arn` and slot the provider id is made.
pub fn account_of(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let (scheme, service) = (parts.next()?, parts.nth(1)?);
    let account = parts.nth(1)?;
    let rest = parts.next()?;
    let ok = scheme == "arn"
        && service == "iam"
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !rest.is_empty()
        && !arn.contains(['#', ' ']);
    ok.then_some(account)
}

/// The part of a provider id that names the user.
pub fn arn_of(provider_id: &str) -> &str {
    provider_id.split_once('#').map_or(provider_id, |(arn, _)| arn)
}

/// One user.
struct Line<'a> {
    record: &'a Record,
    user: &'a str,
    arn: &'a str,
    as_of: Time,
}

/// A slot: what it is called in names and in columns, and where its columns are.
struct Slot {
    id: &'static str,
    name: &'static str,
    kind: &'static str,
    active: usize,
    turned: usize,
    /// Certificates have none.
    used: Option<usize>,
}

/// Where the columns are.
struct Columns {
    user: usize,
    arn: usize,
    password_enabled: usize,
    password_used: usize,
    password_changed: usize,
    slots: Vec<Slot>,
}

/// What a cell says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    At(Time),
    /// `N/A`
    None,
    /// `no_information`
    Unknown,
    /// `not_supported`
    Unsupported,
}

impl Columns {
    fn find(t: &Table) -> Result<Columns, InventoryError> {
        let key = |id, name, active, turned, used| -> Result<Slot, InventoryError> {
            let used = Some(t.needed(used)?);
            Ok(Slot { id, name, kind: "aws-access-key", active: t.needed(active)?, turned: t.needed(turned)?, used })
        };
        let cert = |id, name, active, turned| -> Result<Slot, InventoryError> {
            Ok(Slot { id, name, kind: "certificate", active: t.needed(active)?, turned: t.needed(turned)?, used: None })
        };
        Ok(Columns {
            user: t.needed("user")?,
            arn: t.needed("arn")?,
            password_enabled: t.needed("password_enabled")?,
            password_used: t.needed("password_last_used")?,
            password_changed: t.needed("password_last_changed")?,
            slots: vec![
                key(
                    "access_key_1",
                    "access-key-1",
                    "access_key_1_active",
                    "access_key_1_last_rotated",
                    "access_key_1_last_used_date",
                )?,
                key(
                    "access_key_2",
                    "access-key-2",
                    "access_key_2_active",
                    "access_key_2_last_rotated",
                    "access_key_2_last_used_date",
                )?,
                cert("cert_1", "cert-1", "cert_1_active", "cert_1_last_rotated")?,
                cert("cert_2", "cert-2", "cert_2_active", "cert_2_last_rotated")?,
            ],
        })
    }

    /// The credentials of a user: those that are there, those that are not, and why one cannot be read.
    fn credentials(&self, line: &Line<'_>) -> Vec<Result<Row, String>> {
        let password = line.record.cell(self.password_enabled);
        let mut rows = vec![self.password(line, password)];
        for slot in &self.slots {
            let row = slot.read(line).map(|row| {
                // Whoever signs in by hand beside it holds it too.
                let shared = password.eq_ignore_ascii_case("true") && slot.kind == "aws-access-key" && !row.absent;
                Row { person: shared.then_some(true), ..row }
            });
            rows.push(row.map_err(|why| format!("{}: {why}", slot.id)));
        }
        rows
    }

    fn password(&self, line: &Line<'_>, enabled: &str) -> Result<Row, String> {
        let about = |why| format!("password: {why}");
        let mut row = line.row("password", "password", "password");
        // Of the root user AWS does not tell: he has one as long as nobody says that he has none.
        let there = enabled == "not_supported" || flag(enabled).map_err(about)?;
        if !there {
            return Ok(Row { absent: true, active: Some(false), ..row });
        }
        row.active = Some(true);
        row.person = Some(true);
        if let Cell::At(t) = cell(line.record.cell(self.password_changed)).map_err(about)? {
            row.rotated = Some(t);
        }
        row.seen = line.sighting(cell(line.record.cell(self.password_used)).map_err(about)?);
        Ok(row)
    }
}

impl Slot {
    fn read(&self, line: &Line<'_>) -> Result<Row, String> {
        let row = line.row(self.id, self.name, self.kind);
        let active = flag(line.record.cell(self.active))?;
        let turned = match cell(line.record.cell(self.turned))? {
            Cell::At(t) => Some(t),
            _ => None,
        };
        let used = self.used.map(|at| cell(line.record.cell(at))).transpose()?;
        let dated = turned.is_some() || matches!(used, Some(Cell::At(_)));
        if !active && !dated {
            return Ok(Row { absent: true, active: Some(false), ..row });
        }
        Ok(Row { active: Some(active), turned, seen: used.and_then(|u| line.sighting(u)), ..row })
    }
}

impl Line<'_> {
    fn row(&self, id: &str, name: &str, kind: &str) -> Row {
        Row {
            line: self.record.line,
            name: format!("{}/{name}", self.user),
            kind: Some(kind.into()),
            provider_id: Some(format!("{}#{id}", self.arn)),
            ..Row::default()
        }
    }

    /// What the report knows of the use of something that is there.
    fn sighting(&self, used: Cell) -> Option<Sighting> {
        let last = match used {
            Cell::At(t) => Some(t),
            Cell::None => None,
            Cell::Unknown | Cell::Unsupported => return None,
        };
        Some(Sighting { feed: SOURCE.into(), as_of: self.as_of, last })
    }
}

fn flag(text: &str) -> Result<bool, String> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("neither true nor false".into()),
    }
}

fn cell(text: &str) -> Result<Cell, String> {
    match text {
        "N/A" => Ok(Cell::None),
        "no_information" => Ok(Cell::Unknown),
        "not_supported" => Ok(Cell::Unsupported),
        // A day without a time is no date that AWS writes.
        _ if text.contains('T') => date::parse(text).map(Cell::At),
        _ => date::parse(text).and(Err(format!("{text:?} has no time of day"))),
    }
}

#[cfg(test)]
mod tests;
