"""The pages of notifications as people read and fill them in, for the tests of the editor."""

from typing import Any

from lxml import html
from werkzeug.test import TestResponse

from kartramail.assets.drafts import Draft
from kartramail.assets.effective import EffectiveSetting
from kartramail.assets.kinds import TYPES
from kartramail.assets.settings import load_setting
from kartramail.db import Database
from kartramail.ids import show_id
from tests.support.cast import Actor

LIST = "/settings/notifications"
BOOKED = f"{LIST}/calendar.booked"
ASKED_BY_PAGE = {"HX-Request": "true"}


def of_one(asset_id: int, name: str = "calendar.booked", kind: str = "calendar") -> str:
    """The editor of one asset's notification."""
    return f"/assets/{kind}/{show_id(asset_id)}/notifications/{name}"


def tree_of(response: TestResponse) -> Any:
    """The page, or the fragment, as a tree."""
    return html.fromstring(f"<div>{response.get_data(as_text=True)}</div>")


def value_of(response: TestResponse, name: str) -> str:
    """What stands in a field of the editor."""
    (field,) = tree_of(response).xpath(f"//form[@id='notification-form']//*[@name='{name}']")
    text = field.text if field.tag == "textarea" else field.get("value")
    return str(text or "").removeprefix("\n")


def message_of(response: TestResponse, name: str) -> str:
    """What stands below a field."""
    (line,) = tree_of(response).xpath(f"//*[@id='{name}-message']")
    return " ".join(line.text_content().split())


def setting_of(
    db: Database, actor: Actor, name: str = "calendar.booked", asset_id: int | None = None
) -> EffectiveSetting:
    """What holds."""
    with db.reading() as session:
        return load_setting(session, actor.account_id, asset_id, TYPES[name])


def typed(
    db: Database, actor: Actor, name: str = "calendar.booked", **changed: str
) -> dict[str, str]:
    """The form as it is opened, with something changed."""
    setting = setting_of(db, actor, name)
    chosen = show_id(setting.sender_id) if setting.sender_id else ""
    shown = {"sender_id": chosen, "version": str(setting.version)}
    return Draft.of(setting).words | shown | changed
