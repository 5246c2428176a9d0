//! `aosctl workspace accept-rollback`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::workspace::{PinState, Workspace, WorkspaceError};

/// Go on with a log that is older than its pin, or that the pin does not know.
///
/// Says first what is lost, as far as anybody can tell: entries that the pin remembers are gone with everything that they
/// closed, narrowed or approved. Signs `rollback.accepted/1` with the reason, and takes the log's present end as the new
/// pin; the old one stays beside it. Tables that count more than there is are made anew from the log. The log itself must
/// verify. The acceptance is listed for ever. Put the newest copy back instead, if there is one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would be accepted, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A log that an operator goes on with, or would.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AcceptRollbackView {
    /// Nothing was done.
    pub dry_run: bool,
    /// What is wrong, in a stable word: `rolled_back`, `tail_cut`, `fork`, `pin_missing`, `pin_broken`, `other_log`.
    pub found: String,
    /// The same for people.
    pub detail: String,
    /// Entries that there are.
    pub entries: u64,
    /// When the last of them was signed.
    pub last_at: Option<Time>,
    /// Entries that the pin remembers; absent where no pin holds.
    pub pinned: Option<u64>,
    /// Entries that are lost for certain; absent where nobody can tell.
    pub lost: Option<u64>,
    /// The entry that accepts it; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for AcceptRollbackView {
    const SCHEMA: &'static str = "aosctl.workspace-accept-rollback/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "found", &safe(&self.detail));
        let last = self.last_at.map(|at| format!(", the last one of {}", show::minute(at))).unwrap_or_default();
        out.push_str(&show::field(screen, "entries", &format!("{}{last}", self.entries)));
        let lost = match (self.lost, self.pinned) {
            (Some(n), _) => format!("{n} entries, signed after that"),
            (None, Some(n)) => format!("unknown: the pin remembers {n} entries that are not these"),
            (None, None) => "unknown: there is no pin to tell".into(),
        };
        out.push_str(&show::field(screen, "lost", &lost));
        let verb = self.seq.map_or("would be".into(), |seq| format!("by entry {seq}, for ever in the log"));
        out.push_str(&show::field(screen, "accepted", &verb));
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = words::text("--reason", &args.reason)?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "accept a rollback")?;
    let Some(found) = ws.doubt()? else { return Err(WorkspaceError::NothingToAccept.into()) };
    let mut view = view(&ws, &found, args.dry_run)?;
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    if !args.yes {
        let prompt = format!(
            "{}\nWhatever was revoked, narrowed or frozen in entries that are lost is open again; look at every door.",
            view.human(&ctx.screen()).trim_end()
        );
        if !ctx.prompter().confirm_typed(&prompt, "accept", "--yes")? {
            return Err(CliError::no("not_confirmed", "nothing was accepted"));
        }
    }
    let me = ctx.unlock(&ws)?;
    let appended = ws.accept_rollback(ctx.clock(), me.by(), Some(reason))?;
    view.seq = Some(appended.seq);
    let done = Outcome::of(Exit::Done, view)
        .note("What the lost entries had closed is open again. Look at what is open, and at who decides:")
        .note("  aosctl grant list; aosctl operator list; aosctl key list");
    Ok(match found {
        WorkspaceError::PinMissing => done,
        _ => done.note("The old pin was kept beside the new one, in the state directory, as pin.before-SIZE."),
    })
}

fn view(ws: &Workspace, found: &WorkspaceError, dry_run: bool) -> Result<AcceptRollbackView, CliError> {
    let last_at = match ws.store().last_seq()? {
        Some(seq) => Some(ws.event(seq)?.0.at),
        None => None,
    };
    let entries = ws.store().last_seq()?.map_or(0, |n| n + 1);
    let pinned = match (found, ws.pin_state()?) {
        (WorkspaceError::Fork { pinned } | WorkspaceError::RolledBack { pinned, .. }, _) => Some(*pinned),
        (_, PinState::Covers { size, .. } | PinState::Ahead { size } | PinState::Forked { size }) => Some(size),
        (_, PinState::Missing | PinState::Broken(_)) => None,
    };
    let lost = match found {
        WorkspaceError::RolledBack { size, pinned } => pinned.checked_sub(*size),
        WorkspaceError::TailCut { size, counted } => counted.max(&pinned.unwrap_or(0)).checked_sub(*size),
        _ => None,
    };
    Ok(AcceptRollbackView {
        dry_run,
        found: super::word(found).into(),
        detail: found.to_string(),
        entries,
        last_at,
        pinned,
        lost,
        seq: None,
    })
}
