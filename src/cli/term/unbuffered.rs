//! A terminal that is read key by key, and put back in order on every way out.

use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// A terminal that gives each key at once, unechoed and without signals, until this is dropped.
pub(super) struct Unbuffered<'a> {
    tty: &'a File,
    before: Termios,
}

/// The terminal that is unbuffered now, and how it was before.
static UNBUFFERED: Mutex<Option<(File, Termios)>> = Mutex::new(None);

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
        && let Some((tty, before)) = unbuffered.take()
    {
        let _ = tcsetattr(&tty, OptionalActions::Now, &before);
    }
}

impl<'a> Unbuffered<'a> {
    pub(super) fn enter(tty: &'a File, when: OptionalActions) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut now = before.clone();
        now.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        // Indexed by a type that has no value out of range.
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        let kept = tty.try_clone().ok().map(|tty| (tty, before.clone()));
        *UNBUFFERED.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        let guard = Self { tty, before };
        tcsetattr(tty, when, &now)?;
        Ok(guard)
    }
}

impl Drop for Unbuffered<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put back; there is nobody to tell either.
        let _ = tcsetattr(self.tty, OptionalActions::Now, &self.before);
        *UNBUFFERED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
