//! What verifying found, as data and as a page.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::outcome::{Screen, View};
use crate::cli::text::{safe, safe_block, truncate};
use crate::domain::time::Time;
use crate::log::verdict::{Check, Status};
use crate::store::Difference;
use crate::workspace::{Payloads, Verification};

/// What verifying found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifyView {
    /// Nothing failed, and nothing that must be checked was left out, as it is in a bundle without payloads.
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
    /// Entries whose signer lacked the right to make them: the first thousand.
    pub invalid: Vec<InvalidView>,
    /// The last entry's time, where this machine's clock has not reached it.
    pub ahead_of_clock: Option<String>,
    /// Which payloads there were: `all`, `some` or `none`.
    pub payloads: String,
    /// The entries that no checkpoint from outside and no checkpoint with the wanted witnesses covers.
    pub unanchored: Option<UnanchoredView>,
    /// What became of the checkpoints given with `--checkpoint`.
    pub checkpoints: Vec<CheckpointView>,
    /// What became of the witnesses given with `--witness`.
    pub witnesses: Vec<WitnessView>,
    /// How many entries the pin on this disk covers, where it holds.
    pub pinned: Option<u64>,
    /// With `--since-pin`: entries before this one were taken for verified, because the pin covers them.
    pub verified_from: Option<u64>,
    /// Entries of identities that were retired as of an earlier entry. They count until each is revoked.
    pub disputed: u64,
    /// What was found that is no fault of the log, a line each, as a tail longer than `--max-unanchored`.
    pub findings: Vec<String>,
    /// Verified without a workspace.
    #[serde(skip)]
    pub from_bundle: bool,
    /// What this machine's clock said.
    #[serde(skip)]
    pub clock: Option<Time>,
}

/// Entries that nothing from outside covers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnanchoredView {
    /// How many.
    pub entries: u64,
    /// The first of them.
    pub from_seq: u64,
    /// When that one was signed.
    pub since: Option<String>,
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckpointView {
    /// The file.
    pub file: String,
    /// Entries that it covers, if the log signed it.
    pub size: Option<u64>,
    /// The log holds it.
    pub holds: bool,
    /// A stable word for what is wrong.
    pub reason: Option<String>,
}

/// A witness who was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WitnessView {
    /// The name in its key.
    pub name: String,
    /// Entries of the largest checkpoint that it signed; absent if it signed none.
    pub size: Option<u64>,
    /// When it says that it signed that one.
    pub at: Option<String>,
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
fn title(check: Check, outside: bool) -> &'static str {
    match check {
        Check::CanonicalForm => "canonical form",
        Check::Signatures => "signatures",
        Check::Chain => "chain",
        Check::TreeRoot => "tree root",
        Check::Commitments => "commitments",
        Check::Authority => "authority",
        Check::Projections => "projections",
        Check::PinAndWitnesses if outside => "pin, witnesses",
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
            payloads: match v.payloads {
                Payloads::Stored | Payloads::Lines => "all",
                Payloads::Some => "some",
                Payloads::None => "none",
            }
            .to_owned(),
            unanchored: v.unanchored.map(|u| UnanchoredView {
                entries: u.entries,
                from_seq: u.from,
                since: u.since.map(|t| t.to_string()),
            }),
            checkpoints: v
                .kept
                .into_iter()
                .map(|k| CheckpointView {
                    file: k.name,
                    size: k.size,
                    holds: k.fault.is_none(),
                    reason: k.fault.map(str::to_owned),
                })
                .collect(),
            witnesses: v
                .witnesses
                .into_iter()
                .map(|w| WitnessView { name: w.name, size: w.size, at: w.at.map(|t| t.to_string()) })
                .collect(),
            pinned: v.pinned,
            verified_from: v.since,
            disputed: v.disputed,
            findings: Vec::new(),
            from_bundle: false,
            clock: None,
        }
    }
}

impl VerifyView {
    /// Says what this machine's clock said.
    pub fn by_clock(mut self, clock: Time) -> VerifyView {
        self.clock = Some(clock);
        self
    }

    /// Marks it as that of a bundle. What such a one lacks was not verified.
    pub fn of_bundle(mut self) -> VerifyView {
        self.from_bundle = true;
        self.verified &= self.unchecked().is_empty();
        self
    }

