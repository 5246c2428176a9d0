"""Runs the oracle: vectors, a real workspace, and changes to its log. `verify.py AOSCTL VECTORS`; see README.md."""

import collections
import concurrent.futures
import json
import os
import queue
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import authority
import bundle
import cases
import forge
import mutate
import note
import rows
import tree
import vectors
import world

LEAST = 300
# Which changes of each kind aosctl itself must judge too: a process each, so not all.
ASKED = (1, 17)
WORKERS = 2


class Check:
    def __init__(self):
        self.faults = []

    def fault(self, what):
        self.faults.append(what)
        print(f"FAULT    {what}")


def verify(log):
    return bundle.verify(log, schema=authority.AOSCTL)


class Aosctl:
    """What aosctl's own verifier says of a log, put into a copy of the workspace the way its owner could."""

    def __init__(self, w, directory):
        self.w, self.directory, self.places = w, directory, queue.SimpleQueue()
        for worker in range(WORKERS):
            place = os.path.join(directory, str(worker))
            shutil.copytree(w.path("ws"), place + "/ws")
            shutil.copytree(w.path("state"), place + "/state")
            self.places.put(place)

    def verdicts(self, log):
        """{verdict: first bad seq} of those that failed, without the projections, which nobody but aosctl has; None where
        it could not read the log.
        """
        place = self.places.get()
        try:
            self.put(log, place)
            done = subprocess.run(
                [self.w.binary, "--json", "audit", "verify", "--vkey", log.vkey],
                env={"HOME": place, "AOSCTL_WORKSPACE": place + "/ws", "AOSCTL_STATE_DIR": place + "/state"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        finally:
            self.places.put(place)
        if done.returncode not in (0, 4):
            return None
        said = json.loads(done.stdout)["verdicts"]
        failed = {v["check"]: v["first_bad_seq"] for v in said if v["status"] == "failed"}
        failed.pop("projections", None)
        return failed

    def put(self, log, place):
        db = sqlite3.connect(place + "/ws/aosctl.db")
        db.execute("PRAGMA synchronous = OFF")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("DELETE FROM payloads")
        db.execute("DELETE FROM entries")
        for seq, data in enumerate(log.envelopes):
            e = bundle.read_entry(data)
            words = [e.get(n) if isinstance(e.get(n), str) else "" for n in ("type", "actor", "subject")]
            at = authority.canon.time_ms(e.get("at")) or 0
            db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (seq, data, *words, at))
        db.executemany("INSERT INTO payloads VALUES (?, ?)", log.records)
        db.commit()
        db.close()
        # The state directory is named after the origin, which is another one for a log that was not made here.
        (state,) = os.listdir(place + "/state")
        named = os.path.join(place, "state", note.Key(log.vkey).name.removeprefix("aosctl/"))
        os.rename(os.path.join(place, "state", state), named)
        pin = os.path.join(named, "pin")
        if os.path.exists(pin):
            os.remove(pin)
        if log.pin is not None:
            with open(os.open(pin, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
                f.write(log.pin)


def real_log(check, binary, directory):
    """A workspace's log, read and judged; None where there is nothing to go on with."""
    w = world.World(binary, directory)
    world.tell_the_story(w)
    envelopes, records, pin = world.read_log(w)
    log = bundle.Log(envelopes, records, w.vkey, pin, pin)
    got = verify(log)
    kinds = {bundle.read_entry(e).get("type") for e in envelopes}
    signers = {bundle.read_entry(e).get("actor") for e in envelopes}
    for name, (seq, why) in got.failed.items():
        check.fault(f"the log of a real workspace: {name} fails at {seq}: {why}")
    shown = [*shown_by_aosctl(w, log), *foreign_texts(log)]
    for what in shown:
        check.fault(what)
    print(
        f"aosctl   {w.commands} commands made {len(envelopes)} entries of {len(kinds)} types by {len(signers)} signers: "
        f"{'refused' if got.failed or shown else 'accepted'}; signatures, chain, root, checkpoint, commitments, authority"
    )
    return w, log


def foreign_texts(log):
    """Parameters are foreign JSON. Replay reads no erasable member, so a verdict cannot say so; but aosctl wrote these."""
    for seq, data in log.records:
        text = bundle.read_record(data, seq).members.get("parameters", "0")
        try:
            authority.canon.foreign(text)
        except authority.canon.Refused as why:
            yield f"the parameters of entry {seq} are no foreign JSON: {why}"


def shown_by_aosctl(w, log):
    """`audit show` gives the same bytes and the same leaf hash as the tables."""
    for seq in (0, len(log.envelopes) - 1):
        said = json.loads(w.nobody("audit", "show", str(seq), "--json"))
        if said["envelope"].encode() != log.envelopes[seq]:
            yield f"audit show {seq} gives another envelope than the table holds"
        if said["entry"]["leaf"] != tree.leaf_hash(log.envelopes[seq]).hex():
            yield f"audit show {seq} gives another leaf hash"


def judge(check, aosctl, name, changes, exact, asks):
    """Every change must be found, and nothing else where `exact`; and of those that `asks` picks, aosctl must find the same.
    A change is (Change, open): whether the specification leaves the answer open, so that a difference is only told.
    """
    counts, asked, started = collections.Counter(), [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for change, is_open in changes:
            got = verify(change.log).failed
            counts[change.kind] += 1
            if not is_open:
                missed = change.missed(got)
                wrong = not change.must <= set(got) or set(got) - change.must - change.follows
                if missed or (exact and wrong):
                    check.fault(missed or f"{change.kind}: {got}, expected {sorted(change.must)}")
            if asks(change, counts):
                asked.append((change, is_open, got, pool.submit(aosctl.verdicts, change.log)))
        for change, is_open, got, answer in asked:
            compare(check, change, is_open, got, answer.result())
    spent = time.monotonic() - started
    print(f"{name} {sum(counts.values())} judged, {len(counts)} kinds; aosctl judged {len(asked)} of them; {spent:.1f} s")
    return sum(counts.values())


def compare(check, change, is_open, got, theirs):
    ours = {name: seq for name, (seq, _) in got.items() if name not in change.aside}
    if theirs is not None:
        theirs = {name: seq for name, seq in theirs.items() if name not in change.aside}
    if theirs != ours:
        what = f"{change.kind}: aosctl says {theirs}, the oracle {got}"
        if is_open:
            print(f"open     {what}")
        else:
            check.fault(what)


def judge_changes(check, w, log, place):
    """The untouched log, changes to it, forged entries, and the authority table row by row."""
    aosctl = Aosctl(w, place)
    leaves = [tree.leaf_hash(e) for e in log.envelopes]
    changes = [(c, False) for c in mutate.all_changes(log, len(leaves), tree.root(leaves), random.Random(1))]
    # aosctl's checkpoint is the pin, so one that differs from the pin cannot be shown to it.
    once = lambda c, counts: counts[c.kind] in ASKED and c.log.checkpoint is c.log.pin  # noqa: E731
    if judge(check, aosctl, "changes ", changes, False, once) < LEAST:
        check.fault("too few changes")
    log_signer, agent, retired = (forge.Signer(w.identity(n)) for n in ("log", "build-bot", "ship-bot"))
    forged = [(c, False) for c in forge.forgeries(log, log_signer, agent, retired)]
    judge(check, aosctl, "forged  ", forged, True, lambda c, counts: len(counts) % 3 == 0)
    bodies = cases.real_bodies(log)
    table = rows.all_rows(cases.Story(bodies), cases.Story(cases.by_two(bodies)))
    judge(check, aosctl, "table   ", table, True, lambda c, counts: True)
    for name, good in (("the untouched log", log), ("a rightful entry", forge.rightful(log, log_signer))):
        ours, theirs = verify(good).failed, aosctl.verdicts(good)
        if ours or theirs != {}:
            check.fault(f"{name} is refused: {ours}, by aosctl {theirs}")


def main(binary, directory):
    check, began = Check(), time.monotonic()
    v = vectors.check(directory)
    for what in v.wrong:
        check.fault(what)
    for what in v.open:
        print(f"open     {what}")
    for path, names in sorted(vectors.BEYOND.items()):
        print(f"vectors  {path}: {', '.join(sorted(names))} fails by the specification, and by the vector it does not")
    with tempfile.TemporaryDirectory() as place:
        os.makedirs(place + "/world")
        judge_changes(check, *real_log(check, binary, place + "/world"), place)
    print(f"{len(check.faults)} faults; {v.cases} vector cases; {time.monotonic() - began:.1f} s")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
