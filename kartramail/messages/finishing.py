"""Requests of programs made ready for their way out: HTML sanitised, its text made (R-VARS)."""

from collections.abc import Sequence
from dataclasses import replace

from kartramail.adapters.mail_html import is_plain
from kartramail.errors import TemplateError
from kartramail.messages.requests import Fault, MessageRequest
from kartramail.messages.words import finish_words
from kartramail.outbox.contents import Words

MAX_REQUEST_HTML = 1_000_000
"""Characters in all different HTML of one request: about five seconds of work."""

_PLAIN = 15  # times less work it is where the HTML needs no more than being sanitised

MAX_FINISHED = 30_000_000
"""Characters that they may become: styles are written into every element that they apply to."""


def finish_requests(
    requests: Sequence[MessageRequest],
) -> tuple[list[MessageRequest], list[Fault]]:
    """The requests with finished words, and what is wrong with any, with its index.

    For requests that `find_faults` had nothing to say against. The same HTML is finished once.
    """
    finisher = _Finisher()
    finished: list[MessageRequest] = []
    faults: list[Fault] = []
    for index, request in enumerate(requests):
        try:
            subject, text, html = finisher.finish((request.subject, request.text, request.html))
        except TemplateError as error:
            faults.append(Fault(index, "html", "template", str(error)))
            continue
        finished.append(replace(request, subject=subject, text=text, html=html))
    return finished, faults


class _Finisher:
    """Finishes the words of one request, and counts the work."""

    def __init__(self) -> None:
        self._finished: dict[tuple[str | None, str], Words] = {}
        self._read = 0
        self._made = 0

    def finish(self, words: Words) -> Words:
        subject, text, html = words
        if html is None:
            return words
        key = text, html
        if key not in self._finished:
            self._read += len(html) // (_PLAIN if text is not None and is_plain(html) else 1)
            if self._read > MAX_REQUEST_HTML or self._made > MAX_FINISHED:
                raise TemplateError(_TOO_MUCH)
            made = finish_words(("", text, html))
            self._made += sum(len(part or "") for part in made)
            self._finished[key] = made
        _, text, html = self._finished[key]
        return subject, text, html


_TOO_MUCH = (
    f"The different HTML of one request may have {MAX_REQUEST_HTML:,} characters in all. Send "
    "fewer messages at a time, or one HTML with what differs in its variables."
)
