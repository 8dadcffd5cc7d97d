"""Signing keys: made, sealed with MASTER_KEYS, and opened for nothing but to sign (R-DKIM).

A private key never leaves here but sealed: what `open` gives can sign and show nothing.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from kartramail.errors import SealBroken

KEY_BITS = 2048
"""What RFC 8301 §3.2 asks signers for, and the most that fits everywhere in DNS."""

_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`public` is base64 SubjectPublicKeyInfo, as in the p= of a record; `private` is PKCS #8."""

    public: str
    private: bytes = field(repr=False)


def generate_key_pair() -> KeyPair:
    """A new RSA key of `KEY_BITS`. Takes about a tenth of a second."""
    key = generate_private_key(_EXPONENT, KEY_BITS)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(b64encode(public).decode("ascii"), private)


class KeySafe:
    """Seals private keys with the newest master key and opens what any of them has sealed."""

    def __init__(self, master_keys: str) -> None:
        """`master_keys` as in the settings: Fernet keys, the newest first, comma between."""
        keys = [Fernet(each.strip()) for each in master_keys.split(",")]
        self._newest = keys[0]
        self._all = MultiFernet(keys)

    def seal(self, private: bytes) -> str:
        """`private` (PKCS #8) as text that may be stored."""
        return self._newest.encrypt(private).decode("ascii")

    def open(self, sealed: str) -> Callable[[bytes], bytes]:
        """The function that signs with the sealed key: RSASSA-PKCS1-v1_5 with SHA-256.

        May be kept and shared by threads. Raises SealBroken when no master key fits, or what was
        sealed is no RSA key.
        """
        private = _opened(self._all, sealed)
        if private is None:
            raise _no_key_fits()
        return _signing_function(private)

    def reseal(self, sealed: str) -> str:
        """The same key under the newest master key; `sealed` itself where it is that already.

        Raises SealBroken when no master key fits.
        """
        if _opened(self._newest, sealed) is not None:
            return sealed
        private = _opened(self._all, sealed)
        if private is None:
            raise _no_key_fits()
        return self.seal(private)


def _opened(keys: Fernet | MultiFernet, sealed: str) -> bytes | None:
    """What was sealed; None when none of `keys` fits, or `sealed` was never one."""
    try:
        return keys.decrypt(sealed)
    except (InvalidToken, ValueError):  # a ValueError for letters that are not ASCII
        return None


def _no_key_fits() -> SealBroken:
    return SealBroken(
        "A signing key cannot be opened: none of MASTER_KEYS fits. Add the master key that it was "
        "sealed with to MASTER_KEYS, after the newest one."
    )


def _signing_function(private: bytes) -> Callable[[bytes], bytes]:
    try:
        # Checked for sense when it was made, and the seal shows that it is still that one; to
        # check it again would take longer than a hundred signatures.
        key = load_der_private_key(private, None, unsafe_skip_rsa_key_validation=True)
    except ValueError:
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SealBroken("What is sealed as a signing key is no RSA key.") from None
    sign, padding, digest = key.sign, PKCS1v15(), SHA256()
    return lambda data: sign(data, padding, digest)
