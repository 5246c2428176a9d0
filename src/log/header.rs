//! The header of an entry: what is signed, and all that the log itself holds.

use serde_json::{Map, Value};
use thiserror::Error;

use super::canonical::scan::Scanner;
use super::canonical::{self, DOC_LIMIT, JsonFault, MAX_INTEGER};
use super::hash::Hash;
use super::time::is_time;

/// The header of one entry. Every text in it is plain ASCII by the format's patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The origin of the log: `aosctl/` and 32 hex digits.
    pub log: String,
    /// 0, 1, 2, ... without a gap.
    pub seq: u64,
    /// Leaf hash of the entry before; zeros for entry 0.
    pub prev: Hash,
    /// When it was signed; see [`super::time`].
    pub at: String,
    /// The signer: `op-1`, `ag-2` or `log`.
    pub actor: String,
    /// Key id of the signer's public key.
    pub key: Hash,
    /// The member `type`: event type and its version.
    pub kind: String,
    /// The id that the event is about, or empty.
    pub subject: String,
    /// The commitment to the payload.
    pub commit: Hash,
}

/// Why bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderFault {
    /// Not canonical JSON.
    #[error("the header is {0}")]
    Json(#[from] JsonFault),
    /// Not an object, a member is missing, or there is one more.
    #[error("the header does not have exactly its ten members")]
    Members,
    /// One member's value is not of the format.
    #[error("the header's `{}` is not of the format", .0.name())]
    Value(Member),
}

/// A member of the header whose value can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// `v`, which is 1.
    V,
    /// `log`
    Log,
    /// `seq`
    Seq,
    /// `prev`
    Prev,
    /// `at`
    At,
    /// `actor`
    Actor,
    /// `key`
    Key,
    /// `type`
    Type,
    /// `subject`
    Subject,
    /// `commit`
    Commit,
}

impl Member {
    /// The member's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.kind().trim_start_matches("header_")
    }

    fn kind(self) -> &'static str {
        match self {
            Member::V => "header_v",
            Member::Log => "header_log",
            Member::Seq => "header_seq",
            Member::Prev => "header_prev",
            Member::At => "header_at",
            Member::Actor => "header_actor",
            Member::Key => "header_key",
            Member::Type => "header_type",
            Member::Subject => "header_subject",
            Member::Commit => "header_commit",
        }
    }
}

impl HeaderFault {
    /// A stable word for the kind of fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            HeaderFault::Json(fault) => fault.kind(),
            HeaderFault::Members => "header_members",
            HeaderFault::Value(member) => member.kind(),
        }
    }
}

impl Header {
    /// Reads a header from exactly its canonical bytes.
    ///
    /// # Errors
    /// The first [`HeaderFault`].
    pub fn parse(bytes: &[u8]) -> Result<Header, HeaderFault> {
        if let Some(header) = Header::read_canonical(bytes) {
            return Ok(header);
        }
        let value = canonical::parse(bytes, DOC_LIMIT)?;
        let header = Header::from_value(&value)?;
        // All members are right and yet the quick way refused: only the writing is wrong.
        if header.to_jcs() == bytes { Ok(header) } else { Err(JsonFault::NotCanonical.into()) }
    }

    /// The quick way: canonical bytes have their members in one known order, and no escapes, since every
    /// value is of a pattern without them. `None` says nothing about the reason.
    fn read_canonical(bytes: &[u8]) -> Option<Header> {
        let mut scanner = Scanner::new(bytes, 0);
        let mut text = |before: &[u8]| -> Option<&str> {
            scanner.expect(before)?;
            std::str::from_utf8(scanner.until_quote()?).ok()
        };
        let actor = text(b"{\"actor\":\"").filter(|text| is_actor(text))?.to_owned();
        let at = text(b",\"at\":\"").filter(|text| is_time(text))?.to_owned();
        let commit = Hash::from_hex(text(b",\"commit\":\"")?)?;
        let key = Hash::from_hex(text(b",\"key\":\"")?)?;
        let log = text(b",\"log\":\"").filter(|text| is_origin(text))?.to_owned();
        let prev = Hash::from_hex(text(b",\"prev\":\"")?)?;
        scanner.expect(b",\"seq\":")?;
        let seq = u64::try_from(scanner.integer()?).ok()?;
        let mut text = |before: &[u8]| -> Option<&str> {
            scanner.expect(before)?;
            std::str::from_utf8(scanner.until_quote()?).ok()
        };
        let subject = text(b",\"subject\":\"").filter(|text| is_subject(text))?.to_owned();
        let kind = text(b",\"type\":\"").filter(|text| is_event_type(text))?.to_owned();
        scanner.expect(b",\"v\":1}")?;
        scanner.at_end().then_some(Header { log, seq, prev, at, actor, key, kind, subject, commit })
    }

