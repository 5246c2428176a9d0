//! What agents ask for: bodies of events about requests.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::access::Access;
use crate::domain::decide::Verdict;
use crate::domain::facets::Facets;
use crate::domain::id::Id;
use crate::domain::point::Point;
use crate::domain::request::Outcome;
use crate::domain::rules::Tier;
use crate::domain::scope::Scope;
use crate::domain::time::Time;

body! {
    /// An agent asks. What it wrote itself, from `parameters` on, is shown with care and erasable; `model`,
    /// `idempotency_key` and `bound_command` are not erasable.
    RequestMade {
        /// `r-57`.
        request: Id,
        /// Who asks.
        agent: Id,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")] integration: Option<Id>,
        /// `noun.verb`.
        action: String,
        /// To what.
        resource: Scope,
        /// How much access it takes.
        access: Access,
        /// What the decision looks at.
        facets: Facets,
        /// The requester was not sure, so it asks whatever the rules say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] unsure: bool,
        /// What was decided.
        decision: Verdict,
        /// Which points fired.
        points: BTreeSet<Point>,
        /// Which rule settled it.
        rule: String,
        /// How many operators must approve.
        approvers: u8,
        /// How risky.
        tier: Tier,
        /// On which grant.
        #[serde(default, skip_serializing_if = "Option::is_none")] grant: Option<Id>,
        /// Under which policy.
        policy: String,
        /// The end.
        until: Time,
        /// What it is part of.
        #[serde(default, skip_serializing_if = "Option::is_none")] mission: Option<String>,
        /// Which model, as told.
        #[serde(default, skip_serializing_if = "Option::is_none")] model: Option<String>,
        /// The requester's key against doing things twice.
        #[serde(default, skip_serializing_if = "Option::is_none")] idempotency_key: Option<String>,
        /// A command is bound (in `artifacts`), and only it may run.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] bound_command: bool,
        /// The tool's parameters, the received JSON text.
        #[serde(default, skip_serializing_if = "Option::is_none")] parameters: Option<String>,
        /// Files and the bound command, with digests.
        #[serde(default, skip_serializing_if = "Option::is_none")] artifacts: Option<Artifacts>,
        /// What changes.
        #[serde(default, skip_serializing_if = "Option::is_none")] diff: Option<String>,
        /// In one sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")] summary: Option<String>,
        /// What the agent would do.
        #[serde(default, skip_serializing_if = "Option::is_none")] recommendation: Option<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] rationale: Option<String>,
        /// What else could be done.
        #[serde(default, skip_serializing_if = "Option::is_none")] alternatives: Option<Vec<String>>,
        /// How to undo it.
        #[serde(default, skip_serializing_if = "Option::is_none")] rollback: Option<String>,
        /// Why it was not sure; the integration's name as typed where it was unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")] detail: Option<RequestDetail>,
    }
}

body! {
    /// What else a requester said.
    RequestDetail {
        /// Why it was not sure.
        #[serde(default, skip_serializing_if = "Option::is_none")] unsure: Option<String>,
        /// The integration's name as typed, where it was unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")] integration: Option<String>,
        /// The facets as declared, before the parameters were read.
        #[serde(default, skip_serializing_if = "Option::is_none")] declared: Option<Facets>,
        /// The access as declared, which the catalogue may have raised.
        #[serde(default, skip_serializing_if = "Option::is_none")] access: Option<Access>,
    }
}

body! {
    /// What comes with a request.
    Artifacts {
        /// The very command that may run.
        #[serde(default, skip_serializing_if = "Option::is_none")] command: Option<Command>,
        /// Files, by digest.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] files: Vec<FileDigest>,
    }
}

body! {
    /// A command, bound so tightly that nothing else passes for it.
    Command {
        /// The resolved executable.
        program: String,
        /// Hex SHA-256 of its bytes.
        program_sha256: String,
        /// The arguments, the program's name as typed first.
        argv: Vec<String>,
        /// The directory it runs in.
        directory: String,
        /// Names of the environment variables that it gets, sorted.
        environment: Vec<String>,
        /// Hex SHA-256 of its standard input; of nothing where it gets none.
        stdin_sha256: String,
    }
}

body! {
    /// A file, by name and content.
    FileDigest {
        /// As given.
        name: String,
        /// Hex SHA-256.
        sha256: String,
        /// Its size.
        bytes: u64,
    }
}

body! {
    /// An operator says yes to exactly what was shown.
    RequestApproved {
        /// Which.
        request: Id,
        /// Leaf hash (hex) of its entry.
        leaf: String,
        /// The points that were shown.
        points: BTreeSet<Point>,
        /// The grant it stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")] grant: Option<Id>,
        /// The policy in force.
        policy: String,
        /// Counts before this moment.
        until: Time,
        /// The operator decides alone about what two would decide if there were two.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] self_approved: bool,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// An operator says no.
    RequestDenied {
        /// Which.
        request: Id,
        /// Leaf hash (hex) of its entry.
        leaf: String,
        /// The points that were shown.
        points: BTreeSet<Point>,
        /// The grant it stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")] grant: Option<Id>,
        /// The policy in force.
        policy: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}

body! {
    /// Taken back.
    RequestWithdrawn {
        /// Which.
        request: Id,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
/// How a request is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimMode {
    /// By `aosctl run`, as a child process.
    Run,
    /// By the agent itself, which reports with `request done|fail`.
    Agent,
}

impl ClaimMode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimMode::Run => "run",
            ClaimMode::Agent => "agent",
        }
    }
}

impl std::str::FromStr for ClaimMode {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "run" => Ok(ClaimMode::Run),
            "agent" => Ok(ClaimMode::Agent),
            _ => Err(format!("{s:?} is no way to begin a request")),
        }
    }
}

body! {
    /// Begun, once.
    RequestClaimed {
        /// Which.
        request: Id,
        /// How.
        mode: ClaimMode,
        /// The key whose secret its program was given, as `run` says.
        #[serde(default, skip_serializing_if = "Option::is_none")] key: Option<Id>,
    }
}

body! {
    /// The outcome, as told. A claim about the world, never a fact.
    RequestFinished {
        /// Which.
        request: Id,
        /// How it ended.
        outcome: Outcome,
        /// Exit status of the child.
        #[serde(default, skip_serializing_if = "Option::is_none")] status: Option<i64>,
        /// Milliseconds that it took.
        #[serde(default, skip_serializing_if = "Option::is_none")] duration_ms: Option<u64>,
        /// Hex SHA-256 and size of what it printed, of both streams.
        #[serde(default, skip_serializing_if = "Option::is_none")] detail: Option<OutputDigests>,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
    }
}

body! {
    /// What a child printed, by digest.
    OutputDigests {
        /// Hex SHA-256 of standard output.
        stdout_sha256: String,
        /// Its size.
        stdout_bytes: u64,
        /// Hex SHA-256 of standard error.
        stderr_sha256: String,
        /// Its size.
        stderr_bytes: u64,
    }
}

body! {
    /// An operator settles an outcome that nobody knew.
    RequestResolved {
        /// Which.
        request: Id,
        /// How it ended.
        outcome: Outcome,
        /// The money was not spent after all, and counts no more.
        release: bool,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
}
