"""Replays a log under the authority table of the specification: who could sign what, when. Default deny.

Bodies are the project's to choose, so two schemas are known: `EXAMPLE`, of the vectors, with its toy policy, and `AOSCTL`,
as a workspace has them. The policy of a real workspace is not replayed here: of a decision this checks only what the table
says whatever the policy (see `Replay.decision`).
"""

import re

import canon
import entry

ACCESS = {"read": 0, "write": 1, "admin": 2}
DATA = {"public": 0, "internal": 1, "customer": 2, "secret": 3}


class Schema:
    """What differs between the two."""

    def __init__(self, everything, toy_policy, approvals_are_requests, more_types):
        self.everything, self.toy_policy = everything, toy_policy
        # The example names the audit edit's request.made/1 where the specification says its request.approved/1 entries.
        self.approvals_are_requests, self.more_types = approvals_are_requests, more_types


class Invalid(Exception):
    """Why an entry is invalid, in one word."""


class Identity:
    def __init__(self, kind, key, operator):
        self.kind, self.key, self.operator, self.retired = kind, key, operator, False


class Request:
    def __init__(self, seq, leaf, signer, body, until):
        self.seq, self.leaf, self.signer, self.body, self.until = seq, leaf, signer, body, until
        self.approvals = {}  # operator: (seq, until)
        self.denied = self.withdrawn = self.claimed = self.finished = False


def need(condition, why):
    if not condition:
        raise Invalid(why)


def claimed_erasures(records):
    """What `payload.erased/1` bodies name, for whoever does not judge authority. Told by their shape alone."""
    found = set()
    for record in records.values():
        body = record.members
        if {"approvals", "members", "seq"} <= set(body) and isinstance(body["members"], list):
            found |= {(body["seq"], name) for name in body["members"]}
    return found


def time_of(body, name="until"):
    at = canon.time_ms(body.get(name))
    need(at is not None, "body_" + name)
    return at


def key_of(body, name):
    value = body.get(name)
    need(entry.hex32(value), "body_" + name)
    return bytes.fromhex(value)


