"""Copies of a bundle with one thing changed. Each gives (name, files, harmless, more arguments); the seed gives every choice."""
import base64
import json

import forge

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
# Points of small order, and second encodings of points: C2SP's CCTV vectors for Ed25519 have the same.
WEAK = [bytes.fromhex(text) for text in (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)]


def lines(data):
    return data.split(b"\n")[:-1]


def joined(rows):
    return b"".join(row + b"\n" for row in rows)


def header_of(line):
    return json.loads(base64.b64decode(json.loads(line)["payload"]))


def with_signature(line, signature, keyid=None):
    envelope = json.loads(line)
    envelope["signatures"][0]["sig"] = forge.b64(signature)
    if keyid:
        envelope["signatures"][0]["keyid"] = keyid
    return forge.jcs(envelope)


class Mutations:
    """Everything that is changed in one bundle. `keys` are those that a thief may have: the log's, and by actor."""

    def __init__(self, files, keys, random):
        self.files, self.keys, self.random = files, keys, random
        self.entries, self.payloads = lines(files["entries.jsonl"]), lines(files.get("payloads.jsonl", b""))
        self.headers = [header_of(line) for line in self.entries]
        self.origin = self.headers[0]["log"]

    def copy(self, **changed):
        files = dict(self.files)
        for name, data in changed.items():
            files[name.replace("_jsonl", ".jsonl")] = data
        return files

    def entry(self, seq, line):
        return self.copy(entries_jsonl=joined(self.entries[:seq] + [line] + self.entries[seq + 1:]))

    def payload(self, seq, line):
        return self.copy(payloads_jsonl=joined(self.payloads[:seq] + [line] + self.payloads[seq + 1:]))

    def sealed(self, entries, payloads=None):
        """With a checkpoint that fits, by the (stolen) log identity."""
        files = self.copy(entries_jsonl=joined(entries), payloads_jsonl=joined(payloads or self.payloads))
        root = forge.root([forge.leaf(line) for line in entries])
        return {**files, "checkpoint": forge.note(self.origin, len(entries), root, self.keys["log"]).encode()}

    def signed_again(self, start, change):
        """The suffix from `start` on with a changed header there, every entry re-signed by its own signer."""
        entries = self.entries[:start]
        for header in self.headers[start:]:
            header = {**header, "prev": forge.leaf(entries[-1]).hex() if entries else "0" * 64}
            header.update(change if header["seq"] == start else {})
            entries.append(forge.seal(header, self.keys[header["actor"]] if header["actor"] in self.keys else self.keys["log"]))
        return self.sealed(entries)

    def appended(self, signer, kind, subject, body, **change):
        """One more entry, rightly chained, committed, signed by `signer` and covered by a checkpoint."""
        record = forge.record_of(body, "appended")
        last = self.headers[-1]
        header = {**last, "seq": len(self.entries), "prev": forge.leaf(self.entries[-1]).hex(), "actor": signer, "type": kind,
                  "key": self.keys[signer].id, "subject": subject, "commit": forge.commit(record)}
        header.update(change)
        line = forge.jcs({**record, "seq": header["seq"]})
        return self.sealed(self.entries + [forge.seal(header, self.keys[signer])], self.payloads + [line])

    def any(self):
        return self.random.randrange(len(self.entries))

    # Classes. Each yields (name, files) or (name, files, harmless).

    def envelope_bytes(self, count):
        for _ in range(count):
            seq = self.any()
            line = bytearray(self.entries[seq])
            at = self.random.randrange(len(line))
            line[at] ^= 1 << self.random.randrange(7)
            if bytes(line).count(b"\n") == 0:
                yield "bit of envelope %d at %d" % (seq, at), self.entry(seq, bytes(line))
        for change in (lambda one: one[:-1], lambda one: one + b" ", lambda one: b" " + one, lambda one: b"", lambda one: one + b"\r",
                       lambda one: b"\xef\xbb\xbf" + one, lambda one: one.replace(b'":', b'": ', 1), lambda one: one.replace(b"/", b"\\/"),
                       lambda one: one[:-1] + b',"x":1}', lambda one: b"[]", lambda one: b"{}", lambda one: b"null",
                       lambda one: one.replace(b'"payloadType"', b'"payloadType":"x","payloadType"'),
                       lambda one: one.replace(b'"payload":', b'"payload":1,"payload":', 1),
                       lambda one: b"[" * 70 + b"]" * 70, lambda one: b"[" * 5000 + b"]" * 5000, lambda one: b'{"a":"' + b"a" * 66000 + b'"}',
                       lambda one: one.replace(b"entry.v1", b"entry.v2"), lambda one: one.replace(b"signatures", b"signature")):
            seq = self.any()
            yield "envelope %d: form" % seq, self.entry(seq, change(self.entries[seq]))

    def signatures(self, count):
        for _ in range(count):
            seq = self.any()
            envelope = json.loads(self.entries[seq])
            signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
            scalar = int.from_bytes(signature[32:], "little")
            choice = self.random.randrange(9)
            if choice == 0:
                signature[self.random.randrange(64)] ^= 1 << self.random.randrange(8)
            elif choice == 1:
                signature[32:] = ((scalar + L) % 2**256).to_bytes(32, "little")
            elif choice == 2:
                signature[:32] = self.random.choice(WEAK)
            elif choice == 3:
                signature = bytearray(self.random.choice(WEAK) + bytes(32))
            elif choice == 4:
                signature = signature[:self.random.choice([0, 32, 63])]
            elif choice == 5:
                envelope["signatures"] *= self.random.choice([0, 2])
            elif choice == 6:
                envelope["signatures"][0]["keyid"] = self.random.choice([self.headers[0]["key"][:-1] + "0", "", "0" * 64])
            elif choice == 7:
                envelope["signatures"][0]["sig"] = envelope["signatures"][0]["sig"].rstrip("=")
            else:
                text = envelope["signatures"][0]["sig"]
                envelope["signatures"][0]["sig"] = text[:-3] + chr(ord(text[-3]) + 1) + "=="
            if choice in (0, 1, 2, 3, 4):
                envelope["signatures"][0]["sig"] = forge.b64(bytes(signature))
            yield "signature %d, kind %d" % (seq, choice), self.entry(seq, forge.jcs(envelope))

    def headers_changed(self, count):
        values = {
            "v": [2, "1", True, None], "log": ["aosctl/" + "0" * 32, "x", 1], "seq": [0, 1, "1", -1, 2**53 - 1],
            "prev": ["0" * 64, "f" * 64, "x", 1], "at": ["2020-01-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2026-01-01T00:00:60.000Z", "x", 5],
            "actor": ["op-1", "op-99", "ag-1", "log", "bob", "op-01"], "key": ["0" * 64, "x"], "commit": ["0" * 64, "A" * 64, 1],
            "type": ["grant.revoked/1", "grant.revoked/2", "a.b/1", "x", "workspace.created/1", "rollback.accepted/1", "grant.revoked/11"],
            "subject": ["", "w-1", "g-1", "x", None, "g-01"],
        }
        for _ in range(count):
            seq, name = self.random.randrange(len(self.headers)), self.random.choice(sorted(values))
            value = self.random.choice(values[name])
            if value == self.headers[seq].get(name) and type(value) is type(self.headers[seq].get(name)):
                continue
            header = {**self.headers[seq], name: value}
            signer = self.keys.get(self.headers[seq]["actor"])
            if signer is None:
                continue
            yield "header %d: %s = %r, re-signed" % (seq, name, value), self.entry(seq, forge.seal(header, signer))
            if self.random.random() < 0.5:
                yield "header %d: %s = %r, suffix re-signed and sealed" % (seq, name, value), self.signed_again(seq, {name: value})
        for text in (b'{"a":1}', b"[]", b"{}", b"1", forge.jcs(self.headers[2])[:-1] + b',"v":1}', forge.jcs(self.headers[2]) + b"\n",
                     forge.jcs({**self.headers[2], "x": 1}), json.dumps(self.headers[2]).encode(), b"\xff", forge.jcs(self.headers[2]).replace(b"2", b"2.0", 1)):
            line = forge.seal(self.headers[2], self.keys.get(self.headers[2]["actor"], self.keys["log"]), text)
            yield "header 2 as %r" % text[:20], self.entry(2, line)

    def order(self, count):
        for _ in range(count):
            a, b = sorted(self.random.sample(range(len(self.entries)), 2))
            rows = list(self.entries)
            choice = self.random.randrange(5)
            if choice == 0:
                rows[a], rows[b] = rows[b], rows[a]
            elif choice == 1:
                rows.pop(a)
            elif choice == 2:
                rows.insert(b, rows[a])
            elif choice == 3:
                rows = rows[:max(b, 1)]
            else:
                rows[b] = rows[a]
            yield "entries %d and %d, kind %d" % (a, b, choice), self.copy(entries_jsonl=joined(rows))
            if choice in (1, 3, 4):
                yield "entries %d and %d, kind %d, sealed again" % (a, b, choice), self.sealed(rows)
        yield "no last line end", self.copy(entries_jsonl=self.files["entries.jsonl"][:-1])
        yield "an empty line", self.copy(entries_jsonl=self.files["entries.jsonl"] + b"\n")
        yield "no entries", self.copy(entries_jsonl=b"")
        yield "CR LF", self.copy(entries_jsonl=self.files["entries.jsonl"].replace(b"\n", b"\r\n"))

    def payload_members(self, count):
        for _ in range(count):
            at = self.random.randrange(len(self.payloads))
            record = json.loads(self.payloads[at])
            name = self.random.choice(sorted(record["body"]) or ["x"])
            choice = self.random.randrange(14)
            if choice == 0:
                record["body"][name] = {"was": record["body"].get(name)}
            elif choice == 1:
                record["body"].pop(name, None)
            elif choice == 2:
                record["body"].pop(name, None)
                record["salts"].pop(name, None)
            elif choice == 3:
                record["salts"][name] = "0" * self.random.choice([64, 63, 62])
            elif choice == 4:
                record["salts"].pop(name, None)
            elif choice == 5:
                record["body"]["more"], record["salts"]["more"] = 1, "0" * 64
            elif choice == 6:
                record["seq"] = self.random.choice([record["seq"] + 1, 10**6, -1, "0", None])
            elif choice == 7:
                record["more"] = 1
            elif choice == 8 and name in record["body"]:
                record = {**forge.erase(record, [name]), "seq": record["seq"]}
            elif choice == 9:
                record["erased"] = self.random.choice([{}, {"note": "0" * 64}, {name: "0" * 64}, [], {"note": "x"}])
            elif choice == 10:
                record = {"seq": record["seq"]}
            elif choice == 11:
                record["body"] = self.random.choice([[], None, "x", {}])
            elif choice == 12:
                record["salts"] = record["salts"] and {one: record["salts"][other] for one, other in zip(
                    sorted(record["salts"]), sorted(record["salts"], reverse=True))}
            else:
                record["body"][name] = json.loads("[" * 63 + "]" * self.random.choice([63]))
            line = forge.jcs(record)
            if line != self.payloads[at]:
                yield "payload line %d, member %s, kind %d" % (at, name, choice), self.payload(at, line)
        for change in (lambda one: one[:-1], lambda one: b"", lambda one: one + b" ", lambda one: one.replace(b":", b": ", 1),
                       lambda one: one.replace(b'{"body"', b'{"body":{},"body"', 1), lambda one: one.replace(b'"seq":', b'"seq":0,"seq":'),
                       lambda one: one.replace(b'"seq":', b'"seq":1.0,"x":'), lambda one: one[:-1] + b".0}", lambda one: b"[]",
                       lambda one: one.replace(b'":"', b'":"\\ud800', 1), lambda one: one.replace(b'":"', b'":"\xff', 1),
                       lambda one: b'{"body":{"a":' + b"[" * 64 + b"]" * 64 + b'},"salts":{"a":"' + b"0" * 64 + b'"},"seq":1}'):
            at = self.random.randrange(len(self.payloads))
            yield "payload line %d: form" % at, self.payload(at, change(self.payloads[at]))
        for _ in range(count // 4):
            a, b = self.random.sample(range(len(self.payloads)), 2)
            one, other = json.loads(self.payloads[a]), json.loads(self.payloads[b])
            rows = list(self.payloads)
            rows[a], rows[b] = forge.jcs({**other, "seq": one["seq"]}), forge.jcs({**one, "seq": other["seq"]})
            yield "payloads %d and %d exchanged" % (a, b), self.copy(payloads_jsonl=joined(rows))
            yield "payload %d twice" % a, self.copy(payloads_jsonl=joined(self.payloads + [self.payloads[a]]))
            yield "payload %d gone" % a, self.copy(payloads_jsonl=joined(self.payloads[:a] + self.payloads[a + 1:]))
        yield "payloads without the last line end", self.copy(payloads_jsonl=self.files["payloads.jsonl"][:-1])
        yield "payloads with an empty line", self.copy(payloads_jsonl=self.files["payloads.jsonl"] + b"\n")
        yield "payloads shuffled", self.copy(payloads_jsonl=joined(self.payloads[::-1])), True
        yield "no payload line", self.copy(payloads_jsonl=b"")

    def checkpoints(self):
        note, size = self.files["checkpoint"].decode(), len(self.entries)
        log, leaves = self.keys["log"], [forge.leaf(line) for line in self.entries]
        root, other = forge.root(leaves), forge.Key("other")
        def put(name, text, harmless=False):
            return "checkpoint: " + name, self.copy(checkpoint=text if isinstance(text, bytes) else text.encode()), harmless
        yield put("another root", forge.note(self.origin, size, b"\0" * 32, log))
        yield put("one more", forge.note(self.origin, size + 1, root, log))
        yield put("one less, its root", forge.note(self.origin, size - 1, forge.root(leaves[:-1]), log))
        yield put("one less, this root", forge.note(self.origin, size - 1, root, log))
        yield put("size 0", forge.note(self.origin, 0, forge.root([]), log))
        yield put("other origin", forge.note("aosctl/" + "0" * 32, size, root, log))
        yield put("other origin, this name", forge.note("aosctl/" + "0" * 32, size, root, log, name=self.origin))
        yield put("other key", forge.note(self.origin, size, root, other))
        for text in (note[:-1], note + "\n", note.replace("\n\n", "\n", 1), note.replace("\u2014", "-"), note.replace("\n", "\r\n"), "", "x",
                     note.replace("\n%d\n" % size, "\n0%d\n" % size), note.replace("\n%d\n" % size, "\n+%d\n" % size), note[1:],
                     note.replace("\n\n", "\nmore\n\n"), note + note.split("\n\n")[1][:-3] + "\n", b"\xff" + note.encode(), "\n" + note):
            yield put("text", text)
        line = note.split("\n\n")[1]
        flipped = line[:-10] + ("A" if line[-10] != "A" else "B") + line[-9:]
        stranger = forge.note(self.origin, size, root, other, name="stranger").split("\n\n")[1]
        weak = forge.note(self.origin, size, root, other).split("\n\n")[1]
        yield put("flipped", note.replace(line, flipped))
        yield put("right and flipped", note + flipped)
        yield put("right twice", note + line, True)
        yield put("a stranger too", note + stranger, True)
        yield put("a stranger before", note.replace(line, stranger + line), True)
        yield put("another key of this name too", note + weak, True)
        yield put("a line that is none", note + "\u2014 x\n")
        yield put("a name with plus", note + stranger.replace("stranger", "a+b"))
        yield put("short blob", note + "\u2014 x AAAA\n")
        yield put("five bytes", note + "\u2014 x AAAAAAA=\n", True)
        yield put("99 strangers", note + stranger * 99, True)
        yield put("100 strangers", note + stranger * 100)
        yield "no checkpoint", {name: data for name, data in self.files.items() if name != "checkpoint"}, False
        for point in WEAK:
            signature = base64.b64decode(line.split()[2])
            yield put("R is weak", note.replace(line.split()[2], forge.b64(signature[:4] + point + signature[36:])))

    def forgeries(self):
        """Well formed, rightly signed, and beyond the signer's rights."""
        at = self.headers[-1]["at"]
        for actor in ["log"] + sorted({header["actor"] for header in self.headers if header["actor"].startswith("ag-")})[:2]:
            public = forge.Key("mallory").public
            proof = forge.Key("mallory").sign(b"aosctl/enrol/v1\0" + self.origin.encode() + b"\0" + public).hex()
            grant = {"grant": "g-900", "agent": "ag-1", "integration": "i-1", "scope": "*", "access": "admin", "data": "secret", "owner": "op-1"}
            for kind, subject, body in (
                    ("operator.enrolled/1", "op-900", {"id": "op-900", "public_key": public.hex(), "proof": proof}),
                    ("grant.issued/1", "g-900", grant), ("workspace.thawed/1", "w-1", {"target": "w-1"}),
                    ("workspace.frozen/1", "ag-900", {"target": "ag-900"}), ("identity.retired/1", "op-1", {"id": "op-1"}),
                    ("rollback.accepted/1", "w-1", {"pin_size": 1, "pin_root": "0" * 64}),
                    ("request.made/1", "r-900", {"request": "r-900", "agent": "op-1"}), ("grant.renewed/1", "g-1", {"grant": "g-1"}),
                    ("payload.erased/1", self.headers[1]["subject"], {"seq": 1, "members": ["reason"], "approvals": []}),
                    ("entry.voided/1", self.headers[1]["subject"], {"seq": 1, "leaf": forge.leaf(self.entries[1]).hex()}),
                    ("entry.corrected/1", self.headers[1]["subject"], {"seq": 1, "note": "x"}), ("what.ever/1", "", {"a": 1}),
                    ("operator.rotated/1", "op-1", {"id": "op-1", "public_key": public.hex(), "proof": proof}),
                    ("recovery.enrolled/1", "op-900", {"id": "op-900", "operator": "op-1", "public_key": public.hex(), "proof": proof})):
                yield "%s by %s" % (kind, actor), self.appended(actor, kind, subject, body)
        for point in WEAK:
            body = {"id": "op-901", "public_key": point.hex(), "proof": (point + bytes(32)).hex()}
            yield "enrolled with a weak key", self.appended("op-1", "operator.enrolled/1", "op-901", body)
        yield "an hour back", self.appended("log", "workspace.frozen/1", "w-1", {"target": "w-1"}, at="2001-01-01T00:00:00.000Z")
        yield "the last word of log", self.appended("log", "workspace.frozen/1", "w-1", {"target": "w-1"}, at=at), True
        yield "signed as op-1 by log", self.appended("log", "workspace.thawed/1", "w-1", {"target": "w-1"}, actor="op-1")

    def outside(self):
        """What the verifier brings: kept checkpoints and witnesses, right and wrong. The last member: [arguments]."""
        leaves, log = [forge.leaf(line) for line in self.entries], self.keys["log"]
        size, note = len(leaves), self.files["checkpoint"].decode()
        half = size // 2
        for name, kept, fine in (
                ("the first half", forge.note(self.origin, half, forge.root(leaves[:half]), log), True), ("nothing", forge.note(self.origin, 0, forge.root([]), log), True),
                ("all", note, True), ("another history", forge.note(self.origin, half, b"\1" * 32, log), False),
                ("more than there is", forge.note(self.origin, size + 3, b"\1" * 32, log), False), ("other key", forge.note(self.origin, half, forge.root(leaves[:half]), forge.Key("x")), False)):
            yield "kept checkpoint: " + name, self.copy(), fine, [("--checkpoint", kept)]
        both = [("--checkpoint", forge.note(self.origin, 2, forge.root(leaves[:2]), log)), ("--checkpoint", forge.note(self.origin, half, b"\1" * 32, log))]
        yield "two kept, one wrong", self.copy(), False, both
        one, two = forge.Key("w1"), forge.Key("w2")
        text = note.split("\n\n")[0] + "\n"
        first, second = forge.cosign(text, "witness.example/one", one, 1700000000), forge.cosign(text, "witness.example/two", two, 1700000001)
        ask = [("--witness", forge.vkey("witness.example/one", one.public, b"\4")), ("--witness", forge.vkey("witness.example/two", two.public, b"\4"))]
        flipped = first[:-12] + ("A" if first[-12] != "A" else "B") + first[-11:]
        late = forge.cosign(text, "witness.example/one", one, 1700000000).split()
        blob = base64.b64decode(late[2])
        moved = "\u2014 witness.example/one %s\n" % forge.b64(blob[:11] + bytes([blob[11] ^ 1]) + blob[12:])
        for name, lines_, arguments, fine in (
                ("both", first + second, ask, True), ("one of both", first, ask, False), ("one of both is enough", first, ask + [("--quorum", "1")], True),
                ("one asked", first + second, ask[:1], True), ("flipped", flipped, ask[:1], False),
                ("right and flipped", first + flipped, ask[:1], False), ("another time", moved, ask[:1], False), ("nobody", "", ask[:1], False),
                ("twice by one is one", first + first, ask, False)):
            yield "witnesses: " + name, self.copy(checkpoint=(note + lines_).encode()), fine, arguments
            yield "witnesses on a kept one: " + name, self.copy(), fine, arguments + [("--checkpoint", note + lines_)]
        yield "witnesses: on the bundle's, not on the kept one", self.copy(checkpoint=(note + first).encode()), None, ask[:1] + [("--checkpoint", note)]
        half = forge.note(self.origin, 5, forge.root(leaves[:5]), log)
        yield "witnesses: on the bundle's, half kept", self.copy(checkpoint=(note + first).encode()), None, ask[:1] + [("--checkpoint", half)]
        yield "witnesses: flipped on the bundle's", self.copy(checkpoint=(note + flipped).encode()), None, ask[:1] + [("--checkpoint", note + first)]
        yield "witnesses: on another size", self.copy(), None, ask[:1] + [("--checkpoint", forge.note(self.origin, size + 9, forge.root(leaves), log))]
        early = forge.cosign(half.split("\n\n")[0] + "\n", "witness.example/one", one, 1600000000)
        yield "witnesses: on one of two kept", self.copy(), None, ask[:1] + [("--checkpoint", note), ("--checkpoint", half + early)]
        yield "witnesses: each on another", self.copy(), None, ask + [("--checkpoint", note + second), ("--checkpoint", half + early)]
        yield "witnesses: flipped on one of two", self.copy(), None, ask[:1] + [("--checkpoint", note + flipped), ("--checkpoint", half + early)]

    def parts(self):
        """Bundles that do not hold every payload."""
        files = {name: data for name, data in self.files.items() if name != "payloads.jsonl"}
        yield "without payloads", files, True
        yield "some payloads", {**files, "payloads-some.jsonl": joined(self.payloads[2:4])}, True
        yield "no payloads, by name", {**files, "payloads-some.jsonl": b""}, True
        record = json.loads(self.payloads[2])
        name = sorted(record["body"])[0]
        record["body"][name] = 1
        yield "some payloads, one changed", {**files, "payloads-some.jsonl": forge.jcs(record) + b"\n"}
        yield "some payloads, one twice", {**files, "payloads-some.jsonl": joined([self.payloads[2]] * 2)}
        yield "without payloads, an entry changed", {**files, "entries.jsonl": self.entry(2, self.entries[2][:-9] + b"A" + self.entries[2][-8:])["entries.jsonl"]}
        yield "without payloads, an entry cut", {**files, "entries.jsonl": self.entry(2, self.entries[2][:-1])["entries.jsonl"]}
