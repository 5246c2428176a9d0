//! `aosctl review sign`.

pub(in crate::cli) mod view;

use std::collections::BTreeSet;

pub use view::ReviewSignedView;
use view::{LeftOpen, OwnItem};

use super::page;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::event::ReviewSigned;
use crate::domain::id::Id;
use crate::domain::review::Month;
use crate::log::tree::{Frontier, leaf_hash};
use crate::review::carry::{now_of, todo_now};
use crate::review::model::{Item, Remedy, Review};
use crate::review::page_digest;
use crate::workspace::{OperatorIdentity, Trusted, Workspace, WorkspaceError};

/// Stand by an access review, with your signature
///
/// Everything that comes first must be decided. Signed are the digest of the page, where the log stood, how many items there
/// were, and what is OPEN: that becomes the first line of the next review. The decisions stand in the log before the
/// signature. Items that you own, or are, are named as self-reviewed. A review is signed once, and nothing can be decided in
/// it afterwards.
///
/// Exit 0: signed. Exit 1: it was signed before. Exit 5: something that comes first is not decided.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which review, such as 2026-10 [default: the last month that is over]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// What you add, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Say what would be signed; sign nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let note = args.note.as_deref().map(|n| words::text("--note", n)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "sign a review")?;
    let month = page::month(&ws, args.month, ws.now(ctx.clock())?)?;
    let review = page::compute(&ws, month, ctx.clock())?;
    signable(&review)?;
    if args.dry_run {
        let left = open(&review, &ws.facts())?;
        let view = ReviewSignedView::of(&review, true, page_digest(&review), left, own(&review, None));
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was signed"));
    }
    let operator = ctx.unlock(&ws)?;
    let (view, warning) = sign(&ws, ctx, &operator, month, note)?;
    Ok(told(view).warn_if(warning))
}

/// The outcome, with what is left.
fn told(view: ReviewSignedView) -> Outcome {
    let left = match (view.open.len(), view.undecided.len()) {
        (0, 0) => None,
        (open, undecided) => Some(format!(
            "signed with {open} OPEN and {undecided} undecided; what is OPEN stays so: aosctl review check"
        )),
    };
    let out = Outcome::of(Exit::Done, view);
    match left {
        Some(text) => out.note(text),
        None => out,
    }
}

/// Nobody signed it, and what comes first is decided.
fn signable(review: &Review) -> Result<(), CliError> {
    let month = review.month;
    if let Some(s) = &review.signature {
        return Err(CliError::no(
            "signed",
            format!("the review of {month} was signed before, by {}", safe(&page::who(&s.by))),
        )
        .hint(format!("look at it: aosctl review --month {month}")));
    }
    if let Some(s) = review.population.sources.iter().find(|s| s.hides()) {
        let what = format!("the review of {month} does not show all {}, and cannot be signed", safe(&s.name));
        return Err(CliError::new(Exit::Integrity, "incomplete", what)
            .because(safe(s.failed.as_deref().unwrap_or_default()))
            .hint("see everything that is wrong: aosctl audit verify"));
    }
    let first: Vec<Id> = review.first.iter().filter(|i| i.decided.is_none()).map(|i| i.id).collect();
    if first.is_empty() { Ok(()) } else { Err(undecided(month, &first)) }
}

/// Something that comes first is not decided.
pub fn undecided(month: Month, first: &[Id]) -> CliError {
    let n = first.len();
    let what = if n == 1 { "1 item that comes first is".into() } else { format!("{n} items that come first are") };
    CliError::new(
        Exit::Pending,
        "undecided",
        format!("{what} not decided in the review of {month}: {}", super::decide::view::ids(first, 20)),
    )
    .because("a signature stands for every one of them; nothing was signed")
    .hint(format!("decide: aosctl review decide --month {month}"))
}

/// Signs it, as it is at that moment; gives what was signed, and what is to be said of the pin.
pub fn sign(
    ws: &Workspace,
    ctx: &Context,
    operator: &OperatorIdentity,
    month: Month,
    note: Option<String>,
) -> Result<(ReviewSignedView, Option<WorkspaceError>), CliError> {
    // What is slow is done before the lock, and once more only where the log grew in between.
    let last = ws.store().last_seq()?;
    let before = page::compute(ws, month, ctx.clock())?;
    signable(&before)?;
    let entries = before.log.entries;
    let root = root_over(ws, entries)?;
    let (digest, warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let review = if ws.store().last_seq()? == last { before } else { page::compute(ws, month, tx.now())? };
        signable(&review)?;
        if review.log.entries != entries {
            return Err(CliError::no("changed", "the log changed while it was signed").hint("try again"));
        }
        let digest = page_digest(&review);
        let event = ReviewSigned {
            review: month.id(),
            as_of: review.as_of,
            entries: review.log.entries,
            root: root.clone(),
            page: digest.clone(),
            items: u64::try_from(review.first.len() + review.rest.len()).unwrap_or(u64::MAX),
            open: open(&review, tx.facts())?.into_iter().map(|o| o.item).collect(),
            note,
        };
        tx.append(operator.by(), event)?;
        Ok(digest)
    })?;
    let tell = || -> Result<ReviewSignedView, CliError> {
        let review = page::compute(ws, month, ctx.clock())?;
        let left = open(&review, &ws.facts())?;
        Ok(ReviewSignedView::of(&review, false, digest.clone(), left, own(&review, Some(operator.id))))
    };
    let view = tell().map_err(|e| words::done_already(e, "the review is signed"))?;
    Ok((view, warning))
}

/// The root of the tree over the first entries.
fn root_over(ws: &Workspace, entries: u64) -> Result<String, CliError> {
    let mut tree = Frontier::new();
    while tree.size() < entries {
        let left = usize::try_from(entries - tree.size()).unwrap_or(usize::MAX);
        let part = ws.store().range(tree.size(), left.min(4096))?;
        if part.is_empty() {
            return Err(CliError::new(Exit::Integrity, "integrity", "entries of the log are missing")
                .hint("see everything that is wrong: aosctl audit verify"));
        }
        for stored in part {
            tree.push(leaf_hash(&stored.envelope));
        }
    }
    Ok(tree.root().to_hex())
}

fn items(review: &Review) -> impl Iterator<Item = &Item> {
    review.first.iter().chain(&review.rest)
}

/// What was decided and is not so.
fn open(review: &Review, facts: &Trusted<'_>) -> Result<Vec<LeftOpen>, WorkspaceError> {
    items(review)
        .filter_map(|i| i.decided.as_ref().filter(|d| d.remedy == Remedy::Open).map(|d| (i, d)))
        .map(|(i, d)| {
            let left = todo_now(i.id, d.decision, i.narrower.as_ref(), &now_of(facts, i.id)?);
            Ok(LeftOpen { item: i.id, decision: d.decision, left })
        })
        .collect()
}

/// What was decided by somebody about what is their own.
fn own(review: &Review, by: Option<Id>) -> Vec<OwnItem> {
    let mine = |d: &Id| by.is_none_or(|by| by == *d);
    items(review)
        .filter_map(|i| i.decided.as_ref().filter(|d| d.self_review && mine(&d.by.id)).map(|d| (i, d)))
        .map(|(i, d)| OwnItem { item: i.id, decision: d.decision, by: d.by.id })
        .collect()
}

/// The operators who decided in it.
fn deciders(review: &Review) -> BTreeSet<Id> {
    items(review).filter_map(|i| i.decided.as_ref()).map(|d| d.by.id).collect()
}
