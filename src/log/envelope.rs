//! The envelope: a profile of DSSE 1.0.2 around a header and its one signature.

use data_encoding::BASE64;
use serde_json::{Map, Value};
use thiserror::Error;

use super::canonical::scan::Scanner;
use super::canonical::{self, ENVELOPE_LIMIT, JsonFault};
use super::hash::{Hash, base64_decode, base64_encode};
use super::header::{Header, HeaderFault, LooseHeader};
use super::key::{PublicKey, SigFault};
use super::tree;

/// The payload type that every envelope carries and every signature covers.
pub const PAYLOAD_TYPE: &str = "application/vnd.aosctl.entry.v1+json";

/// One entry as the log stores it, known to be well-formed. The signature is not verified by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The stored bytes, without a line end. These are hashed into the tree.
    pub bytes: Vec<u8>,
    /// What the signed bytes say.
    pub header: Header,
    /// The signed bytes: the canonical header.
    pub body: Vec<u8>,
    /// The signature over [`pae`] of the body.
    pub sig: [u8; 64],
}

/// Why bytes are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeFault {
    /// Not canonical JSON.
    #[error("the envelope is {0}")]
    Json(#[from] JsonFault),
    /// Other members than the format's, or members of another kind.
    #[error("the envelope does not have exactly the members of the format")]
    Members,
    /// Another `payloadType`.
    #[error("the payload type is not {PAYLOAD_TYPE}")]
    PayloadType,
    /// Base64 that is not standard, padded and with zero trailing bits.
    #[error("the base64 is not of the format")]
    Base64,
    /// The header has a fault.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// Not exactly one signature.
    #[error("there is not exactly one signature")]
    SignatureCount,
    /// There is one item, but no signature can be read from it.
    #[error("no signature can be read")]
    SignatureMissing,
    /// The signature is not 64 bytes.
    #[error("the signature is not 64 bytes")]
    SignatureLength,
    /// `keyid` is not the header's `key`.
    #[error("the key id is not that of the header")]
    KeyidNotOfHeader,
    /// No header could be parsed, so there is nothing to verify.
    #[error("nothing can be read")]
    Unreadable,
}

impl EnvelopeFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            EnvelopeFault::Json(fault) => fault.kind(),
            EnvelopeFault::Members => "envelope_members",
            EnvelopeFault::PayloadType => "payload_type",
            EnvelopeFault::Base64 => "base64",
            EnvelopeFault::Header(fault) => fault.kind(),
            EnvelopeFault::SignatureCount => "signature_count",
            EnvelopeFault::SignatureMissing => "signature_missing",
            EnvelopeFault::SignatureLength => "signature_length",
            EnvelopeFault::KeyidNotOfHeader => "keyid_not_of_header",
            EnvelopeFault::Unreadable => "unreadable",
        }
    }
}

/// The pre-authentication encoding of DSSE: `DSSEv1 SP len(type) SP type SP len(body) SP body`.
#[must_use]
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut out = pae_head(payload_type, body.len());
    out.extend_from_slice(body);
    out
}

fn pae_head(payload_type: &str, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload_type.len() + length + 32);
    out.extend_from_slice(b"DSSEv1 ");
    out.extend_from_slice(payload_type.len().to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(payload_type.as_bytes());
    out.push(b' ');
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out
}

impl Envelope {
    /// Signs a header. `sign` gets the bytes to be signed (the PAE) and returns the signature by the key
    /// that the header names.
    ///
    /// # Errors
    /// [`EnvelopeFault::Header`] if the header is not of the format, which asks for no signature;
    /// [`JsonFault::TooLarge`] if its type is so long that the envelope is.
    pub fn seal(header: &Header, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<Envelope, EnvelopeFault> {
        header.check()?;
        let body = header.to_jcs();
        let sig = sign(&pae(PAYLOAD_TYPE, &body));
        let bytes = format!(
            "{{\"payload\":\"{}\",\"payloadType\":\"{PAYLOAD_TYPE}\",\"signatures\":[{{\"keyid\":\"{}\",\"sig\":\"{}\"}}]}}",
            base64_encode(&body),
            header.key,
            base64_encode(&sig)
        )
        .into_bytes();
        if bytes.len() > ENVELOPE_LIMIT {
            return Err(JsonFault::TooLarge { limit: ENVELOPE_LIMIT }.into());
        }
        Ok(Envelope { bytes, header: header.clone(), body, sig })
    }

    /// Reads an envelope from exactly its stored bytes.
    ///
    /// # Errors
    /// The first [`EnvelopeFault`], of form before those of the signature.
    pub fn open(bytes: &[u8]) -> Result<Envelope, EnvelopeFault> {
        let reading = Reading::of(bytes);
        if let Some(fault) = reading.form {
            return Err(fault);
        }
        let sig = reading.sig?;
        let body = reading.body().to_vec();
        match reading.header {
            SeenHeader::Strict(header) => Ok(Envelope { bytes: bytes.to_vec(), header, body, sig }),
            SeenHeader::Loose(_) | SeenHeader::Unreadable => Err(EnvelopeFault::Unreadable),
        }
    }

    /// The leaf hash: what the next entry's `prev` and the tree hold.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        tree::leaf_hash(&self.bytes)
    }

