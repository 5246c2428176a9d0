//! A terminal in another order than the shell's, and put back on every way out: read key by key, or on its second screen.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The byte that Ctrl-C is.
pub(super) const CTRL_C: u8 = 0x03;

/// To the terminal's second screen (xterm's 1049), which is cleared.
const TO_SECOND: &[u8] = b"\x1b[?1049h\x1b[H\x1b[2J";
/// Back from it: it is cleared first, so that nothing of it stays behind.
const TO_FIRST: &[u8] = b"\x1b[2J\x1b[?1049l";

/// A terminal in another order, until this is dropped.
pub(super) struct Unbuffered<'a> {
    tty: &'a File,
    before: Termios,
    leave: &'static [u8],
}

/// A terminal, how it was before, and what to send it.
struct Before(File, Termios, &'static [u8]);

/// The terminal that is in another order now.
static UNBUFFERED: Mutex<Option<Before>> = Mutex::new(None);

/// Puts the terminal back in order before a panic is reported. A release build does not unwind, so nothing is dropped then.
pub fn put_back_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        put_back();
        report(panic);
    }));
}

pub(super) fn put_back() {
    // Never waits: who panics may hold it.
    if let Ok(mut unbuffered) = UNBUFFERED.try_lock()
        && let Some(Before(tty, before, leave)) = unbuffered.take()
    {
        restore(&tty, &before, leave);
    }
}

fn restore(mut tty: &File, before: &Termios, leave: &[u8]) {
    // A terminal that is gone needs nothing put back; there is nobody to tell either.
    let _ = tty.write_all(leave);
    let _ = tcsetattr(tty, OptionalActions::Now, before);
}

impl<'a> Unbuffered<'a> {
    /// A terminal that gives each key at once, unechoed and without signals.
    pub(super) fn enter(tty: &'a File, when: OptionalActions) -> io::Result<Self> {
        Self::change(tty, when, b"", |now| {
            now.local_modes -=
                LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
            // Indexed by a type that has no value out of range.
            now.special_codes[SpecialCodeIndex::VMIN] = 1;
            now.special_codes[SpecialCodeIndex::VTIME] = 0;
        })
    }

    /// A terminal on its second screen, left and cleared afterwards: nothing can be scrolled back to. It gives lines, and
    /// no signals, which would end this program before it can leave; Ctrl-C ends a line ([`CTRL_C`]).
    pub(super) fn second_screen(mut tty: &'a File) -> io::Result<Self> {
        let guard = Self::change(tty, OptionalActions::Now, TO_FIRST, |now| {
            now.local_modes -= LocalModes::ISIG;
            now.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        })?;
        tty.write_all(TO_SECOND)?;
        Ok(guard)
    }

    fn change(
        tty: &'a File,
        when: OptionalActions,
        leave: &'static [u8],
        change: impl FnOnce(&mut Termios),
    ) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut now = before.clone();
        change(&mut now);
        let kept = tty.try_clone().ok().map(|tty| Before(tty, before.clone(), leave));
        *UNBUFFERED.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        let guard = Self { tty, before, leave };
        tcsetattr(tty, when, &now)?;
        Ok(guard)
    }
}

impl Drop for Unbuffered<'_> {
    fn drop(&mut self) {
        restore(self.tty, &self.before, self.leave);
        *UNBUFFERED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
