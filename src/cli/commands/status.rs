//! `aosctl status`.

use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::cli::Context;

/// One screen: what waits, what is open widest, is the log whole.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, _ctx: &Context) -> Result<Outcome, CliError> {
    Err(CliError::usage("not written yet"))
}
