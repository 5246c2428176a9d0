/// Why a policy or a catalogue is refused. Messages quote what the file says; control characters in them are escaped,
/// the rest is for the caller to make safe to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Something in a file.
    #[error("{file}:{line}:{column}: {message}")]
    At {
        /// The file's name, as the caller gave it.
        file: String,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A file is longer than [`super::file::MAX_TEXT`].
    #[error("{file}: {bytes} bytes; at most {limit} are read")]
    TooLong {
        /// The file's name.
        file: String,
        /// Its length.
        bytes: usize,
        /// What is read.
        limit: usize,
    },
    /// A value for `policy set` is refused.
    #[error("{key}: {message}")]
    Value {
        /// `cap.move`
        key: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no such key to set.
    #[error("unknown key {key:?} (expected one of {})", super::file::key_names().join(", "))]
    UnknownKey {
        /// What was typed.
        key: String,
    },
    /// An own kind would take the place of a built-in one.
    #[error(
        "catalogue/{kind}.toml: {kind:?} is a built-in kind, and a file of its name could switch approval points off; \
         give your kind a name of its own"
    )]
    BuiltIn {
        /// The name.
        kind: String,
    },
    /// Two own kinds of one name.
    #[error("catalogue/{kind}.toml: the kind {kind:?} is defined twice")]
    Twice {
        /// The name.
        kind: String,
    },
}
