//! `aosctl audit verify`.

use std::io::Write;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Serialize;

use super::prove::check::{self, ProofArgs};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::monitor::{self, Alert, Level};
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::term::{Stream, is_terminal};
use crate::cli::text::{safe, truncate};
use crate::log::checkpoint::VerifierKey;
use crate::log::verdict::{Check, Status};
use crate::store::Difference;
use crate::workspace::{Verification, VerifyOptions, verify};

/// Prove the log and the tables, from the bytes up.
///
/// Streams the whole log: canonical form, signatures, chain, Merkle root, payload commitments, the authority of every
/// signer at that point; replays it into a scratch database and compares every table; compares with the pin outside the
/// workspace. Each is a verdict on a line of its own. Takes no lock; others may write meanwhile.
///
/// Exit status: 0 all verified, 4 something does not verify, 3 nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's verifier key, known from elsewhere [default: the log identity in the state directory]
    #[arg(long, value_name = "VKEY")]
    vkey: Option<String>,
    /// A witness whose cosignature is wanted; repeat it for more
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// How many of the witnesses must have signed [default: all]
    #[arg(long, value_name = "N", requires = "witnesses")]
    quorum: Option<usize>,
    #[command(flatten)]
    proof: ProofArgs,
    /// Threads for signatures [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// One status line with perfdata for a monitoring system; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long)]
    monitor: bool,
}

/// What verifying found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifyView {
    /// Everything that was checked holds.
    pub verified: bool,
    /// The log's name.
    pub log: String,
    /// Entries.
    pub entries: u64,
    /// Merkle root of all entries, hex.
    pub root: String,
    /// Where the trusted key came from.
    pub trusted_key: String,
    /// A verdict for each thing that is checked.
    pub verdicts: Vec<VerdictView>,
    /// Rows of the projection that are not what the log says (at most 50).
    pub differences: Vec<Difference>,
    /// Entries whose signer lacked the right to make them.
    pub invalid: Vec<InvalidView>,
    /// The last entry's time, where this machine's clock has not reached it.
    pub ahead_of_clock: Option<String>,
}

/// One verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerdictView {
    /// What was checked.
    pub check: String,
    /// `ok`, `failed`, `not checked` or `reported`.
    pub status: String,
    /// The first bad entry, where one is to blame.
    pub first_bad_seq: Option<u64>,
    /// A stable word for the reason.
    pub reason: Option<String>,
    /// For people.
    pub detail: Option<String>,
}

/// An entry without authority.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InvalidView {
    /// Its place.
    pub seq: u64,
    /// Its signer.
    pub actor: String,
    /// What it is about.
    pub subject: Option<String>,
    /// What was wrong, in a stable word.
    pub fault: String,
    /// The entry that voided it.
    pub voided_seq: Option<u64>,
}

/// What each check is called on the page.
fn title(check: Check) -> &'static str {
    match check {
        Check::CanonicalForm => "canonical form",
        Check::Signatures => "signatures",
        Check::Chain => "chain",
        Check::TreeRoot => "tree root",
        Check::Commitments => "commitments",
        Check::Authority => "authority",
        Check::Projections => "projections",
        Check::PinAndWitnesses => "pin",
        Check::UnanchoredTail => "unanchored tail",
    }
}

impl From<Verification> for VerifyView {
    fn from(v: Verification) -> VerifyView {
        let some = |s: &str| (!s.is_empty()).then(|| s.to_string());
        VerifyView {
            verified: !v.report.failed(),
            log: v.origin,
            entries: v.size,
            root: v.root,
            trusted_key: v.trusted.to_string(),
            verdicts: v
                .report
                .verdicts()
                .iter()
                .map(|x| VerdictView {
                    check: x.check.name().to_string(),
                    status: x.status.words().to_string(),
                    first_bad_seq: x.first_bad_seq,
                    reason: some(x.reason),
                    detail: some(&x.detail),
                })
                .collect(),
            differences: v.differences,
            invalid: v
                .invalid
                .into_iter()
                .map(|e| InvalidView {
                    seq: e.seq,
                    actor: e.actor.to_string(),
                    subject: e.subject.map(|s| s.to_string()),
                    fault: e.fault,
                    voided_seq: e.voided_seq,
                })
                .collect(),
            ahead_of_clock: v.ahead_of_clock.map(|t| t.to_string()),
        }
    }
}

