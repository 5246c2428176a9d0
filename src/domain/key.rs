//! Keys: credentials in the inventory. The secret itself is elsewhere, or sealed; nothing here can hold one.

mod facts;

pub use facts::KeyFacts;

use serde::{Deserialize, Serialize};

use super::event::Hex32;
use super::id::Id;
use super::rules::RotationTerms;
use super::time::{Span, Time};

/// The longest name, scope or provider id of a key, in bytes.
pub const MAX_TEXT: usize = 512;

/// Where the secret of a key lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Place {
    /// Nobody told. An imported row names no place.
    Unknown,
    /// A reference such as `op://vault/item/field`, resolved at the moment of use.
    Reference(String),
    /// Sealed in the embedded vault.
    Sealed {
        /// An operator's passphrase opens it. Otherwise `run` opens it by itself, and lists say so.
        attended: bool,
        /// Hex SHA-256 of the sealed file, so that no other can be put in its place.
        #[schemars(with = "String")]
        sha256: Hex32,
    },
}

impl Place {
    /// `run` can have the secret without an operator's passphrase, as far as aosctl knows.
    pub fn is_unattended(&self) -> bool {
        matches!(self, Place::Sealed { attended: false, .. })
    }
}

/// Who would know that a key was used, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// The feed: `aws-credential-report`, `csv`.
    pub feed: String,
    /// What it knew, it knew as of this moment.
    pub as_of: Time,
    /// The last use. `None`: the feed watches this key and has never seen it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
}

/// When a key is to be turned over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// So often.
    pub every: Span,
    /// It is said so long before.
    pub warn: Span,
    /// The operator who does it.
    pub owner: Option<Id>,
    /// The entry that set it.
    pub seq: u64,
}

/// A step of what is done about a leaked key, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeakStep {
    /// Every grant that uses it is revoked, or its agent frozen.
    Contain,
    /// The provider was told to refuse it.
    Revoke,
    /// The provider refuses it now: shown, or `not_proven`.
    ProveDead,
    /// Another one was made and recorded.
    Rotate,
    /// The new one works.
    Test,
    /// Nothing names the old one any more.
    Sweep,
}

impl LeakStep {
    /// In their order.
    pub const ALL: [LeakStep; 6] =
        [LeakStep::Contain, LeakStep::Revoke, LeakStep::ProveDead, LeakStep::Rotate, LeakStep::Test, LeakStep::Sweep];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            LeakStep::Contain => "contain",
            LeakStep::Revoke => "revoke",
            LeakStep::ProveDead => "prove_dead",
            LeakStep::Rotate => "rotate",
            LeakStep::Test => "test",
            LeakStep::Sweep => "sweep",
        }
    }
}

impl LeakStep {
    /// As a page says it.
    pub fn words(self) -> &'static str {
        match self {
            LeakStep::ProveDead => "prove dead",
            LeakStep::Contain | LeakStep::Revoke | LeakStep::Rotate | LeakStep::Test | LeakStep::Sweep => self.as_str(),
        }
    }
}

/// How a step ended. Only `done` closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Done, and for `prove_dead` shown.
    Done,
    /// It does not apply: the reason says why.
    NotNeeded,
    /// It may be dead; nobody has shown it.
    NotProven,
    /// It was tried and failed: alive, or the new one does not work, or something still names the old one.
    Failed,
}

impl StepOutcome {
    /// Nothing is left to do for that step.
    pub fn closes(self) -> bool {
        matches!(self, StepOutcome::Done | StepOutcome::NotNeeded)
    }
}

/// What was done about a leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTaken {
    /// Which.
    pub step: LeakStep,
    /// How it ended.
    pub outcome: StepOutcome,
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Time,
}

/// That a key is exposed, and how far its play is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The entry that said so.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Every step that was recorded, oldest first.
    pub steps: Vec<StepTaken>,
}

impl Leak {
    /// The newest outcome of a step.
    pub fn outcome(&self, step: LeakStep) -> Option<StepOutcome> {
        self.steps.iter().rev().find(|s| s.step == step).map(|s| s.outcome)
    }

    /// The first step that is not closed. `None`: the leak is closed.
    pub fn next(&self) -> Option<LeakStep> {
        LeakStep::ALL.into_iter().find(|s| !self.outcome(*s).is_some_and(StepOutcome::closes))
    }

