//! A workspace, whole.

use super::anchors::{Anchors, Outside, report_tail};
use super::run::Run;
use super::source::{Payloads, Rows};
use super::{MAX_DIFFERENCES, Verification, VerifyOptions};
use crate::domain::event::Event;
use crate::domain::time::Time;
use crate::identity::PlainKind;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::key::PublicKey;
use crate::log::verdict::{Check, Report};
use crate::log::verify::{ChainChecker, Coverage, check_tree_root, inspect};
use crate::store::{Difference, Head, Store, StoreError, Stored, scratch};
use crate::sys::files;
use crate::workspace::{Place, WorkspaceError, pin, read_plain, rollback};

/// Verifies the workspace of a place. `progress` hears how many entries of how many are done.
///
/// # Errors
/// Only where nothing could be read at all; whatever is wrong with the log is in the report.
pub fn verify(
    place: &Place,
    options: &VerifyOptions,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, WorkspaceError> {
    verify_against(place, options, &Outside::default(), clock, progress)
}

/// As [`verify`], against what was kept elsewhere, too.
///
/// # Errors
/// As [`verify`].
pub fn verify_against(
    place: &Place,
    options: &VerifyOptions,
    outside: &Outside,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, WorkspaceError> {
    let db = place.database();
    if !place.has_database()? {
        return Err(WorkspaceError::Missing { dir: place.dir.clone() });
    }
    let store = Store::open(&db)?;
    let dir = files::temporary_dir()?;
    let scratch_path = dir.path().join("replay.db");
    let replay = scratch(&scratch_path)?;
    store.attach_scratch(&scratch_path)?;
    let schema = store.compare_schema(MAX_DIFFERENCES)?;
    // Both have the file open by now, so its name is needed no more: whoever ends this early, with Ctrl-C too, leaves no
    // copy of the tables behind.
    drop(dir);
    let work = Work { place, options, outside, clock, store: &store, replay: &replay };
    work.examine(progress).map_err(|e| match e {
        // Where a table is not the table that it was, reading it may be impossible: that is the finding.
        WorkspaceError::Store(StoreError::Sql(e)) if !schema.is_empty() => {
            let rows: Vec<String> = schema.iter().map(|d| format!("row {}: {}", d.row, d.kind)).collect();
            WorkspaceError::integrity(None, format!("table sqlite_schema, {} ({e})", rows.join(", ")))
        }
        e => e,
    })
}

struct Work<'a> {
    place: &'a Place,
    options: &'a VerifyOptions,
    outside: &'a Outside,
    clock: Time,
    store: &'a Store,
    replay: &'a Store,
}

impl Work<'_> {
    fn examine(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Verification, WorkspaceError> {
        let Work { place, options, store, replay, .. } = *self;
        let name = name_of(store)?;
        let (vkey, trusted) = trusted_key(place, &name, options, store)?;
        // Before the snapshot: a writer that commits in between moves the pin past what the snapshot shows.
        let pin = pin::note(&place.state_of(&name))?;
        let _snapshot = store.snapshot()?;
        let total = store.last_seq()?.map_or(0, |n| n + 1);

        let mut run = Run::new(store, replay, Payloads::Stored, &name, vkey.as_ref().map(|k| k.key.0));
        let any_key = vkey.clone().unwrap_or_else(|| run.own_key(&name));
        let anchors = Anchors::open(self.outside, pin.as_deref(), &any_key);
        anchors.sizes().for_each(|size| run.remember(size));
        replay.begin_replay()?;
        run.all(&mut Rows::from(store, 0), options.threads(), &mut |done| progress(done, total))?;
        let invalid = run.settle()?;
        self.rows_too_many(&mut run)?;
        if run.chain.size() > 0 {
            let at = run.last_at.unwrap_or(Time::from_millis(0));
            replay.set_replayed_head(&Head {
                size: run.chain.size(),
                frontier: run.chain.frontier().to_bytes(),
                leaf: run.chain.last_leaf().0,
                at,
            })?;
        }
        replay.end_replay()?;

        check_tree_root(&mut run.report, &run.chain, pin.as_deref(), &any_key, Coverage::Beginning);
        let head = store.head().ok().flatten().map(|h| h.size);
        let ground = Ground { place, name: &name, options, head };
        let pinned = match (&pin, &vkey) {
            (Some(note), Some(key)) => ground.check_pin(&mut run.report, &run.chain, note, key),
            (pin, _) => {
                ground.no_pin(&mut run.report, pin.is_some());
                None
            }
        };
        let anchored = anchors.compare(&mut run.report, &run.chain);
        let unanchored = report_tail(&mut run, anchored.covered, pinned);

        run.report.checked(Check::Projections);
        let mut differences = std::mem::take(&mut run.column_differences);
        differences.extend(store.compare(MAX_DIFFERENCES)?);
        if let Some(d) = differences.first() {
            let detail = format!("table {}, row {}: {}", d.table, d.row, d.kind);
            run.report.fail(Check::Projections, None, "projection", detail);
        }
        Ok(Verification {
            origin: name,
            size: run.chain.size(),
            root: run.chain.root().to_hex(),
            differences,
            invalid,
            trusted,
            ahead_of_clock: run.last_at.filter(|at| *at > self.clock),
            payloads: Payloads::Stored,
            unanchored,
            kept: anchored.kept,
            witnesses: anchored.witnesses,
            pinned,
            since: None,
            disputed: disputed(store, replay)?,
            report: run.report,
        })
    }

    /// Rows that reading from 0 on never meets.
    fn rows_too_many(&self, run: &mut Run<'_>) -> Result<(), WorkspaceError> {
        for seq in self.store.entries_before_first()? {
            run.report.fail(Check::Chain, None, "before_first", format!("there is an entry {seq}, before the first"));
            run.column_differences.push(Difference {
                table: "entries".into(),
                row: seq.to_string(),
                columns: Vec::new(),
                kind: "inserted".into(),
                example: None,
            });
        }
        if let Some(seq) = self.store.orphan_payloads()?.first() {
            let detail = format!("there is a payload for entry {seq}, which is not there");
            run.report.fail(Check::Commitments, None, "payload_of_no_entry", detail);
        }
        Ok(())
    }
}

/// Entries by identities that were retired as of an earlier entry. They stay valid until each is revoked.
pub(super) fn disputed(log: &Store, replay: &Store) -> Result<u64, WorkspaceError> {
    let mut count = 0;
    for identity in replay.disputed_identities()? {
        if let Some(from) = identity.disputed_from {
            count += log.entries_by(&identity.id.to_string(), from)?;
        }
    }
    Ok(count)
}

/// What the pin is judged on.
pub(super) struct Ground<'a> {
    pub place: &'a Place,
    pub name: &'a str,
    pub options: &'a VerifyOptions,
    /// Where the log ends by the tables' own account.
    pub head: Option<u64>,
}

