//! Where the secret of a key lives: what is typed about it, and sealing it.

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::cli::{intake, vault};
use crate::domain::id::Id;
use crate::domain::key::{KeyFacts, Place};
use crate::secret::{Reference, Secret};
use crate::store::KeyMatch;
use crate::workspace::{OperatorIdentity, Trusted, Workspace};

/// Where the secret lives. Without any of these it is asked for, and sealed.
#[derive(Debug, Clone, clap::Args)]
pub struct Where {
    /// Where its secret lives: op://vault/item/field, vault:path#field, aws-sm:name, file:/path, pass:path,
    /// keyring:service/user, env:NAME (recorded, never read)
    #[arg(long = "ref", value_name = "REFERENCE", conflicts_with_all = ["secret_stdin", "no_secret", "unattended"])]
    reference: Option<String>,
    /// Read the secret from standard input and seal it; one line end at its end is not part of it
    #[arg(long, conflicts_with = "no_secret")]
    secret_stdin: bool,
    /// Seal it so that run opens it without a passphrase, for programs that work at night; lists mark it
    #[arg(long, conflicts_with = "no_secret")]
    unattended: bool,
    /// Record the key without saying where its secret lives
    #[arg(long)]
    no_secret: bool,
}

/// What was chosen.
pub(super) enum Chosen {
    /// It stays where it is.
    Reference(String),
    /// Nobody tells.
    Unknown,
    /// It is sealed here.
    Seal {
        /// It comes through standard input.
        stdin: bool,
        /// A passphrase opens it.
        attended: bool,
    },
}

impl Where {
    /// What was chosen.
    pub(super) fn chosen(&self) -> Result<Chosen, CliError> {
        Ok(match &self.reference {
            Some(text) => Chosen::Reference(reference(text)?),
            None if self.no_secret => Chosen::Unknown,
            None => Chosen::Seal { stdin: self.secret_stdin, attended: !self.unattended },
        })
    }
}

/// A reference. What is none is not repeated: it may be the secret itself.
pub(super) fn reference(text: &str) -> Result<String, CliError> {
    super::details::no_secret("--ref", text)?;
    Reference::parse(text).map(|r| r.to_string()).map_err(|e| {
        CliError::usage(format!("--ref: {}", safe(&e.to_string())))
            .hint("a secret itself goes in by --secret-stdin, or when asked for")
    })
}

/// What is wrong with a reference.
pub(super) fn check_reference(text: &str) -> Result<(), String> {
    Reference::parse(text).map(|_| ()).map_err(|e| e.to_string())
}

/// A secret that is about to be sealed.
pub(super) struct Sealing {
    secret: Secret,
    attended: bool,
}

impl Chosen {
    /// Asks for the secret, or reads it, where it is to be sealed. Before anybody is asked for a passphrase.
    pub(super) fn secret(&self, ctx: &Context, name: &str) -> Result<Option<Sealing>, CliError> {
        let Chosen::Seal { stdin, attended } = self else { return Ok(None) };
        let what = format!("the secret of {}", safe(name));
        let secret = intake::secret(ctx, *stdin, &what).map_err(|e| match e.kind {
            "terminal" => {
                e.hint("or say where it lives: --ref REFERENCE").hint("or record the key without it: --no-secret")
            }
            _ => e,
        })?;
        Ok(Some(Sealing { secret, attended: *attended }))
    }
}

impl Sealing {
    /// Puts the end of the secret into the facts.
    ///
    /// # Errors
    /// Another end was told.
    pub(super) fn mark(&self, into: &mut KeyFacts) -> Result<(), CliError> {
        let end = self.secret.last4();
        match (&into.last4, &end) {
            (Some(told), Some(end)) if told != end => {
                Err(CliError::usage("--last4: the secret ends otherwise").because("is it the secret of another key?"))
            }
            (None, Some(_)) => {
                into.last4 = end;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Seals it. When this returns the file is on disk, and an entry may name it. Gives the live keys that have the same
    /// secret.
    pub(super) fn seal(
        &self,
        facts: &Trusted<'_>,
        ws: &Workspace,
        me: &OperatorIdentity,
        key: Id,
        into: &mut KeyFacts,
    ) -> Result<Vec<Id>, CliError> {
        let (vault, circle) = (vault::of(ws), vault::circle(facts)?);
        let fingerprint = vault.fingerprint_key(me.signer(), &circle)?.fingerprint(&self.secret)?;
        vault::never_leaked(ws, fingerprint)?;
        into.fingerprint = Some(fingerprint);
        into.place = vault.seal(key, self.attended, &self.secret, &circle)?.place();
        let same = ws.store().keys_matching(&KeyMatch::Fingerprint(fingerprint))?;
        Ok(same.into_iter().filter(|k| k.is_live()).map(|k| k.id).collect())
    }
}

/// Where the sealed file of a key lies, for people.
pub(super) fn sealed_file(ws: &Workspace, key: Id, place: &Place) -> Option<String> {
    match place {
        Place::Sealed { sha256, .. } => Some(safe(&vault::of(ws).path(key, *sha256).display().to_string())),
        _ => None,
    }
}
