//! A policy that may be adopted: a text, the built-in catalogue of this build, the company's own kinds.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::rules::Rules;
use crate::policy::file::{self, PolicyFile};
use crate::policy::{PolicyError, catalogue};
use crate::workspace::{Place, Workspace, read_text};

/// A policy that may be adopted.
pub struct Candidate {
    /// Where its text was read, as a page shows it.
    pub name: String,
    /// The text.
    pub text: String,
    /// What the text says.
    pub file: PolicyFile,
    /// What would decide.
    pub rules: Rules,
}

/// Why there is no candidate.
pub enum Fault {
    /// A text says what no policy or catalogue may say.
    Policy(PolicyError),
    /// It could not be read.
    Other(CliError),
}

impl From<Fault> for CliError {
    fn from(fault: Fault) -> CliError {
        match fault {
            Fault::Policy(e) => policy_error(&e),
            Fault::Other(e) => e,
        }
    }
}

/// A policy that cannot be one, as a command says it that needs one.
pub fn policy_error(e: &PolicyError) -> CliError {
    CliError::could_not("policy", safe(&e.to_string())).hint("every member is explained in docs/policy.md")
}

/// Reads a file; without one the workspace's `policy.toml`, and where that is missing the adopted text.
pub fn of_workspace(ws: &Workspace, named: Option<&Path>) -> Result<Candidate, Fault> {
    let other = |e: crate::workspace::WorkspaceError| Fault::Other(e.into());
    let place = ws.place();
    match named {
        Some(path) => of_file(path, Some(place)),
        None => match place.policy_text().map_err(other)? {
            Some(text) => build(text, place.policy().display().to_string(), Some(place)),
            None => {
                let adopted = super::adopted(ws).map_err(Fault::Other)?;
                build(adopted.source, "the adopted policy".into(), Some(place))
            }
        },
    }
}

/// Reads a file. Without a place the catalogue is the built-in one alone.
pub fn of_file(path: &Path, place: Option<&Place>) -> Result<Candidate, Fault> {
    let text = read_text(path).map_err(|e| Fault::Other(e.into()))?;
    build(text, path.display().to_string(), place)
}

/// Reads a text.
pub fn build(text: String, name: String, place: Option<&Place>) -> Result<Candidate, Fault> {
    let file = file::parse(&text, &name).map_err(Fault::Policy)?;
    let own = place.map(Place::own_catalogue).transpose().map_err(|e| Fault::Other(e.into()))?.unwrap_or_default();
    let own = own.iter().map(|(name, text)| catalogue::parse_kind(text, name)).collect::<Result<Vec<_>, _>>();
    let kinds = catalogue::built_in().and_then(|built_in| catalogue::merge(built_in, own?)).map_err(Fault::Policy)?;
    let rules = file::to_rules(&file, kinds);
    Ok(Candidate { name, text, file, rules })
}
