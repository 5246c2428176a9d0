//! Requests for an erasure: who asked, and who agreed.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::Deserialize;

use crate::domain::decide::{AUDIT_EDIT, Verdict};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::request::Request;
use crate::domain::time::Time;
use crate::store::RequestFilter;
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// An erasure that somebody asked for, and that is neither done, denied, taken back nor over.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The request. Verified.
    pub request: Rc<Request>,
    /// The entry.
    pub entry: u64,
    /// The members that it names.
    pub members: BTreeSet<String>,
}

/// The parameters of the request.
#[derive(Deserialize)]
struct Parameters {
    entry: u64,
    members: BTreeSet<String>,
}

impl Edit {
    /// Who approved it, as far as that still counts.
    pub fn approved(&self, now: Time) -> BTreeSet<Id> {
        self.request.counting(now).map(|a| a.operator).collect()
    }
}

impl Workspace {
    /// The erasures of an entry that somebody asked for, in the order of the requests. One whose parameters were erased
    /// is none any more: nobody can tell what was agreed to.
    pub fn edits(&self, facts: &Trusted<'_>, seq: u64, now: Time) -> Result<Vec<Edit>, WorkspaceError> {
        let resource = resource_of(seq);
        self.edits_where(facts, now, &|of| of == resource)
    }

    /// As [`Workspace::edits`], of all entries.
    pub fn open_edits(&self, facts: &Trusted<'_>, now: Time) -> Result<Vec<Edit>, WorkspaceError> {
        self.edits_where(facts, now, &|_| true)
    }

    fn edits_where(
        &self,
        facts: &Trusted<'_>,
        now: Time,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Edit>, WorkspaceError> {
        let mut found = Vec::new();
        for row in self.store().requests(RequestFilter::Undecided)? {
            if row.action != AUDIT_EDIT || !wanted(row.resource.as_str()) {
                continue;
            }
            let Some(request) = facts.request(row.id)? else { continue };
            let open = request.decision == Verdict::Ask
                && request.denied_seq.is_none()
                && request.withdrawn_seq.is_none()
                && now < request.until;
            if !open || request.action != AUDIT_EDIT || !wanted(request.resource.as_str()) {
                continue;
            }
            let Event::RequestMade(made) = self.event(request.made_seq)?.1 else { continue };
            let Some(Ok(p)) = made.parameters.as_deref().map(serde_json::from_str::<Parameters>) else { continue };
            if resource_of(p.entry) == request.resource.as_str() {
                found.push(Edit { request, entry: p.entry, members: p.members });
            }
        }
        found.sort_by_key(|e| e.request.id);
        Ok(found)
    }
}

fn resource_of(seq: u64) -> String {
    format!("entry:{seq}")
}
