"""Bring the browser that the tests drive: `python -m tests.browser.install`.

A browser that is already there is taken as it is. Else, as root on Debian, its own package; else
the one that Playwright brings. Says in one line what it did.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@cache
def find_chromium() -> str | None:
    """The path of a Chromium that starts, or None. Fixtures hand it to Playwright."""
    known = (path for name in _NAMES if (path := shutil.which(name)))
    return next((path for path in chain(known, _playwrights_own()) if _starts(path)), None)


def install_chromium() -> str:
    """Make sure that there is one; returns its path. Ends the program where that fails."""
    found = find_chromium()
    if found:
        print(f"The browser for tests: {found}, which was here already.")
        return found
    ways = [_install_by_playwright]
    if _is_root_on_debian():
        ways.insert(0, _install_debians)
    for way in ways:
        is_done = way()
        find_chromium.cache_clear()
        found = find_chromium()
        if is_done and found:
            print(f"The browser for tests: {found}, installed now.")
            return found
    sys.exit("No browser for tests: install Chromium, so that `chromium --version` answers.")


def _playwrights_own() -> Iterator[str]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def _starts(path: str) -> bool:
    """Ubuntu's `chromium-browser` may be a stub that only asks for a snap."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and b"Chrom" in answer.stdout


def _is_root_on_debian() -> bool:
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    return os.geteuid() == 0 and "ID=debian" in lines and shutil.which("apt-get") is not None


def _install_debians() -> bool:
    print("The browser for tests: installing Debian's chromium …", flush=True)
    return _runs("apt-get", "update", "-q") and _runs(
        "apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-liberation"
    )


def _install_by_playwright() -> bool:
    print("The browser for tests: installing Playwright's …", flush=True)
    command = [sys.executable, "-m", "playwright", "install"]
    with_libraries = ["--with-deps"] if os.geteuid() == 0 else []
    return _runs(*command, *with_libraries, "chromium")


def _runs(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if answer.returncode != 0:
        print(answer.stdout.decode(errors="replace"), file=sys.stderr)
    return answer.returncode == 0


if __name__ == "__main__":
    install_chromium()
