//! `aosctl completions`.

use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::cli::Context;
use crate::cli::complete::VARIABLE;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::to_stdout;

/// Print a completion script for a shell.
///
/// The script asks aosctl while you type, so that names and ids that live now complete too. Put this into the shell's
/// start-up file:
///
///   bash   source <(aosctl completions bash)
///
///   zsh    source <(aosctl completions zsh)
///
///   fish   aosctl completions fish | source
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// The shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// Runs it.
pub fn run(args: Args, _: &Context) -> Result<Outcome, CliError> {
    let script = script(args.shell).map_err(|e| CliError::could_not("io", e.to_string()))?;
    to_stdout(&script).map_err(|e| CliError::could_not("io", format!("stdout cannot be written: {e}")))?;
    Ok(Outcome::silent(Exit::Done))
}

/// The script for a shell.
pub fn script(shell: Shell) -> std::io::Result<String> {
    let writer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let mut text = Vec::new();
    writer.write_registration(VARIABLE, "aosctl", "aosctl", "aosctl", &mut text)?;
    String::from_utf8(text).map_err(std::io::Error::other)
}
