//! `aosctl audit log`.

use std::io::Write;

use super::entry::EntryView;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::term::Pager;
use crate::domain::time::{Span, Time};
use crate::workspace::Workspace;

/// Entries that are read together.
const BATCH: usize = 1_000;

/// List entries, newest last.
///
/// With --json one object a line (JSON lines), so that a log of any length can be piped. Nothing here proves anything:
/// that is what `aosctl audit verify` does.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only entries signed by this operator or agent (id or name), or by `log`
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only this type, or all that begin so: `grant`, `request.made`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only entries about this id or name: r-57, g-7, build-bot
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only entries signed at or after this time: 2026-11-01, 2026-11-01T09:00:00Z, or so long ago: 7d, 12h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only entries signed before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only the newest so many that match
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

/// What is wanted, with names resolved.
struct Filter {
    actor: Option<String>,
    kind: Option<String>,
    subject: Option<String>,
    since: Option<Time>,
    until: Option<Time>,
}

impl Filter {
    fn wants(&self, e: &EntryView) -> bool {
        let same = |want: &Option<String>, have: &str| want.as_ref().is_none_or(|w| w == have);
        let kind = self
            .kind
            .as_ref()
            .is_none_or(|k| e.kind == *k || e.kind.strip_prefix(k.as_str()).is_some_and(|r| r.starts_with(['.', '/'])));
        let time = e.time();
        same(&self.actor, &e.actor)
            && same(&self.subject, &e.subject)
            && kind
            && self.since.is_none_or(|s| time.is_none_or(|t| t >= s))
            && self.until.is_none_or(|u| time.is_none_or(|t| t < u))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let workspace = ctx.open()?;
    let now = ctx.clock();
    let filter = Filter {
        actor: args.actor.as_deref().map(|a| named(&workspace, a)).transpose()?,
        subject: args.subject.as_deref().map(|a| named(&workspace, a)).transpose()?,
        kind: args.kind,
        since: args.since.as_deref().map(|t| time(t, now)).transpose()?,
        until: args.until.as_deref().map(|t| time(t, now)).transpose()?,
    };
    let _snapshot = workspace.store().snapshot()?;
    let corrected = workspace.store().corrected()?;
    let mut kept: std::collections::VecDeque<EntryView> = std::collections::VecDeque::new();
    let json = ctx.json();
    let width = ctx.screen().width;
    // Streamed where it can be: held back only for the pager and for --last.
    let hold = args.last.is_some() || !json;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut from = 0;
    loop {
        let batch = workspace.store().range(from, BATCH)?;
        let Some(last) = batch.last() else { break };
        from = last.seq + 1;
        for stored in &batch {
            let mut entry = EntryView::of(stored);
            entry.corrected = corrected.contains(&stored.seq);
            if !filter.wants(&entry) {
                continue;
            }
            if hold {
                kept.push_back(entry);
                if args.last.is_some_and(|n| kept.len() > n) {
                    kept.pop_front();
                }
            } else if !write_line(&mut out, &entry)? {
                return Ok(Outcome::silent(Exit::Done));
            }
        }
    }
    if json {
        for entry in &kept {
            if !write_line(&mut out, entry)? {
                break;
            }
        }
        let _ = out.flush();
        return Ok(Outcome::silent(Exit::Done));
    }
    drop(out);
    let mut page = String::new();
    for entry in &kept {
        page.push_str(&entry.line(width));
        page.push('\n');
    }
    Pager::new(&ctx.env).show(&page)?;
    let note =
        if kept.is_empty() { "no entry matches" } else { "times are UTC; one entry whole: aosctl audit show SEQ" };
    Ok(Outcome::silent(Exit::Done).note(note))
}

/// Writes one JSON line; `false` when the reader went away.
fn write_line(out: &mut impl Write, entry: &EntryView) -> Result<bool, CliError> {
    let text = serde_json::to_string(entry).map_err(|e| CliError::could_not("json", e.to_string()))?;
    match writeln!(out, "{text}") {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(CliError::could_not("stdout", format!("stdout cannot be written: {e}"))),
    }
}

/// An id as it is, or the id of that name.
fn named(workspace: &Workspace, typed: &str) -> Result<String, CliError> {
    use crate::domain::id::{Actor, Id};
    if typed.parse::<Id>().is_ok() || typed.parse::<Actor>().is_ok() {
        return Ok(typed.to_string());
    }
    if let Some(agent) = workspace.find_agent(typed)? {
        return Ok(agent.id.to_string());
    }
    if let Some(integration) = workspace.find_integration(typed)? {
        return Ok(integration.id.to_string());
    }
    if let Some(operator) = workspace.find_operator(typed)? {
        return Ok(operator.id.to_string());
    }
    Err(CliError::no("unknown_name", format!("nothing here is called {}", crate::cli::text::safe(typed)))
        .hint("see the names: aosctl agent list, aosctl integration list, aosctl operator list"))
}

/// A moment as people type it: a day, an RFC 3339 time, or how long ago.
pub(crate) fn time(typed: &str, now: Time) -> Result<Time, CliError> {
    if let Ok(ago) = typed.parse::<Span>() {
        return Ok(now.minus(ago));
    }
    let day = format!("{typed}T00:00:00Z");
    let parsed = typed.parse::<jiff::Timestamp>().or_else(|_| day.parse::<jiff::Timestamp>());
    parsed.map(Time::from).map_err(|_| {
        CliError::usage(format!("{:?} is not a time", crate::cli::text::safe(typed)))
            .hint("write 2026-11-01, 2026-11-01T09:00:00Z, or how long ago: 7d, 12h, 30m")
    })
}
