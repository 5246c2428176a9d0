//! Receipts for entries, and the opening of chosen members of their payloads (docs/witness.md, Receipts).

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::log::canonical::{self, JsonFault};
use crate::log::hash::Hash;
use crate::log::header::Header;
use crate::log::payload::{PayloadFault, RECORD_LIMIT, Record, field};
use crate::log::receipt::Receipt;
use crate::workspace::{Pinned, Workspace, WorkspaceError};

/// Receipts for these entries in the tree of the first `size` entries, in the order in which they are asked for, all under
/// one checkpoint that the log identity signs. One pass over the log, however many there are.
///
/// # Errors
/// As [`Workspace::prove`] and [`Workspace::sign_checkpoint`].
pub fn receipts(ws: &Workspace, size: u64, seqs: &[u64]) -> Result<Vec<Receipt>, WorkspaceError> {
    receipts_pinned(ws, ws.pinned()?, size, seqs)
}

/// As [`receipts`], for who has a snapshot of the store open: with the pin that was read before it.
///
/// # Errors
/// As [`receipts`].
pub fn receipts_pinned(
    ws: &Workspace,
    pinned: Pinned,
    size: u64,
    seqs: &[u64],
) -> Result<Vec<Receipt>, WorkspaceError> {
    let proven = ws.prove_pinned(pinned, Some(size), seqs, &[])?;
    let checkpoint = ws.sign_checkpoint(&proven.checkpoint)?;
    Ok(proven
        .included
        .into_iter()
        .map(|entry| Receipt {
            extra: Some(entry.envelope),
            index: entry.seq,
            proof: entry.proof,
            checkpoint: checkpoint.clone(),
        })
        .collect())
}

/// Chosen members of one entry's payload with their salts, and of all others the field hashes alone: together they make
/// the commitment that the entry's signed header carries, and the others stay closed, because each has a salt of its own.
/// The file is one line, JCS of `{"body":{...},"fields":{name:hex},"salts":{name:hex},"seq":N}` and LF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The entry.
    pub seq: u64,
    /// The members that are shown.
    pub body: Map<String, Value>,
    /// One salt for each of them.
    pub salts: BTreeMap<String, [u8; 32]>,
    /// The field hashes of the members that stay closed; erased ones are among them.
    pub fields: BTreeMap<String, Hash>,
}

/// Why an opening cannot be made, or is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpeningFault {
    /// Not one line of canonical JSON with exactly the members of the format.
    #[error("not a payload file of a receipt: {0}")]
    Form(String),
    /// No such member.
    #[error("the payload has no member {0}")]
    NoMember(String),
    /// Its value is gone.
    #[error("the member {0} was erased")]
    Erased(String),
    /// The payload itself is not of the format.
    #[error(transparent)]
    Payload(#[from] PayloadFault),
    /// It is another entry's.
    #[error("the payload file is of entry {0}")]
    Seq(u64),
    /// The commitment is another.
    #[error("the members and field hashes are not those that the entry commits to")]
    Commit,
}

impl From<JsonFault> for OpeningFault {
    fn from(fault: JsonFault) -> OpeningFault {
        OpeningFault::Form(fault.to_string())
    }
}

impl OpeningFault {
    /// It could be read, and does not belong to the entry.
    #[must_use]
    pub fn does_not_hold(&self) -> bool {
        matches!(self, OpeningFault::Seq(_) | OpeningFault::Commit)
    }
}

