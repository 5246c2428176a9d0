#!/usr/bin/env python3
"""Verify a bundle of an aosctl log without aosctl: written from docs/log-format.md alone, in the order of that page.

verify.py BUNDLE --vkey VKEY [--checkpoint FILE]... [--witness VKEY]... [--quorum N] [--json]
BUNDLE is a directory, a .tar or a .zip. Exit status: 0 verified; 1 something could not be checked; 3 nothing could be
read; 4 something does not verify. Needs Python 3.9, the package `cryptography` and, beside it, the table events.txt."""
import argparse, base64, datetime, hashlib, json, os, re, sys, tarfile, zipfile
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
class Bad(Exception):
    """What was read breaks a rule; the text names it."""
def need(condition, rule="rule"):
    if not condition: raise Bad(rule)
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()

# JSON -----------------------------------------------------------------------------------------------------------------
def unique(pairs):
    need(len(dict(pairs)) == len(pairs), "duplicate_name")
    return dict(pairs)
def integer(text):
    need(text != "-0" and len(text) < 18 and abs(int(text)) < 2**53, "number")
    return int(text)
def refuse(text): raise Bad("number")
def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)
def canonical(value):
    def ordered(v):  # names by UTF-16 code units. Half of a surrogate pair cannot be encoded, here or below: ValueError
        if isinstance(v, dict): return {k: ordered(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be"))}
        return [ordered(one) for one in v] if isinstance(v, list) else v
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()
def parse(data, limit=65536, levels=64, number=integer, fraction=refuse):
    """The value, and whether the bytes are its canonical form."""
    need(len(data) <= limit, "too_large")
    rules = dict(object_pairs_hook=unique, parse_int=number, parse_float=fraction, parse_constant=refuse)
    try:
        value = json.loads(data.decode(), **rules)
        need(depth(value) <= levels, "too_deep")
        return value, canonical(value) == data
    except (ValueError, RecursionError) as error: raise Bad("syntax") from error
def unbase64(text):
    try: data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error: raise Bad("base64") from error
    need(base64.b64encode(data).decode() == text, "base64")  # padded, and no bits after the last byte
    return data

# Keys and signatures --------------------------------------------------------------------------------------------------
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # the field and the order of the group
ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7
SMALL = {0, 1, P - 1, ORDER_8, P - ORDER_8}  # a point has an order of 1, 2, 4 or 8 exactly if its y is one of these
def y_of(point): return int.from_bytes(point, "little") & (1 << 255) - 1
def sound(point):
    """Canonical and not of small order: y < p. (An x without a sign, 0, has y = 1 or -1, and those are small.)"""
    return len(point) == 32 and y_of(point) < P and y_of(point) not in SMALL
def strict(key, signature, message):
    """Strict Ed25519. OpenSSL computes SB - hA and compares its encoding with R's bytes: the equation has no cofactor."""
    if not (len(signature) == 64 and sound(key) and sound(signature[:32])): return False
    if int.from_bytes(signature[32:], "little") >= L: return False
    try: return Ed25519PublicKey.from_public_bytes(key).verify(signature, message) is None
    except (InvalidSignature, ValueError): return False
def may_enrol(key):
    """Sound, and L times it is the identity, which no point beside the curve and none with a torsion part gives. Counted
    on the Montgomery curve, u = (1 + y)/(1 - y), by the ladder of RFC 7748 section 5."""
    if not sound(key): return False
    u = (1 + y_of(key)) * pow(1 - y_of(key), -1, P) % P
    x, z, x1, z1 = 1, 0, u, 1  # m times the point, and m + 1 times it, as x/z
    for bit in bin(L)[2:]:
        if bit == "1": x, z, x1, z1 = x1, z1, x, z
        plus, minus, left, right = (x + z)**2, (x - z)**2, (x1 - z1) * (x + z), (x1 + z1) * (x - z)
        x, z, x1, z1 = plus * minus % P, (plus - minus) * (plus + 121665 * (plus - minus)) % P, (
            left + right)**2 % P, u * (left - right)**2 % P
        if bit == "1": x, z, x1, z1 = x1, z1, x, z
    return z == 0
class VerifierKey:
    def __init__(self, text, kind):
        need(text.count("+") > 1, "vkey")
        self.name, number, data = text.strip().split("+", 2)
        data = unbase64(data)
        self.key, self.id = data[1:], sha(self.name.encode(), b"\n", data)[:4]
        need(self.name and data[:1] == kind and number == self.id.hex() and sound(self.key), "vkey")

# Notes and the tree ---------------------------------------------------------------------------------------------------
def lines_by(key, note):
    """The signed text of a note, and what its signature lines by this key carry after the key id."""
    try: text, blank, lines = note.decode().rpartition("\n\n")
    except ValueError as error: raise Bad("note") from error
    need(len(note) <= 65536 and blank and lines[-1:] == "\n" and lines.count("\n") <= 100, "note")
    need(not re.search(r"[\0-\x09\x0b-\x1f]", text + lines), "note")
    found = []
    for line in lines[:-1].split("\n"):
        need(re.fullmatch("\u2014 [^\\s+]+ [^\\s]+", line), "note")
        name, data = line.split(" ")[1], unbase64(line.split(" ")[2])
        need(len(data) > 4, "note")
        if name == key.name and data[:4] == key.id: found.append(data[4:])
    return text + "\n", found
def checkpoint(note, key):
    """Size and root; every line by the log's key must verify, and there must be one."""
    text, found = lines_by(key, note)
    need(found and all(strict(key.key, signature, text.encode()) for signature in found), "note_signature")
    form = re.fullmatch("([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n", text)
    need(form and form[1] == key.name and len(unbase64(form[3])) == 32, "checkpoint")
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

# The table of events, and values --------------------------------------------------------------------------------------
SHAPES, TEXTS = {}, {}  # events and objects: (signers and subject, [(member, is it required, kind)]); patterns
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "events.txt"), encoding="utf-8") as table:
    for name, sign, rest in (row.rstrip("\n").split(" ", 2) for row in table if row[0] not in "#\n"):
        rights, _, members = rest.rpartition(" | ")
        if sign == "~": TEXTS[name] = rest
        else: SHAPES[name] = rights.split(), [(m.rstrip("?"), m[-1] != "?", k) for m, k in
                                              (member.split(":") for member in members.split())]
