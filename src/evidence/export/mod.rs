//! A bundle on its way out: every entry, the payloads that are wanted, a checkpoint of exactly these entries, the keys,
//! and one page on how to verify it.
//!
//! The log is read twice, in one snapshot: once to know sizes, root and numbers, once to write. Bytes go out as they lie
//! in the database; nothing is parsed that need not be, and nothing is put right. What leaves is listed in the state
//! directory, so that a later erasure can say what is beyond its reach.

mod handed;
mod survey;

pub use handed::{HandedOut, handed_out};
pub use survey::{Survey, Unsound};

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use super::archive::{Archive, BUFFER, Directory, ExportError, Form, Tar, Target, named};
use super::readme;
use crate::domain::facts::Change;
use crate::domain::id::IdKind;
use crate::domain::time::Time;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::envelope::Envelope;
use crate::log::hash::{Hash, base64_encode, sha256};
use crate::log::key::PublicKey;
use crate::log::sshsig;
use crate::store::{RawPayload, Snapshot};
use crate::sys::output::{NewDir, NewFile};
use crate::workspace::Workspace;

/// Which payloads go with the entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payloads {
    /// None.
    None,
    /// All.
    All,
    /// Those of entries of these types: a whole name (`grant.issued/1`) or its beginning (`grant`, `grant.issued`).
    Types(BTreeSet<String>),
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Payloads only of entries signed at or after this time.
    pub since: Option<Time>,
    /// Entries signed before this time, from the first one on; without it, all.
    pub until: Option<Time>,
    /// Payloads.
    pub payloads: Payloads,
}

impl Wanted {
    /// The file that payloads go into; `None` without any.
    fn payload_file(&self) -> Option<&'static str> {
        match (&self.payloads, self.since) {
            (Payloads::None, _) => None,
            (Payloads::All, None) => Some("payloads.jsonl"),
            _ => Some("payloads-some.jsonl"),
        }
    }

    /// Does it depend on its entry whether a payload goes out?
    fn chooses(&self) -> bool {
        !matches!((&self.payloads, self.since), (Payloads::None, _) | (Payloads::All, None))
    }

    /// Does a payload go out? A choice rests on what the entry says by itself, because the columns beside it prove nothing.
    fn takes(&self, p: &RawPayload<'_>) -> bool {
        let of_type = |kind: &str| match &self.payloads {
            Payloads::None => false,
            Payloads::All => true,
            Payloads::Types(types) => types.iter().any(|t| is_of_type(kind, t)),
        };
        match (&self.payloads, self.since) {
            (Payloads::None, _) => false,
            (Payloads::All, None) => true,
            (Payloads::Types(_), _) if !of_type(p.kind) => false,
            _ => Envelope::open(p.envelope).is_ok_and(|e| {
                let at = e.header.at.parse::<Time>();
                of_type(&e.header.kind) && self.since.is_none_or(|since| at.is_ok_and(|at| at >= since))
            }),
        }
    }
}

/// Is `kind` this type, or one that begins so?
pub fn is_of_type(kind: &str, wanted: &str) -> bool {
    kind.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Its name, with `/`.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    content: Part,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Entries,
    Payloads,
}

/// A bundle that is ready to be written. As long as it lives, the log is seen as it was at its beginning.
pub struct Export<'w> {
    workspace: &'w Workspace,
    wanted: Wanted,
    survey: Survey,
    checkpoint: Option<String>,
    vkey: VerifierKey,
    files: Vec<BundleFile>,
    left_out: Vec<String>,
    _snapshot: Option<Snapshot<'w>>,
}

