//! `aosctl audit checkpoint`.

use std::io::Write;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::made;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::term::{Stream, is_terminal};
use crate::log::checkpoint::Checkpoint;
use crate::log::hash::Hash;
use crate::log::key::PublicKey;
use crate::log::sshsig;
use crate::log::verdict::Status;
use crate::sys::files;
use crate::workspace::{Verification, VerifyOptions, verify};

/// The newest checkpoint, signed by the log, to be kept elsewhere.
///
/// Verifies the whole log and the tables first, as aosctl audit verify does: nothing is signed on a log that does not
/// verify or is behind its pin. The checkpoint is a C2SP signed note of three lines: the log's name, the number of
/// entries, the Merkle root. It holds no personal data. Keep it where nobody who can write here can write: in a git
/// repository elsewhere, with a witness (aosctl audit witness), in an e-mail. Compare later:
/// aosctl audit verify --checkpoint FILE
///
/// Into git: aosctl audit checkpoint -q -o log.checkpoint && git add log.checkpoint && git commit -qm checkpoint
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also write an SSH signature over the checkpoint's bytes, for ssh-keygen -Y verify -n aosctl-checkpoint
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    sshsig: Option<PathBuf>,
}

/// A checkpoint.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckpointView {
    /// The log's name.
    pub log: String,
    /// How many entries it covers.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// The signed note.
    pub checkpoint: String,
    /// The file that it was written into.
    pub file: Option<String>,
    /// The file that the SSH signature was written into.
    pub sshsig: Option<String>,
}

impl View for CheckpointView {
    const SCHEMA: &'static str = "aosctl.audit-checkpoint/v1";

    fn human(&self, screen: &Screen) -> String {
        let Some(file) = &self.file else { return self.checkpoint.clone() };
        let mut page = show::field(screen, "checkpoint", file);
        page.push_str(&show::field(screen, "log", &self.log));
        page.push_str(&show::field(screen, "entries", &self.entries.to_string()));
        page.push_str(&show::field(screen, "root", &self.root));
        page
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    if let Some(path) = &args.sshsig {
        ctx.require_outside("--sshsig", path)?;
    }
    let ws = ctx.open()?;
    let found = verified(ctx)?;
    let root = Hash::from_hex(&found.root).ok_or_else(|| CliError::could_not("internal", "the root is no hash"))?;
    let checkpoint = Checkpoint { origin: found.origin, size: found.size, root };
    let note = ws.sign_checkpoint(&checkpoint)?;
    if let Some(path) = &args.sshsig {
        let log = ws.log_identity()?;
        let key = PublicKey(log.signer().public());
        let signature = sshsig::sign(note.as_bytes(), &key, |message| log.signer().sign(message));
        files::write_report(path, signature.as_bytes())?;
    }
    if let Some(path) = ctx.target() {
        files::write_report(path, note.as_bytes())?;
    }
    let shown = |path: &std::path::Path| path.display().to_string();
    Ok(made(
        ctx,
        CheckpointView {
            log: checkpoint.origin,
            entries: checkpoint.size,
            root: found.root,
            checkpoint: note,
            file: ctx.target().map(shown),
            sshsig: args.sshsig.as_deref().map(shown),
        },
        ctx.target().is_some(),
    ))
}

/// The log as it is, if all of it verifies.
fn verified(ctx: &Context) -> Result<Verification, CliError> {
    let talk = is_terminal(Stream::Stderr) && !ctx.global.quiet;
    let mut progress = |done: u64, total: u64| {
        if talk && total > 20_000 && done > 0 {
            let percent = done.saturating_mul(100) / total.max(1);
            let _ = write!(std::io::stderr(), "\rverifying {done} of {total} entries ({percent} %)");
        }
    };
    let found = verify(&ctx.place()?, &VerifyOptions::default(), ctx.clock(), &mut progress)?;
    if talk && found.size > 20_000 {
        let _ = write!(std::io::stderr(), "\r{:60}\r", "");
    }
    if found.report.failed() {
        let failed: Vec<&str> =
            found.report.verdicts().iter().filter(|v| v.status == Status::Failed).map(|v| v.check.name()).collect();
        return Err(CliError::new(Exit::Integrity, "not_verified", "the log does not verify, so nothing was signed")
            .because(format!("failed: {}", failed.join(", ")))
            .hint("see everything that is wrong: aosctl audit verify"));
    }
    Ok(found)
}
