"""Ed25519 as docs/protocol.md wants it (RFC 8032; canonical S, canonical keys, no
small order): by PyNaCl (Debian's python3-nacl) where it is installed, else in
plain Python, which takes a few milliseconds a signature."""
import functools
import hashlib

try:
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError
except ImportError:
    crypto_sign_open = None

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(a, b):
    """Extended coordinates (X, Y, Z, T)."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, g, h, i = f - e, d - c, d + c, f + e
    return (e * g % P, h * i % P, g * h % P, e * i % P)


def mul(n, a):
    r = (0, 1, 1, 0)
    while n:
        if n & 1:
            r = add(r, a)
        a = add(a, a)
        n >>= 1
    return r


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point(raw):
    """None where it is none, or not written canonically."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


G = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_small(a):
    return equal(mul(8, a), (0, 1, 1, 0))


def slow(key, message, signature):
    a, r = point(key), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q or is_small(a) or is_small(r):
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    return equal(mul(s, G), add(r, mul(h, a)))


@functools.lru_cache(maxsize=None)
def verify(key, message, signature):
    if len(signature) != 64 or len(key) != 32:
        return False
    if crypto_sign_open is None:
        return slow(key, message, signature)
    try:
        crypto_sign_open(signature + message, key)
        return True
    except BadSignatureError:
        return False
