//! Deciding at the terminal: one request after the other, riskiest and oldest first.
//!
//! Page and key line are written in one go to the terminal that the key is read from, so nobody decides about what
//! they were not shown; what was typed before that is thrown away. The queue is read again after every key.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::script::no_agent;
use super::view::{DecisionView, DecisionsView};
use crate::cli::Context;
use crate::cli::commands::request::show::entries;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen};
use crate::cli::screen::{Frame, RequestView, flow, one_screen, whole};
use crate::cli::term::{Key, Pager, Size, Stream, TermError, is_terminal, size};
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::identity::SealedIdentity;
use crate::workspace::decision::{Answer, Case, approve, deny};
use crate::workspace::{OperatorIdentity, Workspace, WorkspaceError};

/// How often a passphrase may be typed.
const TRIES: usize = 3;
/// The flag that an error names where nobody can be asked.
const FLAG: &str = "aosctl approve REQUEST";

const HELP: &str = "\
  a  approve: sign exactly what was shown; it may be begun once, for a while
  r  approve, with a reason for the log
  d  deny, with a reason for the log; final, the agent would have to ask again
  s  skip: leave it for later
  e  everything: texts, diff and parameters in full, and every entry about it
  q  quit; so does Ctrl-C. What was decided stays decided
";

/// What a key came to.
enum Step {
    /// Read the queue again.
    Again,
    /// Enough.
    Quit,
}

struct Session<'a> {
    ctx: &'a Context,
    ws: &'a Workspace,
    sealed: (PathBuf, SealedIdentity),
    operator: Option<OperatorIdentity>,
    /// Left for later.
    skipped: BTreeSet<Id>,
    /// Every request that was ever seen waiting, to notice the others.
    known: BTreeSet<Id>,
    /// Waiting, and not for this operator: approved by it before, or its own.
    for_others: BTreeSet<Id>,
    decisions: Vec<DecisionView>,
    /// What to say above the next page, in words that stay whole.
    notices: Vec<Vec<String>>,
    warnings: Vec<WorkspaceError>,
}

/// Runs it.
pub fn run(ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    no_agent(ctx, &ws)?;
    let queue = ws.queue(ws.now(ctx.clock())?)?;
    let Some(first) = queue.first() else {
        let view = DecisionsView { dry_run: false, decisions: Vec::new(), waiting: Some(0) };
        return Ok(Outcome::of(Exit::Done, view));
    };
    if !ctx.prompter().can_ask() || !is_terminal(Stream::Stdout) {
        let n = queue.len();
        let what = format!(
            "{n} request{} for a decision, and there is no terminal to ask at",
            if n == 1 { " waits" } else { "s wait" }
        );
        return Err(CliError::could_not("no_terminal", what)
            .hint("see what waits: aosctl queue")
            .hint(format!("decide by name: aosctl approve {}", first.id)));
    }
    let mut session = Session {
        ctx,
        ws: &ws,
        sealed: ws.sealed_operator(ctx.identity_file().as_deref())?,
        operator: None,
        skipped: BTreeSet::new(),
        known: queue.iter().map(|r| r.id).collect(),
        for_others: BTreeSet::new(),
        decisions: Vec::new(),
        notices: Vec::new(),
        warnings: Vec::new(),
    };
    session.decide_all()?;
    let waiting = ws.queue(ws.now(ctx.clock())?)?.len();
    let exit = if waiting == 0 { Exit::Done } else { Exit::Pending };
    // The last sentence about a decision stands in the summary; what else was noticed is said here.
    let said: Vec<Vec<String>> = session.decisions.iter().map(|d| d.sentence(false)).collect();
    let rest = session.notices.into_iter().filter(|n| !said.contains(n)).map(|n| n.join(" ")).collect();
    let view = DecisionsView { dry_run: false, decisions: session.decisions, waiting: Some(waiting) };
    let mut outcome = Outcome::of(exit, view);
    outcome.notes = rest;
    for w in session.warnings {
        outcome = outcome.warn_if(Some(w));
    }
    Ok(outcome)
}

