"""Bring the peers that `make bench` measures: `python -m tests.benchmarks.install`.

What is already there is taken as it is. Else, as root on Debian, its packages (Node.js, npm, and
Postfix for its smtp-sink and smtp-source); nodemailer by npm from the lock file beside it;
django-post_office into an environment of its own under the user's cache. What cannot be had is said
in one line, and the benchmark goes without it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.sinks import find_postfix_tool
from tests.interop.tools import is_root_on_debian

HERE = Path(__file__).parent
NODEMAILER = HERE / "nodemailer"
_REQUIREMENTS = HERE / "post_office" / "requirements.txt"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kartramail-benchmarks"
_NPM_CI = ("npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund")
_NO_MAIL_SERVER = "postfix postfix/main_mailer_type select No configuration\n"


def find_node() -> str | None:
    """The program `node`, where nodemailer is installed as its lock file says; else None."""
    installed = NODEMAILER / "node_modules" / ".package-lock.json"
    if not installed.exists():
        return None
    locked = _nodemailer_of(NODEMAILER / "package-lock.json")
    return shutil.which("node") if _nodemailer_of(installed) == locked else None


def nodemailer_version() -> str:
    """As locked."""
    return str(_nodemailer_of(NODEMAILER / "package-lock.json")["version"])


def _nodemailer_of(lock: Path) -> dict[str, object]:
    package = json.loads(lock.read_text())["packages"]["node_modules/nodemailer"]
    return {name: package[name] for name in ("version", "integrity")}


def post_office_python() -> Path | None:
    """The interpreter of django-post_office's environment; None where it is not installed."""
    return _interpreter() if (_environment() / "installed").exists() else None


def _environment() -> Path:
    """One for these requirements and this Python."""
    wanted = f"{sys.version_info[:2]}".encode() + _REQUIREMENTS.read_bytes()
    return _CACHE / f"post-office-{hashlib.sha256(wanted).hexdigest()[:12]}"


def _interpreter() -> Path:
    return _environment() / "bin" / "python"


def install_peers() -> None:
    """Make sure that they are there, as far as that is possible here."""
    _install_debians()
    if find_node() is None and shutil.which("npm"):
        _runs(*_NPM_CI, f"--prefix={NODEMAILER}")
    if post_office_python() is None:
        _install_post_office()
    here = {
        "smtp-sink and smtp-source": find_postfix_tool("smtp-sink"),
        "nodemailer": find_node(),
        "django-post_office": post_office_python(),
    }
    missing = ", ".join(name for name, found in here.items() if not found)
    print(f"The peers of the benchmarks: {f'without {missing}' if missing else 'all are here'}.")


def _install_debians() -> None:
    packages = [] if find_postfix_tool("smtp-sink") else ["postfix"]
    if not shutil.which("node") or not shutil.which("npm"):
        packages += ["nodejs", "npm"]
    if not packages or not is_root_on_debian():
        return
    if "postfix" in packages and shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections"], input=_NO_MAIL_SERVER, text=True, check=False)
    if _runs("apt-get", "update", "-q"):
        _runs("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)


def _install_post_office() -> None:
    environment, pip = _environment(), (str(_interpreter()), "-m", "pip", "install", "--quiet")
    made = _runs(sys.executable, "-m", "venv", "--clear", str(environment))
    if made and _runs(*pip, "--require-hashes", "-r", str(_REQUIREMENTS)):
        (environment / "installed").touch()


def _runs(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if answer.returncode != 0:
        print(answer.stdout.decode(errors="replace"), file=sys.stderr)
    return answer.returncode == 0


if __name__ == "__main__":
    install_peers()
