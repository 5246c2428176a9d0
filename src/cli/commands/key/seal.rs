//! `aosctl key seal`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::cli::{Context, intake, show, vault};
use crate::domain::event::KeyChanged;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::KeyFacts;
use crate::rotation::case::rotated;

/// Seal the secret of a key that is in the inventory: one that was imported, that lived elsewhere, or whose file was lost.
///
/// It is the secret that the key has now. A new one is a rotation: aosctl rotation record KEY. Where the old one is known
/// by its fingerprint, another one is refused.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id or name
    #[arg(value_name = "KEY", add = complete::keys())]
    key: String,
    /// Read the secret from standard input; one line end at its end is not part of it
    #[arg(long)]
    secret_stdin: bool,
    /// Seal it so that run opens it without a passphrase, for programs that work at night; lists mark it
    #[arg(long)]
    unattended: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A key whose secret was sealed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeySealView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id.
    pub key: Id,
    /// Its name. Foreign text.
    pub name: String,
    /// An operator unlocks it at each use.
    pub attended: bool,
    /// The entry; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for KeySealView {
    const SCHEMA: &'static str = "aosctl.key-seal/v1";

    fn human(&self, screen: &Screen) -> String {
        let verb = if self.dry_run { "would seal" } else { "sealed" };
        let how = if self.attended { "an operator unlocks it each time" } else { "opened without anybody" };
        show::field(screen, verb, &format!("the secret of {} ({}), {how}", self.key, self.name))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "seal a secret")?;
    let found = super::find_live(&ws, &args.key)?;
    let view = KeySealView {
        dry_run: args.dry_run,
        key: found.id,
        name: found.facts.name.clone(),
        attended: !args.unattended,
        seq: None,
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let what = format!("the secret of {} ({})", found.id, safe(&found.facts.name));
    let secret = intake::secret(ctx, args.secret_stdin, &what)?;
    let me = ctx.unlock(&ws)?;
    let vault = vault::of(&ws);
    let ((old, seq), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let key = tx.facts().key(found.id)?.filter(|k| k.is_live());
        let Some(key) = key else { return Err(super::retired(&found, tx.now())) };
        let circle = vault::circle(tx.facts())?;
        let fingerprints = vault.fingerprint_key(me.signer(), &circle)?;
        if key.facts.fingerprint.is_some_and(|known| !fingerprints.is_new && !fingerprints.matches(&secret, &known)) {
            return Err(CliError::no("other_secret", format!("that is not the secret that {} has", key.id))
                .because("its fingerprint is another one; nothing was sealed")
                .hint(format!("if it was turned over: aosctl rotation record {} --secret-stdin", key.id)));
        }
        let fingerprint = fingerprints.fingerprint(&secret)?;
        vault::never_leaked(&ws, fingerprint)?;
        // It says of itself that it is the secret of now, and that one leaked, whether or not its fingerprint was known.
        if let Some(leak) = key.leak.as_ref().filter(|leak| rotated(&key, leak).is_none()) {
            return Err(CliError::no(
                "leaked_secret",
                format!("the secret that {} has leaked, by entry {}", key.id, leak.seq),
            )
            .because("what is sealed is the secret that a key has now; nothing was sealed")
            .hint(format!("when it is turned over: aosctl rotation record {} --secret-stdin", key.id)));
        }
        let facts = KeyFacts {
            place: vault.seal(key.id, !args.unattended, &secret, &circle)?.place(),
            fingerprint: Some(fingerprint),
            last4: secret.last4().or_else(|| key.facts.last4.clone()),
            ..key.facts.clone()
        };
        let event = KeyChanged { key: key.id, facts, reason: Some("its secret was sealed".into()) };
        Ok((key.facts.place.clone(), tx.append(me.by(), event)?.seq))
    })?;
    // Only now that no entry names it any more.
    vault.remove(found.id, &old);
    Ok(Outcome::of(Exit::Done, KeySealView { seq: Some(seq), ..view }).warn_if(warning))
}
