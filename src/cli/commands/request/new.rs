//! `aosctl request new`.

use schemars::JsonSchema;
use serde::Serialize;

use super::describe::Describe;
use super::verdict::{DecisionView, exit_of, exit_of_standing};
use crate::cli::error::CliError;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::cli::{Context, show};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::request::Standing;
use crate::domain::time::Time;
use crate::workspace::ask::{Prepared, Recorded, bind, is_audit_edit, record};
use crate::workspace::{AgentIdentity, By, OperatorIdentity, Workspace, claim};

/// Ask: decide, and record it.
///
/// Needs the agent's own identity. Allow, ask and deny are all recorded. The exit code answers: 0 allowed, 1 denied, 5 an
/// operator decides. With --idempotency-key, asking for the same again gives the same request, with where it stands now;
/// asking for something else under that key is refused. An operator may ask for one thing: to edit the audit trail
/// (--action audit.erase --resource entry:SEQ).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    describe: Describe,
    /// Decide, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A request, and what was decided about it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestNewView {
    /// Nothing was recorded.
    pub dry_run: bool,
    /// Its id; absent in a dry run.
    pub id: Option<Id>,
    /// Who asked.
    pub requester: Id,
    /// Where it stands now; absent in a dry run.
    pub standing: Option<Standing>,
    /// Undecided or unused from here on, it has expired; absent in a dry run.
    pub until: Option<Time>,
    /// It was recorded before, under the same idempotency key.
    pub again: bool,
    /// Only `aosctl run` may begin it, with the command that it carries.
    pub bound_command: bool,
    /// What was decided, and why. Of a request that was recorded before, the log keeps no sentences.
    #[serde(flatten)]
    pub decision: DecisionView,
}

impl View for RequestNewView {
    const SCHEMA: &'static str = "aosctl.request-new/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        if let Some(id) = self.id {
            out.push_str(&show::field(screen, "request", &id.to_string()));
        }
        out.push_str(&self.decision.page(screen));
        if let Some(standing) = self.standing {
            out.push_str(&show::field(screen, "standing", standing.as_str()));
        }
        if let Some(until) = self.until {
            out.push_str(&show::field(screen, "until", &show::minute(until)));
        }
        out
    }
}

/// Who asks.
enum Asker {
    Agent(AgentIdentity),
    Operator(OperatorIdentity),
}

impl Asker {
    fn id(&self) -> Id {
        match self {
            Asker::Agent(a) => a.id,
            Asker::Operator(o) => o.id,
        }
    }

    fn by(&self) -> By<'_> {
        match self {
            Asker::Agent(a) => a.by(),
            Asker::Operator(o) => o.by(),
        }
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let prepared = Prepared::for_record(args.describe.ask()?)?;
    let ws = ctx.open()?;
    let asker = asker(ctx, &ws, &prepared)?;
    if args.dry_run {
        return dry_run(ctx, &ws, &prepared, asker.id());
    }
    let (recorded, warning) = ws.transact(ctx.clock(), |tx| record(&ws, tx, asker.by(), asker.id(), &prepared))?;
    let standing = claim::standing(&ws, &recorded.request, recorded.now)?;
    let r = &recorded.request;
    let (exit, decision) = match &recorded.decision {
        Some(d) => (exit_of(d.verdict), DecisionView::of(d, Some(&r.facets), Some(r.policy.clone()))),
        None => (exit_of_standing(standing), DecisionView::recorded(r)),
    };
    let notes = next_steps(&recorded, standing, &decision);
    let view = RequestNewView {
        dry_run: false,
        id: Some(r.id),
        requester: r.requester,
        standing: Some(standing),
        until: Some(r.until),
        again: recorded.decision.is_none(),
        bound_command: r.bound_command,
        decision,
    };
    let outcome = notes.into_iter().fold(Outcome::of(exit, view), Outcome::note);
    Ok(outcome.warn_if(warning))
}

/// The agent that presents itself; for an edit of the audit trail, else an operator.
fn asker(ctx: &Context, ws: &Workspace, p: &Prepared) -> Result<Asker, CliError> {
    match ctx.agent(ws) {
        Ok(agent) => Ok(Asker::Agent(agent)),
        Err(_) if is_audit_edit(&p.ask) => Ok(Asker::Operator(ctx.unlock(ws)?)),
        Err(e) => Err(e),
    }
}

fn dry_run(ctx: &Context, ws: &Workspace, p: &Prepared, requester: Id) -> Result<Outcome, CliError> {
    let pinned = ws.pinned()?;
    let _moment = ws.store().snapshot()?;
    let now = ws.moment(pinned, ctx.clock())?;
    let facts = ws.facts();
    let policy = facts.policy()?.map(|p| p.digest.clone());
    let binding = bind(&facts, p, requester)?;
    let d = binding.weigh(&facts, now)?;
    let view = RequestNewView {
        dry_run: true,
        id: None,
        requester,
        standing: None,
        until: None,
        again: false,
        bound_command: p.ask.command.is_some(),
        decision: DecisionView::of(&d, Some(&binding.proposal.facets), policy),
    };
    Ok(Outcome::of(exit_of(d.verdict), view).note("dry run: nothing was recorded"))
}

/// What happens now, and what to type.
fn next_steps(recorded: &Recorded, standing: Standing, decision: &DecisionView) -> Vec<String> {
    let r = &recorded.request;
    let id = r.id;
    let begin = if r.bound_command {
        format!("aosctl run {id} -- CMD...")
    } else {
        format!("aosctl run {id} -- CMD..., or: aosctl request begin {id}")
    };
    let mut lines = Vec::new();
    if recorded.decision.is_none() {
        lines.push(format!("{id} was asked for before under this key; nothing new was recorded"));
    }
    lines.push(match standing {
        Standing::Allowed => format!("it may be begun once, before {}: {begin}", show::minute(r.until)),
        Standing::Approved => format!("it was approved and may be begun once: {begin}"),
        Standing::Pending => {
            let who = if r.approvers > 1 { format!("{} operators", r.approvers) } else { "an operator".into() };
            format!(
                "{who} must approve it before {}. Wait for the answer: aosctl request wait {id}",
                show::minute(r.until)
            )
        }
        other => match &decision.fix {
            Some(line) => format!("an operator can open the door: {}", safe(line)),
            None => format!("it is {}, and nothing may be done for it", other.as_str()),
        },
    });
    lines
}

/// Reads an id such as `r-57`.
pub fn request_id(typed: &str) -> Result<Id, String> {
    match typed.parse::<Id>() {
        Ok(id) if id.kind == crate::domain::id::IdKind::Request => Ok(id),
        _ => Err(format!("{typed:?} is not the id of a request, such as r-57")),
    }
}
