"""Seals the vectors of src/secret/vault/file/vectors by the documented format, with other code than aosctl's.

    python3 tests/oracles/vault/vault.py write DIRECTORY       makes attended.sealed and unattended.sealed
    python3 tests/oracles/vault/vault.py open FILE SEED_HEX    opens a file of aosctl's as the operator with that seed
    python3 tests/oracles/vault/vault.py judge WS STATE PASS SECRET...  opens all that aosctl sealed in a workspace

Needs the package `cryptography`. XChaCha20-Poly1305 is ChaCha20-Poly1305 under a key of HChaCha20
(draft-irtf-cfrg-xchacha-03, section 2.2), which is written out here.
"""

import glob
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ORIGIN = "aosctl/0123456789abcdef0123456789abcdef"


def hchacha20(key, nonce):
    rotate = lambda x, n: ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] = rotate(s[z] ^ s[x], n)

    for _ in range(10):
        for column in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            quarter(*column)
        for diagonal in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*diagonal)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def aead(key, nonce):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), b"\0\0\0\0" + nonce[16:]


def hkdf(secret, salt, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def padded(secret):
    text = struct.pack(">I", len(secret)) + secret
    return text + bytes(-len(text) % 256)


def agreement(seed):
    return X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32])


def wrapping(shared, half, theirs, origin, item):
    info = b"aosctl/vault/v1/wrap\0" + origin.encode() + b"\0" + item.encode()
    return hkdf(shared, half + theirs, info, 32)


def seal(file, key, nonce, secret):
    file["nonce"] = nonce.hex()
    cipher, short = aead(key, nonce)
    file["sealed"] = cipher.encrypt(short, padded(secret), canonical(file)).hex()
    return canonical(file) + b"\n"


def attended(secret, seeds):
    key, recipients = bytes([3] * 32), []
    for n, seed in enumerate(seeds):
        fresh = X25519PrivateKey.from_private_bytes(bytes([40 + n] * 32))
        half = fresh.public_key().public_bytes_raw()
        theirs = agreement(seed).public_key()
        wrap = wrapping(fresh.exchange(theirs), half, theirs.public_bytes_raw(), ORIGIN, "k-3")
        cipher, short = aead(wrap, bytes(24))
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        recipients.append(
            {"ephemeral": half.hex(), "public_key": public.hex(), "wrapped": cipher.encrypt(short, key, b"").hex()}
        )
    file = {"aead": "xchacha20poly1305", "aosctl": "sealed-secret/v1", "item": "k-3", "kind": "attended"}
    return seal(file | {"origin": ORIGIN, "recipients": recipients}, key, bytes([4] * 24), secret)


def unattended(secret, vault_key):
    name = hkdf(vault_key, None, b"aosctl/vault/v1/name", 8)
    file = {"aead": "xchacha20poly1305", "aosctl": "sealed-secret/v1", "item": "k-3", "kind": "unattended"}
    return seal(file | {"origin": ORIGIN, "vault_key": name.hex()}, vault_key, bytes([6] * 24), secret)


def opened(data, seed):
    file = json.loads(data)
    assert canonical(file) + b"\n" == data, "not canonical"
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()
    recipient = next(r for r in file["recipients"] if r["public_key"] == public)
    ours, half = agreement(seed), bytes.fromhex(recipient["ephemeral"])
    shared = ours.exchange(X25519PublicKey.from_public_bytes(half))
    wrap = wrapping(shared, half, ours.public_key().public_bytes_raw(), file["origin"], file["item"])
    cipher, short = aead(wrap, bytes(24))
    key = cipher.decrypt(short, bytes.fromhex(recipient["wrapped"]), b"")
    sealed = bytes.fromhex(file.pop("sealed"))
    file.pop("signature", None)
    cipher, short = aead(key, bytes.fromhex(file["nonce"]))
    text = cipher.decrypt(short, sealed, canonical(file))
    length = struct.unpack(">I", text[:4])[0]
    return text[4 : 4 + length]


def operator_seed(path, passphrase):
    """The seed of a sealed operator identity, by the format at the head of src/identity/sealed.rs."""
    with open(path, "rb") as f:
        file = json.loads(f.read())
    kdf = file["kdf"]
    derive = Argon2id(salt=bytes.fromhex(kdf["salt"]), length=32, iterations=kdf["t"], lanes=kdf["p"], memory_cost=kdf["m_kib"])
    key = derive.derive(passphrase)
    sealed = bytes.fromhex(file.pop("sealed"))
    cipher, short = aead(key, bytes.fromhex(file["nonce"]))
    return cipher.decrypt(short, sealed, canonical(file))


def opened_under(data, vault_key):
    file = json.loads(data)
    assert canonical(file) + b"\n" == data, "not canonical"
    assert file["vault_key"] == hkdf(vault_key, None, b"aosctl/vault/v1/name", 8).hex(), "another vault key"
    sealed = bytes.fromhex(file.pop("sealed"))
    cipher, short = aead(vault_key, bytes.fromhex(file["nonce"]))
    text = cipher.decrypt(short, sealed, canonical(file))
    length = struct.unpack(">I", text[:4])[0]
    return text[4 : 4 + length]


def judge(workspace, state, passphrase, secrets):
    """Opens every sealed file of a workspace that aosctl made; all of the secrets must be there, and nothing else."""
    with open(passphrase, "rb") as f:
        seed = operator_seed(glob.glob(workspace + "/operators/*.json")[0], f.read().rstrip(b"\n"))
    (log,) = glob.glob(state + "/*/vault.key")
    with open(log, "rb") as f:
        vault_key = f.read()
    found = []
    for path in sorted(glob.glob(workspace + "/vault/k-*.sealed")):
        with open(path, "rb") as f:
            data = f.read()
        attended = json.loads(data)["kind"] == "attended"
        found.append((opened(data, seed) if attended else opened_under(data, vault_key)).decode())
    assert sorted(found) == sorted(secrets), "other secrets than were given"
    print(f"vault    {len(found)} files that aosctl sealed: opened by other code, as the format says")


if __name__ == "__main__":
    if sys.argv[1] == "judge":
        judge(*sys.argv[2:5], sys.argv[5:])
        sys.exit()
    if sys.argv[1] == "write":
        with open(sys.argv[2] + "/attended.sealed", "wb") as f:
            f.write(attended(b"sk_live_other_implementation", [bytes([8] * 32), bytes([7] * 32)]))
        with open(sys.argv[2] + "/unattended.sealed", "wb") as f:
            f.write(unattended(b"unattended", bytes([5] * 32)))
    else:
        with open(sys.argv[2], "rb") as f:
            sys.stdout.buffer.write(opened(f.read(), bytes.fromhex(sys.argv[3])))
