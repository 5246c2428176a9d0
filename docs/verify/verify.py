#!/usr/bin/env python3
"""Verify a bundle of an aosctl log without aosctl: written from docs/log-format.md alone, in the order of that page.
verify.py BUNDLE --vkey VKEY [--checkpoint FILE]... [--witness VKEY]... [--quorum N] [--json]
BUNDLE is a directory, a .tar or a .zip. Exit status: 0 verified; 1 something could not be checked; 3 nothing could be
read; 4 something does not verify. Needs Python 3.9, the package `cryptography`, and the table events.txt beside it."""
import argparse, base64, collections, configparser, datetime, hashlib, json, pathlib, re, sys, tarfile, zipfile
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
(TABLE := configparser.RawConfigParser()).read(pathlib.Path(__file__).with_name("events.txt"), "utf-8")
PATTERNS, WORDS = {**TABLE["numbers"], **TABLE["texts"]}, {name: row.split("|") for name, row in TABLE["texts"].items()}
ROWS = {name: row.split(" | ") for part in ("objects", "events", "decision") for name, row in TABLE[part].items()}
MEMBERS = {name: {one: rest for one, *rest in re.findall(r"(\S+?)([?~]?):(\S+)", ROWS[name][-1])} for name in ROWS}
CHECKS, UNITS = WORDS["check"], dict(s=1000, m=60000, h=3600000, d=86400000, w=604800000)
class Object(dict): __getattr__ = dict.get  # of JSON; a member that is absent reads as null
class Bad(ValueError): """What was read breaks a rule; the text names it."""
def refuse(rule): raise Bad(rule)
def need(condition, rule): return condition or refuse(rule)
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def unique(pairs): return Object(pairs) if len(dict(pairs)) == len(pairs) else refuse("duplicate_name")
def integer(text): return int(text) if text != "-0" and len(text) < 18 and abs(int(text)) < 2**53 else refuse("number")
def ordered(value, levels):  # names by UTF-16 code units; half of a surrogate pair has none: a ValueError
    need(levels or not isinstance(value, (dict, list)), "too_deep")
    if isinstance(value, list): return [ordered(one, levels - 1) for one in value]
    names = sorted(value, key=lambda name: name.encode("utf-16-be")) if isinstance(value, dict) else ()
    return {name: ordered(value[name], levels - 1) for name in names} if isinstance(value, dict) else value
def canonical(one, levels=65): return json.dumps(ordered(one, levels), ensure_ascii=0, separators=(",", ":")).encode()
def parse(data, limit=65536, levels=64):  # the value, and whether the bytes are its canonical form
    value = json.loads(need(len(data) <= limit and data, "size").decode(), object_pairs_hook=unique, parse_int=integer,
                       parse_float=refuse, parse_constant=refuse)
    return value, canonical(value, levels) == data
def unbase64(text): return base64.b64decode(text) if re.fullmatch(PATTERNS["base64"], text) else None
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # the field and the order of the group
def y_of(point): return int.from_bytes(point, "little") & (1 << 255) - 1
def sound(point): return len(point) == 32 and y_of(point) < P and "%064x" % y_of(point) not in WORDS["weak"]
def strict(key, sig, message):  # OpenSSL compares the encoding of SB - hA with R's bytes, so there is no cofactor
    fine = len(sig) == 64 and sound(key) and sound(sig[:32]) and int.from_bytes(sig[32:], "little") < L
    try: return fine and Ed25519PublicKey.from_public_bytes(key).verify(sig, message) is None
    except (InvalidSignature, ValueError): return False
def may_enrol(key):  # sound, and L times it is the identity: no point beside the curve, and none with a torsion part
    def double(x, z): return (x * x - z * z)**2 % P, 4 * x * z * (x * x + 486662 * x * z + z * z) % P
    low, (x, z) = (1, 0), (high := (1 + y_of(key), 1 - y_of(key)))  # m and m + 1 times it, u = x/z on Montgomery's form
    for bit in bin(L)[2:]:
        both = z * (low[0] * high[0] - low[1] * high[1])**2 % P, x * (low[0] * high[1] - low[1] * high[0])**2 % P
        low, high = (both, double(*high)) if bit == "1" else (double(*low), both)
    return sound(key) and low[1] == 0
