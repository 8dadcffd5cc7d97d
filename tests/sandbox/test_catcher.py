"""The catcher takes mail as a real server does, and keeps it before it says so."""

import smtplib
from email.message import EmailMessage

import pytest

from kartramail.ids import read_id
from kartramail.sandbox.catcher import LARGEST
from kartramail.sandbox.inbox import Inbox


def message(subject: str = "Hello") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "jane@doeinc.com", "bob@example.com", subject
    made.set_content("Hello Bob\n")
    return made


def hand_over(client: smtplib.SMTP, data: bytes = b"Subject: Hi\r\n\r\nHi\r\n") -> bytes:
    """Send one message step by step; returns the words after 250."""
    client.ehlo_or_helo_if_needed()
    client.mail("bounce@kartra.com")
    client.rcpt("bob@example.com")
    code, words = client.data(data)
    assert code == 250
    return words


def test_it_names_the_message_in_its_answer(catcher_port: int, inbox: Inbox) -> None:
    with smtplib.SMTP("127.0.0.1", catcher_port) as client:
        words = hand_over(client)
    assert words.startswith(b"2.0.0 Ok: queued as ")
    letter_id = read_id(words.split()[-1].decode())
    assert letter_id == inbox.entries()[0].id


def test_it_keeps_every_byte_and_the_envelope(catcher_port: int, inbox: Inbox) -> None:
    data = b"Subject: Hi\r\n\r\n.a dot\r\n\r\n..two dots\r\n\xff\x00bytes\r\n"
    with smtplib.SMTP("127.0.0.1", catcher_port) as client:
        client.ehlo()
        client.mail("bounce@kartra.com")
        client.rcpt("a@example.com")
        client.rcpt("b@example.com")
        client.data(data)
    entry = inbox.entries()[0]
    assert entry.mail_from == "bounce@kartra.com"
    assert entry.rcpt_to == ("a@example.com", "b@example.com")
    assert inbox.source(entry.id) == data


def test_it_offers_what_mail_of_the_world_needs(catcher_port: int, inbox: Inbox) -> None:
    with smtplib.SMTP("127.0.0.1", catcher_port) as client:
        client.ehlo()
        assert client.has_extn("8bitmime")
        assert client.has_extn("smtputf8")
        assert client.esmtp_features["size"] == str(LARGEST)
        client.send_message(message("Grüße"), "jane@doeinc.com", ["zoë@bäckerei.example"])
    assert inbox.entries()[0].rcpt_to == ("zoë@bäckerei.example",)
    assert inbox.entries()[0].subject == "Grüße"


def test_it_refuses_what_is_too_large(catcher_port: int, inbox: Inbox) -> None:
    with smtplib.SMTP("127.0.0.1", catcher_port) as client:
        client.ehlo()
        code, _ = client.mail("jane@doeinc.com", [f"size={LARGEST + 1}"])
    assert code == 552
    assert inbox.count() == 0


def test_it_takes_nothing_that_it_could_not_keep(catcher_port: int, inbox: Inbox) -> None:
    """A 4xx, so that the message is sent again and not lost."""
    inbox.close()
    with (
        smtplib.SMTP("127.0.0.1", catcher_port) as client,
        pytest.raises(smtplib.SMTPDataError) as refused,
    ):
        client.send_message(message())
    assert refused.value.smtp_code == 451


def test_one_connection_carries_many(catcher_port: int, inbox: Inbox) -> None:
    with smtplib.SMTP("127.0.0.1", catcher_port) as client:
        for _ in range(20):
            hand_over(client)
    assert inbox.count() == 20
