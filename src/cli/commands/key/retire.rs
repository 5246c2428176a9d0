//! `aosctl key retire`.

use schemars::JsonSchema;
use serde::Serialize;

use super::show::live_carrying;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::commands::grant::view::{GrantRow, Names};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::event::{GrantRevoked, KeyRetired};
use crate::domain::facts::Facts;
use crate::domain::id::Id;

/// Take a key out of use, for good.
///
/// run hands it out no more. It is not revoked at its provider by this: do that there. Live grants that carry it would open
/// nothing; they are named, and nothing is done unless --revoke-grants closes them too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Close the live grants that carry it, too
    #[arg(long)]
    revoke_grants: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A key that was retired, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyRetireView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id.
    pub key: Id,
    /// Its name.
    pub name: String,
    /// Live grants that carried it, and were closed with it.
    pub revoked: Vec<GrantRow>,
    /// The entry that retired it; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for KeyRetireView {
    const SCHEMA: &'static str = "aosctl.key-retire/v1";

    fn human(&self, screen: &Screen) -> String {
        let would = if self.dry_run { "would be " } else { "" };
        let mut out = show::field(screen, "key", &format!("{} ({}) {would}retired", self.name, self.key));
        for g in &self.revoked {
            out.push_str(&show::field(screen, "grant", &format!("{} {would}revoked: {}", g.id, g.gist())));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "retire a key")?;
    let now = ws.now(ctx.clock())?;
    let key = super::find_live(&ws, &args.key)?;
    let refuse_carried = |grants: &[std::rc::Rc<crate::domain::grant::Grant>]| {
        if grants.is_empty() || args.revoke_grants {
            return Ok(());
        }
        let ids = grants.iter().map(|g| g.id.to_string()).collect::<Vec<_>>().join(" ");
        Err(CliError::no("key_in_use", format!("{} ({}) is carried by {ids}", safe(&key.facts.name), key.id))
            .because("these live grants would open nothing any more")
            .hint(format!("close them with it: aosctl key retire {} --revoke-grants", key.id))
            .hint(format!("or first: aosctl revoke {ids}")))
    };
    let carried = live_carrying(&ws, &key, now)?;
    refuse_carried(&carried)?;
    let mut names = Names::new(&ws)?;
    let mut view = KeyRetireView {
        dry_run: args.dry_run,
        key: key.id,
        name: key.facts.name.clone(),
        revoked: Vec::new(),
        seq: None,
    };
    if args.dry_run {
        view.revoked = carried.iter().map(|g| names.grant(g, now)).collect::<Result<_, _>>()?;
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let ((carried, seq, at), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let live = tx.facts().key(key.id)?.filter(|k| k.is_live());
        let Some(live) = live else { return Err(super::retired(&key, tx.now())) };
        let carried = live_carrying(&ws, &live, tx.now())?;
        refuse_carried(&carried)?;
        for grant in &carried {
            tx.append(me.by(), GrantRevoked { grant: grant.id, reason: reason.clone() })?;
        }
        let done = tx.append(me.by(), KeyRetired { key: key.id, reason: reason.clone() })?;
        Ok((carried, done.seq, tx.now()))
    })?;
    view.revoked = carried
        .iter()
        .map(|g| names.grant(&ws.facts().grant(g.id)?.unwrap_or_else(|| g.clone()), at))
        .collect::<Result<_, _>>()
        .map_err(|e| words::done_already(e, "the key is retired"))?;
    view.seq = Some(seq);
    let out = Outcome::of(Exit::Done, view).warn_if(warning).note(match key.facts.active {
        true => "Its provider still accepts it until it is revoked or deleted there.",
        false => "Its provider does not accept it, as was told, and still has it: delete it there.",
    });
    Ok(match super::place::sealed_file(&ws, key.id, &key.facts.place) {
        Some(file) => out.note(format!("When it is dead there, remove what is sealed: {file}")),
        None => out,
    })
}
