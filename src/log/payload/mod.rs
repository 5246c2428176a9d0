//! Payloads: what an entry commits to, kept beside the log so that members of it can be erased.

mod view;

pub(crate) use view::PayloadView;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::canonical::scan::utf16_order;
use super::canonical::{self, BODY_LIMIT, JsonFault, push_string, write_within};
use super::hash::{Hash, bytes_from_hex, hex, hex_of, sha256_of};

/// The names of members that may be erased, in any event type. Replay reads none of them.
pub const ERASABLE: [&str; 12] = [
    "alternatives",
    "artifacts",
    "detail",
    "diff",
    "name",
    "note",
    "parameters",
    "rationale",
    "reason",
    "recommendation",
    "rollback",
    "summary",
];

/// Most bytes of a stored record or payload line. The format limits the body only; this bounds what a
/// hostile file can make us read. A body of the largest size with the shortest names (three bytes a name,
/// eight a member) has 131,072 salts of 73 bytes, which fits.
pub const RECORD_LIMIT: usize = 16 * 1_048_576;

/// A payload: the body, a salt for each of its members, and the fields of the members that were erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The body's members.
    pub body: Map<String, Value>,
    /// One salt for each member of the body.
    pub salts: BTreeMap<String, [u8; 32]>,
    /// The fields of erased members.
    pub erased: BTreeMap<String, Hash>,
}

/// Why bytes are not a payload record, or a record cannot be committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PayloadFault {
    /// Not canonical JSON, or a body beyond its limits.
    #[error("the payload is {0}")]
    Json(#[from] JsonFault),
    /// Other members than the format's, or of another kind.
    #[error("the payload does not have exactly the members of the format")]
    Members,
    /// Not one salt of 64 hex digits for each member of the body.
    #[error("the salts are not one for each member of the body")]
    Salts,
    /// An erased member is still there, a field is no hash, or nothing was erased at all.
    #[error("`erased` is not of the format")]
    Erased,
}

impl PayloadFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            PayloadFault::Json(fault) => fault.kind(),
            PayloadFault::Members => "payload_members",
            PayloadFault::Salts => "payload_salts",
            PayloadFault::Erased => "payload_erased",
        }
    }
}

/// The two ways in which a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the workspace stores it: `{"body","salts"}`.
    Stored,
    /// As a line of a bundle: with `"seq"`.
    Line,
}

/// field(name) = SHA-256( `aosctl/field/v1` ‖ 00 ‖ name ‖ 00 ‖ salt ‖ JCS(value) )
pub(crate) fn field_of(name: &[u8], salt: &[u8; 32], value: &[u8]) -> Hash {
    sha256_of(&[b"aosctl/field/v1\0", name, b"\0", salt, value])
}

/// The field of one member: what stays when it is erased.
///
/// # Errors
/// If the value has no canonical form.
pub fn field(name: &str, salt: &[u8; 32], value: &Value) -> Result<Hash, JsonFault> {
    Ok(field_of(name.as_bytes(), salt, &canonical::to_vec(value)?))
}

/// Builds the commitment from fields that come in canonical order of their names.
pub(crate) struct Commit {
    hasher: Sha256,
    empty: bool,
}

impl Commit {
    pub(crate) fn new() -> Self {
        Commit { hasher: Sha256::new_with_prefix(b"aosctl/payload/v1\0{"), empty: true }
    }

    /// `raw` is the name as it stands in canonical JSON between the quotes.
    pub(crate) fn add(&mut self, raw: &[u8], field: &Hash) {
        self.hasher.update(if self.empty { b"\"".as_slice() } else { b",\"" });
        self.empty = false;
        self.hasher.update(raw);
        self.hasher.update(b"\":\"");
        self.hasher.update(hex_of(field.as_bytes()));
        self.hasher.update(b"\"");
    }

    pub(crate) fn finish(mut self) -> Hash {
        self.hasher.update(b"}");
        Hash(self.hasher.finalize().into())
    }
}

