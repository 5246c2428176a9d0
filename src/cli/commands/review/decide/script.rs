//! Deciding without a terminal: from a file, or by flags. All or nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Args;
use super::desk::{Desk, Refused};
use super::file;
use super::result::{Recorded, finish, foreseen};
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::commands::review::sign;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::domain::review::Advice;
use crate::review::carry::{CarryError, Chosen, carry_out};
use crate::workspace::Workspace;

/// A decision as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// About what.
    pub item: Id,
    /// What.
    pub decision: Advice,
    /// Why.
    pub note: Option<String>,
    /// What the file says was advised.
    pub advice: Option<Advice>,
    /// Where it stands, for an error: `line 3: `, `--keep `.
    pub place: String,
}

/// Runs it.
pub fn run(args: Args, ws: &Workspace, ctx: &Context) -> Result<Outcome, CliError> {
    let from = args.from.as_deref().map(file::read).transpose()?;
    let named = match (&from, args.month) {
        (Some(f), Some(month)) if f.month.is_some_and(|m| m != month) => {
            let m = f.month.map(|m| m.to_string()).unwrap_or_default();
            return Err(nothing(CliError::could_not(
                "bad_decisions",
                format!("line 1: the decisions are of {m}, and not of {month}"),
            )));
        }
        (Some(f), month) => match f.month.or(month) {
            None => {
                return Err(nothing(CliError::could_not(
                    "bad_decisions",
                    "line 1: the file does not say of which month it is",
                ))
                .hint(format!("its first line: {{\"schema\":\"{}\",\"month\":\"2026-10\"}}", file::SCHEMA))
                .hint("or name it: --month MONTH"));
            }
            month => month,
        },
        (None, month) => month,
    };
    let desk = Desk::open(ws, named, ctx)?;
    let wanted = match from {
        Some(f) => f.wanted,
        None => by_flags(&args, &desk)?,
    };
    let mut notes = notes(&args, &desk)?;
    let mut chosen = choose(&desk, wanted, &mut notes)?;
    let mut noteless = Vec::new();
    if args.recommended {
        let had: BTreeSet<Id> = chosen.iter().map(|c| c.item.id).collect();
        let (more, left) = recommended(&desk, &had, &mut notes)?;
        chosen.extend(more);
        noteless = left;
    }
    if let Some((id, _)) = notes.first_key_value() {
        return Err(CliError::usage(format!("--note {id}: nothing is decided about {id}")));
    }
    record(ctx, &desk, chosen, &args, &noteless)
}

fn nothing(e: CliError) -> CliError {
    e.because("nothing was decided")
}

/// What the flags ask for.
fn by_flags(args: &Args, desk: &Desk<'_>) -> Result<Vec<Wanted>, CliError> {
    let all = [
        (Advice::Keep, &args.keep),
        (Advice::Narrow, &args.narrow),
        (Advice::Revoke, &args.revoke),
        (Advice::Rotate, &args.rotate),
        (Advice::Investigate, &args.investigate),
    ];
    let mut wanted = Vec::new();
    for (decision, typed) in all {
        for word in typed {
            let item = find(desk, &format!("--{decision}"), word.trim())?;
            wanted.push(Wanted { item, decision, note: None, advice: None, place: format!("--{decision} ") });
        }
    }
    Ok(wanted)
}

/// The item of that id, or of that name where no other has it.
fn find(desk: &Desk<'_>, flag: &str, typed: &str) -> Result<Id, CliError> {
    if let Ok(id) = typed.parse() {
        return Ok(id);
    }
    let mut found = desk.items().filter(|i| i.name.as_deref() == Some(typed));
    match (found.next(), found.next()) {
        (Some(item), None) => Ok(item.id),
        (Some(a), Some(b)) => Err(CliError::usage(format!("{flag}: {} is {} and {}", safe(typed), a.id, b.id))),
        (None, _) => Err(unknown(desk, &format!("{flag}: "), typed)),
    }
}

fn unknown(desk: &Desk<'_>, place: &str, typed: &str) -> CliError {
    let month = desk.review.month;
    nothing(CliError::no("no_such_item", format!("{place}{} is no item of the review of {month}", safe(typed))))
        .hint(format!("see the items: aosctl review --month {month}"))
}

/// Notes given by flags.
fn notes(args: &Args, desk: &Desk<'_>) -> Result<BTreeMap<Id, String>, CliError> {
    let mut notes = BTreeMap::new();
    for typed in &args.notes {
        let Some((item, text)) = typed.split_once('=') else {
            return Err(CliError::usage(format!("--note {}: say it as ITEM=TEXT", safe(typed))));
        };
        let id = find(desk, "--note", item.trim())?;
        if notes.insert(id, words::text("--note", text)?).is_some() {
            return Err(CliError::usage(format!("--note {id}: there are two notes about it")));
        }
    }
    Ok(notes)
}

