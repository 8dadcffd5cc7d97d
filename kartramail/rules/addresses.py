"""Whose address it is: a business's, a free provider's, the platform's, nobody's (R-BUSINESS).

The doors to the rules of addresses. Pure: what DNS says of a domain is judged elsewhere (R-REPLY).
"""

from collections.abc import Callable
from dataclasses import dataclass

from kartramail.rules.address_syntax import (
    Address,
    read_address,
    refusal,
    shown_domain,
    special_use_kind,
)
from kartramail.rules.domain_spelling import (
    corrected_domain,
    imitated_provider,
    is_made_to_look_like,
    mixes_scripts,
)
from kartramail.rules.providers import (
    ProviderKind,
    is_public_suffix,
    organizational_domain,
    provider_kind,
)
from kartramail.rules.verdict import OK, Status, Verdict

__all__ = [
    "Address",
    "AddressPolicy",
    "Judged",
    "address_key",
    "is_free_address",
    "is_same_domain",
    "judge_business_address",
    "judge_recipient_address",
    "judge_signup_address",
    "organizational_domain",
    "parse_address",
]


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What holds here: the platform's own domain, and whether .test and .example may be used.

    `own_placeholder` is the whole generated address of the asking account, if it has one.
    """

    platform_domain: str
    allow_special_use: bool = False
    own_placeholder: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the address where one could be read; `is_free` as R-PREFILL asks for it."""

    address: Address | None
    verdict: Verdict
    is_free: bool = False


_Rule = Callable[[Address, AddressPolicy], Verdict | None]


def parse_address(text: str, policy: AddressPolicy) -> Address | Verdict:
    """Read an address that could exist: sound in form and, unless allowed, on a real name."""
    address = read_address(text)
    if isinstance(address, Verdict):
        return address
    return _refuse_special_use(address, policy) or address


def judge_business_address(
    text: str, policy: AddressPolicy, *, allow_own_placeholder: bool = False
) -> Judged:
    """Judge a send-from or reply-to (R-BUSINESS).

    `allow_own_placeholder` lets the account's own generated address pass unchanged (R-PLACEHOLDER).
    """
    address = parse_address(text, policy)
    if isinstance(address, Verdict):
        return Judged(None, address)
    if allow_own_placeholder and is_own_placeholder(address, policy):
        return Judged(address, OK)
    return Judged(address, _first(_BUSINESS_RULES, address, policy), is_free_address(address))


def judge_signup_address(text: str, policy: AddressPolicy) -> Judged:
    """Judge the address of a person who signs up: a free one may, a disposable one may not."""
    address = parse_address(text, policy)
    if isinstance(address, Verdict):
        return Judged(None, address)
    return Judged(address, _first(_SIGNUP_RULES, address, policy), is_free_address(address))


def judge_recipient_address(text: str, policy: AddressPolicy) -> Judged:
    """Judge an address that mail is sent to: any sound one."""
    address = parse_address(text, policy)
    if isinstance(address, Verdict):
        return Judged(None, address)
    return Judged(address, OK, is_free_address(address))


def address_key(text: str) -> str:
    """What an address that was typed is looked up by; never fails, so that nothing is told."""
    address = read_address(text)
    return address.key if isinstance(address, Address) else text.strip().lower()


def is_free_address(address: Address) -> bool:
    """True when anybody can get a mailbox on that domain."""
    return provider_kind(address.domain) is not None


def is_own_placeholder(address: Address, policy: AddressPolicy) -> bool:
    """True for the generated address of the asking account."""
    own = policy.own_placeholder
    return own is not None and address.key == own.lower()


def is_same_domain(one: Address, other: Address) -> bool:
    """True when both are on one domain, compared after IDNA and lower-casing (R-SAME-DOMAIN)."""
    return one.domain == other.domain


def _first(rules: tuple[_Rule, ...], address: Address, policy: AddressPolicy) -> Verdict:
    for rule in rules:
        verdict = rule(address, policy)
        if verdict is not None:
            return verdict
    return OK


