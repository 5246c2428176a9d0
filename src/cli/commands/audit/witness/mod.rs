//! `aosctl audit witness`.

mod state;

pub use state::{WitnessKeyView, WitnessLastView};

use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::made;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::{safe, truncate};
use crate::domain::time::Time;
use crate::evidence::bundle::{self, BundleError};
use crate::evidence::proof::{self, CONSISTENCY_LIMIT, Consistency};
use crate::evidence::witness::{Evidence, PATIENCE, Sight, Witness, WitnessError};
use crate::identity::WitnessIdentity;
use crate::log::checkpoint::VerifierKey;
use crate::sys::files;
use crate::sys::lock::Lock;

/// Cosign a checkpoint, on another machine or by another operator.
///
/// Checks that the checkpoint continues the one that this witness saw last, remembers it on disk, and then adds its own
/// signature line (C2SP cosignature/v1). Needs no workspace. At first sight of a log its verifier key is needed (--log)
/// and trusted from then on; later, what shows that the newer checkpoint continues the older one: a consistency proof
/// (aosctl audit prove --consistency) or the whole bundle.
///
/// Exit status: 0 cosigned; 1 nothing shows that it continues what was seen; 4 rollback, fork or a bad signature: nothing
/// was signed.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The checkpoint, or a consistency proof that leads to it; `-` for standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, required = true)]
    file: Option<PathBuf>,
    /// The log's verifier key; needed when this witness sees the log for the first time
    #[arg(long, value_name = "VKEY")]
    log: Option<String>,
    /// A consistency proof from the checkpoint that this witness saw last to this one
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "bundle")]
    proof: Option<PathBuf>,
    /// A bundle (a directory, a tar, a pack) whose entries show the same: the roots are computed from them
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    bundle: Option<PathBuf>,
    /// Make this machine's witness under that name if there is none yet: w.example/ops
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Write the cosigned checkpoint back into FILE
    #[arg(long, conflicts_with = "output")]
    in_place: bool,
    /// Say what it would do; remember and sign nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// The verbs of `audit witness`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Init(state::InitArgs),
    Key(state::KeyArgs),
    Last(state::LastArgs),
}

/// A cosigned checkpoint.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WitnessView {
    /// Nothing was remembered or signed.
    pub dry_run: bool,
    /// The log's name.
    pub log: String,
    /// How many entries the checkpoint covers.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// `first`, `same` or `continues`: how it stands to what was seen before.
    pub sight: &'static str,
    /// How many entries were seen before.
    pub seen_entries: Option<u64>,
    /// The time in the cosignature, to the second.
    pub time: String,
    /// The witness's name.
    pub witness: String,
    /// The witness's verifier key.
    pub vkey: String,
    /// The file that the cosigned checkpoint was written into.
    pub file: Option<String>,
    /// The cosigned checkpoint.
    pub checkpoint: Option<String>,
}

impl View for WitnessView {
    const SCHEMA: &'static str = "aosctl.audit-witness/v1";

    fn human(&self, screen: &Screen) -> String {
        if let (Some(note), None) = (&self.checkpoint, &self.file) {
            return note.clone();
        }
        let mut page = self.file.as_deref().map(|file| show::field(screen, "checkpoint", file)).unwrap_or_default();
        page.push_str(&show::field(screen, "log", &self.log));
        page.push_str(&show::field(screen, "entries", &self.entries.to_string()));
        page.push_str(&show::field(screen, "sight", &self.sight()));
        page.push_str(&show::field(screen, "witness", &self.witness));
        page
    }
}

impl WitnessView {
    fn sight(&self) -> String {
        match (self.sight, self.seen_entries) {
            ("first", _) => "first sight: the key of this log is trusted from now on".into(),
            ("same", _) => "the same as seen before".into(),
            (_, Some(seen)) => format!("continues the {seen} entries seen before"),
            (other, None) => other.into(),
        }
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Some(Verb::Init(a)) => state::init(&a, ctx),
        Some(Verb::Key(a)) => state::key(&a, ctx),
        Some(Verb::Last(a)) => state::last(&a, ctx),
        None => cosign(&args, ctx),
    }
}

