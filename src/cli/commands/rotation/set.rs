//! `aosctl rotation set`.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::owner;
use super::view::KeyDue;
use super::words as key_words;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::commands::grant::view::Names;
use crate::cli::commands::key::find_live;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::event::RotationScheduled;
use crate::domain::facts::Facts;
use crate::domain::key::{Key, Schedule};
use crate::domain::time::{Span, Time};
use crate::rotation::{self, Listed};
use crate::workspace::Workspace;

/// How often a key is to be turned over, signed by an operator.
///
/// With --off the key has no schedule of its own any more, and the policy's counts again. There is no way to say that a key
/// need not be turned over.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The key, by id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: String,
    /// So often: 90d, 12w
    #[arg(long, value_name = "SPAN", value_parser = key_words::span, required_unless_present = "off", conflicts_with = "off")]
    every: Option<Span>,
    /// Say so long before that it will be due [default: the policy's, or less where it is turned over more often]
    #[arg(long, value_name = "SPAN", value_parser = key_words::span, conflicts_with = "off")]
    warn: Option<Span>,
    /// The operator who does it, by id or name [default: who answers for the key]
    #[arg(long, value_name = "OPERATOR", conflicts_with = "off", add = complete::operators())]
    owner: Option<String>,
    /// No schedule of its own: the policy's counts
    #[arg(long)]
    off: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what it would change, and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A schedule that was set.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotationSetView {
    /// Nothing was changed.
    pub dry_run: bool,
    /// The entry; absent in a dry run, and where it was so already.
    pub seq: Option<u64>,
    /// As of which moment.
    pub at: Time,
    /// The key as it stands with it.
    pub key: KeyDue,
}

impl View for RotationSetView {
    const SCHEMA: &'static str = "aosctl.rotation-set/v1";

    fn human(&self, screen: &Screen) -> String {
        let k = &self.key;
        let mut out = show::field(screen, "key", &k.key.long());
        let by = if k.own_schedule { "" } else { ", by the policy" };
        out.push_str(&show::field(screen, "every", &format!("{}, told {} before{by}", k.every, k.warn)));
        out.push_str(&show::field(screen, "by", &owner(k.owner.as_ref())));
        out.push_str(&show::field(screen, "now", &k.words()));
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "say how often a key is turned over")?;
    let key = find_live(&ws, &args.key)?;
    let policy = rotation::policy(&ws)?;
    let owner = args.owner.as_deref().map(|o| words::operator(&ws, o)).transpose()?;
    let schedule = args.every.map(|every| terms(every, args.warn, policy.warn)).transpose()?;
    let event = RotationScheduled {
        key: key.id,
        every: schedule.map(|(every, _)| every),
        warn: schedule.map(|(_, warn)| warn),
        owner,
        reason,
    };
    let same = |k: &Key| {
        let has = k.schedule.as_ref().map(|s| (s.every, s.warn, s.owner));
        has == schedule.map(|(every, warn)| (every, warn, owner))
    };
    if args.dry_run {
        let mut then = (*key).clone();
        then.schedule = schedule.map(|(every, warn)| Schedule { every, warn, owner, seq: 0 });
        return Ok(told(&ws, ctx, &then, None, true)?.note("dry run: nothing was done"));
    }
    let operator = ctx.unlock(&ws)?;
    let (seq, pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        if same(&*key_words::again(tx.facts(), &key)?) {
            return Ok(None);
        }
        Ok(Some(tx.append(operator.by(), event)?.seq))
    })?;
    let now = ws.facts().key(key.id)?.unwrap_or(key);
    let out = told(&ws, ctx, &now, seq, false)
        .map_err(|e| if seq.is_some() { words::done_already(e, "the schedule is set") } else { e })?;
    let out = if seq.is_none() { out.note("it was so already; nothing was changed") } else { out };
    Ok(out.warn_if(pin))
}

fn told(ws: &Workspace, ctx: &Context, key: &Key, seq: Option<u64>, dry_run: bool) -> Result<Outcome, CliError> {
    let now = ws.now(ctx.clock())?;
    let view = RotationSetView { dry_run, seq, at: now, key: due(ws, key, now)? };
    Ok(Outcome::of(Exit::Done, view))
}

/// A key with its state.
pub(super) fn due(ws: &Workspace, key: &Key, now: Time) -> Result<KeyDue, CliError> {
    let policy = rotation::policy(ws)?;
    let standing = rotation::of(ws, key, now)?
        .ok_or_else(|| CliError::no("retired", format!("{} was retired meanwhile", key.id)))?;
    KeyDue::of(&Listed { key: key.clone(), standing }, &policy, &mut Names::new(ws)?)
}

/// A quarter of it; in whole days where it is that long, since people think of this in days.
fn quarter(every: Span) -> Span {
    let quarter = every.millis() / 4;
    let days = quarter / Span::DAY.millis();
    Span::from_millis(if days > 0 { days * Span::DAY.millis() } else { quarter })
}

/// How often, and how long before that is said: not so long that it would always be said.
fn terms(every: Span, warn: Option<Span>, usual: Span) -> Result<(Span, Span), CliError> {
    if every.millis() == 0 {
        return Err(
            CliError::usage("--every: a key cannot be turned over all the time").hint("for example: --every 90d")
        );
    }
    match warn {
        Some(warn) if warn >= every => {
            Err(CliError::usage(format!("--warn {warn} is not shorter than --every {every}"))
                .hint("a warning comes before a key is due: --every 90d --warn 14d"))
        }
        Some(warn) => Ok((every, warn)),
        None => Ok((every, usual.min(quarter(every)))),
    }
}
