//! The secret that the child of `run` is given: fetched at the last moment, handed to that one process, and wiped.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command};
use std::rc::Rc;

use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::cli::vault;
use crate::domain::event::Command as Bound;
use crate::domain::id::Id;
use crate::domain::key::{Carries, Delivery, Key, Place};
use crate::domain::request::Request;
use crate::secret::{How, Reference, Secret, resolve};
use crate::sys::handover::{Feed, Sheet};
use crate::workspace::Workspace;
use crate::workspace::claim::{self, Hand};

/// The key whose secret a command is given, or would be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunKey {
    /// Which.
    pub id: Id,
    /// Its name. Foreign text.
    pub name: String,
    /// How the command gets it: `env:NAME`, `file:NAME`, `fd:NAME` or `stdin`.
    pub delivery: String,
    /// An operator unlocks it.
    pub attended: bool,
}

/// What the request's grant carries, as it is before anything is begun.
pub(super) struct Offer {
    grant: Id,
    carries: Carries,
    key: Rc<Key>,
}

impl Offer {
    /// What there is to give to that command; nothing where the grant carries no key.
    pub fn of(ws: &Workspace, request: &Request) -> Result<Option<Offer>, CliError> {
        Ok(claim::carried(&ws.facts(), request)?.map(|(grant, carries, key)| Offer { grant, carries, key }))
    }

    /// May the command have it, and can it get it so? Asked before anybody is asked for a passphrase; the claim asks
    /// again.
    pub fn check(&self, command: &Bound, stdin_named: bool) -> Result<(), CliError> {
        claim::may_have(self.grant, &self.carries, &self.key, command)?;
        let delivery = &self.carries.delivery;
        if stdin_named && *delivery == Delivery::Stdin {
            return Err(CliError::usage("the grant gives the secret on standard input, and --stdin names another one")
                .hint(format!(
                    "leave --stdin out, or an operator gives it otherwise: aosctl connect --again {} --as env:NAME",
                    self.grant
                )));
        }
        match delivery.variable() {
            Some(name) if command.environment.iter().any(|n| n == name) => {
                Err(CliError::usage(format!("{name} is to hold the secret, and --env hands on another value of it"))
                    .hint(format!("leave --env {name} out, in the request too")))
            }
            _ => Ok(()),
        }
    }

    /// To show.
    pub fn view(&self) -> RunKey {
        RunKey {
            id: self.key.id,
            name: self.key.facts.name.clone(),
            delivery: self.carries.delivery.to_string(),
            attended: self.attended(),
        }
    }

    /// For the claim.
    pub fn hand(&self) -> Hand<'_> {
        Hand::Holds { key: self.key.id, place: &self.key.facts.place }
    }

    fn attended(&self) -> bool {
        matches!(self.key.facts.place, Place::Sealed { attended: true, .. })
    }

    /// Fetches the secret and makes it ready to be handed over. Nothing is begun yet, so nothing is lost where it fails.
    pub fn open(&self, ctx: &Context, ws: &Workspace, operator: Option<&Path>) -> Result<Handover, CliError> {
        let what = format!("the secret of {} ({})", self.key.id, safe(&self.key.facts.name));
        let secret = match &self.key.facts.place {
            Place::Reference(text) => resolve(&Reference::parse(text)?, &How::usual()).map_err(CliError::from),
            place if self.attended() => {
                let unlocked = ctx.unlock_for(ws, operator, &format!(", for {what}")).map_err(|e| match e.kind {
                    // The identity that is presented is the agent's; an operator's is named otherwise here.
                    "no_identity" => {
                        CliError { hints: vec!["name the operator's identity: --operator FILE".into()], ..e }
                    }
                    _ => e,
                })?;
                vault::of(ws).open(self.key.id, place, Some(unlocked.signer())).map_err(CliError::from)
            }
            place => vault::of(ws).open(self.key.id, place, None).map_err(CliError::from),
        };
        let secret = secret.map_err(|e| CliError { what: format!("{what} cannot be had: {}", e.what), ..e })?;
        Handover::prepare(secret, self.grant, &self.carries.delivery)
    }
}

/// A secret on its way to one child.
pub(super) struct Handover {
    secret: Secret,
    way: Way,
}

enum Way {
    Variable(String),
    Sheet(String, Sheet),
    Descriptor(String, Feed),
    Stdin(Feed),
}

impl Handover {
    /// Everything that can fail, before anything is begun.
    fn prepare(secret: Secret, grant: Id, delivery: &Delivery) -> Result<Handover, CliError> {
        let io = |e: std::io::Error| CliError::could_not("io", format!("the secret cannot be handed over: {e}"));
        let way = match delivery {
            Delivery::Env(name) if secret.expose().contains(&0) => {
                return Err(CliError::could_not(
                    "zero_byte",
                    format!("the secret has a zero byte, and {name} cannot hold one"),
                )
                .hint(format!("an operator gives it otherwise: aosctl connect --again {grant} --as file:NAME")));
            }
            Delivery::Env(name) => Way::Variable(name.clone()),
            Delivery::File(name) => Way::Sheet(name.clone(), Sheet::of(secret.expose())?),
            Delivery::Fd(name) => Way::Descriptor(name.clone(), Feed::new().map_err(io)?),
            Delivery::Stdin => Way::Stdin(Feed::new().map_err(io)?),
        };
        Ok(Handover { secret, way })
    }

    /// Starts the child with the secret. What comes back beside it must be kept until the child has ended.
    ///
    /// The copies that the standard library makes of a variable are freed when `command` is dropped; they are not wiped,
    /// and lie in memory that no other process can read.
    pub fn give(
        self,
        command: &mut Command,
        spawn: impl FnOnce(&mut Command) -> std::io::Result<Child>,
    ) -> std::io::Result<(Child, Option<Sheet>)> {
        let Handover { secret, way } = self;
        let feed_after = |feed: Feed| feed.write(Zeroizing::new(secret.expose().to_vec()));
        match way {
            Way::Variable(name) => {
                command.env(name, OsStr::from_bytes(secret.expose()));
                Ok((spawn(command)?, None))
            }
            Way::Sheet(name, sheet) => {
                command.env(name, sheet.path());
                sheet.inherit()?;
                Ok((spawn(command)?, Some(sheet)))
            }
            Way::Descriptor(name, feed) => {
                command.env(name, feed.number().to_string());
                feed.inherit()?;
                let child = spawn(command)?;
                feed_after(feed);
                Ok((child, None))
            }
            Way::Stdin(feed) => {
                command.stdin(feed.stdin()?);
                let child = spawn(command)?;
                feed_after(feed);
                Ok((child, None))
            }
        }
    }
}
