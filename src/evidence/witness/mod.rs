//! A witness: it remembers the newest checkpoint of each log that it saw, and cosigns only what continues it (C2SP
//! tlog-cosignature, `cosignature/v1`). It has no workspace and reads no log, except a bundle that it is given.
//!
//! Its state lies in one directory (0700), each file 0600 and replaced in one step: `identity.json`, the witness's own
//! identity; `lock`; and for each log, under the hash of its origin, `HASH.json`, what was seen last, and
//! `HASH.fork-ROOT`, two notes that the log signed and that cannot both be true.
//!
//! What was seen is on disk before it is signed, so whatever stops the process in between, it will sign the same again
//! or something that continues it, and never another tree.

mod error;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use error::WitnessError;

use super::proof::{Consistency, ConsistencyFault};
use crate::domain::time::Time;
use crate::identity::{MAX_IDENTITY_FILE_BYTES, Signer, WitnessIdentity};
use crate::log::checkpoint::{Checkpoint, Note, NoteFault, VerifierKey};
use crate::log::hash::{Hash, sha256};
use crate::log::key::PublicKey;
use crate::log::tree::{Frontier, leaf_hash};
use crate::sys::lock::Lock;
use crate::sys::{SysError, files};

/// The largest note.
pub const NOTE_LIMIT: usize = 65_536;

/// How long to wait for another run of the same witness.
pub const PATIENCE: Duration = Duration::from_secs(12);

/// The largest file of what was seen: a note and a few words, escaped as JSON.
const SEEN_LIMIT: usize = 4 * NOTE_LIMIT;

/// What shows that a checkpoint continues what was seen.
pub enum Evidence<'a> {
    /// Nothing: enough for first sight and for the same checkpoint again.
    None,
    /// A consistency proof: the file's bytes.
    Proof(&'a [u8]),
    /// All entries, in order: each line an envelope, as `entries.jsonl` has them. The roots are computed from them.
    Entries(&'a mut dyn std::io::BufRead),
}

/// How a checkpoint stands to what was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing was: trust on first use.
    First,
    /// The same.
    Same,
    /// It continues what was seen, of so many entries.
    Continues(u64),
}

/// A checkpoint that was cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// How it stands to what was seen before.
    pub sight: Sight,
    /// When, in seconds since 1970.
    pub time: u64,
    /// The note with the witness's line behind all others; none of a dry run.
    pub note: Option<String>,
    /// The witness's key.
    pub vkey: VerifierKey,
}

/// What was seen last of a log, as its file has it: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    aosctl: String,
    /// When the log was seen first, in seconds since 1970.
    pub first_seen: u64,
    /// The newest checkpoint, as it came.
    pub note: String,
    /// When it was cosigned last, in seconds since 1970: no cosignature is older.
    pub time: u64,
    /// The log's key.
    pub vkey: String,
}

const SEEN_TAG: &str = "witness-seen/v1";

/// A witness with its state locked: nobody else signs for it until this is dropped.
pub struct Witness {
    dir: PathBuf,
    identity: WitnessIdentity,
    _lock: Option<Lock>,
}

impl Witness {
    /// Opens the witness of a state directory. With `name` it is made where there is none; another name is refused. In a
    /// dry run nothing is made: an identity that is not there lives in memory alone.
    ///
    /// # Errors
    /// [`WitnessError::NoIdentity`], [`WitnessError::OtherName`], [`WitnessError::Busy`], or an identity that cannot be
    /// read.
    pub fn open(dir: &Path, name: Option<&str>, dry_run: bool) -> Result<Witness, WitnessError> {
        let path = dir.join("identity.json");
        if name.is_none() && !path.exists() {
            return Err(WitnessError::NoIdentity);
        }
        let wrong = |source| WitnessError::Identity { path: path.clone(), source };
        // A name that no witness can have leaves no directory behind.
        let candidate = match name {
            Some(name) if !path.exists() => {
                Some(Signer::generate().and_then(|signer| WitnessIdentity::new(name, signer)).map_err(wrong)?)
            }
            _ => None,
        };
        let mut lock = None;
        if !dry_run || dir.exists() {
            files::create_private_dir(dir)?;
            lock = Some(Lock::wait(&dir.join("lock"), PATIENCE)?.ok_or(WitnessError::Busy)?);
        }
        let identity = match files::read_private_kept(&path, MAX_IDENTITY_FILE_BYTES) {
            Ok(bytes) => WitnessIdentity::parse(&bytes).map_err(wrong)?,
            Err(e) if e.is_not_found() => {
                let made = candidate.ok_or(WitnessError::NoIdentity)?;
                if !dry_run {
                    files::create_private_new(&path, &made.to_json().map_err(wrong)?)?;
                }
                made
            }
            Err(e) => return Err(e.into()),
        };
        if name.is_some_and(|name| name != identity.name()) {
            return Err(WitnessError::OtherName(identity.name().to_owned()));
        }
        Ok(Witness { dir: dir.to_path_buf(), identity, _lock: lock })
    }

