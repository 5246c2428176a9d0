//! Deciding at the terminal: one item after the other, what comes first before the rest.
//!
//! Page and key line are written in one go to the terminal that the key is read from, and what was typed before that is
//! thrown away (`cli::term`): nobody decides about what they were not shown. Nothing is recorded before the end; until
//! then everything can be taken back.

mod end;

use std::collections::BTreeSet;

use super::desk::{Desk, Refused};
use super::draw;
use super::result::finish;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::error::CliError;
use crate::cli::outcome::{Outcome, Screen};
use crate::cli::screen::flow;
use crate::cli::term::{Key, Size, Stream, TermError, is_terminal, size};
use crate::cli::text::safe;
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Month};
use crate::review::carry::{Chosen, Meanwhile};
use crate::review::model::Item;
use crate::sys::clock::Stopwatch;
use crate::workspace::{OperatorIdentity, Workspace};
use end::End;

/// How often a passphrase may be typed before the question what to do comes again.
const TRIES: usize = 3;
/// The flags that an error names where nobody can be asked.
const FLAG: &str = "aosctl review decide --from FILE";

const HELP: &str = "\
  Enter  what is advised
  k      keep it as it is
  n      narrow it to the narrower grant that is shown
  r      revoke it: the grant, the agent or the operator. A key is ended at its
         provider, and stays OPEN until aosctl key retire
  t      have the key turned over
  i      find out first; it comes again next month
  u      take the last answer back
  s      later: leave it undecided
  q      stop; so does Ctrl-C. You are asked what becomes of what you decided
A note is asked for where you decide other than advised. Nothing is recorded
before the end, and everything with one passphrase.
";

const FOLD_HELP: &str = "\
  Enter, k  keep all of these
  o         one by one
  u         take the last answer back
  s         later: leave them undecided
  q         stop; so does Ctrl-C
";

/// Something that is asked at once.
#[derive(Debug, Clone)]
enum Ask {
    One(Id),
    /// Items without findings.
    Fold(String, Vec<Id>),
}

/// An answer, so that it can be taken back.
struct Answer {
    /// Which question.
    ask: usize,
    /// What was decided; nothing where it was left for later.
    chosen: Vec<Chosen>,
}

/// What a question came to.
enum Next {
    Go,
    Undo,
    Stop,
}

struct Session<'a> {
    ctx: &'a Context,
    desk: Desk<'a>,
    asks: Vec<Ask>,
    /// The next question.
    at: usize,
    answers: Vec<Answer>,
    operator: Option<OperatorIdentity>,
    /// Said above the next page.
    notices: Vec<String>,
}

/// Runs it.
pub fn run(ctx: &Context, ws: &Workspace, named: Option<Month>) -> Result<Outcome, CliError> {
    let desk = Desk::open(ws, named, ctx)?;
    let undecided = desk.undecided(&BTreeSet::new()).len();
    if undecided == 0 {
        return finish(&desk, None, None);
    }
    if !ctx.prompter().can_ask() || !is_terminal(Stream::Stdout) {
        let month = desk.review.month;
        let what = if undecided == 1 { "1 item waits".into() } else { format!("{undecided} items wait") };
        return Err(CliError::could_not(
            "no_terminal",
            format!("{what} for a decision, and there is no terminal to ask at"),
        )
        .hint(format!("by script: aosctl review decide --month {month} --template, then --from FILE"))
        .hint(format!("or take the advice: aosctl review decide --month {month} --recommended")));
    }
    let asks = asks(&desk)?;
    let session = Session { ctx, desk, asks, at: 0, answers: Vec::new(), operator: None, notices: Vec::new() };
    let screen = session.screen();
    let page = draw::whole(&session.desk, &screen);
    if let Err(TermError::Interrupted | TermError::Closed) = session.begin(&page) {
        return finish(&session.desk, None, None);
    }
    session.all()
}

/// The questions: what comes first, what the rules say something about, and then the rest by integration.
fn asks(desk: &Desk<'_>) -> Result<Vec<Ask>, CliError> {
    let facts = desk.facts()?;
    let mut single = Vec::new();
    let mut folds: Vec<(String, Vec<Id>)> = Vec::new();
    for id in desk.undecided(&BTreeSet::new()) {
        let Some(item) = desk.item(id) else { continue };
        let same = desk.meanwhile(item, &facts)? == Meanwhile::Same;
        if desk.comes_first(id) || !same || !item.findings.is_empty() || item.advice != Advice::Keep {
            single.push(Ask::One(id));
            continue;
        }
        let label = match (&item.integration, id.kind) {
            (Some(i), _) => i.name.clone().unwrap_or_else(|| i.id.to_string()),
            (None, IdKind::Agent) => "agents".into(),
            (None, IdKind::Operator) => "operators".into(),
            (None, IdKind::Integration) => "integrations".into(),
            (None, _) => "keys of no integration".into(),
        };
        match folds.iter_mut().find(|(l, _)| *l == label) {
            Some((_, ids)) => ids.push(id),
            None => folds.push((label, vec![id])),
        }
    }
    single.extend(folds.into_iter().map(|(label, ids)| Ask::Fold(label, ids)));
    Ok(single)
}

