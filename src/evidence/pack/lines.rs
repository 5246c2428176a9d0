//! What happened in a period, line by line, each with the entry that it rests on.

use std::collections::{BTreeMap, HashMap};

use super::{ExportError, Period};
use crate::domain::authority::Entry;
use crate::domain::event::{Event, ReviewDecided};
use crate::domain::facts::{Facts, InvalidEntry};
use crate::domain::grant::Grant;
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::key::Key;
use crate::domain::point::Point;
use crate::domain::review::Month;
use crate::domain::rules::RotationTerms;
use crate::domain::time::{Span, Time};
use crate::log::tree::leaf_hash;
use crate::log::verify::inspect;
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// What makes a line stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    None,
    /// Something to know.
    Note,
    /// Something to ask about.
    Bad,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry that it rests on.
    pub seq: u64,
    /// The entry's leaf hash, hex.
    pub leaf: String,
    /// When it was signed; absent where that cannot be read.
    pub at: Option<Time>,
    /// Who signed: an id with the name, or `log (nobody)`.
    pub by: String,
    /// The values of the table's columns.
    pub cells: Vec<String>,
    /// How the last of them that says something out of the ordinary is to be shown.
    pub mark: Mark,
}

/// Lines of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `approvals`.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// What the columns are called, after entry, leaf, time and signer.
    pub columns: &'static [&'static str],
    /// It is handed out for sampling, with a receipt for each line.
    pub sample: bool,
    /// In the order of the log.
    pub lines: Vec<Line>,
}

const TABLES: [(&str, &str, &[&str], bool); 9] = [
    (
        "approvals",
        "Decisions of operators",
        &["decision", "request", "agent", "action", "resource", "points", "amount", "marks", "outcome", "reason"],
        true,
    ),
    (
        "grants",
        "Grants opened, changed and closed",
        &["change", "grant", "agent", "integration", "scope", "access", "data", "until", "owner", "reason"],
        true,
    ),
    ("rotations", "Keys turned over", &["key", "name", "rotated", "was due", "days late", "note"], true),
    ("leaks", "Leaked keys", &["key", "name", "leaked", "state", "where"], true),
    (
        "review-decisions",
        "Decisions of access reviews",
        &["month", "item", "advice", "decision", "overridden", "rules", "self-review", "carried out by entry", "note"],
        true,
    ),
    ("identities", "Who may sign", &["change", "identity", "acts for", "reason"], true),
    ("freezes", "Freezes", &["change", "of", "reason"], true),
    ("policies", "Policies adopted", &["digest", "reason"], true),
    ("record", "Edits of the record, and what does not count", &["what", "entry", "detail", "reason"], true),
];

/// Names by id, as they were at the end of the period; each is looked up once.
#[derive(Default)]
pub(super) struct Names(HashMap<Id, String>);

impl Names {
    /// `ag-1 (ci-bot)`.
    pub(super) fn of(&mut self, facts: &Trusted<'_>, id: Id) -> Result<String, WorkspaceError> {
        if let Some(known) = self.0.get(&id) {
            return Ok(known.clone());
        }
        let name = match id.kind {
            IdKind::Agent => facts.identity(id)?.and_then(|i| i.handle.clone()),
            IdKind::Operator => match facts.identity(id)? {
                Some(i) => match facts.event(i.enrolled_seq)?.1 {
                    Event::WorkspaceCreated(b) => b.name,
                    Event::OperatorEnrolled(b) => b.name,
                    _ => None,
                },
                None => None,
            },
            IdKind::Integration => facts.integration(id)?.map(|i| i.handle.clone()),
            IdKind::Key => facts.key(id)?.map(|k| k.facts.name.clone()),
            _ => None,
        };
        let text = name.map_or_else(|| id.to_string(), |name| format!("{id} ({name})"));
        self.0.insert(id, text.clone());
        Ok(text)
    }

