//! Starting this same program again, as a person or a script would from a shell.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SysError;

/// The most that is kept of what a run prints, in bytes.
const MOST: u64 = 1 << 20;

/// This program, to be started again: the file that is running now, whatever `PATH` says.
#[derive(Debug)]
pub struct Again {
    program: PathBuf,
}

/// How a run of it ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// What it printed on stdout and stderr, in the order in which it did.
    pub output: String,
}

impl Again {
    /// Finds the file of this process.
    ///
    /// # Errors
    /// [`SysError::Io`] where the system does not tell.
    pub fn find() -> Result<Again, SysError> {
        let program = std::env::current_exe().map_err(SysError::io("find", Path::new("this program")))?;
        Ok(Again { program })
    }

    /// Runs it in a directory, with nothing on its standard input and this environment alone, and waits for its end.
    ///
    /// Both its streams go into one pipe, so that what it says stays in order, as on a terminal.
    ///
    /// # Errors
    /// [`SysError::Io`] if it cannot be started or its output cannot be read.
    pub fn run(
        &self,
        args: &[OsString],
        directory: &Path,
        environment: impl IntoIterator<Item = (String, OsString)>,
    ) -> Result<Ended, SysError> {
        let start = || SysError::io("start", &self.program);
        let (reader, writer) = std::io::pipe().map_err(start())?;
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(directory)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().map_err(start())?)
            .stderr(writer);
        let mut child = command.spawn().map_err(start())?;
        // It holds the ends to write to: while they are open here, the output never ends.
        drop(command);
        let mut bytes = Vec::new();
        let read = reader.take(MOST).read_to_end(&mut bytes);
        let status = child.wait().map_err(start())?;
        read.map_err(SysError::io("read what was printed by", &self.program))?;
        Ok(Ended { code: status.code(), output: String::from_utf8_lossy(&bytes).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_come_in_order_and_the_environment_is_the_one_given() {
        let sh = Again { program: PathBuf::from("/bin/sh") };
        let dir = tempfile::tempdir().unwrap();
        let script = "echo 1; echo 2 >&2; echo $A-$HOME; cat; exit 7";
        let args = ["-c".into(), script.into()];
        let env = [("A".to_string(), "b".into()), ("PATH".to_string(), "/usr/bin:/bin".into())];
        let ended = sh.run(&args, dir.path(), env).unwrap();
        assert_eq!((ended.code, ended.output.as_str()), (Some(7), "1\n2\nb-\n"));
        assert_eq!(sh.run(&["-c".into(), "kill -9 $$".into()], dir.path(), []).unwrap().code, None);
        let missing = Again { program: dir.path().join("no") };
        assert!(missing.run(&[], dir.path(), []).unwrap_err().is_not_found());
        assert!(Again::find().unwrap().program.is_absolute());
    }
}
