//! `aosctl request wait`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::new::request_id;
use super::verdict::exit_of_standing;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::{Context, show};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::request::{Request, Standing};
use crate::domain::time::{Span, Time};
use crate::sys::clock::Stopwatch;
use crate::sys::watch::Watch;
use crate::workspace::{Workspace, claim};

/// Wait for the answer.
///
/// By the agent that asked. It ends as soon as an operator answered, the request expired or was cancelled, or a freeze
/// began; `standing` in the JSON says which. Exit 0: it may be begun. 1: it may not. 5: still pending at the timeout.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "REQUEST", value_parser = request_id)]
    request: Id,
    /// Wait at most so long: 10m, 30s, 0s [default: until it expires]
    #[arg(long, value_name = "TIME")]
    timeout: Option<Span>,
}

/// The answer, or that there is none yet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestWaitView {
    /// Which.
    pub id: Id,
    /// Where it stands: pending, allowed, approved, denied, expired, withdrawn, cancelled, frozen; or claimed, succeeded,
    /// failed, unknown where it was begun already.
    pub standing: Standing,
    /// Until when it may be answered, or begun.
    pub until: Time,
    /// Milliseconds that it was waited for.
    pub waited_ms: u64,
}

impl View for RequestWaitView {
    const SCHEMA: &'static str = "aosctl.request-wait/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "request", &self.id.to_string());
        out.push_str(&show::field(screen, "standing", self.standing.as_str()));
        out.push_str(&show::field(screen, "until", &show::minute(self.until)));
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let id = args.request;
    // Looking at one's own request is for agents; an operator's request has no agent, and anyone who can open the
    // workspace can read it.
    let by_operator = ws.facts().request(id)?.is_some_and(|r| r.requester.kind == IdKind::Operator);
    if !by_operator {
        super::change::own_request(ctx, &ws, id)?;
    }
    let started = Stopwatch::start();
    let limit = args.timeout.map(|t| Duration::from_millis(u64::try_from(t.millis()).unwrap_or(0)));
    let mut watch = Watch::directory(&ws.place().dir);
    let left = || limit.map(|l| l.saturating_sub(started.elapsed()));
    let (request, standing) = loop {
        // Read before the look: what is committed in between makes it differ, and is looked at.
        let seen = ws.store().data_version()?;
        let (request, standing, now) = look(ctx, &ws, id)?;
        if standing != Standing::Pending || left().is_some_and(|l| l.is_zero()) {
            break (request, standing);
        }
        let next = next_end(&ws, &request, now)?;
        loop {
            let clock = ctx.clock();
            let to_end =
                next.map(|t| Duration::from_millis(u64::try_from(t.since(clock).millis()).unwrap_or(u64::MAX)));
            watch.wait(to_end.into_iter().chain(left()).min().unwrap_or(Duration::MAX));
            let over = left().is_some_and(|l| l.is_zero()) || next.is_some_and(|t| ctx.clock() >= t);
            if over || ws.store().data_version()? != seen {
                break;
            }
        }
    };
    let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let until = if standing == Standing::Approved { approved_until(&request) } else { request.until };
    let outcome = Outcome::of(exit_of_standing(standing), RequestWaitView { id, standing, until, waited_ms });
    let begin =
        if request.bound_command { format!("aosctl run {id} -- CMD...") } else { format!("aosctl request begin {id}") };
    Ok(match outcome.exit {
        Exit::Done => outcome.note(format!("it may be begun once: {begin}")),
        Exit::Pending => outcome.note("nobody has answered yet"),
        _ if standing == Standing::Frozen => outcome.note("an operator ends the freeze: aosctl thaw"),
        _ => outcome,
    })
}

fn look(ctx: &Context, ws: &Workspace, id: Id) -> Result<(std::rc::Rc<Request>, Standing, Time), CliError> {
    let _moment = ws.store().snapshot()?;
    let now = ws.now(ctx.clock())?;
    let r = ws.facts().request(id)?.ok_or_else(|| super::change::no_such_request(id))?;
    let standing = claim::standing(ws, &r, now)?;
    Ok((r, standing, now))
}

/// The next moment at which the answer may change by itself: nothing is written when a request, an approval or a grant
/// ends.
fn next_end(ws: &Workspace, r: &Request, now: Time) -> Result<Option<Time>, CliError> {
    let mut ends = vec![r.until];
    ends.extend(r.approvals.iter().map(|a| a.until));
    if let Some(grant) = r.grant {
        ends.extend(ws.facts().grant(grant)?.and_then(|g| g.until));
    }
    Ok(ends.into_iter().filter(|t| *t > now).min())
}

/// Enough approvals count before this moment.
fn approved_until(r: &Request) -> Time {
    let mut ends: Vec<Time> = r.approvals.iter().map(|a| a.until).collect();
    ends.sort_unstable_by(|a, b| b.cmp(a));
    ends.get(usize::from(r.approvers.max(1)) - 1).copied().unwrap_or(r.until)
}
