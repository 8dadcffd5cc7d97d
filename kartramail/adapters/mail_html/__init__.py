"""HTML of mail that people write: sanitised, its CSS inlined, its text made (R-VARS, R-SAFE).

All three take Liquid templates: code comes through byte for byte. Pure; they load nothing from
anywhere, and what would be too much work is a TemplateError.
"""

import re

from kartramail.adapters.mail_html.cleaning import clean_once, cleaned
from kartramail.adapters.mail_html.inlining import document
from kartramail.adapters.mail_html.masking import Mask
from kartramail.adapters.mail_html.plain import is_plain, plain_document
from kartramail.adapters.mail_html.texts import text_of
from kartramail.adapters.template_limits import MAX_SOURCE
from kartramail.errors import TemplateError

_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair: no character, nobody can encode it

__all__ = ["inline_styles", "is_plain", "mail_of_html", "sanitise_html", "text_of_html"]


def sanitise_html(source: str) -> str:
    """The HTML without what mail may not have: scripts, forms, frames, unsafe addresses, comments.

    Doing it twice changes nothing. Raises TemplateError, with the line, for code that stands where
    it cannot, and for HTML that would be too much work.
    """
    mask = _masked(source)
    return mask.unmask(cleaned(mask))


def inline_styles(source: str) -> str:
    """A whole mail document, sanitised, its CSS in the elements; media queries stay in a <style>.

    Raises TemplateError as `sanitise_html` does, and for CSS that would be too much work.
    """
    mask = _masked(source)
    return mask.unmask(document(clean_once(mask.text, mask), mask))


def text_of_html(source: str) -> str:
    """The same as plain text, a Liquid template of the kind TEXT: links as `words (https://…)`.

    Hidden elements are left out. Raises TemplateError as `sanitise_html` does.
    """
    mask = _masked(source)
    return text_of(clean_once(mask.text, mask), mask)


def mail_of_html(source: str, *, needs_text: bool = True) -> tuple[str, str]:
    """What `inline_styles` makes of sanitised HTML, and the text of that: both in half the time.

    The text is empty where it is not needed. Raises TemplateError as they do.
    """
    if not needs_text and len(source) <= MAX_SOURCE and is_plain(source):
        return plain_document(source), ""
    mask = _masked(source)
    page = document(cleaned(mask), mask)
    return mask.unmask(page), text_of(page, mask) if needs_text else ""


def _masked(source: str) -> Mask:
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"The HTML is longer than {MAX_SOURCE:,} characters.")
    return Mask(_HALF.sub("\ufffd", source))
