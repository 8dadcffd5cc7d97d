"""The tools of other hands: where they are on this machine, and what is to be done without."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.debian import is_root_on_debian

HERE = Path(__file__).parent
MAILAUTH = HERE / "mailauth"
MAIL_DKIM = HERE / "mail_dkim"

OPENDKIM, TESTKEY, PERL_MODULE, MAILAUTH_PACKAGE, NSD, SMTP_SINK = (
    "opendkim",
    "opendkim-testkey",
    "Mail::DKIM",
    "mailauth",
    "nsd",
    "smtp-sink",
)
TOOLS = (OPENDKIM, TESTKEY, PERL_MODULE, MAILAUTH_PACKAGE, NSD, SMTP_SINK)


def find_program(name: str) -> str | None:
    """The path of a program; daemons are not on everybody's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")


def has_tool(name: str) -> bool:
    """Whether a tool of `TOOLS` is here and ready."""
    if name == PERL_MODULE:
        return _runs("perl", "-MMail::DKIM::Verifier", "-MNet::DNS", "-e", "1")
    if name == MAILAUTH_PACKAGE:
        return find_program("node") is not None and is_locked_mailauth_installed()
    return find_program(name) is not None


def is_locked_mailauth_installed() -> bool:
    """Whether what npm installed is what the lock file says."""
    installed = MAILAUTH / "node_modules" / ".package-lock.json"
    if not installed.exists():
        return False
    locked = json.loads((MAILAUTH / "package-lock.json").read_text())["packages"]
    there = json.loads(installed.read_text())["packages"]
    return all(
        there.get(path, {}).get("integrity") == package.get("integrity")
        for path, package in locked.items()
        if path and not package.get("optional") and not package.get("dev")
    )


def need_tool(name: str) -> None:
    """Skip the test that asks for a tool which cannot be had here.

    As root on Debian there is no reason to be without it: there the test fails.
    """
    if has_tool(name):
        return
    if is_root_on_debian():
        pytest.fail(f"{name} is missing: run `python -m tests.interop.install`")
    pytest.skip(f"{name} is not here; `python -m tests.interop.install` brings it where it can")


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
