//! Verdicts: what verifying found, one for each thing that is checked, as values.

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Header and envelope shape, base64, times, payload lines.
    CanonicalForm,
    /// Count, key id, length, signer, equation.
    Signatures,
    /// `log`, `seq`, `prev`, order of `at`.
    Chain,
    /// The checkpoint against the entries.
    TreeRoot,
    /// Payloads against commitments, and erasures.
    Commitments,
    /// The authority table.
    Authority,
    /// Tables against a replay.
    Projections,
    /// What the verifier brought against the log.
    PinAndWitnesses,
    /// Entries that nothing from outside covers.
    UnanchoredTail,
}

impl Check {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Check; 9] = [
        Check::CanonicalForm,
        Check::Signatures,
        Check::Chain,
        Check::TreeRoot,
        Check::Commitments,
        Check::Authority,
        Check::Projections,
        Check::PinAndWitnesses,
        Check::UnanchoredTail,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Check::CanonicalForm => "canonical_form",
            Check::Signatures => "signatures",
            Check::Chain => "chain",
            Check::TreeRoot => "tree_root",
            Check::Commitments => "commitments",
            Check::Authority => "authority",
            Check::Projections => "projections",
            Check::PinAndWitnesses => "pin_and_witnesses",
            Check::UnanchoredTail => "unanchored_tail",
        }
    }
}

/// The outcome of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Checked, and nothing wrong.
    Ok,
    /// Something is wrong, or something required is absent.
    Failed,
    /// Not checked.
    NotChecked,
    /// Nothing is wrong, but there is something to know.
    Reported,
}

impl Status {
    /// The words of the format: `ok`, `failed`, `not checked`, `reported`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Failed => "failed",
            Status::NotChecked => "not checked",
            Status::Reported => "reported",
        }
    }
}

/// One check's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was checked.
    pub check: Check,
    /// How it came out.
    pub status: Status,
    /// The first bad entry; the first missing one where entries are missing; none for a root mismatch.
    pub first_bad_seq: Option<u64>,
    /// A stable word for the reason; empty where there is none.
    pub reason: &'static str,
    /// For people.
    pub detail: String,
}

/// All verdicts. Begins with nothing checked, so that what was forgotten never reads as fine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    verdicts: Vec<Verdict>,
}

impl Default for Report {
    fn default() -> Self {
        Report::new()
    }
}

impl Report {
    /// Nothing checked.
    #[must_use]
    pub fn new() -> Report {
        let verdict = |check| Verdict {
            check,
            status: Status::NotChecked,
            first_bad_seq: None,
            reason: "",
            detail: String::new(),
        };
        Report { verdicts: Check::ALL.map(verdict).into() }
    }

    /// All verdicts, in the order of [`Check::ALL`].
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// One verdict.
    #[must_use]
    pub fn get(&self, check: Check) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.check == check)
    }

    /// The status of one check.
    #[must_use]
    pub fn status(&self, check: Check) -> Status {
        self.get(check).map_or(Status::NotChecked, |verdict| verdict.status)
    }

    /// Whether any check failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.verdicts.iter().any(|verdict| verdict.status == Status::Failed)
    }

    /// Says that a check was made: ok, unless it failed or has something to report.
    pub fn checked(&mut self, check: Check) {
        self.update(check, |verdict| {
            if verdict.status == Status::NotChecked {
                verdict.status = Status::Ok;
            }
        });
    }

    /// Records a fault. Of several, the one with the lowest seq stands, then the one recorded first; a fault
    /// without a seq gives way to one with.
    pub fn fail(&mut self, check: Check, seq: Option<u64>, reason: &'static str, detail: impl Into<String>) {
        self.update(check, |verdict| {
            let order = |seq: Option<u64>| seq.unwrap_or(u64::MAX);
            if verdict.status != Status::Failed || order(seq) < order(verdict.first_bad_seq) {
                *verdict = Verdict { check, status: Status::Failed, first_bad_seq: seq, reason, detail: detail.into() };
            }
        });
    }

    /// Records something to know. A failure stands over it.
    pub fn report(&mut self, check: Check, seq: Option<u64>, reason: &'static str, detail: impl Into<String>) {
        self.update(check, |verdict| {
            if verdict.status != Status::Failed {
                *verdict =
                    Verdict { check, status: Status::Reported, first_bad_seq: seq, reason, detail: detail.into() };
            }
        });
    }

    /// Says that a check was not made, or not in full, and why. A failure stands over it.
    pub fn leave(&mut self, check: Check, reason: &'static str, detail: impl Into<String>) {
        self.update(check, |verdict| {
            if verdict.status != Status::Failed {
                let status = Status::NotChecked;
                *verdict = Verdict { check, status, first_bad_seq: None, reason, detail: detail.into() };
            }
        });
    }

    /// Takes in what another part of the work found. A check counts as made if either made it.
    pub fn merge(&mut self, other: Report) {
        for verdict in other.verdicts {
            let Verdict { check, status, first_bad_seq, reason, detail } = verdict;
            match status {
                Status::Ok => self.checked(check),
                Status::Failed => self.fail(check, first_bad_seq, reason, detail),
                Status::Reported => self.report(check, first_bad_seq, reason, detail),
                Status::NotChecked => {}
            }
        }
    }

    fn update(&mut self, check: Check, change: impl FnOnce(&mut Verdict)) {
        if let Some(verdict) = self.verdicts.iter_mut().find(|verdict| verdict.check == check) {
            change(verdict);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_fault_stands() {
        let mut report = Report::new();
        report.checked(Check::Chain);
        assert_eq!(report.status(Check::Chain), Status::Ok);
        report.fail(Check::Chain, None, "a", "");
        report.fail(Check::Chain, Some(7), "b", "");
        report.fail(Check::Chain, Some(9), "c", "");
        let mut other = Report::new();
        other.fail(Check::Chain, Some(7), "d", "");
        other.report(Check::UnanchoredTail, Some(1), "tail", "");
        report.merge(other);
        report.checked(Check::Chain);
        report.report(Check::Chain, None, "e", "");
        assert_eq!(report.get(Check::Chain).map(|v| (v.first_bad_seq, v.reason)), Some((Some(7), "b")));
        assert_eq!(report.status(Check::UnanchoredTail), Status::Reported);
        assert_eq!(report.status(Check::Authority), Status::NotChecked);
        assert!(report.failed());
    }
}
