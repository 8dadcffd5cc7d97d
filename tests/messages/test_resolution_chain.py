"""The chain of R-RESOLVE: asset, notification, source, default sender, temporary address."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.domains.standing import DomainStanding
from kartramail.messages.proof import Reserve
from kartramail.messages.resolution import Candidate, Place, Resolution, resolve
from kartramail.rules.dmarc import Policy
from kartramail.rules.providers import provider_kind
from kartramail.senders.standing import Proof, SenderStanding
from tests.messages.test_resolution import domain, standing

PLACEHOLDER = "doe-inc@kartra.com"
RESERVE = Reserve("Doe Inc", PLACEHOLDER)
CHAIN = (Place.ASSET, Place.NOTIFICATION, Place.SOURCE, Place.GATEWAY)


def chain(**senders: SenderStanding | None) -> list[Candidate]:
    return [Candidate(place, senders.get(place.value)) for place in CHAIN]


def named(local: str) -> SenderStanding:
    return standing(send_from=f"{local}@doeinc.com", reply_to=f"{local}@doeinc.com")


@pytest.mark.parametrize("first", range(len(CHAIN)))
def test_the_first_place_that_has_a_sender_decides(first: int) -> None:
    senders = {place.value: named(place.value) for place in CHAIN[first:]}
    answer = resolve(chain(**senders))
    assert answer.send_from == f"{CHAIN[first].value}@doeinc.com"
    assert [step.place for step in answer.chain] == [*CHAIN, Place.PLACEHOLDER]
    assert [step.is_used for step in answer.chain].index(True) == first


def test_without_any_sender_the_temporary_address_is_left() -> None:
    answer = resolve(chain(), RESERVE)
    assert (answer.name, answer.send_from, answer.reply_to) == ("Doe Inc", PLACEHOLDER, None)
    assert answer.chain[-1].is_chosen
    assert answer.chain[-1].is_used


def test_no_account_has_no_answer() -> None:
    with pytest.raises(ValueError, match="no account"):
        resolve(chain())


def test_an_unproven_choice_does_not_fall_back_on_the_next_place() -> None:
    """R-PROOF: from the temporary address with the wanted one for replies, not as another brand."""
    wanted = standing(
        proof=Proof.NONE,
        send_from="notifications@anotherbrand.com",
        reply_to="help@anotherbrand.com",
        domain=DomainStanding("anotherbrand.com"),
    )
    answer = resolve(chain(asset=wanted, gateway=named("hello")))
    assert (answer.send_from, answer.reply_to) == (PLACEHOLDER, "help@anotherbrand.com")
    assert answer.wanted == "notifications@anotherbrand.com"
    assert (answer.chain[0].is_chosen, answer.chain[0].is_used) == (True, False)
    assert answer.chain[-1].is_used


def test_replies_to_a_temporary_address_reach_the_default_senders_mailbox() -> None:
    bare = standing(proof=Proof.PLACEHOLDER, send_from=PLACEHOLDER, reply_to=None)
    answer = resolve(chain(asset=bare, gateway=named("hello")))
    assert (answer.send_from, answer.reply_to) == (PLACEHOLDER, "hello@doeinc.com")


def test_an_address_that_a_provider_hands_out_by_now_is_not_used() -> None:
    """Lists grow: what was saved as a business address may be a free one today."""
    free = standing(
        send_from="jane@gmail.com", reply_to="jane@gmail.com", domain=DomainStanding("gmail.com")
    )
    answer = resolve(chain(asset=free, gateway=named("hello")))
    assert (answer.send_from, answer.reply_to) == (PLACEHOLDER, "hello@doeinc.com")
    assert answer.code == "free_provider"


def test_two_chains_with_the_same_choices_are_one_answer() -> None:
    assert resolve(chain(gateway=named("a"))).digest == resolve(chain(gateway=named("a"))).digest
    assert resolve(chain(gateway=named("a"))).digest != resolve(chain(asset=named("a"))).digest


ADDRESSES = (
    "jane@doeinc.com",
    "notifications@anotherbrand.com",
    "hello@news.doeinc.com",
    "jane@gmail.com",
    "shop@mailinator.com",
)


@st.composite
def standings(draw: st.DrawFn) -> SenderStanding:
    """Any sender that the database could hold, also one that no form would take."""
    proof = draw(st.sampled_from(Proof))
    send_from = PLACEHOLDER if proof is Proof.PLACEHOLDER else draw(st.sampled_from(ADDRESSES))
    found = DomainStanding(send_from.rpartition("@")[2], policy=draw(_policies))
    if proof is Proof.DOMAIN:
        found = domain(
            from_domain=found.from_domain,
            has_signature=draw(st.booleans()),
            return_path=draw(st.none() | st.just("km.doeinc.com")),
            policy=found.policy,
        )
    return standing(
        proof=proof,
        send_from=send_from,
        reply_to=draw(st.none() | st.sampled_from((*ADDRESSES, PLACEHOLDER))),
        domain=found,
        low_delivery_accepted=draw(st.booleans()),
    )


_policies = st.none() | st.sampled_from(Policy)
_chains = st.tuples(*(st.none() | standings() for _ in CHAIN)).map(
    lambda found: [Candidate(*pair) for pair in zip(CHAIN, found, strict=True)]
)


def _chosen(candidates: Sequence[Candidate]) -> SenderStanding | None:
    return next((one.standing for one in candidates if one.standing is not None), None)


def _is_ours_or_own(address: str) -> bool:
    return address == PLACEHOLDER or provider_kind(address.rpartition("@")[2]) is None


def _takes_replies(answer: Resolution) -> bool:
    return (answer.reply_to or answer.send_from) != PLACEHOLDER


@given(_chains)
def test_it_always_answers_with_one_place_that_is_used(candidates: list[Candidate]) -> None:
    answer = resolve(candidates, RESERVE)
    assert answer.send_from
    assert answer.why
    assert sum(step.is_used for step in answer.chain) == 1
    assert sum(step.is_chosen for step in answer.chain) == 1


@given(_chains)
def test_the_from_is_never_unproven(candidates: list[Candidate]) -> None:
    """R-PROOF; nor one that could only be lost (R-LOWDELIV)."""
    answer = resolve(candidates, RESERVE)
    if answer.send_from == PLACEHOLDER:
        return
    chosen = _chosen(candidates)
    assert chosen is not None
    assert answer.send_from == chosen.send_from
    assert chosen.proof in (Proof.MAILBOX, Proof.DOMAIN)
    if chosen.domain.is_lost_unsigned:
        assert answer.signing_domain == chosen.domain.domain


@given(_chains)
def test_the_from_is_never_a_free_address(candidates: list[Candidate]) -> None:
    assert _is_ours_or_own(resolve(candidates, RESERVE).send_from)


@given(_chains)
def test_replies_reach_somebody_if_there_is_anybody(candidates: list[Candidate]) -> None:
    """R-NO-INBOX: any address of the account's own in the chain takes replies."""
    own = [
        address
        for one in candidates
        if one.standing is not None
        for address in (one.standing.send_from, one.standing.reply_to)
        if address and address != PLACEHOLDER and provider_kind(address.rpartition("@")[2]) is None
    ]
    answer = resolve(candidates, RESERVE)
    if own:
        assert _takes_replies(answer)
    if answer.reply_to is not None:
        assert _is_ours_or_own(answer.reply_to)
