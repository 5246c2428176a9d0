//! A code that a person writes down.

use super::unbuffered::{CTRL_C, Unbuffered};
use super::{MAX_LINE, MAX_TRIES, Prompter, TermError};
use rustix::termios::{QueueSelector, tcflush};
use std::fs::File;
use std::io::{self, Read, Write};

impl Prompter {
    /// Shows a code that is to be written down, on a screen of its own that is gone afterwards, and waits until its last
    /// group was typed: then it was seen. A terminal that has no second screen shows it as any other text.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::Interrupted`] for Ctrl-C; [`TermError::NoAnswer`] after three tries.
    pub fn show_code(&self, code: &str, flag: &str) -> Result<(), TermError> {
        let file = self.open("somebody who writes the recovery code down", flag)?;
        let mut tty = &file;
        let groups: Vec<&str> = code.split('-').collect();
        let _guard = Unbuffered::second_screen(&file)?;
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
            if line_or_interrupt(&file)?.eq_ignore_ascii_case(last) {
                return Ok(());
            }
        }
        Err(TermError::NoAnswer { what: "the last group of the code".to_owned() })
    }
}

/// Reads a line to its end, or to Ctrl-C.
fn line_or_interrupt(mut tty: &File) -> Result<String, TermError> {
    let mut line = Vec::new();
    loop {
        let mut bytes = [0; 256];
        let count = match tty.read(&mut bytes) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        line.extend_from_slice(bytes.get(..count).unwrap_or_default());
        match line.last() {
            _ if count == 0 => return Err(TermError::Closed),
            Some(&CTRL_C) => return Err(TermError::Interrupted),
            Some(b'\n') => return Ok(String::from_utf8_lossy(&line).trim().to_owned()),
            // Longer than any answer; the rest is thrown away with the next question.
            _ if line.len() > MAX_LINE as usize => return Ok(String::new()),
            _ => {}
        }
    }
}
