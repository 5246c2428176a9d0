"""What the adopted rules make of a request: the section "Deciding again" of docs/log-format.md, for authority.py.

`log` is the state of the log at that point: the rules in force, what has an id, the freezes, the money so far."""
import re

DAY = 86400000
UNITS = dict(d=DAY, h=3600000, m=60000, s=1000, w=7 * DAY)
ACCESS, DATA = ["read", "write", "admin"], ["public", "internal", "customer", "secret"]
TIERS = ["low", "medium", "high", "critical"]
HARMLESS = ["dev", "development", "local", "test", "testing", "ci", "staging", "preview"]
CLASSIFIES = ["internal", "points", "public", "sends", "amount", "recipients", "environment"]


def normal(rules):
    """Spans are written with the largest of d, h, m, s that says them exactly. (events.txt has the rest.)"""
    spans = [*rules["requests"].values(), *rules["grants"].values(), *rules["rotation"].values()]
    return all(written(int(text[:-1]) * UNITS[text[-1]]) == text for text in spans)


def written(length):
    unit = next(one for one in "dhms" if length % UNITS[one] == 0 < length or one == "s")
    return "%d%s" % (length // UNITS[unit], unit)


def highest(order, *words):
    return max((word for word in words if word), key=order.index, default=None)


def covers(scope, resource):
    if scope[-1] == "*":
        return scope == "*" or len(resource) >= len(scope) and resource.startswith(scope[:-1])
    return resource == scope or resource.startswith(scope + "/")


def inside(place, listed):
    """Whether a destination is the listed one, or a host name below the listed domain; ASCII case does not matter."""
    place, listed = lower(place), lower(listed)
    below = listed[:2] == "*." and place.endswith(listed[1:]) and len(place) >= len(listed)
    return place == listed or below and re.fullmatch("[a-z0-9._-]+", place) is not None


def lower(text):
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


def speaks(rule, integration, action):
    """Whether a rule of the policy speaks of an action."""
    if rule["integration"] not in ("*", integration["handle"], integration["kind"]):
        return False
    return rule["action"] in ("*", action) or rule["action"][-2:] == ".*" and action.startswith(rule["action"][:-1])


def approvers(log, points, said=()):
    """How many operators must approve; two for an audit edit, where two are live or were less than 30 days ago."""
    recent = [one for one in log.operators() if one["live"] or log.at - one["retired"] < 30 * DAY]
    wanted = [log.rules["approvers"].get(point, 1) for point in points] + [rule.get("approvers", 1) for rule in said]
    return max([1, 2 if "audit" in points and len(recent) > 1 else 1] + wanted)


def spent(log, request):
    """What was handed out in the caps' currency in the last seven days, but for this request's own money."""
    total = 0
    for at, other in log.money:
        amount = other["facets"].get("amount")
        recent = at > log.at - 7 * DAY and other["request"] != request["request"] and not other.get("release")
        total += amount["minor"] if amount and recent and amount["currency"] == log.rules["caps"]["currency"] else 0
    return total


def decide(log, request):
    """(decision, points, rule, grant, access, approvers, tier)"""
    if request["agent"].startswith("op-"):
        return decide_edit(log, request)
    facets, action, rules = request["facets"], request["action"], log.rules
    integration = log.things.get(request.get("integration"))
    kind = log.catalogue(integration["kind"]) if integration else {}
    known = next((one for one in kind.get("action", ()) if one["name"] == action), {})
    access = highest(ACCESS, request["access"], known.get("access", "write"))
    data = highest(DATA, facets.get("data"), known.get("data"))
    for holds, rule in (("w-1" in log.frozen, "frozen.workspace"), (request["agent"] in log.frozen, "frozen.agent"),
                        (not log.live(request["agent"]), "agent.retired"), (not integration, "integration.unknown")):
        if holds:
            return deny(rule, access)
    grants = [one["grant"] for one in log.each("g") if one["agent"] == request["agent"] and log.in_force(one["grant"])
              and one["integration"] == request["integration"] and covers(one["scope"], request["resource"])
              and highest(ACCESS, access, one["access"]) == one["access"]
              and highest(DATA, data, one["data"]) == one["data"]]
    if not grants:
        return deny("grant.none", access)
    grant = min(grants, key=lambda name: int(name[2:]))
    said = [rule for rule in rules["actions"] if speaks(rule, integration, action)]
    fired = [(rule, point) for rule, points, fires in firing(log, request, integration, known, access, data, said)
             if fires for point in points]
    points = {point for _, point in fired}
    tiers = [rule.get("tier") for rule in said] + ["critical"] * ("audit" in points)
    tiers += ["critical" if access == "admin" else "high"] * bool(points - {"audit"})
    tier = highest(TIERS, *tiers) or dict(read="low", write="medium", admin="high")[access]
    if not fired and not request.get("unsure"):
        return "allow", points, "grant.covers", grant, access, 0, tier
    return "ask", points, fired[0][0] if fired else "unsure", grant, access, approvers(log, points, said), tier


def deny(rule, access):
    return "deny", set(), rule, None, access, 0, "low"


def decide_edit(log, request):
    """An operator asks for one thing only: an edit of the audit trail."""
    if "w-1" in log.frozen:
        return deny("frozen.workspace", "admin")
    entry, integration = request["resource"].startswith("entry:"), log.things.get(request.get("integration"))
    if request["action"] != "audit.erase" or not entry or integration:
        return deny("operator.not-an-audit-edit", "admin")
    return "ask", {"audit"}, "audit.edit", None, "admin", approvers(log, {"audit"}), "critical"


def firing(log, request, integration, known, access, data, said):
    """Every rule in its order, with its points, and whether it fires."""
    facets, caps, writes = request["facets"], log.rules["caps"], access != "read"
    amount, people = facets.get("amount"), facets.get("recipients")
    where, environment = facets.get("destination"), facets.get("environment")
    ours = amount and (amount["currency"] == caps["currency"] or not amount["minor"])
    minor = amount["minor"] if amount else 0
    listed = log.rules["boundary"]["destinations"]
    home = integration["inside"] and (where is None or any(inside(where, one) for one in listed))
    harmless = environment is None or environment.lower() in HARMLESS
    sent = writes or known.get("sends") or where is not None
    return (
        ("action.catalogue", known.get("points", ()), True),
        ("action.policy", [point for rule in said for point in rule["points"]], True),
        ("money.unknown", ["money"], known.get("amount") and not amount),
        ("money.currency", ["money"], amount and not ours),
        ("money.per-move", ["money"], ours and minor > caps["per_move"]),
        ("money.per-week", ["money"], ours and minor and minor + spent(log, request) > caps["per_week"]),
        ("public.claim", ["public"], facets.get("public") or known.get("public")),
        ("public.recipients", ["public"], people is not None and people > log.rules["recipients"]),
        ("public.recipients-unknown", ["public"], known.get("recipients") and people is None),
        ("data.leaves", ["customer_data"], not home and sent and data in ("customer", "secret")),
        ("data.unknown", ["customer_data"], not home and known.get("sends") and not data),
        ("production.environment", ["production"], writes and not harmless),
        ("production.environment-unknown", ["production"], writes and known.get("environment") and environment is None),
        ("facet.unclear", facets.get("unclear") or (), True),
        ("production.unclassified", ["production"], writes and not any(rule["points"] for rule in said)
         and not any(known.get(name) for name in CLASSIFIES)),
    )
