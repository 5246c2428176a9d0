"""One entry: envelope, header, signature; one payload record: fields and commitment."""

import base64
import functools
import hashlib
import re

import canon
import ed25519
import tree

PAYLOAD_TYPE = "application/vnd.aosctl.entry.v1+json"
ERASABLE = frozenset(
    "alternatives artifacts detail diff name note parameters rationale reason recommendation rollback summary".split()
)
HEX32 = re.compile(r"[0-9a-f]{64}", re.ASCII)
HEADER = {
    "log": re.compile(r"aosctl/[0-9a-f]{32}", re.ASCII),
    "prev": HEX32,
    "actor": re.compile(r"(?:op|ag)-[1-9][0-9]{0,14}|log", re.ASCII),
    "key": HEX32,
    "type": re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*/[1-9][0-9]{0,3}", re.ASCII),
    "subject": re.compile(r"(?:[a-z]{1,4}-[1-9][0-9]{0,14})?", re.ASCII),
    "commit": HEX32,
}
MEMBERS = frozenset(HEADER) | {"v", "seq", "at"}


def pae(kind, body):
    """The pre-authentication encoding of DSSE 1.0.2."""
    kind = kind.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


def key_id(public):
    return hashlib.sha256(public).hexdigest()


def sha(domain, *parts):
    return hashlib.sha256(b"\x00".join((domain, *parts))).digest()


def derive_origin(operator, log, nonce):
    return "aosctl/" + sha(b"aosctl/origin/v1", operator + log + nonce)[:16].hex()


def enrolment_message(origin, public):
    return b"\x00".join((b"aosctl/enrol/v1", origin.encode(), public))


def enrolment_refused(origin, public, proof):
    """None, or why a key with this proof of possession may not be enrolled."""
    if ed25519.enrolment_fault(public):
        return "weak_key"
    return "proof_of_possession" if ed25519.fault(public, enrolment_message(origin, public), proof) else None


class Entry:
    """An envelope taken apart. `form` is None or the first fault of its form; `header` is None where it cannot be read."""

    def __init__(self, data):
        self.data, self.leaf = data, tree.leaf_hash(data)
        self.form = self.header = self.body = self.signatures = self.kind = None
        try:
            envelope = canon.parse(data, canon.ENVELOPE_LIMIT)
        except canon.Refused as why:
            self.form = str(why)
            return
        self.read_envelope(envelope)
        if self.form is None and canon.jcs(envelope) != data:
            self.form = "not_canonical"

    def bad(self, why):
        self.form = self.form or why

    def read_envelope(self, envelope):
        if not isinstance(envelope, dict) or set(envelope) != {"payload", "payloadType", "signatures"}:
            self.bad("envelope_members")
            if not isinstance(envelope, dict):
                return
        self.kind = envelope.get("payloadType")
        if self.kind != PAYLOAD_TYPE:
            self.bad("payload_type")
        self.read_signatures(envelope.get("signatures"))
        payload = envelope.get("payload")
        if not isinstance(payload, str):
            self.bad("envelope_members")
            return
        try:
            self.body = canon.from_base64(payload)
            header = canon.parse(self.body)
        except canon.Refused as why:
            self.bad(str(why))
            return
        if not isinstance(header, dict):
            self.bad("header_members")
            return
        self.header = header
        self.read_header(header)
        if canon.jcs(header) != self.body:
            self.bad("not_canonical")

    def read_signatures(self, signatures):
        """As a list of (keyid, signature or None where it is not base64)."""
        if not isinstance(signatures, list):
            self.bad("envelope_members")
            return
        self.signatures = []
        for s in signatures:
            if not isinstance(s, dict) or set(s) != {"keyid", "sig"} or not all(isinstance(v, str) for v in s.values()):
                self.bad("envelope_members")
                continue
            try:
                self.signatures.append((s["keyid"], canon.from_base64(s["sig"])))
            except canon.Refused as why:
                self.bad(str(why))
                self.signatures.append((s["keyid"], None))

    def read_header(self, header):
        if set(header) != MEMBERS:
            self.bad("header_members")
        for name, shape in HEADER.items():
            value = header.get(name)
            if not isinstance(value, str) or not shape.fullmatch(value):
                self.bad("header_" + name)
        if type(header.get("v")) is not int or header["v"] != 1:
            self.bad("header_v")
        if type(header.get("seq")) is not int or header["seq"] < 0:
            self.bad("header_seq")
        if canon.time_ms(header.get("at")) is None:
            self.bad("header_at")

    def get(self, name):
        """A member of the header, or None."""
        return self.header.get(name) if self.header else None

    def signature_fault(self, public):
        """None, or why the signature is none by `public` (None: an unknown signer)."""
        if self.header is None or self.signatures is None:
            return "unreadable"
        if len(self.signatures) != 1:
            return "signature_count"
        keyid, signature = self.signatures[0]
        if public is None:
            return "unknown_signer"
        if keyid != self.header.get("key"):
            return "keyid_not_of_header"
        if keyid != key_id(public):
            return "key_not_of_actor"
        if signature is None:
            return "signature_missing"
        if not isinstance(self.kind, str):
            return "payload_type"
        # The type that the specification names, whatever the envelope says.
        return ed25519.fault(public, pae(PAYLOAD_TYPE, self.body), signature)