impl Opening {
    /// Opens these members of a payload; all that are left of it where `names` is empty.
    ///
    /// # Errors
    /// [`OpeningFault::NoMember`], [`OpeningFault::Erased`], or a payload without a canonical form.
    pub fn of(record: &Record, seq: u64, names: &[String]) -> Result<Opening, OpeningFault> {
        for name in names {
            if record.erased.contains_key(name) {
                return Err(OpeningFault::Erased(name.clone()));
            }
            if !record.body.contains_key(name) {
                return Err(OpeningFault::NoMember(name.clone()));
            }
        }
        let mut opening = Opening { seq, body: Map::new(), salts: BTreeMap::new(), fields: record.erased.clone() };
        for (name, value) in &record.body {
            let salt = record.salts.get(name).ok_or(PayloadFault::Salts)?;
            if names.is_empty() || names.contains(name) {
                opening.body.insert(name.clone(), value.clone());
                opening.salts.insert(name.clone(), *salt);
            } else {
                opening.fields.insert(name.clone(), field(name, salt, value).map_err(PayloadFault::Json)?);
            }
        }
        Ok(opening)
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// If the body is beyond its limits.
    pub fn to_line(&self) -> Result<Vec<u8>, OpeningFault> {
        let mut line = self.jcs()?;
        line.push(b'\n');
        Ok(line)
    }

    fn jcs(&self) -> Result<Vec<u8>, OpeningFault> {
        // A record with the closed members in the place of erased ones has the same limits, checks and commitment.
        let record = self.record();
        record.commit()?;
        let hexes = |name: &String, hex: String| (name.clone(), Value::String(hex));
        let fields: Map<_, _> = self.fields.iter().map(|(name, field)| hexes(name, field.to_hex())).collect();
        let salts: Map<_, _> = self.salts.iter().map(|(name, salt)| hexes(name, Hash(*salt).to_hex())).collect();
        let mut out = b"{\"body\":".to_vec();
        out.extend_from_slice(&canonical::to_vec(&Value::Object(self.body.clone()))?);
        out.extend_from_slice(b",\"fields\":");
        out.extend_from_slice(&canonical::to_vec(&Value::Object(fields))?);
        out.extend_from_slice(b",\"salts\":");
        out.extend_from_slice(&canonical::to_vec(&Value::Object(salts))?);
        out.extend_from_slice(format!(",\"seq\":{}}}", self.seq).as_bytes());
        Ok(out)
    }

    fn record(&self) -> Record {
        Record { body: self.body.clone(), salts: self.salts.clone(), erased: self.fields.clone() }
    }

    /// Reads exactly the bytes of [`Opening::to_line`]; the LF at the end may be missing.
    ///
    /// # Errors
    /// [`OpeningFault::Form`] for anything else, [`OpeningFault::Payload`] where salts and members do not fit.
    pub fn parse(bytes: &[u8]) -> Result<Opening, OpeningFault> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let members = || OpeningFault::Form("it does not have exactly body, fields, salts and seq".into());
        // One level more than a body may have: the object around it.
        let Value::Object(mut all) = canonical::parse_wrapped(bytes, RECORD_LIMIT, 1)? else { return Err(members()) };
        let (body, fields, salts) = match (all.remove("body"), all.remove("fields"), all.remove("salts")) {
            (Some(Value::Object(body)), Some(Value::Object(fields)), Some(Value::Object(salts))) => {
                (body, fields, salts)
            }
            _ => return Err(members()),
        };
        let seq = all.remove("seq").and_then(|seq| seq.as_u64()).filter(|_| all.is_empty()).ok_or_else(members)?;
        let hashes = |of: Map<String, Value>| -> Option<BTreeMap<String, Hash>> {
            of.into_iter().map(|(name, hex)| Some((name, Hash::from_hex(hex.as_str()?)?))).collect()
        };
        let salts = hashes(salts).ok_or(PayloadFault::Salts)?.into_iter().map(|(name, salt)| (name, salt.0)).collect();
        let opening = Opening { seq, body, salts, fields: hashes(fields).ok_or(PayloadFault::Erased)? };
        if opening.jcs()? != bytes {
            return Err(JsonFault::NotCanonical.into());
        }
        Ok(opening)
    }

    /// Whether these members are what the entry with this header commits to.
    ///
    /// # Errors
    /// [`OpeningFault::Seq`], [`OpeningFault::Commit`], or a payload without a canonical form.
    pub fn verify(&self, header: &Header) -> Result<(), OpeningFault> {
        if self.seq != header.seq {
            return Err(OpeningFault::Seq(self.seq));
        }
        if self.record().commit()? != header.commit {
            return Err(OpeningFault::Commit);
        }
        Ok(())
    }
}

