//! `aosctl tour`.

use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::cli::Context;

/// The whole job in a throwaway workspace.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, _ctx: &Context) -> Result<Outcome, CliError> {
    Err(CliError::usage("not written yet"))
}
