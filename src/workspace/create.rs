//! Making a workspace: entry 0, the first policy, the sealed operator, the log identity.

use std::path::PathBuf;
use std::sync::Arc;

use super::{By, Place, Workspace, WorkspaceError};
use crate::domain::authority::rules_digest;
use crate::domain::event::{Event, Hex32, PolicyAdopted, WorkspaceCreated};
use crate::domain::facts::Origin;
use crate::domain::id::Id;
use crate::domain::rules::Rules;
use crate::domain::time::Time;
use crate::identity::{Passphrase, PlainIdentity, PlainKind, SealedIdentity, Signer};
use crate::log::key::PublicKey;
use crate::log::origin::origin;
use crate::store::Store;
use crate::sys::{files, random};

/// What a new workspace is made of.
pub struct NewWorkspace<'a> {
    /// The company's name.
    pub company: Option<String>,
    /// The first operator's name.
    pub operator: Option<String>,
    /// Seals the first operator's identity.
    pub passphrase: &'a Passphrase,
    /// The first policy.
    pub rules: Rules,
    /// The text that it was read from.
    pub source: String,
    /// Values that somebody was asked about.
    pub confirmed: std::collections::BTreeSet<String>,
    /// The moment.
    pub now: Time,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The log's name.
    pub origin: String,
    /// The log's verifier key, for auditors.
    pub vkey: String,
    /// The sealed identity of `op-1`.
    pub operator_file: PathBuf,
    /// The directory outside the workspace.
    pub state_dir: PathBuf,
}

/// Makes a workspace. It appears whole or not at all: everything is built beside it and renamed into place last.
pub fn create(place: &Place, new: &NewWorkspace<'_>) -> Result<Created, WorkspaceError> {
    let occupied = place.database().exists() || std::fs::read_dir(&place.dir).is_ok_and(|mut d| d.next().is_some());
    if occupied {
        return Err(WorkspaceError::Exists { dir: place.dir.clone() });
    }
    let operator = signer()?;
    let log = signer()?;
    let nonce = random::bytes::<32>()?;
    let name = origin(&PublicKey(operator.public()), &PublicKey(log.public()), &nonce);
    // Argon2 before anything is on disk: it is slow, and an interrupt then leaves nothing.
    let sealed = SealedIdentity::seal(&operator, new.passphrase, Some("op-1"), Some(&name))
        .map_err(|e| identity_error(place, e))?;

    let mut stem = place.dir.file_name().unwrap_or_default().to_os_string();
    stem.push(format!(".new-{}", data_encoding::HEXLOWER.encode(&random::bytes::<6>()?)));
    let building = Place { dir: place.dir.with_file_name(stem), state: place.state.clone() };
    let result = build(&building, place, new, &operator, log, &sealed, &name, nonce);
    if result.is_err() {
        // Nothing of a workspace that did not come to be may stay; the error that matters is the first one.
        files::remove_tree(&building.dir);
        files::remove_tree(&place.state_of(&name));
    }
    result
}

fn signer() -> Result<Signer, WorkspaceError> {
    Signer::generate().map_err(|e| WorkspaceError::NoIdentity(e.to_string()))
}

fn identity_error(place: &Place, source: crate::identity::IdentityError) -> WorkspaceError {
    WorkspaceError::Identity { path: place.operators().join("op-1.json"), source }
}

#[expect(clippy::too_many_arguments, reason = "one call, in one place; a struct would only rename the arguments")]
fn build(
    building: &Place,
    place: &Place,
    new: &NewWorkspace<'_>,
    operator: &Signer,
    log: Signer,
    sealed: &SealedIdentity,
    name: &str,
    nonce: [u8; 32],
) -> Result<Created, WorkspaceError> {
    files::create_private_dir(&building.operators())?;
    files::create_private_dir(&building.catalogue())?;
    let state_dir = place.state_of(name);
    files::create_private_dir(&state_dir.join("agents"))?;
    let sealed = sealed.to_json().map_err(|e| identity_error(place, e))?;
    files::create_private_new(&building.operators().join("op-1.json"), &sealed)?;
    files::create_private_new(&building.policy(), new.source.as_bytes())?;
    let log_key = log.public();
    let log_file = PlainIdentity::new(PlainKind::Log, "log", name, log)
        .and_then(|i| i.to_json())
        .map_err(|e| identity_error(place, e))?;
    files::create_private_new(&state_dir.join("log.json"), &log_file)?;

    let digest = rules_digest(&new.rules).map_err(WorkspaceError::Unwritable)?;
    let created = WorkspaceCreated {
        operator_key: Hex32(operator.public()),
        log_key: Hex32(log_key),
        nonce: Hex32(nonce),
        company: new.company.clone(),
        name: new.operator.clone(),
    };
    let adopted = PolicyAdopted {
        digest,
        rules: Arc::new(new.rules.clone()),
        source: new.source.clone(),
        confirmed: new.confirmed.clone(),
        reason: None,
    };
    let store = Store::create(&building.database())?;
    let origin = std::rc::Rc::new(Origin { name: name.to_string(), log_key, company: new.company.clone() });
    let vkey = super::pin::vkey(&origin).to_string();
    let workspace = Workspace { place: building.clone(), store, origin };
    let by = By::identity(Id::FIRST_OPERATOR, operator);
    let ((), warning) = workspace.transact(new.now, |tx| {
        tx.append(by, Event::from(created))?;
        tx.append(by, adopted)?;
        Ok::<_, WorkspaceError>(())
    })?;
    if let Some(e) = warning {
        return Err(e);
    }
    drop(workspace);
    files::move_into_place(&building.dir, &place.dir).map_err(|e| {
        // Two at once: the other one was quicker.
        if place.database().exists() { WorkspaceError::Exists { dir: place.dir.clone() } } else { e.into() }
    })?;
    // What lay here before is gone, and was looked for. Where this cannot be written, a swap is not found; all else holds.
    let _ = super::rollback::remember(place, name);
    Ok(Created { origin: name.to_string(), vkey, operator_file: place.operators().join("op-1.json"), state_dir })
}
