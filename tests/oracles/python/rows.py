"""The cases of cases.py, in the order of the authority table."""

from cases import HOUR, TARGET, TICK, Signer, change, weak_keys

SECOND = 1000 * TICK


def enrolments(s):
    for what, key in weak_keys():
        body = s.enrolment("op-3", public=key)
        yield f"enrol a key: {what}", s.fork().say("op-1", "operator.enrolled/1", "op-3", body), False
    for what, body, good in [
        ("right", s.enrolment("op-3"), True),
        ("the id is taken", s.enrolment("op-2", "new"), False),
        ("the key is taken", s.enrolment("op-3", "ag-1"), False),
        ("the log's key", s.enrolment("op-3", "log"), False),
        ("a proof for another log", s.enrolment("op-3", origin="aosctl/" + "0" * 32), False),
        ("another's proof", {**s.enrolment("op-3"), "proof": s.enrolment("op-3", "x")["proof"]}, False),
        ("no proof", {k: v for k, v in s.enrolment("op-3").items() if k != "proof"}, False),
        ("an agent's id", s.enrolment("ag-3"), False),
    ]:
        yield f"enrol an operator: {what}", s.fork().say("op-1", "operator.enrolled/1", body["id"], body), good
    retired = s.fork().retire("op-1", "ag-2").retire("op-1", "op-2")
    for what, body, good in [
        ("right", s.agent("ag-3", "op-1"), True),
        ("a retired agent's id", s.agent("ag-2", "op-1", word="new"), False),
        ("a retired agent's key", s.agent("ag-3", "op-1", word="ag-2"), False),
        ("for a retired operator", s.agent("ag-3", "op-2"), False),
        ("for nobody", s.agent("ag-3", "op-7"), False),
        ("for an agent", s.agent("ag-3", "ag-1"), False),
    ]:
        yield f"enrol an agent: {what}", retired.fork().say("op-1", "agent.enrolled/1", body["id"], body), good
    yield "enrolled by who is retired", retired.fork().say("op-2", "operator.enrolled/1", "op-3", s.enrolment("op-3")), False
    yield "created again", s.fork().say("op-1", "workspace.created/1", "op-1", {"nonce": "00" * 32}), False


def retirements(s):
    retired = s.fork().retire("op-1", "op-2")
    yield "an operator retires", retired, True
    yield "the last operator retires", retired.fork().retire("op-1", "op-1"), False
    yield "an operator retires itself", s.fork().retire("op-2", "op-2"), True
    yield "retired twice", s.fork().retire("op-1", "ag-2").retire("op-1", "ag-2"), False
    yield "nobody retires", s.fork().retire("op-1", "ag-7"), False
    yield "disputed from an earlier entry", s.fork().retire("op-1", "ag-1", as_of=8), True
    yield "disputed from a later entry", s.fork().retire("op-1", "ag-1", as_of=s.last() + 2), False
    yield "the agent of a retired operator freezes itself", retired.fork().freeze("ag-2"), False
    yield "a retired operator's agent revokes", retired.fork().change("ag-2", "revoked", "g-2"), False
    yield "a retired operator adopts", retired.fork().say("op-2", "policy.adopted/1", "p-1", s.real["policy"]), False
    yield "a retired agent claims", s.fork().approve("op-2", "r-2").retire("op-1", "ag-1").claim("ag-1", "r-2"), False
    yield "an approval of who retired", s.fork().approve("op-2", "r-2").retire("op-1", "op-2").claim("ag-1", "r-2"), True