WORDS, DAY = {name: text.split("|") for name, text in TEXTS.items()}, 86400000
def span(text): return int(text[:-1]) * dict(s=1000, m=60000, h=3600000, d=DAY, w=7 * DAY)[text[-1]]
def highest(kind, *words): return max((word for word in words if word), key=WORDS[kind].index, default=None)
def milliseconds(text):
    need(isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text, re.A), "time")
    try: return (datetime.datetime.fromisoformat(text[:-1]) - datetime.datetime.min) // datetime.timedelta(0, 0, 1000)
    except ValueError as error: raise Bad("time") from error
def foreign(text): return parse(text.encode(), 524288, number=str, fraction=str) if isinstance(text, str) else refuse(text)
def covers(scope, resource):
    if scope[-1] == "*": return scope == "*" or len(resource) >= len(scope) and resource.startswith(scope[:-1])
    return resource == scope or resource.startswith(scope + "/")
def at_home(place, listed):
    below = listed[:2] == "*." and place.endswith(listed[1:]) and re.fullmatch("[a-z0-9._-]+" , place[:-len(listed[1:])])
    return place == listed or below is not None and below is not False
def fields(record):
    """The field of every member, erased or not."""
    def field(name, value):
        salt = bytes.fromhex(record["salts"][name])
        return sha(b"aosctl/field/v1\0", name.encode(), b"\0", salt, canonical(value)).hex()
    return {**{name: field(name, value) for name, value in record["body"].items()}, **record.get("erased", {})}

