//! `aosctl audit disputed`.

mod depends;
mod gather;
pub mod view;

pub use gather::disputed_of;

use self::view::AuditDisputedView;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::domain::facts::Facts;
use crate::domain::id::IdKind;

/// List what a stolen identity signed, and what revokes it
///
/// An identity that was retired with --as-of may have been somebody else's from that entry on. What it signed stays valid
/// until it is revoked. This lists each of those entries, everything that depends on it (what was begun under a grant,
/// what an approval let through, everything that an identity enrolled by it signed), and the line that revokes it. And it
/// lists every entry that was invalid, with what became of it.
///
/// Exit 0: nothing is left to revoke. Exit 1: something is.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let facts = ws.facts();
    let mut roots = Vec::new();
    for kind in [IdKind::Operator, IdKind::Agent] {
        for row in ws.store().identities(kind)? {
            // The list comes from the tables; what is said of each from verified entries.
            if let Some(i) = facts.identity(row.id)?
                && let Some(from) = i.disputed_from
            {
                roots.push((i.id, from));
            }
        }
    }
    let view = AuditDisputedView {
        identities: gather::disputed(&ws, &roots, now)?,
        invalid: ws.store().tables().invalid_entries()?.into_iter().map(view::InvalidRow::from).collect(),
    };
    let open = view.identities.iter().flat_map(|i| &i.entries).filter(|e| e.is_open()).count();
    let unsettled = view.invalid.iter().filter(|e| e.voided_by.is_none()).count();
    let exit = if open == 0 && unsettled == 0 { Exit::Done } else { Exit::No };
    let out = Outcome::of(exit, view).paged();
    Ok(match open {
        0 => out,
        1 => out.note("1 line is still to be typed."),
        n => out.note(format!("{n} lines are still to be typed.")),
    })
}
