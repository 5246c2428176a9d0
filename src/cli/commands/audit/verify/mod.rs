//! `aosctl audit verify`.

mod bar;
mod view;

pub use view::VerifyView;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bar::Bar;

use super::prove::check::{self, ProofArgs};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::monitor::{self, Alert, Level};
use crate::cli::outcome::Outcome;
use crate::cli::term::{Stream, is_terminal};
use crate::cli::text::safe;
use crate::evidence::bundle::{self, BundleError};
use crate::log::checkpoint::{KeyKind, VerifierKey};
use crate::log::verdict::Status;
use crate::sys::files;
use crate::workspace::{
    BundleOptions, Kept, Outside, Verification, VerifyOptions, verify_against, verify_bundle, verify_since_pin,
};

/// The largest checkpoint file: a note with a hundred lines of witnesses is far smaller.
const MAX_CHECKPOINT: usize = 65_536;

/// Prove the log and the tables, from the bytes up.
///
/// Streams the whole log: canonical form, signatures, chain, Merkle root, payload commitments, the authority of every
/// signer at that point; replays it into a scratch database and compares every table; compares with the pin outside the
/// workspace. Each is a verdict on a line of its own. Takes no lock; others may write meanwhile.
///
/// With --proof it checks a receipt for one entry, or that one checkpoint continues another (aosctl audit prove).
///
/// With --bundle it does the same for what `aosctl audit export` wrote, without any workspace. The verifier key must come
/// from elsewhere; a bundle has no tables, so projections are not checked. Without payloads, commitments, authority and
/// all signatures but the log's cannot be checked.
///
/// What lies on one disk can be rolled back together. So keep checkpoints in other hands, or have them signed by
/// witnesses, and give them with --checkpoint and --witness. The entries that neither covers are reported as the
/// unanchored tail.
///
/// Exit status: 0 all verified, 4 something does not verify, 1 payloads are missing or the tail is longer than
/// --max-unanchored, 3 nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's verifier key, known from elsewhere [default: the log identity in the state directory]
    #[arg(long, value_name = "VKEY")]
    vkey: Option<String>,
    /// Verify a bundle, without any workspace: a directory, a .tar, or the .zip of a pack
    #[arg(long, value_name = "PATH", requires = "vkey")]
    bundle: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere: the log must continue it. Can be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// A witness who must have signed the checkpoint given, or else the bundle's, or the pin. Can be given several times
    #[arg(long, value_name = "VKEY")]
    witness: Vec<String>,
    /// How many of the witnesses must have signed the same checkpoint [default: all of them]
    #[arg(long, value_name = "N", requires = "witness")]
    quorum: Option<NonZeroUsize>,
    /// A finding, exit 1, if more than N entries are covered by nothing from outside
    #[arg(long, value_name = "N")]
    max_unanchored: Option<u64>,
    /// Verify only what was appended since the pin was signed; entries before it are taken for verified. Quick, for every
    /// few minutes: tables and totals are not replayed, so run it beside a full verification, not instead of one
    #[arg(long, conflicts_with = "bundle")]
    since_pin: bool,
    #[command(flatten)]
    proof: ProofArgs,
    /// Threads for signatures [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// One status line with perfdata for a monitoring system; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long)]
    monitor: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let vkey = args.vkey.as_deref().map(|text| key(text, KeyKind::Log)).transpose()?;
    let outside = outside(&args, vkey.as_ref())?;
    if let (Some(proof), Some(vkey)) = (&args.proof.proof, &vkey) {
        let quorum = args.quorum.map(NonZeroUsize::get);
        let trust = check::Trust { vkey, witnesses: &outside.witnesses, quorum };
        return check::run(proof, args.proof.payload.as_deref(), trust);
    }
    let mut bar = Bar::new(is_terminal(Stream::Stderr) && !ctx.global.quiet && !args.monitor);
    let found = look(&args, ctx, vkey, outside, &mut |done, total| bar.show(done, total));
    bar.end();
    let mut view = VerifyView::from(found?).by_clock(ctx.clock());
    if args.bundle.is_some() {
        view = view.of_bundle();
    }
    if let Some(most) = args.max_unanchored {
        view.limit_tail(most);
    }
    if args.monitor {
        return Ok(status(&view, args.max_unanchored.is_some()).outcome());
    }
    let exit = match (view.failed(), view.verified && view.findings.is_empty()) {
        (true, _) => Exit::Integrity,
        (false, false) => Exit::No,
        (false, true) => Exit::Done,
    };
    let alone = !view.from_bundle && view.unanchored.as_ref().is_some_and(|u| u.entries == view.entries);
    let mut outcome = Outcome::of(exit, view);
    if exit == Exit::Done && alone {
        outcome = outcome.note("keep the vkey and a checkpoint elsewhere: aosctl audit checkpoint -o FILE");
    }
    Ok(outcome)
}

