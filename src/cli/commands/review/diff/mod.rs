//! `aosctl review diff`.

mod compare;
mod view;

pub use view::ReviewDiffView;

use super::page;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::show::day;
use crate::domain::review::Month;

/// What changed between two reviews
///
/// Granted, closed, widened, narrowed; findings that are new and findings that are gone; and what was decided in the two,
/// with what became of it. Each page is computed from the log as it stood.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The earlier one, such as 2026-09; alone, it is the later one, and the month before it the earlier
    #[arg(value_name = "MONTH")]
    first: Option<Month>,
    /// The later one [default: the last month that is over]
    #[arg(value_name = "MONTH")]
    second: Option<Month>,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let (from, to) = match (args.first, args.second) {
        (Some(from), Some(to)) => (page::month(&ws, Some(from), now)?, page::month(&ws, Some(to), now)?),
        (one, _) => {
            let to = page::month(&ws, one, now)?;
            (to.before(), to)
        }
    };
    if from >= to {
        return Err(CliError::usage(format!("{from} is not before {to}"))
            .hint(format!("the earlier month first: aosctl review diff {to} {from}")));
    }
    let first = page::first(&ws)?;
    if from < first {
        let second = first.next();
        let text = format!("there is no review of {from}: the first one is of {first}, when the log began");
        return Err(if Month::of(now) > second {
            CliError::no("nothing_before", text).hint(format!("the first two: aosctl review diff {first} {second}"))
        } else {
            CliError::no("nothing_before", text)
                .because(format!("there are two to compare when {second} is over, from {} on", day(second.end())))
                .hint(format!("look at one: aosctl review --month {first}"))
        });
    }
    let (before, after) = (page::compute(&ws, from, ctx.clock())?, page::compute(&ws, to, ctx.clock())?);
    Ok(Outcome::of(Exit::Done, compare::compare(&ws, &before, &after)?).paged())
}
