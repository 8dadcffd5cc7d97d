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
import sys
from pathlib import Path

from tests.benchmarks.sinks import find_postfix_tool
from tests.support.debian import install_debians, is_root_on_debian, runs

HERE = Path(__file__).parent
NODEMAILER = HERE / "nodemailer"
_REQUIREMENTS = HERE / "post_office" / "requirements.txt"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kartramail-benchmarks"
_NPM_CI = ("npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund")


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
    _install_packages()
    if find_node() is None and shutil.which("npm"):
        runs(*_NPM_CI, f"--prefix={NODEMAILER}")
    if post_office_python() is None:
        _install_post_office()
    here = {
        "smtp-sink and smtp-source": find_postfix_tool("smtp-sink"),
        "nodemailer": find_node(),
        "django-post_office": post_office_python(),
    }
    missing = ", ".join(name for name, found in here.items() if not found)
    print(f"The peers of the benchmarks: {f'without {missing}' if missing else 'all are here'}.")


def _install_packages() -> None:
    packages = [] if find_postfix_tool("smtp-sink") else ["postfix"]
    if not shutil.which("node") or not shutil.which("npm"):
        packages += ["nodejs", "npm"]
    if packages and is_root_on_debian():
        install_debians(*packages)


def _install_post_office() -> None:
    environment, pip = _environment(), (str(_interpreter()), "-m", "pip", "install", "--quiet")
    made = runs(sys.executable, "-m", "venv", "--clear", str(environment))
    if made and runs(*pip, "--require-hashes", "-r", str(_REQUIREMENTS)):
        (environment / "installed").touch()


if __name__ == "__main__":
    install_peers()
