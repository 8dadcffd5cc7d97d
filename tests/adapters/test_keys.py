"""Signing keys are sealed at rest and show themselves nowhere (R-DKIM, R-SAFE)."""

import base64
import traceback

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from kartramail.adapters.keys import KeyPair, KeySafe, generate_key_pair
from kartramail.errors import KartraMailError, SealBroken

OLD, NEW, STRANGE = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return generate_key_pair()


def verify(public: str, signature: bytes, octets: bytes) -> None:
    key = load_der_public_key(base64.b64decode(public, validate=True))
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, octets, padding.PKCS1v15(), SHA256())


def test_a_pair_is_rsa_of_2048_bits_and_new_each_time(pair: KeyPair) -> None:
    public = load_der_public_key(base64.b64decode(pair.public, validate=True))
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048
    assert public.public_numbers().e == 65537
    assert generate_key_pair().public != pair.public


def test_what_the_safe_opens_signs_for_the_public_half(pair: KeyPair) -> None:
    safe = KeySafe(NEW)
    sign = safe.open(safe.seal(pair.private))
    verify(pair.public, sign(b"octets"), b"octets")
    with pytest.raises(InvalidSignature):
        verify(pair.public, sign(b"octets"), b"others")


def test_a_sealed_key_is_text_that_never_comes_out_the_same(pair: KeyPair) -> None:
    safe = KeySafe(NEW)
    sealed = safe.seal(pair.private)
    assert sealed.isascii()
    assert sealed.isprintable()
    assert safe.seal(pair.private) != sealed
    assert base64.b64encode(pair.private).decode()[40:80] not in sealed


def test_an_old_master_key_still_opens_and_the_newest_seals(pair: KeyPair) -> None:
    sealed = KeySafe(OLD).seal(pair.private)
    both = KeySafe(f"{NEW}, {OLD}")
    verify(pair.public, both.open(sealed)(b"x"), b"x")
    resealed = both.reseal(sealed)
    verify(pair.public, KeySafe(NEW).open(resealed)(b"x"), b"x")
    with pytest.raises(SealBroken):
        KeySafe(OLD).open(resealed)


def test_what_is_under_the_newest_key_is_left_as_it_is(pair: KeyPair) -> None:
    safe = KeySafe(f"{NEW},{OLD}")
    sealed = safe.seal(pair.private)
    assert safe.reseal(sealed) == sealed


@pytest.mark.parametrize("action", ["open", "reseal"])
@pytest.mark.parametrize("fault", ["stranger", "cut", "changed", "nonsense", "empty"])
def test_what_no_master_key_fits_is_a_broken_seal(pair: KeyPair, action: str, fault: str) -> None:
    sealed = KeySafe(OLD).seal(pair.private)
    changed = sealed[:60] + ("A" if sealed[60] != "A" else "B") + sealed[61:]
    broken = {
        "stranger": KeySafe(STRANGE).seal(pair.private),
        "cut": sealed[:-8],
        "changed": changed,
        "nonsense": "é no token",
        "empty": "",
    }[fault]
    with pytest.raises(SealBroken) as caught:
        getattr(KeySafe(f"{NEW},{OLD}"), action)(broken)
    assert isinstance(caught.value, KartraMailError)
    assert "MASTER_KEYS" in str(caught.value)


def test_what_is_no_rsa_key_is_a_broken_seal() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    other = curve.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for private in (b"", b"no key", other):
        with pytest.raises(SealBroken, match="no RSA key"):
            KeySafe(NEW).open(KeySafe(NEW).seal(private))


def test_a_master_key_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        KeySafe("too short")


def shown_forms(octets: bytes) -> list[str]:
    """How a stretch of `octets` would look in text, whichever way it got there."""
    inner = octets[200:232]
    whole = base64.b64encode(octets).decode()
    return [repr(inner)[2:-1], inner.hex(), inner.hex().upper(), whole[280:310]]


def test_nothing_shows_the_private_key(pair: KeyPair) -> None:
    safe = KeySafe(NEW)
    sign = safe.open(safe.seal(pair.private))
    try:
        KeySafe(STRANGE).open(safe.seal(pair.private))
    except SealBroken as error:
        raised = "".join(traceback.TracebackException.from_exception(error).format())
        assert error.__context__ is None
    for shown in (repr(pair), str(pair), repr(safe), repr(vars(safe)), repr(sign), raised):
        assert not any(form in shown for form in shown_forms(pair.private))
        assert NEW not in shown
    assert pair.public in repr(pair)
