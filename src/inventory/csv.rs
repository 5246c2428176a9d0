//! Our own separated values: any inventory that somebody keeps in a table. Columns are described in `docs/keys.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{self, Record, Table};
use super::{Inventory, InventoryError, Refused, Row, date, guard};
use crate::domain::key::{Sighting, check_kind, check_last4};
use crate::domain::time::{Span, Time};

/// The name of this source, and of its feed of last uses.
pub const SOURCE: &str = "csv";

/// Every column. Only `name` must be there.
pub const COLUMNS: &[&str] = &[
    "name",
    "kind",
    "integration",
    "scope",
    "owner",
    "reference",
    "provider_id",
    "last4",
    "created",
    "last_rotated",
    "last_used",
    "expires",
    "active",
    "person",
];

/// Reads a file. `as_of` is the moment whose state it tells.
///
/// # Errors
/// [`InventoryError`] where nothing of it can be used: a column that seems to hold secrets, say.
pub fn read(bytes: &[u8], as_of: Time) -> Result<Inventory, InventoryError> {
    let table = table::read(bytes)?;
    check_header(&table)?;
    let mut out = Inventory {
        source: SOURCE,
        rows: Vec::new(),
        lines: table.records.len() + table.refused.len(),
        refused: table.refused.clone(),
        accounts: BTreeSet::new(),
        mentioned: BTreeSet::new(),
    };
    let (mut ids, mut names) = (BTreeMap::new(), BTreeMap::new());
    for record in &table.records {
        let row = Cells { table: &table, record }.row(as_of).and_then(|row| {
            let double = |what: &str, line: &u64| Err(format!("the same {what} is on line {line}"));
            let id = row.provider_id.clone();
            if let Some(line) = id.as_ref().and_then(|id| ids.get(id)) {
                return double("provider_id", line);
            }
            if let Some(line) = names.get(&row.name) {
                return double("name", line);
            }
            if let Some(id) = id {
                ids.insert(id, row.line);
            }
            names.insert(row.name.clone(), row.line);
            Ok(row)
        });
        match row {
            Ok(row) => out.rows.push(row),
            Err(why) => out.refused.push(Refused { line: record.line, why }),
        }
    }
    out.refused.sort();
    Ok(out)
}

fn check_header(table: &Table) -> Result<(), InventoryError> {
    for (i, name) in table.header.iter().enumerate() {
        if guard::is_secret_column(name) {
            return Err(InventoryError::Secrets { at: i + 1 });
        }
    }
    table.needed("name")?;
    match table.header.iter().position(|h| !COLUMNS.contains(&h.as_str())) {
        Some(i) => {
            Err(InventoryError::UnknownColumn { at: i + 1, name: table.header.get(i).cloned().unwrap_or_default() })
        }
        None => Ok(()),
    }
}

struct Cells<'a> {
    table: &'a Table,
    record: &'a Record,
}

impl Cells<'_> {
    /// What a cell says; an empty one, and a column that is not there, say nothing.
    fn get(&self, column: &str) -> Option<&str> {
        let at = self.table.column(column)?;
        Some(self.record.cell(at)).filter(|text| !text.is_empty())
    }

    fn text(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_string)
    }

    fn date(&self, column: &str) -> Result<Option<Time>, String> {
        self.get(column).map(|text| date::parse(text).map_err(|why| format!("{column}: {why}"))).transpose()
    }

    fn flag(&self, column: &str) -> Result<Option<bool>, String> {
        match self.get(column).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes") => Ok(Some(true)),
            Some("false" | "no") => Ok(Some(false)),
            Some(_) => Err(format!("{column}: neither true nor false")),
        }
    }

    fn row(&self, as_of: Time) -> Result<Row, String> {
        for column in &self.table.header {
            if self.get(column).is_some_and(guard::looks_secret) {
                return Err(format!("{column} holds what looks like a secret; aosctl keeps none"));
            }
        }
        let seen = match self.get("last_used") {
            None => None,
            Some("never") => Some(None),
            Some(_) => self.date("last_used")?.map(Some),
        };
        let row = Row {
            line: self.record.line,
            name: self.text("name").ok_or("it has no name")?,
            kind: self.text("kind"),
            integration: self.text("integration"),
            scope: self.text("scope"),
            owner: self.text("owner"),
            reference: self.text("reference"),
            provider_id: self.text("provider_id"),
            last4: self.text("last4"),
            created: self.date("created")?,
            rotated: self.date("last_rotated")?,
            turned: None,
            expires: self.date("expires")?,
            seen: seen.map(|last| Sighting { feed: SOURCE.into(), as_of, last }),
            active: self.flag("active")?,
            person: self.flag("person")?,
            absent: false,
        };
        row.kind.as_deref().map_or(Ok(()), check_kind)?;
        row.last4.as_deref().map_or(Ok(()), check_last4)?;
        match (row.created, row.rotated) {
            // A plain day may stand for any moment of it.
            (Some(created), Some(rotated)) if rotated.plus(Span::DAY) <= created => {
                Err("last_rotated is before created".into())
            }
            _ => Ok(row),
        }
    }
}

#[cfg(test)]
mod tests;