class Replay:
    def __init__(self, schema, log_key, entries, records):
        self.schema, self.log_key, self.entries, self.records = schema, log_key, entries, records
        self.origin = self.policy = None
        self.identities, self.used_keys = {}, set()
        self.grants, self.requests, self.frozen, self.integrations = {}, {}, set(), set()
        self.invalid, self.voided, self.disputed, self.erasures = {}, [], [], set()

    def run(self, out):
        if not self.entries:
            out.fail("authority", 0, "entry_0_missing")
        for seq, e in enumerate(self.entries):
            why = e.signature_fault(self.public_key(seq, e))
            if why:
                out.fail("signatures", seq, why)
                self.invalid[seq] = (why, False)
                continue
            try:
                self.step(seq, e)
            except Invalid as fault:
                self.invalid[seq] = (str(fault), e.form is None and seq in self.records)
        for seq, (why, _) in self.invalid.items():
            if seq not in self.voided:
                out.fail("authority", seq, why)
        out.voided, out.disputed = sorted(self.voided), sorted(self.disputed)

    def public_key(self, seq, e):
        """The signer's key by (actor, seq): of an identity enrolled before. Entry 0 carries its signer's key."""
        actor = e.get("actor")
        if seq == 0 and actor == "op-1" and e.get("type") == "workspace.created/1" and 0 in self.records:
            value = self.records[0].members.get("operator_key")
            return bytes.fromhex(value) if entry.hex32(value) else None
        if actor == "log":
            return self.log_key.public if self.identities else None
        identity = self.identities.get(actor) if isinstance(actor, str) else None
        return identity.key if identity else None

    def live(self, name, kind=None):
        identity = self.identities.get(name)
        if identity is None or identity.retired or (kind and identity.kind != kind):
            return False
        return identity.kind != "ag" or self.live(identity.operator, "op")

    def operators(self):
        return [n for n in self.identities if self.live(n, "op")]

    def step(self, seq, e):
        need(e.form is None, "form")
        need(seq in self.records, "payload_missing")
        body, kind, actor = self.records[seq].members, e.get("type"), e.get("actor")
        at = canon.time_ms(e.get("at"))
        if seq == 0:
            need(kind == "workspace.created/1", "not_created_first")
            self.created(e, body)
            return
        need(kind != "workspace.created/1", "created_again")
        if actor != "log":
            need(self.live(actor), "signer_not_live")
        signer = "log" if actor == "log" else self.identities[actor].kind
        family, _, rest = kind.partition(".")
        if kind == "key.leaked/1":
            need(signer in ("op", "log"), "needs_operator")
        elif family in ("key", "rotation", "review") and rest.endswith("/1"):
            need(signer == "op", "needs_operator")
        else:
            handler = self.schema.more_types.get(kind) or HANDLERS.get(kind)
            need(handler is not None, "unknown_type")
            who, method = handler
            need(signer in who, "needs_agent" if "ag" in who and "op" in who and len(who) == 2 else "needs_operator")
            method(self, seq, at, e, actor, signer, body)

    def created(self, e, body):
        operator, log, nonce = (key_of(body, n) for n in ("operator_key", "log_key", "nonce"))
        need(e.get("actor") == "op-1", "needs_operator")
        self.origin = entry.derive_origin(operator, log, nonce)
        for key in (operator, log):
            self.identities.setdefault("op-1", Identity("op", operator, None))
            self.used_keys.add(key)
        for key in (operator, log):
            need(not entry.ed25519.enrolment_fault(key), "weak_key")
        need(operator != log, "key_used")
        need(log == self.log_key.public, "log_key_not_trusted")

    def subject(self, e, value):
        need(isinstance(value, str) and e.get("subject") == value, "subject")

    def enrolled(self, seq, at, e, actor, signer, body):
        name, kind = body.get("id"), "ag" if e.get("type").startswith("agent") else "op"
        self.subject(e, name)
        need(re.fullmatch(kind + r"-[1-9][0-9]{0,14}", name, re.ASCII), "body_id")
        key = key_of(body, "public_key")
        proof = body.get("proof")
        need(isinstance(proof, str) and re.fullmatch(r"[0-9a-f]{128}", proof, re.ASCII), "body_proof")
        why = entry.enrolment_refused(e.get("log"), key, bytes.fromhex(proof))
        need(not why, why)
        need(name not in self.identities, "id_used")
        need(key not in self.used_keys, "key_used")
        operator = body.get("operator") if kind == "ag" else None
        need(kind == "op" or self.live(operator, "op"), "operator_not_live")
        self.identities[name] = Identity(kind, key, operator)
        self.used_keys.add(key)

    def retired(self, seq, at, e, actor, signer, body):
        name = body.get("id")
        self.subject(e, name)
        need(name in self.identities and not self.identities[name].retired, "no_such_identity")
        need(self.operators() != [name], "last_operator")
        as_of = body.get("as_of")
        if as_of is not None:
            need(type(as_of) is int and 0 <= as_of <= seq, "body_as_of")
            self.disputed += [s for s in range(as_of, seq) if self.entries[s].get("actor") == name]
        self.identities[name].retired = True

    def new_key(self, e, body):
        key = key_of(body, "public_key")
        proof = body.get("proof")
        need(isinstance(proof, str) and re.fullmatch(r"[0-9a-f]{128}", proof, re.ASCII), "body_proof")
        why = entry.enrolment_refused(e.get("log"), key, bytes.fromhex(proof))
        need(not why, why)
        need(key not in self.used_keys, "key_used")
        self.used_keys.add(key)
        return key

    def recovery(self, seq, at, e, actor, signer, body):
        name = body.get("id")
        self.subject(e, name)
        need(re.fullmatch(r"op-[1-9][0-9]{0,14}", name, re.ASCII) and name not in self.identities, "id_used")
        need(body.get("operator") == actor, "not_own")
        self.identities[name] = Identity("rc", self.new_key(e, body), actor)

    def rotated(self, seq, at, e, actor, signer, body):
        name = body.get("id")
        self.subject(e, name)
        need(name == (self.identities[actor].operator if signer == "rc" else actor), "not_own")
        need(self.live(name, "op"), "retired")
        self.identities[name].key = self.new_key(e, body)

    def corrected(self, seq, at, e, actor, signer, body):
        target = body.get("seq")
        need(type(target) is int and 0 <= target < seq, "no_such_entry")
        need(e.get("subject") == self.entries[target].get("subject"), "subject")

    def adopted(self, seq, at, e, actor, signer, body):
        need(entry.hex32(body.get("digest")), "body_digest")
        if not self.schema.toy_policy:
            need(self.records[seq].rules_digest == body["digest"], "digest")
        self.policy = body["digest"]

    def added(self, seq, at, e, actor, signer, body):
        self.subject(e, body.get("id"))
        need(body["id"] not in self.integrations, "id_used")
        self.integrations.add(body["id"])

    def grant(self, e, body):
        self.subject(e, body.get("grant"))
        need(body["grant"] in self.grants, "no_such_grant")
        need(not self.grants[body["grant"]]["revoked"], "revoked")
        return self.grants[body["grant"]]

    def issued(self, seq, at, e, actor, signer, body):
        self.subject(e, body.get("grant"))
        need(body["grant"] not in self.grants, "id_used")
        need(self.live(body.get("agent"), "ag"), "no_such_agent")
        need(self.schema.toy_policy or body.get("integration") in self.integrations, "no_such_integration")
        until = None if body.get("until") is None else time_of(body)
        self.grants[body["grant"]] = {**body, "until": until, "revoked": False}

    def renewed(self, seq, at, e, actor, signer, body):
        grant = self.grant(e, body)
        grant["until"] = None if body.get("until") is None else time_of(body)

    def narrowed(self, seq, at, e, actor, signer, body):
        grant = self.grant(e, body)
        need(signer != "ag" or grant["agent"] == actor, "not_the_holder")
        for name, order in (("access", ACCESS), ("data", DATA)):
            if name in body:
                need(body[name] in order and order[body[name]] <= order.get(grant.get(name), -1), "widens")
        if "until" in body:
            need(grant["until"] is None or time_of(body) <= grant["until"], "widens")
        if "scope" in body:
            # The catalogue says what lies inside what; without it, a path inside a path is the only sure case.
            inside = body["scope"] == grant["scope"] or str(body["scope"]).startswith(str(grant["scope"]) + "/")
            need(inside or not self.schema.toy_policy, "widens")
        until = time_of(body) if "until" in body else grant["until"]
        grant.update({k: v for k, v in body.items() if k in ("access", "data", "scope")} | {"until": until})

    def revoked(self, seq, at, e, actor, signer, body):
        grant = self.grant(e, body)
        need(signer != "ag" or grant["agent"] == actor, "not_the_holder")
        grant["revoked"] = True

    def freeze(self, seq, at, e, actor, signer, body):
        target = body.get("target")
        need(signer != "ag" or target == actor, "needs_operator")
        agent = target in self.identities and self.identities[target].kind == "ag"
        need(target == self.schema.everything or agent, "no_such_target")
        self.frozen.add(target)

    def thawed(self, seq, at, e, actor, signer, body):
        need(body.get("target") in self.frozen, "not_frozen")
        self.frozen.discard(body["target"])

    def grant_live(self, name, agent, at):
        grant = self.grants.get(name) if isinstance(name, str) else None
        if grant is None or grant["revoked"] or grant["agent"] != agent:
            return False
        return grant["until"] is None or at < grant["until"]

    def is_frozen(self, agent):
        return self.schema.everything in self.frozen or agent in self.frozen

    def decision(self, actor, signer, body, at):
        """What must have been decided, whatever the policy; the toy policy says the rest."""
        denied = self.is_frozen(actor) or (signer == "ag" and not self.grant_live(body.get("grant"), actor, at))
        if denied:
            return ("deny",)
        if self.schema.toy_policy:
            return ("ask",) if body["points"] else ("allow",)
        return ("ask", "deny") if body["points"] else ("allow", "ask", "deny")

    def made(self, seq, at, e, actor, signer, body):
        self.subject(e, body.get("request"))
        need(body["request"] not in self.requests, "id_used")
        need(body.get("agent") == actor, "not_the_requester")
        need(isinstance(body.get("points"), list) and isinstance(body.get("facets"), dict), "body_points")
        need(body.get("policy") == self.policy is not None, "other_policy")
        need(body.get("decision") in self.decision(actor, signer, body, at), "decision_differs")
        need(at < time_of(body), "expired")
        self.requests[body["request"]] = Request(seq, e.leaf.hex(), actor, body, time_of(body))

    def request(self, e, body):
        self.subject(e, body.get("request"))
        need(body["request"] in self.requests, "no_such_request")
        return self.requests[body["request"]]

    def decided(self, seq, at, e, actor, signer, body):
        """An approval or a denial."""
        r = self.request(e, body)
        need(actor != r.signer, "own_request")
        need(body.get("leaf") == r.leaf, "other_leaf")
        need(body.get("grant") == r.body.get("grant"), "other_grant")
        need(body.get("policy") == self.policy, "other_policy")
        # The points shown: those of the request, and in aosctl also those that fire by now, which is not replayed here.
        points = body.get("points")
        need(isinstance(points, list) and set(points) >= set(r.body["points"]), "other_points")
        need(points == r.body["points"] or not self.schema.toy_policy, "other_points")
        need(at < r.until, "expired")
        need(r.body["decision"] == "ask", "not_asked")
        # Enough approvals decide, also when they have ended by now.
        need(not (r.denied or r.withdrawn or r.claimed or self.enough(r, None)), "decided")
        if e.get("type") == "request.denied/1":
            r.denied = True
        else:
            need(actor not in r.approvals, "decided")
            need(at < time_of(body), "expired")
            r.approvals[actor] = (seq, time_of(body))

    def enough(self, r, at):
        """Whether there are enough approvals, of those that have not ended at `at`. Distinct operators have distinct keys,
        because a key is enrolled once.
        """
        wanted = 1 if self.schema.toy_policy else r.body.get("approvers")
        counting = [until for _, until in r.approvals.values() if at is None or at < until]
        return type(wanted) is int and len(counting) >= max(wanted, 1)

    def withdrawn(self, seq, at, e, actor, signer, body):
        r = self.request(e, body)
        need(signer == "op" or actor == r.signer, "not_the_requester")
        need(r.body["decision"] != "deny" and not (r.denied or r.withdrawn or r.claimed), "decided")
        r.withdrawn = True

    def claimed(self, seq, at, e, actor, signer, body):
        r = self.request(e, body)
        need(actor == r.signer, "not_the_requester")
        need(not r.claimed, "claimed")
        need(not (r.denied or r.withdrawn), "not_allowed")
        need(r.body["decision"] == "allow" or r.approvals, "not_allowed")
        need(at < r.until and (r.body["decision"] == "allow" or self.enough(r, at)), "expired")
        need(not self.is_frozen(actor), "frozen")
        need(signer == "op" or self.grant_live(r.body.get("grant"), actor, at), "no_live_grant")
        r.claimed = True

    def finished(self, seq, at, e, actor, signer, body):
        r = self.request(e, body)
        need(signer == "op" or actor == r.signer, "not_the_requester")
        need(r.claimed, "not_claimed")
        need(not r.finished, "finished")
        r.finished = True

    def resolved(self, seq, at, e, actor, signer, body):
        r = self.request(e, body)
        need(r.claimed, "not_claimed")
        r.finished = True

    def erased(self, seq, at, e, actor, signer, body):
        target, members, approvals = body.get("seq"), body.get("members"), body.get("approvals")
        need(type(target) is int and 0 <= target < seq, "no_such_entry")
        need(isinstance(members, list) and members and len(set(map(str, members))) == len(members), "body_members")
        need(all(m in entry.ERASABLE for m in members), "not_erasable")
        need(not any((target, m) in self.erasures for m in members), "erased_twice")
        need(isinstance(approvals, list), "body_approvals")
        approvers = {actor}
        for s in approvals:
            approvers |= self.approvers_of(s, target, at)
        wanted = min(2, len(self.operators()))
        need(len(approvers) >= wanted, "too_few_approvers")
        self.erasures |= {(target, m) for m in members}

    def approvers_of(self, seq, target, at):
        """Who approved the audit edit of `target`, by a seq in `approvals`."""
        for r in self.requests.values():
            if r.body.get("action") == "audit.erase" and r.body.get("resource") == f"entry:{target}":
                if self.schema.approvals_are_requests and r.seq == seq:
                    return set(r.approvals)
                found = {name for name, (s, until) in r.approvals.items() if s == seq and at < until}
                if found:
                    return found
        raise Invalid("no_such_approval")

    def void(self, seq, at, e, actor, signer, body):
        target = body.get("seq")
        need(type(target) is int and 0 <= target < seq, "no_such_entry")
        voided = self.entries[target]
        need(body.get("leaf") == voided.leaf.hex(), "other_leaf")
        need(target in self.invalid and target not in self.voided, "not_invalid")
        need(self.invalid[target][1], "not_voidable")
        need(actor not in (voided.get("actor"), voided.get("subject")), "own_entry")
        self.voided.append(target)

    def accepted(self, seq, at, e, actor, signer, body):
        """A rollback that an operator saw. Nothing to replay."""


