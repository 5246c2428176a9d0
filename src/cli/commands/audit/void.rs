//! `aosctl audit void`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::id::Id;
use crate::workspace::void::{may_void, void};
use crate::workspace::{VerifyOptions, WorkspaceError, verify};

/// Settle an entry that somebody made without the right to
///
/// Such an entry counts for nothing, and aosctl audit verify fails for it until an operator says that it was looked into.
/// From then on it is listed for ever and fails no more. The whole log is replayed first, because only that proves that the
/// entry is invalid.
///
/// By an operator who neither signed it nor is what it is about. What cannot be read, is badly signed or is not what it
/// commits to can never be voided: nobody can tell whose it was.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry's number
    #[arg(value_name = "SEQ", value_parser = super::entry_number)]
    seq: u64,
    /// What was found out; it goes into the log
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Say whether it could be voided; do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An invalid entry that was voided, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditVoidView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The entry.
    pub entry: u64,
    /// Its type, as it says.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its signer.
    pub actor: String,
    /// What it is about.
    pub subject: Option<Id>,
    /// What was wrong, in a stable word.
    pub fault: String,
    /// Its leaf hash, hex.
    pub leaf: String,
    /// The entry that voids it; absent in a dry run.
    pub seq: Option<u64>,
    /// Other entries that are invalid and not voided.
    pub left: Vec<u64>,
}

impl View for AuditVoidView {
    const SCHEMA: &'static str = "aosctl.audit-void/v1";

    fn human(&self, screen: &Screen) -> String {
        let label = if self.dry_run { "would void" } else { "voided" };
        let what = format!("entry {} ({}) by {}", self.entry, self.kind, self.actor);
        let mut page = show::field(screen, label, &what);
        page.push_str(&show::field(screen, "fault", &self.fault));
        if let Some(id) = self.subject {
            page.push_str(&show::field(screen, "about", &id.to_string()));
        }
        if let Some(seq) = self.seq {
            page.push_str(&show::field(screen, "said by", &format!("entry {seq}")));
        }
        if !self.left.is_empty() {
            let list = self.left.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            page.push_str(&show::field(screen, "still invalid", &list));
        }
        page
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    super::said(&args.reason, "--reason")?;
    let ws = ctx.open()?;
    let seq = args.seq;
    let Some(stored) = ws.store().entry(seq)? else {
        return Err(super::no_such_entry(&ws, seq));
    };
    let found = verify(ws.place(), &VerifyOptions::default(), ctx.clock(), &mut |_, _| {})?.invalid;
    let bad = may_void(&found, seq, None).map_err(refusal)?;
    let left = found.iter().filter(|e| e.voided_seq.is_none() && e.seq != seq).map(|e| e.seq).collect();
    let mut view = AuditVoidView {
        dry_run: args.dry_run,
        entry: seq,
        kind: stored.columns.0,
        actor: bad.actor.to_string(),
        subject: bad.subject,
        fault: bad.fault.clone(),
        leaf: bad.leaf.clone(),
        seq: None,
        left,
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    may_void(&found, seq, Some(me.id)).map_err(refusal)?;
    let (appended, pin) =
        ws.transact(ctx.clock(), |tx| void(tx, &me, &found, seq, Some(args.reason)).map_err(refusal))?;
    view.seq = Some(appended.seq);
    Ok(Outcome::of(Exit::Done, view).warn_if(pin).note("It is listed from now on: aosctl audit disputed"))
}

fn refusal(e: WorkspaceError) -> CliError {
    let kind = match &e {
        WorkspaceError::Refused(fault) => fault.kind,
        _ => "",
    };
    let error = CliError::from(e);
    match kind {
        "not_voidable" => error
            .because("it cannot be read, is badly signed, or is not what it commits to: nobody can tell whose it was")
            .hint("put the workspace back from a backup of before: see aosctl audit verify"),
        "not_invalid" => error.hint("to say beside it what is right: aosctl audit correct SEQ --note TEXT"),
        "own_entry" => error.hint("enrol another operator, if there is none: aosctl operator add NAME LINE"),
        _ => error,
    }
}