impl<'w> Export<'w> {
    /// Reads the log once, and prepares everything but the long files.
    ///
    /// # Errors
    /// [`ExportError::NoLogIdentity`], [`ExportError::NothingBefore`], or what the database says.
    pub fn prepare(workspace: &'w Workspace, wanted: Wanted) -> Result<Export<'w>, ExportError> {
        let origin = workspace.origin().clone();
        let log = workspace.log_identity().map_err(|e| ExportError::NoLogIdentity { source: Box::new(e) })?;
        let vkey = VerifierKey::for_log(&origin.name, &PublicKey(origin.log_key));
        // Before the snapshot: a writer that commits in between moves the pin past what the snapshot shows.
        let pin = workspace.pin_note()?;
        let snapshot = workspace.store().snapshot_if_none()?;
        let survey = survey::survey(workspace, &wanted, pin.as_deref(), &vkey)?;
        if let (0, Some(until)) = (survey.size, wanted.until) {
            return Err(ExportError::NothingBefore { until: until.to_string() });
        }
        // What contradicts what the log identity signed before is not signed: the older word goes out instead, and
        // whoever verifies finds that it does not fit.
        let checkpoint = if survey.may_be_signed() {
            let fresh = Checkpoint { origin: origin.name.clone(), size: survey.size, root: survey.root };
            Some(fresh.sign(|message| log.signer().sign(message), &vkey.key).into_bytes())
        } else {
            pin
        };
        let sig = checkpoint
            .as_ref()
            .filter(|_| survey.may_be_signed() || survey.pin_holds)
            .map(|note| sshsig::sign(note, &vkey.key, |data| log.signer().sign(data)));
        let mut export = Export {
            workspace,
            wanted,
            survey,
            checkpoint: None,
            vkey,
            files: Vec::new(),
            left_out: Vec::new(),
            _snapshot: snapshot,
        };
        export.small_files(checkpoint, sig);
        Ok(export)
    }

    fn small_files(&mut self, checkpoint: Option<Vec<u8>>, sig: Option<String>) {
        let key = self.vkey.key;
        let mut small: Vec<(String, Vec<u8>)> = vec![
            ("allowed_signers".into(), format!("{}\n", sshsig::allowed_signer(&self.vkey.name, &key)).into_bytes()),
            ("log.pem".into(), pem(&key).into_bytes()),
            ("log.vkey".into(), format!("{}\n", self.vkey).into_bytes()),
        ];
        self.checkpoint = checkpoint.as_deref().map(|note| sha256(note).to_hex());
        small.extend(checkpoint.map(|note| ("checkpoint".into(), note)));
        small.extend(sig.map(|sig| ("checkpoint.sig".into(), sig.into_bytes())));
        for (id, key) in self.signers() {
            match key {
                Some(key) => small.push((format!("identities/{id}.pem"), pem(&key).into_bytes())),
                None => self.left_out.push(id),
            }
        }
        let mut add = |name: String, size: u64, content: Part| self.files.push(BundleFile { name, size, content });
        add("entries.jsonl".into(), self.survey.entries_bytes, Part::Entries);
        if let Some(name) = self.wanted.payload_file() {
            add(name.into(), self.survey.payloads.bytes, Part::Payloads);
        }
        for (name, bytes) in small {
            add(name, u64::try_from(bytes.len()).unwrap_or(u64::MAX), Part::Bytes(bytes));
        }
        let readme = readme::page(&self.about()).into_bytes();
        let size = u64::try_from(readme.len()).unwrap_or(u64::MAX);
        self.files.push(BundleFile { name: "README.txt".into(), size, content: Part::Bytes(readme) });
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Everybody who was enrolled before the end of these entries, with the public key, by the name of its file: of an
    /// operator who took a new key at entry 17 the old one is `op-1.before-17`. No key where it cannot be verified.
    fn signers(&self) -> Vec<(String, Option<PublicKey>)> {
        let facts = self.workspace.facts();
        let facts = facts.before(self.survey.end);
        let mut found = Vec::new();
        for kind in [IdKind::Agent, IdKind::Operator] {
            for id in self.workspace.store().subjects(kind).unwrap_or_default() {
                let Ok(history) = facts.history(id) else {
                    found.push((id.to_string(), None));
                    continue;
                };
                let mut key = None;
                for change in &history {
                    let Change::Identity(i) = change.1.as_ref() else { continue };
                    match key.replace(PublicKey(i.public_key)) {
                        Some(old) if old.0 != i.public_key => {
                            found.push((format!("{id}.before-{}", i.key_seq), Some(old)));
                        }
                        _ => {}
                    }
                }
                found.extend(key.map(|key| (id.to_string(), Some(key))));
            }
        }
        found
    }

    fn about(&self) -> readme::About<'_> {
        readme::About {
            origin: &self.vkey.name,
            survey: &self.survey,
            wanted: &self.wanted,
            payload_file: self.wanted.payload_file(),
        }
    }

    /// What was read.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// What was wanted.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The log's verifier key.
    pub fn vkey(&self) -> &VerifierKey {
        &self.vkey
    }

    /// SHA-256 of the checkpoint file, hex; `None` where there is none.
    pub fn checkpoint(&self) -> Option<&str> {
        self.checkpoint.as_deref()
    }

    /// The checkpoint file's bytes.
    pub fn checkpoint_note(&self) -> Option<&[u8]> {
        self.files.iter().find(|f| f.name == "checkpoint").and_then(|f| match &f.content {
            Part::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// The files, in the order of their names.
    pub fn files(&self) -> &[BundleFile] {
        &self.files
    }

    /// Signers whose enrolment does not verify: no public key of theirs goes out.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Puts every file into an archive, under a prefix that is empty or ends in `/`.
    ///
    /// # Errors
    /// What the archive or the database says.
    pub fn write(&self, prefix: &str, archive: &mut dyn Archive) -> Result<(), ExportError> {
        for file in &self.files {
            let name = format!("{prefix}{}", file.name);
            match &file.content {
                Part::Bytes(bytes) => archive.add_bytes(&name, bytes)?,
                Part::Entries => archive.add(&name, file.size, &mut |out| self.entries(&name, out))?,
                Part::Payloads => archive.add(&name, file.size, &mut |out| self.payloads(&name, out))?,
            }
        }
        Ok(())
    }

    fn entries(&self, name: &str, out: &mut dyn Write) -> Result<(), ExportError> {
        let mut left = self.survey.size;
        self.workspace.store().each_entry(&mut |entry| {
            if left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            left -= 1;
            let written = out.write_all(entry.envelope).and_then(|()| out.write_all(b"\n"));
            written.map_err(ExportError::write(name)).map(ControlFlow::Continue)
        })
    }

    fn payloads(&self, name: &str, out: &mut dyn Write) -> Result<(), ExportError> {
        let mut line = Vec::new();
        let mut visit = |payload: RawPayload<'_>| {
            if !self.survey.covers(payload.seq) {
                return Ok(ControlFlow::Break(()));
            }
            if self.wanted.takes(&payload) {
                line.clear();
                splice(&payload, &mut line);
                out.write_all(&line).map_err(ExportError::write(name))?;
            }
            Ok(ControlFlow::Continue(()))
        };
        if self.wanted.chooses() {
            self.workspace.store().each_payload(&mut visit)
        } else {
            self.workspace.store().each_record(&mut visit)
        }
    }

    /// Writes the bundle, lists it in the state directory, and gives it its name.
    ///
    /// # Errors
    /// What could not be read or written; nothing has the name then.
    pub fn deliver(&self, target: Target<'_>, now: Time) -> Result<(), ExportError> {
        match target {
            Target::Place(path, Form::Directory) => {
                let mut dir = NewDir::beside(&path)?;
                self.write("", &mut Directory::new(&mut dir))?;
                self.list(now, "directory", Some(&path))?;
                Ok(dir.finish()?)
            }
            Target::Place(path, Form::Tar) => {
                let mut file = NewFile::beside(&path)?;
                let shown = path.display().to_string();
                let mut buffer = BufWriter::with_capacity(BUFFER, file.file());
                let mut tar = Tar::new(&mut buffer, &shown);
                self.write("", &mut tar)?;
                tar.finish()?;
                drop(buffer);
                self.list(now, "tar", Some(&path))?;
                Ok(file.finish()?)
            }
            Target::Stream(out) => {
                // What was read from a stream cannot be taken back: listed first.
                self.list(now, "tar", None)?;
                let mut buffer = BufWriter::with_capacity(BUFFER, out);
                let mut tar = Tar::new(&mut buffer, "stdout");
                self.write("", &mut tar).map_err(|e| named(e, "stdout"))?;
                tar.finish()
            }
        }
    }

    /// Lists in the state directory that this bundle leaves.
    ///
    /// # Errors
    /// Where the list cannot be written: nothing may leave unlisted.
    pub fn list(&self, now: Time, form: &str, path: Option<&std::path::Path>) -> Result<(), ExportError> {
        handed::note(self.workspace, &HandedOut::of(self, now, form, path))
    }
}

/// A payload as a line of a bundle: the stored record with `seq` put before its end, which is where the canonical order of
/// members (body, erased, salts, seq) has it. What does not end as a record does goes out as it is, for a verifier to find.
fn splice(payload: &RawPayload<'_>, line: &mut Vec<u8>) {
    match payload.record.strip_suffix(b"}") {
        Some(open) => {
            line.extend_from_slice(open);
            line.extend_from_slice(format!(",\"seq\":{}}}\n", payload.seq).as_bytes());
        }
        None => {
            line.extend_from_slice(payload.record);
            line.push(b'\n');
        }
    }
}

/// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) in PEM, as OpenSSL reads it.
pub fn pem(key: &PublicKey) -> String {
    let der = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &key.0].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", base64_encode(&der))
}

/// A root as checkpoints write it.
pub fn root_text(root: &Hash) -> String {
    base64_encode(root.as_bytes())
}
