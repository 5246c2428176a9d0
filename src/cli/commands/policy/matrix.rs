//! `aosctl policy matrix`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::{pad, safe, safe_block, width};
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
    /// By point: its limits, then the catalogue's actions, then the policy's rules.
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
        // One column for where it comes from, one for the rest: names of actions are long, and a narrow column cuts them.
        let from = self.rows.iter().map(|r| width(&safe(&r.from))).max().unwrap_or(0);
        let mut out = String::new();
        let mut point = None;
        for r in &self.rows {
            if point != Some(r.point) {
                let gap = if point.is_some() { "\n" } else { "" };
                let title = r.point.map_or("where something else asks", |p| p.title()).to_uppercase();
                out.push_str(&format!("{gap}{}\n", screen.style.bold(&title)));
                point = Some(r.point);
            }
            let approvers = if r.approvers > 1 { format!(" ({} approvers)", r.approvers) } else { String::new() };
            // Many names after when they ask; else what it is, and then when.
            let (first, then) = if r.from.starts_with("catalogue") { (&r.when, &r.what) } else { (&r.what, &r.when) };
            let text = format!("{first}: {then}{approvers}");
            let margin = format!("  {}  ", pad(&safe(&r.from), from));
            let room = screen.width.saturating_sub(width(&margin));
            for (i, line) in safe_block(&text, "", room, usize::MAX).lines.iter().enumerate() {
                let margin = if i == 0 { margin.clone() } else { " ".repeat(width(&margin)) };
                out.push_str(&format!("{margin}{}\n", line.trim_end()));
            }
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let policy = super::adopted(&ws)?;
    let mut rows: Vec<Row> = matrix(&policy.rules)
        .into_iter()
        .filter(|r| args.point.is_none() || r.point == args.point)
        .map(|r| Row { point: r.point, what: r.what, when: r.when, approvers: r.approvers, from: r.from })
        .collect();
    // By point, and within it as they came: limits, catalogue, policy. What names no point comes last.
    rows.sort_by_key(|r| (r.point.is_none(), r.point));
    Ok(Outcome::of(Exit::Done, MatrixView { policy: policy.digest, rows })
        .paged()
        .note("No policy can switch one of these off. What no grant covers is denied without a question."))
}