impl Ground<'_> {
    /// Checks that the log continues what the pin remembers. Returns how many entries it covers, if it holds.
    pub fn check_pin(&self, report: &mut Report, chain: &ChainChecker, pin: &[u8], vkey: &VerifierKey) -> Option<u64> {
        report.checked(Check::PinAndWitnesses);
        let mut fail = |seq: Option<u64>, reason: &'static str, detail: String| {
            report.fail(Check::PinAndWitnesses, seq, reason, detail);
            None
        };
        if self.is_other_log() {
            return fail(None, "other_log", self.other_log());
        }
        let pin = match Checkpoint::open(pin, vkey) {
            Ok((pin, _)) => pin,
            Err(fault) => return fail(None, fault.of_pin(), format!("the pin cannot be used: {fault}. {ELSEWHERE}")),
        };
        let (covered, size) = (pin.size, chain.size());
        if covered > size {
            // Whoever cuts entries off with an editor leaves tables that still know of them; an older copy agrees with
            // itself.
            let (reason, what) = match self.head {
                Some(head) if head > size => ("tail_cut", "its last entries were cut off"),
                _ => ("rolled_back", "an older copy was put back"),
            };
            let detail = format!("the pin covers {covered} entries, there are {size}: {what}. {BACK}");
            return fail(Some(size), reason, detail);
        }
        if chain.root_at(covered) != Some(pin.root) {
            let what = "another history of this log was put here, or its entries were changed";
            let detail = format!("the first {covered} entries are not those that were pinned: {what}. {ELSEWHERE}");
            return fail(None, "fork", detail);
        }
        Some(covered)
    }

    /// There is no pin, or no key to verify it with.
    pub fn no_pin(&self, report: &mut Report, there: bool) {
        let (reason, detail) = if self.is_other_log() {
            ("other_log", self.other_log())
        } else if there {
            ("no_trusted_key", "there is no key to verify the pin with: give it with --vkey".to_owned())
        } else {
            (
                "pin_missing",
                format!(
                    "the pin outside the workspace is missing. {ELSEWHERE}. Nothing is opened until an operator types: \
                     aosctl workspace accept-rollback --reason TEXT"
                ),
            )
        };
        report.fail(Check::PinAndWitnesses, None, reason, detail);
    }

    /// The log is another one than the verifier's key names, or one that this machine knows nothing of while it knows
    /// others, or one that lies where another one lay.
    fn is_other_log(&self) -> bool {
        if let Some(key) = &self.options.vkey {
            return key.name != self.name;
        }
        let state = self.place.state_of(self.name);
        let unknown = !state.join("log.json").exists() && !state.join("pin").exists();
        unknown && self.knows_others() || rollback::was_here_before(self.place, self.name).is_some()
    }

    fn knows_others(&self) -> bool {
        let Ok(mut dirs) = std::fs::read_dir(&self.place.state) else { return false };
        dirs.any(|d| d.is_ok_and(|d| d.path().join("log.json").exists()))
    }

    fn other_log(&self) -> String {
        let name = if self.name.is_empty() { "without a name" } else { self.name };
        format!(
            "this log ({name}) is another one than is known here: put the right workspace back, or name it: --workspace"
        )
    }
}

