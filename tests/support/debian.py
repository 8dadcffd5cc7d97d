"""Debian's packages, where root may install them: what the tests' `install.py` have in common."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Of Postfix only its test programs are wanted: without configuration no mail service starts.
_NO_MAIL_SERVICE = "postfix postfix/main_mailer_type select No configuration\n"


def is_root_on_debian() -> bool:
    """Whether Debian's packages can be installed."""
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    return os.geteuid() == 0 and "ID=debian" in lines and shutil.which("apt-get") is not None


def install_debians(*packages: str) -> bool:
    """Install them, and nothing that they only recommend; whether that went well."""
    if "postfix" in packages and shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections"], input=_NO_MAIL_SERVICE, text=True, check=False)
    return runs("apt-get", "update", "-q") and runs(
        "apt-get", "install", "-q", "-y", "--no-install-recommends", *packages
    )


def runs(*command: str) -> bool:
    """Whether the command ends well; what it said is shown where it does not. Asks no questions."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if answer.returncode != 0:
        print(answer.stdout.decode(errors="replace"), file=sys.stderr)
    return answer.returncode == 0
