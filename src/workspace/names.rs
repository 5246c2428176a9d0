//! From what people type (an id or a name) to what it names. Answers come from verified entries.

use std::rc::Rc;

use super::{Trusted, Workspace, WorkspaceError};
use crate::domain::authority::Entry;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::request::{Request, Standing, Surroundings};
use crate::domain::time::Time;
use crate::store::KeyMatch;

impl Workspace {
    /// The agent of that id or name.
    pub fn find_agent(&self, typed: &str) -> Result<Option<Rc<Identity>>, WorkspaceError> {
        match typed.parse::<Id>() {
            Ok(id) if id.kind == IdKind::Agent => self.facts().identity(id),
            Ok(_) => Ok(None),
            Err(_) => self.facts().agent_named(typed),
        }
    }

    /// The operator of that id or name. Names are read from the enrolments, where they may have been erased; a name that
    /// two operators have names nobody.
    pub fn find_operator(&self, typed: &str) -> Result<Option<Rc<Identity>>, WorkspaceError> {
        if let Ok(id) = typed.parse::<Id>() {
            return if id.kind == IdKind::Operator { self.facts().identity(id) } else { Ok(None) };
        }
        let mut found = Vec::new();
        for operator in self.facts().operators()? {
            if self.operator_name(&operator)?.as_deref() == Some(typed) {
                found.push(operator);
            }
        }
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    /// An operator's name, if it was given and not erased. Foreign text.
    pub fn operator_name(&self, operator: &Identity) -> Result<Option<String>, WorkspaceError> {
        Ok(match self.event(operator.enrolled_seq)?.1 {
            Event::WorkspaceCreated(b) => b.name,
            Event::OperatorEnrolled(b) => b.name,
            _ => None,
        })
    }

    /// The integration of that id or name.
    pub fn find_integration(&self, typed: &str) -> Result<Option<Rc<Integration>>, WorkspaceError> {
        match typed.parse::<Id>() {
            Ok(id) if id.kind == IdKind::Integration => self.facts().integration(id),
            Ok(_) => Ok(None),
            Err(_) => self.facts().integration_named(typed),
        }
    }

    /// A key as it was just before an entry. Verified.
    pub fn key_before(&self, id: Id, seq: u64) -> Result<Option<Rc<Key>>, WorkspaceError> {
        self.facts().before(seq).key(id)
    }

    /// The key of that id, or the keys of that name, retired ones too, in the order of their ids.
    pub fn find_keys(&self, typed: &str) -> Result<Vec<Rc<Key>>, WorkspaceError> {
        let facts = self.facts();
        if let Ok(id) = typed.parse::<Id>() {
            return Ok(if id.kind == IdKind::Key { facts.key(id)?.into_iter().collect() } else { Vec::new() });
        }
        let mut found = Vec::new();
        for row in self.store().keys_matching(&KeyMatch::Name(typed))? {
            found.extend(facts.key(row.id)?.filter(|k| k.facts.name == typed));
        }
        Ok(found)
    }

    /// An entry, verified, with its event and its texts.
    pub fn event(&self, seq: u64) -> Result<(Entry, Event), WorkspaceError> {
        let stored = self
            .store()
            .entry(seq)?
            .ok_or_else(|| WorkspaceError::integrity(seq, format!("entry {seq} is missing")))?;
        self.facts().verified(&stored)
    }

    /// Where a request stands at a moment.
    pub fn standing(&self, r: &Request, now: Time) -> Result<Standing, WorkspaceError> {
        standing(&self.facts(), r, now)
    }
}

/// Where a request stands at a moment, by those facts. For many requests, keep the facts: they remember.
pub fn standing(facts: &Trusted<'_>, r: &Request, now: Time) -> Result<Standing, WorkspaceError> {
    let requester = facts.identity(r.requester)?;
    let operator_live = match requester.as_ref().and_then(|i| i.operator) {
        Some(op) => facts.identity(op)?.is_some_and(|o| o.is_live()),
        None => r.requester.kind == IdKind::Operator,
    };
    let grant: Option<Rc<Grant>> = match r.grant {
        Some(g) => facts.grant(g)?,
        None => None,
    };
    let grant_live = r.grant.is_none() || grant.is_some_and(|g| g.is_live(now));
    let alive = requester.is_some_and(|i| i.is_live()) && operator_live && grant_live;
    let frozen = facts.frozen(Id::WORKSPACE)?.is_some() || facts.frozen(r.requester)?.is_some();
    Ok(r.standing(Surroundings { now, alive, frozen }))
}