def grants(s):
    until = s.grant("g-3", "ag-1")["until"]
    issue = lambda f, **more: f.say("op-1", "grant.issued/1", "g-3", s.grant("g-3", "ag-1", **more))  # noqa: E731
    yield "issue", issue(s.fork()), True
    yield "issue by an agent", s.fork().say("ag-1", "grant.issued/1", "g-3", s.grant("g-3", "ag-1")), False
    yield "issue by the log", s.fork().say("log", "grant.issued/1", "g-3", s.grant("g-3", "ag-1")), False
    yield "issue an id again", s.fork().say("op-1", "grant.issued/1", "g-1", s.grant("g-1", "ag-1")), False
    yield "issue to a retired agent", issue(s.fork().retire("op-1", "ag-1")), False
    yield "renew", s.fork().change("op-1", "renewed", "g-1", until=until), True
    yield "renew by the holder", s.fork().change("ag-1", "renewed", "g-1", until=until), False
    yield "renew by the log", s.fork().change("log", "renewed", "g-1", until=until), False
    yield "renew what was revoked", s.fork().change("log", "revoked", "g-1").change("op-1", "renewed", "g-1", until=until), False
    for who, good in (("op-2", True), ("ag-1", True), ("ag-2", False), ("log", True)):
        yield f"narrow by {who}", s.fork().change(who, "narrowed", "g-1", access="read"), good
        yield f"revoke by {who}", s.fork().change(who, "revoked", "g-1"), good
    later = "2027-06-01T00:00:00.000Z"
    for what, more in (("access", {"access": "admin"}), ("data", {"data": "secret"}), ("time", {"until": later})):
        yield f"narrow to more {what}", s.fork().change("op-1", "narrowed", "g-1", **more), False
    narrow = s.fork().change("log", "narrowed", "g-1", access="read")
    yield "narrow back again", narrow.fork().change("op-1", "narrowed", "g-1", access="write"), False
    yield "claim under a narrowed grant", narrow.fork().approve("op-1", "r-2").claim("ag-1", "r-2"), None
    for who, target, good in [
        ("op-1", "w-1", True), ("ag-1", "ag-1", True), ("ag-1", "ag-2", False), ("ag-1", "w-1", False), ("log", "ag-2", True),
    ]:  # fmt: skip
        yield f"freeze {target} by {who}", s.fork().freeze(who, target), good
    for who, good in (("op-1", True), ("ag-1", False), ("log", False)):
        yield f"thaw by {who}", s.fork().freeze("log").thaw(who), good
    yield "thaw what is not frozen", s.fork().thaw("op-1"), None


def decisions(s):
    yield "approve", s.fork().approve("op-1", "r-2"), True
    yield "approve by an agent", s.fork().approve("ag-2", "r-2"), False
    yield "approve by the log", s.fork().approve("log", "r-2"), False
    yield "approve what was allowed", s.fork().approve("op-1", "r-1"), False
    yield "approve one's own request", s.fork().edit(None).approve("op-1", "r-9"), False
    yield "deny one's own request", s.fork().edit(None).deny("op-1", "r-9"), False
    for what, name, value in [
        ("leaf", "leaf", "0" * 64), ("points", "points", ["money"]), ("points: none", "points", []),
        ("grant", "grant", "g-2"), ("policy", "policy", "0" * 64),
    ]:  # fmt: skip
        yield f"approve with another {what}", s.fork().approve("op-1", "r-2", **{name: value}), False
        yield f"deny with another {what}", s.fork().deny("op-1", "r-2", **{name: value}), False
    yield "approve in the last moment", s.fork().approve("op-1", "r-2", wait=HOUR / 2 - SECOND - TICK), True
    yield "approve at the end", s.fork().approve("op-1", "r-2", wait=HOUR / 2 - SECOND), False
    yield "approve after a denial", s.fork().deny("op-2", "r-2").approve("op-1", "r-2"), False
    yield "approve what was withdrawn", s.fork().withdraw("ag-1", "r-2").approve("op-1", "r-2"), False
    yield "deny what was withdrawn", s.fork().withdraw("ag-1", "r-2").deny("op-1", "r-2"), False
    yield "approve twice", s.fork().approve("op-1", "r-2").approve("op-1", "r-2"), False
    yield "deny after an approval", s.fork().approve("op-1", "r-2").deny("op-2", "r-2"), False
    yield "an approval that is over at once", s.fork().approve("op-1", "r-2", until=0 * TICK), False