# Entries and what they may do -----------------------------------------------------------------------------------------
class Log:
    """The state that the valid entries make, and the first fault of each check."""
    def __init__(self, vkey, complete):
        self.vkey, self.complete, self.payloads, self.first, self.leaves, self.headers = vkey, complete, {}, {}, [], []
        self.seq, self.at = 0, 0
        self.things, self.keys, self.frozen, self.rules, self.digest = {}, set(), set(), None, None  # things: by their id
        self.invalid, self.voided, self.erased, self.approvals, self.money = {}, {}, [], {}, []
        self.months, self.repeated = set(), set()
    def fail(self, check, seq, reason=""):
        """Keeps the lowest seq; a fault without one counts only where there is none with one."""
        place = (seq is None, seq or 0)
        if check not in self.first or place < self.first[check][0]: self.first[check] = place, str(reason)
    def live(self, name):
        thing = self.things.get(name)
        return thing is not None and thing["live"] and ("for" not in thing or self.live(thing["for"]))
    def each(self, prefix): return [one for name, one in self.things.items() if name.startswith(prefix + "-")]
    def fits(self, kind, value):
        """Whether a value is of a kind of the table, at this place of the log."""
        if kind in SHAPES:
            if not isinstance(value, dict) or not set(value) <= {name for name, _, _ in SHAPES[kind][1]}: return False
            return all(self.fits(inner, value[name]) if value.get(name) is not None else not required
                       for name, required, inner in SHAPES[kind][1])
        if kind == "any": return True
        if "," in kind: return any(self.fits(one, value) for one in kind.split(","))
        if kind[0] == "[": return isinstance(value, list) and all(self.fits(kind[1:-1], one) for one in value)
        if kind[0] == "{": return isinstance(value, dict) and all(self.fits(kind[1:-1], one) for one in value.values())
        if kind in TEXTS: return isinstance(value, str) and re.fullmatch(TEXTS[kind], value) is not None
        if kind in ("true", "bool"): return value is True or value is False and kind == "bool"
        if kind in ("int", "nat", "one", "earlier"):
            low, high = dict(int=(-2**53, 2**53), nat=(0, 2**53), one=(1, 1), earlier=(0, self.seq - 1))[kind]
            return type(value) is int and low <= value <= high
        try:
            if kind in ("base64", "foreign"): return (unbase64 if kind == "base64" else foreign)(value) is not None
            if kind in ("time", "ahead", "past"): return kind == ("ahead" if milliseconds(value) > self.at else "past") or kind == "time"
        except Bad: return False
        if not (isinstance(value, str) and re.fullmatch(kind.rstrip("+=!") + "-[1-9][0-9]{0,14}", value)): return False
        return {"+": value not in self.things, "=": value in self.things, "!": self.live(value)}.get(kind[-1], True)
    def signature(self, seq, envelope, header, signed):
        """Whether the one signature holds; None where the signer's key is in a payload that is not there."""
        one = envelope.get("signatures")
        if not (isinstance(one, list) and len(one) == 1 and self.fits("signature", one[0])): return False
        who, carried = header.get("actor"), self.payloads.get(0, ({},))[0].get("body", {}).get("operator_key")
        first = seq == 0 and who == "op-1" and self.fits("hex", carried)  # entry 0 carries the key that signs it
        key = self.vkey.key if who == "log" else bytes.fromhex(carried) if first else self.things.get(who, {}).get("key")
        if one[0]["keyid"] != header.get("key"): return False
        if key is None: return False if self.complete else None
        pae = b"DSSEv1 36 application/vnd.aosctl.entry.v1+json %d " % len(signed) + signed
        return header.get("key") == sha(key).hex() and strict(key, unbase64(one[0]["sig"]), pae)
    def take(self, seq, line):
        """One entry: each check by itself, then what it may do."""
        self.seq, self.leaf, header, voidable = seq, sha(b"\0", line), {}, False
        try:
            envelope, exact = parse(line, 65535)
            signed = unbase64(isinstance(envelope, dict) and envelope.get("payload"))
            header, exact_too = parse(signed)
            need(isinstance(header, dict))
        except Bad as bad:
            for check in ("canonical_form", "signatures", "chain", "commitments", "authority"): self.fail(check, seq, bad)
            header = {}
        else:
            record, usable = self.payloads.get(seq, (None, False))
            link, place = [header.get(name) for name in ("log", "seq", "prev")], [self.vkey.name, seq, "0" * 64]
            place[2:] = [self.leaves[-1].hex()] if seq else place[2:]
            at = milliseconds(header["at"]) if self.fits("time", header.get("at")) else self.at
            formed = exact and exact_too and self.fits("envelope", envelope) and self.fits("header", header)
            signs = self.signature(seq, envelope, header, signed)
            commits = record and header.get("commit") == sha(b"aosctl/payload/v1\0", canonical(fields(record))).hex()
            if not formed: self.fail("canonical_form", seq)
            if signs is False: self.fail("signatures", seq)
            if canonical(link) != canonical(place) or at < self.at: self.fail("chain", seq)
            if not commits and (record or self.complete): self.fail("commitments", seq)
            self.at = at
        try:
            need(self.complete and header and formed and signs and commits and usable, "unusable")
            voidable = True
            self.judge(header["type"], header["actor"], header["subject"], record["body"])
        except Bad as bad: self.invalid[seq] = voidable, str(bad)
        self.headers.append(header)
        self.leaves.append(self.leaf)

    def judge(self, kind, who, subject, b):
        """One row of the authority table: Bad where the signer may not do this now; otherwise the state moves on."""
        need("/" in kind and kind in SHAPES and (kind == "workspace.created/1") == (self.seq == 0), "unknown_type")
        need(self.seq == 0 or who == "log" or self.live(who), "signer_not_live")
        need(self.fits(kind, b), "body")
        at, (roles, names), thing = self.at, SHAPES[kind][0], self.things.get(subject, {})
        need(subject == (self.headers[b["seq"]].get("subject") if names == "seq" else b.get(names, names)), "subject")
        may = dict(op=who[:2] == "op", log=who == "log", holder=who == thing.get("agent"), self=who in (b.get("agent"), b.get("target")))
        need(any(may[role] for role in roles.split(",")), "needs_" + roles)
        until = milliseconds(b["until"]) - at if b.get("until") else None  # how long from now
        event, requests = kind[:-2], self.rules and self.rules["requests"]
        if event == "workspace.created":
            op, log, nonce = (bytes.fromhex(b[name]) for name in ("operator_key", "log_key", "nonce"))
            need(log == self.vkey.key and op != log and may_enrol(op) and may_enrol(log), "keys")
            self.keys, self.things["op-1"] = {op, log}, dict(live=True, key=op)
        elif event in ("operator.enrolled", "agent.enrolled"):
            key, message = bytes.fromhex(b["public_key"]), b"aosctl/enrol/v1\0" + self.vkey.name.encode() + b"\0"
            need(key not in self.keys and may_enrol(key) and strict(key, bytes.fromhex(b["proof"]), message + key), "key")
            need(all(b.get("handle", 0) != one.get("handle") for name, one in self.things.items() if name[:2] == "ag"), "handle")
            self.keys.add(key)
            self.things[subject] = dict(live=True, key=key, handle=b.get("handle"), **({"for": b["operator"]} if "operator" in b else {}))
        elif event == "identity.retired":
            operators = [one for name, one in self.things.items() if name[:2] == "op" and one["live"]]
            need(thing["live"] and operators != [thing] and (b.get("as_of") or 0) <= self.seq, "retired")
            thing.update(live=False, retired=at)
        elif event == "policy.adopted":
            need(b["digest"] == sha(canonical(b["rules"])).hex(), "digest")
            self.rules, self.digest = b["rules"], b["digest"]
        elif event == "integration.added":
            need(self.catalogue(b["kind"]) and all(b["handle"] != one.get("handle") for name, one in self.things.items() if name[:2] == "i-"), "handle")
            self.things[subject] = dict(b, live=True)
        elif event in ("grant.issued", "grant.renewed"):
            longest = self.rules["grants"].get("longest")
            need(until <= span(longest) if until and longest else until or not longest, "until")
            if event == "grant.renewed": need(self.live(thing["agent"]), "agent")
            else:
                scopes = self.catalogue(self.things[b["integration"]]["kind"])["scope"]
                need(b["scope"] == "*" or b["scope"].split(":")[0] in (one["kind"] for one in scopes), "scope")
                thing = self.things[subject] = dict(b, live=True)
            thing["until"] = until and at + until
        elif event == "grant.narrowed":
            new = {name: b.get(name) or thing.get(name) for name in ("scope", "access", "data")}
            need(covers(thing["scope"], new["scope"]) and all(highest(name, thing[name], new[name]) == thing[name] for name in ("access", "data")), "widens")
            need(until is None or thing["until"] is None or at + until <= thing["until"], "widens")
            thing.update(new, until=thing["until"] if until is None else at + until)
        elif event in ("grant.revoked", "key.retired"): thing["live"] = False
        elif event == "workspace.frozen": self.frozen.add(subject)
        elif event == "workspace.thawed":
            need(subject in self.frozen, "not_frozen")
            self.frozen.remove(subject)
        elif event == "request.made":
            said = b["decision"], set(b["points"]), b["rule"], b.get("grant"), b["access"], b["approvers"], b["tier"]
            need(b["policy"] == self.digest and (who, b.get("idempotency_key", self.seq)) not in self.idempotent, "policy")
            need(until <= span(requests["wait" if b["decision"] == "ask" else "use_within"]) and said == self.decide(b), "decision")
            self.idempotent.add((who, b.get("idempotency_key")))
            self.things[subject] = dict(b, leaf=self.leaf.hex(), until=at + until, stage="open", given={})
            if b["decision"] == "allow": self.spend(b)
        elif event in ("request.approved", "request.denied"):
            need(thing["decision"] == "ask" and thing["stage"] == "open" and at < thing["until"] and who != thing["agent"], "decided")
            need(len(thing["given"]) < max(1, thing["approvers"]) and who not in thing["given"], "decided")
            need((b["leaf"], b.get("grant"), b["policy"]) == (thing["leaf"], thing.get("grant"), self.digest), "other")
            need(set(b["points"]) == set(thing["points"]) == self.decide(thing)[1], "points")
            if event == "request.denied": thing["stage"] = "denied"
            else:
                need(until <= span(requests["use_within"]) and bool(b.get("self_approved")) == ("audit" in b["points"] and thing["approvers"] < 2), "until")
                thing["given"][who] = at + until, set(b["points"])
                self.approvals[self.seq] = thing, who
                if len(thing["given"]) == max(1, thing["approvers"]): self.spend(thing)
        elif event == "request.withdrawn":
            need(thing["decision"] != "deny" and thing["stage"] == "open", "decided")
            thing["stage"] = "withdrawn"
        elif event == "request.claimed":
            good = [points for ends, points in thing["given"].values() if at < ends]
            need(thing["decision"] != "deny" and thing["stage"] == "open" and at < thing["until"], "not_allowed")
            need(thing["decision"] == "allow" or len(good) >= max(1, thing["approvers"]), "not_allowed")
            need(b["mode"] == "run" or not thing.get("bound_command"), "mode")
            decision, points, _, grant, _, approvers, _ = self.decide(thing)
            need(decision != "deny" and grant == thing.get("grant"), "no_live_grant")
            need(decision == "allow" or thing["decision"] == "ask" and len(good) >= approvers and all(points <= one for one in good), "points")
            thing["stage"] = "claimed"
        elif event in ("request.finished", "request.resolved"):
            old, new = thing.get("outcome"), b["outcome"]
            need(thing["stage"] == "claimed" and "release" not in thing, "not_claimed")
            if event == "request.finished": need(old is None, "finished")
            else: need((old in (None, "unknown") or old == new == "failed") and (new == "failed" or not b["release"]), "outcome")
            thing.update({name: b[name] for name in ("outcome", "release") if name in b})
        elif event == "payload.erased":
            given = [self.approvals.get(seq, ({}, None)) for seq in b["approvals"]]
            edit = dict(agent=who, action="audit.erase", resource="entry:%d" % b["seq"])
            need(all((one.get("action"), one.get("resource")) == (edit["action"], edit["resource"]) for one, _ in given), "approvals")
            decision, _, _, _, _, approvers, _ = self.decide(edit)
            need(decision == "ask" and len({who} | {one for _, one in given}) >= approvers, "too_few_approvers")
            record = self.payloads[b["seq"]][0]
            need(all(name in WORDS["erasable"] and (name in record["body"] or name in record.get("erased", ())) for name in b["members"]), "not_erasable")
            self.erased += [(b["seq"], name) for name in b["members"]]
        elif event == "entry.voided":
            seq, header = b["seq"], self.headers[b["seq"]]
            need(self.invalid.get(seq) and seq not in self.voided and b["leaf"] == self.leaves[seq].hex(), "not_invalid")
            need(who not in (header["actor"], header["subject"]), "own")
            self.voided[seq] = self.seq
        elif event in ("key.added", "key.changed"): self.things[subject] = dict(thing, live=True)
        elif event == "key.leaked":
            need(not thing.get("leak") or any(thing["leak"].get(s) not in ("done", "not_needed") for s in WORDS["step"]) is False, "leak_open")
            thing["leak"] = dict(seq=self.seq, contain="done")
        elif event == "key.step":
            need(thing.get("leak", {}).get("seq") == b["leak"], "leak")
            thing["leak"][b["step"]] = b["outcome"]
        elif event == "rotation.scheduled":
            need(not b.get("every") or span(b["every"]) > span(b.get("warn") or "0s"), "every")
        elif event in ("review.decided", "review.signed"):
            need(subject not in self.months and b["entries"] <= self.seq and b.get("decisions") != [], "review")
            if event == "review.signed": self.months.add(subject)

    def catalogue(self, kind): return next((one for one in self.rules["kinds"] if one["kind"] == kind), None) if self.rules else None

    def spend(self, b):
        amount = b["facets"].get("amount")
        if amount: self.money.append((self.at, amount, b["request"]))

    def decide(self, r):
        """What the rules in force make of a request now: decision, points, rule, grant, access, approvers, tier."""
        rules, action, at = self.rules, r["action"], self.at
        recent = [one for name, one in self.things.items() if name[:2] == "op" and (one["live"] or at - one["retired"] < 30 * DAY)]
        def ask(rule, points, said=(), **others):
            least = [rules["approvers"].get(point, 1) for point in points] + [one.get("approvers") or 1 for one in said]
            return max([1, min(2, len(recent)) if "audit" in points else 1] + least)
        def deny(rule, access): return "deny", set(), rule, None, access, 0, "low"
        if r["agent"][:2] == "op":
            if "w-1" in self.frozen: return deny("frozen.workspace", "admin")
            edit = action == "audit.erase" and r["resource"].startswith("entry:") and not r.get("integration")
            return ("ask", {"audit"}, "audit.edit", None, "admin", ask({"audit"}), "critical") if edit else deny("operator.not-an-audit-edit", "admin")
        place, f, caps = self.things.get(r.get("integration")), r["facets"], rules["caps"]
        known = next((one for one in (place and self.catalogue(place["kind"]) or {}).get("action", ()) if one["name"] == action), {})
        access, data = highest("access", r["access"], known.get("access", "write")), highest("data", f.get("data"), known.get("data"))
        if "w-1" in self.frozen: return deny("frozen.workspace", access)
        if r["agent"] in self.frozen: return deny("frozen.agent", access)
        if not place: return deny("integration.unknown", access)
        grants = [g for g in self.things.values() if g.get("agent") == r["agent"] and g.get("integration") == r["integration"] and "scope" in g and g["live"] and (g["until"] is None or at < g["until"]) and covers(g["scope"], r["resource"]) and highest("access", access, g["access"]) == g["access"] and highest("data", data, g["data"]) == g["data"]]
        if not grants: return deny("grant.none", access)
        grant = min((g["grant"] for g in grants), key=lambda name: int(name[2:]))
        def speaks(one):
            prefix = one["action"] == "*" or one["action"][-2:] == ".*" and action.startswith(one["action"][:-1])
            return one["integration"] in ("*", place["handle"], place["kind"]) and (prefix or one["action"] == action)
        said = [one for one in rules["actions"] if speaks(one)]
        amount, writes, where = f.get("amount"), access != "read", f.get("destination")
        minor = amount["minor"] if amount else 0
        ours = amount and (amount["currency"] == caps["currency"] or not minor)
        spent = sum(m["minor"] for when, m, request in self.money if when > at - 7 * DAY and m["currency"] == caps["currency"] and request != r["request"] and not self.things[request].get("release"))
        outside = not place["inside"] or where is not None and not any(at_home(where.lower(), one.lower()) for one in rules["boundary"]["destinations"])
        sent, environment = writes or known.get("sends") or where is not None, f.get("environment")
        fired = [(rule, point) for rule, points, fires in (
            ("action.catalogue", known.get("points") or (), True),
            ("action.policy", [point for one in said for point in one["points"]], True),
            ("money.unknown", ["money"], known.get("amount") and not amount),
            ("money.currency", ["money"], amount and not ours),
            ("money.per-move", ["money"], ours and minor > caps["per_move"]),
            ("money.per-week", ["money"], ours and minor + spent > caps["per_week"]),
            ("public.claim", ["public"], f.get("public") or known.get("public")),
            ("public.recipients", ["public"], (f.get("recipients") or 0) > rules["recipients"]),
            ("public.recipients-unknown", ["public"], known.get("recipients") and f.get("recipients") is None),
            ("data.leaves", ["customer_data"], outside and sent and data in ("customer", "secret")),
            ("data.unknown", ["customer_data"], outside and known.get("sends") and not data),
            ("production.environment", ["production"], writes and environment is not None and environment.lower() not in WORDS["harmless"]),
            ("production.environment-unknown", ["production"], writes and known.get("environment") and environment is None),
            ("facet.unclear", f.get("unclear") or (), True),
            ("production.unclassified", ["production"], writes and not any(one["points"] for one in said) and not any(map(known.get, WORDS["classifies"]))),
        ) if fires for point in points]
        points = {point for _, point in fired}
        tiers = [one.get("tier") for one in said] + ["critical" if access == "admin" else "high"] * bool(points - {"audit"}) + ["critical"] * ("audit" in points)
        tier = highest("tier", *tiers) or dict(read="low", write="medium", admin="high")[access]
        if not fired and not r.get("unsure"): return "allow", points, "grant.covers", grant, access, 0, tier
        return "ask", points, fired[0][0] if fired else "unsure", grant, access, ask(points, said), tier

