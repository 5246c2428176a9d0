//! `aosctl key import`.

pub(in crate::cli) mod view;

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub use view::{DeltaView, KeyImportView};

use super::details::past;
use super::place;
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::text::safe;
use crate::domain::advice::shell_word;
use crate::domain::event::{KeyAdded, KeyChanged};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::time::Time;
use crate::inventory::plan::{Plan, World, plan};
use crate::inventory::{Inventory, InventoryError, MAX_FILE, aws, csv, guard};
use crate::sys::files;
use crate::workspace::{Tx, Workspace, WorkspaceError};

/// Take over an inventory that another program keeps.
///
/// Rows are matched with known keys by provider id, then by name, then by the ends of secret and name. Importing the same
/// file twice changes nothing. What an operator said stays where the file is silent about it. A row that cannot be used is
/// named by its line on stderr, the rest goes in, all in one step, and the exit code is 1.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    format: Format,
}

/// The formats.
#[derive(Debug, clap::Subcommand)]
enum Format {
    /// A credential report of AWS IAM
    ///
    /// Make one with aws iam generate-credential-report, then aws iam get-credential-report > FILE. That JSON is read, and so
    /// is the table in it. AWS makes a new one at most every 4 hours, so it may be that far behind; the JSON says of when it
    /// is, and for a table --as-of does.
    AwsCredentialReport(Common),
    /// Our own table; its columns are described in docs/keys.md
    ///
    /// name, and any of: kind, integration, scope, owner, reference, provider_id, last4, created, last_rotated, last_used,
    /// expires, active, person. Dates are 2026-11-21 or 2026-11-21T09:00:00Z and nothing else.
    Csv(Common),
}

/// What both take.
#[derive(Debug, clap::Args)]
struct Common {
    /// The file; - is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: String,
    /// The file tells the state of that moment [default: when it was last written; now for -]
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// What new keys open where the file does not say
    #[arg(long, value_name = "INTEGRATION", add = complete::integrations())]
    opens: Option<String>,
    /// Who answers for new keys where the file does not say [default: nobody]
    #[arg(long, value_name = "OPERATOR", add = complete::operators())]
    owner: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Lines that can be pasted, in eighty columns.
const EXAMPLES: &str = r"Examples:
  aws iam generate-credential-report
  aws iam get-credential-report > report.json
  aosctl key import aws-credential-report report.json --opens aws --dry-run
  aosctl key import aws-credential-report report.json --opens aws

  aosctl key import csv keys.csv --owner ops";

/// More refused lines than these are counted; the JSON has them all.
const MOST_REFUSED: usize = 100;

/// So many lines to type are said.
const MOST_LINES: usize = 20;

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let (read, source, args): (Reader, &str, Common) = match args.format {
        Format::AwsCredentialReport(common) => (aws::read, aws::SOURCE, common),
        Format::Csv(common) => (csv::read, csv::SOURCE, common),
    };
    let ws = ctx.open()?;
    words::not_an_agent(&ws, ctx.identity_file().as_deref(), "import keys")?;
    let now = ws.now(ctx.clock())?;
    let integration = args.opens.as_deref().map(|t| words::opened(&ws, t)).transpose()?.map(|i| i.id);
    let owner = args.owner.as_deref().map(|t| words::operator(&ws, t)).transpose()?;
    let told = args.as_of.as_deref().map(|t| past("--as-of", t, now)).transpose()?;
    let (mut bytes, mut written) = content(&args.file)?;
    if source == aws::SOURCE
        && let Some(delivered) = aws::delivered(&bytes).map_err(|e| refused(&args.file, &e))?
    {
        bytes = delivered.table;
        written = delivered.generated.or(written);
    }
    let as_of = told.or(written).unwrap_or(now).min(now);
    let file = read(&bytes, as_of).map_err(|e| refused(&args.file, &e))?;
    drop(bytes);
    let told_for_new: Vec<Told> = [("--opens", &args.opens, integration), ("--owner", &args.owner, owner)]
        .into_iter()
        .filter_map(|(flag, typed, id)| Some(Told { flag, typed: typed.as_deref()?, id: id? }))
        .collect();
    let desk = Desk { ws: &ws, file: &file, as_of, owner, integration };
    let mut view = KeyImportView::new(args.dry_run, &args.file, &file, as_of);
    let planned = desk.plan(&ws.facts(), now)?;
    // Nothing to sign: nobody is asked for a passphrase, and no entry is written.
    if args.dry_run || (planned.added.is_empty() && planned.changed.is_empty()) {
        view.tell(&planned, &[], None);
        return finish(view, &ws, args.dry_run, &file, &told_for_new, None);
    }
    let me = ctx.unlock(&ws)?;
    let ((planned, ids, seqs), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let planned = desk.plan(tx.facts(), tx.now())?;
        let (ids, seqs) = carry_out(tx, me.by(), &planned, file.source)?;
        Ok((planned, ids, seqs))
    })?;
    view.tell(&planned, &ids, seqs);
    finish(view, &ws, false, &file, &told_for_new, warning)
}