impl Session<'_> {
    fn screen(&self) -> Screen {
        self.ctx.screen()
    }

    /// The page, until a key is typed.
    fn begin(&self, page: &str) -> Result<(), TermError> {
        let prompt = format!("{page}\nany key begins  q leaves > ");
        match self.ctx.prompter().read_key(&prompt, FLAG)? {
            Key::Char('q') | Key::Escape => Err(TermError::Closed),
            _ => Ok(()),
        }
    }

    fn all(mut self) -> Result<Outcome, CliError> {
        loop {
            while let Some(ask) = self.asks.get(self.at).cloned() {
                let next = match ask {
                    Ask::One(id) => self.one(id)?,
                    Ask::Fold(label, ids) => self.fold(&label, &ids)?,
                };
                match next {
                    Next::Go => self.at += 1,
                    Next::Undo => self.undo(),
                    Next::Stop => break,
                }
            }
            match self.end()? {
                End::Back => {}
                End::Done(outcome) => return Ok(*outcome),
                End::Dropped => {
                    let mut out = finish(&self.desk, None, None)?;
                    out.notes.splice(..0, self.notices);
                    return Ok(out);
                }
            }
        }
    }

    /// Back to the last question that was answered.
    fn undo(&mut self) {
        match self.answers.pop() {
            Some(answer) => {
                self.at = answer.ask;
                self.notices.push("taken back".into());
            }
            None => self.notices.push("there is nothing to take back".into()),
        }
    }

    fn chosen(&self) -> Vec<&Chosen> {
        self.answers.iter().flat_map(|a| &a.chosen).collect()
    }

    /// How many items were asked about before this question, and how many there are.
    fn position(&self) -> (usize, usize) {
        let count = |asks: &[Ask]| -> usize {
            asks.iter()
                .map(|a| match a {
                    Ask::One(_) => 1,
                    Ask::Fold(_, ids) => ids.len(),
                })
                .sum()
        };
        (count(self.asks.get(..self.at).unwrap_or_default()) + 1, count(&self.asks))
    }

    /// Notices, the page, and the key line at the bottom of the terminal.
    fn page(&mut self, body: &str, keys: &str) -> String {
        let screen = self.screen();
        let mut text = String::new();
        for notice in std::mem::take(&mut self.notices) {
            let words: Vec<String> = notice.split(' ').map(String::from).collect();
            for line in flow(&words, screen.width) {
                text.push_str(&screen.style.green(&line));
                text.push('\n');
            }
        }
        text.push_str(body);
        let rows = size(&self.ctx.env).rows.max(Size::DEFAULT.rows);
        let used = text.lines().count() + keys.lines().count();
        format!("{text}{}{keys}", "\n".repeat(rows.saturating_sub(used)))
    }

    /// A key; `None` where the person wants to leave.
    fn key(&self, prompt: &str) -> Result<Option<Key>, CliError> {
        match self.ctx.prompter().read_key(prompt, FLAG) {
            Ok(key) => Ok(Some(key)),
            Err(TermError::Interrupted | TermError::Closed) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn one(&mut self, id: Id) -> Result<Next, CliError> {
        let Some(item) = self.desk.item(id).cloned() else { return Ok(Next::Go) };
        if self.chosen().iter().any(|c| c.item.id == id) {
            return Ok(Next::Go);
        }
        let watch = Stopwatch::start();
        loop {
            // Read anew each time it is shown: what happened since is said.
            let meanwhile = self.desk.meanwhile(&item, &self.desk.ws.facts())?;
            let advised = self.desk.advised(&item, &meanwhile);
            let screen = self.screen();
            let body = draw::item(&self.desk, &item, &meanwhile, &screen, self.position());
            let keys = self.keys(&item, advised);
            let mut prompt = self.page(&body, &keys);
            let decision = loop {
                match self.key(&prompt)? {
                    None | Some(Key::Char('q') | Key::Escape) => return Ok(Next::Stop),
                    Some(Key::Enter) => break Some(advised),
                    Some(Key::Char('k')) => break Some(Advice::Keep),
                    Some(Key::Char('n')) => break Some(Advice::Narrow),
                    Some(Key::Char('r')) => break Some(Advice::Revoke),
                    Some(Key::Char('t')) => break Some(Advice::Rotate),
                    Some(Key::Char('i')) => break Some(Advice::Investigate),
                    Some(Key::Char('u') | Key::Backspace) => return Ok(Next::Undo),
                    Some(Key::Char('s')) => {
                        self.answers.push(Answer { ask: self.at, chosen: Vec::new() });
                        return Ok(Next::Go);
                    }
                    Some(Key::Char('?')) => prompt = format!("{HELP}{keys}"),
                    Some(_) => {
                        self.notices.push("that key does nothing here; ? shows the keys".into());
                        break None;
                    }
                }
            };
            let Some(decision) = decision else { continue };
            if let Some(chosen) = self.choose(&item, &meanwhile, decision)? {
                let took_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
                let chosen = Chosen { took_ms: Some(took_ms), ..chosen };
                self.answers.push(Answer { ask: self.at, chosen: vec![chosen] });
                return Ok(Next::Go);
            }
        }
    }

    /// A decision, with its note where it needs one. `None`: ask again.
    fn choose(&mut self, item: &Item, meanwhile: &Meanwhile, decision: Advice) -> Result<Option<Chosen>, CliError> {
        let why = match self.desk.choose(item, meanwhile, decision, None) {
            Ok(chosen) => return Ok(Some(chosen)),
            Err(Refused::Impossible(why)) => {
                self.notices.push(safe(&why));
                return Ok(None);
            }
            Err(Refused::NeedsNote(why)) => why,
        };
        let question = format!("{}\nwhy {decision}? (goes into the log; empty goes back)", safe(&why));
        let note = match self.ctx.prompter().ask_line(&question, FLAG) {
            Ok(note) if note.is_empty() => return Ok(None),
            Ok(note) => words::text("the note", &note),
            Err(e @ TermError::NotText) => Err(e.into()),
            Err(TermError::Closed) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        match note {
            Ok(note) => Ok(self.desk.choose(item, meanwhile, decision, Some(note)).ok()),
            Err(e) => {
                self.notices.push(e.what);
                Ok(None)
            }
        }
    }

    /// The keys that do something here.
    fn keys(&self, item: &Item, advised: Advice) -> String {
        let all = [
            (Advice::Keep, "k"),
            (Advice::Narrow, "n"),
            (Advice::Revoke, "r"),
            (Advice::Rotate, "t"),
            (Advice::Investigate, "i"),
        ];
        let mut line = format!("Enter {advised}");
        for (advice, key) in all {
            if advice != advised && self.desk.possible(item, advice).is_ok() {
                line.push_str(&format!("  {key} {advice}"));
            }
        }
        if !self.answers.is_empty() {
            line.push_str("  u undo");
        }
        format!("{line}  s later  q stop  ? help\n[{}] > ", item.id)
    }

    fn fold(&mut self, label: &str, ids: &[Id]) -> Result<Next, CliError> {
        let items: Vec<Item> = ids.iter().filter_map(|id| self.desk.item(*id).cloned()).collect();
        let watch = Stopwatch::start();
        loop {
            let screen = self.screen();
            let body = draw::fold(label, &items.iter().collect::<Vec<_>>(), &screen, self.position());
            let n = items.len();
            let undo = if self.answers.is_empty() { "" } else { "  u undo" };
            let all = if n == 1 { "keep it".into() } else { format!("keep all {n}") };
            let keys = format!("Enter {all}  o one by one{undo}  s later  q stop  ? help\n[{}] > ", safe(label));
            let mut prompt = self.page(&body, &keys);
            loop {
                match self.key(&prompt)? {
                    None | Some(Key::Char('q') | Key::Escape) => return Ok(Next::Stop),
                    Some(Key::Enter | Key::Char('k')) => return self.keep_all(&items, &watch),
                    Some(Key::Char('o')) => {
                        let single = ids.iter().map(|id| Ask::One(*id));
                        self.asks.splice(self.at..=self.at, single);
                        return self.next_of_split(ids);
                    }
                    Some(Key::Char('u') | Key::Backspace) => return Ok(Next::Undo),
                    Some(Key::Char('s')) => {
                        self.answers.push(Answer { ask: self.at, chosen: Vec::new() });
                        return Ok(Next::Go);
                    }
                    Some(Key::Char('?')) => prompt = format!("{FOLD_HELP}{keys}"),
                    Some(_) => {
                        self.notices.push("that key does nothing here; ? shows the keys".into());
                        break;
                    }
                }
            }
        }
    }

    /// The first of items that are now asked about one by one.
    fn next_of_split(&mut self, ids: &[Id]) -> Result<Next, CliError> {
        match ids.first() {
            Some(first) => self.one(*first),
            None => Ok(Next::Go),
        }
    }

    /// Keeps items without findings; what changed while they were shown is asked about by itself.
    fn keep_all(&mut self, items: &[Item], watch: &Stopwatch) -> Result<Next, CliError> {
        let each = watch.elapsed().as_millis() / u128::try_from(items.len().max(1)).unwrap_or(1);
        let took_ms = Some(u64::try_from(each).unwrap_or(u64::MAX));
        let facts = self.desk.facts()?;
        let mut chosen = Vec::new();
        for item in items {
            let meanwhile = self.desk.meanwhile(item, &facts)?;
            match self.desk.choose(item, &meanwhile, Advice::Keep, None) {
                Ok(c) if meanwhile == Meanwhile::Same => chosen.push(Chosen { took_ms, ..c }),
                _ => self.asks.push(Ask::One(item.id)),
            }
        }
        self.answers.push(Answer { ask: self.at, chosen });
        Ok(Next::Go)
    }
}
