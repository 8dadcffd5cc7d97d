"""Tokens that say whose they are and cannot be forged. The secret is handed in."""

import hmac
from functools import lru_cache

from kartramail.ids import read_id

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 §6, in lower case
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]  # ten bits each
_MAC_OCTETS = 10  # 80 bits: guessing is hopeless, and the local part stays below 64 octets


def return_path(shown: str, secret: bytes, bounce_host: str) -> str:
    """The envelope sender of the message of that id, so that a bounce finds it (R-BOUNCE)."""
    return f"b-{shown}-{_mac(shown, secret)}@{bounce_host}"


def read_return_path(local_part: str, secret: bytes) -> int | None:
    """The message that a bounce is about; None for anything that we did not write."""
    kind, _, rest = local_part.lower().partition("-")
    shown, _, mac = rest.partition("-")
    if kind != "b" or not hmac.compare_digest(mac.encode(), _mac(shown, secret).encode()):
        return None
    return read_id(shown)


@lru_cache(maxsize=4)
def _begun(secret: bytes) -> hmac.HMAC:
    """To take in the key takes longer than all the rest; never changed, only copied."""
    return hmac.new(secret, b"return path\0", "sha256")


def _mac(text: str, secret: bytes) -> str:
    mac = _begun(secret).copy()
    mac.update(text.encode())
    value = int.from_bytes(mac.digest()[:_MAC_OCTETS])
    return (
        f"{_PAIRS[value >> 70]}{_PAIRS[value >> 60 & 1023]}{_PAIRS[value >> 50 & 1023]}"
        f"{_PAIRS[value >> 40 & 1023]}{_PAIRS[value >> 30 & 1023]}{_PAIRS[value >> 20 & 1023]}"
        f"{_PAIRS[value >> 10 & 1023]}{_PAIRS[value & 1023]}"
    )
