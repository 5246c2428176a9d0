//! What a command gives back. The verdict is computed once, as a value; exit code, table and JSON are drawn from it.

use schemars::JsonSchema;
use serde::Serialize;

use super::context::Whoever;
use super::error::CliError;
use super::exit::Exit;
use super::global::Format;
use super::style::Style;

/// How wide and how colourful a page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns; 80 unless the terminal says otherwise.
    pub width: usize,
    /// Colours, or none.
    pub style: Style,
}

/// A result as data: the published JSON contract and the page for people, of one value.
pub trait View: Serialize + JsonSchema {
    /// The JSON's `schema` member: `aosctl.grant-list/v1`. The JSON Schema lies under that name in `docs/schemas`.
    const SCHEMA: &'static str;

    /// The page for people, ending in a line end; empty for nothing. Foreign text must go through
    /// [`super::text::safe`] on its way in.
    fn human(&self, screen: &Screen) -> String;

    /// The same value in a format that only reports have; `None` where it has none of that format. The command says which
    /// ones it has beforehand (`Command::formats`), so that nothing is done in vain.
    fn report(&self, _format: Format) -> Option<String> {
        None
    }
}

/// A view whose type was forgotten.
pub trait AnyView {
    /// As [`View::human`].
    fn page(&self, screen: &Screen) -> String;
    /// As [`View::report`].
    fn report(&self, format: Format) -> Option<String>;
    /// One JSON object with `schema` and the view's members.
    fn json(&self) -> serde_json::Result<serde_json::Value>;
}

impl<V: View> AnyView for V {
    fn page(&self, screen: &Screen) -> String {
        self.human(screen)
    }

    fn report(&self, format: Format) -> Option<String> {
        View::report(self, format)
    }

    fn json(&self) -> serde_json::Result<serde_json::Value> {
        let mut value = serde_json::to_value(self)?;
        if let Some(map) = value.as_object_mut() {
            map.insert("schema".into(), V::SCHEMA.into());
        }
        Ok(value)
    }
}

/// What a command gives back.
pub struct Outcome {
    /// How the process ends.
    pub exit: Exit,
    /// The data, for stdout.
    pub view: Option<Box<dyn AnyView>>,
    /// What else there is to say, for stderr (not with `--quiet`): what happens now, what to type next.
    pub notes: Vec<String>,
    /// What should worry, for stderr always.
    pub warnings: Vec<String>,
    /// The page may be long: show it through the pager on a terminal.
    pub pager: bool,
    /// Why it could not be answered, for stderr: where the data says so too, because every error on the way to a decision
    /// is a deny.
    pub error: Option<CliError>,
}

impl Outcome {
    /// An end with data.
    pub fn of(exit: Exit, view: impl View + 'static) -> Outcome {
        Outcome { exit, view: Some(Box::new(view)), notes: Vec::new(), warnings: Vec::new(), pager: false, error: None }
    }

    /// An end without data: it was printed already, or there is none.
    pub fn silent(exit: Exit) -> Outcome {
        Outcome { exit, view: None, notes: Vec::new(), warnings: Vec::new(), pager: false, error: None }
    }

    /// Adds a line on stderr.
    #[must_use]
    pub fn note(mut self, line: impl Into<String>) -> Outcome {
        self.notes.push(line.into());
        self
    }

    /// Adds a warning on stderr.
    #[must_use]
    pub fn warn(mut self, line: impl Into<String>) -> Outcome {
        self.warnings.push(line.into());
        self
    }

    /// Adds a warning on stderr, if there is one: a pin that could not be moved, or was missing.
    #[must_use]
    pub fn warn_if(mut self, e: Option<impl std::fmt::Display>) -> Outcome {
        self.warnings.extend(e.map(|e| format!("it is on disk, but mind the pin: {e}")));
        self
    }

    /// Adds a warning on stderr, if no operator signed although one was to.
    #[must_use]
    pub fn warn_unsigned(mut self, whoever: &Whoever) -> Outcome {
        self.warnings.extend(whoever.unsigned());
        self
    }

    /// Says on stderr why it could not be answered.
    #[must_use]
    pub fn failed(mut self, error: CliError) -> Outcome {
        self.error = Some(error);
        self
    }

    /// Shows the page through the pager on a terminal.
    #[must_use]
    pub fn paged(mut self) -> Outcome {
        self.pager = true;
        self
    }
}
