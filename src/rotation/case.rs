//! A leak, with everything that the workspace knows of it. Read from verified entries; the tables only say where to look.

use std::rc::Rc;

use crate::domain::event::{Event, Hex32};
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::key::{Key, Leak, Place};
use crate::domain::request::{Request, Standing};
use crate::domain::time::Time;
use crate::secret::Vault;
use crate::store::KeyMatch;
use crate::workspace::{Said, Workspace, WorkspaceError, claim};

/// A request by which `run` gave the secret out.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The request.
    pub request: Request,
    /// When it was claimed.
    pub at: Time,
    /// The entry that claimed it.
    pub seq: u64,
    /// Where it stands now.
    pub standing: Standing,
}

/// What aosctl itself still has of the leaked secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// The inventory: no other secret was recorded since.
    Inventory,
    /// A grant from before that carries the key and was not revoked.
    Grant(Id),
    /// Another key in use that is the same secret, by its fingerprint or by what the provider calls it.
    Twin(Id),
    /// The old sealed file still lies in the vault.
    SealedFile,
}

/// The newest leak of a key.
#[derive(Debug, Clone)]
pub struct Case {
    /// The key as it is now.
    pub key: Rc<Key>,
    /// The key as it was just before.
    pub was: Rc<Key>,
    /// The leak.
    pub leak: Leak,
    /// Everything that was said about the key.
    pub said: Vec<Said>,
    /// Grants that carried it and were revoked for it.
    pub revoked: Vec<Rc<Grant>>,
    /// Agents that were frozen for it.
    pub frozen: Vec<Id>,
    /// Every use by `run`, oldest first.
    pub uses: Vec<Use>,
    /// What still names the old one.
    pub stale: Vec<Stale>,
}

impl Case {
    /// Another secret was recorded since it leaked, and made no earlier than that: the entry.
    pub fn rotated(&self) -> Option<u64> {
        rotated(&self.key, &self.leak)
    }

    /// Nothing about it is open: every step is closed, and nothing that aosctl has names the old one.
    pub fn is_closed(&self) -> bool {
        !self.leak.is_open() && self.stale.is_empty()
    }

    /// What runs with it, or nobody knows how it ended.
    pub fn running(&self) -> impl Iterator<Item = &Use> {
        self.uses.iter().filter(|u| matches!(u.standing, Standing::Claimed | Standing::Unknown))
    }

    /// Reads the newest leak of a key. `None`: it never leaked.
    ///
    /// # Errors
    /// What reading gives.
    pub fn read(ws: &Workspace, vault: &Vault, id: Id, now: Time) -> Result<Option<Case>, WorkspaceError> {
        let facts = ws.facts();
        let Some(key) = facts.key(id)? else { return Ok(None) };
        let Some(leak) = key.leak.clone() else { return Ok(None) };
        let was = ws.key_before(id, leak.seq)?.unwrap_or_else(|| key.clone());
        let (mut named, mut frozen) = (Vec::new(), Vec::new());
        if let Event::KeyLeaked(b) = ws.event(leak.seq)?.1 {
            named = b.revoked;
            frozen = b.frozen;
        }
        let (mut revoked, mut stale) = (Vec::new(), Vec::new());
        for row in ws.store().grants_carrying(id)? {
            let Some(g) = facts.grant(row.id)?.filter(|g| g.carries.as_ref().is_some_and(|c| c.key == id)) else {
                continue;
            };
            match g.revoked_seq {
                // What is closed after the leak was closed for it, also by a second call.
                Some(seq) if named.contains(&g.id) || seq > leak.seq => revoked.push(g),
                None if g.issued_seq < leak.seq && g.is_live(now) => stale.push(Stale::Grant(g.id)),
                _ => {}
            }
        }
        if key.is_live() && rotated(&key, &leak).is_none() {
            stale.push(Stale::Inventory);
        }
        stale.extend(twins(ws, &was)?.into_iter().map(Stale::Twin));
        if let Place::Sealed { sha256, .. } = &was.facts.place
            && was.facts.place != key.facts.place
            && vault.path(id, *sha256).exists()
        {
            stale.push(Stale::SealedFile);
        }
        let uses = uses(ws, id, now)?;
        let said = ws.said_about(id)?;
        Ok(Some(Case { key, was, leak, said, revoked, frozen, uses, stale }))
    }
}

/// The entry that recorded a rotation which can cure a leak. One from before is how the leaked secret came to be; a day is
/// what people tell of it, so the day is what is compared.
pub fn rotated(key: &Key, leak: &Leak) -> Option<u64> {
    let in_time = key.facts.rotated.is_some_and(|t| t.day() >= leak.at.day());
    key.recorded_seq.filter(|seq| *seq > leak.seq && in_time)
}

/// The key and the entry by which a secret leaked, if one of that fingerprint ever did: open or closed, of any key, retired
/// or not. What leaked once is known to somebody for good.
///
/// # Errors
/// What reading gives.
pub fn leaked_ever(ws: &Workspace, fingerprint: Hex32) -> Result<Option<(Id, u64)>, WorkspaceError> {
    for row in ws.store().keys(true)? {
        if row.leak.is_none() {
            continue;
        }
        let mut known = None;
        let mut leak: Option<(u64, Time)> = None;
        for said in ws.said_about(row.id)?.into_iter().filter(|s| s.counts) {
            match said.event {
                Event::KeyAdded(b) => known = b.facts.fingerprint,
                Event::KeyChanged(b) => known = b.facts.fingerprint,
                Event::RotationRecorded(b) => {
                    known = b.fingerprint;
                    // One from before is how the leaked secret came to be.
                    leak = leak.filter(|(_, at)| b.rotated.day() < at.day());
                }
                Event::KeyLeaked(_) => leak = Some((said.entry.seq, said.entry.at)),
                _ => {}
            }
            if let Some((seq, _)) = leak.filter(|_| known == Some(fingerprint)) {
                return Ok(Some((row.id, seq)));
            }
        }
    }
    Ok(None)
}

/// Every use of a key by `run`, oldest first.
///
/// # Errors
/// What reading gives.
pub fn uses(ws: &Workspace, key: Id, now: Time) -> Result<Vec<Use>, WorkspaceError> {
    let facts = ws.facts();
    let mut found = Vec::new();
    for row in ws.store().runs_with(key)? {
        let Some(request) = facts.request(row.id)?.filter(|r| r.key_used == Some(key)) else { continue };
        if let (Some(seq), Some(at)) = (request.claimed_seq, request.claimed_at) {
            let standing = claim::standing(ws, &request, now)?;
            found.push(Use { request: (*request).clone(), at, seq, standing });
        }
    }
    Ok(found)
}

/// Other keys in use that are the same secret.
fn twins(ws: &Workspace, was: &Key) -> Result<Vec<Id>, WorkspaceError> {
    let mut rows = Vec::new();
    if let Some(fingerprint) = was.facts.fingerprint {
        rows.extend(ws.store().keys_matching(&KeyMatch::Fingerprint(fingerprint))?);
    }
    if let Some(id) = &was.facts.provider_id {
        let same = ws.store().keys_matching(&KeyMatch::ProviderId(id))?;
        rows.extend(same.into_iter().filter(|k| k.facts.kind == was.facts.kind));
    }
    let mut found: Vec<Id> = rows.iter().filter(|k| k.is_live() && k.id != was.id).map(|k| k.id).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
