use crate::identity::IdentityError;
use crate::sys::SysError;
use std::path::PathBuf;

/// Why a secret cannot be taken, sealed, opened or fetched. No message holds a secret, or a part of what a program said.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A secret of no bytes.
    #[error("the secret is empty")]
    Empty,
    /// More bytes than [`super::MAX_SECRET`].
    #[error("the secret is longer than {} bytes", super::MAX_SECRET)]
    TooLong,
    /// The text is no reference that aosctl knows.
    #[error("not a reference to a secret: {0}")]
    BadReference(String),
    /// `env:`, which is recorded and never read.
    #[error("a secret in the environment variable {0} is never read: the environment of aosctl holds no secret")]
    NeverFromEnvironment(String),
    /// The program that knows the secret is not there.
    #[error("the program {0} that fetches the secret is not on PATH")]
    NoProgram(&'static str),
    /// It failed. What it said may hold a secret, so only its size is told.
    #[error("{program} {how}, and said {stderr_bytes} bytes that are not shown, because they may hold a secret")]
    Resolver {
        /// The program.
        program: &'static str,
        /// How it ended, in words.
        how: String,
        /// How much it wrote on standard error.
        stderr_bytes: u64,
    },
    /// It gave nothing.
    #[error("{0} gave an empty secret")]
    Nothing(&'static str),
    /// No place to open is recorded.
    #[error("where the secret lives is not recorded")]
    NoPlace,
    /// It is not sealed in the vault, but elsewhere.
    #[error("the secret is not sealed in the vault")]
    NotSealed,
    /// An operator has to unlock first.
    #[error("the secret is sealed for operators, and nobody unlocked")]
    NeedsOperator,
    /// The file is not there.
    #[error("{} is missing, in which the secret is sealed", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is another one than the log names.
    #[error("{} is not the file that the log names: its SHA-256 is another", path.display())]
    Swapped {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read as one.
    #[error("{} is no sealed secret: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file was sealed for something else.
    #[error("{} was sealed for something else: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says.
        what: String,
    },
    /// Nobody sealed it for the operator who unlocked.
    #[error("{} is not sealed for the operator who unlocked, but for others", path.display())]
    NotForYou {
        /// The file.
        path: PathBuf,
        /// The public keys of those who can open it.
        recipients: Vec<[u8; 32]>,
    },
    /// What opens it does not: the file was damaged or made by somebody else.
    #[error("{} does not open: it was damaged or changed", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another key of unattended secrets lies in the state directory than the one that sealed it.
    #[error("{} was sealed under another vault key than {}", path.display(), key.display())]
    OtherVaultKey {
        /// The sealed file.
        path: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The file with the fingerprint key was signed by nobody who is or was an operator.
    #[error("{} was not signed by an operator of this log", path.display())]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
    /// There is nobody to seal it for.
    #[error("there is no live operator whose identity a secret can be sealed for")]
    NoRecipient,
    /// A file, the clock, random bytes.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// An identity cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A library refused input that this room had checked: a fault of aosctl.
    #[error("internal fault in {0}")]
    Internal(&'static str),
}
