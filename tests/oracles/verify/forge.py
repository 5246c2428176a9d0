"""Logs made from nothing: keys, entries, payloads and notes, right or wrong on purpose. Written from docs/log-format.md."""
import base64
import datetime
import hashlib
import json
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAYLOAD_TYPE = "application/vnd.aosctl.entry.v1+json"
START = datetime.datetime(2026, 3, 2, 9, 0, 0)


def jcs(value):
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def ordered(value):
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    return [ordered(one) for one in value] if isinstance(value, list) else value


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(data):
    return base64.b64encode(data).decode()


def time_text(seconds):
    """RFC 3339 with three digits, so many seconds after the beginning of every forged log."""
    at = START + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


class Key:
    """One signing identity."""

    def __init__(self, seed):
        self.private = Ed25519PrivateKey.from_private_bytes(seed if isinstance(seed, bytes) else sha(seed.encode()))
        self.public = self.private.public_key().public_bytes_raw()
        self.id = sha(self.public).hex()

    def sign(self, message):
        return self.private.sign(message)


def field(name, salt, value):
    return sha(b"aosctl/field/v1\0", name.encode(), b"\0", bytes.fromhex(salt), jcs(value)).hex()


def commit(record):
    fields = {name: field(name, record["salts"].get(name, ""), value) for name, value in record["body"].items()}
    fields.update(record.get("erased", {}))
    return sha(b"aosctl/payload/v1\0", jcs(fields)).hex()


def record_of(body, seed):
    return {"body": body, "salts": {name: sha(seed.encode(), name.encode()).hex() for name in body}}


def erase(record, names):
    """The record without these members, their fields in their place."""
    fields = {name: field(name, record["salts"][name], record["body"][name]) for name in names}
    return {
        "body": {name: value for name, value in record["body"].items() if name not in names},
        "salts": {name: value for name, value in record["salts"].items() if name not in names},
        "erased": {**record.get("erased", {}), **fields},
    }


def pae(body, kind=PAYLOAD_TYPE):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


def seal(header, key, body=None):
    """The envelope of a header (or of the given bytes of one), rightly signed by `key`."""
    body = jcs(header) if body is None else body
    signature = {"keyid": header["key"], "sig": b64(key.sign(pae(body)))}
    return jcs({"payload": b64(body), "payloadType": PAYLOAD_TYPE, "signatures": [signature]})


def leaf(envelope):
    return sha(b"\0", envelope)


def root(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root(leaves[:split]), root(leaves[split:]))


def key_id(name, kind, public):
    return sha(name.encode(), b"\n", kind, public)[:4]


def vkey(name, public, kind=b"\1"):
    return "%s+%s+%s" % (name, key_id(name, kind, public).hex(), b64(kind + public))


def note(origin, size, root_hash, key, name=None):
    text = "%s\n%d\n%s\n" % (origin, size, b64(root_hash))
    name = name or origin
    return text + "\n\u2014 %s %s\n" % (name, b64(key_id(name, b"\1", key.public) + key.sign(text.encode())))


def cosign(text, name, key, seconds):
    """One line of a witness over a checkpoint's text."""
    message = b"cosignature/v1\ntime %d\n" % seconds + text.encode()
    blob = key_id(name, b"\4", key.public) + seconds.to_bytes(8, "big") + key.sign(message)
    return "\u2014 %s %s\n" % (name, b64(blob))


class Log:
    """A log under construction. Entries are rightly signed and chained; what they say is the caller's matter."""

    def __init__(self, seed="one"):
        self.seed = seed
        self.keys = {name: Key(seed + name) for name in ("log", "op-1")}
        self.lines, self.records, self.headers = [], {}, []
        self.clock = 0
        nonce = sha(seed.encode(), b"nonce")
        op, log = self.keys["op-1"].public, self.keys["log"].public
        self.origin = "aosctl/" + sha(b"aosctl/origin/v1\0", op, log, nonce)[:16].hex()
        self.created = {"operator_key": op.hex(), "log_key": log.hex(), "nonce": nonce.hex(), "name": "ops"}

    @property
    def vkey(self):
        return vkey(self.origin, self.keys["log"].public)

    def key(self, actor):
        if actor not in self.keys:
            self.keys[actor] = Key(self.seed + actor)
        return self.keys[actor]

    def proof(self, public, key, origin=None):
        return key.sign(b"aosctl/enrol/v1\0" + (origin or self.origin).encode() + b"\0" + public).hex()

    def enrol(self, actor, by="op-1", **more):
        public = self.key(actor).public
        body = {"id": actor, "public_key": public.hex(), "proof": self.proof(public, self.key(actor))}
        kind = "operator.enrolled/1" if actor.startswith("op") else "agent.enrolled/1"
        if kind == "agent.enrolled/1":
            body.update(handle="bot" + actor[3:], operator="op-1")
        body.update(more)
        return self.add(by, kind, actor, body)

    def add(self, actor, kind, subject, body, after=1, key=None, **header):
        """Appends one entry, `after` seconds later, and gives its seq."""
        self.clock += after
        seq = len(self.lines)
        record = record_of(body, "%s/%d" % (self.seed, seq))
        signer = self.key(key or actor)
        head = {
            "v": 1, "log": self.origin, "seq": seq, "prev": leaf(self.lines[-1]).hex() if self.lines else "0" * 64,
            "at": time_text(self.clock), "actor": actor, "key": signer.id, "type": kind, "subject": subject,
            "commit": commit(record),
        }
        head.update(header)
        self.headers.append(head)
        self.lines.append(seal(head, signer))
        self.records[seq] = record
        return seq

    def leaf(self, seq):
        return leaf(self.lines[seq]).hex()

    def checkpoint(self, size=None):
        size = len(self.lines) if size is None else size
        return note(self.origin, size, root([leaf(line) for line in self.lines[:size]]), self.keys["log"])

    def files(self):
        """A bundle: file names with bytes."""
        payloads = (jcs({**record, "seq": seq}) + b"\n" for seq, record in sorted(self.records.items()))
        return {
            "entries.jsonl": b"".join(line + b"\n" for line in self.lines),
            "payloads.jsonl": b"".join(payloads),
            "checkpoint": self.checkpoint().encode(),
            "log.vkey": self.vkey.encode() + b"\n",
        }


def write(directory, files):
    os.makedirs(directory, exist_ok=True)
    for name, data in files.items():
        with open(os.path.join(directory, name), "wb") as out:
            out.write(data)
