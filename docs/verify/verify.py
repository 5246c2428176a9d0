#!/usr/bin/env python3
"""Verify a bundle of an aosctl log without aosctl: written from docs/log-format.md alone, in the order of that page.

verify.py BUNDLE --vkey VKEY [--checkpoint FILE]... [--witness VKEY]... [--quorum N] [--json]
BUNDLE is a directory, a .tar or a .zip. Exit status: 0 verified; 1 something could not be checked; 3 nothing could be
read; 4 something does not verify. Needs Python 3.9, the package `cryptography`, and three files beside it: authority.py
(who may do what), decide.py (what the adopted policy makes of a request), and events.txt (the table of events)."""
import argparse, base64, datetime, hashlib, json, os, re, sys, tarfile, zipfile
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
sys.dont_write_bytecode = True  # nothing is left beside these files
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
def milliseconds(text):
    """Since the year 1; None where it is no time."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(text), re.A): return None
    try: return (datetime.datetime.fromisoformat(text[:-1]) - datetime.datetime.min) // datetime.timedelta(0, 0, 1000)
    except ValueError: return None
def commitment(record):
    """Over the field of every member, erased or not."""
    def field(name, value):
        salt = bytes.fromhex(record["salts"][name])
        return sha(b"aosctl/field/v1\0", name.encode(), b"\0", salt, canonical(value)).hex()
    fields = {name: field(name, value) for name, value in record["body"].items()}
    return sha(b"aosctl/payload/v1\0", canonical({**fields, **record.get("erased", {})})).hex()
# Entries --------------------------------------------------------------------------------------------------------------
class Log:
    """The entries so far and the first fault of each check. authority.py adds the state that the valid entries make."""
    def __init__(self, vkey, complete):
        self.vkey, self.complete, self.payloads, self.first, self.leaves, self.headers = vkey, complete, {}, {}, [], []
        self.things, self.invalid, self.voided, self.erased = {}, {}, {}, []  # things: whatever has an id, by id
        self.seq, self.at, self.leaf = 0, 0, b""
    def fail(self, check, seq, reason="differs"):
        """Keeps the lowest seq; a fault without one counts only where there is none with one."""
        order = seq is None, seq or 0
        if check not in self.first or order < self.first[check][0]: self.first[check] = order, seq, str(reason)
    def signed_well(self, envelope, header, body, record, usable):
        """Whether the one signature holds; None where the signer's key lies in a payload that is not here."""
        one, who = envelope.get("signatures"), header.get("actor")
        if not (isinstance(one, list) and len(one) == 1 and self.fits("signature", one[0])): return False
        key = self.vkey.key if who == "log" else self.things.get(str(who), {}).get("key")
        if self.seq == 0 and who == "op-1":  # entry 0 carries the key that signs it
            body_0 = record["body"] if usable else {}
            key = bytes.fromhex(body_0["operator_key"]) if self.fits("workspace.created/1", body_0) else None
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
            self.log = link[0]
            linked = [self.vkey.name, seq, self.leaves[-1].hex() if seq else "0" * 64]
            signed = self.signed_well(envelope, header, body, record, usable)
            commits = record and header.get("commit") == commitment(record)
            at = milliseconds(header.get("at")) or self.at
            if not formed: self.fail("canonical_form", seq)
            if signed is False: self.fail("signatures", seq)
            if canonical(link) != canonical(linked) or at < self.at: self.fail("chain", seq)
            if not commits and (record or self.complete): self.fail("commitments", seq)
            if seq == 0 and commits and record: self.origin(record["body"])
            self.at = at
        except Bad as bad:
            header = formed = {}
            for check in CHECKS[:3] + CHECKS[4:6]: self.fail(check, seq, bad)
        try:
            need(formed and signed and commits and usable and self.complete, "unusable")
            voidable = True
            self.judge(header["type"], header["actor"], header["subject"], record["body"])
        except Bad as bad: self.invalid[seq] = voidable, str(bad)
        self.headers.append(header if self.fits("header", header) else {})
        self.leaves.append(self.leaf)
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
    last = rows(data)[-1] if data and data[-1:] != b"\n" else None  # it has no line end
    for line in rows(data):
        try:
            record, exact = parse(line, 2**24, 65)
            seq = record.pop("seq", None) if isinstance(record, dict) else None
            need(log.fits("nat", seq), "no seq")
        except Bad as bad:
            log.fail("canonical_form", None, bad)
            continue
        fine = log.fits("record", record) and set(record["body"]) == set(record["salts"]) and record.get("erased", 1)
        fine = fine and not set(record["body"]) & set(record.get("erased", ()))
        fine = fine and depth(record["body"]) <= 64 and len(canonical(record["body"])) <= 2**20
        if not fine or not exact or line == last: log.fail("canonical_form", seq if seq < entries else None, "payload")
        if seq >= entries: log.fail("commitments", None, "payload_of_no_entry")
        elif seq in log.payloads: log.fail("commitments", seq, "payload_twice")
        elif fine: log.payloads[seq] = record, exact
