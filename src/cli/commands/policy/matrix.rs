//! `aosctl policy matrix`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::point::Point;
use crate::policy::matrix;

/// What always needs a person, as one table.
///
/// What no grant covers is not here: it is denied, and nobody is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only one approval point: money, public, customer_data, production or audit
    #[arg(long, value_name = "POINT")]
    point: Option<Point>,
}

/// What needs a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MatrixView {
    /// Digest of the policy in force.
    pub policy: String,
    /// The points with their limits, then the catalogue's actions, then the policy's rules.
    pub rows: Vec<Row>,
}

/// One thing that needs a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The approval point; absent for a rule that only changes what happens where something else asks.
    pub point: Option<Point>,
    /// What asks.
    pub what: String,
    /// When it does.
    pub when: String,
    /// How many operators must approve; for audit edits at least 2 where two operators live.
    pub approvers: u8,
    /// Where that comes from.
    pub from: String,
}

impl View for MatrixView {
    const SCHEMA: &'static str = "aosctl.policy-matrix/v1";

    fn human(&self, screen: &Screen) -> String {
        let rows = self
            .rows
            .iter()
            .map(|r| {
                vec![
                    r.point.map(|p| p.as_str().to_string()).unwrap_or_default(),
                    safe(&r.what),
                    safe(&r.when),
                    r.approvers.to_string(),
                    safe(&r.from),
                ]
            })
            .collect();
        show::table(screen, &["point", "what", "asks", "by", "from"], rows)
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let policy = super::adopted(&ws)?;
    let rows = matrix(&policy.rules)
        .into_iter()
        .filter(|r| args.point.is_none() || r.point == args.point)
        .map(|r| Row { point: r.point, what: r.what, when: r.when, approvers: r.approvers, from: r.from })
        .collect();
    Ok(Outcome::of(Exit::Done, MatrixView { policy: policy.digest, rows })
        .paged()
        .note("No policy can switch one of these off. What no grant covers is denied without a question."))
}
