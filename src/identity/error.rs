use crate::sys::SysError;

/// Why an identity cannot be made, read or unlocked. No message holds a secret or a part of the file.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The text is no identity of the wanted kind.
    #[error("not a valid identity file: {0}")]
    Malformed(String),
    /// The line is no enrolment line.
    #[error("not a valid enrolment line: {0}")]
    MalformedLine(&'static str),
    /// The id is not of the form that this kind of identity has.
    #[error("`{0}` cannot be the id of this identity")]
    BadId(String),
    /// The origin is not of the form `aosctl/` and 32 lowercase hex digits.
    #[error("`{0}` is not the origin of a log")]
    BadOrigin(String),
    /// The cost of unlocking lies below what protects a passphrase or above what a computer should be asked
    /// for by a file that somebody else may have written.
    #[error("the identity file asks for Argon2id with {what}, outside the accepted {low} to {high}")]
    KdfOutOfRange {
        /// Which parameter, with its value.
        what: String,
        /// The lowest accepted value.
        low: u32,
        /// The highest accepted value.
        high: u32,
    },
    /// There is not enough memory to run Argon2id.
    #[error("not enough memory to unlock the identity ({m_kib} KiB are needed)")]
    OutOfMemory {
        /// What the file asks for, in KiB.
        m_kib: u32,
    },
    /// The passphrase does not open the file. The cipher cannot tell a wrong one from a changed file.
    #[error("wrong passphrase (or the file was changed)")]
    WrongPassphrase,
    /// The public key in the file is not the one of the secret in it.
    #[error("the public key in the identity file does not belong to its secret")]
    KeyMismatch,
    /// A passphrase of no characters.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A passphrase longer than [`super::MAX_PASSPHRASE_BYTES`].
    #[error("the passphrase is longer than {} bytes", super::MAX_PASSPHRASE_BYTES)]
    LongPassphrase,
    /// A new passphrase shorter than [`super::MIN_PASSPHRASE_CHARS`].
    #[error(
        "the passphrase has {chars} characters; at least {} are needed, several words are better",
        super::MIN_PASSPHRASE_CHARS
    )]
    ShortPassphrase {
        /// How many it has.
        chars: usize,
    },
    /// A new passphrase that could not be typed at a terminal.
    #[error("the passphrase holds a control character or a line break, so it could not be typed again")]
    UntypablePassphrase,
    /// The passphrase is not UTF-8, which is what a terminal gives.
    #[error("the passphrase is not UTF-8 text")]
    PassphraseNotText,
    /// What was typed is no recovery code. No part of it is repeated.
    #[error("not a recovery code: {0}")]
    BadCode(&'static str),
    /// The operating system failed.
    #[error(transparent)]
    System(#[from] SysError),
    /// A library refused input that this room had checked: a fault of aosctl.
    #[error("internal fault in {0}")]
    Internal(&'static str),
}