    fn signer(&mut self, facts: &Trusted<'_>, actor: Actor) -> Result<String, WorkspaceError> {
        match actor {
            Actor::Log => Ok("log (nobody signed)".into()),
            Actor::Identity(id) => self.of(facts, id),
        }
    }
}

/// What was gathered.
pub(super) struct Gathered {
    pub tables: Vec<Table>,
    pub first: u64,
    pub unreadable: Vec<(u64, String)>,
    pub names: Names,
}

/// Walks through the entries of the period.
pub(super) fn gather(
    workspace: &Workspace,
    facts: &Trusted<'_>,
    period: Period,
    end: u64,
    invalid: &[InvalidEntry],
) -> Result<Gathered, ExportError> {
    let mut walk = Walk { facts, lines: BTreeMap::new(), names: Names::default(), unreadable: Vec::new() };
    let first = crate::review::gather::entries_before(workspace, period.since)?;
    let invalid: HashMap<u64, &InvalidEntry> = invalid.iter().map(|e| (e.seq, e)).collect();
    let mut from = first;
    while from < end {
        let batch = workspace.store().range(from, 1_000)?;
        let Some(last) = batch.last() else { break };
        from = last.seq.saturating_add(1);
        for stored in batch.iter().filter(|s| s.seq < end) {
            if let Some(bad) = invalid.get(&stored.seq) {
                walk.invalid(bad, &leaf_hash(&stored.envelope).to_hex(), &stored.envelope)?;
            } else if is_told(&stored.columns.0) {
                walk.entry(stored.seq)?;
            }
        }
    }
    walk.leaks_from_before(workspace, first)?;
    let mut lines = walk.lines;
    let tables = TABLES.iter().map(|&(id, title, columns, sample)| {
        let mut lines = lines.remove(id).unwrap_or_default();
        lines.sort_by_key(|l| l.seq);
        Table { id, title, columns, sample, lines }
    });
    Ok(Gathered { tables: tables.collect(), first, unreadable: walk.unreadable, names: walk.names })
}

/// Types that lines are made of; requests and their course are in the bundle, and on the line of their approval.
fn is_told(kind: &str) -> bool {
    let quiet = ["request.made/", "request.claimed/", "request.finished/", "request.withdrawn/", "key.added/"];
    let quiet = quiet.into_iter().chain(["key.changed/", "key.step/", "integration.added/", "rotation.scheduled/"]);
    !quiet.into_iter().any(|q| kind.starts_with(q))
}

struct Walk<'a, 's> {
    facts: &'a Trusted<'s>,
    lines: BTreeMap<&'static str, Vec<Line>>,
    names: Names,
    unreadable: Vec<(u64, String)>,
}

