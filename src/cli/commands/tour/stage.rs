//! Where the tour plays: a temporary directory with everything in it, and this program started again for each command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::BASE32_NOPAD;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use zeroize::Zeroizing;

use super::story::{Step, Who};
use super::view::StepView;
use crate::cli::error::CliError;
use crate::cli::outcome::Screen;
use crate::cli::text::safe;
use crate::domain::advice::shell_word;
use crate::store::write_from_outside;
use crate::sys::again::Again;
use crate::sys::{SysError, env, files, random};

/// What lies in the directory. Named relatively, so that commands print short paths.
const WORKSPACE: &str = "acme";
const STATE: &str = "state";
const IDENTITY: &str = "support-bot.json";
const PASSPHRASE: &str = "passphrase";
/// Instead of the user's own: nothing is read there or left there.
const HOME: &str = "home";
const TEMPORARY: &str = "tmp";

/// The temporary directory, and how commands are run in it. Dropped, it takes the directory with it.
pub(super) struct Stage {
    directory: files::TemporaryDir,
    program: Again,
    environment: BTreeMap<String, OsString>,
    colour: &'static str,
    interrupted: Arc<AtomicBool>,
}

impl Stage {
    /// Makes the directory. From here on a signal that means "end" ends the tour after the command that runs, which the
    /// same Ctrl-C ends too, so that the directory is removed.
    pub(super) fn set(screen: Screen) -> Result<Stage, CliError> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            signal_hook::flag::register(signal, interrupted.clone())
                .map_err(|e| CliError::could_not("io", format!("signals cannot be waited for: {e}")))?;
        }
        let program = Again::find()?;
        let directory = files::temporary_dir()?;
        let within = |name: &str| directory.path().join(name);
        for name in [HOME, TEMPORARY] {
            files::create_private_dir(&within(name))?;
        }
        files::create_private_new(&within(PASSPHRASE), &passphrase()?)?;
        let mut environment = env::for_child(["PATH", "TERM"]);
        environment.insert("HOME".into(), within(HOME).into());
        // Where a command keeps what it needs for a moment: should it be killed, that goes too.
        environment.insert("TMPDIR".into(), within(TEMPORARY).into());
        environment.insert("COLUMNS".into(), screen.width.to_string().into());
        environment.insert("AOSCTL_WORKSPACE".into(), WORKSPACE.into());
        environment.insert("AOSCTL_STATE_DIR".into(), STATE.into());
        let colour = if screen.style.is_on() { "always" } else { "never" };
        Ok(Stage { directory, program, environment, colour, interrupted })
    }

    /// Runs one command.
    pub(super) fn play(&self, step: &Step) -> Result<StepView, CliError> {
        self.go_on()?;
        let (exit, output) = match step.who {
            Who::Intruder => {
                let database = self.directory.path().join(WORKSPACE).join("aosctl.db");
                write_from_outside(&database, &step.args.join("\n"))?;
                (Some(0), String::new())
            }
            who => self.start(who, step.args)?,
        };
        self.go_on()?;
        Ok(StepView {
            about: step.about.into(),
            prompt: step.who.prompt().into(),
            typed: typed(step),
            exit,
            expected: step.exit.code(),
            output,
        })
    }

    fn start(&self, who: Who, args: &[&str]) -> Result<(Option<u8>, String), SysError> {
        // What is not shown: never ask, and the passphrase that a person would type.
        let mut all: Vec<OsString> = vec!["--no-input".into(), "--color".into(), self.colour.into()];
        let mut environment = self.environment.clone();
        match who {
            Who::OpsSigning => all.extend(["--passphrase-file".into(), PASSPHRASE.into()]),
            Who::Agent => {
                environment.insert("AOSCTL_IDENTITY".into(), IDENTITY.into());
            }
            Who::Ops | Who::Intruder => {}
        }
        all.extend(args.iter().map(OsString::from));
        let ended = self.program.run(&all, self.directory.path(), environment)?;
        Ok((ended.code.and_then(|code| u8::try_from(code).ok()), ended.output))
    }

    fn go_on(&self) -> Result<(), CliError> {
        if self.interrupted.load(Ordering::SeqCst) {
            return Err(CliError::could_not("interrupted", "the tour was interrupted"));
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) fn strike(self) -> Result<(), CliError> {
        let path = self.directory.path().to_path_buf();
        self.directory.close().map_err(|e| {
            CliError::could_not("left_behind", format!("{} cannot be removed: {e}", safe(&path.to_string_lossy())))
                .because("it holds the tour's workspace and nothing of yours")
                .hint("remove it by hand")
        })
    }
}

/// Whether a command ended as it had to, and said what it had to.
pub(super) fn judge(step: &Step, seen: &StepView) -> Result<(), CliError> {
    let typed = seen.typed.lines().next().unwrap_or_default();
    if seen.exit != Some(seen.expected) {
        let how = seen.exit.map_or("was killed by a signal".to_string(), |code| format!("ended with exit {code}"));
        return Err(CliError::no("tour_failed", format!("this step {how} instead of {}: {typed}", seen.expected)));
    }
    // Lines break where the screen ends, and words may have colours.
    let said = plain(&seen.output).split_whitespace().collect::<Vec<_>>().join(" ");
    match step.says.iter().find(|words| !said.contains(**words)) {
        Some(words) => Err(CliError::no("tour_failed", format!("this step did not say \"{words}\": {typed}"))),
        None => Ok(()),
    }
}

/// Without the styles of [`crate::cli::style`], the only escape sequences that a command prints.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// As a person types it.
fn typed(step: &Step) -> String {
    match step.who {
        Who::Intruder => step.args.join("\n"),
        _ => {
            let words = step.args.iter().map(|arg| if *arg == "--" { (*arg).to_string() } else { shell_word(arg) });
            format!("aosctl {}", words.collect::<Vec<_>>().join(" "))
        }
    }
}

/// A passphrase that nobody needs to know: 160 random bits.
fn passphrase() -> Result<Zeroizing<Vec<u8>>, SysError> {
    let bytes = Zeroizing::new(random::bytes::<20>()?);
    Ok(Zeroizing::new(BASE32_NOPAD.encode(&*bytes).into_bytes()))
}
