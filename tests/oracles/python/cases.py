"""The authority table, row by row, in aosctl's own bodies: logs made here from nothing, under operator keys made here.

Each case is a log of which the last entry is valid or not. The bodies are those that a real workspace wrote, so that aosctl's
replay, which decides again, reads them too.
"""

import copy
import datetime
import hashlib
import json

import bundle
import canon
import ed25519
import entry
import forge
import mutate
import note
import tree

START = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
TICK = datetime.timedelta(milliseconds=1)
FOLLOWS = ("authority", "commitments")
TARGET = 10  # the entry of r-2, which asks


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


class Signer:
    """A key made from a word."""

    def __init__(self, name, word=None):
        self.id, self.seed = name, hashlib.sha256((word or name).encode()).digest()
        self.public = ed25519.public_of(self.seed)[0]


class Story:
    """A log that grows, a second for each entry. `vkey` and checkpoint are the log's own."""

    def __init__(self, real):
        """`real`: bodies of a real workspace, by name."""
        self.real, self.at, self.pairs = real, START, []
        self.signers = {n: Signer(n) for n in ("op-1", "op-2", "op-3", "ag-1", "ag-2", "log")}
        self.leaves = []
        nonce = bytes(32)
        operator, log = self.signers["op-1"].public, self.signers["log"].public
        self.origin = entry.derive_origin(operator, log, nonce)
        keys = {"operator_key": operator.hex(), "log_key": log.hex(), "nonce": nonce.hex()}
        self.say("op-1", "workspace.created/1", "op-1", keys)
        self.say("op-1", "policy.adopted/1", "p-1", real["policy"])
        self.say("op-1", "integration.added/1", "i-1", real["integration"])
        self.say("op-1", "operator.enrolled/1", "op-2", self.enrolment("op-2"))
        self.say("op-1", "agent.enrolled/1", "ag-1", self.agent("ag-1", "op-1"))
        self.say("op-2", "agent.enrolled/1", "ag-2", self.agent("ag-2", "op-2"))
        self.say("op-1", "grant.issued/1", "g-1", self.grant("g-1", "ag-1"))
        self.say("op-2", "grant.issued/1", "g-2", self.grant("g-2", "ag-2"))
        self.ask("ag-1", "r-1", "allowed")
        self.say("ag-1", "request.claimed/1", "r-1", {"mode": "agent", "request": "r-1"})
        self.ask("ag-1", "r-2", "asked")

    def fork(self):
        other = copy.copy(self)
        other.pairs, other.leaves = list(self.pairs), list(self.leaves)
        return other

    def say(self, who, kind, subject, body, wait=1000 * TICK, signer=None, spoil=False):
        signer = signer or self.signers[who]
        self.at += wait
        seq = len(self.pairs)
        record = canon.jcs({"body": body, "salts": {name: forge.salt(seq, name) for name in body}})
        header = {
            "v": 1, "log": self.origin, "seq": seq, "prev": self.leaves[-1].hex() if seq else "0" * 64,
            "at": text(self.at), "actor": who, "key": entry.key_id(signer.public), "type": kind, "subject": subject,
            "commit": entry.Record(record, seq).commit,
        }  # fmt: skip
        data = entry.make_envelope(header, Signer(who, "wrong").seed if spoil else signer.seed)
        self.pairs.append((data, record))
        self.leaves.append(tree.leaf_hash(data))
        return self

    def log(self):
        checkpoint = note.make_checkpoint(self.origin, self.signers["log"].seed, len(self.leaves), tree.root(self.leaves))
        vkey = note.vkey(self.origin, self.signers["log"].public)
        records = [(seq, r) for seq, (_, r) in enumerate(self.pairs)]
        return bundle.Log([e for e, _ in self.pairs], records, vkey, checkpoint, checkpoint)

    def enrolment(self, name, word=None, origin=None, public=None):
        signer = Signer(name, word)
        public = public or signer.public
        proof = ed25519.sign(signer.seed, entry.enrolment_message(origin or self.origin, public))
        return {"id": name, "public_key": public.hex(), "proof": proof.hex()}

    def agent(self, name, operator, **more):
        return {**self.enrolment(name, **more), "handle": "bot-" + name, "operator": operator}

    def grant(self, name, agent, **more):
        return {**self.real["grant"], "grant": name, "agent": agent, "until": text(START + 720 * HOUR), **more}

    def ask(self, who, name, like, until=None, **more):
        body = {**self.real[like], "request": name, "agent": who, "policy": self.real["policy"]["digest"]}
        body["until"] = text(self.at + (HOUR / 2 if until is None else until))
        if "grant" in body:
            body["grant"] = "g-" + who[3:]
        return self.say(who, "request.made/1", name, {**body, **more})

    def about(self, name):
        """What a decision about a request names."""
        for seq, (_, record) in enumerate(self.pairs):
            body = json.loads(record)["body"]
            if "facets" in body and body["request"] == name:
                same = {n: body[n] for n in ("grant", "points", "policy", "request") if n in body}
                return {**same, "leaf": self.leaves[seq].hex()}
        raise KeyError(name)

    def approve(self, who, name, until=HOUR / 2, wait=1000 * TICK, **more):
        body = {**self.about(name), "until": text(self.at + wait + until), **more}
        return self.say(who, "request.approved/1", name, body, wait)

    def deny(self, who, name, **more):
        return self.say(who, "request.denied/1", name, {**self.about(name), **more})

    def claim(self, who, name, wait=1000 * TICK):
        return self.say(who, "request.claimed/1", name, {"mode": "agent", "request": name}, wait)

    def finish(self, who, name, outcome="succeeded"):
        return self.say(who, "request.finished/1", name, {"outcome": outcome, "request": name})

    def withdraw(self, who, name):
        return self.say(who, "request.withdrawn/1", name, {"request": name})

    def resolve(self, who, name, outcome="succeeded", release=False):
        return self.say(who, "request.resolved/1", name, {"outcome": outcome, "release": release, "request": name})

    def retire(self, who, name, **more):
        return self.say(who, "identity.retired/1", name, {"id": name, **more})

    def freeze(self, who, target="w-1"):
        return self.say(who, "workspace.frozen/1", target, {"target": target})

    def thaw(self, who, target="w-1"):
        return self.say(who, "workspace.thawed/1", target, {"target": target})

    def change(self, who, how, name, **more):
        return self.say(who, f"grant.{how}/1", name, {"grant": name, **more})

    def edit(self, approver="op-2"):
        """An audit edit of TARGET that op-1 asks for; approved, where somebody is named."""
        self.ask("op-1", "r-9", "edit", resource=f"entry:{TARGET}")
        return self.approve(approver, "r-9") if approver else self

    def erase(self, who, approvals, members=("rationale",), seq=TARGET, gone=True):
        """With the entry that says so; `gone`: and the members really are."""
        body = {"approvals": approvals, "members": list(members), "seq": seq}
        self.say(who, "payload.erased/1", json.loads(self.pairs[seq][1])["body"].get("request", ""), body)
        return self.lose(members, seq) if gone else self

    def enrol(self, who, name):
        return self.say(who, "operator.enrolled/1", name, self.enrolment(name))

    def lose(self, members, seq=TARGET):
        data, record = self.pairs[seq]
        read, fields = json.loads(record), entry.Record(record, seq).fields
        kept = {k: {n: v for n, v in read[k].items() if n not in members} for k in ("body", "salts")}
        erased = {**read.get("erased", {}), **{n: fields[n] for n in members}}
        self.pairs[seq] = (data, canon.jcs({**kept, "erased": erased}))
        return self

    def void(self, who, seq, leaf=None):
        header = json.loads(entry.Entry(self.pairs[seq][0]).body)
        body = {"seq": seq, "leaf": leaf or self.leaves[seq].hex()}
        return self.say(who, "entry.voided/1", header["subject"], body)

    def last(self):
        return len(self.pairs) - 1