def _refuse_special_use(address: Address, policy: AddressPolicy) -> Verdict | None:
    kind = special_use_kind(address.domain)
    if kind is None or (kind == "trial" and policy.allow_special_use):
        return None
    if _is_on(address.domain, policy.platform_domain):
        return None
    return refusal(
        "special_use",
        f"{address.domain} is a name for tests and private networks, so no mail can reach it. "
        "Use an address on a domain of your own.",
    )


def _refuse_platform(address: Address, policy: AddressPolicy) -> Verdict | None:
    if not _is_on(address.domain, policy.platform_domain):
        return None
    return refusal(
        "platform_domain",
        f"Addresses on {policy.platform_domain} are handed out by the platform and cannot be typed "
        "in. Use an address on a domain of your own.",
    )


def _refuse_imitation(address: Address, policy: AddressPolicy) -> Verdict | None:
    shown = shown_domain(address.domain)
    if is_made_to_look_like(shown, policy.platform_domain):
        return _looks_like(shown, policy.platform_domain, "platform_domain")
    imitated = imitated_provider(address.domain, shown)
    return _looks_like(shown, imitated, "free_provider") if imitated else None


def _looks_like(shown: str, imitated: str, code: str) -> Verdict:
    return refusal(
        code,
        f"{shown} only looks like {imitated}: some of its letters look alike but are others. "
        "Type the address again by hand.",
    )


def _refuse_mixed_scripts(address: Address, _: AddressPolicy) -> Verdict | None:
    shown = shown_domain(address.domain)
    if not mixes_scripts(shown):
        return None
    return refusal(
        "syntax",
        f"{shown} mixes letters of two alphabets: some of them look alike but are others. "
        "Type the address again by hand, in one alphabet.",
    )


def _refuse_public_suffix(address: Address, _: AddressPolicy) -> Verdict | None:
    if not is_public_suffix(address.domain) or provider_kind(address.domain):
        return None
    return refusal(
        "public_suffix",
        f"{shown_domain(address.domain)} is an ending that many domains share. Add the name before "
        f"it, such as {address.local}@yourbusiness.{shown_domain(address.domain)}.",
    )


def _ask_did_you_mean(address: Address, _: AddressPolicy) -> Verdict | None:
    """A question, unless the mistyped domain is itself known to hand out mailboxes."""
    meant = corrected_domain(address.domain)
    if meant is None:
        return None
    status = Status.ERROR if provider_kind(address.domain) else Status.WARNING
    suggestion = f"{address.local}@{meant}"
    return Verdict(status, "did_you_mean", f"Did you mean {suggestion}?", suggestion)


def _refuse_disposable(address: Address, _: AddressPolicy) -> Verdict | None:
    if provider_kind(address.domain) is not ProviderKind.DISPOSABLE:
        return None
    return refusal(
        "disposable",
        f"Mailboxes on {shown_domain(address.domain)} are thrown away after a while, so replies "
        "would be lost. Use an address that lasts.",
    )


def _refuse_free(address: Address, _: AddressPolicy) -> Verdict | None:
    if provider_kind(address.domain) is not ProviderKind.FREE:
        return None
    return refusal(
        "free_provider",
        f"{shown_domain(address.domain)} is shared by many people, and mail servers refuse "
        "business mail that claims to come from it. Use an address on a domain of your own.",
    )


def _is_on(domain: str, parent: str) -> bool:
    parent = parent.lower().rstrip(".")
    return domain == parent or domain.endswith("." + parent)


_SIGNUP_RULES: tuple[_Rule, ...] = (
    _refuse_platform,
    _refuse_imitation,
    _refuse_mixed_scripts,
    _refuse_public_suffix,
    _ask_did_you_mean,
    _refuse_disposable,
)
_BUSINESS_RULES: tuple[_Rule, ...] = (*_SIGNUP_RULES, _refuse_free)
