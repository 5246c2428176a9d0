//! `aosctl audit witness init|key|last`: the witness itself, and what it saw.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::{refused, require_name, seconds};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::evidence::witness::Witness;
use crate::log::checkpoint::VerifierKey;
use crate::sys::files;

/// Make this machine's witness.
///
/// Its identity lies in the state directory, readable by this user alone and not sealed, because a witness runs while
/// nobody is there to type a passphrase. Run it where nobody who can write to the log can write.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Its name in notes, by custom a URL without its scheme: w.example/ops
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Say what it would do, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Print the witness's verifier key.
///
/// Whoever relies on this witness needs it: aosctl audit verify --witness VKEY
#[derive(Debug, clap::Args)]
pub struct KeyArgs {}

/// Print the checkpoint that this witness saw last.
///
/// The log's side makes a consistency proof from it: aosctl audit prove --consistency FILE
#[derive(Debug, clap::Args)]
pub struct LastArgs {
    /// The log: its name or its verifier key [default: the only one that was seen]
    #[arg(long, value_name = "LOG")]
    log: Option<String>,
}

/// A witness.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WitnessKeyView {
    /// Its name.
    pub name: String,
    /// Its verifier key (type 0x04, cosignature/v1). Of a dry run that would make one: none.
    pub vkey: Option<String>,
    /// It was made by this command.
    pub made: bool,
    /// Nothing was made.
    pub dry_run: bool,
}

impl View for WitnessKeyView {
    const SCHEMA: &'static str = "aosctl.audit-witness-key/v1";

    fn human(&self, _: &Screen) -> String {
        self.vkey
            .as_ref()
            .map_or_else(|| format!("would make the witness {}\n", safe(&self.name)), |v| format!("{v}\n"))
    }
}

/// What was seen last of a log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WitnessLastView {
    /// The log's name.
    pub log: String,
    /// The log's verifier key, trusted at first sight.
    pub vkey: String,
    /// How many entries the checkpoint covers.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// When the log was seen first.
    pub first_seen: String,
    /// When the checkpoint was cosigned last.
    pub cosigned: String,
    /// The checkpoint, as it came.
    pub checkpoint: String,
    /// The file that it was written into.
    pub file: Option<String>,
}

impl View for WitnessLastView {
    const SCHEMA: &'static str = "aosctl.audit-witness-last/v1";

    fn human(&self, screen: &Screen) -> String {
        match &self.file {
            None => self.checkpoint.clone(),
            Some(file) => {
                let mut page = show::field(screen, "checkpoint", file);
                page.push_str(&show::field(screen, "log", &self.log));
                page.push_str(&show::field(screen, "entries", &self.entries.to_string()));
                page.push_str(&show::field(screen, "first seen", &self.first_seen));
                page
            }
        }
    }
}

/// Where the witness lives.
pub(super) fn dir(ctx: &Context) -> Result<PathBuf, CliError> {
    Ok(ctx.place()?.state.join("witness"))
}

/// Makes the witness.
pub(super) fn init(args: &InitArgs, ctx: &Context) -> Result<Outcome, CliError> {
    let dir = dir(ctx)?;
    require_name(&args.name)?;
    let there = dir.join("identity.json").exists();
    let witness = Witness::open(&dir, Some(&args.name), args.dry_run).map_err(refused)?;
    let view = WitnessKeyView {
        name: args.name.clone(),
        vkey: (there || !args.dry_run).then(|| witness.vkey().to_string()),
        made: !there && !args.dry_run,
        dry_run: args.dry_run,
    };
    let done = Outcome::of(Exit::Done, view);
    Ok(if there { done.note("it was there already, and stays as it is") } else { done })
}

/// Prints its key.
pub(super) fn key(_: &KeyArgs, ctx: &Context) -> Result<Outcome, CliError> {
    let witness = Witness::open(&dir(ctx)?, None, false).map_err(refused)?;
    let vkey = witness.vkey();
    let view = WitnessKeyView { name: vkey.name.clone(), vkey: Some(vkey.to_string()), made: false, dry_run: false };
    if let Some(path) = ctx.target() {
        files::write_report(path, view.human(&ctx.screen()).as_bytes())?;
    }
    Ok(Outcome::of(Exit::Done, view))
}

/// Prints what it saw last.
pub(super) fn last(args: &LastArgs, ctx: &Context) -> Result<Outcome, CliError> {
    let witness = Witness::open(&dir(ctx)?, None, false).map_err(refused)?;
    let (checkpoint, seen) = match &args.log {
        Some(log) => {
            let origin = VerifierKey::parse(log).map_or_else(|_| log.clone(), |vkey| vkey.name);
            witness.seen(&origin).map_err(refused)?.ok_or_else(|| {
                CliError::no("never_seen", format!("this witness has never seen the log {}", safe(&origin)))
            })?
        }
        None => {
            let mut all = witness.logs().map_err(refused)?;
            match (all.len(), all.pop()) {
                (1, Some(only)) => only,
                (0, _) | (_, None) => return Err(CliError::no("never_seen", "this witness has seen no log yet")),
                (n, Some(newest)) => {
                    let mut e = CliError::usage(format!("this witness has seen {n} logs: name the one you mean"));
                    for (checkpoint, _) in all.iter().chain([&newest]).take(20) {
                        e = e.hint(format!("--log {}", safe(&checkpoint.origin)));
                    }
                    return Err(e);
                }
            }
        }
    };
    if let Some(path) = ctx.target() {
        files::write_report(path, seen.note.as_bytes())?;
    }
    let view = WitnessLastView {
        log: checkpoint.origin,
        vkey: seen.vkey,
        entries: checkpoint.size,
        root: checkpoint.root.to_hex(),
        first_seen: seconds(seen.first_seen),
        cosigned: seconds(seen.time),
        checkpoint: seen.note,
        file: ctx.target().map(|path| path.display().to_string()),
    };
    Ok(Outcome::of(Exit::Done, view))
}
