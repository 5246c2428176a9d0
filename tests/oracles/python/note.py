"""C2SP signed notes, checkpoints, verifier keys, cosignatures, tlog-proofs, and SSHSIG."""

import base64
import hashlib
import re
import struct

import canon
import ed25519
import tree

ED25519, COSIGNATURE = 1, 4
MOST = 2**53 - 1
NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
HEX8 = re.compile(r"[0-9a-f]{8}", re.ASCII)
ORIGIN = re.compile(r"aosctl/[0-9a-f]{32}", re.ASCII)


class Refused(Exception):
    """Why a note, a key or a proof is refused, in one word."""


class Key:
    """A verifier key: `name+keyid+base64(type, public key)`."""

    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3 or not NAME.fullmatch(parts[0]):
            raise Refused("vkey_name")
        self.name = parts[0]
        if not HEX8.fullmatch(parts[1]):
            raise Refused("hex")
        try:
            data = canon.from_base64(parts[2])
        except canon.Refused:
            raise Refused("base64") from None
        if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
            raise Refused("vkey_type")
        self.type, self.public = data[0], data[1:]
        self.id = key_id(self.name, self.type, self.public)
        if self.id.hex() != parts[1]:
            raise Refused("vkey_id")
        if ed25519.enrolment_fault(self.public):
            raise Refused("vkey_weak")


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\x0a" + bytes([kind]) + public).digest()[:4]


def vkey(name, public):
    encoded = base64.b64encode(bytes([ED25519]) + public).decode()
    return f"{name}+{key_id(name, ED25519, public).hex()}+{encoded}"


def split(data):
    """Text and signature lines: [(name, key id, signature)]."""
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("note_utf8") from None
    if any(c < " " and c != "\n" for c in note):
        raise Refused("note_control")
    end = note.rfind("\n\n")
    # An empty line at the very end is not the one between text and signatures, but then they are no signature lines.
    if end < 0:
        raise Refused("note_no_blank_line")
    text, lines = note[: end + 1], note[end + 2 :]
    if not lines.endswith("\n"):
        raise Refused("note_signatures")
    signatures = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not NAME.fullmatch(parts[1]):
            raise Refused("note_signatures")
        try:
            blob = canon.from_base64(parts[2])
        except canon.Refused:
            raise Refused("note_signatures") from None
        if len(blob) < 5:
            raise Refused("note_signatures")
        signatures.append((parts[1], blob[:4], blob[4:]))
    return text, signatures


def verify_line(key, text, signature):
    """One line of a known key; it must hold."""
    if key.type == ED25519:
        if ed25519.fault(key.public, text.encode(), signature):
            raise Refused("note_signature")
        return
    if len(signature) != 72:
        raise Refused("cosignature_length")
    (time,) = struct.unpack(">Q", signature[:8])
    if time >= 2**63:
        raise Refused("cosignature_time")
    message = f"cosignature/v1\ntime {time}\n{text}".encode()
    if ed25519.fault(key.public, message, signature[8:]):
        raise Refused("cosignature_signature")


def signers(data, keys):
    """The text, and the keys among `keys` that signed it. A line of a known key that does not hold refuses the note."""
    text, lines = split(data)
    found = []
    for name, kid, signature in lines:
        for key in keys:
            if key.name == name and key.id == kid:
                verify_line(key, text, signature)
                if key not in found:
                    found.append(key)
    return text, found


class Checkpoint:
    """A checkpoint that the log signed: `size`, `root`, and the witnesses among `witnesses` that cosigned."""

    def __init__(self, data, log, witnesses=()):
        text, found = signers(data, [log, *witnesses])
        if log not in found:
            raise Refused("note_unsigned")
        self.witnesses = [k for k in found if k is not log]
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise Refused("checkpoint_lines")
        if lines[0] != log.name or not ORIGIN.fullmatch(lines[0]):
            raise Refused("checkpoint_origin")
        if not SIZE.fullmatch(lines[1]) or int(lines[1]) > MOST:
            raise Refused("checkpoint_size")
        try:
            self.root = canon.from_base64(lines[2])
        except canon.Refused:
            raise Refused("checkpoint_root") from None
        if len(self.root) != 32:
            raise Refused("checkpoint_root")
        self.size = int(lines[1])
        if self.size == 0 and self.root != tree.EMPTY:
            raise Refused("checkpoint_root")


def make_checkpoint(origin, seed, size, root):
    """A checkpoint signed with the log's seed, to put a forged log under a right root."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    public, _, _ = ed25519.public_of(seed)
    blob = key_id(origin, ED25519, public) + ed25519.sign(seed, text.encode())
    return f"{text}\n\u2014 {origin} {base64.b64encode(blob).decode()}\n".encode()


def receipt(data, log):
    """A tlog-proof for one entry: insists on everything and gives the index and the envelope."""
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Refused("receipt_version") from None
    if not blank or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Refused("receipt_version")
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise Refused("receipt_extra")
    try:
        envelope = canon.from_base64(lines[1][6:])
    except canon.Refused:
        raise Refused("base64") from None
    if not lines[2].startswith("index ") or not SIZE.fullmatch(lines[2][6:]):
        raise Refused("receipt_index")
    index = int(lines[2][6:])
    try:
        proof = [canon.from_base64(line) for line in lines[3:]]
    except canon.Refused:
        raise Refused("receipt_proof") from None
    if any(len(h) != 32 for h in proof):
        raise Refused("receipt_proof")
    signed = Checkpoint(checkpoint, log)
    if not tree.included(tree.leaf_hash(envelope), index, signed.size, proof, signed.root):
        raise Refused("receipt_inclusion")
    return index, envelope


def ssh_string(data):
    return struct.pack(">I", len(data)) + data


def ssh_signed_data(namespace, algorithm, message):
    """What an SSHSIG signs (PROTOCOL.sshsig of OpenSSH)."""
    digest = hashlib.new(algorithm, message).digest()
    return b"SSHSIG" + b"".join(map(ssh_string, (namespace, b"", algorithm.encode(), digest)))


def sshsig(armored, message, public, namespace):
    """Insists on an SSHSIG over `message` by the Ed25519 key `public`."""
    lines = armored.split("\n")
    if lines[0] != "-----BEGIN SSH SIGNATURE-----" or lines[-2:] != ["-----END SSH SIGNATURE-----", ""]:
        raise Refused("sshsig_armor")
    try:
        blob = canon.from_base64("".join(lines[1:-2]))
    except canon.Refused:
        raise Refused("sshsig_armor") from None
    if blob[:10] != b"SSHSIG" + struct.pack(">I", 1):
        raise Refused("sshsig_armor")
    fields, rest = [], blob[10:]
    while rest:
        length = int.from_bytes(rest[:4], "big")
        if len(rest) < 4 + length:
            raise Refused("sshsig_armor")
        fields.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    if len(fields) != 5 or fields[2]:
        raise Refused("sshsig_armor")
    if fields[0] != ssh_string(b"ssh-ed25519") + ssh_string(public):
        raise Refused("sshsig_key")
    if fields[1] != namespace:
        raise Refused("sshsig_namespace")
    if fields[3] not in (b"sha256", b"sha512"):
        raise Refused("sshsig_hash")
    prefix = ssh_string(b"ssh-ed25519") + struct.pack(">I", 64)
    if fields[4][: len(prefix)] != prefix:
        raise Refused("sshsig_signature")
    if ed25519.fault(public, ssh_signed_data(namespace, fields[3].decode(), message), fields[4][len(prefix) :]):
        raise Refused("sshsig_signature")
