//! `aosctl key set`.

use schemars::JsonSchema;
use serde::Serialize;

use super::add::free;
use super::details::{Details, no_secret, plain};
use super::import::DeltaView;
use super::place;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::cli::vault;
use crate::domain::advice::shell_word;
use crate::domain::event::KeyChanged;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::{KeyFacts, Place, check_text};
use crate::inventory::plan::deltas;
use crate::workspace::Workspace;

/// Correct what is known of a key.
///
/// What is not named stays. That its secret was turned over is another thing: aosctl rotation record KEY. How often it is
/// to be: aosctl rotation set KEY.
#[derive(Debug, clap::Args)]
#[command(override_usage = "aosctl key set [OPTIONS] <KEY>", group(clap::ArgGroup::new("what").required(true).multiple(true).args([
    "name", "kind", "opens", "scope", "owner", "provider_id", "last4", "created", "expires", "reference", "active",
    "inactive", "person", "no_person", "every", "warn",
])))]
pub struct Args {
    /// Its id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: String,
    /// Call it so from here on
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    details: Details,
    /// Its secret lives there; one that is sealed here is then removed from the vault
    #[arg(long = "ref", value_name = "REFERENCE")]
    reference: Option<String>,
    /// The provider accepts it
    #[arg(long, conflicts_with = "inactive")]
    active: bool,
    /// The provider does not accept it at present
    #[arg(long)]
    inactive: bool,
    /// A person uses it too, or holds a password beside it
    #[arg(long, conflicts_with = "no_person")]
    person: bool,
    /// No person uses it
    #[arg(long)]
    no_person: bool,
    /// Refused: it is another command's
    #[arg(long, value_name = "SPAN", hide = true)]
    every: Option<String>,
    /// Refused: it is another command's
    #[arg(long, value_name = "SPAN", hide = true)]
    warn: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A key of which something else is known now, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeySetView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id.
    pub key: Id,
    /// Its name.
    pub name: String,
    /// What differs; empty where everything was known before.
    pub what: Vec<DeltaView>,
    /// The entry; absent in a dry run, and where nothing differs.
    pub seq: Option<u64>,
}

impl View for KeySetView {
    const SCHEMA: &'static str = "aosctl.key-set/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "key", &format!("{} ({})", self.name, self.key));
        for d in &self.what {
            out.push_str(&show::field(screen, d.what, &d.turn()));
        }
        if self.what.is_empty() {
            out.push_str(&show::field(screen, "changed", "nothing: that was known before"));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    if args.every.is_some() || args.warn.is_some() {
        let every = shell_word(args.every.as_deref().unwrap_or("90d"));
        let warn = args.warn.as_deref().map(|w| format!(" --warn {}", shell_word(w))).unwrap_or_default();
        let key = shell_word(&args.key);
        return Err(CliError::usage("how often a key is turned over is set by another command; nothing was changed")
            .hint(safe(&format!("aosctl rotation set {key} --every {every}{warn}"))));
    }
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    reason.as_deref().map_or(Ok(()), |text| no_secret("--reason", text))?;
    let name = args.name.as_deref().map(|t| plain("--name", t, |t| check_text("it", t))).transpose()?;
    if name.as_deref().is_some_and(|n| n.parse::<Id>().is_ok()) {
        return Err(CliError::usage("--name: it reads as an id"));
    }
    let reference = args.reference.as_deref().map(place::reference).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "change a key")?;
    let now = ws.now(ctx.clock())?;
    let told = args.details.read(&ws, now)?;
    let found = super::find_live(&ws, &args.key)?;
    let changed = |ws: &Workspace, old: &KeyFacts| -> Result<KeyFacts, CliError> {
        let mut f = old.clone();
        told.over(&mut f);
        if let Some(name) = &name {
            f.name.clone_from(name);
        }
        if let Some(text) = &reference {
            f.place = Place::Reference(text.clone());
        }
        f.active = (f.active || args.active) && !args.inactive;
        f.person = (f.person || args.person) && !args.no_person;
        if f.name != old.name {
            free(ws, &f.name, None)?;
        }
        if f.provider_id != old.provider_id {
            free(ws, "", f.provider_id.as_deref())?;
        }
        Ok(f)
    };
    let view = |f: &KeyFacts, old: &KeyFacts, seq| KeySetView {
        dry_run: args.dry_run,
        key: found.id,
        name: f.name.clone(),
        what: deltas(old, f).iter().map(DeltaView::of).collect(),
        seq,
    };
    let facts = changed(&ws, &found.facts)?;
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view(&facts, &found.facts, None)).note("dry run: nothing was done"));
    }
    if facts == found.facts {
        return Ok(Outcome::of(Exit::Done, view(&facts, &found.facts, None)));
    }
    let me = ctx.unlock(&ws)?;
    let ((old, new, seq), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let key = tx.facts().key(found.id)?.filter(|k| k.is_live());
        let Some(key) = key else { return Err(super::retired(&found, tx.now())) };
        let new = changed(&ws, &key.facts)?;
        let event = KeyChanged { key: key.id, facts: new.clone(), reason: reason.clone() };
        Ok((key.facts.clone(), new, tx.append(me.by(), event)?.seq))
    })?;
    let out = Outcome::of(Exit::Done, view(&new, &old, Some(seq))).warn_if(warning);
    if new.place == old.place || !matches!(old.place, Place::Sealed { .. }) {
        return Ok(out);
    }
    // Only now that no entry names it any more.
    vault::of(&ws).remove(found.id, &old.place);
    Ok(out.note("Its secret is no longer in the vault."))
}
