"""One of the places for a connection that a courier has."""

from kartramail.adapters.smtp_connection import Connection
from kartramail.adapters.smtp_message import OutgoingMessage

_LONG_ANSWER = 0.1  # seconds: behind one that takes longer nothing should wait


class Slot:
    """A connection, or the place for one; the message that follows; results not yet durable.

    `following` was handed over and not announced to any server.
    """

    __slots__ = ("connection", "following", "is_condemned", "is_connecting", "unconfirmed")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.following: OutgoingMessage | None = None
        self.unconfirmed = 0
        self.is_connecting = False
        self.is_condemned = False  # what is announced here is no longer ours to send

    @property
    def is_busy(self) -> bool:
        """Whether a message is under way here, or waits for a connection."""
        connection = self.connection
        return self.following is not None or (connection is not None and not connection.is_idle)

    def has_room(self, at: float) -> bool:
        """Whether one more may be handed over."""
        if self.following is not None or self.is_connecting or self.is_condemned:
            return False
        return not self.is_held_up(at)

    def is_held_up(self, at: float) -> bool:
        """Whether the server takes its time for what is under way here."""
        if self.connection is None:
            return False
        conversation = self.connection.conversation
        return conversation.is_waiting and at - conversation.waits_since > _LONG_ANSWER

    def held_up(self, at: float) -> OutgoingMessage | None:
        """What is announced here behind a message whose answer takes long."""
        if self.connection is None or not self.is_held_up(at):
            return None
        conversation = self.connection.conversation
        return conversation.opening if conversation.closing is not None else None

    def may_settle(self, at: float) -> bool:
        """Whether a result may come of here before the last one is durable, and soon."""
        return self.connection is not None and not self.unconfirmed and not self.is_held_up(at)

    def was_finished_since(self, moment: float) -> bool:
        """Whether a message was sent whole here after that moment, and has no answer yet."""
        if self.connection is None:
            return False
        conversation = self.connection.conversation
        return conversation.closing is not None and conversation.waits_since > moment

    @property
    def may_finish(self) -> bool:
        """The server waits for a message, and the result of the one before is durable."""
        if self.connection is None or self.unconfirmed or self.is_condemned:
            return False
        conversation = self.connection.conversation
        opening = conversation.opening
        return (
            opening is not None
            and opening.is_invited
            and opening.failure is None
            and conversation.closing is None
            and conversation.over is None
        )

    @property
    def may_open(self) -> bool:
        """What follows can be announced over the connection that is here.

        One result that is not durable yet is no hindrance, as the dot waits for it; two are.
        """
        return (
            self.following is not None
            and self.connection is not None
            and self.unconfirmed < 2
            and not self.is_condemned
            and self.connection.conversation.can_open
        )

    @property
    def needs_new_connection(self) -> bool:
        """The one that is here has had its share, or what follows found a used one gone already.

        With a server that hangs up after each message the next used one would be gone as well.
        """
        connection, following = self.connection, self.following
        if connection is None or connection.is_worn:
            return True
        return following is not None and following.is_second_try and connection.num_emails > 0
