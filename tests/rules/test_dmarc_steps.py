"""R-DMARC: safe steps from none to reject."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.dmarc import PROPOSED, DmarcStep, next_step, read_dmarc_record


def after(text: str, is_authenticated: bool = True) -> DmarcStep | None:
    return next_step(read_dmarc_record(text), is_authenticated)


@pytest.mark.parametrize("is_authenticated", [True, False])
def test_the_first_record_changes_nothing_for_any_mail(is_authenticated: bool) -> None:
    step = next_step(None, is_authenticated)
    assert step is not None
    assert step.value == PROPOSED == "v=DMARC1; p=none"


def test_it_goes_from_none_to_reject_in_three_steps() -> None:
    text, way = PROPOSED, []
    while (step := after(text)) is not None:
        assert step.value is not None
        text = step.value
        way.append(text)
    assert way == [
        "v=DMARC1; p=quarantine; t=y",
        "v=DMARC1; p=quarantine",
        "v=DMARC1; p=reject",
    ]


def test_reject_in_testing_mode_becomes_reject() -> None:
    step = after("v=DMARC1; p=reject; t=y")
    assert step is not None
    assert step.value == "v=DMARC1; p=reject"


def test_what_is_there_stays() -> None:
    step = after("v=DMARC1;p=none;rua=mailto:Jane@doeinc.com;sp=reject;aspf=s;foo=Bar;fo=1")
    assert step is not None
    assert step.value == (
        "v=DMARC1; p=quarantine; t=y; rua=mailto:Jane@doeinc.com; sp=reject; aspf=s; foo=Bar; fo=1"
    )


def test_what_the_standard_dropped_is_dropped() -> None:
    step = after("v=DMARC1; p=quarantine; pct=20; rf=afrf; ri=3600; rua=mailto:a@doeinc.com")
    assert step is not None
    assert step.value == "v=DMARC1; p=reject; rua=mailto:a@doeinc.com"


@pytest.mark.parametrize(
    "policy", ["none", "quarantine", "quarantine; t=y", "reject; t=y", "reject"]
)
def test_nothing_stricter_is_proposed_before_the_domain_is_authenticated(policy: str) -> None:
    step = after(f"v=DMARC1; p={policy}", is_authenticated=False)
    assert step is not None
    assert step.value is None
    assert "checklist" in step.when


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("v=DMARC1; rua=mailto:a@doeinc.com", "v=DMARC1; p=none; rua=mailto:a@doeinc.com"),
        ("v=DMARC1; p=rejct; rua=mailto:a@b.test", "v=DMARC1; p=none; rua=mailto:a@b.test"),
        ("v=DMARC1; p=reject; sp=quarantin", "v=DMARC1; p=none"),
        ("v=DMARC1; p=quarantine; p=reject; adkim=x", "v=DMARC1; p=quarantine"),
    ],
)
@pytest.mark.parametrize("is_authenticated", [True, False])
def test_a_broken_record_is_mended_first_and_asks_for_no_more(
    text: str, mended: str, is_authenticated: bool
) -> None:
    step = after(text, is_authenticated)
    assert step is not None
    assert step.value == mended


TAGS = st.lists(
    st.sampled_from(
        [
            "p=none", "p=quarantine", "p=reject", "sp=none", "sp=reject", "np=reject", "t=y", "t=n",
            "pct=10", "adkim=s", "aspf=x", "rua=mailto:a@b.test", "fo=1", "hello", "sp=x", "zz=1",
        ]
    ),
    max_size=6,
)  # fmt: skip


@given(TAGS, st.booleans())
def test_every_step_is_a_sound_record_one_level_up_at_most(
    tags: list[str], is_authenticated: bool
) -> None:
    record = read_dmarc_record("; ".join(["v=DMARC1", *tags]))
    assert record is not None
    step = next_step(record, is_authenticated)
    if step is None or step.value is None:
        return
    proposed = read_dmarc_record(step.value)
    assert proposed is not None
    assert not {each.code for each in proposed.problems} & {"syntax", "missing_policy", "gone_tag"}
    order = ["none", "quarantine", "reject"]
    now, then = (order.index(each.applies_to(is_inherited=False)) for each in (record, proposed))
    assert then <= now + 1
    if not is_authenticated:
        assert then <= now
    assert proposed.rua == record.rua
