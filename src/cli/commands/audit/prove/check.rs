//! `aosctl audit verify --proof`: a receipt or a consistency proof, checked without a workspace.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::view::ProvedEntry;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::time::Time;
use crate::evidence::proof::{self, CONSISTENCY_LIMIT, Consistency, note_does_not_hold};
use crate::evidence::receipt::{OPENING_LIMIT, Opening};
use crate::log::checkpoint::{Checkpoint, SignatureLine, VerifierKey};
use crate::log::envelope::Envelope;
use crate::log::key::PublicKey;
use crate::log::receipt::{Receipt, ReceiptFault};
use crate::sys::files;

/// The largest receipt.
const RECEIPT_LIMIT: usize = 262_144;

/// What is to be checked without a workspace.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ProofArgs {
    /// Check a receipt or a consistency proof (aosctl audit prove), without a workspace
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "vkey", conflicts_with_all = ["bundle", "since_pin", "checkpoint", "max_unanchored", "monitor"])]
    pub proof: Option<PathBuf>,
    /// With --proof: the members of the payload that were opened with the receipt
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "proof")]
    pub payload: Option<PathBuf>,
}

/// What the verifier brings.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// The log's key.
    pub vkey: &'a VerifierKey,
    /// Witnesses whose cosignatures are wanted.
    pub witnesses: &'a [VerifierKey],
    /// How many of them at least; all where absent.
    pub quorum: Option<usize>,
}

/// What a proof shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProofView {
    /// It holds.
    pub verified: bool,
    /// `receipt` or `consistency`.
    pub kind: &'static str,
    /// The log that is trusted.
    pub log: String,
    /// What does not hold, in a stable word.
    pub reason: Option<String>,
    /// What does not hold.
    pub problem: Option<String>,
    /// How many entries the (newer) checkpoint covers.
    pub entries: Option<u64>,
    /// Their Merkle root, hex.
    pub root: Option<String>,
    /// How many entries the older checkpoint covers, for a consistency proof.
    pub older_entries: Option<u64>,
    /// The entry, for a receipt.
    pub entry: Option<ProvedEntry>,
    /// Members of its payload that were opened, and are what it commits to.
    pub opened: Map<String, Value>,
    /// Members of its payload that stay closed.
    pub closed: Vec<String>,
    /// Witnesses that cosigned the (newer) checkpoint, and when they say they did.
    pub witnesses: Vec<Cosignature>,
    /// What follows from it by no means.
    pub not_proven: Vec<&'static str>,
}

/// A witness's line that holds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cosignature {
    /// The witness's name.
    pub name: String,
    /// When, as it says.
    pub time: String,
}

/// Something that does not hold: a stable word and a sentence.
type Problem = (String, String);

impl ProofView {
    fn new(kind: &'static str, vkey: &VerifierKey) -> ProofView {
        ProofView {
            verified: false,
            kind,
            log: vkey.name.clone(),
            reason: None,
            problem: None,
            entries: None,
            root: None,
            older_entries: None,
            entry: None,
            opened: Map::new(),
            closed: Vec::new(),
            witnesses: Vec::new(),
            not_proven: Vec::new(),
        }
    }

    fn covers(&mut self, checkpoint: &Checkpoint) {
        self.entries = Some(checkpoint.size);
        self.root = Some(checkpoint.root.to_hex());
    }

    fn outcome(mut self, result: Result<(), Problem>) -> Outcome {
        self.verified = result.is_ok();
        if let Err((reason, problem)) = result {
            (self.reason, self.problem) = (Some(reason), Some(problem));
            return Outcome::of(Exit::Integrity, self);
        }
        Outcome::of(Exit::Done, self)
    }
}

impl View for ProofView {
    const SCHEMA: &'static str = "aosctl.audit-proof/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut page = String::new();
        let mut field = |name: &str, value: &str| page.push_str(&show::field(screen, name, value));
        field("log", &self.log);
        if let Some(older) = self.older_entries {
            field("from", &format!("a checkpoint of {older} entries"));
        }
        if let Some(entries) = self.entries {
            field("checkpoint", &format!("{entries} entries, signed by the log"));
        }
        for w in &self.witnesses {
            field("witness", &format!("{}, at {}", w.name, w.time));
        }
        if let Some(entry) = &self.entry {
            page.push_str(&entry.page(screen));
        }
        for (name, value) in &self.opened {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            page.push_str(&show::field(screen, &safe(name), &text));
        }
        for name in &self.closed {
            page.push_str(&show::field(screen, &safe(name), "(closed)"));
        }
        for line in &self.not_proven {
            page.push_str(&show::field(screen, "not proven", line));
        }
        let end = match (&self.problem, self.kind) {
            (Some(problem), _) => format!("DOES NOT HOLD: {}", safe(problem)),
            (None, "receipt") => "holds: the log has this entry at this place".into(),
            (None, _) => "holds: the newer checkpoint continues the older one".into(),
        };
        let end = crate::cli::fold::line(&end, screen.width);
        page.push_str(&screen.style.bold(&end));
        page.push('\n');
        page
    }
}

