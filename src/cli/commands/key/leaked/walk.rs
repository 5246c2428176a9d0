//! Going through the steps at the terminal. Each answer is an entry before the next question is asked, so whatever happens
//! in between, the walk goes on where it was.

use std::path::PathBuf;

use super::step::{Taken, is_the_one, record, sweep};
use super::view::{KeyLeakedView, guide, next_lines};
use super::{open_case, told};
use crate::cli::commands::key::leaked::contain::Contained;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, View};
use crate::cli::term::{Key, TermError};
use crate::cli::text::safe;
use crate::cli::{Context, to_stdout};
use crate::domain::id::Id;
use crate::domain::key::{LeakStep, StepOutcome};
use crate::inventory::guard;
use crate::rotation::case::Case;
use crate::workspace::{OperatorIdentity, Workspace, WorkspaceError};

/// What an error names where nobody can be asked.
const FLAG: &str = "--step STEP --outcome OUTCOME";

struct Walk<'a> {
    ws: &'a Workspace,
    ctx: &'a Context,
    id: Id,
    operator: Option<OperatorIdentity>,
    warnings: Vec<WorkspaceError>,
}

/// What an answer came to.
enum After {
    /// Look at the case again.
    Again,
    /// Leave this step for later.
    Skip,
    /// Leave the walk.
    Quit,
}

/// Shows what was done, and goes through what is left.
pub(super) fn walk(ws: &Workspace, ctx: &Context, id: Id, view: KeyLeakedView) -> Result<Outcome, CliError> {
    // First what was done, on the terminal that the questions come to.
    to_stdout(&view.human(&ctx.screen())).map_err(|e| CliError::could_not("stdout", e.to_string()))?;
    let mut walk = Walk { ws, ctx, id, operator: None, warnings: Vec::new() };
    let mut skipped = Vec::new();
    // The page has the first step already.
    let mut shown = view.leaks.first().and_then(|l| l.next.as_ref()).map(|n| n.step);
    loop {
        let case = open_case(ws, ctx, id)?;
        let open = |s: &LeakStep| !case.leak.outcome(*s).is_some_and(StepOutcome::closes) && !skipped.contains(s);
        let Some(step) = LeakStep::ALL.into_iter().find(open) else { break };
        if shown.take() != Some(step) {
            let page = format!("\n{}", next_lines(&ctx.screen(), &guide(ws, &case, step)?));
            to_stdout(&page).map_err(|e| CliError::could_not("stdout", e.to_string()))?;
        }
        match walk.ask(&case, step) {
            Ok(After::Again) => {}
            Ok(After::Skip) => skipped.push(step),
            Ok(After::Quit) => break,
            Err(e) if e.kind == "terminal" => break,
            // What was wrong with the answer is said, and asked again.
            Err(e) if matches!(e.exit, Exit::No | Exit::Usage) && e.kind != "wrong_passphrase" => {
                let hints: String = e.hints.iter().map(|h| format!("\n  {h}")).collect();
                to_stdout(&format!("{}{hints}\n", e.what)).map_err(|e| CliError::could_not("stdout", e.to_string()))?;
            }
            Err(e) => return Err(e),
        }
    }
    let mut out = told(ws, ctx, &[id], Contained::default())?.outcome(Exit::Done);
    for w in walk.warnings {
        out = out.warn_if(Some(w));
    }
    Ok(out)
}

