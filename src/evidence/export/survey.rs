//! What the log holds and whether its end is sound: everything that must be known before a byte is written.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::super::archive::ExportError;
use super::{Wanted, splice};
use crate::domain::time::Time;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::hash::Hash;
use crate::log::payload::{Form, PayloadView};
use crate::log::tree::{Frontier, leaf_hash};
use crate::store::RawPayload;
use crate::workspace::Workspace;

/// Why the end of the log is not what the log identity signed, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsound {
    /// Rows are missing: so many are there, and the last one has that number.
    Gap {
        /// Rows.
        rows: u64,
        /// The last one's number.
        last: u64,
    },
    /// The end that the tables remember has another root or another size.
    Head,
    /// The pin covers more entries than there are.
    PinAhead {
        /// How many it covers.
        size: u64,
    },
    /// The pin has another root than these entries at its size.
    PinForked {
        /// How many it covers.
        size: u64,
    },
    /// The pin cannot be read, or the log did not sign it.
    PinBroken(String),
    /// There is no pin to compare with. Only this one does not keep a checkpoint from being signed.
    PinMissing,
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unsound::Gap { rows, last } => write!(f, "there are {rows} entries, and the last one is number {last}"),
            Unsound::Head => f.write_str("the entries are not those that the workspace remembers having appended"),
            Unsound::PinAhead { size } => write!(f, "the pin covers {size} entries, more than there are"),
            Unsound::PinForked { size } => write!(f, "the pin remembers other entries among the first {size}"),
            Unsound::PinBroken(why) => write!(f, "the pin does not hold: {why}"),
            Unsound::PinMissing => f.write_str("there is no pin to compare the log with"),
        }
    }
}

/// Payloads, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those there are, whether or not they go out.
    pub there: u64,
    /// Those that go out.
    pub out: u64,
    /// Size of their file, in bytes.
    pub bytes: u64,
    /// The first and the last entry whose payload goes out.
    pub range: Option<(u64, u64)>,
    /// Those that go out, by the type of their entry.
    pub by_type: BTreeMap<String, u64>,
    /// Those of which members were erased.
    pub erased: u64,
    /// Members that were erased in them.
    pub erased_members: u64,
}

impl Tally {
    /// Counts one. `line` is room that is used again.
    fn count(&mut self, payload: &RawPayload<'_>, wanted: &Wanted, line: &mut Vec<u8>) {
        self.there += 1;
        let erased = erased(payload.record);
        self.erased += u64::from(erased > 0);
        self.erased_members += erased;
        if !wanted.takes(payload) {
            return;
        }
        line.clear();
        splice(payload, line);
        let seq = u64::try_from(payload.seq).unwrap_or(0);
        self.out += 1;
        self.bytes += length(line);
        self.range = Some((self.range.map_or(seq, |(first, _)| first), seq));
        self.add_type(payload.kind, 1);
    }

    /// Adds what comes after, and leaves nothing there.
    fn join(&mut self, after: &mut Tally) {
        if after.there == 0 {
            return;
        }
        let after = std::mem::take(after);
        self.there += after.there;
        self.out += after.out;
        self.bytes += after.bytes;
        self.range = match (self.range, after.range) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (one, other) => one.or(other),
        };
        for (kind, count) in &after.by_type {
            self.add_type(kind, *count);
        }
        self.erased += after.erased;
        self.erased_members += after.erased_members;
    }

    fn add_type(&mut self, kind: &str, more: u64) {
        match self.by_type.get_mut(kind) {
            Some(count) => *count += more,
            None => drop(self.by_type.insert(kind.to_string(), more)),
        }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Entries that go out.
    pub size: u64,
    /// The number after the last of them, by the rows themselves: the size, unless rows are missing.
    pub end: u64,
    /// Entries that there are.
    pub total: u64,
    /// Merkle root of those that go out.
    pub root: Hash,
    /// When the first and the last of them were signed, by the columns beside them.
    pub signed: Option<(Time, Time)>,
    /// Size of `entries.jsonl`, in bytes.
    pub entries_bytes: u64,
    /// Their payloads.
    pub payloads: Tally,
    /// The pin is the log identity's word, whether or not these entries fit it.
    pub pin_holds: bool,
    /// Why the end of the log is not sound; empty where it is.
    pub unsound: Vec<Unsound>,
    all: bool,
}

