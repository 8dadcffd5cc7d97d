"""What may be handed to a server at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.adapters.envelopes import Envelope, refuse_locally


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"\0", b".", b"words", b""]), max_size=8))
def test_only_whole_lines_leave(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    lines = data.split(b"\r\n")
    is_whole = lines[-1] == b"" and len(lines) > 1 and not set(b"\r\n\0") & set(b"".join(lines))
    refusal = refuse_locally(Envelope(1, "a@doeinc.com", "b@example.net", data))
    assert (refusal is None) == is_whole


@pytest.mark.parametrize("data", [b"", b"a\rb\nc\r\n", b"a\n", b"a\r\n\0\r\n", b"a\r\nb"])
def test_what_a_server_could_misread_is_refused(data: bytes) -> None:
    refusal = refuse_locally(Envelope(1, "a@doeinc.com", "b@example.net", data))
    assert refusal is not None
    assert refusal.code == 554


def test_what_is_known_is_not_looked_at_again_and_what_is_not_is() -> None:
    head, body = b"Subject: a\r\n", b"\r\nbody\r\n"
    for data, plain_from, may_go in [
        (head + body, len(head), True),
        (head + b"a\rb: c\r\n" + body, len(head), True),  # whoever says so must be right
        (head + b"a\rb: c\r\n" + body, len(head) + 8, False),
        (head + b"a\rb: c\r\n" + body, None, False),
        (b"Subject: a\n" + body, len(head) - 1, False),
    ]:
        envelope = Envelope(1, "a@doeinc.com", "b@example.net", data, plain_from)
        assert (refuse_locally(envelope) is None) is may_go
