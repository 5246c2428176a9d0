//! `aosctl operator recover`: a new key by the code on paper.

use std::io::Read;

use zeroize::Zeroizing;

use super::rotate::{OperatorRotateView, give};
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::vault;
use crate::domain::facts::Facts;
use crate::identity::Signer;
use crate::workspace::{By, NewKey};

/// No code is longer than this, in bytes, however it is grouped.
const MAX_CODE: u64 = 512;

/// Lost your passphrase? Take a new key with the recovery code on paper.
///
/// Asks for the code, which is not shown while it is typed, and for a new passphrase. You stay the same operator, and the
/// attended secrets of the vault are sealed for the new key. Without the code nothing opens them again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who lost the passphrase, by name or id
    #[arg(value_name = "NAME", add = complete::operators())]
    name: String,
    /// Read the code from stdin
    #[arg(long)]
    recovery_stdin: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing; no code is asked for
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    let facts = ws.facts();
    let id = words::operator(&ws, &args.name)?;
    let Some(target) = facts.identity(id)?.filter(|o| o.is_live()) else {
        return Err(CliError::no("retired", format!("{id} is not a live operator")));
    };
    let papers: Vec<_> =
        ws.recoveries()?.into_iter().filter(|r| r.recovers() == Some(id) && r.retired_seq.is_none()).collect();
    let Some(first) = papers.first() else {
        return Err(CliError::no("no_recovery", format!("{id} has no recovery identity"))
            .because("one has to be enrolled while the passphrase is still known: nobody can do it afterwards")
            .hint("another operator can go on: aosctl operator create, aosctl operator add, aosctl operator retire"));
    };
    let file = ctx.identity_file().unwrap_or_else(|| ws.operator_home(&target));
    let mut view = OperatorRotateView {
        dry_run: args.dry_run,
        operator: id,
        signed_by: first.id,
        file: file.display().to_string(),
        fingerprint: None,
        seq: None,
        resealed: vault::open_to(&ws, &first.public_key)?,
        not_resealed: Vec::new(),
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let signer = code(&args, ctx, &id.to_string())?;
    let public = signer.public();
    let Some(paper) = papers.iter().find(|p| p.public_key == public) else {
        return Err(CliError::no("other_code", format!("that code is well formed, and not one of {id}"))
            .because("it is for another operator or another workspace, or it was retired")
            .hint("see who has which: aosctl operator list"));
    };
    let passphrase = ctx.new_passphrase(&format!("a new passphrase for {id}"))?;
    if let Some(parent) = file.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
        crate::sys::files::create_private_dir(parent)?;
    }
    let new = NewKey::make(&ws, id, &file, &passphrase)?;
    view.signed_by = paper.id;
    let out = give(&ws, ctx, &signer, By::identity(paper.id, &signer), &new, reason, &mut view)?;
    let sole = paper.id;
    Ok(out(view)
        .note("The code stays valid. Whoever saw it can do the same: make another one, and retire this one.")
        .note(format!("  aosctl operator recovery new; aosctl operator retire {sole}")))
}

/// The code: from stdin, or typed without being shown.
fn code(args: &Args, ctx: &Context, who: &str) -> Result<Signer, CliError> {
    let wrong = |e: crate::identity::IdentityError| {
        CliError::no("bad_code", crate::cli::text::safe(&e.to_string()))
            .because("the code has 14 groups of 4; the last of them checks the rest")
            .hint("type it again; case and spaces do not matter")
    };
    if args.recovery_stdin {
        let mut typed = Zeroizing::new(String::with_capacity(MAX_CODE as usize));
        std::io::stdin()
            .take(MAX_CODE)
            .read_to_string(&mut typed)
            .map_err(|e| CliError::could_not("io", format!("stdin cannot be read: {e}")))?;
        return Signer::from_code(&typed).map_err(wrong);
    }
    let mut tries = 0;
    loop {
        let typed = ctx.prompter().passphrase(&format!("recovery code of {who}"), "--recovery-stdin")?;
        match typed.with_text(Signer::from_code) {
            Ok(signer) => return Ok(signer),
            Err(e) if tries == 2 => return Err(wrong(e)),
            Err(e) => ctx.prompter().tell(&format!("{e}; again, please"))?,
        }
        tries += 1;
    }
}
