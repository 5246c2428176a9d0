//! One entry by itself.

use std::ops::Range;

use thiserror::Error;

use crate::log::envelope::{EnvelopeFault, Reading, SeenHeader};
use crate::log::hash::Hash;
use crate::log::header::Header;
use crate::log::key::{KeyFault, PublicKey, ReadyKey, SigFault, Signed, verify_each};
use crate::log::payload::{Form, PayloadFault, PayloadView};
use crate::log::verdict::{Check, Report};

/// What one entry is by itself. All faults are kept; none stops the others from being found.
#[derive(Clone, Debug)]
pub struct Inspected {
    reading: Reading,
    /// What became of the payload.
    pub payload: SeenPayload,
}

/// A payload as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenPayload {
    /// None was given.
    Absent,
    /// Not a record of the format.
    Unreadable(PayloadFault),
    /// A record.
    Read {
        /// The commitment that its members make; compare with [`Inspected::commit`].
        commit: Hash,
        /// Names of members that were erased.
        erased: Vec<String>,
        /// Where the body's canonical bytes stand in the given bytes; none if those are not canonical.
        body: Option<Range<usize>>,
        /// A fault of form that leaves the record readable.
        fault: Option<PayloadFault>,
    },
}

impl SeenPayload {
    pub(super) fn from_view(view: Result<PayloadView, PayloadFault>) -> SeenPayload {
        match view {
            Ok(PayloadView { commit, erased, body, fault, .. }) => SeenPayload::Read { commit, erased, body, fault },
            Err(fault) => SeenPayload::Unreadable(fault),
        }
    }

    /// Names of members that were erased.
    #[must_use]
    pub fn erased(&self) -> &[String] {
        match self {
            SeenPayload::Read { erased, .. } => erased,
            SeenPayload::Absent | SeenPayload::Unreadable(_) => &[],
        }
    }
}

/// Inspects one entry: the stored envelope and, if there is one, the stored payload (`{"body","salts"}`).
#[must_use]
pub fn inspect(envelope: &[u8], payload: Option<&[u8]>) -> Inspected {
    inspect_form(envelope, payload, Form::Stored)
}

/// As [`inspect`], for a payload that is a bundle's line (with `"seq"`, without its line end).
#[must_use]
pub fn inspect_line(envelope: &[u8], line: Option<&[u8]>) -> Inspected {
    inspect_form(envelope, line, Form::Line)
}

fn inspect_form(envelope: &[u8], payload: Option<&[u8]>, form: Form) -> Inspected {
    let payload = payload.map_or(SeenPayload::Absent, |bytes| SeenPayload::from_view(PayloadView::read(bytes, form)));
    Inspected::with(envelope, payload)
}

impl Inspected {
    pub(super) fn with(envelope: &[u8], payload: SeenPayload) -> Inspected {
        Inspected { reading: Reading::of(envelope), payload }
    }

    /// The leaf hash of the stored bytes, whatever they are.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        self.reading.leaf
    }

    /// The header, if all its values are of the format.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match &self.reading.header {
            SeenHeader::Strict(header) => Some(header),
            SeenHeader::Loose(_) | SeenHeader::Unreadable => None,
        }
    }

    /// The header as far as it could be read.
    #[must_use]
    pub fn seen_header(&self) -> &SeenHeader {
        &self.reading.header
    }

    /// Whether nothing could be read. Such an entry fails canonical form, signatures, chain, commitments and
    /// authority, and cannot be voided.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.reading.header == SeenHeader::Unreadable
    }

    /// The first fault of the envelope's or header's form.
    #[must_use]
    pub fn form_fault(&self) -> Option<EnvelopeFault> {
        self.reading.form
    }

    /// The header's `actor`, if it could be read.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        match &self.reading.header {
            SeenHeader::Strict(header) => Some(&header.actor),
            SeenHeader::Loose(header) => header.actor.as_deref(),
            SeenHeader::Unreadable => None,
        }
    }

    /// The header's `type`, if it could be read.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        match &self.reading.header {
            SeenHeader::Strict(header) => Some(&header.kind),
            SeenHeader::Loose(header) => header.kind.as_deref(),
            SeenHeader::Unreadable => None,
        }
    }

    /// The header's `seq`, if it could be read.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match &self.reading.header {
            SeenHeader::Strict(header) => Some(header.seq),
            SeenHeader::Loose(header) => header.seq,
            SeenHeader::Unreadable => None,
        }
    }

    /// The header's `commit`, if it could be read.
    #[must_use]
    pub fn commit(&self) -> Option<Hash> {
        match &self.reading.header {
            SeenHeader::Strict(header) => Some(header.commit),
            SeenHeader::Loose(header) => header.commit,
            SeenHeader::Unreadable => None,
        }
    }

    /// Whether the payload was read and is what the header commits to.
    #[must_use]
    pub fn commitment_holds(&self) -> bool {
        matches!(&self.payload, SeenPayload::Read { commit, .. } if Some(*commit) == self.commit())
    }

    /// Records the faults of form, under the entry's place in the log.
    pub fn report_form(&self, place: u64, report: &mut Report) {
        if let Some(fault) = self.reading.form {
            report.fail(Check::CanonicalForm, Some(place), fault.kind(), fault.to_string());
        }
        let fault = match &self.payload {
            SeenPayload::Unreadable(fault) => Some(fault),
            SeenPayload::Read { fault, .. } => fault.as_ref(),
            SeenPayload::Absent => None,
        };
        if let Some(fault) = fault {
            report.fail(Check::CanonicalForm, Some(place), fault.kind(), fault.to_string());
        }
    }

    /// Records a commitment that does not hold, under the entry's place in the log. A missing payload is one.
    pub fn report_commitment(&self, place: u64, report: &mut Report) {
        let (reason, detail) = match &self.payload {
            _ if self.is_unreadable() => ("unreadable", "the entry cannot be read"),
            SeenPayload::Absent => ("payload_missing", "the payload is missing"),
            SeenPayload::Unreadable(_) => ("payload_missing", "the payload cannot be read"),
            SeenPayload::Read { .. } if self.commitment_holds() => return,
            SeenPayload::Read { .. } => ("commit", "the payload is not what the entry commits to"),
        };
        report.fail(Check::Commitments, Some(place), reason, detail);
    }
}

