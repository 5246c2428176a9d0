//! `aosctl tour`.

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// The whole job in a throwaway workspace.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, _ctx: &Context) -> Result<Outcome, CliError> {
    Err(CliError::usage("not written yet"))
}
