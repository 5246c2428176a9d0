//! What follows from one disputed entry, what became of that, and the line that revokes it.

use std::collections::BTreeSet;

use crate::domain::advice::shell_word;
use crate::domain::authority::Entry;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::request::Request;
use crate::domain::time::Time;
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// What follows from an entry.
#[derive(Default)]
pub struct Effect {
    /// In words.
    pub what: String,
    /// What was begun by it: nothing takes that back.
    pub happened: Vec<String>,
    /// What became of it, where nothing is left to revoke.
    pub settled: Option<String>,
    /// What revokes it.
    pub line: Option<String>,
}

impl Effect {
    fn of(what: impl Into<String>) -> Effect {
        Effect { what: what.into(), ..Effect::default() }
    }

    fn line(self, line: impl Into<String>) -> Effect {
        Effect { line: Some(line.into()), ..self }
    }

    fn settled(self, settled: Option<String>) -> Effect {
        Effect { settled, ..self }
    }

    fn happened(self, happened: Vec<String>) -> Effect {
        Effect { happened, ..self }
    }
}

/// Where the answers come from.
pub struct Looking<'a> {
    /// The workspace.
    pub ws: &'a Workspace,
    /// The state, verified.
    pub facts: &'a Trusted<'a>,
    /// The moment.
    pub now: Time,
}

