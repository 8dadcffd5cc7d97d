"""Fifty people at the same instant, through the pages (R-PLACEHOLDER, R-SIGNUP)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlmodel import select

from kartramail.db import Database
from kartramail.senders.models import Placeholder, Sender
from tests.flows.test_first_story import PASSWORD
from tests.support.cast import post

MANY = 50


@pytest.mark.usefixtures("cheap_hashing")
def test_fifty_sign_ups_of_one_business_at_once_get_fifty_addresses(
    app: Flask, db: Database
) -> None:
    ready = Barrier(MANY)

    def sign_up(number: int) -> int:
        typed = {
            "business_name": "Doe Inc.",
            "full_name": "Jane Doe",
            "email": f"jane{number}@gmail.com",
            "password": PASSWORD,
        }
        client = app.test_client()
        ready.wait()
        return post(client, "/signup", typed).status_code

    with ThreadPoolExecutor(MANY) as pool:
        assert set(pool.map(sign_up, range(MANY))) == {303}
    with db.reading() as session:
        locals_ = list(session.exec(select(Placeholder.local)))
        senders = list(session.exec(select(Sender.send_from)))
    assert len(set(locals_)) == len(set(senders)) == MANY
    assert "doe-inc" in locals_
    assert all(local.startswith("doe-inc") for local in locals_)
