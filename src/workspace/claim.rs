//! Beginning what was allowed or approved: once, and never again by itself (law 4).
//!
//! `aosctl run` holds a lock on `run/r-57.lock` in the state directory from before its claim is on disk until its outcome
//! is. The kernel frees the lock however the process ends, so *claimed by run, without an outcome, and nobody holds the
//! lock* means that it was cut off in between: whoever looks shows it as `unknown`, and nothing runs it again. What an
//! agent claimed for itself (`request begin`) has no process to watch, and stays `claimed` until the agent reports.

use std::path::PathBuf;
use std::rc::Rc;

use super::command::{USUAL, difference};
use super::{By, Trusted, Tx, Workspace, WorkspaceError};
use crate::domain::bind::bind;
use crate::domain::decide::Verdict;
use crate::domain::event::{ClaimMode, Command, Event, RequestClaimed};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::{Carries, Key, Place};
use crate::domain::request::{Request, Standing};
use crate::domain::time::Time;
use crate::log::canonical;
use crate::sys::files;
use crate::sys::lock::Lock;

/// How often, and how long in between, a lock is tried again that somebody who only looks may hold for a moment.
const TRIES: u32 = 40;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// The members that say what a request would do; the others say why. Without these nothing begins.
const SAYS_WHAT: [&str; 2] = ["artifacts", "parameters"];

/// Why a request cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// There is no such request.
    #[error("{0} was never made")]
    Missing(Id),
    /// It is somebody else's.
    #[error("{request} was made by {requester}, and only it may do this")]
    NotTheRequester {
        /// Which.
        request: Id,
        /// By whom.
        requester: Id,
    },
    /// Another command than the one that was bound.
    #[error("that is not the command that {request} was decided for: {difference}")]
    OtherCommand {
        /// Which.
        request: Id,
        /// What differs.
        difference: String,
    },
    /// The bound command was erased, so nothing can be compared with it.
    #[error("the command that was bound to {0} was erased, so nothing can be run for it any more")]
    Erased(Id),
    /// What the request would do was erased, so nobody can tell whether it says more than was decided.
    #[error("what {request} would do was erased ({members}), so it can no longer be begun")]
    WhatIsErased {
        /// Which.
        request: Id,
        /// The members that are gone.
        members: String,
    },
    /// The parameters say more than the facets that were decided on.
    #[error("the parameters of {0} say more than the facets that were decided on")]
    FacetsTooLow(Id),
    /// The key that the grant carries is given to nobody.
    #[error("the secret of {key} is given to nobody: {why}")]
    Withheld {
        /// Which.
        key: Id,
        /// Why, in words.
        why: &'static str,
    },
    /// The program is none of those that the grant names.
    #[error("{program} may not have the secret of {key}: {difference}")]
    OtherProgram {
        /// Which grant carries the key.
        grant: Id,
        /// The programs that it names, by path.
        named: Vec<String>,
        /// Which key.
        key: Id,
        /// What would be started.
        program: String,
        /// How it differs from what the grant names.
        difference: String,
    },
    /// Variables that nobody saw would reach the program that gets the secret.
    #[error("{program} would get {variables} together with the secret of {key}, and no operator saw that")]
    Unseen {
        /// Which key.
        key: Id,
        /// What would be started.
        program: String,
        /// The variables, beyond the usual ones.
        variables: String,
    },
    /// The key changed after its secret was opened.
    #[error("{0} was changed while its secret was fetched, and nothing was begun")]
    KeyChanged(Id),
    /// Another `aosctl run` is at it.
    #[error("another aosctl run has begun {0}")]
    Running(Id),
    /// The workspace, or the authority table.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// Held while a child runs. Dropped without [`RunLock::settle`], it leaves the file, and with it the question.
#[derive(Debug)]
pub struct RunLock {
    _lock: Lock,
    path: PathBuf,
}

impl RunLock {
    /// The outcome is on disk, so nobody has to ask any more.
    pub fn settle(self) {
        // A request that has an outcome is never claimed again, so no other lock of that name will be taken.
        crate::sys::files::remove_file(&self.path);
    }
}

fn lock_path(ws: &Workspace, id: Id) -> PathBuf {
    ws.state_dir().join("run").join(format!("{id}.lock"))
}

/// Takes the lock of a request, before it is claimed.
///
/// # Errors
/// [`ClaimError::Running`]; what the file system gives.
pub fn lock(ws: &Workspace, id: Id) -> Result<RunLock, ClaimError> {
    let path = lock_path(ws, id);
    let io = |e| ClaimError::Workspace(WorkspaceError::Sys(e));
    files::create_private_dir(&ws.state_dir().join("run")).map_err(io)?;
    for _ in 0..TRIES {
        // One that was refused, or has ended, removes the file: a lock on that one would be seen by nobody.
        if let Some(lock) = Lock::try_now(&path).map_err(io)?.filter(|lock| lock.is_of(&path)) {
            return Ok(RunLock { _lock: lock, path });
        }
        std::thread::sleep(PAUSE);
    }
    Err(ClaimError::Running(id))
}

