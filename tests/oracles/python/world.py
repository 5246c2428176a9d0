"""A real workspace, made with the aosctl binary in a temporary directory, and what was read out of it.

The entries are read from the SQLite columns `entries.envelope` and `payloads.record`; the pin is the file beside the log
identity in the state directory. Nothing of aosctl's own verification is used, except that it must agree at the end.
"""

import json
import os
import sqlite3
import subprocess

import note

PASSPHRASE = "correct horse battery staple"


class World:
    """A workspace in `directory`, driven from outside by the program at `binary`."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory
        self.passphrase = self.path("pass")
        with open(os.open(self.passphrase, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write(PASSPHRASE)
        self.commands = 0
        self.vkey = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def identity(self, name):
        """The identity file of an agent, or the log's own in the state directory."""
        return os.path.join(self.state(), "log.json") if name == "log" else self.path(name + ".identity")

    def state(self):
        (origin,) = os.listdir(self.path("state"))
        return self.path(os.path.join("state", origin))

    def call(self, arguments, expect):
        """Runs aosctl with nothing but its own environment and insists on the exit code; gives what it printed."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": self.directory,
            "AOSCTL_WORKSPACE": self.path("ws"),
            "AOSCTL_STATE_DIR": self.path("state"),
        }
        self.commands += 1
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode != expect:
            said = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise RuntimeError(f"aosctl {' '.join(arguments)}: exit {done.returncode}, expected {expect}\n{said}")
        return done.stdout.decode("utf-8")

    def operator(self, *arguments, expect=0, identity=None):
        """As an operator: op-1, or whoever has `identity`."""
        who = ["--identity", self.path(identity)] if identity else []
        return self.call(["--passphrase-file", self.passphrase, *who, *arguments], expect)

    def agent(self, name, *arguments, expect=0):
        """As an agent, by its identity."""
        return self.call(["--identity", self.path(name + ".identity"), *arguments], expect)

    def nobody(self, *arguments, expect=0):
        """As nobody: what may be done without an identity is signed by the log."""
        return self.call(list(arguments), expect)

    def ask(self, name, action, expect, *more):
        """`request new` as an agent; gives the request's id."""
        said = self.agent(
            name, "request", "new", "--json", "--integration", "github", "--action", action,
            "--resource", "repo:acme/app", *more, expect=expect,
        )  # fmt: skip
        return json.loads(said)["id"]


def tell_the_story(w):
    """Every event type that the command line can write today, by every kind of signer that may."""
    said = w.operator("init", "--name", "ACME", "--operator", "ops")
    w.vkey = next(line.strip() for line in said.splitlines() if note.NAME.match(line.strip()) and line.count("+") >= 2)
    w.operator("policy", "set", "cap.move", "800USD")
    w.operator("integration", "add", "github")
    for agent in ("build-bot", "ship-bot"):
        w.operator("agent", "add", agent, "--out", w.path(agent + ".identity"))
    made = json.loads(w.operator("operator", "create", "grace", "--json", "--out", w.path("grace.identity")))
    w.operator("operator", "add", "Grace", made["line"], "--fingerprint", made["fingerprint"])
    w.operator("connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--access", "write")
    production = ("--environment", "production", "--summary", "Deploy \u201c1.4\u201d \U0001f680", "--rationale", "a\tb")

    read = w.ask("build-bot", "pull_request.read", 0, "--parameters", '{"n": 1.50, "\ue000": 2e3, "\U0001f600": -0}')
    w.agent("build-bot", "request", "begin", read)
    w.agent("build-bot", "request", "done", read, "--note", "read")

    approved = w.ask("build-bot", "deployment.create", 5, *production, "--command", "--", "/bin/true")
    w.operator("approve", approved, "--reason", "tests are green")
    w.agent("build-bot", "run", approved, "--", "/bin/true")

    denied = w.ask("build-bot", "deployment.create", 5, *production)
    w.operator("deny", denied, "--reason", "not now", identity="grace.identity")
    withdrawn = w.ask("build-bot", "deployment.create", 5, *production)
    w.agent("build-bot", "request", "withdraw", withdrawn, "--reason", "no longer")
    unknown = w.ask("build-bot", "deployment.create", 5, *production)
    w.operator("approve", unknown, identity="grace.identity")
    w.agent("build-bot", "request", "begin", unknown)
    w.agent("build-bot", "request", "fail", unknown, "--unknown", "--note", "lost the line")
    w.operator("request", "resolve", unknown, "--outcome", "succeeded", "--reason", "seen at the provider")

    w.nobody("freeze", "--reason", "odd")
    w.ask("build-bot", "pull_request.read", 1)
    w.operator("thaw", "--reason", "it was the tests")
    w.agent("build-bot", "freeze", "build-bot")
    w.operator("thaw", "build-bot")

    edit = w.operator(
        "request", "new", "--json", "--action", "audit.erase", "--resource", "entry:10", "--summary", "as asked", expect=5
    )
    w.operator("approve", json.loads(edit)["id"], identity="grace.identity")

    w.nobody("grant", "narrow", "g-1", "--access", "read", "--reason", "release is out")
    w.operator("grant", "renew", "g-1", "--expires", "60d")
    w.operator("connect", "github", "--agent", "ship-bot", "--scope", "repo:acme/site", identity="grace.identity")
    w.agent("ship-bot", "revoke", "g-2")
    w.nobody("revoke", "g-1", "--reason", "key was seen in a log")
    w.operator("connect", "--again", "g-1")
    w.operator("revoke", "g-3")
    w.operator("agent", "retire", "ship-bot", "--as-of", "30", "--reason", "lost")
    w.operator("operator", "retire", "Grace", "--reason", "left")
    w.operator("policy", "set", "cap.week", "5000USD")


def read_log(w):
    """The envelopes and payload records as they are stored, and the pin: the newest checkpoint that aosctl signed."""
    db = sqlite3.connect(f"file:{w.path('ws')}/aosctl.db?mode=ro", uri=True)
    try:
        envelopes = [bytes(e) for (e,) in db.execute("SELECT envelope FROM entries ORDER BY seq")]
        records = [(s, bytes(r)) for s, r in db.execute("SELECT seq, record FROM payloads ORDER BY seq")]
    finally:
        db.close()
    with open(os.path.join(w.state(), "pin"), "rb") as f:
        pin = f.read()
    return envelopes, records, pin