const BACK: &str = "Put the newest copy back; if there is none: aosctl workspace accept-rollback";

const ELSEWHERE: &str = "Compare with one kept elsewhere: aosctl audit verify --checkpoint FILE";

/// The log's name: what the pin's directory is called after, so another name finds no pin.
fn name_of(store: &Store) -> Result<String, WorkspaceError> {
    use crate::domain::facts::Facts;
    let from_entry =
        store.entry(0)?.map(|s| inspect(&s.envelope, None)).and_then(|i| i.header().map(|h| h.log.clone()));
    // A table that cannot be read is found by the comparison; here it only means that the name is not known from it.
    let from_table = || store.tables().origin().ok().flatten().map(|o| o.name.clone());
    Ok(from_entry.or_else(from_table).unwrap_or_default())
}

pub(super) fn trusted_key(
    place: &Place,
    name: &str,
    options: &VerifyOptions,
    store: &Store,
) -> Result<(Option<VerifierKey>, &'static str), WorkspaceError> {
    if let Some(key) = &options.vkey {
        return Ok((Some(key.clone()), "given with --vkey"));
    }
    let path = place.state_of(name).join("log.json");
    if let Ok(identity) = read_plain(&path, PlainKind::Log) {
        return Ok((
            Some(VerifierKey::for_log(name, &PublicKey(identity.signer().public()))),
            "from the state directory",
        ));
    }
    let own = store.entry(0)?.as_ref().and_then(created_log_key).map(|log| VerifierKey::for_log(name, &PublicKey(log)));
    Ok((own, "from the log itself: no key from elsewhere was found"))
}

/// The log's key that entry 0 carries.
fn created_log_key(stored: &Stored) -> Option<[u8; 32]> {
    let record = crate::log::payload::Record::parse(stored.record.as_deref()?).ok()?;
    match Event::parse("workspace.created/1", &record.body)? {
        Ok(Event::WorkspaceCreated(b)) => Some(b.log_key.0),
        _ => None,
    }
}
