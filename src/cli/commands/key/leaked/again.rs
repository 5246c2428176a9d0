//! A key whose newest leak is closed. What it has now is another secret, or none: to say that this leaked too takes a word
//! of its own, so that a line that was copied from an older page, or typed twice, does not close what works.

use super::Args;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::Key;
use crate::workspace::{Workspace, WorkspaceError};

/// What is meant by the keys that were found.
pub(super) struct Meant {
    /// Those to contain; never empty.
    pub(super) keys: Vec<Id>,
    /// Those of them whose newest leak is closed have leaked anew.
    pub(super) again: bool,
    /// Those of several whose newest leak is closed, of which nobody said that they leaked anew.
    pub(super) left_out: Vec<Id>,
}

/// Leaves out whose newest leak is closed, unless somebody says that it leaked anew.
pub(super) fn meant(ws: &Workspace, ctx: &Context, args: &Args, found: Vec<Id>) -> Result<Meant, CliError> {
    if args.again {
        return Ok(Meant { keys: found, again: true, left_out: Vec::new() });
    }
    let (mut keys, mut left_out, mut first) = (Vec::new(), Vec::new(), None);
    for id in found {
        match ws.facts().key(id) {
            Ok(Some(key)) if key.leak_is_closed() => {
                left_out.push(id);
                first = first.or(Some(key));
            }
            // What does not verify is contained: nothing is known of it.
            Ok(_) | Err(WorkspaceError::Integrity { .. }) => keys.push(id),
            Err(e) => return Err(e.into()),
        }
    }
    match first {
        Some(key) if keys.is_empty() => {
            confirm(ctx, &key, args.dry_run)?;
            Ok(Meant { keys: left_out, again: true, left_out: Vec::new() })
        }
        _ => Ok(Meant { keys, again: false, left_out }),
    }
}

/// Asks at a terminal whether it leaked anew; elsewhere that is said by a flag.
fn confirm(ctx: &Context, key: &Key, dry_run: bool) -> Result<(), CliError> {
    let id = key.id;
    let when = key.leak.as_ref().map(|l| format!(" on {}", show::day(l.at))).unwrap_or_default();
    let what = format!("{} ({id}) leaked{when}, and that is closed", safe(&key.facts.name));
    if !ctx.json() && !dry_run && ctx.prompter().can_ask() {
        let prompt = format!("{what}.\nIf what it has now leaked too, every door that carries it is closed again.");
        if ctx.prompter().confirm_typed(&prompt, "yes", "--again")? {
            return Ok(());
        }
    }
    Err(CliError::no("leak_closed", format!("{what}; nothing was done"))
        .hint(format!("what happened: aosctl key leaked {id} --report"))
        .hint(format!("if what it has now leaked too: aosctl key leaked {id} --again")))
}

/// What is said of a key that was left out.
pub(super) fn left_out(id: Id) -> String {
    format!("{id} leaked before, and that is closed; if it leaked anew: aosctl key leaked {id} --again")
}
