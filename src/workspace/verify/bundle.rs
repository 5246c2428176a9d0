//! A bundle, without any workspace: the same walk over its files.
//!
//! The payload lines come first: each is kept by its seq in a scratch database, so that lines in any order cost no memory.
//! Then the entries are streamed. The verdicts are those of [`crate::log::verify::verify_bundle`], which holds everything
//! in memory; tests run both over the same bundles.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use super::anchors::{Anchors, Outside, report_tail};
use super::run::Run;
use super::source::{Given, Payloads, Source};
use super::whole::disputed;
use super::{Verification, VerifyOptions};
use crate::domain::time::Time;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::payload::{PayloadFault, RECORD_LIMIT};
use crate::log::verdict::{Check, Report};
use crate::log::verify::{Coverage, check_tree_root, look_at_line};
use crate::store::{Store, scratch, scratch_lines};
use crate::sys::{SysError, files};
use crate::workspace::WorkspaceError;

/// The longest line of entries.jsonl that is read: far beyond the longest envelope, so that one that is only too long gets
/// a verdict.
const MAX_ENTRY_LINE: usize = 1_048_576;

/// Bytes that one batch may hold: a hostile bundle may have large lines only.
const BATCH_BYTES: usize = 4 * 1_048_576;

/// The files of a bundle, to be read once.
pub struct BundleFiles {
    /// `entries.jsonl`
    pub entries: Box<dyn BufRead>,
    /// `payloads.jsonl`, or `payloads-some.jsonl`.
    pub payloads: Option<Box<dyn BufRead>>,
    /// Those are only some of the payloads.
    pub some: bool,
    /// `checkpoint`
    pub checkpoint: Option<Vec<u8>>,
}

/// What the verifier of a bundle brings.
#[derive(Debug, Clone)]
pub struct BundleOptions {
    /// The log's key, from outside the bundle.
    pub vkey: VerifierKey,
    /// Threads for signatures; all cores where absent.
    pub threads: Option<usize>,
    /// What was kept elsewhere.
    pub outside: Outside,
}

/// Verifies a bundle. `progress` hears how many entries of how many are done, as far as the checkpoint says how many.
///
/// # Errors
/// Only where nothing could be read; whatever is wrong with the log is in the report.
pub fn verify_bundle(
    files: BundleFiles,
    options: &BundleOptions,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, WorkspaceError> {
    let dir = files::temporary_dir()?;
    let replay = scratch(&dir.path().join("replay.db"))?;
    let lines = scratch_lines(&dir.path().join("lines.db"))?;
    // Both files are open: their names are needed no more, so nothing is left behind, however this ends.
    drop(dir);
    let BundleFiles { entries, payloads, some, checkpoint } = files;
    let kind = match (&payloads, some) {
        (None, _) => Payloads::None,
        (Some(_), true) => Payloads::Some,
        (Some(_), false) => Payloads::Lines,
    };
    let vkey = &options.vkey;
    let anchors = Anchors::open(&options.outside, checkpoint.as_deref(), vkey);
    let mut run = Run::new(&lines, &replay, kind, &vkey.name, Some(vkey.key.0));
    anchors.sizes().for_each(|size| run.remember(size));
    let opened = checkpoint.as_deref().and_then(|note| Checkpoint::open(note, vkey).ok());
    let total = opened.map_or(0, |(checkpoint, _)| checkpoint.size);
    if let Some(file) = payloads {
        keep_lines(file, &lines, &mut run.report)?;
    }
    replay.begin_replay()?;
    let threads = VerifyOptions { vkey: None, threads: options.threads }.threads();
    let mut source = Lines { entries, lines: &lines, next: 0 };
    run.all(&mut source, threads, &mut |done| progress(done, total.max(done)))?;
    let invalid = run.settle()?;
    if kind != Payloads::None {
        lines_of_no_entry(&lines, run.chain.size(), &mut run.report)?;
    }
    replay.end_replay()?;
    check_tree_root(&mut run.report, &run.chain, checkpoint.as_deref(), vkey, Coverage::All);
    let anchored = anchors.compare(&mut run.report, &run.chain);
    let unanchored = report_tail(&mut run, anchored.covered, None);
    Ok(Verification {
        origin: vkey.name.clone(),
        size: run.chain.size(),
        root: run.chain.root().to_hex(),
        differences: Vec::new(),
        invalid,
        trusted: "given with --vkey",
        ahead_of_clock: run.last_at.filter(|at| *at > clock),
        payloads: kind,
        unanchored,
        kept: anchored.kept,
        witnesses: anchored.witnesses,
        pinned: None,
        since: None,
        disputed: disputed(&lines, &replay)?,
        report: run.report,
    })
}

/// Keeps every payload line by its seq.
fn keep_lines(mut file: Box<dyn BufRead>, lines: &Store, report: &mut Report) -> Result<(), WorkspaceError> {
    while let Some(line) = read_line(&mut file, RECORD_LIMIT)? {
        if line.cut {
            let detail = format!("a payload line is longer than {RECORD_LIMIT} bytes");
            report.fail(Check::CanonicalForm, None, "too_large", detail);
            continue;
        }
        // What stands at the end of a line is what it says, unless it cannot be parsed: then it says nothing, and that is
        // found when its entry is looked at, or here when it is odd in some other way.
        let at_end = seq_at_end(&line.bytes).filter(|_| line.ended);
        let (seq, fault) = at_end.map_or_else(|| look_at_line(&line.bytes), |seq| (Some(seq), None));
        if !line.ended {
            report.fail(Check::CanonicalForm, seq, "line_end", "the last payload line has no end");
        }
        let Some(seq) = seq else {
            report_form(report, None, fault);
            continue;
        };
        if lines.put_line(seq, &line.bytes)? {
            continue;
        }
        let before = look_at_line(&lines.line(seq)?.unwrap_or_default());
        match (before, look_at_line(&line.bytes)) {
            (_, (None, fault)) => report_form(report, None, fault),
            ((None, fault), _) => {
                report_form(report, None, fault);
                lines.replace_line(seq, &line.bytes)?;
            }
            (_, (_, fault)) => {
                report.fail(Check::Commitments, Some(seq), "payload_twice", "there are two payloads");
                report_form(report, Some(seq), fault);
            }
        }
    }
    Ok(())
}

/// The seq of a line by its last bytes, `,"seq":N}`: members are in order, and `seq` is the last. Of any line that can be
/// parsed it is the seq that the line says: these bytes can only be the last member of its object.
fn seq_at_end(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"}")?;
    let digits = line.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (rest, number) = line.split_at_checked(line.len() - digits)?;
    if !rest.ends_with(b",\"seq\":") {
        return None;
    }
    crate::log::checkpoint::natural(std::str::from_utf8(number).ok().filter(|n| !n.is_empty())?)
}

