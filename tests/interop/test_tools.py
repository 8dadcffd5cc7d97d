"""A verifier that is not here is said aloud: skipped by name, or a failure where it can be had."""

import pytest

from tests.interop import tools
from tests.interop.tools import TOOLS, need_tool


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_that_cannot_be_had_is_named_in_the_reason(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "has_tool", lambda _: False)
    monkeypatch.setattr(tools, "is_root_on_debian", lambda: False)
    with pytest.raises(pytest.skip.Exception, match=name):
        need_tool(name)


@pytest.mark.parametrize("name", TOOLS)
def test_nothing_is_skipped_where_it_can_be_installed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "has_tool", lambda _: False)
    monkeypatch.setattr(tools, "is_root_on_debian", lambda: True)
    with pytest.raises(pytest.fail.Exception, match=name):
        need_tool(name)
