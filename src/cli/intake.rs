//! How a secret comes in: by standard input where a flag says so, else typed at the terminal (law 7). Never by a flag's
//! value, which every user of the machine can read, and never by the environment.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::os::fd::AsFd;

use zeroize::Zeroizing;

use super::Context;
use super::error::CliError;
use crate::secret::{MAX_SECRET, Secret};

/// The flag that every command with a secret has.
pub const FLAG: &str = "--secret-stdin";

/// A secret: with the flag from standard input, else asked for at the terminal without an echo.
pub fn secret(ctx: &Context, from_stdin: bool, what: &str) -> Result<Secret, CliError> {
    if from_stdin { stdin() } else { Ok(ctx.prompter().secret(what, FLAG)?) }
}

/// Everything on standard input; one line without its line end, as [`Secret::from_text`] says. A terminal is refused,
/// because it would show what is typed.
pub fn stdin() -> Result<Secret, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(CliError::usage(format!("{FLAG} reads a pipe or a file, and standard input is a terminal"))
            .because("what is typed there would be seen")
            .hint(format!("leave {FLAG} out to be asked for it, or pipe it in: pass show NAME | aosctl ... {FLAG}")));
    }
    // Not through the buffer of `Stdin`, which nobody wipes.
    let source = stdin.as_fd().try_clone_to_owned().map(File::from);
    source
        .and_then(read)
        .map_err(|e| CliError::could_not("io", format!("standard input cannot be read: {e}")))
        .and_then(|bytes| {
            Secret::from_text(bytes).map_err(|e| CliError::from(e).because(format!("{FLAG} was to give it")))
        })
}

/// At most a byte more than a secret with its line end can have. A buffer that grows would leave copies behind.
fn read(source: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let limit = MAX_SECRET + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    source.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
