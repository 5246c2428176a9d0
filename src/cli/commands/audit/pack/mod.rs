//! `aosctl audit pack`.

mod csv;
mod html;
mod readme;

use std::io::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::export::{quoted, size};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::term::{Stream, is_terminal};
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::evidence::export::Export;
use crate::evidence::pack::{Drawn, Pack, Period, ReviewState, deliver, wanted};
use crate::log::verdict::Status;

/// Put together what an auditor gets for a period, in one zip.
///
/// `index.html` says what happened in the period and how it was verified; `samples/*.csv` has a line for each decision,
/// grant change, rotation, leak and review decision, to draw samples from; `receipts/` proves for the entry of each line
/// that it is in the log; `bundle/` is everything up to the end of the period, as `aosctl audit export --until` writes it,
/// with all payloads. The same state gives the same bytes.
///
/// The whole workspace is verified first, and the page says what that gave. Nothing is appended to the log; the state
/// directory keeps a list of what was handed out. Nothing that exists is replaced.
///
/// Exit status: 0 done, 4 done, but something does not verify and the page says what, 1 nothing was signed before
/// --until, or it lies ahead, 3 nothing written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The first moment of the period: 2026-01-01, 2026-01-01T09:00:00Z, or so long ago: 90d
    #[arg(long, value_name = "TIME")]
    since: String,
    /// The first moment after the period: 2026-07-01 for a period that ends with 30 June
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Say what would be written, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What went into the pack, or would.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackView {
    /// Nothing was to be written.
    pub dry_run: bool,
    /// Where it lies.
    pub path: String,
    /// The first moment of the period.
    pub since: Time,
    /// The first moment after it.
    pub until: Time,
    /// The log's name.
    pub log: String,
    /// Entries in the bundle: from 0 to before this number.
    pub entries: u64,
    /// Of those, ones signed in the period.
    pub entries_in_period: u64,
    /// Everything that was verified holds.
    pub verified: bool,
    /// What does not: checks that failed, and entries that cannot be read.
    pub problems: Vec<String>,
    /// Reviews that the period should have.
    pub reviews: Vec<PackReview>,
    /// Lines by kind.
    pub lines: Vec<PackLines>,
    /// Receipts: one for each entry of a line.
    pub receipts: u64,
    /// Payloads in the bundle.
    pub payloads: u64,
    /// Size of the bundle, in bytes.
    pub bundle_bytes: u64,
    /// The log's verifier key.
    pub vkey: String,
    /// Its fingerprint: the first 20 hex digits of the SHA-256 of the public key.
    pub vkey_fingerprint: String,
    /// How to verify it.
    pub verify: String,
}

/// A review.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackReview {
    /// `2026-10`.
    pub month: String,
    /// To be signed before this moment.
    pub due: Time,
    /// `nothing`, `not_over`, `not_due`, `missing`, `in_time` or `late`.
    pub state: String,
    /// Days too late.
    pub days_late: i64,
    /// The entry that signed it.
    pub signed_seq: Option<u64>,
}

/// Lines of one kind.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackLines {
    /// `approvals`.
    pub kind: String,
    /// How many.
    pub lines: u64,
}

impl PackView {
    fn new(pack: &Pack, export: &Export<'_>, path: &str, dry_run: bool) -> PackView {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let s = export.survey();
        let vkey = export.vkey().to_string();
        let reviews = pack.reviews.iter().map(|r| {
            let (state, days_late) = state(r.state);
            let signed_seq = r.signed.as_ref().map(|(seq, ..)| *seq);
            PackReview { month: r.month.to_string(), due: r.due, state: state.into(), days_late, signed_seq }
        });
        PackView {
            dry_run,
            path: path.into(),
            since: pack.period.since,
            until: pack.period.until,
            log: export.vkey().name.clone(),
            entries: s.size,
            entries_in_period: s.end.saturating_sub(pack.first),
            verified: !pack.failed(),
            problems: problems(pack),
            reviews: reviews.collect(),
            lines: pack.tables.iter().map(|t| PackLines { kind: t.id.into(), lines: count(t.lines.len()) }).collect(),
            receipts: if s.may_be_signed() { count(pack.sampled().len()) } else { 0 },
            payloads: s.payloads.out,
            bundle_bytes: export.files().iter().map(|f| f.size).sum(),
            vkey_fingerprint: show::fingerprint(&export.vkey().key.key_id().to_hex()),
            verify: format!("aosctl audit verify --bundle {} --vkey {vkey}", quoted(path)),
            vkey,
        }
    }
}

/// What does not verify, in a line each.
fn problems(pack: &Pack) -> Vec<String> {
    let failed = pack.verdicts.iter().filter(|v| v.status == Status::Failed).map(|v| match v.first_bad_seq {
        Some(seq) => format!("{}: failed, first bad entry {seq}", v.check.name()),
        None => format!("{}: failed", v.check.name()),
    });
    failed.chain(pack.unreadable.iter().map(|(seq, why)| format!("entry {seq}: {why}"))).collect()
}