class VerifierKey:
    def __init__(self, text, kind):  # 1: of a log, 4: of a witness
        self.name, number, raw = (text.strip().split("+", 2) + ["", ""])[:3]
        self.kind, self.key, self.id = kind, (raw := unbase64(raw) or b"")[1:], sha(self.name.encode(), b"\n", raw)[:4]
        need(self.name and raw[:1] == kind and number == self.id.hex() and sound(self.key), "not a verifier key")
def signed_text(note, vkey):  # the text of a note, and whether this key signed it: each line by it must verify
    form = need(re.fullmatch(PATTERNS["note"], need(len(note) <= 65536 and note, "note").decode()), "note")
    lines = [(name, unbase64(data) or b"") for _, name, data in (line.split(" ") for line in form[2][:-1].split("\n"))]
    found = [data[4:] for name, data in lines if (name, data[:4]) == (vkey.name, vkey.id)]
    for data in found:  # a witness signs the time, too
        time = b"cosignature/v1\ntime %d\n" % int.from_bytes(data[:8], "big") if vkey.kind == b"\4" else b""
        fine = len(data) == (72 if time else 64) and not (time and data[0] > 127)
        need(fine and strict(vkey.key, data[-64:], time + form[1].encode()), "note_signature")
    return need(all(len(data) > 4 for _, data in lines) and form[1], "note"), bool(found)
def checkpoint(note, vkey):  # size and root
    text, found = signed_text(note, vkey)
    form = need(found and re.fullmatch(PATTERNS["checkpoint"], text), "checkpoint")
    return int(form[2]), need(form[1] == vkey.name and unbase64(form[3]), "checkpoint")
def tree_root(leaves):
    if len(leaves) < 2: return leaves[0] if leaves else sha(b"")
    return sha(b"\1", tree_root(leaves[:(half := 1 << (len(leaves) - 1).bit_length() - 1)]), tree_root(leaves[half:]))
def instant(text, start=datetime.datetime.min):  # since the year 1; None where it is no time
    try: return (start.fromisoformat(re.fullmatch(PATTERNS["time"], text)[1]) - start) // datetime.timedelta(0, 0, 1000)
    except (ValueError, TypeError): return None
def span(text): return int(text[:-1]) * UNITS[text[-1]]
def commitment(record):  # over the field of every member, erased or not
    def field(name): return name.encode(), b"\0", bytes.fromhex(record.salts[name]), canonical(record.body[name])
    fields = {name: sha(b"aosctl/field/v1\0", *field(name)).hex() for name in record.body}
    return sha(b"aosctl/payload/v1\0", canonical({**fields, **(record.erased or {})})).hex()
def rank(order, word): return WORDS[order].index(word) if word else -1
def highest(order, *words): return max(words, key=lambda word: rank(order, word))
def covers(scope, one):
    return one == scope or one.startswith(stem := scope[:-1] if scope[-1] == "*" else scope + "/") and one != stem
def inside(place, listed):  # the destination that is listed, or a host name below the domain that is; ASCII case is one
    place, listed = place.encode().lower(), listed.encode().lower()
    below = listed[:2] == b"*." and place.endswith(listed[1:]) and place != listed[1:]
    return place == listed or below and re.fullmatch(b"[a-z0-9._-]+", place)
