"""Two verifiers that share nothing but the specification judge the same bundles: docs/verify/verify.py and aosctl.

agree.py AOSCTL ROOT SEED SCRATCH: every bundle that the tests left in target/tmp/bundles, mutated bundles, stories, and the vectors."""
import collections
import concurrent.futures
import io
import itertools
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile

sys.dont_write_bytecode = True
ROOT = os.path.abspath(sys.argv[2])
sys.path.insert(0, os.path.join(ROOT, "docs", "verify"))

import forge  # noqa: E402
import mutate  # noqa: E402
import story  # noqa: E402
import verify  # noqa: E402

AOSCTL = os.path.abspath(sys.argv[1])
SEED = int(sys.argv[3])
VECTORS = os.path.join(ROOT, "tests", "vectors", "log-v1", "logs")
NOT_JUDGED = {"projections"}


def ours(directory, vkey, arguments):
    """Exit code, and (status, first bad seq) by check."""
    kept = [open(value, "rb").read() for name, value in arguments if name == "--checkpoint"]
    witnesses = [verify.VerifierKey(value, b"\4") for name, value in arguments if name == "--witness"]
    quorum = [int(value) for name, value in arguments if name == "--quorum"]
    try:
        trusted = verify.VerifierKey(vkey, b"\1")
        code, verdicts, _ = verify.verify(verify.read_files(pathlib.Path(directory)), trusted, kept, witnesses, quorum[0] if quorum else None)
    except (ValueError, OSError, tarfile.TarError, zipfile.BadZipFile):
        return 3, {}
    return code, {check: (status, seq) for check, status, seq, _ in verdicts}


