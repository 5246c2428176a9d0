//! `aosctl workspace compare`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::workspace::Compared;

/// Say whether another copy of the workspace is the same, ahead, behind, or a fork.
///
/// OTHER is a workspace directory, a bundle's directory, or a checkpoint that was kept. It is only read. A backup is
/// compared by restoring it into a directory of its own.
///
/// Exit status: 0 the same, or this one is ahead; 1 this one is behind; 4 a fork, or another log.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A workspace directory, a bundle's directory, or a checkpoint
    #[arg(value_name = "OTHER", value_hint = clap::ValueHint::AnyPath)]
    other: PathBuf,
}

/// Two copies of a log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CompareView {
    /// `same`, `ahead`, `behind`, `fork` or `other_log`, of this one.
    pub found: String,
    /// This log's name.
    pub log: String,
    /// Entries here.
    pub entries: u64,
    /// Entries there, or that the checkpoint covers.
    pub other_entries: u64,
    /// Entries that only one of them has, where one is a beginning of the other.
    pub by: Option<u64>,
    /// The first entry that differs, where both went on and the entries are at hand.
    pub first_different: Option<u64>,
    /// The other one's name, where it is another log.
    pub other_log: Option<String>,
}

impl View for CompareView {
    const SCHEMA: &'static str = "aosctl.workspace-compare/v1";

    fn human(&self, screen: &Screen) -> String {
        let by = self.by.unwrap_or_default();
        let found = match (self.found.as_str(), self.first_different) {
            ("same", _) => "the same entries".to_string(),
            ("ahead", _) => format!("this one is ahead by {by}"),
            ("behind", _) => format!("this one is behind by {by}"),
            ("fork", Some(seq)) => format!("A FORK: both went on; entry {seq} is the first that differs"),
            ("fork", None) => "A FORK: the checkpoint is of other entries than these".to_string(),
            _ => format!("another log: {}", safe(self.other_log.as_deref().unwrap_or_default())),
        };
        show::field(screen, "compared", &found)
            + &show::field(screen, "entries", &format!("{} here, {} there", self.entries, self.other_entries))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let other = ws.compare(&args.other)?;
    let (found, by, at, name) = match other.found {
        Compared::Same => ("same", None, None, None),
        Compared::Ahead { by } => ("ahead", Some(by), None, None),
        Compared::Behind { by } => ("behind", Some(by), None, None),
        Compared::Fork { at } => ("fork", None, at, None),
        Compared::OtherLog { name } => ("other_log", None, None, Some(name)),
    };
    let exit = match found {
        "same" | "ahead" => Exit::Done,
        "behind" => Exit::No,
        _ => Exit::Integrity,
    };
    let view = CompareView {
        found: found.into(),
        log: ws.origin().name.clone(),
        entries: ws.store().last_seq()?.map_or(0, |n| n + 1),
        other_entries: other.entries,
        by,
        first_different: at,
        other_log: name,
    };
    let out = Outcome::of(exit, view);
    Ok(match found {
        "fork" => out
            .note("Both copies were used. Nothing can join them: choose one, and freeze the other (docs/recovery.md)."),
        "behind" if !other.seen => out.note(
            "By a checkpoint alone one cannot tell a fork from this: compare with the copy itself, or with a bundle of it.",
        ),
        _ => out,
    })
}