impl Survey {
    /// Whether the log identity may sign these entries: nothing that it signed before says otherwise.
    pub fn may_be_signed(&self) -> bool {
        self.unsound.iter().all(|u| *u == Unsound::PinMissing)
    }

    /// Whether a payload with that number belongs to what goes out. Of a whole log, those of no entry do, too.
    pub(super) fn covers(&self, seq: i64) -> bool {
        self.all || u64::try_from(seq).is_ok_and(|seq| seq < self.end)
    }
}

/// Reads the whole log once.
pub(super) fn survey(
    workspace: &Workspace,
    wanted: &Wanted,
    pin: Option<&[u8]>,
    vkey: &VerifierKey,
) -> Result<Survey, ExportError> {
    let pinned = pin.map(|note| Checkpoint::open(note, vkey).map(|(checkpoint, _)| checkpoint));
    let pin_size = pinned.as_ref().and_then(|p| p.as_ref().ok()).map(|c| c.size);
    let mut tree = Frontier::new();
    let mut root_at_pin = None;
    let mut cut: Option<(u64, Hash)> = None;
    let mut s = Survey {
        size: 0,
        end: 0,
        total: 0,
        root: tree.root(),
        signed: None,
        entries_bytes: 0,
        payloads: Tally::default(),
        pin_holds: pin_size.is_some(),
        unsound: Vec::new(),
        all: true,
    };
    let mut last = 0;
    let mut keep_root = |tree: &Frontier| {
        if pin_size == Some(tree.size()) {
            root_at_pin = Some(tree.root());
        }
    };
    keep_root(&tree);
    let mut line = Vec::new();
    // Payloads after the last entry that goes out: they belong to it only if nothing was cut off.
    let mut after = Tally::default();
    let mut tally = Tally::default();
    workspace.store().each_pair::<ExportError>(&mut |entry, payload| {
        if let Some(entry) = entry {
            let at = Time::from_millis(entry.at);
            let seq = u64::try_from(entry.seq).unwrap_or(0);
            if cut.is_none() && wanted.until.is_some_and(|until| at >= until) {
                cut = Some((seq, tree.root()));
            }
            if cut.is_none() {
                tally.join(&mut after);
                s.size += 1;
                s.end = seq + 1;
                s.entries_bytes += length(entry.envelope) + 1;
                s.signed = Some((s.signed.map_or(at, |(first, _)| first), at));
            }
            last = seq;
            tree.push(leaf_hash(entry.envelope));
            keep_root(&tree);
        }
        if let Some(payload) = payload.filter(|_| cut.is_none()) {
            let tally = if entry.is_some() { &mut tally } else { &mut after };
            tally.count(&payload, wanted, &mut line);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if cut.is_none() {
        tally.join(&mut after);
    }
    s.payloads = tally;
    s.total = tree.size();
    s.all = cut.is_none();
    s.root = cut.map_or_else(|| tree.root(), |(_, root)| root);
    if s.total != last + 1 {
        s.unsound.push(Unsound::Gap { rows: s.total, last });
    }
    let head = workspace.store().head().ok().flatten();
    if head.is_none_or(|h| h.size != s.total || h.frontier != tree.to_bytes()) {
        s.unsound.push(Unsound::Head);
    }
    match pinned {
        None => s.unsound.push(Unsound::PinMissing),
        Some(Err(e)) => s.unsound.push(Unsound::PinBroken(e.to_string())),
        Some(Ok(c)) if c.size > s.total => s.unsound.push(Unsound::PinAhead { size: c.size }),
        Some(Ok(c)) if root_at_pin != Some(c.root) => s.unsound.push(Unsound::PinForked { size: c.size }),
        Some(Ok(_)) => {}
    }
    Ok(s)
}

/// How many members of a record were erased. Few records lost any, and those that did say so in these bytes; text that
/// somebody wrote has its quotation marks escaped.
fn erased(record: &[u8]) -> u64 {
    if !std::str::from_utf8(record).is_ok_and(|text| text.contains("\"erased\":{")) {
        return 0;
    }
    PayloadView::read(record, Form::Stored).map_or(0, |view| u64::try_from(view.erased.len()).unwrap_or(u64::MAX))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