type Reader = fn(&[u8], Time) -> Result<Inventory, InventoryError>;

/// What an import is planned with.
struct Desk<'a> {
    ws: &'a Workspace,
    file: &'a Inventory,
    as_of: Time,
    owner: Option<Id>,
    integration: Option<Id>,
}

impl Desk<'_> {
    /// The plan, by what is known at this moment. Keys that would change are verified: an entry repeats all that is known of
    /// a key, and must not sign for what somebody wrote into the tables.
    fn plan<F: Facts<Error = WorkspaceError>>(&self, facts: &F, now: Time) -> Result<Plan, CliError> {
        let keys = self.ws.store().keys(true)?;
        let integrations = self.ws.store().integrations()?.into_iter().map(|i| (i.handle, i.id)).collect();
        let mut operators: BTreeMap<String, Id> = BTreeMap::new();
        let mut double = Vec::new();
        for operator in facts.operators()?.iter().filter(|o| o.is_live()) {
            operators.insert(operator.id.to_string(), operator.id);
            if let Some(name) = self.ws.operator_name(operator)?
                && operators.insert(name.clone(), operator.id).is_some()
            {
                double.push(name);
            }
        }
        operators.retain(|name, _| !double.contains(name));
        let world = World {
            keys: &keys,
            integrations: &integrations,
            operators: &operators,
            reference: &place::check_reference,
            as_of: self.as_of,
            now,
            owner: self.owner,
            integration: self.integration,
        };
        let planned = plan(self.file, &world);
        let by_id: BTreeMap<Id, &crate::domain::key::Key> = keys.iter().map(|k| (k.id, k)).collect();
        for change in &planned.changed {
            let known = by_id.get(&change.key).copied();
            let verified = facts.key(change.key)?;
            if verified.as_deref() != known {
                let what = format!("the table of keys says something else of {} than its entries do", change.key);
                return Err(CliError::new(Exit::Integrity, "integrity", what)
                    .because("somebody wrote into the tables; nothing was imported")
                    .hint("see everything that is wrong: aosctl audit verify"));
            }
        }
        Ok(planned)
    }
}

/// Appends all of a plan: the new keys' ids, in their order, and the first and last entry.
#[expect(clippy::type_complexity, reason = "two lists that are used on the next line")]
fn carry_out(
    tx: &mut Tx<'_>,
    by: crate::workspace::By<'_>,
    planned: &Plan,
    source: &str,
) -> Result<(Vec<Id>, Option<(u64, u64)>), CliError> {
    let mut ids = Vec::with_capacity(planned.added.len());
    let mut seqs: Option<(u64, u64)> = None;
    let mut done = |seq: u64| seqs = Some((seqs.map_or(seq, |(first, _)| first), seq));
    for added in &planned.added {
        let key = tx.next_id(IdKind::Key)?;
        done(tx.append(by, KeyAdded { key, facts: added.facts.clone(), note: None })?.seq);
        ids.push(key);
    }
    for change in &planned.changed {
        let reason = Some(format!("import: {source}"));
        done(tx.append(by, KeyChanged { key: change.key, facts: change.facts.clone(), reason })?.seq);
    }
    Ok((ids, seqs))
}

/// What a file holds, and when it was last written; a pipe has no such moment.
fn content(name: &str) -> Result<(Vec<u8>, Option<Time>), CliError> {
    let path = Path::new(name);
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let mut written = None;
    let read = if name == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        let file = files::open_file(path)?;
        if let Ok(m) = file.metadata()
            && m.is_file()
        {
            written =
                Some(Time::from_millis(m.mtime().saturating_mul(1000).saturating_add(m.mtime_nsec() / 1_000_000)));
        }
        file.take(most).read_to_end(&mut bytes)
    };
    read.map_err(|e| CliError::could_not("io", format!("{} cannot be read: {e}", safe(name))))?;
    Ok((bytes, written))
}

