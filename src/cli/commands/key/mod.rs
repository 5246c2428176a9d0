//! `aosctl key`: credentials in the inventory.

pub(in crate::cli) mod add;
pub(in crate::cli::commands) mod details;
pub(in crate::cli) mod import;
pub(in crate::cli) mod leaked;
pub(in crate::cli) mod list;
pub(in crate::cli::commands) mod place;
pub(in crate::cli) mod reseal;
pub(in crate::cli) mod retire;
pub(in crate::cli) mod seal;
pub(in crate::cli) mod set;
pub(in crate::cli) mod show;
pub(in crate::cli::commands) mod view;

use std::rc::Rc;

use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::error::CliError;
use crate::cli::global::Format;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::domain::key::Key;
use crate::workspace::Workspace;

/// Keys: what they open, where their secrets live, how old they are.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

impl Args {
    /// The formats that it has.
    pub fn formats(&self) -> &'static [Format] {
        match &self.verb {
            Verb::Leaked(a) => a.formats(),
            _ => Format::EVERY,
        }
    }
}

/// The verbs of `key`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Add(Box<add::Args>),
    List(list::Args),
    Show(show::Args),
    Set(Box<set::Args>),
    Seal(seal::Args),
    Retire(retire::Args),
    Reseal(reseal::Args),
    Import(import::Args),
    Leaked(Box<leaked::Args>),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Add(a) => add::run(*a, ctx),
        Verb::List(a) => list::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Set(a) => set::run(*a, ctx),
        Verb::Seal(a) => seal::run(a, ctx),
        Verb::Retire(a) => retire::run(a, ctx),
        Verb::Reseal(a) => reseal::run(a, ctx),
        Verb::Import(a) => import::run(a, ctx),
        Verb::Leaked(a) => leaked::run(*a, ctx),
    }
}

/// The key of that id, or the one live key of that name; where none is live, the one retired key of that name. Read from
/// its verified entries.
pub(in crate::cli::commands) fn find(ws: &Workspace, typed: &str) -> Result<Rc<Key>, CliError> {
    let found = ws.find_keys(typed)?;
    if let (Ok(id), None) = (typed.parse::<Id>(), found.first()) {
        return Err(
            CliError::no("no_such_key", format!("there is no key {id}")).hint("see the ids: aosctl key list --all")
        );
    }
    let live: Vec<&Rc<Key>> = found.iter().filter(|k| k.is_live()).collect();
    let meant: Vec<&Rc<Key>> = if live.is_empty() { found.iter().collect() } else { live };
    match meant[..] {
        [key] => Ok(key.clone()),
        [] => {
            let all = ws.store().keys(false)?;
            let names: Vec<String> = all.iter().map(|k| safe(&k.facts.name)).collect();
            let e = words::unknown("no_such_key", "key", typed, names.iter().map(String::as_str));
            Err(e.hint(if all.is_empty() {
                "add one: aosctl key add NAME, or many: aosctl key import csv FILE"
            } else {
                "see the ids: aosctl key list --all"
            }))
        }
        _ => {
            let ids = meant.iter().map(|k| k.id.to_string()).collect::<Vec<_>>().join(", ");
            Err(CliError::no("ambiguous", format!("{} is the name of {ids}", safe(typed))).hint("say which by its id"))
        }
    }
}

/// As [`find`], one that is in use.
pub(in crate::cli::commands) fn find_live(ws: &Workspace, typed: &str) -> Result<Rc<Key>, CliError> {
    let key = find(ws, typed)?;
    match key.retired_at {
        None => Ok(key),
        Some(at) => Err(retired(&key, at)),
    }
}

/// It is out of use.
fn retired(key: &Key, at: crate::domain::time::Time) -> CliError {
    let when = crate::cli::show::minute(at);
    CliError::no("retired", format!("{} ({}) was retired on {when}", safe(&key.facts.name), key.id))
        .because("a retired key stays out of use for good")
        .hint("add what took its place: aosctl key add NAME")
}
