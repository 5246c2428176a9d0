//! `aosctl audit prove`.

pub mod check;
mod given;
pub mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use given::{Given, against, log_key};
use view::{ProveView, ProvedEntry};

use super::export::quoted;
use super::made;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::evidence::proof::Consistency;
use crate::evidence::receipt::{Opening, OpeningFault};
use crate::log::payload::Record;
use crate::log::receipt::Receipt;
use crate::sys::files;
use crate::workspace::{Proven, Workspace};

/// Prove that one entry is in the log, without the rest.
///
/// Writes a receipt (C2SP tlog-proof): the entry's signed envelope, its way up the Merkle tree, and a checkpoint that the
/// log signs now. Who has the log's verifier key checks it without a workspace: aosctl audit verify --proof FILE --vkey
/// VKEY. The envelope holds no personal data; --payload opens the payload, or chosen members of it, in a second file
/// beside it, and all other members stay closed.
///
/// With --consistency it proves instead that the log of today continues an older checkpoint.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry's number, or an id that exactly one entry is about: g-7, r-57
    #[arg(value_name = "SEQ|ID", required_unless_present = "consistency", conflicts_with = "consistency")]
    entry: Option<String>,
    /// Of the entries about an id, only this type, or all that begin so: request.approved
    #[arg(long = "type", value_name = "TYPE", requires = "entry")]
    kind: Option<String>,
    /// Open these members of the payload, all where none is named, in FILE.payload.json
    #[arg(long, value_name = "MEMBER,...", num_args = 0.., require_equals = true, value_delimiter = ',',
          requires = "entry")]
    payload: Option<Vec<String>>,
    /// Prove it against this checkpoint of the log, with its witnesses' lines, instead of a new one
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,
    /// Prove that the log continues this older checkpoint
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    consistency: Option<PathBuf>,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    match (&args.consistency, &args.entry) {
        (Some(older), _) => consistency(&ws, older, args.checkpoint.as_deref(), ctx),
        (None, Some(typed)) => entry(&ws, typed, &args, ctx),
        (None, None) => Err(CliError::usage("name an entry, or an older checkpoint with --consistency")),
    }
}

fn entry(ws: &Workspace, typed: &str, args: &Args, ctx: &Context) -> Result<Outcome, CliError> {
    if args.payload.is_some() && ctx.target().is_none() && !ctx.json() {
        return Err(CliError::usage("--payload makes a second file, and there is no first one to put it beside")
            .hint("name the receipt's file: --output FILE, and the payload goes into FILE.payload.json")
            .hint("or take both as JSON: --json"));
    }
    let seq = resolve(ws, typed, args.kind.as_deref())?;
    // Its signature, payload and signer's enrolment hold: what does not is never handed out as proven.
    ws.event(seq)?;
    let opening = match &args.payload {
        None => None,
        Some(names) => Some(open(ws, seq, names)?),
    };
    let given = args.checkpoint.as_deref().map(|path| Given::read(ws, path)).transpose()?;
    if let Some(given) = given.as_ref().filter(|given| given.checkpoint.size <= seq) {
        return Err(CliError::no("not_covered", format!("{} covers entries 0 to {}", given.name, given.last()))
            .hint(format!("take a newer one, or leave --checkpoint out: entry {seq} came after it")));
    }
    let proven = ws.prove(given.as_ref().map(|given| given.checkpoint.size), &[seq], &[])?;
    let checkpoint = against(ws, &proven, given)?;
    let Proven { checkpoint: newest, included, .. } = proven;
    let Some(found) = included.into_iter().next() else {
        return Err(CliError::could_not("internal", "no proof was made"));
    };
    let receipt = Receipt { extra: Some(found.envelope), index: seq, proof: found.proof, checkpoint };
    // As a stranger would: a receipt that does not verify here leaves nobody's hands.
    let shown = receipt.verify(&log_key(ws)).map_err(|e| CliError::new(Exit::Integrity, "receipt", e.to_string()))?;
    let mut payload = None;
    if let Some(opening) = &opening {
        opening.verify(&shown.envelope.header).map_err(opening_fault)?;
        payload = Some(opening.to_line().map_err(opening_fault)?);
    }

    let text = receipt.to_text();
    let mut files = Vec::new();
    if let Some(path) = ctx.target() {
        let beside = beside(path);
        // The receipt last: where it lies, its payload lies beside it.
        if let Some(payload) = &payload {
            ctx.require_outside("--output", &beside)?;
            files::write_report(&beside, payload)?;
        }
        files::write_report(path, text.as_bytes())?;
        files.push(path.display().to_string());
        files.extend(payload.as_ref().map(|_| beside.display().to_string()));
    }
    let to_stdout = files.is_empty();
    let names = |of: Option<Vec<String>>| of.unwrap_or_default();
    let view = ProveView {
        log: newest.origin,
        entries: newest.size,
        root: newest.root.to_hex(),
        entry: Some(ProvedEntry::of(&shown.envelope)),
        older_entries: None,
        opened: names(opening.as_ref().map(|o| o.body.keys().cloned().collect())),
        closed: names(opening.as_ref().map(|o| o.fields.keys().cloned().collect())),
        files,
        proof: to_stdout.then_some(text),
        payload: payload.filter(|_| to_stdout).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    };
    let receipt = view.files.first().map_or("FILE", String::as_str);
    let opened = view.files.get(1).map(|file| format!(" --payload {}", safe(&quoted(file)))).unwrap_or_default();
    let said = format!(
        "check it anywhere: aosctl audit verify --proof {}{opened} --vkey '{}'",
        safe(&quoted(receipt)),
        log_key(ws)
    );
    Ok(made(ctx, view, ctx.target().is_some()).note(said))
}

