"""What became of one try of one message, as delivery reports it."""

from dataclasses import dataclass

from kartramail.rules.replies import Reply, clean_words


@dataclass(frozen=True, slots=True)
class Failed:
    """The message could not be built: no server ever saw it.

    `words` may quote a stranger's values, so they are cleaned as a server's are.
    """

    words: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", clean_words(self.words))


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one try of one message; `resolved_id` is the sender that it went out under.

    Without one the sender stays the one that was named when the message was accepted.
    """

    message_id: int
    outcome: Reply | Failed
    resolved_id: int | None
