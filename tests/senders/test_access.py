"""R-SAFE: each route, to a stranger, and without a token."""

import pytest
from flask.testing import FlaskClient

from tests.support.cast import Actor, post

PAGES = [
    "/settings/integrations",
    "/settings/integrations/kartramail/edit",
    "/settings/integrations/kartramail/progress/0000000000001",
    "/settings/domains",
    "/help",
    "/help/streams",
]
CHANGES = [
    "/settings/integrations/kartramail/test",
    "/settings/integrations/kartramail/sample",
    "/settings/integrations/kartramail/send-link",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_asked_to_sign_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert "/login" in answer.location


@pytest.mark.parametrize("path", CHANGES)
def test_a_stranger_changes_nothing(client: FlaskClient, path: str) -> None:
    assert post(client, path).status_code == 302


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_without_token_is_refused(alice: Actor, path: str) -> None:
    assert alice.client.post(path).status_code == 400


@pytest.mark.parametrize("path", CHANGES)
def test_a_link_changes_nothing(alice: Actor, path: str) -> None:
    assert alice.get(path).status_code == 405
