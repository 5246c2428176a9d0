"""Takes receipts apart for programs that know nothing of aosctl: python3 prepare.py DIR NOTE.

Reads DIR/receipts/*, DIR/payloads/* and DIR/log.vkey; writes DIR/envelopes/N.json, DIR/pae/N and DIR/sig/N, DIR/keys/KEYID.pem and
.der of everybody that an opened payload enrols, DIR/log.pem, DIR/allowed_signers; and under DIR/changed copies with one byte changed:
pae/N.K, sig/N.K, and those of the checkpoint NOTE and its SSH signature SIG. Standard library alone, and no cryptography but hashes.
"""
import base64
import hashlib
import json
import pathlib
import struct
import sys

place = pathlib.Path(sys.argv[1])
for name in ("envelopes", "pae", "sig", "keys", "changed/pae", "changed/sig", "changed/note", "changed/sshsig"):
    (place / name).mkdir(parents=True)


def change(kind, name, data, places):
    for count, at in enumerate(places):
        bad = bytearray(data)
        bad[at] ^= 1
        (place / "changed" / kind / f"{name}.{count}").write_bytes(bytes(bad))


def write_key(path, public):
    # SubjectPublicKeyInfo of RFC 8410: id-Ed25519 and 32 bytes.
    der = bytes.fromhex("302a300506032b6570032100") + public
    path.with_suffix(".der").write_bytes(der)
    text = base64.b64encode(der).decode()
    path.with_suffix(".pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")


origin, _, key = (place / "log.vkey").read_text().strip().split("+", 2)
key = base64.b64decode(key)[1:]
write_key(place / "log.pem", key)
blob = b"".join(struct.pack(">I", len(part)) + part for part in (b"ssh-ed25519", key))
signer = f'{origin} namespaces="aosctl-checkpoint" ssh-ed25519 {base64.b64encode(blob).decode()}\n'
(place / "allowed_signers").write_text(signer)

for path in sorted((place / "payloads").iterdir()):
    body = json.loads(path.read_text())["body"]
    for member in ("operator_key", "log_key", "public_key"):
        if member in body:
            public = bytes.fromhex(body[member])
            write_key(place / "keys" / hashlib.sha256(public).hexdigest(), public)

for path in sorted((place / "receipts").iterdir()):
    line = path.read_text().split("\n")[1]
    envelope = base64.b64decode(line[len("extra "):], validate=True)
    (place / "envelopes" / f"{path.name}.json").write_bytes(envelope)
    parts = json.loads(envelope)
    kind, body = parts["payloadType"].encode(), base64.b64decode(parts["payload"])
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
    keyid = parts["signatures"][0]["keyid"]
    sig = base64.b64decode(parts["signatures"][0]["sig"])
    (place / "pae" / f"{path.name}.{keyid}").write_bytes(pae)
    (place / "sig" / f"{path.name}.{keyid}").write_bytes(sig)
    change("pae", f"{path.name}.{keyid}", pae, (0, 50, -1))
    change("sig", f"{path.name}.{keyid}", sig, (0, 32, 63))

change("note", "note", (place / "notes" / sys.argv[2]).read_bytes(), (0, 42, 60, 100, -1))
change("sshsig", "sig", (place / "newest.sig").read_bytes(), (40, 120, 200, 260))
