//! The terminal: how large it is, asking a person, and the pager.
//!
//! Questions go to `/dev/tty`, never to stdin and stdout, so that data can be piped in and out while a person is
//! asked, and so that a script which pipes `yes` into aosctl approves nothing. Every question names the flag that
//! answers it, for `--no-input` and for runs without a terminal. What is shown must be safe text (`cli::text`).
//!
//! While a key or a passphrase is read, or a code shown, Ctrl-C arrives as a byte, so that the terminal is put back in
//! order on every way out, a panic too. Only a signal from outside that kills aosctl in that moment leaves it as it is.

mod paper;
mod unbuffered;

use unbuffered::Unbuffered;
pub use unbuffered::put_back_on_panic;

use super::text;
use crate::identity::{IdentityError, Passphrase};
use crate::secret::{Secret, SecretError};
use crate::sys::env::Env;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetwinsize};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// How often a person may answer wrongly before the question is given up.
const MAX_TRIES: usize = 3;
/// The longest line that is read, in bytes; Linux terminals give no longer one.
const MAX_LINE: u64 = 4096;

/// Why a person could not be asked or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// A question is needed, and `--no-input` forbids it.
    #[error("this would ask for {what}, which --no-input forbids; answer it with {flag}")]
    WouldAsk {
        /// What would be asked.
        what: String,
        /// The flag that answers.
        flag: String,
    },
    /// A question is needed, and there is no terminal.
    #[error("this would ask for {what}, and there is no terminal; answer it with {flag}")]
    NoTerminal {
        /// What would be asked.
        what: String,
        /// The flag that answers.
        flag: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Ctrl-D, or the terminal went away.
    #[error("the terminal was closed before there was an answer")]
    Closed,
    /// Too many answers that were none.
    #[error("no valid answer for {what}")]
    NoAnswer {
        /// What was asked.
        what: String,
    },
    /// A line that is not UTF-8, or longer than 4096 bytes.
    #[error("the answer is not a line of text")]
    NotText,
    /// The passphrase cannot be one.
    #[error(transparent)]
    Passphrase(#[from] IdentityError),
    /// The secret cannot be one.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A paste of several lines, of which the first one alone is not what was meant.
    #[error("that was more than one line; nothing of it was taken. A secret of several lines goes in by {flag}")]
    SeveralLines {
        /// The flag that takes it.
        flag: String,
    },
    /// The terminal, stdout or the pager failed.
    #[error("terminal: {0}")]
    Io(#[from] io::Error),
}

/// One of the three standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Whether a standard stream is a terminal.
pub fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Stdin => io::stdin().is_terminal(),
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    }
}

/// The size of a terminal in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Width.
    pub columns: usize,
    /// Height.
    pub rows: usize,
}

impl Size {
    /// What is assumed without a terminal.
    pub const DEFAULT: Self = Self { columns: 80, rows: 24 };
}

/// The size of the terminal that stdout is, else [`Size::DEFAULT`], so that what goes into a file does not depend
/// on the window it was made in. `COLUMNS` overrides the width in both cases.
pub fn size(env: &Env) -> Size {
    let mut size = Size::DEFAULT;
    if let Ok(window) = tcgetwinsize(io::stdout()) {
        // Serial lines and some containers report 0.
        if window.ws_col > 0 && window.ws_row > 0 {
            size = Size { columns: window.ws_col.into(), rows: window.ws_row.into() };
        }
    }
    if let Some(columns) = env.columns {
        size.columns = columns.into();
    }
    size
}

/// A key, as far as aosctl tells keys apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A visible character or the space.
    Char(char),
    /// Enter.
    Enter,
    /// Escape by itself.
    Escape,
    /// Backspace.
    Backspace,
    /// Anything else: arrows, function keys, pasted text.
    Other,
}

/// Asks the person at the terminal.
#[derive(Debug, Clone)]
pub struct Prompter {
    no_input: bool,
    tty: PathBuf,
}