fn cosign(args: &Args, ctx: &Context) -> Result<Outcome, CliError> {
    let Some(file) = &args.file else { return Err(CliError::usage("name the checkpoint's file")) };
    let from_stdin = file == Path::new("-");
    if args.in_place {
        if from_stdin {
            return Err(CliError::usage("--in-place needs a file, and the checkpoint comes from standard input"));
        }
        ctx.require_outside("FILE", file)?;
    }
    // Two witnesses who sign the same file at once: each would write back what it read, and the other's line were lost.
    let _alone = if args.in_place { Some(alone(file)?) } else { None };
    let log = args.log.as_deref().map(log_key).transpose()?;
    args.name.as_deref().map_or(Ok(()), require_name)?;
    let given = if from_stdin { stdin()? } else { files::read_limited(file, CONSISTENCY_LIMIT)? };
    // Read before the witness is locked: a pipe may take its time.
    let mut proof = args.proof.as_deref().map(|path| files::read_limited(path, CONSISTENCY_LIMIT)).transpose()?;
    let mut note = given;
    if note.starts_with(proof::VERSION.as_bytes()) {
        // The newer checkpoint of the proof is the one that is meant.
        if proof.is_some() || args.bundle.is_some() || args.in_place {
            return Err(CliError::usage(
                "FILE is a consistency proof: --proof, --bundle and --in-place go with a checkpoint",
            )
            .hint("write the cosigned checkpoint elsewhere: --output FILE"));
        }
        let whole = Consistency::parse(&note).map_err(|e| refused(e.into()))?;
        proof = Some(note);
        note = whole.new.into_bytes();
    }
    let mut bundle = args.bundle.as_deref().map(bundle::open).transpose().map_err(unreadable)?;
    let evidence = match (&proof, &mut bundle) {
        (Some(proof), _) => Evidence::Proof(proof),
        (None, Some(bundle)) => Evidence::Entries(&mut bundle.entries),
        (None, None) => Evidence::None,
    };

    let witness = Witness::open(&state::dir(ctx)?, args.name.as_deref(), args.dry_run).map_err(refused)?;
    let done = witness.cosign(&note, log.as_ref(), evidence, ctx.clock(), args.dry_run).map_err(refused)?;
    drop(witness);
    let target = if args.in_place { Some(file.as_path()) } else { ctx.target() };
    if let (Some(path), Some(note)) = (target, &done.note) {
        files::write_report(path, note.as_bytes())?;
    }
    let (sight, seen) = match done.sight {
        Sight::First => ("first", None),
        Sight::Same => ("same", Some(done.checkpoint.size)),
        Sight::Continues(seen) => ("continues", Some(seen)),
    };
    let view = WitnessView {
        dry_run: args.dry_run,
        log: done.checkpoint.origin.clone(),
        entries: done.checkpoint.size,
        root: done.checkpoint.root.to_hex(),
        sight,
        seen_entries: seen,
        time: seconds(done.time),
        witness: done.vkey.name.clone(),
        vkey: done.vkey.to_string(),
        file: target.filter(|_| done.note.is_some()).map(|path| path.display().to_string()),
        checkpoint: done.note,
    };
    let said = format!("{}: {} entries, {}", safe(&view.log), view.entries, view.sight());
    Ok(made(ctx, view, target.is_some()).note(said))
}

/// Seconds since 1970 as a time.
fn seconds(seconds: u64) -> String {
    Time::from_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)).to_string()
}

/// Holds the directory of a file that is read, and written anew. Where the file system has no locks nobody is kept out.
fn alone(file: &Path) -> Result<Option<Lock>, CliError> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match Lock::wait_dir(dir, PATIENCE) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => {
            let who = format!(
                "another witness has held {} for {} seconds",
                safe(&dir.display().to_string()),
                PATIENCE.as_secs()
            );
            Err(CliError::could_not("busy", who).hint("look for one that was stopped or hangs, then try again"))
        }
        Err(_) => Ok(None),
    }
}