def read_files(path):
    """The members of a bundle by name; a name that occurs twice is refused."""
    found = []
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            if os.path.isfile(os.path.join(path, name)):
                with open(os.path.join(path, name), "rb") as file: found.append((name, file.read()))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive: found = [(one.filename, archive.read(one)) for one in archive.infolist()]
    else:
        with tarfile.open(path) as archive: found = [(one.name, archive.extractfile(one).read()) for one in archive if one.isfile()]
    files = unique(found)
    inner = {name[7:]: data for name, data in files.items() if name.startswith("bundle/")}  # the pack for an auditor
    return inner if "entries.jsonl" in inner else files

def lines_of(data): return data[:-1].split(b"\n") if data[-1:] == b"\n" else data.split(b"\n") if data else []

def read_payloads(log, data, entries):
    for line in lines_of(data):
        try:
            record, exact = parse(line, 2**24, 65)
            seq = record.pop("seq", None) if isinstance(record, dict) else None
            need(log.fits("nat", seq))
        except Bad as bad:
            log.fail("canonical_form", None, bad)
            continue
        if seq >= entries: log.fail("commitments", None, "payload_of_no_entry")
        erased, fine = record.get("erased"), log.fits("record", record)
        fine = fine and set(record["body"]) == set(record["salts"]) and (erased is None or erased and not set(erased) & set(record["body"]))
        fine = fine and depth(record["body"]) <= 64 and len(canonical(record["body"])) <= 2**20
        if not fine or not exact: log.fail("canonical_form", seq, "payload")
        if seq in log.payloads: log.fail("commitments", seq, "payload_twice")
        elif fine and seq < entries: log.payloads[seq] = record, exact

