//! `aosctl request`: what agents ask for.

pub mod begin;
pub mod change;
pub mod describe;
pub mod verdict;

pub mod done;
pub mod fail;
pub mod list;
pub mod new;
pub mod resolve;
pub mod show;
pub mod wait;
pub mod withdraw;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// What agents ask for.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = false)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// The verbs of `request`.
#[derive(Debug, clap::Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one command line is parsed, once")]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    New(new::Args),
    Wait(wait::Args),
    Begin(begin::Args),
    Done(done::Args),
    Fail(fail::Args),
    Withdraw(withdraw::Args),
    Resolve(resolve::Args),
    List(list::Args),
    Show(show::Args),
}

/// Runs it. Without a verb it lists, so that `aosctl queue` shows what waits.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb.unwrap_or(Verb::List(list::Args::default())) {
        Verb::New(a) => new::run(a, ctx),
        Verb::Wait(a) => wait::run(a, ctx),
        Verb::Begin(a) => begin::run(a, ctx),
        Verb::Done(a) => done::run(a, ctx),
        Verb::Fail(a) => fail::run(a, ctx),
        Verb::Withdraw(a) => withdraw::run(a, ctx),
        Verb::Resolve(a) => resolve::run(a, ctx),
        Verb::List(a) => list::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
    }
}
