//! Colour and weight, decided once and applied here alone.
//!
//! Colour never carries meaning by itself: whatever is red says in words why.

use crate::sys::env::Env;
use std::borrow::Cow;

/// What `--color` was set to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// Colour where the stream is a terminal that can show it and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Colour even into a file or pipe; the flag is nearer than `NO_COLOR` and wins over it.
    Always,
    /// No colour.
    Never,
}

/// Whether one stream gets styles. Text that goes through it must be safe already (`cli::text`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    on: bool,
}

impl Style {
    /// Decides for one stream.
    pub fn decide(choice: ColorChoice, env: &Env, is_terminal: bool) -> Self {
        let able = env.term.as_deref().is_some_and(|term| term != "dumb");
        let on = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && able && !env.no_color,
        };
        Self { on }
    }

    /// No styles, for files and tests.
    pub fn plain() -> Self {
        Self { on: false }
    }

    /// Whether styles are applied.
    pub fn is_on(self) -> bool {
        self.on
    }

    /// For headings and what to look at first.
    pub fn bold(self, text: &str) -> Cow<'_, str> {
        self.wrap("1", text)
    }

    /// For what may be skipped.
    pub fn dim(self, text: &str) -> Cow<'_, str> {
        self.wrap("2", text)
    }

    /// For deny, failure, overdue.
    pub fn red(self, text: &str) -> Cow<'_, str> {
        self.wrap("31", text)
    }

    /// For ask, due, unknown.
    pub fn yellow(self, text: &str) -> Cow<'_, str> {
        self.wrap("33", text)
    }

    /// For allow and verified.
    pub fn green(self, text: &str) -> Cow<'_, str> {
        self.wrap("32", text)
    }

    fn wrap<'a>(self, code: &str, text: &'a str) -> Cow<'a, str> {
        if self.on && !text.is_empty() { Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m")) } else { Cow::Borrowed(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_colour_is_on() {
        use ColorChoice::{Always, Auto, Never};
        let able = Env { term: Some("xterm".into()), ..Env::default() };
        let dumb = Env { term: Some("dumb".into()), ..Env::default() };
        let refused = Env { no_color: true, ..able.clone() };
        for (choice, env, is_terminal, on) in [
            (Auto, &able, true, true),
            (Auto, &able, false, false),
            (Auto, &dumb, true, false),
            (Auto, &Env::default(), true, false),
            (Auto, &refused, true, false),
            (Always, &refused, false, true),
            (Never, &able, true, false),
        ] {
            assert_eq!(Style::decide(choice, env, is_terminal).is_on(), on, "{choice:?} {env:?} {is_terminal}");
        }
    }

    #[test]
    fn styles_wrap_and_plain_leaves_alone() {
        let on = Style { on: true };
        assert_eq!(on.red("no"), "\x1b[31mno\x1b[0m");
        assert_eq!(on.bold(""), "");
        for plain in [Style::bold, Style::dim, Style::red, Style::yellow, Style::green] {
            assert_eq!(plain(Style::plain(), "x"), "x");
        }
    }
}
