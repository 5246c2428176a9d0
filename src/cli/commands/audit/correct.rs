//! `aosctl audit correct`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::event::EntryCorrected;

/// Say beside an entry what is right
///
/// The entry stays as it is, and whatever follows from it, too. The note stands beneath it wherever it is shown. To take a
/// text out, erase it: aosctl audit erase SEQ.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry's number
    #[arg(value_name = "SEQ", value_parser = super::entry_number)]
    seq: u64,
    /// What is right; it goes into the log
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    note: String,
    /// Say what would be corrected; do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A correction, or what would be one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditCorrectView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The entry that is corrected.
    pub entry: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is right.
    pub note: String,
    /// The entry that says so; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for AuditCorrectView {
    const SCHEMA: &'static str = "aosctl.audit-correct/v1";

    fn human(&self, screen: &Screen) -> String {
        let label = if self.dry_run { "would correct" } else { "corrected" };
        let mut page = show::field(screen, label, &format!("entry {} ({})", self.entry, self.kind));
        if let Some(seq) = self.seq {
            page.push_str(&show::field(screen, "said by", &format!("entry {seq}")));
        }
        page.push_str(&show::field(screen, "note", &self.note));
        page
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    super::said(&args.note, "--note")?;
    let ws = ctx.open()?;
    let Some(stored) = ws.store().entry(args.seq)? else {
        return Err(super::no_such_entry(&ws, args.seq));
    };
    let mut view =
        AuditCorrectView { dry_run: args.dry_run, entry: args.seq, kind: stored.columns.0, note: args.note, seq: None };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let event = EntryCorrected { seq: args.seq, note: Some(view.note.clone()) };
    let (appended, pin) = ws.transact(ctx.clock(), |tx| Ok::<_, CliError>(tx.append(me.by(), event)?))?;
    view.seq = Some(appended.seq);
    Ok(Outcome::of(Exit::Done, view).warn_if(pin))
}