fn consistency(ws: &Workspace, older: &Path, newer: Option<&Path>, ctx: &Context) -> Result<Outcome, CliError> {
    let old = Given::read(ws, older)?;
    let newer = newer.map(|path| Given::read(ws, path)).transpose()?;
    if let Some(newer) = newer.as_ref().filter(|newer| newer.checkpoint.size < old.checkpoint.size) {
        return Err(CliError::usage(format!("{} is older than {}: a proof leads forward", newer.name, old.name)));
    }
    let size = newer.as_ref().map(|newer| newer.checkpoint.size);
    let proven = ws.prove(size, &[], &[old.checkpoint.size])?;
    let Some(found) = proven.continued.first() else {
        return Err(CliError::could_not("internal", "no proof was made"));
    };
    if found.root != old.checkpoint.root {
        return Err(old.fork(found.root));
    }
    let built = Consistency {
        old_size: old.checkpoint.size,
        new_size: proven.checkpoint.size,
        proof: found.proof.clone(),
        new: against(ws, &proven, newer)?,
        old: old.note,
    };
    built.verify(&log_key(ws)).map_err(|e| CliError::new(Exit::Integrity, "consistency", e.to_string()))?;
    let text = built.to_text();
    if let Some(path) = ctx.target() {
        files::write_report(path, text.as_bytes())?;
    }
    let view = ProveView {
        log: proven.checkpoint.origin,
        entries: proven.checkpoint.size,
        root: proven.checkpoint.root.to_hex(),
        entry: None,
        older_entries: Some(old.checkpoint.size),
        opened: Vec::new(),
        closed: Vec::new(),
        files: ctx.target().map(|p| p.display().to_string()).into_iter().collect(),
        proof: ctx.target().is_none().then_some(text),
        payload: None,
    };
    Ok(made(ctx, view, ctx.target().is_some()))
}

/// `FILE.payload.json`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".payload.json");
    PathBuf::from(name)
}

fn open(ws: &Workspace, seq: u64, names: &[String]) -> Result<Opening, CliError> {
    let gone = || CliError::new(Exit::Integrity, "payload_missing", format!("the payload of entry {seq} is missing"));
    let bytes = ws.store().entry(seq)?.and_then(|stored| stored.record).ok_or_else(gone)?;
    let record = Record::parse(&bytes).map_err(|e| opening_fault(e.into()))?;
    Opening::of(&record, seq, names).map_err(|fault| {
        let there: Vec<&str> = record.body.keys().map(String::as_str).collect();
        match fault {
            OpeningFault::NoMember(name) => {
                CliError::usage(format!("the payload of entry {seq} has no member {}", safe(&name)))
                    .hint(format!("it has these: {}", there.join(", ")))
            }
            OpeningFault::Erased(name) => {
                CliError::no("erased", format!("the member {} of entry {seq} was erased", safe(&name)))
                    .because("its value and its salt are gone; its field hash is in every receipt that opens others")
                    .hint(format!("these are left: {}", there.join(", ")))
            }
            fault => opening_fault(fault),
        }
    })
}

fn opening_fault(fault: OpeningFault) -> CliError {
    CliError::new(Exit::Integrity, "payload", safe(&fault.to_string()))
}

/// The entry that is meant: by its number, or the only one about an id.
fn resolve(ws: &Workspace, typed: &str, kind: Option<&str>) -> Result<u64, CliError> {
    if !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit()) {
        let last = ws.store().last_seq()?.unwrap_or(0);
        let seq = typed.parse::<u64>().ok().filter(|seq| *seq <= last);
        return seq.ok_or_else(|| {
            CliError::no("no_such_entry", format!("there is no entry {typed}"))
                .hint(format!("the last one is {last}: aosctl audit prove {last}"))
        });
    }
    let id: Id = typed.parse().map_err(|_| {
        CliError::usage(format!("{:?} is neither the number of an entry nor an id", safe(typed)))
            .hint("find it: aosctl audit log")
    })?;
    let wants = |have: &str| {
        kind.is_none_or(|k| have == k || have.strip_prefix(k).is_some_and(|rest| rest.starts_with(['.', '/'])))
    };
    let found: BTreeMap<u64, String> = ws
        .store()
        .about(id, u64::MAX)?
        .into_iter()
        .filter(|stored| wants(&stored.columns.0))
        .map(|stored| (stored.seq, stored.columns.0))
        .collect();
    match (found.len(), found.first_key_value()) {
        (1, Some((seq, _))) => Ok(*seq),
        (0, _) => Err(CliError::no("no_such_entry", format!("no such entry is about {id}"))
            .hint(format!("see all about it: aosctl audit log --subject {id}"))),
        (n, _) => {
            let mut e = CliError::usage(format!("{n} entries are about {id}: name the one you mean"));
            for (seq, kind) in found.iter().take(20) {
                e = e.hint(format!("{}: aosctl audit prove {seq}", safe(kind)));
            }
            Err(e)
        }
    }
}
