//! `aosctl rotation record`.

use schemars::JsonSchema;
use serde::Serialize;

use super::set::due;
use super::view::KeyDue;
use super::words as key_words;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::commands::key::details::no_secret;
use crate::cli::commands::key::find_live;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::cli::{intake, show, vault};
use crate::domain::event::RotationRecorded;
use crate::domain::facts::Facts;
use crate::domain::key::{Key, LeakStep, Place, check_last4, check_text};
use crate::domain::time::Time;
use crate::secret::{Reference, Secret};

/// Say that a key was turned over, signed by an operator.
///
/// What is known of the new secret replaces what was known of the old one: the last four characters, the fingerprint and
/// the provider's end are unknown from here on unless they are told now. Where the secret is sealed in the vault, the new
/// one has to come with it, by standard input or typed without an echo; it is sealed the same way, and the old file is
/// removed when the entry is on disk. A secret that is given for a key whose secret lives elsewhere is not kept: its last
/// four characters and its fingerprint are.
///
/// Examples:
///
///   aosctl rotation record k-1 --rotated 2d --last4 77aa
///
///   pass show stripe/live | aosctl rotation record k-2 --secret-stdin
///
///   aosctl rotation record k-3 --provider-id AKIAEXAMPLE --expires 90d
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The key, by id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: String,
    /// When: 2026-11-01, 2026-11-01T09:00:00Z, or so long ago: 2d [default: now]
    #[arg(long, value_name = "TIME")]
    rotated: Option<String>,
    /// Read the new secret from standard input
    #[arg(long, conflicts_with = "last4")]
    secret_stdin: bool,
    /// Where the new secret lives, if that changed: op://..., vault:..., file:...
    #[arg(long = "ref", value_name = "REFERENCE")]
    reference: Option<String>,
    /// What the provider calls the new one, if that changed
    #[arg(long, value_name = "ID")]
    provider_id: Option<String>,
    /// The last four characters of the new secret
    #[arg(long, value_name = "TEXT")]
    last4: Option<String>,
    /// When the provider ends the new one: 2027-03-01, or so long from now: 90d
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// What shows it, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// It was turned over at its provider: what is asked at a terminal where nothing is told of the new secret
    #[arg(long)]
    yes: bool,
    /// Say what it would record, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A rotation that was recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotationRecordView {
    /// Nothing was changed.
    pub dry_run: bool,
    /// The entry; absent in a dry run.
    pub seq: Option<u64>,
    /// As of which moment.
    pub at: Time,
    /// When it was turned over.
    pub rotated: Time,
    /// Where the new secret lives; absent where that did not change.
    pub place: Option<Place>,
    /// The last four characters of the new secret; absent where nobody told.
    pub last4: Option<String>,
    /// A fingerprint of the new secret was recorded.
    pub fingerprinted: bool,
    /// The key as it stands with it; absent in a dry run.
    pub key: Option<KeyDue>,
    /// The step of its open leak that comes next.
    pub leak_next: Option<String>,
}

impl View for RotationRecordView {
    const SCHEMA: &'static str = "aosctl.rotation-record/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        if let Some(k) = &self.key {
            field("key", &k.key.long());
        }
        field("turned over", &show::minute(self.rotated));
        match &self.place {
            Some(Place::Sealed { attended: true, .. }) => {
                field("secret", "sealed anew; an operator's passphrase opens it")
            }
            Some(Place::Sealed { attended: false, .. }) => {
                field("secret", "sealed anew, unattended: run opens it by itself")
            }
            Some(Place::Reference(r)) => field("secret", r),
            Some(Place::Unknown) | None => {}
        }
        let fingerprint = if self.fingerprinted { "and fingerprinted" } else { "no fingerprint" };
        match &self.last4 {
            Some(last4) => field("last four", &format!("...{last4} ({fingerprint})")),
            None => field("last four", &format!("nobody told ({fingerprint})")),
        }
        if let Some(k) = &self.key {
            field("next", &k.words());
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "record a rotation")?;
    let key = find_live(&ws, &args.key)?;
    let now = ws.now(ctx.clock())?;
    let event = described(&args, &key, now)?;
    let sealed = matches!(key.facts.place, Place::Sealed { .. });
    // A secret comes in by standard input, or by hand where one is needed; one that is elsewhere need not be shown to us.
    let secret = if args.secret_stdin || (sealed && args.reference.is_none() && !args.dry_run) {
        Some(new_secret(&args, ctx, &key)?)
    } else {
        None
    };
    let event = RotationRecorded { last4: event.last4.or_else(|| secret.as_ref().and_then(Secret::last4)), ..event };
    if args.dry_run {
        let view = RotationRecordView {
            dry_run: true,
            seq: None,
            at: now,
            rotated: event.rotated,
            place: event.place,
            last4: event.last4,
            fingerprinted: false,
            key: None,
            leak_next: None,
        };
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    if secret.is_none() && !args.tells() && !args.yes {
        confirm(ctx, &key)?;
    }
    let operator = ctx.unlock(&ws)?;
    let vault = vault::of(&ws);
    let ((seq, event, old), pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let key = key_words::again(tx.facts(), &key)?;
        let mut event = event;
        if args.rotated.is_none() {
            event.rotated = tx.now();
        }
        if let Some(secret) = &secret {
            let circle = vault::circle(tx.facts())?;
            let fingerprints = vault.fingerprint_key(operator.signer(), &circle)?;
            if key.facts.fingerprint.is_some_and(|old| fingerprints.matches(secret, &old)) {
                return Err(CliError::no("same_secret", format!("that is the secret that {} already has", key.id))
                    .because("a key is turned over when its secret is another one; nothing was recorded"));
            }
            let fingerprint = fingerprints.fingerprint(secret)?;
            vault::never_leaked(&ws, fingerprint)?;
            event.fingerprint = Some(fingerprint);
            if let (Place::Sealed { attended, .. }, None) = (&key.facts.place, &event.place) {
                event.place = Some(vault.seal(key.id, *attended, secret, &circle)?.place());
            }
        }
        let seq = tx.append(operator.by(), event.clone())?.seq;
        let old =
            (event.place.is_some() && event.place.as_ref() != Some(&key.facts.place)).then(|| key.facts.place.clone());
        Ok((seq, event, old))
    })?;
    if let Some(old) = old {
        vault.remove(key.id, &old);
    }
    let told = || -> Result<Outcome, CliError> {
        let now = ws.now(ctx.clock())?;
        let key = ws.facts().key(key.id)?.unwrap_or_else(|| key.clone());
        let leak_next = next_of_leak(&key);
        let view = RotationRecordView {
            dry_run: false,
            seq: Some(seq),
            at: now,
            rotated: event.rotated,
            place: event.place.clone(),
            last4: event.last4.clone(),
            fingerprinted: event.fingerprint.is_some(),
            key: Some(due(&ws, &key, now)?),
            leak_next: leak_next.map(|s| s.as_str().into()),
        };
        let out = Outcome::of(Exit::Done, view);
        Ok(match leak_next {
            Some(_) => out.note(format!("its leak is open; go on: aosctl key leaked {}", key.id)),
            None => out,
        })
    };
    Ok(told().map_err(|e| words::done_already(e, "the rotation is recorded"))?.warn_if(pin))
}