impl Prompter {
    /// A prompter that asks on `/dev/tty`, or with `no_input` never.
    pub fn new(no_input: bool) -> Self {
        Self { no_input, tty: PathBuf::from("/dev/tty") }
    }

    /// Whether there is somebody to ask.
    pub fn can_ask(&self) -> bool {
        self.open("", "").is_ok()
    }

    /// Asks for a line: `what: `. It comes back without the line end and without spaces around it.
    ///
    /// # Errors
    /// [`TermError`]; `flag` is what the error names where nobody can be asked. So for all questions.
    pub fn ask_line(&self, what: &str, flag: &str) -> Result<String, TermError> {
        let mut tty = self.open(what, flag)?;
        write!(tty, "{what}: ")?;
        read_line(&tty)
    }

    /// Shows `prompt` and asks to type `word`, for what must not happen by accident. Only that very word is a
    /// yes, and what was typed before the question is thrown away.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`].
    pub fn confirm_typed(&self, prompt: &str, word: &str, flag: &str) -> Result<bool, TermError> {
        let mut tty = self.open("a confirmation", flag)?;
        tcflush(&tty, QueueSelector::IFlush).map_err(io::Error::from)?;
        write!(tty, "{prompt}\nType {word} to go on: ")?;
        Ok(read_line(&tty)? == word)
    }

    /// Asks for a passphrase that opens something. Nothing is shown while it is typed.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::Passphrase`] for an empty or overlong one.
    pub fn passphrase(&self, what: &str, flag: &str) -> Result<Passphrase, TermError> {
        let tty = self.open(what, flag)?;
        Ok(Passphrase::given(read_hidden(&tty, what)?)?)
    }

    /// Asks for a secret that is to be kept or handed on. Nothing is shown while it is typed, and what was typed before the
    /// question is thrown away. It is one line; of a paste of several nothing is taken, and nothing is left behind for the
    /// shell to run.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::SeveralLines`]; [`TermError::Secret`] for an empty or overlong one.
    pub fn secret(&self, what: &str, flag: &str) -> Result<Secret, TermError> {
        let tty = self.open(what, flag)?;
        // The echo is off for what is looked at after the line, too.
        let _guard = Unbuffered::enter(&tty, OptionalActions::Flush)?;
        let line = Zeroizing::new(read_hidden(&tty, what)?.into_bytes());
        if follows(&tty) {
            while follows(&tty) {
                tcflush(&tty, QueueSelector::IFlush).map_err(io::Error::from)?;
            }
            return Err(TermError::SeveralLines { flag: flag.to_owned() });
        }
        Ok(Secret::new(line)?)
    }

    /// Asks for a new passphrase, twice, and says what is wrong with one that will not do.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::NoAnswer`] after three tries.
    pub fn new_passphrase(&self, what: &str, flag: &str) -> Result<Passphrase, TermError> {
        let mut tty = self.open(what, flag)?;
        for _ in 0..MAX_TRIES {
            let first = match Passphrase::chosen(read_hidden(&tty, what)?) {
                Ok(first) => first,
                Err(problem) => {
                    writeln!(tty, "{problem}")?;
                    continue;
                }
            };
            match Passphrase::given(read_hidden(&tty, "the same again")?) {
                Ok(second) if second.is_same(&first) => return Ok(first),
                _ => writeln!(tty, "the two are not the same")?,
            }
        }
        Err(TermError::NoAnswer { what: what.to_owned() })
    }

    /// Says something between two questions.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`].
    pub fn tell(&self, line: &str) -> Result<(), TermError> {
        let mut tty = self.open("an answer", "a flag")?;
        Ok(writeln!(tty, "{line}")?)
    }

