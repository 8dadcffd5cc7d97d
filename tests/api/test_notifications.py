"""/api/v1/notifications: every notification as it holds for the whole account (R-GLOBAL)."""

from kartramail.assets.kinds import TYPES
from tests.api.conftest import Program
from tests.api.test_assets import make


def test_all_types_are_listed(alices_program: Program) -> None:
    answer = alices_program.get("/notifications").get_json()
    items = answer["items"]
    assert answer["next"] is None
    assert [item["type"] for item in items] == list(TYPES)
    assert {item["recipient"] for item in items} == {"contact", "affiliate", "team"}


def test_a_change_reaches_every_asset_without_its_own(alices_program: Program) -> None:
    asset_id, own = make(alices_program), make(alices_program)
    path = f"/assets/{own}/notifications/calendar.booked"
    assert alices_program.put(path, {"subject": "Its own"}).status_code == 200
    answer = alices_program.put("/notifications/calendar.booked", {"subject": "Everywhere"})
    assert answer.status_code == 200
    assert "subject" not in answer.get_json()["inherited"]
    items = alices_program.get(f"/assets/{asset_id}/notifications").get_json()["items"]
    assert items[0]["subject"] == "Everywhere"
    assert "subject" in items[0]["inherited"]
    items = alices_program.get(f"/assets/{own}/notifications").get_json()["items"]
    assert items[0]["subject"] == "Its own"


def test_a_text_that_assets_share_is_changed_here(alices_program: Program) -> None:
    answer = alices_program.put("/notifications/team.sale", {"subject": "Sold: {{ amount }}"})
    assert answer.status_code == 200
    assert answer.get_json()["subject"] == "Sold: {{ amount }}"


def test_a_fixed_sender_is_fixed_here_as_well(alices_program: Program) -> None:
    answer = alices_program.put("/notifications/team.sale", {"sender_id": "0000000000001"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "sender_fixed")


def test_an_unknown_type_is_not_found(alices_program: Program) -> None:
    answer = alices_program.put("/notifications/quiz.passed", {"enabled": False})
    assert answer.status_code == 404


def test_accounts_stay_apart(alices_program: Program, charlies_program: Program) -> None:
    alices_program.put("/notifications/form.confirm", {"enabled": False})
    items = charlies_program.get("/notifications").get_json()["items"]
    assert all(item["enabled"] for item in items)
