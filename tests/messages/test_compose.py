"""Compiled contents are kept within bounds, and whatever a batch needs is at hand."""

import pytest

from kartramail.messages import compose
from kartramail.messages.compose import Composer
from kartramail.outbox.contents import Words

HEAVY = "{{ x }}" * 2_800


def heavy(number: int) -> Words:
    return f"s{number}", f"{HEAVY}{number}", f"{HEAVY}<p>{number}"


def test_heavy_contents_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "KEPT_BYTES", 20_000_000)
    composer = Composer()
    for number in range(8):
        composer.content(number, heavy(number))
    assert composer._contents.weight <= 20_000_000
    assert composer.missing({0}) == {0}
    assert composer.missing({7}) == set()


def test_what_a_batch_needs_is_not_lost_while_it_is_composed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Compiling one content pushes out another that is needed a moment later."""
    monkeypatch.setattr(compose, "KEPT_BYTES", 1)
    composer = Composer()
    words = {number: (f"s{number}", "t", None) for number in range(3)}
    composer.content(0, words[0])
    wanted = {0, 1, 2}
    loaded = {number: words[number] for number in composer.missing(wanted)}
    for number in (1, 2, 0):
        assert composer.content(number, loaded.get(number)).subject.render({}) == f"s{number}"
