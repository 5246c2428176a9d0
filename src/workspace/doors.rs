//! Questions about doors: which are open, what stands on them, how they were used, what was said about them.
//!
//! The projection is asked only where to look; what a grant is comes from its verified entries (law 6).

use std::rc::Rc;

use super::{Workspace, WorkspaceError};
use crate::domain::authority::Entry;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::request::{Request, Standing, Surroundings};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::store::{GrantFilter, RequestFilter};

/// Grants that were looked for, each read from its verified entries.
#[derive(Debug, Default)]
pub struct Doors {
    /// Those that verify.
    pub grants: Vec<Rc<Grant>>,
    /// Those whose entries do not verify. Nothing is allowed on them: every error on the way to a decision is a deny.
    pub damaged: Vec<Id>,
}

impl Doors {
    /// Only those that verify.
    ///
    /// # Errors
    /// [`WorkspaceError::Integrity`] where one does not.
    pub fn all(self) -> Result<Vec<Rc<Grant>>, WorkspaceError> {
        match self.damaged.first() {
            None => Ok(self.grants),
            Some(id) => Err(WorkspaceError::integrity(None, format!("the entries about {id} do not hold"))),
        }
    }
}

/// What stands on a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingOn {
    /// Pending, allowed or approved, or frozen: closing the door cancels these.
    pub waiting: Vec<(Id, Standing)>,
    /// Begun, without an outcome: closing the door does not stop these.
    pub running: Vec<Id>,
}

/// One thing that was said about a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The entry.
    pub entry: Entry,
    /// What it says.
    pub event: Event,
    /// It has authority; one without is in the log and changes nothing.
    pub counts: bool,
}

impl Workspace {
    /// The live grants of an agent, to an integration, or of and to any.
    pub fn open_doors(&self, agent: Option<Id>, integration: Option<Id>, now: Time) -> Result<Doors, WorkspaceError> {
        let facts = self.facts();
        let mut doors = Doors::default();
        // Not filtered by what the projection holds to be live: it may be wrong.
        for row in self.store().grants(&GrantFilter { agent, integration, live_at: None })? {
            match facts.grant(row.id) {
                Ok(Some(g)) => {
                    let wanted = agent.is_none_or(|a| a == g.agent) && integration.is_none_or(|i| i == g.integration);
                    if wanted && g.is_live(now) {
                        doors.grants.push(g);
                    }
                }
                Ok(None) => {}
                Err(WorkspaceError::Integrity { .. }) => doors.damaged.push(row.id),
                Err(e) => return Err(e),
            }
        }
        Ok(doors)
    }

    /// What stands on a grant at a moment.
    pub fn standing_on(&self, grant: Id, now: Time) -> Result<StandingOn, WorkspaceError> {
        self.sort_standing(&self.store().requests(RequestFilter::OnGrant(grant))?, now)
    }

    /// Sorts requests into those that wait and those that run; the others are left out.
    pub fn sort_standing(&self, requests: &[Request], now: Time) -> Result<StandingOn, WorkspaceError> {
        let mut on = StandingOn::default();
        for r in requests {
            // What is over by itself is most of what there is, and needs no look at entries.
            if r.standing(Surroundings { now, alive: true, frozen: false }) == Standing::Expired {
                continue;
            }
            match self.standing(r, now)? {
                s @ (Standing::Pending | Standing::Allowed | Standing::Approved | Standing::Frozen) => {
                    on.waiting.push((r.id, s))
                }
                Standing::Claimed => on.running.push(r.id),
                _ => {}
            }
        }
        Ok(on)
    }

    /// Everything that was said about a subject, verified, oldest first.
    pub fn said_about(&self, subject: Id) -> Result<Vec<Said>, WorkspaceError> {
        let facts = self.facts();
        let mut said = Vec::new();
        for stored in self.store().about(subject, u64::MAX)? {
            let (entry, event) = facts.verified(&stored)?;
            let counts = facts.invalid(entry.seq)?.is_none();
            said.push(Said { entry, event, counts });
        }
        Ok(said)
    }
}

/// Does one of two scopes lie inside the other? Then both open the same door, at least in part.
pub fn same_door(a: &Scope, b: &Scope) -> bool {
    a.covers(b) || b.covers(a)
}