class Log:  # the entries so far, the first fault of each check, and the state that the valid entries make
    def __init__(self, vkey, complete):
        self.vkey, self.complete, self.seq, self.at, self.leaves, self.headers = vkey, complete, 0, 0, [], []
        self.payloads, self.first, self.invalid, self.voided, self.approvals, self.used = {}, {}, {}, {}, {}, set()
        self.things, self.rules = collections.defaultdict(lambda: Object(states={"new"})), Object()
        self.each, self.erased = collections.defaultdict(list), collections.defaultdict(set)
    def fail(self, check, seq, reason="differs"):  # the lowest seq counts, none only where there is none
        self.first[check] = min(self.first.get(check, (2,)), (seq is None, seq or 0, seq, str(reason)))
    def live(self, name):
        return "live" in (thing := self.things[name]).states and (not thing.operator or self.live(thing.operator))
    def catalogue(self, kind): return [one for one in self.rules.kinds or () if one.kind == kind] or [Object()]
    def fits(self, kind, value):  # whether a value is of a kind of the table, at this place of the log
        if kind in MEMBERS:
            return isinstance(value, dict) and set(value) <= set(MEMBERS[kind]) and all(
                mark if name not in value else mark == "?" and value[name] is None or self.fits(inner, value[name])
                for name, (mark, inner) in MEMBERS[kind].items())
        if "," in kind: return any(self.fits(one, value) for one in kind.split(","))
        if kind[0] in "[({":
            name, _, inner = kind[1:-1].rpartition(">")
            return isinstance(value, dict if name else list) and (value or kind[0] != "(") and all(
                self.fits(inner, value[one] if name else one) and (not name or self.fits(name, one)) for one in value)
        base, text = kind.rstrip("=!"), value if isinstance(value, str) else json.dumps(value)
        if (text is value) != (base in WORDS) or not re.fullmatch(PATTERNS[base], text): return kind == "any"
        larger = lambda: [one for one in "mhd" if UNITS[one] > UNITS[text[-1]] and span(text) % UNITS[one] == 0]
        world = Object(value=value, seq=self.seq, now=self.at, moment=lambda: instant(value), larger=larger,
                       lasts=lambda: span(value), bytes=len(text.encode()))
        if base in TABLE["limits"] and not self.holds(TABLE["limits"][base], world): return False
        it = self.things[value] if kind != base else Object(sort=base)
        return it.sort == base and (kind[-1] != "!" or self.live(value) or base == "r" and self.at < instant(it.until))
    def value(self, path, world):  # what a path of the table names: a word, a number, a fact of the table, or a member
        if path[0] in "'0123456789": return int(path) if path.isdigit() else path[1:-1]
        if path in TABLE["facts"]: return self.holds(TABLE["facts"][path], world)
        if path in TABLE["lists"]:  # the items of a list for which the conditions hold
            item, source, row = TABLE["lists"][path].split(" | ")
            return [one for one in self.value(source, world) or () if self.holds(row, Object(world, **{item: one}))]
        for name in path.split("."): world = world.get(name) if isinstance(world, dict) else None
        return world() if callable(world) else world
    def true(self, world, left, sign=None, right=None):  # `path`, `no path`, or two paths and a sign between them
        one = self.value(sign if left in ("no", "live") else left, world)
        if left == "live": return self.live(one)
        if not right: return (one is None or one is False or one in ([], set())) == (left == "no")
        other, order = self.value(right, world), right.split(".")[-1]
        if sign in ("=", "!="): return (one == other) == (sign == "=")
        if sign == "in": return one in (other or ())
        if sign == "within": return not other or one is not None and instant(one) <= self.at + span(other)
        if one is None or other is None: return sign == "<="
        if order == "scope": return covers(other, one)
        if isinstance(one, (list, set)): return set(one) <= set(other)
        one, other = (rank(order, one), rank(order, other)) if order in WORDS else (one, other)
        return one < other or sign == "<=" and one == other
    def holds(self, row, world):  # whether all conditions of one of its alternatives hold
        return any(all(self.true(world, *one.split(" ")) for one in part.split(", ")) for part in row.split(" or "))
    def signed_well(self, envelope, header, data, body):  # None where the key lies in a payload that is not here
        one, who = envelope.signatures, str(header.actor)
        key = self.vkey.key.hex() if who == "log" else self.things[who].public_key or self.things[who].operator_key
        if self.seq == 0 and who == "op-1": key = self.fits("workspace.created/1", body) and body.operator_key
        if not self.fits("(signature)", one) or len(one) > 1 or one[0].keyid != header.key: return False
        if not key: return False if self.complete else None
        pae, key = b"DSSEv1 36 application/vnd.aosctl.entry.v1+json %d " % len(data) + data, bytes.fromhex(key)
        return header.key == sha(key).hex() and strict(key, unbase64(one[0].sig), pae)
    def take(self, line):  # the next entry: each check by itself, then what it may do
        seq, self.leaf, ready, header = len(self.leaves), sha(b"\0", line), False, Object()
        self.seq, (record, usable) = seq, self.payloads.get(seq, (Object(body=Object()), None))
        try:
            envelope, exact = parse(line, 65535)
            need(isinstance(envelope, dict) and self.fits("base64", envelope.payload), "payload")
            header, exact_too = parse(data := unbase64(envelope.payload))
            at = instant(need(isinstance(header, dict), "header") and header.at) or self.at
            formed = exact and exact_too and self.fits("envelope", envelope) and self.fits("header", header)
            signed = self.signed_well(envelope, header, data, record.body if usable else {})
            commits = usable is not None and header.commit == commitment(record)
            place = [self.vkey.name, seq, self.leaves[-1].hex() if seq else "0" * 64]
            parts = [record.body.operator_key, record.body.log_key, record.body.nonce] if commits and not seq else [""]
            named = not all(self.fits("hex", one) for one in parts) or self.vkey.name == "aosctl/" + sha(
                b"aosctl/origin/v1\0", *map(bytes.fromhex, parts))[:16].hex()  # the log's name, by entry 0
            chained = canonical([header.log, header.seq, header.prev]) == canonical(place) and self.at <= at and named
            fine = formed, signed is not False, chained, True, commits or usable is None and not self.complete
            for check in [check for check, good in zip(CHECKS, fine) if not good]: self.fail(check, seq)
            self.at, ready = at, formed and signed and commits and usable and self.complete
        except (ValueError, RecursionError) as bad:
            for check in CHECKS[:3] + CHECKS[4:6]: self.fail(check, seq, bad)
        try: self.judge(need(ready and header, "unusable"), record.body)
        except Bad as bad: self.invalid[seq] = ready, str(bad)
        self.headers.append(Object(header if self.fits("header", header) else (), leaf=self.leaf.hex()))
        self.leaves.append(self.leaf)
    def judge(self, header, body):  # Bad where the signer may not do this now; otherwise the state moves on
        event, who, seq, things, thing = header.type, header.actor, self.seq, self.things, self.things[header.subject]
        need(event in TABLE["events"] and (event == "workspace.created/1") == (seq == 0), "type")
        (roles, about, states, wanted, _), kinds = ROWS[event], need(self.fits(event, body) and MEMBERS[event], "body")
        of = self.headers[body.seq] if about == "seq" else Object(subject=body.get(about, about))
        body, (before, arrow, after) = Object(one for one in body.items() if one[1] is not None), states.partition(">")
        before, given = set(before.split(",")) - {"", "-"}, (thing.given or {}).values()
        need(header.subject == of.subject and (not before or thing.states & before), "subject, or its state")
        keys, self.now = [bytes.fromhex(body[one]) for one in body if kinds[one][1] == "key"], header.at
        need(self.used.isdisjoint(keys) and len(set(keys)) == len(keys) and all(map(may_enrol, keys)), "key")
        new = Object({"leaf": self.leaf.hex(), "given": {}, **thing, **body})
        edit, log = Object(agent=who, action="audit.erase", resource="entry:%s" % body.seq), header.log.encode()
        asks, once = body.request and new or "approvals" in kinds and edit, (who, body.get("idempotency_key", seq))
        held, now = self.payloads.get(body.seq, [Object(body=())])[0], asks and self.decide(asks)
        ours = [self.approvals.get(one, Object(who=who)) for one in body.approvals or ()]
        world = Object(
            body, count=len(given) if body.request else len({who, *(one.who for one in ours)}), adopted=self.rules,
            word=str(body.scope).split(":")[0], at=self.now, points=set(body.points or ()), given=given,
            proven=lambda: strict(keys[0], bytes.fromhex(body.proof), b"aosctl/enrol/v1\0%s\0%s" % (log, keys[0])),
            subject=header.subject, signer=who, trusted=self.vkey.key.hex(), signing=things[who], of=of,
            longer=lambda: not body.every or span(body.every) > span(body.warn or "0s"), named=ours,
            asked=asks and now.points | set(thing.points or ()), hash=lambda: sha(canonical(body.rules)).hex(), now=now,
            there={*held.body, *(held.erased or ())} - self.erased[body.seq], held=things[thing.grant], edit=edit,
            its=thing, repeated=once in self.used, words=WORDS, place=self.catalogue(things[new.integration].kind)[0],
            every=self.each, voidable=self.invalid.get(body.seq, [False])[0])
        need((seq == 0 or who == "log" or self.live(who)) and self.holds(roles, world), "no right to it")
        need(wanted == "-" or self.holds(wanted, world), "conditions")
        self.used.update(keys, [once])
        if event == "policy.adopted/1": self.rules = Object(body.rules, digest=body.digest)
        if event == "grant.renewed/1": new["until"] = body.until
        if event == "request.made/1" and now.decision == "allow": new["handed"] = self.at
        if event == "request.approved/1":
            thing.given[who] = self.approvals[seq] = Object(body, who=who, asked=thing)
            if len(thing.given) == thing.approvers: thing.update(states={"approved"}, handed=self.at)
        if event == "payload.erased/1": self.erased[body.seq] |= set(body.members)
        if event == "entry.voided/1": self.voided[body.seq] = of["voided"] = seq
        if event == "key.leaked/1": thing.update(leak=seq, open=set(WORDS["step"]) - {"contain"})
        if event == "key.step/1": (thing.open.add if body.outcome in WORDS["open"] else thing.open.discard)(body.step)
        if arrow and "new" in before: self.each[new.setdefault("sort", kinds.get(about, ["op"])[-1])].append(thing)
        if arrow: thing.update(new, since=self.at, states=thing.states - before | {body.get(after, after)})
    def decide(self, request):  # the section "Deciding again": what the rules of the table make of a request
        rules, agent, action, place = self.rules, request.agent, request.action, self.things[request.integration]
        facets = need(rules.digest, "no policy") and place.kind and request.facets or Object()  # none for an edit
        known = next((one for one in self.catalogue(place.kind)[0].action or () if one.name == action), Object())
        access = "admin" if agent[:2] == "op" else highest("access", request.access, known.access or "write")
        about = ["*", action] + [action[:at] + "*" for at in range(len(action) + 1) if action[at - 1:at] == "."]
        world = Object(
            request, data=highest("data", facets.data, known.data), environment=(facets.environment or "").lower(),
            about=about, listed=[one for one in rules.boundary.destinations if inside(facets.destination or "", one)],
            names=["*", place.handle, place.kind], week=self.at - 7 * UNITS["d"], integration=place, access=access,
            workspace=self.things["w-1"], adopted=rules, words=WORDS, at=self.now, word=request.resource.split(":")[0],
            month=self.at - 30 * UNITS["d"], facets=facets, known=known, requester=self.things[agent], every=self.each)
        said, moved = self.value("said", world), [*self.value("moved", world), Object(facets=facets)]
        grants = sorted((one.grant for one in self.value("grants", world)), key=lambda name: int(name[2:])) or [None]
        world.update(points=[point for one in said for point in one.points], grant=grants[0],
                     spent=sum(one.facets.amount.minor for one in moved if one.facets.amount))
        fired = [(rule, ROWS[rule][0], point) for rule in TABLE["decision"] if self.holds(ROWS[rule][2], world)
                 for point in self.value(ROWS[rule][1], world) or [ROWS[rule][1]]]
        (rule, decision, _), points = fired[0], {point for _, _, point in fired} & set(WORDS["point"])
        tier = highest("tier", None, *(one.tier for one in said), "critical" if "audit" in points else None,
                       ("critical" if access == "admin" else "high") if points - {"audit"} else None)
        wanted = [rules.approvers.get(point, 1) for point in points] + [one.approvers or 1 for one in said]
        wanted += [2 if "audit" in points and self.value("recent", world)[1:] else 1]
        if decision == "deny": points, tier, world["grant"] = set(), "low", None
        return Object(decision=decision, rule=rule, points=points, access=access, grant=world.grant,
            approvers=max(wanted) if decision == "ask" else 0, tier=tier or WORDS["tier"][rank("access", access)])
