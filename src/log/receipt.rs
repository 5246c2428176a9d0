//! Receipts: C2SP tlog-proofs (`c2sp.org/tlog-proof@v1`) that one entry is in the log, checkable offline.

use thiserror::Error;

use super::checkpoint::{Checkpoint, NoteFault, SignatureLine, VerifierKey, natural};
use super::envelope::{Envelope, EnvelopeFault};
use super::hash::{Hash, base64_decode, base64_encode};
use super::tree::{leaf_hash, verify_inclusion};

const VERSION: &str = "c2sp.org/tlog-proof@v1";
/// No tree is higher: sizes have 53 bits.
const MAX_HASHES: usize = 63;
/// Room for the largest envelope in base64, all hashes and the largest note.
const RECEIPT_LIMIT: usize = 262_144;

/// A receipt taken apart, nothing verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The entry: its envelope's bytes. The format of C2SP lets it be absent, ours does not.
    pub extra: Option<Vec<u8>>,
    /// The entry's place in the log, which is its seq.
    pub index: u64,
    /// The inclusion proof.
    pub proof: Vec<Hash>,
    /// The checkpoint that it leads to: a signed note.
    pub checkpoint: String,
}

/// Why a receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReceiptFault {
    /// Too large, or not UTF-8.
    #[error("not a receipt")]
    Text,
    /// Another first line.
    #[error("not a receipt of version 1")]
    Version,
    /// The entry is missing.
    #[error("the receipt has no extra line")]
    Extra,
    /// No index line, or not a natural number.
    #[error("the receipt's index line is missing or malformed")]
    Index,
    /// Something is not base64.
    #[error("the receipt's base64 is not of the format")]
    Base64,
    /// A hash is not 32 bytes, there are too many, or no empty line ends them.
    #[error("the receipt's proof is malformed")]
    Proof,
    /// The checkpoint does not open.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The proof does not lead from this entry at this index to the checkpoint.
    #[error("the proof does not show that the entry is in the log")]
    Inclusion,
    /// What is included is no entry.
    #[error("the entry is not well-formed: {0}")]
    Entry(EnvelopeFault),
    /// The entry's seq is not its index.
    #[error("the entry's seq is not its index")]
    Seq,
    /// The entry names another log.
    #[error("the entry is of another log")]
    Log,
}

impl ReceiptFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            ReceiptFault::Text => "receipt_text",
            ReceiptFault::Version => "receipt_version",
            ReceiptFault::Extra => "receipt_extra",
            ReceiptFault::Index => "receipt_index",
            ReceiptFault::Base64 => "base64",
            ReceiptFault::Proof => "receipt_proof",
            ReceiptFault::Note(fault) => fault.kind(),
            ReceiptFault::Inclusion => "receipt_inclusion",
            ReceiptFault::Entry(_) => "receipt_entry",
            ReceiptFault::Seq => "receipt_seq",
            ReceiptFault::Log => "receipt_log",
        }
    }
}

/// What a verified receipt shows. The entry's own signature is a matter of its signer's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The entry.
    pub envelope: Envelope,
    /// The checkpoint that covers it.
    pub checkpoint: Checkpoint,
    /// Signature lines by others than the log, unverified: see [`Checkpoint::verify_cosignature`].
    pub lines: Vec<SignatureLine>,
}

impl Receipt {
    /// The receipt's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", base64_encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.proof {
            text.push_str(&base64_encode(hash.as_bytes()));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Takes a receipt apart.
    ///
    /// # Errors
    /// The first [`ReceiptFault`] that needs no key.
    pub fn parse(bytes: &[u8]) -> Result<Receipt, ReceiptFault> {
        let text = std::str::from_utf8(bytes).map_err(|_| ReceiptFault::Text)?;
        if text.len() > RECEIPT_LIMIT {
            return Err(ReceiptFault::Text);
        }
        let Some(("c2sp.org/tlog-proof@v1", mut rest)) = text.split_once('\n') else {
            return Err(ReceiptFault::Version);
        };
        let mut extra = None;
        if let Some((line, after)) = rest.strip_prefix("extra ").and_then(|line| line.split_once('\n')) {
            extra = Some(base64_decode(line.as_bytes()).ok_or(ReceiptFault::Base64)?);
            rest = after;
        }
        let (line, mut rest) = rest.split_once('\n').ok_or(ReceiptFault::Index)?;
        let index = line.strip_prefix("index ").and_then(natural).ok_or(ReceiptFault::Index)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(ReceiptFault::Proof)?;
            rest = after;
            if line.is_empty() {
                return Ok(Receipt { extra, index, proof, checkpoint: rest.to_owned() });
            }
            let hash = base64_decode(line.as_bytes()).ok_or(ReceiptFault::Base64)?;
            proof.push(Hash(hash.try_into().map_err(|_| ReceiptFault::Proof)?));
            if proof.len() > MAX_HASHES {
                return Err(ReceiptFault::Proof);
            }
        }
    }

    /// Verifies that the log which `vkey` names holds the entry at its index.
    ///
    /// # Errors
    /// The first [`ReceiptFault`].
    pub fn verify(&self, vkey: &VerifierKey) -> Result<Shown, ReceiptFault> {
        let extra = self.extra.as_ref().ok_or(ReceiptFault::Extra)?;
        let (checkpoint, lines) = Checkpoint::open(self.checkpoint.as_bytes(), vkey)?;
        let leaf = leaf_hash(extra);
        if !verify_inclusion(&leaf, self.index, checkpoint.size, &self.proof, &checkpoint.root) {
            return Err(ReceiptFault::Inclusion);
        }
        let envelope = Envelope::open(extra).map_err(ReceiptFault::Entry)?;
        if envelope.header.seq != self.index {
            return Err(ReceiptFault::Seq);
        }
        if envelope.header.log != checkpoint.origin {
            return Err(ReceiptFault::Log);
        }
        Ok(Shown { envelope, checkpoint, lines })
    }
}
