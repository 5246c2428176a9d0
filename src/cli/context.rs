//! What every command has at hand.

use std::path::{Path, PathBuf};

use super::error::CliError;
use super::global::{Format, Global};
use super::outcome::Screen;
use super::style::Style;
use super::term::{self, Prompter, Stream};
use crate::domain::time::Time;
use crate::identity::Passphrase;
use crate::sys::env::Env;
use crate::sys::process::Hardened;
use crate::sys::{clock, files};
use crate::workspace::{AgentIdentity, OperatorIdentity, Place, Workspace};

/// What every command has at hand: the flags that all share, the environment, the clock, somebody to ask.
pub struct Context {
    /// The flags that all share.
    pub global: Global,
    /// What `--output` names, for a command that writes files by itself (`Command::writes_output`): its page is printed on
    /// stdout all the same, and `global.output` is empty.
    pub target: Option<PathBuf>,
    /// The environment, as it was at the start.
    pub env: Env,
    /// Proof that the process is hardened, and the umask for children.
    pub hardened: Hardened,
}

impl Context {
    /// Now, by the clock of this machine, read anew.
    pub fn clock(&self) -> Time {
        Time::from(clock::now())
    }

    /// Somebody to ask, or nobody.
    pub fn prompter(&self) -> Prompter {
        Prompter::new(self.global.no_input)
    }

    /// The page for stdout.
    pub fn screen(&self) -> Screen {
        let width = term::size(&self.env).columns.clamp(40, 200);
        // A file is as wide as a page, whatever window it was made in, and has colours only where they are asked for.
        if self.output().is_some() {
            let style = Style::decide(self.global.color, &self.env, false);
            return Screen { width: term::Size::DEFAULT.columns, style };
        }
        Screen { width, style: Style::decide(self.global.color, &self.env, term::is_terminal(Stream::Stdout)) }
    }

    /// Columns of what is said on stderr. Somebody who reads it in a file or a pipe searches it by line, so nothing is
    /// folded there unless `COLUMNS` says how wide it is.
    pub fn width_of_stderr(&self) -> usize {
        if self.env.columns.is_some() || term::is_terminal(Stream::Stderr) { self.screen().width } else { usize::MAX }
    }

    /// Data is wanted as JSON.
    pub fn json(&self) -> bool {
        self.format() == Format::Json
    }

    /// How data is wanted.
    pub fn format(&self) -> Format {
        if self.global.json { Format::Json } else { self.global.format }
    }

    /// Refuses a format that the command does not have, before anything is done, and a file for what is no report.
    pub fn require_format(&self, formats: &[Format]) -> Result<(), CliError> {
        let format = self.format();
        let names: Vec<&str> = formats.iter().map(|f| f.as_str()).collect();
        if !formats.contains(&format) {
            return Err(CliError::usage(format!("this command does not print {}", format.as_str()))
                .because("only reports, such as the access review, are printed in every format")
                .hint(format!("choose one that it has: --format {}", names.join("|"))));
        }
        if self.global.output.is_some() && !formats.iter().any(|f| f.is_for_reports()) {
            return Err(CliError::usage("--output is for reports, and this command prints none")
                .hint("let the shell write the file: aosctl ... > FILE"));
        }
        self.require_output_outside()
    }

    fn require_output_outside(&self) -> Result<(), CliError> {
        let target = self.target.as_deref().filter(|path| *path != Path::new("-"));
        self.output().or(target).map_or(Ok(()), |path| self.require_outside("--output", path))
    }

    /// Refuses a file in the place of what aosctl keeps: the log, the identities, the pin. `flag` is where it was named.
    pub fn require_outside(&self, flag: &str, path: &Path) -> Result<(), CliError> {
        let Ok(place) = self.place() else { return Ok(()) };
        for (dir, what) in [(&place.dir, "the workspace"), (&place.state, "the state directory")] {
            if files::lies_within(path, dir) {
                return Err(CliError::usage(format!("{flag} lies inside {what}: {}", show_path(path)))
                    .because("a report there could replace what aosctl keeps; nothing was written")
                    .hint(format!("name a file somewhere else: {flag} ~/FILE")));
            }
        }
        Ok(())
    }

