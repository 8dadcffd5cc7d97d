"""Our words for each notification: what is sent until somebody writes their own (R-GLOBAL).

They lie in templates/notification_mail/<type>/: `subject.txt`, `preview.html` (what an inbox shows
behind the subject), `body.html`, and `body.txt` where the text is not made from the HTML. All are
Liquid; the HTML stands in `_layout.html`.
"""

from functools import cache

from kartramail.config import ROOT
from kartramail.messages.words import finish_words
from kartramail.outbox.contents import Words

FOLDER = ROOT / "templates" / "notification_mail"

_PLACES = ("preview", "body")


@cache
def default_source(type_name: str) -> Words:
    """Subject, text and HTML as they are written; text is None where it is made from the HTML."""
    folder = FOLDER / type_name
    subject = (folder / "subject.txt").read_text(encoding="utf-8").strip()
    html = (FOLDER / "_layout.html").read_text(encoding="utf-8")
    for place in _PLACES:
        words = (folder / f"{place}.html").read_text(encoding="utf-8")
        html = html.replace(f"<!-- {place} -->\n", words)
    text = folder / "body.txt"
    return subject, text.read_text(encoding="utf-8") if text.exists() else None, html


@cache
def default_words(type_name: str) -> Words:
    """The same, ready to be sent."""
    return finish_words(default_source(type_name))