impl Walk<'_> {
    fn ask(&mut self, case: &Case, step: LeakStep) -> Result<After, CliError> {
        let keys = match step {
            LeakStep::ProveDead => "d dead, I saw it   p not proven   f alive   s later   q quit",
            LeakStep::Rotate if case.rotated().is_none() => "r look again   n not needed   s later   q quit",
            LeakStep::Sweep => "w search   d done by other means   s later   q quit",
            LeakStep::Contain | LeakStep::Revoke | LeakStep::Rotate | LeakStep::Test => {
                "d done   n not needed   f failed   s later   q quit"
            }
        };
        let outcome = match self.ctx.prompter().read_key(&format!("{}: {keys} ", step.words()), FLAG) {
            Ok(Key::Char('d')) => StepOutcome::Done,
            Ok(Key::Char('n')) if step != LeakStep::ProveDead => StepOutcome::NotNeeded,
            Ok(Key::Char('p')) if step == LeakStep::ProveDead => StepOutcome::NotProven,
            Ok(Key::Char('f')) => StepOutcome::Failed,
            Ok(Key::Char('w')) if step == LeakStep::Sweep => return self.sweep(case),
            Ok(Key::Char('s')) => return Ok(After::Skip),
            Ok(Key::Char('q')) | Err(TermError::Interrupted | TermError::Closed) => return Ok(After::Quit),
            Ok(_) => return Ok(After::Again),
            Err(e) => return Err(e.into()),
        };
        let question = match (step, outcome) {
            (LeakStep::ProveDead, StepOutcome::Done) => "what did the provider answer",
            (_, StepOutcome::NotNeeded) => "why not",
            (_, StepOutcome::Done) => "what shows it (Enter for nothing)",
            _ => "what happened (Enter for nothing)",
        };
        let note = self.line(question)?;
        if note.as_deref().is_some_and(guard::holds_secret) {
            let what = "that looks like a secret, and is not recorded: say it without\n";
            to_stdout(what).map_err(|e| CliError::could_not("stdout", e.to_string()))?;
            return Ok(After::Again);
        }
        let skip = !outcome.closes();
        self.record(Taken { step, outcome, note, detail: None }, case)?;
        // What is not closed would be asked again at once.
        Ok(if skip { After::Skip } else { After::Again })
    }

    fn sweep(&mut self, case: &Case) -> Result<After, CliError> {
        let mut paths: Vec<PathBuf> = Vec::new();
        while let Some(path) = self.line("a file or directory to search (Enter when that is all)")? {
            paths.push(path.into());
        }
        if paths.is_empty() {
            return Ok(After::Again);
        }
        let prompter = self.ctx.prompter();
        let by_secret = prompter.read_key("search for the old secret itself, which has to be typed? y/n ", FLAG)?;
        let secret = match by_secret {
            Key::Char('y') => Some(prompter.secret("the old secret", "--secret-stdin")?),
            _ => None,
        };
        let doubt = match &secret {
            Some(secret) => {
                let operator = self.unlocked()?;
                let told = is_the_one(self.ws, &operator, case, secret);
                self.operator = Some(operator);
                told?
            }
            None => None,
        };
        let taken = sweep(self.ws, case, &paths, secret.as_ref(), doubt, None)?;
        let said: String = taken.detail.iter().flatten().map(|p| format!("  {}\n", safe(p))).collect();
        let end = match taken.outcome {
            StepOutcome::Done => "nothing names it any more",
            StepOutcome::NotProven => "nothing was found, and that does not prove it: see above",
            _ => "still named",
        };
        to_stdout(&format!("{said}{end}\n")).map_err(|e| CliError::could_not("stdout", e.to_string()))?;
        let closes = taken.outcome.closes();
        self.record(taken, case)?;
        Ok(if closes { After::Again } else { After::Skip })
    }

    fn line(&self, question: &str) -> Result<Option<String>, CliError> {
        let line = self.ctx.prompter().ask_line(question, "--note TEXT")?;
        Ok((!line.is_empty()).then_some(line))
    }

    /// The operator, asked for a passphrase once. Put it back after use.
    fn unlocked(&mut self) -> Result<OperatorIdentity, CliError> {
        self.operator.take().map_or_else(|| self.ctx.unlock(self.ws), Ok)
    }

    fn record(&mut self, taken: Taken, case: &Case) -> Result<(), CliError> {
        let operator = self.unlocked()?;
        let done = record(self.ws, self.ctx, &operator, &case.key, taken);
        self.operator = Some(operator);
        let (seq, pin) = done?;
        self.warnings.extend(pin);
        let what = format!("recorded: entry {seq} of {}\n", self.id);
        to_stdout(&what).map_err(|e| CliError::could_not("stdout", e.to_string()))
    }
}
