"""What may be on the wire, and what never (R-SAFE: no SMTP injection by any input)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.adapters.transport import Envelope, refuse_locally
from kartramail.rules.replies import Accepted, Refused, Stage
from tests.adapters.test_transport_delivery import DATA, envelope, transport
from tests.support.smtp_server import ScriptedServer

SMUGGLED = b"MAIL FROM:<charlie@evil.example>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nx\r\n"
ENDINGS = [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\r\n.\r"]
ENDINGS += [b"\0\r\n.\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\n.\0\n", b"\r\0\n.\r\n"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_smuggling_ending_leaves(ending: bytes) -> None:
    hostile = b"Subject: x\r\n\r\nbefore" + ending + SMUGGLED
    with ScriptedServer() as server:
        (_, refused), (_, accepted) = transport(server).deliver([envelope(1, hostile), envelope(2)])
        assert isinstance(refused, Refused)
        assert (refused.stage, refused.code, refused.server) == (Stage.DATA, 554, "local")
        assert isinstance(accepted, Accepted)
        assert [message.data for message in server.messages] == [DATA]
        assert not any("charlie" in command for command in server.commands)


def test_a_true_ending_inside_the_message_is_stuffed() -> None:
    hostile = b".first\r\n.\r\n" + SMUGGLED + b"..two\r\n.\r\n"
    with ScriptedServer() as server:
        list(transport(server).deliver([envelope(1, hostile)]))
        (message,) = server.messages
        assert message.data == hostile
        assert message.wire == b"..first\r\n..\r\n" + SMUGGLED + b"...two\r\n..\r\n.\r\n"


lines = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b".", b"..", b".x", b""])))


@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(lines, min_size=1, max_size=5))
def test_every_whole_line_arrives_byte_for_byte(bodies: list[list[bytes]]) -> None:
    table = bytes.maketrans(b"\r\n\0", b"xyz")
    data = [b"".join(line.translate(table) + b"\r\n" for line in body) for body in bodies]
    data = [octets or b"\r\n" for octets in data]
    # What hypothesis puts where a header would be is not always ASCII.
    with ScriptedServer(extensions=("8BITMIME", "SMTPUTF8")) as server:
        list(transport(server).deliver([envelope(n, octets) for n, octets in enumerate(data)]))
        assert [message.data for message in server.messages] == data


@pytest.mark.parametrize("data", [b"", b"no line end", b"x\r", b"x\n", b"x\r\ny"])
def test_a_message_without_a_last_line_end_does_not_leave(data: bytes) -> None:
    refusal = refuse_locally(envelope(1, data))
    assert refusal is not None
    assert refusal.enhanced_code == "5.6.0"


NO_PATHS = [
    "",
    "bob",
    "a b@x.com",
    "a@x.com>",
    "<a@x.com",
    "a@x.com\r\nDATA",
    "a@x.com\n",
    "a\0@x.com",
]
NO_PATHS += [
    "zoë @x.com",
    "a@x.com SIZE=1",
    "a\x85@x.com",
    "zoë\u00a0@x.com",
    "a\x7f@x.com",
    "a\u2028@x.com",
    "@x.com",
]
NO_PATHS += [f"{'x' * 250}@x.com"]


@pytest.mark.parametrize("address", NO_PATHS)
def test_what_is_no_address_does_not_reach_the_wire(address: str) -> None:
    with ScriptedServer() as server:
        replies = list(
            transport(server).deliver(
                [
                    Envelope(1, "b@example.com", address, DATA),
                    Envelope(2, address or "bad", "bob@example.net", DATA),
                ]
            )
        )
        stages = [reply.stage for _, reply in replies if isinstance(reply, Refused)]
        assert stages == [Stage.RCPT, Stage.MAIL]
        assert server.connections == 0