    /// Shows a numbered list and asks for a number; gives the index, from 0.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::NoAnswer`] after three tries or for an empty list.
    pub fn select(&self, what: &str, items: &[String], flag: &str) -> Result<usize, TermError> {
        let mut tty = self.open(what, flag)?;
        let digits = items.len().to_string().len();
        for (number, item) in (1..).zip(items) {
            writeln!(tty, "  {number:>digits$}  {item}")?;
        }
        for _ in 0..if items.is_empty() { 0 } else { MAX_TRIES } {
            write!(tty, "{what} [1-{}]: ", items.len())?;
            match read_line(&tty)?.parse::<usize>() {
                Ok(number) if (1..=items.len()).contains(&number) => return Ok(number - 1),
                _ => writeln!(tty, "a number from 1 to {}, please", items.len())?,
            }
        }
        Err(TermError::NoAnswer { what: what.to_owned() })
    }

    /// Shows `prompt` and reads one key, without waiting for Enter. What was typed before is thrown away, and
    /// several characters at once, as a paste gives them, are [`Key::Other`]: neither can decide anything.
    ///
    /// # Errors
    /// As [`Prompter::ask_line`]; [`TermError::Interrupted`] for Ctrl-C, [`TermError::Closed`] for Ctrl-D.
    pub fn read_key(&self, prompt: &str, flag: &str) -> Result<Key, TermError> {
        let file = self.open("a key", flag)?;
        let mut tty = &file;
        let guard = Unbuffered::enter(&file, OptionalActions::Flush)?;
        write!(tty, "{prompt}")?;
        let mut bytes = [0; 64];
        let count = loop {
            match tty.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        drop(guard);
        writeln!(tty)?;
        key(bytes.get(..count).unwrap_or_default())
    }

    fn open(&self, what: &str, flag: &str) -> Result<File, TermError> {
        let (what, flag) = (what.to_owned(), flag.to_owned());
        if self.no_input {
            return Err(TermError::WouldAsk { what, flag });
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        match rustix::fs::open(&self.tty, flags, Mode::empty()).map(File::from) {
            Ok(tty) if tty.is_terminal() => Ok(tty),
            _ => Err(TermError::NoTerminal { what, flag }),
        }
    }
}

fn read_line(tty: &File) -> Result<String, TermError> {
    let mut line = Vec::new();
    // A terminal gives one line at a time, so the reader takes nothing that belongs to the next question.
    BufReader::new(tty.take(MAX_LINE)).read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => {}
        None => {
            // Ctrl-D leaves the cursor behind the question, and what is said next begins a line of its own.
            let _ = writeln!(&mut &*tty);
            return Err(TermError::Closed);
        }
        Some(_) => return Err(TermError::NotText),
    }
    let line = String::from_utf8(line).map_err(|_| TermError::NotText)?;
    Ok(line.trim().to_owned())
}

/// Reads a line that is not echoed.
fn read_hidden(tty: &File, prompt: &str) -> Result<String, TermError> {
    let mut out = tty;
    // The echo is off before the prompt invites anybody to type.
    let guard = Unbuffered::enter(tty, OptionalActions::Now)?;
    write!(out, "{prompt}: ")?;
    // rpassword edits the line and wipes its buffers; the terminal is ours, because rpassword raises SIGINT on
    // Ctrl-C before it has put the terminal back in order.
    let config =
        rpassword::ConfigBuilder::new().input_reader(PassphraseKeys(tty.try_clone()?)).output_discard().build();
    let result = rpassword::read_password_with_config(config);
    drop(guard);
    writeln!(out)?;
    result.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => TermError::Interrupted,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => TermError::Closed,
        _ => TermError::Io(error),
    })
}