    /// Whether anything is wrong with the log.
    pub fn failed(&self) -> bool {
        self.verdicts.iter().any(|v| v.status == Status::Failed.words())
    }

    /// The checks that should have been made and were not: what a bundle or a look behind the pin can never show, and what
    /// nobody asked for, is not among them.
    pub fn unchecked(&self) -> Vec<&str> {
        let left = self.verdicts.iter().filter(|v| v.status == Status::NotChecked.words()).map(|v| v.check.as_str());
        let never: &[Check] = match (self.from_bundle, self.verified_from) {
            (true, _) => &[Check::Projections, Check::PinAndWitnesses],
            (_, Some(_)) => &[Check::Projections, Check::Authority],
            _ => &[],
        };
        left.filter(|name| !never.iter().any(|check| check.name() == *name)).collect()
    }

    /// Makes a tail that is longer than allowed a finding.
    pub fn limit_tail(&mut self, most: u64) {
        if let Some(u) = self.unanchored.as_ref().filter(|u| u.entries > most) {
            self.findings.push(format!(
                "{} entries are not anchored, at most {most} may be: hand out a checkpoint: aosctl audit checkpoint",
                u.entries
            ));
        }
    }

    /// The last line of the page.
    fn verdict(&self) -> String {
        let root = self.root.get(..16).unwrap_or(&self.root);
        match self.verified_from {
            _ if self.failed() && self.from_bundle => {
                format!("NOT VERIFIED: {} entries. Keep this bundle.", self.entries)
            }
            _ if self.failed() => {
                format!("NOT VERIFIED: {} entries. Keep a copy of the workspace before you touch it.", self.entries)
            }
            Some(from) => {
                format!(
                    "verified since the pin: {} of {} entries, root {root}...",
                    self.entries.saturating_sub(from),
                    self.entries
                )
            }
            None if !self.unchecked().is_empty() => {
                format!("nothing is wrong with {} entries, as far as was checked; root {root}...", self.entries)
            }
            None => format!("verified: {} entries, root {root}...", self.entries),
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
        let outside = !self.checkpoints.is_empty() || !self.witnesses.is_empty() || self.from_bundle;
        for (v, check) in self.verdicts.iter().zip(Check::ALL) {
            let mut text = format!("{:<16} {:<12}", title(check, outside), v.status);
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
                for l in safe_block(detail, "                 ", screen.width, 6).lines {
                    page.push_str(l.trim_end());
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
        let mut wrapped = |text: &str| {
            for l in safe_block(text, "  ", screen.width, 4).lines {
                page.push_str(&l);
                page.push('\n');
            }
        };
        if let Some(t) = &self.ahead_of_clock {
            wrapped(&format!("the last entry was signed at {t}, ahead of this machine's clock"));
        }
        for c in self.checkpoints.iter().filter(|c| c.holds) {
            wrapped(&format!("checkpoint {} holds: {} entries", c.file, c.size.unwrap_or(0)));
        }
        for w in &self.witnesses {
            // Times of one form, so the order of the texts is that of the times.
            let ahead = |at: &String| self.clock.is_some_and(|clock| *at > clock.to_string());
            wrapped(&match (w.size, &w.at) {
                (None, _) => format!("witness {} signed nothing of this", w.name),
                (Some(size), Some(at)) if !ahead(at) => format!("witness {} signed {size} entries at {at}", w.name),
                (Some(size), Some(at)) => {
                    format!("witness {} signed {size} entries at {at}, ahead of this machine's clock", w.name)
                }
                (Some(size), None) => format!("witness {} signed {size} entries at a time beyond any date", w.name),
            });
        }
        if let Some(from) = self.verified_from.filter(|n| *n > 0) {
            wrapped(&format!(
                "entries 0 to {} were taken for verified, because the pin covers them; aosctl audit verify proves them",
                from - 1
            ));
        }
        if self.disputed > 0 {
            let (n, verb) = (self.disputed, if self.disputed == 1 { "entry is" } else { "entries are" });
            // Who has only a bundle cannot ask the workspace.
            let line = if self.from_bundle { "" } else { ": aosctl audit disputed" };
            wrapped(&format!("{n} {verb} disputed{line}"));
        }
        for finding in &self.findings {
            wrapped(finding);
        }
        let end = self.verdict();
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
