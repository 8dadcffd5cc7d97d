"""Who may write which message, as the database says it: few queries, however many messages."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from kartramail.errors import NotFound
from kartramail.messages.proof import Reserve
from kartramail.messages.resolution import Candidate, Place, Resolution, resolve
from kartramail.senders.choices import EVERYWHERE, ChoiceKey, choices_for
from kartramail.senders.models import ChoiceScope
from kartramail.senders.placeholders import load_reserve
from kartramail.senders.standing import SenderStanding, gateway_standing, sender_standing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides who a message comes from. `sender_id` was named by its source."""

    account_id: int
    sender_id: int | None = None
    asset_id: int | None = None
    type: str | None = None


def resolve_wanted(session: Session, wanted: Wanted, platform_domain: str) -> Resolution:
    """Who one message leaves as now, and why."""
    return resolve_all(session, {wanted}, platform_domain)[wanted]


def resolve_all(
    session: Session, wanted: Collection[Wanted], platform_domain: str
) -> dict[Wanted, Resolution]:
    """Who each of these leaves as now. As many queries as there are accounts and senders."""
    resolved: dict[Wanted, Resolution] = {}
    for account_id in {one.account_id for one in wanted}:
        mine = [one for one in wanted if one.account_id == account_id]
        account = _Account(session, account_id, platform_domain)
        choices = _choices(session, account_id, mine)
        same: dict[tuple[object, ...], Resolution] = {}
        for one in mine:
            ids = _chosen_ids(one, choices)
            key = (*ids, one.type is not None)
            if key not in same:
                same[key] = account.resolve(ids, has_type=one.type is not None)
            resolved[one] = same[key]
    return resolved


def _choices(
    session: Session, account_id: int, wanted: Collection[Wanted]
) -> Mapping[ChoiceKey, int]:
    types = {one.type for one in wanted if one.type is not None}
    assets = {one.asset_id for one in wanted if one.type is not None and one.asset_id is not None}
    return choices_for(session, account_id, assets, types) if types else {}


def _chosen_ids(one: Wanted, choices: Mapping[ChoiceKey, int]) -> tuple[int | None, ...]:
    """The senders chosen for its asset and for its notification, and the one that it names."""
    if one.type is None:
        return None, None, one.sender_id
    of_asset = choices.get((ChoiceScope.ASSET, one.asset_id or 0, one.type))
    return of_asset, choices.get((ChoiceScope.NOTIFICATION, EVERYWHERE, one.type)), one.sender_id


class _Account:
    """One account's senders, each read once."""

    def __init__(self, session: Session, account_id: int, platform_domain: str) -> None:
        self._session = session
        self._account_id = account_id
        self._platform_domain = platform_domain
        self._standings: dict[int, SenderStanding | None] = {}
        self._gateway: SenderStanding | None = None
        try:
            self._gateway = gateway_standing(session, account_id, platform_domain)
        except NotFound:
            self._gateway = None

    def resolve(self, ids: tuple[int | None, ...], *, has_type: bool) -> Resolution:
        candidates = tuple(self._candidates(ids, has_type))
        reserve = None
        if all(one.standing is None for one in candidates):
            business_name, address = load_reserve(
                self._session, self._account_id, self._platform_domain
            )
            reserve = Reserve(business_name, address)
        return resolve(candidates, reserve)

    def _candidates(self, ids: tuple[int | None, ...], has_type: bool) -> Iterator[Candidate]:
        of_asset, of_notification, of_source = ids
        if has_type:
            yield Candidate(Place.ASSET, self._standing(of_asset))
            yield Candidate(Place.NOTIFICATION, self._standing(of_notification))
        if of_source is not None:
            yield Candidate(Place.SOURCE, self._standing(of_source))
        yield Candidate(Place.GATEWAY, self._gateway)

    def _standing(self, sender_id: int | None) -> SenderStanding | None:
        if sender_id is None:
            return None
        if sender_id not in self._standings:
            self._standings[sender_id] = sender_standing(
                self._session, self._account_id, sender_id, self._platform_domain
            )
        return self._standings[sender_id]
