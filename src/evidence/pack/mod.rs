//! What an auditor gets for a period: what happened in it, line by line, each with the entry that it rests on and a
//! receipt for that entry, and the whole bundle that all of it can be checked against.
//!
//! Everything is computed from verified entries as of the end of the period, after the whole workspace was verified; what
//! does not verify is listed as that. Texts are whatever their authors wrote: whoever draws them makes them safe.

mod lines;
mod receipts;
mod reviews;

pub use lines::{Line, Mark, Table};
pub use receipts::receipts;
pub use reviews::{ReviewLine, ReviewState};

use std::io::BufWriter;
use std::path::Path;

use super::archive::{Archive, BUFFER, ExportError, Zip};
use super::export::{Export, Payloads, Wanted};
use crate::domain::time::Time;
use crate::log::verdict::{Check, Status};
use crate::review::model::{Population, Source};
use crate::review::{ReviewError, compute};
use crate::sys::output::NewFile;
use crate::workspace::{VerifyOptions, Workspace, WorkspaceError, verify};

/// A period: from its first moment to before its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub since: Time,
    /// The first moment after it.
    pub until: Time,
}

/// One thing that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What.
    pub check: Check,
    /// How it came out.
    pub status: Status,
    /// The first bad entry.
    pub first_bad_seq: Option<u64>,
}

/// Everything that is said of a period.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The period.
    pub period: Period,
    /// The company, as told to `init`.
    pub company: Option<String>,
    /// When entry 0 was signed: nothing is known of the time before.
    pub began: Time,
    /// The first entry of the period; the number after the last entry that it rests on is the bundle's size.
    pub first: u64,
    /// What verifying the whole workspace gave, its tables and what was appended after the period too.
    pub verdicts: Vec<Checked>,
    /// How many there were of what at the end of the period; absent where that could not be computed, with the reason.
    pub population: Result<Population, String>,
    /// The reviews whose month or whose last day lies in the period.
    pub reviews: Vec<ReviewLine>,
    /// What happened, by kind.
    pub tables: Vec<Table>,
    /// Entries that could not be read, so that lines may be missing.
    pub unreadable: Vec<(u64, String)>,
}

impl Pack {
    /// Verifies the workspace, and gathers what is said of the period. `progress` hears how many entries of how many are
    /// verified.
    ///
    /// # Errors
    /// Only where nothing can be read; what does not verify is said in the pack.
    pub fn gather(
        workspace: &Workspace,
        export: &Export<'_>,
        period: Period,
        clock: Time,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Pack, ExportError> {
        let verified = verify(workspace.place(), &VerifyOptions::default(), clock, progress)?;
        let end = export.survey().end;
        let facts = workspace.facts();
        let facts = facts.before(end);
        let mut verdicts: Vec<Checked> = Vec::new();
        for v in verified.report.verdicts() {
            verdicts.push(Checked { check: v.check, status: v.status, first_bad_seq: v.first_bad_seq });
        }
        let began = facts.event(0)?.0.at;
        let mut gathered = lines::gather(workspace, &facts, period, end, &verified.invalid)?;
        let reviews = reviews::reviews(&facts, period, began, &mut gathered.names)?;
        let last_moment = Time::from_millis(period.until.millis() - 1);
        let month = crate::domain::review::Month::of(last_moment);
        let population = compute(workspace, month, Some(period.until), clock).map(|page| page.population);
        let population = match population {
            Ok(found) => Ok(found),
            Err(ReviewError::Workspace(WorkspaceError::Store(e))) => return Err(e.into()),
            Err(e) => Err(e.to_string()),
        };
        Ok(Pack {
            period,
            company: workspace.origin().company.clone(),
            began,
            first: gathered.first,
            verdicts,
            population,
            reviews,
            tables: gathered.tables,
            unreadable: gathered.unreadable,
        })
    }

    /// Something does not verify, or cannot be read.
    pub fn failed(&self) -> bool {
        !self.unreadable.is_empty() || self.verdicts.iter().any(|v| v.status == Status::Failed)
    }

    /// The entries that lines of the samples rest on, in order.
    pub fn sampled(&self) -> Vec<u64> {
        let mut found: Vec<u64> =
            self.tables.iter().filter(|t| t.sample).flat_map(|t| t.lines.iter().map(|l| l.seq)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// What a bundle for a pack holds: everything up to the end of the period.
pub fn wanted(period: Period) -> Wanted {
    Wanted { since: None, until: Some(period.until), payloads: Payloads::All }
}

/// A source of the population, in words.
pub fn source(s: &Source) -> String {
    format!("{}: {}", s.name, s.query)
}

/// The files of a pack beside its bundle and receipts, by name.
pub type Drawn = Vec<(String, Vec<u8>)>;

/// Writes the zip: what was drawn, the bundle, a receipt for each entry of the samples. Lists it in the state directory.
///
/// # Errors
/// What could not be read or written; nothing has the name then.
pub fn deliver(
    workspace: &Workspace,
    export: &Export<'_>,
    pack: &Pack,
    drawn: &Drawn,
    path: &Path,
    now: Time,
) -> Result<(), ExportError> {
    let mut file = NewFile::beside(path)?;
    let shown = path.display().to_string();
    let mut buffer = BufWriter::with_capacity(BUFFER, file.file());
    let mut zip = Zip::new(&mut buffer, &shown);
    let mut names: Vec<(&str, Option<&[u8]>)> = drawn.iter().map(|(n, b)| (n.as_str(), Some(b.as_slice()))).collect();
    names.extend([("bundle/", None), ("receipts/", None)]);
    names.sort_unstable_by_key(|(name, _)| *name);
    for (name, bytes) in names {
        match bytes {
            Some(bytes) => zip.add_bytes(name, bytes)?,
            None if name == "bundle/" => export.write(name, &mut zip)?,
            None => receipts(workspace, export, &pack.sampled(), &mut |seq, text| {
                zip.add_bytes(&format!("{name}{seq}.tlog-proof"), text.as_bytes())
            })?,
        }
    }
    zip.finish()?;
    drop(buffer);
    export.list(now, "zip", Some(path))?;
    Ok(file.finish()?)
}
