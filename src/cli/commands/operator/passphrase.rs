//! `aosctl operator passphrase`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::identity::{MAX_PASSPHRASE_BYTES, Passphrase};
use crate::sys::files;
use crate::workspace::{read_sealed, reseal};

/// Seal your identity under another passphrase.
///
/// The log gets no entry, because nothing in it changes: the identity stays the same one. Copies of the file that were
/// made before, in backups too, still open with the old passphrase. Where that matters, take a new key: `operator rotate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read the new passphrase from a file that nobody else can read
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    new_passphrase_file: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An identity that was sealed anew, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorPassphraseView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The operator's id, where the file says it.
    pub operator: Option<String>,
    /// The sealed identity.
    pub file: String,
}

impl View for OperatorPassphraseView {
    const SCHEMA: &'static str = "aosctl.operator-passphrase/v1";

    fn human(&self, screen: &Screen) -> String {
        let verb = if self.dry_run { "would be sealed anew" } else { "sealed anew" };
        show::field(screen, "identity", &format!("{} {verb}", self.operator.as_deref().unwrap_or("yours")))
            + &show::field(screen, "file", &self.file)
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    // An identity that is named can be sealed anew on a machine without the workspace.
    let (path, sealed) = match ctx.identity_file() {
        Some(path) => {
            let sealed = read_sealed(&path)?;
            (path, sealed)
        }
        None => ctx.open()?.sealed_operator(None)?,
    };
    let who = sealed.id().map_or_else(|| path.display().to_string(), str::to_string);
    let view = OperatorPassphraseView {
        dry_run: args.dry_run,
        operator: sealed.id().map(str::to_string),
        file: path.display().to_string(),
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let old = ctx.passphrase(&safe(&format!("passphrase of {who}")))?;
    // Said before anybody is asked for a new one.
    sealed.unlock(&old)?;
    let new = match &args.new_passphrase_file {
        Some(file) => {
            Passphrase::from_file(&files::read_private(file, MAX_PASSPHRASE_BYTES + 2)?)?.require_strength()?
        }
        None => {
            ctx.prompter().new_passphrase(&safe(&format!("new passphrase of {who}")), "--new-passphrase-file FILE")?
        }
    };
    if new.is_same(&old) {
        return Err(CliError::no("same_passphrase", "the new passphrase is the old one; nothing was changed"));
    }
    reseal(&path, &old, &new)?;
    Ok(Outcome::of(Exit::Done, view)
        .note("The log has no entry of it, because nothing in it changes. Copies of the file that were made")
        .note("before, in backups too, still open with the old passphrase."))
}
