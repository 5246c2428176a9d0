//! `aosctl integration list`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::store::GrantFilter;

/// Every tool, and how many doors lead to it.
///
/// A door is a live grant: aosctl grant list names them.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Every integration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IntegrationListView {
    /// In the order of their ids.
    pub integrations: Vec<IntegrationLine>,
}

/// One integration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IntegrationLine {
    /// Its id.
    pub integration: Id,
    /// Its name.
    pub name: String,
    /// The catalogue entry.
    pub kind: String,
    /// Inside the company's boundary.
    pub inside: bool,
    /// Where its data lives, as told.
    pub residency: Option<String>,
    /// Grants to it that are neither revoked nor over.
    pub live_grants: usize,
}

impl View for IntegrationListView {
    const SCHEMA: &'static str = "aosctl.integration-list/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.integrations.is_empty() {
            return "no integrations\n".into();
        }
        let rows = self
            .integrations
            .iter()
            .map(|i| {
                vec![
                    i.name.clone(),
                    i.integration.to_string(),
                    safe(&i.kind),
                    if i.inside { "inside".into() } else { "outside".into() },
                    i.residency.as_deref().map(safe).unwrap_or_else(|| "not told".into()),
                    i.live_grants.to_string(),
                ]
            })
            .collect();
        show::table(screen, &["name", "id", "kind", "boundary", "data in", "grants"], rows)
    }
}

/// Runs it.
pub fn run(_: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let mut integrations = Vec::new();
    for i in ws.store().integrations()? {
        let live = GrantFilter { integration: Some(i.id), live_at: Some(now), ..GrantFilter::default() };
        integrations.push(IntegrationLine {
            integration: i.id,
            name: i.handle,
            kind: i.kind,
            inside: i.inside,
            residency: i.residency,
            live_grants: ws.store().grants(&live)?.len(),
        });
    }
    let known = ws.facts().policy()?.map(|p| super::kinds(&p.rules)).unwrap_or_default();
    let none = integrations.is_empty();
    let out = Outcome::of(Exit::Done, IntegrationListView { integrations }).paged();
    Ok(match none {
        true => out
            .note("Add one: aosctl integration add NAME --kind KIND")
            .note(format!("Kinds in the catalogue: {}", safe(&known))),
        false => out,
    })
}
