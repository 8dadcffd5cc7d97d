"""The answer to the one tick of R-LOWDELIV, where a sender is picked and not typed."""

from flask import request

from kartramail.senders.low_delivery import FIELD, LowDelivery


def is_ticked() -> bool:
    """Whether the form was sent with the tick."""
    return bool(request.form.get(FIELD))


def is_accepted(asked: LowDelivery) -> bool:
    """Whether the tick is there, and was asked for this domain: not for one picked before."""
    domain = asked.domain.from_domain
    return is_ticked() and request.form.get("asked_about", domain) == domain
