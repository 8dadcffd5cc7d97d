"""What the README tells a newcomer to type works with the settings that it tells of."""

import json
import re
import shlex

from kartramail import create_app
from kartramail.config import ROOT
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
