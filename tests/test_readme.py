"""What the README tells a newcomer to type works with the settings that it tells of."""

import json
import re
import shlex
from pathlib import Path

from kartramail import create_app
from kartramail.cli import commands
from kartramail.config import ROOT, Settings
from kartramail.db import Database
from tests.conftest import make_settings


def test_the_account_of_the_readme_can_be_made(database_url: str) -> None:
    readme = (ROOT / "README.md").read_text().replace("\\\n", " ")
    command = re.search(r"kartramail create-account --business .*--api-key", readme)
    assert command is not None
    app = create_app(make_settings(database_url, allow_special_use_domains=False))
    done = app.test_cli_runner().invoke(args=shlex.split(command[0]))
    installation = app.extensions["kartramail"]
    assert isinstance(installation.db, Database)
    installation.db.dispose()
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["api_key"].startswith("km_")


def test_the_readme_names_every_setting_and_no_other() -> None:
    section = (ROOT / "README.md").read_text().split("## Settings")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", " ".join(rows)))
    named |= set(re.findall(r"`([A-Z][A-Z_]+)`", section.partition("These names are")[2]))
    known = {name.upper() for name in Settings.model_fields}
    assert known <= named
    assert named - known == set()


def test_the_readme_names_every_command_and_no_other(tmp_path: Path) -> None:
    create_app(make_settings(f"sqlite:///{tmp_path}/none.db"))  # which brings the commands
    section = (ROOT / "README.md").read_text().split("## Run it on a server")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `flask")]
    named = set(re.findall(r"`(?:flask kartramail|…) ([a-z-]+)", " ".join(rows)))
    assert named == set(commands.commands)
