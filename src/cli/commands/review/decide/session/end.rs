//! The end of a session: what becomes of the decisions, one passphrase, and the signature.

use std::collections::BTreeSet;

use super::super::draw;
use super::super::result::{self, Recorded, finish};
use super::{Ask, Session, TRIES};
use crate::cli::commands::connect::words;
use crate::cli::commands::review::{page, sign};
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::cli::term::{Key, TermError};
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::identity::{IdentityError, SealedIdentity};
use crate::review::carry::{CarryError, Chosen, carry_out};
use crate::store::StoreError;
use crate::workspace::{OperatorIdentity, WorkspaceError};

/// What becomes of the decisions.
pub(super) enum End {
    Back,
    Dropped,
    Done(Box<Outcome>),
}

impl Session<'_> {
    /// What becomes of it: carried out, dropped, or gone on with.
    pub(super) fn end(&mut self) -> Result<End, CliError> {
        loop {
            if self.chosen().is_empty() {
                let more = self.at < self.asks.len() && !self.notices.is_empty();
                return Ok(if more { End::Back } else { End::Dropped });
            }
            let screen = self.screen();
            let body = draw::summary(&self.desk, &self.chosen(), &screen)?;
            let more = if self.at < self.asks.len() { "  b go on deciding" } else { "" };
            let keys = format!("c carry out and record{more}  u undo  d drop it all\n[decided] > ");
            let prompt = self.page(&body, &keys);
            match self.key(&prompt)? {
                Some(Key::Char('c')) => {
                    let asks = self.asks.len();
                    if let Some(end) = self.carry()? {
                        return Ok(end);
                    }
                    // Something changed, and is a question again.
                    if self.asks.len() > asks {
                        return Ok(End::Back);
                    }
                }
                Some(Key::Char('u') | Key::Backspace) => {
                    self.undo();
                    return Ok(End::Back);
                }
                Some(Key::Char('b')) if self.at < self.asks.len() => return Ok(End::Back),
                Some(Key::Char('b')) => {
                    self.notices.push("there is nothing left to decide; u takes answers back".into())
                }
                None | Some(Key::Char('d' | 'q') | Key::Escape) => {
                    let n = self.chosen().len();
                    let what = if n == 1 { "your decision".into() } else { format!("your {n} decisions") };
                    let sure = format!("drop {what}? nothing is recorded then (y drops) > ");
                    if matches!(self.key(&sure)?, Some(Key::Char('y')) | None) {
                        return Ok(End::Dropped);
                    }
                }
                Some(_) => self.notices.push("that key does nothing here".into()),
            }
        }
    }

    /// Carries it out, and offers to sign. `None`: nothing was recorded, and why is among the notices.
    fn carry(&mut self) -> Result<Option<End>, CliError> {
        let Some(operator) = (match self.operator.take() {
            Some(operator) => Some(operator),
            None => self.unlock()?,
        }) else {
            return Ok(None);
        };
        let end = self.carry_as(&operator);
        self.operator = Some(operator);
        end
    }

    fn carry_as(&mut self, operator: &OperatorIdentity) -> Result<Option<End>, CliError> {
        let chosen: Vec<Chosen> = self.chosen().into_iter().cloned().collect();
        let page = self.desk.page();
        let done = self.desk.ws.transact(self.ctx.clock(), |tx| carry_out(tx, operator, &page, &chosen));
        let (carried, warning) = match done {
            Ok(done) => done,
            Err(e) => return self.not_done(e).map(|()| None),
        };
        let recorded = Recorded { by: operator.id, carried, chosen };
        let had: BTreeSet<Id> = recorded.chosen.iter().map(|c| c.item.id).collect();
        let on_disk = |e| words::done_already(e, "the decisions are recorded and carried out");
        let signed = if self.desk.undecided_first(&had).is_empty() && self.offer(&recorded).map_err(on_disk)? {
            let month = self.desk.review.month;
            let signed = sign::sign(self.desk.ws, self.ctx, operator, month, None);
            let not = |e| words::done_already(e, "the decisions are recorded and carried out, and not signed");
            Some(signed.map_err(not)?)
        } else {
            None
        };
        let outcome = finish(&self.desk, Some(recorded), signed).map_err(on_disk)?;
        Ok(Some(End::Done(Box::new(outcome.warn_if(warning)))))
    }

    /// What became of it, and whether to sign now.
    fn offer(&mut self, recorded: &Recorded) -> Result<bool, CliError> {
        let screen = self.screen();
        let body = result::page(&self.desk, recorded, &screen)?;
        let who = safe(&page::who(&result::who(&self.desk, recorded.by)?));
        let month = self.desk.review.month;
        let keys = format!("the decisions are recorded\nsign the review of {month} as {who}? y sign  n not yet > ");
        loop {
            let prompt = self.page(&body, &keys);
            match self.key(&prompt)? {
                Some(Key::Char('y')) => return Ok(true),
                None | Some(Key::Char('n' | 'q') | Key::Escape) => return Ok(false),
                Some(_) => self.notices.push("y signs, n leaves it for later".into()),
            }
        }
    }

    /// Nothing was recorded: says why, and makes what changed a question again.
    fn not_done(&mut self, e: CarryError) -> Result<(), CliError> {
        let text = safe(&e.to_string());
        match e {
            CarryError::Decided { item, .. } => {
                self.take_out(item);
                self.notices.push(format!("{text}: yours is left out, and nothing is recorded yet"));
            }
            CarryError::Changed { item, .. } => {
                self.take_out(item);
                self.asks.push(Ask::One(item));
                self.notices.push(format!("{text}: look again; nothing is recorded yet"));
            }
            // Somebody holds the lock, or an operator was retired meanwhile: what was decided is still here.
            CarryError::Workspace(WorkspaceError::Refused(_)) => {
                self.notices.push(format!("{text}; nothing is recorded yet"))
            }
            CarryError::Workspace(WorkspaceError::Store(StoreError::Busy)) => {
                self.notices.push(format!("{text}; nothing is recorded yet"));
            }
            other => return Err(other.into()),
        }
        Ok(())
    }

    fn take_out(&mut self, id: Id) {
        for answer in &mut self.answers {
            answer.chosen.retain(|c| c.item.id != id);
        }
    }

    /// Unlocks the operator: from the passphrase file, else by asking up to three times. `None`: back to the question, with
    /// everything that was decided.
    fn unlock(&mut self) -> Result<Option<OperatorIdentity>, CliError> {
        if self.ctx.global.passphrase_file.is_some() {
            return Ok(Some(self.ctx.unlock(self.desk.ws)?));
        }
        let (path, sealed): (_, SealedIdentity) = self.desk.ws.sealed_operator(self.ctx.identity_file().as_deref())?;
        let who = sealed.id().map_or_else(|| safe(&path.display().to_string()), safe);
        let mut what = format!("passphrase of {who}");
        for _ in 0..TRIES {
            match self.ctx.prompter().passphrase(&what, "--passphrase-file FILE") {
                Ok(p) => match self.desk.ws.unlock_operator(&path, &sealed, &p) {
                    Ok(operator) => return Ok(Some(operator)),
                    Err(WorkspaceError::Identity { source: IdentityError::WrongPassphrase, .. }) => {}
                    Err(e) => return Err(e.into()),
                },
                Err(TermError::Interrupted | TermError::Closed) => {
                    self.notices.push("nothing is recorded yet".into());
                    return Ok(None);
                }
                // Empty, or too long to be one.
                Err(TermError::Passphrase(_)) => {}
                Err(e) => return Err(e.into()),
            }
            what = format!("that is not the passphrase of {who}; try again");
        }
        self.notices.push(format!(
            "{TRIES} times that was not the passphrase of {who}; nothing is recorded yet, and nothing is lost"
        ));
        Ok(None)
    }
}
