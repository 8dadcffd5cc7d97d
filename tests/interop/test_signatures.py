"""What we sign and send agrees with every verifier, and nothing altered does (R-DKIM).

Two hundred messages are signed, sent over SMTP by the transport, and what the server received is
judged by dkimpy, OpenDKIM, Perl's Mail::DKIM and npm's mailauth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from kartramail.adapters.keys import KeySafe, generate_key_pair
from kartramail.adapters.transport import Envelope, SmtpSettings, SmtpTransport
from kartramail.rules.dkim import build_key_record
from kartramail.rules.replies import Accepted
from kartramail.rules.signing import SigningKey, sign_message
from tests.interop.alterations import alter_body, alter_header
from tests.interop.corpus import Letter, letters
from tests.interop.verifiers import VERIFIERS
from tests.support.smtp_server import SinkServer

NOW = datetime(2026, 3, 9, 8, 7, 6, tzinfo=UTC)
SELECTOR = "km1"


@dataclass(frozen=True, slots=True)
class Post:
    """What was written, what of it was received, and the key records of the domains."""

    letters: list[Letter]
    received: list[bytes]
    keys: dict[str, str]


@pytest.fixture(scope="module")
def post() -> Post:
    written = letters()
    signers, keys = {}, {}
    safe = KeySafe(Fernet.generate_key().decode())
    for domain in {letter.domain for letter in written}:
        pair = generate_key_pair()
        signers[domain] = SigningKey(domain, SELECTOR, safe.open(safe.seal(pair.private)))
        keys[f"{SELECTOR}._domainkey.{domain}"] = build_key_record(pair.public)
    signed = [sign_message(letter.data, signers[letter.domain], NOW) for letter in written]
    received = _send(signed)
    assert received == signed
    return Post(written, received, keys)


def _send(signed: list[bytes]) -> list[bytes]:
    envelopes = [
        Envelope(number, "b@bounces.example.com", "bob@example.net", data)
        for number, data in enumerate(signed)
    ]
    with SinkServer() as sink:
        settings = SmtpSettings(sink.host, sink.port, ehlo_name="mail.example.com")
        replies = [reply for _, reply in SmtpTransport(settings).deliver(envelopes)]
        assert all(isinstance(reply, Accepted) for reply in replies)
        assert len(replies) == len(signed)
        return [message.data for message in sink.messages]


def test_there_are_two_hundred_messages_all_different(post: Post) -> None:
    assert len({letter.data for letter in post.letters}) == len(post.received) == 200


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_every_message_passes_and_aligns(post: Post, verifier: str, tmp_path: Path) -> None:
    judgements = VERIFIERS[verifier](post.received, post.keys, tmp_path / "received")
    assert len(judgements) == 200
    refused = {
        letter.name: judgement
        for letter, judgement in zip(post.letters, judgements, strict=True)
        if not judgement.is_good or judgement.domain != letter.domain
    }
    assert refused == {}


@pytest.mark.parametrize("alter", [alter_body, alter_header])
@pytest.mark.parametrize("verifier", VERIFIERS)
def test_no_altered_message_passes(
    post: Post, verifier: str, alter: Callable[[bytes, int], bytes], tmp_path: Path
) -> None:
    altered = [alter(data, number) for number, data in enumerate(post.received)]
    assert all(one != other for one, other in zip(altered, post.received, strict=True))
    judgements = VERIFIERS[verifier](altered, post.keys, tmp_path / "altered")
    assert len(judgements) == 200
    accepted = {
        letter.name: judgement
        for letter, judgement in zip(post.letters, judgements, strict=True)
        if judgement.is_good
    }
    assert accepted == {}


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_no_message_passes_by_the_key_of_another(post: Post, verifier: str, tmp_path: Path) -> None:
    hosts, records = list(post.keys), list(post.keys.values())
    swapped = dict(zip(hosts, records[1:] + records[:1], strict=True))
    judgements = VERIFIERS[verifier](post.received, swapped, tmp_path / "swapped")
    assert not any(judgement.is_good for judgement in judgements)
