//! A payload record read in place, for verifying: no copies, and the stored bytes are what is hashed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::{Commit, Form, PayloadFault, RECORD_LIMIT, Record, field_of};
use crate::log::canonical::scan::{Scanner, name_order, unescape};
use crate::log::canonical::{BODY_LIMIT, MAX_DEPTH};
use crate::log::hash::{Hash, bytes_from_hex};

/// What verification needs of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayloadView {
    /// The commitment that the record's members make.
    pub commit: Hash,
    /// The entry's seq; 0 in stored form, which has none.
    pub seq: u64,
    /// Names of erased members.
    pub erased: Vec<String>,
    /// Where the body stands in the bytes, if they are canonical.
    pub body: Option<Range<usize>>,
    /// A fault of form that leaves the rest readable.
    pub fault: Option<PayloadFault>,
}

impl PayloadView {
    /// Reads a record.
    ///
    /// # Errors
    /// The fault that makes it unreadable.
    pub(crate) fn read(bytes: &[u8], form: Form) -> Result<PayloadView, PayloadFault> {
        match PayloadView::quick(bytes, form) {
            Some(view) => Ok(view),
            None => PayloadView::careful(bytes, form),
        }
    }

    fn careful(bytes: &[u8], form: Form) -> Result<PayloadView, PayloadFault> {
        let (record, seq, fault) = Record::read(bytes, form)?;
        let commit = record.commit()?;
        Ok(PayloadView { commit, seq, erased: record.erased.into_keys().collect(), body: None, fault })
    }

    fn quick(bytes: &[u8], form: Form) -> Option<PayloadView> {
        if bytes.len() > RECORD_LIMIT || std::str::from_utf8(bytes).is_err() {
            return None;
        }
        let mut scanner = Scanner::new(bytes, MAX_DEPTH);
        scanner.expect(b"{\"body\":")?;
        let start = scanner.position();
        let mut members: Vec<(&[u8], &[u8])> = Vec::with_capacity(16);
        scanner.members(|name, value| {
            members.push((name, value));
            Some(())
        })?;
        let body = start..scanner.position();
        if body.len() > BODY_LIMIT {
            return None;
        }
        let mut erased: Vec<(&[u8], Hash)> = Vec::new();
        if scanner.expect(b",\"erased\":").is_some() {
            scanner.members(|name, field| {
                erased.push((name, quoted_hash(field)?));
                Some(())
            })?;
            if erased.is_empty() {
                return None;
            }
        }
        scanner.expect(b",\"salts\":")?;
        let mut commit = Commit::new();
        let (mut left, mut left_erased) = (members.iter(), erased.iter().peekable());
        // Body and salts have the same names and so, both being in order, the same sequence of them.
        scanner.members(|name, salt| {
            let (member, value) = left.next()?;
            if *member != name {
                return None;
            }
            while let Some((gone, field)) = left_erased.peek() {
                match name_order(gone, name) {
                    Ordering::Less => commit.add(gone, field),
                    Ordering::Equal => return None,
                    Ordering::Greater => break,
                }
                left_erased.next();
            }
            let Hash(salt) = quoted_hash(salt)?;
            commit.add(name, &field_of(&unescape(name), &salt, value));
            Some(())
        })?;
        if left.next().is_some() {
            return None;
        }
        for (gone, field) in left_erased {
            commit.add(gone, field);
        }
        let seq = match form {
            Form::Stored => 0,
            Form::Line => {
                scanner.expect(b",\"seq\":")?;
                u64::try_from(scanner.integer()?).ok()?
            }
        };
        scanner.expect(b"}")?;
        if !scanner.at_end() {
            return None;
        }
        let erased = erased.into_iter().map(|(name, _)| text(unescape(name))).collect::<Option<_>>()?;
        Some(PayloadView { commit: commit.finish(), seq, erased, body: Some(body), fault: None })
    }
}

fn text(bytes: Cow<'_, [u8]>) -> Option<String> {
    String::from_utf8(bytes.into_owned()).ok()
}

fn quoted_hash(value: &[u8]) -> Option<Hash> {
    bytes_from_hex(value.strip_prefix(b"\"")?.strip_suffix(b"\"")?).map(Hash)
}
