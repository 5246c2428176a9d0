#!/usr/bin/env python3
"""Verify a bundle of an aosctl log without aosctl: written from docs/log-format.md alone, in the order of that page.

verify.py BUNDLE --vkey VKEY [--checkpoint FILE]... [--witness VKEY]... [--quorum N] [--json]
BUNDLE is a directory, a .tar or a .zip. Exit status: 0 verified; 1 something could not be checked; 3 nothing could be
read; 4 something does not verify. Needs Python 3.9, the package `cryptography` and, beside it, events.txt (the table of
events) and decide.py (what the policy makes of a request); without decide.py, authority is `not checked` at best."""
import argparse, base64, datetime, hashlib, json, os, re, sys, tarfile, zipfile
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
class Bad(Exception): """What was read breaks a rule; the text names it."""
def need(condition, rule="rule"):
    if not condition: raise Bad(rule)
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
# JSON -----------------------------------------------------------------------------------------------------------------
def refuse(why): raise Bad(why)
def unique(pairs): return dict(pairs) if len(dict(pairs)) == len(pairs) else refuse("duplicate_name")
def integer(text): return int(text) if text != "-0" and len(text) < 18 and abs(int(text)) < 2**53 else refuse("number")
def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)
def canonical(value):
    def ordered(v):  # names by UTF-16 code units. Half of a surrogate pair cannot be encoded, here or below: ValueError
        if isinstance(v, dict): return {k: ordered(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be"))}
        return [ordered(one) for one in v] if isinstance(v, list) else v
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()
def parse(data, limit=65536, levels=64):
    """The value, and whether the bytes are its canonical form."""
    hooks = dict(object_pairs_hook=unique, parse_int=integer, parse_float=refuse, parse_constant=refuse)
    try:
        value = json.loads(data.decode(), **hooks) if len(data) <= limit else refuse("too_large")
        need(depth(value) <= levels, "too_deep")
        return value, canonical(value) == data
    except (ValueError, RecursionError) as error: raise Bad("syntax") from error
def unbase64(text):
    """The bytes, or None: padded, of the standard alphabet, and with no bits after the last byte."""
    try: data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError): return None
    return data if base64.b64encode(data).decode() == text else None
# Keys and signatures --------------------------------------------------------------------------------------------------
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # the field and the order of the group
ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7
SMALL = {0, 1, P - 1, ORDER_8, P - ORDER_8}  # a point has an order of 1, 2, 4 or 8 exactly if its y is one of these
def y_of(point): return int.from_bytes(point, "little") & (1 << 255) - 1
def sound(point):
    """Canonical and not of small order: y < p. (An x without a sign, 0, has y = 1 or -1, and those are small.)"""
    return len(point) == 32 and y_of(point) < P and y_of(point) not in SMALL
def strict(key, signature, message):
    """Strict Ed25519. OpenSSL computes SB - hA and compares its encoding with R's bytes, so there is no cofactor."""
    if not (len(signature) == 64 and sound(key) and sound(signature[:32])): return False
    if int.from_bytes(signature[32:], "little") >= L: return False
    try: return Ed25519PublicKey.from_public_bytes(key).verify(signature, message) is None
    except (InvalidSignature, ValueError): return False
def may_enrol(key):
    """Sound, and L times it is the identity, which no point beside the curve and none with a torsion part gives.
    Counted on the Montgomery curve, u = (1 + y)/(1 - y), by the ladder of RFC 7748 section 5."""
    if not sound(key): return False
    u = (1 + y_of(key)) * pow(1 - y_of(key), -1, P) % P
    low, high = (1, 0), (u, 1)  # m and m + 1 times the point, each as x/z
    for bit in bin(L)[2:]:
        if bit == "1": low, high = high, low
        plus, minus, left, right = low[0] + low[1], low[0] - low[1], high[0] + high[1], high[0] - high[1]
        square, rest = plus * plus % P, (plus * plus - minus * minus) % P
        high = (right * plus + left * minus)**2 % P, u * (right * plus - left * minus)**2 % P
        low = square * minus * minus % P, rest * (square + 121665 * rest) % P
        if bit == "1": low, high = high, low
    return low[1] == 0
class VerifierKey:
    def __init__(self, text, kind):
        self.name, number, data = (text.strip().split("+", 2) + ["", ""])[:3]
        data = unbase64(data) or b""
        self.key, self.id = data[1:], sha(self.name.encode(), b"\n", data)[:4]
        need(self.name and data[:1] == kind and number == self.id.hex() and sound(self.key), "not a verifier key")
# Notes and the tree ---------------------------------------------------------------------------------------------------
def lines_by(key, note):
    """The signed text of a note, and what its signature lines by this key carry after the key id."""
    try: text, blank, lines = note.decode().rpartition("\n\n")
    except ValueError as error: raise Bad("note") from error
    need(len(note) <= 65536 and lines[-1:] == "\n" and not re.search(r"[\0-\x09\x0b-\x1f]", text + lines), "note")
    lines = [re.fullmatch("\u2014 ([^\\s+]+) ([^\\s]+)", line) for line in lines[:-1].split("\n")]
    need(blank and len(lines) <= 100 and all(line and len(unbase64(line[2]) or b"") > 4 for line in lines), "note")
    found = [unbase64(line[2]) for line in lines if line[1] == key.name]
    return text + "\n", [data[4:] for data in found if data[:4] == key.id]
def checkpoint(note, key):
    """Size and root; every line by the log's key must verify, and there must be one."""
    text, found = lines_by(key, note)
    need(found and all(strict(key.key, signature, text.encode()) for signature in found), "note_signature")
    form = re.fullmatch("([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n", text)
    need(form and form[1] == key.name and len(unbase64(form[3]) or b"") == 32, "checkpoint")
    return int(form[2]), unbase64(form[3])
def cosigned(note, witness):
    text, found = lines_by(witness, note)
    for data in found:
        message = b"cosignature/v1\ntime %d\n" % int.from_bytes(data[:8], "big") + text.encode()
        need(len(data) == 72 and data[0] < 128 and strict(witness.key, data[8:], message), "cosignature")
    return bool(found)
def tree_root(leaves):
    if len(leaves) < 2: return leaves[0] if leaves else sha(b"")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", tree_root(leaves[:split]), tree_root(leaves[split:]))
try: import decide
except ImportError: decide = None
# The table of events, and values --------------------------------------------------------------------------------------
HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES, TEXTS = {}, {}  # events and objects: (signers and subject, {member: (mark, kind)}); patterns
with open(os.path.join(HERE, "events.txt"), encoding="utf-8") as table:
    for name, sign, rest in (row.rstrip("\n").split(" ", 2) for row in table if row[0] not in "#\n"):
        rights, _, members = rest.rpartition(" | ")
        pairs = [member.split(":") for member in members.split()] if sign == "=" else []
        if sign == "~": TEXTS[name] = rest
        else: SHAPES[name] = rights.split(), {one.rstrip("?~"): (one[-1], kind) for one, kind in pairs}
WORDS, DAY = {name: text.split("|") for name, text in TEXTS.items()}, 86400000
UNITS = dict(d=DAY, h=3600000, m=60000, s=1000, w=7 * DAY)
def span(text): return int(text[:-1]) * UNITS[text[-1]]
def highest(kind, *words): return max((word for word in words if word), key=WORDS[kind].index, default=None)
def milliseconds(text):
    """Since the year 1; None where it is no time."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(text), re.A): return None
    try: return (datetime.datetime.fromisoformat(text[:-1]) - datetime.datetime.min) // datetime.timedelta(0, 0, 1000)
    except ValueError: return None
def covers(scope, resource):
    if scope[-1] == "*": return scope == "*" or len(resource) >= len(scope) and resource.startswith(scope[:-1])
    return resource == scope or resource.startswith(scope + "/")
def commitment(record):
    """Over the field of every member, erased or not."""
    def field(name, value):
        salt = bytes.fromhex(record["salts"][name])
        return sha(b"aosctl/field/v1\0", name.encode(), b"\0", salt, canonical(value)).hex()
    fields = {name: field(name, value) for name, value in record["body"].items()}
    return sha(b"aosctl/payload/v1\0", canonical({**fields, **record.get("erased", {})})).hex()
# Entries --------------------------------------------------------------------------------------------------------------
class Log:
    """The state that the valid entries make, and the first fault of each check."""
    def __init__(self, vkey, complete):
        self.vkey, self.complete, self.payloads, self.first, self.leaves, self.headers = vkey, complete, {}, {}, [], []
        self.things, self.keys, self.frozen, self.rules, self.digest = {}, set(), set(), None, None  # things: by id
        self.invalid, self.voided, self.erased, self.approvals, self.money = {}, {}, [], {}, []
        self.seq, self.at, self.leaf, self.months, self.repeated = 0, 0, b"", set(), set()
    def fail(self, check, seq, reason="differs"):
        """Keeps the lowest seq; a fault without one counts only where there is none with one."""
        order = seq is None, seq or 0
        if check not in self.first or order < self.first[check][0]: self.first[check] = order, seq, str(reason)
    def live(self, name):
        thing = self.things.get(name, {})
        return thing.get("live", False) and ("for" not in thing or self.live(thing["for"]))
    def in_force(self, name):
        grant = self.things.get(name)
        return name is None or grant["live"] and (not grant["until"] or self.at < grant["until"])
    def each(self, prefix): return [one for name, one in self.things.items() if name.startswith(prefix + "-")]
    def operators(self): return [one for one in self.each("op") if "recovers" not in one]
    def catalogue(self, kind):
        return next((one for one in (self.rules or {"kinds": ()})["kinds"] if one["kind"] == kind), {})
    def fits(self, kind, value):
        """Whether a value is of a kind of the table, at this place of the log."""
        if kind in SHAPES:
            return isinstance(value, dict) and set(value) <= set(SHAPES[kind][1]) and all(
                mark in "?~" if name not in value else mark == "?" if value[name] is None else self.fits(inner, value[name])
                for name, (mark, inner) in SHAPES[kind][1].items())
        if "," in kind: return any(self.fits(one, value) for one in kind.split(","))
        if kind[0] in "[(":
            return isinstance(value, list) and all(self.fits(kind[1:-1], one) for one in value) and (value or kind[0] == "[")
        if kind[0] == "{":
            name, _, inner = kind[1:-1].partition(">")
            return isinstance(value, dict) and all(self.fits(name, n) and self.fits(inner, v) for n, v in value.items())
        at, whole = milliseconds(value), type(value) is int
        plain = dict(any=True, true=value is True, bool=type(value) is bool, base64=unbase64(value) is not None, int=whole,
                     nat=whole and value >= 0, small=whole and 0 <= value < 256, earlier=whole and 0 <= value < self.seq,
                     one=whole and value == 1, time=at is not None, ahead=at is not None and at > self.at,
                     past=at is not None and at <= self.at)
        if kind in plain or not isinstance(value, str): return plain.get(kind, False)
        if kind in TEXTS:
            fine = re.fullmatch(TEXTS[kind], value) and (kind != "label" or len(value.encode()) <= 512)
            return fine and (kind not in ("span", "unit") or span(value) <= 36600 * DAY)
        spare, prefix = "recovers" in self.things.get(value, ()), kind.rstrip("+=!").replace("recovery", "op")
        known = kind[-1] not in "=!" or value in self.things and spare == (kind == "recovery=")
        known = known and (kind[-1] != "!" or self.live(value)) and (kind[-1] != "+" or value not in self.things)
        return known and re.fullmatch(prefix + "-[1-9][0-9]{0,14}", value)
    def signed_well(self, envelope, header, body):
        """Whether the one signature holds; None where the signer's key lies in a payload that is not here."""
        one, who = envelope.get("signatures"), header.get("actor")
        if not (isinstance(one, list) and len(one) == 1 and self.fits("signature", one[0])): return False
        key = self.vkey.key if who == "log" else self.things.get(str(who), {}).get("key")
        if self.seq == 0 and who == "op-1":  # entry 0 carries the key that signs it
            carried = self.payloads.get(0, ({"body": {}},))[0]["body"].get("operator_key")
            key = bytes.fromhex(carried) if self.fits("hex", carried) else None
        if one[0]["keyid"] != header.get("key") or key is None and self.complete: return False
        pae = b"DSSEv1 36 application/vnd.aosctl.entry.v1+json %d " % len(body) + body
        return key and header["key"] == sha(key).hex() and strict(key, unbase64(one[0]["sig"]), pae)
    def origin(self, body):
        parts = [body.get(name) for name in ("operator_key", "log_key", "nonce")]
        origin = all(self.fits("hex", one) for one in parts) and sha(b"aosctl/origin/v1\0", *map(bytes.fromhex, parts))
        if origin and "aosctl/" + origin[:16].hex() != self.vkey.name: self.fail("chain", 0, "origin")
    def take(self, line):
        """The next entry: each check by itself, then what it may do."""
        seq, self.leaf, header, voidable = len(self.leaves), sha(b"\0", line), {}, False
        self.seq, (record, usable) = seq, self.payloads.get(seq, (None, False))
        try:
            envelope, exact = parse(line, 65535)
            body = unbase64(isinstance(envelope, dict) and envelope.get("payload"))
            header, exact_too = parse(body) if body is not None else refuse("payload")
            need(isinstance(header, dict), "header")
            formed = exact and exact_too and self.fits("envelope", envelope) and self.fits("header", header)
            link = [header.get(name) for name in ("log", "seq", "prev")]
            linked = [self.vkey.name, seq, self.leaves[-1].hex() if seq else "0" * 64]
            signed, commits = self.signed_well(envelope, header, body), record and header.get("commit") == commitment(record)
            if not formed: self.fail("canonical_form", seq)
            if signed is False: self.fail("signatures", seq)
            if canonical(link) != canonical(linked) or (milliseconds(header.get("at")) or self.at) < self.at: self.fail("chain", seq)
            if not commits and (record or self.complete): self.fail("commitments", seq)
            if seq == 0 and commits and record: self.origin(record["body"])
            self.at = milliseconds(header.get("at")) or self.at
        except Bad as bad:
            header = formed = {}
            for check in ("canonical_form", "signatures", "chain", "commitments", "authority"): self.fail(check, seq, bad)
        try:
            need(formed and signed and commits and usable and self.complete, "unusable")
            voidable = True
            self.judge(header["type"], header["actor"], header["subject"], record["body"])
        except Bad as bad: self.invalid[seq] = voidable, str(bad)
        self.headers.append(header)
        self.leaves.append(self.leaf)
    def judge(self, event, who, subject, b):
        """One row of the authority table: Bad where this signer may not do this now; otherwise the state moves on."""
        at, seq, things, kind = self.at, self.seq, self.things, event[:-2]
        need(event in SHAPES and (kind == "workspace.created") == (seq == 0), "type")
        need(self.fits(event, b) and (seq == 0 or who == "log" or self.live(who)), "body, or the signer is not live")
        (roles, named), thing, until = SHAPES[event][0], things.get(subject, {}), milliseconds(b.get("until"))
        need(subject == (self.headers[b["seq"]].get("subject") if named == "seq" else b.get(named, named)), "subject")
        spare = things.get(who, {}).get("recovers")  # the operator for whom this recovery identity, and no operator, stands
        may = dict(op=who[:2] == "op" and not spare, log=who == "log", holder=who == thing.get("agent"),
                   recovery=spare and spare == b.get("id"), self=who in map(b.get, ("agent", "target", "operator", "id")))
        need(any(may[role] for role in roles.split(",")), "this signer has no right to it")
        if kind == "workspace.created":
            op, log = bytes.fromhex(b["operator_key"]), bytes.fromhex(b["log_key"])
            need(who == "op-1" and log == self.vkey.key and op != log and may_enrol(op) and may_enrol(log), "keys")
            self.keys, things["op-1"] = {op, log}, dict(live=True, key=op)
        elif kind in ("operator.enrolled", "agent.enrolled", "recovery.enrolled", "operator.rotated"):
            key, message = bytes.fromhex(b["public_key"]), b"aosctl/enrol/v1\0" + self.vkey.name.encode() + b"\0"
            need(key not in self.keys and may_enrol(key) and strict(key, bytes.fromhex(b["proof"]), message + key), "key")
            need("handle" not in b or b["handle"] not in [one["handle"] for one in self.each("ag")], "handle")
            role = dict(agent={"for": b.get("operator")}, recovery={"recovers": b.get("operator")}).get(kind.split(".")[0], {})
            things[subject] = dict(thing, live=True, key=key, handle=b.get("handle"), **role)
            self.keys.add(key)
        elif kind == "identity.retired":
            need(thing["live"] and (b.get("as_of") or 0) <= seq, "retired")
            need([one for one in self.operators() if one["live"]] != [thing], "last_operator")
            thing.update(live=False, retired=at)
        elif kind == "policy.adopted":
            need(b["digest"] == sha(canonical(b["rules"])).hex() and (not decide or decide.normal(b["rules"])), "digest")
            self.rules, self.digest = b["rules"], b["digest"]
        elif kind == "integration.added":
            need(self.catalogue(b["kind"]) and b["handle"] not in [one["handle"] for one in self.each("i")], "handle")
            things[subject] = dict(b, live=True)
        elif kind in ("grant.issued", "grant.renewed"):
            longest, grant = (self.rules or {"grants": {}})["grants"].get("longest"), dict(thing or b, live=True, until=until)
            words = [one["kind"] for one in self.catalogue(things[grant["integration"]]["kind"]).get("scope", ())]
            need(self.live(grant["agent"]) and (not longest or until and until <= at + span(longest)), "until")
            need(thing or words and (b["scope"] == "*" or b["scope"].split(":")[0] in words), "scope")
            things[subject] = grant
        elif kind == "grant.narrowed":
            new = {name: b.get(name) or thing[name] for name in ("scope", "access", "data")}
            need(covers(thing["scope"], new["scope"]) and (not until or until <= (thing["until"] or until)), "widens")
            need(all(highest(name, thing[name], new[name]) == thing[name] for name in ("access", "data")), "widens")
            thing.update(new, until=until or thing["until"])
        elif kind in ("grant.revoked", "key.retired"): thing["live"] = False
        elif kind == "workspace.frozen": self.frozen.add(subject)
        elif kind == "workspace.thawed":
            need(subject in self.frozen, "not_frozen")
            self.frozen.remove(subject)
        elif kind == "request.made":
            said = b["decision"], set(b["points"]), b["rule"], b.get("grant"), b["access"], b["approvers"], b["tier"]
            need(b["policy"] == self.digest and until <= at + self.patience("wait" if said[0] == "ask" else "use_within"), "until")
            need(self.again(b, said) == said and (who, b.get("idempotency_key") or seq) not in self.repeated, "decision")
            self.repeated.add((who, b.get("idempotency_key")))
            thing = things[subject] = dict(b, leaf=self.leaf.hex(), until=until, stage="open", given={}, said=said)
            if said[0] == "allow": self.money.append((at, thing))
        elif kind in ("request.approved", "request.denied"):
            given, points, now, enough = thing["given"], set(b["points"]), self.again(thing), max(1, thing["approvers"])
            need(thing["decision"] == "ask" and thing["stage"] == "open" and at < thing["until"], "decided")
            need(len(given) < enough and who != thing["agent"] and points == set(thing["points"]) | now[1], "points")
            need((b["leaf"], b.get("grant"), b["policy"]) == (thing["leaf"], thing.get("grant"), self.digest), "other")
            if kind == "request.denied": thing["stage"] = "denied"
            else:
                alone = "audit" in points and enough == 1
                need(who not in given and until <= at + self.patience("use_within"), "until")
                need(self.in_force(thing.get("grant")) and bool(b.get("self_approved")) == alone, "self_approved")
                given[who], self.approvals[seq] = (until, points), (thing, who, until)
                if len(given) == enough: self.money.append((at, thing))
        elif kind == "request.withdrawn":
            need(thing["decision"] != "deny" and thing["stage"] == "open", "decided")
            thing["stage"] = "withdrawn"
        elif kind == "request.claimed":
            good, now = [points for ends, points in thing["given"].values() if at < ends], self.again(thing)
            need(thing["decision"] != "deny" and thing["stage"] == "open" and at < thing["until"], "not_allowed")
            need(thing["decision"] == "allow" or len(good) >= max(1, thing["approvers"]), "not_allowed")
            need(b["mode"] == "run" or not thing.get("bound_command"), "mode")
            need(not self.frozen & {"w-1", who} and self.in_force(thing.get("grant")), "frozen")
            need(now[0] != "deny" and now[3] == thing.get("grant"), "decision")
            need(now[0] == "allow" or thing["decision"] == "ask" and len(good) >= now[5], "approvers")
            need(all(now[1] <= one for one in good), "points")
            thing["stage"] = "claimed"
        elif kind in ("request.finished", "request.resolved"):
            old, new = thing.get("outcome"), b["outcome"]
            need(thing["stage"] == "claimed" and "release" not in thing, "not_claimed")
            need(old is None or kind == "request.resolved" and (old == "unknown" or old == new == "failed"), "outcome")
            need(not b.get("release") or new == "failed", "release")
            thing.update({name: b[name] for name in ("outcome", "release") if name in b})
        elif kind == "payload.erased":
            edit = dict(agent=who, request="", action="audit.erase", resource="entry:%d" % b["seq"])
            now, given = self.again(edit, ("ask", {"audit"}, "", None, "", 1)), [self.approvals.get(one) for one in b["approvals"]]
            need(all(one and at < one[2] and one[0]["stage"] in ("open", "claimed") and (one[0]["action"], one[0]["resource"])
                     == (edit["action"], edit["resource"]) for one in given), "approvals")
            need(now[0] == "ask" and len({who} | {one[1] for one in given}) >= now[5], "too_few_approvers")
            held, gone = self.payloads[b["seq"]][0], {name for one, name in self.erased if one == b["seq"]}
            held = set(held["body"]) | set(held.get("erased", ())) - gone
            need(set(b["members"]) <= held & set(WORDS["erasable"]), "not_erasable")
            self.erased += [(b["seq"], name) for name in set(b["members"])]
        elif kind == "entry.voided":
            header, (voidable, _) = self.headers[b["seq"]], self.invalid.get(b["seq"], (False, ""))
            need(voidable and b["seq"] not in self.voided and b["leaf"] == self.leaves[b["seq"]].hex(), "not_invalid")
            need(who not in (header["actor"], header["subject"]), "own")
            self.voided[b["seq"]] = seq
        elif kind in ("key.added", "key.changed"): things[subject] = dict(thing, live=True)
        elif kind == "key.leaked":
            need(all(thing.get("leak", {}).get(one, "done") in ("done", "not_needed") for one in WORDS["step"]), "open")
            thing["leak"] = dict(dict.fromkeys(WORDS["step"]), seq=seq, contain="done")
        elif kind == "key.step":
            need(thing.get("leak", {}).get("seq") == b["leak"], "leak")
            thing["leak"][b["step"]] = b["outcome"]
        elif kind == "rotation.scheduled":
            need(not b.get("every") or span(b["every"]) > span(b.get("warn") or "0s"), "every")
        elif kind in ("review.decided", "review.signed"):
            need(subject not in self.months and b["entries"] <= seq, "signed")
            self.months |= {subject} if kind == "review.signed" else set()
    def patience(self, name): return span(self.rules["requests"][name])
    def again(self, request, said=None):
        """The decision now; without decide.py, the one that was made."""
        need(self.rules, "no policy")
        return decide.decide(self, request) if decide else said or request["said"]
# Bundles --------------------------------------------------------------------------------------------------------------
CHECKS = ("canonical_form", "signatures", "chain", "tree_root", "commitments", "authority", "projections",
          "pin_and_witnesses", "unanchored_tail")
def read_files(path):
    """The files of a bundle by name; a name that occurs twice is refused."""
    if os.path.isdir(path):
        found = []
        for name in filter(lambda one: os.path.isfile(os.path.join(path, one)), os.listdir(path)):
            with open(os.path.join(path, name), "rb") as file: found.append((name, file.read()))
    elif zipfile.is_zipfile(path):  # an auditor's pack has the bundle in a directory
        with zipfile.ZipFile(path) as archive: found = [(one.filename, archive.read(one)) for one in archive.infolist()]
    else:
        with tarfile.open(path) as archive:
            found = [(one.name, archive.extractfile(one).read()) for one in archive if one.isfile()]
    files = unique(found)
    inner = {name[7:]: data for name, data in files.items() if name.startswith("bundle/")}
    need("entries.jsonl" in files or "entries.jsonl" in inner, "there is no entries.jsonl")
    return files if "entries.jsonl" in files else inner
def rows(data): return data[:-1].split(b"\n") if data[-1:] == b"\n" else data.split(b"\n") if data else []
def read_payloads(log, data, entries):
    for line in rows(data):
        try:
            record, exact = parse(line, 2**24, 65)
            seq = record.pop("seq", None) if isinstance(record, dict) else None
            need(log.fits("nat", seq), "no seq")
        except Bad as bad:
            log.fail("canonical_form", None, bad)
            continue
        fine = log.fits("record", record) and set(record["body"]) == set(record["salts"]) and record.get("erased", 1) and (
            not set(record["body"]) & set(record.get("erased", ()))) and depth(record["body"]) <= 64 and (
            len(canonical(record["body"])) <= 2**20)
        if not fine or not exact: log.fail("canonical_form", seq, "payload")
        if seq >= entries: log.fail("commitments", None, "payload_of_no_entry")
        elif seq in log.payloads: log.fail("commitments", seq, "payload_twice")
        elif fine: log.payloads[seq] = record, exact
def verify(files, vkey, kept=(), witnesses=(), quorum=None):
    """(check, status, first bad seq, reason) for each check, and the log."""
    entries, name = rows(files["entries.jsonl"]), "payloads.jsonl" if "payloads.jsonl" in files else "payloads-some.jsonl"
    log = Log(vkey, name == "payloads.jsonl")
    read_payloads(log, files.get(name, b""), len(entries))
    for line in entries: log.take(line)
    if not entries: log.fail("authority", 0, "entry_0_missing")
    for seq, (_, reason) in log.invalid.items():
        if log.complete and seq not in log.voided: log.fail("authority", seq, reason)
    for seq, (record, _) in log.payloads.items():  # what is gone is what valid entries say is gone
        gone, erased = set(record.get("erased", ())), {name for one, name in log.erased if one == seq}
        if log.complete and (gone != erased or gone - set(WORDS["erasable"])): log.fail("commitments", seq, "erased")
    anchored, size = 0, len(entries)
    for check, note in [("tree_root", files.get("checkpoint", b""))] + [("pin_and_witnesses", one) for one in kept]:
        try:
            covered, root = checkpoint(note, vkey)
            if covered > size: log.fail(check, size, "entries_missing")
            elif root != tree_root(log.leaves[:covered]): log.fail(check, None, "root")
            elif check == "pin_and_witnesses": anchored = max(anchored, covered)
            elif covered < size: log.fail(check, covered, "size")
        except Bad as bad: log.fail(check, None, bad)
    try:
        count = sum(cosigned(files.get("checkpoint", b""), one) for one in witnesses)
        need(count >= (len(witnesses) if quorum is None else quorum), "too few witnesses")
        if count and "tree_root" not in log.first: anchored = size
    except Bad as bad: log.fail("pin_and_witnesses", None, bad)
    unchecked = {"projections"} | (set() if kept or witnesses else {"pin_and_witnesses"})
    unchecked |= set() if log.complete else {"signatures", "commitments", "authority"}
    unchecked |= set() if decide else {"authority"}
    if anchored < size: log.fail("unanchored_tail", anchored, "%d entries" % (size - anchored))
    if log.voided and "authority" not in set(log.first) | unchecked: log.fail("authority", min(log.voided), "voided")
    def status(check):
        if check == "unanchored_tail" or log.first.get(check, ("",))[-1] == "voided":
            return "reported" if check in log.first else "ok"
        return "failed" if check in log.first else "not checked" if check in unchecked else "ok"
    return [(check, status(check), *log.first.get(check, (0, None, ""))[1:]) for check in CHECKS], log
def exit_code(verdicts):
    statuses = {check: status for check, status, _, _ in verdicts}
    partly = "not checked" in [statuses[check] for check in ("signatures", "commitments", "authority")]
    return 4 if "failed" in statuses.values() else 1 if partly else 0
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bundle", "--vkey"): parser.add_argument(name, **{"required": True} if name[0] == "-" else {})
    for name in ("--checkpoint", "--witness"): parser.add_argument(name, action="append", default=[])
    parser.add_argument("--quorum", type=int)
    parser.add_argument("--json", action="store_true")
    args, kept = parser.parse_args(), []
    try:
        vkey, witnesses = VerifierKey(args.vkey, b"\1"), [VerifierKey(one, b"\4") for one in args.witness]
        files = read_files(args.bundle)
        for path in args.checkpoint:
            with open(path, "rb") as file: kept.append(file.read())
    except (Bad, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        print("error: nothing could be read: %s" % error, file=sys.stderr)
        return 3
    verdicts, _ = verify(files, vkey, kept, witnesses, args.quorum)
    code = exit_code(verdicts)
    if args.json:
        rows_ = [dict(check=check, status=status, first_bad_seq=seq, reason=why or None) for check, status, seq, why in verdicts]
        print(json.dumps({"verified": code == 0, "verdicts": rows_}))
    else:
        for verdict in verdicts: print(*("-" if one in (None, "") else one for one in verdict))
    return code
if __name__ == "__main__": sys.exit(main())
