//! `aosctl review`: one page a month about everything that may reach anything.

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::{safe, truncate};
use crate::domain::advice::End;
use crate::domain::review::Month;
use crate::domain::time::Time;
use crate::review::model::Review;
use crate::review::{self, ReviewError};

/// The access review: one page a month about everything that may reach anything.
///
/// What has to be decided first stands on top, each with the fact, the entries that show it, what is advised and the line
/// to type. A past month is computed from the log as it stood at its end.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which month, such as 2026-10 [default: the last complete one]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// As of which moment: 2026-11-01 (00:00 UTC), or a time with a zone [default: the end of the month]
    #[arg(long, value_name = "WHEN")]
    as_of: Option<End>,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let as_of = args.as_of.map(moment).transpose()?;
    let ws = ctx.open()?;
    let clock = ctx.clock();
    let month = args.month.unwrap_or_else(|| Month::of(clock).before());
    Ok(Outcome::of(Exit::Done, review::compute(&ws, month, as_of, clock)?))
}

/// The moment that was typed.
fn moment(end: End) -> Result<Time, CliError> {
    match end {
        End::At(t) => Ok(t),
        End::After(_) | End::Never => {
            Err(CliError::usage("--as-of is a day or a time").hint("as in: --as-of 2026-11-01"))
        }
    }
}

impl View for Review {
    const SCHEMA: &'static str = "aosctl.review/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut page = format!("{} as of {}\n", self.month, self.as_of);
        for item in self.first.iter().chain(&self.rest) {
            page.push_str(&truncate(&format!("{:<8} {}", item.id.to_string(), item.advice), screen.width));
            page.push('\n');
            for f in &item.findings {
                page.push_str(&truncate(&format!("         {} {}", f.rule.id(), safe(&f.fact)), screen.width));
                page.push('\n');
            }
        }
        page
    }
}

impl From<ReviewError> for CliError {
    fn from(e: ReviewError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            ReviewError::Workspace(e) => e.into(),
            ReviewError::Future { .. } => CliError::usage(text).hint("name a month that has begun: --month 2026-10"),
            ReviewError::BeforeTheMonth { .. } => {
                CliError::usage(text).hint("name the month that the moment lies in: --month 2026-10")
            }
            ReviewError::BeforeTheLog { began, .. } => {
                let month = Month::of(began);
                CliError::could_not("before_the_log", text)
                    .hint(format!("the first month that something is known of: --month {month}"))
            }
        }
    }
}
