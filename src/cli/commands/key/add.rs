//! `aosctl key add`.

use schemars::JsonSchema;
use serde::Serialize;

use super::details::{Details, past, plain};
use super::place;
use super::view::PlaceView;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::commands::grant::view::{Named, Names};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::event::{KeyAdded, RotationScheduled};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::key::{KeyFacts, Place, check_text};
use crate::domain::time::Span;
use crate::store::KeyMatch;
use crate::workspace::Workspace;

/// Add a key to the inventory.
///
/// Its secret stays where it lives (--ref), or is sealed here (--secret-stdin, or typed where nobody sees it). Nothing about
/// a secret goes on the command line.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    place: place::Where,
    #[command(flatten)]
    details: Details,
    /// When it was last turned over; making it is not turning it over
    #[arg(long, value_name = "DATE")]
    rotated: Option<String>,
    /// The provider does not accept it at present
    #[arg(long)]
    inactive: bool,
    /// A person uses it too, or holds a password beside it
    #[arg(long)]
    person: bool,
    /// Turn it over so often, as 90d [default: the policy's]
    #[arg(long, value_name = "SPAN")]
    every: Option<Span>,
    /// Say so that long before, as 14d
    #[arg(long, value_name = "SPAN", requires = "every")]
    warn: Option<Span>,
    /// What to remember about it; stands in the log for good
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Lines that can be pasted, in eighty columns.
const EXAMPLES: &str = r"Examples:
  The secret stays in 1Password:
  aosctl key add github-ci --ref op://ci/github/token --opens github \
    --created 2026-01-02 --every 60d

  It is sealed here, and asked for without an echo:
  aosctl key add stripe-live --opens stripe --kind stripe-restricted-key

  From another program:
  pass show stripe/live | aosctl key add stripe-live --opens stripe \
    --secret-stdin";

/// A key that was added, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyAddView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id; absent in a dry run.
    pub key: Option<Id>,
    /// Its name.
    pub name: String,
    /// What sort of credential.
    pub kind: String,
    /// What it opens.
    pub opens: Option<Named>,
    /// Who answers for it; absent in a dry run that would find out by unlocking.
    pub owner: Option<Named>,
    /// Where its secret lives; absent in a dry run that would seal it.
    pub place: Option<PlaceView>,
    /// The last four characters of its secret, where they are known.
    pub last4: Option<String>,
    /// Its own schedule: so often.
    #[schemars(with = "Option<String>")]
    pub every: Option<Span>,
    /// The entry that added it; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for KeyAddView {
    const SCHEMA: &'static str = "aosctl.key-add/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let id = self.key.map(|id| format!(" ({id})")).unwrap_or_default();
        field("key", &format!("{}{id}, {}", self.name, self.kind));
        field("opens", &self.opens.as_ref().map_or_else(|| "not told".into(), Named::short));
        field("owner", &self.owner.as_ref().map_or_else(|| "you".into(), Named::long));
        field("secret", &self.place.as_ref().map_or("would be sealed in the vault".into(), PlaceView::long));
        if let Some(end) = &self.last4 {
            field("last four", &format!("...{end}"));
        }
        if let Some(every) = self.every {
            field("turned over", &format!("every {every}"));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let name = plain("NAME", &args.name, |t| check_text("it", t))?;
    if name.parse::<Id>().is_ok() {
        return Err(CliError::usage(format!("{name} reads as an id; a name has letters that no id begins with")));
    }
    let note = args.note.as_deref().map(note).transpose()?;
    check_schedule(args.every, args.warn)?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "add a key")?;
    let now = ws.now(ctx.clock())?;
    let told = args.details.read(&ws, now)?;
    let rotated = args.rotated.as_deref().map(|t| past("--rotated", t, now)).transpose()?;
    let chosen = args.place.chosen()?;
    free(&ws, &name, told.provider_id.as_deref())?;
    let mut facts =
        KeyFacts { rotated, active: !args.inactive, person: args.person, ..KeyFacts::named(name.clone(), "token") };
    told.over(&mut facts);
    if let place::Chosen::Reference(text) = &chosen {
        facts.place = Place::Reference(text.clone());
    }
    let mut names = Names::new(&ws)?;
    let mut view = |facts: &KeyFacts, key: Option<Id>, seq: Option<u64>| -> Result<KeyAddView, CliError> {
        Ok(KeyAddView {
            dry_run: args.dry_run,
            key,
            name: facts.name.clone(),
            kind: facts.kind.clone(),
            opens: facts.integration.map(|i| names.of(i)).transpose()?,
            owner: facts.owner.map(|o| names.of(o)).transpose()?,
            place: (seq.is_some() || !matches!(chosen, place::Chosen::Seal { .. }))
                .then(|| PlaceView::of(&facts.place)),
            last4: facts.last4.clone(),
            every: args.every,
            seq,
        })
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view(&facts, None, None)?).note("dry run: nothing was done"));
    }
    let secret = chosen.secret(ctx, &name)?;
    if let Some(secret) = &secret {
        secret.mark(&mut facts)?;
    }
    let me = ctx.unlock(&ws)?;
    facts.owner = facts.owner.or(Some(me.id));
    let ((facts, id, seq, same), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        free(&ws, &name, facts.provider_id.as_deref())?;
        let id = tx.next_id(IdKind::Key)?;
        let mut facts = facts.clone();
        let same = match &secret {
            Some(secret) => secret.seal(tx.facts(), &ws, &me, id, &mut facts)?,
            None => Vec::new(),
        };
        let done = tx.append(me.by(), KeyAdded { key: id, facts: facts.clone(), note: note.clone() })?;
        if args.every.is_some() {
            let event = RotationScheduled { key: id, every: args.every, warn: args.warn, owner: None, reason: None };
            tx.append(me.by(), event)?;
        }
        Ok((facts, id, done.seq, same))
    })?;
    let told = view(&facts, Some(id), Some(seq)).map_err(|e| words::done_already(e, "the key is added"))?;
    let mut out = Outcome::of(Exit::Done, told).warn_if(warning);
    if facts.place.is_unattended() {
        out = out
            .warn(format!("{id} is unattended: run gives its secret to the programs of a grant without a passphrase"));
    }
    if !same.is_empty() {
        let ids = same.iter().map(Id::to_string).collect::<Vec<_>>().join(", ");
        out = out.warn(format!("{ids} has the same secret: what turns one over breaks the other"));
    }
    if matches!(&facts.place, Place::Reference(text) if text.starts_with("env:")) {
        out = out.warn("env: is recorded and never read: the environment of aosctl holds no secret");
    }
    Ok(match facts.integration {
        Some(_) => out,
        None => out.note(format!("Say what it opens: aosctl key set {id} --opens INTEGRATION")),
    })
}

