//! The flags that every command takes.

use std::path::PathBuf;

use super::style::ColorChoice;

/// The flags that every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The workspace directory [default: $AOSCTL_WORKSPACE, else the user's data directory]
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub workspace: Option<PathBuf>,
    /// How data is printed
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Short for --format json
    #[arg(long, global = true)]
    pub json: bool,
    /// Write a report into a file that only you can read, `-` for stdout
    #[arg(short, long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Only data and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colours: where the terminal can show them, always, never (NO_COLOR is heard)
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Never ask; fail and name the flag that answers
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Identity file: an agent's, or a sealed operator's [default: $AOSCTL_IDENTITY]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Read the passphrase from a file that nobody else can read
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object, by a published schema.
    Json,
    /// Reports: CommonMark with tables.
    Markdown,
    /// Reports: one file without scripts, to be read and printed.
    Html,
    /// Reports: one row an item.
    Csv,
}

impl Format {
    /// What every command has.
    pub const EVERY: &'static [Format] = &[Format::Human, Format::Json];
    /// What reports have.
    pub const REPORT: &'static [Format] = &[Format::Human, Format::Json, Format::Markdown, Format::Html, Format::Csv];

    /// Not every command has it.
    pub fn is_for_reports(self) -> bool {
        !Self::EVERY.contains(&self)
    }

    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Csv => "csv",
        }
    }
}
