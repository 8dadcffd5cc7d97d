"""What somebody looks for is read from the address, and whatever comes fails nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.activity.filters import STATES, TROUBLE, WAITING, Filters, read_filters
from kartramail.ids import new_id, show_id
from kartramail.outbox.models import IN_TROUBLE, MessageState


def test_what_no_filter_knows_is_left_out() -> None:
    unknown = {"state": "lost", "source": "kind:ship", "days": "3", "before": "x", "q": "\x00"}
    assert read_filters(unknown) == Filters()
    assert not Filters().is_any


def test_each_state_is_in_trouble_waiting_or_sent() -> None:
    assert {*TROUBLE, *WAITING, MessageState.SENT} == set(MessageState)
    assert "state IN ({})".format(", ".join(f"'{state}'" for state in TROUBLE)) == IN_TROUBLE
    assert STATES["bounced"] == (MessageState.BOUNCED,)


@pytest.mark.parametrize(
    ("typed", "prefix", "domain"),
    [
        ("Jane", "jane", None),
        ("jane@Doe", "jane@doe", None),
        (" JANE@DoeInc.com ", "jane@doeinc.com", None),
        ("jane@bücher.example", "jane@xn--bcher-kva.example", None),
        ("@doeinc.com", None, "doeinc.com"),
        ("@Doe", None, "doe"),
        ("@bücher.example", None, "xn--bcher-kva.example"),
        ("", None, None),
    ],
)
def test_what_is_typed_is_an_address_or_a_domain(
    typed: str, prefix: str | None, domain: str | None
) -> None:
    filters = read_filters({"q": typed})
    assert (filters.prefix, filters.domain) == (prefix, domain)


def test_a_whole_id_is_known_however_it_is_written() -> None:
    message_id = new_id()
    assert read_filters({"q": show_id(message_id).upper()}).message_id == message_id


def test_the_address_of_the_page_holds_what_is_chosen() -> None:
    number = new_id()
    query = {
        "q": "a&b=c",
        "state": "bounced",
        "source": f"asset:{show_id(number)}",
        "days": "7",
        "before": show_id(number),
    }
    filters = read_filters(query)
    assert filters.asset_id == filters.before == number
    assert filters.address() == (
        f"/activity?q=a%26b%3Dc&state=bounced&source=asset%3A{show_id(number)}&days=7"
        f"&before={show_id(number)}"
    )
    assert "before" not in filters.below(None).address()
    assert Filters().address() == "/activity"


@given(st.dictionaries(st.sampled_from(["q", "state", "source", "days", "before"]), st.text()))
def test_any_query_can_be_read(query: dict[str, str]) -> None:
    filters = read_filters(query)
    assert filters.address().startswith("/activity")
    assert "\x00" not in (filters.prefix or "") + (filters.domain or "")
