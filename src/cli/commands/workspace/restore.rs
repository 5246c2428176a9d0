//! `aosctl workspace restore`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::workspace::{WorkspaceError, restore};

/// Put a backup back, on a new machine or after a loss.
///
/// Everything is proven before anything appears: the seal, the log's identity, its pin, and the whole log as `audit
/// verify` does. Nothing is overwritten: the workspace directory must be empty or missing. Where this machine still has
/// the state directory of the log, it is kept, and a backup that is older than its pin is treated as a rollback.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sealed file
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

/// A workspace that was put back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RestoreView {
    /// The workspace directory.
    pub workspace: String,
    /// The directory outside it with the log identity, the pin and agents' identities.
    pub state_dir: String,
    /// The log's name.
    pub log: String,
    /// Entries.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// When the backup was made.
    pub backed_up_at: Time,
    /// When the last entry was signed.
    pub last_at: Option<Time>,
    /// How old the backup is, in whole seconds.
    pub age_seconds: u64,
    /// The state directory was there already and was kept.
    pub state_was_there: bool,
    /// Files of the backup that were not written, because others of the same name are there.
    pub kept: Vec<String>,
    /// What speaks against its being the newest log, in a stable word: `rolled_back`, `other_log`, `pin_broken`.
    pub behind: Option<String>,
}

impl View for RestoreView {
    const SCHEMA: &'static str = "aosctl.workspace-restore/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "restored", &safe(&self.workspace));
        out.push_str(&show::field(screen, "state", &safe(&self.state_dir)));
        out.push_str(&show::field(screen, "log", &format!("{}, verified just now, all of it", self.log)));
        let last = self.last_at.map(|at| format!(", the last one of {}", show::minute(at))).unwrap_or_default();
        out.push_str(&show::field(screen, "entries", &format!("{}{last}", self.entries)));
        out.push_str(&show::field(screen, "root", &self.root));
        let age = show::length(crate::domain::time::Span::seconds(u32::try_from(self.age_seconds).unwrap_or(u32::MAX)));
        out.push_str(&show::field(screen, "backed up", &format!("{}, {age} ago", show::minute(self.backed_up_at))));
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let place = ctx.place()?;
    let taken = std::fs::read_dir(&place.dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken || (place.dir.exists() && !place.dir.is_dir()) {
        return Err(CliError::from(WorkspaceError::Exists { dir: place.dir.clone() })
            .because("a backup is put back where there is nothing; nothing was changed")
            .hint("restore beside it: --workspace DIR")
            .hint("or move what is there away first, and keep it"));
    }
    let passphrase = ctx.passphrase("passphrase of the backup")?;
    let now = ctx.clock();
    let done = restore(&place, &args.file, &passphrase, now, &mut |_, _| {})?;
    let view = RestoreView {
        workspace: place.dir.display().to_string(),
        state_dir: done.state_dir.display().to_string(),
        log: done.origin,
        entries: done.entries,
        root: done.root,
        backed_up_at: done.backed_up_at,
        last_at: done.last_at,
        age_seconds: u64::try_from(now.since(done.backed_up_at).millis() / 1000).unwrap_or(0),
        state_was_there: done.state_was_there,
        kept: done.kept.clone(),
        behind: done.doubt.as_ref().map(|e| super::word(e).to_string()),
    };
    let mut out = Outcome::of(Exit::Done, view);
    for name in done.kept {
        out = out.warn(format!("kept as it was, although the backup has another one: {}", safe(&name)));
    }
    if done.state_was_there {
        out = out.note("This machine knew the log already; its pin and identities were kept.");
    }
    if let Some(e) = done.doubt {
        out = out
            .warn(format!("it is not the newest: {}", safe(&e.to_string())))
            .note("Doors can be closed, and none opened, until an operator accepts what is lost:")
            .note("  aosctl workspace accept-rollback --reason TEXT");
    }
    Ok(out
        .note(
            "What was done since the backup is not in it. From now on use only this copy, never the original as well: two \
             copies that both go on are a fork. Compare with a checkpoint that was kept elsewhere:",
        )
        .note("  aosctl audit verify --checkpoint FILE"))
}
