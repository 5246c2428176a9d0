"""Who may do what in a log: the sections "Events" and "Authority" of docs/log-format.md, for verify.py beside it."""
import os
import re

import decide
from decide import DAY, UNITS, covers, highest
from verify import Log, canonical, may_enrol, milliseconds, need, sha, strict, unbase64

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES, TEXTS = {}, {}  # events and objects: (signers and subject, {member: (mark, kind)}); patterns
with open(os.path.join(HERE, "events.txt"), encoding="utf-8") as table:
    for name, sign, rest in (row.rstrip("\n").split(" ", 2) for row in table if row[0] not in "#\n"):
        rights, _, members = rest.rpartition(" | ")
        pairs = [member.split(":") for member in members.split()] if sign == "=" else []
        if sign == "~": TEXTS[name] = rest
        else: SHAPES[name] = rights.split(), {one.rstrip("?~"): (one[-1], kind) for one, kind in pairs}
WORDS = {name: text.split("|") for name, text in TEXTS.items()}
def span(text): return int(text[:-1]) * UNITS[text[-1]]

class Rights(Log):
    """The state that the valid entries make, and what each next entry may do to it."""
    def __init__(self, vkey, complete):
        super().__init__(vkey, complete)
        self.keys, self.frozen, self.rules, self.digest = set(), set(), None, None
        self.approvals, self.money, self.months, self.repeated = {}, [], set(), set()
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
                mark in "?~" if name not in value else mark == "?" if value[name] is None
                else self.fits(inner, value[name]) for name, (mark, inner) in SHAPES[kind][1].items())
        if "," in kind: return any(self.fits(one, value) for one in kind.split(","))
        if kind[0] in "[(":
            return isinstance(value, list) and (kind[0] == "[" or len(value) > 0) and all(
                self.fits(kind[1:-1], one) for one in value)
        if kind[0] == "{":
            name, _, inner = kind[1:-1].partition(">")
            return isinstance(value, dict) and all(self.fits(name, n) and self.fits(inner, v) for n, v in value.items())
        if type(value) is int:
            return kind in ("int", "any") or value >= 0 and (kind == "nat" or kind == "small" and value < 256 or (
                kind == "earlier" and value < self.seq) or kind == "one" and value == 1)
        if not isinstance(value, str):
            return kind == "any" or kind == "bool" and type(value) is bool or kind == "true" and value is True
        if kind == "base64": return unbase64(value) is not None
        if kind in ("time", "ahead", "past"):
            at = milliseconds(value)
            return at is not None and (kind == "time" or (at > self.at) == (kind == "ahead"))
        if kind in ("any", "int", "nat", "small", "earlier", "one", "bool", "true"): return kind == "any"
        if kind in TEXTS:
            fine = re.fullmatch(TEXTS[kind], value) and (kind != "label" or len(value.encode()) <= 512)
            return fine and (kind not in ("span", "unit") or span(value) <= 36600 * DAY)
        spare, prefix = "recovers" in self.things.get(value, ()), kind.rstrip("+=!").replace("recovery", "op")
        known = kind[-1] not in "=!" or value in self.things and spare == (kind == "recovery=")
        known = known and (kind[-1] != "!" or self.live(value)) and (kind[-1] != "+" or value not in self.things)
        return known and re.fullmatch(prefix + "-[1-9][0-9]{0,14}", value)
    def judge(self, event, who, subject, b):
        """One row of the authority table: Bad where this signer may not do this now; otherwise the state moves on."""
        at, seq, things, kind = self.at, self.seq, self.things, event[:-2]
        need(event in SHAPES and (kind == "workspace.created") == (seq == 0), "type")
        need(self.fits(event, b) and (seq == 0 or who == "log" or self.live(who)), "body, or the signer is not live")
        (roles, named), thing, until = SHAPES[event][0], things.get(subject, {}), milliseconds(b.get("until"))
        need(subject == (self.headers[b["seq"]].get("subject") if named == "seq" else b.get(named, named)), "subject")
        spare = things.get(who, {}).get("recovers")  # for whom a recovery identity stands; it is no operator itself
        may = dict(op=who[:2] == "op" and not spare, log=who == "log", holder=who == thing.get("agent"),
                   recovery=spare and spare == b.get("id"),
                   self=who in [b.get(name) for name in ("agent", "target", "operator", "id")])
        need(any(may[role] for role in roles.split(",")), "this signer has no right to it")
        if kind == "workspace.created":
            op, log = bytes.fromhex(b["operator_key"]), bytes.fromhex(b["log_key"])
            need(who == "op-1" and log == self.vkey.key and op != log and may_enrol(op) and may_enrol(log), "keys")
            self.keys, things["op-1"] = {op, log}, dict(live=True, key=op)
        elif kind in ("operator.enrolled", "agent.enrolled", "recovery.enrolled", "operator.rotated"):
            key, proof = bytes.fromhex(b["public_key"]), bytes.fromhex(b["proof"])
            message = b"aosctl/enrol/v1\0" + self.log.encode() + b"\0" + key
            need(key not in self.keys and may_enrol(key) and strict(key, proof, message), "key")
            need("handle" not in b or b["handle"] not in [one["handle"] for one in self.each("ag")], "handle")
            role = {"agent.enrolled": "for", "recovery.enrolled": "recovers"}.get(kind)
            role = {role: b["operator"]} if role else {}
            things[subject] = dict(thing, live=True, key=key, handle=b.get("handle"), **role)
            self.keys.add(key)
        elif kind == "identity.retired":
            need(thing["live"] and (b.get("as_of") or 0) <= seq, "retired")
            need([one for one in self.operators() if one["live"]] != [thing], "last_operator")
            thing.update(live=False, retired=at)
        elif kind == "policy.adopted":
            need(b["digest"] == sha(canonical(b["rules"])).hex() and decide.normal(b["rules"]), "digest")
            self.rules, self.digest = b["rules"], b["digest"]
        elif kind == "integration.added":
            need(self.catalogue(b["kind"]) and b["handle"] not in [one["handle"] for one in self.each("i")], "handle")
            things[subject] = dict(b, live=True)
        elif kind in ("grant.issued", "grant.renewed"):
            longest = (self.rules or {"grants": {}})["grants"].get("longest")
            grant = dict(thing or b, live=True, until=until)
            words = [one["kind"] for one in self.catalogue(things[grant["integration"]]["kind"]).get("scope", ())]
            need(self.live(grant["agent"]) and (not longest or until and until <= at + span(longest)), "until")
            need(thing or words and (b["scope"] == "*" or b["scope"].split(":")[0] in words), "scope")
            things[subject] = grant
        elif kind == "grant.narrowed":
            new = {name: b.get(name) or thing[name] for name in ("scope", "access", "data")}
            need(covers(thing["scope"], new["scope"]) and (not until or until <= (thing["until"] or until)), "widens")
            for name in ("access", "data"): need(highest(WORDS[name], thing[name], new[name]) == thing[name], "widens")
            thing.update(new, until=until or thing["until"])
        elif kind in ("grant.revoked", "key.retired"): thing["live"] = False
        elif kind == "workspace.frozen": self.frozen.add(subject)
        elif kind == "workspace.thawed":
            need(subject in self.frozen, "not_frozen")
            self.frozen.remove(subject)
        elif kind == "request.made":
            said = b["decision"], set(b["points"]), b["rule"], b.get("grant"), b["access"], b["approvers"], b["tier"]
            need(b["policy"] == self.digest, "policy")
            need(until <= at + self.patience("wait" if said[0] == "ask" else "use_within"), "until")
            need(self.again(b) == said and (who, b.get("idempotency_key") or seq) not in self.repeated, "decision")
            self.repeated.add((who, b.get("idempotency_key")))
            thing = things[subject] = dict(b, leaf=self.leaf.hex(), until=until, stage="open", given={})
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
            now, given = self.again(edit), [self.approvals.get(one) for one in b["approvals"]]
            need(all(one and at < one[2] and one[0]["stage"] in ("open", "claimed") for one in given), "approvals")
            need(all(one[0][name] == edit[name] for one in given for name in ("action", "resource")), "approvals")
            need(now[0] == "ask" and len({who} | {one[1] for one in given}) >= now[5], "too_few_approvers")
            held = self.payloads.get(b["seq"], ({"body": ()},))[0]
            gone = {name for one, name in self.erased if one == b["seq"]}
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
    def again(self, request):
        """The decision, made now."""
        need(self.rules, "no policy")
        return decide.decide(self, request)