def outcomes(s):
    asked = s.fork().approve("op-1", "r-2")
    claimed = asked.fork().claim("ag-1", "r-2")
    yield "claim what was approved", claimed, True
    yield "claim by another agent", asked.fork().claim("ag-2", "r-2"), False
    yield "claim by an operator", asked.fork().claim("op-1", "r-2"), False
    yield "claim by the log", asked.fork().claim("log", "r-2"), False
    yield "claim twice", claimed.fork().claim("ag-1", "r-2"), False
    yield "claim an allowed one twice", s.fork().claim("ag-1", "r-1"), False
    yield "claim undecided", s.fork().claim("ag-1", "r-2"), False
    yield "claim denied", s.fork().deny("op-1", "r-2").claim("ag-1", "r-2"), False
    yield "claim withdrawn", asked.fork().withdraw("ag-1", "r-2").claim("ag-1", "r-2"), False
    short = s.fork().approve("op-1", "r-2", until=60 * SECOND)
    yield "claim in an approval's last moment", short.fork().claim("ag-1", "r-2", 60 * SECOND - TICK), True
    yield "claim at an approval's end", short.fork().claim("ag-1", "r-2", 60 * SECOND), False
    allowed = s.fork().ask("ag-1", "r-3", "allowed", 60 * SECOND)
    yield "claim an allowed one in its last moment", allowed.fork().claim("ag-1", "r-3", 59 * SECOND - TICK), True
    yield "claim an allowed one at its end", allowed.fork().claim("ag-1", "r-3", 59 * SECOND), False
    late = s.fork().approve("op-1", "r-2", until=HOUR - SECOND)
    yield "claim approved, after the request's own end", late.claim("ag-1", "r-2", HOUR / 2), False
    yield "claim under a revoked grant", asked.fork().change("log", "revoked", "g-1").claim("ag-1", "r-2"), False
    yield "claim frozen", asked.fork().freeze("log").claim("ag-1", "r-2"), False
    yield "claim frozen itself", asked.fork().freeze("ag-1", "ag-1").claim("ag-1", "r-2"), False
    yield "claim thawed", asked.fork().freeze("log").thaw("op-2").claim("ag-1", "r-2"), True
    yield "withdraw by another agent", s.fork().withdraw("ag-2", "r-2"), False
    yield "withdraw by an operator", s.fork().withdraw("op-2", "r-2"), True
    yield "finish", claimed.fork().finish("ag-1", "r-2"), True
    yield "finish by an operator", claimed.fork().finish("op-2", "r-2"), True
    yield "finish by another agent", claimed.fork().finish("ag-2", "r-2"), False
    yield "finish by the log", claimed.fork().finish("log", "r-2"), False
    yield "finish unclaimed", asked.fork().finish("ag-1", "r-2"), False
    yield "finish twice", claimed.fork().finish("ag-1", "r-2", "unknown").finish("ag-1", "r-2"), False
    unknown = claimed.fork().finish("ag-1", "r-2", "unknown")
    yield "resolve", unknown.fork().resolve("op-2", "r-2"), True
    yield "resolve by the requester", unknown.fork().resolve("ag-1", "r-2"), False
    yield "resolve and release", unknown.fork().resolve("op-2", "r-2", "failed", True), True
    yield "resolve while it runs, and finish then", claimed.fork().resolve("op-2", "r-2").finish("ag-1", "r-2"), False
    yield "resolve unclaimed", asked.fork().resolve("op-2", "r-2"), False
    for who, agent in (("ag-2", "ag-1"), ("op-1", "ag-1")):
        yield f"{who} asks for {agent}", s.fork().ask(who, "r-3", "allowed", agent=agent, grant="g-1"), False
    yield "ask under an id again", s.fork().ask("ag-1", "r-1", "allowed"), False
    yield "ask with another decision", s.fork().ask("ag-1", "r-3", "asked", decision="allow"), False
    yield "ask with a dead grant", s.fork().change("log", "revoked", "g-1").ask("ag-1", "r-3", "allowed"), False
    yield "ask under a freeze, and be allowed", s.fork().freeze("log").ask("ag-1", "r-3", "allowed"), False
    yield "ask under another policy", s.fork().ask("ag-1", "r-3", "allowed", policy="0" * 64), False


def erasures(s):
    edit = s.fork().edit()
    approval = edit.last()
    yield "erase, two operators", edit.fork().erase("op-1", [approval]), True
    yield "erase, the approval's signer alone", edit.fork().erase("op-2", [approval]), False
    yield "erase, naming the request, not its approval", edit.fork().erase("op-1", [approval - 1]), False
    yield "erase, alone of two", s.fork().erase("op-1", []), False
    yield "erase by an agent", edit.fork().erase("ag-1", [approval]), False
    yield "erase by the log", edit.fork().erase("log", [approval]), False
    yield "erase what may not be", edit.fork().erase("op-1", [approval], ["action"], gone=False), False
    yield "erase another entry", edit.fork().erase("op-1", [approval], ["note"], seq=TARGET - 1, gone=False), False
    yield "erase nothing", edit.fork().erase("op-1", [approval], [], gone=False), None
    yield "erase twice", edit.fork().erase("op-1", [approval]).erase("op-1", [approval], gone=False), None
    yield "erase with an approval of another request", s.fork().approve("op-2", "r-2").erase("op-1", [11]), False
    yield "erase what is still there", edit.fork().erase("op-1", [approval], gone=False), (TARGET, "commitments")
    yield "a member is erased, no entry says so", s.fork().lose(["rationale"]), (TARGET, "commitments")
    yield "more is erased than an entry says", edit.fork().erase("op-1", [approval]).lose(["summary"]), (TARGET, "commitments")


