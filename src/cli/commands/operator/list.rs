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

/// Every operator, live or not, and what they have on paper.
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
    /// For whom it is on paper; absent for operators themselves.
    pub recovers: Option<Id>,
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
    /// Since when they sign with that key.
    pub key_since: Time,
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
                    (None, _) if o.recovers.is_some() => {
                        format!("recovery of {}", o.recovers.map(|r| r.to_string()).unwrap_or_default())
                    }
                    (None, _) if o.key_since != o.enrolled_at => format!("live, key of {}", show::day(o.key_since)),
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
    let mut all = ws.facts().operators()?;
    all.extend(ws.recoveries()?);
    all.sort_by_key(|o| o.id);
    for o in all {
        let key_since = if o.has_new_key() { ws.event(o.key_seq)?.0.at } else { o.enrolled_at };
        operators.push(OperatorLine {
            operator: o.id,
            name: ws.operator_name(&o)?,
            recovers: o.recovers(),
            live: o.retired_seq.is_none(),
            key_since,
            enrolled_at: o.enrolled_at,
            retired_at: o.retired_at,
            disputed_from: o.disputed_from,
            agents: agents.iter().filter(|a| a.is_live() && a.operator == Some(o.id)).count(),
            key_id: PublicKey(o.public_key).key_id().to_hex(),
        });
    }
    Ok(Outcome::of(Exit::Done, OperatorListView { operators }))
}
