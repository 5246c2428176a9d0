"""Ed25519 (RFC 8032), verified as strictly as the log format says: A and R canonical and not of small order, S < L, and the
equation without the cofactor. Points are in extended coordinates (X, Y, Z, T), section 5.1.4. Nothing here is secret, so
nothing is constant-time.
"""

import functools
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)


class Refused(Exception):
    """Why a key or a signature is refused, in one word."""


def add(p, q):
    """Section 5.1.4, complete: it doubles as well."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def negate(p):
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def equal(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def multiply(n, p):
    """n times p by doubling; n may be larger than the group order, so that L times p shows a torsion part."""
    r = ZERO
    while n:
        if n & 1:
            r = add(r, p)
        p = add(p, p)
        n >>= 1
    return r


def encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data):
    """Section 5.1.3. Refused: y >= p, a y that no x fits, and x = 0 with the sign bit set (`minus zero`)."""
    if len(data) != 32:
        raise Refused("key_length")
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        raise Refused("non_canonical")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * SQRT_M1 % P
        if (v * x * x - u) % P:
            raise Refused("not_a_point")
    if x == 0 and sign:
        raise Refused("non_canonical")
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def small_order(p):
    return equal(multiply(8, p), ZERO)


def comb(p):
    """Tables of d * 16^i * p for every digit d: a multiplication is then 64 additions."""
    tables = []
    for _ in range(64):
        row = [ZERO]
        for _ in range(15):
            row.append(add(row[-1], p))
        tables.append(row)
        p = add(row[-1], p)
    return tables


def by_comb(n, tables):
    """n times the point of `tables`, 0 <= n < 2^256."""
    r = ZERO
    for row in tables:
        digit = n & 15
        if digit:
            r = add(r, row[digit])
        n >>= 4
    return r


BASE_COMB = comb(BASE)


@functools.lru_cache(maxsize=None)
def key(data):
    """The point of a public key that may verify: canonical, a point, not of small order. As (negated comb)."""
    p = decode(data)
    if small_order(p):
        raise Refused("small_order")
    return comb(negate(p))


@functools.lru_cache(maxsize=None)
def enrolment_fault(data):
    """None, or why a key may not be enrolled: what `key` refuses, and a torsion part."""
    try:
        p = decode(data)
    except Refused as why:
        return str(why)
    if small_order(p):
        return "small_order"
    return None if equal(multiply(L, p), ZERO) else "torsion"


@functools.lru_cache(maxsize=None)
def fault(public_key, message, signature):
    """None where the signature holds, or a word for why not. Remembers every answer."""
    if len(signature) != 64:
        return "signature_length"
    try:
        minus_a = key(public_key)
    except Refused as why:
        return f"public_key_{why}"
    try:
        r = decode(signature[:32])
    except Refused as why:
        return f"r_{why}"
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return "s_not_canonical"
    if small_order(r):
        return "r_small_order"
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    # S B = R + k A, without the cofactor: what the bytes of R must be.
    return None if equal(add(by_comb(s, BASE_COMB), by_comb(k, minus_a)), r) else "equation"


def public_of(seed):
    """The public key and the secret scalar of a 32-byte seed, section 5.1.5."""
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    return encode(by_comb(a, BASE_COMB)), a, h[32:]


def sign(seed, message):
    """Section 5.1.6. Only for forging: the oracle signs as an agent that goes beyond its rights."""
    public, a, prefix = public_of(seed)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    start = encode(by_comb(r, BASE_COMB))
    k = int.from_bytes(hashlib.sha512(start + public + message).digest(), "little") % L
    return start + ((r + k * a) % L).to_bytes(32, "little")
