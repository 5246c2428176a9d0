//! `aosctl approve`.

use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::cli::Context;

/// Decide what waits: riskiest and oldest first.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, _ctx: &Context) -> Result<Outcome, CliError> {
    Err(CliError::usage("not written yet"))
}
