"""A load generator: keep-alive connections that each send the same request again and again.

One process and raw sockets, so that it costs far less a request than any application; the
benchmark prints what it can do against an empty answer.
"""

import itertools
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

_BLANK_LINE = b"\r\n\r\n"
_LENGTH = b"content-length:"


class UnexpectedAnswer(Exception):
    """The server did not say what the benchmark is about, so its figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run. Latencies in milliseconds; `own_share` of the wall clock was ours."""

    requests_per_second: float
    p50: float
    p99: float
    own_share: float


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    began_at: float = 0.0
    received: bytes = b""


def form_post(path: str, port: int, fields: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
    """The octets of a POST of a form."""
    body = urlencode(fields).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + _BLANK_LINE + body


def run_load(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float, expected: bytes
) -> Load:
    """Keep `connections` requests under way for so long, taken from `requests` round and round.

    Raises UnexpectedAnswer for any answer but a 200 with `expected` in its body.
    """
    latencies: list[float] = []
    supply = itertools.cycle(requests)
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = _Connection(socket.create_connection(("127.0.0.1", port)))
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection.sock, selectors.EVENT_READ, connection)
            _send(connection, next(supply))
        busy, started = time.process_time(), time.perf_counter()
        end = started + seconds
        while time.perf_counter() < end:
            for key, _ in selector.select(1):
                if _is_answered(key.data, expected):
                    latencies.append(time.perf_counter() - key.data.began_at)
                    _send(key.data, next(supply))
        took, busy = time.perf_counter() - started, time.process_time() - busy
        for key in list(selector.get_map().values()):
            key.data.sock.close()
    latencies.sort()
    return Load(
        requests_per_second=len(latencies) / took,
        p50=_percentile(latencies, 50),
        p99=_percentile(latencies, 99),
        own_share=busy / took,
    )


def _send(connection: _Connection, request: bytes) -> None:
    connection.received = b""
    connection.began_at = time.perf_counter()
    connection.sock.sendall(request)


def _is_answered(connection: _Connection, expected: bytes) -> bool:
    """Read what is there; whether the whole answer is."""
    octets = connection.sock.recv(65536)
    if not octets:
        raise UnexpectedAnswer("The server closed the connection.")
    connection.received += octets
    head, blank, body = connection.received.partition(_BLANK_LINE)
    if not blank or len(body) < _body_length(head):
        return False
    if not head.startswith(b"HTTP/1.1 200") or expected not in body:
        raise UnexpectedAnswer(connection.received[:2000].decode("utf-8", "replace"))
    return True


def _body_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.index(_LENGTH) + len(_LENGTH)
    return int(lowered[at:].partition(b"\r\n")[0])


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] * 1000