def theirs(directory, vkey, arguments):
    command = [AOSCTL, "audit", "verify", "--bundle", directory, "--vkey", vkey, "--json"]
    done = subprocess.run(command + [word for pair in arguments for word in pair], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return 3, {}
    try:
        verdicts = json.loads(done.stdout)["verdicts"]
    except (ValueError, KeyError):
        return done.returncode, {"said": (done.stdout + done.stderr, None)}
    return done.returncode, {one["check"]: (one["status"], one["first_bad_seq"]) for one in verdicts}


class Judge:
    """Compares the verdicts on bundles, two at a time."""

    def __init__(self, scratch):
        self.scratch, self.pool, self.waiting, self.faults = scratch, concurrent.futures.ThreadPoolExecutor(2), [], []
        self.counts, self.statuses = collections.Counter(), collections.Counter()

    def add(self, kind, name, files, vkey, harmless=None, arguments=()):
        """`harmless`: whether nothing may fail; None where that is not known."""
        directory = os.path.join(self.scratch, "%05d" % sum(self.counts.values()))
        self.counts[kind] += 1
        if isinstance(files, str):
            directory = files
        else:
            forge.write(directory, files)
        given = []
        for number, (option, value) in enumerate(arguments):
            if option == "--checkpoint":
                path = os.path.join(self.scratch, "%05d.kept%d" % (sum(self.counts.values()), number))
                with open(path, "w", encoding="utf-8") as out:
                    out.write(value)
                value = path
            given.append((option, value))
        their = self.pool.submit(theirs, directory, vkey, given)
        self.waiting.append((kind, name, directory, vkey, given, harmless, their))
        if len(self.waiting) > 8:
            self.settle(self.waiting.pop(0))

    def settle(self, case):
        kind, name, directory, vkey, given, harmless, their = case
        our, their = ours(directory, vkey, given), their.result()
        said = [{check: verdict for check, verdict in verdicts.items() if check not in NOT_JUDGED} for _, verdicts in (our, their)]
        where = "%s: %s" % (kind, name)
        if our[0] != their[0] or said[0] != said[1]:
            differ = {check: (said[0].get(check), said[1].get(check)) for check in {**said[0], **said[1]} if said[0].get(check) != said[1].get(check)}
            self.faults.append("%s\n    exit %s, aosctl %s; %s" % (where, our[0], their[0], differ))
        failed = our[0] == 4 or our[0] == 3
        if harmless is not None and failed == harmless:
            self.faults.append("%s\n    %s" % (where, "was not caught" if not failed else "is harmless and was refused: %s" % said[0]))
        self.statuses.update("%s %s" % (check, verdict[0]) for check, verdict in said[0].items())

    def finish(self):
        for case in self.waiting:
            self.settle(case)
        self.waiting = []


def left_by_tests(judge, directory):
    """Every bundle that a test left, and a few changes of each."""
    found = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    for name in found:
        place = os.path.join(directory, name)
        try:
            with open(os.path.join(place, "trusted.vkey"), encoding="utf-8") as file:
                vkey = file.read().strip()
        except OSError:
            continue
        judge.add("left by tests", name, place, vkey)
        with open(os.path.join(place, "entries.jsonl"), "rb") as file:
            entries = mutate.lines(file.read())
        files = verify.read_files(pathlib.Path(place))
        chance = random.Random("%s%s" % (SEED, name))
        for _ in range(6 if len(entries) < 300 else 0):
            seq = chance.randrange(len(entries)) if entries else 0
            rows = [chance.choice([line, line[:-1], line.replace(b"A", b"B", 1)]) if at == seq else line for at, line in enumerate(entries)]
            judge.add("left by tests, changed", "%s at %d" % (name, seq), {**files, "entries.jsonl": mutate.joined(rows)}, vkey)
    return judge.counts["left by tests"]


def stories(judge, rules, count, length):
    for number in range(count):
        one = story.Story(SEED * 1000 + number, rules, verify)
        log = one.tell(length)
        judge.add("stories", "seed %d" % (SEED * 1000 + number), log.files(), log.vkey)


def voided(judge, rules):
    """Two invalid entries of an agent in a calm story, each voided afterwards."""
    one = story.Story(SEED * 11, rules, verify)
    log = one.tell(30, calm=True)
    erased(log, one.shadow.erased)
    agent = next(name for name, thing in one.shadow.things.items() if thing.get("sort") == "ag")
    for subject, body, kind in (("g-999", {"grant": "g-999"}, "grant.revoked/1"), ("w-1", {"target": "w-1"}, "workspace.thawed/1")):
        seq = one.add(agent, kind, subject, body)
        judge.add("voided", "not yet", log.files(), log.vkey, False)
        one.add("op-1", "entry.voided/1", subject, {"seq": seq, "leaf": log.leaf(seq)})
        judge.add("voided", "seq %d" % seq, log.files(), log.vkey, True)


def erased(log, account):
    """The bundle's payloads as they are after the erasures that the log tells of."""
    for seq, names in account.items():
        if names:
            log.records[seq] = forge.erase(log.records[seq], sorted(names))


def mutations(judge, rules, share):
    """A calm story of valid entries, and everything that is changed in it."""
    for number in range(2):
        one = story.Story(SEED * 7 + number, rules, verify)
        log = one.tell(90, calm=True)
        erased(log, one.shadow.erased)
        files = log.files()
        kept = dict(files)
        judge.add("untouched", "story", kept, log.vkey, True)
        chance = random.Random(SEED + number)
        many = mutate.Mutations(files, log.keys, chance)
        classes = [many.envelope_bytes(share), many.signatures(share), many.headers_changed(share), many.order(share // 2),
                   many.payload_members(share)]
        classes += [] if number else [many.checkpoints(), many.forgeries(), many.outside(), many.parts()]
        for case in itertools.chain(*classes):
            name, changed, harmless, arguments = (*case, False, [])[:4] if len(case) == 2 else (*case, [])[:4]
            judge.add(name.split(" ")[0].rstrip(":"), name, changed, log.vkey, harmless, arguments)


def archives(judge, files, vkey):
    """The same bundle as an archive: whole, in a pack, with a name twice, cut short, and no bundle at all."""
    def tar(name, members):
        path = os.path.join(judge.scratch, name)
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
            for member, data in members:
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return path

    def packed(name, members):
        path = os.path.join(judge.scratch, name)
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
            warnings.simplefilter("ignore")
            for member, data in members:
                archive.writestr(member, data)
        return path

    members = sorted((name, data) for name, data in files.items() if name != "identities")
    twice = members + [("entries.jsonl", b"{}\n")]
    for name, path, harmless in (
            ("tar", tar("whole.tar", members), True), ("tar, a name twice", tar("twice.tar", twice), False),
            ("tar, the same file twice", tar("same.tar", members + members[:1]), False), ("tar, no entries", tar("none.tar", members[:1]), False),
            ("pack", packed("pack.zip", [("bundle/" + member, data) for member, data in members] + [("index.html", b"<p>")]), True),
            ("pack, a name twice", packed("twice.zip", [("bundle/" + member, data) for member, data in twice]), False)):
        judge.add("archives", name, path, vkey, harmless)
    with open(os.path.join(judge.scratch, "whole.tar"), "rb") as file:
        data = file.read()
    for name, part in (("tar, cut in an entry", data[:len(data) // 2]), ("no archive", b"hello"), ("nothing", b"")):
        path = os.path.join(judge.scratch, "cut%d.tar" % len(part))
        with open(path, "wb") as out:
            out.write(part)
        judge.add("archives", name, path, vkey, False)
    judge.add("archives", "no such place", os.path.join(judge.scratch, "nowhere"), vkey, False)


def vectors(judge):
    for group in sorted(os.listdir(VECTORS)):
        for name in sorted(os.listdir(os.path.join(VECTORS, group))):
            place = os.path.join(VECTORS, group, name)
            with open(os.path.join(place, "log.vkey"), encoding="utf-8") as file:
                vkey = file.read().strip()
            arguments = []
            if os.path.exists(os.path.join(place, "pin")):
                with open(os.path.join(place, "pin"), encoding="utf-8") as file:
                    arguments.append(("--checkpoint", file.read()))
            if os.path.exists(os.path.join(place, "witnesses.json")):
                with open(os.path.join(place, "witnesses.json"), encoding="utf-8") as file:
                    brought = json.load(file)
                arguments += [("--witness", one) for one in brought["vkeys"]] + [("--quorum", str(brought["quorum"]))]
            judge.add("vectors", group + "/" + name, place, vkey, None, arguments)


def pages():
    """What can be said of the files themselves: their size, and that table and page name the same events."""
    faults = []
    python = sorted(name for name in os.listdir(os.path.join(ROOT, "docs", "verify")) if name.endswith(".py"))
    rows = []
    for name in python:
        with open(os.path.join(ROOT, "docs", "verify", name), encoding="utf-8") as file:
            rows += file.read().splitlines()
    if len(rows) > 300 or max(map(len, rows)) > 120:
        faults.append("%s: %d lines, the longest has %d" % (", ".join(python), len(rows), max(map(len, rows))))
    with open(os.path.join(ROOT, "docs", "log-format.md"), encoding="utf-8") as file:
        page = file.read()
    rows = [row.split("|")[1:3] for row in page.split("\n## Events")[1].split("\n## Deciding")[0].splitlines() if row.startswith("| `")]
    said = collections.Counter(event for first, _ in rows for event in re.findall(r"`([a-z]+\.[a-z]+/1)`", first))
    known = set(verify.TABLE["events"])
    for event in sorted(set(said) | known):
        if said[event] != 2 or event not in known:
            faults.append("%s: %d rows in docs/log-format.md, %s events.txt" % (event, said[event], "in" if event in known else "not in"))
    return faults


def texts():
    """The single vectors: JSON, times, Ed25519 (C2SP's CCTV, too), keys at enrolment, notes."""
    def load(name):
        with open(os.path.join(os.path.dirname(VECTORS), name), encoding="utf-8") as file:
            return json.load(file)

    def data(one):
        if "text" in one:
            return one["text"].encode()
        return bytes.fromhex(one["hex"]) if "hex" in one else b"".join(bytes.fromhex(part) * count for part, count in one["parts"])

    def works(function, *arguments):
        try:
            return function(*arguments)
        except (ValueError, RecursionError):
            return None

    faults = []
    for row in load("canonical_accept.json"):
        parsed = works(verify.parse, data(row["input"]))
        if row["settled"] and (not parsed or verify.canonical(parsed[0]) != data(row["canonical"]) or parsed[1] != row["input_is_canonical"]):
            faults.append("canonical_accept: " + row["name"])
    faults += ["canonical_reject: " + row["name"] for row in load("canonical_reject.json") if row["settled"] and works(verify.parse, data(row["input"]))]
    faults += ["times: " + row["time"] for row in load("times.json") if row["settled"] and (verify.instant(row["time"]) is not None) != row["accept"]]
    for row in load("ed25519_strict.json"):
        if verify.strict(*(bytes.fromhex(row[name]) for name in ("public_key", "signature", "message_hex"))) != (row["refused"] is None):
            faults.append("ed25519_strict: " + row["name"])
    faults += ["enrolment: " + row["name"] for row in load("enrolment.json")
               if verify.may_enrol(bytes.fromhex(row["public_key"])) != (row["enrolment_fault"] is None)]
    notes = load("checkpoint.json")
    key = verify.VerifierKey(notes["vkey"], b"\1")
    faults += ["checkpoint: " + row["name"] for row in notes["accepted"] if row["settled"] and not works(verify.checkpoint, row["note"].encode(), key)]
    faults += ["checkpoint: " + row["what"] for row in notes["refused"] if row["settled"] and works(verify.checkpoint, bytes.fromhex(row["note_hex"]), key)]
    bad = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
    with open(os.path.join(ROOT, "tests", "vectors", "cctv-ed25519", "vectors.jsonl"), encoding="utf-8") as file:
        for row in map(json.loads, file):
            key, flags = bytes.fromhex(row["key"]), set(row["flags"] or ())
            taken = verify.strict(key, bytes.fromhex(row["sig"]), row["msg"].encode())
            if taken == bool(flags & bad) or verify.may_enrol(key) == bool(flags & {"low_order_A", "low_order_component_A", "non_canonical_A"}):
                faults.append("CCTV: %d" % row["number"])
    return faults


def main():
    print("seed %d" % SEED)
    made = verify.read_files(pathlib.Path(sys.argv[4], "bundle"))
    bodies = [json.loads(line)["body"] for line in mutate.lines(made["payloads.jsonl"])]
    rules = next(body["rules"] for body in bodies if "rules" in body)
    rules["kinds"] = [one for one in rules["kinds"] if one["kind"] in story.ACTIONS]
    with tempfile.TemporaryDirectory() as scratch:
        judge = Judge(scratch)
        judge.faults += pages() + texts()
        judge.add("exported", "by the binary", made, made["log.vkey"].decode().strip(), True)
        left = left_by_tests(judge, os.path.join(ROOT, "target", "tmp", "bundles"))
        archives(judge, made, made["log.vkey"].decode().strip())
        vectors(judge)
        stories(judge, rules, int(os.environ.get("AOSCTL_STORIES", "16")), 100)
        voided(judge, rules)
        mutations(judge, rules, int(os.environ.get("AOSCTL_MUTATIONS", "24")))
        judge.finish()
    print(", ".join("%s %d" % item for item in judge.counts.items()))
    print(", ".join("%s %d" % item for item in sorted(judge.statuses.items())))
    for fault in judge.faults[:40]:
        print(fault)
    if left == 0 and os.environ.get("AOSCTL_REQUIRE_ALL"):
        print("no test left a bundle in target/tmp/bundles")
        return 1
    print("%d bundles, %d disagreements" % (sum(judge.counts.values()), len(judge.faults)))
    return 1 if judge.faults else 0


if __name__ == "__main__":
    sys.exit(main())
