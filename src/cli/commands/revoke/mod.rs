//! `aosctl revoke`.

use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::cli::Context;

/// Close a door at once: a grant, an agent or an integration.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, _ctx: &Context) -> Result<Outcome, CliError> {
    Err(CliError::usage("not written yet"))
}
