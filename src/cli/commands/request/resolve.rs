//! `aosctl request resolve`.

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// Settle an outcome that nobody knew (operator).
#[derive(Debug, Default, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, _ctx: &Context) -> Result<Outcome, CliError> {
    Err(CliError::usage("not written yet"))
}