/// The largest payload file: as the largest record.
pub const OPENING_LIMIT: usize = RECORD_LIMIT;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::hash::sha256;

    fn record() -> Record {
        let body = [("action", "refund"), ("reason", "a customer's name"), ("summary", "s"), ("ü\"", "x")];
        let body = body.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
        let mut count = 0u8;
        Record::seal(body, || {
            count += 1;
            sha256(&[count]).0
        })
    }

    fn header(record: &Record) -> Header {
        Header {
            log: "aosctl/0123456789abcdef0123456789abcdef".into(),
            seq: 7,
            prev: Hash::ZERO,
            at: "2026-11-21T09:00:00.000Z".into(),
            actor: "op-1".into(),
            key: Hash::ZERO,
            kind: "request.made/1".into(),
            subject: "r-1".into(),
            commit: record.commit().unwrap(),
        }
    }

    #[test]
    fn every_choice_of_members_makes_the_commitment_and_shows_nothing_else() {
        let mut record = record();
        let header = header(&record);
        record.erase("summary").unwrap();
        let left: Vec<String> = record.body.keys().cloned().collect();
        for choice in 1u32..1 << left.len() {
            let names: Vec<String> =
                left.iter().enumerate().filter(|(i, _)| choice >> i & 1 == 1).map(|(_, name)| name.clone()).collect();
            let opening = Opening::of(&record, 7, &names).unwrap();
            assert_eq!(opening.verify(&header), Ok(()));
            let line = opening.to_line().unwrap();
            assert_eq!(Opening::parse(&line).unwrap(), opening);
            let text = String::from_utf8(line).unwrap();
            assert_eq!(text.contains("a customer's name"), names.contains(&"reason".to_owned()));
            for (name, salt) in &record.salts {
                assert_eq!(text.contains(&Hash(*salt).to_hex()), names.contains(name), "{name}");
            }
            assert_eq!(opening.fields.get("summary"), record.erased.get("summary"));
        }
        // No names: all that is left.
        assert_eq!(Opening::of(&record, 7, &[]).unwrap().body.len(), 3);
        assert_eq!(Opening::of(&record, 7, &["summary".into()]), Err(OpeningFault::Erased("summary".into())));
        assert_eq!(Opening::of(&record, 7, &["no".into()]), Err(OpeningFault::NoMember("no".into())));
    }

    #[test]
    fn the_file_has_one_form_and_every_changed_byte_is_found() {
        let record = record();
        let header = header(&record);
        let opening = Opening::of(&record, 7, &["action".into(), "reason".into()]).unwrap();
        let line = opening.to_line().unwrap();
        let text = String::from_utf8(line.clone()).unwrap();
        assert!(text.starts_with(
            "{\"body\":{\"action\":\"refund\",\"reason\":\"a customer's name\"},\"fields\":{\"summary\":"
        ));
        assert!(text.ends_with("},\"seq\":7}\n"));
        for at in 0..line.len() - 1 {
            for flip in [0x01, 0x20, 0x80] {
                let mut bad = line.clone();
                bad[at] ^= flip;
                let found = Opening::parse(&bad).and_then(|o| o.verify(&header));
                assert!(found.is_err(), "byte {at}: {:?}", String::from_utf8_lossy(&bad));
            }
        }
        for bad in [
            text.replace("\"seq\":7", "\"seq\":8"),
            text.replace("},\"seq\":7", "},\"seq\":7,\"x\":1"),
            text.replace(":{\"action\"", ": {\"action\""),
            text.replace("\"fields\"", "\"erased\""),
            text.replace("refund", "\\u0072efund"),
            format!("{text}\n"),
            format!("[{text}]"),
            String::new(),
        ] {
            assert!(Opening::parse(bad.as_bytes()).and_then(|o| o.verify(&header)).is_err(), "{bad}");
        }
    }
}
