//! Receipts for many entries in one pass over the log: which hashes their proofs need is known beforehand, and only these
//! are kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

use super::super::archive::ExportError;
use super::super::export::Export;
use crate::log::hash::Hash;
use crate::log::receipt::Receipt;
use crate::log::tree::{Frontier, Subtrees, inclusion_proof, leaf_hash};
use crate::workspace::Workspace;

/// Subtrees that proofs ask for; each is noted, and filled in the pass.
#[derive(Default)]
struct Needed(RefCell<HashMap<(u32, u64), Hash>>);

impl Subtrees for Needed {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(*self.0.borrow_mut().entry((level, index)).or_insert(Hash::ZERO))
    }
}

/// Gives a receipt's text for each of these entries, in the order of their numbers as text. None where the checkpoint is
/// not one of these entries.
///
/// # Errors
/// What the database or `each` says.
pub fn receipts(
    workspace: &Workspace,
    export: &Export<'_>,
    seqs: &[u64],
    each: &mut dyn FnMut(u64, &str) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let size = export.survey().size;
    let note = match export.checkpoint_note().map(std::str::from_utf8) {
        Some(Ok(note)) if export.survey().may_be_signed() => note,
        _ => return Ok(()),
    };
    let mut seqs: Vec<u64> = seqs.iter().copied().filter(|seq| *seq < size).collect();
    let needed = Needed::default();
    for &seq in &seqs {
        let Ok(_) = inclusion_proof(seq, size, &needed);
    }
    let mut nodes = needed.0.into_inner();
    let mut tree = Frontier::new();
    workspace.store().each_entry::<ExportError>(&mut |entry| {
        tree.push_and_report(leaf_hash(entry.envelope), |level, index, hash| {
            if let Some(place) = nodes.get_mut(&(level, index)) {
                *place = hash;
            }
        });
        Ok(if tree.size() < size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    let filled = Needed(RefCell::new(nodes));
    seqs.sort_by_cached_key(u64::to_string);
    for seq in seqs {
        let Ok(proof) = inclusion_proof(seq, size, &filled);
        let extra = workspace.store().entry(seq)?.map(|e| e.envelope);
        let receipt = Receipt { extra, index: seq, proof, checkpoint: note.to_string() };
        each(seq, &receipt.to_text())?;
    }
    Ok(())
}
