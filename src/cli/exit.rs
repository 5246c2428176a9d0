//! The exit register: every code that aosctl may end with, and nothing else (design section 8).

/// How a command ended. The meaning of each code is the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done; allowed; nothing due; all verified.
    Done,
    /// Ran, and the answer is no: denied, refused, due or overdue, findings, the child of `run` failed.
    No,
    /// Wrong usage.
    Usage,
    /// Could not run: no workspace, locked, I/O, bad file.
    CouldNot,
    /// Integrity failure: the log or the tables do not verify.
    Integrity,
    /// A human decision is pending.
    Pending,
    /// `run --passthrough`: the child's own status.
    Child(u8),
    /// `--monitor`: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as monitoring systems read it.
    Monitor(u8),
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::CouldNot => 3,
            Exit::Integrity => 4,
            Exit::Pending => 5,
            Exit::Child(n) | Exit::Monitor(n) => n,
        }
    }
}

/// The register, as the man pages print it.
pub const REGISTER: &[(u8, &str)] = &[
    (0, "done; allowed; nothing due; all verified"),
    (1, "ran, and the answer is no: denied, refused, due or overdue, findings, the child of run failed"),
    (2, "wrong usage"),
    (3, "could not run: no workspace, locked, I/O, bad file"),
    (4, "integrity failure: the log or the tables do not verify"),
    (5, "a human decision is pending"),
];