    /// The witness's verifier key, for those who rely on it.
    #[must_use]
    pub fn vkey(&self) -> VerifierKey {
        VerifierKey::for_witness(self.identity.name(), &PublicKey(self.identity.signer().public()))
    }

    /// Every log that was seen, with what was seen last, in the order of their origins.
    ///
    /// # Errors
    /// If one of the files cannot be read.
    pub fn logs(&self) -> Result<Vec<(Checkpoint, Seen)>, WitnessError> {
        let list = |source| SysError::Io { action: "list", path: self.dir.clone(), source };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(list)? {
            let path = entry.map_err(list)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_suffix(".json").is_some_and(|stem| Hash::from_hex(stem).is_some()) {
                found.extend(self.read(&path)?);
            }
        }
        found.sort_by(|(a, _), (b, _)| a.origin.cmp(&b.origin));
        Ok(found)
    }

    /// What was seen last of a log.
    ///
    /// # Errors
    /// [`WitnessError::State`] where the file is not what this witness wrote.
    pub fn seen(&self, origin: &str) -> Result<Option<(Checkpoint, Seen)>, WitnessError> {
        let found = self.read(&self.file(origin, ".json"))?;
        match found {
            Some((checkpoint, _)) if checkpoint.origin != origin => {
                Err(self.strange(&self.file(origin, ".json"), "it is of another log"))
            }
            found => Ok(found),
        }
    }

    fn file(&self, origin: &str, end: &str) -> PathBuf {
        self.dir.join(format!("{}{end}", sha256(origin.as_bytes())))
    }

    fn strange(&self, path: &Path, why: &str) -> WitnessError {
        WitnessError::State { path: path.to_path_buf(), why: why.to_owned() }
    }