CHECKS = "canonical_form signatures chain tree_root commitments authority projections pin_and_witnesses unanchored_tail".split()

def verify(files, vkey, kept=(), witnesses=(), quorum=None):
    """[check, status, first bad seq, reason] of a bundle, for every check."""
    entries, name = lines_of(files["entries.jsonl"]), "payloads.jsonl" if "payloads.jsonl" in files else "payloads-some.jsonl"
    log = Log(vkey, name == "payloads.jsonl")
    read_payloads(log, files.get(name, b""), len(entries))
    for seq, line in enumerate(entries): log.take(seq, line)
    if not entries: log.fail("authority", 0, "entry_0_missing")
    for seq, (voidable, reason) in log.invalid.items():
        if log.complete and seq not in log.voided: log.fail("authority", seq, reason)
    for seq, name in log.erased:
        if log.erased.count((seq, name)) > 1 or name not in log.payloads.get(seq, ({},))[0].get("erased", {name: 0}): log.fail("commitments", seq, "erased")
    for seq, (record, _) in log.payloads.items():
        for name in record.get("erased", ()):
            if log.complete and (name not in WORDS["erasable"] or (seq, name) not in log.erased): log.fail("commitments", seq, "erased")
    anchored, size = 0, len(entries)
    for check, note in [("tree_root", files.get("checkpoint", b""))] + [("pin_and_witnesses", one) for one in kept]:
        try:
            covers_, root = checkpoint(note, vkey)
            if covers_ > size: log.fail(check, size, "entries_missing")
            elif root != tree_root(log.leaves[:covers_]): log.fail(check, None, "root")
            elif check == "tree_root" and covers_ != size: log.fail(check, covers_, "size")
            elif check != "tree_root": anchored = max(anchored, covers_)
        except Bad as bad: log.fail(check, None, bad)
    if witnesses:
        try:
            signed = sum(cosigned(files["checkpoint"], one) for one in witnesses)
            need(signed >= (len(witnesses) if quorum is None else quorum), "too few witnesses")
            if "tree_root" not in log.first: anchored = size
        except (Bad, KeyError) as bad: log.fail("pin_and_witnesses", None, bad)
    verdicts = []
    for check in CHECKS:
        (_, seq), reason = log.first.get(check, ((True, None), ""))
        seq = None if _ else seq
        status = "failed" if check in log.first else "ok"
        if status == "ok" and (check == "projections" or not log.complete and check in ("signatures", "commitments", "authority") or check == "pin_and_witnesses" and not kept and not witnesses): status = "not checked"
        if check == "unanchored_tail" and anchored < size: status, seq, reason = "reported", anchored, "unanchored"
        if check == "authority" and status == "ok" and log.voided: status, seq, reason = "reported", min(log.voided), "voided"
        verdicts.append((check, status, seq, reason))
    return verdicts, log

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--vkey", required=True)
    parser.add_argument("--checkpoint", action="append", default=[])
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--quorum", type=int)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        vkey, witnesses = VerifierKey(args.vkey, b"\1"), [VerifierKey(one, b"\4") for one in args.witness]
        files, kept = read_files(args.bundle), []
        need("entries.jsonl" in files, "no entries.jsonl")
        for path in args.checkpoint:
            with open(path, "rb") as file: kept.append(file.read())
    except (Bad, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        print("error: nothing could be read: %s" % error, file=sys.stderr)
        return 3
    verdicts, _ = verify(files, vkey, kept, witnesses, args.quorum)
    failed, unsure = ({check for check, status, _, _ in verdicts if status == one} for one in ("failed", "not checked"))
    code = 4 if failed else 1 if unsure & {"signatures", "commitments", "authority"} else 0
    if args.json:
        print(json.dumps(dict(verified=code == 0, verdicts=[dict(check=c, status=s, first_bad_seq=q, reason=r or None) for c, s, q, r in verdicts])))
    else:
        for check, status, seq, reason in verdicts: print(check, status, "-" if seq is None else seq, reason or "-")
    return code

if __name__ == "__main__": sys.exit(main())