/// A table's id, the cells, and how they are shown.
type Told = Vec<(&'static str, Vec<String>, Mark)>;

impl Walk<'_, '_> {
    fn entry(&mut self, seq: u64) -> Result<(), ExportError> {
        let told = self.facts.event(seq).and_then(|(entry, event)| Ok((self.told(&entry, event)?, entry)));
        match told {
            Ok((told, entry)) => {
                let by = self.names.signer(self.facts, entry.actor)?;
                for (table, cells, mark) in told {
                    let line = Line { seq, leaf: entry.leaf.clone(), at: Some(entry.at), by: by.clone(), cells, mark };
                    self.lines.entry(table).or_default().push(line);
                }
                Ok(())
            }
            // What does not verify is listed, and the rest is still told.
            Err(WorkspaceError::Integrity { detail, .. }) => {
                self.unreadable.push((seq, detail));
                Ok(())
            }
            Err(e) => Err(e.into()),
        }
    }

    fn name(&mut self, id: Id) -> Result<String, WorkspaceError> {
        self.names.of(self.facts, id)
    }

    fn told(&mut self, entry: &Entry, event: Event) -> Result<Told, WorkspaceError> {
        let reason = |r: Option<String>| r.unwrap_or_default();
        let one = |table, cells: Vec<String>| vec![(table, cells, Mark::None)];
        Ok(match event {
            Event::RequestApproved(b) => {
                let marks = if b.self_approved { "self-approved" } else { "" };
                let mark = if b.self_approved { Mark::Note } else { Mark::None };
                vec![(
                    "approvals",
                    self.decided("approved", b.request, &points(&b.points), marks, reason(b.reason))?,
                    mark,
                )]
            }
            Event::RequestDenied(b) => {
                one("approvals", self.decided("denied", b.request, &points(&b.points), "", reason(b.reason))?)
            }
            Event::RequestResolved(b) => {
                let marks = if b.release { "money released" } else { "" };
                one("approvals", self.decided("resolved", b.request, "", marks, reason(b.reason))?)
            }
            Event::GrantIssued(b) => {
                let change = if b.replaces.is_some() { "replaced" } else { "opened" };
                one("grants", self.grant(change, entry.seq, b.grant, reason(b.reason.or(b.mission)))?)
            }
            Event::GrantRenewed(b) => one("grants", self.grant("renewed", entry.seq, b.grant, reason(b.reason))?),
            Event::GrantNarrowed(b) => one("grants", self.grant("narrowed", entry.seq, b.grant, reason(b.reason))?),
            Event::GrantRevoked(b) => one("grants", self.grant("revoked", entry.seq, b.grant, reason(b.reason))?),
            Event::RotationRecorded(b) => {
                let (cells, late) = self.rotation(entry.seq, b.key, b.rotated, reason(b.note))?;
                vec![("rotations", cells, if late { Mark::Bad } else { Mark::None })]
            }
            Event::KeyRetired(b) => {
                let name = self.key(b.key)?.map(|k| k.facts.name.clone()).unwrap_or_default();
                let cells = [b.key.to_string(), name, "retired".into(), String::new(), String::new(), reason(b.reason)];
                one("rotations", cells.into())
            }
            Event::KeyLeaked(b) => {
                let (cells, open) = self.leak(entry.seq, entry.at, b.key, reason(b.reason))?;
                vec![("leaks", cells, if open { Mark::Bad } else { Mark::None })]
            }
            Event::ReviewDecided(b) => decisions(b, |id| self.names.of(self.facts, id))?,
            Event::WorkspaceCreated(_) => one(
                "identities",
                vec!["created the workspace".into(), self.name(Id::FIRST_OPERATOR)?, String::new(), String::new()],
            ),
            Event::OperatorEnrolled(b) => {
                one("identities", vec!["operator enrolled".into(), self.name(b.id)?, String::new(), String::new()])
            }
            Event::AgentEnrolled(b) => one(
                "identities",
                vec!["agent enrolled".into(), self.name(b.id)?, self.name(b.operator)?, String::new()],
            ),
            Event::RecoveryEnrolled(b) => one(
                "identities",
                vec!["recovery identity enrolled".into(), b.id.to_string(), self.name(b.operator)?, String::new()],
            ),
            Event::OperatorRotated(b) => one(
                "identities",
                vec!["operator took a new key".into(), self.name(b.id)?, String::new(), reason(b.reason)],
            ),
            Event::IdentityRetired(b) => {
                let what = b.as_of.map_or_else(|| "retired".into(), |n| format!("retired, disputed from entry {n} on"));
                let mark = if b.as_of.is_some() { Mark::Bad } else { Mark::None };
                vec![("identities", vec![what, self.name(b.id)?, String::new(), reason(b.reason)], mark)]
            }
            Event::WorkspaceFrozen(b) => {
                one("freezes", vec!["frozen".into(), self.target(b.target)?, reason(b.reason)])
            }
            Event::WorkspaceThawed(b) => {
                one("freezes", vec!["thawed".into(), self.target(b.target)?, reason(b.reason)])
            }
            Event::PolicyAdopted(b) => one("policies", vec![b.digest, reason(b.reason)]),
            Event::PayloadErased(b) => {
                let members: Vec<String> = b.members.into_iter().collect();
                let approvals: Vec<String> = b.approvals.iter().map(u64::to_string).collect();
                let by = if approvals.is_empty() {
                    String::new()
                } else {
                    format!("; approved by entries {}", approvals.join(", "))
                };
                let cells = vec!["erased".into(), b.seq.to_string(), members.join(", ") + &by, reason(b.reason)];
                vec![("record", cells, Mark::Note)]
            }
            Event::EntryVoided(b) => {
                vec![("record", vec!["voided".into(), b.seq.to_string(), String::new(), reason(b.reason)], Mark::Note)]
            }
            Event::EntryCorrected(b) => {
                vec![("record", vec!["corrected".into(), b.seq.to_string(), reason(b.note), String::new()], Mark::Note)]
            }
            Event::RollbackAccepted(b) => {
                let detail = format!("the pin covered {} entries", b.pin_size);
                vec![("record", vec!["rollback accepted".into(), String::new(), detail, reason(b.reason)], Mark::Bad)]
            }
            _ => Vec::new(),
        })
    }

    fn target(&mut self, id: Id) -> Result<String, WorkspaceError> {
        if id == Id::WORKSPACE { Ok("everything".into()) } else { self.name(id) }
    }

    fn decided(
        &mut self,
        what: &str,
        id: Id,
        points: &str,
        marks: &str,
        reason: String,
    ) -> Result<Vec<String>, WorkspaceError> {
        let r = self.facts.request(id)?;
        let (agent, action, resource, amount, outcome) = match &r {
            Some(r) => (
                self.name(r.requester)?,
                r.action.clone(),
                r.resource.to_string(),
                r.facets.amount.map(|m| m.to_string()).unwrap_or_default(),
                match (r.outcome, r.claimed_seq) {
                    (Some(o), _) => format!("{}, as told", o.as_str()),
                    (None, Some(_)) => "begun, no outcome".into(),
                    (None, None) => "not begun".into(),
                },
            ),
            None => Default::default(),
        };
        let said = [what, &id.to_string(), &agent, &action, &resource, points, &amount, marks, &outcome, &reason];
        Ok(said.map(String::from).into())
    }

    /// The grant as that entry left it.
    fn grant(&mut self, what: &str, seq: u64, id: Id, reason: String) -> Result<Vec<String>, WorkspaceError> {
        let g: Option<std::rc::Rc<Grant>> = self.facts.before(seq + 1).grant(id)?;
        let Some(g) = g else {
            let mut cells = vec![what.to_string(), id.to_string()];
            cells.resize(9, String::new());
            cells.push(reason);
            return Ok(cells);
        };
        Ok(vec![
            what.into(),
            id.to_string(),
            self.name(g.agent)?,
            self.name(g.integration)?,
            g.scope.to_string(),
            g.access.to_string(),
            g.data.to_string(),
            g.until.map(|t| t.to_string()).unwrap_or_else(|| "no end".into()),
            self.name(g.owner)?,
            reason,
        ])
    }

    fn key(&self, id: Id) -> Result<Option<std::rc::Rc<Key>>, WorkspaceError> {
        self.facts.key(id)
    }

    /// How late a key was turned over, by what was in force just before.
    fn rotation(
        &mut self,
        seq: u64,
        id: Id,
        rotated: Time,
        note: String,
    ) -> Result<(Vec<String>, bool), WorkspaceError> {
        let before = self.facts.before(seq);
        let none = RotationTerms { every: Span::default(), warn: Span::default() };
        let terms = before.policy()?.map_or(none, |p| p.rules.rotation.clone());
        let (due, late, name) = match before.key(id)? {
            Some(k) => {
                let due = k.due(&terms);
                let late = (rotated.day() - due.day()).max(0);
                let known = k.turned().is_some();
                let due = if known { due.to_string() } else { format!("{due} (age not known)") };
                (due, late, k.facts.name.clone())
            }
            None => Default::default(),
        };
        let days = if late > 0 { late.to_string() } else { String::new() };
        Ok((vec![id.to_string(), name, rotated.to_string(), due, days, note], late > 0))
    }

    /// How a leak stood at the end of the period.
    fn leak(&mut self, seq: u64, at: Time, id: Id, place: String) -> Result<(Vec<String>, bool), WorkspaceError> {
        let key = self.key(id)?;
        let name = key.as_ref().map(|k| k.facts.name.clone()).unwrap_or_default();
        let (state, open) = match key.as_ref().and_then(|k| k.leak.clone()) {
            Some(l) if l.seq != seq => (format!("it leaked again, entry {}", l.seq), false),
            Some(l) => match l.next() {
                Some(step) => (format!("OPEN: next is {}", step.words()), true),
                None => (format!("closed by entry {}", l.steps.iter().map(|s| s.seq).max().unwrap_or(seq)), false),
            },
            None => ("unknown".into(), true),
        };
        Ok((vec![id.to_string(), name, at.to_string(), state, place], open))
    }

    /// A leak that was said before the period and was still open at its end.
    fn leaks_from_before(&mut self, workspace: &Workspace, first: u64) -> Result<(), ExportError> {
        for id in workspace.store().subjects(IdKind::Key)? {
            let key = match self.key(id) {
                Ok(key) => key,
                Err(WorkspaceError::Integrity { seq, detail }) => {
                    self.unreadable.push((seq.unwrap_or(first), detail));
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            let leak = key.as_ref().and_then(|k| k.leak.as_ref()).filter(|l| l.is_open() && l.seq < first);
            if let Some(seq) = leak.map(|l| l.seq) {
                self.entry(seq)?;
            }
        }
        Ok(())
    }

    fn invalid(&mut self, bad: &InvalidEntry, leaf: &str, envelope: &[u8]) -> Result<(), ExportError> {
        let seen = inspect(envelope, None);
        let kind = seen.header().map(|h| h.kind.clone()).unwrap_or_default();
        let at = seen.header().and_then(|h| h.at.parse().ok());
        let fate = bad
            .voided_seq
            .map_or("it does not count, and nobody voided it".into(), |by| format!("voided by entry {by}"));
        let line = Line {
            seq: bad.seq,
            leaf: leaf.into(),
            at,
            by: bad.actor.to_string(),
            cells: vec!["invalid".into(), bad.seq.to_string(), format!("{kind}: {}; {fate}", bad.fault), String::new()],
            mark: if bad.voided_seq.is_some() { Mark::Note } else { Mark::Bad },
        };
        self.lines.entry("record").or_default().push(line);
        Ok(())
    }
}

fn points(points: &std::collections::BTreeSet<Point>) -> String {
    points.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" ")
}

/// A line for each item that was decided.
fn decisions(
    b: ReviewDecided,
    mut name: impl FnMut(Id) -> Result<String, WorkspaceError>,
) -> Result<Told, WorkspaceError> {
    let month = Month::of_id(b.review).map_or_else(|| b.review.to_string(), |m| m.to_string());
    let notes = b.note.unwrap_or_default();
    let yes = |b: bool| if b { "yes".to_string() } else { String::new() };
    let mut told = Told::new();
    for d in b.decisions {
        let open = d.decision.acts() && d.carried_out.is_none();
        let done = match d.carried_out {
            Some(seq) => seq.to_string(),
            None if d.decision.acts() => "none by then".into(),
            None => String::new(),
        };
        let cells = vec![
            month.clone(),
            name(d.item)?,
            d.advice.to_string(),
            d.decision.to_string(),
            yes(d.advice != d.decision),
            d.rules.join(" "),
            yes(d.self_review),
            done,
            notes.get(&d.item).cloned().unwrap_or_default(),
        ];
        told.push(("review-decisions", cells, if open || d.self_review { Mark::Note } else { Mark::None }));
    }
    Ok(told)
}
