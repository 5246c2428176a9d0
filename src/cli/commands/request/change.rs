//! What the verbs that change a request answer.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::{Context, show};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::request::{Request, Standing};
use crate::workspace::{AgentIdentity, Tx, Workspace, WorkspaceError, claim};

/// A request after something was recorded about it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestChangeView {
    /// Nothing was recorded.
    pub dry_run: bool,
    /// Which.
    pub id: Id,
    /// Where it stands now; in a dry run, where it would stand.
    pub standing: Standing,
    /// Its money was released: it counts no more toward the caps.
    pub released: bool,
}

impl View for RequestChangeView {
    const SCHEMA: &'static str = "aosctl.request-change/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "request", &self.id.to_string());
        let would = if self.dry_run { "would be " } else { "" };
        out.push_str(&show::field(screen, "standing", &format!("{would}{}", self.standing.as_str())));
        if self.released {
            out.push_str(&show::field(screen, "money", "released: it counts no more toward the caps"));
        }
        out
    }
}

/// Runs a change of one request, or in a dry run all of it but the end: the same code says whether it would be done.
pub fn change(
    ctx: &Context,
    ws: &Workspace,
    id: Id,
    dry_run: bool,
    act: impl FnOnce(&mut Tx<'_>) -> Result<(), CliError>,
) -> Result<Outcome, CliError> {
    enum Stop {
        DryRun(RequestChangeView),
        Error(CliError),
    }
    impl From<WorkspaceError> for Stop {
        fn from(e: WorkspaceError) -> Stop {
            Stop::Error(e.into())
        }
    }
    let done = ws.transact(ctx.clock(), |tx| {
        let counted = |tx: &Tx<'_>| tx.facts().spend(id).map(|s| s.is_some_and(|s| s.released_seq.is_none()));
        let before = counted(tx)?;
        act(tx).map_err(Stop::Error)?;
        let r = tx.facts().request(id)?.ok_or_else(|| Stop::Error(no_such_request(id)))?;
        let view =
            RequestChangeView { dry_run, id, standing: ws.standing(&r, tx.now())?, released: before && !counted(tx)? };
        if dry_run { Err(Stop::DryRun(view)) } else { Ok(view) }
    });
    match done {
        Ok((view, warning)) => Ok(Outcome::of(Exit::Done, view).warn_if(warning)),
        Err(Stop::DryRun(view)) => Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was recorded")),
        Err(Stop::Error(e)) => Err(e),
    }
}

/// The request of that id, of the agent that presents itself.
pub fn own_request(ctx: &Context, ws: &Workspace, id: Id) -> Result<(AgentIdentity, std::rc::Rc<Request>), CliError> {
    let agent = ctx.agent(ws)?;
    let r = ws.facts().request(id)?.ok_or_else(|| no_such_request(id))?;
    if r.requester == agent.id {
        return Ok((agent, r));
    }
    Err(claim::ClaimError::NotTheRequester { request: id, requester: r.requester }.into())
}

/// There is no such request.
pub fn no_such_request(id: Id) -> CliError {
    claim::ClaimError::Missing(id).into()
}
