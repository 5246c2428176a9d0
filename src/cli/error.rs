//! Errors as a person reads them: what happened, why, what to type next.

use schemars::JsonSchema;
use serde::Serialize;

use super::exit::Exit;
use super::term::TermError;
use super::text::safe;
use crate::identity::IdentityError;
use crate::inventory::guard::masked;
use crate::review::carry::CarryError;
use crate::secret::SecretError;
use crate::store::{SqlKind, StoreError};
use crate::sys::SysError;
use crate::workspace::WorkspaceError;
use crate::workspace::erase::REPEATED;

/// A command that could not do what it was asked. The only type that knows every room's errors.
#[derive(Debug)]
pub struct CliError {
    /// How the process ends.
    pub exit: Exit,
    /// What happened. Our own words; foreign text in it went through [`safe`].
    pub what: String,
    /// Why.
    pub cause: Option<String>,
    /// What to type next.
    pub hints: Vec<String>,
    /// A stable word for scripts, as `no_workspace`.
    pub kind: &'static str,
}

/// The name of what `--json` prints of an error.
pub const ERROR_SCHEMA: &str = "aosctl.error/v1";

/// An error as data, on stdout with `--json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ErrorView {
    /// Always `aosctl.error/v1`.
    pub schema: &'static str,
    /// What happened.
    pub error: String,
    /// A stable word for scripts, as `no_workspace`.
    pub kind: &'static str,
    /// Why, where there is more to say.
    pub cause: Option<String>,
    /// What to type next, a line each.
    pub hints: Vec<String>,
    /// The exit code.
    pub exit: u8,
}

impl From<&CliError> for ErrorView {
    fn from(e: &CliError) -> ErrorView {
        ErrorView {
            schema: ERROR_SCHEMA,
            error: e.what.clone(),
            kind: e.kind,
            cause: e.cause.clone(),
            hints: e.hints.clone(),
            exit: e.exit.code(),
        }
    }
}

impl CliError {
    /// An error of that exit and kind.
    pub fn new(exit: Exit, kind: &'static str, what: impl Into<String>) -> CliError {
        CliError { exit, what: what.into(), cause: None, hints: Vec::new(), kind }
    }

    /// Ran, and the answer is no.
    pub fn no(kind: &'static str, what: impl Into<String>) -> CliError {
        CliError::new(Exit::No, kind, what)
    }

    /// Wrong usage that clap cannot see.
    pub fn usage(what: impl Into<String>) -> CliError {
        CliError::new(Exit::Usage, "usage", what)
    }

    /// Could not run.
    pub fn could_not(kind: &'static str, what: impl Into<String>) -> CliError {
        CliError::new(Exit::CouldNot, kind, what)
    }