/// Why an entry's signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureFault {
    /// There is no signature to verify.
    #[error(transparent)]
    Shape(EnvelopeFault),
    /// Nobody of that name was enrolled at that point.
    #[error("the signer is not known")]
    UnknownSigner,
    /// The signature itself.
    #[error(transparent)]
    Sig(SigFault),
}

impl SignatureFault {
    /// The stable word under which a verdict reports it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            SignatureFault::Shape(fault) => fault.kind(),
            SignatureFault::UnknownSigner => "unknown_signer",
            SignatureFault::Sig(fault) => fault.reason(),
        }
    }
}

/// Verifies an entry's signature with the key of its (actor, seq).
///
/// # Errors
/// The first [`SignatureFault`]; never [`SignatureFault::UnknownSigner`].
pub fn check_signature(entry: &Inspected, key: &PublicKey) -> Result<(), SignatureFault> {
    check_signature_ready(entry, Some(&key.ready()))
}

/// As [`check_signature`], with a key that was made ready before (see [`PublicKey::ready`]), which saves a
/// tenth where one signer signed much. No key means that the signer is not known.
///
/// # Errors
/// The first [`SignatureFault`]. What is wrong with the envelope comes before what is wrong with the signer.
pub fn check_signature_ready(
    entry: &Inspected,
    key: Option<&Result<ReadyKey, KeyFault>>,
) -> Result<(), SignatureFault> {
    let signed = signed(entry, key)?;
    signed.key.verify_strict(signed.message, signed.sig).map_err(SignatureFault::Sig)
}

/// As [`check_signature_ready`] for each of several entries, with the same verdicts, but quicker: see [`verify_each`].
#[must_use]
pub fn check_signatures<'a>(
    entries: impl IntoIterator<Item = (&'a Inspected, Option<&'a Result<ReadyKey, KeyFault>>)>,
) -> Vec<Result<(), SignatureFault>> {
    let all: Vec<_> = entries.into_iter().map(|(entry, key)| signed(entry, key)).collect();
    let there: Vec<Signed<'_>> = all.iter().flatten().copied().collect();
    let mut verdicts = verify_each(&there).into_iter();
    all.into_iter()
        // One verdict for each that there is; were one missing, its signature would not hold.
        .map(|signed| {
            signed.and_then(|_| verdicts.next().unwrap_or(Err(SigFault::Equation)).map_err(SignatureFault::Sig))
        })
        .collect()
}

/// The signature to verify, if there is one by the signer's key.
fn signed<'a>(entry: &'a Inspected, key: Option<&'a Result<ReadyKey, KeyFault>>) -> Result<Signed<'a>, SignatureFault> {
    let reading = &entry.reading;
    let sig = reading.sig.as_ref().map_err(|fault| SignatureFault::Shape(*fault))?;
    let key = match key {
        None => return Err(SignatureFault::UnknownSigner),
        Some(Err(fault)) => return Err(SignatureFault::Sig((*fault).into())),
        Some(Ok(key)) => key,
    };
    let is_signers = match &reading.header {
        SeenHeader::Strict(header) => header.key == key.key_id(),
        SeenHeader::Loose(header) => header.key.as_deref() == Some(key.key_id().to_hex().as_str()),
        SeenHeader::Unreadable => return Err(SignatureFault::Shape(EnvelopeFault::Unreadable)),
    };
    if !is_signers {
        return Err(SignatureFault::Sig(SigFault::KeyNotOfActor));
    }
    Ok(Signed { key, message: &reading.pae, sig })
}
