//! Mutations, what each must be called, and the tally.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aosctl::log::verdict::{Check, Status};
use aosctl::workspace::Verification;

use crate::base::Base;
use crate::cases::verified;
use crate::world::World;

/// Where a check must say that it failed first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seq {
    At(u64),
    /// No entry is to blame: another root, a checkpoint that does not open.
    Nowhere,
    Any,
}

/// What must be said.
#[derive(Debug, Clone)]
pub enum Want {
    Fails(Check, Seq),
    /// One of them at least, each at its entry.
    OneOf(Vec<(Check, u64)>),
    /// Not a word against that check.
    Holds(Check),
    /// A difference with that table and row.
    Row(String, String),
    /// A difference with that table.
    Table(String),
    /// The entry is listed as without authority, by that word.
    Fault(u64, &'static str),
    /// Nothing is wrong at all.
    Quiet,
}

pub type Apply = Box<dyn Fn(&World) -> rusqlite::Result<()> + Send + Sync>;

pub struct Mutation {
    pub class: &'static str,
    pub name: String,
    pub wants: Vec<Want>,
    pub apply: Apply,
}

pub fn mutation(
    class: &'static str,
    name: impl Into<String>,
    wants: Vec<Want>,
    apply: impl Fn(&World) -> rusqlite::Result<()> + Send + Sync + 'static,
) -> Mutation {
    Mutation { class, name: name.into(), wants, apply: Box::new(apply) }
}

fn holds(v: &Verification, want: &Want) -> bool {
    let failed_at =
        |check: &Check| v.report.get(*check).filter(|x| x.status == Status::Failed).map(|x| x.first_bad_seq);
    match want {
        Want::Fails(check, Seq::Any) => failed_at(check).is_some(),
        Want::Fails(check, Seq::At(seq)) => failed_at(check) == Some(Some(*seq)),
        Want::Fails(check, Seq::Nowhere) => failed_at(check) == Some(None),
        Want::OneOf(some) => some.iter().any(|(check, seq)| failed_at(check) == Some(Some(*seq))),
        Want::Holds(check) => failed_at(check).is_none(),
        Want::Row(table, row) => v.differences.iter().any(|d| d.table == *table && d.row == *row),
        Want::Table(table) => v.differences.iter().any(|d| d.table == *table),
        Want::Fault(seq, fault) => v.invalid.iter().any(|e| e.seq == *seq && e.fault == *fault),
        Want::Quiet => !v.report.failed() && v.differences.is_empty(),
    }
}

/// What is wrong with how it was found; `None` if nothing is.
fn complaint(base: &Base, m: &Mutation) -> Option<String> {
    let w = base.copy();
    if let Err(e) = (m.apply)(&w) {
        return Some(format!("{}: {}: the mutation itself failed: {e}", m.class, m.name));
    }
    let v = match verified(&w) {
        Ok(v) => v,
        // A row that cannot be read at all: an integrity failure that names the table or the row.
        Err(e)
            if e.integrity
                && m.wants.iter().any(|want| {
                    matches!(want, Want::Row(t, r) if e.text.contains(t.as_str()) || e.text.contains(r.as_str()))
                }) =>
        {
            return None;
        }
        Err(e) => return Some(format!("{}: {}: {}", m.class, m.name, e.text)),
    };
    let quiet = m.wants.iter().any(|want| matches!(want, Want::Quiet));
    if !quiet && !v.report.failed() {
        return Some(format!("{}: {}: NOT FOUND", m.class, m.name));
    }
    let missed: Vec<_> = m.wants.iter().filter(|want| !holds(&v, want)).collect();
    if missed.is_empty() {
        return None;
    }
    let said: Vec<_> = v.report.verdicts().iter().filter(|x| x.status == Status::Failed).collect();
    let differ: Vec<_> = v.differences.iter().take(4).map(|d| format!("{} {}", d.table, d.row)).collect();
    Some(format!("{}: {}: wanted {missed:?}, but\n  {said:?}\n  {differ:?}", m.class, m.name))
}

/// How it went, by class.
#[derive(Default)]
pub struct Tally {
    pub classes: BTreeMap<&'static str, (usize, usize)>,
    pub complaints: Vec<String>,
}

impl Tally {
    /// Runs them all on copies of that workspace, on two threads.
    pub fn run(&mut self, base: &Base, mutations: Vec<Mutation>) {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(self);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(m) = mutations.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let said = complaint(base, m);
                        let mut tally = done.lock().unwrap();
                        let (all, caught) = tally.classes.entry(m.class).or_default();
                        *all += 1;
                        *caught += usize::from(said.is_none());
                        tally.complaints.extend(said);
                    }
                });
            }
        });
    }

    pub fn total(&self) -> usize {
        self.classes.values().map(|(all, _)| all).sum()
    }

    pub fn print(&self) {
        for (class, (all, caught)) in &self.classes {
            println!("{class:<44} {caught:>5} of {all:>5}");
        }
    }
}