/// A file that cannot be used at all.
fn refused(name: &str, e: &InventoryError) -> CliError {
    let name = if name == "-" { "standard input".into() } else { safe(name) };
    let whole = CliError::could_not("bad_file", format!("{name} is refused: {}", safe(&e.to_string())));
    match e {
        InventoryError::Secrets { .. } => whole
            .because("an inventory says where secrets live; in a file they lie open")
            .hint("take that column out, and turn over whatever it held")
            .hint("a secret goes in alone: aosctl key add NAME --secret-stdin"),
        InventoryError::UnknownColumn { name, .. } => whole
            .because(format!("it is called {:?}, and what it says would be lost in silence", safe(name)))
            .hint(format!("ours are: {}", csv::COLUMNS.join(", "))),
        InventoryError::OpenQuote { .. } => whole.because("nothing of it was imported"),
        _ => whole.hint("what files look like: docs/keys.md"),
    }
}

/// What was told for new keys.
struct Told<'a> {
    flag: &'static str,
    typed: &'a str,
    id: Id,
}

/// What was told for new keys says nothing of those that were there: what to type for these, unless it is so already.
fn for_new(view: &KeyImportView, ws: &Workspace, told: &[Told<'_>]) -> Result<Vec<String>, CliError> {
    let there: Vec<Id> = view.changed.iter().map(|c| c.key).chain(view.unchanged.iter().copied()).collect();
    if there.is_empty() || told.is_empty() {
        return Ok(Vec::new());
    }
    let mut keys = ws.store().keys(false)?;
    keys.retain(|k| {
        let is_so = |t: &Told<'_>| k.facts.integration == Some(t.id) || k.facts.owner == Some(t.id);
        there.contains(&k.id) && !told.iter().all(is_so)
    });
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let flags = told.iter().map(|t| t.flag).collect::<Vec<_>>().join(" and ");
    let (is, were) = (if told.len() > 1 { "are" } else { "is" }, if keys.len() > 1 { "were" } else { "was" });
    let values: String = told.iter().map(|t| format!(" {} {}", t.flag, shell_word(t.typed))).collect();
    let mut lines = vec![format!("{flags} {is} for new keys; {} {were} there:", keys.len())];
    lines.extend(keys.iter().take(MOST_LINES).map(|k| safe(&format!("  aosctl key set {}{values}", k.id))));
    if let Some(more) = keys.len().checked_sub(MOST_LINES).filter(|n| *n > 0) {
        lines.push(format!("  and {more} more: aosctl key list"));
    }
    Ok(lines)
}

/// What there is to say about it.
fn finish(
    view: KeyImportView,
    ws: &Workspace,
    dry_run: bool,
    file: &Inventory,
    told: &[Told<'_>],
    pin: Option<WorkspaceError>,
) -> Result<Outcome, CliError> {
    let exit = match (view.refused.is_empty(), file.rows.is_empty()) {
        (true, _) => Exit::Done,
        // Not one row of it could be read.
        (false, true) => Exit::CouldNot,
        (false, false) => Exit::No,
    };
    let mut lines: Vec<String> =
        view.refused.iter().take(MOST_REFUSED).map(|r| format!("line {}: {}", r.line, safe(&r.why))).collect();
    if let Some(more) = view.refused.len().checked_sub(MOST_REFUSED).filter(|n| *n > 0) {
        lines.push(format!("and {more} more; --json has them all"));
    }
    let mut missing: Vec<&str> = file.rows.iter().filter_map(|row| row.integration.as_deref()).collect();
    missing.sort_unstable();
    missing.dedup();
    for typed in missing {
        if guard::is_name(typed) && ws.find_integration(typed)?.is_none() {
            lines.extend(words::to_add(ws, typed)?.map(|line| format!("to add {typed}: {line}")));
        }
    }
    for key in &view.stale_secrets {
        lines.push(format!(
            "{key} was turned over, and what is sealed here is the old secret: aosctl rotation record {key} --secret-stdin"
        ));
    }
    let mut notes = Vec::new();
    if !view.missing.is_empty() {
        let ids = view.missing.iter().map(Id::to_string).collect::<Vec<_>>().join(" ");
        notes.push(format!("The file no longer mentions whose keys these are: {ids}"));
        notes.push("Where they are gone at the provider: aosctl key retire KEY".into());
    }
    let unowned = ws.store().keys(false)?.iter().filter(|k| k.facts.owner.is_none()).count();
    if unowned > 0 && !dry_run {
        notes.push(format!("Nobody answers for {unowned} keys: aosctl key set KEY --owner OPERATOR"));
    }
    notes.extend(for_new(&view, ws, told)?);
    if dry_run {
        notes.push("dry run: nothing was done".into());
    }
    let mut out = Outcome::of(exit, view).warn_if(pin);
    out.warnings.extend(lines);
    out.notes = notes;
    Ok(out)
}
