//! `aosctl key reseal`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::commands::connect::{view::ids, words};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::vault::{self, NotResealed};
use crate::cli::{Context, show};
use crate::domain::id::Id;

/// Seal every attended secret for the operators there are now.
///
/// `operator add` and `operator retire` do that by themselves. This is for what they could not open then: a file that was
/// missing and was put back from a backup, or a secret that only another operator could open.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would be sealed, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Secrets that were sealed again, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyResealView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Keys whose secret was sealed, or would be, for the operators there are.
    pub resealed: Vec<Id>,
    /// What could not be opened, and is as it was.
    pub not_resealed: Vec<NotResealed>,
}

impl View for KeyResealView {
    const SCHEMA: &'static str = "aosctl.key-reseal/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.resealed.is_empty() && self.not_resealed.is_empty() {
            return "Nothing to do: every attended secret is sealed for the operators there are.\n".into();
        }
        let verb = if self.dry_run { "would seal" } else { "sealed" };
        let keys = if self.resealed.is_empty() { "nothing".into() } else { ids(&self.resealed) };
        show::field(screen, verb, &keys)
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "seal secrets")?;
    let facts = ws.facts();
    let stale = vault::stale(&ws, &facts, &vault::circle(&facts)?)?;
    let view = KeyResealView { dry_run: args.dry_run, resealed: stale, not_resealed: Vec::new() };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let (done, warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let circle = vault::circle(tx.facts())?;
        vault::reseal(&ws, tx, &me, &circle, "sealed for the operators there are")
    })?;
    done.clear(&ws);
    let exit = if done.not.is_empty() { Exit::Done } else { Exit::No };
    let view = KeyResealView { resealed: done.keys.clone(), not_resealed: done.not.clone(), ..view };
    Ok(done.tell(Outcome::of(exit, view).warn_if(warning)))
}