def by_two(real):
    """The same bodies under a policy that wants two approvers for production."""
    rules = {**real["policy"]["rules"], "approvers": {"production": 2}}
    policy = {**real["policy"], "rules": rules, "digest": hashlib.sha256(canon.jcs(rules)).hexdigest()}
    return {**real, "policy": policy, "asked": {**real["asked"], "approvers": 2}}


def real_bodies(log):
    """What a real workspace wrote: one body of each sort."""
    out = {}
    for _, header, body in forge.bodies(log):
        kind = header["type"]
        if kind in ("policy.adopted/1", "integration.added/1"):
            out.setdefault(kind.split(".")[0], body)
        elif kind == "grant.issued/1":
            out.setdefault("grant", body)
        elif kind == "request.made/1" and "bound_command" not in body:
            edit = body["action"] == "audit.erase"
            out.setdefault("edit" if edit else {"allow": "allowed", "ask": "asked", "deny": "denied"}[body["decision"]], body)
    out["grant"] = {k: v for k, v in out["grant"].items() if k in ("access", "data", "integration", "owner", "scope")}
    return out


def weak_keys():
    """A key of each kind that must not be enrolled: the identity, one of order eight, a second encoding, with torsion."""
    torsion = None
    for i in range(256):
        try:
            p = ed25519.multiply(ed25519.L, ed25519.decode(bytes([i]) + bytes(31)))
        except ed25519.Refused:
            continue
        if not ed25519.equal(ed25519.multiply(4, p), ed25519.ZERO):
            torsion = p
            break
    good = ed25519.decode(Signer("op-3").public)
    yield "the identity", (1).to_bytes(32, "little")
    yield "of order eight", ed25519.encode(torsion)
    yield "the identity in its second encoding", (ed25519.P + 1).to_bytes(32, "little")
    yield "a torsion part", ed25519.encode(ed25519.add(good, torsion))
    yield "no point", (2).to_bytes(32, "little")


def change(name, story, good, at=None, verdicts=("authority",)):
    """A case: a good log, or one in which `verdicts` fail at `at`, by default the last entry."""
    seq = story.last() if at is None else at
    # What an invalid erasure erased, and what a signer that was not enrolled signed, fails beside.
    return mutate.Change(name, story.log(), set() if good else set(verdicts), None if good else seq, (), FOLLOWS)