    /// Verifies the signature, strictly, with the key of (actor, seq). That the header's `key` is that
    /// key's id is verified too.
    ///
    /// # Errors
    /// [`SigFault::KeyNotOfActor`] or what [`PublicKey::verify_strict`] finds.
    pub fn verify(&self, key: &PublicKey) -> Result<(), SigFault> {
        if self.header.key != key.key_id() {
            return Err(SigFault::KeyNotOfActor);
        }
        key.verify_strict(&pae(PAYLOAD_TYPE, &self.body), &self.sig)
    }
}

/// A header as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenHeader {
    /// All of it, in its canonical bytes or at least with right values.
    Strict(Header),
    /// JSON of the format, but with a fault in its members.
    Loose(LooseHeader),
    /// Cannot be parsed: fails canonical form, signatures, chain and commitments.
    Unreadable,
}

/// An envelope as the verifier sees it: as much as can be read, and the first fault of each kind.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Leaf hash of the bytes, whatever they are.
    pub leaf: Hash,
    /// The first fault of canonical form.
    pub form: Option<EnvelopeFault>,
    /// The signature, or why there is none to verify.
    pub sig: Result<[u8; 64], EnvelopeFault>,
    /// The header.
    pub header: SeenHeader,
    pub(crate) pae: Vec<u8>,
    body_at: usize,
}

