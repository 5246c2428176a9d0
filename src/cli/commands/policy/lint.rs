//! `aosctl policy lint`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::candidate::{Fault, of_file, of_workspace};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::{safe, safe_block};
use crate::domain::facts::Facts;
use crate::policy::{Level, PolicyError, lint};

/// Find what is wrong with a policy, or probably not meant.
///
/// Exit 0: nothing but notes. Exit 1: an error, with line and column, or a warning. Exit 3: it could not be read. Without
/// a workspace it is read against the built-in catalogue.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy [default: policy.toml in the workspace]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

/// What was found in a policy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LintView {
    /// What was read.
    pub file: String,
    /// It is a policy; else `error` says why not.
    pub valid: bool,
    /// What makes it none.
    pub error: Option<LintError>,
    /// What is legal and probably not meant, warnings first.
    pub findings: Vec<Finding>,
}

/// An error in a policy or a file of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LintError {
    /// The file it stands in.
    pub file: Option<String>,
    /// From 1.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Something that is legal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// How much it matters.
    pub level: FindingLevel,
    /// What it is about.
    pub key: String,
    /// What is the case, and what follows.
    pub message: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingLevel {
    /// Probably not meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl View for LintView {
    const SCHEMA: &'static str = "aosctl.policy-lint/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut say = |word: &str, text: &str| {
            let lines = safe_block(text, "", screen.width.saturating_sub(word.len() + 1), usize::MAX).lines;
            for (i, line) in lines.iter().enumerate() {
                let word = match (i, word) {
                    (0, "error:") => screen.style.red(word).into_owned(),
                    (0, "warning:") => screen.style.yellow(word).into_owned(),
                    (0, word) => word.to_string(),
                    _ => " ".repeat(word.len()),
                };
                out.push_str(&format!("{word} {}\n", line.trim_end()));
            }
        };
        if let Some(e) = &self.error {
            let place = match (&e.file, e.line, e.column) {
                (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
                _ => String::new(),
            };
            say("error:", &format!("{place}{}", e.message));
        }
        for f in &self.findings {
            let word = if f.level == FindingLevel::Warning { "warning:" } else { "note:" };
            say(word, &format!("{}: {}", f.key, f.message));
        }
        if self.valid && self.findings.is_empty() {
            out.push_str(&format!("{}: nothing found\n", safe(&self.file)));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let opened = match ctx.open() {
        Ok(ws) => Some(ws),
        // A file can be read without a workspace, for one that is yet to be.
        Err(e) if e.kind == "no_workspace" && args.file.is_some() => None,
        Err(e) => return Err(e),
    };
    let operators = match &opened {
        Some(ws) => ws.facts().operators()?.iter().filter(|o| o.is_live()).count(),
        None => 0,
    };
    let candidate = match (&opened, &args.file) {
        (Some(ws), file) => of_workspace(ws, file.as_deref()),
        (None, Some(file)) => of_file(file, None),
        (None, None) => return Err(CliError::usage("name a file")),
    };
    let file = args.file.as_ref().map_or("policy.toml".to_string(), |f| f.display().to_string());
    let view = match candidate {
        Err(Fault::Other(e)) => return Err(e),
        Err(Fault::Policy(e)) => LintView { file, valid: false, error: Some(error(&e)), findings: Vec::new() },
        Ok(c) => {
            let findings = lint(&c.file, &c.rules, operators)
                .into_iter()
                .map(|l| Finding {
                    level: if l.level == Level::Warning { FindingLevel::Warning } else { FindingLevel::Note },
                    key: l.key,
                    message: l.message,
                })
                .collect();
            LintView { file: c.name, valid: true, error: None, findings }
        }
    };
    let fine = view.valid && view.findings.iter().all(|f| f.level == FindingLevel::Note);
    Ok(Outcome::of(if fine { Exit::Done } else { Exit::No }, view))
}

fn error(e: &PolicyError) -> LintError {
    match e {
        PolicyError::At { file, line, column, message } => {
            LintError { file: Some(file.clone()), line: Some(*line), column: Some(*column), message: message.clone() }
        }
        other => LintError { file: None, line: None, column: None, message: other.to_string() },
    }
}
