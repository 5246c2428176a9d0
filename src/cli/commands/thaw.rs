//! `aosctl thaw`.

use schemars::JsonSchema;
use serde::Serialize;

use super::freeze::{FrozenSince, called, line, since, target, touched};
use crate::cli::Context;
use crate::cli::commands::connect::{view::ids, words};
use crate::cli::commands::grant::view::{Named, Names};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::event::WorkspaceThawed;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::time::Time;

/// End a freeze of everything, or of one agent. Only an operator can.
///
/// An agent that was frozen by itself stays frozen when everything else is thawed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this agent's own freeze, by name or id [default: the freeze of everything]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what it would open, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// The end of a freeze.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ThawView {
    /// Nothing was to be done.
    pub dry_run: bool,
    /// As of which moment this is said.
    pub at: Time,
    /// `w-1` for everything, or an agent.
    pub target: Named,
    /// It is thawed by this command; without, it was not frozen, or this was a dry run.
    pub changed: bool,
    /// The freeze that ends; absent where there was none.
    pub was: Option<FrozenSince>,
    /// The entry that thawed it.
    pub seq: Option<u64>,
    /// Who signed.
    pub signed_by: Option<Named>,
    /// Requests that wait again.
    pub waiting: Vec<Id>,
    /// What is still frozen: `w-1` for everything, and agents.
    pub still_frozen: Vec<Named>,
}

impl View for ThawView {
    const SCHEMA: &'static str = "aosctl.thaw/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        match (&self.was, self.changed) {
            (None, _) => {
                field("not frozen", &called(&self.target));
                return out;
            }
            (Some(_), true) => field("thawed", &called(&self.target)),
            (Some(_), false) => field("would thaw", &called(&self.target)),
        }
        if let Some(was) = &self.was {
            field(
                "was frozen",
                &format!("since {}, entry {}, signed by {}", show::minute(was.at), was.seq, was.signed_by.long()),
            );
        }
        if let (Some(seq), Some(by)) = (self.seq, &self.signed_by) {
            field("entry", &format!("{seq}, signed by {}", by.long()));
        }
        field(
            "waiting",
            &if self.waiting.is_empty() { "none".into() } else { format!("{}: can go on", ids(&self.waiting)) },
        );
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "thaw")?;
    let target = target(&ws, args.agent.as_deref())?;
    let now = ws.now(ctx.clock())?;
    let mut view = ThawView {
        dry_run: args.dry_run,
        at: now,
        changed: false,
        was: None,
        seq: None,
        signed_by: None,
        waiting: Vec::new(),
        still_frozen: Vec::new(),
        target: target.clone(),
    };
    let was = ws.facts().frozen(target.id)?;
    let mut pin = None;
    if let Some(seq) = was {
        view.was = Some(since(&ws, &mut Names::new(&ws)?, seq)?);
        if !args.dry_run {
            let operator = ctx.unlock(&ws)?;
            let (done, warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
                if tx.facts().frozen(target.id)? != Some(seq) {
                    return Err(CliError::no(
                        "changed",
                        "the freeze is no longer the one that was there; nothing was done",
                    )
                    .hint(format!("look again: {} -n", line("thaw", &target))));
                }
                Ok(tx.append(operator.by(), WorkspaceThawed { target: target.id, reason: reason.clone() })?)
            })?;
            view.changed = true;
            view.seq = Some(done.seq);
            view.at = done.at;
            view.signed_by = Some(Names::new(&ws)?.of(operator.id)?);
            pin = warning;
        }
    }
    let mut names = Names::new(&ws)?;
    for id in ws.store().frozen()?.into_iter().filter(|id| view.changed || *id != target.id) {
        view.still_frozen.push(names.of(id)?);
    }
    let frozen: Vec<Id> = view.still_frozen.iter().map(|f| f.id).collect();
    if was.is_some() && !frozen.contains(&Id::WORKSPACE) {
        view.waiting = touched(&ws, target.id, &frozen, view.at)?.waiting;
    }
    let mut warnings = Vec::new();
    for f in &view.still_frozen {
        warnings.push(format!("{} is still frozen: {}", safe(&called(f)), line("thaw", f)));
    }
    let mut out = Outcome::of(Exit::Done, view).warn_if(pin);
    out.warnings.extend(warnings);
    if was.is_some() && args.dry_run {
        out = out.note("dry run: nothing was done");
    }
    Ok(out)
}