impl Reading {
    /// Reads an envelope's bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Reading {
        Reading::quick(bytes).unwrap_or_else(|| Reading::careful(bytes))
    }

    /// The bytes that the signature should cover: the decoded payload.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.pae.get(self.body_at..).unwrap_or_default()
    }

    /// The quick way, for bytes that are right in every way: their shape is fixed but for four values.
    fn quick(bytes: &[u8]) -> Option<Reading> {
        if bytes.len() > ENVELOPE_LIMIT {
            return None;
        }
        let mut scanner = Scanner::new(bytes, 0);
        scanner.expect(b"{\"payload\":\"")?;
        let payload = scanner.until_quote()?;
        scanner.expect(b",\"payloadType\":\"application/vnd.aosctl.entry.v1+json\",\"signatures\":[{\"keyid\":\"")?;
        let keyid = Hash::from_hex(std::str::from_utf8(scanner.bytes(64)?).ok()?)?;
        scanner.expect(b"\",\"sig\":\"")?;
        let sig = <[u8; 64]>::try_from(base64_decode(scanner.bytes(88)?)?).ok()?;
        scanner.expect(b"\"}]}")?;
        if !scanner.at_end() {
            return None;
        }
        let (pae, body_at) = decode_into_pae(payload)?;
        let header = Header::parse(pae.get(body_at..)?).ok()?;
        if header.key != keyid {
            return None;
        }
        let leaf = tree::leaf_hash(bytes);
        Some(Reading { leaf, form: None, sig: Ok(sig), header: SeenHeader::Strict(header), pae, body_at })
    }

    /// The careful way: parses, and names what is wrong.
    fn careful(bytes: &[u8]) -> Reading {
        let mut reading = Reading {
            leaf: tree::leaf_hash(bytes),
            form: None,
            sig: Err(EnvelopeFault::Unreadable),
            header: SeenHeader::Unreadable,
            pae: Vec::new(),
            body_at: 0,
        };
        let value = match canonical::parse(bytes, ENVELOPE_LIMIT) {
            Ok(value) => value,
            Err(fault) => {
                reading.form = Some(fault.into());
                return reading;
            }
        };
        let Some(members) = value.as_object() else {
            reading.form = Some(EnvelopeFault::Members);
            return reading;
        };
        let mut fault = |fault: EnvelopeFault| {
            reading.form.get_or_insert(fault);
        };
        if !canonical::scan::is_canonical(bytes, canonical::MAX_DEPTH) {
            fault(JsonFault::NotCanonical.into());
        }
        if members.len() != 3 {
            fault(EnvelopeFault::Members);
        }
        match members.get("payloadType").and_then(Value::as_str) {
            Some(PAYLOAD_TYPE) => {}
            Some(_) => fault(EnvelopeFault::PayloadType),
            None => fault(EnvelopeFault::Members),
        }
        let payload = match members.get("payload").and_then(Value::as_str).map(|text| decode_into_pae(text.as_bytes()))
        {
            Some(Some(decoded)) => Some(decoded),
            Some(None) => {
                fault(EnvelopeFault::Base64);
                None
            }
            None => {
                fault(EnvelopeFault::Members);
                None
            }
        };
        if let Some((pae, body_at)) = payload {
            reading.pae = pae;
            reading.body_at = body_at;
            reading.read_header();
            if reading.header != SeenHeader::Unreadable {
                reading.read_signature(members);
            }
        }
        reading
    }

    fn read_header(&mut self) {
        let body = self.pae.get(self.body_at..).unwrap_or_default();
        let strict = Header::parse(body);
        if let Err(fault) = &strict {
            self.form.get_or_insert(EnvelopeFault::Header(*fault));
        }
        self.header = match strict {
            Ok(header) => SeenHeader::Strict(header),
            Err(_) => match canonical::parse(body, ENVELOPE_LIMIT) {
                Ok(value) => match (Header::from_value(&value), value) {
                    (Ok(header), _) => SeenHeader::Strict(header),
                    (Err(_), Value::Object(members)) => SeenHeader::Loose(LooseHeader::from_members(&members)),
                    (Err(_), _) => SeenHeader::Unreadable,
                },
                Err(_) => SeenHeader::Unreadable,
            },
        };
    }

    fn read_signature(&mut self, members: &Map<String, Value>) {
        let signatures = members.get("signatures").and_then(Value::as_array);
        let (sig, form) = match signatures.map(Vec::as_slice) {
            Some([Value::Object(item)]) => self.read_one_signature(item),
            Some([_]) | None => (Err(EnvelopeFault::SignatureMissing), Some(EnvelopeFault::Members)),
            Some(_) => (Err(EnvelopeFault::SignatureCount), None),
        };
        self.sig = sig;
        if let Some(fault) = form {
            self.form.get_or_insert(fault);
        }
    }

    fn read_one_signature(
        &self,
        item: &Map<String, Value>,
    ) -> (Result<[u8; 64], EnvelopeFault>, Option<EnvelopeFault>) {
        let missing = Err(EnvelopeFault::SignatureMissing);
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let (Some(keyid), Some(sig), 2) = (text("keyid"), text("sig"), item.len()) else {
            return (missing, Some(EnvelopeFault::Members));
        };
        let Some(sig) = base64_decode(sig.as_bytes()) else {
            return (missing, Some(EnvelopeFault::Base64));
        };
        let Ok(sig) = <[u8; 64]>::try_from(sig) else {
            return (Err(EnvelopeFault::SignatureLength), None);
        };
        let of_header = match &self.header {
            SeenHeader::Strict(header) => header.key.to_hex() == keyid,
            SeenHeader::Loose(header) => header.key.as_deref() == Some(keyid),
            SeenHeader::Unreadable => false,
        };
        (if of_header { Ok(sig) } else { Err(EnvelopeFault::KeyidNotOfHeader) }, None)
    }
}

/// Decodes an envelope's `payload` straight behind the head of its PAE; the second value is where it begins.
fn decode_into_pae(payload: &[u8]) -> Option<(Vec<u8>, usize)> {
    let padding = payload.iter().rev().take_while(|&&byte| byte == b'=').count();
    let unpadded = payload.get(..payload.len() - padding)?;
    if !payload.len().is_multiple_of(4) || padding > 2 || unpadded.contains(&b'=') {
        return None;
    }
    let length = (payload.len() / 4 * 3).checked_sub(padding)?;
    let mut pae = pae_head(PAYLOAD_TYPE, length);
    let body_at = pae.len();
    pae.resize(body_at + payload.len() / 4 * 3, 0);
    let decoded = BASE64.decode_mut(payload, pae.get_mut(body_at..)?).ok()?;
    pae.truncate(body_at + decoded);
    (decoded == length).then_some((pae, body_at))
}

#[cfg(test)]
mod tests;