/// How a review stood, in a stable word, and how many days it was late.
fn state(state: ReviewState) -> (&'static str, i64) {
    match state {
        ReviewState::Nothing => ("nothing", 0),
        ReviewState::NotOver => ("not_over", 0),
        ReviewState::NotDue => ("not_due", 0),
        ReviewState::Missing(days) => ("missing", days),
        ReviewState::InTime => ("in_time", 0),
        ReviewState::Late(days) => ("late", days),
    }
}

impl View for PackView {
    const SCHEMA: &'static str = "aosctl.audit-pack/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        field(if self.dry_run { "would write" } else { "written" }, &self.path);
        field("period", &format!("{} to before {}", show::minute(self.since), show::minute(self.until)));
        field("entries", &format!("{}, of which {} in the period", self.entries, self.entries_in_period));
        match self.problems.is_empty() {
            true => field("verified", "the whole workspace: everything that was checked holds"),
            false => self.problems.iter().for_each(|p| field("NOT VERIFIED", p)),
        }
        for r in &self.reviews {
            let days = if r.days_late > 0 { format!(" {} days", r.days_late) } else { String::new() };
            field("review", &format!("{} {}{days}", r.month, r.state.replace('_', " ")));
        }
        let lines: Vec<String> =
            self.lines.iter().filter(|l| l.lines > 0).map(|l| format!("{} {}", l.lines, l.kind)).collect();
        field("lines", &lines.join(", "));
        field("receipts", &self.receipts.to_string());
        let bundle = format!(
            "{} with all {} payloads; they say what was asked and decided, customer data too",
            size(self.bundle_bytes),
            self.payloads
        );
        field("bundle", &bundle);
        field("log's key", &self.vkey_fingerprint);
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let named = ctx.target.clone().filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip")));
    let Some(path) = named else {
        return Err(CliError::usage("say where the zip goes").hint("a .zip that does not exist yet: -o h1.zip"));
    };
    let now = ctx.clock();
    let since = super::log::time(&args.since, now)?;
    let until = super::log::time(&args.until, now)?;
    if since >= until {
        return Err(CliError::usage("--since lies at or after --until"));
    }
    let workspace = ctx.open()?;
    let latest = workspace.now(now)?;
    if until > latest {
        return Err(CliError::no("future", format!("{until} lies in the future: it is {latest}"))
            .hint("a period that is not over has no pack; name an earlier end: --until"));
    }
    let period = Period { since, until };
    let export = Export::prepare(&workspace, wanted(period))?;
    let mut shown = false;
    let show_progress = is_terminal(Stream::Stderr) && !ctx.global.quiet;
    let mut progress = |done: u64, total: u64| {
        if show_progress && total > 20_000 && done > 0 {
            let percent = done.saturating_mul(100) / total.max(1);
            let _ = write!(std::io::stderr(), "\rverifying {done} of {total} entries ({percent} %)");
            shown = true;
        }
    };
    let pack = Pack::gather(&workspace, &export, period, now, &mut progress)?;
    if shown {
        let _ = write!(std::io::stderr(), "\r{:60}\r", "");
    }
    if !args.dry_run {
        deliver(&workspace, &export, &pack, &drawn(&pack, &export), &path, now)?;
    }
    let view = PackView::new(&pack, &export, &path.display().to_string(), args.dry_run);
    let exit = if view.verified && export.survey().may_be_signed() { Exit::Done } else { Exit::Integrity };
    let verify = view.verify.clone();
    let mut outcome = Outcome::of(exit, view);
    for why in &export.survey().unsound {
        outcome = outcome.warn(format!("the end of the log is not sound: {why}; see aosctl audit verify"));
    }
    if args.dry_run {
        return Ok(outcome);
    }
    Ok(outcome
        .note("give the vkey in another way than the pack: the keys in it prove nothing by themselves")
        .note(format!("verify it: {}", safe(&verify))))
}

/// The second verifier, file by file, as it lies in docs/verify.
const VERIFIER: &[(&str, &[u8])] = &[
    ("events.txt", include_bytes!("../../../../../docs/verify/events.txt")),
    ("verify.py", include_bytes!("../../../../../docs/verify/verify.py")),
];

/// The files that are drawn here.
fn drawn(pack: &Pack, export: &Export<'_>) -> Drawn {
    let mut files: Drawn = vec![
        ("index.html".into(), html::page(pack, export).into_bytes()),
        ("README.txt".into(), readme::page(pack, export).into_bytes()),
    ];
    files.extend(VERIFIER.iter().map(|(name, bytes)| ((*name).to_string(), bytes.to_vec())));
    for table in pack.tables.iter().filter(|t| t.sample) {
        files.push((format!("samples/{}.csv", table.id), csv::sample(table).into_bytes()));
    }
    files
}
