"""Return paths: each message has its own, and nobody can make one up (R-BOUNCE)."""

from hypothesis import given
from hypothesis import strategies as st

from kartramail.ids import show_id
from kartramail.rules.tokens import read_return_path, return_path

SECRET = b"secret"


@given(st.integers(0, (1 << 63) - 1))
def test_a_return_path_leads_back_to_its_message(message_id: int) -> None:
    local, _, host = return_path(show_id(message_id), SECRET, "bounces.kartra.com").partition("@")
    assert host == "bounces.kartra.com"
    assert len(local) <= 64
    assert read_return_path(local, SECRET) == message_id
    assert read_return_path(local.upper(), SECRET) == message_id
    assert read_return_path(local, b"another secret") is None


@given(st.text())
def test_anything_else_leads_nowhere(text: str) -> None:
    assert read_return_path(text, SECRET) is None


@given(st.integers(0, (1 << 63) - 1), st.integers(0, 25))
def test_one_changed_character_leads_nowhere(message_id: int, place: int) -> None:
    local = return_path(show_id(message_id), SECRET, "b.example").partition("@")[0]
    place = 2 + place % (len(local) - 2)
    changed = local[:place] + ("x" if local[place] != "x" else "y") + local[place + 1 :]
    assert read_return_path(changed, SECRET) is None
