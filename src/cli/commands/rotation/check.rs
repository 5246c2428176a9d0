//! `aosctl rotation check`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{KeyDue, StateCounts};
use crate::cli::Context;
use crate::cli::commands::grant::view::Names;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::monitor::{Alert, Level, Status};
use crate::cli::outcome::{Outcome, Screen, View};
use crate::domain::time::Time;
use crate::rotation;

/// Is a key due? For cron: silent and 0 when none is.
///
/// Else what to do about each key and what to type, on a line or two, and exit 1. Due is what is leaked and not closed, ended or soon ended by the
/// provider, overdue, due, or of unknown age. What is due soon is told by --json and --monitor only.
///
/// Asks for no passphrase and needs no terminal. It reads the tables; that these are what the log says proves `aosctl
/// audit verify`.
///
/// With --monitor one status line: CRITICAL where a key is leaked, ended, overdue, due or of unknown age; WARNING where
/// one is due soon or soon ended by the provider.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One status line with perfdata for a monitoring system; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long)]
    monitor: bool,
}

/// What is due.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotationCheckView {
    /// As of which moment.
    pub at: Time,
    /// Nothing is due.
    pub ok: bool,
    /// How many keys are in each state.
    pub counts: StateCounts,
    /// Those that are due or soon, most urgent first.
    pub keys: Vec<KeyDue>,
}

impl View for RotationCheckView {
    const SCHEMA: &'static str = "aosctl.rotation-check/v1";

    fn human(&self, screen: &Screen) -> String {
        self.keys.iter().filter(|k| k.is_due).map(|k| k.line(screen)).collect()
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let (found, counts) = rotation::due_now(&ws, now)?;
    let counts = StateCounts::from(&counts);
    if args.monitor {
        return Ok(status(&counts).outcome());
    }
    let mut keys = Vec::with_capacity(found.len());
    if !found.is_empty() {
        let policy = rotation::policy(&ws)?;
        let mut names = Names::new(&ws)?;
        for l in &found {
            keys.push(KeyDue::of(l, &policy, &mut names)?);
        }
    }
    let ok = !keys.iter().any(|k| k.is_due);
    Ok(Outcome::of(if ok { Exit::Done } else { Exit::No }, RotationCheckView { at: now, ok, counts, keys }))
}

/// What a monitoring system is told.
fn status(c: &StateCounts) -> Status {
    let counts = vec![
        ("leaked", c.leaked, Alert::Critical),
        ("expired", c.expired, Alert::Critical),
        ("overdue", c.overdue, Alert::Critical),
        ("due", c.due, Alert::Critical),
        ("unknown_age", c.unknown_age, Alert::Critical),
        ("expires", c.expires, Alert::Warns),
        ("soon", c.soon, Alert::Warns),
        ("keys", c.keys, Alert::Never),
    ];
    let any = |alert| counts.iter().any(|(_, n, a)| *a == alert && *n > 0);
    let level = if any(Alert::Critical) {
        Level::Critical
    } else if any(Alert::Warns) {
        Level::Warning
    } else {
        Level::Ok
    };
    let said: Vec<String> = counts
        .iter()
        .filter(|(_, n, a)| *n > 0 && *a != Alert::Never)
        .map(|(label, n, _)| format!("{n} {}", label.replace('_', " ")))
        .collect();
    let said = if said.is_empty() { "none due".into() } else { said.join(", ") };
    let plural = if c.keys == 1 { "" } else { "s" };
    Status { service: "ROTATION", level, text: format!("{said} of {} key{plural}", c.keys), counts }
}