def verify(files, vkey, kept=(), witnesses=(), quorum=None):
    """(check, status, first bad seq, reason) for each check, and the log."""
    entries = rows(files["entries.jsonl"])
    name = "payloads.jsonl" if "payloads.jsonl" in files else "payloads-some.jsonl"
    import authority  # it builds on this module
    log = authority.Rights(vkey, name == "payloads.jsonl")
    read_payloads(log, files.get(name, b""), len(entries))
    for line in entries: log.take(line)
    if entries and files["entries.jsonl"][-1:] != b"\n": log.fail("canonical_form", len(entries) - 1, "line_end")
    if not entries: log.fail("authority", 0, "entry_0_missing")
    for seq, (_, reason) in log.invalid.items():
        if log.complete and seq not in log.voided: log.fail("authority", seq, reason)
    for seq, (record, _) in log.payloads.items():  # what is gone is what valid entries say is gone
        gone, erased = set(record.get("erased", ())), {name for one, name in log.erased if one == seq}
        wrong = gone != erased or gone - set(authority.WORDS["erasable"])
        if log.complete and wrong: log.fail("commitments", seq, "erased")
    anchored, size = 0, len(entries)
    for check, note in [("tree_root", files.get("checkpoint", b""))] + [("pin_and_witnesses", one) for one in kept]:
        try:
            covered, root = checkpoint(note, vkey)
            if covered > size: log.fail(check, size, "entries_missing")
            elif root != tree_root(log.leaves[:covered]): log.fail(check, None, "root")
            elif check == "pin_and_witnesses": anchored = max(anchored, covered)
            elif covered < size: log.fail(check, covered, "size")
        except Bad as bad: log.fail(check, None, bad)
    if witnesses:  # enough of them must have signed one of the checkpoints, the bundle's or one kept elsewhere
        try:
            counts = [sum(cosigned(note, one) for one in witnesses) for note in [files.get("checkpoint", b""), *kept]]
            need(max(counts) >= (quorum or len(witnesses)), "too few witnesses")
            if counts[0] >= (quorum or len(witnesses)) and "tree_root" not in log.first: anchored = size
        except Bad as bad: log.fail("pin_and_witnesses", None, bad)
    unchecked = {"projections"} | (set() if kept or witnesses else {"pin_and_witnesses"})
    unchecked |= set() if log.complete else {"signatures", "commitments", "authority"}
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
    if args.quorum is not None and not 1 <= args.quorum <= len(args.witness): parser.error("--quorum: from 1 to all")
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
        names = ("check", "status", "first_bad_seq", "reason")
        print(json.dumps({"verified": code == 0, "verdicts": [dict(zip(names, verdict)) for verdict in verdicts]}))
    else:
        for verdict in verdicts: print(*("-" if one in (None, "") else one for one in verdict))
    return code
if __name__ == "__main__":
    import verify as this  # as a module, so that authority.py has the same one
    sys.exit(this.main())
