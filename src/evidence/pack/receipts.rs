//! Receipts for many entries in one pass over the log: which hashes their proofs need is known beforehand, and only these
//! are kept.

use std::ops::ControlFlow;

use super::super::archive::ExportError;
use super::super::export::Export;
use crate::log::receipt::Receipt;
use crate::log::tree::{Collector, inclusion_proof, leaf_hash};
use crate::workspace::{Workspace, WorkspaceError};

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
    let mut collector = Collector::new(size, &seqs, &[]);
    workspace.store().each_entry::<ExportError>(&mut |entry| {
        collector.push(leaf_hash(entry.envelope));
        Ok(if collector.tree().size() < size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    seqs.sort_by_cached_key(u64::to_string);
    for seq in seqs {
        let proof = inclusion_proof(seq, size, &collector)
            .map_err(|short| WorkspaceError::Integrity { seq: None, detail: short.to_string() })?;
        let extra = workspace.store().entry(seq)?.map(|e| e.envelope);
        let receipt = Receipt { extra, index: seq, proof, checkpoint: note.to_string() };
        each(seq, &receipt.to_text())?;
    }
    Ok(())
}