/// Checks a proof: exit 0 where it holds, 4 where it does not, 3 where it cannot be read.
pub fn run(proof: &Path, payload: Option<&Path>, trust: Trust<'_>) -> Result<Outcome, CliError> {
    let bytes = files::read_limited(proof, RECEIPT_LIMIT.max(CONSISTENCY_LIMIT))?;
    let unreadable = |e: &dyn std::fmt::Display| {
        CliError::could_not("bad_proof", safe(&format!("{}: {e}", proof.display())))
            .hint("it is what aosctl audit prove wrote, byte for byte")
    };
    if bytes.starts_with(proof::VERSION.as_bytes()) {
        if payload.is_some() {
            return Err(CliError::usage("--payload goes with a receipt, and this is a consistency proof"));
        }
        let parsed = Consistency::parse(&bytes).map_err(|e| unreadable(&e))?;
        let mut view = ProofView::new("consistency", trust.vkey);
        view.not_proven
            .push("that what the entries say is true, or was allowed: only that none of the older ones changed");
        return match parsed.verify(trust.vkey) {
            Ok(found) => {
                view.covers(&found.new);
                view.older_entries = Some(found.old.size);
                let witnessed = witnessed(&found.new, &found.lines, trust, &mut view.witnesses);
                Ok(view.outcome(witnessed))
            }
            Err(e) if e.does_not_hold() => Ok(view.outcome(Err(("consistency".into(), e.to_string())))),
            Err(e) => Err(unreadable(&e)),
        };
    }
    let receipt = Receipt::parse(&bytes).map_err(|e| unreadable(&e))?;
    // Read before anything is judged: a file that cannot be read is no verdict.
    let opening = match payload {
        None => None,
        Some(path) => {
            let bytes = files::read_limited(path, OPENING_LIMIT)?;
            let parsed = Opening::parse(&bytes).map_err(|e| {
                CliError::could_not("bad_payload", safe(&format!("{}: {e}", path.display())))
                    .hint("it is what aosctl audit prove --payload wrote, byte for byte")
            })?;
            Some(parsed)
        }
    };
    let mut view = ProofView::new("receipt", trust.vkey);
    let shown = match receipt.verify(trust.vkey) {
        Ok(shown) => shown,
        Err(e) if unread(e) => return Err(unreadable(&e)),
        Err(e) => return Ok(view.outcome(Err((e.kind().into(), e.to_string())))),
    };
    let header = &shown.envelope.header;
    view.covers(&shown.checkpoint);
    view.entry = Some(ProvedEntry::of(&shown.envelope));
    let mut result = Ok(());
    if header.actor == "log" {
        result = by_the_log(&shown.envelope, trust.vkey);
    } else {
        view.not_proven
            .push("that its signer's signature holds, and whose key it is: that takes the signer's public key");
    }
    view.not_proven.push("that its signer had the right to make it: that takes the log (aosctl audit verify --bundle)");
    view.not_proven.push("that it stood: a later entry may have revoked, corrected or voided it");
    if let Some(opening) = opening {
        if result.is_ok() {
            result = opening.verify(header).map_err(|e| ("payload".into(), e.to_string()));
        }
        if result.is_ok() {
            view.closed = opening.fields.keys().cloned().collect();
            view.opened = opening.body;
        }
    }
    let witnessed = witnessed(&shown.checkpoint, &shown.lines, trust, &mut view.witnesses);
    Ok(view.outcome(result.and(witnessed)))
}

/// An entry that the log signed itself is signed by the key that is trusted.
fn by_the_log(envelope: &Envelope, vkey: &VerifierKey) -> Result<(), Problem> {
    let holds = envelope.verify(&vkey.key).is_ok();
    if holds { Ok(()) } else { Err(("signature".into(), "the log's own signature on the entry does not hold".into())) }
}

/// Whether the receipt could not be read at all.
fn unread(fault: ReceiptFault) -> bool {
    match fault {
        ReceiptFault::Note(fault) => !note_does_not_hold(fault),
        ReceiptFault::Text
        | ReceiptFault::Version
        | ReceiptFault::Extra
        | ReceiptFault::Index
        | ReceiptFault::Base64
        | ReceiptFault::Proof => true,
        ReceiptFault::Inclusion | ReceiptFault::Entry(_) | ReceiptFault::Seq | ReceiptFault::Log => false,
    }
}

/// Enough witnesses, by distinct keys, and no line by any of them that does not hold.
fn witnessed(
    checkpoint: &Checkpoint,
    lines: &[SignatureLine],
    trust: Trust<'_>,
    found: &mut Vec<Cosignature>,
) -> Result<(), Problem> {
    let mut keys: Vec<PublicKey> = Vec::new();
    for witness in trust.witnesses {
        match checkpoint.verify_cosignature(lines, witness) {
            Ok(time) => {
                let millis = i64::try_from(time).unwrap_or(i64::MAX).saturating_mul(1000);
                found.push(Cosignature { name: witness.name.clone(), time: Time::from_millis(millis).to_string() });
                if !keys.contains(&witness.key) {
                    keys.push(witness.key);
                }
            }
            Err(crate::log::checkpoint::NoteFault::CosignatureMissing) => {}
            Err(fault) => return Err((fault.kind().into(), format!("{}: {fault}", witness.name))),
        }
    }
    let wanted = trust.quorum.unwrap_or(trust.witnesses.len());
    if keys.len() < wanted {
        let problem = format!("{} of the {wanted} witnesses needed signed the checkpoint", keys.len());
        return Err(("cosignature_missing".into(), problem));
    }
    Ok(())
}
