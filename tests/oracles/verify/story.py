"""Logs of random events, most of them right: what a verifier must make of a whole history. Every choice comes from a seed."""
import json
import random

import forge

ACTIONS = {
    "github": "repo.read issue.create deployment.create release.create contents.write pull_request.open nothing.known",
    "stripe": "refund.create charge.read payout.create invoice.finalize customer.read price.create",
    "hubspot": "contact.read contact.export marketing_email.send contact.update export.create",
}
ERASABLE = ("reason", "note", "detail", "diff", "summary", "rationale", "parameters", "name", "artifacts")


class Story:
    """Appends random events to a forged log, with a verifier beside it that says what a decision should be."""

    def __init__(self, seed, rules, verifier):
        self.random = random.Random(seed)
        self.log = forge.Log("story%s" % seed)
        self.rules = rules
        self.verifier = verifier
        self.shadow = verifier.Log(verifier.VerifierKey(self.log.vkey, b"\1"), True)
        self.counts = dict.fromkeys(("op", "ag", "i", "g", "r", "k"), 0)
        self.counts["op"] = 1
        self.add("op-1", "workspace.created/1", "op-1", self.log.created)
        self.adopt(rules)

    def add(self, actor, kind, subject, body, **more):
        body = {name: value for name, value in body.items() if value is not None}
        seq = self.log.add(actor, kind, subject, body, **more)
        self.shadow.payloads[seq] = self.read(self.log.records[seq]), True
        self.shadow.take(self.log.lines[seq])
        return seq

    def read(self, value):
        """As the verifier reads it."""
        return self.verifier.parse(forge.jcs(value), 2**24)[0]

    def adopt(self, rules):
        digest = forge.sha(forge.jcs(rules)).hex()
        self.add("op-1", "policy.adopted/1", "p-1", {"digest": digest, "rules": rules, "source": "", "confirmed": []})

    # Choices

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *values):
        return self.random.choice(values)

    def any(self, prefix):
        """An id that was given out, now and then one that was not."""
        last = self.counts[prefix]
        return "%s-%d" % (prefix, self.random.randint(1, max(1, last)) if not self.chance(0.02) else last + 1)

    def new(self, prefix):
        if self.chance(0.03) and self.counts[prefix]:
            return self.any(prefix)
        self.counts[prefix] += 1
        return "%s-%d" % (prefix, self.counts[prefix])

    def operator(self):
        return self.enrolled("op") if not self.chance(0.03) else self.pick("log", self.any("ag"), self.any("op"))

    def time(self, low, high):
        """A time from so many seconds ago to so many ahead; often exactly the edge."""
        return forge.time_text(self.log.clock + self.step + self.pick(low, high, self.random.randint(low, high)))

    def maybe(self, value, share=0.3):
        return value if self.chance(share) else None

    def ends(self):
        """When a grant ends: mostly within what the policy allows."""
        longest = self.shadow.rules["grants"].get("longest")
        most = self.verifier.span(longest) // 1000 if longest else 60 * 86400
        return self.maybe(self.time(0 if self.chance(0.1) else most // 2, most + self.pick(0, 0, 0, 1)), 1 if longest and not self.chance(0.05) else 0.7)

    def scope(self, wide=True, kind=None):
        kinds = [one["kind"] for one in self.shadow.catalogue(kind)[0].get("scope", ())] or ["repo", "account"]
        word = self.random.choice(kinds) if not self.chance(0.05) else "nothing"
        rests = ["acme", "acme/app", "acme/app/x", "acme/app"] + (["*", "acme/*", "acme/a*"] if wide else [])
        return "*" if wide and self.chance(0.2) else word + ":" + self.random.choice(rests)

    def thing(self, name):
        return self.shadow.things.get(name, {})

    # Events. Each gives (signer, subject, body).

    def operator_enrolled(self):
        name = self.new("op")
        public = self.log.key(name).public
        proof = self.log.proof(public, self.log.key(name if not self.chance(0.05) else "op-1"))
        return self.operator(), name, {"id": name, "public_key": public.hex(), "proof": proof}

    def enrolled(self, prefix):
        """An id, mostly of something live."""
        live = [name for name in list(self.shadow.things) if str(name).startswith(prefix + "-") and self.shadow.live(name)]
        return self.random.choice(live) if live and not self.chance(0.05) else self.any(prefix)

    def agent_enrolled(self):
        signer, name, body = self.operator_enrolled()
        if self.chance(0.9):
            self.counts["op"] = max(1, self.counts["op"] - 1)
            name = self.new("ag")
            public = self.log.key(name).public
            body = {"id": name, "public_key": public.hex(), "proof": self.log.proof(public, self.log.key(name))}
        handle = "bot%d" % (len(self.log.lines) if not self.chance(0.05) else 2)
        return signer, name, {**body, "handle": handle, "operator": self.enrolled("op")}

    def recovery_enrolled(self):
        name, owner = self.new("op"), self.enrolled("op")
        public = self.log.key(name).public
        body = {"id": name, "operator": owner, "public_key": public.hex(), "proof": self.log.proof(public, self.log.key(name))}
        return owner if not self.chance(0.1) else self.operator(), name, body

    def operator_rotated(self):
        """A new key for an operator. The story goes on with it only if the entry is valid."""
        name = self.enrolled("op")
        key = forge.Key("%s/%d" % (name, len(self.log.lines)))
        self.fresh = name, key
        spare = [one for one, thing in self.shadow.things.items() if thing.get("sort") == "recovery" and thing["operator"] == name]
        body = {"id": name, "public_key": key.public.hex(), "proof": self.log.proof(key.public, key)}
        return self.pick(name, self.operator(), *spare), name, body

    def entry_corrected(self):
        seq = self.random.randint(0, len(self.log.lines) - 1)
        return self.operator(), self.log.headers[seq]["subject"], {"seq": seq, "note": self.maybe("not so")}

    def identity_retired(self):
        name = self.any(self.pick("op", "ag", "ag"))
        as_of = self.maybe(self.random.randint(0, len(self.log.lines) + 1))
        return self.operator(), name, {"id": name, "as_of": as_of, "reason": self.maybe("gone")}

    def policy_adopted(self):
        rules = json.loads(json.dumps(self.rules))
        rules["caps"]["per_move"] = self.pick(0, 100, 100000)
        rules["caps"]["per_week"] = self.pick(0, 5000, 1000000)
        rules["approvers"] = self.pick({}, {"money": 2}, {"production": 2}, {"audit": 2}, {"public": 3})
        rules["boundary"]["destinations"] = self.pick([], ["*.acme.example", "eu-backup"], ["*.Example.com"])
        rules["recipients"] = self.pick(0, 2, 500)
        rules["grants"] = self.pick({"expires": "90d"}, {"expires": "90d", "longest": "30d"}, {"expires": "1d", "longest": "1h"})
        rules["requests"] = self.pick({"use_within": "1h", "wait": "1d"}, {"use_within": "5m", "wait": "30m"})
        rules["actions"] = [self.said() for _ in range(self.random.randint(0, 3))]
        digest = forge.sha(forge.jcs(rules)).hex() if not self.chance(0.1) else "0" * 64
        return self.operator(), "p-1", {"digest": digest, "rules": rules, "source": "", "confirmed": ["cap.move"]}

    def said(self):
        action = self.pick("*", "repo.*", "repo.read", "deployment.*", "contact.*", "refund.create", "audit.erase", "audit.*")
        body = {"action": action, "integration": self.pick("*", "github", "tool1", "tool2", "stripe")}
        body["points"] = self.pick([], [], ["money"], ["production"], ["public", "customer_data"], ["audit"])
        body.update({"tier": self.pick("low", "high", "critical")} if self.chance(0.4) else {})
        body.update({"approvers": self.random.randint(1, 3)} if self.chance(0.4) else {})
        return body

    def integration_added(self):
        name = self.new("i")
        kind = self.pick(*ACTIONS) if not self.chance(0.05) else "nothing"
        handle = "tool%d" % (self.counts["i"] if not self.chance(0.05) else 1)
        return self.operator(), name, {"id": name, "handle": handle, "kind": kind, "inside": self.chance(0.3)}

    def grant_issued(self):
        name = self.new("g")
        body = {"grant": name, "agent": self.enrolled("ag"), "integration": self.enrolled("i")}
        body["scope"] = self.scope(kind=self.thing(body["integration"]).get("kind"))
        body.update(access=self.pick("read", "write", "admin"), data=self.pick("public", "internal", "customer", "secret"))
        body.update(owner=self.enrolled("op"), until=self.ends(), reason=self.maybe("why"))
        return self.operator(), name, body

    def grant_renewed(self):
        name = self.enrolled("g")
        return self.operator(), name, {"grant": name, "until": self.ends()}

    def grant_narrowed(self):
        name = self.enrolled("g")
        old = self.thing(name)
        body = {"grant": name, "scope": self.maybe(self.scope()), "access": self.maybe(self.pick("read", "write", "admin"))}
        body.update(data=self.maybe(self.pick("public", "internal", "customer", "secret")), until=self.maybe(self.time(-5, 3600)))
        return self.pick(self.operator(), "log", old.get("agent", "ag-1"), self.any("ag")), name, body

    def grant_revoked(self):
        name = self.enrolled("g")
        return self.pick(self.operator(), "log", self.thing(name).get("agent", "ag-1"), self.any("ag")), name, {"grant": name}

    def workspace_frozen(self):
        name = self.pick("w-1", self.any("ag"), self.any("ag"), self.any("ag"))
        return self.pick(self.operator(), "log", name, self.any("ag")) if name != "w-1" else self.operator(), name, {"target": name}

    def workspace_thawed(self):
        name = self.pick("w-1", *([one for one, thing in sorted(self.shadow.things.items(), key=str) if "frozen" in thing["states"]] or ["ag-1"]))
        return self.operator(), name, {"target": name, "reason": self.maybe("fine")}

    def request_made(self):
        who = self.enrolled("ag") if not self.chance(0.1) else self.enrolled("op")
        grants = [one for one in self.shadow.each["g"] if one.get("agent") == who and "live" in one["states"]]
        grant = self.random.choice(grants) if grants and not self.chance(0.1) else {"integration": self.any("i"), "scope": self.scope()}
        place = grant["integration"]
        kind = self.thing(place).get("kind", "github")
        named = [one["name"] for one in self.shadow.catalogue(kind)[0].get("action", ())]
        action = self.random.choice(named) if named and self.chance(0.7) else self.random.choice(ACTIONS.get(kind, "x.y").split())
        resource = grant["scope"].replace("*", "x") if grant["scope"] != "*" else self.scope(False, kind)
        resource += self.pick("", "", "/more")
        facets = {}
        if self.chance(0.4):
            facets["amount"] = {"currency": self.pick("USD", "USD", "USD", "EUR"), "minor": self.pick(0, 1, 99, 100, 101, 4000, 100000)}
        facets.update({"public": True} if self.chance(0.05) else {})
        facets.update({"recipients": self.pick(0, 1, 2, 3, 500, 501)} if self.chance(0.2) else {})
        facets.update({"data": self.pick("public", "internal", "customer", "secret")} if self.chance(0.3) else {})
        if self.chance(0.2):
            places = ["x.acme.example", "acme.example", "eu-backup", "EU-backup", "a.b.example.COM", "http://x.acme.example", "a b.acme.example"]
            facets["destination"] = self.random.choice(places)
        facets.update({"environment": self.pick("test", "CI", "production", "Staging", "dev", "")} if self.chance(0.5) else {})
        facets.update({"unclear": [self.pick("money", "public", "production", "audit", "customer_data")]} if self.chance(0.05) else {})
        body = {"agent": who, "action": action, "resource": resource, "access": self.pick("read", "read", "write", "write", "admin")}
        body.update(facets=facets, integration=place if not self.chance(0.03) else None, unsure=self.maybe(True, 0.05))
        body.update(idempotency_key=self.maybe(self.pick("", "key%d" % self.random.randint(1, 40)), 0.1), bound_command=self.maybe(True, 0.1))
        body.update(reason=None, summary=self.maybe("what it is"), parameters=self.maybe('{"a":1.5,"b":[1e3]}', 0.2))
        if who.startswith("op"):
            body.update(action="audit.erase", resource="entry:%d" % self.random.randint(0, len(self.log.lines) + 1))
            body.update(access=self.pick("admin", "admin", "admin", "write"), integration=self.maybe("i-1", 0.05), facets={})
        body["request"] = self.new("r")
        self.shadow.at += self.step * 1000
        self.shadow.now = forge.time_text(self.log.clock + self.step)
        said = self.shadow.decide(self.read(body))
        self.shadow.at -= self.step * 1000
        body.update(said, points=sorted(said["points"]))
        body.update(access=said["access"] if not self.chance(0.05) else body["access"], policy=self.shadow.rules.get("digest"))
        requests = self.shadow.rules["requests"]
        longest = self.verifier.span(requests["wait" if said["decision"] == "ask" else "use_within"]) // 1000
        body["until"] = self.time(0, longest + 1) if self.chance(0.2) else self.time(longest, longest)
        if self.chance(0.1):
            body.update(self.pick({"decision": "allow"}, {"decision": "ask"}, {"points": ["money"]}, {"rule": "unsure"}, {"tier": "low"},
                                  {"approvers": 2}, {"grant": None}, {"policy": "0" * 64}, {"access": "admin"}))
        return who if not self.chance(0.03) else self.any("ag"), body["request"], body

    def recent(self, *states):
        """A request, mostly a young one that is in such a state."""
        fit = [one["request"] for one in self.shadow.each["r"] if one["states"] & set(states)]
        if fit and not self.chance(0.15):
            return fit[-min(len(fit), 1 + int(self.random.expovariate(1)))]
        return "r-%d" % max(1, self.counts["r"] - int(self.random.expovariate(0.3)))

    def answer(self, name):
        asked = self.thing(name)
        body = {"request": name, "leaf": asked.get("leaf", "0" * 64), "points": sorted(asked.get("points", ())), "grant": asked.get("grant")}
        body["policy"] = self.shadow.rules.get("digest")
        if self.chance(0.06):
            body.update(self.pick({"leaf": "1" * 64}, {"points": ["audit"]}, {"grant": "g-1"}, {"policy": "2" * 64}, {"points": []}))
        return body

    def request_approved(self):
        name = self.recent("ask")
        within = self.verifier.span(self.shadow.rules["requests"]["use_within"]) // 1000
        body = self.answer(name)
        body["until"] = self.time(0, within + 1) if self.chance(0.2) else self.time(within, within)
        alone = "audit" in body["points"] and self.thing(name).get("approvers") == 1
        body["self_approved"] = True if alone != self.chance(0.05) else None
        return self.operator(), name, body

    def request_denied(self):
        name = self.recent("ask")
        return self.operator(), name, {**self.answer(name), "reason": self.maybe("no")}

    def request_withdrawn(self):
        name = self.recent("ask", "approved", "allow")
        return self.pick(self.operator(), self.thing(name).get("agent", "ag-1"), self.any("ag")), name, {"request": name}

    def request_claimed(self):
        name = self.recent(self.pick("approved", "approved", "ask", "allow"), "allow")
        mode = "run" if self.thing(name).get("bound_command") and not self.chance(0.1) else self.pick("run", "agent")
        return self.thing(name).get("agent", "ag-1") if not self.chance(0.1) else self.any("ag"), name, {"request": name, "mode": mode}

    def request_finished(self):
        name = self.recent("claimed")
        body = {"request": name, "outcome": self.pick("succeeded", "failed", "unknown"), "status": self.maybe(self.pick(0, 1, -9))}
        return self.pick(self.thing(name).get("agent", "ag-1"), self.operator()), name, body

    def request_resolved(self):
        name = self.recent("claimed", "unknown", "failed")
        return self.operator(), name, {"request": name, "outcome": self.pick("succeeded", "failed", "failed", "unknown"), "release": self.chance(0.5)}

    def payload_erased(self):
        asked = [seq for seq, one in self.shadow.approvals.items() if one["asked"]["action"] == "audit.erase"]
        approvals = self.random.sample(asked, min(len(asked), self.random.randint(0, 2)))
        last = len(self.log.lines)
        seqs = [int(self.shadow.approvals[seq]["asked"]["resource"][6:]) for seq in approvals]
        seq = self.random.choice(seqs + [self.random.randint(0, last - 1)] + ([last] if self.chance(0.03) else []))
        held = [name for name in self.log.records.get(seq, {"body": {}})["body"] if name in ERASABLE]
        members = held[:1] if held and not self.chance(0.1) else self.pick(["reason"], ["subject"], [], ["grant"], ["reason", "note"])
        subject = self.log.headers[seq]["subject"] if seq < last and not self.chance(0.05) else "w-1"
        return self.operator(), subject, {"seq": seq, "members": members, "approvals": sorted(approvals)}

    def entry_voided(self):
        open_ = [seq for seq in self.shadow.invalid if seq not in self.shadow.voided]
        seq = self.random.choice(open_) if open_ and not self.chance(0.1) else self.random.randint(0, len(self.log.lines) - 1)
        leaf = self.log.leaf(seq) if not self.chance(0.05) else "3" * 64
        return self.operator(), self.log.headers[seq]["subject"], {"seq": seq, "leaf": leaf, "reason": self.maybe("oops")}

    def rollback_accepted(self):
        return self.operator(), "w-1", {"pin_size": 5, "pin_root": "0" * 64, "reason": "restored"}

    def facts(self):
        facts = {"name": "n", "kind": "token", "place": self.pick("unknown", {"reference": "env:X"}), "active": True}
        facts.update({"integration": self.any("i")} if self.chance(0.4) else {})
        facts.update({"owner": self.any("op")} if self.chance(0.4) else {})
        facts.update({"scope": self.scope()} if self.chance(0.2) else {})
        facts.update({"last4": self.pick("1234", "abcd")} if self.chance(0.2) else {})
        return facts

    def key_added(self):
        name = self.new("k")
        return self.operator(), name, {"key": name, "facts": self.facts(), "note": self.maybe("n")}

    def key_changed(self):
        name = self.enrolled("k")
        return self.operator(), name, {"key": name, "facts": self.facts()}

    def key_retired(self):
        name = self.enrolled("k")
        return self.operator(), name, {"key": name}

    def key_leaked(self):
        name = self.any("k")
        return self.pick("log", self.operator()), name, {"key": name, "revoked": self.maybe([self.any("g")])}

    def key_step(self):
        name = self.any("k")
        leak = self.thing(name).get("leak", 0) if not self.chance(0.1) else self.random.randint(0, len(self.log.lines))
        step = self.pick("contain", "revoke", "prove_dead", "rotate", "test", "sweep")
        outcome = self.pick("done", "not_needed", "done", "not_proven", "failed")
        return self.operator(), name, {"key": name, "leak": leak, "step": step, "outcome": outcome}

    def rotation_scheduled(self):
        name = self.enrolled("k")
        body = {"key": name, "every": self.maybe(self.pick("90d", "1d", "24h", "2w"), 0.8), "warn": self.maybe(self.pick("14d", "1d", "90d"), 0.5)}
        return self.operator(), name, {**body, "owner": self.maybe(self.any("op"))}

    def rotation_recorded(self):
        name = self.enrolled("k")
        return self.operator(), name, {"key": name, "rotated": self.time(-86400, 1), "last4": self.maybe("9999")}

    def review(self, body):
        month = "rv-2026%02d" % self.random.randint(0 if self.chance(0.05) else 1, 12)
        entries = self.random.choice([0, len(self.log.lines), len(self.log.lines) + 1, 3])
        return self.operator(), month, {"review": month, "as_of": self.time(-3600, 0 if not self.chance(0.1) else 5), "entries": entries, **body}

    def review_decided(self):
        one = {"item": self.pick(self.any("g"), self.any("k"), "ag-1"), "advice": "keep", "decision": self.pick("keep", "revoke", "rotate")}
        one.update({"carried_out": self.random.randint(0, len(self.log.lines))} if self.chance(0.3) else {})
        return self.review({"decisions": [one] if not self.chance(0.1) else []})

    def review_signed(self):
        return self.review({"root": "0" * 64, "page": "1" * 64, "items": 3, "open": self.maybe(["g-1"])})

    # Telling it

    OFTEN = {"request_made": 14, "request_approved": 10, "request_claimed": 8, "grant_issued": 5, "request_finished": 3, "agent_enrolled": 2,
             "operator_enrolled": 2, "workspace_thawed": 3, "integration_added": 3, "payload_erased": 3, "request_resolved": 2}
    RARE = {"identity_retired": 0.3, "policy_adopted": 1, "workspace_frozen": 0.7, "grant_revoked": 0.5, "rollback_accepted": 0.2,
            "request_denied": 0.7}
    KINDS = [name for name in list(locals()) if "_" in name and name.split("_")[0] in (
        "operator", "agent", "identity", "recovery", "policy", "integration", "grant", "workspace", "request", "payload", "entry", "rollback", "key",
        "rotation", "review")]

    def undo(self):
        """Takes the last entry back, which was invalid and so changed nothing."""
        log, shadow = self.log, self.shadow
        seq = len(log.lines) - 1
        for rows in (log.lines, log.headers, shadow.headers, shadow.leaves):
            rows.pop()
        for rows in (log.records, shadow.payloads, shadow.invalid):
            rows.pop(seq)
        shadow.first.clear()
        log.clock, shadow.at = self.before

    def tell(self, length, calm=False):
        """So many more events; a calm story keeps the valid ones only."""
        weights = [self.OFTEN.get(name, self.RARE.get(name, 1)) for name in self.KINDS]
        for seq in range(length):
            name = "integration_added agent_enrolled grant_issued".split()[seq % 3] if seq < 12 else self.random.choices(self.KINDS, weights)[0]
            self.step = self.pick(0, 1, 1, 1, 10, 60, 300) if not self.chance(0.01) else 86400 * 3
            signer, subject, body = getattr(self, name)()
            if self.chance(0.01):
                subject = self.pick("", "w-1", "g-1")
            if self.chance(0.02):
                body = self.spoil(body)
            kind = name.replace("_", ".", 1) + "/1"
            self.before = self.log.clock, self.shadow.at
            seq = self.add(signer, kind, subject, body, after=self.step)
            if name == "operator_rotated" and seq not in self.shadow.invalid:
                self.log.keys[self.fresh[0]] = self.fresh[1]
            if calm and seq in self.shadow.invalid:
                self.undo()
        return self.log

    def spoil(self, body):
        """One member more, less, or of another kind."""
        body = {name: value for name, value in body.items() if value is not None}
        name = self.random.choice(sorted(body) or ["x"])
        return self.pick({**body, "more": 1}, {one: value for one, value in body.items() if one != name}, {**body, name: 7},
                         {**body, name: "x"}, {**body, name: []}, {**body, name: {}}, {**body, name: True})