    /// Something is left to do.
    pub fn is_open(&self) -> bool {
        self.next().is_some()
    }
}

/// A credential in the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `k-3`.
    pub id: Id,
    /// What is known of it.
    pub facts: KeyFacts,
    /// When it is to be turned over.
    pub schedule: Option<Schedule>,
    /// The entry that added it.
    pub added_seq: u64,
    /// When.
    pub added_at: Time,
    /// The newest entry about it.
    pub changed_seq: u64,
    /// The entry that recorded the last rotation, if one did.
    pub recorded_seq: Option<u64>,
    /// The entry that retired it.
    pub retired_seq: Option<u64>,
    /// When.
    pub retired_at: Option<Time>,
    /// The newest leak, open or closed.
    pub leak: Option<Leak>,
}

impl Key {
    /// In the inventory: not retired.
    pub fn is_live(&self) -> bool {
        self.retired_seq.is_none()
    }

    /// It leaked, and what it opened is not known to be closed.
    pub fn leak_is_open(&self) -> bool {
        self.leak.as_ref().is_some_and(Leak::is_open)
    }

    /// It leaked, and everything that was to be done about the newest leak is done.
    pub fn leak_is_closed(&self) -> bool {
        self.leak.as_ref().is_some_and(|l| !l.is_open())
    }

    /// The entry that shows that what leaked is of no use any more: another secret was recorded since the newest leak, or
    /// else the last step of it was closed. `None`: it never leaked, or neither is so.
    pub fn leak_answered(&self) -> Option<u64> {
        let leak = self.leak.as_ref()?;
        let closed = || leak.steps.iter().map(|s| s.seq).max().filter(|_| !leak.is_open());
        self.recorded_seq.filter(|seq| *seq > leak.seq).or_else(closed)
    }

    /// What is typed when it is to be turned over: where a leak of it is open, to go on with that; else to record that it was
    /// turned over at its provider, together with the new secret where the vault has the old one. Only the id stands in it,
    /// so that it can be copied whatever a key is called.
    pub fn turn_line(&self) -> String {
        let id = self.id;
        match self.facts.place {
            _ if self.leak_is_open() => format!("aosctl key leaked {id}"),
            Place::Sealed { .. } => format!("aosctl rotation record {id} --secret-stdin"),
            Place::Unknown | Place::Reference(_) => format!("aosctl rotation record {id}"),
        }
    }

    /// From when its age counts: the last rotation, or else when it was made. `None`: nobody knows, which is not "new".
    pub fn turned(&self) -> Option<Time> {
        self.facts.rotated.max(self.facts.created)
    }

    /// How often it is turned over, and how long before that is said: by its own schedule, or else by the policy.
    pub fn terms(&self, policy: &RotationTerms) -> (Span, Span) {
        self.schedule.as_ref().map_or((policy.every, policy.warn), |s| (s.every, s.warn))
    }

    /// When it has to be turned over. A key whose age nobody knows is due since it was added: unknown is never fine.
    pub fn due(&self, policy: &RotationTerms) -> Time {
        self.turned().map_or(self.added_at, |t| t.plus(self.terms(policy).0))
    }
}

/// How a program gets a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Delivery {
    /// In an environment variable of that name.
    Env(String),
    /// In a file in memory (tmpfs), named by an environment variable.
    File(String),
    /// On standard input, then its end.
    Stdin,
    /// On a file descriptor, whose number an environment variable carries.
    Fd(String),
}

impl std::fmt::Display for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Delivery::Env(name) => write!(f, "env:{name}"),
            Delivery::File(name) => write!(f, "file:{name}"),
            Delivery::Stdin => f.write_str("stdin"),
            Delivery::Fd(name) => write!(f, "fd:{name}"),
        }
    }
}

/// As typed: `env:NAME`, `file:NAME`, `fd:NAME` or `stdin`. Which names a child may have is not asked here.
impl std::str::FromStr for Delivery {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let form = || "it is env:NAME, file:NAME, fd:NAME or stdin, where NAME is a variable's".to_string();
        if s == "stdin" {
            return Ok(Delivery::Stdin);
        }
        let (how, name) = s.split_once(':').ok_or_else(form)?;
        let ok = (1..=200).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match how {
            _ if !ok => Err(form()),
            "env" => Ok(Delivery::Env(name.into())),
            "file" => Ok(Delivery::File(name.into())),
            "fd" => Ok(Delivery::Fd(name.into())),
            _ => Err(form()),
        }
    }
}

