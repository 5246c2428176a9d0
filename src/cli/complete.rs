//! Completions that know live ids. They only read: a shell that completes must never hold a lock.

/// Answers the shell's question, if this start is one, and ends; else returns.
pub(super) fn answer_shell() {
    clap_complete::CompleteEnv::with_factory(super::command).complete();
}
