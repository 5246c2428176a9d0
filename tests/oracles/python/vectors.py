"""Every vector file against this implementation: `check(directory)` prints a line for each and gives the disagreements."""

import base64
import hashlib
import json
import os

import authority
import bundle
import canon
import ed25519
import entry
import note
import tree

# Where the vectors and the specification disagree, the specification is followed: a verdict that fails although a vector
# says that it must not. "Header" says that another origin than the one derived from entry 0 fails the chain at seq 0; here
# entry 0 carries another log key, so it derives another origin.
BEYOND = {"logs/authority-example/log-key-not-trusted": {"chain"}}


def data_of(value):
    """Bytes given as `text`, `hex` or `parts`."""
    if "text" in value:
        return value["text"].encode()
    if "hex" in value:
        return bytes.fromhex(value["hex"])
    return b"".join(bytes.fromhex(h) * n for h, n in value["parts"])


def refused(call, *arguments):
    """The word of the refusal, or None."""
    try:
        call(*arguments)
    except (canon.Refused, note.Refused) as why:
        return str(why)
    return None


class Vectors:
    def __init__(self, directory):
        self.directory, self.wrong, self.open, self.cases, self.name = directory, [], [], 0, ""
        self.keys = {k["name"]: bytes.fromhex(k["public_key"]) for k in self.json("keys.json")}
        self.vkey = self.bytes("log.vkey").decode().strip()

    def bytes(self, name):
        with open(os.path.join(self.directory, name), "rb") as f:
            return f.read()

    def json(self, name):
        return json.loads(self.bytes(name))

    def see(self, ok, what, settled=True):
        """Counts a case. What the specification leaves open is listed apart."""
        self.cases += 1
        if not ok:
            (self.wrong if settled else self.open).append(f"{self.name}: {what}")

    def canonical_accept(self, rows):
        for r in rows:
            data = data_of(r["input"])
            try:
                value = canon.parse(data)
            except canon.Refused as why:
                self.see(False, f"{r['name']}: refused, {why}", r["settled"])
                continue
            got = canon.jcs(value)
            expected = data_of(r["canonical"])
            same = got == expected and hashlib.sha256(got).hexdigest() == r["canonical_sha256"]
            self.see(same and (got == data) == r["input_is_canonical"], r["name"], r["settled"])

    def canonical_reject(self, rows):
        for r in rows:
            why = refused(canon.parse, data_of(r["input"]))
            self.see(why == r["kind"], f"{r['name']}: {why}, expected {r['kind']}", r["settled"])

    def times(self, rows):
        for r in rows:
            self.see((canon.time_ms(r["time"]) is not None) == r["accept"], repr(r["time"]), r["settled"])

    def foreign(self, rows):
        for r in rows:
            self.see((refused(canon.foreign, r["text"]) is None) == r["accept"], r["name"], r["settled"])

    def key_rows(self, rows):
        for r in rows:
            public = ed25519.public_of(bytes.fromhex(r["seed"]))[0]
            ok = public.hex() == r["public_key"] and entry.key_id(public) == r["key_id"]
            if "vkey" in r:
                key = note.Key(r["vkey"])
                ok = ok and (key.name, key.public, key.id.hex()) == (r["note_name"], public, r["note_key_id"])
            self.see(ok, r["name"])

    def origin(self, rows):
        for r in rows:
            parts = [bytes.fromhex(r[n]) for n in ("operator_public_key", "log_public_key", "nonce")]
            preimage = b"aosctl/origin/v1\x00" + b"".join(parts)
            ok = preimage.hex() == r["preimage_hex"] and entry.derive_origin(*parts) == r["origin"]
            self.see(ok, r["origin"])

    def pae(self, rows):
        for r in rows:
            body = bytes.fromhex(r["body_hex"])
            got = entry.pae(r["payloadType"], body)
            ok = got.hex() == r["pae_hex"]
            if "signer" in r:
                public, envelope = self.keys[r["signer"]], r["envelope"].encode()
                e = entry.Entry(envelope)
                ok = ok and not ed25519.fault(public, got, bytes.fromhex(r["signature_hex"]))
                ok = ok and e.leaf.hex() == r["leaf_hash"] and not e.form and not e.signature_fault(public)
            self.see(ok, r["name"])

    def fields(self, rows):
        for i, r in enumerate(rows):
            record = entry.Record(r["record"].encode())
            body = record.members
            ok = record.form is None and record.commit == r["commit"]
            ok = ok and sorted(f["name"] for f in r["fields"]) == sorted(body)
            for f in r["fields"]:
                preimage = entry.field_preimage(f["name"], bytes.fromhex(f["salt"]), body[f["name"]])
                ok = ok and canon.jcs(body[f["name"]]).hex() == f["value_canonical_hex"]
                ok = ok and preimage.hex() == f["preimage_hex"] and record.fields[f["name"]] == f["field"]
            ok = ok and entry.commit_preimage(record.fields).hex() == r["commit_preimage_hex"]
            if "erased_record" in r:
                after = entry.Record(r["erased_record"].encode())
                ok = ok and after.form is None and after.commit == r["commit"]
                ok = ok and sorted(after.erased) == sorted(r["erased_members"])
            self.see(ok, f"record {i}")

    def ed25519_strict(self, rows):
        for r in rows:
            why = ed25519.fault(*(bytes.fromhex(r[n]) for n in ("public_key", "message_hex", "signature")))
            self.see(why == r["refused"], f"{r['name']}: {why}, expected {r['refused']}", r["settled"])

    def enrolment(self, rows):
        for r in rows:
            public, proof = bytes.fromhex(r["public_key"]), bytes.fromhex(r["proof"])
            ok = entry.enrolment_message(r["origin"], public).hex() == r["message_hex"]
            ok = ok and entry.enrolment_refused(r["origin"], public, proof) == r["refused"]
            self.see(ok and ed25519.enrolment_fault(public) == r["enrolment_fault"], r["name"])

    def judged(self, row, failed, also):
        """A row with `must_fail` and `one_of`; `also` may fail beside a fault of form, which spoils what is read after it."""
        must = set(row["must_fail"])
        ok = must <= failed and (not row["one_of"] or failed & set(row["one_of"]))
        allowed = must | set(row["one_of"]) | (also if "canonical_form" in failed else set())
        self.see(ok and failed <= allowed, f"{row['name']}: {sorted(failed)}, must {sorted(must)}, one of {row['one_of']}")

    def envelopes(self, rows):
        for r in rows:
            e = entry.Entry(data_of(r["envelope"]))
            # The row's key is that of the named actor; an actor without one is unknown.
            public = bytes.fromhex(r["public_key"]) if r.get("public_key") else None
            failed = {"canonical_form"} if e.form else set()
            self.judged(r, failed | ({"signatures"} if e.signature_fault(public) else set()), {"signatures"})

    def payload_lines(self, rows):
        for r in rows:
            record = entry.Record(data_of(r["line"]))
            failed = {"canonical_form"} if record.form else set()
            self.judged(r, failed | ({"commitments"} if record.commit != r["commit"] else set()), {"commitments"})

    def tree(self, d):
        leaves = [tree.leaf_hash(e) for e in bundle.lines_of(self.bytes(d["log"] + "/entries.jsonl"))]
        self.see([h.hex() for h in leaves] == d["leaf_hashes"], "leaf hashes")
        for r in d["roots"]:
            root = tree.root(leaves[: r["size"]])
            ok = root.hex() == r["root"] and base64.b64encode(root).decode() == r["root_base64"]
            self.see(ok, f"root {r['size']}")
        for r in d["synthetic"]["roots"]:
            root = tree.root([tree.leaf_hash(b"leaf %d" % i) for i in range(r["size"])])
            self.see(root.hex() == r["root"], f"synthetic {r['size']}")

    def proofs(self, d):
        unhex = bytes.fromhex
        for r in d["inclusion"]:
            got = tree.included(unhex(r["leaf"]), r["index"], r["size"], list(map(unhex, r["proof"])), unhex(r["root"]))
            self.see(got == r["valid"], f"inclusion {r['index']} of {r['size']}: {r.get('why')}")
        for r in d["consistency"]:
            roots = unhex(r["first_root"]), unhex(r["second_root"])
            got = tree.consistent(r["first"], r["second"], *roots, list(map(unhex, r["proof"])))
            self.see(got == r["valid"], f"consistency {r['first']} to {r['second']}: {r.get('why')}")

    def checkpoint(self, d):
        log, example = note.Key(d["vkey"]), d["example"]
        c = note.Checkpoint(example["note"].encode(), log)
        text, lines = note.split(example["note"].encode())
        ok = (text, c.size, c.root.hex(), log.id.hex()) == (example["text"], 9, example["root"], example["key_id"])
        ok = ok and lines == [(example["origin"], log.id, bytes.fromhex(example["signature"]))]
        self.see(ok and note.vkey(log.name, log.public) == example["vkey"], "example")
        for r in d["accepted"]:
            why = refused(note.Checkpoint, r["note"].encode(), log)
            same = why is None and note.Checkpoint(r["note"].encode(), log).size == r["size"]
            same = same and note.Checkpoint(r["note"].encode(), log).root.hex() == r["root"]
            self.see(same, f"{r['name']}: {why}", r["settled"])
        for r in d["refused"]:
            why = refused(note.Checkpoint, bytes.fromhex(r["note_hex"]), log)
            self.see(why is not None, f"{r['what']}: accepted, expected {r['kind']}", r["settled"])
        for r in d["vkeys_refused"]:
            self.see(refused(note.Key, r["vkey"]) is not None, f"{r['what']}: accepted")

    def cosignature(self, d):
        key = note.Key(d["vkey"])
        text, found = note.signers(d["note"].encode(), [key])
        self.see(found == [key] and text == d["text"] and key.id.hex() == d["key_id"], "right")
        for r in d["refused"]:
            try:
                got = note.signers(r["note"].encode(), [key])[1]
            except note.Refused:
                got = []
            self.see(got == [], f"{r['what']}: accepted")

    def receipts(self, d):
        log = note.Key(d["vkey"])
        entries = bundle.lines_of(self.bytes(d["entries"]))
        for r in d["receipts"]:
            why = refused(self.receipt, r["receipt"].encode(), log)
            self.see((why is None) == (r["refused"] is None), f"{r['name']}: {why}, expected {r['refused']}", r["settled"])
        index, envelope = self.receipt(self.bytes("entry-5.tlog-proof"), log)
        self.see(index == 5 and envelope == entries[5], "entry-5.tlog-proof")

    def receipt(self, data, log):
        index, envelope = note.receipt(data, log)
        e = entry.Entry(envelope)
        if e.form or e.get("seq") != index:
            raise note.Refused("receipt_seq")
        return index, envelope

    def sshsig(self, d):
        public, space = self.keys["log"], d["namespace"].encode()
        for r in d["signatures"]:
            why = refused(note.sshsig, r["sshsig"], bytes.fromhex(r["message_hex"]), public, space)
            self.see((why is None) == (r["refused"] is None), f"{r['name']}: {why}, expected {r['refused']}")
        message = bytes.fromhex(d["signatures"][0]["message_hex"])
        self.see(note.ssh_signed_data(space, "sha512", message).hex() == d["signed_data_hex"], "signed data")

    def stored(self, _):
        """The files that stand beside the JSON ones, as they are stored."""
        log, checkpoint = note.Key(self.vkey), self.bytes("checkpoint.note")
        self.see(checkpoint == self.json("checkpoint.json")["example"]["note"].encode(), "checkpoint.note")
        signature = self.bytes("checkpoint.note.sig").decode()
        self.see(refused(note.sshsig, signature, checkpoint, log.public, b"aosctl-checkpoint") is None, "checkpoint.note.sig")
        blob = note.ssh_string(b"ssh-ed25519") + note.ssh_string(log.public)
        line = f'{log.name} namespaces="aosctl-checkpoint" ssh-ed25519 {base64.b64encode(blob).decode()}\n'
        self.see(self.bytes("allowed_signers").decode() == line, "allowed_signers")
        for f in self.json("index.json")["files"]:
            self.see(hashlib.sha256(self.bytes(f["path"])).hexdigest() == f["sha256"], f"SHA-256 of {f['path']}")

    def log(self, directory):
        def optional(name):
            return self.bytes(f"{directory}/{name}") if os.path.exists(f"{self.directory}/{directory}/{name}") else None

        trusted = json.loads(optional("witnesses.json") or b'{"vkeys": [], "quorum": 0}')
        return bundle.Log(
            bundle.lines_of(self.bytes(directory + "/entries.jsonl")),
            bundle.bundle_records(self.bytes(directory + "/payloads.jsonl")),
            self.bytes(directory + "/log.vkey").decode().strip(),
            optional("checkpoint"),
            optional("pin"),
            [note.Key(k) for k in trusted["vkeys"]],
            trusted["quorum"],
        )

    def logs(self, rows):
        for r in rows:
            example = "authority-example" in r["path"]
            how = {"schema": authority.EXAMPLE} if example else {"names": self.keys}
            got = bundle.verify(self.log(r["path"]), **how)
            self.see(*self.log_fault(r, got, example))

    def log_fault(self, r, got, example):
        faults = []
        for m in r["must_fail"]:
            found = got.failed.get(m["verdict"], "ok")
            if found == "ok" or (m["seq_settled"] and found[0] != m["first_bad_seq"]):
                faults.append(f"{m['verdict']} {found}, expected to fail at {m['first_bad_seq']}")
        if r["one_of"] and not set(r["one_of"]) & set(got.failed):
            faults.append(f"none of {r['one_of']} failed")
        allowed = {m["verdict"] for m in r["must_fail"]} | set(r["one_of"]) | set(r["unsettled"])
        allowed |= BEYOND.get(r["path"], set())
        faults += [f"{v} failed at {got.failed[v]}" for v in got.failed if v not in allowed]
        if r["good"] and not set(got.failed) <= set(r["unsettled"]):
            faults.append("not good")
        if example:
            for name in ("voided", "disputed"):
                if r.get(name, []) != getattr(got, name):
                    faults.append(f"{name} {getattr(got, name)}, expected {r.get(name, [])}")
        if "unanchored_tail" in r and got.unanchored != r["unanchored_tail"]:
            faults.append(f"unanchored {got.unanchored}")
        return not faults, f"{r['path']}: {'; '.join(faults)}"


