//! `aosctl policy diff`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::candidate::{Candidate, of_workspace};
use super::short;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe_block;
use crate::domain::authority::rules_digest;
use crate::domain::rules::Rules;
use crate::policy::{Effect, diff};
use crate::workspace::Adopted;

/// What adopting a policy would change: the text, the catalogue files beside it, the catalogue of this aosctl.
///
/// Exit 0: nothing. Exit 1: something; what opens a door wider is marked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy [default: policy.toml in the workspace]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

/// What adopting a policy would change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyDiffView {
    /// What was compared with the adopted policy.
    pub file: String,
    /// Digest of the rules in force.
    pub old_digest: String,
    /// Digest of the rules that would be.
    pub new_digest: String,
    /// The rules are the same ones.
    pub equal: bool,
    /// The text is another one than was adopted, if only in a remark.
    pub text_changed: bool,
    /// Each difference of the rules.
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Change {
    /// What changes: a key, a rule about an action, a part of the catalogue.
    pub key: String,
    /// As it was; absent where it is new.
    pub old: Option<String>,
    /// As it would be; absent where it goes.
    pub new: Option<String>,
    /// Does it open or close?
    pub effect: ChangeEffect,
}

/// Does a change let more happen without a person, or for longer?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeEffect {
    /// It opens, in part at least.
    Wider,
    /// It only closes.
    Narrower,
    /// Neither, or it cannot be told.
    Other,
}

/// The differences between rules.
pub(super) fn changes(old: &Rules, new: &Rules) -> Vec<Change> {
    diff(old, new)
        .into_iter()
        .map(|line| Change {
            key: line.key,
            old: line.old,
            new: line.new,
            effect: match line.effect {
                Effect::Wider => ChangeEffect::Wider,
                Effect::Narrower => ChangeEffect::Narrower,
                Effect::Other => ChangeEffect::Other,
            },
        })
        .collect()
}

/// The differences as lines of a page, what opens marked.
pub(super) fn lines(screen: &Screen, changes: &[Change]) -> String {
    let mut out = String::new();
    for c in changes {
        let text = match (&c.old, &c.new) {
            (Some(old), Some(new)) => format!("{}: {old} -> {new}", c.key),
            (None, Some(new)) => format!("{}: new: {new}", c.key),
            (Some(old), None) => format!("{}: gone: {old}", c.key),
            (None, None) => c.key.clone(),
        };
        let word = match c.effect {
            ChangeEffect::Wider => "WIDER     ",
            ChangeEffect::Narrower => "narrower  ",
            ChangeEffect::Other => "other     ",
        };
        let room = screen.width.saturating_sub(word.len());
        for (i, line) in safe_block(&text, "", room, usize::MAX).lines.iter().enumerate() {
            let margin = match (i, c.effect) {
                (0, ChangeEffect::Wider) => screen.style.yellow(word).into_owned(),
                (0, _) => word.to_string(),
                _ => " ".repeat(word.len()),
            };
            out.push_str(&format!("{margin}{}\n", line.trim_end()));
        }
    }
    out
}

impl View for PolicyDiffView {
    const SCHEMA: &'static str = "aosctl.policy-diff/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.equal {
            return match self.text_changed {
                true => "the text is another one, and its rules are those in force\n".into(),
                false => "nothing would change\n".into(),
            };
        }
        let wider = self.changes.iter().filter(|c| c.effect == ChangeEffect::Wider).count();
        let head =
            format!("{} -> {}, {}", short(&self.old_digest), short(&self.new_digest), count(self.changes.len(), wider));
        show::field(screen, "policy", &head) + &lines(screen, &self.changes)
    }
}

fn count(all: usize, wider: usize) -> String {
    let plural = if all == 1 { "" } else { "s" };
    match wider {
        0 => format!("{all} change{plural}, none of them wider"),
        n => format!("{all} change{plural}, {n} wider"),
    }
}

/// Compares a candidate with what is in force.
pub(super) fn compare(adopted: &Adopted, candidate: &Candidate) -> Result<PolicyDiffView, CliError> {
    let new_digest = rules_digest(&candidate.rules).map_err(|e| CliError::could_not("unwritable", e))?;
    Ok(PolicyDiffView {
        file: candidate.name.clone(),
        equal: new_digest == adopted.digest,
        old_digest: adopted.digest.clone(),
        new_digest,
        text_changed: candidate.text != adopted.source,
        changes: changes(&adopted.rules, &candidate.rules),
    })
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let adopted = super::adopted(&ws)?;
    let candidate = of_workspace(&ws, args.file.as_deref())?;
    let view = compare(&adopted, &candidate)?;
    let equal = view.equal;
    let out = Outcome::of(if equal { Exit::Done } else { Exit::No }, view).paged();
    Ok(if equal { out } else { out.note("Nothing of it decides yet. Put it into force: aosctl policy adopt") })
}
