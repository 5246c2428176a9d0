//! From the identities in doubt to everything that they signed, and those whom they enrolled.

use super::depends::Looking;
use super::view::{DisputedEntry, DisputedIdentity};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::time::Time;
use crate::workspace::{Workspace, WorkspaceError};

/// Everything that depends on these identities from those entries on, each identity once.
pub fn disputed(ws: &Workspace, roots: &[(Id, u64)], now: Time) -> Result<Vec<DisputedIdentity>, WorkspaceError> {
    let mut found: Vec<DisputedIdentity> = Vec::new();
    let mut open: std::collections::VecDeque<(Id, u64, Option<Id>)> =
        roots.iter().map(|(id, from)| (*id, *from, None)).collect();
    let facts = ws.facts();
    let looking = Looking { ws, facts: &facts, now };
    while let Some((id, from, through)) = open.pop_front() {
        if found.iter().any(|i| i.id == id) {
            continue;
        }
        let identity = facts.identity(id)?;
        let retired = identity.as_ref().and_then(|i| i.retired_seq).unwrap_or(u64::MAX);
        let mut entries = Vec::new();
        for stored in ws.store().signed_by(&id.to_string(), from)? {
            // What it signed after that counts for nothing anyway.
            if stored.seq > retired || ws.store().tables().invalid(stored.seq)?.is_some() {
                continue;
            }
            let (kind, _, subject, _) = &stored.columns;
            let (entry, event) = match ws.event(stored.seq) {
                Ok(read) => read,
                Err(e) => {
                    entries.push(DisputedEntry {
                        seq: stored.seq,
                        at: String::new(),
                        kind: kind.clone(),
                        subject: subject.clone(),
                        effect: format!("cannot be read: {e}"),
                        happened: Vec::new(),
                        settled: None,
                        line: None,
                    });
                    continue;
                }
            };
            match &event {
                Event::AgentEnrolled(b) => open.push_back((b.id, entry.seq + 1, Some(id))),
                Event::OperatorEnrolled(b) => open.push_back((b.id, entry.seq + 1, Some(id))),
                Event::RecoveryEnrolled(b) => open.push_back((b.id, entry.seq + 1, Some(id))),
                _ => {}
            }
            let effect = looking.effect(&entry, &event)?;
            entries.push(DisputedEntry {
                seq: entry.seq,
                at: entry.at.to_string(),
                kind: kind.clone(),
                subject: subject.clone(),
                effect: effect.what,
                happened: effect.happened,
                settled: effect.settled,
                line: effect.line,
            });
        }
        let name = match &identity {
            Some(i) if id.kind == IdKind::Agent => i.handle.clone(),
            Some(i) if i.recovers().is_none() => ws.operator_name(i)?,
            _ => None,
        };
        found.push(DisputedIdentity { id, name, from, through, entries });
    }
    Ok(found)
}

/// Everything that depends on one identity from an entry on.
pub fn disputed_of(ws: &Workspace, id: Id, from: u64, now: Time) -> Result<Vec<DisputedIdentity>, WorkspaceError> {
    disputed(ws, &[(id, from)], now)
}