    /// As it may be shown: what was typed in the place of a name may have been a secret.
    #[must_use]
    pub fn masked(&self) -> CliError {
        CliError {
            what: masked(&self.what),
            cause: self.cause.as_deref().map(masked),
            hints: self.hints.iter().map(|h| masked(h)).collect(),
            ..*self
        }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> CliError {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what to type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> CliError {
        self.hints.push(hint.into());
        self
    }
}

/// What to type where a log may not be the newest.
const ACCEPT: &str = "or, if this is all that is left: aosctl workspace accept-rollback --reason TEXT";

impl From<WorkspaceError> for CliError {
    fn from(e: WorkspaceError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            WorkspaceError::Missing { .. } => CliError::could_not("no_workspace", text)
                .hint("make one: aosctl init --name COMPANY")
                .hint("or name one: --workspace DIR, or AOSCTL_WORKSPACE"),
            WorkspaceError::Exists { .. } => CliError::no("workspace_exists", text).hint("look at it: aosctl status"),
            WorkspaceError::Store(e) => e.into(),
            WorkspaceError::Sys(e) => e.into(),
            WorkspaceError::Identity { source, .. } => identity(&source, text),
            WorkspaceError::NoLogIdentity { .. } => CliError::could_not("no_log_identity", text)
                .because(
                    "it signs what nobody signs for, and the pin; it lies in the state directory of the machine where the \
                     workspace was made",
                )
                .hint("to close a door, sign as an operator: --passphrase-file FILE")
                .hint("bring that directory back, from a backup too: aosctl workspace restore FILE"),
            WorkspaceError::ForeignIdentity { .. } => CliError::no("foreign_identity", text),
            WorkspaceError::Integrity { .. } => CliError::new(Exit::Integrity, "integrity", text)
                .hint("see everything that is wrong: aosctl audit verify"),
            WorkspaceError::RolledBack { .. } => CliError::new(Exit::Integrity, "rolled_back", text)
                .because("an older copy of the workspace was put back, or its end was cut off")
                .hint("put the newest copy back, then: aosctl audit verify")
                .hint(ACCEPT),
            WorkspaceError::TailCut { .. } => CliError::new(Exit::Integrity, "tail_cut", text)
                .because("somebody deleted entries from its end")
                .hint("put the newest copy back, then: aosctl audit verify")
                .hint(ACCEPT),
            WorkspaceError::Fork { .. } => CliError::new(Exit::Integrity, "fork", text)
                .because("two copies of the workspace were used, or an old one was put back and went on")
                .hint("put back the copy that the pin knows, then: aosctl audit verify")
                .hint(ACCEPT),
            WorkspaceError::PinBroken { .. } => CliError::new(Exit::Integrity, "pin_broken", text)
                .because("something else was written into its place")
                .hint("compare the log with a checkpoint kept elsewhere: aosctl audit verify --checkpoint FILE")
                .hint(ACCEPT),
            WorkspaceError::PinNotAFile { path } => {
                let path = safe(&path.display().to_string());
                CliError::could_not("pin", text)
                    .because("something else lies in the pin's place")
                    .hint(format!("move it away: mv {path} {path}.away"))
                    .hint("then the pin is missing, and docs/recovery.md says what to type")
            }
            WorkspaceError::PinMissing => CliError::new(Exit::Integrity, "pin_missing", text)
                .because("it was deleted, or the workspace came here without its state directory")
                .hint("compare the log with a checkpoint kept elsewhere: aosctl audit verify --checkpoint FILE")
                .hint(ACCEPT),
            WorkspaceError::OtherLog { .. } => CliError::new(Exit::Integrity, "other_log", text)
                .because("somebody put another workspace in its place, or it was moved here by hand")
                .hint("put the right one back")
                .hint(ACCEPT),
            WorkspaceError::NotABackup { .. } => {
                CliError::could_not("not_a_backup", text).hint("backups are made with: aosctl workspace backup -o FILE")
            }
            WorkspaceError::BackupDamaged { .. } => CliError::new(Exit::Integrity, "backup_damaged", text)
                .because("it was changed or cut off after it was made; nothing was restored")
                .hint("take another copy of it, or an older backup"),
            WorkspaceError::NotComparable { .. } => CliError::could_not("not_comparable", text)
                .hint("name a workspace directory, a bundle's directory, or a checkpoint"),
            WorkspaceError::StateInUse { .. } => CliError::no("state_in_use", text)
                .because("nothing of a log is ever written over; nothing was restored")
                .hint("move that directory away, or restore on another machine: AOSCTL_STATE_DIR"),
            WorkspaceError::NothingToAccept => {
                CliError::no("nothing_to_accept", text).hint("see what is: aosctl audit verify")
            }
            WorkspaceError::ClockBehind { .. } => CliError::could_not("clock", text)
                .because("an entry must not be earlier than the one before it; until then nothing is signed or allowed")
                .hint("set this machine's clock right and try again")
                .hint("if it is right, the clock stood in the future when that entry was signed: wait until then, or go on \
                       from a backup of before, as docs/recovery.md says"),
            WorkspaceError::Refused(fault) if fault.kind == REPEATED => CliError::no(fault.kind, text)
                .because("it would go into the log and stay there, so it would keep what is to be erased")
                .hint("say it without that text, such as by a ticket: GDPR request 7"),
            WorkspaceError::Refused(fault) => CliError::no(fault.kind, text),
            WorkspaceError::NoIdentity(_) => {
                CliError::no("no_identity", text).hint("name the identity to sign with: --identity FILE")
            }
            WorkspaceError::Unwritable(_) => CliError::could_not("unwritable", text),
        }
    }
}

impl From<CarryError> for CliError {
    fn from(e: CarryError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            CarryError::Workspace(e) => e.into(),
            CarryError::Signed { month, .. } => {
                CliError::no("signed", text).hint(format!("look at it: aosctl review --month {month}"))
            }
            CarryError::Decided { .. } => {
                CliError::no("decided_meanwhile", text).hint("see what was decided: aosctl review")
            }
            CarryError::Changed { .. } => CliError::no("changed", text).hint("look again: aosctl review decide"),
        }
    }
}

fn identity(e: &IdentityError, text: String) -> CliError {
    match e {
        IdentityError::WrongPassphrase => CliError::no("wrong_passphrase", text),
        _ => CliError::could_not("identity", text),
    }
}

