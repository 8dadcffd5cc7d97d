"""Bring the tools that judge our work, verifiers and servers: `python -m tests.interop.install`.

What is already there is taken as it is. Else, as root on Debian, its packages; mailauth comes by
npm from the lock file beside it, wherever npm is. Says in one line what it did. Without root or
Debian the tests that ask for a missing tool are skipped, and say so.
"""

import shutil
import sys

from tests.interop.tools import (
    MAILAUTH,
    MAILAUTH_PACKAGE,
    NSD,
    OPENDKIM,
    PERL_MODULE,
    SMTP_SINK,
    TESTKEY,
    TOOLS,
    has_tool,
)
from tests.support.debian import install_debians, is_root_on_debian, runs

_PACKAGES = {
    OPENDKIM: "opendkim",
    TESTKEY: "opendkim-tools",
    PERL_MODULE: "libmail-dkim-perl",
    NSD: "nsd",
    SMTP_SINK: "postfix",
}
_NPM_CI = ("npm", "ci", "--ignore-scripts", "--omit=dev", "--omit=optional", "--no-audit")


def install_tools() -> None:
    """Make sure that they are there. Ends the program where root on Debian does not get them."""
    missing = [name for name in TOOLS if not has_tool(name)]
    if not missing:
        print(f"The tools for tests: {', '.join(TOOLS)}, which were here already.")
        return
    print(f"The tools for tests: installing {', '.join(missing)} …", flush=True)
    if is_root_on_debian():
        _install_packages_of(missing)
    if MAILAUTH_PACKAGE in missing and shutil.which("npm"):
        runs(*_NPM_CI, "--no-fund", f"--prefix={MAILAUTH}")
    still_missing = [name for name in TOOLS if not has_tool(name)]
    if not still_missing:
        print(f"The tools for tests: {', '.join(missing)}, installed now.")
    elif is_root_on_debian():
        sys.exit(f"Tools for tests that could not be installed: {', '.join(still_missing)}.")
    else:
        print(
            f"The tools for tests: without {', '.join(still_missing)}, whose tests are "
            "skipped; as root on Debian they are installed."
        )


def _install_packages_of(missing: list[str]) -> None:
    packages = [_PACKAGES[name] for name in missing if name in _PACKAGES]
    if MAILAUTH_PACKAGE in missing and not shutil.which("npm"):
        packages += ["nodejs", "npm"]
    if packages:
        install_debians(*packages)


if __name__ == "__main__":
    install_tools()