def make_envelope(header, seed):
    """A rightly signed envelope, for forging."""
    body = canon.jcs(header)
    signature = ed25519.sign(seed, pae(PAYLOAD_TYPE, body))
    b64 = lambda data: base64.b64encode(data).decode()  # noqa: E731
    signatures = [{"keyid": header["key"], "sig": b64(signature)}]
    return canon.jcs({"payload": b64(body), "payloadType": PAYLOAD_TYPE, "signatures": signatures})


def field_preimage(name, salt, value):
    return b"\x00".join((b"aosctl/field/v1", name.encode(), salt + canon.jcs(value)))


def commit_preimage(fields):
    return b"aosctl/payload/v1\x00" + canon.jcs(fields)


class Record:
    """A payload line or stored record. `form` as in Entry; `fields` is None where it cannot be read as a record."""

    def __init__(self, data, seq=None):
        """`seq` is given where it stands beside the record, as in a workspace, and not in it, as in a bundle."""
        self.form, self.seq, self.members, self.erased, self.fields = None, seq, {}, {}, None
        try:
            # The body's own object is its first level, so the line around it is one level more; the line has no limit of
            # its own. A body's limit is checked below.
            record = canon.parse(data, 4 * canon.BODY_LIMIT, canon.LEVELS + 1)
        except canon.Refused as why:
            self.form = str(why)
            return
        self.form = self.read(record, in_line=seq is None)
        if self.form is None and canon.jcs(record) != data:
            self.form = "not_canonical"

    def read(self, record, in_line):
        if not isinstance(record, dict):
            return "payload_members"
        if in_line:
            seq = record.get("seq")
            if type(seq) is not int or seq < 0:
                return "payload_seq"
            self.seq = seq
        names = {"body", "salts"} | ({"seq"} if in_line else set())
        if set(record) - {"erased"} != names:
            return "payload_members"
        body, salts, erased = record["body"], record["salts"], record.get("erased", {})
        if not isinstance(body, dict) or not isinstance(salts, dict) or not isinstance(erased, dict):
            return "payload_members"
        if set(body) != set(salts) or not all(hex32(s) for s in salts.values()):
            return "payload_salts"
        if "erased" in record and (not erased or set(erased) & set(body) or not all(hex32(f) for f in erased.values())):
            return "payload_erased"
        self.members, self.erased = body, erased
        self.fields = dict(erased)
        for name, value in body.items():
            self.fields[name] = hashlib.sha256(field_preimage(name, bytes.fromhex(salts[name]), value)).hexdigest()
        why = None
        if canon.depth(body) > canon.LEVELS:
            why = "too_deep"
        elif len(canon.jcs(body)) > canon.BODY_LIMIT:
            why = "too_large"
        if why:
            # Refused by the parser of a body, so nothing can be read of it.
            self.members, self.erased, self.fields = {}, {}, None
        return why

    @functools.cached_property
    def commit(self):
        return None if self.fields is None else hashlib.sha256(commit_preimage(self.fields)).hexdigest()

    @functools.cached_property
    def rules_digest(self):
        """What a policy's `digest` must be: of the rules that it carries."""
        return hashlib.sha256(canon.jcs(self.members.get("rules"))).hexdigest()


def hex32(value):
    return isinstance(value, str) and HEX32.fullmatch(value) is not None