    fn read(&self, path: &Path) -> Result<Option<(Checkpoint, Seen)>, WitnessError> {
        let bytes = match files::read_private_kept(path, SEEN_LIMIT) {
            Ok(bytes) => bytes,
            Err(e) if e.is_not_found() => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let seen: Seen = serde_json::from_slice(&bytes).map_err(|_| self.strange(path, "it is not of the format"))?;
        if seen.aosctl != SEEN_TAG {
            return Err(self.strange(path, "it is of another version"));
        }
        let opened = VerifierKey::parse(&seen.vkey).and_then(|vkey| Checkpoint::open(seen.note.as_bytes(), &vkey));
        let (checkpoint, _) = opened.map_err(|e| self.strange(path, &e.to_string()))?;
        Ok(Some((checkpoint, seen)))
    }

    /// Checks a checkpoint against what was seen, remembers it, and cosigns it. `log` is needed at first sight. A dry run
    /// stops before it remembers; evidence of a fork is kept even then.
    ///
    /// # Errors
    /// [`WitnessError`]; nothing is signed then, and what was seen stays as it was.
    pub fn cosign(
        &self,
        note: &[u8],
        log: Option<&VerifierKey>,
        evidence: Evidence<'_>,
        clock: Time,
        dry_run: bool,
    ) -> Result<Cosigned, WitnessError> {
        let origin = Checkpoint::from_text(Note::parse(note)?.text)?.origin;
        let seen = self.seen(&origin)?;
        let vkey = match (&seen, log) {
            (_, Some(log)) if log.name != origin => return Err(WitnessError::ForeignLog(origin)),
            (Some((_, seen)), Some(log)) if seen.vkey != log.to_string() => return Err(WitnessError::OtherKey(origin)),
            (_, Some(log)) => log.clone(),
            (Some((_, seen)), None) => VerifierKey::parse(&seen.vkey)?,
            (None, None) => return Err(WitnessError::UnknownLog(origin)),
        };
        let (checkpoint, _) = Checkpoint::open(note, &vkey)?;
        // Its lines are text: the note was parsed.
        let note = String::from_utf8_lossy(note).into_owned();
        let sight = match &seen {
            None => {
                self.first(&checkpoint, evidence)?;
                Sight::First
            }
            Some((last, seen)) => self.judge(last, &seen.note, &checkpoint, &note, &vkey, evidence)?,
        };

        let now = u64::try_from(clock.millis() / 1000).unwrap_or(0);
        let time = seen.as_ref().map_or(now, |(_, seen)| seen.time.max(now));
        let ours = self.vkey();
        if dry_run {
            return Ok(Cosigned { checkpoint, sight, time, note: None, vkey: ours });
        }
        let first_seen = seen.as_ref().map_or(time, |(_, seen)| seen.first_seen);
        let seen = Seen { aosctl: SEEN_TAG.into(), first_seen, note: note.clone(), time, vkey: vkey.to_string() };
        let mut line = serde_json::to_vec(&seen).map_err(|_| NoteFault::NoteUtf8)?;
        line.push(b'\n');
        // On disk, with its name, before anything is signed.
        files::write_private_atomic(&self.file(&origin, ".json"), &line)?;

        let sig = self.identity.signer().sign(&checkpoint.cosign_message(time));
        let note = with_line(&note, &ours, &ours.cosignature_line(time, &sig).to_string())?;
        Ok(Cosigned { checkpoint, sight, time, note: Some(note), vkey: ours })
    }

    /// At first sight a bundle, if one is given, must have the checkpoint's entries; a proof proves nothing yet.
    fn first(&self, new: &Checkpoint, evidence: Evidence<'_>) -> Result<(), WitnessError> {
        if let Evidence::Entries(lines) = evidence
            && roots(lines, 0, new.size)?.1 != Some(new.root)
        {
            return Err(WitnessError::Bundle { size: new.size });
        }
        Ok(())
    }

    fn judge(
        &self,
        last: &Checkpoint,
        last_note: &str,
        new: &Checkpoint,
        note: &str,
        vkey: &VerifierKey,
        evidence: Evidence<'_>,
    ) -> Result<Sight, WitnessError> {
        let (size, seen) = (new.size, last.size);
        if size == seen {
            return if new.root == last.root { Ok(Sight::Same) } else { Err(self.fork(last, last_note, new, note)) };
        }
        if size < seen {
            return Err(WitnessError::Rollback { size, seen });
        }
        match evidence {
            Evidence::None => Err(WitnessError::NoProof { size, seen }),
            Evidence::Proof(bytes) => {
                let proof = Consistency::parse(bytes)?;
                let sides = [(&proof.old, "older"), (&proof.new, "newer")].map(|(side, which)| {
                    let opened = Checkpoint::open(side.as_bytes(), vkey);
                    opened.map(|(c, _)| c).map_err(|fault| ConsistencyFault::Note { which, fault })
                });
                let [old_side, new_side] = sides;
                let (old_side, new_side) = (old_side?, new_side?);
                // All four notes are signed by the log: two of one size with two roots are a fork, whoever made the file.
                let notes =
                    [(last, last_note), (new, note), (&old_side, proof.old.as_str()), (&new_side, proof.new.as_str())];
                for (a, a_note) in notes {
                    for (b, b_note) in notes {
                        if a.size == b.size && a.root != b.root {
                            return Err(self.fork(a, a_note, b, b_note));
                        }
                    }
                }
                if (old_side.size, new_side.size) != (seen, size) {
                    return Err(WitnessError::OtherProof { old: old_side.size, new: new_side.size, seen, size });
                }
                proof.verify(vkey)?;
                Ok(Sight::Continues(seen))
            }
            Evidence::Entries(lines) => {
                let (at_seen, at_size) = roots(lines, seen, size)?;
                if at_size != Some(new.root) {
                    return Err(WitnessError::Bundle { size });
                }
                // These are the entries of the new checkpoint, and the old one has others.
                if at_seen != Some(last.root) {
                    return Err(self.fork(last, last_note, new, note));
                }
                Ok(Sight::Continues(seen))
            }
        }
    }

    /// Keeps both notes. What cannot be kept is a fork all the same.
    fn fork(&self, last: &Checkpoint, last_note: &str, new: &Checkpoint, note: &str) -> WitnessError {
        let evidence = self.file(&last.origin, &format!(".fork-{}", new.root));
        let text = format!("{last_note}\n{note}");
        match files::write_private_atomic(&evidence, text.as_bytes()) {
            Ok(()) => WitnessError::Fork { seen: last.size, size: new.size, evidence },
            Err(e) => e.into(),
        }
    }
}

/// The note with the line behind all others, in the place of an older line by the same key.
fn with_line(note: &str, key: &VerifierKey, line: &str) -> Result<String, NoteFault> {
    let parsed = Note::parse(note.as_bytes())?;
    let mut out = format!("{}\n", parsed.text);
    for other in parsed.lines.iter().filter(|l| !(l.name == key.name && l.key_id == key.key_id())) {
        out.push_str(&format!("{other}\n"));
    }
    out.push_str(line);
    out.push('\n');
    Ok(out)
}

/// The roots of the first `older` and the first `newer` entries, each where there are so many.
fn roots(
    lines: &mut dyn std::io::BufRead,
    older: u64,
    newer: u64,
) -> Result<(Option<Hash>, Option<Hash>), WitnessError> {
    let mut tree = Frontier::new();
    let at = |tree: &Frontier, size: u64| (tree.size() == size).then(|| tree.root());
    let (mut first, mut second) = (at(&tree, older), at(&tree, newer));
    let mut line = Vec::new();
    while tree.size() < newer {
        line.clear();
        // An envelope has at most 65,535 bytes; one byte more and its line end.
        let mut most = std::io::Read::take(&mut *lines, 65_537);
        let read = std::io::BufRead::read_until(&mut most, b'\n', &mut line);
        let read = read.map_err(|source| SysError::Io { action: "read", path: "entries.jsonl".into(), source })?;
        let Some(envelope) = line.strip_suffix(b"\n").filter(|_| read > 0) else { break };
        tree.push(leaf_hash(envelope));
        first = first.or_else(|| at(&tree, older));
        second = second.or_else(|| at(&tree, newer));
    }
    Ok((first, second))
}
