//! One mutation, and how it must be named.

use std::sync::OnceLock;

use aosctl::domain::access::Access;
use aosctl::domain::event::{EntryCorrected, EntryVoided, Event, GrantIssued};
use aosctl::domain::facets::DataClass;
use aosctl::log::verdict::{Check, Status};
use aosctl::store::{SqlKind, StoreError};
use aosctl::workspace::{Verification, VerifyOptions, WorkspaceError, verify};
use rusqlite::params;

use crate::world::{Forgery, Stage, World, grant, now};

/// How a finding names what was changed.
#[derive(Debug, Clone)]
pub enum Named {
    /// A difference with that table and row.
    Row(String, String),
    /// A difference with that table, whatever the row.
    Table(String),
    /// A failed verdict whose first bad entry is that one.
    Entry(u64),
    /// A failed verdict of that check.
    Verdict(Check),
}

type Apply = Box<dyn Fn(&World) -> rusqlite::Result<()> + Send + Sync>;

pub struct Mutation {
    pub name: String,
    pub apply: Apply,
    pub named: Named,
}

pub fn mutation(
    name: impl Into<String>,
    named: Named,
    apply: impl Fn(&World) -> rusqlite::Result<()> + Send + Sync + 'static,
) -> Mutation {
    Mutation { name: name.into(), named, apply: Box::new(apply) }
}

/// Statements, run as with the sqlite3 shell and everything switched off that could stop them.
pub fn shell(name: impl Into<String>, named: Named, sql: impl Into<String>) -> Mutation {
    let sql = sql.into();
    mutation(name, named, move |w| attacker(w).execute_batch(&sql))
}

/// A connection without any guard: no triggers on the log, no checks, no foreign keys.
pub fn attacker(w: &World) -> rusqlite::Connection {
    let c = w.sql();
    c.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA recursive_triggers = OFF;").unwrap();
    c
}

/// Runs statements on the log itself and leaves its triggers as they were.
pub fn on_log(
    c: &rusqlite::Connection,
    change: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let kept: Vec<(String, String)> = c
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, _) in &kept {
        c.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    change(c)?;
    for (_, sql) in &kept {
        c.execute_batch(sql)?;
    }
    Ok(())
}

pub fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(Stage::new)
}

/// Every table has a row: an invalid entry was written past all checks, listed, and voided.
pub fn base() -> &'static World {
    static BASE: OnceLock<World> = OnceLock::new();
    BASE.get_or_init(|| {
        let stage = stage();
        let w = stage.copy();
        let forged = grant("g-20", "ag-2", "i-2", "repo:acme/*", Access::Admin, DataClass::Secret);
        let event: Event = GrantIssued { ..forged }.into();
        let sealed = Forgery::of(&stage.cast, "ag-2", &event, None, now()).seal(&w);
        sealed.append(&w, &stage.cast);
        let (seq, leaf) = (sealed.entry.seq, sealed.entry.leaf);
        w.sql()
            .execute(
                "INSERT INTO invalid (seq, leaf, actor, subject, fault, voidable)
                 VALUES (?1, ?2, 'ag-2', 'g-20', 'needs_operator', 1)",
                params![i64::try_from(seq).unwrap(), leaf],
            )
            .unwrap();
        w.must(&stage.cast, "op-1", now(), |_| EntryCorrected { seq: 3, note: Some("it was Tuesday".into()) }.into());
        w.must(&stage.cast, "op-1", now(), |_| EntryVoided { seq, leaf: leaf.clone(), reason: None }.into());
        let v = verified(&w).unwrap();
        assert!(!v.report.failed() && v.differences.is_empty(), "{v:#?}");
        w
    })
}

/// Number of entries of [`base`]. Read from a copy: whoever opens a database makes and removes files beside it, and other
/// tests copy that directory at the same time.
pub fn size() -> u64 {
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| base().copy().open().store().last_seq().unwrap().unwrap() + 1)
}

/// Why nothing could be verified.
#[derive(Debug)]
pub struct NoAnswer {
    /// Exit 4.
    pub integrity: bool,
    pub text: String,
}

pub fn verified(w: &World) -> Result<Verification, NoAnswer> {
    let options = VerifyOptions { vkey: None, threads: Some(1) };
    verify(&w.place(), &options, now(), &mut |_, _| {}).map_err(|e| NoAnswer {
        text: e.to_string(),
        integrity: match &e {
            WorkspaceError::Integrity { .. } | WorkspaceError::Store(StoreError::Corrupt { .. }) => true,
            WorkspaceError::Store(e) => e.sql_kind() == SqlKind::Corrupt,
            _ => false,
        },
    })
}

fn is_named(v: &Verification, named: &Named) -> bool {
    let failed = || v.report.verdicts().iter().filter(|x| x.status == Status::Failed);
    match named {
        Named::Row(table, row) => v.differences.iter().any(|d| d.table == *table && d.row == *row),
        Named::Table(table) => v.differences.iter().any(|d| d.table == *table),
        Named::Entry(seq) => failed().any(|x| x.first_bad_seq == Some(*seq)),
        Named::Verdict(check) => failed().any(|x| x.check == *check),
    }
}

/// What is wrong with how it was found; `None` if nothing is.
fn complaint(m: &Mutation) -> Option<String> {
    let w = base().copy();
    if let Err(e) = (m.apply)(&w) {
        return Some(format!("{}: the mutation itself failed: {e}", m.name));
    }
    let v = match verified(&w) {
        Ok(v) => v,
        // Nothing could be read, and that is an integrity failure which names the place.
        Err(e) if e.integrity && matches!(&m.named, Named::Row(_, r) if e.text.contains(r.as_str())) => return None,
        Err(e) => return Some(format!("{}: {}", m.name, e.text)),
    };
    if !v.report.failed() {
        return Some(format!("{}: NOT FOUND", m.name));
    }
    if !is_named(&v, &m.named) {
        let failed: Vec<_> = v.report.verdicts().iter().filter(|x| x.status == Status::Failed).collect();
        return Some(format!("{}: found, but not named {:?}: {failed:?} {:?}", m.name, m.named, v.differences));
    }
    None
}

/// Every one must be found and named. Gives how many there were.
pub fn must_all_be_found(what: &str, mutations: Vec<Mutation>) -> usize {
    base();
    let (left, right) = mutations.split_at(mutations.len() / 2);
    let complaints: Vec<String> = std::thread::scope(|s| {
        let work = [left, right].map(|half| s.spawn(move || half.iter().filter_map(complaint).collect::<Vec<_>>()));
        work.into_iter().flat_map(|w| w.join().unwrap()).collect()
    });
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), mutations.len(), complaints.join("\n"));
    println!("mutations, {what}: {}", mutations.len());
    mutations.len()
}
