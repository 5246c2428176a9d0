//! `aosctl review`: one page a month about everything that may reach anything.

pub mod check;
pub mod decide;
pub mod diff;
pub(in crate::cli) mod page;
pub mod render;
pub mod sign;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::global::Format;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::advice::End;
use crate::domain::review::Month;
use crate::domain::time::Time;
use crate::review::{self, ReviewError};
use crate::workspace::Workspace;

/// The access review: one page a month about all who reach anything.
///
/// What has to be decided first stands on top, each with the fact, the entries that show it, what is advised and the line
/// to type. A past month is computed from the log as it stood at its end.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Which month, such as 2026-10 [default: the last complete one, or this one where the log is younger]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// As of which moment: 2026-11-01 (00:00 UTC), or a time with a zone [default: the end of the month]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    as_of: Option<Time>,
    /// On a terminal, show the annex below the page: a row an item
    #[arg(long)]
    all: bool,
}

impl Args {
    /// The formats that it has.
    pub fn formats(&self) -> &'static [Format] {
        if self.verb.is_none() { Format::REPORT } else { Format::EVERY }
    }
}

/// The verbs of `review`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Decide(decide::Args),
    Sign(sign::Args),
    Check(check::Args),
    Diff(diff::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        None => {}
        Some(Verb::Decide(a)) => return decide::run(a, ctx),
        Some(Verb::Sign(a)) => return sign::run(a, ctx),
        Some(Verb::Check(a)) => return check::run(a, ctx),
        Some(Verb::Diff(a)) => return diff::run(a, ctx),
    }
    let as_of = args.as_of;
    let ws = ctx.open()?;
    let clock = ctx.clock();
    let last = Month::of(clock).before();
    let month = match (args.month, as_of) {
        (Some(month), _) => month,
        (None, Some(moment)) => closed_by(&ws, moment)?,
        (None, None) => last,
    };
    let page = match review::compute(&ws, month, as_of, clock) {
        // Younger than a month: the page as it stands is more than an error.
        Err(ReviewError::BeforeTheLog { .. }) if args.month.is_none() && as_of.is_none() => {
            let page = review::compute(&ws, last.next(), None, clock)?;
            let note = format!("the log began this month, so this is {} as it stands now", last.next());
            return Ok(Outcome::of(Exit::Done, render::ReviewView::new(page, args.all)).paged().note(note));
        }
        other => other?,
    };
    Ok(Outcome::of(Exit::Done, render::ReviewView::new(page, args.all)).paged())
}

/// `--as-of`.
fn moment(typed: &str) -> Result<Time, String> {
    match typed.parse::<End>() {
        Ok(End::At(t)) => Ok(t),
        _ => Err("it is a day or a time, as in: --as-of 2026-11-01".into()),
    }
}

/// The month whose review is meant where none was named: the last one that was over at that moment, or the one that the
/// moment lies in where the log is younger.
fn closed_by(ws: &Workspace, moment: Time) -> Result<Month, CliError> {
    let month = Month::of(moment);
    Ok(if ws.event(0)?.0.at < month.start() { month.before() } else { month })
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
