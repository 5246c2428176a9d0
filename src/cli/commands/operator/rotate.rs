//! `aosctl operator rotate`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::connect::{view::ids, words};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::cli::vault::{self, NotResealed};
use crate::domain::id::Id;
use crate::identity::{MAX_PASSPHRASE_BYTES, Passphrase};
use crate::log::key::PublicKey;
use crate::sys::files;
use crate::workspace::{NewKey, OperatorIdentity, Workspace};

/// Take a new signing key, signed by the old one.
///
/// You stay the same operator: grants, agents and approvals stay yours. The attended secrets of the vault are sealed for
/// the new key in the same step, and the file with the old one is gone. Copies of that file sign nothing any more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Your name or id, where it should be checked [default: whose identity is unlocked]
    #[arg(value_name = "NAME", add = complete::operators())]
    name: Option<String>,
    /// Read the new passphrase from a file that nobody else can read
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "keep_passphrase")]
    new_passphrase_file: Option<PathBuf>,
    /// Seal the new key under the passphrase of the old one
    #[arg(long)]
    keep_passphrase: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An operator with a new signing key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorRotateView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Who.
    pub operator: Id,
    /// Who signed: the operator, or the identity on paper.
    pub signed_by: Id,
    /// The sealed identity.
    pub file: String,
    /// The new key, to compare with `operator list`; absent in a dry run.
    pub fingerprint: Option<String>,
    /// The entry that gave it; absent in a dry run.
    pub seq: Option<u64>,
    /// Keys whose attended secrets were sealed for the new key.
    pub resealed: Vec<Id>,
    /// Attended secrets that could not be opened, and that the new key cannot open either.
    pub not_resealed: Vec<NotResealed>,
}

impl View for OperatorRotateView {
    const SCHEMA: &'static str = "aosctl.operator-rotate/v1";

    fn human(&self, screen: &Screen) -> String {
        let verb = if self.dry_run { "would take" } else { "has" };
        let mut out = show::field(screen, "operator", &format!("{} {verb} a new key", self.operator));
        if let Some(f) = &self.fingerprint {
            out.push_str(&show::field(screen, "fingerprint", f));
        }
        if let Some(seq) = self.seq {
            out.push_str(&show::field(screen, "entry", &format!("{seq}, signed by {}", self.signed_by)));
        }
        out.push_str(&show::field(screen, "sealed in", &safe(&self.file)));
        if !self.resealed.is_empty() {
            out.push_str(&show::field(screen, "can open", &ids(&self.resealed)));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "take an operator's key")?;
    let (path, sealed) = ws.sealed_operator(ctx.identity_file().as_deref())?;
    let who = crate::domain::facts::Facts::operators(&ws.facts())?
        .into_iter()
        .find(|o| o.public_key == sealed.public_key() && o.is_live());
    let Some(who) = who else {
        return Err(CliError::no("no_identity", "the identity here signs nothing in this workspace")
            .because("its key is not the one that the log knows of a live operator")
            .hint("name the identity to sign with: --identity FILE")
            .hint("with the code on paper: aosctl operator recover NAME"));
    };
    if let Some(name) = &args.name
        && words::operator(&ws, name)? != who.id
    {
        return Err(CliError::no("not_own", format!("the identity here is that of {}", who.id))
            .because("an operator takes a new key by itself, or by its recovery identity; another one gives it none")
            .hint("name its identity: --identity FILE, or: aosctl operator recover NAME"));
    }
    let mut view = OperatorRotateView {
        dry_run: args.dry_run,
        operator: who.id,
        signed_by: who.id,
        file: path.display().to_string(),
        fingerprint: None,
        seq: None,
        resealed: vault::open_to(&ws, &who.public_key)?,
        not_resealed: Vec::new(),
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let old = ctx.passphrase(&format!("passphrase of {}", who.id))?;
    let me = ws.unlock_operator(&path, &sealed, &old)?;
    let new = match &args.new_passphrase_file {
        _ if args.keep_passphrase => old,
        Some(file) => {
            Passphrase::from_file(&files::read_private(file, MAX_PASSPHRASE_BYTES + 2)?)?.require_strength()?
        }
        None => ctx.prompter().new_passphrase(
            &format!("new passphrase of {}", who.id),
            "--new-passphrase-file FILE or --keep-passphrase",
        )?,
    };
    let new = NewKey::make(&ws, who.id, &path, &new)?;
    let out = give(&ws, ctx, me.signer(), me.by(), &new, reason, &mut view)?;
    let left: Vec<String> = ws
        .recoveries()?
        .iter()
        .filter(|r| r.recovers() == Some(who.id) && r.retired_seq.is_none())
        .map(|r| r.id.to_string())
        .collect();
    let out = out(view);
    Ok(match left.as_slice() {
        [] => out,
        ids => out.note(format!("Your recovery identity stays valid: {}.", ids.join(", "))),
    })
}

/// What rotating and recovering have in common: the entry, the vault, the file. Gives what makes the outcome of the view.
pub(super) fn give(
    ws: &Workspace,
    ctx: &Context,
    opener: &crate::identity::Signer,
    by: crate::workspace::By<'_>,
    new: &NewKey,
    reason: Option<String>,
    view: &mut OperatorRotateView,
) -> Result<impl FnOnce(OperatorRotateView) -> Outcome + use<>, CliError> {
    let ((appended, me, mut resealed), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let (appended, me): (_, OperatorIdentity) = ws.rekey(tx, by, new, reason)?;
        let resealed = vault::reseal_after(ws, tx, opener, &me, &format!("sealed for the new key of {}", me.id))?;
        Ok((appended, me, resealed))
    })?;
    let told = |e: CliError| words::done_already(e, &format!("{} has its new key", me.id));
    ws.finish_move(new.file()).map_err(|e| told(e.into()))?;
    resealed.settle(ws, opener, &me).map_err(told)?;
    resealed.clear(ws);
    view.fingerprint = Some(show::fingerprint(&PublicKey(me.signer().public()).key_id().to_hex()));
    view.seq = Some(appended.seq);
    view.resealed.clone_from(&resealed.keys);
    view.not_resealed.clone_from(&resealed.not);
    Ok(move |view| {
        let out = resealed.tell(Outcome::of(Exit::Done, view).warn_if(warning));
        out.note("The old key signs nothing any more. Copies of its file still open what an old backup holds.")
    })
}