def voids(s):
    bad = s.fork().say("ag-1", "grant.issued/1", "g-3", s.grant("g-3", "ag-1"))
    seq = bad.last()
    yield "void an invalid entry", bad.fork().void("op-1", seq), True
    yield "void with another leaf", bad.fork().void("op-1", seq, "0" * 64), (seq, "authority")
    yield "void by an agent", bad.fork().void("ag-2", seq), (seq, "authority")
    yield "void by the log", bad.fork().void("log", seq), (seq, "authority")
    yield "void twice", bad.fork().void("op-1", seq).void("op-2", seq), False
    yield "void a valid entry", s.fork().void("op-2", 6), False
    own = s.fork().retire("op-1", "ag-7")
    yield "void one's own entry", own.fork().void("op-1", own.last()), (own.last(), "authority")
    yield "void another operator's entry", own.fork().void("op-2", own.last()), True
    subject = s.fork().say("op-1", "operator.enrolled/1", "op-2", s.enrolment("op-2", "new"))
    yield "void as its subject", subject.fork().void("op-2", subject.last()), (subject.last(), "authority")
    spoiled = s.fork().say("ag-1", "workspace.frozen/1", "ag-1", {"target": "ag-1"}, spoil=True)
    yield "badly signed", spoiled, (spoiled.last(), "authority", "signatures")
    unsigned = (spoiled.last(), "authority", "signatures")
    yield "void what is badly signed", spoiled.fork().void("op-1", spoiled.last()), unsigned
    body = {"pin_size": 1, "pin_root": "00" * 32}
    yield "a rollback is accepted", s.fork().say("op-1", "rollback.accepted/1", "w-1", body), True
    yield "a rollback, by an agent", s.fork().say("ag-1", "rollback.accepted/1", "w-1", body), False
    stranger = s.fork().say("ag-7", "workspace.frozen/1", "ag-7", {"target": "ag-7"}, signer=Signer("ag-7"))
    yield "a stranger", stranger, unsigned
    yield "signed before being enrolled", s.fork().freeze("op-3").enrol("op-1", "op-3"), unsigned


def keys(s):
    facts = {"name": "ci", "kind": "token", "place": "unknown", "active": True}
    added = s.fork().say("op-1", "key.added/1", "k-1", {"key": "k-1", "facts": facts})
    month = {"review": "rv-202512", "as_of": "2026-01-01T00:00:00.000Z", "entries": 2}
    keep = {"item": "g-1", "advice": "keep", "decision": "keep"}
    signed = {**month, "root": "0" * 64, "page": "0" * 64, "items": 1}
    for who, good in (("op-2", True), ("ag-1", False), ("log", False)):
        yield f"a key is added by {who}", s.fork().say(who, "key.added/1", "k-1", {"key": "k-1", "facts": facts}), good
        body = {"key": "k-1", "every": "90d"}
        yield f"a rotation is scheduled by {who}", added.fork().say(who, "rotation.scheduled/1", "k-1", body), good
        body = {"key": "k-1", "rotated": "2026-01-01T00:00:00.000Z"}
        yield f"a rotation is recorded by {who}", added.fork().say(who, "rotation.recorded/1", "k-1", body), good
        yield f"a key is retired by {who}", added.fork().say(who, "key.retired/1", "k-1", {"key": "k-1"}), good
        body = {**month, "decisions": [keep]}
        yield f"a review is decided by {who}", s.fork().say(who, "review.decided/1", "rv-202512", body), good
        yield f"a review is signed by {who}", s.fork().say(who, "review.signed/1", "rv-202512", signed), good
    for who, good in (("op-1", True), ("ag-1", False), ("ag-2", False), ("log", True)):
        leak = added.fork().say(who, "key.leaked/1", "k-1", {"key": "k-1"})
        yield f"a leak is told by {who}", leak, good
    body = {"key": "k-1", "leak": leak.last(), "step": "revoke", "outcome": "not_proven"}
    for who, good in (("op-1", True), ("ag-1", False), ("log", False)):
        yield f"a step against a leak by {who}", leak.fork().say(who, "key.step/1", "k-1", body), good


