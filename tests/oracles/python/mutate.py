"""Changes to a log, each with the verdicts of which one must fail, and the seq where that is certain.

That the root no longer fits is too little to ask: whoever has the log's key makes a new checkpoint. So no change of an entry
is said to be found by the root.
"""

import base64
import copy
import json

import canon
import ed25519
import entry
import note

FORM = {"canonical_form", "signatures"}


class Change:
    """`must`: one of these must fail, or none may where it is empty. `at`: the first bad seq of one of them, where it is
    said. `aside`: verdicts about which two verifiers may differ, because the specification does not say what follows from
    the fault. `follows`: verdicts that may fail too, because of it.
    """

    def __init__(self, kind, log, must, at=None, aside=(), follows=()):
        self.kind, self.log, self.must, self.at, self.aside = kind, log, must, at, aside
        self.follows = set(follows)

    def missed(self, failed):
        """None where the change was found among what failed, or what was found instead."""
        found = [failed[v] for v in self.must if v in failed]
        if found and (self.at is None or any(seq == self.at for seq, _ in found)) or not (self.must or failed):
            return None
        return f"{self.kind}, expected {sorted(self.must)} at {self.at}: {failed or 'accepted'}"


def flip(data, random):
    i = random.randrange(len(data))
    return data[:i] + bytes([data[i] ^ 1 << random.randrange(8)]) + data[i + 1 :]


def b64(data):
    return base64.b64encode(data).decode()


def changed(log, **members):
    other = copy.copy(log)
    for name, value in members.items():
        setattr(other, name, value)
    return other


def replaced(items, i, item):
    return [*items[:i], item, *items[i + 1 :]]


def envelope_changes(log, i, random):
    """One entry's envelope in other bytes."""
    data = log.envelopes[i]
    made = json.loads(data)
    header, (s,) = base64.b64decode(made["payload"]), made["signatures"]
    signature = base64.b64decode(s["sig"])

    def under(kind, must, **members):
        envelope = canon.jcs({**made, **members}) if members else kind[1]
        name = kind if members else kind[0]
        return Change(name, changed(log, envelopes=replaced(log.envelopes, i, envelope)), must, i)

    def signed(sig):
        return [{**s, "sig": b64(sig)}]

    yield under(("a bit of an envelope", flip(data, random)), FORM)
    yield under(("a space in an envelope", data.replace(b'","', b'", "', 1)), {"canonical_form"})
    yield under("a bit of a header", FORM, payload=b64(flip(header, random)))
    yield under("a bit of R", {"signatures"}, signatures=signed(flip(signature[:32], random) + signature[32:]))
    yield under("a bit of S", {"signatures"}, signatures=signed(signature[:32] + flip(signature[32:], random)))
    larger = (int.from_bytes(signature[32:], "little") + ed25519.L).to_bytes(32, "little")
    yield under("S plus the group order", {"signatures"}, signatures=signed(signature[:32] + larger))
    yield under("the signature twice", {"signatures"}, signatures=[s, s])
    parsed = json.loads(header)
    later = canon.jcs({**parsed, "at": parsed["at"].replace("20", "21", 1)})
    yield under("another time", {"signatures"}, payload=b64(later))
    other = base64.b64decode(json.loads(log.envelopes[i - 1])["signatures"][0]["sig"])
    yield under("the signature of another entry", {"signatures"}, signatures=signed(other))