HANDLERS = {
    "operator.enrolled/1": (("op",), Replay.enrolled),
    "agent.enrolled/1": (("op",), Replay.enrolled),
    "identity.retired/1": (("op",), Replay.retired),
    "policy.adopted/1": (("op",), Replay.adopted),
    "grant.issued/1": (("op",), Replay.issued),
    "grant.renewed/1": (("op",), Replay.renewed),
    "grant.narrowed/1": (("op", "ag", "log"), Replay.narrowed),
    "grant.revoked/1": (("op", "ag", "log"), Replay.revoked),
    "workspace.frozen/1": (("op", "ag", "log"), Replay.freeze),
    "workspace.thawed/1": (("op",), Replay.thawed),
    "request.made/1": (("ag", "op"), Replay.made),
    "request.approved/1": (("op",), Replay.decided),
    "request.denied/1": (("op",), Replay.decided),
    "request.withdrawn/1": (("ag", "op"), Replay.withdrawn),
    "request.claimed/1": (("ag", "op"), Replay.claimed),
    "request.finished/1": (("ag", "op"), Replay.finished),
    "request.resolved/1": (("op",), Replay.resolved),
    "payload.erased/1": (("op",), Replay.erased),
    "entry.voided/1": (("op",), Replay.void),
    "rollback.accepted/1": (("op",), Replay.accepted),
}

EXAMPLE = Schema("workspace", True, True, {})
ADDED = {
    "integration.added/1": (("op",), Replay.added),
    "recovery.enrolled/1": (("op",), Replay.recovery),
    "operator.rotated/1": (("op", "rc"), Replay.rotated),
    "entry.corrected/1": (("op",), Replay.corrected),
}
AOSCTL = Schema("w-1", False, False, ADDED)