/// Does more come, at once or in a moment? Nobody types so fast; a paste comes like that.
fn follows(tty: &File) -> bool {
    let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    let mut ready = [PollFd::new(tty, PollFlags::IN)];
    // A terminal that went away is ready for ever, and has nothing more.
    let more = |fds: &[PollFd<'_>; 1]| fds.iter().all(|fd| fd.revents() == PollFlags::IN);
    poll(&mut ready, Some(&moment)).is_ok_and(|count| count > 0) && more(&ready)
}

/// Gives rpassword what is typed, and ends it at Ctrl-C and when the terminal goes away: it would take what came
/// before that for the whole passphrase.
struct PassphraseKeys(File);

impl Read for PassphraseKeys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::BrokenPipe.into()),
                Ok(_) if buffer.first() == Some(&0x03) => return Err(io::ErrorKind::Interrupted.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

fn key(bytes: &[u8]) -> Result<Key, TermError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (None, _) if bytes.is_empty() => Err(TermError::Closed),
        (Some('\x03'), None) => Err(TermError::Interrupted),
        (Some('\x04'), None) => Err(TermError::Closed),
        (Some('\r' | '\n'), None) => Ok(Key::Enter),
        (Some('\x1b'), None) => Ok(Key::Escape),
        (Some('\x08' | '\x7f'), None) => Ok(Key::Backspace),
        (Some(c), None) if !text::is_hidden(c) => Ok(Key::Char(c)),
        _ => Ok(Key::Other),
    }
}

/// Shows long text a screenful at a time.
#[derive(Debug, Clone)]
pub struct Pager {
    command: Vec<String>,
    size: Size,
    stdout_is_terminal: bool,
}

impl Pager {
    /// The pager of the environment: `AOSCTL_PAGER`, else `PAGER`, split at spaces without a shell; set to nothing
    /// or to `cat` there is none. The default is `less -FRXK`, whose K lets Ctrl-C end it together with aosctl.
    pub fn new(env: &Env) -> Self {
        let command = env.pager.as_deref().unwrap_or("less -FRXK");
        let dumb = env.term.as_deref().is_none_or(|term| term == "dumb");
        let command = if dumb || command.trim() == "cat" { "" } else { command };
        Self {
            command: command.split_whitespace().map(str::to_owned).collect(),
            size: size(env),
            stdout_is_terminal: is_terminal(Stream::Stdout),
        }
    }

    /// Writes `text` to stdout, through the pager if stdout is a terminal and the text is longer than it.
    /// Plainly, where there is no pager or it fails. A reader that closes early is no error.
    ///
    /// # Errors
    /// [`TermError::Io`] if stdout cannot be written.
    pub fn show(&self, text: &str) -> Result<(), TermError> {
        let paged = self.stdout_is_terminal && self.is_long(text) && self.page(text, Stdio::inherit());
        if paged { Ok(()) } else { write_all(&mut io::stdout().lock(), text) }
    }

    fn is_long(&self, text: &str) -> bool {
        let columns = self.size.columns.max(1);
        let rows: usize = text.lines().map(|line| text::width(line).div_ceil(columns).max(1)).sum();
        // The last row is for the shell's prompt.
        rows >= self.size.rows
    }

    /// Whether a pager has shown the text.
    fn page(&self, text: &str, stdout: Stdio) -> bool {
        let Some((program, arguments)) = self.command.split_first() else {
            return false;
        };
        // What is shown can be hostile, and a pager that runs commands or opens files is no place for it.
        let child = Command::new(program)
            .args(arguments)
            .env("LESSSECURE", "1")
            .env("LESSHISTFILE", "-")
            .env_remove("LESSOPEN")
            .env_remove("LESSCLOSE")
            .stdin(Stdio::piped())
            .stdout(stdout)
            .spawn();
        let Ok(mut child) = child else { return false };
        if let Some(mut pipe) = child.stdin.take() {
            // A pager that was left before the end closes the pipe.
            let _ = pipe.write_all(text.as_bytes());
        }
        child.wait().is_ok_and(|status| status.success())
    }
}

/// Writes and flushes; a closed pipe counts as done.
fn write_all(out: &mut impl Write, text: &str) -> Result<(), TermError> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests;
