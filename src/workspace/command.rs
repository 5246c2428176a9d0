//! Commands bound to requests: found, digested, and compared with what is about to run.
//!
//! What is bound: the resolved program and the SHA-256 of its bytes, the arguments, the directory, the names of the
//! environment variables, the SHA-256 of standard input. What is not, and cannot be: the values of those variables,
//! libraries, the interpreter of a script, and every file that the program reads by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use sha2::{Digest, Sha256};

use super::ask::AskCommand;
use crate::domain::event::Command;
use crate::sys::{SysError, env, files};

/// Most arguments, and most bytes of all of them.
const MAX_ARGS: usize = 1000;
const MAX_ARG_BYTES: usize = 131_072;
/// Most bytes of a program.
const MAX_PROGRAM: u64 = 4 << 30;
/// Most bytes of standard input.
pub const MAX_STDIN: u64 = 1 << 30;
/// Where programs are looked for when `PATH` is not set.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The variables that every child gets, where they are set. Everything else has to be named.
pub const USUAL: [&str; 21] = [
    "HOME",
    "LANG",
    "LC_ADDRESS",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
    "LOGNAME",
    "PATH",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
];

/// Why a command cannot be bound or started.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is none.
    #[error("no command was given")]
    Empty,
    /// Too long.
    #[error("a command has at most {MAX_ARGS} arguments and {MAX_ARG_BYTES} bytes, and no argument holds a zero byte")]
    TooLong,
    /// Nowhere on `PATH`, or not executable.
    #[error("{0:?} is not a program that can be found and executed")]
    NotFound(String),
    /// A path that cannot be recorded.
    #[error("{} is not UTF-8, and the log holds only that", .0.display())]
    NotUtf8(PathBuf),
    /// A name that no child gets.
    #[error("{0:?} cannot be handed to a child: {1}")]
    Variable(String, &'static str),
    /// A file.
    #[error(transparent)]
    File(#[from] SysError),
}

/// A program that was found and digested, held open so that it is that file which runs.
#[derive(Debug)]
pub struct Program {
    /// Its path, absolute, without symbolic links.
    pub path: PathBuf,
    /// The open file.
    pub file: File,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
}

/// Finds and digests the program that `name` names in a directory.
///
/// # Errors
/// [`CommandError::NotFound`]; what reading gives.
pub fn find_program(name: &str, directory: &Path) -> Result<Program, CommandError> {
    let missing = || CommandError::NotFound(name.to_string());
    let found = if name.contains('/') {
        Some(directory.join(name))
    } else {
        let path = env::for_child(["PATH"]).remove("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        // A relative or empty entry would make what is found depend on where one stands.
        std::env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(name)).find(|p| is_program(p))
    };
    let path = found.filter(|p| is_program(p)).ok_or_else(missing)?;
    let path = path.canonicalize().map_err(|_| missing())?;
    let file = files::open_file(&path)?;
    let (sha256, _) = digest_of(file.try_clone().map_err(|_| missing())?, &path, MAX_PROGRAM)?;
    Ok(Program { path, file, sha256 })
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Binds a command: what is written into the request.
///
/// # Errors
/// Whatever cannot be found or read.
pub fn bind(c: &AskCommand) -> Result<Command, CommandError> {
    let directory = directory_of(c.directory.as_deref().map(Path::new))?;
    let program = find_program(c.argv.first().ok_or(CommandError::Empty)?, &directory)?;
    let stdin_sha256 = match &c.stdin_file {
        Some(path) => digest_of(files::open_file(path.as_ref())?, path.as_ref(), MAX_STDIN)?.0,
        None => digest_of_nothing(),
    };
    describe(&c.argv, &directory, &program, &c.environment, stdin_sha256)
}

/// What would be bound of a command whose parts are at hand.
///
/// # Errors
/// Limits, names of variables, paths that are not UTF-8.
pub fn describe(
    argv: &[String],
    directory: &Path,
    program: &Program,
    variables: &[String],
    stdin_sha256: String,
) -> Result<Command, CommandError> {
    if argv.len() > MAX_ARGS
        || argv.iter().map(String::len).sum::<usize>() > MAX_ARG_BYTES
        || argv.iter().any(|a| a.contains('\0'))
    {
        return Err(CommandError::TooLong);
    }
    check_variables(variables)?;
    let usual = env::for_child(USUAL).into_keys();
    let environment: BTreeSet<String> = usual.chain(variables.iter().cloned()).collect();
    let text = |p: &Path| p.to_str().map(str::to_string).ok_or_else(|| CommandError::NotUtf8(p.to_path_buf()));
    Ok(Command {
        program: text(&program.path)?,
        program_sha256: program.sha256.clone(),
        argv: argv.to_vec(),
        directory: text(directory)?,
        environment: environment.into_iter().collect(),
        stdin_sha256,
    })
}

/// The directory that a command runs in: absolute, without symbolic links; the present one where none is named.
///
/// # Errors
/// If it is not there.
pub fn directory_of(named: Option<&Path>) -> Result<PathBuf, CommandError> {
    let here = env::current_dir()?;
    let Some(named) = named else { return Ok(here) };
    let path = here.join(named);
    match path.canonicalize() {
        Ok(real) if real.is_dir() => Ok(real),
        Ok(_) => Err(SysError::NotADirectory { path }.into()),
        Err(source) => Err(SysError::Io { action: "find the directory", path, source }.into()),
    }
}

/// Refuses names that are none, that are aosctl's own, and those by which the loader runs other code than the program's.
///
/// # Errors
/// [`CommandError::Variable`].
pub fn check_variables(names: &[String]) -> Result<(), CommandError> {
    for name in names {
        let ok = name.len() <= 200
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let no = |why| Err(CommandError::Variable(name.clone(), why));
        if !ok {
            return no("that is not the name of a variable");
        }
        if name.starts_with("AOSCTL") {
            return no("aosctl's own settings stay with aosctl");
        }
        if name.starts_with("LD_") || name.starts_with("DYLD_") {
            return no("the loader would run other code than the program that was approved");
        }
    }
    Ok(())
}

/// How a command differs from the one that was bound; `None` if it is that one.
///
/// `extra` are the variables that the runner names anew. Of the usual variables a child may get fewer than were bound (a
/// cron job has no `TERM`); it never gets one that was not.
pub fn difference(bound: &Command, found: &Command, extra: &[String]) -> Option<String> {
    if bound.argv != found.argv {
        return Some("the arguments are other ones".into());
    }
    if bound.program != found.program {
        return Some(format!("the program is {}, and {} was bound", found.program, bound.program));
    }
    if bound.program_sha256 != found.program_sha256 {
        return Some(format!("{} was changed since: its SHA-256 is another", found.program));
    }
    if bound.directory != found.directory {
        return Some(format!("the directory is {}, and {} was bound", found.directory, bound.directory));
    }
    if bound.stdin_sha256 != found.stdin_sha256 {
        return Some("standard input is another one".into());
    }
    extra.iter().find(|name| !bound.environment.contains(name)).map(|name| format!("the variable {name} was not bound"))
}

/// Hex SHA-256 and size of what a file holds, from its start.
///
/// # Errors
/// [`SysError::TooLarge`], [`SysError::Io`].
pub fn digest_of(file: File, path: &Path, most: u64) -> Result<(String, u64), SysError> {
    let mut hasher = Sha256::new();
    let mut size = 0u64;
    let mut buffer = vec![0u8; 65_536];
    let io = |source| SysError::Io { action: "read", path: path.to_path_buf(), source };
    let mut file = file;
    std::io::Seek::rewind(&mut file)
        .or_else(|e| if e.kind() == std::io::ErrorKind::NotSeekable { Ok(()) } else { Err(e) })
        .map_err(io)?;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(io(e)),
        };
        size += u64::try_from(n).unwrap_or(u64::MAX);
        if size > most {
            return Err(SysError::TooLarge {
                path: path.to_path_buf(),
                max_bytes: usize::try_from(most).unwrap_or(usize::MAX),
            });
        }
        hasher.update(buffer.get(..n).unwrap_or_default());
    }
    Ok((data_encoding::HEXLOWER.encode(&hasher.finalize()), size))
}