impl Looking<'_> {
    /// What follows from an entry.
    pub fn effect(&self, entry: &Entry, event: &Event) -> Result<Effect, WorkspaceError> {
        use Event as E;
        Ok(match event {
            E::GrantIssued(b) => self.grant(b.grant, entry.seq, "it opened this door")?,
            E::GrantRenewed(b) => self.grant(b.grant, entry.seq, "it kept this door open for longer")?,
            E::RequestApproved(b) => {
                let effect = self.request(b.request, "it approved what was asked")?;
                let mut happened = effect.happened.clone();
                happened.extend(self.erased_by_leave_of(b.request, entry.seq)?);
                effect.happened(happened)
            }
            E::RequestMade(b) => self.request(b.request, "it asked")?,
            E::RequestClaimed(b) => Effect::of("it began what was asked").happened(self.began(b.request)?),
            E::RequestFinished(b) => Effect::of(format!("it told that it {}", b.outcome.as_str())),
            E::RequestResolved(b) => Effect::of(if b.release {
                "it settled how it ended, and gave its money back"
            } else {
                "it settled how it ended"
            }),
            E::RequestDenied(_) => Effect::of("it denied what was asked: who needs it asks again"),
            E::RequestWithdrawn(_) => Effect::of("it took back what was asked: who needs it asks again"),
            E::PolicyAdopted(_) => self.policy(entry)?,
            E::AgentEnrolled(b) => self.identity(b.id, "agent", "it enrolled this agent")?,
            E::OperatorEnrolled(b) => self.identity(b.id, "operator", "it enrolled this operator")?,
            E::RecoveryEnrolled(b) => {
                let settled = self.facts.identity(b.id)?.and_then(|i| i.retired_seq).map(retired);
                Effect::of(format!("it enrolled a recovery identity for {}", b.operator))
                    .line(format!("aosctl operator retire {}", b.id))
                    .settled(settled)
            }
            E::OperatorRotated(b) => {
                let settled = self.facts.identity(b.id)?.and_then(|i| i.retired_seq).map(retired);
                Effect::of("it gave this operator another key")
                    .line(format!("aosctl operator retire {} --as-of {}", b.id, entry.seq))
                    .settled(settled)
            }
            E::IdentityRetired(b) => {
                Effect::of(format!("it took every right from {}: enrol it anew if that was wrong", b.id))
            }
            E::KeyAdded(b) => {
                let settled = self.facts.key(b.key)?.and_then(|k| k.retired_seq).map(retired);
                Effect::of("it put this key into the inventory")
                    .line(format!("aosctl key retire {}", b.key))
                    .settled(settled)
            }
            E::KeyChanged(b) => self.turned(b.key, entry.seq, "it changed what is known of this key, or its secret")?,
            E::RotationRecorded(b) => self.turned(b.key, entry.seq, "it recorded another secret of this key")?,
            E::RotationScheduled(b) => self.schedule(b.key, entry.seq)?,
            E::KeyRetired(b) => Effect::of("it retired this key: add it again if that was wrong")
                .line(format!("aosctl key show {}", b.key))
                .settled(Some("nothing is open by it".into())),
            E::KeyStep(b) => Effect::of("it ticked off a step against a leak")
                .line(format!("aosctl key leaked {} --report", b.key))
                .settled(self.facts.key(b.key)?.and_then(|k| k.retired_seq).map(retired)),
            E::ReviewSigned(b) => self.review(b.review, "it signed this access review"),
            E::ReviewDecided(b) => self.review(b.review, "it decided in this access review"),
            E::WorkspaceThawed(b) => {
                let target = if b.target == Id::WORKSPACE { String::new() } else { format!(" {}", b.target) };
                let again = self.facts.frozen(b.target)?.map(|seq| format!("frozen again by entry {seq}"));
                Effect::of("it lifted a freeze").line(format!("aosctl freeze{target}")).settled(again)
            }
            E::WorkspaceFrozen(_) => Effect::of("it froze: lift it when all is looked into, with aosctl thaw"),
            E::GrantNarrowed(_) | E::GrantRevoked(_) => Effect::of("it narrowed a door: nothing is open by it"),
            E::KeyLeaked(_) => Effect::of("it said that this key leaked: nothing is open by it"),
            E::IntegrationAdded(b) => Effect::of(if b.inside {
                "it added this integration, as inside the boundary: grant nothing to it that must not be there"
            } else {
                "it added this integration"
            }),
            E::PayloadErased(b) => Effect::of(format!("it erased texts of entry {}, for good", b.seq)),
            E::EntryCorrected(b) => {
                let since = self.corrected_since(b.seq, entry.seq)?;
                Effect::of(format!("it put a note beside entry {}", b.seq))
                    .line(format!("aosctl audit correct {} --note TEXT", b.seq))
                    .settled(since)
            }
            E::EntryVoided(b) => Effect::of(format!("it voided entry {}: look into that entry again", b.seq)),
            E::RollbackAccepted(_) => Effect::of(
                "it went on with an older log: compare with a checkpoint that was kept elsewhere, with aosctl audit verify",
            ),
            E::WorkspaceCreated(_) => Effect::of("it made this workspace"),
        })
    }

    fn grant(&self, id: Id, seq: u64, what: &str) -> Result<Effect, WorkspaceError> {
        let Some(g) = self.facts.grant(id)? else { return Ok(Effect::of(what)) };
        let holder = self.facts.identity(g.agent)?;
        let operator_live = match holder.as_ref().and_then(|h| h.operator) {
            Some(op) => self.facts.identity(op)?.is_some_and(|o| o.is_live()),
            None => false,
        };
        let settled = match g.revoked_seq {
            Some(by) => Some(format!("revoked by entry {by}")),
            None if !g.is_live(self.now) => Some("expired".into()),
            None if !holder.is_some_and(|h| h.is_live()) => Some(format!("{} was retired", g.agent)),
            None if !operator_live => Some(format!("the operator of {} was retired", g.agent)),
            None => None,
        };
        let mut happened = Vec::new();
        for r in self.ws.store().claimed_on(id, seq)? {
            happened.push(began(&r));
        }
        let what = format!("{what}: {} {} to {}", g.agent, g.access, g.scope);
        Ok(Effect::of(what).line(format!("aosctl revoke {id}")).settled(settled).happened(happened))
    }

    fn request(&self, id: Id, what: &str) -> Result<Effect, WorkspaceError> {
        let Some(r) = self.facts.request(id)? else { return Ok(Effect::of(what)) };
        let standing = self.ws.standing(&r, self.now)?;
        use crate::domain::request::Standing as S;
        let settled = match (r.withdrawn_seq, r.claimed_seq, r.denied_seq) {
            (Some(by), ..) => Some(format!("withdrawn by entry {by}")),
            (_, Some(by), _) => Some(format!("begun by entry {by}: nothing takes that back")),
            (.., Some(by)) => Some(format!("denied by entry {by}")),
            _ => matches!(standing, S::Denied | S::Expired | S::Cancelled).then(|| standing.as_str().to_string()),
        };
        let happened = self.began(id)?;
        let what = format!("{what}: {} on {}", r.action, r.resource);
        Ok(Effect::of(what).line(format!("aosctl request withdraw {id}")).settled(settled).happened(happened))
    }

    /// What was erased because that entry approved it: nothing brings it back.
    fn erased_by_leave_of(&self, request: Id, approval: u64) -> Result<Vec<String>, WorkspaceError> {
        let asked = self.facts.request(request)?;
        let erased = asked.and_then(|r| r.resource.as_str().strip_prefix("entry:")?.parse::<u64>().ok());
        let Some(seq) = erased else { return Ok(Vec::new()) };
        let by: BTreeSet<u64> = self.ws.store().erasures_of(seq)?.into_values().collect();
        let mut happened = Vec::new();
        for by in by {
            if let Event::PayloadErased(b) = self.ws.event(by)?.1
                && b.approvals.contains(&approval)
            {
                let members = b.members.into_iter().collect::<Vec<_>>().join(", ");
                happened.push(format!("entry {by} erased {members} of entry {seq}, for good"));
            }
        }
        Ok(happened)
    }

    fn began(&self, id: Id) -> Result<Vec<String>, WorkspaceError> {
        let r = self.facts.request(id)?.filter(|r| r.claimed_seq.is_some());
        Ok(r.iter().map(|r| began(r)).collect())
    }

    fn policy(&self, entry: &Entry) -> Result<Effect, WorkspaceError> {
        let now = self.facts.policy()?.map(|p| p.seq);
        let before = self.facts.before(entry.seq).policy()?.map(|p| p.seq);
        let settled = now.filter(|seq| *seq != entry.seq).map(|seq| format!("entry {seq} adopted another"));
        let what = match before {
            Some(seq) => format!("it put a policy into force; the text of the one before stands in entry {seq}"),
            None => "it put a policy into force".into(),
        };
        Ok(Effect::of(what).line("aosctl policy adopt FILE").settled(settled))
    }

    fn identity(&self, id: Id, noun: &str, what: &str) -> Result<Effect, WorkspaceError> {
        let Some(i) = self.facts.identity(id)? else { return Ok(Effect::of(what)) };
        let operator_gone = match i.operator.filter(|_| id.kind == IdKind::Agent) {
            Some(op) => self.facts.identity(op)?.is_none_or(|o| !o.is_live()).then_some(op),
            None => None,
        };
        let settled = match (i.retired_seq, operator_gone) {
            (Some(seq), _) => Some(retired(seq)),
            (None, Some(op)) => Some(format!("it has no rights, because {op} was retired")),
            (None, None) => None,
        };
        let first = self.ws.store().signed_by(&id.to_string(), i.enrolled_seq + 1)?.first().map(|s| s.seq);
        let as_of = first.map(|seq| format!(" --as-of {seq}")).unwrap_or_default();
        let name = i.handle.as_deref().map_or_else(|| id.to_string(), shell_word);
        Ok(Effect::of(what).line(format!("aosctl {noun} retire {name}{as_of}")).settled(settled))
    }

    fn turned(&self, id: Id, seq: u64, what: &str) -> Result<Effect, WorkspaceError> {
        let Some(k) = self.facts.key(id)? else { return Ok(Effect::of(what)) };
        let settled = match (k.retired_seq, k.recorded_seq.filter(|by| *by > seq)) {
            (Some(by), _) => Some(retired(by)),
            (None, Some(by)) => Some(format!("turned over by entry {by}")),
            (None, None) => None,
        };
        Ok(Effect::of(what).line(format!("aosctl key leaked {id}")).settled(settled))
    }

    fn schedule(&self, id: Id, seq: u64) -> Result<Effect, WorkspaceError> {
        let what = "it changed how often this key is turned over";
        let Some(k) = self.facts.key(id)? else { return Ok(Effect::of(what)) };
        let settled = match (k.retired_seq, k.schedule.as_ref().map(|s| s.seq).filter(|by| *by > seq)) {
            (Some(by), _) => Some(retired(by)),
            (None, Some(by)) => Some(format!("changed by entry {by}")),
            (None, None) => None,
        };
        let before = self.facts.before(seq).key(id)?.and_then(|k| k.schedule.as_ref().map(|s| s.every));
        let flag = before.map_or_else(|| "--off".to_string(), |every| format!("--every {every}"));
        Ok(Effect::of(what).line(format!("aosctl rotation set {id} {flag}")).settled(settled))
    }

    fn review(&self, id: Id, what: &str) -> Effect {
        let month = format!("{}-{:02}", id.n / 100, id.n % 100);
        Effect::of(format!("{what}: read its page again (aosctl review --month {month})"))
    }

    fn corrected_since(&self, seq: u64, by: u64) -> Result<Option<String>, WorkspaceError> {
        let later = self.ws.store().corrections_of(seq)?.into_iter().find(|n| *n > by);
        Ok(later.map(|n| format!("corrected again by entry {n}")))
    }
}

fn retired(seq: u64) -> String {
    format!("retired by entry {seq}")
}

fn began(r: &Request) -> String {
    let how = r.outcome.map_or("without a known outcome", |o| o.as_str());
    let seq = r.claimed_seq.unwrap_or_default();
    format!("{} was begun by entry {seq}, {how}: {} on {}", r.id, r.action, r.resource)
}