fn look(
    args: &Args,
    ctx: &Context,
    vkey: Option<VerifierKey>,
    outside: Outside,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, CliError> {
    let threads = args.threads.map(NonZeroUsize::get);
    if let (Some(path), Some(vkey)) = (&args.bundle, &vkey) {
        let files = bundle::open(path).map_err(|e| match e {
            BundleError::Sys(e) => CliError::from(e),
            e @ BundleError::NoBundle { .. } => CliError::could_not("no_bundle", safe(&e.to_string()))
                .hint("a bundle is what aosctl audit export writes: a directory, a .tar, or the .zip of a pack"),
        })?;
        let options = BundleOptions { vkey: vkey.clone(), threads, outside };
        return Ok(verify_bundle(files, &options, ctx.clock(), progress)?);
    }
    let options = VerifyOptions { vkey, threads };
    let verify = if args.since_pin { verify_since_pin } else { verify_against };
    Ok(verify(&ctx.place()?, &options, &outside, ctx.clock(), progress)?)
}

/// What was kept elsewhere.
fn outside(args: &Args, log: Option<&VerifierKey>) -> Result<Outside, CliError> {
    let mut witnesses: Vec<VerifierKey> = Vec::new();
    for text in &args.witness {
        let witness = key(text, KeyKind::Cosignature)?;
        if log.is_some_and(|log| log.key == witness.key) {
            return Err(CliError::usage(format!("the key of {} is the log's own", safe(&witness.name)))
                .because("a log is no witness of itself: whoever holds its identity would sign both"));
        }
        if witnesses.iter().any(|w| w.key == witness.key) {
            return Err(CliError::usage(format!("the key of {} is given twice", safe(&witness.name)))
                .because("one witness counts once"));
        }
        witnesses.push(witness);
    }
    let quorum = args.quorum.map_or(witnesses.len(), NonZeroUsize::get);
    if quorum > witnesses.len() {
        return Err(CliError::usage(format!("--quorum {quorum} asks for more than the {} witnesses", witnesses.len())));
    }
    let mut kept = Vec::new();
    for path in &args.checkpoint {
        kept.push(Kept { name: path.display().to_string(), note: files::read_limited(path, MAX_CHECKPOINT)? });
    }
    Ok(Outside { kept, witnesses, quorum })
}

fn key(text: &str, kind: KeyKind) -> Result<VerifierKey, CliError> {
    let whose = match kind {
        KeyKind::Log => "it is printed by init, and looks like aosctl/HEX+HEX+BASE64",
        KeyKind::Cosignature => "aosctl audit witness key prints it, and it looks like NAME+HEX+BASE64",
    };
    // A line that was copied, or read from a file, brings its end along.
    let key = VerifierKey::parse(text.trim()).map_err(|e| {
        let wrong = CliError::usage(format!("that is not a verifier key: {e}")).hint(whose);
        if Path::new(text).is_file() {
            return wrong.hint(format!("it is the key itself, not the name of its file: \"$(cat {})\"", safe(text)));
        }
        wrong
    })?;
    if key.kind == kind {
        return Ok(key);
    }
    let what = match kind {
        KeyKind::Log => "that is the key of a witness, not of a log",
        KeyKind::Cosignature => "that is the key of a log, not of a witness",
    };
    Err(CliError::usage(what).hint(whose))
}

/// What a monitoring system is told: CRITICAL where something does not verify, WARNING where something could not be
/// checked, the unanchored tail is too long, or the last entry is ahead of the clock.
fn status(view: &VerifyView, limited: bool) -> monitor::Status {
    let failed: Vec<&str> =
        view.verdicts.iter().filter(|v| v.status == Status::Failed.words()).map(|v| v.check.as_str()).collect();
    let unchecked = view.unchecked();
    let ahead = view.ahead_of_clock.is_some();
    let level = if view.failed() {
        Level::Critical
    } else if !unchecked.is_empty() || ahead || !view.findings.is_empty() {
        Level::Warning
    } else {
        Level::Ok
    };
    let entries = view.entries;
    let tail = view.unanchored.as_ref().map_or(0, |u| u.entries);
    let text = match level {
        Level::Critical => format!("failed: {}", failed.join(", ")),
        _ if !unchecked.is_empty() => format!("{entries} entries, but not checked: {}", unchecked.join(", ")),
        _ if !view.findings.is_empty() => format!("{entries} entries, {tail} of them unanchored"),
        _ if ahead => format!("{entries} entries, the last one is ahead of the clock"),
        _ => format!("{entries} entries"),
    };
    let count = |list: &[&str]| u64::try_from(list.len()).unwrap_or(u64::MAX);
    let mut counts = vec![
        ("failed", count(&failed), Alert::Critical),
        ("unchecked", count(&unchecked), Alert::Warns),
        ("entries", entries, Alert::Never),
    ];
    if limited {
        counts.push(("unanchored", tail, Alert::Never));
    }
    monitor::Status { service: "AUDIT", level, text, counts }
}
