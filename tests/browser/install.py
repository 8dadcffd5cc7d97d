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

from tests.support.debian import install_debians, is_root_on_debian, runs

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
    if is_root_on_debian():
        ways.insert(0, _install_by_debian)
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


def _install_by_debian() -> bool:
    print("The browser for tests: installing Debian's chromium …", flush=True)
    return install_debians("chromium", "fonts-liberation")


def _install_by_playwright() -> bool:
    print("The browser for tests: installing Playwright's …", flush=True)
    command = [sys.executable, "-m", "playwright", "install"]
    with_libraries = ["--with-deps"] if os.geteuid() == 0 else []
    return runs(*command, *with_libraries, "chromium")


if __name__ == "__main__":
    install_chromium()
