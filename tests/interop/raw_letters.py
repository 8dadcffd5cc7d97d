"""Forty messages by hand: what our builder never makes, and others may hand to the signer.

Attachments, 8-bit text and headers, repeated fields, odd folding and bodies. All of them have one
From at doeinc.test and CRLF as the only line end, as everything that reaches the transport.
"""

import random
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

FROM = b"From: Alice <alice@doeinc.test>\r\n"
TO = b"To: bob@example.net\r\n"
SUBJECT = b"Subject: Hi\r\n"
DATE = b"Date: Mon, 09 Mar 2026 08:07:06 +0000\r\n"
HEAD = FROM + TO + SUBJECT + DATE + b"Message-ID: <1@doeinc.test>\r\n"
MIME = b"MIME-Version: 1.0\r\n"
EIGHT_BIT = MIME + b"Content-Type: text/plain; charset=%b\r\nContent-Transfer-Encoding: 8bit\r\n"
BODY = b"\r\nHello Bob,\r\n\r\nall is well.\r\n"


def raw_letters() -> Iterator[tuple[str, bytes]]:
    """Each with what it is good for."""
    yield from BODIES.items()
    yield from HEADERS.items()
    for name, size in (("a small", 10), ("a large", 60_000), ("an empty", 0)):
        yield f"{name} attachment", _with_attachment(size)
    yield "a message in a message", _with_message()
    yield "a picture within HTML", _with_picture()


BODIES = {
    "UTF-8 as 8 bit": HEAD + EIGHT_BIT % b"utf-8" + b"\r\n" + "Grüße, 您好 👋\r\n".encode() * 20,
    "Latin 1 as 8 bit": HEAD
    + EIGHT_BIT % b"iso-8859-1"
    + b"\r\nCaf\xe9  cr\xe8me\xa0\r\n \xa0\r\n",
    "octets that are no text": HEAD
    + EIGHT_BIT % b"x-unknown"
    + b"\r\n"
    + bytes(octet for octet in range(1, 256) if octet not in b"\r\n")
    + b"\r\n",
    "no body": HEAD,
    "an empty body": HEAD + b"\r\n",
    "one empty line": HEAD + b"\r\n\r\n",
    "many empty lines": HEAD + b"\r\n" * 60,
    "only blanks": HEAD + b"\r\n \t \r\n\t\r\n   \r\n",
    "empty lines first": HEAD + b"\r\n\r\n\r\n\r\nx\r\n",
    "blanks in rows": HEAD + b"\r\nx  y\tz \t w\r\n\t\tv   \r\n  u\r\n" + b" " * 500 + b"t\r\n",
    "blank lines at the end": HEAD + b"\r\nx\r\n \r\n\t\r\n\r\n \t \r\n",
    "form feeds": HEAD + b"\r\nx \x0c y\x0b\r\n\x0c\r\n \x0b \r\n",
    "dots": HEAD + b"\r\n.\r\n..\r\n...\r\n.x\r\n. \r\n .\r\n.\t.\r\n\r\n.\r\n",
    "a dot at the end": HEAD + b"\r\nx\r\n.\r\n",
    "SMTP in the body": HEAD + b"\r\n.\r\nMAIL FROM:<c@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\r\n.\r\n",
    "a line of 998": HEAD + b"\r\n" + b"x" * 998 + b"\r\n" + b"y " * 499 + b"\r\n",
    "a dot before a line of 997": HEAD + b"\r\n." + b"x" * 997 + b"\r\n",
    "a long body": HEAD + b"\r\n" + b"The same sentence, again and again.\r\n" * 4000,
    "lines of From": HEAD + b"\r\nFrom x\r\n>From x\r\nFrom: charlie@evil.example\r\n",
    "a header in the body": HEAD + b"\r\n" + HEAD + BODY,
}

HEADERS = {
    "From alone": FROM + BODY,
    "From last": TO + SUBJECT + DATE + FROM + BODY,
    "two of a kind": HEAD + b"To: carol@example.net\r\nTo: dan@example.net\r\n" + BODY,
    "two subjects": b"Subject: First\r\n" + HEAD + BODY,
    "repeated, in other letters": b"REFERENCES: <1@x>\r\n" + HEAD + b"references: <2@x>\r\n" + BODY,
    "received fields": b"Received: by a\r\n" * 3 + HEAD + b"Received: by b\r\n" + BODY,
    "names in all letters": HEAD.replace(b"From:", b"FROM:").replace(b"To:", b"tO:") + BODY,
    "no blank after the colon": HEAD.replace(b": ", b":") + BODY,
    "folded before the value": HEAD.replace(b"Subject: ", b"Subject:\r\n ") + BODY,
    "folded by tabs": HEAD.replace(b"Subject: Hi", b"Subject: a\r\n\tb\r\n\t \tc \t") + BODY,
    "folded within an address": HEAD.replace(b"Alice <", b"Alice\r\n\t <") + BODY,
    "blanks at the ends": HEAD.replace(b": Hi", b": \t Hi  there \t ") + BODY,
    "an empty subject": HEAD.replace(b"Subject: Hi", b"Subject:") + BODY,
    "8-bit headers": HEAD.replace(b"Hi", "Grüße".encode()) + b"X-Tag: caf\xe9\r\n" + BODY,
    "long lines in the header": HEAD.replace(b"Hi", b"word " * 190 + b"x") + BODY,
}


def _letter(body: str = "See what is with it.\n") -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = "Alice <alice@doeinc.test>"
    letter["To"] = "Bob <bob@example.net>, Çağla <c@example.net>"
    letter["Cc"] = "dan@example.net"
    letter["Subject"] = "Die Unterlagen für Grönland, und mehr als auf eine Zeile passen will"
    letter["Date"] = "Mon, 09 Mar 2026 08:07:06 +0000"
    letter.set_content(body)
    return letter


def _octets(letter: EmailMessage) -> bytes:
    boundaries = (part for part in letter.walk() if part.is_multipart())
    for number, part in enumerate(boundaries):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_by_hand_{number}")  # Python's own differs in each run
    return letter.as_bytes()


def _with_attachment(size: int) -> bytes:
    letter = _letter()
    content = random.Random(size).randbytes(size)
    letter.add_attachment(content, "application", "pdf", filename="Prüfung  (1).pdf")
    return _octets(letter)


def _with_message() -> bytes:
    letter = _letter("Forwarded:\n\n.\n")
    letter.add_attachment(_letter("The first  one \n.\n"))
    return _octets(letter)


def _with_picture() -> bytes:
    letter = _letter()
    letter.add_alternative('<p>Größe:\t<img src="cid:1"></p>\n' * 30, subtype="html")
    html = letter.get_payload(1)
    html.add_related(random.Random(1).randbytes(3000), "image", "png", cid="<1>")
    return _octets(letter)
