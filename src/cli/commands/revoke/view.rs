//! What `revoke` gives back.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::commands::connect::view::ids;
use crate::cli::commands::grant::StandingRequest;
use crate::cli::commands::grant::view::{GrantRow, SignedBy};
use crate::cli::outcome::{Screen, View};
use crate::cli::show;
use crate::domain::id::Id;
use crate::domain::time::Time;

/// Doors that were closed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokeView {
    /// Nothing was to be done.
    pub dry_run: bool,
    /// As of which moment this is said.
    pub at: Time,
    /// Who signed; absent where nothing was closed.
    pub signed_by: Option<SignedBy>,
    /// What was closed.
    pub closed: Vec<Closed>,
    /// Grants that were named and had been revoked before.
    pub already: Vec<Id>,
    /// Agents and integrations that were named, and had nothing open.
    pub nothing_open: Vec<String>,
    /// What was named and could not be closed.
    pub not_closed: Vec<NotClosed>,
    /// Live grants, of anyone, that still open one of the same doors, at least in part; those of the same agents first.
    pub still_open: Vec<GrantRow>,
    /// What to do at the providers.
    pub at_provider: Vec<AtProvider>,
}

/// A door that was closed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Closed {
    /// The grant, as it was.
    pub grant: GrantRow,
    /// The entry that revoked it; absent in a dry run.
    pub seq: Option<u64>,
    /// Requests that waited on it, and are cancelled: their grant is dead.
    pub cancelled: Vec<StandingRequest>,
    /// Requests that were begun before: closing the door does not stop them.
    pub running: Vec<Id>,
    /// The line that opens it again.
    pub undo: String,
}

/// What was named and could not be closed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotClosed {
    /// As typed, or a grant's id. Foreign text.
    pub target: String,
    /// Why.
    pub why: String,
    /// What to type next.
    pub hints: Vec<String>,
}

/// What to do at a provider, after closing here.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AtProvider {
    /// The integration's name.
    pub integration: String,
    /// The provider's own name.
    pub title: String,
    /// In one sentence.
    pub close: String,
}

impl View for RevokeView {
    const SCHEMA: &'static str = "aosctl.revoke/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        for c in &self.closed {
            field(if self.dry_run { "would close" } else { "closed" }, &format!("{}: {}", c.grant.id, c.grant.gist()));
            if !c.cancelled.is_empty() {
                let list =
                    c.cancelled.iter().map(|r| format!("{} ({})", r.request, r.standing.as_str())).collect::<Vec<_>>();
                field("  cancels", &list.join(", "));
            }
            if !c.running.is_empty() {
                field("  still runs", &format!("{}: begun before, and not stopped by this", ids(&c.running)));
            }
        }
        if let Some(by) = &self.signed_by {
            field("signed by", &by.long());
        }
        for g in &self.still_open {
            let ends = g.ends(self.at);
            field("still open", &format!("{}: {}, ends {ends}; it opens the same door", g.id, g.gist()));
        }
        for p in &self.at_provider {
            field(&format!("at {}", p.title), &p.close);
        }
        for id in &self.already {
            field("already", &format!("{id} had been revoked before"));
        }
        for name in &self.nothing_open {
            field("already", &format!("{name} has nothing open"));
        }
        out
    }
}
