"""Runs the oracle: vectors, a real workspace, and changes to its log. `verify.py AOSCTL VECTORS`; see README.md."""

import collections
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import authority
import bundle
import forge
import mutate
import note
import tree
import vectors
import world

LEAST = 300
# How many changes of each kind, and forgeries, aosctl itself must judge too. A process each, so not all.
ASKED = 2


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
        self.w, self.directory, self.asked = w, directory, 0

    def verdicts(self, log):
        """{verdict: first bad seq} of those that failed, without the projections, which nobody but aosctl has."""
        self.asked += 1
        place = os.path.join(self.directory, str(self.asked))
        shutil.copytree(self.w.path("ws"), place + "/ws")
        shutil.copytree(self.w.path("state"), place + "/state")
        self.put(log, place)
        done = subprocess.run(
            [self.w.binary, "--json", "audit", "verify", "--vkey", log.vkey],
            env={"HOME": place, "AOSCTL_WORKSPACE": place + "/ws", "AOSCTL_STATE_DIR": place + "/state"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        shutil.rmtree(place)
        if done.returncode not in (0, 4):
            return None
        said = json.loads(done.stdout)["verdicts"]
        failed = {v["check"]: v["first_bad_seq"] for v in said if v["status"] == "failed"}
        failed.pop("projections", None)
        return failed

    def put(self, log, place):
        db = sqlite3.connect(place + "/ws/aosctl.db")
        triggers = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
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
        (state,) = os.listdir(place + "/state")
        pin = os.path.join(place, "state", state, "pin")
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


def judge(check, aosctl, changes, exact):
    """Every change must be found, and by aosctl too, of those that it is asked about. `exact`: nothing else may fail."""
    counts = collections.Counter()
    agreed = 0
    for change in changes:
        got = verify(change.log)
        counts[change.kind] += 1
        missed = change.missed(got)
        if missed or (exact and set(got.failed) != change.must):
            check.fault(missed or f"{change.kind}: {got.failed}")
        # aosctl's checkpoint is the pin, so a checkpoint that differs from it is nothing that it could be shown.
        if counts[change.kind] <= ASKED and change.log.checkpoint is change.log.pin:
            theirs = aosctl.verdicts(change.log)
            if theirs is None:
                check.fault(f"{change.kind} at {change.at}: aosctl could not read it")
                continue
            ours = {name: seq for name, (seq, _) in got.failed.items()}
            agreed += 1
            for name in change.aside:
                theirs.pop(name, None)
                ours.pop(name, None)
            if theirs != ours:
                check.fault(f"{change.kind} at {change.at}: aosctl says {theirs}, the oracle {ours}")
    return counts, agreed


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
        w, log = real_log(check, binary, place + "/world")
        aosctl = Aosctl(w, place)
        leaves = [tree.leaf_hash(e) for e in log.envelopes]
        changes = list(mutate.all_changes(log, len(leaves), tree.root(leaves), random.Random(1)))
        counts, agreed = judge(check, aosctl, changes, exact=False)
        if sum(counts.values()) < LEAST:
            check.fault(f"only {sum(counts.values())} changes")
        print(f"changes  {sum(counts.values())} of {len(counts)} kinds: all refused; aosctl asked about {agreed}")
        log_signer, agent, retired = (forge.Signer(w.identity(n)) for n in ("log", "build-bot", "ship-bot"))
        good = forge.rightful(log, log_signer)
        if verify(good).failed or aosctl.verdicts(good) != {}:
            check.fault(f"a rightful entry: {verify(good).failed}, aosctl {aosctl.verdicts(good)}")
        counts, agreed = judge(check, aosctl, forge.forgeries(log, log_signer, agent, retired), exact=True)
        print(f"forged   {sum(counts.values())} rightly signed entries without a right: all refused; aosctl asked about {agreed}")
        if verify(log).failed:
            check.fault("the untouched log is refused")
    print(f"{len(check.faults)} faults; {v.cases} vector cases; {time.monotonic() - began:.1f} s")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