/// Every decision that was asked for, as it can be recorded; or what is wrong with the first one that cannot.
fn choose(desk: &Desk<'_>, wanted: Vec<Wanted>, notes: &mut BTreeMap<Id, String>) -> Result<Vec<Chosen>, CliError> {
    let facts = desk.facts()?;
    let mut seen: BTreeMap<Id, String> = BTreeMap::new();
    let mut chosen = Vec::new();
    for w in wanted {
        let place = &w.place;
        let Some(item) = desk.item(w.item) else {
            return Err(unknown(desk, place, &w.item.to_string()));
        };
        if let Some(before) = seen.insert(w.item, place.clone()) {
            let text =
                format!("{place}{} is decided about twice, at {} too", w.item, before.trim_end_matches([' ', ':']));
            return Err(nothing(CliError::no("decided_twice", text)));
        }
        if w.advice.is_some_and(|a| a != item.advice) {
            let text = format!(
                "{place}{}: the file was made when something else was advised; now it is {}",
                w.item, item.advice
            );
            return Err(
                nothing(CliError::no("advice_changed", text)).hint("make it again: aosctl review decide --template")
            );
        }
        let meanwhile = desk.meanwhile(item, &facts)?;
        let note = w.note.or_else(|| notes.remove(&w.item));
        let c = desk.choose(item, &meanwhile, w.decision, note).map_err(|refused| match refused {
            Refused::Impossible(why) => {
                nothing(CliError::no("impossible", format!("{place}{}: {}", w.item, safe(&why))))
            }
            Refused::NeedsNote(why) => nothing(CliError::no(
                "needs_note",
                format!("{place}{}: to {} it needs a note: {}", w.item, w.decision, safe(&why)),
            ))
            .hint(format!("say why: --note {}=TEXT, or \"note\" in the file", w.item)),
        })?;
        chosen.push(c);
    }
    Ok(chosen)
}

/// The advice for every item that is not decided and needs no note; and the items that do.
fn recommended(
    desk: &Desk<'_>,
    had: &BTreeSet<Id>,
    notes: &mut BTreeMap<Id, String>,
) -> Result<(Vec<Chosen>, Vec<Id>), CliError> {
    let facts = desk.facts()?;
    let (mut chosen, mut left) = (Vec::new(), Vec::new());
    for id in desk.undecided(had) {
        let Some(item) = desk.item(id) else { continue };
        let meanwhile = desk.meanwhile(item, &facts)?;
        let decision = desk.advised(item, &meanwhile);
        let note = notes.remove(&id);
        // What cannot be done as advised is left to somebody who looks at it.
        match desk.choose(item, &meanwhile, decision, note) {
            Ok(c) => chosen.push(c),
            Err(_) => left.push(id),
        }
    }
    Ok((chosen, left))
}

fn record(
    ctx: &Context,
    desk: &Desk<'_>,
    chosen: Vec<Chosen>,
    args: &Args,
    noteless: &[Id],
) -> Result<Outcome, CliError> {
    let left = |out: Outcome| match noteless {
        [] => out,
        ids => out.note(format!("left undecided, because the advice alone will not do: {}", super::view::ids(ids, 12))),
    };
    let had: BTreeSet<Id> = chosen.iter().map(|c| c.item.id).collect();
    let first = desk.undecided_first(&had);
    if args.sign && !first.is_empty() {
        return Err(sign::undecided(desk.review.month, &first));
    }
    if args.dry_run {
        return Ok(left(foreseen(ctx, desk, &chosen)?));
    }
    if chosen.is_empty() {
        let out = finish(desk, None, None)?;
        return Ok(left(if args.sign {
            out.note(format!("nothing is left to decide; sign: aosctl review sign --month {}", desk.review.month))
        } else {
            out
        }));
    }
    let operator = ctx.unlock(desk.ws)?;
    let (carried, warning) = desk
        .ws
        .transact(ctx.clock(), |tx| carry_out(tx, &operator, &desk.page(), &chosen))
        .map_err(|e: CarryError| nothing_done(e))?;
    let recorded = Recorded { by: operator.id, carried, chosen };
    let signed = if args.sign {
        let signed = sign::sign(desk.ws, ctx, &operator, desk.review.month, None);
        Some(signed.map_err(|e| words::done_already(e, "the decisions are recorded and carried out, and not signed"))?)
    } else {
        None
    };
    let told = finish(desk, Some(recorded), signed)
        .map_err(|e| words::done_already(e, "the decisions are recorded and carried out"))?;
    Ok(left(told.warn_if(warning)))
}

fn nothing_done(e: CarryError) -> CliError {
    let refused = !matches!(e, CarryError::Workspace(_));
    let e = CliError::from(e);
    if refused { nothing(e) } else { e }
}

/// So that the register of exits stands in one place.
pub fn exit(undecided: usize, open: bool) -> Exit {
    match (undecided, open) {
        (1.., _) => Exit::Pending,
        (0, true) => Exit::No,
        (0, false) => Exit::Done,
    }
}
