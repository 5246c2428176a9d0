//! The ids that people type: `g-7`, `r-57`, `op-1`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdKind {
    /// `op-1`, a human who decides.
    Operator,
    /// `ag-2`, a program that acts.
    Agent,
    /// `g-7`.
    Grant,
    /// `r-57`.
    Request,
    /// `k-3`, a credential.
    Key,
    /// `i-4`, an instance of a catalogue entry.
    Integration,
    /// `rv-202610`, the access review of a month.
    Review,
    /// `p-1`, the policy: one a workspace, so that every adoption is an event on the same subject.
    Policy,
    /// `w-1`, the workspace itself: the subject of freezes of everything.
    Workspace,
}

const PREFIXES: [(IdKind, &str); 9] = [
    (IdKind::Operator, "op"),
    (IdKind::Agent, "ag"),
    (IdKind::Grant, "g"),
    (IdKind::Request, "r"),
    (IdKind::Key, "k"),
    (IdKind::Integration, "i"),
    (IdKind::Review, "rv"),
    (IdKind::Policy, "p"),
    (IdKind::Workspace, "w"),
];

/// The largest number in an id: 15 digits (log-format.md, member `subject`).
pub const MAX_NUMBER: u64 = 999_999_999_999_999;

/// An id. Never used twice, for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// What it names.
    pub kind: IdKind,
    /// 1, 2, ...
    pub n: u64,
}

impl Id {
    /// The first operator of every workspace, carried by entry 0.
    pub const FIRST_OPERATOR: Id = Id { kind: IdKind::Operator, n: 1 };
    /// The subject of policy adoptions.
    pub const POLICY: Id = Id { kind: IdKind::Policy, n: 1 };
    /// The subject of freezes of the whole workspace.
    pub const WORKSPACE: Id = Id { kind: IdKind::Workspace, n: 1 };

    /// An id of that kind and number.
    pub fn new(kind: IdKind, n: u64) -> Id {
        Id { kind, n }
    }

    /// An agent's or an operator's id?
    pub fn is_identity(self) -> bool {
        matches!(self.kind, IdKind::Operator | IdKind::Agent)
    }
}

impl IdKind {
    /// The letters before the dash.
    pub fn prefix(self) -> &'static str {
        PREFIXES.iter().find(|(k, _)| *k == self).map_or("", |(_, p)| p)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}-{}", self.kind.prefix(), self.n))
    }
}

impl std::str::FromStr for Id {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let bad = || format!("{s:?} is not an id (such as g-7, r-57, op-1, ag-2, i-4)");
        let (prefix, digits) = s.split_once('-').ok_or_else(bad)?;
        let (kind, _) = PREFIXES.iter().find(|(_, p)| *p == prefix).ok_or_else(bad)?;
        if digits.is_empty()
            || digits.len() > 15
            || digits.starts_with('0')
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return Err(bad());
        }
        Ok(Id { kind: *kind, n: digits.parse().map_err(|_| bad())? })
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[a-z]{1,4}-[1-9][0-9]{0,14}$"})
    }
}

/// Who signed an entry: an identity, or the log itself where nobody signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The log identity: unattributed.
    Log,
    /// An operator or an agent.
    Identity(Id),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::Log => f.pad("log"),
            Actor::Identity(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "log" {
            return Ok(Actor::Log);
        }
        let id: Id = s.parse()?;
        if id.is_identity() {
            Ok(Actor::Identity(id))
        } else {
            Err(format!("{s:?} is not an operator, an agent or log"))
        }
    }
}