def check(directory):
    v = Vectors(directory)
    index = v.json("index.json")["logs"]
    split = {k: [r for r in index if k in r["path"]] for k in ("logs/format/", "logs/authority-example/")}
    files = [
        ("canonical_accept.json", v.canonical_accept), ("canonical_reject.json", v.canonical_reject),
        ("times.json", v.times), ("foreign.json", v.foreign), ("keys.json", v.key_rows), ("origin.json", v.origin),
        ("pae.json", v.pae), ("fields.json", v.fields), ("ed25519_strict.json", v.ed25519_strict),
        ("enrolment.json", v.enrolment), ("envelopes.json", v.envelopes), ("payload_lines.json", v.payload_lines),
        ("tree.json", v.tree), ("proofs.json", v.proofs), ("checkpoint.json", v.checkpoint),
        ("cosignature.json", v.cosignature), ("receipts.json", v.receipts), ("sshsig.json", v.sshsig),
    ]  # fmt: skip
    beside = "index.json files, log.vkey, checkpoint.note, checkpoint.note.sig, allowed_signers, entry-5.tlog-proof"
    jobs = [(name, how, v.json(name)) for name, how in files] + [(beside, v.stored, None)]
    jobs += [(name, v.logs, rows) for name, rows in split.items()]
    covered = {name for name, _, _ in jobs} | {"index.json", "README.md", "logs"} | set(beside.replace(",", "").split())
    for v.name, how, rows in jobs:
        cases, wrong, unsettled = v.cases, len(v.wrong), len(v.open)
        how(rows)
        cases, wrong, unsettled = v.cases - cases, len(v.wrong) - wrong, len(v.open) - unsettled
        more = f"; {unsettled} differ where the specification is open" if unsettled else ""
        print(f"vectors  {v.name}: {cases - wrong - unsettled} of {cases} agree{more}")
    for name in sorted(set(os.listdir(directory)) - covered):
        v.wrong.append(f"{name}: not covered, this oracle does not know the file")
    return v
