"""A whole log judged: the verdicts of the specification, each with the first bad seq.

Three ways to find the signers' keys and to judge authority: `names` (keys given, authority not judged, as for the vectors
of logs/format), or a replay by authority.py under one of its two body schemas.
"""

import functools

import authority
import entry
import note
import tree

VERDICTS = (
    "canonical_form", "signatures", "chain", "tree_root", "commitments", "authority", "pin_and_witnesses",
)  # fmt: skip


@functools.lru_cache(maxsize=None)
def read_entry(data):
    return entry.Entry(data)


@functools.lru_cache(maxsize=None)
def read_record(data, seq):
    return entry.Record(data, seq)


class Log:
    """What a verifier was given: envelopes, records, the trusted key, a checkpoint, a pin, witnesses."""

    def __init__(self, envelopes, records, vkey, checkpoint, pin=None, witnesses=(), quorum=0):
        self.envelopes, self.records, self.vkey, self.checkpoint = envelopes, records, vkey, checkpoint
        self.pin, self.witnesses, self.quorum = pin, witnesses, quorum
        # In a workspace the seq stands beside a record, in a bundle in it.
        self.workspace = any(seq is not None for seq, _ in records)


class Verdicts:
    """For each verdict None (ok), or the first bad seq and a word; and what is only reported."""

    def __init__(self):
        self.failed = {}
        self.voided, self.disputed = [], []
        self.unanchored = None

    def fail(self, verdict, seq, why):
        """Keeps the lowest seq; one without a seq only where there is no other."""
        before = self.failed.get(verdict)
        if before is None or (seq is not None and (before[0] is None or seq < before[0])):
            self.failed[verdict] = (seq, why)


def lines_of(data):
    """Lines, each ended by one LF; what follows the last LF is a line too."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def bundle_records(data):
    """(None, line): the seq stands in the line."""
    return [(None, line) for line in lines_of(data)]


def verify(log, names=None, schema=None):
    out = Verdicts()
    entries = [read_entry(e) for e in log.envelopes]
    records = collect(log, len(entries), out)
    for seq, e in enumerate(entries):
        if e.form:
            out.fail("canonical_form", seq, e.form)
    commitments(entries, records, out)
    log_key = note.Key(log.vkey)
    if names is not None:
        for seq, e in enumerate(entries):
            why = e.signature_fault(names.get(e.get("actor")))
            if why:
                out.fail("signatures", seq, why)
        erasures = authority.claimed_erasures(records)
        origin = log_key.name
    else:
        replay = authority.Replay(schema, log_key, entries, records)
        replay.run(out)
        erasures, origin = replay.erasures, replay.origin or log_key.name
    erased(entries, records, erasures, out)
    chain(entries, origin, out)
    leaves = [e.leaf for e in entries]
    root(log, log_key, leaves, out)
    pin(log, log_key, leaves, out)
    return out


def collect(log, size, out):
    """Records by seq; the first one stands where there are two."""
    records = {}
    for seq, data in log.records:
        record = read_record(data, seq)
        if record.form:
            out.fail("canonical_form", record.seq if seq is not None or record.fields is not None else None, record.form)
        if record.seq is None:
            continue
        if record.seq >= size:
            out.fail("commitments", record.seq, "payload_of_no_entry")
        elif record.seq in records:
            out.fail("commitments", record.seq, "payload_twice")
        else:
            records[record.seq] = record
    return records


def commitments(entries, records, out):
    """Every entry has a record that gives its commit. A record that does not is no body that anybody may read."""
    for seq, e in enumerate(entries):
        record = records.get(seq)
        if e.header is None:
            why = "unreadable"
        elif record is None or record.fields is None:
            why = "payload_missing"
        else:
            why = None if record.commit == e.get("commit") else "commit"
        if why:
            out.fail("commitments", seq, why)
            if record is not None and why == "commit":
                records[seq] = None
    for seq in [s for s, r in records.items() if r is None]:
        del records[seq]


def erased(entries, records, erasures, out):
    """What is erased is named by an entry that may, and what such an entry names is erased."""
    for seq, record in records.items():
        if record.fields is None:
            continue
        for name in record.erased:
            if name not in entry.ERASABLE:
                out.fail("commitments", seq, "erased_not_erasable")
            if (seq, name) not in erasures:
                out.fail("commitments", seq, "erased_without_entry")
    for seq, name in erasures:
        if seq not in range(len(entries)):
            out.fail("commitments", None, "erased_no_entry")
        elif seq in records and name in records[seq].members:
            out.fail("commitments", seq, "erased_but_present")


def chain(entries, origin, out):
    previous, before = "0" * 64, None
    for seq, e in enumerate(entries):
        why = None
        if e.header is None:
            why = "unreadable"
        elif e.get("log") != origin:
            why = "log"
        elif type(e.get("seq")) is not int or e.get("seq") != seq:
            why = "seq"
        elif e.get("prev") != previous:
            why = "prev"
        at = entry.canon.time_ms(e.get("at")) if isinstance(e.get("at"), str) else None
        if at is not None:
            if before is not None and at < before:
                why = why or "at"
            before = at
        if why:
            out.fail("chain", seq, why)
        previous = e.leaf.hex()


def root(log, log_key, leaves, out):
    if log.checkpoint is None:
        out.fail("tree_root", None, "checkpoint_missing")
        return
    try:
        signed = note.Checkpoint(log.checkpoint, log_key)
    except note.Refused as why:
        out.fail("tree_root", None, str(why))
        return
    if signed.size > len(leaves):
        out.fail("tree_root", len(leaves), "entries_missing")
    elif signed.root != tree.root(leaves[: signed.size]):
        out.fail("tree_root", None, "root")
    elif signed.size < len(leaves) and not log.workspace:
        # A bundle's checkpoint covers exactly its entries. A workspace's is moved after each commit; the rest is a tail.
        out.fail("tree_root", signed.size, "size")


def pin(log, log_key, leaves, out):
    if log.pin is not None:
        try:
            known = note.Checkpoint(log.pin, log_key)
            if known.size > len(leaves):
                out.fail("pin_and_witnesses", len(leaves), "pin_ahead")
            elif known.root != tree.root(leaves[: known.size]):
                out.fail("pin_and_witnesses", None, "pin_root")
            else:
                out.unanchored = len(leaves) - known.size
        except note.Refused as why:
            out.fail("pin_and_witnesses", None, f"pin_{why}")
    if log.quorum and log.checkpoint is not None:
        try:
            signed = note.Checkpoint(log.checkpoint, log_key, log.witnesses)
            if len(signed.witnesses) < log.quorum:
                out.fail("pin_and_witnesses", None, "cosignature_missing")
            else:
                covered = max(0, len(leaves) - signed.size)
                out.unanchored = covered if out.unanchored is None else min(out.unanchored, covered)
        except note.Refused as why:
            out.fail("pin_and_witnesses", None, str(why))
