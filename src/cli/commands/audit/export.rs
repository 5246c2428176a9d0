//! `aosctl audit export`.

use std::collections::BTreeSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::term::{Stream, is_terminal};
use crate::cli::text::{safe, truncate};
use crate::domain::event::TYPES;
use crate::domain::time::Time;
use crate::evidence::archive::{ExportError, Form, Target};
use crate::evidence::export::{Export, Payloads, Survey, Wanted, is_of_type};

/// Hand the log out as a bundle that anybody can verify, with or without aosctl.
///
/// Writes a directory, or a tar where the name ends in `.tar` (`-o -`: a tar on stdout): every entry from the first on, the
/// payloads, a checkpoint of exactly these entries signed by the log identity, the public keys, and README.txt, one page on
/// how to verify with openssl, ssh-keygen, sha256sum and Python. The same state gives the same bytes.
///
/// Payloads hold what was asked and decided, and may hold customer data: the page says what kinds went out. Nothing is
/// appended to the log; the state directory keeps a list of exports, so that a later erasure can say what is beyond reach.
/// Nothing that exists is replaced.
///
/// Exit status: 0 done, 4 done, but the end of the log is not sound and no checkpoint was signed for it, 1 nothing
/// was signed before --until, 3 nothing written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Payloads only of entries signed at or after this time: 2026-11-01, 2026-11-01T09:00:00Z, or so long ago: 7d, 12h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Entries only up to this time, with a checkpoint of that size
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Which payloads: `none`, `all`, or types with commas between: `request.approved,grant`
    #[arg(long, value_name = "WHICH", default_value = "all")]
    payloads: String,
    /// Say what would be written, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What went out, or would.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportView {
    /// Nothing was to be written.
    pub dry_run: bool,
    /// Where it lies; `-` for stdout.
    pub path: String,
    /// `directory` or `tar`.
    pub form: String,
    /// The log's name.
    pub log: String,
    /// Entries: from 0 to before this number.
    pub entries: u64,
    /// Entries that the log has.
    pub log_entries: u64,
    /// When the first of them was signed.
    pub first_at: Option<Time>,
    /// When the last of them was signed.
    pub last_at: Option<Time>,
    /// Merkle root of these entries, base64.
    pub root: String,
    /// SHA-256 of the checkpoint file, hex; absent where there is none.
    pub checkpoint: Option<String>,
    /// A checkpoint of exactly these entries was signed. Otherwise what lay there as the pin went out in its place.
    pub checkpoint_signed: bool,
    /// Why not, or what else is wrong with the end of the log.
    pub unsound: Vec<String>,
    /// The log's verifier key.
    pub vkey: String,
    /// Its fingerprint: the first 20 hex digits of the SHA-256 of the public key.
    pub vkey_fingerprint: String,
    /// Payloads that went out.
    pub payloads: u64,
    /// Payloads that these entries have.
    pub payloads_there: u64,
    /// Those that went out by the type of their entry.
    pub payload_types: Vec<TypeCount>,
    /// Payloads of these entries of which members were erased.
    pub erased_payloads: u64,
    /// Members that were erased in them.
    pub erased_members: u64,
    /// Signers whose enrolment does not verify, so that their public key did not go out.
    pub signers_left_out: Vec<String>,
    /// Size of all files together, in bytes.
    pub bytes: u64,
    /// The files, in the order of their names.
    pub files: Vec<FileSize>,
    /// How to verify it.
    pub verify: String,
}

/// How many of a type.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TypeCount {
    /// The type, by the column beside the entry; empty where there is none.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// A file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileSize {
    /// Its name, with `/`.
    pub name: String,
    /// Its size, in bytes.
    pub bytes: u64,
}

