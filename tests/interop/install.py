"""Bring the tools that judge our work, verifiers and servers: `python -m tests.interop.install`.

What is already there is taken as it is. Else, as root on Debian, its packages; mailauth comes by
npm from the lock file beside it, wherever npm is. Says in one line what it did. Without root or
Debian the tests that ask for a missing tool are skipped, and say so.
"""

import os
import shutil
import subprocess
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
    is_root_on_debian,
)

_PACKAGES = {
    OPENDKIM: "opendkim",
    TESTKEY: "opendkim-tools",
    PERL_MODULE: "libmail-dkim-perl",
    NSD: "nsd",
    SMTP_SINK: "postfix",
}
# Of Postfix only its test server is wanted: without configuration no mail service starts.
_NO_MAIL_SERVICE = "postfix postfix/main_mailer_type select No configuration\n"
_NPM_CI = ("npm", "ci", "--ignore-scripts", "--omit=dev", "--omit=optional", "--no-audit")


def install_tools() -> None:
    """Make sure that they are there. Ends the program where root on Debian does not get them."""
    missing = [name for name in TOOLS if not has_tool(name)]
    if not missing:
        print(f"The tools for tests: {', '.join(TOOLS)}, which were here already.")
        return
    print(f"The tools for tests: installing {', '.join(missing)} …", flush=True)
    if is_root_on_debian():
        _install_debians(missing)
    if MAILAUTH_PACKAGE in missing and shutil.which("npm"):
        _runs(*_NPM_CI, "--no-fund", f"--prefix={MAILAUTH}")
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


def _install_debians(missing: list[str]) -> None:
    packages = [_PACKAGES[name] for name in missing if name in _PACKAGES]
    if MAILAUTH_PACKAGE in missing and not shutil.which("npm"):
        packages += ["nodejs", "npm"]
    if "postfix" in packages and shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections"], input=_NO_MAIL_SERVICE, text=True, check=False)
    if packages and _runs("apt-get", "update", "-q"):
        _runs("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)


def _runs(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if answer.returncode != 0:
        print(answer.stdout.decode(errors="replace"), file=sys.stderr)
    return answer.returncode == 0


if __name__ == "__main__":
    install_tools()
