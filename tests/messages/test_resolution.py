"""Who a message comes from, and why (R-RESOLVE, R-PROOF)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.domains.standing import DomainStanding
from kartramail.messages.resolution import resolve_sender
from kartramail.rules.dmarc import Policy
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
        "domain": DomainStanding("doeinc.com"),
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


def domain(**changes: Any) -> DomainStanding:
    """An authenticated domain whose records are all there."""
    values: dict[str, Any] = {
        "from_domain": "doeinc.com",
        "domain": "doeinc.com",
        "is_authenticated": True,
        "has_signature": True,
        "return_path": "km.doeinc.com",
    }
    return DomainStanding(**(values | changes))


def test_an_authenticated_domain_signs_and_takes_the_bounces() -> None:
    answer = resolve_sender(standing(proof=Proof.DOMAIN, domain=domain()))
    assert answer.send_from == "jane@doeinc.com"
    assert (answer.signing_domain, answer.return_path_domain) == ("doeinc.com", "km.doeinc.com")
    assert answer.code == "proven_domain"


def test_a_domain_above_signs_for_an_address_below_it() -> None:
    below = domain(from_domain="news.doeinc.com")
    answer = resolve_sender(
        standing(proof=Proof.DOMAIN, send_from="jane@news.doeinc.com", domain=below)
    )
    assert answer.signing_domain == "doeinc.com"


@pytest.mark.parametrize(
    ("has_signature", "return_path", "signed_by"),
    [(False, "km.doeinc.com", None), (True, None, "doeinc.com")],
)
def test_in_a_time_of_grace_it_uses_what_is_still_there(
    has_signature: bool, return_path: str | None, signed_by: str | None
) -> None:
    left = domain(has_signature=has_signature, return_path=return_path, policy=Policy.NONE)
    answer = resolve_sender(standing(proof=Proof.DOMAIN, domain=left))
    assert answer.is_as_wanted
    assert (answer.signing_domain, answer.return_path_domain) == (signed_by, return_path)


@pytest.mark.parametrize("return_path", [None, "km.doeinc.com"])
def test_without_a_signature_a_strict_policy_leads_to_the_temporary_address(
    return_path: str | None,
) -> None:
    """SPF alone is not counted on: `aspf=s`, a forwarding, or unknown addresses would lose it."""
    gone = domain(has_signature=False, return_path=return_path, policy=Policy.REJECT)
    answer = resolve_sender(standing(proof=Proof.DOMAIN, domain=gone))
    assert (answer.send_from, answer.code) == ("doe-inc@kartra.com", "dmarc_policy")


@pytest.mark.parametrize("policy", [Policy.QUARANTINE, Policy.REJECT])
def test_a_mailbox_whose_mail_could_only_be_lost_is_not_used(policy: Policy) -> None:
    """R-LOWDELIV."""
    answer = resolve_sender(standing(domain=DomainStanding("doeinc.com", policy=policy)))
    assert (answer.send_from, answer.code) == ("doe-inc@kartra.com", "dmarc_policy")
    assert answer.reply_to == "support@doeinc.com"
    assert policy.value in answer.why
    assert not answer.is_as_wanted


@pytest.mark.parametrize("policy", [None, Policy.NONE])
def test_a_mailbox_may_send_where_nobody_is_asked_to_refuse_it(policy: Policy | None) -> None:
    answer = resolve_sender(standing(domain=DomainStanding("doeinc.com", policy=policy)))
    assert (answer.send_from, answer.signing_domain) == ("jane@doeinc.com", None)


@given(
    proof=st.sampled_from(Proof),
    has_signature=st.booleans(),
    return_path=st.none() | st.just("km.doeinc.com"),
    policy=st.none() | st.sampled_from(Policy),
)
def test_a_from_that_can_only_be_lost_is_never_used(
    proof: Proof, has_signature: bool, return_path: str | None, policy: Policy | None
) -> None:
    wanted = "doe-inc@kartra.com" if proof is Proof.PLACEHOLDER else "jane@doeinc.com"
    found = DomainStanding("doeinc.com", policy=policy)
    if proof is Proof.DOMAIN:
        found = domain(has_signature=has_signature, return_path=return_path, policy=policy)
    answer = resolve_sender(standing(proof=proof, send_from=wanted, domain=found))
    if answer.send_from == "jane@doeinc.com":
        assert proof in (Proof.DOMAIN, Proof.MAILBOX)
        assert answer.signing_domain or policy in (None, Policy.NONE)


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
