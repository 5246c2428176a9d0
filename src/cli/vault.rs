//! The vault of the workspace at hand.

use std::path::Path;

use super::error::CliError;
use crate::domain::facts::Facts;
use crate::secret::{Circle, Vault};
use crate::workspace::{Trusted, Workspace};

/// The vault of a workspace. Touches nothing.
pub fn of(ws: &Workspace) -> Vault {
    let place: &Path = &ws.place().dir;
    Vault::new(place, &ws.state_dir(), &ws.origin().name)
}

/// The operators, as these facts have them. Inside a transaction take `tx.facts()`, so that nobody is enrolled in between.
pub fn circle(facts: &Trusted<'_>) -> Result<Circle, CliError> {
    Ok(Circle::of(&facts.operators()?))
}