impl ExportView {
    fn new(export: &Export<'_>, path: &Path, form: Form, dry_run: bool) -> ExportView {
        let s: &Survey = export.survey();
        let vkey = export.vkey().to_string();
        let shown = path.display().to_string();
        let bundle = if shown == "-" { "BUNDLE.tar".into() } else { quoted(&shown) };
        ExportView {
            dry_run,
            path: shown,
            form: form.word().into(),
            log: export.vkey().name.clone(),
            entries: s.size,
            log_entries: s.total,
            first_at: s.signed.map(|(first, _)| first),
            last_at: s.signed.map(|(_, last)| last),
            root: crate::evidence::export::root_text(&s.root),
            checkpoint: export.checkpoint().map(str::to_string),
            checkpoint_signed: s.may_be_signed(),
            unsound: s.unsound.iter().map(ToString::to_string).collect(),
            vkey_fingerprint: show::fingerprint(&export.vkey().key.key_id().to_hex()),
            verify: format!("aosctl audit verify --bundle {bundle} --vkey {vkey}"),
            vkey,
            payloads: s.payloads.out,
            payloads_there: s.payloads.there,
            payload_types: s
                .payloads
                .by_type
                .iter()
                .map(|(kind, &count)| TypeCount { kind: kind.clone(), count })
                .collect(),
            erased_payloads: s.payloads.erased,
            erased_members: s.payloads.erased_members,
            signers_left_out: export.left_out().to_vec(),
            bytes: export.files().iter().map(|f| f.size).sum(),
            files: export.files().iter().map(|f| FileSize { name: f.name.clone(), bytes: f.size }).collect(),
        }
    }
}

impl View for ExportView {
    const SCHEMA: &'static str = "aosctl.audit-export/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let head = if self.dry_run { "would write" } else { "written" };
        field(head, &format!("{} ({}, {} in {} files)", self.path, self.form, size(self.bytes), self.files.len()));
        let of = if self.entries < self.log_entries { format!(" of {}", self.log_entries) } else { String::new() };
        let days = match (self.first_at, self.last_at) {
            (Some(first), Some(last)) => format!(", signed {} to {}", show::minute(first), show::minute(last)),
            _ => String::new(),
        };
        field("entries", &format!("{}{of}{days}", self.entries));
        let payloads = match (self.payloads, self.payloads_there) {
            (0, there) => format!("none of {there}"),
            (all, there) if all == there => {
                format!("all {all}; they say what was asked and decided, customer data too")
            }
            (some, there) => format!("{some} of {there}; they say what was asked and decided, customer data too"),
        };
        field("payloads", &payloads);
        if !self.payload_types.is_empty() {
            let kinds: Vec<String> = self.payload_types.iter().map(|t| format!("{} {}", t.count, t.kind)).collect();
            field("", &kinds.join(", "));
        }
        if self.erased_members > 0 {
            field("erased", &format!("{} members of {} payloads", self.erased_members, self.erased_payloads));
        }
        match (&self.checkpoint, self.checkpoint_signed) {
            (Some(_), true) => field("checkpoint", &format!("signed: {} entries, root {}", self.entries, self.root)),
            (Some(_), false) => field("checkpoint", "NOT SIGNED for these entries; the pin went out in its place"),
            (None, _) => field("checkpoint", "NONE: the log identity signs nothing that contradicts its own word"),
        }
        field("log's key", &self.vkey_fingerprint);
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let Some(path) = ctx.target.clone() else {
        return Err(CliError::usage("say where the bundle goes")
            .hint("a directory or a tar that does not exist yet: -o acme-log, -o acme-log.tar, or -o - for stdout"));
    };
    let (to_stdout, form) = place(&path)?;
    if to_stdout && ctx.json() {
        return Err(CliError::usage("stdout carries the tar, and cannot carry JSON, too")
            .hint("write the bundle into a file: -o acme-log.tar"));
    }
    if to_stdout && !args.dry_run && is_terminal(Stream::Stdout) {
        return Err(CliError::usage("a tar is nothing to look at").hint("write it into a file: -o acme-log.tar"));
    }
    let now = ctx.clock();
    let read = |text: &Option<String>| text.as_deref().map(|t| super::log::time(t, now)).transpose();
    let wanted = Wanted { since: read(&args.since)?, until: read(&args.until)?, payloads: payloads(&args.payloads)? };
    if let (Some(since), Some(until)) = (wanted.since, wanted.until)
        && since >= until
    {
        return Err(CliError::usage("--since lies at or after --until"));
    }
    let workspace = ctx.open()?;
    let export = Export::prepare(&workspace, wanted)?;
    let mut view = ExportView::new(&export, &path, form, args.dry_run);
    if !args.dry_run {
        if to_stdout {
            let mut out = std::io::stdout().lock();
            export.deliver(Target::Stream(&mut out), now)?;
        } else {
            export.deliver(Target::Place(path, form), now)?;
        }
    }
    let exit = if view.checkpoint_signed { Exit::Done } else { Exit::Integrity };
    let (verify, left_out) = (view.verify.clone(), std::mem::take(&mut view.signers_left_out));
    let unsound = view.unsound.clone();
    view.signers_left_out.clone_from(&left_out);
    let streamed = format!("{} entries and {} payloads went to stdout, as a tar", view.entries, view.payloads);
    let mut outcome =
        if to_stdout && !args.dry_run { Outcome::silent(exit).note(streamed) } else { Outcome::of(exit, view) };
    for why in unsound {
        outcome = outcome.warn(format!("the end of the log is not sound: {why}; see aosctl audit verify"));
    }
    if !left_out.is_empty() {
        let who = left_out.join(", ");
        outcome = outcome.warn(format!("no public key of {who} went out: the enrolment does not verify"));
    }
    if args.dry_run {
        return Ok(outcome);
    }
    Ok(outcome
        .note("give the vkey in another way than the bundle: the keys in it prove nothing by themselves")
        .note(format!("verify it: {verify}")))
}

