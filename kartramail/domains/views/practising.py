"""The practice zone of this process, and what can be done there with each record."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from kartramail.domains.checklist import Checklist
from kartramail.sandbox.practice_mistakes import Mistake, mistakes_for
from kartramail.sandbox.practice_zone import PracticeZone
from kartramail.web.access import installation
from kartramail.web.local_requests import is_local_request

_KEPT = "kartramail_practice"


@dataclass(frozen=True, slots=True)
class PracticeRow:
    """What is published for one record ("absent", "right", a mistake), and how it can be broken."""

    state: str
    mistakes: tuple[Mistake, ...]


def can_practise(checklist: Checklist) -> bool:
    """Whether the domain is made up, the practice DNS runs, and the machine itself asks."""
    settings = installation().settings
    return checklist.is_practice and settings.has_practice_dns and is_local_request()


def practice_zone() -> PracticeZone:
    """One object a process, made when it is first needed."""
    if _KEPT not in current_app.extensions:
        path = installation().settings.practice_path
        current_app.extensions.setdefault(_KEPT, PracticeZone(path))
    return cast(PracticeZone, current_app.extensions[_KEPT])


def practice_rows(checklist: Checklist) -> dict[str, PracticeRow]:
    """By the record's key; nothing where there is no practice."""
    if not can_practise(checklist):
        return {}
    zone = practice_zone()
    return {
        row.wanted.key: PracticeRow(
            zone.state(checklist.domain, row.wanted.key), mistakes_for(row.wanted)
        )
        for row in checklist.rows
    }
