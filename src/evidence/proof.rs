//! Consistency proofs as files: that a newer checkpoint continues an older one (docs/witness.md, Consistency).
//!
//! ```text
//! aosctl/consistency-proof@v1
//! old 5
//! new 9
//! <base64 of a hash, a line each>
//!
//! <the older checkpoint, a signed note>
//!
//! <the newer checkpoint, a signed note>
//! ```
//! Hashes as in RFC 6962 section 2.1.2. The text of a checkpoint has no empty line, so an empty line parts the file into
//! five: head, text and signatures of the older one, text and signatures of the newer one.

use thiserror::Error;

use crate::log::checkpoint::{Checkpoint, NoteFault, SignatureLine, VerifierKey, natural};
use crate::log::hash::{Hash, base64_decode, base64_encode};
use crate::log::tree::verify_consistency;

/// The first line.
pub const VERSION: &str = "aosctl/consistency-proof@v1";

/// Twice the tree's height: no proof is longer (sizes have 53 bits).
const MAX_HASHES: usize = 106;

/// The largest file: two notes and the hashes.
pub const CONSISTENCY_LIMIT: usize = 2 * 65_536 + 8_192;

/// A consistency proof taken apart, nothing verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// The older size, as the head says.
    pub old_size: u64,
    /// The newer size, as the head says.
    pub new_size: u64,
    /// The hashes.
    pub proof: Vec<Hash>,
    /// The older checkpoint: a signed note.
    pub old: String,
    /// The newer checkpoint: a signed note.
    pub new: String,
}

/// What a verified consistency proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continues {
    /// The older checkpoint.
    pub old: Checkpoint,
    /// The newer checkpoint.
    pub new: Checkpoint,
    /// Lines on the newer one by others than the log, unverified.
    pub lines: Vec<SignatureLine>,
}

/// Why a consistency proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConsistencyFault {
    /// Not the text of the format.
    #[error("not a consistency proof: {0}")]
    Form(&'static str),
    /// A note does not open.
    #[error("the {which} checkpoint: {fault}")]
    Note {
        /// `older` or `newer`.
        which: &'static str,
        /// Why.
        fault: NoteFault,
    },
    /// The head's sizes are not the notes'.
    #[error("the sizes are not those of the checkpoints")]
    Sizes,
    /// Two checkpoints of one size with two roots, both signed by the log.
    #[error("the log signed two different trees of {0} entries: it forked")]
    Fork(u64),
    /// The hashes do not lead from the one to the other.
    #[error("the proof does not show that the newer checkpoint continues the older one")]
    Proof,
}

impl ConsistencyFault {
    /// It could be read, and does not hold.
    #[must_use]
    pub fn does_not_hold(&self) -> bool {
        match self {
            ConsistencyFault::Form(_) => false,
            ConsistencyFault::Note { fault, .. } => note_does_not_hold(*fault),
            ConsistencyFault::Sizes | ConsistencyFault::Fork(_) | ConsistencyFault::Proof => true,
        }
    }
}

/// Whether a note was read and refused, rather than not read.
#[must_use]
pub fn note_does_not_hold(fault: NoteFault) -> bool {
    matches!(
        fault,
        NoteFault::NoteUnsigned
            | NoteFault::NoteSignature
            | NoteFault::CheckpointOrigin
            | NoteFault::CosignatureMissing
            | NoteFault::CosignatureSignature
            | NoteFault::CosignatureTime
            | NoteFault::CosignatureLength
    )
}

