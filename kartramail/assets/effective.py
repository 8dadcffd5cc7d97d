"""What holds for a notification at one place, and where each part of it comes from. Pure.

Field by field, a form's own setting goes before the account's, and that before our defaults; only
the text follows the HTML: where one place has an HTML of its own and no text, its text is made
from that HTML, and not taken from a place above, which would say something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from kartramail.assets.defaults import default_source, default_words
from kartramail.assets.notification_types import NotificationType
from kartramail.outbox.contents import Words

FIELDS = ("enabled", "subject", "html", "text", "sender")


class Origin(StrEnum):
    """Where an inherited part comes from."""

    DEFAULTS = "defaults"
    EVERYWHERE = "everywhere"
    HTML = "html"  # the text, made from the HTML that this place has


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says of a notification; None: nothing. `finished_html` and `html_text` are
    its HTML as it is sent, and the text made from that.
    """

    enabled: bool | None = None
    subject: str | None = None
    html: str | None = None
    text: str | None = None
    finished_html: str | None = None
    html_text: str | None = None
    sender_id: int | None = None
    version: int = 0


NOTHING = Layer()


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """A notification as it holds at one place: everywhere, or for one asset.

    `subject`, `html` and `text` are the source as it was written; `text` None: it is made from the
    HTML. `inherited` names what is not set at this place, of FIELDS, and `inherited_from` says for
    each where it comes from. `sender_id` is the sender chosen at this place. `version` counts the
    changes at this place, 0 before the first.
    """

    type: NotificationType
    enabled: bool
    subject: str
    html: str | None
    text: str | None
    inherited: frozenset[str]
    inherited_from: Mapping[str, Origin]
    sender_id: int | None = None
    version: int = 0


def merge(one: NotificationType, own: Layer, everywhere: Layer | None) -> EffectiveSetting:
    """What holds where `own` is set; `everywhere` is what lies above it, None where `own` is it."""
    default_subject, default_text, default_html = default_source(one.name)
    above = everywhere or NOTHING
    defaults = Layer(enabled=True, subject=default_subject, html=default_html, text=default_text)
    layers = (own, above, defaults)
    origins = {
        name: Origin.DEFAULTS if _value(above, name) is None else Origin.EVERYWHERE
        for name in FIELDS
        if _value(own, name) is None
    }
    if own.text is None and own.html is not None:
        origins["text"] = Origin.HTML
    elif own.text is None and above.html is not None:
        origins["text"] = Origin.EVERYWHERE
    return EffectiveSetting(
        type=one,
        enabled=is_enabled(own, above),
        subject=_first(layers, "subject") or "",
        html=_first(layers, "html"),
        text=_text(layers),
        inherited=frozenset(origins),
        inherited_from=origins,
        sender_id=own.sender_id,
        version=own.version,
    )


def words_of(one: NotificationType, own: Layer, everywhere: Layer) -> Words | None:
    """The words to send, finished; None where it is switched off."""
    if not is_enabled(own, everywhere):
        return None
    subject, text, html = default_words(one.name)
    defaults = Layer(subject=subject, html=html, text=text, finished_html=html, html_text=text)
    layers = (own, everywhere, defaults)
    said = _said(layers)
    if said == (None, None):  # each place alone says something, but together they say nothing
        said = _said([_without_silence(layer) for layer in layers])
    return _first(layers, "subject") or "", *said


def _said(layers: Sequence[Layer]) -> tuple[str | None, str | None]:
    """Text and finished HTML."""
    source = next(layer for layer in layers if layer.html is not None)
    return _text(layers) or source.html_text or None, source.finished_html or None


def _without_silence(layer: Layer) -> Layer:
    """The same, as if what is empty there had never been set."""
    return replace(layer, html=layer.html or None, text=layer.text or None)


def is_enabled(own: Layer, everywhere: Layer) -> bool:
    """Whether it is sent at all."""
    return _first((own, everywhere), "enabled") is not False


def _text(layers: Sequence[Layer]) -> str | None:
    """The first text of its own, but none from above the place that the HTML comes from."""
    for layer in layers:
        if layer.text is not None:
            return layer.text or None
        if layer.html is not None:
            return None
    return None


def _first(layers: Sequence[Layer], name: str) -> Any:
    values = (getattr(layer, name) for layer in layers)
    return next((value for value in values if value is not None), None)


def _value(layer: Layer, name: str) -> Any:
    return layer.sender_id if name == "sender" else getattr(layer, name)