/// One live key has a name, and one a provider id.
pub(super) fn free(ws: &Workspace, name: &str, provider_id: Option<&str>) -> Result<(), CliError> {
    let facts = ws.facts();
    let by_name = ws.store().keys_matching(&KeyMatch::Name(name))?;
    let by_id = provider_id.map(|id| ws.store().keys_matching(&KeyMatch::ProviderId(id))).transpose()?;
    for row in by_name.into_iter().chain(by_id.into_iter().flatten()) {
        let Some(key) = facts.key(row.id)?.filter(|k| k.is_live()) else { continue };
        if key.facts.name == name {
            return Err(CliError::no("name_used", format!("{} is a key already ({})", safe(name), key.id))
                .hint(format!("look at it: aosctl key show {}", key.id))
                .hint(format!("or turn it over at its provider, then: {}", key.turn_line())));
        }
        if key.facts.provider_id.as_deref() == provider_id {
            let e = CliError::no("provider_id_used", format!("{} has that provider id already", key.id))
                .hint(format!("look at it: aosctl key show {}", key.id));
            return Err(match name.is_empty() {
                // A key that is there already: two of them are one credential, or one was mistaken for another.
                true => e
                    .hint(format!("if both are one credential, keep the other: aosctl key retire {}", key.id))
                    .hint("next time tell the provider id before the import: then a file finds the key, and adds none"),
                false => e.hint(format!("if that is what you mean, correct it: aosctl key set {}", key.id)),
            });
        }
    }
    Ok(())
}

/// A note that is no secret.
fn note(text: &str) -> Result<String, CliError> {
    words::text("--note", text)?;
    plain("--note", text, |_| Ok(()))
}

/// A schedule that the judge will take.
pub(super) fn check_schedule(every: Option<Span>, warn: Option<Span>) -> Result<(), CliError> {
    match every {
        Some(every) if every.millis() <= 0 || warn.unwrap_or_default() >= every => {
            Err(CliError::usage("--warn must be shorter than --every, and --every longer than nothing"))
        }
        _ => Ok(()),
    }
}
