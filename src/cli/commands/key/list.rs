//! `aosctl key list`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{KeyRow, Rows, days};
use crate::cli::Context;
use crate::cli::commands::grant::view::{Named, Names};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::{safe, truncate, width};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::store::GrantFilter;

/// Every key: what it opens, how old it is, when it was used, where its secret lives.
///
/// AGE is the time since it was last turned over, or made; USED since its last use, by run or by whatever feed there is:
/// "never" where a feed has never seen it used, "?" where nobody watches. WHERE is vault for a sealed secret, vault! for one
/// that run opens without a passphrase, the scheme of a reference (op:), or "?" where nobody told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The retired ones too
    #[arg(short, long)]
    all: bool,
    /// Only those whose secret run opens without a passphrase
    #[arg(long)]
    unattended: bool,
}

/// Keys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyListView {
    /// In the order of their ids.
    pub keys: Vec<KeyRow>,
    /// How many were retired and are left out.
    pub left_out: usize,
    /// As of when.
    pub at: Time,
}

/// The widest integration in the table, in cells.
const OPENS: usize = 12;
/// The narrowest that a name is cut to.
const NAME: usize = 16;

impl View for KeyListView {
    const SCHEMA: &'static str = "aosctl.key-list/v1";

    fn human(&self, screen: &Screen) -> String {
        let cut = |text: &str, width: usize| truncate(&safe(text), width).into_owned();
        let mut rows: Vec<Vec<String>> = self
            .keys
            .iter()
            .map(|k| {
                let used = match &k.last_use {
                    None => "?".into(),
                    Some(last) => last.at.map_or_else(|| "never".into(), |t| days(t, self.at)),
                };
                vec![
                    k.id.to_string(),
                    safe(&k.name),
                    cut(&k.opens.as_ref().map_or_else(|| "?".into(), Named::short), OPENS),
                    k.turned.map_or_else(|| "?".into(), |t| days(t, self.at)),
                    used,
                    cut(&k.place.short(), 8),
                    k.state.as_str().into(),
                ]
            })
            .collect();
        // Names end where they differ (ci/access-key-1, ci/access-key-2), so they get all the room that is left.
        let widest =
            |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| width(c)).max().unwrap_or(0).max(5);
        let others: usize = [0, 2, 3, 4, 5, 6].into_iter().map(|column| widest(column) + 2).sum();
        let room = screen.width.saturating_sub(others + 2).max(NAME);
        for name in rows.iter_mut().filter_map(|r| r.get_mut(1)) {
            *name = truncate(name, room).into_owned();
        }
        let mut out = match rows.is_empty() {
            true => "no keys\n".to_string(),
            false => show::table(screen, &["id", "name", "opens", "age", "used", "where", "state"], rows),
        };
        let unattended = self.keys.iter().filter(|k| k.unattended).count();
        if unattended > 0 {
            out.push_str(&format!("vault!: run opens these without a passphrase ({unattended}, unattended)\n"));
        }
        if self.left_out > 0 {
            out.push_str(&format!("{} retired, not shown: aosctl key list --all\n", self.left_out));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let terms = ws.facts().policy()?.map(|p| p.rules.rotation.clone());
    let mut rows = Rows { ws: &ws, names: Names::new(&ws)?, terms, now };
    let mut carried: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for grant in ws.store().grants(&GrantFilter { live_at: Some(now), ..GrantFilter::default() })? {
        if let Some(carries) = &grant.carries {
            carried.entry(carries.key).or_default().push(grant.id);
        }
    }
    let mut view = KeyListView { keys: Vec::new(), left_out: 0, at: now };
    for key in ws.store().keys(true)? {
        if args.unattended && !key.facts.place.is_unattended() {
            continue;
        }
        // A leak that is still open is not over because its key was retired.
        if !args.all && !key.is_live() && !key.leak_is_open() {
            view.left_out += 1;
            continue;
        }
        let row = rows.row(&key, carried.remove(&key.id).unwrap_or_default())?;
        view.keys.push(row);
    }
    let none = view.keys.is_empty() && view.left_out == 0 && !args.unattended;
    let out = Outcome::of(Exit::Done, view).paged();
    Ok(if none { out.note("Add one: aosctl key add NAME, or many: aosctl key import csv FILE") } else { out })
}
