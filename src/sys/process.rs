//! What the process gives up at its start, so that a secret in its memory stays there (law 7).

use super::SysError;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Proof that [`harden_process`] ran, and what a child should get back.
#[derive(Debug, Clone, Copy)]
pub struct Hardened {
    umask_before: Mode,
}

impl Hardened {
    /// Runs `spawn`, which starts a child of the user's own choosing, under the umask that the user had.
    ///
    /// The umask belongs to the whole process. That is harmless for a moment: every file that aosctl itself
    /// writes names its mode.
    pub fn with_users_umask<T>(&self, spawn: impl FnOnce() -> T) -> T {
        umask(self.umask_before);
        let result = spawn();
        umask(private_umask());
        result
    }
}

/// Makes new files private (umask 077), switches core dumps off, and takes a file size limit for an error.
///
/// Call it first, before any secret is in memory and before any thread is started.
///
/// On Linux the dumpable flag also keeps other processes of the same user from tracing this one. It is reset
/// when a child is executed; the core limit is inherited, and only its soft half is lowered, so that a child
/// may raise it again.
///
/// # Errors
/// [`SysError::Harden`] if neither way of switching core dumps off worked.
pub fn harden_process() -> Result<Hardened, SysError> {
    let umask_before = umask(private_umask());
    // A file that may not grow any more (`ulimit -f`) is an error like a full disk, and no reason to die without a word.
    // Handled rather than ignored, because what is ignored stays so in a child. Where that fails, the signal still kills.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    let maximum = getrlimit(Resource::Core).maximum;
    let limit = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    let dumpable = forbid_dumps();
    // The limit alone is what systems without the flag have; the flag alone is enough where it exists, also
    // for dumps that are piped to a collector, which ignore the limit. So one success is enough.
    match (dumpable, limit) {
        (Ok(()), _) | (Err(_), Ok(())) => Ok(Hardened { umask_before }),
        (Err(_), Err(error)) => Err(SysError::Harden(error.into())),
    }
}

fn private_umask() -> Mode {
    Mode::RWXG | Mode::RWXO
}

#[cfg(target_os = "linux")]
fn forbid_dumps() -> rustix::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn forbid_dumps() -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOSYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_dumps_no_core_and_a_child_gets_its_umask_back() {
        let hardened = harden_process().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
        let child = hardened
            .with_users_umask(|| std::process::Command::new("sh").args(["-c", "umask; ulimit -c"]).output().unwrap());
        let text = String::from_utf8(child.stdout).unwrap();
        let mut lines = text.lines();
        let seen = lines.next().unwrap().trim_start_matches('0').to_owned();
        assert_eq!(seen, format!("{:o}", hardened.umask_before.bits()));
        assert_eq!(lines.next(), Some("0"));
        assert_eq!(umask(private_umask()), private_umask());
    }
}
