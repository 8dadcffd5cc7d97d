"""What four verifiers say of messages, each asked once for many."""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dkim

from tests.interop.tools import (
    MAIL_DKIM,
    MAILAUTH,
    MAILAUTH_PACKAGE,
    OPENDKIM,
    PERL_MODULE,
    find_program,
    need_tool,
)

Keys = Mapping[str, str]
"""Host of a selector → key record. The only DNS that the verifiers have."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the one signature of a message is good, and which domain made it."""

    is_good: bool
    domain: str
    words: str = ""


Verifier = Callable[[Sequence[bytes], Keys, Path], list[Judgement]]


def ask_dkimpy(messages: Sequence[bytes], keys: Keys, _folder: Path) -> list[Judgement]:
    def answer(name: bytes, timeout: float = 5) -> bytes | None:
        value = keys.get(name.decode().rstrip(".").lower())
        return None if value is None else value.encode()

    judgements = []
    for message in messages:
        verifier = dkim.DKIM(message)
        try:
            is_good, words = verifier.verify(dnsfunc=answer), ""
        except dkim.DKIMException as error:
            is_good, words = False, str(error)
        domain = (verifier.signature_fields or {}).get(b"d", b"").decode()
        judgements.append(Judgement(is_good, domain, words))
    return judgements


_VERIFIED = re.compile(r"opendkim: (\S+): verification \(s=\S+, d=(\S+), .*\) succeeded")
_NOT_VERIFIED = re.compile(r"opendkim: (\S+): (.+)")


def ask_opendkim(messages: Sequence[bytes], keys: Keys, folder: Path) -> list[Judgement]:
    """OpenDKIM in its test mode, with the key records from a file."""
    need_tool(OPENDKIM)
    names = _write(messages, keys, folder)
    settings = folder / "opendkim.conf"
    settings.write_text(f"Mode v\nTestPublicKeys {folder / 'keys'}\n")
    command = (str(find_program(OPENDKIM)), "-x", str(settings), "-t", ",".join(names))
    judgements = {}
    for line in _lines_of(command, folder):
        if match := _VERIFIED.fullmatch(line):
            judgements[match[1]] = Judgement(is_good=True, domain=match[2])
        elif match := _NOT_VERIFIED.fullmatch(line):
            judgements[match[1]] = Judgement(is_good=False, domain="", words=match[2])
    return [judgements[name] for name in names]


def ask_mail_dkim(messages: Sequence[bytes], keys: Keys, folder: Path) -> list[Judgement]:
    """Perl's Mail::DKIM by a script of ours, with a resolver that has only these records."""
    need_tool(PERL_MODULE)
    return _ask_script(("perl", str(MAIL_DKIM / "verify.pl")), messages, keys, folder)


def ask_mailauth(messages: Sequence[bytes], keys: Keys, folder: Path) -> list[Judgement]:
    """mailauth of npm by a script of ours, with a resolver that has only these records.

    It also works out alignment with From itself: what does not align is not good here.
    """
    need_tool(MAILAUTH_PACKAGE)
    script = ("node", str(MAILAUTH / "verify.cjs"))
    return _ask_script(script, messages, keys, folder)


VERIFIERS: dict[str, Verifier] = {
    "dkimpy": ask_dkimpy,
    "OpenDKIM": ask_opendkim,
    "Mail::DKIM": ask_mail_dkim,
    "mailauth": ask_mailauth,
}


def _ask_script(
    script: Sequence[str], messages: Sequence[bytes], keys: Keys, folder: Path
) -> list[Judgement]:
    names = _write(messages, keys, folder)
    judgements = {}
    for line in _lines_of((*script, str(folder / "keys"), str(folder)), folder):
        name, result, domain, *aligned = line.split("\t")
        is_good = result == "pass" and aligned in ([], [domain])
        judgements[name] = Judgement(is_good, domain, "\t".join((result, *aligned)))
    return [judgements[name] for name in names]


def _write(messages: Sequence[bytes], keys: Keys, folder: Path) -> list[str]:
    """Put messages and keys where the verifiers read them; returns the messages' file names."""
    folder.mkdir(parents=True)
    names = [f"{number:04}.eml" for number in range(len(messages))]
    for name, message in zip(names, messages, strict=True):
        (folder / name).write_bytes(message)
    (folder / "keys").write_text("".join(f"{host} {value}\n" for host, value in keys.items()))
    return names


def _lines_of(command: Sequence[str], folder: Path) -> list[str]:
    answer = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return [*answer.stdout.splitlines(), *answer.stderr.splitlines()]
