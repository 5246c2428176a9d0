//! A code that a person writes down.

use super::{MAX_TRIES, Prompter, TermError, read_line};
use rustix::termios::{QueueSelector, tcflush};
use std::fs::File;
use std::io::{self, Write};

impl Prompter {
    /// Shows a code that is to be written down, on a screen of its own that is gone afterwards, and waits until its last
    /// group was typed: then it was seen. A terminal that has no second screen shows it as any other text.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::NoAnswer`] after three tries.
    pub fn show_code(&self, code: &str, flag: &str) -> Result<(), TermError> {
        let file = self.open("somebody who writes the recovery code down", flag)?;
        let mut tty = &file;
        let groups: Vec<&str> = code.split('-').collect();
        let _guard = SecondScreen::enter(&file)?;
        writeln!(tty, "Your recovery code. Write it down on paper; it is shown once, here, and kept nowhere.\n")?;
        for row in groups.chunks(4) {
            // Group by group: a line that is put together first would stay in memory.
            write!(tty, "    ")?;
            for group in row {
                write!(tty, "{group}  ")?;
            }
            writeln!(tty)?;
        }
        let last = groups.last().copied().unwrap_or_default();
        writeln!(tty)?;
        for _ in 0..MAX_TRIES {
            tcflush(&file, QueueSelector::IFlush).map_err(io::Error::from)?;
            write!(tty, "Written down? Type its last group to go on: ")?;
            if read_line(&file)?.eq_ignore_ascii_case(last) {
                return Ok(());
            }
        }
        Err(TermError::NoAnswer { what: "the last group of the code".to_owned() })
    }
}

/// The terminal's second screen (xterm's 1049), left and cleared when this is dropped: nothing of it stays behind, and
/// nothing can be scrolled back to.
struct SecondScreen<'a>(&'a File);

impl<'a> SecondScreen<'a> {
    fn enter(mut tty: &'a File) -> io::Result<Self> {
        write!(tty, "\x1b[?1049h\x1b[H\x1b[2J")?;
        Ok(Self(tty))
    }
}

impl Drop for SecondScreen<'_> {
    fn drop(&mut self) {
        let mut tty = self.0;
        let _ = write!(tty, "\x1b[2J\x1b[?1049l");
    }
}