    /// A header from parsed JSON, however it was written.
    pub(crate) fn from_value(value: &Value) -> Result<Header, HeaderFault> {
        const NAMES: [&str; 10] = ["actor", "at", "commit", "key", "log", "prev", "seq", "subject", "type", "v"];
        let members = value.as_object().ok_or(HeaderFault::Members)?;
        if members.len() != NAMES.len() || NAMES.iter().any(|name| !members.contains_key(*name)) {
            return Err(HeaderFault::Members);
        }
        if members.get("v") != Some(&Value::from(1)) {
            return Err(HeaderFault::Value(Member::V));
        }
        let seen = LooseHeader::from_members(members);
        fn need<T>(value: Option<T>, member: Member) -> Result<T, HeaderFault> {
            value.ok_or(HeaderFault::Value(member))
        }
        Ok(Header {
            log: need(seen.log.filter(|text| is_origin(text)), Member::Log)?,
            seq: need(seen.seq, Member::Seq)?,
            prev: need(seen.prev, Member::Prev)?,
            at: need(seen.at.filter(|text| is_time(text)), Member::At)?,
            actor: need(seen.actor.filter(|text| is_actor(text)), Member::Actor)?,
            key: need(seen.key.as_deref().and_then(Hash::from_hex), Member::Key)?,
            kind: need(seen.kind.filter(|text| is_event_type(text)), Member::Type)?,
            subject: need(seen.subject.filter(|text| is_subject(text)), Member::Subject)?,
            commit: need(seen.commit, Member::Commit)?,
        })
    }

    /// Checks the values against the format's patterns, before signing.
    ///
    /// # Errors
    /// The first member whose value is not of the format.
    pub fn check(&self) -> Result<(), HeaderFault> {
        let rules = [
            (is_origin(&self.log), Member::Log),
            (self.seq <= MAX_INTEGER.unsigned_abs(), Member::Seq),
            (is_time(&self.at), Member::At),
            (is_actor(&self.actor), Member::Actor),
            (is_event_type(&self.kind), Member::Type),
            (is_subject(&self.subject), Member::Subject),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, member)) => Err(HeaderFault::Value(member)),
            None => Ok(()),
        }
    }

    /// The canonical bytes. They are a header of the format only if [`Header::check`] holds.
    #[must_use]
    pub fn to_jcs(&self) -> Vec<u8> {
        format!(
            "{{\"actor\":\"{}\",\"at\":\"{}\",\"commit\":\"{}\",\"key\":\"{}\",\"log\":\"{}\",\"prev\":\"{}\",\
             \"seq\":{},\"subject\":\"{}\",\"type\":\"{}\",\"v\":1}}",
            self.actor, self.at, self.commit, self.key, self.log, self.prev, self.seq, self.subject, self.kind
        )
        .into_bytes()
    }
}

/// What could be read of a header that has a fault of form but is JSON of the format. Verification goes on
/// with these, so that one fault of form does not hide what else is right or wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LooseHeader {
    /// `log`, if it is text.
    pub log: Option<String>,
    /// `seq`, if it is a natural number.
    pub seq: Option<u64>,
    /// `prev`, if it is 64 lowercase hex digits.
    pub prev: Option<Hash>,
    /// `at`, if it is text.
    pub at: Option<String>,
    /// `actor`, if it is text.
    pub actor: Option<String>,
    /// `key`, if it is text.
    pub key: Option<String>,
    /// `type`, if it is text.
    pub kind: Option<String>,
    /// `subject`, if it is text.
    pub subject: Option<String>,
    /// `commit`, if it is 64 lowercase hex digits.
    pub commit: Option<Hash>,
}