/// Hex SHA-256 of no bytes at all: what a command without standard input is bound to.
pub fn digest_of_nothing() -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest([]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn program(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn ask(argv: &[&str], dir: &Path) -> AskCommand {
        AskCommand {
            argv: argv.iter().map(ToString::to_string).collect(),
            directory: Some(dir.to_str().unwrap().into()),
            environment: vec!["DEPLOY_TO".into()],
            stdin_file: None,
        }
    }

    #[test]
    fn binds_what_runs_and_sees_every_change() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let real = program(&dir, "deploy.real", "#!/bin/sh\n");
        symlink(&real, dir.join("deploy")).unwrap();
        let bound = bind(&ask(&["./deploy", "now"], &dir)).unwrap();
        assert_eq!(bound.program, real.to_str().unwrap());
        assert_eq!(bound.argv, ["./deploy", "now"]);
        assert!(bound.environment.contains(&"DEPLOY_TO".to_string()) && bound.environment.is_sorted());
        assert_eq!(bound.stdin_sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let extra = vec!["DEPLOY_TO".to_string()];
        assert_eq!(difference(&bound, &bind(&ask(&["./deploy", "now"], &dir)).unwrap(), &extra), None);
        assert!(difference(&bound, &bound, &["OTHER".to_string()]).unwrap().contains("OTHER"));
        for (argv, what) in [(["./deploy", "later"], "arguments"), (["./deploy.real", "now"], "arguments")] {
            assert!(difference(&bound, &bind(&ask(&argv, &dir)).unwrap(), &extra).unwrap().contains(what));
        }
        program(&dir, "deploy.real", "#!/bin/sh\nrm -rf /\n");
        assert!(
            difference(&bound, &bind(&ask(&["./deploy", "now"], &dir)).unwrap(), &extra).unwrap().contains("SHA-256")
        );
        std::fs::write(dir.join("input"), "x").unwrap();
        let fed = AskCommand {
            stdin_file: Some(dir.join("input").to_str().unwrap().into()),
            ..ask(&["./deploy", "now"], &dir)
        };
        let now = bind(&ask(&["./deploy", "now"], &dir)).unwrap();
        assert!(difference(&now, &bind(&fed).unwrap(), &extra).unwrap().contains("standard input"));
    }

    #[test]
    fn finds_on_path_what_is_executable_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        assert!(find_program("sh", dir.path()).unwrap().path.is_absolute());
        std::fs::write(dir.path().join("plain"), "x").unwrap();
        for missing in ["./plain", "./none", "", "no-such-program-anywhere", "."] {
            assert!(matches!(find_program(missing, dir.path()), Err(CommandError::NotFound(_))), "{missing:?}");
        }
    }

    #[test]
    fn variables_that_change_what_runs_are_refused() {
        for bad in ["LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "AOSCTL_IDENTITY", "", "A=B", "1A"] {
            assert!(matches!(check_variables(&[bad.to_string()]), Err(CommandError::Variable(..))), "{bad:?}");
        }
        check_variables(&["DEPLOY_TO".into()]).unwrap();
        assert!(USUAL.is_sorted());
    }
}
