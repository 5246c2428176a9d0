//! README.txt of a pack. Lines that begin with four spaces are commands, and a test runs each of them.

use crate::evidence::export::Export;
use crate::evidence::pack::Pack;

/// The page: 80 columns, nothing of now.
pub(super) fn page(pack: &Pack, export: &Export<'_>) -> String {
    let receipts = if export.survey().may_be_signed() {
        "receipts/       for the entry of each line: a proof that the log holds it, in\n                \
         the form of C2SP tlog-proof, checkable without the rest\n"
    } else {
        "NO RECEIPTS: the end of this log is not what its log identity signed before.\n"
    };
    format!(
        "FOR AN AUDITOR: WHAT AGENTS WERE ALLOWED AND DID, AND HOW TO CHECK IT

log       {origin}
period    {since} to before
          {until}
entries   0 to {last}; those of the period begin with {first}

index.html      what happened in the period, line by line, each with its entry
samples/        the same lines as CSV, complete, to draw samples from
{receipts}bundle/         every entry and payload up to the end of the period, with the
                keys; bundle/README.txt says how to verify all of it by hand
verify.py       verifies the bundle: Python 3.9, the package cryptography,
                and its table events.txt beside it

Everything in index.html and samples/ follows from bundle/. The keys in here
prove nothing by themselves: get the log's verifier key from its operator in
another way, as VKEY.

The whole bundle; each of these two was written without the other:

    python3 verify.py bundle --vkey \"$VKEY\"
    aosctl audit verify --bundle bundle --vkey \"$VKEY\"

One line of a sample, by the receipt that it names:

    P=receipts/$(ls receipts | head -n 1)
    aosctl audit verify --proof $P --vkey \"$VKEY\"

The same entry in the bundle, by hand: the receipt's line \"extra\" is the entry,
in base64, as it stands in bundle/entries.jsonl:

    sed -n 's/^extra //p' $P | base64 -d |
      grep -qxFf- bundle/entries.jsonl && echo in
",
        origin = export.vkey().name,
        since = pack.period.since,
        until = pack.period.until,
        last = export.survey().end.saturating_sub(1),
        first = pack.first,
    )
}
