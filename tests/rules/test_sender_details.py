"""The three details of a sender, judged together (R-SAME-DOMAIN, R-PLACEHOLDER, R-LIVE)."""

import pytest

from kartramail.rules.addresses import AddressPolicy
from kartramail.rules.sender_details import (
    FIELDS,
    JudgedSender,
    fields_to_judge_again,
    judge_sender_details,
)
from kartramail.rules.verdict import OK, Verdict

PLACEHOLDER = "doe-inc@kartra.com"
POLICY = AddressPolicy("kartra.com", own_placeholder=PLACEHOLDER)


def judge(
    send_from: str = "jane@doeinc.com", reply_to: str = "support@doeinc.com", name: str = "Jane Doe"
) -> JudgedSender:
    return judge_sender_details(name, send_from, reply_to, POLICY)


def test_sound_details_pass() -> None:
    judged = judge(name="  Jane   Doe ")
    assert judged.verdicts == dict.fromkeys(FIELDS, OK)
    assert judged.is_savable
    assert judged.name == "Jane Doe"
    assert judged.send_from_address and judged.send_from_address.text == "jane@doeinc.com"
    assert judged.reply_to_address and judged.reply_to_address.text == "support@doeinc.com"


def test_it_names_both_addresses_and_offers_the_reply_to_on_the_right_domain() -> None:
    verdict = judge(reply_to="support@other.com").reply_to
    assert verdict.code == "different_domain"
    assert verdict.message == (
        "support@other.com is on another domain than jane@doeinc.com. "
        "Replies must come back to doeinc.com."
    )
    assert verdict.suggestion == "support@doeinc.com"


def test_what_it_offers_is_accepted() -> None:
    offered = judge("jane@bäckerei.de", "support@other.com").reply_to.suggestion
    assert offered == "support@bäckerei.de"
    assert judge("jane@bäckerei.de", offered).reply_to == OK


def test_one_domain_in_two_spellings_is_the_same() -> None:
    assert judge("jane@BÄCKEREI.de", "support@xn--bckerei-5wa.de").reply_to == OK


def test_a_subdomain_is_another_domain() -> None:
    assert judge(reply_to="support@mail.doeinc.com").reply_to.code == "different_domain"


def test_a_reply_to_that_looks_mistyped_is_still_measured_against_the_send_from() -> None:
    """R-SAME-DOMAIN: a question is no way around it."""
    judged = judge(reply_to="support@gmaol.com")
    assert judged.reply_to.code == "different_domain"
    assert judged.reply_to.suggestion == "support@doeinc.com"
    assert not judged.is_savable


def test_the_question_about_a_typo_stays_where_both_are_on_the_same_domain() -> None:
    judged = judge("jane@gmaol.com", "support@gmaol.com")
    assert (judged.send_from.code, judged.reply_to.code) == ("did_you_mean", "did_you_mean")
    assert judged.is_savable


def test_it_refuses_a_free_send_from_and_a_free_reply_to() -> None:
    judged = judge("jane@gmail.com", "jane@gmail.com")
    assert (judged.send_from.code, judged.reply_to.code) == ("free_provider", "free_provider")
    assert not judged.is_savable


def test_the_reply_to_is_not_measured_against_a_send_from_that_is_refused() -> None:
    assert judge("jane@gmail.com").reply_to == OK


def test_the_own_temporary_address_may_stay_without_a_reply_to() -> None:
    judged = judge(PLACEHOLDER, "  ")
    assert judged.is_savable
    assert judged.reply_to_address is None


def test_the_own_temporary_address_goes_with_any_business_reply_to() -> None:
    assert judge(PLACEHOLDER, "jane@doeinc.com").is_savable
    assert judge(PLACEHOLDER, "jane@gmail.com").reply_to.code == "free_provider"


def test_a_temporary_address_is_never_a_reply_to() -> None:
    assert judge(PLACEHOLDER, PLACEHOLDER).reply_to.code == "platform_domain"


def test_another_accounts_temporary_address_is_refused() -> None:
    assert judge("charlie@kartra.com", "").send_from.code == "platform_domain"


def test_both_addresses_are_asked_for() -> None:
    judged = judge("", "")
    assert judged.send_from.is_error
    assert judged.reply_to.is_error


def test_the_send_from_is_offered_where_the_reply_to_is_missing() -> None:
    assert judge(reply_to="").reply_to.suggestion == "jane@doeinc.com"


def test_a_changed_send_from_has_the_reply_to_judged_again() -> None:
    assert fields_to_judge_again("send_from") == ("reply_to",)
    assert fields_to_judge_again("reply_to") == ()
    assert fields_to_judge_again("sender_name") == ()


@pytest.mark.parametrize(
    "typed",
    ["", "j", "jane", "jane@", "jane@d", "jane@doe", "jane@doe.", "jane@co.uk", "jane@gmail.co"],
)
def test_what_may_still_become_right_is_passed_over_in_silence(typed: str) -> None:
    assert judge(send_from=typed).is_unfinished("send_from")


@pytest.mark.parametrize(
    "typed",
    [
        "jane@gmail.com",
        "jane@@doe",
        "jane doe@doeinc.com",
        "@doe",
        "jane@doe..com",
        "x@kartra.com",
        "jane@mailinator.com",
        "ja\x0bne@gmail.com",
    ],
)
def test_what_cannot_become_right_is_said_at_once(typed: str) -> None:
    judged = judge(send_from=typed)
    assert judged.send_from.is_error
    assert not judged.is_unfinished("send_from")


def test_another_domain_is_said_as_soon_as_it_cannot_become_the_same() -> None:
    assert judge(reply_to="support@doeinc.co").is_unfinished("reply_to")
    assert not judge(reply_to="support@other.com").is_unfinished("reply_to")


def test_verdicts_are_found_by_the_name_of_the_field() -> None:
    assert isinstance(judge().verdict_of("send_from"), Verdict)
    with pytest.raises(KeyError):
        judge().verdict_of("password")
