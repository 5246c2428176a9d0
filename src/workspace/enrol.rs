//! Enrolling an agent: the identity file and the entry that makes it count.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::{By, OperatorIdentity, Tx, Workspace, WorkspaceError};
use crate::domain::event::{AgentEnrolled, Hex32};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::time::Time;
use crate::identity::{IdentityError, MAX_IDENTITY_FILE_BYTES, PlainIdentity, PlainKind, Signer, enrolment_message};
use crate::sys::files;

/// An agent that was enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledAgent {
    /// `ag-2`.
    pub id: Id,
    /// Its place in the log.
    pub seq: u64,
    /// Its identity.
    pub file: PathBuf,
}

impl Workspace {
    /// Where an agent's identity is written unless told otherwise.
    pub fn agent_file(&self, handle: &str) -> PathBuf {
        self.state_dir().join("agents").join(format!("{handle}.json"))
    }

    /// Is that file, or would it be, inside the workspace? An identity there would be in every copy of it.
    pub fn holds(&self, file: &Path) -> bool {
        let real = |p: &Path| p.canonicalize().unwrap_or_else(|_| p.to_path_buf());
        let parent = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        real(parent).starts_with(real(&self.place().dir))
    }

    /// Enrols an agent that acts for `operator`, and writes its identity to `file`.
    ///
    /// The identity is on disk before the entry is, so that no crash leaves an agent enrolled that nobody can present. A
    /// crash between the two leaves a file that is good for nothing; the next enrolment under that name replaces it.
    ///
    /// # Errors
    /// What [`Workspace::transact`] gives; an identity that is in use, or another file, at `file`.
    pub fn enrol_agent(
        &self,
        clock: Time,
        by: &OperatorIdentity,
        handle: &str,
        operator: Id,
        file: &Path,
    ) -> Result<(EnrolledAgent, Option<WorkspaceError>), WorkspaceError> {
        let signer = generate()?;
        let public = signer.public();
        let unused = RefCell::new(Some(signer));
        let written = RefCell::new(false);
        let result = self.transact(clock, |tx| {
            let signer = unused.borrow_mut().take().ok_or_else(|| WorkspaceError::NoIdentity("it was used".into()))?;
            self.enrol(tx, by.by(), (handle, operator), signer, file, &written)
        });
        // The error that matters is the first one; and where the entry is on disk after all, the identity must stay.
        if result.is_err() && *written.borrow() && matches!(self.facts().key_was_used(&public), Ok(false)) {
            files::remove_file(file);
        }
        result
    }

    fn enrol(
        &self,
        tx: &mut Tx<'_>,
        by: By<'_>,
        (handle, operator): (&str, Id),
        signer: Signer,
        file: &Path,
        written: &RefCell<bool>,
    ) -> Result<EnrolledAgent, WorkspaceError> {
        let id = tx.next_id(IdKind::Agent)?;
        let origin = &self.origin().name;
        let identity_error = |source: IdentityError| WorkspaceError::Identity { path: file.to_path_buf(), source };
        let public = signer.public();
        let proof = signer.sign(&enrolment_message(origin, &public));
        let identity = PlainIdentity::new(PlainKind::Agent, &id.to_string(), origin, signer).map_err(identity_error)?;
        self.clear_left_over(tx, file)?;
        files::create_private_new(file, &identity.to_json().map_err(identity_error)?)?;
        *written.borrow_mut() = true;
        let event = AgentEnrolled {
            id,
            handle: handle.to_string(),
            operator,
            public_key: Hex32(public),
            proof: data_encoding::HEXLOWER.encode(&proof),
        };
        let appended = tx.append(by, event)?;
        Ok(EnrolledAgent { id, seq: appended.seq, file: file.to_path_buf() })
    }

    /// Removes an identity of this log that no entry ever enrolled: only an enrolment that died leaves one. The caller
    /// holds the write lock, so no other enrolment is under way.
    fn clear_left_over(&self, tx: &Tx<'_>, file: &Path) -> Result<(), WorkspaceError> {
        let Ok(bytes) = files::read_private(file, MAX_IDENTITY_FILE_BYTES) else {
            return Ok(());
        };
        let Ok(found) = PlainIdentity::parse(PlainKind::Agent, &bytes) else {
            return Ok(());
        };
        if found.origin() == self.origin().name && !tx.facts().key_was_used(&found.signer().public())? {
            // Where it cannot be removed, creating the new one fails and says so.
            files::remove_file(file);
        }
        Ok(())
    }
}

fn generate() -> Result<Signer, WorkspaceError> {
    Signer::generate().map_err(|e| WorkspaceError::NoIdentity(e.to_string()))
}
