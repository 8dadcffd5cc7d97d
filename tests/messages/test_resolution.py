"""Who a message comes from, and why (R-RESOLVE, R-PROOF)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kartramail.messages.resolution import resolve_sender
from kartramail.senders.standing import Proof, SenderStanding


def standing(**changes: Any) -> SenderStanding:
    values: dict[str, Any] = {
        "sender_id": 1,
        "account_id": 1,
        "business_name": "Doe Inc",
        "name": "Jane Doe",
        "send_from": "jane@doeinc.com",
        "reply_to": "support@doeinc.com",
        "low_delivery_accepted": False,
        "placeholder": "doe-inc@kartra.com",
        "proof": Proof.MAILBOX,
    }
    return SenderStanding(**(values | changes))


def test_a_proven_mailbox_is_the_sender() -> None:
    answer = resolve_sender(standing())
    assert (answer.name, answer.send_from) == ("Jane Doe", "jane@doeinc.com")
    assert answer.reply_to == "support@doeinc.com"
    assert answer.is_as_wanted
    assert "jane@doeinc.com was confirmed" in answer.why


def test_an_unproven_one_is_replaced_and_replies_still_arrive() -> None:
    answer = resolve_sender(standing(proof=Proof.NONE))
    assert answer.send_from == "doe-inc@kartra.com"
    assert answer.reply_to == "support@doeinc.com"
    assert not answer.is_as_wanted
    assert "jane@doeinc.com" in answer.why
    assert "doe-inc@kartra.com" in answer.why


def test_without_a_reply_to_the_wanted_address_takes_replies() -> None:
    answer = resolve_sender(standing(proof=Proof.NONE, reply_to=None))
    assert answer.reply_to == "jane@doeinc.com"


def test_a_temporary_address_of_choice_has_no_reply_to() -> None:
    """R-PREFILL: no header until a business address is given."""
    own = "doe-inc@kartra.com"
    answer = resolve_sender(standing(proof=Proof.PLACEHOLDER, send_from=own, reply_to=None))
    assert (answer.send_from, answer.reply_to) == (own, None)
    assert answer.is_as_wanted


@given(
    proof=st.sampled_from(Proof),
    name=st.text(min_size=1, max_size=64),
    reply_to=st.none() | st.just("support@doeinc.com"),
)
def test_it_always_answers_and_never_with_an_unproven_address(
    proof: Proof, name: str, reply_to: str | None
) -> None:
    wanted = "doe-inc@kartra.com" if proof is Proof.PLACEHOLDER else "jane@doeinc.com"
    asked = standing(proof=proof, name=name, send_from=wanted, reply_to=reply_to)
    answer = resolve_sender(asked)
    assert answer.why
    assert answer.name == name
    if proof in (Proof.NONE, Proof.PLACEHOLDER):
        assert answer.send_from == asked.placeholder
    assert resolve_sender(asked).digest == answer.digest