impl From<StoreError> for CliError {
    fn from(e: StoreError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            StoreError::Busy => CliError::could_not("busy", text)
                .because("another program has held it for over ten seconds; nothing was changed")
                .hint("look for one that was stopped or hangs, then try again"),
            StoreError::Newer { .. } => CliError::could_not("newer_workspace", text)
                .because("a newer aosctl wrote it; nothing was changed")
                .hint("install that version or a newer one"),
            StoreError::NotOurs => CliError::could_not("not_a_workspace", text),
            StoreError::Corrupt { .. } => CliError::new(Exit::Integrity, "corrupt", text)
                .hint("see everything that is wrong: aosctl audit verify"),
            StoreError::Sql(_) => match e.sql_kind() {
                SqlKind::Full => CliError::could_not("disk_full", "the disk is full; nothing was changed"),
                SqlKind::ReadOnly => {
                    CliError::could_not("read_only", "the workspace or its file system is read-only; nothing was changed")
                }
                SqlKind::Corrupt => CliError::new(Exit::Integrity, "corrupt", text)
                    .hint("see everything that is wrong: aosctl audit verify"),
                SqlKind::Refused => CliError::could_not("disk", format!("{text}; nothing was changed"))
                    .because("its disk is full, read-only or broken, or something else lies in the place of one of its files")
                    .hint("look at the disk: df, mount")
                    .hint("and at the workspace's directory: aosctl.db, aosctl.db-wal and aosctl.db-shm are files"),
                SqlKind::Other => CliError::could_not("database", text),
            },
            StoreError::ReadOnlyDisk { .. } => CliError::could_not("read_only", text)
                .because("two files must lie beside the database, even to read it; nothing was changed")
                .hint("copy the directory to where can be written, and read it there: --workspace DIR"),
            StoreError::Io { .. } => CliError::could_not("io", text),
        }
    }
}

impl From<SysError> for CliError {
    fn from(e: SysError) -> CliError {
        let said = CliError::could_not("io", safe(&e.to_string()));
        match &e {
            SysError::Io { action: "write beside", path, .. } if e.is_not_found() => {
                let dir = path.parent().unwrap_or(path).display().to_string();
                said.hint(format!("make the directory first: mkdir -p {}", safe(&dir)))
            }
            _ => said,
        }
    }
}

impl From<IdentityError> for CliError {
    fn from(e: IdentityError) -> CliError {
        let text = safe(&e.to_string());
        identity(&e, text)
    }
}

impl From<SecretError> for CliError {
    fn from(e: SecretError) -> CliError {
        use SecretError as S;
        let text = safe(&e.to_string());
        let backup = "put the file back from a backup, or seal the secret anew: aosctl key seal KEY";
        match e {
            S::Sys(e) => e.into(),
            S::Identity(e) => e.into(),
            S::Empty | S::TooLong => CliError::usage(text),
            S::BadReference(_) => CliError::usage(text)
                .hint("where it lives: op://vault/item/field, vault:path#field, aws-sm:name, file:/path, pass:path, \
                       keyring:service/user")
                .hint("or seal it here: --secret-stdin"),
            S::NeverFromEnvironment(name) => CliError::could_not("secret_in_environment", text)
                .because("every program of the same user can read it there, and the agent that runs aosctl sets it")
                .hint(format!(
                    "put it into a file of mode 0600 and record file:/path, or seal it: printenv {} | aosctl ... --secret-stdin",
                    safe(&name)
                )),
            S::NoProgram(_) => CliError::could_not("no_resolver", text).hint("install it, or put its directory on PATH"),
            S::Resolver { program, .. } => CliError::could_not("resolver", text)
                .hint(format!("see what it says: run {program} yourself, in a terminal that nobody records")),
            S::Nothing(_) => CliError::could_not("resolver", text),
            S::NoPlace => CliError::could_not("no_place", text)
                .hint("say where it lives: aosctl key set KEY --ref REFERENCE, or seal it: aosctl key seal KEY"),
            S::NotSealed => CliError::could_not("not_sealed", text),
            S::NeedsOperator => CliError::could_not("needs_operator", text),
            S::Missing { .. } => CliError::could_not("vault_missing", text).hint(backup),
            S::Swapped { .. } => CliError::new(Exit::Integrity, "vault_swapped", text)
                .because("the log names the SHA-256 of the only file that counts")
                .hint(backup),
            S::Malformed { .. } | S::Damaged { .. } => CliError::could_not("vault_damaged", text).hint(backup),
            S::Foreign { .. } => CliError::new(Exit::Integrity, "vault_foreign", text).hint(backup),
            S::Unsigned { .. } => CliError::new(Exit::Integrity, "vault_unsigned", text)
                .because("somebody put another file in its place, so that fingerprints could be guessed")
                .hint("put the file back from a backup"),
            S::NotForYou { .. } => CliError::no("not_for_you", text)
                .because("it was sealed before you were enrolled, or while it could not be opened")
                .hint("one of those who can open it seals it for all: aosctl key reseal"),
            S::OtherVaultKey { .. } => CliError::could_not("vault_key", text)
                .because("the state directory is another one than that of the machine where it was sealed")
                .hint("put vault.key back, or seal the secret anew: aosctl key seal KEY --unattended"),
            S::NoRecipient => CliError::could_not("no_recipient", text),
            S::Internal(_) => CliError::could_not("internal", text),
        }
    }
}

impl From<TermError> for CliError {
    fn from(e: TermError) -> CliError {
        CliError::could_not("terminal", safe(&e.to_string()))
    }
}