impl Session<'_> {
    fn decide_all(&mut self) -> Result<(), CliError> {
        loop {
            let now = self.ws.now(self.ctx.clock())?;
            let queue = self.ws.queue(now)?;
            self.notice_others(queue.iter().map(|r| r.id).collect());
            let left: Vec<Id> = queue
                .iter()
                .filter(|r| {
                    let me = self.operator.as_ref().map(|o| o.id);
                    let mine = me == Some(r.requester) || r.approvals.iter().any(|a| Some(a.operator) == me);
                    !mine && !self.skipped.contains(&r.id) && !self.for_others.contains(&r.id)
                })
                .map(|r| r.id)
                .collect();
            let Some(id) = left.first() else { return Ok(()) };
            let Some(case) = self.ws.case(*id, now)? else {
                continue;
            };
            let handled = self.decisions.len() + self.skipped.len();
            match self.one(&case, (handled + 1, handled + left.len()))? {
                Step::Again => {}
                Step::Quit => return Ok(()),
            }
        }
    }

    /// Says what arrived and what went away since the queue was last read.
    fn notice_others(&mut self, waiting: BTreeSet<Id>) {
        let decided: BTreeSet<Id> = self.decisions.iter().map(|d| d.request).collect();
        let known = std::mem::replace(&mut self.known, waiting.clone());
        for id in waiting.difference(&known) {
            self.notice(&format!("{id} arrived meanwhile"));
        }
        for id in known.difference(&waiting).filter(|id| !decided.contains(id)) {
            self.notice(&format!("{id} does not wait any more"));
        }
    }

    fn notice(&mut self, text: &str) {
        self.notices.push(text.split(' ').map(String::from).collect());
    }

    fn one(&mut self, case: &Case, position: (usize, usize)) -> Result<Step, CliError> {
        let id = case.request.id;
        let mut view = RequestView::of(case, &self.ws.history(&case.request, case.now)?);
        let keys = format!("[{id}] a approve  d deny  s skip  e everything  q quit  ? help > ");
        let mut prompt = self.page(&view, position, &keys);
        self.notices.clear();
        loop {
            let key = match self.ctx.prompter().read_key(&prompt, FLAG) {
                Ok(key) => key,
                Err(TermError::Interrupted | TermError::Closed) => return Ok(Step::Quit),
                Err(e) => return Err(e.into()),
            };
            match key {
                Key::Char('a') => return self.answer(case, Answer::Approve, None),
                Key::Char(c @ ('r' | 'd')) => {
                    let (answer, what) =
                        if c == 'r' { (Answer::Approve, "why approve") } else { (Answer::Deny, "why deny") };
                    if let Some(reason) = self.reason(what)? {
                        return self.answer(case, answer, Some(reason));
                    }
                }
                Key::Char('s') => {
                    self.skipped.insert(id);
                    return Ok(Step::Again);
                }
                Key::Char('q') | Key::Escape => return Ok(Step::Quit),
                Key::Char('e') => {
                    let screen = self.screen().1;
                    view.entries = entries(self.ws, id)?;
                    Pager::new(&self.ctx.env).show(&whole(&view, &screen))?;
                    prompt.clone_from(&keys);
                    continue;
                }
                Key::Char('?') => {
                    prompt = format!("{HELP}{keys}");
                    continue;
                }
                _ => self.notice("that key does nothing here; ? shows the keys"),
            }
            prompt = self.page(&view, position, &keys);
            self.notices.clear();
        }
    }

    fn screen(&self) -> (Size, Screen) {
        (size(&self.ctx.env), self.ctx.screen())
    }

    /// Notices, the request, and the key line at the bottom of the terminal.
    fn page(&self, view: &RequestView, position: (usize, usize), keys: &str) -> String {
        let (window, screen) = self.screen();
        let mut text = String::new();
        for notice in &self.notices {
            for line in flow(notice, screen.width) {
                text.push_str(&screen.style.green(&line));
                text.push('\n');
            }
        }
        // On a lower terminal it scrolls: less than this would leave out what must be seen.
        let rows = window.rows.max(Size::DEFAULT.rows).saturating_sub(text.lines().count() + 1);
        let page = one_screen(view, &screen, &Frame { rows, position: Some(position), keys: true });
        let blank = "\n".repeat(rows.saturating_sub(page.lines().count()));
        format!("{text}{page}{blank}{keys}")
    }

    /// Asks for a reason; nothing typed goes back.
    fn reason(&mut self, what: &str) -> Result<Option<String>, CliError> {
        match self.ctx.prompter().ask_line(&format!("{what}? (goes into the log; empty goes back)"), FLAG) {
            Ok(reason) if !reason.is_empty() => Ok(Some(reason)),
            Ok(_) => Ok(None),
            Err(e @ TermError::NotText) => {
                self.notice(&e.to_string());
                Ok(None)
            }
            Err(TermError::Closed) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn answer(&mut self, case: &Case, answer: Answer, reason: Option<String>) -> Result<Step, CliError> {
        let id = case.request.id;
        let Some(open) = &case.open else {
            return Ok(Step::Again);
        };
        if self.operator.is_none() {
            self.operator = self.unlock()?;
        }
        let Some(operator) = &self.operator else {
            return Ok(Step::Quit);
        };
        let result = self.ws.transact(self.ctx.clock(), |tx| match answer {
            Answer::Approve => approve(tx, operator, id, &open.shown, reason),
            Answer::Deny => deny(tx, operator, id, &open.shown, reason),
        });
        match result {
            Ok((decided, warning)) => {
                let view = DecisionView::of(case, &decided, answer);
                self.notices.push(view.sentence(false));
                self.decisions.push(view);
                self.warnings.extend(warning);
            }
            Err(WorkspaceError::Refused(fault)) => {
                self.notice(&safe(&fault.detail));
                if matches!(fault.kind, "own_request" | "approved_twice") {
                    self.for_others.insert(id);
                }
            }
            Err(e) => return Err(e.into()),
        }
        Ok(Step::Again)
    }

    /// Unlocks the operator: from the passphrase file, else by asking up to three times. `None`: the person would rather
    /// leave.
    fn unlock(&self) -> Result<Option<OperatorIdentity>, CliError> {
        if self.ctx.global.passphrase_file.is_some() {
            return Ok(Some(self.ctx.unlock(self.ws)?));
        }
        let (path, sealed) = &self.sealed;
        let who = sealed.id().map_or_else(|| safe(&path.display().to_string()), safe);
        let mut what = format!("passphrase of {who}");
        for left in (0..TRIES).rev() {
            let passphrase = match self.ctx.prompter().passphrase(&what, "--passphrase-file FILE") {
                Ok(p) => Some(p),
                Err(TermError::Interrupted | TermError::Closed) => return Ok(None),
                // Empty, or too long to be one.
                Err(TermError::Passphrase(_)) => None,
                Err(e) => return Err(e.into()),
            };
            if let Some(p) = passphrase {
                match self.ws.unlock_operator(path, sealed, &p) {
                    Ok(operator) => return Ok(Some(operator)),
                    Err(WorkspaceError::Identity {
                        source: crate::identity::IdentityError::WrongPassphrase, ..
                    }) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            let tries = if left == 1 { "one more try" } else { "try again" };
            what = format!("that is not the passphrase of {who}; {tries}");
        }
        Err(CliError::no(
            "wrong_passphrase",
            format!("{TRIES} times that was not the passphrase of {who}; nothing was decided"),
        ))
    }
}