/// Lines whose entry is not there.
fn lines_of_no_entry(lines: &Store, size: u64, report: &mut Report) -> Result<(), WorkspaceError> {
    let mut from = size;
    let mut first = true;
    while let Some((seq, line)) = lines.line_from(from)? {
        let (said, fault) = look_at_line(&line);
        report_form(report, None, fault);
        if said.is_some() && std::mem::take(&mut first) {
            let detail = format!("there is a payload for entry {seq}, which is not there");
            report.fail(Check::Commitments, None, "payload_of_no_entry", detail);
        }
        from = seq + 1;
    }
    Ok(())
}

fn report_form(report: &mut Report, seq: Option<u64>, fault: Option<PayloadFault>) {
    if let Some(fault) = fault {
        report.fail(Check::CanonicalForm, seq, fault.kind(), fault.to_string());
    }
}

/// The entries of a bundle, each with its payload line.
struct Lines<'s> {
    entries: Box<dyn BufRead>,
    lines: &'s Store,
    next: u64,
}

impl Source for Lines<'_> {
    fn next(&mut self, most: usize) -> Result<Vec<Given>, WorkspaceError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < most && bytes < BATCH_BYTES {
            // Of a line that is far too long its beginning stands for it: it is no envelope either, and no leaf of any tree
            // that an honest log signed.
            let Some(line) = read_line(&mut self.entries, MAX_ENTRY_LINE)? else { break };
            let payload = self.lines.line(self.next)?;
            bytes += line.bytes.len() + payload.as_ref().map_or(0, Vec::len);
            batch.push(Given { envelope: line.bytes, payload, row: None, ended: line.ended });
            self.next += 1;
        }
        Ok(batch)
    }
}

/// One line of a file, without its end.
pub(in crate::workspace) struct Line {
    pub bytes: Vec<u8>,
    pub ended: bool,
    /// It was longer than is read; what stands behind its beginning was skipped.
    pub cut: bool,
}

/// The next line. An empty file has none; an empty line is one.
pub(in crate::workspace) fn read_line(file: &mut dyn BufRead, most: usize) -> Result<Option<Line>, WorkspaceError> {
    let io = |source| SysError::Io { action: "read the bundle", path: PathBuf::from("-"), source };
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = file.take(limit).read_until(b'\n', &mut bytes).map_err(io)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.pop_if(|b| *b == b'\n').is_some() {
        return Ok(Some(Line { bytes, ended: true, cut: false }));
    }
    if bytes.len() <= most {
        return Ok(Some(Line { bytes, ended: false, cut: false }));
    }
    let ended = skip_line(file).map_err(io)?;
    Ok(Some(Line { bytes, ended, cut: true }))
}

/// Reads on to the end of a line. False where the file ends first.
fn skip_line(file: &mut dyn BufRead) -> std::io::Result<bool> {
    loop {
        let (used, ended) = {
            let buffer = file.fill_buf()?;
            match buffer.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            }
        };
        file.consume(used);
        if ended || used == 0 {
            return Ok(ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_the_end_of_a_line() {
        for (line, seq) in [
            (r#"{"body":{},"salts":{},"seq":0}"#, Some(0)),
            (r#"{"body":{},"salts":{},"seq":9007199254740991}"#, Some(9_007_199_254_740_991)),
            (r#"{"body":{},"salts":{},"seq":9007199254740992}"#, None),
            (r#"{"body":{},"salts":{},"seq":01}"#, None),
            (r#"{"body":{},"salts":{},"seq":-1}"#, None),
            (r#"{"body":{},"salts":{},"seq":}"#, None),
            (r#"{"seq":1}"#, None),
            (r#"{"body":{},"salts":{},"seq": 1}"#, None),
            (r#"{"body":{},"salts":{},"seq":1}}"#, None),
            ("", None),
        ] {
            assert_eq!(seq_at_end(line.as_bytes()), seq, "{line}");
        }
    }

    #[test]
    fn lines_end_or_are_cut() {
        let mut file = std::io::BufReader::with_capacity(3, &b"ab\n\nabcdef\nabcd\nabcde\nxy"[..]);
        let mut next = || read_line(&mut file, 4).unwrap().map(|l| (l.bytes, l.ended, l.cut));
        assert_eq!(next(), Some((b"ab".to_vec(), true, false)));
        assert_eq!(next(), Some((b"".to_vec(), true, false)));
        assert_eq!(next(), Some((b"abcde".to_vec(), true, true)));
        assert_eq!(next(), Some((b"abcd".to_vec(), true, false)));
        assert_eq!(next(), Some((b"abcde".to_vec(), true, true)));
        assert_eq!(next(), Some((b"xy".to_vec(), false, false)));
        assert_eq!(next(), None);
    }
}