def record_changes(log, i, random):
    """One entry's payload record in other bytes."""
    seq, data = log.records[i]
    record = json.loads(data)

    def under(kind, other, must):
        records = replaced(log.records, i, (seq, other if isinstance(other, bytes) else canon.jcs(other)))
        return Change(kind, changed(log, records=records), must, seq, aside)

    # Whether a body that is not bound, or lacks a member, is read at all, and so which keys it enrols.
    aside = ("authority", "signatures")

    def with_member(name, value):
        return {**record, "body": {**record["body"], name: value}}

    name = random.choice(sorted(record["body"]))
    salts = record["salts"]
    without = {k: {n: v for n, v in record[k].items() if n != name} for k in ("body", "salts")}
    one = {"commitments"}
    yield under("a bit of a record", flip(data, random), one | {"canonical_form"})
    yield under("another value of a disclosed member", with_member(name, other_value(record["body"][name])), one)
    yield under("another salt", {**record, "salts": {**salts, name: flip(bytes.fromhex(salts[name]), random).hex()}}, one)
    yield under("a member is gone", without, one)
    hashed = entry.Record(data, seq).fields[name]
    yield under("a member erased, no entry says so", {**without, "erased": {name: hashed}}, one)
    added = {"body": {**record["body"], "zz": 1}, "salts": {**salts, "zz": "00" * 32}}
    yield under("a member more", added, one)
    rest = log.records[:i] + log.records[i + 1 :]
    yield Change("a record is gone", changed(log, records=rest), one, seq, aside)


def other_value(value):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] if value else "x"
    return [*value, 0] if isinstance(value, list) else {**value, "zz": 0}


def order_changes(log, i):
    """Entries dropped, repeated, swapped or cut off, each with its record, which moves along."""
    pairs = list(zip(log.envelopes, (r for _, r in log.records)))

    def under(kind, order, must, at):
        envelopes = [e for e, _ in order]
        records = [(seq, r) for seq, (_, r) in enumerate(order)]
        # What was decided is decided again by aosctl, and not here; in another order that may give something else.
        return Change(kind, changed(log, envelopes=envelopes, records=records), must, at, ("authority",))

    last = len(pairs) - 1
    if i < last:
        yield under("an entry is dropped", pairs[:i] + pairs[i + 1 :], {"chain"}, i)
        swapped = pairs[:i] + [pairs[i + 1], pairs[i]] + pairs[i + 2 :]
        yield under("two entries are swapped", swapped, {"chain"}, i)
    yield under("an entry is repeated", pairs[: i + 1] + pairs[i:], {"chain"}, i + 1)
    for verdict in ("tree_root", "pin_and_witnesses"):
        yield under("the end is cut off", pairs[:i], {verdict}, i)


def checkpoint_changes(log, size, root, random):
    """The checkpoint in other bytes, and rightly signed ones of something else."""
    one = {"tree_root"}
    note_ = log.checkpoint
    for _ in range(60):
        other = flip(note_, random)
        yield Change("a bit of the checkpoint", changed(log, checkpoint=other, pin=other), one)
    origin = note.Key(log.vkey).name
    stranger = random.randbytes(32)
    for kind, other in [
        ("no checkpoint", None),
        ("an empty checkpoint", b""),
        ("a checkpoint without its signature", note_.rpartition(b"\n\n")[0] + b"\n\n"),
        ("a checkpoint of a stranger", note.make_checkpoint(origin, stranger, size, root)),
        ("another size written", note_.replace(b"\n%d\n" % size, b"\n%d\n" % (size - 1), 1)),
        ("a checkpoint of CR LF", note_.replace(b"\n", b"\r\n")),
    ]:
        # Without a checkpoint a workspace has no pin either, and to aosctl that is a failure of its own.
        aside = ("pin_and_witnesses",) if other is None else ()
        yield Change(kind, changed(log, checkpoint=other, pin=other), one, None, aside)
    elsewhere = note.vkey(origin, ed25519.public_of(stranger)[0])
    yield Change("another trusted key", changed(log, vkey=elsewhere), {"tree_root"})
    yield Change("another trusted key", changed(log, vkey=elsewhere), {"authority"}, 0)


def all_changes(log, size, root, random):
    for i in range(size):
        yield from envelope_changes(log, i, random)
        yield from record_changes(log, i, random)
        yield from order_changes(log, i)
    yield from checkpoint_changes(log, size, root, random)