    /// The file that a report goes to; `None` for stdout.
    pub fn output(&self) -> Option<&Path> {
        self.global.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// The file that a command writes by itself (`Command::writes_output`); `None` for stdout.
    pub fn target(&self) -> Option<&Path> {
        self.target.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// Where the workspace lies, or would lie.
    pub fn place(&self) -> Result<Place, CliError> {
        Place::find(self.global.workspace.as_deref(), &self.env).ok_or_else(|| {
            CliError::could_not("no_home", "this user has no home directory")
                .hint("name the directories: --workspace DIR and AOSCTL_STATE_DIR")
        })
    }

    /// Opens the workspace.
    pub fn open(&self) -> Result<Workspace, CliError> {
        Ok(Workspace::open(self.place()?)?)
    }

    /// The identity file that was named.
    pub fn identity_file(&self) -> Option<PathBuf> {
        self.global.identity.clone().or_else(|| self.env.identity.clone())
    }

    /// Unlocks an operator: Argon2 now, before any lock is taken. Asks on the terminal unless a passphrase file is given.
    pub fn unlock(&self, workspace: &Workspace) -> Result<OperatorIdentity, CliError> {
        self.unlock_for(workspace, self.identity_file().as_deref(), "")
    }

    /// Unlocks the operator of that file, else the only one in the workspace; the question says what for.
    pub fn unlock_for(
        &self,
        workspace: &Workspace,
        named: Option<&Path>,
        what_for: &str,
    ) -> Result<OperatorIdentity, CliError> {
        let (path, sealed) =
            workspace.sealed_operator(named).map_err(|e| match named.and_then(|path| workspace.agent(path).ok()) {
                Some(a) => {
                    CliError::no("needs_operator", format!("{} is an agent, and only an operator may do this", a.id))
                        .because("the identity that was presented (--identity or AOSCTL_IDENTITY) is an agent's")
                }
                None => e.into(),
            })?;
        let who = sealed.id().map_or_else(|| path.display().to_string(), str::to_string);
        let passphrase = self.passphrase(&format!("passphrase of {who}{what_for}"))?;
        Ok(workspace.unlock_operator(&path, &sealed, &passphrase)?)
    }

    /// A passphrase that opens something: from the file given, else asked for.
    pub fn passphrase(&self, what: &str) -> Result<Passphrase, CliError> {
        match &self.global.passphrase_file {
            Some(path) => passphrase_from(path),
            None => Ok(self.prompter().passphrase(what, "--passphrase-file FILE")?),
        }
    }

    /// A new passphrase: from the file given, else asked for twice.
    pub fn new_passphrase(&self, what: &str) -> Result<Passphrase, CliError> {
        match &self.global.passphrase_file {
            Some(path) => Ok(passphrase_from(path)?.require_strength()?),
            None => Ok(self.prompter().new_passphrase(what, "--passphrase-file FILE")?),
        }
    }

    /// The agent that presents itself with `--identity FILE` or `AOSCTL_IDENTITY`.
    pub fn agent(&self, workspace: &Workspace) -> Result<AgentIdentity, CliError> {
        let Some(path) = self.identity_file() else {
            return Err(CliError::no("no_identity", "an agent asks with its own identity, and none was presented")
                .hint("present it: --identity FILE, or AOSCTL_IDENTITY"));
        };
        Ok(workspace.agent(&path)?)
    }

    /// What a change that nobody signs for is signed with: an operator or agent that is presented without asking for a
    /// passphrase, else the log. Used where law 2 lets nothing stand in the way.
    pub fn whoever(&self, workspace: &Workspace) -> Result<Whoever, CliError> {
        if let Some(path) = self.identity_file()
            && let Ok(agent) = workspace.agent(&path)
        {
            return Ok(Whoever::Agent(agent));
        }
        // A passphrase file is a way to sign without being asked; without one nobody is asked here.
        let unopened = match self.global.passphrase_file.as_ref().map(|_| self.unlock(workspace)) {
            Some(Ok(operator)) => return Ok(Whoever::Operator(operator)),
            Some(Err(e)) => Some(e.what),
            None => None,
        };
        Ok(Whoever::Nobody(workspace.log_identity()?, unopened))
    }
}

/// Who closes a door.
pub enum Whoever {
    /// An agent, which can do so only for itself.
    Agent(AgentIdentity),
    /// An operator.
    Operator(OperatorIdentity),
    /// Nobody: signed by the log, unattributed; and why not by the operator whose passphrase was given, if one was.
    Nobody(crate::identity::PlainIdentity, Option<String>),
}

impl Whoever {
    /// To sign as.
    pub fn by(&self) -> crate::workspace::By<'_> {
        match self {
            Whoever::Agent(a) => a.by(),
            Whoever::Operator(o) => o.by(),
            Whoever::Nobody(log, _) => crate::workspace::By::log(log.signer()),
        }
    }

    /// What must be said where an operator was to sign and could not: nothing stood in the way, and nobody signed.
    pub fn unsigned(&self) -> Option<String> {
        match self {
            Whoever::Nobody(_, Some(why)) => Some(format!("no operator signed, the log did: {why}")),
            _ => None,
        }
    }
}

/// A path, safe to print.
fn show_path(path: &Path) -> String {
    super::text::safe(&path.display().to_string())
}

fn passphrase_from(path: &Path) -> Result<Passphrase, CliError> {
    let bytes = files::read_private(path, crate::identity::MAX_PASSPHRASE_BYTES + 2)?;
    Ok(Passphrase::from_file(&bytes)?)
}
