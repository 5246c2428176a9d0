//! `aosctl audit show`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::entry::EntryView;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;

/// One entry, whole: header, payload, signer.
///
/// Says what one entry shows by itself. That nothing is missing, and that its signer had the right, aosctl audit verify
/// proves.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry's number
    #[arg(value_name = "SEQ")]
    seq: u64,
}

/// An entry with the bytes that were signed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    /// The entry, decoded.
    pub entry: EntryView,
    /// The DSSE envelope, exactly as stored.
    pub envelope: String,
    /// Whether form, signature, commitment and the signer's enrolment hold for this entry.
    pub verified: bool,
    /// What does not hold.
    pub problem: Option<String>,
}

impl View for Shown {
    const SCHEMA: &'static str = "aosctl.audit-show/v1";

    fn human(&self, screen: &Screen) -> String {
        let e = &self.entry;
        let mut page = String::new();
        let mut field = |name: &str, value: &str| page.push_str(&show::field(screen, name, value));
        field("entry", &e.seq.to_string());
        field("type", &e.kind);
        field("subject", &e.subject);
        field("signed at", &e.at);
        field("signed by", if e.actor == "log" { "log (unattributed: nobody signed)" } else { &e.actor });
        field("key id", &e.key);
        field("leaf hash", &e.leaf);
        match &self.problem {
            None => field("verified", "signature, payload and the signer's enrolment hold"),
            Some(p) => field("NOT VERIFIED", p),
        }
        for (name, value) in e.payload.iter().flatten() {
            let text = match value {
                Value::String(s) => s.clone(),
                other => other.to_string(),
            };
            field(name, &text);
        }
        for name in &e.erased {
            field(name, "(erased)");
        }
        page
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let workspace = ctx.open()?;
    let Some(stored) = workspace.store().entry(args.seq)? else {
        let last = workspace.store().last_seq()?.unwrap_or(0);
        return Err(CliError::no("no_such_entry", format!("there is no entry {}", args.seq))
            .hint(format!("the last one is {last}: aosctl audit show {last}")));
    };
    let problem = workspace.event(args.seq).err().map(|e| e.to_string());
    let shown = Shown {
        entry: EntryView::of(&stored),
        envelope: String::from_utf8_lossy(&stored.envelope).into_owned(),
        verified: problem.is_none(),
        problem,
    };
    let exit = if shown.verified { Exit::Done } else { Exit::Integrity };
    Ok(Outcome::of(exit, shown).paged())
}
