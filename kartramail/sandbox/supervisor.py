"""The try-out, all in one: `make run` starts web, worker, test inbox and practice DNS as one tree.

Ctrl-C or SIGTERM ends all of it, and kill -9 of this process does as well (`processes.py`).
"""

import errno
import http.client
import itertools
import socket
import sys
import threading
import time

from sqlalchemy.exc import DBAPIError

from kartramail import schema
from kartramail.config import ROOT, Settings, load_settings
from kartramail.db import Database
from kartramail.errors import ConfigurationError, KartraMailError
from kartramail.processes import Child, Supervisor
from kartramail.sandbox.practice_dns import check_practice_port

_USUAL_PORT = 5000
_START = 60.0  # seconds until the first answer, on a slow machine
_GRACE = 15.0  # seconds for what is on the wire when told to stop
_WORKER_GRACE = 10.0  # less: the worker ends its own processes before it is killed itself


def main() -> int:
    """Run the try-out until told to stop; returns the exit status, 2 for impossible settings."""
    try:
        settings = load_settings()
        _check_ports(settings)
        _migrate(settings)
    except KartraMailError as error:
        print(f"kartramail: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return _run(settings)


def _check_ports(settings: Settings) -> None:
    """Raises ConfigurationError for a port that cannot be listened on."""
    ports = {"PORT": settings.port}
    if settings.has_catcher:
        ports["CATCHER_PORT"] = settings.catcher_port
    if settings.has_practice_dns:
        ports["PRACTICE_DNS_PORT"] = settings.practice_dns_port
    for one, other in itertools.combinations(ports, 2):
        if ports[one] == ports[other]:
            raise ConfigurationError(
                f"{one} and {other} are both {ports[one]}. Set one of them to another one."
            )
    for name, port in ports.items():
        _check_port(name, port)


def _check_port(name: str, port: int) -> None:
    try:
        if name == "PRACTICE_DNS_PORT":
            check_practice_port(port)  # by UDP as well
        else:
            socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} is taken. Stop what uses it, or set {name} to another one."
            ) from None
        raise ConfigurationError(
            f"Port {port} cannot be used ({error.strerror}). Set {name} to another one."
        ) from None


def _migrate(settings: Settings) -> None:
    db = Database(settings.database_url)
    try:
        schema.migrate(db)
    except DBAPIError as error:
        raise ConfigurationError(schema.unreachable(error)) from None
    finally:
        db.dispose()


def _run(settings: Settings) -> int:
    supervisor = Supervisor(_children(settings), grace=_GRACE)
    is_lost = threading.Event()

    def announce() -> None:
        if _wait_until_up(settings):
            print(_welcome(settings), flush=True)
        else:
            is_lost.set()
            supervisor.stop()

    threading.Thread(target=announce, name="announce", daemon=True).start()
    status = supervisor.run()
    if is_lost.is_set():
        print("kartramail: It did not come up. The lines above say why.", file=sys.stderr)
        return 1
    print("KartraMail has ended.", flush=True)
    return status


def _children(settings: Settings) -> list[Child]:
    env = {"BASE_URL": base_url(settings)}
    commands = {"web": ["web"], "worker": ["worker", "--grace", str(_WORKER_GRACE)]}
    if settings.has_practice_dns:
        commands = {"practice-dns": ["practice-dns"]} | commands
    if settings.has_catcher:
        commands = {"catcher": ["catcher"]} | commands
    return [Child(name, _command(*words), env) for name, words in commands.items()]


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", *words]


def base_url(settings: Settings) -> str:
    """BASE_URL as it is set; else the address that PORT makes, so that links in mail lead here."""
    if "base_url" in settings.model_fields_set or settings.port == _USUAL_PORT:
        return settings.base_url
    return f"http://127.0.0.1:{settings.port}"


def _wait_until_up(settings: Settings) -> bool:
    """Whether everything that can be asked answers, before patience ends."""
    ends_at = time.monotonic() + _START
    while time.monotonic() < ends_at:
        if _has_pages(settings.port) and all(map(_is_listening, _sandbox_ports(settings))):
            return True
        time.sleep(0.1)
    return False


def _has_pages(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _sandbox_ports(settings: Settings) -> list[int]:
    ports = [settings.catcher_port] if settings.has_catcher else []
    return [*ports, settings.practice_dns_port] if settings.has_practice_dns else ports


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def _welcome(settings: Settings) -> str:
    address = base_url(settings)
    lines = ["", "KartraMail is running.", "", f"  Pages       {address}"]
    if settings.has_catcher:
        lines.append(f"  Test inbox  {address}/catcher  (all mail lands there, none leaves)")
    else:
        host, port = settings.mail_host_and_port
        lines.append(f"  Mail goes   to {host}, port {port}")
    if settings.has_practice_dns:
        server = f"127.0.0.1:{settings.practice_dns_port}"
        lines.append(f"  Practice    {server}  (DNS of made-up domains that end in .test)")
    return "\n".join([*lines, "", "Ctrl-C ends it.", ""])