def lines(data): return data.split(b"\n")[:-1] if data[-1:] in (b"\n", b"") else data.split(b"\n")
def read_files(path):  # by name; a name that occurs twice is refused. An auditor's pack has the bundle in a directory
    if path.is_dir(): found = [(one.name, one.read_bytes()) for one in path.iterdir() if one.is_file()]
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive: found = [(one.filename, archive.read(one)) for one in archive.infolist()]
    else:
        with tarfile.open(path, "r:") as t: found = [(one.name, t.extractfile(one).read()) for one in t if one.isfile()]
    files, inner = unique(found), {name[7:]: data for name, data in found if name.startswith("bundle/")}
    return need(files if "entries.jsonl" in files else "entries.jsonl" in inner and inner, "there is no entries.jsonl")
def read_payloads(log, data, entries):
    cut = data.rpartition(b"\n")[2]  # what has no line end
    for line in lines(data):
        try:
            record, exact = parse(line, 2**24, 65)
            seq = record.pop(need(isinstance(record, dict) and log.fits("nat", record.seq) and "seq", "no seq"))
            fine = log.fits("record", record) and record.body.keys() == record.salts.keys() and record.get("erased", 1)
            fine = fine and not set(record.body) & set(record.erased or ()) and len(canonical(record.body)) <= 2**20
            if not (fine and exact and line != cut): log.fail("canonical_form", seq if seq < entries else None)
            if seq >= entries: log.fail("commitments", None, "payload_of_no_entry")
            elif seq in log.payloads: log.fail("commitments", seq, "payload_twice")
            elif fine: log.payloads[seq] = record, exact
        except (ValueError, RecursionError) as bad: log.fail("canonical_form", None, bad)
