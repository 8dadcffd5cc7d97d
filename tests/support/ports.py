"""Ports for servers that are started in a moment."""

import random
import socket

# Below those that a system gives to whoever asks for any (Linux: from 32768 on): the connection of
# another test would take one of them before the server is there.
_PORTS = range(15_000, 32_000)
_TRIES = 1_000
_chance = random.SystemRandom()  # the common one may be seeded alike in several test processes
_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens, by TCP or UDP; another one each time."""
    for _ in range(_TRIES):
        port = _chance.choice(_PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise RuntimeError("no port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
