"""The senders that somebody can choose among, wherever one is chosen (R-SENDERS)."""

from dataclasses import dataclass

from sqlmodel import Session

from kartramail.ids import show_id
from kartramail.senders.low_delivery import keys_without_tick
from kartramail.senders.rows import SenderView, load_senders
from kartramail.senders.standing import Proof, SenderStanding, load_standings


@dataclass(frozen=True, slots=True)
class SenderOption:
    """One sender in a picker. `needs_tick`: choosing it asks for the tick of R-LOWDELIV."""

    id: int
    name: str
    send_from: str
    reply_to: str | None
    is_default: bool
    standing: SenderStanding
    needs_tick: bool

    @property
    def shown_id(self) -> str:
        """The id as the form sends it."""
        return show_id(self.id)


def load_options(session: Session, account_id: int, platform_domain: str) -> list[SenderOption]:
    """All senders of this account, the default one first. Few queries, however many there are."""
    standings = load_standings(session, account_id, platform_domain)
    settled = keys_without_tick(session, account_id)
    return [
        _option(sender, standings[sender.sender_id], is_settled=sender.from_key in settled)
        for sender in load_senders(session, account_id)
        if sender.sender_id in standings  # not one that was added between the two queries
    ]


def _option(sender: SenderView, standing: SenderStanding, *, is_settled: bool) -> SenderOption:
    is_trusted = standing.proof is Proof.PLACEHOLDER or standing.domain.is_authenticated
    return SenderOption(
        id=sender.sender_id,
        name=sender.name,
        send_from=sender.send_from,
        reply_to=sender.reply_to,
        is_default=sender.is_default,
        standing=standing,
        needs_tick=not is_trusted and not is_settled,
    )