impl View for VerifyView {
    const SCHEMA: &'static str = "aosctl.audit-verify/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut page = String::new();
        let line = |page: &mut String, text: &str| {
            page.push_str(truncate(text, screen.width).as_ref());
            page.push('\n');
        };
        for (v, check) in self.verdicts.iter().zip(Check::ALL) {
            let mut text = format!("{:<16} {:<12}", title(check), v.status);
            if let Some(seq) = v.first_bad_seq {
                let what = if v.status == Status::Failed.words() { "first bad entry" } else { "from entry" };
                text.push_str(&format!(" {what} {seq}"));
            }
            let text = text.trim_end().to_string();
            let styled = match v.status.as_str() {
                "ok" => text,
                "failed" => screen.style.red(&text).into_owned(),
                _ => screen.style.yellow(&text).into_owned(),
            };
            page.push_str(&styled);
            page.push('\n');
            if let Some(detail) = &v.detail {
                for l in crate::cli::text::safe_block(detail, "                 ", screen.width, 4).lines {
                    page.push_str(&l);
                    page.push('\n');
                }
            }
        }
        for d in &self.differences {
            line(&mut page, &difference(d));
        }
        for e in self.invalid.iter().take(20) {
            let fate = e.voided_seq.map_or("it does not count".to_string(), |s| format!("voided by entry {s}"));
            line(&mut page, &format!("  entry {} by {}: {}; {fate}", e.seq, e.actor, e.fault));
        }
        if let Some(t) = &self.ahead_of_clock {
            line(&mut page, &format!("  the last entry was signed at {t}, ahead of this machine's clock"));
        }
        let end = if self.verified {
            format!("verified: {} entries, root {}...", self.entries, self.root.get(..16).unwrap_or(&self.root))
        } else {
            format!("NOT VERIFIED: {} entries. Keep a copy of the workspace before you touch it.", self.entries)
        };
        page.push_str(&screen.style.bold(&end));
        page.push('\n');
        page
    }
}

/// `table grants, row g-7: access is admin, the log says read`.
fn difference(d: &Difference) -> String {
    let what = match (d.kind.as_str(), &d.example, d.columns.first()) {
        ("changed", Some((ours, log)), Some(column)) => {
            format!("{column} is {}, the log says {}", truncate(&safe(ours), 24), truncate(&safe(log), 24))
        }
        ("inserted", ..) => "is in the table and not in the log".into(),
        ("deleted", ..) => "is in the log and not in the table".into(),
        _ => d.kind.clone(),
    };
    format!("  table {}, row {}: {what}", d.table, safe(&d.row))
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let vkey = match &args.vkey {
        None => None,
        Some(text) => Some(VerifierKey::parse(text).map_err(|e| {
            CliError::usage(format!("that is not a verifier key: {e}"))
                .hint("it is printed by init, and looks like aosctl/HEX+HEX+BASE64")
        })?),
    };
    if let (Some(proof), Some(vkey)) = (&args.proof.proof, &vkey) {
        let witnesses = args
            .witnesses
            .iter()
            .map(|text| {
                VerifierKey::parse(text).map_err(|e| {
                    CliError::usage(format!("that is not a witness's verifier key: {e}"))
                        .hint("the witness prints it: aosctl audit witness key")
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let trust = check::Trust { vkey, witnesses: &witnesses, quorum: args.quorum };
        return check::run(proof, args.proof.payload.as_deref(), trust);
    }
    let options = VerifyOptions { vkey, threads: args.threads.map(NonZeroUsize::get) };
    let show_progress = is_terminal(Stream::Stderr) && !ctx.global.quiet && !args.monitor;
    let mut shown = false;
    let mut progress = |done: u64, total: u64| {
        // A second or so of work is not worth a line that comes and goes.
        if show_progress && total > 20_000 && done > 0 {
            let percent = done.saturating_mul(100) / total.max(1);
            let _ = write!(std::io::stderr(), "\rverifying {done} of {total} entries ({percent} %)");
            shown = true;
        }
    };
    let found = verify(&ctx.place()?, &options, ctx.clock(), &mut progress)?;
    if shown {
        let _ = write!(std::io::stderr(), "\r{:60}\r", "");
    }
    let view = VerifyView::from(found);
    if args.monitor {
        return Ok(status(&view).outcome());
    }
    let exit = if view.verified { Exit::Done } else { Exit::Integrity };
    let mut outcome = Outcome::of(exit, view);
    if exit == Exit::Done {
        outcome = outcome.note(
            "a pin on this disk cannot show that both were rolled back: keep the vkey and a checkpoint elsewhere",
        );
    }
    Ok(outcome)
}

/// What a monitoring system is told: CRITICAL where something does not verify, WARNING where something could not be
/// checked or the last entry is ahead of the clock.
fn status(view: &VerifyView) -> monitor::Status {
    let of = |status: Status| -> Vec<&str> {
        view.verdicts.iter().filter(|v| v.status == status.words()).map(|v| v.check.as_str()).collect()
    };
    let (failed, unchecked) = (of(Status::Failed), of(Status::NotChecked));
    let ahead = view.ahead_of_clock.is_some();
    let level = if !view.verified {
        Level::Critical
    } else if !unchecked.is_empty() || ahead {
        Level::Warning
    } else {
        Level::Ok
    };
    let text = match level {
        Level::Critical => format!("failed: {}", failed.join(", ")),
        _ if !unchecked.is_empty() => {
            format!("{} entries verified, but not checked: {}", view.entries, unchecked.join(", "))
        }
        _ if ahead => format!("{} entries verified, the last one is ahead of the clock", view.entries),
        _ => format!("{} entries verified", view.entries),
    };
    let count = |list: &[&str]| u64::try_from(list.len()).unwrap_or(u64::MAX);
    monitor::Status {
        service: "AUDIT",
        level,
        text,
        counts: vec![
            ("failed", count(&failed), Alert::Critical),
            ("unchecked", count(&unchecked), Alert::Warns),
            ("entries", view.entries, Alert::Never),
        ],
    }
}
