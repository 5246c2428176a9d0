//! `policy.toml`: what a company sets (docs/policy.md says what each member does).

mod build;
mod keys;
mod render;
mod shape;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::catalogue::Kind;
use crate::domain::money::Currency;
use crate::domain::point::Point;
use crate::domain::rules::{
    ActionRule, Boundary, Caps, Lifetimes, RULES_VERSION, ReviewTerms, RotationTerms, Rules, Terms,
};
use crate::domain::time::Span;

use super::error::PolicyError;
pub use super::source::MAX_TEXT;
use super::source::Source;

pub(super) use keys::key_names;
pub use keys::{KEYS, Key, defaults_left, set};
pub use render::render;

/// The version of the text's format.
const VERSION: i64 = 1;

/// What `policy.toml` says, with the defaults filled in. Same parts as [`Rules`], without the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// `[cap]`
    pub caps: Caps,
    /// `mailing.recipients`
    pub recipients: u64,
    /// `[boundary]`
    pub boundary: Boundary,
    /// `[approvers]`, only what is stated.
    pub approvers: BTreeMap<Point, u8>,
    /// `[[action]]`
    pub actions: Vec<ActionRule>,
    /// `[requests]`
    pub requests: Lifetimes,
    /// `[grants]`
    pub grants: Terms,
    /// `[rotation]`
    pub rotation: RotationTerms,
    /// `[review]`
    pub review: ReviewTerms,
}

impl Default for PolicyFile {
    /// The defaults of design section 7.
    fn default() -> PolicyFile {
        PolicyFile {
            caps: Caps { currency: Currency::USD, per_move: 100_000, per_week: 1_000_000 },
            recipients: 500,
            boundary: Boundary::default(),
            approvers: BTreeMap::new(),
            actions: Vec::new(),
            requests: Lifetimes { wait: Span::DAY, use_within: Span::seconds(3600) },
            grants: Terms { expires: Span::days(90), longest: Some(Span::days(365)) },
            rotation: RotationTerms { every: Span::days(90), warn: Span::days(14) },
            review: ReviewTerms { due_day: 5, owner: None },
        }
    }
}

/// Reads a policy. What it does not state has its default.
///
/// # Errors
/// The first fault, with file, line and column: syntax, an unknown member, a value out of its range, values that do not
/// go together, a rule that stands twice or says nothing.
pub fn parse(text: &str, file_name: &str) -> Result<PolicyFile, PolicyError> {
    let source = Source::new(text, file_name)?;
    let shape = source.read()?;
    let file = build::build(shape).map_err(|f| source.fault(f))?;
    value::together(&file).map_err(|clash| {
        // The member that the text states; the other one is a default.
        let key = clash.keys.into_iter().find(|k| source.states(k)).unwrap_or("version");
        source.fault(super::source::Fault::new(key, clash.message))
    })?;
    Ok(file)
}

/// The keys of [`KEYS`] that a text states, so that adopting it confirms them.
///
/// # Errors
/// As [`parse`], for syntax.
pub fn stated(text: &str, file_name: &str) -> Result<BTreeSet<String>, PolicyError> {
    let source = Source::new(text, file_name)?;
    Ok(KEYS.iter().map(|k| k.name).filter(|k| k.contains('.') && source.states(k)).map(str::to_owned).collect())
}

impl PolicyFile {
    /// What adopted rules say, without their catalogue.
    pub fn of(rules: &Rules) -> PolicyFile {
        let Rules {
            version: _,
            caps,
            recipients,
            boundary,
            actions,
            approvers,
            requests,
            grants,
            rotation,
            review,
            kinds: _,
        } = rules.clone();
        PolicyFile { caps, recipients, boundary, approvers, actions, requests, grants, rotation, review }
    }
}

/// The rules that an operator can adopt: the policy with a catalogue.
pub fn to_rules(file: &PolicyFile, kinds: Vec<Kind>) -> Rules {
    let PolicyFile { caps, recipients, boundary, approvers, actions, requests, grants, rotation, review } =
        file.clone();
    Rules {
        version: RULES_VERSION,
        caps,
        recipients,
        boundary,
        actions,
        approvers,
        requests,
        grants,
        rotation,
        review,
        kinds,
    }
}
