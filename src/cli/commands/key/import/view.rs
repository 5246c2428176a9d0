//! What an import did, as data and as a page.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::outcome::{Screen, View};
use crate::cli::show;
use crate::domain::id::Id;
use crate::domain::key::Place;
use crate::domain::time::Time;
use crate::inventory::plan::{Alteration, Delta, Plan};
use crate::inventory::{Inventory, aws};

/// So many keys of a sort stand on the page; the JSON has them all.
const MOST: usize = 20;

/// What an import did, or would do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyImportView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The file, as typed.
    pub file: String,
    /// What it was read as: `aws-credential-report`, `csv`.
    pub source: String,
    /// It tells the state of this moment.
    pub as_of: Time,
    /// How many rows it has.
    pub rows: usize,
    /// New keys, in the order of the lines.
    pub added: Vec<AddedKey>,
    /// Keys of which something else is known now.
    pub changed: Vec<ChangedKey>,
    /// Keys of which the file says what was known before.
    pub unchanged: Vec<Id>,
    /// What was not used, by line.
    pub refused: Vec<RefusedLine>,
    /// Keys of accounts that the file lists in full, whose owner it does not mention: they may be gone there.
    pub missing: Vec<Id>,
    /// Keys that were turned over at their provider, while the old secret is sealed here.
    pub stale_secrets: Vec<Id>,
    /// The first entry that was written; absent where none was.
    pub first_seq: Option<u64>,
    /// The last.
    pub last_seq: Option<u64>,
}

/// A new key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AddedKey {
    /// The line.
    pub line: u64,
    /// Its id; absent in a dry run.
    pub key: Option<Id>,
    /// Its name. Foreign text.
    pub name: String,
}

/// A key of which something else is known now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedKey {
    /// The line.
    pub line: u64,
    /// Its id.
    pub key: Id,
    /// Its name. Foreign text.
    pub name: String,
    /// What differs.
    pub what: Vec<DeltaView>,
}

/// One thing that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeltaView {
    /// What: `active`, `rotated`.
    pub what: &'static str,
    /// As it was known; absent where nothing was. Foreign text.
    pub old: Option<String>,
    /// As it is known now. Foreign text.
    pub new: Option<String>,
}

/// A row, or a part of one, that was not used.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefusedLine {
    /// Its line, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

impl DeltaView {
    /// Of a difference.
    pub fn of(d: &Delta) -> DeltaView {
        DeltaView { what: d.what, old: d.old.clone(), new: d.new.clone() }
    }

    /// What differs, as a page says it.
    pub fn label(&self) -> &'static str {
        match self.what {
            "provider_id" => "provider id",
            "last4" => "last four",
            "last_used" => "last used",
            "use_as_of" => "use known as of",
            "use_feed" => "use known from",
            other => other,
        }
    }

    /// `old -> new`. Foreign text.
    pub fn turn(&self) -> String {
        let word = |t: &Option<String>| t.clone().unwrap_or_else(|| "not told".into());
        format!("{} -> {}", word(&self.old), word(&self.new))
    }
}

impl KeyImportView {
    /// Before anything is known of it.
    pub(super) fn new(dry_run: bool, name: &str, file: &Inventory, as_of: Time) -> KeyImportView {
        KeyImportView {
            dry_run,
            file: name.into(),
            source: file.source.into(),
            as_of,
            rows: file.lines,
            added: Vec::new(),
            changed: Vec::new(),
            unchanged: Vec::new(),
            refused: Vec::new(),
            missing: Vec::new(),
            stale_secrets: Vec::new(),
            first_seq: None,
            last_seq: None,
        }
    }

    /// Takes a plan over; `ids` are those of the new keys, in their order.
    pub(super) fn tell(&mut self, plan: &Plan, ids: &[Id], seqs: Option<(u64, u64)>) {
        let ids = ids.iter().copied().map(Some).chain(std::iter::repeat(None));
        let added = plan.added.iter().zip(ids);
        self.added = added.map(|(a, key)| AddedKey { line: a.line, key, name: a.facts.name.clone() }).collect();
        let changed = plan.changed.iter().map(|c| ChangedKey {
            line: c.line,
            key: c.key,
            name: c.facts.name.clone(),
            what: c.what.iter().map(DeltaView::of).collect(),
        });
        self.changed = changed.collect();
        self.unchanged.clone_from(&plan.unchanged);
        self.refused = plan.refused.iter().map(|r| RefusedLine { line: r.line, why: r.why.clone() }).collect();
        self.missing.clone_from(&plan.missing);
        let stale = |c: &&Alteration| {
            matches!(c.facts.place, Place::Sealed { .. }) && c.what.iter().any(|d| d.what == "rotated")
        };
        self.stale_secrets = plan.changed.iter().filter(stale).map(|c| c.key).collect();
        (self.first_seq, self.last_seq) = (seqs.map(|s| s.0), seqs.map(|s| s.1));
    }
}

impl View for KeyImportView {
    const SCHEMA: &'static str = "aosctl.key-import/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let what = if self.source == aws::SOURCE { "AWS credential report" } else { "CSV" };
        let name = if self.file == "-" { "standard input" } else { &self.file };
        field("file", &format!("{name}, {what}, as of {}", show::minute(self.as_of)));
        let list = |all: Vec<String>| -> Vec<String> {
            let more = all.len().saturating_sub(MOST);
            let rest = (more > 0).then(|| format!("and {more} more (--json)"));
            all.into_iter().take(MOST).chain(rest).collect()
        };
        field("added", &self.added.len().to_string());
        for line in list(self.added.iter().map(|a| format!("{}{}", key_id(a.key), a.name)).collect()) {
            field("", &line);
        }
        field("changed", &self.changed.len().to_string());
        let turns = |c: &ChangedKey| {
            let what = c.what.iter().map(|d| format!("{} {}", d.label(), d.turn())).collect::<Vec<_>>().join("; ");
            format!("{} {}: {what}", c.key, c.name)
        };
        for line in list(self.changed.iter().map(turns).collect()) {
            field("", &line);
        }
        field("unchanged", &self.unchanged.len().to_string());
        field("refused", &self.refused.len().to_string());
        out
    }
}

fn key_id(id: Option<Id>) -> String {
    id.map(|id| format!("{id} ")).unwrap_or_default()
}