/// Does a living `aosctl run` hold that request?
///
/// # Errors
/// What the file system gives.
pub fn is_running(ws: &Workspace, id: Id) -> Result<bool, WorkspaceError> {
    Ok(Lock::is_held(&lock_path(ws, id))?)
}

/// How a request was claimed, if it was. Verified.
///
/// # Errors
/// What reading the entry gives.
pub fn mode(ws: &Workspace, r: &Request) -> Result<Option<ClaimMode>, WorkspaceError> {
    let Some(seq) = r.claimed_seq else { return Ok(None) };
    match ws.event(seq)?.1 {
        Event::RequestClaimed(b) if b.request == r.id => Ok(Some(b.mode)),
        _ => Err(WorkspaceError::integrity(seq, format!("entry {seq} does not claim {}", r.id))),
    }
}

/// Where a request stands at a moment, with what the log alone cannot know: a run that was cut off is `unknown`.
///
/// # Errors
/// What reading gives.
pub fn standing(ws: &Workspace, r: &Request, now: Time) -> Result<Standing, WorkspaceError> {
    let standing = ws.standing(r, now)?;
    if standing != Standing::Claimed || mode(ws, r)? != Some(ClaimMode::Run) || is_running(ws, r.id)? {
        return Ok(standing);
    }
    // It may have ended between the two looks; then its outcome is there by now.
    let settled = ws.facts().request(r.id)?.filter(|r| r.outcome.is_some());
    settled.map_or(Ok(Standing::Unknown), |r| ws.standing(&r, now))
}

/// Claims a request for its requester, who is `by`. What `aosctl run` would start is compared with what was bound, inside
/// the claim's own transaction; the decision is made again there too.
///
/// # Errors
/// [`ClaimError`]; a refusal of the authority table says why nothing may begin.
pub fn claim(
    ws: &Workspace,
    tx: &mut Tx<'_>,
    by: By<'_>,
    requester: Id,
    id: Id,
    what: Begin<'_>,
) -> Result<(), ClaimError> {
    let r = tx.facts().request(id)?.ok_or(ClaimError::Missing(id))?;
    if r.requester != requester {
        return Err(ClaimError::NotTheRequester { request: id, requester: r.requester });
    }
    let mut key = None;
    let mode = match what {
        Begin::ByAgent => ClaimMode::Agent,
        Begin::Run { command, extra, hand } => {
            if r.bound_command {
                let bound = bound_command(ws, &r)?.ok_or(ClaimError::Erased(id))?;
                if let Some(difference) = difference(&bound, command, extra) {
                    return Err(ClaimError::OtherCommand { request: id, difference });
                }
            }
            key = handed(tx, &r, command, hand)?;
            ClaimMode::Run
        }
    };
    let gone = super::ask::erased_members(ws, r.made_seq)?;
    let gone: Vec<&str> = gone.iter().map(String::as_str).filter(|name| SAYS_WHAT.contains(name)).collect();
    if !gone.is_empty() {
        return Err(ClaimError::WhatIsErased { request: id, members: gone.join(", ") });
    }
    if !facets_hold(ws, tx, &r)? {
        return Err(ClaimError::FacetsTooLow(id));
    }
    tx.append(by, RequestClaimed { request: id, mode, key })?;
    Ok(())
}

/// The grant of a request and the key that it carries, with what the grant says of it. Verified.
///
/// # Errors
/// What reading the entries gives.
pub fn carried(facts: &Trusted<'_>, r: &Request) -> Result<Option<(Id, Carries, Rc<Key>)>, WorkspaceError> {
    let Some(id) = r.grant else { return Ok(None) };
    let Some(carries) = facts.grant(id)?.and_then(|g| g.carries.clone()) else { return Ok(None) };
    let wrong = || WorkspaceError::integrity(None, format!("{id} carries {}, which was never added", carries.key));
    let key = facts.key(carries.key)?.ok_or_else(wrong)?;
    Ok(Some((id, carries, key)))
}

/// May that command have the secret that a grant carries, as things stand?
///
/// # Errors
/// [`ClaimError::Withheld`], [`ClaimError::OtherProgram`].
pub fn may_have(grant: Id, carries: &Carries, key: &Key, command: &Command) -> Result<(), ClaimError> {
    let withheld = |why| Err(ClaimError::Withheld { key: key.id, why });
    if !key.is_live() {
        return withheld("it was retired");
    }
    if key.leak_is_open() {
        return withheld("it leaked, and that is not closed");
    }
    if carries.names(&command.program, &command.program_sha256) {
        return Ok(());
    }
    let changed = carries.programs.iter().any(|p| p.path == command.program);
    let named: Vec<String> = carries.programs.iter().map(|p| p.path.clone()).collect();
    let difference = if changed {
        "it was changed since the grant named it: its SHA-256 is another".to_string()
    } else {
        format!("the grant names {}", named.join(", "))
    };
    Err(ClaimError::OtherProgram { grant, named, key: key.id, program: command.program.clone(), difference })
}