/// Whether it goes to stdout, and as what.
fn place(path: &Path) -> Result<(bool, Form), CliError> {
    if path == Path::new("-") {
        return Ok((true, Form::Tar));
    }
    match Form::of(path) {
        Some(form) => Ok((false, form)),
        None if path.file_name().is_none() => Ok((false, Form::Directory)),
        None => {
            Err(CliError::usage(format!("a bundle is a directory or a tar, not {}", safe(&path.display().to_string())))
                .hint("name a directory or a .tar: -o acme-log.tar; compress it afterwards"))
        }
    }
}

/// `none`, `all`, or types.
fn payloads(typed: &str) -> Result<Payloads, CliError> {
    match typed {
        "none" => return Ok(Payloads::None),
        "all" => return Ok(Payloads::All),
        _ => {}
    }
    let types: BTreeSet<String> = typed.split(',').map(|t| t.trim().to_string()).collect();
    for t in &types {
        if !TYPES.iter().any(|known| is_of_type(known, t)) {
            return Err(CliError::usage(format!("no entry has the type {}", truncate(&safe(t), 60)))
                .hint("write none, all, or types as `audit log --type` takes them: request.approved,grant"));
        }
    }
    Ok(Payloads::Types(types))
}

/// Bytes in the unit that people read.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        b if b >= 10 << 20 => format!("{} MiB", b >> 20),
        b if b >= 10 << 10 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) { path.into() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

impl From<ExportError> for CliError {
    fn from(e: ExportError) -> CliError {
        let text = safe(&e.to_string());
        if e.is_full() {
            let left = match &e {
                ExportError::Write { what, .. } if what == "stdout" => "what was written there so far is no whole tar",
                _ => "what was begun is removed",
            };
            return CliError::could_not("disk_full", text)
                .because(format!("the disk is full; {left}"))
                .hint("make room, or write to another disk: -o /mnt/usb/acme-log.tar");
        }
        match e {
            ExportError::Store(e) => e.into(),
            ExportError::Workspace(e) => e.into(),
            ExportError::Sys(crate::sys::SysError::Exists { .. }) => {
                CliError::could_not("exists", text).because("nothing that exists is replaced").hint("name another place: -o PATH")
            }
            ExportError::Sys(e) => e.into(),
            ExportError::NoLogIdentity { .. } => CliError::could_not("no_log_identity", text)
                .because("a bundle carries a checkpoint that the log identity signs; it lies in the state directory of the machine where the workspace was made")
                .hint("export there, or name its state directory: AOSCTL_STATE_DIR"),
            ExportError::NothingBefore { .. } => {
                CliError::no("nothing_before", text).hint("see when entries were signed: aosctl audit log")
            }
            ExportError::TooLarge { .. } => {
                CliError::could_not("too_large", text).hint("write a directory: -o acme-log")
            }
            ref e @ ExportError::Write { .. } if e.is_closed_pipe() => {
                CliError::could_not("closed_pipe", "the reader went away before the end of the bundle")
            }
            ExportError::Write { .. } | ExportError::Changed { .. } => CliError::could_not("io", text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_line() {
        assert_eq!(payloads("none").unwrap(), Payloads::None);
        assert_eq!(payloads("all").unwrap(), Payloads::All);
        assert!(matches!(payloads("grant, request.made/1").unwrap(), Payloads::Types(t) if t.len() == 2));
        for bad in ["", "gran", "grant.", "grant,", "all,none", "request.made/9"] {
            assert!(payloads(bad).is_err(), "{bad}");
        }
        assert_eq!(quoted("a b'c"), "'a b'\\''c'");
        assert_eq!(quoted("/tmp/acme.tar"), "/tmp/acme.tar");
    }
}