impl Delivery {
    /// The variable that holds it, or says where it is.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Delivery::Env(name) | Delivery::File(name) | Delivery::Fd(name) => Some(name),
            Delivery::Stdin => None,
        }
    }
}

/// A program that may receive the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Its absolute path, resolved.
    pub path: String,
    /// Hex SHA-256 of its bytes.
    #[schemars(with = "String")]
    pub sha256: String,
}

/// That a grant carries a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Carries {
    /// Which key.
    pub key: Id,
    /// How the program gets it.
    pub delivery: Delivery,
    /// The programs that may receive it; never empty.
    pub programs: Vec<Recipient>,
}

impl Carries {
    /// May that program have it?
    pub fn names(&self, path: &str, sha256: &str) -> bool {
        self.programs.iter().any(|p| p.path == path && p.sha256 == sha256)
    }
}

/// Is that a name, scope or provider id: one line of text without control characters?
///
/// # Errors
/// What is wrong with it.
pub fn check_text(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.trim() != text {
        return Err(format!("{what} is empty, or begins or ends with a space"));
    }
    if text.len() > MAX_TEXT {
        return Err(format!("{what} is longer than {MAX_TEXT} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} has a control character"));
    }
    Ok(())
}

/// Is that the kind of a credential: lower-case letters, digits and dashes?
///
/// # Errors
/// What is wrong with it.
pub fn check_kind(kind: &str) -> Result<(), String> {
    let ok = (1..=40).contains(&kind.len())
        && kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if ok { Ok(()) } else { Err("a kind is lower-case letters, digits and dashes, at most 40: aws-access-key".into()) }
}

/// Is that the end of a secret: four printable ASCII characters?
///
/// # Errors
/// What is wrong with it.
pub fn check_last4(text: &str) -> Result<(), String> {
    let ok = text.len() == 4 && text.bytes().all(|b| b.is_ascii_graphic());
    if ok { Ok(()) } else { Err("the last four characters are four printable ASCII characters".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_written_as_they_are_read() {
        for text in ["env:GITHUB_TOKEN", "file:_KEY", "fd:TOKEN_FD", "stdin"] {
            assert_eq!(text.parse::<Delivery>().unwrap().to_string(), text);
        }
        for bad in ["", "env", "env:", "env:A=B", "env:1A", "stdin:X", "exec:X", "ENV:X", "fd:3", "file:a b"] {
            assert!(bad.parse::<Delivery>().is_err(), "{bad}");
        }
    }

    fn taken(step: LeakStep, outcome: StepOutcome, seq: u64) -> StepTaken {
        StepTaken { step, outcome, seq, at: Time::from_millis(0) }
    }

    #[test]
    fn a_leak_is_open_until_every_step_is_closed() {
        let mut leak = Leak { seq: 3, at: Time::from_millis(0), steps: Vec::new() };
        assert_eq!(leak.next(), Some(LeakStep::Contain));
        for (i, step) in LeakStep::ALL.into_iter().enumerate() {
            assert!(leak.is_open());
            leak.steps.push(taken(step, StepOutcome::NotProven, 4 + i as u64));
            assert_eq!(leak.next(), Some(step), "not proven is not done");
            leak.steps.push(taken(step, StepOutcome::Done, 5 + i as u64));
        }
        assert!(!leak.is_open());
        leak.steps.push(taken(LeakStep::Sweep, StepOutcome::Failed, 30));
        assert_eq!(leak.next(), Some(LeakStep::Sweep), "what turns up again opens it again");
    }

    #[test]
    fn texts_of_keys() {
        for good in ["ci token", "AKIA/…/bot", "é"] {
            assert_eq!(check_text("it", good), Ok(()), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "\u{1b}[2J", &"x".repeat(513)] {
            assert!(check_text("it", bad).is_err(), "{bad:?}");
        }
        assert!(check_last4("9f2a").is_ok());
        for bad in ["", "9f2", "9f2aa", "9f 2", "9fé"] {
            assert!(check_last4(bad).is_err(), "{bad:?}");
        }
    }
}
