//! Where the secret of a key lives: what is typed about it, and sealing it.

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::domain::id::Id;
use crate::domain::key::KeyFacts;
use crate::workspace::{OperatorIdentity, Trusted, Workspace};

/// Where the secret lives.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where its secret lives: op://, vault:, aws-sm:, file:, pass:, keyring:, exec:, env:
    #[arg(long = "ref", value_name = "REFERENCE", conflicts_with_all = ["no_secret"])]
    reference: Option<String>,
    /// Record it without saying where its secret lives
    #[arg(long)]
    no_secret: bool,
}

/// What was chosen.
pub(super) enum Chosen {
    Reference(String),
    Unknown,
    Seal {},
}

/// A secret that is about to be sealed.
pub(super) struct Secret {}

impl Args {
    pub(super) fn chosen(&self) -> Result<Chosen, CliError> {
        match (&self.reference, self.no_secret) {
            (Some(text), _) => Ok(Chosen::Reference(reference(text)?)),
            _ => Ok(Chosen::Unknown),
        }
    }
}

/// A reference.
pub(super) fn reference(text: &str) -> Result<String, CliError> {
    super::details::plain("--ref", text, check_reference)
}

/// Is that a reference?
pub(super) fn check_reference(text: &str) -> Result<(), String> {
    match text.contains(':') {
        true => Ok(()),
        false => Err("not a reference".into()),
    }
}

impl Chosen {
    pub(super) fn secret(&self, _ctx: &Context, _name: &str) -> Result<Option<Secret>, CliError> {
        Ok(None)
    }
}

impl Secret {
    pub(super) fn seal(
        &self,
        _facts: &Trusted<'_>,
        _ws: &Workspace,
        _me: &OperatorIdentity,
        _key: Id,
        _into: &mut KeyFacts,
    ) -> Result<(), CliError> {
        Ok(())
    }
}
