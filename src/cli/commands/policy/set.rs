//! `aosctl policy set`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::adopt::{New, adopt};
use super::candidate::{Candidate, policy_error};
use super::diff::{Change, ChangeEffect, changes, lines};
use super::edit::with_value;
use super::short;
use super::show::values;
use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::authority::rules_digest;
use crate::domain::facts::Facts;
use crate::policy::PolicyError;
use crate::policy::file::{self, KEYS, PolicyFile};
use crate::workspace::{Adopted, Workspace};

/// Change one value, and put it into force.
///
/// The adopted text is changed at that value, and policy.toml with it. The value counts as confirmed from then on, also
/// where it was the default: that is how to confirm a default. The catalogue stays the adopted one.
#[derive(Debug, clap::Args)]
#[command(after_help = keys_help())]
pub struct Args {
    /// Which value
    #[arg(value_name = "KEY", add = complete::policy_keys())]
    key: String,
    /// What it is to be
    #[arg(value_name = "VALUE")]
    value: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

fn keys_help() -> String {
    let mut text = String::from("Keys:\n");
    for key in KEYS {
        text.push_str(&format!("  {:<23} {}\n", key.name, key.about));
    }
    text
}

/// A value that was set, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicySetView {
    /// Nothing was done.
    pub dry_run: bool,
    /// It had that value, and was confirmed.
    pub unchanged: bool,
    /// The key.
    pub key: String,
    /// As it is now, or would be.
    pub value: String,
    /// Each difference of the rules; none where a default was confirmed.
    pub changes: Vec<Change>,
    /// Digest of the rules that are in force now, or would be.
    pub digest: String,
    /// The entry that adopted it; absent where nothing was adopted.
    pub seq: Option<u64>,
}

impl View for PolicySetView {
    const SCHEMA: &'static str = "aosctl.policy-set/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.unchanged {
            return format!("{} is {} and confirmed already\n", self.key, safe(&self.value));
        }
        let mut out = lines(screen, &self.changes);
        if self.changes.is_empty() {
            out.push_str(&format!("{} stays {}, and is confirmed now\n", self.key, safe(&self.value)));
        }
        let verb = if self.dry_run { "would be in force" } else { "is in force" };
        let seq = self.seq.map(|s| format!(" (entry {s})")).unwrap_or_default();
        out.push_str(&show::field(screen, "policy", &format!("{} {verb}{seq}", short(&self.digest))));
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let adopted = super::adopted(&ws)?;
    let mut file = PolicyFile::of(&adopted.rules);
    file::set(&mut file, &args.key, &args.value).map_err(|e| match e {
        PolicyError::UnknownKey { key } => {
            CliError::usage(format!("there is no value {}", safe(&key))).hint("see every key: aosctl policy set --help")
        }
        e => CliError::usage(safe(&e.to_string())),
    })?;
    if args.key == "review.owner"
        && let Some(owner) = file.review.owner
        && !ws.facts().identity(owner)?.is_some_and(|o| o.is_live())
    {
        return Err(CliError::no("no_such_operator", format!("{owner} is not a live operator"))
            .hint("see who there is: aosctl operator list"));
    }
    let rules = file::to_rules(&file, adopted.rules.kinds.clone());
    let mut confirmed = adopted.confirmed.clone();
    confirmed.extend(keys_of(&args.key));
    let digest = rules_digest(&rules).map_err(|e| CliError::could_not("unwritable", e))?;
    let changes = changes(&adopted.rules, &rules);
    let mut view = PolicySetView {
        dry_run: args.dry_run,
        unchanged: digest == adopted.digest && confirmed == adopted.confirmed,
        key: args.key.clone(),
        value: shown(&file, &args.key),
        changes,
        digest,
        seq: None,
    };
    if view.unchanged {
        return Ok(Outcome::of(Exit::Done, view));
    }
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let edited = with_value(&adopted.source, &args.key, &args.value, &file);
    let rewritten = edited.is_none();
    let text = edited.unwrap_or_else(|| file::render(&file));
    // What is signed as the text must say what is signed as the rules.
    if file::parse(&text, "policy.toml").map_err(|e| policy_error(&e))? != file {
        return Err(CliError::could_not("policy", "the value cannot be written as a text")
            .hint("edit policy.toml, then: aosctl policy adopt"));
    }
    let wider = view.changes.iter().any(|c| c.effect == ChangeEffect::Wider);
    let me = ctx.unlock(&ws)?;
    let candidate = Candidate { name: "policy.toml".into(), text, file, rules };
    let new = New { candidate: &candidate, confirmed, reason: args.reason };
    let (seq, warning) = adopt(&ws, ctx, &me, &adopted, new)?;
    view.seq = Some(seq);
    let mut out = Outcome::of(Exit::Done, view).warn_if(warning);
    if wider {
        out = out.note("This lets more happen without a question, from the next decision on.");
    }
    if rewritten {
        out = out.warn("the value could not be changed in place: the text was written anew, without your remarks");
    }
    Ok(keep_text(&ws, &adopted, &candidate, (&args.key, &args.value), out))
}

/// Writes the value into `policy.toml` too; edits there that nobody adopted stay.
fn keep_text(ws: &Workspace, old: &Adopted, new: &Candidate, (key, value): (&str, &str), out: Outcome) -> Outcome {
    let there = match ws.place().policy_text() {
        Ok(there) => there.unwrap_or_else(|| old.source.clone()),
        Err(e) => return out.warn(format!("policy.toml was left as it is: {}", safe(&e.to_string()))),
    };
    let text = if there == old.source {
        Some(new.text.clone())
    } else {
        let draft = file::parse(&there, "policy.toml").ok();
        draft.and_then(|mut file| {
            file::set(&mut file, key, value).ok()?;
            with_value(&there, key, value, &file)
        })
    };
    let Some(text) = text else {
        return out
            .warn(format!("policy.toml has edits that nobody adopted, and was left as it is; set {key} there too"));
    };
    let out = match there == old.source {
        true => out,
        false => out.note("policy.toml also has edits that nobody adopted: aosctl policy diff"),
    };
    match ws.write_policy_text(&text) {
        Ok(()) => out,
        Err(e) => out.warn(format!("it is in force, but policy.toml could not be written: {}", safe(&e.to_string()))),
    }
}

/// `cap` stands for both caps.
fn keys_of(key: &str) -> Vec<String> {
    match key {
        "cap" => vec!["cap.move".into(), "cap.week".into()],
        one => vec![one.into()],
    }
}

fn shown(file: &PolicyFile, key: &str) -> String {
    let all = values(file, &BTreeSet::new());
    let of = |key: &str| all.iter().find(|v| v.key == key).map(|v| v.value.clone()).unwrap_or_default();
    keys_of(key).iter().map(|k| of(k)).collect::<Vec<_>>().join(",")
}
