//! `aosctl workspace backup`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;

/// Write everything that the workspace needs on another machine into one sealed file.
///
/// The file (`-o FILE`) opens with a passphrase of its own, which is asked for twice or read from --passphrase-file; it
/// holds the database, the drafts of policy and catalogue, the vault, sealed operator identities, and of the state
/// directory the log identity, the vault key, agents' identities and the pin. Others may write meanwhile: the backup is
/// one moment. Nothing is overwritten.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A backup that was made, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BackupView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The sealed file.
    pub file: String,
    /// The log's name.
    pub log: String,
    /// Entries that it holds.
    pub entries: u64,
    /// Their Merkle root, hex; absent in a dry run.
    pub root: Option<String>,
    /// When it was made.
    pub at: Time,
    /// Its size in bytes; absent in a dry run.
    pub bytes: Option<u64>,
    /// Its SHA-256, hex; absent in a dry run.
    pub sha256: Option<String>,
    /// What is in it, by name.
    pub holds: Vec<String>,
    /// What lies in the same directories and is not in it: links, and files larger than 16 MiB.
    pub left_out: Vec<String>,
}

impl View for BackupView {
    const SCHEMA: &'static str = "aosctl.workspace-backup/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "backup", &safe(&self.file));
        out.push_str(&show::field(screen, "log", &format!("{}, {} entries", self.log, self.entries)));
        if let (Some(root), Some(sha256), Some(bytes)) = (&self.root, &self.sha256, self.bytes) {
            out.push_str(&show::field(screen, "root", root));
            out.push_str(&show::field(screen, "sealed", &format!("{bytes} bytes, SHA-256 {sha256}")));
            let count = |prefix: &str| self.holds.iter().filter(|n| n.starts_with(prefix)).count();
            let holds = format!(
                "the database; operators' sealed identities: {}; sealed secrets: {}; agents' identities: {}; the log \
                 identity, the vault key, the pin",
                count("workspace/operators/") + count("state/operators/"),
                count("workspace/vault/"),
                count("state/agents/"),
            );
            out.push_str(&show::field(screen, "holds", &holds));
        }
        for name in &self.left_out {
            out.push_str(&show::field(screen, "left out", &safe(name)));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let Some(file) = ctx.target() else {
        return Err(CliError::usage("a backup is written into a file, and none was named")
            .hint("name one on another disk: aosctl workspace backup -o FILE"));
    };
    let ws = ctx.open()?;
    let now = ctx.clock();
    let mut view = BackupView {
        dry_run: args.dry_run,
        file: file.display().to_string(),
        log: ws.origin().name.clone(),
        entries: ws.store().last_seq()?.map_or(0, |n| n + 1),
        root: None,
        at: now,
        bytes: None,
        sha256: None,
        holds: Vec::new(),
        left_out: Vec::new(),
    };
    if file.symlink_metadata().is_ok() {
        return Err(CliError::could_not("file_exists", format!("{} already exists", safe(&view.file)))
            .because("a backup never takes the place of another one")
            .hint("name another file: -o FILE"));
    }
    if args.dry_run {
        if let Some(doubt) = ws.doubt()? {
            return Err(doubt.into());
        }
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let passphrase = ctx.new_passphrase("a passphrase for this backup")?;
    let done = ws.back_up(now, &passphrase, file)?;
    view.entries = done.entries;
    view.root = Some(done.root);
    view.bytes = Some(done.bytes);
    view.sha256 = Some(done.sha256);
    view.holds = done.files;
    view.left_out = done.left_out;
    Ok(Outcome::of(Exit::Done, view)
        .note(
            "Whoever opens it can use the agents' identities, the log identity and unattended secrets in it. It holds no \
             passphrase: operators' identities in it open with their own ones. It holds no recovery code, and no identity \
             that lies elsewhere.",
        )
        .note("Put it back on another machine: aosctl workspace restore FILE"))
}
