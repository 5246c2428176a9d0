"""Verifies entries' envelopes with securesystemslib: python dsse.py DIR. Every changed part must be refused."""
import base64
import copy
import json
import pathlib
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

place = pathlib.Path(sys.argv[1])
keys = {}
for path in (place / "keys").glob("*.der"):
    public = path.read_bytes()[-32:].hex()
    keys[path.stem] = SSlibKey(path.stem, "ed25519", "ed25519", {"public": public})


def holds(envelope, known):
    try:
        accepted = Envelope.from_dict(copy.deepcopy(envelope)).verify(known, 1)
    except (VerificationError, ValueError, KeyError):
        return False
    return list(accepted) == [envelope["signatures"][0]["keyid"]]


def flipped(text, at):
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(bytes(data)).decode()


good = refused = 0
for path in sorted((place / "envelopes").iterdir()):
    envelope = json.loads(path.read_text())
    assert holds(envelope, list(keys.values())), f"{path.name} does not hold"
    good += 1
    size = len(base64.b64decode(envelope["payload"]))
    other = next(key for key in keys if key != envelope["signatures"][0]["keyid"])
    mutants = [dict(envelope, payload=flipped(envelope["payload"], at)) for at in range(size)]
    mutants.append(dict(envelope, payloadType=envelope["payloadType"].replace("v1", "v2")))
    for at in range(64):
        mutant = copy.deepcopy(envelope)
        mutant["signatures"][0]["sig"] = flipped(mutant["signatures"][0]["sig"], at)
        mutants.append(mutant)
    for keyid in (other, "00" * 32):
        mutant = copy.deepcopy(envelope)
        mutant["signatures"][0]["keyid"] = keyid
        mutants.append(mutant)
    for mutant in mutants:
        assert not holds(mutant, list(keys.values())), f"{path.name} holds, changed: {mutant}"
    # Another's key under this key id.
    keyid = envelope["signatures"][0]["keyid"]
    stolen = SSlibKey(keyid, "ed25519", "ed25519", keys[other].keyval)
    assert not holds(envelope, [stolen]), f"{path.name} holds by another key"
    refused += len(mutants) + 1
assert good, "there are no envelopes"
print(f"thirdparty: securesystemslib: {good} envelopes hold, {refused} changed ones are refused")
