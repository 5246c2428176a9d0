//! `aosctl operator list`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::time::Time;
use crate::log::key::PublicKey;

/// Who decides, and who did.
///
/// Names come from the enrolments, where they may have been erased; ids never change.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Every operator, live or not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorListView {
    /// In the order of their ids.
    pub operators: Vec<OperatorLine>,
}

/// One operator.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorLine {
    /// Their id.
    pub operator: Id,
    /// Their name, if it was told and not erased.
    pub name: Option<String>,
    /// Not retired.
    pub live: bool,
    /// When they were enrolled.
    pub enrolled_at: Time,
    /// When they were retired.
    pub retired_at: Option<Time>,
    /// What they signed from this entry on is disputed.
    pub disputed_from: Option<u64>,
    /// How many agents that were not retired act for them.
    pub agents: usize,
    /// SHA-256 of their public key, hex: how the log names their identity.
    pub key_id: String,
}

impl View for OperatorListView {
    const SCHEMA: &'static str = "aosctl.operator-list/v1";

    fn human(&self, screen: &Screen) -> String {
        let rows = self
            .operators
            .iter()
            .map(|o| {
                let state = match (o.retired_at, o.disputed_from) {
                    (None, _) => "live".to_string(),
                    (Some(at), None) => format!("retired {}", show::day(at)),
                    (Some(at), Some(seq)) => format!("retired {}, disputed from entry {seq}", show::day(at)),
                };
                vec![
                    o.operator.to_string(),
                    o.name.as_deref().map(safe).unwrap_or_default(),
                    state,
                    o.agents.to_string(),
                    show::day(o.enrolled_at),
                    show::fingerprint(&o.key_id),
                ]
            })
            .collect();
        show::table(screen, &["id", "name", "state", "agents", "enrolled", "fingerprint"], rows)
    }
}

/// Runs it.
pub fn run(_: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let agents = ws.store().identities(IdKind::Agent)?;
    let mut operators = Vec::new();
    for o in ws.facts().operators()? {
        operators.push(OperatorLine {
            operator: o.id,
            name: ws.operator_name(&o)?,
            live: o.is_live(),
            enrolled_at: o.enrolled_at,
            retired_at: o.retired_at,
            disputed_from: o.disputed_from,
            agents: agents.iter().filter(|a| a.is_live() && a.operator == Some(o.id)).count(),
            key_id: PublicKey(o.public_key).key_id().to_hex(),
        });
    }
    Ok(Outcome::of(Exit::Done, OperatorListView { operators }))
}