impl Record {
    /// Gives every member of a body a salt of its own. `salt` must return 32 fresh random bytes each time.
    /// Whether the body is within its limits is for [`Record::commit`] to say.
    pub fn seal(body: Map<String, Value>, mut salt: impl FnMut() -> [u8; 32]) -> Record {
        let salts = body.keys().map(|name| (name.clone(), salt())).collect();
        Record { body, salts, erased: BTreeMap::new() }
    }

    /// The commitment: SHA-256( `aosctl/payload/v1` ‖ 00 ‖ JCS({name: field(name), ...}) ), over erased
    /// members too.
    ///
    /// # Errors
    /// If the body is not within its limits, or salts and erased members do not fit it.
    pub fn commit(&self) -> Result<Hash, PayloadFault> {
        self.check_names()?;
        self.body_jcs()?;
        let mut fields = Vec::with_capacity(self.body.len() + self.erased.len());
        for (name, value) in &self.body {
            let salt = self.salts.get(name).ok_or(PayloadFault::Salts)?;
            fields.push((name, field(name, salt, value)?));
        }
        fields.extend(self.erased.iter().map(|(name, field)| (name, *field)));
        fields.sort_unstable_by(|(a, _), (b, _)| utf16_order(a.as_bytes(), b.as_bytes()));
        let mut commit = Commit::new();
        for (name, field) in fields {
            let mut quoted = Vec::with_capacity(name.len() + 2);
            push_string(&mut quoted, name);
            commit.add(quoted.get(1..quoted.len() - 1).unwrap_or_default(), &field);
        }
        Ok(commit.finish())
    }

    /// Erases one member: its value and salt go, its field stays. Returns false if there is no such member.
    /// Whether the name is in [`ERASABLE`], and that an entry says so, is for the caller.
    ///
    /// # Errors
    /// If the value has no canonical form or no salt.
    pub fn erase(&mut self, name: &str) -> Result<bool, PayloadFault> {
        let Some(value) = self.body.get(name) else {
            return Ok(false);
        };
        let salt = self.salts.get(name).ok_or(PayloadFault::Salts)?;
        let field = field(name, salt, value)?;
        self.erased.insert(name.to_owned(), field);
        self.body.remove(name);
        self.salts.remove(name);
        Ok(true)
    }

    /// The canonical bytes that the workspace stores: `{"body","salts"}`, and `"erased"` where it applies.
    ///
    /// # Errors
    /// As [`Record::commit`].
    pub fn to_jcs(&self) -> Result<Vec<u8>, PayloadFault> {
        self.write(None)
    }

    /// The canonical bytes of a bundle's payload line, without the line end.
    ///
    /// # Errors
    /// As [`Record::commit`].
    pub fn to_line(&self, seq: u64) -> Result<Vec<u8>, PayloadFault> {
        self.write(Some(seq))
    }

    /// Reads a record from exactly the bytes of [`Record::to_jcs`].
    ///
    /// # Errors
    /// The first [`PayloadFault`].
    pub fn parse(bytes: &[u8]) -> Result<Record, PayloadFault> {
        let (record, _, fault) = Record::read(bytes, Form::Stored)?;
        fault.map_or(Ok(record), Err)
    }

    /// Reads a record and its entry's seq from exactly the bytes of [`Record::to_line`].
    ///
    /// # Errors
    /// The first [`PayloadFault`].
    pub fn parse_line(bytes: &[u8]) -> Result<(u64, Record), PayloadFault> {
        let (record, seq, fault) = Record::read(bytes, Form::Line)?;
        fault.map_or(Ok((seq, record)), Err)
    }