def crossings(s):
    rogue = s.fork().enrol("ag-1", "op-3")
    yield "an operator enrolled by an agent signs", rogue.fork().freeze("op-3"), (12, "signatures")
    yield "enrolled rightly after that, and that voided", rogue.fork().enrol("op-1", "op-3").void("op-1", 11), None
    both = s.fork().freeze("ag-1", "ag-1").freeze("log").thaw("op-1")
    yield "claim while frozen by oneself still", both.approve("op-1", "r-2").claim("ag-1", "r-2"), False
    twice = s.fork().freeze("log").freeze("ag-1", "ag-1").thaw("op-1").thaw("op-1", "ag-1")
    yield "claim when both freezes are over", twice.approve("op-1", "r-2").claim("ag-1", "r-2"), True
    bad = s.fork().freeze("ag-1").void("ag-2", 11)
    yield "void an invalid voiding too", bad.fork().void("op-1", 11).void("op-1", 12), True
    yield "void only the voiding", bad.fork().void("op-1", 12), (11, "authority")
    ended = s.fork().change("op-1", "renewed", "g-1", until="2026-01-05T09:20:00.000Z").approve("op-1", "r-2", HOUR)
    yield "claim when the grant has ended", ended.fork().claim("ag-1", "r-2", HOUR / 3), False
    renewed = ended.fork().change("op-1", "renewed", "g-1", until="2026-01-07T00:00:00.000Z")
    yield "claim when it was renewed", renewed.claim("ag-1", "r-2", HOUR / 3), True
    edit = s.fork().edit()
    approval = edit.last()
    edit.at += HOUR
    yield "erase when the approval has ended", edit.fork().erase("op-1", [approval]), False
    gone = s.fork().retire("op-1", "op-2")
    gone.ask("op-1", "r-9", "edit", resource=f"entry:{TARGET}")
    yield "erase alone, soon after the other retired", gone.erase("op-1", []), None
    third = s.fork().enrol("op-1", "op-3").edit()
    yield "erase by a third operator", third.fork().erase("op-3", [third.last()]), True
    again = third.fork().approve("op-3", "r-9")
    yield "erase, both approvals named", again.fork().erase("op-1", [again.last() - 1, again.last()]), None
    yield "erase in two steps", third.erase("op-1", [13]).erase("op-1", [13], ["summary"]), None


def two_approvers(s):
    """Under a policy that wants two."""
    one = s.fork().approve("op-1", "r-2")
    yield "one of two approvers", one.fork().claim("ag-1", "r-2"), False
    yield "the same one twice", one.fork().approve("op-1", "r-2"), False
    yield "two of two", one.fork().approve("op-2", "r-2").claim("ag-1", "r-2"), True
    yield "a denial after one of two", one.fork().deny("op-2", "r-2"), True
    yield "a denial after one's own approval", one.fork().deny("op-1", "r-2"), True
    yield "claim after one approval and one denial", one.fork().deny("op-2", "r-2").claim("ag-1", "r-2"), False
    short = s.fork().approve("op-1", "r-2", until=60 * SECOND).approve("op-2", "r-2")
    yield "one of two has ended", short.fork().claim("ag-1", "r-2", 60 * SECOND), False
    third = s.fork().enrol("op-1", "op-3").approve("op-1", "r-2").approve("op-2", "r-2").approve("op-3", "r-2")
    yield "a third after two", third, False


def all_rows(s, two):
    """Every case as a Change; (Change, open) where `open` says that the specification leaves the answer open."""
    everything = [enrolments, retirements, grants, decisions, outcomes, erasures, voids, keys, crossings]
    for rows, base in [*((r, s) for r in everything), (two_approvers, two)]:
        for name, story, good in rows(base):
            if isinstance(good, tuple):
                yield change(name, story, False, good[0], good[1:]), False
            else:
                yield change(name, story, good is not False), good is None
