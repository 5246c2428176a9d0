//! `aosctl operator recovery`: identities on paper.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::connect::{view::ids, words};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::cli::vault::{self, NotResealed};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::identity::Signer;
use crate::log::key::PublicKey;
use crate::sys::files;

/// Recovery identities: a code on paper that gives its operator a new key, and can do nothing else.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `operator recovery`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    New(NewArgs),
}

/// Make a recovery identity for yourself, and show its code once.
///
/// Write the code down and keep it away from this machine. With it, and only with it, a lost passphrase is survivable:
/// it gives you a new key (`aosctl operator recover`), and opens the attended secrets of the vault.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// Write the code into a new file that only you can read, instead of showing it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    recovery_out: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A recovery identity. Its code is never part of this.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecoveryNewView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id; absent in a dry run.
    pub recovery: Option<Id>,
    /// Whom it is for; absent in a dry run.
    pub operator: Option<Id>,
    /// Its key, to compare with `operator list`; absent in a dry run.
    pub fingerprint: Option<String>,
    /// The file that the code was written into.
    pub file: Option<String>,
    /// The entry that enrolled it; absent in a dry run.
    pub seq: Option<u64>,
    /// Keys whose attended secrets it can open from now on.
    pub resealed: Vec<Id>,
    /// Attended secrets that it cannot open.
    pub not_resealed: Vec<NotResealed>,
}

impl View for RecoveryNewView {
    const SCHEMA: &'static str = "aosctl.operator-recovery-new/v1";

    fn human(&self, screen: &Screen) -> String {
        let (Some(id), Some(operator)) = (self.recovery, self.operator) else {
            return show::field(screen, "recovery", "would be made");
        };
        let mut out = show::field(screen, "recovery", &format!("{id}, for {operator}"));
        if let Some(f) = &self.fingerprint {
            out.push_str(&show::field(screen, "fingerprint", f));
        }
        if let Some(file) = &self.file {
            out.push_str(&show::field(screen, "code in", &safe(file)));
        }
        if !self.resealed.is_empty() {
            out.push_str(&show::field(screen, "can open", &ids(&self.resealed)));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::New(a) => new(a, ctx),
    }
}

fn new(args: NewArgs, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "make a recovery identity")?;
    let mut view = RecoveryNewView {
        dry_run: args.dry_run,
        recovery: None,
        operator: None,
        fingerprint: None,
        file: args.recovery_out.as_ref().map(|f| f.display().to_string()),
        seq: None,
        resealed: Vec::new(),
        not_resealed: Vec::new(),
    };
    if let Some(file) = &args.recovery_out {
        refuse_place(&ws.place().dir, file)?;
    }
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let paper = Signer::generate()?;
    // Before it counts: an identity that nobody could write down would be one that nobody has.
    hand_over(ctx, &paper, args.recovery_out.as_deref())?;
    let done = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let (id, appended) = ws.enrol_recovery(tx, me.by(), &paper)?;
        let circle = vault::circle(tx.facts())?;
        let resealed = vault::reseal(&ws, tx, &me, &circle, &format!("sealed for {id} too"))?;
        Ok((id, appended, resealed))
    });
    let ((id, appended, resealed), warning) = done.inspect_err(|_| {
        // A code that is good for nothing must not be kept as one that is.
        if let Some(file) = args.recovery_out.as_deref()
            && matches!(ws.facts().key_was_used(&paper.public()), Ok(false))
        {
            files::remove_file(file);
        }
    })?;
    resealed.clear(&ws);
    view.recovery = Some(id);
    view.operator = Some(me.id);
    view.fingerprint = Some(show::fingerprint(&PublicKey(paper.public()).key_id().to_hex()));
    view.seq = Some(appended.seq);
    view.resealed.clone_from(&resealed.keys);
    view.not_resealed.clone_from(&resealed.not);
    let out = resealed.tell(Outcome::of(Exit::Done, view).warn_if(warning));
    Ok(told(out, me.id))
}

/// What to do with it.
pub fn told(out: Outcome, operator: Id) -> Outcome {
    out.note("Keep the code away from this machine. Whoever has it can take the place of its operator.")
        .note(format!("After a lost passphrase: aosctl operator recover {operator}"))
}

/// A code beside what it opens would be in every copy of it.
pub fn refuse_place(workspace: &Path, file: &Path) -> Result<(), CliError> {
    if files::lies_within(file, workspace) {
        return Err(CliError::usage("--recovery-out lies inside the workspace")
            .because("the code would be in every copy of what it opens")
            .hint("name a file somewhere else, best on a medium that is taken away"));
    }
    Ok(())
}

/// Hands the code over: into the file, or once on the terminal, where it is gone again when its end was typed.
pub fn hand_over(ctx: &Context, paper: &Signer, file: Option<&Path>) -> Result<(), CliError> {
    let code = paper.to_code();
    let Some(file) = file else {
        return Ok(ctx.prompter().show_code(&code, "--recovery-out FILE")?);
    };
    let mut line = zeroize::Zeroizing::new(String::with_capacity(code.len() + 1));
    line.push_str(&code);
    line.push('\n');
    Ok(files::create_private_new(file, line.as_bytes())?)
}
