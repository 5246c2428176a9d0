"""Entries that are rightly signed, chained and under a right checkpoint, by who has no right to them.

An agent's identity and the log's are files that hold their seed, so whoever reads those can sign as them. What the authority
table is for is that this gives nobody more than the table says.
"""

import base64
import datetime
import hashlib
import json

import canon
import ed25519
import entry
import mutate
import note
import tree


class Signer:
    """An identity file of aosctl."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            read = json.load(f)
        self.id, self.seed, self.origin = read["id"], bytes.fromhex(read["seed"]), read["origin"]
        self.public = ed25519.public_of(self.seed)[0]
        if self.public.hex() != read["public_key"]:
            raise ValueError("the seed of an identity file does not give its public key")


def salt(*parts):
    return hashlib.sha256(canon.jcs(list(parts))).hexdigest()


def append(log, log_signer, signer, kind, subject, body):
    """`log` with one more entry, and a checkpoint and a pin that cover it."""
    last, seq = entry.Entry(log.envelopes[-1]), len(log.envelopes)
    at = datetime.datetime.fromisoformat(last.get("at")) + datetime.timedelta(milliseconds=1)
    record = canon.jcs({"body": body, "salts": {name: salt(seq, name) for name in body}})
    header = {
        "v": 1,
        "log": signer.origin,
        "seq": seq,
        "prev": last.leaf.hex(),
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z",
        "actor": signer.id,
        "key": entry.key_id(signer.public),
        "type": kind,
        "subject": subject,
        "commit": entry.Record(record, seq).commit,
    }
    envelopes = [*log.envelopes, entry.make_envelope(header, signer.seed)]
    root = tree.root([tree.leaf_hash(e) for e in envelopes])
    checkpoint = note.make_checkpoint(signer.origin, log_signer.seed, len(envelopes), root)
    records = [*log.records, (seq, record)]
    return mutate.changed(log, envelopes=envelopes, records=records, checkpoint=checkpoint, pin=checkpoint)


def bodies(log):
    """(seq, header, body) of every entry."""
    for e, (seq, r) in zip(log.envelopes, log.records):
        yield seq, json.loads(base64.b64decode(json.loads(e)["payload"])), json.loads(r)["body"]


def enrolment(origin, name):
    seed = hashlib.sha256(name.encode()).digest()
    public = ed25519.public_of(seed)[0]
    proof = ed25519.sign(seed, entry.enrolment_message(origin, public))
    return {"id": name, "public_key": public.hex(), "proof": proof.hex()}


def forgeries(log, log_signer, agent, retired):
    """Logs of which only the last entry is invalid, and only for want of authority: as Change, with the seq."""
    known = list(bodies(log))
    size = len(known)
    made = {b["request"]: (e, h, b) for e, h, b in known if h["type"] == "request.made/1"}
    grant = next(b for _, h, b in known if h["type"] == "grant.issued/1")
    policy = next(b for _, h, b in reversed(known) if h["type"] == "policy.adopted/1")
    created, enrolled = known[0][2], next(b for _, h, b in known if h["type"] == "agent.enrolled/1")

    def about(request):
        seq, _, body = made[request]
        leaf = tree.leaf_hash(log.envelopes[seq]).hex()
        same = {n: body[n] for n in ("grant", "points", "policy", "request") if n in body}
        return {**same, "leaf": leaf}

    new = {**made["r-1"][2], "request": "r-99", "policy": policy["digest"], "until": "2100-01-01T00:00:00.000Z"}
    approval = {**about("r-2"), "until": "2100-01-01T00:00:00.000Z"}
    operator = {**enrolment(agent.origin, "op-9"), "name": "me"}
    issued = {**grant, "grant": "g-99", "agent": agent.id}
    voided = {"seq": size - 1, "leaf": tree.leaf_hash(log.envelopes[-1]).hex()}
    erased = {"seq": made["r-2"][0], "members": ["rationale"], "approvals": []}
    by_both = [
        ("workspace.created/1", "op-1", created),
        ("operator.enrolled/1", "op-9", operator),
        ("agent.enrolled/1", "ag-9", {**enrolled, **enrolment(agent.origin, "ag-9"), "handle": "new-bot"}),
        ("identity.retired/1", "ag-1", {"id": "ag-1"}),
        ("policy.adopted/1", "p-1", policy),
        ("integration.added/1", "i-9", {"handle": "mine", "id": "i-9", "inside": True, "kind": "github"}),
        ("grant.issued/1", "g-99", issued),
        ("grant.renewed/1", "g-3", {"grant": "g-3"}),
        ("workspace.thawed/1", "w-1", {"target": "w-1"}),
        ("request.approved/1", "r-2", approval),
        ("request.denied/1", "r-2", about("r-2")),
        ("request.resolved/1", "r-5", {"outcome": "failed", "release": True, "request": "r-5"}),
        ("payload.erased/1", "r-2", erased),
        ("entry.voided/1", known[-1][1]["subject"], voided),
        ("rollback.accepted/1", "w-1", {"pin_size": 1, "pin_root": "00" * 32}),
        ("workspace.opened/1", "w-1", {"target": "w-1"}),
        ("grant.issued/2", "g-99", issued),
    ]
    by_agent = [
        ("grant.revoked/1", "g-2", {"grant": "g-2"}),
        ("workspace.frozen/1", "w-1", {"target": "w-1"}),
        ("workspace.frozen/1", retired.id, {"target": retired.id}),
        ("request.made/1", "r-1", {**new, "request": "r-1"}),
        ("request.made/1", "r-99", new),  # no grant is live any more, so this must have been denied
        ("request.made/1", "r-99", {**new, "agent": retired.id}),
        ("request.withdrawn/1", "r-2", {"request": "r-2"}),
        ("request.claimed/1", "r-1", {"mode": "agent", "request": "r-1"}),
        ("request.claimed/1", "r-3", {"mode": "agent", "request": "r-3"}),
        ("request.claimed/1", "r-4", {"mode": "agent", "request": "r-4"}),
        ("request.claimed/1", "r-6", {"mode": "agent", "request": "r-6"}),
        ("request.claimed/1", "r-99", {"mode": "agent", "request": "r-99"}),
        ("request.finished/1", "r-3", {"outcome": "succeeded", "request": "r-3"}),
        ("request.finished/1", "r-5", {"outcome": "succeeded", "request": "r-5"}),
    ]
    by_log = [
        ("request.made/1", "r-99", {**new, "agent": "log"}),
        ("request.claimed/1", "r-3", {"mode": "agent", "request": "r-3"}),
        ("request.finished/1", "r-4", {"outcome": "failed", "request": "r-4"}),
        ("request.withdrawn/1", "r-3", {"request": "r-3"}),
    ]
    by_retired = [
        ("workspace.frozen/1", retired.id, {"target": retired.id}),
        ("request.made/1", "r-99", {**new, "agent": retired.id, "decision": "deny"}),
    ]
    for signer, rows in ((agent, by_both + by_agent), (log_signer, by_both + by_log), (retired, by_retired)):
        for kind, subject, body in rows:
            forged = append(log, log_signer, signer, kind, subject, body)
            yield mutate.Change(f"{kind} by {signer.id} about {subject}", forged, {"authority"}, size)


def rightful(log, log_signer):
    """What the log may do: the same way of making entries, and nothing may fail."""
    body = {"reason": "an oracle was here", "target": "w-1"}
    return append(log, log_signer, log_signer, "workspace.frozen/1", "w-1", body)
