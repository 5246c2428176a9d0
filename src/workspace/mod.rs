//! Where the rooms meet: find a workspace, change it, prove it.
//!
//! A workspace is a directory (`aosctl.db`, `policy.toml`, `catalogue/`, `operators/` with sealed identities) and a
//! state directory outside it (`log.json`, the log identity; `pin`, the newest checkpoint; `agents/`, identities of
//! agents; `operators/`, sealed identities made by `operator create`; `run/`, locks of what runs), so that a copy of the one cannot sign without the other (design section 4).

mod adopt;
pub mod ask;
mod backup;
pub mod claim;
pub mod command;
mod compare;
mod create;
pub mod decision;
mod doors;
mod enrol;
pub mod erase;
mod error;
mod first;
mod glimpse;
mod names;
mod pin;
mod place;
mod rekey;
mod rollback;
mod sealing;
mod transact;
mod tree;
mod trusted;
mod unlock;
mod verify;
pub mod void;

pub use adopt::{Adopted, read_text};
pub use backup::{BackedUp, BackupLine, Restored, restore};
pub use compare::{Compared, Other};
pub use create::{Created, NewWorkspace, create};
pub use doors::{Doors, Said, StandingOn, same_door};
pub use enrol::EnrolledAgent;
pub use error::WorkspaceError;
pub use glimpse::Glimpse;
pub use names::standing;
pub use pin::PinState;
pub use place::Place;
pub use rekey::NewKey;
pub use sealing::{create_operator, prepare_parent, read_sealed, reseal};
pub use transact::{Appended, By, Pinned, Tx};
pub use tree::{Continued, Included, Proven};
pub use trusted::Trusted;
pub use unlock::{AgentIdentity, OperatorIdentity};
pub use verify::{
    BundleFiles, BundleOptions, Kept, KeptSeen, MAX_DIFFERENCES, Outside, Payloads, Unanchored, Verification,
    VerifyOptions, WitnessSeen, verify, verify_against, verify_bundle, verify_since_pin,
};

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::domain::facts::Origin;
use crate::domain::time::Time;
use crate::identity::{PlainIdentity, PlainKind};
use crate::store::Store;
use crate::sys::files;

/// An open workspace. Opening verifies entry 0, and with it the name of the log and the keys that everything hangs on.
pub struct Workspace {
    place: Place,
    store: Store,
    origin: Rc<Origin>,
}

impl Workspace {
    /// Opens the workspace of a place.
    ///
    /// # Errors
    /// [`WorkspaceError::Missing`] where there is none; whatever the store finds; [`WorkspaceError::Integrity`] when
    /// entry 0 does not hold.
    pub fn open(place: Place) -> Result<Workspace, WorkspaceError> {
        let db = place.database();
        if !place.has_database()? {
            return Err(WorkspaceError::Missing { dir: place.dir.clone() });
        }
        let store = Store::open(&db)?;
        // A trigger could drop what is appended, a view hide what was: nothing is read or written through another schema.
        if !store.has_our_schema()? {
            let what = "table sqlite_schema: a table, index, trigger or view is not as aosctl makes it";
            return Err(WorkspaceError::integrity(None, what));
        }
        let origin = Rc::new(first::origin(&store)?);
        Ok(Workspace { place, store, origin })
    }

    /// Where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What entry 0 fixed.
    pub fn origin(&self) -> &Rc<Origin> {
        &self.origin
    }

    /// The directory outside the workspace that belongs to this log.
    pub fn state_dir(&self) -> PathBuf {
        self.place.state_of(&self.origin.name)
    }

    /// Facts that rest on verified entries only (law 6).
    pub fn facts(&self) -> Trusted<'_> {
        Trusted::new(&self.store, self.origin.clone())
    }

    /// Now, never earlier than the last entry.
    pub fn now(&self, clock: Time) -> Result<Time, WorkspaceError> {
        Ok(self.store.head()?.map_or(clock, |h| h.at.max(clock)))
    }

    /// The log identity, which signs checkpoints and what nobody signed for.
    pub fn log_identity(&self) -> Result<PlainIdentity, WorkspaceError> {
        let path = self.state_dir().join("log.json");
        if path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return Err(WorkspaceError::NoLogIdentity { path });
        }
        read_plain(&path, PlainKind::Log).and_then(|identity| {
            if identity.origin() == self.origin.name && identity.signer().public() == self.origin.log_key {
                Ok(identity)
            } else {
                Err(WorkspaceError::ForeignIdentity { path })
            }
        })
    }

    /// The pin's note as it lies in the state directory, unverified; `None` where there is none.
    pub fn pin_note(&self) -> Result<Option<Vec<u8>>, WorkspaceError> {
        pin::note(&self.state_dir())
    }

    /// The pin, against the log as it is.
    pub fn pin_state(&self) -> Result<PinState, WorkspaceError> {
        let pin = pin::read(&self.state_dir(), &self.origin)?;
        Ok(pin.state(self.store.head()?.as_ref()))
    }
}

/// Reads an unsealed identity from a file that only its user can read.
fn read_plain(path: &Path, kind: PlainKind) -> Result<PlainIdentity, WorkspaceError> {
    // An agent's may be given through a pipe; the log's is kept by aosctl.
    let read = if kind == PlainKind::Log { files::read_private_kept } else { files::read_private };
    let bytes = read(path, crate::identity::MAX_IDENTITY_FILE_BYTES)?;
    PlainIdentity::parse(kind, &bytes).map_err(|source| WorkspaceError::Identity { path: path.to_path_buf(), source })
}
