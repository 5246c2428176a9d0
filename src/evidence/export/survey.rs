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
    /// Payloads of these entries, whether or not they go out.
    pub payloads_there: u64,
    /// Payloads that go out.
    pub payloads: u64,
    /// Size of their file, in bytes.
    pub payloads_bytes: u64,
    /// The first and the last entry whose payload goes out.
    pub payload_range: Option<(u64, u64)>,
    /// Payloads that go out, by the type of their entry.
    pub by_type: BTreeMap<String, u64>,
    /// Payloads of these entries of which members were erased.
    pub erased_payloads: u64,
    /// Members that were erased in them.
    pub erased_members: u64,
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
        payloads_there: 0,
        payloads: 0,
        payloads_bytes: 0,
        payload_range: None,
        by_type: BTreeMap::new(),
        erased_payloads: 0,
        erased_members: 0,
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
    workspace.store().each_entry::<ExportError>(&mut |entry| {
        let at = Time::from_millis(entry.at);
        let seq = u64::try_from(entry.seq).unwrap_or(0);
        if cut.is_none() && wanted.until.is_some_and(|until| at >= until) {
            cut = Some((seq, tree.root()));
        }
        if cut.is_none() {
            s.size += 1;
            s.end = seq + 1;
            s.entries_bytes += length(entry.envelope) + 1;
            s.signed = Some((s.signed.map_or(at, |(first, _)| first), at));
        }
        last = seq;
        tree.push(leaf_hash(entry.envelope));
        keep_root(&tree);
        Ok(ControlFlow::Continue(()))
    })?;
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
    payloads(workspace, wanted, &mut s)?;
    Ok(s)
}

fn payloads(workspace: &Workspace, wanted: &Wanted, s: &mut Survey) -> Result<(), ExportError> {
    let mut line = Vec::new();
    workspace.store().each_payload::<ExportError>(&mut |payload| {
        if !s.covers(payload.seq) {
            return Ok(ControlFlow::Break(()));
        }
        s.payloads_there += 1;
        let erased = erased(payload.record);
        s.erased_payloads += u64::from(erased > 0);
        s.erased_members += erased;
        if wanted.takes(&payload) {
            line.clear();
            splice(&payload, &mut line);
            let seq = u64::try_from(payload.seq).unwrap_or(0);
            s.payloads += 1;
            s.payloads_bytes += length(&line);
            s.payload_range = Some((s.payload_range.map_or(seq, |(first, _)| first), seq));
            match s.by_type.get_mut(payload.kind) {
                Some(count) => *count += 1,
                None => drop(s.by_type.insert(payload.kind.to_string(), 1)),
            }
        }
        Ok(ControlFlow::Continue(()))
    })
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
