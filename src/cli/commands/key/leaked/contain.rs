//! First of all: close what it opens. One change that only takes rights away, so nothing stands in its way.

use std::rc::Rc;

use crate::cli::Context;
use crate::cli::context::Whoever;
use crate::cli::error::CliError;
use crate::domain::event::{GrantRevoked, KeyLeaked, WorkspaceFrozen};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::Key;
use crate::domain::time::Time;
use crate::store::{KeyMatch, RequestFilter};
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// What was closed.
#[derive(Debug, Default)]
pub(super) struct Contained {
    /// Nothing was done, only looked.
    pub(super) dry_run: bool,
    /// Every key that it was about: the ones that were meant, then what is the same secret as one of them.
    pub(super) keys: Vec<Id>,
    /// What is the same secret, and as which.
    pub(super) twins: Vec<(Id, Id)>,
    /// Keys that were said to have leaked just now; the others were before, and that is open.
    pub(super) said: Vec<Id>,
    /// Grants that were revoked.
    pub(super) revoked: Vec<Id>,
    /// Agents that were frozen.
    pub(super) frozen: Vec<Id>,
    /// Keys and grants whose entries do not verify; nothing is allowed on them.
    pub(super) damaged: Vec<Id>,
    /// That no operator signed although one was to.
    pub(super) unsigned: Option<String>,
    /// The pin, where there is something to say about it.
    pub(super) pin: Option<WorkspaceError>,
}

/// Revokes what carries these keys, freezes who carries them if asked, and says that they leaked.
pub(super) fn contain(
    ws: &Workspace,
    ctx: &Context,
    keys: &[Id],
    again: bool,
    freeze: bool,
    reason: Option<&str>,
    dry_run: bool,
) -> Result<Contained, CliError> {
    let whoever = ctx.whoever(ws)?;
    if let Whoever::Agent(a) = &whoever {
        return Err(CliError::no("needs_operator", format!("{} is an agent; nothing was done", a.id))
            .because("by this word it would take a key away from others; the identity that was presented (--identity or AOSCTL_IDENTITY) is an agent's")
            .hint("as an operator, or as nobody in particular: leave out --identity and AOSCTL_IDENTITY")
            .hint(format!("its own doors it can close: aosctl revoke {}", a.id)));
    }
    if dry_run {
        let now = ws.now(ctx.clock())?;
        let mut done = Contained { dry_run: true, ..Contained::default() };
        for (key, twin_of) in with_twins(ws, &ws.facts(), keys)? {
            let found = look(ws, &ws.facts(), key, again || twin_of.is_some(), freeze, now)?;
            done.add(key, twin_of, found);
        }
        return Ok(done);
    }
    let (mut done, pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let mut done = Contained::default();
        for (key, twin_of) in with_twins(ws, tx.facts(), keys)? {
            // A twin holds what leaked, whatever became of an earlier leak of its own.
            let found = look(ws, tx.facts(), key, again || twin_of.is_some(), freeze, tx.now())?;
            let why = Some(reason.map_or_else(|| format!("{key} leaked"), |r| format!("{key} leaked: {r}")));
            for grant in &found.revoke {
                tx.append(whoever.by(), GrantRevoked { grant: *grant, reason: why.clone() })?;
            }
            for target in &found.freeze {
                tx.append(whoever.by(), WorkspaceFrozen { target: *target, reason: why.clone() })?;
            }
            if found.say {
                let (revoked, frozen) = (found.revoke.clone(), found.freeze.clone());
                let same = twin_of.map(|k| format!("the same secret as {k}"));
                let reason = match (same, reason) {
                    (Some(same), Some(reason)) => Some(format!("{same}: {reason}")),
                    (same, reason) => same.or_else(|| reason.map(str::to_string)),
                };
                tx.append(whoever.by(), KeyLeaked { key, revoked, frozen, reason })?;
            }
            done.add(key, twin_of, found);
        }
        Ok(done)
    })?;
    done.pin = pin;
    done.unsigned = whoever.unsigned();
    Ok(done)
}

