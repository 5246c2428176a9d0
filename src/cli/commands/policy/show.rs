//! `aosctl policy show`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::short;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::policy::file::{PolicyFile, defaults_left};

/// The adopted policy: the text that an operator signed.
///
/// policy.toml in the workspace may say something else; it decides nothing. `aosctl policy diff` compares.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The values that decide, and which of them nobody ever confirmed
    #[arg(long)]
    effective: bool,
}

/// The adopted policy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyView {
    /// Hex SHA-256 of the canonical rules: the digest that decisions and approvals name.
    pub digest: String,
    /// The entry that adopted it.
    pub seq: u64,
    /// When.
    pub adopted_at: Time,
    /// Who.
    pub adopted_by: String,
    /// Why, as told.
    pub reason: Option<String>,
    /// The version of the decision rules.
    pub rules_version: u32,
    /// Kinds of the catalogue that was adopted with it.
    pub kinds: Vec<String>,
    /// Every value by its key.
    pub values: Vec<Value>,
    /// Rules about actions, in the policy's text.
    pub action_rules: usize,
    /// The text.
    pub source: String,
    #[serde(skip)]
    effective: bool,
}

/// A value.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Value {
    /// `cap.move`
    pub key: String,
    /// As it would be typed.
    pub value: String,
    /// An operator was asked about it, set it, or adopted a text that states it; else it is a default.
    pub confirmed: bool,
}

/// Every value of a policy, in the order of the file.
pub(super) fn values(file: &PolicyFile, confirmed: &BTreeSet<String>) -> Vec<Value> {
    let left: BTreeSet<&str> = defaults_left(file, confirmed).into_iter().map(|(key, _)| key).collect();
    defaults_left(file, &BTreeSet::new())
        .into_iter()
        .map(|(key, value)| Value { key: key.into(), value, confirmed: !left.contains(key) })
        .collect()
}

impl View for PolicyView {
    const SCHEMA: &'static str = "aosctl.policy/v1";

    fn human(&self, screen: &Screen) -> String {
        if !self.effective {
            // Its own line ends stay; what hides in a line does not.
            return self.source.lines().map(|line| format!("{}\n", safe(&line.replace('\t', "    ")))).collect();
        }
        let mut out = show::field(
            screen,
            "policy",
            &format!(
                "{} adopted by {} in entry {}, {}",
                short(&self.digest),
                self.adopted_by,
                self.seq,
                show::minute(self.adopted_at)
            ),
        );
        if let Some(reason) = &self.reason {
            out.push_str(&show::field(screen, "because", reason));
        }
        out.push_str(&show::field(screen, "catalogue", &self.kinds.join(", ")));
        out.push('\n');
        let rows = self
            .values
            .iter()
            .map(|v| {
                let origin = if v.confirmed { "" } else { "default, never confirmed" };
                vec![v.key.clone(), safe(&v.value), origin.into()]
            })
            .collect();
        out.push_str(&show::table(screen, &["key", "value", ""], rows));
        if self.action_rules > 0 {
            out.push_str(&format!("and {} rules about actions: aosctl policy matrix\n", self.action_rules));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let policy = super::adopted(&ws)?;
    let file = PolicyFile::of(&policy.rules);
    let differs = ws.place().policy_text().is_ok_and(|t| t.is_some_and(|t| t != policy.source));
    let unconfirmed = values(&file, &policy.confirmed).into_iter().find(|v| !v.confirmed);
    let view = PolicyView {
        digest: policy.digest,
        seq: policy.seq,
        adopted_at: policy.at,
        adopted_by: policy.by.to_string(),
        reason: policy.reason,
        rules_version: policy.rules.version,
        kinds: policy.rules.kinds.iter().map(|k| k.kind.clone()).collect(),
        values: values(&file, &policy.confirmed),
        action_rules: file.actions.len(),
        source: policy.source,
        effective: args.effective,
    };
    let mut out = Outcome::of(Exit::Done, view).paged();
    if let Some(v) = unconfirmed.filter(|_| args.effective) {
        out = out.note(format!("Confirm a value by setting it: aosctl policy set {} {}", v.key, v.value));
    }
    if differs {
        out = out.note("policy.toml in the workspace says something else: aosctl policy diff");
    }
    Ok(out)
}