impl Args {
    /// Something is told that only somebody knows who turned it over.
    fn tells(&self) -> bool {
        [&self.rotated, &self.reference, &self.provider_id, &self.last4, &self.expires].iter().any(|t| t.is_some())
    }
}

/// Asks at a terminal whether it was turned over at all: a line that was copied from a list says so by itself.
fn confirm(ctx: &Context, key: &Key) -> Result<(), CliError> {
    if ctx.json() || !ctx.prompter().can_ask() {
        return Ok(());
    }
    let (name, id) = (safe(&key.facts.name), key.id);
    let prompt = format!("Was {name} ({id}) turned over at its provider? This only records it.");
    if ctx.prompter().confirm_typed(&prompt, "yes", "--yes")? {
        return Ok(());
    }
    Err(CliError::no("not_turned_over", format!("{name} ({id}) was not turned over; nothing was recorded"))
        .hint(format!("turn it over at its provider, then: {}", key.turn_line())))
}

/// The new secret of a key that is sealed in the vault.
fn new_secret(args: &Args, ctx: &Context, key: &Key) -> Result<Secret, CliError> {
    intake::secret(ctx, args.secret_stdin, &format!("the new secret of {}", key.id)).map_err(|e| {
        if args.secret_stdin {
            return e;
        }
        e.hint(format!("{} is sealed in the vault, which would go on handing out the old one", key.id))
            .hint("or say where the new one lives now: --ref REFERENCE")
    })
}

/// The first step of an open leak that is not closed.
fn next_of_leak(key: &Key) -> Option<LeakStep> {
    key.leak.as_ref().and_then(|leak| leak.next())
}

/// What the flags say of the new secret.
fn described(args: &Args, key: &Key, now: Time) -> Result<RotationRecorded, CliError> {
    let wrong = |flag: &'static str| move |e: String| CliError::usage(format!("{flag}: {}", safe(&e)));
    let rotated = args.rotated.as_deref().map_or(Ok(now), |t| key_words::past("--rotated", t, now))?;
    if let Some(before) = key.facts.rotated.filter(|before| rotated < *before) {
        return Err(CliError::no("rotated", format!("{} was turned over later than that: {before}", key.id))
            .hint("a rotation that comes after the last known one can be recorded"));
    }
    for (flag, text) in [("--provider-id", &args.provider_id), ("--ref", &args.reference), ("--note", &args.note)] {
        text.as_deref().map_or(Ok(()), |text| no_secret(flag, text))?;
    }
    if let Some(text) = &args.provider_id {
        check_text("the provider id", text).map_err(wrong("--provider-id"))?;
    }
    if let Some(text) = &args.last4 {
        check_last4(text).map_err(wrong("--last4"))?;
    }
    let place = match &args.reference {
        Some(text) => Some(Place::Reference(Reference::parse(text)?.to_string())),
        None => None,
    };
    Ok(RotationRecorded {
        key: key.id,
        rotated,
        place,
        provider_id: args.provider_id.clone(),
        last4: args.last4.clone(),
        fingerprint: None,
        expires: args.expires.as_deref().map(|t| key_words::moment("--expires", t, now)).transpose()?,
        note: args.note.as_deref().map(|t| words::text("--note", t)).transpose()?,
    })
}