impl Contained {
    /// What is closed beside what was meant, in words.
    pub(super) fn beside(&self) -> Vec<String> {
        let line =
            |(k, of): &(Id, Id)| format!("{k} is the same secret as {of}, by its fingerprint, so it leaked with it");
        self.twins.iter().map(line).collect()
    }

    fn add(&mut self, key: Id, twin_of: Option<Id>, found: Found) {
        self.keys.push(key);
        self.twins.extend(twin_of.map(|of| (key, of)));
        self.said.extend(found.say.then_some(key));
        self.revoked.extend(found.revoke);
        self.frozen.extend(found.freeze);
        self.damaged.extend(found.damaged);
    }
}

/// These keys, and every other key in use whose fingerprint says that it is the same secret, with the one it is the same as.
fn with_twins(ws: &Workspace, facts: &Trusted<'_>, keys: &[Id]) -> Result<Vec<(Id, Option<Id>)>, CliError> {
    // What does not verify stays out here; nothing is allowed on it, and `look` says so.
    let verified = |read: Result<Option<Rc<Key>>, WorkspaceError>| match read {
        Err(WorkspaceError::Integrity { .. }) => Ok(None),
        read => read,
    };
    let mut all: Vec<(Id, Option<Id>)> = keys.iter().map(|k| (*k, None)).collect();
    for id in keys {
        let Some(key) = verified(facts.key(*id))? else { continue };
        // An open leak is of the secret from before it, whatever was recorded since.
        let was = match key.leak.as_ref().filter(|l| l.is_open()) {
            Some(leak) => verified(ws.key_before(*id, leak.seq))?,
            None => Some(key),
        };
        let Some(fingerprint) = was.and_then(|k| k.facts.fingerprint) else { continue };
        for row in ws.store().keys_matching(&KeyMatch::Fingerprint(fingerprint))? {
            let same = match facts.key(row.id) {
                Ok(k) => k.is_some_and(|k| k.is_live() && k.facts.fingerprint == Some(fingerprint)),
                // The table says that it is, and its entries nothing: what carries it is closed, and it is named.
                Err(WorkspaceError::Integrity { .. }) => true,
                Err(e) => return Err(e.into()),
            };
            if same && !all.iter().any(|(k, _)| *k == row.id) {
                all.push((row.id, Some(*id)));
            }
        }
    }
    Ok(all)
}

/// What there is to be done about a key.
#[derive(Default)]
struct Found {
    say: bool,
    revoke: Vec<Id>,
    freeze: Vec<Id>,
    damaged: Vec<Id>,
}

/// Looks for it. Where its newest leak is closed, by another meanwhile, and nobody said that it leaked anew, there is nothing
/// to do. What does not verify stays out and is said; nothing is allowed on it anyway, and the rest is closed.
fn look(ws: &Workspace, facts: &Trusted<'_>, key: Id, again: bool, freeze: bool, now: Time) -> Result<Found, CliError> {
    let mut found = Found::default();
    match facts.key(key) {
        Ok(Some(k)) if k.leak_is_closed() && !again => return Ok(found),
        Ok(k) => found.say = !k.is_some_and(|k| k.leak_is_open()),
        Err(WorkspaceError::Integrity { .. }) => found.damaged.push(key),
        Err(e) => return Err(e.into()),
    }
    let mut agents = Vec::new();
    for row in ws.store().grants_carrying(key)? {
        match facts.grant(row.id) {
            Ok(Some(g)) if g.is_live(now) && g.carries.as_ref().is_some_and(|c| c.key == key) => {
                found.revoke.push(g.id);
                agents.push(g.agent);
            }
            Ok(_) => {}
            Err(WorkspaceError::Integrity { .. }) => found.damaged.push(row.id),
            Err(e) => return Err(e.into()),
        }
    }
    if freeze {
        // Who runs with it now holds it, whatever becomes of the grant.
        let running = ws.store().requests(RequestFilter::Unsettled)?;
        agents.extend(running.iter().filter(|r| r.key_used == Some(key)).map(|r| r.requester));
        agents.sort_unstable();
        agents.dedup();
        for agent in agents {
            if facts.frozen(agent)?.is_none() && agent.kind == crate::domain::id::IdKind::Agent {
                found.freeze.push(agent);
            }
        }
    }
    Ok(found)
}
