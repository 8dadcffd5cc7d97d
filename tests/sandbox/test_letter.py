"""Mail is taken apart, however broken it is."""

from email.message import EmailMessage

import pytest

from kartramail.sandbox.letter import read_letter, split_links, summarize
from tests.sandbox.hostile import HOSTILE


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mail_is_read_without_an_exception(raw: bytes) -> None:
    letter = read_letter(raw)
    shown = [letter.text or "", letter.html or "", *summarize(raw)]
    shown += [word for header in letter.headers for word in header]
    shown += [attachment.name for attachment in letter.attachments]
    for words in shown:
        words.encode()  # a page can hold it


def whole_message() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Zoë <zoe@doeinc.com>"
    message["Subject"] = "Grüße aus der Bäckerei"
    message.set_content("Hallo\n")
    message.add_alternative("<p>Hallo</p>", subtype="html")
    message.add_attachment(b"\x00\x01", "application", "pdf", filename="Rechnung.pdf")
    return message


def test_it_finds_the_bodies_and_the_attachments() -> None:
    letter = read_letter(whole_message().as_bytes())
    assert letter.text == "Hallo\n"
    assert letter.html == "<p>Hallo</p>\n"
    assert [(a.name, a.content_type, a.data) for a in letter.attachments] == [
        ("Rechnung.pdf", "application/pdf", b"\x00\x01")
    ]
    assert letter.header("subject") == "Grüße aus der Bäckerei"
    assert summarize(whole_message().as_bytes()) == (
        "Zoë <zoe@doeinc.com>",
        "Grüße aus der Bäckerei",
    )


def test_text_with_a_file_name_is_an_attachment() -> None:
    message = EmailMessage()
    message.add_attachment("not the body", filename="notes.txt")
    letter = read_letter(message.as_bytes())
    assert letter.text is None
    assert letter.attachments[0].name == "notes.txt"


def test_a_message_within_is_an_attachment() -> None:
    outer = EmailMessage()
    outer.set_content("See below\n")
    outer.add_attachment(whole_message())
    letter = read_letter(outer.as_bytes())
    assert letter.text == "See below\n"
    assert b"Rechnung.pdf" in letter.attachments[0].data


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\evil.exe", "C__evil.exe"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("...", "attachment-1"),
        (".bashrc", "bashrc"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_a_file_name_is_only_a_name(given: str, safe: str) -> None:
    message = EmailMessage()
    message.add_attachment(b"x", "application", "pdf", filename=given)
    assert read_letter(message.as_bytes()).attachments[0].name == safe


BASE = "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (f"Confirm: {BASE}/confirm/abc-_1.", [f"{BASE}/confirm/abc-_1"]),
        (f"<{BASE}/a?b=c&d=e>", [f"{BASE}/a?b=c&d=e"]),
        (f"{BASE}/a\r\n{BASE}/b", [f"{BASE}/a", f"{BASE}/b"]),
        (f"{BASE}.evil.example/a {BASE}@evil.example/a {BASE}1/a", []),
        ("http://elsewhere.example/a javascript:alert(1)", []),
        ("", []),
    ],
)
def test_only_links_of_this_installation_can_be_followed(text: str, links: list[str]) -> None:
    pieces = split_links(text, BASE)
    assert [href for _, href in pieces if href] == links
    assert "".join(piece for piece, _ in pieces) == text
