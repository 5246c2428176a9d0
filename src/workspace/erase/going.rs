//! What is asked to be erased, while operators still write reasons and notes into the log: those must not repeat it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::reach::{repeats, texts};
use super::target;
use crate::domain::authority::Fault;
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// The members in which operators say why. What a person says elsewhere (a name, a parameter) is the matter itself.
const SAID: [&str; 3] = ["note", "rationale", "reason"];

/// The kind of the refusal.
pub const REPEATED: &str = "repeats_erased";

/// Texts that an open request asks to erase.
#[derive(Debug)]
pub(in crate::workspace) struct Going {
    entry: u64,
    request: Id,
    members: BTreeMap<String, Value>,
}

impl Workspace {
    /// Refuses a reason or a note that repeats what an open request asks to erase. The refusal names where it stands, and
    /// not the text.
    ///
    /// # Errors
    /// [`WorkspaceError::Refused`] with the kind [`REPEATED`]; what reading gives.
    pub fn refuse_repeated(&self, facts: &Trusted<'_>, said: &str, now: Time) -> Result<(), WorkspaceError> {
        refuse(&self.going(facts, now)?, "reason", said)
    }

    /// What is asked to be erased at that moment. An entry that cannot be read is not erased.
    pub(in crate::workspace) fn going(&self, facts: &Trusted<'_>, now: Time) -> Result<Vec<Going>, WorkspaceError> {
        let mut found = Vec::new();
        for edit in self.open_edits(facts, now)? {
            let Ok(Some(target)) = target(self, edit.entry) else { continue };
            let members = target.members.into_iter().filter(|(name, _)| edit.members.contains(name)).collect();
            found.push(Going { entry: edit.entry, request: edit.request.id, members });
        }
        Ok(found)
    }
}

/// Does an entry say anything in words of its own?
pub(in crate::workspace) fn says(body: &Map<String, Value>) -> bool {
    SAID.iter().any(|name| body.contains_key(*name))
}

/// Refuses an entry in which an operator repeats any of that.
pub(in crate::workspace) fn refuse_body(going: &[Going], body: &Map<String, Value>) -> Result<(), WorkspaceError> {
    for name in SAID {
        let mut said = Vec::new();
        body.get(name).into_iter().for_each(|value| texts(value, &mut said));
        for text in said {
            refuse(going, name, &text)?;
        }
    }
    Ok(())
}

fn refuse(going: &[Going], name: &str, said: &str) -> Result<(), WorkspaceError> {
    for Going { entry, request, members } in going {
        if let Some(member) = repeats(said, members) {
            let detail =
                format!("the {name} repeats what stands in {member} of entry {entry}, which {request} asks to erase");
            return Err(WorkspaceError::Refused(Fault { kind: REPEATED, detail }));
        }
    }
    Ok(())
}
