"""(d) Signatures a second on one core, beside what openssl alone signs and beside dkimpy."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import dkim
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from kartramail.adapters.keys import KeyPair, KeySafe, generate_key_pair
from kartramail.clock import now
from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import Fixed, MessageHeaders, MessageSource, compile_message
from kartramail.rules.signing import SIGNED_FIELDS, SigningKey, sign_message
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.letters import LARGE, recipient

DOMAIN, SELECTOR = "doeinc.com", "km1"
OURS, OPENSSL, DKIMPY = "KartraMail", "openssl speed rsa2048", "dkimpy"
_DIFFERENT = 50  # messages, so that nothing of one can be kept for the next


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both targets are met."""
    pair = generate_key_pair()
    messages = _messages()
    seconds = 0.3 if is_quick else 1.0
    subjects: dict[str, Callable[[], float]] = {
        OURS: partial(_rate, _our_signer(pair), messages, seconds),
        OPENSSL: partial(_openssl_rate, 1),
        DKIMPY: partial(_rate, _dkimpy_signer(pair), messages, seconds),
    }
    with _one_core() as core:
        rates = interleave(rounds, subjects)
    show_heading(
        f"(d) Signatures of {len(messages[0]) / 1000:.1f} kB messages, RSA-2048, on core {core} "
        f"alone: {rounds} rounds of {seconds} s"
    )
    for name, values in rates.items():
        show_figure(name, values, "/s")
    of_openssl = show_ratio(f"{OURS} / {OPENSSL}", rates[OURS], rates[OPENSSL], Bound.AT_LEAST, 0.8)
    of_dkimpy = show_ratio(f"{OURS} / {DKIMPY}", rates[OURS], rates[DKIMPY], Bound.AT_LEAST, 15)
    return of_openssl and of_dkimpy


def _messages() -> list[bytes]:
    """Large letters to different people, with the fields of a commercial message."""
    return [_message(number) for number in range(_DIFFERENT)]


def _message(number: int) -> bytes:
    name, address = recipient(number)
    words = [
        text.replace("{{ name }}", name).replace("{{ number }}", str(number))
        for text in (LARGE.subject, LARGE.text, LARGE.html or "")
    ]
    headers = MessageHeaders(
        sender=Mailbox(f"hello@{DOMAIN}", "Doe Inc."),
        to=Mailbox(address, name),
        message_id=f"<{number}@{DOMAIN}>",
        date=now(),
        reply_to=Mailbox(f"answers@{DOMAIN}"),
        extra=(
            ("X-KartraMail-Message", f"m{number}"),
            ("List-Unsubscribe", f"<https://kartra.com/u/{number}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Feedback-ID", "broadcast:1:commercial:kartramail"),
            ("Auto-Submitted", "auto-generated"),
        ),
    )
    return compile_message(MessageSource(*map(Fixed, words))).fill(headers, {})


def _our_signer(pair: KeyPair) -> Callable[[bytes], object]:
    safe = KeySafe(Fernet.generate_key().decode())
    key = SigningKey(DOMAIN, SELECTOR, safe.open(safe.seal(pair.private)))
    return lambda message: sign_message(message, key, now())


def _dkimpy_signer(pair: KeyPair) -> Callable[[bytes], object]:
    """dkimpy with the same form of signature over the same fields."""
    key = load_der_private_key(pair.private, None)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return partial(
        dkim.sign,
        selector=SELECTOR.encode(),
        domain=DOMAIN.encode(),
        privkey=private,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=list(SIGNED_FIELDS),
    )


def _rate(sign: Callable[[bytes], object], messages: list[bytes], seconds: float) -> float:
    """Signatures for a second of this process's own time, as `openssl speed` counts too."""
    done = 0
    started = time.process_time()
    while (took := time.process_time() - started) < seconds:
        for message in messages[:10]:
            sign(message)
        done += 10
        messages = messages[10:] + messages[:10]
    return done / took


def _openssl_rate(seconds: int) -> float:
    answer = subprocess.run(
        ["openssl", "speed", "-seconds", str(seconds), "rsa2048"],
        capture_output=True,
        text=True,
        check=True,
    )
    line = re.search(r"^rsa 2048 bits\s+\S+s\s+\S+s\s+([\d.]+)", answer.stdout, re.MULTILINE)
    assert line is not None, answer.stdout
    return float(line[1])


@contextmanager
def _one_core() -> Iterator[int]:
    """Keep this process, and the ones that it starts, on one core meanwhile."""
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)
