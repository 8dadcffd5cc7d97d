"""What pages say of a message whose address and words are gone (R-LOG)."""

import pytest
from lxml import html
from sqlmodel import col, update

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.onboarding.checklist import read_situation
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.senders.models import Gateway
from tests.support.cast import Actor
from tests.support.old_messages import ERASED, grow_old
from tests.support.outbox import add_messages


def test_its_page_says_what_it_was_and_what_became_of_it(db: Database, alice: Actor) -> None:
    path = f"/activity/{show_id(grow_old(db, alice.account_id))}"
    for part in ("", "/text", "/headers", "/state"):
        answer = alice.get(path + part)
        assert answer.status_code == 200
        words = " ".join(html.fromstring(answer.text).text_content().split())
        assert "Sent" in words
        assert "alice@doeinc.com" in words
        assert "r0@" not in answer.text
        if part != "/state":
            assert ERASED in words
            assert "To somebody at example.net" in words
    assert alice.get(f"{path}/html").status_code == 404


@pytest.mark.parametrize("state", [MessageState.BOUNCED, MessageState.FAILED])
def test_its_page_advises_nothing_that_cannot_be_done(
    db: Database, alice: Actor, state: MessageState
) -> None:
    number = grow_old(db, alice.account_id, state=state, sent_at=None)
    words = alice.get(f"/activity/{show_id(number)}").text
    assert ERASED in words
    assert "Read what the mail server said" not in words
    assert "Tell whoever runs this system" not in words


def test_nobody_else_and_no_platform_mail(db: Database, alice: Actor, charlie: Actor) -> None:
    path = f"/activity/{show_id(grow_old(db, alice.account_id))}"
    assert charlie.get(path).status_code == 404
    platform = grow_old(db, charlie.account_id, source_kind=SourceKind.PLATFORM, id=5)
    assert charlie.get(f"/activity/{show_id(platform)}").status_code == 404
    assert "are not listed" not in charlie.get("/activity").text


def test_the_end_of_the_list_says_where_the_older_ones_are(db: Database, alice: Actor) -> None:
    with_none = alice.get("/activity").text
    grow_old(db, alice.account_id)
    assert "No message has left yet" in with_none
    assert "are not listed" not in with_none
    with_old = alice.get("/activity").text
    assert "No message has left yet" not in with_old
    assert "ended more than 90 days ago are not listed" in with_old
    with db.transaction() as session:
        add_messages(session, alice.account_id, 51)
    assert "are not listed" not in alice.get("/activity").text  # there is a next page
    last = html.fromstring(alice.get("/activity").text).xpath("//a[.='Older messages']/@href")
    assert "are not listed" in alice.get(last[0]).text


def test_a_test_that_was_accepted_stays_done(
    db: Database, alice: Actor, installation: Installation
) -> None:
    number = grow_old(db, alice.account_id, source_kind=SourceKind.TEST, content_id=None)
    with db.transaction() as session:
        session.connection().execute(
            update(Gateway)
            .where(col(Gateway.account_id) == alice.account_id)
            .values(last_test_message_id=number)
        )
    with db.reading() as session:
        domain = installation.settings.platform_domain
        situation = read_situation(session, alice.account_id, domain)
    assert situation.is_tested
    assert situation.last_test is not None
    assert situation.last_test.state is MessageState.SENT
    assert situation.last_test.is_final
    assert alice.get("/settings/integrations").status_code == 200
