"""The timeline of a message: what happened to it, in words, with the servers' own (R-LOG)."""

from dataclasses import dataclass
from datetime import datetime

from kartramail.messages.story import Happening
from kartramail.rules.replies import Stage

_IN_DOUBT = " (in doubt: it may have been taken)"
"""As `outbox.results` notes it behind the server's words."""

STAGES = {
    Stage.CONNECT: "No connection came about",
    Stage.GREETING: "In its greeting",
    Stage.EHLO: "After hello (EHLO)",
    Stage.TLS: "While encryption began (STARTTLS)",
    Stage.AUTH: "At sign-in (AUTH)",
    Stage.MAIL: "After the sender (MAIL FROM)",
    Stage.RCPT: "After the recipient (RCPT TO)",
    Stage.DATA: "Before the text (DATA)",
    Stage.END_OF_DATA: "After the whole message",
}
"""How far the conversation with a server had come when it spoke."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline. `words` are the server's own, where `is_quoted`.

    `is_in_doubt`: the whole message went out, and no answer came: the server may have it.
    """

    kind: str
    at: datetime
    title: str
    words: str
    is_quoted: bool
    stage: str
    attempt: int | None = None
    is_in_doubt: bool = False


def tell_moment(happening: Happening) -> Moment:
    """One thing that happened, for people."""
    title, is_quoted = _title(happening)
    words = "" if happening.kind == "queued" else happening.words
    return Moment(
        kind=str(happening.kind),
        at=happening.at,
        title=title,
        words=words.removesuffix(_IN_DOUBT),
        is_quoted=is_quoted,
        stage=STAGES[Stage(happening.stage)] if happening.stage in set(Stage) else "",
        attempt=happening.attempt,
        is_in_doubt=words.endswith(_IN_DOUBT),
    )


def _title(happening: Happening) -> tuple[str, bool]:
    """What happened, and whether its words are a server's."""
    server = happening.server or "The mail server"
    if happening.stage == Stage.CONNECT:
        return f"{server} could not be reached", True
    if happening.words.endswith(_IN_DOUBT):
        return f"{server} may have taken it", True
    return {
        "queued": ("Accepted into the outbox", False),
        "sent": (f"{server} took it", True),
        "deferred": (f"{server} did not take it", True),
        "delayed": ("Still not delivered", False),
        "bounced": (f"{server} refused it for good", True),
        "failed": ("Given up", False),
        "reclaimed": ("Taken up again", False),
        "suppressed": ("Not sent", False),
        "cancelled": ("Cancelled", False),
    }.get(happening.kind, (happening.kind.capitalize(), False))