/// Refuses what cannot be a witness's name.
fn require_name(name: &str) -> Result<(), CliError> {
    if WitnessIdentity::may_be_called(name) {
        return Ok(());
    }
    Err(CliError::usage(format!("a witness cannot be called `{}`", truncate(&safe(name), 40)))
        .because("a name is 1 to 200 printable ASCII characters without spaces, +, \" and \\")
        .hint("by custom it is a URL without its scheme: --name w.example/ops"))
}

fn log_key(text: &str) -> Result<VerifierKey, CliError> {
    VerifierKey::parse(text.trim()).map_err(|e| {
        CliError::usage(format!("--log is not a verifier key: {e}"))
            .hint("the log's is printed by init, and looks like aosctl/HEX+HEX+BASE64")
    })
}

fn stdin() -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(CONSISTENCY_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| CliError::could_not("io", format!("standard input cannot be read: {e}")))?;
    Ok(bytes)
}

fn unreadable(e: BundleError) -> CliError {
    match e {
        BundleError::Sys(e) => e.into(),
        e => CliError::could_not("bad_bundle", safe(&e.to_string())),
    }
}

/// What a person reads of a refusal.
fn refused(e: WitnessError) -> CliError {
    let text = safe(&e.to_string());
    if let WitnessError::Fork { evidence, .. } = &e {
        return CliError::new(Exit::Integrity, "fork", text)
            .because(format!("both notes are kept as evidence: {}", safe(&evidence.display().to_string())))
            .hint("nothing was signed; show them to whoever relies on this log");
    }
    let kind = match &e {
        WitnessError::Rollback { .. } => "rollback",
        WitnessError::Note(fault) => fault.kind(),
        WitnessError::Proof(_) => "proof",
        _ => "witness",
    };
    if e.does_not_hold() {
        let said = CliError::new(Exit::Integrity, kind, text).because("nothing was signed, and what was seen stays");
        return match &e {
            WitnessError::State { .. } => {
                said.hint("put the file back as this witness wrote it; its memory is not made up anew").hint(
                    "or move the directory away, and begin as another witness: aosctl audit witness init --name NAME",
                )
            }
            WitnessError::Rollback { .. } => said
                .hint("keep that checkpoint, and ask whoever holds the log what became of the rest")
                .hint("what this witness saw: aosctl audit witness last"),
            WitnessError::Bundle { .. } => said.hint("take the bundle that the checkpoint came with, or a newer one"),
            _ => said,
        };
    }
    match e {
        WitnessError::NoIdentity => CliError::usage(text)
            .hint("make one, with a name that nobody else has: aosctl audit witness init --name w.example/ops"),
        WitnessError::UnknownLog(_) => CliError::usage(text)
            .because("at first sight the log's key is trusted, so it must come from somebody who knows it")
            .hint("name it: --log VKEY, as aosctl init printed it"),
        WitnessError::OtherName(_) => CliError::no("other_name", text).hint("leave --name out"),
        WitnessError::NoProof { seen, .. } => CliError::no("no_proof", text)
            .hint("here: aosctl audit witness last > seen.checkpoint")
            .hint(format!("where the log is: aosctl audit prove --consistency seen.checkpoint -o {seen}.consistency"))
            .hint(format!("here again: aosctl audit witness {seen}.consistency")),
        WitnessError::OtherProof { .. } => CliError::no("other_proof", text)
            .hint("make it from what was seen: aosctl audit witness last > seen.checkpoint")
            .hint("and cosign the newer checkpoint of that proof, or one of the same size"),
        WitnessError::Sys(e) => e.into(),
        WitnessError::Identity { .. } => CliError::could_not("identity", text),
        WitnessError::Busy => CliError::could_not("busy", text),
        _ => CliError::could_not(kind, text),
    }
}