/// The key whose secret goes to the command, for the entry: found again inside the claim's own transaction, so that a leak
/// or a retirement of before counts, and what was opened is what lies there now.
fn handed(tx: &Tx<'_>, r: &Request, command: &Command, hand: Hand<'_>) -> Result<Option<Id>, ClaimError> {
    match (carried(tx.facts(), r)?, hand) {
        (_, Hand::Declined) | (None, Hand::Empty) => Ok(None),
        (Some((grant, carries, key)), Hand::Holds { key: held, place }) => {
            may_have(grant, &carries, &key, command)?;
            unseen(r, key.id, command)?;
            if key.id == held && key.facts.place == *place {
                Ok(Some(key.id))
            } else {
                Err(ClaimError::KeyChanged(key.id))
            }
        }
        (Some((_, carries, _)), Hand::Empty) => Err(ClaimError::KeyChanged(carries.key)),
        (None, Hand::Holds { key, .. }) => Err(ClaimError::KeyChanged(key)),
    }
}

/// Variables steer programs: many load code or start others by one (`GCONV_PATH`, `OPENSSL_CONF`, `GIT_SSH_COMMAND`), and
/// no list of those is ever complete. So beside a secret a program gets the usual ones, and beyond them only what an operator
/// approved with the bound command.
fn unseen(r: &Request, key: Id, command: &Command) -> Result<(), ClaimError> {
    if r.bound_command && r.decision == Verdict::Ask {
        return Ok(());
    }
    let more: Vec<&str> = command.environment.iter().map(String::as_str).filter(|name| !USUAL.contains(name)).collect();
    if more.is_empty() {
        return Ok(());
    }
    Err(ClaimError::Unseen { key, program: command.program.clone(), variables: more.join(", ") })
}

/// The secret that the runner has at hand.
#[derive(Debug, Clone, Copy)]
pub enum Hand<'a> {
    /// None, and the grant carries no key.
    Empty,
    /// None, although the grant may carry a key: so the runner wants it.
    Declined,
    /// That of this key, as it lay there when it was opened.
    Holds {
        /// Which key.
        key: Id,
        /// Where its secret was.
        place: &'a Place,
    },
}

/// Are the facets that were decided on at least what the parameters say? Replay cannot ask this, because parameters may
/// be erased; so whoever writes its own entry (an agent with a shell holds its identity) is asked here, before anything
/// begins. Parameters that were erased prove nothing: the caller has refused those.
fn facets_hold(ws: &Workspace, tx: &Tx<'_>, r: &Request) -> Result<bool, WorkspaceError> {
    let facts = tx.facts();
    let Event::RequestMade(made) = ws.event(r.made_seq)?.1 else {
        return Ok(false);
    };
    let (Some(integration), Some(policy)) = (r.integration, facts.policy()?) else {
        return Ok(true);
    };
    let Some(integration) = facts.integration(integration)? else {
        return Ok(false);
    };
    let Some(action) = policy.rules.kind(&integration.kind).and_then(|k| k.action(&r.action)) else {
        return Ok(true);
    };
    // Foreign JSON: any numbers are right, and duplicate names were refused when it was recorded.
    let parameters = match &made.parameters {
        None => None,
        Some(text) if canonical::check_foreign(text).is_err() => return Ok(false),
        Some(text) => serde_json::from_str(text).ok(),
    };
    let bound = bind(action, parameters.as_ref());
    Ok(r.facets.clone().raise(&bound) == r.facets)
}

/// How something is begun.
#[derive(Debug, Clone, Copy)]
pub enum Begin<'a> {
    /// The agent acts itself, and reports.
    ByAgent,
    /// `aosctl run` starts this.
    Run {
        /// What would be started.
        command: &'a Command,
        /// Variables that the runner names beyond the usual ones.
        extra: &'a [String],
        /// The secret that it would be given.
        hand: Hand<'a>,
    },
}

/// The command that was bound to a request; `None` if none was, or it was erased. Verified.
///
/// # Errors
/// What reading the entry gives.
pub fn bound_command(ws: &Workspace, r: &Request) -> Result<Option<Command>, WorkspaceError> {
    match ws.event(r.made_seq)?.1 {
        Event::RequestMade(b) if b.request == r.id => Ok(b.artifacts.and_then(|a| a.command)),
        _ => Err(WorkspaceError::integrity(r.made_seq, format!("entry {} does not make {}", r.made_seq, r.id))),
    }
}
