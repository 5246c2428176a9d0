//! `aosctl review decide`.

mod desk;
mod draw;
pub(in crate::cli) mod file;
mod result;
mod script;
mod session;
pub(in crate::cli) mod view;

use std::path::PathBuf;

pub use desk::Desk;
pub use file::ReviewDecisionsView;
pub use view::ReviewDecidedView;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::review::Month;

/// Decide about the items of an access review, and carry it out
///
/// On a terminal, shows the page and then one item after the other, those that come first before the rest:
/// what is the case, what shows it, what is advised, and the command for it. Enter takes the advice; k keep, n narrow,
/// r revoke, t rotate, i investigate; a note is asked for where that overrides the advice. Items without findings are kept
/// together, an integration at a time. u takes the last answer back, s leaves an item for later, q stops: what was decided
/// so far is then carried out, or dropped, as you say. One passphrase at the end carries everything out.
///
/// By script: --from FILE, or the flags for items. All or nothing: an unknown item, one that is named twice, a note that is
/// missing, or another month, and nothing is done. --template prints such a file, to be edited.
///
/// Grants are revoked and narrowed, agents and operators retired at once, in one transaction with the decisions. What has
/// to be done elsewhere (a key at its provider) is OPEN until the log shows it, and is said. Then the state is read again.
///
/// Exit 0: everything is decided and carried out. Exit 1: everything is decided, and something is OPEN; or refused. Exit 5:
/// items are not decided yet. Exit 3: the file cannot be read as decisions.
///
/// Examples:
///
///   aosctl review decide
///
///   aosctl review decide --keep g-1,g-4 --note g-4='needed until March' --recommended
///
///   aosctl review decide --template > decisions.jsonl
///
///   aosctl review decide --from decisions.jsonl --sign
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").multiple(true))]
pub struct Args {
    /// Which review, such as 2026-10 [default: the last month that is over]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Decisions from a file, a JSON object a line or all in one (schema aosctl.review-decisions/v1); - is standard input
    #[arg(long, value_name = "FILE", group = "what", conflicts_with_all = ["keep", "narrow", "revoke", "rotate", "investigate", "notes"], value_hint = clap::ValueHint::FilePath)]
    from: Option<PathBuf>,
    /// Keep these items, such as g-1,g-4 (repeatable)
    #[arg(long, value_name = "ITEM", value_delimiter = ',', group = "what")]
    keep: Vec<String>,
    /// Narrow these grants to what the page shows
    #[arg(long, value_name = "ITEM", value_delimiter = ',', group = "what")]
    narrow: Vec<String>,
    /// Revoke these grants, retire these agents and operators; a key ends at its provider, and stays OPEN until
    /// aosctl key retire
    #[arg(long, value_name = "ITEM", value_delimiter = ',', group = "what")]
    revoke: Vec<String>,
    /// Have these keys turned over
    #[arg(long, value_name = "ITEM", value_delimiter = ',', group = "what")]
    rotate: Vec<String>,
    /// Find out about these items first
    #[arg(long, value_name = "ITEM", value_delimiter = ',', group = "what")]
    investigate: Vec<String>,
    /// Take the advice for every other item that is not decided and needs no note
    #[arg(long, group = "what")]
    recommended: bool,
    /// Why, for one item: --note g-2='needed until March' (repeatable); required where the advice is overridden
    #[arg(long = "note", id = "notes", value_name = "ITEM=TEXT", requires = "what")]
    notes: Vec<String>,
    /// Sign the review too, with the same passphrase, if nothing that comes first is left undecided
    #[arg(long, requires = "what")]
    sign: bool,
    /// Say what would be recorded and carried out; do nothing
    #[arg(short = 'n', long, requires = "what")]
    dry_run: bool,
    /// Print what --from reads, every item that is not decided with the advice: keep it with > FILE, and edit it
    #[arg(long, conflicts_with = "what")]
    template: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    if args.template {
        return file::template(&Desk::open(&ws, args.month, ctx)?);
    }
    crate::cli::commands::connect::words::not_an_agent(&ws, ctx.identity_file().as_deref(), "decide in a review")?;
    let asks = args.keep.len() + args.narrow.len() + args.revoke.len() + args.rotate.len() + args.investigate.len();
    if asks == 0 && args.from.is_none() && !args.recommended {
        return session::run(ctx, &ws, args.month);
    }
    script::run(args, &ws, ctx)
}