def verify(files, vkey, kept=(), witnesses=(), quorum=None):  # exit code; (check, status, first bad seq, reason); log
    data, complete, notes = files["entries.jsonl"], "payloads.jsonl" in files, [files.get("checkpoint", b""), *kept]
    log, size, seen, quorum = Log(vkey, complete), len(lines(data)), 0, quorum or len(witnesses)
    read_payloads(log, files.get("payloads.jsonl" if complete else "payloads-some.jsonl", b""), size)
    for line in lines(data): log.take(line)
    if data[-1:] not in (b"", b"\n"): log.fail("canonical_form", size - 1, "line_end")
    if not size: log.fail("authority", 0, "entry_0_missing")
    for seq in set(log.invalid) - set(log.voided) if complete else (): log.fail("authority", seq, log.invalid[seq][1])
    for seq in log.payloads if complete else ():  # what is gone is what valid entries say is gone
        if set(log.payloads[seq][0].erased or ()) != log.erased[seq]: log.fail("commitments", seq, "erased")
    for one, note in zip(["tree_root"] + ["pin_and_witnesses"] * len(kept), notes):
        try:
            count, root = checkpoint(note, vkey)
            if count > size: log.fail(one, size, "entries_missing")
            elif need(root == tree_root(log.leaves[:count]), "root") and one != "tree_root": seen = max(seen, count)
            elif count < size: log.fail(one, count, "size")
        except ValueError as bad: log.fail(one, None, bad)
    try:  # enough witnesses must have signed one of the checkpoints, the bundle's or one kept elsewhere
        enough = [sum(signed_text(note, one)[1] for one in witnesses) >= quorum for note in notes if witnesses]
        need(any(enough) or not witnesses, "too few witnesses")
        if enough[:1] == [True] and "tree_root" not in log.first: seen = size
    except ValueError as bad: log.fail("pin_and_witnesses", None, bad)
    if seen < size: log.fail("unanchored_tail", seen, "%d entries" % (size - seen))
    if log.voided and "authority" not in log.first: log.fail("authority", min(log.voided), "voided")
    told = dict.fromkeys(CHECKS[6:7 + (not [*kept, *witnesses])] + WORDS["by_payload"] * (not complete), "not checked")
    for one, fault in log.first.items(): told[one] = "reported" if "voided" in fault or one == CHECKS[-1] else "failed"
    code = 4 if "failed" in told.values() else int("authority" in told and told["authority"] == "not checked")
    return code, [(check, told.get(check, "ok"), *log.first.get(check, (0, 0, None, ""))[2:]) for check in CHECKS], log
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    several, flag = {"action": "append", "default": []}, {"action": "store_true"}
    for name, more in {"bundle": {}, "--vkey": {"required": True}, "--checkpoint": several, "--witness": several,
                       "--quorum": {"type": int}, "--json": flag}.items(): parser.add_argument(name, **more)
    args = parser.parse_args()
    try:
        vkey, witnesses = VerifierKey(args.vkey, b"\1"), [VerifierKey(one, b"\4") for one in args.witness]
        files, kept = read_files(pathlib.Path(args.bundle)), [pathlib.Path(one).read_bytes() for one in args.checkpoint]
    except Exception as error: return print("error: nothing could be read: %s" % error, file=sys.stderr) or 3
    single = len({vkey.key, *(one.key for one in witnesses)}) > len(witnesses)  # each once, and not the log itself
    if not single or args.quorum not in (None, *range(1, len(witnesses) + 1)): parser.error("--witness or --quorum")
    (code, told, _), names = verify(files, vkey, kept, witnesses, args.quorum), WORDS["verdict"]
    if args.json: print(json.dumps({"verified": code == 0, "verdicts": [dict(zip(names, one)) for one in told]}))
    for verdict in [] if args.json else told: print(*("-" if one in (None, "") else one for one in verdict))
    return code
if __name__ == "__main__": sys.exit(main())