    /// Reads what parses; the last value is a fault of form that leaves the record usable.
    pub(crate) fn read(bytes: &[u8], form: Form) -> Result<(Record, u64, Option<PayloadFault>), PayloadFault> {
        let Value::Object(mut members) = canonical::parse_wrapped(bytes, RECORD_LIMIT, 1)? else {
            return Err(PayloadFault::Members);
        };
        let Some(Value::Object(body)) = members.remove("body") else {
            return Err(PayloadFault::Members);
        };
        let Some(Value::Object(salts)) = members.remove("salts") else {
            return Err(PayloadFault::Members);
        };
        let seq = match (form, members.remove("seq")) {
            (Form::Line, Some(seq)) => seq.as_u64().ok_or(PayloadFault::Members)?,
            (Form::Stored, None) => 0,
            (Form::Line, None) | (Form::Stored, Some(_)) => return Err(PayloadFault::Members),
        };
        let erased = match members.remove("erased") {
            None => BTreeMap::new(),
            Some(Value::Object(erased)) if !erased.is_empty() => erased
                .into_iter()
                .map(|(name, field)| {
                    let field = field.as_str().and_then(Hash::from_hex).ok_or(PayloadFault::Erased)?;
                    Ok((name, field))
                })
                .collect::<Result<_, PayloadFault>>()?,
            Some(_) => return Err(PayloadFault::Erased),
        };
        if !members.is_empty() {
            return Err(PayloadFault::Members);
        }
        let salts = salts
            .into_iter()
            .map(|(name, salt)| {
                let salt = salt.as_str().and_then(|text| bytes_from_hex(text.as_bytes()));
                Ok((name, salt.ok_or(PayloadFault::Salts)?))
            })
            .collect::<Result<_, PayloadFault>>()?;
        let record = Record { body, salts, erased };
        record.check_names()?;
        let canonical = record.write((form == Form::Line).then_some(seq))?;
        let fault = (canonical != bytes).then_some(JsonFault::NotCanonical.into());
        Ok((record, seq, fault))
    }

    fn check_names(&self) -> Result<(), PayloadFault> {
        if self.salts.len() != self.body.len() || self.body.keys().any(|name| !self.salts.contains_key(name)) {
            return Err(PayloadFault::Salts);
        }
        if self.erased.keys().any(|name| self.body.contains_key(name)) {
            return Err(PayloadFault::Erased);
        }
        Ok(())
    }

    fn body_jcs(&self) -> Result<Vec<u8>, PayloadFault> {
        let mut out = Vec::with_capacity(256);
        write_object(&mut out, self.body.iter(), |out, value| {
            // One level is the body's own.
            write_within(out, value, canonical::MAX_DEPTH - 1)
        })?;
        if out.len() > BODY_LIMIT {
            return Err(JsonFault::TooLarge { limit: BODY_LIMIT }.into());
        }
        Ok(out)
    }

    fn write(&self, seq: Option<u64>) -> Result<Vec<u8>, PayloadFault> {
        self.check_names()?;
        let mut out = b"{\"body\":".to_vec();
        out.extend_from_slice(&self.body_jcs()?);
        if !self.erased.is_empty() {
            out.extend_from_slice(b",\"erased\":");
            write_object(&mut out, self.erased.iter(), |out, field| {
                push_string(out, &field.to_hex());
                Ok(())
            })?;
        }
        out.extend_from_slice(b",\"salts\":");
        write_object(&mut out, self.salts.iter(), |out, salt| {
            push_string(out, &hex(salt));
            Ok(())
        })?;
        if let Some(seq) = seq {
            out.extend_from_slice(format!(",\"seq\":{seq}").as_bytes());
        }
        out.push(b'}');
        Ok(out)
    }
}

fn write_object<'a, V: 'a>(
    out: &mut Vec<u8>,
    members: impl Iterator<Item = (&'a String, &'a V)>,
    mut value: impl FnMut(&mut Vec<u8>, &V) -> Result<(), JsonFault>,
) -> Result<(), JsonFault> {
    let mut sorted: Vec<_> = members.collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| utf16_order(a.as_bytes(), b.as_bytes()));
    out.push(b'{');
    for (index, (name, item)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, name);
        out.push(b':');
        value(out, item)?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests;