impl Consistency {
    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\nold {}\nnew {}\n", self.old_size, self.new_size);
        for hash in &self.proof {
            text.push_str(&base64_encode(hash.as_bytes()));
            text.push('\n');
        }
        text.push_str(&format!("\n{}\n{}", self.old, self.new));
        text
    }

    /// Takes a file apart.
    ///
    /// # Errors
    /// [`ConsistencyFault::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Consistency, ConsistencyFault> {
        let form = ConsistencyFault::Form;
        if bytes.len() > CONSISTENCY_LIMIT {
            return Err(form("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| form("it is not UTF-8"))?;
        let mut parts = text.split("\n\n");
        let (Some(head), Some(old_text), Some(old_lines), Some(new_text), Some(new_lines), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(form("empty lines do not part it into a head and two notes"));
        };
        let mut lines = head.split('\n');
        if lines.next() != Some(VERSION) {
            return Err(form("its first line is another"));
        }
        let mut size = |name: &str| lines.next().and_then(|line| line.strip_prefix(name)).and_then(natural);
        let old_size = size("old ").ok_or(form("its line `old` is missing or malformed"))?;
        let new_size = size("new ").ok_or(form("its line `new` is missing or malformed"))?;
        let proof: Vec<Hash> = lines
            .take(MAX_HASHES + 1)
            .map(|line| base64_decode(line.as_bytes())?.try_into().ok().map(Hash))
            .collect::<Option<_>>()
            .ok_or(form("a hash is not base64 of 32 bytes"))?;
        if proof.len() > MAX_HASHES {
            return Err(form("it has too many hashes"));
        }
        let note = |text: &str, lines: &str, end: &str| format!("{text}\n\n{lines}{end}");
        Ok(Consistency {
            old_size,
            new_size,
            proof,
            old: note(old_text, old_lines, "\n"),
            new: note(new_text, new_lines, ""),
        })
    }

    /// Verifies that the newer checkpoint continues the older one, both signed by the log that `vkey` names.
    ///
    /// # Errors
    /// The first [`ConsistencyFault`].
    pub fn verify(&self, vkey: &VerifierKey) -> Result<Continues, ConsistencyFault> {
        let open = |note: &str, which| {
            Checkpoint::open(note.as_bytes(), vkey).map_err(|fault| ConsistencyFault::Note { which, fault })
        };
        let (old, _) = open(&self.old, "older")?;
        let (new, lines) = open(&self.new, "newer")?;
        if old.size != self.old_size || new.size != self.new_size {
            return Err(ConsistencyFault::Sizes);
        }
        if old.size == new.size && old.root != new.root {
            return Err(ConsistencyFault::Fork(old.size));
        }
        if !verify_consistency(old.size, new.size, &old.root, &new.root, &self.proof) {
            return Err(ConsistencyFault::Proof);
        }
        Ok(Continues { old, new, lines })
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    use super::*;
    use crate::log::key::PublicKey;
    use crate::log::tree::{Leaves, consistency_proof, leaf_hash, root_of};

    const ORIGIN: &str = "aosctl/0123456789abcdef0123456789abcdef";

    fn key() -> (SigningKey, VerifierKey) {
        let secret = SigningKey::from_bytes(&[9; 32]);
        let vkey = VerifierKey::for_log(ORIGIN, &PublicKey(secret.verifying_key().to_bytes()));
        (secret, vkey)
    }

    fn note(size: u64, root: Hash) -> String {
        let (secret, vkey) = key();
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root };
        checkpoint.sign(|message| secret.sign(message).to_bytes(), &vkey.key)
    }

    fn between(old_size: u64, new_size: u64) -> Consistency {
        let leaves: Vec<Hash> = (0..new_size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let root = |size| root_of(size, &Leaves(&leaves)).unwrap();
        let proof = consistency_proof(old_size, new_size, &Leaves(&leaves)).unwrap();
        Consistency {
            old_size,
            new_size,
            proof,
            old: note(old_size, root(old_size)),
            new: note(new_size, root(new_size)),
        }
    }

    #[test]
    fn every_pair_of_sizes_verifies_and_reads_back() {
        let (_, vkey) = key();
        for new in 0..20 {
            for old in 0..=new {
                let made = between(old, new);
                let text = made.to_text();
                assert_eq!(Consistency::parse(text.as_bytes()).unwrap(), made, "{text}");
                let found = made.verify(&vkey).unwrap();
                assert_eq!((found.old.size, found.new.size, found.lines.len()), (old, new, 0));
            }
        }
    }

    #[test]
    fn a_fork_is_called_one_and_no_proof_leads_backwards() {
        let (_, vkey) = key();
        let mut fork = between(5, 5);
        fork.new = note(5, Hash([1; 32]));
        assert_eq!(fork.verify(&vkey), Err(ConsistencyFault::Fork(5)));
        let mut back = between(3, 8);
        std::mem::swap(&mut back.old, &mut back.new);
        assert_eq!(back.verify(&vkey), Err(ConsistencyFault::Sizes));
        std::mem::swap(&mut back.old_size, &mut back.new_size);
        assert_eq!(back.verify(&vkey), Err(ConsistencyFault::Proof));
        let mut cut = between(3, 8);
        cut.proof.pop();
        assert_eq!(cut.verify(&vkey), Err(ConsistencyFault::Proof));
    }

    #[test]
    fn what_is_not_the_format_is_not_read() {
        let good = between(3, 8).to_text();
        let swap = |from: &str, to: &str| good.replacen(from, to, 1);
        for bad in [
            String::new(),
            swap("@v1", "@v2"),
            swap("old 3", "old 03"),
            swap("old 3\n", ""),
            swap("new 8", "new -8"),
            swap("new 8", "new 9007199254740992"),
            swap("\n\n", "\nAAAA\n\n"),
            swap("\n\n", "\n\n\n\n"),
            format!("{good}\n\nx\n"),
            swap("\n\n", "\n"),
            format!(
                "{}{}",
                swap("new 8\n", &format!("new 8\n{}", format!("{}\n", "A".repeat(43) + "=").repeat(107))),
                ""
            ),
            "x".repeat(CONSISTENCY_LIMIT + 1),
        ] {
            assert!(matches!(Consistency::parse(bad.as_bytes()), Err(ConsistencyFault::Form(_))), "{bad}");
        }
        assert!(Consistency::parse(&[good.as_bytes(), &[0xff]].concat()).is_err());
        for cut in 0..good.len() {
            let found = Consistency::parse(&good.as_bytes()[..cut]).and_then(|c| c.verify(&key().1));
            assert!(found.is_err(), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_verifies(old in 0u64..12, more in 1u64..12, at: prop::sample::Index, flip in 1u8..) {
            let mut bytes = between(old, old + more).to_text().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            // Behind the last signature nothing is left to change.
            let found = Consistency::parse(&bytes).and_then(|c| c.verify(&key().1));
            prop_assert!(found.is_err(), "{}", String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let _ = Consistency::parse(&bytes);
        }
    }
}
