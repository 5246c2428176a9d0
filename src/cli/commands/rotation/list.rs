//! `aosctl rotation list`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::KeyDue;
use crate::cli::Context;
use crate::cli::commands::grant::view::{Named, Names};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::rotation;

/// When each key is to be turned over, next due first.
///
/// Keys whose leak is open stand before all others, retired ones too.
#[derive(Debug, Default, clap::Args)]
pub struct Args {}

/// When each key is due.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotationListView {
    /// As of which moment.
    pub at: Time,
    /// The policy's time between two rotations, for keys without a schedule of their own.
    pub every: String,
    /// The policy's warning time.
    pub warn: String,
    /// Open leaks first, then next due first.
    pub keys: Vec<KeyDue>,
}

impl View for RotationListView {
    const SCHEMA: &'static str = "aosctl.rotation-list/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.keys.is_empty() {
            return "no keys\n".into();
        }
        let rows = self.keys.iter().map(|k| {
            vec![
                k.key.id.to_string(),
                k.key.name.as_deref().map(safe).unwrap_or_default(),
                k.words(),
                k.turned.map_or_else(|| "unknown".into(), show::day),
                format!("{}{}", k.every, if k.own_schedule { "" } else { " (policy)" }),
                k.owner.as_ref().map(|o| safe(&o.short())).unwrap_or_default(),
            ]
        });
        show::table(screen, &["key", "name", "state", "turned", "every", "owner"], rows.collect())
    }
}

/// Runs it.
pub fn run(_args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let policy = rotation::policy(&ws)?;
    let mut names = Names::new(&ws)?;
    let mut keys = Vec::new();
    for l in rotation::listed(&ws, now)? {
        keys.push(KeyDue::of(&l, &policy, &mut names)?);
    }
    let none = keys.is_empty();
    let view = RotationListView { at: now, every: policy.every.to_string(), warn: policy.warn.to_string(), keys };
    let out = Outcome::of(Exit::Done, view).paged();
    Ok(if none { out.note("put one in: aosctl key add NAME, or: aosctl key import csv FILE") } else { out })
}

/// The operator who turns a key over, for a page.
pub(super) fn owner(owner: Option<&Named>) -> String {
    owner.map_or_else(|| "nobody".into(), |o| safe(&o.long()))
}
