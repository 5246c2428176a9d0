//! The samples: one row a line, RFC 4180, with formulas and hidden characters made harmless as in the review's CSV.

use crate::cli::commands::review::render::csv_record;
use crate::cli::text::safe;
use crate::evidence::pack::Table;

/// A table as CSV, with its entry, leaf hash and receipt on each row.
pub(super) fn sample(table: &Table) -> String {
    let mut out = String::new();
    let before = ["seq", "leaf", "receipt", "signed_at", "signed_by"].map(String::from).into_iter();
    let columns = table.columns.iter().map(|c| c.replace([' ', '-'], "_"));
    csv_record(&mut out, before.chain(columns));
    for l in &table.lines {
        let at = l.at.map(|t| t.to_string()).unwrap_or_default();
        let receipt = format!("receipts/{}.tlog-proof", l.seq);
        let before = [l.seq.to_string(), l.leaf.clone(), receipt, at, safe(&l.by)].into_iter();
        csv_record(&mut out, before.chain(l.cells.iter().map(|c| safe(c))));
    }
    out
}