impl LooseHeader {
    /// Reads what is there.
    pub(crate) fn from_members(members: &Map<String, Value>) -> LooseHeader {
        let borrowed = |name: &str| members.get(name).and_then(Value::as_str);
        let text = |name: &str| borrowed(name).map(str::to_owned);
        let hash = |name: &str| borrowed(name).and_then(Hash::from_hex);
        LooseHeader {
            log: text("log"),
            seq: members.get("seq").and_then(Value::as_u64),
            prev: hash("prev"),
            at: text("at"),
            actor: text("actor"),
            key: text("key"),
            kind: text("type"),
            subject: text("subject"),
            commit: hash("commit"),
        }
    }
}

/// `[1-9][0-9]{0,max-1}`
fn is_positive(text: &str, max: usize) -> bool {
    text.len() <= max && !text.starts_with('0') && is_digits(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `aosctl/[0-9a-f]{32}`
#[must_use]
pub fn is_origin(text: &str) -> bool {
    text.strip_prefix("aosctl/")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// `(op|ag)-[1-9][0-9]{0,14}` or `log`
#[must_use]
pub fn is_actor(text: &str) -> bool {
    text == "log"
        || text.strip_prefix("op-").or_else(|| text.strip_prefix("ag-")).is_some_and(|number| is_positive(number, 15))
}

/// `[a-z]{1,4}-[1-9][0-9]{0,14}`, or empty
#[must_use]
pub fn is_subject(text: &str) -> bool {
    text.is_empty()
        || text.split_once('-').is_some_and(|(prefix, number)| {
            (1..=4).contains(&prefix.len())
                && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
                && is_positive(number, 15)
        })
}

/// `[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*/[1-9][0-9]{0,3}`
#[must_use]
pub fn is_event_type(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    text.split_once('/').is_some_and(|(name, version)| {
        is_positive(version, 4) && name.split_once('.').is_some_and(|(noun, verb)| is_word(noun) && is_word(verb))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for good in ["", "g-7", "abcd-999999999999999"] {
            assert!(is_subject(good), "{good}");
        }
        for bad in ["g", "g-", "g-0", "g-07", "-1", "abcde-1", "G-1", "g-1000000000000000", "g-1\n", "g-1-1"] {
            assert!(!is_subject(bad), "{bad}");
        }
        for good in ["log", "op-1", "ag-999999999999999"] {
            assert!(is_actor(good), "{good}");
        }
        for bad in ["", "op-", "op-0", "op-01", "somebody", "Log", "op-1 ", "op-\u{661}"] {
            assert!(!is_actor(bad), "{bad}");
        }
        for good in ["a.b/1", "request.made/1", "x_1.y2_/9999"] {
            assert!(is_event_type(good), "{good}");
        }
        for bad in ["a.b", "a.b/0", "a.b/01", "a.b/10000", "1a.b/1", "a.b.c/1", ".b/1", "a./1", "a.B/1", "a.b/1/1"] {
            assert!(!is_event_type(bad), "{bad}");
        }
        assert!(!is_origin("aosctl/042F77f43f2f771ded5eb7577ceedeed"));
    }

    #[test]
    fn both_ways_of_reading_agree() {
        let header = Header {
            log: "aosctl/042f77f43f2f771ded5eb7577ceedeed".into(),
            seq: MAX_INTEGER.unsigned_abs(),
            prev: Hash::ZERO,
            at: "2026-11-21T09:00:00.000Z".into(),
            actor: "op-1".into(),
            key: Hash([1; 32]),
            kind: "request.made/1".into(),
            subject: "r-1".into(),
            commit: Hash([2; 32]),
        };
        header.check().unwrap();
        let bytes = header.to_jcs();
        assert_eq!(Header::read_canonical(&bytes), Some(header.clone()));
        let value = canonical::parse_canonical(&bytes, DOC_LIMIT).unwrap();
        assert_eq!(Header::from_value(&value), Ok(header.clone()));
        let beyond = Header { seq: header.seq + 1, ..header };
        assert_eq!(beyond.check().unwrap_err().kind(), "header_seq");
        assert_eq!(Header::parse(&beyond.to_jcs()).unwrap_err().kind(), "number_out_of_range");
    }
}
