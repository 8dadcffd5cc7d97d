"""Whether a part of a page is wanted, or a page: one answer for all views."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kartramail.web.fragments import wants_fragment
from tests.test_architecture import modules

BOOSTED = {"HX-Request": "true", "HX-Boosted": "true"}


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "false"}, False),
        (BOOSTED, False),
        ({"HX-Boosted": "true"}, False),
    ],
)
def test_htmx_wants_a_part_unless_it_follows_a_link(
    app: Flask, headers: dict[str, str], wanted: bool
) -> None:
    with app.test_request_context("/", headers=headers):
        assert wants_fragment() is wanted


def test_who_is_not_signed_in_and_follows_a_link_is_led_to_the_way_in(client: FlaskClient) -> None:
    assert client.get("/activity", headers={"HX-Request": "true"}).status_code == 401
    followed = client.get("/activity", headers=BOOSTED)
    assert followed.status_code == 302
    assert followed.headers["Location"].startswith("/login")


def test_no_view_has_a_check_of_its_own() -> None:
    own = re.compile(r"request\.htmx|headers.*HX-(Request|Boosted)|HX-(Request|Boosted).*headers")
    found = {module for module, path in modules() if own.search(path.read_text())}
    assert found == {"kartramail.web.fragments"}
